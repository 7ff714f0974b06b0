/* request.c - the life of a request. */
#include "agent/request.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "agent/client_thread.h"
#include "agent/conn.h"
#include "agent/dispatch.h"
#include "agent/steering.h"
#include "common/check.h"
#include "common/cursor.h"
#include "common/mem.h"

/* What one request may make us build: decoded, with what its handler adds, and with what
 * the core adds (for a fetch reply, which is bounded, some bytes a batch). */
#define DECODED_MAX_BYTES (32 * MIB)
#define HANDLER_MAX_BYTES (64 * MIB)
#define ARENA_MAX_BYTES   (256 * MIB)
#define REPLY_MAX_BYTES   (64 * MIB)

/* How long a request waits for newer metadata. */
#define REFRESH_TIMEOUT_MS 5000
/* A reply that took so long is worth a line; as much of a client's id is in it. */
#define SLOW_MS          2000
#define CLIENT_ID_LOGGED 64

/* Count what the arena has grown to in the budget, so that reading stops in time. */
static void charge(struct request *req)
{
    size_t used = arena_used(&req->arena);
    if (used > req->charged_bytes) {
        budget_force(req->thread->front->options.budget, used - req->charged_bytes);
        req->charged_bytes = used;
    }
}

static void set_outstanding(struct request *req, size_t bytes)
{
    if (req->conn != NULL)
        req->conn->outstanding_bytes += bytes - req->outstanding_bytes;
    req->outstanding_bytes = bytes;
}

static int decode(struct request *req, struct err *err)
{
    struct reader r;
    reader_init(&r, blob_slice(req->frame));
    int rc = header_read_request(&r, &req->header);
    if (rc != 0)
        return err_set(err, rc, "request header: %s", err_text(rc));
    if (req->header.downgrade)
        return 0;
    const struct kafka_api *api = req->header.api;
    if (dispatch_find(api->key) == NULL)
        return err_set(err, ERR_UNSUPPORTED, "%s is not served", api->name);
    req->body = codec_new(api->request->body, 1, &req->arena);
    ASSERT(req->body != NULL);
    rc = codec_decode(api->request, req->header.api_version, &r, &req->arena, req->body);
    if (rc != 0)
        return err_set(err, rc, "%s request of version %d: %s", api->name,
                       req->header.api_version, err_text(rc));
    return 0;
}

int request_new(struct conn *conn, struct blob *frame, struct request **req,
                struct err *err)
{
    struct request *made = mem_zalloc(sizeof(*made));
    list_node_init(&made->node);
    made->conn = conn;
    made->thread = conn->thread;
    made->begun_at_ms = loop_now_ms(conn->thread->loop);
    made->frame = frame;
    arena_init(&made->arena, DECODED_MAX_BYTES);
    codec_out_init(&made->out, REPLY_MAX_BYTES);
    atomic_fetch_add_explicit(&made->thread->front->requests, 1, memory_order_relaxed);
    set_outstanding(made, frame->len);
    int rc = decode(made, err);
    if (rc != 0) {
        request_free(made);
        return rc;
    }
    arena_set_max(&made->arena, HANDLER_MAX_BYTES);
    charge(made);
    int16_t key = made->header.api->key;
    atomic_fetch_add_explicit(&made->thread->front->served[key], 1, memory_order_relaxed);
    *req = made;
    return 0;
}

/* What the handler worked with is not needed once the reply is encoded. */
static void let_go(struct request *req)
{
    blob_unref(req->frame);
    req->frame = NULL;
    if (req->view != NULL)
        meta_release(req->view);
    req->view = NULL;
}

void request_free(struct request *req)
{
    ASSERT(req->state != REQUEST_ASKING);
    list_remove(&req->node);
    let_go(req);
    set_outstanding(req, 0);
    codec_out_fini(&req->out);
    for (size_t i = 0; i < req->blob_count; i++)
        blob_unref(req->blobs[i]);
    arena_fini(&req->arena);
    budget_give(req->thread->front->options.budget, req->charged_bytes);
    atomic_fetch_sub_explicit(&req->thread->front->requests, 1, memory_order_release);
    mem_free(req);
}

/* Close the connection of a request that cannot be answered. */
static void give_up(struct request *req, int rc)
{
    char why[96];
    snprintf(why, sizeof(why), "%s request of version %d: %s", req->header.api->name,
             req->header.api_version, err_text(rc));
    int done = request_close(req, why);
    ASSERT(done == 0);
}

void request_run(struct request *req)
{
    int rc = dispatch_find(req->header.api->key)(req);
    if (rc != 0)
        give_up(req, rc);
}

void request_abandon(struct request *req)
{
    ASSERT(req->state == REQUEST_ASKING);
    list_remove(&req->node);
    req->conn = NULL;
    if (req->asked->message.type != ASK_FETCH && req->asked->message.type != ASK_GROUP)
        return;
    req->cancelling = true;
    req->cancel.asked = req->asked;
    req->cancel.ask.message.type = ASK_CANCEL;
    req->cancel.ask.reply_to = &req->thread->answers;
    req->cancel.ask.arg = req;
    client_thread_ask(req->thread, &req->cancel.ask);
}

void request_on_ask(struct request *req, const struct ask *ask)
{
    if (ask == &req->cancel.ask) {
        req->cancelling = false;
    } else {
        ASSERT(req->state == REQUEST_ASKING);
        req->state = REQUEST_RUNNING;
        /* ASK may be in memory that the handler gives up. */
        if (ask->request_id[0] != '\0')
            memcpy(req->request_id, ask->request_id, sizeof(req->request_id));
    }
    if (req->conn == NULL) {
        if (!req->cancelling && req->state != REQUEST_ASKING)
            request_free(req);
        return;
    }
    /* What the core needed does not take from what the handler may have. */
    arena_set_max(&req->arena,
                  MIN(arena_used(&req->arena) + HANDLER_MAX_BYTES, ARENA_MAX_BYTES));
    int rc = req->on_answer(req);
    if (rc != 0)
        give_up(req, rc);
}

const struct meta_view *request_view(struct request *req)
{
    if (req->view == NULL)
        req->view = meta_acquire(req->thread->front->options.meta);
    return req->view;
}

const struct front_options *request_options(const struct request *req)
{
    return &req->thread->front->options;
}

struct slice request_zone(const struct request *req)
{
    struct slice zone = zone_of_client_id(req->header.client_id);
    if (zone.ptr != NULL)
        return zone;
    return req->conn->rack != NULL ? slice_str(req->conn->rack) : req->conn->zone;
}

struct slice request_client_id(const struct request *req)
{
    struct slice id = req->header.client_id;
    return id.ptr == NULL ? slice_str("") : id;
}

struct slice request_client_host(struct request *req)
{
    const struct sockaddr_storage *peer = &req->conn->peer;
    char text[INET6_ADDRSTRLEN] = "";

    if (peer->ss_family == AF_INET) {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)peer;
        inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
    } else if (peer->ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)(const void *)peer;
        if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
            inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, text, sizeof(text));
        else
            inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
    }
    char *host = request_array(req, sizeof(text) + 1, 1);
    if (host == NULL)
        return slice_str("");
    host[0] = '/';
    memcpy(host + 1, text, sizeof(text));
    return slice_str(host);
}

int64_t request_now_ms(const struct request *req)
{
    return loop_now_ms(req->thread->loop);
}

void *request_array(struct request *req, size_t n, size_t size)
{
    return arena_try_array(&req->arena, n, size);
}

void request_expect(struct request *req, size_t reply_bytes)
{
    set_outstanding(req, req->frame->len + reply_bytes);
}

int request_ask(struct request *req, struct ask *ask, enum ask_type type,
                request_answer_fn *on_answer)
{
    ASSERT(req->state == REQUEST_RUNNING);
    req->state = REQUEST_ASKING;
    req->on_answer = on_answer;
    charge(req);
    arena_set_max(&req->arena, ARENA_MAX_BYTES);
    req->asked = ask;
    ask->message.type = (int)type;
    ask->reply_to = &req->thread->answers;
    ask->arena = &req->arena;
    ask->arg = req;
    client_thread_ask(req->thread, ask);
    return 0;
}

static int on_refreshed(struct request *req)
{
    struct metadata_ask *ask = req->own;
    struct conn *conn = req->conn;

    meta_release(req->view);
    req->view = NULL;
    req->own = NULL;
    req->refreshed = true;
    req->refresh_failed = ask->kafka_error != 0;
    /* First this one, then what came behind it. */
    int rc = dispatch_find(req->header.api->key)(req);
    conn_release(conn);
    return rc;
}

int request_refresh(struct request *req)
{
    ASSERT(!req->refreshed && req->view != NULL);
    struct metadata_ask *ask = request_array(req, 1, sizeof(*ask));
    if (ask == NULL)
        return ERR_TOO_LARGE;
    ask->deadline_at_ms = request_now_ms(req) + REFRESH_TIMEOUT_MS;
    req->own = ask;
    conn_hold(req->conn);
    return request_ask(req, &ask->ask, ASK_METADATA, on_refreshed);
}

int request_reply(struct request *req, const void *body)
{
    int16_t version = req->header.downgrade ? 0 : req->header.api_version;
    int rc = header_write_response(req->header.api, version, req->header.correlation_id,
                                   body, &req->out);
    if (rc != 0)
        return rc;
    return request_done(req);
}

int request_close(struct request *req, const char *why)
{
    codec_out_fini(&req->out); /* half a reply, perhaps */
    codec_out_init(&req->out, 0);
    req->closes = true;
    conn_fail(req->conn, why);
    return request_done(req);
}

/* These wait by nature. */
static bool waits(int16_t api_key)
{
    return api_key == KAFKA_FETCH || api_key == KAFKA_JOIN_GROUP ||
           api_key == KAFKA_SYNC_GROUP;
}

static void write_log(struct request *req, enum log_level level, const char *msg,
                      int64_t took_ms, uint64_t not_logged)
{
    char client[CLIENT_ID_LOGGED + 1];
    struct slice id = req->header.client_id;

    snprintf(client, sizeof(client), "%.*s", (int)MIN(id.len, sizeof(client) - 1),
             id.ptr == NULL ? "" : (const char *)id.ptr);
    log_write(level, "request", msg,
              "api=%s version=%d client=%s correlation=%d ms=%lld request=%s "
              "not_logged=%llu",
              req->header.api->name, req->header.api_version, LOG_QUOTED(client),
              req->header.correlation_id, (long long)took_ms,
              req->request_id[0] == '\0' ? "-" : req->request_id,
              (unsigned long long)not_logged);
}

/* Who asked what, and by which call the control plane was asked for it. */
static void log_done(struct request *req)
{
    int64_t now = request_now_ms(req), took_ms = now - req->begun_at_ms;
    uint64_t not_logged = 0;

    if (took_ms >= SLOW_MS && !waits(req->header.api->key) &&
        log_limit_pass(&req->thread->slow_log, now, &not_logged))
        write_log(req, LOG_WARN, "slow request", took_ms, not_logged);
    else if (log_enabled(LOG_DEBUG))
        write_log(req, LOG_DEBUG, "request", took_ms, 0);
}

int request_done(struct request *req)
{
    ASSERT(req->state == REQUEST_RUNNING);
    req->state = REQUEST_DONE;
    log_done(req);
    charge(req);
    let_go(req);
    set_outstanding(req, codec_out_bytes(&req->out));
    conn_on_request_done(req->conn);
    return 0;
}
