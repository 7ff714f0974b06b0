/* client_thread.c - the threads of the front, and the front itself. */
#include "agent/client_thread.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "agent/conn.h"
#include "agent/dispatch.h"
#include "agent/listener.h"
#include "agent/metrics.h"
#include "agent/request.h"
#include "agent/steering.h"
#include "common/block.h"
#include "common/check.h"
#include "common/metric.h"
#include "proto/kafka_gen.h"

#define SWEEP_MS        1000
#define LOG_INTERVAL_MS 1000

/* Descriptors beside those of clients: store, control plane, logs. */
#define SPARE_DESCRIPTORS 512

/* A request that is not a Produce; the largest are Fetches of very many partitions. */
#define OTHER_REQUEST_MAX_BYTES (8 * MIB)

enum control_type { CONTROL_START, CONTROL_ADOPT, CONTROL_DRAIN, CONTROL_STOP };

struct adopt {
    struct message message;
    int fd;
    struct sockaddr_storage peer;
};

const struct front_options front_defaults = {
    .max_connections = 20000,
    .max_request_bytes = 100 * MIB,
    .connection_max_requests = 1000,
    .connection_max_bytes = 100 * MIB,
    .idle_timeout_ms = 600000,
    .frame_timeout_ms = 30000,
    .write_timeout_ms = 60000,
    .fetch_max_bytes = (int64_t)(55 * MIB),
    .auto_create_topics = true,
    .default_partitions = 1,
    .default_replication_factor = 1,
};

/* ---- one thread ---- */

/* That one accepts, and does what is done once a process. */
static bool is_first(const struct client_thread *thread)
{
    return thread == &thread->front->threads[0];
}

static void on_sweep(struct loop_timer *timer, void *arg)
{
    struct client_thread *thread = arg;
    int64_t now_ms = loop_now_ms(thread->loop);
    LIST_FOREACH(node, next, &thread->conns)
    conn_sweep(CONTAINER_OF(node, struct conn, node), now_ms);
    if (is_first(thread))
        block_trim(now_ms);
    loop_timer_set(timer, SWEEP_MS);
}

/* Give each that waits for memory one try; those without luck queue up again. */
static void on_memory(struct loop_timer *timer, void *arg)
{
    struct client_thread *thread = arg;
    (void)timer;
    struct list waiting;
    struct list_node *node;
    list_init(&waiting);
    list_splice(&waiting, &thread->starved);
    while ((node = list_first(&waiting)) != NULL)
        conn_feed_starved(CONTAINER_OF(node, struct conn, starved));
}

static void on_post(struct loop_deferred *deferred)
{
    struct client_thread *thread = CONTAINER_OF(deferred, struct client_thread, post);
    struct message *message = thread->outbox;
    thread->outbox = NULL;
    thread->outbox_end = &thread->outbox;
    while (message != NULL) {
        struct message *next = message->next;
        core_send(thread->front->options.core,
                  CONTAINER_OF(message, struct ask, message));
        message = next;
    }
}

void client_thread_ask(struct client_thread *thread, struct ask *ask)
{
    thread->asks++;
    ask->message.next = NULL;
    *thread->outbox_end = &ask->message;
    thread->outbox_end = &ask->message.next;
    loop_defer(thread->loop, &thread->post);
}

static void on_stopped(struct loop_deferred *deferred)
{
    struct client_thread *thread = CONTAINER_OF(deferred, struct client_thread, stopped);
    if (thread->all_stopped != NULL)
        sem_post(thread->all_stopped);
}

static void stop_if_done(struct client_thread *thread)
{
    if (thread->stopping && thread->asks == 0)
        loop_defer(thread->loop, &thread->stopped);
}

static void on_answer(struct message *message, void *arg)
{
    struct client_thread *thread = arg;
    struct ask *ask = CONTAINER_OF(message, struct ask, message);
    struct request *req = ask->arg;

    thread->asks--;
    if (message->type == ASK_FETCH) {
        /* The blobs are the request's, whether its connection is still there or not. */
        struct fetch_ask *fetch = CONTAINER_OF(ask, struct fetch_ask, ask);
        req->blobs = fetch->blobs;
        req->blob_count = fetch->blob_count;
    }
    request_on_ask(req, ask);
    stop_if_done(thread);
}

static void serve(struct client_thread *thread, int fd,
                  const struct sockaddr_storage *peer)
{
    if (thread->draining) {
        close(fd);
        atomic_fetch_sub_explicit(&thread->conn_count, 1, memory_order_relaxed);
        atomic_fetch_sub_explicit(&thread->front->connections, 1, memory_order_relaxed);
        return;
    }
    (void)conn_new(thread, fd, peer);
}

static void on_control(struct message *message, void *arg)
{
    struct client_thread *thread = arg;
    switch ((enum control_type)message->type) {
    case CONTROL_START:
        client_thread_run(thread);
        break;
    case CONTROL_ADOPT: {
        struct adopt *adopt = CONTAINER_OF(message, struct adopt, message);
        serve(thread, adopt->fd, &adopt->peer);
        mem_free(adopt);
        break;
    }
    case CONTROL_DRAIN:
        client_thread_drain(thread);
        break;
    case CONTROL_STOP:
        client_thread_close(thread);
        break;
    }
}

void client_thread_init(struct client_thread *thread, struct front *front,
                        struct loop *loop)
{
    thread->front = front;
    thread->loop = loop;
    list_init(&thread->conns);
    list_init(&thread->starved);
    thread->kill_log.interval_ms = thread->slow_log.interval_ms = LOG_INTERVAL_MS;
    thread->scratch = mem_alloc(SCRATCH_BYTES);
    atomic_init(&thread->conn_count, 0);
    thread->outbox_end = &thread->outbox;
    loop_deferred_init(&thread->post, on_post);
    loop_deferred_init(&thread->stopped, on_stopped);
    thread->start.type = CONTROL_START;
    thread->drain.type = CONTROL_DRAIN;
    thread->stop.type = CONTROL_STOP;
    mailbox_init(&thread->answers, loop, on_answer, thread);
    mailbox_init(&thread->control, loop, on_control, thread);
}

void client_thread_run(struct client_thread *thread)
{
    struct front *front = thread->front;
    loop_timer_init(&thread->sweep, thread->loop, on_sweep, thread);
    loop_timer_init(&thread->memory, thread->loop, on_memory, thread);
    thread->timers = true;
    loop_timer_set(&thread->sweep, SWEEP_MS);
    for (size_t i = 0; is_first(thread) && i < front->listener_count; i++)
        listener_attach(&front->listeners[i], thread->loop);
}

void client_thread_adopt(struct client_thread *thread, int fd,
                         const struct sockaddr_storage *peer)
{
    struct adopt *adopt = mem_zalloc(sizeof(*adopt));
    adopt->message.type = CONTROL_ADOPT;
    adopt->fd = fd;
    adopt->peer = *peer;
    /* Counted at once, so that the limit and the choice of threads see it. */
    atomic_fetch_add_explicit(&thread->conn_count, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&thread->front->connections, 1, memory_order_relaxed);
    mailbox_send(&thread->control, &adopt->message);
}

void client_thread_drain(struct client_thread *thread)
{
    struct front *front = thread->front;
    thread->draining = true;
    for (size_t i = 0; is_first(thread) && i < front->listener_count; i++)
        listener_close(&front->listeners[i]);
    LIST_FOREACH(node, next, &thread->conns)
    conn_finish(CONTAINER_OF(node, struct conn, node));
}

void client_thread_close(struct client_thread *thread)
{
    client_thread_drain(thread);
    thread->stopping = true;
    LIST_FOREACH(node, next, &thread->conns)
    conn_kill(CONTAINER_OF(node, struct conn, node), NULL);
    if (thread->timers) {
        loop_timer_fini(&thread->sweep);
        loop_timer_fini(&thread->memory);
        thread->timers = false;
    }
    stop_if_done(thread);
}

void client_thread_fini(struct client_thread *thread)
{
    mailbox_drain(&thread->control); /* sockets handed over too late */
    ASSERT(list_empty(&thread->conns) && thread->asks == 0);
    mailbox_fini(&thread->answers);
    mailbox_fini(&thread->control);
    mem_free(thread->scratch);
}

/* ---- the front ---- */

static int check(const struct front_options *options, struct err *err)
{
    if (options->threads > FRONT_THREADS_MAX)
        return err_set(err, ERR_INVALID, "client-threads: at most %d", FRONT_THREADS_MAX);
    if (options->max_request_bytes < 64 * KIB || options->max_request_bytes > GIB)
        return err_set(err, ERR_INVALID, "max-request-bytes: from 64 KiB to 1 GiB");
    if (options->connection_max_requests == 0 || options->connection_max_bytes == 0)
        return err_set(err, ERR_INVALID,
                       "connection-max-requests and -bytes must be at least 1");
    if (options->default_partitions < 1 || options->default_replication_factor < 1)
        return err_set(err, ERR_INVALID,
                       "default-partitions and default-replication-factor: at least 1");
    if (options->idle_timeout_ms <= 0 || options->frame_timeout_ms <= 0 ||
        options->write_timeout_ms <= 0 || options->fetch_max_bytes < (int64_t)KIB)
        return err_set(err, ERR_INVALID,
                       "client timeouts and fetch-max-bytes: too small");
    return 0;
}

static char *copy_text(const char *text)
{
    return text == NULL ? NULL : mem_strdup(text);
}

int front_new(const struct front_options *options, struct front **front, struct err *err)
{
    struct zone_table *zones;
    int rc = check(options, err);
    if (rc == 0)
        rc = zone_table_new(options->zone_cidr, &zones, err);
    if (rc != 0)
        return rc;
    struct front *made = mem_zalloc(sizeof(*made));
    made->options = *options;
    made->options.listen = copy_text(options->listen);
    made->options.zone_cidr = copy_text(options->zone_cidr);
    made->options.log_level = copy_text(options->log_level);
    made->options.store = copy_text(options->store);
    made->zones = zones;
    made->frame_limits = (struct frame_limits){
        .produce_max_bytes = options->max_request_bytes,
        .other_max_bytes = MIN(options->max_request_bytes, OTHER_REQUEST_MAX_BYTES),
        .budget = options->budget,
    };
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    made->thread_count =
        options->threads != 0 ? options->threads : (size_t)MAX(MIN(cores, 64L), 1L);
    made->threads = mem_zalloc(made->thread_count * sizeof(*made->threads));
    *front = made;
    return 0;
}

/* Let the process have as many descriptors as its connections need; where the system
 * does not, serve fewer connections instead of failing to accept. */
static void fit_descriptors(struct front_options *options)
{
    struct rlimit limit;
    rlim_t wanted = options->max_connections + SPARE_DESCRIPTORS;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = MIN(wanted, limit.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        limit.rlim_cur = before;
    if (limit.rlim_cur >= wanted)
        return;
    options->max_connections = (size_t)(limit.rlim_cur > 2 * SPARE_DESCRIPTORS
                                            ? limit.rlim_cur - SPARE_DESCRIPTORS
                                            : MAX(limit.rlim_cur / 2, (rlim_t)1));
    log_info("front", "max-connections is lowered to what the descriptor limit allows",
             "max_connections=%zu limit=%llu", options->max_connections,
             (unsigned long long)limit.rlim_cur);
}

/* Stop and join the first N threads. */
static void stop_threads(struct front *front, size_t n)
{
    sem_t stopped;
    sem_init(&stopped, 0, 0);
    for (size_t i = 0; i < n; i++) {
        front->threads[i].all_stopped = &stopped;
        mailbox_send(&front->threads[i].control, &front->threads[i].stop);
    }
    for (size_t i = 0; i < n; i++) {
        while (sem_wait(&stopped) != 0)
            continue; /* a signal */
    }
    for (size_t i = 0; i < n; i++) {
        loop_thread_stop(&front->threads[i].thread);
        client_thread_fini(&front->threads[i]);
        loop_thread_fini(&front->threads[i].thread);
    }
    sem_destroy(&stopped);
}

int front_start(struct front *front, struct err *err)
{
    front->listeners = mem_zalloc(FRONT_LISTENERS_MAX * sizeof(*front->listeners));
    int rc = listener_bind_all(front, front->options.listen, front->listeners,
                               FRONT_LISTENERS_MAX, &front->listener_count, err);
    if (rc != 0)
        return rc;
    fit_descriptors(&front->options);
    for (size_t i = 0; i < front->thread_count; i++) {
        rc = loop_thread_start(&front->threads[i].thread, "client");
        if (rc != 0) {
            stop_threads(front, i);
            for (size_t j = 0; j < front->listener_count; j++)
                listener_close(&front->listeners[j]);
            return err_set(err, rc, "client-threads: cannot start thread %zu", i);
        }
        client_thread_init(&front->threads[i], front, front->threads[i].thread.loop);
    }
    /* The first one, which accepts, last: all others are ready then. */
    for (size_t i = front->thread_count; i-- > 0;)
        mailbox_send(&front->threads[i].control, &front->threads[i].start);
    return 0;
}

int front_port(const struct front *front, size_t i)
{
    return i < front->listener_count ? front->listeners[i].port : 0;
}

void front_drain(struct front *front)
{
    for (size_t i = 0; i < front->thread_count; i++)
        mailbox_send(&front->threads[i].control, &front->threads[i].drain);
}

bool front_idle(const struct front *front)
{
    return atomic_load_explicit(&front->requests, memory_order_acquire) == 0;
}

void front_stop(struct front *front)
{
    stop_threads(front, front->thread_count);
}

void front_free(struct front *front)
{
    union {
        const char *from;
        char *to; /* texts copied by front_new */
    } texts[] = {{front->options.listen},
                 {front->options.zone_cidr},
                 {front->options.log_level},
                 {front->options.store}};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        mem_free(texts[i].to);
    zone_table_free(front->zones);
    mem_free(front->listeners);
    mem_free(front->threads);
    mem_free(front);
}

void front_print_metrics(const struct front *front, struct str *out)
{
    metric_print_head(agent_family(requests_total), out);
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
        char labels[64];
        const struct kafka_api *api = &kafka_apis[i];
        if (dispatch_find(api->key) == NULL)
            continue;
        snprintf(labels, sizeof(labels), "api=\"%s\"", api->name);
        metric_print_int(
            agent_family(requests_total), labels,
            (int64_t)atomic_load_explicit(&front->served[api->key], memory_order_relaxed),
            out);
    }
}
