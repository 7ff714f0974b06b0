/* problem.c - problem details out of a struct err. */
#include "controlplane/problem.h"

#include <stdio.h>

#include "common/json.h"

#define BODY_MAX (16 * KIB)

static void reply(struct http_exchange *x, int status, const char *title,
                  const char *detail, const char *code, const char *leader)
{
    struct json *value = json_object();
    struct str body;

    json_set(value, "type", json_string("about:blank"));
    json_set(value, "title", json_string(title));
    json_set(value, "status", json_int(status));
    json_set(value, "detail", json_string(detail));
    if (code != NULL)
        json_set(value, "code", json_string(code));
    if (status == 421)
        json_set(value, "leader", leader != NULL ? json_string(leader) : json_null());
    str_init(&body, BODY_MAX);
    json_print(value, &body);
    json_free(value);
    http_exchange_reply(x, status, "application/problem+json", &body);
}

void problem_reply(struct http_exchange *x, const struct err *err, const char *leader,
                   int64_t retry_ms)
{
    int status = err_http_status(err->code);
    char seconds[24];
    if (status == 429 || status == 503 || status == 507) {
        snprintf(seconds, sizeof(seconds), "%lld",
                 (long long)(retry_ms <= 1000 ? 1 : (retry_ms + 999) / 1000));
        http_exchange_add_header(x, "Retry-After", seconds);
    }
    if (status == 401)
        http_exchange_add_header(x, "WWW-Authenticate", "Bearer realm=\"weft\"");
    reply(x, status, err_text(err->code),
          err->text[0] != '\0' ? err->text : err_text(err->code), err_name(err->code),
          leader);
}

void problem_reply_status(struct http_exchange *x, int status, const char *title,
                          const char *detail)
{
    reply(x, status, title, detail, err_name(ERR_UNSUPPORTED), NULL);
}
