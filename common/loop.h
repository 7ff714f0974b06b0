/* loop.h - one thread's event loop: readiness, timers, end-of-tick work, messages.
 *
 * The only door to libevent. A loop belongs to the thread that runs it; only loop_stop,
 * mailbox_init and mailbox_send may be called from elsewhere. Callbacks may start, stop
 * and free anything but the loop itself; an object that libevent may still report in the
 * same pass is freed through loop_defer. */
#ifndef COMMON_LOOP_H
#define COMMON_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/list.h"

struct loop;
struct event;

struct loop *loop_new(void);
void loop_free(struct loop *loop);
/* Run until loop_stop. */
void loop_run(struct loop *loop);
/* Wait for one round of events for at most MAX_MS (0: do not wait), then end the tick. */
void loop_run_once(struct loop *loop, int64_t max_ms);
void loop_stop(struct loop *loop); /* any thread */
/* Monotonic milliseconds, read once per tick. */
int64_t loop_now_ms(const struct loop *loop);

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

/* A file descriptor's readiness (level-triggered). Does not own the descriptor. */
struct loop_io {
    /* private */
    struct loop *loop;
    struct event *event;
    void (*on_ready)(struct loop_io *io, unsigned events, void *arg);
    void *arg;
    int fd;
    unsigned wanted;
};

void loop_io_init(struct loop_io *io, struct loop *loop, int fd,
                  void (*on_ready)(struct loop_io *io, unsigned events, void *arg),
                  void *arg);
void loop_io_want(struct loop_io *io, unsigned events); /* 0: nothing */
void loop_io_fini(struct loop_io *io);

/* A one-shot timer. */
struct loop_timer {
    /* private */
    struct loop *loop;
    struct event *event;
    void (*on_fire)(struct loop_timer *timer, void *arg);
    void *arg;
    bool armed;
};

void loop_timer_init(struct loop_timer *timer, struct loop *loop,
                     void (*on_fire)(struct loop_timer *timer, void *arg), void *arg);
void loop_timer_set(struct loop_timer *timer, int64_t after_ms); /* replaces */
void loop_timer_cancel(struct loop_timer *timer);
void loop_timer_fini(struct loop_timer *timer);

/* Work for the end of this tick: runs once, in order of request; asked for by work of
 * that kind itself, it runs at the end of the next tick, which then does not wait. A node
 * that is asked for already stays where it is. The node must live until it ran;
 * loop_free runs what is left. */
struct loop_deferred {
    struct list_node node;
    void (*run)(struct loop_deferred *deferred);
};

void loop_deferred_init(struct loop_deferred *deferred,
                        void (*run)(struct loop_deferred *deferred));
void loop_defer(struct loop *loop, struct loop_deferred *deferred);
void loop_defer_cancel(struct loop_deferred *deferred);

/* Call ON_SIGNAL(signum, arg) on the loop's thread. One loop of a process only. */
int loop_on_signal(struct loop *loop, int signum,
                   void (*on_signal)(int signum, void *arg), void *arg) MUST_CHECK;

/* A queue of messages into a loop: many senders, the loop's thread receives.
 *
 * A message is a struct that embeds a struct message; ownership moves with it. Messages
 * of one sender arrive in order; all that are waiting are handed over in one batch, with
 * one wake-up. The queue itself is not bounded: whoever sends bounds what it has in
 * flight (I12). */
struct message {
    struct message *next;
    int type; /* meaning agreed between sender and receiver */
};

struct mailbox {
    /* private */
    struct loop *loop;
    struct loop_io io;
    int wake_fd;
    _Atomic(struct message *) head; /* pushed in reverse order */
    void (*on_message)(struct message *message, void *arg);
    void *arg;
    struct message attach; /* asks a loop that runs in another thread to watch wake_fd */
};

/* Any thread: for the loop of a loop_thread that runs already, the mailbox joins at that
 * loop's next tick, and messages may be sent at once. */

void mailbox_init(struct mailbox *mailbox, struct loop *loop,
                  void (*on_message)(struct message *message, void *arg), void *arg);
/* Must be empty, senders gone; on the loop's thread, or after loop_thread_stop. */
void mailbox_fini(struct mailbox *mailbox);
void mailbox_send(struct mailbox *mailbox, struct message *message); /* any thread */
/* Deliver what waits now; returns how many. Loop's thread only. */
size_t mailbox_drain(struct mailbox *mailbox);

/* A thread that runs a loop of its own until loop_thread_stop, which joins it. */
struct loop_thread {
    struct loop *loop;
    /* private */
    unsigned long thread;
};
int loop_thread_start(struct loop_thread *thread, const char *name) MUST_CHECK;
void loop_thread_stop(struct loop_thread *thread); /* stop and join; the loop stays */
void loop_thread_fini(struct loop_thread *thread); /* after stop: free the loop */

#endif
