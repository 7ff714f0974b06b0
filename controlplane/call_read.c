/* call_read.c - what a call says beside its members: path, query, the body's shape. */
#include "controlplane/call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 20 /* characters */

bool call_path_uuid(struct call *call, struct uuid *id)
{
    if (uuid_parse(call->id, id) == 0)
        return true;
    call_fail(call, ERR_NOT_FOUND, "the path names no such thing: its id is not a uuid");
    return false;
}

int64_t call_query_int(struct call *call, const char *name, int64_t min, int64_t max,
                       int64_t absent)
{
    const char *text = http_exchange_query(call->x, name);
    char *end = NULL;
    if (text == NULL)
        return absent;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno == 0 && end != text && strlen(text) <= NUMBER_MAX && *end == '\0' &&
        text[0] != ' ' && text[0] != '+' && value >= min && value <= max)
        return value;
    call_fail(call, ERR_INVALID, "%s: want a number from %lld to %lld", name,
              (long long)min, (long long)max);
    return absent;
}

struct slice call_query_text(struct call *call, const char *name, size_t max)
{
    const char *text = http_exchange_query(call->x, name);
    if (text == NULL)
        return SLICE_NULL;
    size_t len = strlen(text);
    if (len == 0 || len > max) {
        call_fail(call, ERR_INVALID, "%s: want a text of 1 to %zu bytes", name, max);
        return SLICE_NULL;
    }
    return arena_dup(&call->arena, slice_of(text, len));
}

struct uuid call_query_uuid(struct call *call, const char *name, bool *found)
{
    const char *text = http_exchange_query(call->x, name);
    struct uuid id = UUID_ZERO;
    *found = text != NULL;
    if (text != NULL && uuid_parse(slice_str(text), &id) != 0)
        call_fail(call, ERR_INVALID, "%s: want a uuid", name);
    return id;
}

/* Is KEY one of the words of "a, b, c"? */
static bool is_among(const char *key, const char *names)
{
    size_t len = strlen(key);
    for (const char *at = names; *at != '\0'; at += strspn(at, ", ")) {
        size_t word = strcspn(at, ",");
        if (word == len && memcmp(at, key, len) == 0)
            return true;
        at += word;
    }
    return false;
}

bool call_check_members(struct call *call, const char *names)
{
    const struct json *value;
    const char *key;
    void *iter = NULL;

    if (!json_is_object(call->body)) {
        call_fail(call, ERR_MALFORMED, "the body is not an object");
        return false;
    }
    while (json_next(call->body, &iter, &key, &value))
        if (!is_among(key, names)) {
            call_fail(call, ERR_MALFORMED,
                      "the body has a member that this call does not take; it takes: %s",
                      names[0] != '\0' ? names : "none");
            return false;
        }
    return true;
}
