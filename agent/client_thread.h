/* client_thread.h - the agent's front: threads that own the Kafka clients' connections.
 *
 * A front has N client threads, each a loop. The first also accepts, and hands each new
 * socket to the thread that has the fewest. From then on a connection, its requests and
 * their memory belong to that one thread; it talks to the core thread by asks (core.h).
 *
 * The agent's main uses the front_* calls, from one thread of its own:
 *
 *   front_new  -> front_start -> ... -> front_drain -> (core finishes what it has)
 *              -> front_stop -> front_free
 *
 * front_stop waits until the core has given back every ask: the core must still run, or
 * have answered them all. Tests use client_thread_init on a loop of their own. */
#ifndef AGENT_CLIENT_THREAD_H
#define AGENT_CLIENT_THREAD_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "agent/core.h"
#include "agent/frame.h"
#include "agent/meta.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/list.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/str.h"

struct front;

struct front_options {
    const char *listen; /* "HOST:PORT[,HOST:PORT...]"; port 0: a free one */
    size_t threads;     /* 0: one a core */
    size_t max_connections;
    size_t max_request_bytes;       /* of a Produce request (socket.request.max.bytes) */
    size_t connection_max_requests; /* not yet answered, before reading stops */
    size_t connection_max_bytes;    /* of requests and replies, likewise */
    int64_t idle_timeout_ms;        /* connections.max.idle.ms */
    int64_t frame_timeout_ms;       /* for a request to arrive, and 1 s per MiB of it */
    int64_t write_timeout_ms;       /* without progress towards a client that must read */
    int64_t fetch_max_bytes;        /* of one fetch reply */
    bool auto_create_topics;
    int32_t default_partitions;
    int16_t default_replication_factor;
    int64_t flush_bytes, flush_interval_ms; /* the core's: to be listed */
    const char *log_level;                  /* likewise; NULL: "info" */
    const char *store; /* the store's URL, of which no query is shown; NULL: unknown */
    const char *zone_cidr; /* steering.h; NULL: none */
    struct core *core;
    struct meta *meta;
    struct budget *budget;
};

/* What option.def's defaults are, for tests. LISTEN, CORE, META and BUDGET are unset. */
extern const struct front_options front_defaults;

/* Texts are copied. ERR_INVALID names the option. */
int front_new(const struct front_options *options, struct front **front,
              struct err *err) MUST_CHECK;
/* Bind, start the threads, accept. On failure nothing runs. */
int front_start(struct front *front, struct err *err) MUST_CHECK;
/* The port of the I-th listener; 0 when there is none. */
int front_port(const struct front *front, size_t i);
/* Accept no more, read no more; connections close when their requests are answered. */
void front_drain(struct front *front);
/* Nothing is left to be answered or written. Any thread. */
bool front_idle(const struct front *front);
void front_stop(struct front *front);
void front_free(struct front *front);
/* Append requests by API, as Prometheus text. Any thread. */
void front_print_metrics(const struct front *front, struct str *out);

/* ---- within the front ---- */

struct listener;
struct zone_table;

#define FRONT_LISTENERS_MAX 8
#define FRONT_THREADS_MAX   256
#define FRONT_KEYS_MAX      128 /* api keys that are counted */

/* What a read may bring beyond the frame under way. */
#define SCRATCH_BYTES 4096

struct client_thread {
    struct front *front;
    struct loop *loop;
    struct loop_timer sweep;  /* every second: what waits too long */
    struct loop_timer memory; /* while connections wait for memory */
    struct list conns;
    struct list starved;                  /* connections that wait for memory */
    size_t asks;                          /* with the core now, or in the outbox */
    struct message *outbox, **outbox_end; /* asks of this tick, oldest first */
    struct loop_deferred post;            /* sends them */
    bool draining, stopping;
    struct log_limit kill_log, slow_log;
    uint8_t *scratch;
    atomic_size_t conn_count; /* read by the accepting thread */
    struct mailbox answers;   /* asks that come back */
    struct mailbox control;
    /* private */
    struct loop_thread thread;
    struct message start, drain, stop;
    struct loop_deferred stopped; /* runs when the last ask is back */
    bool timers;
    sem_t *all_stopped;
};

struct front {
    struct front_options options; /* constant once it runs */
    struct zone_table *zones;
    struct frame_limits frame_limits;
    struct client_thread *threads;
    size_t thread_count;
    struct listener *listeners;
    size_t listener_count;
    atomic_size_t connections;
    atomic_size_t requests; /* taken in and not done */
    atomic_uint next_conn_id;
    _Atomic uint64_t served[FRONT_KEYS_MAX]; /* requests by api key */
};

/* On LOOP, which runs in the caller's thread, or not yet. */
void client_thread_init(struct client_thread *thread, struct front *front,
                        struct loop *loop);
/* The loop's thread, or nobody runs it any more. No connection and no ask is left. */
void client_thread_fini(struct client_thread *thread);
/* Begin to time things out. Loop's thread. */
void client_thread_run(struct client_thread *thread);
/* Serve FD, which belongs to the thread from now on. Any thread. */
void client_thread_adopt(struct client_thread *thread, int fd,
                         const struct sockaddr_storage *peer);
/* Loop's thread: as front_drain for this one. */
void client_thread_drain(struct client_thread *thread);
/* Hand ASK to the core at the end of this tick, together with the tick's others: one
 * wake-up of the core for all of them. Order is kept. */
void client_thread_ask(struct client_thread *thread, struct ask *ask);
/* Loop's thread: close everything at once. */
void client_thread_close(struct client_thread *thread);

#endif
