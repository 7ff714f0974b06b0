/* request.h - one request of a client, from its frame to its written reply.
 *
 *   request_new   header and body are decoded; ERR_* closes the connection
 *   request_run   the API's handler (dispatch.h): check, act, reply
 *   ...           it replies at once, or asks the core and replies in on_answer
 *   request_free  when the reply is written, or the connection is gone and no ask is out
 *
 * All memory of a request comes from its arena; strings of the body point into its frame.
 * Handlers and on_answer return 0, or an ERR_* for which the connection is closed in
 * place of a reply: that is for what a peer must not do and for replies that would be too
 * large, never for what Kafka has an error code for. Owned by the connection's client
 * thread; while an ask is out, the core may use arena and frame. */
#ifndef AGENT_REQUEST_H
#define AGENT_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/core.h"
#include "agent/meta.h"
#include "common/arena.h"
#include "common/blob.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/list.h"
#include "common/slice.h"
#include "proto/codec.h"
#include "proto/header.h"

struct client_thread;
struct conn;
struct front_options;
struct request;

enum request_state {
    REQUEST_RUNNING, /* its handler runs, or will */
    REQUEST_ASKING,  /* the core has its ask */
    REQUEST_DONE,    /* replied; the reply waits for its turn or is being written */
};

typedef int request_answer_fn(struct request *req);

struct request {
    struct list_node node; /* in conn->requests, or in the thread's dead ones */
    struct conn *conn;     /* NULL: gone */
    struct client_thread *thread;
    enum request_state state;
    struct request_header header;
    struct arena arena;
    struct blob *frame; /* NULL after the reply */
    void *body;         /* the decoded request; NULL for header.downgrade */
    void *own;          /* the handler's, between ask and answer */
    request_answer_fn *on_answer;
    struct ask *asked;        /* the ask that is or was out last */
    struct cancel_ask cancel; /* of an ask whose client is gone */
    bool cancelling;          /* the core has it: the request must not be freed */
    struct meta_view *view;   /* see request_view */
    bool refreshed;           /* the view was brought up to date for this request */
    bool refresh_failed;      /* ... or could not be */
    bool closes;              /* in place of a reply the connection ends */
    struct codec_out out;     /* the reply; empty: none is sent */
    struct codec_out_iter sent;
    size_t sent_in_piece;
    struct blob **blobs; /* the reply borrows from them */
    size_t blob_count;
    size_t outstanding_bytes; /* counted in the connection */
    size_t charged_bytes;     /* of the arena, counted in the budget */
    int64_t begun_at_ms;      /* monotonic */
    /* The call to the control plane that its last ask led to, "" for none. */
    char request_id[ASK_REQUEST_ID_LEN + 1];
};

/* A request out of FRAME, whose reference it takes in any case. On failure ERR says what
 * is wrong with it. */
int request_new(struct conn *conn, struct blob *frame, struct request **req,
                struct err *err) MUST_CHECK;
/* Not while an ask is out. */
void request_free(struct request *req);
/* Run the handler. The connection may be dead afterwards. */
void request_run(struct request *req);
/* The core gave ASK, one of REQ's, back. */
void request_on_ask(struct request *req, const struct ask *ask);
/* The connection is gone while an ask is out. The request frees itself when that is back;
 * what waits for something to happen (a fetch, a join) is called back. */
void request_abandon(struct request *req);

/* ---- for handlers ---- */

/* What is known of the cluster: the same view until the handler has waited. */
const struct meta_view *request_view(struct request *req);
const struct front_options *request_options(const struct request *req);
/* The client's zone: by its client id, the rack of its fetches, or its address; null when
 * unknown. */
struct slice request_zone(const struct request *req);
/* The client's id ("" for null), and its address as Kafka shows it ("/192.0.2.1"); in the
 * arena. */
struct slice request_client_id(const struct request *req);
struct slice request_client_host(struct request *req);
int64_t request_now_ms(const struct request *req); /* monotonic */

/* N zeroed elements out of the arena, or NULL. */
void *request_array(struct request *req, size_t n, size_t size) MUST_CHECK;

/* The reply may be so large: it counts as outstanding from now on. */
void request_expect(struct request *req, size_t reply_bytes);
/* Hand ASK of TYPE to the core; ON_ANSWER runs when it is back. Return its result. */
int request_ask(struct request *req, struct ask *ask, enum ask_type type,
                request_answer_fn *on_answer) MUST_CHECK;
/* Ask the core for newer metadata, then run the handler again, with `refreshed` set.
 * Nothing else of the connection begins before. Return its result. */
int request_refresh(struct request *req) MUST_CHECK;

/* Encode BODY as the reply. Return its result. */
int request_reply(struct request *req, const void *body) MUST_CHECK;
/* Close the connection when it is this request's turn; WHY is logged. Return its result.
 */
int request_close(struct request *req, const char *why) MUST_CHECK;
/* Done, and no reply is sent (acks=0). */
int request_done(struct request *req) MUST_CHECK;

#endif
