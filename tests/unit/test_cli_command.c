/* test_cli_command.c - rules that every row of the table keeps, and that the table is the
 * API: each operation of proto/openapi.json has its command, and the other way round. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/help.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/str.h"

/* Operations that no command is for: other programs use them, or `weft` inside. */
static const char *const without[] = {
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /api/v1/openapi.json",
    "GET /api/v1/docs",
    "GET /api/v1/docs/page.js",
    "GET /api/v1/docs/page.css",
    "GET /", /* the console, for browsers */
    "GET /console",
    "GET /console/",
    "GET /console/{file}",
    "GET /console/pages/{file}",
    "GET /api/v1/ca",               /* weft login */
    "POST /api/v1/enrol",           /* agents */
    "POST /api/v1/cell/join",       /* nodes */
    "GET /api/v1/cell",             /* weft cell status */
    "GET /api/v1/cell/logs",        /* weft debug bundle */
    "GET /api/v1/backups/download", /* weft backup create */
};

static struct json *api;

static int load(void **state)
{
    struct str text;
    struct err err;
    FILE *file = fopen("proto/openapi.json", "r");
    int c;
    (void)state;
    assert_non_null(file);
    str_init(&text, 16 * MIB);
    while ((c = fgetc(file)) != EOF)
        str_putc(&text, (char)c);
    fclose(file);
    assert_int_equal(json_parse(str_slice(&text), &api, &err), 0);
    str_fini(&text);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_free(api);
    return 0;
}

#define EACH_COMMAND(row)                                                                \
    const struct command *row;                                                           \
    for (size_t i_##row = 0; ((row) = command_at(i_##row)) != NULL; i_##row++)

/* No command's words begin those of another: a line would have two meanings. */
static void test_unambiguous(void **state)
{
    (void)state;
    EACH_COMMAND(a)
    {
        size_t len = strlen(a->words);
        assert_ptr_equal(command_find(a->words), a);
        EACH_COMMAND(b)
        {
            if (a != b && strncmp(a->words, b->words, len) == 0 &&
                (b->words[len] == ' ' || b->words[len] == '\0'))
                fail_msg("%s and %s", a->words, b->words);
        }
    }
}

/* Every row says what it does, shows examples, and its group is described. */
static void test_described(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        char group[64];
        if (c->summary == NULL || c->examples == NULL ||
            c->summary[strlen(c->summary) - 1] == '.')
            fail_msg("%s: summary or examples", c->words);
        const char *space = strrchr(c->words, ' ');
        if (space == NULL)
            continue;
        snprintf(group, sizeof(group), "%.*s", (int)(space - c->words), c->words);
        if (command_group_find(group) == NULL)
            fail_msg("the group %s is not described", group);
    }
    for (size_t i = 0; command_group_at(i) != NULL; i++) {
        assert_true(command_is_prefix(command_group_at(i)->words));
        assert_null(command_find(command_group_at(i)->words));
    }
}

/* Flags of one command have different names and letters, and say what they want. */
static void test_flags(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        const struct flag *a, *b;
        size_t n = 0;
        for (size_t i = 0; (a = command_flag_at(c, i)) != NULL; i++, n++) {
            if (a->help == NULL || (a->type == FLAG_BOOL) != (a->placeholder == NULL))
                fail_msg("%s --%s", c->words, a->name);
            for (size_t j = 0; j < i; j++) {
                b = command_flag_at(c, j);
                if (strcmp(a->name, b->name) == 0 ||
                    (a->letter != 0 && a->letter == b->letter))
                    fail_msg("%s: --%s and --%s", c->words, a->name, b->name);
            }
        }
        assert_true(n <= ARGS_FLAGS_MAX);
        assert_null(c->flags[COMMAND_FLAGS_MAX].name);
        assert_null(c->args[COMMAND_ARGS_MAX].name);
    }
}

/* Cut an example into words as a shell would, up to a pipe, a redirection or a remark. */
static int shell_words(char *line, char *words[], int max)
{
    int n = 0;
    char *out = line;
    for (char *at = line; *at != '\0';) {
        char quote = 0;
        while (*at == ' ')
            at++;
        if (*at == '\0' || strchr("|>#&", *at) != NULL)
            break;
        assert_true(n < max);
        words[n++] = out;
        for (; *at != '\0' && (quote != 0 || *at != ' '); at++) {
            if (quote == 0 && (*at == '\'' || *at == '"'))
                quote = *at;
            else if (*at == quote)
                quote = 0;
            else
                *out++ = *at;
        }
        if (*at == ' ')
            at++;
        *out++ = '\0';
    }
    return n;
}

/* Every example in --help is a line that this very program takes. */
static void test_examples(void **state)
{
    size_t examples = 0;
    (void)state;
    EACH_COMMAND(c)
    {
        bool own = false;
        char *copy = mem_strdup(c->examples), *rest = copy, *line;
        while ((line = strsep(&rest, "\n")) != NULL) {
            char *weft = strstr(line, "weft "), *words[32];
            struct args args;
            struct err err;
            assert_non_null(weft);
            if (strncmp(line, "source <(", 9) == 0)
                line[strlen(line) - 1] = '\0';
            int n = shell_words(weft + 5, words, 32);
            if (args_parse(&args, n, words, &err) != 0)
                fail_msg("%s: an example: %s", c->words, err.text);
            own = own || args.command == c;
            args_fini(&args);
            examples++;
        }
        mem_free(copy);
        if (!own)
            fail_msg("%s: no example shows it", c->words);
    }
    assert_true(examples > 80);
}

/* --help of every command and group prints, and no line is over the width asked for but
 * those that cannot be broken (examples, paths). */
static void test_help(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        help_print(c->words, 80, out);
        fclose(out);
        assert_non_null(strstr(text, "usage: weft "));
        assert_non_null(strstr(text, "\nexamples:\n"));
        assert_non_null(strstr(text, "\nexit codes:\n"));
        bool prose = true;
        for (char *rest = text, *line; (line = strsep(&rest, "\n")) != NULL;) {
            size_t len = strlen(line);
            if (strncmp(line, "usage:", 6) == 0 || strcmp(line, "examples:") == 0 ||
                strncmp(line, "API:", 4) == 0 || strcmp(line, "exit codes:") == 0)
                prose = strcmp(line, "exit codes:") == 0;
            else if (line[0] != ' ' && line[0] != '\0')
                prose = true;
            if (prose && (len > 80 || (len > 0 && line[len - 1] == ' ')))
                fail_msg("%s: '%s'", c->words, line);
        }
        free(text);
    }
}

/* --help of COMMAND at WIDTH, each stretch of blanks and line ends as one blank. */
static char *help_words(const struct command *command, size_t width)
{
    char *text = NULL, *to;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    help_print(command->words, width, out);
    fclose(out);
    to = text;
    for (const char *from = text; *from != '\0'; from++) {
        bool blank = *from == ' ' || *from == '\n';
        if (!blank)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
    return text;
}

/* The words of --help are the same at every width: where a line is broken, and where it
 * ends exactly at the edge, no two words become one. */
static void test_help_words(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        char *whole = help_words(c, 100000);
        for (size_t width = 40; width <= 100; width++) {
            char *words = help_words(c, width);
            assert_string_equal(words, whole);
            free(words);
        }
        free(whole);
    }
}

/* ---- the API ---- */

static const struct json *member(const struct json *object, const char *key)
{
    return json_find(object, key);
}

/* What a "$ref" leads to, or the value itself. */
static const struct json *deref(const struct json *value)
{
    struct json_reader r = {0};
    const struct json *ref = json_find(value, "$ref");
    if (ref == NULL)
        return value;
    struct slice text = json_as_string(&r, ref, "", 200);
    char *copy = mem_strdup((const char *)text.ptr), *rest = copy, *part;
    const struct json *at = api;
    while ((part = strsep(&rest, "/")) != NULL) {
        if (strcmp(part, "#") != 0)
            at = json_find(at, part);
    }
    mem_free(copy);
    assert_non_null(at);
    return at;
}

static const char *lower(const char *method)
{
    static char text[16];
    size_t i = 0;
    for (; method[i] != '\0'; i++)
        text[i] = (char)(method[i] | 0x20);
    text[i] = '\0';
    return text;
}

/* The operation of a row. Names in braces must be the same. */
static const struct json *operation(const struct command *c)
{
    return member(member(member(api, "paths"), c->path), lower(c->method));
}

/* Every row's call is in the description. */
static void test_rows_are_in_api(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        if (c->method != NULL && operation(c) == NULL)
            fail_msg("%s: %s %s is not in openapi.json", c->words, c->method, c->path);
        if (c->method == NULL && c->run == NULL)
            fail_msg("%s does nothing", c->words);
    }
}

static bool has_command(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(without); i++) {
        if (strcmp(without[i], name) == 0)
            return true;
    }
    EACH_COMMAND(c)
    {
        char own[256];
        if (c->method == NULL)
            continue;
        snprintf(own, sizeof(own), "%s %s", c->method, c->path);
        if (strcmp(own, name) == 0)
            return true;
    }
    return false;
}

/* Every operation of the description has its row. */
static void test_api_is_in_rows(void **state)
{
    static const char *const methods[] = {"get", "post", "put", "patch", "delete"};
    const struct json *item;
    const char *path;
    void *iter = NULL;
    size_t operations = 0;
    (void)state;
    while (json_next(member(api, "paths"), &iter, &path, &item)) {
        for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
            char name[256];
            if (json_find(item, methods[m]) == NULL)
                continue;
            snprintf(name, sizeof(name), "%s %s", methods[m], path);
            for (char *ch = name; *ch != ' '; ch++)
                *ch = (char)(*ch & ~0x20);
            operations++;
            if (!has_command(name))
                fail_msg("no command does %s", name);
        }
    }
    assert_true(operations > 40);
}

/* Does the operation or its path take the parameter? */
static bool takes(const struct command *c, const char *in, const char *name)
{
    const struct json *lists[] = {
        member(operation(c), "parameters"),
        member(member(member(api, "paths"), c->path), "parameters")};
    for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < json_count(lists[l]); i++) {
            struct json_reader r = {0};
            const struct json *p = deref(json_at(&r, lists[l], i));
            if (slice_eq_str(json_get_string(&r, p, "name", 100), name) &&
                slice_eq_str(json_get_string(&r, p, "in", 100), in))
                return true;
        }
    }
    return false;
}

static const struct json *body_schema(const struct command *c)
{
    const struct json *body = deref(member(operation(c), "requestBody"));
    const struct json *content = member(body, "content");
    return deref(member(member(content, "application/json"), "schema"));
}

static void check_field(const struct command *c, enum place place, const char *name)
{
    char field[64];
    snprintf(field, sizeof(field), "%s", name);
    for (char *ch = field; *ch != '\0'; ch++)
        *ch = *ch == '-' ? '_' : *ch;
    if (place == PLACE_QUERY && !takes(c, "query", field))
        fail_msg("%s: the query has no %s", c->words, field);
    if (place == PLACE_BODY &&
        member(member(body_schema(c), "properties"), field) == NULL)
        fail_msg("%s: the body has no %s", c->words, field);
    if (place == PLACE_PATH && !takes(c, "path", field))
        fail_msg("%s: the path has no %s", c->words, field);
}

/* What a row sends is what the operation takes, by name; lists have pages. */
static void test_fields(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        const struct flag *flag;
        if (c->method == NULL)
            continue;
        for (size_t i = 0; (flag = command_flag_at(c, i)) != NULL; i++)
            check_field(c, flag->place, flag->field != NULL ? flag->field : flag->name);
        for (const struct argument *arg = c->args; arg->name != NULL; arg++)
            check_field(c, arg->place, arg->field != NULL ? arg->field : arg->name);
        if (c->fixed_field != NULL)
            check_field(c, PLACE_BODY, c->fixed_field);
        if (c->versioned && !takes(c, "header", "If-Match"))
            fail_msg("%s: no If-Match", c->words);
        if (!c->versioned && takes(c, "header", "If-Match"))
            fail_msg("%s could take --revision", c->words);
        if (c->scoped !=
            (strstr(c->path, "{cluster}") != NULL &&
             (c->args[0].name == NULL || strcmp(c->args[0].name, "cluster") != 0)))
            fail_msg("%s: scoped or not?", c->words);
    }
}

/* Every member that a body may have can be given, and every filter of a list. */
static void test_nothing_is_left_out(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        const struct json *properties, *property;
        const struct flag *flag;
        const char *name;
        void *iter = NULL;
        if (c->method == NULL || c->run != NULL)
            continue;
        properties = member(body_schema(c), "properties");
        while (json_next(properties, &iter, &name, &property)) {
            bool found = c->fixed_field != NULL && strcmp(c->fixed_field, name) == 0;
            for (size_t i = 0; (flag = command_flag_at(c, i)) != NULL; i++) {
                char field[64];
                snprintf(field, sizeof(field), "%s",
                         flag->field != NULL ? flag->field : flag->name);
                for (char *ch = field; *ch != '\0'; ch++)
                    *ch = *ch == '-' ? '_' : *ch;
                found = found || (flag->place == PLACE_BODY && strcmp(field, name) == 0);
            }
            for (const struct argument *arg = c->args; arg->name != NULL; arg++)
                found = found ||
                        (arg->place == PLACE_BODY &&
                         strcmp(arg->field != NULL ? arg->field : arg->name, name) == 0);
            if (!found)
                fail_msg("%s cannot say %s", c->words, name);
        }
    }
}

/* The columns of a row are members of what the operation answers. */
static void check_columns(const struct command *c, const struct column *columns)
{
    static const char *const codes[] = {"200", "201", "202"};
    const struct json *schema = NULL;
    for (size_t i = 0; i < ARRAY_LEN(codes) && schema == NULL; i++) {
        const struct json *answer =
            deref(member(member(operation(c), "responses"), codes[i]));
        schema = member(member(member(answer, "content"), "application/json"), "schema");
    }
    schema = deref(schema);
    if (c->shape == SHAPE_LIST)
        schema = deref(member(member(member(schema, "properties"), "items"), "items"));
    for (; columns->title != NULL; columns++) {
        char *copy = mem_strdup(columns->path), *rest = copy, *path;
        while ((path = strsep(&rest, "|")) != NULL) {
            const struct json *at = schema;
            char *part;
            while ((part = strsep(&path, ".")) != NULL) {
                const struct json *one = member(at, "oneOf");
                struct json_reader r = {0};
                if (one != NULL)
                    at = deref(json_at(&r, one, 0));
                at = deref(member(member(at, "properties"), part));
                if (at == NULL)
                    fail_msg("%s: no %s in the answer", c->words, columns->path);
            }
        }
        mem_free(copy);
    }
}

static void test_columns(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        if (c->method == NULL || c->shape == SHAPE_NONE)
            continue;
        assert_non_null(c->columns[0].title);
        check_columns(c, c->columns);
        check_columns(c, c->wide);
    }
}

/* What destroys something asks first. */
static void test_destruction_asks(void **state)
{
    (void)state;
    EACH_COMMAND(c)
    {
        if (c->method != NULL && strcmp(c->method, "DELETE") == 0 && c->confirm == NULL)
            fail_msg("%s does not ask", c->words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unambiguous),
        cmocka_unit_test(test_described),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_examples),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_help_words),
        cmocka_unit_test(test_rows_are_in_api),
        cmocka_unit_test(test_api_is_in_rows),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_nothing_is_left_out),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_destruction_asks),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
