/* command_other.c - rows: what belongs to no resource. */
#include <stdio.h>
#include <string.h>

#include "cli/complete.h"
#include "cli/dev.h"
#include "cli/file.h"
#include "cli/output.h"
#include "cli/rows.h"
#include "cli/setup.h"
#include "common/version.h"

#define BODY_ROOM (8 * MIB)

static int version_run(struct cli *cli)
{
    (void)cli;
    (void)puts("weft " WEFT_VERSION);
    return CLI_OK;
}

/* The body of `weft api`: --body TEXT, @FILE or -. */
static int api_body(struct cli *cli, const char *text, struct json **body)
{
    struct str content;
    struct err err = {0};
    int rc = 0;

    str_init(&content, BODY_ROOM);
    if (text[0] == '@' || strcmp(text, "-") == 0)
        rc = file_read(text[0] == '@' ? text + 1 : text, &content, &err);
    else
        str_puts(&content, text);
    if (rc == 0 && (rc = json_parse(str_slice(&content), body, &err)) != 0)
        (void)err_wrap(&err, rc, "--body");
    str_fini(&content);
    if (rc == 0)
        return 0;
    cli_error(cli, "%s", err.text);
    return rc == ERR_MALFORMED ? CLI_USAGE : CLI_FAILED;
}

static int api_run(struct cli *cli)
{
    static const struct column none[] = {{NULL, NULL, CELL_TEXT}};
    const char *revision = args_flag(&cli->args, "revision");
    const char *text = args_flag(&cli->args, "body");
    struct rest_request request = {.method = args_value(&cli->args, "method"),
                                   .path = args_value(&cli->args, "path")};
    struct rest_answer answer;
    struct json *body = NULL;
    char match[64];
    int rc = 0;

    if (request.path[0] != '/') {
        cli_error(cli, "a path begins with /: /api/v1/clusters");
        return CLI_USAGE;
    }
    if (text != NULL)
        rc = api_body(cli, text, &body);
    if (revision != NULL) {
        (void)snprintf(match, sizeof(match), "\"%s\"", revision);
        request.if_match = match;
    }
    request.body = body;
    if (rc == 0)
        rc = cli_connect(cli);
    if (rc == 0) {
        rc = cli_send(cli, &request, &answer);
        if (cli->output == OUTPUT_TABLE)
            cli->output = OUTPUT_JSON;
        if (rc == 0 && answer.body != NULL)
            output_one(cli, none, answer.body);
        else if (rc == 0)
            (void)fwrite(str_cstr(&answer.text), 1, answer.text.len, stdout);
        rest_answer_fini(&answer);
    }
    json_free(body);
    return rc;
}

const struct command other_rows[] = {
    {
        .words = "api",
        .summary = "Call any route of the REST API with the context's token",
        .details =
            "Prints the answer as JSON. Leaders are followed and repeats made as for "
            "any command.",
        .examples = "weft api GET /api/v1/openapi.json\n"
                    "weft api POST /api/v1/clusters --body '{\"name\": \"orders\"}'\n"
                    "weft api GET '/api/v1/audit?limit=5' -o yaml",
        .args = {{.name = "method",
                  .help = "of HTTP",
                  .choices = "GET|POST|PATCH|PUT|DELETE"},
                 {.name = "path", .help = "with its query; begins with /"}},
        .flags = {{.name = "body",
                   .letter = 'b',
                   .type = FLAG_TEXT,
                   .placeholder = "JSON",
                   .help = "the body; @FILE: of a file, -: of standard input"}},
        .versioned = true,
        .run = api_run,
    },
    {
        .words = "completion",
        .summary = "Print a script that completes weft's words in a shell",
        .details = "It completes commands, flags and their values, and asks the control "
                   "plane for names of clusters, topics, agents, users and nodes.",
        .examples = "source <(weft completion bash)\n"
                    "weft completion bash > /etc/bash_completion.d/weft\n"
                    "weft completion zsh > \"${fpath[1]}/_weft\"",
        .args = {{.name = "shell", .help = "bash or zsh", .choices = "bash|zsh"}},
        .run = complete_script,
    },
    {
        .words = "dev",
        .summary = "Run a whole Weft on this machine until Ctrl-C",
        .details =
            "Starts a control plane and an agent over a store that is a directory, makes "
            "a topic, and prints the address for Kafka clients. Only this machine can "
            "connect. Everything lies in a temporary directory, which Ctrl-C removes; "
            "with --dir it stays, and the next run goes on with it.",
        .examples = "weft dev\n"
                    "weft dev --port 0 --topic orders --partitions 12\n"
                    "weft dev --dir ~/weft  # keep what is produced\n"
                    "weft dev -o json  # for scripts: a line when it is ready",
        .flags = {{.name = "port",
                   .type = FLAG_INT,
                   .placeholder = "N",
                   .help = "of 127.0.0.1, for Kafka clients; 0: a free one",
                   .fallback = "9092"},
                  {.name = "topic",
                   .type = FLAG_TEXT,
                   .placeholder = "NAME",
                   .help = "the topic to make",
                   .fallback = "test"},
                  {.name = "partitions",
                   .type = FLAG_INT,
                   .placeholder = "N",
                   .help = "of that topic",
                   .fallback = "1"},
                  {.name = "dir",
                   .type = FLAG_TEXT,
                   .placeholder = "DIR",
                   .help = "keep everything there; made when missing",
                   .fallback = "a temporary directory",
                   .names = NAMES_FILE},
                  {.name = "store",
                   .type = FLAG_TEXT,
                   .placeholder = "URL",
                   .help = "another object store, as --store of weft-agent",
                   .fallback = "the directory `store` in there"}},
        .run = dev_run,
    },
    {
        .words = "setup",
        .summary =
            "Make a cluster and what its agents join by; for compose files and scripts",
        .details =
            "Waits, for as long as --timeout says, until the control plane runs and the "
            "files of --ca-file and --token @FILE are there. Makes the cluster unless it "
            "is there. Writes into the directory what agents take as --enrolment-token "
            "@DIR/enrolment-token and --ca-fingerprint @DIR/ca.fingerprint, and ca.crt; "
            "with --wait-for-files they may be started at the same time. May be "
            "repeated.",
        .examples = "weft setup orders --dir /run/agents --timeout 5m",
        .args = {{.name = "name", .help = "of the cluster", .place = PLACE_LOCAL}},
        .flags = {{.name = "dir",
                   .type = FLAG_TEXT,
                   .placeholder = "DIR",
                   .help = "where the files are written",
                   .names = NAMES_FILE,
                   .required = true},
                  {.name = "ttl",
                   .type = FLAG_DURATION,
                   .placeholder = "TIME",
                   .help = "how long agents may join by this token",
                   .fallback = "30d"}},
        .run = setup_run,
    },
    {
        .words = "version",
        .summary = "Print the version of this program",
        .examples = "weft version",
        .run = version_run,
    },
    {.words = NULL},
};
