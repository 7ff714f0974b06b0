/* problem.h - RFC 9457 problem details: how every refusal is answered. */
#ifndef CONTROLPLANE_PROBLEM_H
#define CONTROLPLANE_PROBLEM_H

#include "common/err.h"
#include "common/str.h"
#include "controlplane/http_server.h"

/* Answer X with ERR: its status by err.def, {"type","title","status","detail","code"},
 * and what HTTP wants beside: Retry-After for 429, 503 and 507, WWW-Authenticate for
 * 401. LEADER (may be NULL): our leader's address, named when the code is NOT_LEADER;
 * RETRY_MS (0: a second): when to come again. */
void problem_reply(struct http_exchange *x, const struct err *err, const char *leader,
                   int64_t retry_ms);
/* The same where err.def has no row for it: 405, 415. */
void problem_reply_status(struct http_exchange *x, int status, const char *title,
                          const char *detail);

#endif
