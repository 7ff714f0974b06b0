/* api_enrol.c - certificates for agents: enrolment by token, renewal by certificate.
 *
 * Enrolling takes two visits to the core thread: the first finds the token's cluster,
 * then the request is checked and signed on the server's thread, and only then is the
 * token marked as used; so a request that cannot be signed costs no token. What TOKEN_USE
 * says decides: before it was applied the certificate leaves this process to nobody. */
#include "controlplane/api.h"

#include "common/clock.h"
#include "common/x509.h"
#include "controlplane/call.h"
#include "controlplane/metrics.h"

struct enrol {
    struct slice request_pem;
    struct uuid cluster_id, agent_id;
    struct str certificate;
    int64_t not_after_ms;
    struct call_proposal proposal;
};

static void enrol_cleanup(struct call *call)
{
    struct enrol *enrol = call->data;
    str_fini(&enrol->certificate);
}

static struct json *certificate_json(const struct call *call, const struct enrol *enrol)
{
    struct json *answer = json_object();
    struct str ca;
    str_init(&ca, MIB);
    trust_bundle(call->service->trust, &ca);
    json_set(answer, "certificate_pem", json_slice(str_slice(&enrol->certificate)));
    json_set(answer, "ca_pem", json_slice(str_slice(&ca)));
    str_fini(&ca);
    json_set(answer, "not_after_ms", json_int(enrol->not_after_ms));
    json_set(answer, "now_ms", json_int(call->now_ms));
    return answer;
}

static bool sign(struct call *call, struct enrol *enrol)
{
    struct err err;
    int code = trust_sign_agent(call->service->trust, enrol->request_pem,
                                &enrol->cluster_id, &enrol->agent_id, call->now_ms,
                                &enrol->certificate, &enrol->not_after_ms, &err);
    if (code == 0) {
        metric_add(control_metric(certificates_total), 1);
        return true;
    }
    if (code == ERR_UNAVAILABLE)
        call_fail(call, code, "%s", err.text);
    call_fail(call, code == ERR_MALFORMED ? ERR_MALFORMED : ERR_INTERNAL,
              "request_pem: %.200s; send a PKCS#10 request in PEM, signed by its own key",
              err.text);
    return false;
}

/* --- POST /api/v1/enrol --- */

static void fail_token(struct call *call, int code)
{
    switch (code) {
    case ERR_EXPIRED:
        call_fail(call, ERR_UNAUTHENTICATED,
                  "this enrolment token has expired: ask an admin for a new one");
        break;
    case ERR_CONFLICT:
        call_fail(
            call, ERR_UNAUTHENTICATED,
            "this enrolment token was for one use and is used up: ask an admin for a "
            "new one");
        break;
    default:
        call_fail(call, ERR_UNAUTHENTICATED,
                  "unknown enrolment token: check it, or ask an admin for a new one");
        break;
    }
}

static void use_settled(struct node *node, struct call *call)
{
    const struct enrol *enrol = call->data;
    struct command_result result;
    (void)node;
    if (command_result_read(enrol->proposal.result, &result) != 0)
        call_fail(call, ERR_INTERNAL, "the result of the command cannot be read");
    else if (result.code != 0)
        fail_token(call, result.code);
    call_done(call);
}

static void use_core(struct node *node, struct call *call)
{
    struct enrol *enrol = call->data;
    char text[UUID_TEXT_LEN + 1];
    struct command cmd = {.kind = COMMAND_TOKEN_USE,
                          .cluster_id = enrol->cluster_id,
                          .token_use = {.used_by = enrol->agent_id}};
    memcpy(cmd.token_use.hash, call->token_hash, SHA256_LEN);
    call_target(call, "agents/%s", uuid_print(&enrol->agent_id, text));
    call_propose(node, call, &enrol->proposal, &cmd, use_settled);
}

static void enrol_answer(struct call *call)
{
    const struct enrol *enrol = call->data;
    struct json *answer = certificate_json(call, enrol);
    json_set(answer, "cluster_id", json_uuid(&enrol->cluster_id));
    json_set(answer, "agent_id", json_uuid(&enrol->agent_id));
    json_set(answer, "agent_url", json_string(call->service->agents_url));
    call_reply_json(call, 200, answer);
}

static void enrol_sign(struct call *call)
{
    if (sign(call, call->data))
        call_ask(call, use_core, enrol_answer);
}

static void find_core(struct node *node, struct call *call)
{
    struct enrol *enrol = call->data;
    const struct token *token = state_token(node_state(node), call->token_hash);

    if (token == NULL)
        fail_token(call, ERR_NOT_FOUND);
    else if (token->token_kind != TOKEN_ENROL)
        call_fail(call, ERR_FORBIDDEN,
                  "this token does not enrol agents: use an enrolment token");
    else if (token->expires_at_ms != 0 && token->expires_at_ms <= node_now_ms(node))
        fail_token(call, ERR_EXPIRED);
    else if (token->single_use && token->used_at_ms != 0 &&
             !uuid_eq(&token->used_by, &enrol->agent_id))
        fail_token(call, ERR_CONFLICT);
    else
        enrol->cluster_id = token->cluster_id;
    if (call->err.code == 0)
        call_as_token(call, token);
    call_done(call);
}

void api_enrol(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct enrol *enrol = arena_alloc(&call->arena, sizeof(*enrol));

    enrol->request_pem = json_get_string(&r, call->body, "request_pem", X509_PEM_MAX);
    enrol->agent_id = json_get_uuid(&r, call->body, "agent_id");
    if (r.failed)
        return;
    if (uuid_is_zero(&enrol->agent_id)) {
        call_fail(call, ERR_INVALID, "agent_id: the zero uuid names nobody");
        return;
    }
    str_init(&enrol->certificate, X509_PEM_MAX);
    call->data = enrol;
    call->cleanup = enrol_cleanup;
    call_ask(call, find_core, enrol_sign);
}

/* --- POST /agent/v1/renew --- */

static void renew_core(struct node *node, struct call *call)
{
    (void)node; /* that the cluster exists is known by now */
    call_done(call);
}

static void renew_answer(struct call *call)
{
    struct enrol *enrol = call->data;
    if (sign(call, enrol))
        call_reply_json(call, 200, certificate_json(call, enrol));
}

void api_renew(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct enrol *enrol = arena_alloc(&call->arena, sizeof(*enrol));

    enrol->request_pem = json_get_string(&r, call->body, "request_pem", X509_PEM_MAX);
    if (r.failed)
        return;
    enrol->cluster_id = call->cluster_id;
    enrol->agent_id = call->agent_id;
    str_init(&enrol->certificate, X509_PEM_MAX);
    call->data = enrol;
    call->cleanup = enrol_cleanup;
    call_ask(call, renew_core, renew_answer);
}
