/* test_loop.c - the event loop, its end of tick, and mailboxes between threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/mem.h"

/* What happened, as a string of letters. */
struct trace {
    struct loop *loop;
    char text[64];
    size_t len;
};

static void note(struct trace *trace, char c)
{
    assert_true(trace->len < sizeof(trace->text) - 1);
    trace->text[trace->len++] = c;
}

static void on_timer(struct loop_timer *timer, void *arg)
{
    (void)timer;
    note(arg, 't');
}

/* A timer fires once, not before its time, and not after it was cancelled. */
static void timer_fires_once(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_new()};
    struct loop_timer timer, cancelled;
    loop_timer_init(&timer, trace.loop, on_timer, &trace);
    loop_timer_init(&cancelled, trace.loop, on_timer, &trace);
    int64_t begin_us = clock_monotonic_us();
    loop_timer_set(&timer, 1000);
    loop_timer_set(&timer, 20); /* replaces */
    loop_timer_set(&cancelled, 5);
    loop_timer_cancel(&cancelled);
    while (trace.len == 0)
        loop_run_once(trace.loop, 500);
    assert_in_range(clock_monotonic_us() - begin_us, 20000, 480000);
    loop_run_once(trace.loop, 10);
    assert_string_equal(trace.text, "t");
    loop_timer_fini(&timer);
    loop_timer_fini(&cancelled);
    loop_free(trace.loop);
}

/* run_once gives up after its time, and 0 does not wait at all. */
static void run_once_is_patient_but_not_forever(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    int64_t begin_us = clock_monotonic_us();
    loop_run_once(loop, 0);
    assert_true(clock_monotonic_us() - begin_us < 15000);
    loop_run_once(loop, 30);
    assert_in_range(clock_monotonic_us() - begin_us, 30000, 400000);
    assert_true(loop_now_ms(loop) >= begin_us / 1000 + 29);
    loop_free(loop);
}

static void on_ready(struct loop_io *io, unsigned events, void *arg)
{
    struct trace *trace = arg;
    char c;
    if (events & LOOP_WRITE) {
        note(trace, 'w');
        loop_io_want(io, LOOP_READ);
    }
    if (events & LOOP_READ) {
        assert_int_equal(read(io->fd, &c, 1), 1);
        note(trace, c);
    }
}

/* Readiness is told for what is wanted, and for nothing after want 0. */
static void io_tells_what_is_wanted(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_new()};
    struct loop_io in, out;
    int fds[2];
    assert_int_equal(pipe(fds), 0);
    loop_io_init(&in, trace.loop, fds[0], on_ready, &trace);
    loop_io_init(&out, trace.loop, fds[1], on_ready, &trace);
    loop_io_want(&in, LOOP_READ);
    loop_run_once(trace.loop, 0);
    assert_int_equal(trace.len, 0);
    loop_io_want(&out, LOOP_WRITE);
    loop_run_once(trace.loop, 100);
    loop_io_want(&out, 0);
    assert_int_equal(write(fds[1], "ab", 2), 2);
    loop_run_once(trace.loop, 100);
    loop_run_once(trace.loop, 100); /* level-triggered: the rest comes again */
    loop_io_want(&in, 0);
    assert_int_equal(write(fds[1], "c", 1), 1);
    loop_run_once(trace.loop, 0);
    assert_string_equal(trace.text, "wab");
    loop_io_fini(&in);
    loop_io_fini(&out);
    close(fds[0]);
    close(fds[1]);
    loop_free(trace.loop);
}

struct pair {
    struct loop_io io[2];
    struct trace *trace;
};

static void on_ready_kill_other(struct loop_io *io, unsigned events, void *arg)
{
    struct pair *pair = arg;
    (void)events;
    note(pair->trace, 'k');
    loop_io_fini(io == &pair->io[0] ? &pair->io[1] : &pair->io[0]);
}

/* A callback may end another descriptor that is ready in the same pass: that one is not
 * told any more. */
static void fini_holds_in_the_same_pass(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_new()};
    struct pair pair = {.trace = &trace};
    int fds[2][2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pipe(fds[i]), 0);
        assert_int_equal(write(fds[i][1], "x", 1), 1);
        loop_io_init(&pair.io[i], trace.loop, fds[i][0], on_ready_kill_other, &pair);
        loop_io_want(&pair.io[i], LOOP_READ);
    }
    loop_run_once(trace.loop, 100);
    assert_string_equal(trace.text, "k");
    for (int i = 0; i < 2; i++) {
        loop_io_fini(&pair.io[i]);
        close(fds[i][0]);
        close(fds[i][1]);
    }
    loop_free(trace.loop);
}

struct work {
    struct loop_deferred deferred;
    struct trace *trace;
    char letter;
    bool again;
};

static void run_work(struct loop_deferred *deferred)
{
    struct work *work = CONTAINER_OF(deferred, struct work, deferred);
    note(work->trace, work->letter);
    if (work->again) {
        work->again = false;
        loop_defer(work->trace->loop, deferred);
    }
}

/* Deferred work runs in order, once; what it defers itself waits for the next tick, which
 * comes at once. */
static void deferred_runs_in_order(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_new()};
    struct work work[3];
    for (int i = 0; i < 3; i++) {
        work[i] = (struct work){.trace = &trace, .letter = (char)('a' + i)};
        loop_deferred_init(&work[i].deferred, run_work);
    }
    work[1].again = true;
    loop_defer(trace.loop, &work[1].deferred);
    loop_defer(trace.loop, &work[0].deferred);
    loop_defer(trace.loop, &work[1].deferred); /* stays where it is */
    loop_defer(trace.loop, &work[2].deferred);
    loop_defer_cancel(&work[2].deferred);
    loop_run_once(trace.loop, 10000);
    assert_string_equal(trace.text, "ba");
    loop_run_once(trace.loop, 10000);
    loop_run_once(trace.loop, 0);
    assert_string_equal(trace.text, "bab");
    loop_defer(trace.loop, &work[2].deferred);
    loop_free(trace.loop); /* runs what is left */
    assert_string_equal(trace.text, "babc");
}

static void on_signal(int signum, void *arg)
{
    assert_int_equal(signum, SIGUSR1);
    note(arg, 's');
}

/* A signal arrives on the loop's thread as a callback. */
static void signal_arrives(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_new()};
    assert_int_equal(loop_on_signal(trace.loop, SIGUSR1, on_signal, &trace), 0);
    assert_int_equal(loop_on_signal(trace.loop, 9999, on_signal, &trace), ERR_INVALID);
    raise(SIGUSR1);
    loop_run_once(trace.loop, 1000);
    assert_string_equal(trace.text, "s");
    loop_free(trace.loop);
}

struct number {
    struct message message;
    int sender, value;
};

struct receiver {
    struct mailbox mailbox;
    int next[4]; /* by sender: the value expected */
    int received;
    bool in_order;
};

static void on_number(struct message *message, void *arg)
{
    struct receiver *receiver = arg;
    struct number *number = CONTAINER_OF(message, struct number, message);
    if (receiver->next[number->sender]++ != number->value)
        receiver->in_order = false;
    receiver->received++;
    mem_free(number);
}

static void send_number(struct receiver *to, int sender, int value)
{
    struct number *number = mem_zalloc(sizeof(*number));
    number->sender = sender;
    number->value = value;
    mailbox_send(&to->mailbox, &number->message);
}

/* Messages arrive in the order they were sent, in one batch. */
static void mailbox_keeps_order(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct receiver receiver = {.in_order = true};
    mailbox_init(&receiver.mailbox, loop, on_number, &receiver);
    for (int i = 0; i < 5; i++)
        send_number(&receiver, 0, i);
    assert_int_equal(receiver.received, 0);
    loop_run_once(loop, 1000);
    assert_int_equal(receiver.received, 5);
    assert_true(receiver.in_order);
    send_number(&receiver, 0, 5);
    assert_int_equal(mailbox_drain(&receiver.mailbox), 1);
    assert_int_equal(mailbox_drain(&receiver.mailbox), 0);
    mailbox_fini(&receiver.mailbox);
    loop_free(loop);
}

#define SENDERS 3
#define NUMBERS 5000

struct sender {
    pthread_t thread;
    struct receiver *to;
    int id;
};

static void *send_numbers(void *arg)
{
    struct sender *sender = arg;
    for (int i = 0; i < NUMBERS; i++)
        send_number(sender->to, sender->id, i);
    return NULL;
}

/* Many senders at once: nothing is lost, and each one's messages keep their order. */
static void many_senders_lose_nothing(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct receiver receiver = {.in_order = true};
    struct sender senders[SENDERS];
    mailbox_init(&receiver.mailbox, loop, on_number, &receiver);
    for (int i = 0; i < SENDERS; i++) {
        senders[i].to = &receiver;
        senders[i].id = i;
        assert_int_equal(
            pthread_create(&senders[i].thread, NULL, send_numbers, &senders[i]), 0);
    }
    int64_t end_ms = clock_monotonic_ms() + 60000;
    while (receiver.received < SENDERS * NUMBERS && clock_monotonic_ms() < end_ms)
        loop_run_once(loop, 100);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i].thread, NULL);
    assert_int_equal(receiver.received, SENDERS * NUMBERS);
    assert_true(receiver.in_order);
    mailbox_fini(&receiver.mailbox);
    loop_free(loop);
}

struct echo {
    struct mailbox there, back;
    int rounds;
};

static void on_there(struct message *message, void *arg)
{
    struct echo *echo = arg;
    mailbox_send(&echo->back, message);
}

static void on_back(struct message *message, void *arg)
{
    struct echo *echo = arg;
    (void)message;
    echo->rounds++;
}

/* A mailbox may join the loop of a thread that runs already, and a message travels to
 * that thread and back. */
static void thread_answers(void **state)
{
    (void)state;
    struct loop *loop = loop_new();
    struct loop_thread thread;
    struct echo echo = {.rounds = 0};
    struct message message = {.type = 1};
    assert_int_equal(loop_thread_start(&thread, "a-name-longer-than-the-kernel's"), 0);
    mailbox_init(&echo.there, thread.loop, on_there, &echo);
    mailbox_init(&echo.back, loop, on_back, &echo);
    for (int i = 0; i < 200; i++) {
        mailbox_send(&echo.there, &message);
        int64_t end_ms = clock_monotonic_ms() + 20000;
        while (echo.rounds == i && clock_monotonic_ms() < end_ms)
            loop_run_once(loop, 100);
        assert_int_equal(echo.rounds, i + 1);
    }
    loop_thread_stop(&thread);
    mailbox_fini(&echo.there);
    mailbox_fini(&echo.back);
    loop_thread_fini(&thread);
    loop_free(loop);
}

/* A thread that is stopped right after its start ends, with a mailbox that may not have
 * joined yet. */
static void thread_stops_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        struct loop_thread thread;
        struct echo echo;
        assert_int_equal(loop_thread_start(&thread, "short"), 0);
        mailbox_init(&echo.there, thread.loop, on_there, &echo);
        loop_thread_stop(&thread);
        mailbox_fini(&echo.there);
        loop_thread_fini(&thread);
    }
}

/* A stop that comes before the run is not lost, and ends one run only. */
static void stop_before_run_holds(void **state)
{
    (void)state;
    struct trace trace = {.loop = loop_new()};
    loop_stop(trace.loop);
    loop_run(trace.loop);
    struct loop_timer timer;
    loop_timer_init(&timer, trace.loop, on_timer, &trace);
    loop_timer_set(&timer, 0);
    loop_run_once(trace.loop, 1000);
    loop_run_once(trace.loop, 10);
    assert_string_equal(trace.text, "t");
    loop_timer_fini(&timer);
    loop_free(trace.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timer_fires_once),
        cmocka_unit_test(run_once_is_patient_but_not_forever),
        cmocka_unit_test(io_tells_what_is_wanted),
        cmocka_unit_test(fini_holds_in_the_same_pass),
        cmocka_unit_test(deferred_runs_in_order),
        cmocka_unit_test(signal_arrives),
        cmocka_unit_test(mailbox_keeps_order),
        cmocka_unit_test(many_senders_lose_nothing),
        cmocka_unit_test(thread_answers),
        cmocka_unit_test(thread_stops_at_once),
        cmocka_unit_test(stop_before_run_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
