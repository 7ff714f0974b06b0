/* api_about.c - what the API says of itself: its description, a page that shows it, whom
 * the caller's token makes it, and the certificates to trust.
 *
 * The description and the page are part of the program (embed.h). The page's policy lets
 * it load what comes from here and nothing else. */
#include "controlplane/api.h"

#include "common/embed.h"
#include "controlplane/call.h"
#include "controlplane/scope.h"

#define TEXT_MAX (4 * MIB)

EMBED(openapi, "proto/openapi.json");
EMBED(docs_html, "controlplane/docs/page.html");
EMBED(docs_js, "controlplane/docs/page.js");
EMBED(docs_css, "controlplane/docs/page.css");

#define CONTENT_POLICY                                                                   \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "      \
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

static void reply(struct call *call, const char *content_type, const char *begin,
                  const char *end)
{
    struct str body;
    str_init(&body, TEXT_MAX);
    str_append(&body, begin, (size_t)(end - begin));
    http_exchange_add_header(call->x, "Content-Security-Policy", CONTENT_POLICY);
    http_exchange_add_header(call->x, "X-Content-Type-Options", "nosniff");
    http_exchange_add_header(call->x, "Referrer-Policy", "no-referrer");
    call_reply_text(call, 200, content_type, &body);
}

void api_openapi(struct call *call)
{
    reply(call, "application/json", embedded_openapi, embedded_openapi_end);
}

void api_docs(struct call *call)
{
    reply(call, "text/html; charset=utf-8", embedded_docs_html, embedded_docs_html_end);
}

void api_docs_script(struct call *call)
{
    reply(call, "text/javascript; charset=utf-8", embedded_docs_js, embedded_docs_js_end);
}

void api_docs_style(struct call *call)
{
    reply(call, "text/css; charset=utf-8", embedded_docs_css, embedded_docs_css_end);
}

/* --- GET /api/v1/ca --- */

/* A node that joins by the cell key knows the cell by that key, too: it sends a nonce.
 * Anything else in that header is no such node's, and gets no proof. */
static void prove_ca(struct call *call, struct slice ca_pem)
{
    const char *nonce = http_exchange_header(call->x, "X-Weft-Nonce");
    char proof[2 * SHA256_LEN + 1];

    if (nonce == NULL || !call->service->options->join_by_key)
        return;
    if (strlen(nonce) != CA_NONCE_LEN ||
        strspn(nonce, "0123456789abcdef") != CA_NONCE_LEN)
        return;
    trust_ca_proof(call->service->trust, slice_str(nonce), ca_pem, proof);
    http_exchange_add_header(call->x, "X-Weft-Cell-Key-Proof", proof);
}

void api_ca(struct call *call)
{
    struct str body;
    str_init(&body, MIB);
    trust_bundle(call->service->trust, &body);
    prove_ca(call, str_slice(&body));
    call_reply_text(call, 200, "application/x-pem-file", &body);
}

/* --- GET /api/v1/whoami --- */

static void whoami_core(struct node *node, struct call *call)
{
    (void)node; /* who it is, is known by now */
    call_done(call);
}

static void whoami_answer(struct call *call)
{
    const struct principal *principal = &call->principal;
    struct json *value = json_object();
    json_set(value, "token_id", json_uuid(&principal->token_id));
    json_set(value, "name", json_string(principal->name));
    json_set(value, "role", json_string(role_name(principal->role)));
    json_set(value, "cluster_id", uuid_json(&principal->cluster_id));
    json_set(value, "user_id", uuid_json(&principal->user_id));
    json_set(value, "expires_at_ms",
             principal->expires_at_ms == 0 ? json_null()
                                           : json_int(principal->expires_at_ms));
    call_reply_json(call, 200, value);
}

void api_whoami(struct call *call)
{
    call_ask(call, whoami_core, whoami_answer);
}
