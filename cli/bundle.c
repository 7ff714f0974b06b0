/* bundle.c - see bundle.h. Everything goes through add(), which takes secrets out; what
 * cannot be had is a row of the manifest and no failure. */
#include "cli/bundle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/file.h"
#include "cli/format.h"
#include "cli/redact.h"
#include "cli/tar.h"
#include "common/lz.h"
#include "common/mem.h"
#include "common/version.h"

#define FILE_MAX     (64 * MIB)
#define BUNDLE_MAX   (512 * MIB)
#define CLUSTERS_MAX 50
#define NAME_ROOM    512
/* A log's lines may have been given a prefix this long ("agent-1 | "). */
#define PREFIX_MAX 160

struct bundle {
    struct cli *cli;
    struct redact redact;
    struct str tar;
    struct json *has, *missing;
    bool cell; /* the cell answers */
};

/* ---- what goes in ---- */

static struct json *add(struct bundle *bundle, const char *name, struct slice text)
{
    struct str clean;
    struct json *row = json_object();

    str_init(&clean, FILE_MAX);
    redact_text(&bundle->redact, text, &clean);
    tar_add(&bundle->tar, name, str_slice(&clean), bundle->cli->now_ms / 1000);
    json_set(row, "file", json_string(name));
    json_set(row, "bytes", json_int((int64_t)clean.len));
    json_push(bundle->has, row);
    str_fini(&clean);
    return row;
}

static void add_json(struct bundle *bundle, const char *name, const struct json *value)
{
    struct str text;
    str_init(&text, FILE_MAX);
    json_print(value, &text);
    str_putc(&text, '\n');
    (void)add(bundle, name, str_slice(&text));
    str_fini(&text);
}

static void miss(struct bundle *bundle, const char *what, const char *why)
{
    struct json *row = json_object();
    struct str clean;

    str_init(&clean, 64 * KIB);
    redact_text(&bundle->redact, slice_str(why), &clean);
    json_set(row, "what", json_string(what));
    json_set(row, "why", json_string(str_cstr(&clean)));
    json_push(bundle->missing, row);
    str_fini(&clean);
}

/* ---- the cell's resources ---- */

/* GET PATH into the file NAME; *ANSWER, for who wants to look into it, is good for
 * rest_answer_fini in any case. */
static bool fetch(struct bundle *bundle, const char *path, const char *name,
                  struct rest_answer *answer)
{
    const struct rest_request request = {.method = "GET", .path = path};
    struct err err = {0};

    memset(answer, 0, sizeof(*answer));
    if (!bundle->cell) {
        miss(bundle, path, "the cell does not answer");
        return false;
    }
    int code = rest_send(bundle->cli->rest, &request, answer, &err);
    if (code != 0) {
        const char *why = answer->detail[0] != '\0' ? answer->detail : err.text;
        miss(bundle, path, why);
        bundle->cell = rest_exit(code) != CLI_UNREACHABLE;
        return false;
    }
    add_json(bundle, name, answer->body);
    if (json_kind(json_find(answer->body, "next")) == JSON_KIND_STRING)
        miss(bundle, path, "there are more; the first page is here");
    return true;
}

static void fetch_all(struct bundle *bundle, const char *base, const char *folder,
                      const char *const names[][2], size_t count)
{
    char path[NAME_ROOM], file[NAME_ROOM];
    for (size_t i = 0; i < count; i++) {
        struct rest_answer answer;
        (void)snprintf(path, sizeof(path), "%.200s%s", base, names[i][0]);
        (void)snprintf(file, sizeof(file), "%.200s/%s.json", folder, names[i][1]);
        (void)fetch(bundle, path, file, &answer);
        rest_answer_fini(&answer);
    }
}

static void add_clusters(struct bundle *bundle)
{
    static const char *const parts[][2] = {
        {"/limits", "limits"},
        {"/agents?limit=1000", "agents"},
        {"/topics?limit=1000", "topics"},
        {"/groups?limit=1000", "groups"},
        {"/usage?limit=100", "usage"},
        {"/audit?limit=200", "audit"},
    };
    struct rest_answer answer;
    struct json_reader r = {0};
    char path[NAME_ROOM], folder[NAME_ROOM];

    if (fetch(bundle, "/api/v1/clusters?limit=50", "clusters.json", &answer)) {
        const struct json *items = json_find(answer.body, "items");
        for (size_t i = 0; i < json_count(items) && i < CLUSTERS_MAX; i++) {
            const struct json *id = json_find(json_at(&r, items, i), "id");
            if (json_kind(id) != JSON_KIND_STRING)
                continue;
            const char *text = (const char *)json_as_string(&r, id, "id", SIZE_MAX).ptr;
            (void)snprintf(path, sizeof(path), "/api/v1/clusters/%.64s", text);
            (void)snprintf(folder, sizeof(folder), "clusters/%.36s", text);
            fetch_all(bundle, path, folder, parts, ARRAY_LEN(parts));
        }
    }
    rest_answer_fini(&answer);
}

/* ---- one process: its readiness, metrics, log ---- */

/* The lines of GET /api/v1/cell/logs as text. */
static void print_lines(const struct json *body, struct str *text)
{
    const struct json *lines = json_find(body, "lines");
    struct json_reader r = {0};

    for (size_t i = 0; i < json_count(lines); i++) {
        str_append_slice(text, json_as_string(&r, json_at(&r, lines, i), "", SIZE_MAX));
        str_putc(text, '\n');
    }
}

static void probe(struct bundle *bundle, struct rest *rest, const char *server,
                  const char *path, const char *file)
{
    struct rest_answer answer;
    struct err err = {0};
    char what[NAME_ROOM], why[NAME_ROOM];
    struct str text;

    (void)snprintf(what, sizeof(what), "%.400s%s", server, path);
    int code = rest_probe(rest, server, path, &answer, &err);
    str_init(&text, FILE_MAX);
    if (code == 0 && answer.body != NULL && answer.status == 200)
        print_lines(answer.body, &text);
    else
        str_append_slice(&text, str_slice(&answer.text));
    if (code != 0) {
        miss(bundle, what, err.text);
    } else if (answer.status != 200 && strcmp(path, "/readyz") != 0) {
        (void)snprintf(why, sizeof(why), "HTTP %d %.400s", answer.status,
                       answer.detail[0] != '\0' ? answer.detail : str_cstr(&text));
        miss(bundle, what, why);
    } else {
        (void)add(bundle, file, str_slice(&text));
    }
    str_fini(&text);
    rest_answer_fini(&answer);
}

static void add_process(struct bundle *bundle, struct rest *rest, const char *server,
                        const char *logs, const char *folder)
{
    const char *const parts[][2] = {
        {"/readyz", "readyz.txt"}, {"/metrics", "metrics.txt"}, {logs, "log.txt"}};
    char file[NAME_ROOM];

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        (void)snprintf(file, sizeof(file), "%.200s/%s", folder, parts[i][1]);
        probe(bundle, rest, server, parts[i][0], file);
    }
}

/* All that the cell knows of; for who may not see its nodes, the servers of the context.
 */
static void add_nodes(struct bundle *bundle)
{
    static const char logs[] = "/api/v1/cell/logs";
    const struct context *context = bundle->cli->context;
    struct rest_answer answer;
    struct json_reader r = {0};
    char folder[64];

    bool found =
        fetch(bundle, "/api/v1/cell/nodes?limit=100", "cell/nodes.json", &answer);
    const struct json *items = found ? json_find(answer.body, "items") : NULL;
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *node = json_at(&r, items, i);
        const struct json *id = json_find(node, "id"),
                          *url = json_find(node, "people_url");
        if (json_kind(id) != JSON_KIND_INT || json_kind(url) != JSON_KIND_STRING)
            continue;
        (void)snprintf(folder, sizeof(folder), "nodes/%" PRId64,
                       json_as_int(&r, id, "id", 0, INT64_MAX));
        add_process(bundle, bundle->cli->rest,
                    (const char *)json_as_string(&r, url, "url", SIZE_MAX).ptr, logs,
                    folder);
    }
    for (size_t i = 0; !found && context != NULL && i < context->server_count; i++) {
        (void)snprintf(folder, sizeof(folder), "servers/%zu", i + 1);
        add_process(bundle, bundle->cli->rest, context->servers[i], logs, folder);
    }
    rest_answer_fini(&answer);
}

/* ---- what the command line names ---- */

static void add_agent(struct bundle *bundle, size_t number, const char *url)
{
    const struct rest_options options = {
        .servers = &url, .server_count = 1, .timeout_ms = bundle->cli->timeout_ms};
    struct rest *rest = rest_new(&options); /* no token: it is another's server */
    char folder[64];

    (void)snprintf(folder, sizeof(folder), "agents/%zu", number);
    add_process(bundle, rest, url, "/logs", folder);
    rest_free(rest);
}

/* The line of Weft's log in LINE, or a null slice. */
static struct slice find_line(struct slice line)
{
    for (size_t at = 0; at < line.len && at <= PREFIX_MAX; at++) {
        struct slice rest = slice_of(line.ptr + at, line.len - at);
        if (redact_is_log_line(rest))
            return rest;
    }
    return SLICE_NULL;
}

/* Only lines that Weft wrote: what else is in a file, nobody knows. */
static void add_log(struct bundle *bundle, size_t number, const char *path)
{
    struct str text, kept;
    struct err err = {0};
    int64_t dropped = 0;
    char name[NAME_ROOM];
    const char *base = strrchr(path, '/');

    str_init(&text, FILE_MAX);
    str_init(&kept, FILE_MAX);
    if (file_read(path, &text, &err) != 0) {
        miss(bundle, path, err.text);
    } else {
        char *rest = text.data;
        for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
            struct slice found = find_line(slice_str(line));
            dropped += found.ptr == NULL && *line != '\0';
            if (found.ptr == NULL)
                continue;
            str_append_slice(&kept, found);
            str_putc(&kept, '\n');
        }
        (void)snprintf(name, sizeof(name), "logs/%zu-%.80s", number,
                       base == NULL ? path : base + 1);
        struct json *row = add(bundle, name, str_slice(&kept));
        json_set(row, "lines_left_out", json_int(dropped));
    }
    str_fini(&kept);
    str_fini(&text);
}

static void for_each(struct bundle *bundle, const char *flag,
                     void (*visit)(struct bundle *bundle, size_t number,
                                   const char *text))
{
    const struct flag_values *values = args_flags(&bundle->cli->args, flag);
    size_t number = 0;

    for (size_t i = 0; values != NULL && i < values->count; i++) {
        char *list = mem_strdup(values->texts[i]);
        char *rest = list;
        for (char *one; (one = strsep(&rest, ",")) != NULL;) {
            if (*one != '\0')
                visit(bundle, ++number, one);
        }
        mem_free(list);
    }
}

static void add_environment(struct bundle *bundle)
{
    struct str text;
    str_init(&text, FILE_MAX);
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        if (strncmp(*entry, "WEFT_", 5) == 0)
            str_printf(&text, "%s\n", *entry);
    }
    (void)add(bundle, "environment.txt", str_slice(&text));
    str_fini(&text);
}

/* ---- the file ---- */

/* The manifest comes last: it lists the rest. */
static void add_manifest(struct bundle *bundle)
{
    struct json *manifest = json_object();
    struct str text;

    json_set(manifest, "weft", json_string(WEFT_VERSION));
    json_set(manifest, "made_at_ms", json_int(bundle->cli->now_ms));
    json_set(manifest, "has", bundle->has);
    json_set(manifest, "missing", bundle->missing);
    json_set(manifest, "secrets_removed", json_int((int64_t)bundle->redact.taken));
    str_init(&text, FILE_MAX);
    json_print(manifest, &text);
    str_putc(&text, '\n');
    tar_add(&bundle->tar, "manifest.json", str_slice(&text), bundle->cli->now_ms / 1000);
    tar_end(&bundle->tar);
    str_fini(&text);
    json_free(manifest);
}

static int write_file(struct bundle *bundle, const char *path)
{
    struct str packed;
    struct err err = {0};

    str_init(&packed, BUNDLE_MAX + MIB);
    int code = bundle->tar.overflowed
                   ? err_set(&err, ERR_TOO_LARGE,
                             "the bundle is over %zu MiB: give fewer "
                             "or shorter files to --logs",
                             (size_t)(BUNDLE_MAX / MIB))
                   : lz_compress(LZ_GZIP, str_slice(&bundle->tar), &packed);
    if (code == 0)
        code = file_replace(path, str_slice(&packed), &err);
    str_fini(&packed);
    return code == 0 ? CLI_OK : cli_fail(bundle->cli, code, &err);
}

static void say(const struct bundle *bundle, const char *path)
{
    struct json_reader r = {0};

    (void)printf("%s\n", path);
    cli_note(bundle->cli, "%zu files, %zu secrets taken out", json_count(bundle->has),
             bundle->redact.taken);
    for (size_t i = 0; i < json_count(bundle->missing); i++) {
        const struct json *row = json_at(&r, bundle->missing, i);
        cli_note(bundle->cli, "not in it: %s: %s",
                 (const char *)json_get_string(&r, row, "what", SIZE_MAX).ptr,
                 (const char *)json_get_string(&r, row, "why", SIZE_MAX).ptr);
    }
}

int bundle_run(struct cli *cli)
{
    static const char *const parts[][2] = {
        {"/whoami", "whoami"},
        {"/cell", "cell"},
        {"/cell/ca", "ca"},
        {"/backups?limit=100", "backups"},
        {"/usage?limit=100", "usage"},
    };
    struct bundle bundle = {.cli = cli};
    const char *path = args_value(&cli->args, "file");
    char made[64];
    time_t now = (time_t)(cli->now_ms / 1000);
    struct tm tm;

    gmtime_r(&now, &tm);
    (void)strftime(made, sizeof(made), "weft-debug-%Y%m%dT%H%M%SZ.tar.gz", &tm);
    bundle.cell = cli_connect(cli) == 0;
    bundle.has = json_array();
    bundle.missing = json_array();
    str_init(&bundle.tar, BUNDLE_MAX);
    redact_know(&bundle.redact, args_flag(&cli->args, "token"));
    if (cli->context != NULL)
        redact_know(&bundle.redact, cli->context->token);
    redact_know_environment(&bundle.redact, environ);
    fetch_all(&bundle, "/api/v1", "cell", parts, ARRAY_LEN(parts));
    add_clusters(&bundle);
    add_nodes(&bundle);
    for_each(&bundle, "agent", add_agent);
    for_each(&bundle, "logs", add_log);
    add_environment(&bundle);
    say(&bundle, path == NULL ? made : path);
    add_manifest(&bundle); /* takes `has` and `missing` along */
    int rc = write_file(&bundle, path == NULL ? made : path);
    str_fini(&bundle.tar);
    return rc;
}
