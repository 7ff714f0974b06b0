/* test_seek.c - the search for the leader, where no call of ctl.c shows it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/seek.h"
#include "common/mem.h"
#include "tests/lib/fake_transport.h"

struct script {
    struct loop *loop;
    struct fake_transport fake;
    struct seek *seek;
    int probes;
    bool refuse;            /* a probe ends without an answer, at once */
    int64_t timeouts_ms[4]; /* of the first probes */
};

static void handle(const struct fake_http_request *request, struct fake_http_reply *reply,
                   void *arg)
{
    struct script *s = arg;
    if ((size_t)s->probes < ARRAY_LEN(s->timeouts_ms))
        s->timeouts_ms[s->probes] = request->timeout_ms;
    s->probes++;
    if (s->refuse)
        reply->code = ERR_UNAVAILABLE;
    else
        reply->never = true;
}

static void on_leader(const struct json *answer, void *arg)
{
    (void)answer, (void)arg;
}

static void on_stuck(void *arg)
{
    (void)arg;
}

static int setup(void **state)
{
    struct script *s = mem_zalloc(sizeof(*s));
    s->loop = loop_new();
    fake_transport_init(&s->fake, s->loop, handle, s);
    const struct seek_options options = {.loop = s->loop,
                                         .transport = &s->fake.ops,
                                         .on_leader = on_leader,
                                         .on_stuck = on_stuck,
                                         .arg = s};
    s->seek = seek_new(&options);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct script *s = *state;
    seek_free(s->seek);
    fake_transport_fini(&s->fake);
    loop_free(s->loop);
    mem_free(s);
    return 0;
}

/* The list of nodes is asked for as soon as there is a first address: the agent must not
 * depend on a node that dies a moment later. */
static void test_asks_at_once(void **state)
{
    struct script *s = *state;
    assert_true(seek_use(s->seek, slice_str("https://one:1")));
    for (int i = 0; i < 5; i++)
        loop_run_once(s->loop, 5);
    assert_int_equal(s->probes, 1);
}

/* Who names a leader while we search ends the search, however silent all others are. */
static void test_use_ends_search(void **state)
{
    struct script *s = *state;
    assert_true(seek_use(s->seek, slice_str("https://one:1")));
    seek_start(s->seek);
    assert_true(seek_busy(s->seek));
    assert_true(seek_use(s->seek, slice_str("https://two:2")));
    assert_false(seek_busy(s->seek));
    assert_string_equal(seek_url(s->seek), "https://two:2");
}

/* A node that does not answer in time is given more time, up to a limit. */
static void test_patience_grows(void **state)
{
    struct script *s = *state;
    s->refuse = true;
    assert_true(seek_use(s->seek, slice_str("https://one:1")));
    seek_start(s->seek);
    while (s->probes < 4)
        loop_run_once(s->loop, 1000);
    for (int i = 1; i < 4; i++)
        assert_int_equal(s->timeouts_ms[i], s->timeouts_ms[0] << MIN(i, 2));
}

/* Agents that are all stuck enrol again at different times, later with each time. */
static void test_stuck_spread(void **state)
{
    unsigned tenths[10] = {0};
    (void)state;
    for (uint64_t agent = 0; agent < 10000; agent++) {
        uint64_t seed = agent * 0x9e3779b97f4a7c15u;
        int64_t after_ms = seek_stuck_after_ms(0, seed);
        assert_in_range(after_ms, SEEK_STUCK_MS, 2 * SEEK_STUCK_MS - 1);
        tenths[(after_ms - SEEK_STUCK_MS) * 10 / SEEK_STUCK_MS]++;
        assert_int_equal(seek_stuck_after_ms(1, seed), 2 * after_ms);
        assert_int_equal(seek_stuck_after_ms(50, seed), 8 * after_ms);
    }
    for (int i = 0; i < 10; i++)
        assert_in_range(tenths[i], 800, 1200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_asks_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_patience_grows, setup, teardown),
        cmocka_unit_test(test_stuck_spread),
        cmocka_unit_test_setup_teardown(test_use_ends_search, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
