/* group_command.c - groups: members below the group, and offsets set anew. */
#include "cli/group_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/file.h"
#include "cli/format.h"
#include "cli/output.h"
#include "common/mem.h"

#define PATH_ROOM (256 * KIB)
#define FILE_ROOM (4 * MIB)
#define TEXT_ROOM (16 * KIB)

void group_path_name(const char *id, struct str *out)
{
    if (strchr(id, '/') == NULL && id[0] != '~') {
        str_puts(out, id);
        return;
    }
    str_putc(out, '~');
    for (const char *c = id; *c != '\0'; c++)
        str_printf(out, "%02x", (unsigned)(unsigned char)*c);
}

/* The path of the group that the line names, with TAIL. */
static int group_path(struct cli *cli, const char *tail, struct str *path)
{
    const char *cluster;
    struct str name;
    int rc = cli_connect(cli);

    if (rc == 0)
        rc = cli_cluster(cli, &cluster);
    if (rc != 0)
        return rc;
    str_init(&name, PATH_ROOM);
    group_path_name(args_value(&cli->args, "group"), &name);
    str_printf(path, "/api/v1/clusters/%s/groups/", cluster);
    format_escape(str_cstr(&name), path);
    str_puts(path, tail);
    str_fini(&name);
    return 0;
}

/* ---- describe ---- */

static const struct column group_columns[] = {
    {"GROUP", "id", CELL_TEXT},
    {"TYPE", "type", CELL_TEXT},
    {"STATE", "state", CELL_TEXT},
    {"PROTOCOL TYPE", "protocol_type", CELL_TEXT},
    {"ASSIGNOR", "protocol", CELL_TEXT},
    {"GENERATION", "generation", CELL_INT},
    {"LEADER", "leader", CELL_TEXT},
    {"MEMBERS", "members", CELL_INT},
    {"CREATED", "created_at_ms", CELL_TIME},
    {"EMPTY FOR", "empty_since_ms", CELL_AGE},
    {"REVISION", "revision", CELL_INT},
    {NULL, NULL, CELL_TEXT},
};

static const struct column member_columns[] = {
    {"MEMBER", "id", CELL_TEXT},           {"INSTANCE", "instance_id", CELL_TEXT},
    {"CLIENT", "client_id", CELL_TEXT},    {"HOST", "host", CELL_TEXT},
    {"PROTOCOL", "protocol", CELL_TEXT},   {"EPOCH", "epoch", CELL_INT},
    {"PARTITIONS", "assigned", CELL_TEXT}, {NULL, NULL, CELL_TEXT},
};

/* "orders:0,1 events:3" */
static void put_assigned(const struct json *list, struct str *out)
{
    struct json_reader r = {0};

    if (json_is_null(list))
        str_puts(out, "?");
    for (size_t i = 0; i < json_count(list); i++) {
        const struct json *topic = json_at(&r, list, i);
        const struct json *partitions = json_find(topic, "partitions");
        str_puts(out, i == 0 ? "" : " ");
        format_cell(json_find(topic, "topic"), CELL_TEXT, 0, out);
        for (size_t j = 0; j < json_count(partitions); j++) {
            str_putc(out, j == 0 ? ':' : ',');
            format_cell(json_at(&r, partitions, j), CELL_INT, 0, out);
        }
    }
}

static void print_members(const struct cli *cli, const struct json *members)
{
    struct output_list list;
    struct json_reader r = {0};
    struct str text;

    str_init(&text, FILE_ROOM);
    output_list_init(&list, cli, member_columns);
    for (size_t i = 0; i < json_count(members); i++) {
        struct json *member = (struct json *)(uintptr_t)json_at(&r, members, i);
        str_reset(&text);
        put_assigned(json_find(member, "partitions"), &text);
        json_set(member, "assigned", json_slice(str_slice(&text)));
        output_list_item(&list, member);
    }
    output_list_end(&list, NULL);
    str_fini(&text);
}

int group_describe(struct cli *cli)
{
    struct rest_answer answer;
    struct str path;

    str_init(&path, PATH_ROOM);
    int rc = group_path(cli, "", &path);
    if (rc != 0) {
        str_fini(&path);
        return rc;
    }
    rc = cli_get(cli, str_cstr(&path), &answer);
    if (rc == 0 && json_is_object(answer.body)) {
        output_one(cli, group_columns, answer.body);
        if (cli->output == OUTPUT_TABLE &&
            json_count(json_find(answer.body, "member_list")) > 0) {
            (void)putchar('\n');
            print_members(cli, json_find(answer.body, "member_list"));
        }
    }
    rest_answer_fini(&answer);
    str_fini(&path);
    return rc;
}

/* ---- reset-offsets ---- */

/* [TEXT, END) as a number; false: it is none. */
static bool number_of(const char *text, const char *end, int64_t max, int64_t *number)
{
    char *stop = NULL;

    errno = 0;
    *number = strtoll(text, &stop, 10);
    return *text >= '0' && *text <= '9' && stop == end && errno == 0 && *number <= max;
}

int group_read_offsets(const char *text, struct json *list, struct err *err)
{
    for (size_t line = 1; *text != '\0'; line++) {
        size_t len = strcspn(text, "\n");
        const char *next = text + len + (text[len] == '\n');
        const char *end = text + len;
        if (end > text && end[-1] == '\r')
            end--;
        const char *first = memchr(text, ',', (size_t)(end - text));
        const char *second =
            first == NULL ? NULL : memchr(first + 1, ',', (size_t)(end - first - 1));
        int64_t partition, offset;
        if (end == text) {
            text = next;
            continue;
        }
        if (second == NULL || first == text ||
            !number_of(first + 1, second, INT32_MAX, &partition) ||
            !number_of(second + 1, end, INT64_MAX, &offset))
            return err_set(err, ERR_INVALID, "line %zu: want TOPIC,PARTITION,OFFSET",
                           line);
        struct json *item = json_object();
        json_set(item, "topic", json_slice(slice_of(text, (size_t)(first - text))));
        json_set(item, "partition", json_int(partition));
        json_set(item, "offset", json_int(offset));
        json_push(list, item);
        text = next;
    }
    return 0;
}

/* "orders", or "orders:0,1". */
static int put_topic(struct cli *cli, const char *text, struct json *topics)
{
    const char *colon = strrchr(text, ':');
    struct json *partitions = json_array();
    int64_t number;

    for (const char *at = colon; at != NULL && *at != '\0';) {
        const char *end = at + 1 + strcspn(at + 1, ",");
        if (!number_of(at + 1, end, INT32_MAX, &number)) {
            cli_error(cli, "--topic %.300s: want TOPIC, or TOPIC:PARTITION,PARTITION",
                      text);
            json_free(partitions);
            return CLI_USAGE;
        }
        json_push(partitions, json_int(number));
        at = *end == ',' ? end : NULL;
    }
    struct json *topic = json_object();
    json_set(topic, "topic",
             json_slice(
                 slice_of(text, colon == NULL ? strlen(text) : (size_t)(colon - text))));
    if (colon != NULL)
        json_set(topic, "partitions", partitions);
    else
        json_free(partitions);
    json_push(topics, topic);
    return 0;
}

/* What --topic says: one with partitions, or names with commas between. */
static int put_topics(struct cli *cli, const char *text, struct json *topics)
{
    char *copy = mem_strdup(text), *rest = copy, *item;
    int rc = 0;

    if (strchr(text, ':') != NULL)
        rc = put_topic(cli, text, topics);
    else
        while (rc == 0 && (item = strsep(&rest, ",")) != NULL)
            rc = put_topic(cli, item, topics);
    mem_free(copy);
    return rc;
}

static int put_scope(struct cli *cli, bool from_file, struct json *body)
{
    const struct flag_values *topics = args_flags(&cli->args, "topic");
    bool all = args_on(&cli->args, "all-topics");
    int rc = 0;

    if (from_file ? topics != NULL || all : (topics != NULL) == all) {
        cli_error(cli, from_file
                           ? "the file says which topics: leave --topic and "
                             "--all-topics away"
                           : "say which offsets to set: --topic TOPIC, or --all-topics");
        return CLI_USAGE;
    }
    if (all)
        json_set(body, "all_topics", json_bool(true));
    if (topics == NULL)
        return 0;
    struct json *list = json_array();
    for (size_t i = 0; rc == 0 && i < topics->count; i++)
        rc = put_topics(cli, topics->texts[i], list);
    json_set(body, "topics", list);
    return rc;
}

static int put_file(struct cli *cli, const char *name, struct json *body)
{
    struct json *list = json_array();
    struct str content;
    struct err err;

    str_init(&content, FILE_ROOM);
    int rc = file_read(name, &content, &err);
    if (rc == 0)
        rc = group_read_offsets(str_cstr(&content), list, &err);
    str_fini(&content);
    json_set(body, "offsets", list);
    return rc == 0 ? 0 : cli_fail(cli, rc, &err);
}

static const struct {
    const char *flag, *to, *member;
    enum flag_type type;
} targets[] = {
    {"to-earliest", "earliest", NULL, FLAG_BOOL},
    {"to-latest", "latest", NULL, FLAG_BOOL},
    {"to-current", "current", NULL, FLAG_BOOL},
    {"to-offset", "offset", "offset", FLAG_INT},
    {"to-datetime", "time", "time_ms", FLAG_TIME},
    {"by-duration", "age", "age_ms", FLAG_DURATION},
    {"shift-by", "shift", "shift", FLAG_TEXT},
    {"from-file", "list", NULL, FLAG_FILE},
};

/* "-5", "+5", "5" */
static int put_shift(struct cli *cli, const char *text, struct json *body)
{
    bool back = text[0] == '-';
    const char *digits = text + (back || text[0] == '+');
    int64_t number;

    if (!number_of(digits, digits + strlen(digits), INT64_MAX, &number)) {
        cli_error(cli, "--shift-by %.100s: want a number; back: --shift-by=-10", text);
        return CLI_USAGE;
    }
    json_set(body, "shift", json_int(back ? -number : number));
    return 0;
}

static bool is_given(const struct cli *cli, size_t i)
{
    return targets[i].type == FLAG_BOOL ? args_on(&cli->args, targets[i].flag)
                                        : args_flag(&cli->args, targets[i].flag) != NULL;
}

static int put_target(struct cli *cli, struct json *body)
{
    size_t chosen = ARRAY_LEN(targets), count = 0;
    int64_t number = 0;
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        if (!is_given(cli, i))
            continue;
        chosen = i;
        count++;
    }
    if (count != 1) {
        cli_error(cli,
                  "say where to, by one of --to-earliest, --to-latest, --to-current, "
                  "--to-offset, --to-datetime, --by-duration, --shift-by, "
                  "--from-file");
        return CLI_USAGE;
    }
    const char *text = args_flag(&cli->args, targets[chosen].flag);
    bool from_file = targets[chosen].type == FLAG_FILE;
    json_set(body, "to", json_string(targets[chosen].to));
    if (from_file)
        rc = put_file(cli, text, body);
    else if (targets[chosen].type == FLAG_TEXT)
        rc = put_shift(cli, text, body);
    else if (targets[chosen].member != NULL &&
             args_number(targets[chosen].type, text, cli->now_ms, &number) == 0)
        json_set(body, targets[chosen].member, json_int(number));
    return rc == 0 ? put_scope(cli, from_file, body) : rc;
}

static void print_lines(const struct json *items)
{
    struct json_reader r = {0};
    struct str line;

    str_init(&line, TEXT_ROOM);
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *item = json_at(&r, items, i);
        str_reset(&line);
        format_cell(json_find(item, "topic"), CELL_TEXT, 0, &line);
        str_putc(&line, ',');
        format_cell(json_find(item, "partition"), CELL_INT, 0, &line);
        str_putc(&line, ',');
        format_cell(json_find(item, "offset"), CELL_INT, 0, &line);
        (void)puts(str_cstr(&line));
    }
    str_fini(&line);
}

static void print_reset(const struct cli *cli, const struct json *answer, bool execute)
{
    static const struct column columns[] = {
        {"TOPIC", "topic", CELL_TEXT},
        {"PARTITION", "partition", CELL_INT},
        {"OFFSET BEFORE", "offset_before", CELL_INT},
        {"NEW OFFSET", "offset", CELL_INT},
        {NULL, NULL, CELL_TEXT},
    };
    const struct json *items = json_find(answer, "items");
    struct json_reader r = {0};
    struct output_list list;

    if (args_on(&cli->args, "export")) {
        print_lines(items);
    } else if (cli->output != OUTPUT_TABLE) {
        output_one(cli, NULL, answer);
    } else {
        output_list_init(&list, cli, columns);
        for (size_t i = 0; i < json_count(items); i++)
            output_list_item(&list, json_at(&r, items, i));
        output_list_end(&list, NULL);
    }
    if (execute)
        cli_note(cli, "%zu offsets of group %.300s are set", json_count(items),
                 args_value(&cli->args, "group"));
    else
        cli_note(cli, "nothing was changed: --execute does it");
}

int group_reset_offsets(struct cli *cli)
{
    bool execute = args_on(&cli->args, "execute");
    struct json *body = json_object();
    struct rest_answer answer;
    struct str path;

    str_init(&path, PATH_ROOM);
    int rc = put_target(cli, body);
    if (rc == 0)
        rc = group_path(cli, "/reset-offsets", &path);
    if (rc == 0) {
        const struct rest_request request = {
            .method = "POST", .path = str_cstr(&path), .body = body};
        json_set(body, "dry_run", json_bool(!execute));
        rc = cli_send(cli, &request, &answer);
        if (rc == 0)
            print_reset(cli, answer.body, execute);
        rest_answer_fini(&answer);
    }
    json_free(body);
    str_fini(&path);
    return rc;
}
