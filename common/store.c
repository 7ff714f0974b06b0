/* store.c - the shell that all kinds of object store share.
 *
 * Any thread calls store_send; the request travels as its own message to the worker
 * with the least to do, and back to the caller's mailbox when it is over. A worker is a
 * loop thread that owns its calls:
 *
 *              on_message         start            store_try_done
 *   (mailbox) ----------> READY --------> RUNNING ----------------> finished
 *                           ^                |  may help, time left
 *                           |  on_retry      v
 *                           +------------ WAITING
 *
 * Here are the deadline, the retries, the counters and cancelling; how one try is made
 * is the business of the kind (store_dir.c blocks in it, store_s3.c does not). */
#include "common/store.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/backoff.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/crypto.h"
#include "common/list.h"
#include "common/store_ops.h"

#define ATTEMPT_TIMEOUT_DEFAULT_MS 10000
#define THREADS_MAX                64
/* Messages of our own, beside STORE_REPLY. */
#define STORE_REQUEST 0x5355
#define STORE_CANCEL  0x5356
/* A worker that blocks looks at its timers at least after so many tries. */
#define PUMP_MAX 16

enum call_state { CALL_READY, CALL_RUNNING, CALL_WAITING };

struct store_worker {
    struct store *store;
    struct loop_thread thread;
    struct mailbox mailbox;
    atomic_uint in_flight; /* counted by senders, to choose a worker */
    /* the worker thread's */
    struct list calls; /* all */
    struct list ready; /* to be started, in order */
    struct loop_deferred pump;
    struct loop_timer pump_timer;
    uint64_t seed;
    void *kind; /* made in the worker's thread with the first message */
};

struct store_call {
    struct list_node node;
    struct list_node ready_node;
    struct store_worker *worker;
    struct store_request *request;
    uint64_t id;
    enum call_state state;
    struct store_try try;
    struct backoff backoff;
    struct loop_timer retry_timer; /* inited with the first retry */
    bool has_timer;
    unsigned attempts;
    int64_t started_at_us;
};

struct store_cancel {
    struct message message;
    uint64_t id;
};

struct store {
    const struct store_ops *ops;
    void *kind;
    struct store_worker *workers;
    unsigned worker_count;
    int64_t attempt_timeout_ms;
    atomic_ulong next_id;
    struct {
        atomic_ulong requests[STORE_DELETE + 1];
        atomic_ulong errors[STORE_DELETE + 1];
        atomic_ulong retries;
        atomic_ulong bytes_written, bytes_read;
    } count;
};

static void count(atomic_ulong *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

/* --- keys --- */

static bool key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

/* Neither a directory nor an HTTP client may take a segment for something else. */
static bool segment_ok(const char *segment, size_t len)
{
    if (len == 0 || (len == 1 && segment[0] == '.') ||
        (len == 2 && segment[0] == '.' && segment[1] == '.'))
        return false;
    for (size_t i = 0; i < len; i++)
        if (!key_char(segment[i]))
            return false;
    return true;
}

static int check_segments(const char *text, bool prefix, struct err *err)
{
    const size_t max = sizeof(((struct store_request *)0)->key) - 1;
    const char *at = text;
    if (strnlen(text, max + 1) > max)
        return err_set(err, ERR_INVALID, "the key is longer than %zu bytes", max);
    for (;;) {
        size_t len = strcspn(at, "/");
        if (prefix && at[len] == '\0' && len == 0)
            return 0; /* "" and "a/" are prefixes */
        if (!segment_ok(at, len))
            return err_set(err, ERR_INVALID,
                           "not a key: parts of [A-Za-z0-9._-] with \"/\" between them "
                           "are allowed, not \".\", \"..\" or empty ones");
        if (at[len] == '\0')
            return 0;
        at += len + 1;
    }
}

int store_check_key(const char *key, struct err *err)
{
    return check_segments(key, false, err);
}

int store_check_prefix(const char *prefix, struct err *err)
{
    return check_segments(prefix, true, err);
}

/* --- calls; everything from here to store_open is on the worker's thread --- */

static void finish(struct store_call *call, const struct err *err)
{
    struct store_worker *worker = call->worker;
    struct store_request *request = call->request;

    request->err = *err;
    request->attempts = call->attempts;
    request->elapsed_us = clock_monotonic_us() - call->started_at_us;
    list_remove(&call->node);
    list_remove(&call->ready_node);
    if (call->has_timer)
        loop_timer_fini(&call->retry_timer);
    mem_free(call);
    atomic_fetch_sub_explicit(&worker->in_flight, 1, memory_order_relaxed);
    request->message.type = STORE_REPLY;
    mailbox_send(request->reply_to, &request->message);
}

static void finish_with(struct store_call *call, int code, const char *text)
{
    struct err err;
    err_set(&err, code, "%s", text);
    finish(call, &err);
}

static void make_ready(struct store_call *call)
{
    call->state = CALL_READY;
    list_push_back(&call->worker->ready, &call->ready_node);
}

static void on_retry(struct loop_timer *timer, void *arg)
{
    struct store_call *call = arg;
    (void)timer;
    ASSERT(call->state == CALL_WAITING);
    make_ready(call);
    loop_defer(call->worker->thread.loop, &call->worker->pump);
}

/* How long to wait before the next try, or -1: there is none within the deadline. */
static int64_t retry_delay_ms(struct store_call *call)
{
    int64_t left_ms = call->request->deadline_at_ms - clock_monotonic_ms();
    int64_t delay_ms = backoff_next_ms(&call->backoff);
    /* The server's wish comes on top of our jitter: its clients shall not all return
     * in the same moment. */
    if (call->try.retry_after_ms > 0)
        delay_ms += call->try.retry_after_ms;
    return delay_ms < left_ms ? delay_ms : -1;
}

static void retry_later(struct store_call *call, int64_t delay_ms)
{
    if (!call->has_timer) {
        loop_timer_init(&call->retry_timer, call->worker->thread.loop, on_retry, call);
        call->has_timer = true;
    }
    call->state = CALL_WAITING;
    loop_timer_set(&call->retry_timer, delay_ms);
    count(&call->worker->store->count.retries, 1);
}

static void count_success(struct store *store, const struct store_request *request)
{
    if (request->kind == STORE_PUT) {
        size_t bytes = 0;
        for (size_t i = 0; i < request->piece_count; i++)
            bytes += request->pieces[i].len;
        count(&store->count.bytes_written, bytes);
    } else if (request->kind == STORE_GET) {
        count(&store->count.bytes_read, request->blob->len);
    }
}

void store_try_done(struct store_try *try)
{
    struct store_call *call = CONTAINER_OF(try, struct store_call, try);
    struct store *store = call->worker->store;

    ASSERT(call->state == CALL_RUNNING);
    if (try->err.code == 0) {
        count_success(store, call->request);
        finish(call, &try->err);
        return;
    }
    if (try->err.code != ERR_NOT_FOUND) /* an answer, not a failure */
        count(&store->count.errors[call->request->kind], 1);
    int64_t delay_ms = try->retry ? retry_delay_ms(call) : -1;
    if (delay_ms >= 0) {
        retry_later(call, delay_ms);
        return;
    }
    struct err err = try->err;
    if (call->attempts > 1)
        err_wrap(&err, err.code, "after %u tries", call->attempts);
    finish(call, &err);
}

void store_count_extra(struct store_try *try, enum store_kind kind)
{
    struct store_call *call = CONTAINER_OF(try, struct store_call, try);
    count(&call->worker->store->count.requests[kind], 1);
}

static void start(struct store_call *call)
{
    struct store *store = call->worker->store;
    int64_t left_ms = call->request->deadline_at_ms - clock_monotonic_ms();

    if (left_ms <= 0) {
        finish_with(call, ERR_TIMEOUT,
                    call->attempts == 0 ? "the deadline passed before the first try"
                                        : call->try.err.text);
        return;
    }
    call->state = CALL_RUNNING;
    call->attempts++;
    memset(&call->try, 0, sizeof(call->try));
    call->try.request = call->request;
    call->try.timeout_ms = MIN(left_ms, store->attempt_timeout_ms);
    call->try.number = call->attempts;
    call->try.retry_after_ms = -1;
    count(&store->count.requests[call->request->kind], 1);
    store->ops->start(call->worker->kind, &call->try);
}

/* Start what is ready. Tries that block may take long: look for cancels in between, and
 * go back to the loop now and then, for its timers. */
static void pump_run(struct store_worker *worker)
{
    struct list_node *node;
    for (int i = 0; i < PUMP_MAX; i++) {
        if ((node = list_pop_front(&worker->ready)) == NULL)
            return;
        start(CONTAINER_OF(node, struct store_call, ready_node));
        mailbox_drain(&worker->mailbox);
    }
    loop_timer_set(&worker->pump_timer, 0);
}

static void on_pump(struct loop_deferred *deferred)
{
    pump_run(CONTAINER_OF(deferred, struct store_worker, pump));
}

static void on_pump_timer(struct loop_timer *timer, void *arg)
{
    (void)timer;
    pump_run(arg);
}

static void begin_call(struct store_worker *worker, struct store_request *request)
{
    const struct store_ops *ops = worker->store->ops;
    struct store_call *call = mem_zalloc(sizeof(*call));
    struct err err;

    call->worker = worker;
    call->request = request;
    call->id = (uint64_t)(uintptr_t)request->impl;
    call->started_at_us = clock_monotonic_us();
    backoff_init(&call->backoff, ops->backoff_base_ms, ops->backoff_max_ms,
                 worker->seed++);
    list_node_init(&call->ready_node);
    list_push_back(&worker->calls, &call->node);
    int code = request->kind == STORE_LIST ? store_check_prefix(request->key, &err)
                                           : store_check_key(request->key, &err);
    if (code == 0 && request->kind == STORE_LIST)
        code = store_check_prefix(request->start_after, &err);
    if (code != 0) {
        finish(call, &err);
        return;
    }
    make_ready(call);
    loop_defer(worker->thread.loop, &worker->pump);
}

static void cancel_call(struct store_worker *worker, uint64_t id)
{
    LIST_FOREACH(node, next, &worker->calls)
    {
        struct store_call *call = CONTAINER_OF(node, struct store_call, node);
        if (call->id != id)
            continue;
        if (call->state == CALL_RUNNING)
            worker->store->ops->cancel(worker->kind, &call->try);
        finish_with(call, ERR_CANCELLED, "cancelled by the caller");
        return;
    }
    /* It is over, and its reply under way. */
}

static void on_message(struct message *message, void *arg)
{
    struct store_worker *worker = arg;
    if (worker->kind == NULL) {
        loop_timer_init(&worker->pump_timer, worker->thread.loop, on_pump_timer, worker);
        worker->kind =
            worker->store->ops->worker_new(worker->store->kind, worker->thread.loop);
    }
    if (message->type == STORE_CANCEL) {
        struct store_cancel *cancel = CONTAINER_OF(message, struct store_cancel, message);
        cancel_call(worker, cancel->id);
        mem_free(cancel);
        return;
    }
    ASSERT(message->type == STORE_REQUEST);
    begin_call(worker, CONTAINER_OF(message, struct store_request, message));
}

/* --- opening and closing --- */

static int worker_start(struct store *store, struct store_worker *worker, unsigned index)
{
    char name[24];
    worker->store = store;
    atomic_init(&worker->in_flight, 0);
    list_init(&worker->calls);
    list_init(&worker->ready);
    loop_deferred_init(&worker->pump, on_pump);
    crypto_random(&worker->seed, sizeof(worker->seed));
    snprintf(name, sizeof(name), "store-%u", index);
    int code = loop_thread_start(&worker->thread, name);
    if (code == 0)
        mailbox_init(&worker->mailbox, worker->thread.loop, on_message, worker);
    return code;
}

static void worker_stop(struct store_worker *worker)
{
    ASSERT(atomic_load(&worker->in_flight) == 0);
    loop_thread_stop(&worker->thread);
    mailbox_drain(&worker->mailbox); /* cancels that came too late */
    if (worker->kind != NULL) {
        worker->store->ops->worker_free(worker->kind);
        loop_timer_fini(&worker->pump_timer);
    }
    mailbox_fini(&worker->mailbox);
    loop_thread_fini(&worker->thread);
}

static const struct store_ops *find_ops(const char *scheme)
{
    static const struct store_ops *const kinds[] = {&store_dir_ops, &store_s3_ops};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i]->scheme, scheme) == 0)
            return kinds[i];
    return NULL;
}

int store_open(const struct store_options *options, struct store **store, struct err *err)
{
    struct store_url url;
    void *kind = NULL;
    int code = store_url_parse(options->url, &url, err);
    if (code != 0)
        return code;
    const struct store_ops *ops = find_ops(url.scheme);
    if (ops == NULL)
        return err_set(err, ERR_INVALID, "there are file:// and s3:// stores, not %s://",
                       url.scheme);
    if (options->threads > THREADS_MAX || options->attempt_timeout_ms < 0)
        return err_set(err, ERR_INVALID, "a store has %d threads at most", THREADS_MAX);
    code = ops->open(options, &url, &kind, err);
    if (code != 0)
        return code;

    struct store *s = mem_zalloc(sizeof(*s));
    unsigned threads = options->threads != 0 ? options->threads : ops->default_threads;
    s->ops = ops;
    s->kind = kind;
    s->attempt_timeout_ms = options->attempt_timeout_ms != 0 ? options->attempt_timeout_ms
                                                             : ATTEMPT_TIMEOUT_DEFAULT_MS;
    atomic_init(&s->next_id, 1);
    s->workers = mem_zalloc(threads * sizeof(*s->workers));
    for (unsigned i = 0; i < threads; i++) {
        code = worker_start(s, &s->workers[i], i);
        if (code != 0) {
            store_close(s);
            return err_set(err, code, "cannot start the threads of the store");
        }
        s->worker_count++;
    }
    *store = s;
    return 0;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    for (unsigned i = 0; i < store->worker_count; i++)
        worker_stop(&store->workers[i]);
    store->ops->close(store->kind);
    mem_free(store->workers);
    mem_free(store);
}

/* --- any thread --- */

void store_send(struct store *store, struct store_request *request)
{
    unsigned best = 0;
    unsigned best_load = 0;
    uint64_t serial = atomic_fetch_add_explicit(&store->next_id, 1, memory_order_relaxed);

    ASSERT(request->kind <= STORE_DELETE && request->reply_to != NULL);
    /* The least loaded; among equals by turns, so that a slow try of one worker does
     * not wait for the next. */
    for (unsigned i = 0; i < store->worker_count; i++) {
        unsigned w = (unsigned)((serial + i) % store->worker_count);
        unsigned load =
            atomic_load_explicit(&store->workers[w].in_flight, memory_order_relaxed);
        if (i == 0 || load < best_load) {
            best = w;
            best_load = load;
        }
    }
    atomic_fetch_add_explicit(&store->workers[best].in_flight, 1, memory_order_relaxed);
    request->err.code = 0;
    request->err.text[0] = '\0';
    request->blob = NULL;
    request->keys = NULL;
    request->sizes = NULL;
    request->modified_ms = NULL;
    request->key_count = 0;
    request->more = false;
    request->object_size = 0;
    /* The worker never writes impl, so that store_cancel may read it at any time. */
    request->impl = (void *)(uintptr_t)(serial * THREADS_MAX + best);
    request->message.type = STORE_REQUEST;
    mailbox_send(&store->workers[best].mailbox, &request->message);
}

void store_cancel(struct store *store, struct store_request *request)
{
    struct store_cancel *cancel = mem_alloc(sizeof(*cancel));
    cancel->message.type = STORE_CANCEL;
    cancel->id = (uint64_t)(uintptr_t)request->impl;
    mailbox_send(&store->workers[cancel->id % THREADS_MAX].mailbox, &cancel->message);
}

void store_counters(const struct store *store, struct store_counters *counters)
{
    for (int i = 0; i <= STORE_DELETE; i++) {
        counters->requests[i] =
            atomic_load_explicit(&store->count.requests[i], memory_order_relaxed);
        counters->errors[i] =
            atomic_load_explicit(&store->count.errors[i], memory_order_relaxed);
    }
    counters->retries = atomic_load_explicit(&store->count.retries, memory_order_relaxed);
    counters->bytes_written =
        atomic_load_explicit(&store->count.bytes_written, memory_order_relaxed);
    counters->bytes_read =
        atomic_load_explicit(&store->count.bytes_read, memory_order_relaxed);
}
