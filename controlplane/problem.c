/* problem.c - problem details out of a struct err. */
#include "controlplane/problem.h"

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
    if (leader != NULL)
        json_set(value, "leader", json_string(leader));
    str_init(&body, BODY_MAX);
    json_print(value, &body);
    json_free(value);
    http_exchange_reply(x, status, "application/problem+json", &body);
}

void problem_reply(struct http_exchange *x, const struct err *err, const char *leader)
{
    int status = err_http_status(err->code);
    if (status == 429 || status == 503 || status == 507)
        http_exchange_add_header(x, "Retry-After", "1");
    if (status == 401)
        http_exchange_add_header(x, "WWW-Authenticate", "Bearer realm=\"weft\"");
    reply(x, status, err_text(err->code),
          err->text[0] != '\0' ? err->text : err_text(err->code), err_name(err->code),
          err->code == ERR_NOT_LEADER ? leader : NULL);
}

void problem_reply_status(struct http_exchange *x, int status, const char *title,
                          const char *detail)
{
    reply(x, status, title, detail, err_name(ERR_UNSUPPORTED), NULL);
}
