/* call.c - what a row of the table says, done: names resolved, the call made, the answer
 * shown, --wait waited. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/file.h"
#include "cli/format.h"
#include "cli/names.h"
#include "cli/output.h"
#include "common/clock.h"
#include "common/loop.h"
#include "common/mem.h"

#define PATH_ROOM     (16 * KIB)
#define FILE_ROOM     (8 * MIB)
#define WAIT_FIRST_MS 100
#define WAIT_MOST_MS  2000

/* A call in the making. */
struct call {
    struct cli *cli;
    const struct command *command;
    char *ids[COMMAND_ARGS_MAX]; /* of arguments with names, resolved */
    struct json *body;
    const struct json *answer; /* for {.member} */
    const char *server;        /* who gave it */
    struct str scratch;
};

/* ---- templates ---- */

/* {name}: an argument's id (or, SPOKEN, what was typed); {.member}: of the answer;
 * {server}: who answered. */
static const char *look_up(const struct call *call, const char *name, bool spoken)
{
    const struct command *command = call->command;
    struct cli *cli = call->cli;

    if (name[0] == '.') {
        struct str *text = (struct str *)(uintptr_t)&call->scratch;
        str_reset(text);
        format_cell(format_find(call->answer, name + 1), CELL_TEXT, 0, text);
        return str_cstr(text);
    }
    if (strcmp(name, "server") == 0)
        return call->server;
    for (size_t i = 0; i < cli->args.value_count; i++) {
        if (strcmp(command->args[i].name, name) == 0)
            return call->ids[i] != NULL && !spoken ? call->ids[i] : cli->args.values[i];
    }
    if (strcmp(name, "cluster") == 0)
        return spoken ? cli->cluster_name : cli->cluster_id;
    return args_flag(&cli->args, name);
}

static const char *look_up_id(const char *name, void *arg)
{
    return look_up(arg, name, false);
}

static const char *look_up_spoken(const char *name, void *arg)
{
    return look_up(arg, name, true);
}

/* ---- the parts of the request ---- */

static int resolve(struct call *call)
{
    const struct command *command = call->command;
    struct cli *cli = call->cli;
    const char *ignored;
    int rc = 0;

    if (strstr(command->path, "{cluster}") != NULL)
        rc = cli_cluster(cli, &ignored);
    for (size_t i = 0; rc == 0 && i < cli->args.value_count; i++) {
        const struct argument *arg = &command->args[i];
        if (arg->place == PLACE_PATH && arg->names == NAMES_CLUSTER)
            call->ids[i] = mem_strdup(cli->cluster_id);
        else if (arg->place == PLACE_PATH && arg->names != NAMES_NONE)
            rc = names_resolve(cli, arg->names, cli->args.values[i], &call->ids[i]);
    }
    return rc;
}

static void field_name(const struct flag *flag, char name[64])
{
    (void)snprintf(name, 64, "%s", flag->field != NULL ? flag->field : flag->name);
    for (char *c = name; *c != '\0' && flag->field == NULL; c++)
        *c = *c == '-' ? '_' : *c;
}

static void query_put(struct str *path, const char *field, const char *value)
{
    str_printf(path, "%s%s=", strchr(str_cstr(path), '?') == NULL ? "?" : "&", field);
    format_escape(value, path);
}

/* A flag's value as text for the query: numbers of its unit, names as ids. */
static int query_flag(struct call *call, const struct flag *flag, const char *text,
                      struct str *path)
{
    char field[64], number_text[32];
    int64_t number;
    bool on;
    char *id = NULL;
    int rc = 0;

    field_name(flag, field);
    if (args_number(flag->type, text, call->cli->now_ms, &number) == 0) {
        (void)snprintf(number_text, sizeof(number_text), "%lld", (long long)number);
        query_put(path, field, number_text);
    } else if (flag->type == FLAG_BOOL && args_bool(text, &on) == 0) {
        query_put(path, field, on ? "true" : "false");
    } else if (flag->names != NAMES_NONE && flag->names != NAMES_FILE) {
        if ((rc = names_resolve(call->cli, flag->names, text, &id)) == 0)
            query_put(path, field, id);
        mem_free(id);
    } else {
        query_put(path, field, text);
    }
    return rc;
}

static int text_json(struct call *call, const struct flag *flag, const char *text,
                     struct json **value)
{
    struct cli *cli = call->cli;
    struct str content;
    struct err err;
    char *owned = NULL;
    int rc = 0;

    if (flag->type == FLAG_SECRET) {
        if ((rc = cli_secret(cli, text, &owned)) == 0)
            *value = json_string(owned);
        context_set(&owned, NULL);
    } else if (flag->type == FLAG_FILE) {
        str_init(&content, FILE_ROOM);
        if ((rc = file_read(text, &content, &err)) == 0)
            *value = json_slice(slice_of(str_cstr(&content), content.len));
        else
            rc = cli_fail(cli, rc, &err);
        str_fini(&content);
    } else if (flag->names != NAMES_NONE) {
        if ((rc = names_resolve(cli, flag->names, text, &owned)) == 0)
            *value = json_string(owned);
        mem_free(owned);
    } else {
        *value = json_string(text);
    }
    return rc;
}

static struct json *member_object(struct json *body, const char *field)
{
    struct json *object = (struct json *)(uintptr_t)json_find(body, field);

    if (object == NULL) {
        object = json_object();
        json_set(body, field, object);
    }
    return object;
}

/* Put VALUE at FIELD, "a.b" into an object of its own. */
static void put(struct json *body, const char *field, struct json *value)
{
    const char *dot = strchr(field, '.');
    char outer[64];

    if (dot == NULL) {
        json_set(body, field, value);
        return;
    }
    (void)snprintf(outer, sizeof(outer), "%.*s", (int)(dot - field), field);
    json_set(member_object(body, outer), dot + 1, value);
}

static void put_list(struct json *body, const char *field, const struct flag_values *flag)
{
    struct json *array = json_array();

    for (size_t i = 0; i < flag->count; i++) {
        char *copy = mem_strdup(flag->texts[i]), *rest = copy, *item;
        while ((item = strsep(&rest, ",")) != NULL) {
            if (*item != '\0')
                json_push(array, json_string(item));
        }
        mem_free(copy);
    }
    put(body, field, array);
}

static void put_pairs(struct json *body, const char *field,
                      const struct flag_values *flag)
{
    struct json *object = member_object(body, field);

    for (size_t i = 0; i < flag->count; i++) {
        const char *equals = strchr(flag->texts[i], '=');
        char *key = mem_strdup(flag->texts[i]);
        if (equals != NULL)
            key[equals - flag->texts[i]] = '\0';
        json_set(object, key, equals == NULL ? json_null() : json_string(equals + 1));
        mem_free(key);
    }
}

static int body_flag(struct call *call, const struct flag_values *flag)
{
    const char *text = flag->texts[flag->count - 1];
    struct json *value = NULL;
    char field[64];
    int64_t number;
    bool on;
    int rc = 0;

    field_name(flag->flag, field);
    if (flag->flag->type == FLAG_LIST)
        put_list(call->body, field, flag);
    else if (flag->flag->type == FLAG_PAIR || flag->flag->type == FLAG_UNSET)
        put_pairs(call->body, field, flag);
    else if (args_number(flag->flag->type, text, call->cli->now_ms, &number) == 0)
        value = json_int(number);
    else if (flag->flag->type == FLAG_BOOL && args_bool(text, &on) == 0)
        value = json_bool(on);
    else
        rc = text_json(call, flag->flag, text, &value);
    if (value != NULL)
        put(call->body, field, value);
    return rc;
}

static void body_argument(struct call *call, const struct argument *arg, const char *text)
{
    const char *field = arg->field == NULL ? arg->name : arg->field;

    if (arg->number)
        put(call->body, field, json_int((int64_t)strtoll(text, NULL, 10)));
    else
        put(call->body, field, json_string(text));
}

/* The path with its query, and the body. */
static int make_request(struct call *call, struct str *path)
{
    const struct args *args = &call->cli->args;
    int rc = 0;

    call->body = json_object();
    if (call->command->fixed_field != NULL)
        json_set(call->body, call->command->fixed_field,
                 json_string(call->command->fixed_value));
    format_fill(call->command->path, look_up_id, call, true, path);
    for (size_t i = 0; i < args->value_count; i++) {
        const struct argument *arg = &call->command->args[i];
        if (arg->place == PLACE_BODY)
            body_argument(call, arg, args->values[i]);
        else if (arg->place == PLACE_QUERY)
            query_put(path, arg->field == NULL ? arg->name : arg->field, args->values[i]);
    }
    for (size_t i = 0; rc == 0 && i < args->flag_count; i++) {
        const struct flag_values *flag = &args->flags[i];
        if (flag->flag->place == PLACE_QUERY)
            rc = query_flag(call, flag->flag, flag->texts[flag->count - 1], path);
        else if (flag->flag->place == PLACE_BODY)
            rc = body_flag(call, flag);
    }
    return rc;
}

/* ---- waiting ---- */

/* Is TEXT one of WORDS, "a|b"? */
static bool one_of(const char *words, const char *text)
{
    size_t len = strlen(text);

    while (words != NULL && *words != '\0') {
        size_t word = strcspn(words, "|");
        if (word == len && strncmp(words, text, len) == 0)
            return true;
        words += word + (words[word] == '|');
    }
    return false;
}

/* A line of progress over the last one, on a terminal; else only when it is new. */
static void progress(const struct cli *cli, const char *line, struct str *last)
{
    bool terminal = isatty(STDERR_FILENO) != 0;

    if (cli->quiet || strcmp(str_cstr(last), line) == 0)
        return;
    (void)fprintf(stderr, terminal ? "\r\033[K%s" : "%s\n", line);
    str_reset(last);
    str_puts(last, line);
}

static void progress_line(const struct call *call, const struct json *now,
                          struct str *line)
{
    const char *show = call->command->wait.show;

    str_puts(line, "waiting for ");
    format_fill(call->command->wait.what, look_up_spoken, (void *)(uintptr_t)call, false,
                line);
    for (; now != NULL && show != NULL && *show != '\0';) {
        size_t len = strcspn(show, " ");
        char field[64];
        (void)snprintf(field, sizeof(field), "%.*s", (int)len, show);
        str_printf(line, "%s%s ", str_cstr(line)[line->len - 1] == ')' ? " " : ", ",
                   field);
        format_cell(format_find(now, field),
                    strstr(field, "bytes") != NULL ? CELL_BYTES : CELL_TEXT, 0, line);
        show += len + (show[len] == ' ');
    }
}

/* One look: *DONE when it is so. An exit code when it never will be. */
static int look_once(struct call *call, const char *path, bool *done, struct str *line,
                     struct rest_answer *answer)
{
    const struct wait *wait = &call->command->wait;
    const struct rest_request request = {.method = "GET", .path = path};
    struct err err = {0};
    struct str value;
    int code = rest_send(call->cli->rest, &request, answer, &err);

    if (answer->status == 404 && wait->field == NULL) {
        *done = true;
        return 0;
    }
    if (code != 0) {
        cli_error(call->cli, "while waiting: %s", err.text);
        return rest_exit(code);
    }
    str_init(&value, 16 * KIB);
    if (wait->field != NULL)
        format_cell(format_find(answer->body, wait->field), CELL_TEXT, 0, &value);
    *done = wait->field != NULL && one_of(wait->value, str_cstr(&value));
    if (one_of(wait->fails, str_cstr(&value))) {
        const struct json *why = json_find(answer->body, "detail");
        struct str text;
        str_init(&text, 16 * KIB);
        if (why != NULL)
            format_cell(why, CELL_TEXT, 0, &text);
        cli_error(call->cli, "it %s%s%s", str_cstr(&value), text.len > 0 ? ": " : "",
                  str_cstr(&text));
        str_fini(&text);
        code = CLI_FAILED;
    }
    progress_line(call, answer->body, line);
    str_fini(&value);
    return code;
}

static int64_t wait_limit(const struct cli *cli)
{
    const char *text = args_flag(&cli->args, "wait-timeout");
    int64_t ms = 30 * 60000;

    if (text == NULL || args_number(FLAG_DURATION, text, 0, &ms) != 0)
        return 30 * 60000;
    return ms;
}

static void pause_for(int64_t ms)
{
    struct timespec ts = {.tv_sec = (time_t)(ms / 1000),
                          .tv_nsec = (long)(ms % 1000) * 1000000};
    (void)nanosleep(&ts, NULL);
}

/* Wait until the row's condition holds; what was last seen replaces ANSWER's body. */
static int wait_until(struct call *call, struct rest_answer *answer)
{
    int64_t begin_ms = clock_monotonic_ms();
    int64_t limit_ms = wait_limit(call->cli), pause_ms = WAIT_FIRST_MS;
    struct str path, line, last;
    bool done = false;
    int rc = 0;

    str_init(&path, PATH_ROOM);
    str_init(&line, PATH_ROOM);
    str_init(&last, PATH_ROOM);
    format_fill(call->command->wait.path, look_up_id, call, true, &path);
    for (;;) {
        struct rest_answer now;
        str_reset(&line);
        rc = look_once(call, str_cstr(&path), &done, &line, &now);
        if (rc == 0 && now.body != NULL && now.status == 200) {
            json_free(answer->body);
            answer->body = now.body;
            call->answer = answer->body;
            now.body = NULL;
        }
        rest_answer_fini(&now);
        if (rc != 0 || done)
            break;
        progress(call->cli, str_cstr(&line), &last);
        if (clock_monotonic_ms() + pause_ms - begin_ms > limit_ms) {
            cli_error(call->cli, "it is not done after --wait-timeout; it goes on");
            rc = CLI_WAITED;
            break;
        }
        pause_for(pause_ms);
        pause_ms = MIN(pause_ms * 3 / 2, WAIT_MOST_MS);
    }
    if (last.len > 0 && isatty(STDERR_FILENO) != 0 && !call->cli->quiet)
        (void)fputs("\r\033[K", stderr);
    str_fini(&path);
    str_fini(&line);
    str_fini(&last);
    return rc;
}

/* ---- showing ---- */

static const struct column *columns_of_one(const struct command *command)
{
    return command->wide[0].title != NULL ? command->wide : command->columns;
}

static void show(struct call *call, const struct rest_answer *answer)
{
    const struct command *command = call->command;
    struct str text;

    if (command->shape == SHAPE_ONE && json_is_object(answer->body))
        output_one(call->cli, columns_of_one(command), answer->body);
    if (command->done == NULL)
        return;
    str_init(&text, PATH_ROOM);
    format_fill(command->done, look_up_spoken, call, false, &text);
    cli_note(call->cli, "%s", str_cstr(&text));
    str_fini(&text);
}

struct pages {
    struct output_list list;
    char *next;
};

/* One page of the list at PATH. */
static int show_page(struct call *call, const char *path, struct pages *pages)
{
    struct json_reader r = {0};
    struct rest_answer answer;
    int rc = cli_get(call->cli, path, &answer);
    const struct json *items = json_find(answer.body, "items");
    const struct json *next = json_find(answer.body, "next");

    if (rc == 0)
        rc = cli_check_list(call->cli, items);
    for (size_t i = 0; rc == 0 && i < json_count(items); i++)
        output_list_item(&pages->list, json_at(&r, items, i));
    if (rc == 0)
        output_list_flush(&pages->list);
    context_set(&pages->next, NULL);
    if (rc == 0 && json_kind(next) == JSON_KIND_STRING)
        context_set(&pages->next,
                    (const char *)json_as_string(&r, next, "", SIZE_MAX).ptr);
    rest_answer_fini(&answer);
    return rc;
}

static int show_list(struct call *call, const char *path)
{
    bool all = args_on(&call->cli->args, "all");
    bool limited = args_flag(&call->cli->args, "limit") != NULL;
    struct pages pages = {.next = NULL};
    struct str page;
    int rc;

    str_init(&page, PATH_ROOM);
    str_puts(&page, path);
    if (all && !limited)
        query_put(&page, "limit", "1000");
    size_t base = page.len;
    output_list_init(&pages.list, call->cli, call->command->columns);
    while ((rc = show_page(call, str_cstr(&page), &pages)) == 0 && all &&
           pages.next != NULL) {
        str_truncate(&page, base);
        query_put(&page, "after", pages.next);
    }
    if (rc == 0)
        output_list_end(&pages.list, pages.next);
    else
        grid_fini(&pages.list.grid);
    context_set(&pages.next, NULL);
    str_fini(&page);
    return rc;
}

/* ---- the call ---- */

static bool confirmed(struct call *call)
{
    struct str text;

    if (call->command->confirm == NULL)
        return true;
    str_init(&text, PATH_ROOM);
    format_fill(call->command->confirm, look_up_spoken, call, false, &text);
    bool yes = cli_confirm(call->cli, str_cstr(&text));
    str_fini(&text);
    return yes;
}

static int send(struct call *call, const char *path)
{
    const struct command *command = call->command;
    const char *revision = args_flag(&call->cli->args, "revision");
    bool has_body = json_count(call->body) > 0 || command->body;
    struct rest_answer answer;
    char match[64];

    if (revision != NULL)
        (void)snprintf(match, sizeof(match), "\"%s\"", revision);
    const struct rest_request request = {
        .method = command->method,
        .path = path,
        .body = has_body ? call->body : NULL,
        .if_match = revision == NULL ? NULL : match,
    };
    int rc = cli_send(call->cli, &request, &answer);
    call->answer = answer.body;
    call->server = answer.server;
    if (rc == 0 && args_on(&call->cli->args, "wait"))
        rc = wait_until(call, &answer);
    if (rc == 0)
        show(call, &answer);
    rest_answer_fini(&answer);
    return rc;
}

int cli_call(struct cli *cli)
{
    struct call call = {.cli = cli, .command = cli->args.command};
    struct str path;
    int rc;

    str_init(&call.scratch, 1 * MIB);
    str_init(&path, PATH_ROOM);
    rc = cli_connect(cli);
    if (rc == 0)
        rc = resolve(&call);
    if (rc == 0)
        rc = make_request(&call, &path);
    if (rc == 0 && strcmp(call.command->method, "PATCH") == 0 &&
        json_count(call.body) == 0) {
        cli_error(cli,
                  "nothing is to be changed: give one of its flags\n  `weft %s "
                  "--help` lists them",
                  cli->args.words);
        rc = CLI_USAGE;
    }
    if (rc == 0 && !confirmed(&call))
        rc = CLI_USAGE;
    if (rc == 0)
        rc = call.command->shape == SHAPE_LIST ? show_list(&call, str_cstr(&path))
                                               : send(&call, str_cstr(&path));
    for (size_t i = 0; i < ARRAY_LEN(call.ids); i++)
        mem_free(call.ids[i]);
    json_free(call.body);
    str_fini(&call.scratch);
    str_fini(&path);
    return rc;
}
