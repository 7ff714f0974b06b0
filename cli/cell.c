/* cell.c - see cell.h. */
#include "cli/cell.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/format.h"
#include "cli/output.h"

#define BACKUP_OLD_MS  (INT64_C(26) * 3600000) /* a daily one, and some */
#define CERTIFICATE_MS (INT64_C(3) * 86400000) /* renewed at a third of 30 days */
#define TEXT_ROOM      (1 * MIB)

static int64_t number(const struct json *object, const char *path, int64_t absent)
{
    const struct json *value = format_find(object, path);
    struct json_reader r = {0};

    return json_kind(value) == JSON_KIND_INT
               ? json_as_int(&r, value, path, INT64_MIN, INT64_MAX)
               : absent;
}

static bool is(const struct json *object, const char *path, const char *text)
{
    const struct json *value = format_find(object, path);
    struct json_reader r = {0};

    return json_kind(value) == JSON_KIND_STRING &&
           slice_eq_str(json_as_string(&r, value, path, SIZE_MAX), text);
}

static bool on(const struct json *object, const char *path)
{
    const struct json *value = format_find(object, path);
    struct json_reader r = {0};

    return json_kind(value) == JSON_KIND_BOOL && json_as_bool(&r, value, path);
}

static void field(const struct json *object, const char *path, enum cell cell,
                  int64_t now_ms, struct str *out)
{
    struct str text;

    str_init(&text, TEXT_ROOM);
    format_cell(format_find(object, path), cell, now_ms, &text);
    grid_clean(str_slice(&text), out);
    str_fini(&text);
}

/* ---- what needs attention ---- */

static void about_node(const struct json *node, int64_t now_ms, struct str *out)
{
    int64_t id = number(node, "id", 0);
    int64_t heard_ms = number(node, "last_heard_ms", -1);
    int64_t expires_ms = number(node, "certificate_expires_at_ms", -1);

    if (!on(node, "alive")) {
        str_printf(out, "node %" PRId64 " does not answer", id);
        if (heard_ms >= 0) {
            str_puts(out, "; last heard of ");
            format_duration(MAX(now_ms - heard_ms, 0), out);
            str_puts(out, " ago");
        }
        str_printf(out, ": start it, or replace it (weft cell node remove %" PRId64 ")\n",
                   id);
    }
    if (on(node, "snapshot"))
        str_printf(out, "node %" PRId64 " is being sent a snapshot\n", id);
    if (expires_ms >= 0 && expires_ms - now_ms < CERTIFICATE_MS) {
        str_printf(out, "node %" PRId64 ": its certificate ", id);
        if (expires_ms <= now_ms) {
            str_puts(out, "has expired");
        } else {
            str_puts(out, "expires in ");
            format_duration(expires_ms - now_ms, out);
        }
        str_puts(out, ": nodes renew theirs by themselves, look at its log\n");
    }
}

static void about_backups(const struct json *cell, int64_t now_ms, struct str *out)
{
    int64_t at_ms = number(cell, "last_backup.taken_at_ms", -1);

    if (at_ms < 0) {
        str_puts(out, "there is no backup: weft backup create FILE\n");
    } else if (now_ms - at_ms > BACKUP_OLD_MS) {
        str_puts(out, "the last backup is ");
        format_duration(now_ms - at_ms, out);
        str_puts(out, " old\n");
    }
}

void cell_attention(const struct json *cell, const struct json *nodes, int64_t now_ms,
                    struct str *out)
{
    struct json_reader r = {0};
    int64_t voters = 0, alive = 0;

    for (size_t i = 0; i < json_count(nodes); i++) {
        const struct json *node = json_at(&r, nodes, i);
        about_node(node, now_ms, out);
        if (is(node, "role", "voter")) {
            voters++;
            alive += on(node, "alive");
        }
    }
    if (json_is_null(format_find(cell, "leader")))
        str_puts(out, "no node leads\n");
    if (voters > 1 && alive == voters / 2 + 1 && alive < voters)
        str_printf(out,
                   "%" PRId64 " of %" PRId64
                   " voters answer: if one more fails, the cell stands still\n",
                   alive, voters);
    if (voters == 1 || voters % 2 == 0)
        str_printf(out, "%" PRId64 " voter%s: the cell survives the loss of %s\n", voters,
                   voters == 1 ? "" : "s",
                   voters <= 2 ? "none; three survive one"
                               : "no more than one less would");
    if (number(cell, "feature_level", 0) < number(cell, "feature_level_max", 0))
        str_printf(out,
                   "all nodes can do feature level %" PRId64 ": weft cell upgrade "
                   "--feature-level %" PRId64 "\n",
                   number(cell, "feature_level_max", 0),
                   number(cell, "feature_level_max", 0));
    about_backups(cell, now_ms, out);
}

/* ---- the table ---- */

static void print_backup(const struct json *cell, int64_t now_ms, struct str *out)
{
    str_puts(out, "backup    ");
    if (number(cell, "last_backup.taken_at_ms", -1) < 0) {
        str_puts(out, "none\n");
        return;
    }
    field(cell, "last_backup.taken_at_ms", CELL_AGE, now_ms, out);
    str_puts(out, " ago, to index ");
    field(cell, "last_backup.applied_index", CELL_INT, now_ms, out);
    str_puts(out, ", ");
    field(cell, "last_backup.size_bytes", CELL_BYTES, now_ms, out);
    str_puts(out, ", ");
    field(cell, "last_backup.place", CELL_TEXT, now_ms, out);
    str_putc(out, '\n');
}

static const struct json *leader_of(const struct json *nodes)
{
    struct json_reader r = {0};

    for (size_t i = 0; i < json_count(nodes); i++) {
        const struct json *node = json_at(&r, nodes, i);
        if (on(node, "leader"))
            return node;
    }
    return NULL;
}

static void print_head(const struct json *cell, const struct json *nodes, int64_t now_ms,
                       struct str *out)
{
    static const struct {
        const char *before, *path;
        enum cell cell;
    } parts[] = {
        {"cell      ", "id", CELL_TEXT},
        {", weft ", "version", CELL_TEXT},
        {", feature level ", "feature_level", CELL_INT},
        {", founded ", "created_at_ms", CELL_AGE},
        {" ago\nlog       term ", "term", CELL_INT},
        {", committed ", "commit_index", CELL_INT},
        {", applied ", "applied_index", CELL_INT},
        {"\ncontents  clusters ", "counts.clusters", CELL_INT},
        {", topics ", "counts.topics", CELL_INT},
        {", partitions ", "counts.partitions", CELL_INT},
        {", agents ", "counts.agents", CELL_INT},
        {"; ", "counts.memory_bytes", CELL_BYTES},
    };
    const struct json *leader = leader_of(nodes);

    str_puts(out, "leader    ");
    if (leader == NULL) {
        str_puts(out, "none");
    } else {
        str_puts(out, "node ");
        field(leader, "id", CELL_INT, now_ms, out);
        str_puts(out, " (");
        field(leader, "name", CELL_TEXT, now_ms, out);
        str_puts(out, "), ");
        field(leader, "people_url", CELL_TEXT, now_ms, out);
    }
    str_putc(out, '\n');
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        str_puts(out, parts[i].before);
        field(cell, parts[i].path, parts[i].cell, now_ms, out);
    }
    str_printf(out, " of memory%s\n",
               on(cell, "purge_pending") ? "; deleted things are still being removed"
                                         : "");
    print_backup(cell, now_ms, out);
    str_putc(out, '\n');
}

static void print_status(const struct cli *cli, const struct json *cell,
                         const struct json *nodes)
{
    static const struct column columns[] = CELL_NODE_COLUMNS;
    struct output_list list;
    struct json_reader r = {0};
    struct str out;

    str_init(&out, TEXT_ROOM);
    print_head(cell, nodes, cli->now_ms, &out);
    (void)fputs(str_cstr(&out), stdout);
    struct column ended[ARRAY_LEN(columns) + 1] = {0};
    memcpy(ended, columns, sizeof(columns));
    output_list_init(&list, cli, ended);
    for (size_t i = 0; i < json_count(nodes); i++)
        output_list_item(&list, json_at(&r, nodes, i));
    output_list_end(&list, NULL);
    str_reset(&out);
    cell_attention(cell, nodes, cli->now_ms, &out);
    if (out.len > 0)
        (void)printf("\nattention:\n");
    for (char *line = out.data; line != NULL && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        (void)printf("  - %.*s\n", (int)len, line);
        line += len + (line[len] == '\n');
    }
    str_fini(&out);
}

/* ---- when nobody leads ---- */

/* Ask each server of the context for itself, so that one sees which are there. */
static void probe_servers(struct cli *cli)
{
    if (cli->context == NULL || args_flag(&cli->args, "server") != NULL)
        return;
    for (size_t i = 0; i < cli->context->server_count; i++) {
        struct rest_answer answer;
        struct err err = {0};
        struct str text;
        const char *server = cli->context->servers[i];
        int rc = rest_probe(cli->rest, server, "/readyz", &answer, &err);
        str_init(&text, TEXT_ROOM);
        grid_clean(rc == 0 ? str_slice(&answer.text) : slice_str(err.text), &text);
        while (text.len >= 4 && strcmp(text.data + text.len - 4, "\\x0a") == 0)
            str_truncate(&text, text.len - 4);
        (void)fprintf(stderr, "  %s: %s\n", server, str_cstr(&text));
        str_fini(&text);
        rest_answer_fini(&answer);
    }
}

static int collect(const struct json *item, void *arg)
{
    json_push(arg, json_share(item));
    return 0;
}

int cell_status(struct cli *cli)
{
    struct rest_answer answer;
    struct json *nodes;
    int rc = cli_connect(cli);

    if (rc != 0)
        return rc;
    rc = cli_get(cli, "/api/v1/cell", &answer);
    nodes = json_array();
    if (rc == 0)
        rc = cli_each(cli, "/api/v1/cell/nodes?limit=1000", collect, nodes);
    if (rc == CLI_UNREACHABLE)
        probe_servers(cli);
    if (rc == 0 && cli->output == OUTPUT_TABLE)
        print_status(cli, answer.body, nodes);
    if (rc == 0 && cli->output != OUTPUT_TABLE) {
        struct json *both = json_object();
        struct json *attention = json_array();
        struct str out;
        str_init(&out, TEXT_ROOM);
        cell_attention(answer.body, nodes, cli->now_ms, &out);
        for (char *rest = out.data, *line;
             rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
            if (*line != '\0')
                json_push(attention, json_string(line));
        }
        json_set(both, "cell", json_share(answer.body));
        json_set(both, "nodes", json_share(nodes));
        json_set(both, "attention", attention);
        output_one(cli, NULL, both);
        json_free(both);
        str_fini(&out);
    }
    rest_answer_fini(&answer);
    json_free(nodes);
    return rc;
}
