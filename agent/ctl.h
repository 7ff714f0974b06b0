/* ctl.h - the agent's client of the control plane: typed calls on the core's loop.
 *
 * Knows the addresses, enrols, renews the certificate at two thirds of its life, finds
 * the leader (421), retries with backoff until the call's deadline, keeps the clock
 * offset. Every call gets exactly one callback, never from inside the call. Values in
 * an answer live until the callback returns. */
#ifndef AGENT_CTL_H
#define AGENT_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/http_client.h"
#include "common/json.h"
#include "common/loop.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

struct ctl;

struct ctl_options {
    const char *urls;           /* --control-plane, comma-separated */
    const char *ca_fingerprint; /* hex SHA-256 of the CA certificate */
    const char *enrolment_token;
    const struct ctl_transport *transport; /* NULL: HTTPS; tests give their own */
};

/* How requests leave: http_client.h's calls behind a table. */
struct ctl_transport {
    struct http_call *(*send)(const struct http_request *request, http_done_fn *done,
                              void *done_arg, void *arg);
    void (*cancel)(struct http_call *call, void *arg);
    void (*set_tls)(const struct http_tls *tls, void *arg);
    void *arg;
};

/* ERR_INVALID names an option that is missing or cannot be right. */
int ctl_new(struct loop *loop, const struct ctl_options *options, struct ctl **ctl,
            struct err *err) MUST_CHECK;
void ctl_free(struct ctl *ctl); /* cancels calls without callback */

/* Fetch and check the CA, make a key, enrol; retries while the control plane is away.
 * ON_READY(0, ..) once; or a code that retrying cannot mend (wrong CA, wrong token),
 * with a text that says what to do. */
void ctl_enrol(struct ctl *ctl, void (*on_ready)(int code, const char *text, void *arg),
               void *arg);
const struct uuid *ctl_cluster_id(const struct ctl *ctl);
const struct uuid *ctl_agent_id(const struct ctl *ctl);
/* The control plane's wall clock as this agent estimates it. */
int64_t ctl_now_ms(const struct ctl *ctl);
bool ctl_reachable(const struct ctl *ctl); /* the last call got an answer */

/* What /agent/v1/register gave. */
struct ctl_session {
    int32_t node_id;
    int64_t session_ms, watch_ms, commit_max_age_ms;
};

/* Join the cluster as BODY (of /agent/v1/register; ownership moves) says, or change what
 * was said. DONE(0, ..) when it is known there; or a code that retrying cannot mend. When
 * the control plane forgets the session later (409), ctl joins again by itself and goes
 * on with the calls that met it; ON_SESSION is then called again, as at first. */
void ctl_register(struct ctl *ctl, struct json *body,
                  void (*done)(int code, const char *text, void *arg), void *arg);
void ctl_on_session(struct ctl *ctl,
                    void (*on_session)(const struct ctl_session *session, void *arg),
                    void *arg);
const struct ctl_session *ctl_session(const struct ctl *ctl);

/* Tell the control plane that this agent goes, so that the cluster forgets it at once; it
 * does not join again after that. DONE once, after WAIT_MS at the latest. */
void ctl_leave(struct ctl *ctl, int64_t wait_ms,
               void (*done)(int code, const char *text, void *arg), void *arg);

struct ctl_call;

/* A call's id, the same for all its tries: the beginning of the agent's id, and a number.
 * It goes along as X-Request-Id; both sides' logs name it. */
#define CTL_REQUEST_ID_LEN 25
const char *ctl_request_id(const struct ctl_call *call);

/* A JSON call. BODY: ownership moves. CODE: 0 and ANSWER, or an ERR_* and TEXT. Retries
 * retriable failures until DEADLINE_AT_MS (monotonic; 0: for ever). */
typedef void ctl_done_fn(int code, const char *text, const struct json *answer,
                         void *arg);
struct ctl_call *ctl_send(struct ctl *ctl, const char *path, struct json *body,
                          int64_t deadline_at_ms, ctl_done_fn *done, void *arg);
/* The same with a body that is JSON text already; TEXT is empty afterwards. */
struct ctl_call *ctl_send_text(struct ctl *ctl, const char *path, struct str *text,
                               int64_t deadline_at_ms, ctl_done_fn *done, void *arg);
/* The same for a call that the control plane may park for PATIENCE_MS (watch). */
struct ctl_call *ctl_send_patient(struct ctl *ctl, const char *path, struct json *body,
                                  int64_t patience_ms, int64_t deadline_at_ms,
                                  ctl_done_fn *done, void *arg);
void ctl_cancel(struct ctl_call *call); /* no callback */

#endif
