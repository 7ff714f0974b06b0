/* names.c - what names may be. */
#include "controlplane/names.h"

#include <string.h>

#define ROLE_MAX_LEN 20

bool name_is_plain(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
        if (!ok)
            return false;
    }
    return name.len > 0;
}

bool name_is_label(struct slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] < ' ' || name.ptr[i] > '~')
            return false;
    return name.len > 0;
}

struct slice name_find(struct call *call, const char *key, bool (*is_ok)(struct slice))
{
    struct json_reader r = call_reader(call);
    const struct json *value = json_find(call->body, key);
    if (value == NULL || call->err.code != 0)
        return SLICE_NULL;
    struct slice name = json_as_string(&r, value, key, NAME_MAX_LEN);
    if (!r.failed && !is_ok(name))
        call_fail(call, ERR_INVALID, "%s: want 1 to %d %s", key, NAME_MAX_LEN,
                  is_ok == name_is_plain ? "letters, digits, dots, underscores or hyphens"
                                         : "printable ASCII characters");
    return name;
}

struct slice name_read(struct call *call, const char *key, bool (*is_ok)(struct slice))
{
    if (json_find(call->body, key) == NULL)
        call_fail(call, ERR_MALFORMED, "%s: missing", key);
    return name_find(call, key, is_ok);
}

struct slice email_find(struct call *call)
{
    struct json_reader r = call_reader(call);
    const struct json *value = json_find(call->body, "email");
    if (value == NULL || call->err.code != 0)
        return SLICE_NULL;
    struct slice email = json_as_string(&r, value, "email", EMAIL_MAX_LEN);
    for (size_t i = 0; i < email.len; i++)
        if (email.ptr[i] <= ' ' || email.ptr[i] > '~') {
            call_fail(call, ERR_INVALID, "email: want printable ASCII without spaces");
            break;
        }
    return email.ptr == NULL ? slice_str("") : email;
}

enum role role_find(struct call *call)
{
    static const enum role roles[] = {ROLE_OPERATOR, ROLE_ADMIN, ROLE_VIEWER};
    struct json_reader r = call_reader(call);
    const struct json *value = json_find(call->body, "role");
    if (value == NULL || call->err.code != 0)
        return ROLE_NONE;
    struct slice text = json_as_string(&r, value, "role", ROLE_MAX_LEN);
    for (size_t i = 0; i < ARRAY_LEN(roles) && !r.failed; i++)
        if (slice_eq_str(text, role_name(roles[i])))
            return roles[i];
    if (!r.failed)
        call_fail(call, ERR_INVALID, "role: want operator, admin or viewer");
    return ROLE_NONE;
}
