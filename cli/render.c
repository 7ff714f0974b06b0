/* render.c - see render.h. */
#include "cli/render.h"

#include <string.h>
#include <strings.h>

#include "common/defs.h"
#include "common/json.h"

static void indent(unsigned depth, struct str *out)
{
    str_printf(out, "%*s", (int)(depth * 2), "");
}

/* ---- strings ---- */

static struct slice text_of(const struct json *value)
{
    struct json_reader r = {0};
    return json_as_string(&r, value, "", SIZE_MAX);
}

/* A string in double quotes, escaped so that JSON and YAML read the same. VALUES are
 * UTF-8: json.h lets nothing else in. */
static void quoted(struct slice s, struct str *out)
{
    str_putc(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        if (c == '"' || c == '\\')
            str_printf(out, "\\%c", c);
        else if (c == '\n')
            str_puts(out, "\\n");
        else if (c == '\t')
            str_puts(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            str_printf(out, "\\u%04x", c);
        else if (c == 0xc2 && i + 1 < s.len && s.ptr[i + 1] < 0xa0)
            str_printf(out, "\\u%04x", s.ptr[++i]); /* U+0080 to U+009F */
        else if (c == 0xe2 && i + 2 < s.len && s.ptr[i + 1] == 0x80 &&
                 (s.ptr[i + 2] == 0xa8 || s.ptr[i + 2] == 0xa9)) {
            str_printf(out, "\\u20%02x", s.ptr[i + 2] - 0x80u); /* line separators */
            i += 2;
        } else if (c == 0xef && i + 2 < s.len && s.ptr[i + 1] == 0xbb &&
                   s.ptr[i + 2] == 0xbf) {
            str_puts(out, "\\ufeff");
            i += 2;
        } else
            str_putc(out, (char)c);
    }
    str_putc(out, '"');
}

/* Is S a plain scalar that every reader takes for this very string? */
static bool plain(struct slice s)
{
    static const char *const words[] = {"true", "false", "yes", "no", "on",
                                        "off",  "null",  "y",   "n"};

    if (s.len == 0 || s.len > 200)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool more =
            (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
        if (!letter && (i == 0 || !more))
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (s.len == strlen(words[i]) &&
            strncasecmp((const char *)s.ptr, words[i], s.len) == 0)
            return false;
    }
    return true;
}

static void yaml_string(struct slice s, struct str *out)
{
    if (plain(s))
        str_append_slice(out, s);
    else
        quoted(s, out);
}

static bool is_scalar(const struct json *value)
{
    return json_count(value) == 0;
}

/* What fits on the line: no container but an empty one. */
static void scalar(const struct json *value, bool yaml, struct str *out)
{
    if (json_is_array(value))
        str_puts(out, "[]");
    else if (json_is_object(value))
        str_puts(out, "{}");
    else if (json_kind(value) != JSON_KIND_STRING)
        json_print(value, out);
    else if (yaml)
        yaml_string(text_of(value), out);
    else
        quoted(text_of(value), out);
}

/* ---- JSON ---- */

void render_json(const struct json *value, unsigned depth, struct str *out)
{
    struct json_reader r = {0};
    const struct json *member;
    const char *key;
    void *iter = NULL;

    if (is_scalar(value)) {
        scalar(value, false, out);
        return;
    }
    bool array = json_is_array(value);
    str_putc(out, array ? '[' : '{');
    for (size_t i = 0; i < json_count(value); i++) {
        str_puts(out, i == 0 ? "\n" : ",\n");
        indent(depth + 1, out);
        if (array) {
            member = json_at(&r, value, i);
        } else {
            (void)json_next(value, &iter, &key, &member);
            quoted(slice_str(key), out);
            str_puts(out, ": ");
        }
        render_json(member, depth + 1, out);
    }
    str_putc(out, '\n');
    indent(depth, out);
    str_putc(out, array ? ']' : '}');
}

/* ---- YAML ---- */

static void yaml_members(const struct json *value, unsigned depth, bool first_is_indented,
                         struct str *out);

/* What follows "key:" or "-": on the line when it is a scalar, else on lines of its own
 * (below a key) or beginning on this one (behind a dash). */
static void yaml_value(const struct json *value, unsigned depth, bool after_dash,
                       struct str *out)
{
    if (is_scalar(value)) {
        str_putc(out, ' ');
        scalar(value, true, out);
        str_putc(out, '\n');
    } else if (after_dash) {
        str_putc(out, ' ');
        yaml_members(value, depth, true, out);
    } else {
        str_putc(out, '\n');
        yaml_members(value, depth, false, out);
    }
}

static void yaml_members(const struct json *value, unsigned depth, bool first_is_indented,
                         struct str *out)
{
    struct json_reader r = {0};
    const struct json *member;
    const char *key;
    void *iter = NULL;

    for (size_t i = 0; i < json_count(value); i++) {
        if (i > 0 || !first_is_indented)
            indent(depth, out);
        if (json_is_array(value)) {
            str_putc(out, '-');
            yaml_value(json_at(&r, value, i), depth + 1, true, out);
        } else {
            (void)json_next(value, &iter, &key, &member);
            yaml_string(slice_str(key), out);
            str_putc(out, ':');
            yaml_value(member, depth + 1, false, out);
        }
    }
}

void render_yaml(const struct json *value, unsigned depth, struct str *out)
{
    if (is_scalar(value)) {
        indent(depth, out);
        scalar(value, true, out);
        str_putc(out, '\n');
    } else {
        yaml_members(value, depth, false, out);
    }
}

void render_yaml_item(const struct json *value, unsigned depth, struct str *out)
{
    indent(depth, out);
    str_putc(out, '-');
    yaml_value(value, depth + 1, true, out);
}
