/* store_check.c - PUT, then GET; again after a while when that may help. */
#include "agent/store_check.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crc32c.h"
#include "common/log.h"
#include "common/mem.h"

#define KEY         "agent-check"
#define TRY_MS      3000
#define AGAIN_MS    1000
#define LOG_EVERY   10000
#define TEXT_MAX    (ERR_TEXT_MAX + 256)
#define CONTENT_LEN (sizeof(content) - 1)

static const char content[] = "Weft's agents may write and read here.\n";

struct store_check {
    struct loop *loop;
    struct store *store;
    struct mailbox replies;
    struct store_request request;
    struct slice piece;
    struct loop_timer timer;
    struct log_limit log_limit;
    char why[TEXT_MAX];
    bool busy; /* the store has the request */
    bool stopped;
    store_check_fn *done;
    void *arg;
};

/* What people can do about it, beside what the store said. */
static const char *advice(int code)
{
    switch (code) {
    case ERR_FORBIDDEN:
        return ": let this agent's identity do s3:PutObject and s3:GetObject there";
    case ERR_UNAUTHENTICATED:
        return ": give the right keys (--store-access-key and --store-secret-key, the "
               "AWS "
               "environment, or the role of this machine or pod)";
    case ERR_UNAVAILABLE:
    case ERR_TIMEOUT:
        return ": check the endpoint in --store, and that the network lets this machine "
               "reach it";
    case ERR_NO_SPACE:
        return ": make room";
    default:
        return "";
    }
}

static void send_request(struct store_check *check, enum store_kind kind)
{
    check->request.kind = kind;
    check->request.deadline_at_ms = clock_monotonic_ms() + TRY_MS;
    check->busy = true;
    store_send(check->store, &check->request);
}

static void on_failure(struct store_check *check, const struct err *err)
{
    uint64_t dropped;

    snprintf(check->why, sizeof(check->why), "the object store cannot be used: %s%s",
             err->text, advice(err->code));
    if (!err_retriable(err->code)) {
        check->done(err->code, check->why, check->arg);
        return;
    }
    if (log_limit_pass(&check->log_limit, loop_now_ms(check->loop), &dropped))
        log_warn("store", "not ready, trying again", "err=%s", LOG_QUOTED(check->why));
    loop_timer_set(&check->timer, AGAIN_MS);
}

static void on_done(struct store_request *request)
{
    struct store_check *check = request->arg;
    struct err err = request->err;

    check->busy = false;
    if (request->blob != NULL)
        blob_unref(request->blob);
    request->blob = NULL;
    if (check->stopped)
        return;
    /* Something else under that name proves as much. */
    if (request->kind == STORE_PUT && err.code == ERR_EXISTS)
        err.code = 0;
    if (err.code != 0) {
        on_failure(check, &err);
    } else if (request->kind == STORE_PUT) {
        send_request(check, STORE_GET);
    } else {
        check->why[0] = '\0';
        check->done(0, NULL, check->arg);
    }
}

static void on_reply(struct message *message, void *arg)
{
    struct store_request *request = CONTAINER_OF(message, struct store_request, message);
    (void)arg;
    request->done(request);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
    (void)timer;
    send_request(arg, STORE_PUT);
}

struct store_check *store_check_start(struct loop *loop, struct store *store,
                                      store_check_fn *done, void *arg)
{
    struct store_check *check = mem_zalloc(sizeof(*check));

    check->loop = loop;
    check->store = store;
    check->done = done;
    check->arg = arg;
    check->log_limit.interval_ms = LOG_EVERY;
    check->piece = slice_of(content, CONTENT_LEN);
    mailbox_init(&check->replies, loop, on_reply, check);
    loop_timer_init(&check->timer, loop, on_timer, check);
    memcpy(check->request.key, KEY, sizeof(KEY));
    check->request.pieces = &check->piece;
    check->request.piece_count = 1;
    check->request.crc = crc32c(content, CONTENT_LEN);
    check->request.reply_to = &check->replies;
    check->request.done = on_done;
    check->request.arg = check;
    loop_timer_set(&check->timer, 0);
    return check;
}

const char *store_check_why(const struct store_check *check)
{
    return check->why;
}

void store_check_stop(struct store_check *check)
{
    if (check == NULL || check->stopped)
        return;
    check->stopped = true;
    loop_timer_cancel(&check->timer);
    if (check->busy)
        store_cancel(check->store, &check->request);
}

bool store_check_idle(const struct store_check *check)
{
    return check == NULL || !check->busy;
}

void store_check_free(struct store_check *check)
{
    if (check == NULL)
        return;
    ASSERT(!check->busy);
    loop_timer_fini(&check->timer);
    mailbox_fini(&check->replies);
    mem_free(check);
}
