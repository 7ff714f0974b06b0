/* json.h - JSON values; the only door to jansson.
 *
 * Numbers are 64-bit integers (a real is one where it is whole: 5.0). Reading
 * bounds depth and size before it builds anything. Getters of a wrong type set a sticky
 * error in the struct json_reader that names the path ("topics[3].name: not a string").
 *
 * Hot bodies are positional arrays whose long columns are packed: a column is a JSON
 * string, base64 (RFC 4648 section 4, with padding) of zigzag LEB128 varints. */
#ifndef COMMON_JSON_H
#define COMMON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

/* jansson exports functions of these names: ours need symbols of their own. */
#define json_real   json_make_real
#define json_object json_make_object
#define json_array  json_make_array
#define json_string json_make_string
#define json_null   json_make_null

struct json; /* opaque: a jansson value; reference-counted within one thread */

#define JSON_DEPTH_MAX 32
#define JSON_TRAIL_MAX 8 /* error texts name the path so deep */

/* Parse TEXT (need not end in NUL): exactly one value, no duplicate keys, at most
 * JSON_DEPTH_MAX deep, valid UTF-8. Returns 0, ERR_MALFORMED (text says where). */
int json_parse(struct slice text, struct json **value, struct err *err) MUST_CHECK;
void json_free(struct json *value); /* NULL is fine */
/* Append compact text of VALUE to OUT. */
void json_print(const struct json *value, struct str *out);

/* Builders return owned values; setters take ownership of VALUE (never NULL). */
struct json *json_object(void);
struct json *json_array(void);
struct json *json_int(int64_t v);
/* V must be finite. */
struct json *json_real(double v);
struct json *json_bool(bool v);
struct json *json_null(void);
struct json *json_string(const char *s); /* invalid UTF-8 becomes "?" bytes */
struct json *json_slice(struct slice s); /* likewise; null slice: JSON null */
struct json *json_uuid(const struct uuid *uuid);
struct json *json_base64(struct slice bytes);
void json_set(struct json *object, const char *key, struct json *value);
void json_push(struct json *array, struct json *value);

/* What a value is, for whoever prints values that he does not know. */
enum json_kind {
    JSON_KIND_NULL, /* also for NULL (absent) */
    JSON_KIND_BOOL,
    JSON_KIND_INT,
    JSON_KIND_REAL,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT,
};
enum json_kind json_kind(const struct json *value);
/* A further reference to VALUE (the same value, not a copy), owned by the caller. */
struct json *json_share(const struct json *value);

bool json_is_object(const struct json *value);
bool json_is_array(const struct json *value);
bool json_is_null(const struct json *value); /* also for NULL (absent) */
size_t json_count(const struct json *value); /* of an array or object, else 0 */

/* Reading with a sticky error and a path for its text; begin with
 * `struct json_reader r = {.err = err}`. All results borrow from the value. After failure
 * every getter returns zero/NULL/empty. Failures are ERR_MALFORMED (missing, wrong type),
 * ERR_INVALID (integer out of range) or ERR_TOO_LARGE (string, base64). Texts never quote
 * what the peer sent. */
struct json_reader {
    struct err *err; /* set at the first failure */
    bool failed;
    /* private, zero at first: where we are, for the texts. trail[0] is a member of the
     * outermost value, each further one a member of the one before. */
    struct json_crumb {
        const struct json *value;
        const char *key; /* NULL: element INDEX of an array */
        size_t index;
    } trail[JSON_TRAIL_MAX];
    size_t trail_len;
    struct json_crumb last; /* of the last json_at or json_get, containers and others */
    const struct json *last_parent;
};

const struct json *json_at(struct json_reader *r, const struct json *array, size_t i);
const struct json *json_get(struct json_reader *r, const struct json *object,
                            const char *key);                             /* required */
const struct json *json_find(const struct json *object, const char *key); /* or NULL */
int64_t json_as_int(struct json_reader *r, const struct json *value, const char *what,
                    int64_t min, int64_t max);
/* An integer or a real. */
double json_as_number(struct json_reader *r, const struct json *value, const char *what,
                      double min, double max);
bool json_as_bool(struct json_reader *r, const struct json *value, const char *what);
struct slice json_as_string(struct json_reader *r, const struct json *value,
                            const char *what, size_t max_len);
struct uuid json_as_uuid(struct json_reader *r, const struct json *value,
                         const char *what);
/* Decode base64 into ARENA. */
struct slice json_as_base64(struct json_reader *r, const struct json *value,
                            const char *what, struct arena *arena);
/* The member KEY in one step: json_get + json_as_*. */
int64_t json_get_int(struct json_reader *r, const struct json *object, const char *key,
                     int64_t min, int64_t max);
double json_get_number(struct json_reader *r, const struct json *object, const char *key,
                       double min, double max);
bool json_get_bool(struct json_reader *r, const struct json *object, const char *key);
struct slice json_get_string(struct json_reader *r, const struct json *object,
                             const char *key, size_t max_len);
struct uuid json_get_uuid(struct json_reader *r, const struct json *object,
                          const char *key);
const struct json *json_get_array(struct json_reader *r, const struct json *object,
                                  const char *key);
/* Walk the members of an object: *KEY borrowed; start with *ITER = NULL; false at end. */
bool json_next(const struct json *object, void **iter, const char **key,
               const struct json **value);

#endif
