/* cli.c - see cli.h. */
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/complete.h"
#include "cli/file.h"
#include "cli/format.h"
#include "cli/help.h"
#include "cli/names.h"
#include "common/clock.h"
#include "common/mem.h"

#define HELP_WIDTH 80
#define SECRET_MAX (64 * KIB)
#define PAGES_MAX  1000000

/* ---- saying ---- */

void cli_error(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    (void)fflush(stdout);
    (void)fprintf(stderr, "weft%s%s: ", cli->args.words[0] == '\0' ? "" : " ",
                  cli->args.words);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

void cli_note(const struct cli *cli, const char *fmt, ...)
{
    va_list args;

    if (cli->quiet)
        return;
    (void)fflush(stdout);
    va_start(args, fmt);
    (void)vfprintf(stderr, fmt, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

int cli_fail(const struct cli *cli, int code, const struct err *err)
{
    cli_error(cli, "%s", err->text);
    return rest_exit(code);
}

bool cli_confirm(const struct cli *cli, const char *question)
{
    char answer[16];

    if (args_on(&cli->args, "yes"))
        return true;
    if (!cli->interactive) {
        cli_error(cli, "%s\n  nobody is there to be asked: add --yes", question);
        return false;
    }
    (void)fprintf(stderr, "%s [y/N] ", question);
    if (fgets(answer, sizeof(answer), stdin) == NULL)
        answer[0] = '\0';
    answer[strcspn(answer, "\n")] = '\0';
    if (strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0)
        return true;
    cli_error(cli, "not done");
    return false;
}

/* ---- the context ---- */

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

int cli_context(struct cli *cli)
{
    struct err err;
    char *path;
    int rc;

    if (cli->config.path != NULL)
        return 0;
    if ((rc = config_path(&path, &err)) == 0) {
        rc = config_load(&cli->config, path, false, &err);
        mem_free(path);
    } else if (rc == ERR_NOT_FOUND) {
        rc = 0; /* flags and the environment may say all */
    }
    if (rc != 0)
        return cli_fail(cli, rc, &err);
    const char *name = args_flag(&cli->args, "context");
    if (name == NULL)
        name = environment("WEFT_CONTEXT");
    bool asked = name != NULL;
    if (name == NULL)
        name = cli->config.current;
    cli->context = name == NULL ? NULL : config_find(&cli->config, name);
    if (asked && cli->context == NULL) {
        cli_error(cli,
                  "there is no context %.80s\n  `weft context list` shows what there "
                  "is, `weft login` makes one",
                  name);
        return CLI_DENIED;
    }
    return 0;
}

int cli_secret(const struct cli *cli, const char *text, char **secret)
{
    struct str content;
    struct err err;

    if (text[0] != '@' && strcmp(text, "-") != 0) {
        context_set(secret, text);
        return 0;
    }
    str_init(&content, SECRET_MAX);
    int rc = file_read(text[0] == '@' ? text + 1 : text, &content, &err);
    if (rc == 0) {
        while (content.len > 0 && strchr(" \r\n\t", content.data[content.len - 1]))
            str_truncate(&content, content.len - 1);
        context_set(secret, str_cstr(&content));
    }
    if (content.data != NULL)
        explicit_bzero(content.data, content.len);
    str_fini(&content);
    return rc == 0 ? 0 : cli_fail(cli, rc, &err);
}

/* The servers of --server or WEFT_SERVER into SERVERS; none given: 0 of them. */
static int given_servers(struct cli *cli, struct context *servers)
{
    const struct flag_values *flags = args_flags(&cli->args, "server");
    const char *env = environment("WEFT_SERVER");
    size_t count = flags != NULL ? flags->count : env != NULL ? 1 : 0;
    struct err err;

    for (size_t i = 0; i < count; i++) {
        char *list = mem_strdup(flags != NULL ? flags->texts[i] : env);
        char *rest = list, *url;
        int rc = 0;
        while (rc == 0 && (url = strsep(&rest, ",")) != NULL) {
            if (*url != '\0')
                rc = context_add_server(servers, url, &err);
        }
        mem_free(list);
        if (rc != 0) {
            (void)cli_fail(cli, rc, &err);
            return CLI_USAGE;
        }
    }
    return 0;
}

static int given_ca(struct cli *cli, char **pem)
{
    const char *file = args_flag(&cli->args, "ca-file");
    struct str text;
    struct err err;
    int rc = 0;

    if (file == NULL)
        file = environment("WEFT_CA_FILE");
    if (file == NULL) {
        context_set(pem, cli->context == NULL ? NULL : cli->context->ca_pem);
        return 0;
    }
    str_init(&text, 256 * KIB);
    if ((rc = file_read(file, &text, &err)) == 0)
        context_set(pem, str_cstr(&text));
    str_fini(&text);
    return rc == 0 ? 0 : cli_fail(cli, rc, &err);
}

static int given_token(struct cli *cli, char **token)
{
    const char *text = args_flag(&cli->args, "token");

    if (text == NULL)
        text = environment("WEFT_TOKEN");
    if (text != NULL)
        return cli_secret(cli, text, token);
    context_set(token, cli->context == NULL ? NULL : cli->context->token);
    return 0;
}

static int connect_with(struct cli *cli, const struct context *with)
{
    const char *timeout = args_flag(&cli->args, "timeout");
    struct rest_options options = {
        .servers = (const char *const *)with->servers,
        .server_count = with->server_count,
        .ca_pem = with->ca_pem,
        .token = with->token,
        .timeout_ms = cli->timeout_ms,
        .verbose = cli->verbose,
        .patient = !cli->quiet,
    };

    if (timeout != NULL &&
        args_number(FLAG_DURATION, timeout, cli->now_ms, &options.timeout_ms) != 0)
        return CLI_USAGE; /* args.c has looked at it already */
    if (with->server_count == 0) {
        cli_error(cli, "which cell? There is no context yet\n  weft login "
                       "https://HOST:7800 --ca-fingerprint FINGERPRINT --token @FILE\n"
                       "  or --server, --ca-file and --token");
        return CLI_DENIED;
    }
    if (with->token == NULL) {
        cli_error(cli,
                  "there is no token%s%s\n  `weft login` stores one; or --token "
                  "@FILE, or WEFT_TOKEN",
                  cli->context == NULL ? "" : " in the context ",
                  cli->context == NULL ? "" : cli->context->name);
        return CLI_DENIED;
    }
    cli->rest = rest_new(&options);
    return 0;
}

int cli_connect(struct cli *cli)
{
    struct context with = {0};
    int rc;

    if (cli->rest != NULL)
        return 0;
    rc = cli_context(cli);
    if (rc == 0)
        rc = given_servers(cli, &with);
    for (size_t i = 0; rc == 0 && with.server_count == 0 && cli->context != NULL &&
                       i < cli->context->server_count;
         i++) {
        struct err err;
        for (; i < cli->context->server_count; i++)
            rc = context_add_server(&with, cli->context->servers[i], &err);
    }
    if (rc == 0)
        rc = given_ca(cli, &with.ca_pem);
    if (rc == 0)
        rc = given_token(cli, &with.token);
    if (rc == 0)
        rc = connect_with(cli, &with);
    context_clear_servers(&with);
    context_set(&with.ca_pem, NULL);
    context_set(&with.token, NULL);
    return rc;
}

/* ---- the cluster ---- */

/* The cluster that the token itself is for, if it is for one. */
static int own_cluster(struct cli *cli, char **id)
{
    struct rest_answer answer;
    struct json_reader r = {0};
    int rc = cli_get(cli, "/api/v1/whoami", &answer);
    const struct json *value = rc == 0 ? json_find(answer.body, "cluster_id") : NULL;

    if (json_kind(value) == JSON_KIND_STRING)
        context_set(id, (const char *)json_as_string(&r, value, "", SIZE_MAX).ptr);
    rest_answer_fini(&answer);
    return rc;
}

/* The one that there is, if there is only one. */
static int only_cluster(struct cli *cli, char **id)
{
    struct rest_answer answer;
    struct json_reader r = {0};
    int rc = cli_get(cli, "/api/v1/clusters?limit=2", &answer);
    const struct json *items = rc == 0 ? json_find(answer.body, "items") : NULL;

    if (json_count(items) == 1) {
        const struct json *value = json_find(json_at(&r, items, 0), "id");
        if (json_kind(value) == JSON_KIND_STRING)
            context_set(id, (const char *)json_as_string(&r, value, "", SIZE_MAX).ptr);
    }
    rest_answer_fini(&answer);
    return rc;
}

/* The cluster that nobody needs to name. */
static int obvious_cluster(struct cli *cli, char **id)
{
    int rc = own_cluster(cli, id);

    if (rc == 0 && *id == NULL)
        rc = only_cluster(cli, id);
    if (rc == 0 && *id == NULL) {
        cli_error(cli, "which cluster? Add --cluster NAME\n  `weft cluster list` shows "
                       "them, `weft context set --cluster NAME` remembers one");
        return CLI_USAGE;
    }
    return rc;
}

/* What names the cluster, or NULL. */
static const char *cluster_name(const struct cli *cli)
{
    const char *name = args_flag(&cli->args, "cluster");

    if (name == NULL)
        name = args_value(&cli->args, "cluster");
    if (name == NULL)
        name = environment("WEFT_CLUSTER");
    if (name == NULL && cli->context != NULL)
        name = cli->context->cluster;
    return name;
}

bool cli_names_cluster(const struct cli *cli)
{
    return cluster_name(cli) != NULL;
}

int cli_cluster(struct cli *cli, const char **id)
{
    const char *name;
    int rc;

    if (cli->cluster_id != NULL) {
        *id = cli->cluster_id;
        return 0;
    }
    if ((rc = cli_connect(cli)) != 0)
        return rc;
    name = cluster_name(cli);
    if (name == NULL)
        rc = obvious_cluster(cli, &cli->cluster_id);
    else
        rc = names_resolve(cli, NAMES_CLUSTER, name, &cli->cluster_id);
    if (rc == 0) {
        *id = cli->cluster_id;
        context_set(&cli->cluster_name, name == NULL ? cli->cluster_id : name);
    }
    return rc;
}

/* ---- calling ---- */

/* What a person can do about a refusal, beside what the server says. */
static const char *advice(const struct rest_answer *answer, int code)
{
    if (answer->status == 401)
        return "\n  a new token is stored by: weft login URL --token @FILE";
    if (answer->status == 403)
        return "\n  `weft whoami` says what this token may do";
    if (answer->untrusted)
        return "\n  either it is not of this cell, or the cell has a new CA: then log in "
               "again, with --ca-fingerprint";
    if (answer->status == 0 && code == ERR_UNAVAILABLE)
        return "\n  is the address right, the network there, the cell up? "
               "--timeout waits longer, --verbose shows each try";
    return "";
}

int cli_explain(const struct cli *cli, int code, const struct rest_answer *answer,
                const struct err *err)
{
    if (code == 0)
        return 0;
    if (answer->status < 300) {
        cli_error(cli, "%s%s", err->text, advice(answer, code));
        return rest_exit(code);
    }
    const char *title = answer->title[0] != '\0' ? answer->title : err_text(code);
    cli_error(
        cli, "%s (%d%s%s)%s%s%s", title, answer->status,
        answer->code[0] == '\0' ? "" : " ", answer->code,
        answer->detail[0] == '\0' || strcmp(answer->detail, title) == 0 ? "" : "\n  ",
        strcmp(answer->detail, title) == 0 ? "" : answer->detail, advice(answer, code));
    return rest_exit(code);
}

int cli_send(struct cli *cli, const struct rest_request *request,
             struct rest_answer *answer)
{
    struct err err = {0};
    int code = rest_send(cli->rest, request, answer, &err);

    return cli_explain(cli, code, answer, &err);
}

int cli_get(struct cli *cli, const char *path, struct rest_answer *answer)
{
    const struct rest_request request = {.method = "GET", .path = path};
    return cli_send(cli, &request, answer);
}

int cli_check_list(const struct cli *cli, const struct json *items)
{
    if (json_is_array(items))
        return 0;
    cli_error(cli,
              "the answer is no list, as this version of weft knows lists\n  is the "
              "control plane of another version? `weft version`, `weft cell status`");
    return CLI_FAILED;
}

int cli_each(struct cli *cli, const char *path,
             int (*visit)(const struct json *item, void *arg), void *arg)
{
    struct str page;
    bool more = true;
    int rc = 0;

    str_init(&page, 16 * KIB);
    str_puts(&page, path);
    for (int pages = 0; rc == 0 && more && pages < PAGES_MAX; pages++) {
        struct rest_answer answer;
        struct json_reader r = {0};
        rc = cli_get(cli, str_cstr(&page), &answer);
        const struct json *items = json_find(answer.body, "items");
        if (rc == 0)
            rc = cli_check_list(cli, items);
        for (size_t i = 0; rc == 0 && i < json_count(items); i++)
            rc = visit(json_at(&r, items, i), arg);
        const struct json *next = json_find(answer.body, "next");
        more = json_kind(next) == JSON_KIND_STRING;
        if (more) {
            str_reset(&page);
            str_printf(&page, "%s%safter=", path, strchr(path, '?') == NULL ? "?" : "&");
            format_escape((const char *)json_as_string(&r, next, "", SIZE_MAX).ptr,
                          &page);
        }
        rest_answer_fini(&answer);
    }
    str_fini(&page);
    return rc;
}

/* ---- one run ---- */

void cli_init(struct cli *cli)
{
    struct winsize size;

    memset(cli, 0, sizeof(*cli));
    cli->config.lock_fd = -1;
    cli->now_ms = clock_wall_ms();
    cli->timeout_ms = 30000;
    cli->interactive = isatty(STDIN_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
    if (isatty(STDOUT_FILENO) != 0) {
        cli->width = HELP_WIDTH;
        if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
            cli->width = size.ws_col;
    }
}

void cli_fini(struct cli *cli)
{
    rest_free(cli->rest);
    cli->rest = NULL;
    context_set(&cli->cluster_id, NULL);
    context_set(&cli->cluster_name, NULL);
    config_fini(&cli->config);
    args_fini(&cli->args);
}

/* Take what holds for every command out of the flags. */
static void take_globals(struct cli *cli)
{
    const char *output = args_flag(&cli->args, "output");

    cli->quiet = args_on(&cli->args, "quiet");
    cli->verbose = args_on(&cli->args, "verbose");
    if (output != NULL)
        cli->output = strcmp(output, "json") == 0   ? OUTPUT_JSON
                      : strcmp(output, "yaml") == 0 ? OUTPUT_YAML
                                                    : OUTPUT_TABLE;
}

static int run(struct cli *cli, int argc, char **argv)
{
    size_t width = cli->width == 0 ? HELP_WIDTH : cli->width;
    struct err err = {0};
    int rc = args_parse(&cli->args, argc, argv, &err);
    const struct command *command = cli->args.command;

    if (rc != 0) {
        cli_error(cli, "%s", err.text);
        if (command != NULL)
            help_usage(command, stderr);
        (void)fprintf(stderr, "`weft%s%s --help` says more\n",
                      cli->args.words[0] == '\0' ? "" : " ", cli->args.words);
        return CLI_USAGE;
    }
    if (cli->args.help) {
        help_print(cli->args.words, width, stdout);
        return CLI_OK;
    }
    if (command == NULL) {
        help_print(cli->args.words, width, stderr);
        return CLI_USAGE;
    }
    take_globals(cli);
    return command->run != NULL ? command->run(cli) : cli_call(cli);
}

int cli_main(int argc, char **argv)
{
    struct cli cli;
    int rc;

    cli_init(&cli);
    if (argc > 0 && strcmp(argv[0], COMPLETE_WORD) == 0)
        rc = complete_run(&cli, argc - 1, argv + 1);
    else if (argc == 1 && strcmp(argv[0], "--version") == 0)
        rc = command_find("version")->run(&cli);
    else
        rc = run(&cli, argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && rc == 0) {
        cli_error(&cli, "standard output: cannot be written");
        rc = CLI_FAILED;
    }
    cli_fini(&cli);
    return rc;
}
