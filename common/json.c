/* json.c - JSON values over jansson.
 *
 * jansson bounds nesting only at 2,048 and recurses; so a scan over the text comes first
 * and refuses what is deeper than JSON_DEPTH_MAX before anything is built. Size is
 * bounded by whoever read the text. A struct json is a json_t under another name: the
 * casts are in to_impl() and from_impl() only.
 *
 * jansson and json.h share some names, so jansson comes first, is called for those by the
 * make_*() here, and its macros end before json.h begins. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

static json_t *make_object(void)
{
    return json_object();
}

static json_t *make_array(void)
{
    return json_array();
}

static json_t *make_real(double v)
{
    return json_real(v);
}

static json_t *make_null(void)
{
    return json_null();
}

#undef json_is_object
#undef json_is_array
#undef json_is_null

#include "common/json.h"

#include "common/base64.h"
#include "common/check.h"
#include "common/mem.h"

static json_t *to_impl(const struct json *value)
{
    /* jansson counts references even in values that it only reads. */
    return (json_t *)(uintptr_t)value;
}

static struct json *from_impl(json_t *impl)
{
    ASSERT(impl != NULL); /* only a system without memory makes none */
    return (struct json *)impl;
}

static bool has_type(const struct json *value, json_type type)
{
    return value != NULL && json_typeof(to_impl(value)) == type;
}

/* --- reading and writing text --- */

/* Is TEXT nested no deeper than JSON_DEPTH_MAX? Strings are skipped; whether they are
 * well-formed is for the parser to find out. */
static bool depth_ok(struct slice text)
{
    unsigned depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            if (++depth > JSON_DEPTH_MAX)
                return false;
        } else if ((c == ']' || c == '}') && depth > 0) {
            depth--;
        }
    }
    return true;
}

int json_parse(struct slice text, struct json **value, struct err *err)
{
    json_error_t error;

    if (!depth_ok(text))
        return err_set(err, ERR_MALFORMED, "JSON nested deeper than %d", JSON_DEPTH_MAX);
    json_t *impl =
        json_loadb(text.ptr == NULL ? "" : (const char *)text.ptr, text.len,
                   JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    /* The place, but not the parser's own text: that quotes what the peer sent. */
    if (impl == NULL)
        return err_set(err, ERR_MALFORMED, "invalid JSON at line %d, column %d",
                       error.line, error.column);
    *value = from_impl(impl);
    return 0;
}

void json_free(struct json *value)
{
    json_decref(to_impl(value));
}

static int append_text(const char *bytes, size_t len, void *arg)
{
    str_append(arg, bytes, len);
    return 0;
}

void json_print(const struct json *value, struct str *out)
{
    int rc = json_dump_callback(to_impl(value), append_text, out,
                                JSON_COMPACT | JSON_ENCODE_ANY);
    ASSERT(rc == 0);
}

/* --- building --- */

struct json *json_object(void)
{
    return from_impl(make_object());
}

struct json *json_array(void)
{
    return from_impl(make_array());
}

struct json *json_int(int64_t v)
{
    return from_impl(json_integer(v));
}

struct json *json_real(double v)
{
    ASSERT(isfinite(v));
    return from_impl(make_real(v));
}

struct json *json_bool(bool v)
{
    return from_impl(json_boolean(v));
}

struct json *json_null(void)
{
    return from_impl(make_null());
}

/* Length of the UTF-8 sequence that S begins with, or 0 if there is none (RFC 3629:
 * no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_sequence(struct slice s)
{
    uint8_t c = s.ptr[0];
    size_t n = c < 0x80   ? 1
               : c < 0xc2 ? 0
               : c < 0xe0 ? 2
               : c < 0xf0 ? 3
               : c < 0xf5 ? 4
                          : 0;
    if (n == 0 || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if ((s.ptr[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((c == 0xe0 && s.ptr[1] < 0xa0) || (c == 0xed && s.ptr[1] > 0x9f) ||
        (c == 0xf0 && s.ptr[1] < 0x90) || (c == 0xf4 && s.ptr[1] > 0x8f))
        return 0;
    return n;
}

/* A copy of S, NUL-terminated, with "?" for each byte that is not UTF-8. */
static char *clean_utf8(struct slice s)
{
    char *copy = mem_alloc(s.len + 1);
    for (size_t i = 0; i < s.len;) {
        size_t n = utf8_sequence(slice_of(s.ptr + i, s.len - i));
        if (n == 0)
            copy[i] = '?';
        else
            memcpy(copy + i, s.ptr + i, n);
        i += MAX(n, 1);
    }
    copy[s.len] = '\0';
    return copy;
}

static bool is_utf8(struct slice s)
{
    for (size_t i = 0; i < s.len;) {
        size_t n = utf8_sequence(slice_of(s.ptr + i, s.len - i));
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

struct json *json_string(const char *s)
{
    return json_slice(slice_str(s));
}

struct json *json_slice(struct slice s)
{
    if (s.ptr == NULL)
        return json_null();
    if (is_utf8(s))
        return from_impl(json_stringn_nocheck((const char *)s.ptr, s.len));
    char *copy = clean_utf8(s);
    struct json *value = from_impl(json_stringn_nocheck(copy, s.len));
    mem_free(copy);
    return value;
}

struct json *json_uuid(const struct uuid *uuid)
{
    char text[UUID_TEXT_LEN + 1];
    return json_string(uuid_print(uuid, text));
}

struct json *json_base64(struct slice bytes)
{
    struct str text;
    str_init(&text, base64_encoded_len(bytes.len));
    base64_encode(bytes, &text);
    struct json *value = from_impl(json_stringn_nocheck(str_cstr(&text), text.len));
    str_fini(&text);
    return value;
}

void json_set(struct json *object, const char *key, struct json *value)
{
    char *clean = is_utf8(slice_str(key)) ? NULL : clean_utf8(slice_str(key));
    int rc = json_object_set_new_nocheck(to_impl(object), clean == NULL ? key : clean,
                                         to_impl(value));
    ASSERT(rc == 0);
    mem_free(clean);
}

void json_push(struct json *array, struct json *value)
{
    int rc = json_array_append_new(to_impl(array), to_impl(value));
    ASSERT(rc == 0);
}

/* --- looking --- */

enum json_kind json_kind(const struct json *value)
{
    if (value == NULL)
        return JSON_KIND_NULL;
    switch (json_typeof(to_impl(value))) {
    case JSON_OBJECT:
        return JSON_KIND_OBJECT;
    case JSON_ARRAY:
        return JSON_KIND_ARRAY;
    case JSON_STRING:
        return JSON_KIND_STRING;
    case JSON_INTEGER:
        return JSON_KIND_INT;
    case JSON_REAL:
        return JSON_KIND_REAL;
    case JSON_TRUE:
    case JSON_FALSE:
        return JSON_KIND_BOOL;
    case JSON_NULL:
    default:
        return JSON_KIND_NULL;
    }
}

struct json *json_share(const struct json *value)
{
    return from_impl(json_incref(to_impl(value)));
}

bool json_is_object(const struct json *value)
{
    return has_type(value, JSON_OBJECT);
}

bool json_is_array(const struct json *value)
{
    return has_type(value, JSON_ARRAY);
}

bool json_is_null(const struct json *value)
{
    return value == NULL || has_type(value, JSON_NULL);
}

size_t json_count(const struct json *value)
{
    if (json_is_array(value))
        return json_array_size(to_impl(value));
    return json_is_object(value) ? json_object_size(to_impl(value)) : 0;
}

/* --- reading with a trail --- */

/* How many crumbs lead to VALUE: 0 for the outermost value and for strangers. */
static size_t trail_to(const struct json_reader *r, const struct json *value)
{
    for (size_t n = MIN(r->trail_len, JSON_TRAIL_MAX); n > 0; n--) {
        if (r->trail[n - 1].value == value)
            return n;
    }
    return 0;
}

/* Remember that VALUE is PARENT's KEY or element INDEX. */
static void leave_crumb(struct json_reader *r, const struct json *parent, const char *key,
                        size_t index, const struct json *value)
{
    r->last = (struct json_crumb){value, key, index};
    r->last_parent = parent;
    if (!json_is_object(value) && !json_is_array(value))
        return;
    size_t n = trail_to(r, parent);
    r->trail_len = n;
    if (n < JSON_TRAIL_MAX) {
        r->trail[n] = r->last;
        r->trail_len = n + 1;
    }
}

static void print_crumb(const struct json_crumb *crumb, struct str *out)
{
    if (crumb->key == NULL)
        str_printf(out, "[%zu]", crumb->index);
    else
        str_printf(out, "%s%s", out->len == 0 ? "" : ".", crumb->key);
}

/* The path that leads to VALUE, as far as it is known. */
static void print_path(const struct json_reader *r, const struct json *value,
                       struct str *out)
{
    size_t n = trail_to(r, value);
    bool is_last = n == 0 && value != NULL && value == r->last.value;
    if (is_last) /* no container, so not on the trail itself */
        n = trail_to(r, r->last_parent);
    for (size_t i = 0; i < n; i++)
        print_crumb(&r->trail[i], out);
    if (is_last)
        print_crumb(&r->last, out);
}

/* Fail with "path.what: problem"; WHAT is NULL for element INDEX. */
static void fail(struct json_reader *r, const struct json *parent, const char *what,
                 size_t index, int code, const char *problem)
{
    struct str path;
    if (r->failed)
        return;
    r->failed = true;
    str_init(&path, 2 * ERR_TEXT_MAX);
    print_path(r, parent, &path);
    if (what == NULL)
        str_printf(&path, "[%zu]", index);
    else
        str_printf(&path, "%s%s", path.len == 0 ? "" : ".", what);
    err_set(r->err, code, "%s: %s", str_cstr(&path), problem);
    str_fini(&path);
}

/* The parent of VALUE, if VALUE was the last to be handed out. */
static const struct json *parent_of(const struct json_reader *r, const struct json *value)
{
    return value == r->last.value ? r->last_parent : NULL;
}

static void fail_at(struct json_reader *r, const struct json *value, const char *what,
                    int code, const char *problem)
{
    if (value == NULL)
        problem = "missing";
    fail(r, parent_of(r, value), what, 0, code, problem);
}

const struct json *json_at(struct json_reader *r, const struct json *array, size_t i)
{
    if (r->failed)
        return NULL;
    if (!json_is_array(array)) {
        fail(r, array, NULL, i, ERR_MALFORMED, "not in an array");
        return NULL;
    }
    const struct json *value = (const struct json *)json_array_get(to_impl(array), i);
    if (value == NULL)
        fail(r, array, NULL, i, ERR_MALFORMED, "missing");
    else
        leave_crumb(r, array, NULL, i, value);
    return value;
}

const struct json *json_get(struct json_reader *r, const struct json *object,
                            const char *key)
{
    if (r->failed)
        return NULL;
    if (!json_is_object(object)) {
        fail(r, object, key, 0, ERR_MALFORMED, "not in an object");
        return NULL;
    }
    const struct json *value = json_find(object, key);
    if (value == NULL)
        fail(r, object, key, 0, ERR_MALFORMED, "missing");
    else
        leave_crumb(r, object, key, 0, value);
    return value;
}

const struct json *json_find(const struct json *object, const char *key)
{
    if (!json_is_object(object))
        return NULL;
    return (const struct json *)json_object_get(to_impl(object), key);
}

/* 5.0 is an integer, too (JSON Schema 2020-12, section 6.1.1 of validation), as long as
 * it is one that a double holds exactly. */
static bool integer_of(const struct json *value, int64_t *v)
{
    if (has_type(value, JSON_INTEGER)) {
        *v = json_integer_value(to_impl(value));
        return true;
    }
    double real = has_type(value, JSON_REAL) ? json_real_value(to_impl(value)) : 0.5;
    if (!(fabs(real) <= 9007199254740992.0) || real != trunc(real))
        return false;
    *v = (int64_t)real;
    return true;
}

int64_t json_as_int(struct json_reader *r, const struct json *value, const char *what,
                    int64_t min, int64_t max)
{
    int64_t v;
    if (r->failed)
        return 0;
    if (!integer_of(value, &v)) {
        fail_at(r, value, what, ERR_MALFORMED, "not an integer");
        return 0;
    }
    if (v < min || v > max) {
        char problem[80];
        snprintf(problem, sizeof(problem), "not from %" PRId64 " to %" PRId64, min, max);
        fail_at(r, value, what, ERR_INVALID, problem);
        return 0;
    }
    return v;
}

double json_as_number(struct json_reader *r, const struct json *value, const char *what,
                      double min, double max)
{
    double v = 0;
    if (r->failed)
        return 0;
    if (has_type(value, JSON_REAL))
        v = json_real_value(to_impl(value));
    else if (has_type(value, JSON_INTEGER))
        v = (double)json_integer_value(to_impl(value));
    else
        fail_at(r, value, what, ERR_MALFORMED, "not a number");
    if (!r->failed && !(v >= min && v <= max)) {
        char problem[80];
        snprintf(problem, sizeof(problem), "not from %g to %g", min, max);
        fail_at(r, value, what, ERR_INVALID, problem);
    }
    return r->failed ? 0 : v;
}

bool json_as_bool(struct json_reader *r, const struct json *value, const char *what)
{
    if (r->failed)
        return false;
    if (has_type(value, JSON_TRUE))
        return true;
    if (!has_type(value, JSON_FALSE))
        fail_at(r, value, what, ERR_MALFORMED, "not true or false");
    return false;
}

struct slice json_as_string(struct json_reader *r, const struct json *value,
                            const char *what, size_t max_len)
{
    if (r->failed)
        return SLICE_NULL;
    if (!has_type(value, JSON_STRING)) {
        fail_at(r, value, what, ERR_MALFORMED, "not a string");
        return SLICE_NULL;
    }
    size_t len = json_string_length(to_impl(value));
    if (len > max_len) {
        char problem[64];
        snprintf(problem, sizeof(problem), "longer than %zu bytes", max_len);
        fail_at(r, value, what, ERR_TOO_LARGE, problem);
        return SLICE_NULL;
    }
    return slice_of(json_string_value(to_impl(value)), len);
}

struct uuid json_as_uuid(struct json_reader *r, const struct json *value,
                         const char *what)
{
    struct uuid uuid = UUID_ZERO;
    struct slice text = json_as_string(r, value, what, SIZE_MAX);
    if (!r->failed && uuid_parse(text, &uuid) != 0)
        fail_at(r, value, what, ERR_MALFORMED, "not a uuid");
    return uuid;
}

struct slice json_as_base64(struct json_reader *r, const struct json *value,
                            const char *what, struct arena *arena)
{
    size_t len;
    struct slice text = json_as_string(r, value, what, SIZE_MAX);
    if (r->failed)
        return SLICE_NULL;
    uint8_t *bytes = arena_try_alloc(arena, base64_decoded_max(text.len));
    if (bytes == NULL) {
        fail_at(r, value, what, ERR_TOO_LARGE, "too large");
        return SLICE_NULL;
    }
    if (base64_decode(text, bytes, &len) != 0) {
        fail_at(r, value, what, ERR_MALFORMED, "not base64");
        return SLICE_NULL;
    }
    return slice_of(bytes, len);
}

int64_t json_get_int(struct json_reader *r, const struct json *object, const char *key,
                     int64_t min, int64_t max)
{
    return json_as_int(r, json_get(r, object, key), key, min, max);
}

double json_get_number(struct json_reader *r, const struct json *object, const char *key,
                       double min, double max)
{
    return json_as_number(r, json_get(r, object, key), key, min, max);
}

bool json_get_bool(struct json_reader *r, const struct json *object, const char *key)
{
    return json_as_bool(r, json_get(r, object, key), key);
}

struct slice json_get_string(struct json_reader *r, const struct json *object,
                             const char *key, size_t max_len)
{
    return json_as_string(r, json_get(r, object, key), key, max_len);
}

struct uuid json_get_uuid(struct json_reader *r, const struct json *object,
                          const char *key)
{
    return json_as_uuid(r, json_get(r, object, key), key);
}

const struct json *json_get_array(struct json_reader *r, const struct json *object,
                                  const char *key)
{
    const struct json *value = json_get(r, object, key);
    if (r->failed)
        return NULL;
    if (!json_is_array(value)) {
        fail_at(r, value, key, ERR_MALFORMED, "not an array");
        return NULL;
    }
    return value;
}

bool json_next(const struct json *object, void **iter, const char **key,
               const struct json **value)
{
    if (!json_is_object(object))
        return false;
    *iter = *iter == NULL ? json_object_iter(to_impl(object))
                          : json_object_iter_next(to_impl(object), *iter);
    if (*iter == NULL)
        return false;
    *key = json_object_iter_key(*iter);
    *value = (const struct json *)json_object_iter_value(*iter);
    return true;
}
