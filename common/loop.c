/* loop.c - the event loop over libevent's core (epoll), and the mailboxes into it.
 *
 * libevent runs without its locks: what comes from other threads (stop, a mailbox that
 * joins, messages) goes through eventfds only. libevent 2.1 has no hook before or after
 * the wait, so a tick is one event_base_loop(EVLOOP_ONCE) and what follows it; every
 * callback passes tick_enter() first, which reads the clock once per tick. */
#include "common/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/mem.h"

#define SIGNALS_MAX 8

struct loop_signal {
    struct loop *loop;
    struct event *event;
    void (*on_signal)(int signum, void *arg);
    void *arg;
};

struct loop {
    struct event_base *base;
    struct event *patience; /* ends the wait of loop_run_once */
    struct list deferred;
    struct mailbox control; /* mailboxes that join; also woken by loop_stop */
    struct loop_signal signals[SIGNALS_MAX];
    size_t signal_count;
    int64_t now_ms;
    bool now_stale; /* the wait has begun: read the clock after it */
    atomic_bool stop;
    atomic_bool threaded; /* a loop_thread runs it */
};

/* The loop that this thread is running, to tell its owner from other threads. */
static _Thread_local const struct loop *running;

static void tick_enter(struct loop *loop)
{
    if (loop->now_stale) {
        loop->now_ms = clock_monotonic_ms();
        loop->now_stale = false;
    }
}

/* The wait is over: nothing else to do. */
static void on_patience(evutil_socket_t fd, short what, void *arg)
{
    (void)fd, (void)what;
    tick_enter(arg);
}

static void on_control(struct message *message, void *arg);

struct loop *loop_new(void)
{
    struct loop *loop = mem_zalloc(sizeof(*loop));
    struct event_config *config = event_config_new();
    ASSERT(config != NULL);
    /* The coarse clock is up to 4 ms behind: too much for our short timers. */
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_PRECISE_TIMER);
    loop->base = event_base_new_with_config(config);
    event_config_free(config);
    ASSERT(loop->base != NULL);
    loop->patience = evtimer_new(loop->base, on_patience, loop);
    ASSERT(loop->patience != NULL);
    list_init(&loop->deferred);
    atomic_init(&loop->stop, false);
    atomic_init(&loop->threaded, false);
    loop->now_ms = clock_monotonic_ms();
    mailbox_init(&loop->control, loop, on_control, loop);
    return loop;
}

/* Run what was asked for until now; what that asks for waits for the next tick. */
static void run_deferred(struct loop *loop)
{
    struct list batch;
    struct list_node *node;

    list_init(&batch);
    list_splice(&batch, &loop->deferred);
    while ((node = list_pop_front(&batch)) != NULL) {
        struct loop_deferred *deferred = CONTAINER_OF(node, struct loop_deferred, node);
        deferred->run(deferred);
    }
}

void loop_free(struct loop *loop)
{
    ASSERT(!atomic_load(&loop->threaded));
    while (!list_empty(&loop->deferred))
        run_deferred(loop);
    mailbox_drain(&loop->control);
    mailbox_fini(&loop->control);
    for (size_t i = 0; i < loop->signal_count; i++)
        event_free(loop->signals[i].event);
    event_free(loop->patience);
    event_base_free(loop->base);
    mem_free(loop);
}

static void ms_to_timeval(int64_t ms, struct timeval *tv)
{
    tv->tv_sec = ms / 1000;
    tv->tv_usec = ms % 1000 * 1000;
}

/* One tick; MAX_MS < 0 waits without limit. */
static void tick(struct loop *loop, int64_t max_ms)
{
    const struct loop *outer = running;
    int flags = EVLOOP_ONCE;

    running = loop;
    loop->now_stale = true;
    if (max_ms == 0 || !list_empty(&loop->deferred)) {
        flags |= EVLOOP_NONBLOCK;
    } else if (max_ms > 0) {
        struct timeval tv;
        ms_to_timeval(max_ms, &tv);
        event_add(loop->patience, &tv);
    }
    int rc = event_base_loop(loop->base, flags);
    ASSERT(rc >= 0);
    tick_enter(loop);
    if (max_ms > 0)
        event_del(loop->patience);
    run_deferred(loop);
    running = outer;
}

void loop_run(struct loop *loop)
{
    while (!atomic_load_explicit(&loop->stop, memory_order_acquire))
        tick(loop, -1);
    atomic_store_explicit(&loop->stop, false, memory_order_relaxed);
}

void loop_run_once(struct loop *loop, int64_t max_ms)
{
    tick(loop, MAX(max_ms, 0));
}

static void wake(const struct mailbox *mailbox)
{
    uint64_t one = 1;
    ssize_t n;
    do {
        n = write(mailbox->wake_fd, &one, sizeof(one));
    } while (n < 0 && errno == EINTR);
    /* EAGAIN: the counter is full, so the reader is awake already. */
    ASSERT(n == (ssize_t)sizeof(one) || errno == EAGAIN);
}

void loop_stop(struct loop *loop)
{
    atomic_store_explicit(&loop->stop, true, memory_order_release);
    wake(&loop->control);
}

int64_t loop_now_ms(const struct loop *loop)
{
    return loop->now_ms;
}

/* --- descriptors --- */

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    struct loop_io *io = arg;
    (void)fd;
    tick_enter(io->loop);
    unsigned events =
        (what & EV_READ ? LOOP_READ : 0u) | (what & EV_WRITE ? LOOP_WRITE : 0u);
    io->on_ready(io, events, io->arg);
}

void loop_io_init(struct loop_io *io, struct loop *loop, int fd,
                  void (*on_ready)(struct loop_io *io, unsigned events, void *arg),
                  void *arg)
{
    io->loop = loop;
    io->event = event_new(loop->base, fd, EV_PERSIST, on_io, io);
    ASSERT(io->event != NULL);
    io->on_ready = on_ready;
    io->arg = arg;
    io->fd = fd;
    io->wanted = 0;
}

void loop_io_want(struct loop_io *io, unsigned events)
{
    if (events == io->wanted)
        return;
    if (io->wanted != 0)
        event_del(io->event);
    io->wanted = events;
    if (events == 0)
        return;
    short what = EV_PERSIST;
    if (events & LOOP_READ)
        what |= EV_READ;
    if (events & LOOP_WRITE)
        what |= EV_WRITE;
    int rc = event_assign(io->event, io->loop->base, io->fd, what, on_io, io);
    ASSERT(rc == 0);
    rc = event_add(io->event, NULL);
    ASSERT(rc == 0);
}

void loop_io_fini(struct loop_io *io)
{
    if (io->event == NULL)
        return;
    event_free(io->event); /* also takes it out of this pass */
    io->event = NULL;
    io->wanted = 0;
}

/* --- timers --- */

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *timer = arg;
    (void)fd, (void)what;
    tick_enter(timer->loop);
    timer->armed = false;
    timer->on_fire(timer, timer->arg);
}

void loop_timer_init(struct loop_timer *timer, struct loop *loop,
                     void (*on_fire)(struct loop_timer *timer, void *arg), void *arg)
{
    timer->loop = loop;
    timer->event = evtimer_new(loop->base, on_timer, timer);
    ASSERT(timer->event != NULL);
    timer->on_fire = on_fire;
    timer->arg = arg;
    timer->armed = false;
}

void loop_timer_set(struct loop_timer *timer, int64_t after_ms)
{
    struct timeval tv;
    ms_to_timeval(MAX(after_ms, 0), &tv);
    int rc = event_add(timer->event, &tv);
    ASSERT(rc == 0);
    timer->armed = true;
}

void loop_timer_cancel(struct loop_timer *timer)
{
    if (timer->armed)
        event_del(timer->event);
    timer->armed = false;
}

void loop_timer_fini(struct loop_timer *timer)
{
    if (timer->event == NULL)
        return;
    event_free(timer->event);
    timer->event = NULL;
    timer->armed = false;
}

/* --- end of tick --- */

void loop_deferred_init(struct loop_deferred *deferred,
                        void (*run)(struct loop_deferred *deferred))
{
    list_node_init(&deferred->node);
    deferred->run = run;
}

void loop_defer(struct loop *loop, struct loop_deferred *deferred)
{
    if (!list_linked(&deferred->node))
        list_push_back(&loop->deferred, &deferred->node);
}

void loop_defer_cancel(struct loop_deferred *deferred)
{
    list_remove(&deferred->node);
}

/* --- signals --- */

static void on_signal_event(evutil_socket_t signum, short what, void *arg)
{
    struct loop_signal *entry = arg;
    (void)what;
    tick_enter(entry->loop);
    entry->on_signal((int)signum, entry->arg);
}

int loop_on_signal(struct loop *loop, int signum,
                   void (*on_signal)(int signum, void *arg), void *arg)
{
    if (loop->signal_count == SIGNALS_MAX)
        return ERR_TOO_LARGE;
    struct loop_signal *entry = &loop->signals[loop->signal_count];
    entry->loop = loop;
    entry->on_signal = on_signal;
    entry->arg = arg;
    entry->event = evsignal_new(loop->base, signum, on_signal_event, entry);
    if (entry->event == NULL)
        return ERR_INVALID;
    if (evsignal_add(entry->event, NULL) != 0) {
        event_free(entry->event);
        return ERR_INVALID;
    }
    loop->signal_count++;
    return 0;
}

/* --- mailboxes --- */

static void on_wake(struct loop_io *io, unsigned events, void *arg)
{
    struct mailbox *mailbox = arg;
    uint64_t count;
    (void)io, (void)events;
    /* First the counter, then the queue: a message that comes in between wakes us once
     * too often, never once too few. */
    ssize_t n = read(mailbox->wake_fd, &count, sizeof(count));
    (void)n;
    mailbox_drain(mailbox);
}

static void attach(struct mailbox *mailbox)
{
    loop_io_init(&mailbox->io, mailbox->loop, mailbox->wake_fd, on_wake, mailbox);
    loop_io_want(&mailbox->io, LOOP_READ);
}

static void on_control(struct message *message, void *arg)
{
    (void)arg;
    attach(CONTAINER_OF(message, struct mailbox, attach));
}

/* Does LOOP run in a thread that is not the caller's? */
static bool runs_elsewhere(const struct loop *loop)
{
    return running != loop && atomic_load_explicit(&loop->threaded, memory_order_acquire);
}

void mailbox_init(struct mailbox *mailbox, struct loop *loop,
                  void (*on_message)(struct message *message, void *arg), void *arg)
{
    mailbox->loop = loop;
    mailbox->on_message = on_message;
    mailbox->arg = arg;
    mailbox->io.event = NULL;
    atomic_init(&mailbox->head, NULL);
    mailbox->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ASSERT(mailbox->wake_fd >= 0);
    if (runs_elsewhere(loop))
        mailbox_send(&loop->control, &mailbox->attach);
    else
        attach(mailbox);
}

void mailbox_fini(struct mailbox *mailbox)
{
    ASSERT(!runs_elsewhere(mailbox->loop));
    /* It may not have joined yet. */
    if (mailbox != &mailbox->loop->control)
        mailbox_drain(&mailbox->loop->control);
    ASSERT(atomic_load(&mailbox->head) == NULL);
    loop_io_fini(&mailbox->io);
    close(mailbox->wake_fd);
    mailbox->wake_fd = -1;
}

void mailbox_send(struct mailbox *mailbox, struct message *message)
{
    struct message *head = atomic_load_explicit(&mailbox->head, memory_order_relaxed);
    do {
        message->next = head;
    } while (!atomic_compare_exchange_weak_explicit(
        &mailbox->head, &head, message, memory_order_release, memory_order_relaxed));
    /* Whoever found it empty wakes the loop; the others' messages go along. */
    if (head == NULL)
        wake(mailbox);
}

size_t mailbox_drain(struct mailbox *mailbox)
{
    struct message *pushed =
        atomic_exchange_explicit(&mailbox->head, NULL, memory_order_acquire);
    struct message *in_order = NULL;
    size_t count = 0;

    while (pushed != NULL) {
        struct message *next = pushed->next;
        pushed->next = in_order;
        in_order = pushed;
        pushed = next;
    }
    while (in_order != NULL) {
        struct message *message = in_order;
        in_order = message->next; /* the receiver owns and may free it */
        message->next = NULL;
        mailbox->on_message(message, mailbox->arg);
        count++;
    }
    return count;
}

/* --- threads --- */

static void *thread_main(void *arg)
{
    struct loop *loop = arg;
    loop_run(loop);
    return NULL;
}

int loop_thread_start(struct loop_thread *thread, const char *name)
{
    sigset_t all, before;
    pthread_t id;

    thread->loop = loop_new();
    atomic_store_explicit(&thread->loop->threaded, true, memory_order_release);
    /* Signals are for the main thread: this one inherits a full mask. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&id, NULL, thread_main, thread->loop);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        atomic_store(&thread->loop->threaded, false);
        loop_free(thread->loop);
        thread->loop = NULL;
        return ERR_NOMEM;
    }
    char short_name[16]; /* the kernel's limit */
    size_t n = 0;
    for (; n < sizeof(short_name) - 1 && name[n] != '\0'; n++)
        short_name[n] = name[n];
    short_name[n] = '\0';
    pthread_setname_np(id, short_name);
    thread->thread = id;
    return 0;
}

void loop_thread_stop(struct loop_thread *thread)
{
    loop_stop(thread->loop);
    pthread_join(thread->thread, NULL);
    atomic_store_explicit(&thread->loop->threaded, false, memory_order_release);
}

void loop_thread_fini(struct loop_thread *thread)
{
    loop_free(thread->loop);
    thread->loop = NULL;
}
