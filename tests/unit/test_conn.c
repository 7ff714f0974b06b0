/* test_conn.c - a connection over a socket pair: order, back-pressure, time limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/conn.h"
#include "agent/request.h"
#include "proto/header.h"
#include "common/cursor.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

static struct fixture f;

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 4, "{}");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_fini(&f);
    return 0;
}

static void produce(int fd, int32_t correlation_id, const char *value)
{
    fixture_send(&f, fd, KAFKA_PRODUCE, 9, correlation_id, "test",
                 fixture_produce(&f, 9, "t", 0, fixture_batch(&f, 1, value)));
}

/* The next reply's correlation id; -1 when there is none. */
static int32_t next_reply(int fd)
{
    struct str frame;
    int32_t id = -1;
    str_init(&frame, GIB);
    if (fixture_receive(&f, fd, &frame))
        id = (int32_t)be32_get((const uint8_t *)frame.data);
    str_fini(&frame);
    return id;
}

/* Produces of one connection are handed on without waiting, in their order; replies
 * leave in that order whatever the order of the answers. */
static void replies_keep_the_order_of_requests(void **state)
{
    int fd = fixture_connect(&f);

    (void)state;
    fake_core_hold(f.fake, ASK_PRODUCE, true);
    for (int32_t i = 0; i < 5; i++)
        produce(fd, 100 + i, "v");
    assert_int_equal(fake_core_held(f.fake), 5);
    for (size_t i = 0; i < 5; i++) {
        struct ask *ask = fake_core_held_ask(f.fake, i);
        struct request *req = ask->arg;
        assert_int_equal(req->header.correlation_id, 100 + (int)i);
    }
    fake_core_answer(f.fake, 3);
    fake_core_answer(f.fake, 1);
    assert_int_equal(next_reply(fd), -1); /* the first is not there */
    fake_core_answer(f.fake, 0);
    assert_int_equal(next_reply(fd), 100);
    assert_int_equal(next_reply(fd), 101);
    assert_int_equal(next_reply(fd), -1);
    fake_core_answer(f.fake, 0);
    fake_core_answer(f.fake, 0);
    for (int32_t i = 2; i < 5; i++)
        assert_int_equal(next_reply(fd), 100 + i);
    close(fd);
}

/* A long poll delays what is behind it on its own connection, and nobody else. */
static void a_long_poll_blocks_its_connection_only(void **state)
{
    int slow = fixture_connect(&f), other = fixture_connect(&f);
    struct fetch_request_partition partition = fetch_request_partition_defaults;
    struct fetch_request_topic topic = fetch_request_topic_defaults;
    struct fetch_request fetch = fetch_request_defaults;

    (void)state;
    partition.partition_max_bytes = 1000;
    topic.topic = slice_str("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    fetch.topics = &topic;
    fetch.topics_count = 1;
    fetch.max_wait_ms = 60000;
    fetch.min_bytes = 1;
    fixture_send(&f, slow, KAFKA_FETCH, 11, 1, "test", &fetch);
    fixture_send(&f, slow, KAFKA_API_VERSIONS, 0, 2, "test",
                 &api_versions_request_defaults);
    assert_int_equal(next_reply(slow), -1);
    assert_non_null(
        fixture_call(&f, other, KAFKA_API_VERSIONS, 0, &api_versions_request_defaults));
    produce(other, 7, "wakes the fetch");
    assert_int_equal(next_reply(other), 7);
    assert_int_equal(next_reply(slow), 1);
    assert_int_equal(next_reply(slow), 2);
    close(slow);
    close(other);
}

/* While a request waits for metadata nothing behind it begins (I8). */
static void nothing_overtakes_a_refresh(void **state)
{
    int fd = fixture_connect(&f);
    struct slice batch = fixture_batch(&f, 1, "v");

    (void)state;
    fake_core_hide_topic(f.fake, "new", 1);
    fake_core_hold(f.fake, ASK_METADATA, true);
    fixture_send(&f, fd, KAFKA_PRODUCE, 9, 1, "test",
                 fixture_produce(&f, 9, "new", 0, batch));
    produce(fd, 2, "behind");
    produce(fd, 3, "behind");
    assert_int_equal(fake_core_held(f.fake), 1);
    assert_int_equal(fake_core_asks(f.fake, ASK_PRODUCE), 0);
    fake_core_answer(f.fake, 0);
    for (int32_t i = 1; i <= 3; i++)
        assert_int_equal(next_reply(fd), i);
    assert_int_equal(fake_core_end(f.fake, "new", 0), 1);
    assert_int_equal(fake_core_end(f.fake, "t", 0), 2);
    close(fd);
}

/* A connection with too much outstanding is not read until some is answered. */
static void outstanding_requests_are_bounded(void **state)
{
    struct front_options options = front_defaults;
    struct fixture g;
    int fd;

    (void)state;
    options.connection_max_requests = 3;
    fixture_init(&g, &options);
    fake_core_add_topic(g.fake, "t", 1, "{}");
    fd = fixture_connect(&g);
    fake_core_hold(g.fake, ASK_PRODUCE, true);
    for (int32_t i = 0; i < 10; i++)
        fixture_send(&g, fd, KAFKA_PRODUCE, 9, i, "test",
                     fixture_produce(&g, 9, "t", 0, fixture_batch(&g, 1, "v")));
    assert_int_equal(fake_core_held(g.fake), 3);
    fake_core_answer(g.fake, 0);
    fixture_run(&g, 0);
    assert_int_equal(fake_core_held(g.fake), 3);
    fake_core_hold(g.fake, ASK_PRODUCE, false);
    while (fake_core_held(g.fake) > 0)
        fake_core_answer(g.fake, 0);
    fixture_run(&g, 0);
    assert_int_equal(fake_core_end(g.fake, "t", 0), 10);
    close(fd);
    fixture_fini(&g);
}

/* The same for bytes: a connection that owes much is not read. */
static void outstanding_bytes_are_bounded(void **state)
{
    struct front_options options = front_defaults;
    struct fixture g;
    char *large = mem_zalloc(100001);

    (void)state;
    memset(large, 'x', 100000);
    options.connection_max_bytes = 250000;
    fixture_init(&g, &options);
    fake_core_add_topic(g.fake, "t", 1, "{}");
    int fd = fixture_connect(&g);
    fake_core_hold(g.fake, ASK_PRODUCE, true);
    int big = 4 * 1024 * 1024;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &big, sizeof(big));
    struct slice batch = fixture_batch(&g, 1, large);
    for (int32_t i = 0; i < 3; i++)
        fixture_send(&g, fd, KAFKA_PRODUCE, 9, i, "test",
                     fixture_produce(&g, 9, "t", 0, batch));
    assert_int_equal(fake_core_held(g.fake), 3);
    /* Not read: the socket fills up. */
    char rest[1000] = {0};
    while (send(fd, rest, sizeof(rest), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
        fixture_run(&g, 0);
    fixture_run(&g, 0);
    assert_int_equal(fake_core_held(g.fake), 3);
    close(fd);
    fixture_fini(&g);
    mem_free(large);
}

/* Near the memory budget no new frame begins; when memory is given back, it goes on, and
 * nothing was lost. */
static void reading_waits_for_memory(void **state)
{
    int fd = fixture_connect(&f);

    (void)state;
    budget_force(&f.budget, 250 * MIB);
    produce(fd, 1, "waits");
    produce(fd, 2, "waits too");
    fixture_run(&f, 30);
    assert_int_equal(fake_core_asks(f.fake, ASK_PRODUCE), 0);
    assert_false(fixture_closed(&f, fd));
    budget_give(&f.budget, 250 * MIB);
    fixture_run(&f, 30);
    assert_int_equal(next_reply(fd), 1);
    assert_int_equal(next_reply(fd), 2);
    close(fd);
}

/* A request cut into single bytes is a request. */
static void slow_bytes_make_a_request(void **state)
{
    int fd = fixture_connect(&f);
    struct codec_out out;
    struct str flat;

    (void)state;
    codec_out_init(&out, MIB);
    str_init(&flat, MIB);
    assert_int_equal(header_write_request(kafka_api_find(KAFKA_API_VERSIONS), 0, 77,
                                          slice_str("x"), &api_versions_request_defaults,
                                          &out),
                     0);
    codec_out_flatten(&out, &flat);
    for (size_t i = 0; i < flat.len; i++)
        fixture_send_bytes(&f, fd, flat.data + i, 1);
    assert_int_equal(next_reply(fd), 77);
    codec_out_fini(&out);
    str_fini(&flat);
    close(fd);
}

/* Bytes behind a request's body are ignored, as Kafka does: librdkafka 2.16 sends some.
 */
static void bytes_behind_a_request_are_ignored(void **state)
{
    static const uint8_t frame[] = "\0\0\0\x11\0\x03\0\x01\0\0\0\x07\xff\xff\0\0\0\0"
                                   "abc";

    (void)state;
    int fd = fixture_connect(&f);
    fixture_send_bytes(&f, fd, frame, sizeof(frame) - 1);
    fixture_send_bytes(&f, fd, frame, sizeof(frame) - 1);
    for (int i = 0; i < 2; i++) {
        struct str reply;
        str_init(&reply, MIB);
        assert_true(fixture_receive(&f, fd, &reply));
        assert_int_equal(be32_get((const uint8_t *)reply.data), 7);
        str_fini(&reply);
    }
    close(fd);
}

/* Each of these closes the connection without a reply: unknown keys and versions, bodies
 * that do not decode, lengths that cannot be, without waiting for what follows. */
static void nonsense_closes_the_connection(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
#define CASE(s) {s, sizeof(s) - 1}
        CASE("\xff\xff\xff\xff\0\x03\0\x01"),                 /* negative length */
        CASE("\xff\xff\xff\xff"),                             /* and no more */
        CASE("\x7f\xff\xff\xff"),                             /* 2 GiB, and no more */
        CASE("\0\0\0\0"),                                     /* nothing */
        CASE("\x7f\xff\xff\xff\0\0\0\x09"),                   /* 2 GiB */
        CASE("\0\0\0\x04\0\x03\0\x01"),                       /* no header */
        CASE("\0\0\0\x0c\0\x63\0\0\0\0\0\x01\xff\xff\0\0"),   /* key 99 */
        CASE("\0\0\0\x0c\0\x03\0\x63\0\0\0\x01\xff\xff\0\0"), /* version 99 */
        CASE("\0\0\0\x0a\0\x03\0\x01\0\0\0\x01\x7f\xff"),     /* client id too long */
        CASE(
            "\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\xff\xff\x7f\xff\xff\xff"), /* 2^31 topics */
        CASE("\0\0\0\x12\0\x03\0\x01\0\0\0\x01\xff\xff\0\0\0\x01\0\x02\xc0\xaf"), /* UTF-8
                                                                                   */
        CASE("GET / HTTP/1.1\r\n\r\n"),
#undef CASE
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = fixture_connect(&f);
        fixture_send_bytes(&f, fd, cases[i].bytes, cases[i].len);
        if (!fixture_closed(&f, fd))
            fail_msg("case %zu was not closed", i);
        close(fd);
    }
}

/* What came before the nonsense is answered first, also when its answer takes time. */
static void earlier_requests_are_answered_first(void **state)
{
    static const char nonsense[] = "\0\0\0\x0c\0\x63\0\0\0\0\0\x01\xff\xff\0\0";
    int fd = fixture_connect(&f);

    (void)state;
    fake_core_hold(f.fake, ASK_PRODUCE, true);
    produce(fd, 1, "v");
    produce(fd, 2, "v");
    fixture_send_bytes(&f, fd, nonsense, sizeof(nonsense) - 1);
    assert_false(fixture_closed(&f, fd));
    fake_core_answer(f.fake, 0);
    fake_core_answer(f.fake, 0);
    assert_int_equal(next_reply(fd), 1);
    assert_int_equal(next_reply(fd), 2);
    assert_true(fixture_closed(&f, fd));
    close(fd);
}

/* A failed acks=0 closes the connection when it is its turn, and not what is before. */
static void acks_0_closes_in_its_turn(void **state)
{
    int fd = fixture_connect(&f);
    struct produce_request *body =
        fixture_produce(&f, 9, "t", 99, fixture_batch(&f, 1, "v"));

    (void)state;
    body->acks = 0;
    fake_core_hold(f.fake, ASK_PRODUCE, true);
    produce(fd, 1, "v");
    fixture_send(&f, fd, KAFKA_PRODUCE, 9, 2, "test", body);
    produce(fd, 3, "never read");
    assert_false(fixture_closed(&f, fd));
    assert_int_equal(fake_core_held(f.fake), 1);
    fake_core_answer(f.fake, 0);
    assert_int_equal(next_reply(fd), 1);
    assert_true(fixture_closed(&f, fd));
    close(fd);
}

/* A client that goes away while the core works leaves nothing behind. */
static void a_vanished_client_leaves_nothing(void **state)
{
    int fd = fixture_connect(&f);

    (void)state;
    fake_core_hold(f.fake, ASK_PRODUCE, true);
    produce(fd, 1, "v");
    produce(fd, 2, "v");
    close(fd);
    fixture_run(&f, 0);
    assert_true(list_empty(&f.thread->conns));
    assert_int_equal(fake_core_held(f.fake), 2);
    fake_core_answer(f.fake, 1);
    fake_core_answer(f.fake, 0);
    fixture_run(&f, 0);
    assert_true(front_idle(f.front));
    assert_int_equal(budget_used(&f.budget), 0);
    assert_int_equal(fake_core_end(f.fake, "t", 0), 2);
}

/* The long poll of a client that went away is called back, not waited out. */
static void a_vanished_client_waits_no_more(void **state)
{
    struct fetch_request_partition partition = fetch_request_partition_defaults;
    struct fetch_request_topic topic = fetch_request_topic_defaults;
    struct fetch_request fetch = fetch_request_defaults;
    int fd = fixture_connect(&f);

    (void)state;
    topic.topic = slice_str("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    fetch.topics = &topic;
    fetch.topics_count = 1;
    fetch.max_wait_ms = 60000;
    fetch.min_bytes = 1;
    fixture_send(&f, fd, KAFKA_FETCH, 11, 1, "test", &fetch);
    assert_false(front_idle(f.front));
    close(fd);
    fixture_run(&f, 0);
    assert_int_equal(fake_core_asks(f.fake, ASK_CANCEL), 1);
    assert_true(front_idle(f.front));
    assert_int_equal(budget_used(&f.budget), 0);
}

/* Half-open and slow clients are closed: no whole frame in time, replies not taken,
 * nothing at all for long. */
static void slow_clients_are_closed(void **state)
{
    struct front_options options = front_defaults;
    struct fixture g;

    (void)state;
    options.frame_timeout_ms = 300;
    options.write_timeout_ms = 300;
    options.idle_timeout_ms = 700;
    fixture_init(&g, &options);
    fake_core_add_topic(g.fake, "t", 1500, "{}");
    int half = fixture_connect(&g), idle = fixture_connect(&g);
    int deaf = fixture_connect(&g);
    fixture_send_bytes(&g, half, "\0\0\0\x20\0", 5);
    for (int32_t i = 0; i < 20; i++)
        fixture_send(&g, deaf, KAFKA_METADATA, 1, i, "test", &metadata_request_defaults);
    assert_false(fixture_closed(&g, half));
    assert_false(fixture_closed(&g, idle));
    fixture_run(&g, 2200);
    assert_true(fixture_closed(&g, half));
    assert_true(fixture_closed(&g, idle));
    assert_true(list_empty(&g.thread->conns));
    close(half);
    close(idle);
    close(deaf);
    fixture_fini(&g);
}

/* So is one whose half request came in one read with a whole one, and had to wait behind
 * it: a buffer of its full size would be held for it as long as the client likes. */
static void half_behind_a_whole_is_closed(void **state)
{
    struct front_options options = front_defaults;
    struct fixture g;
    uint8_t bytes[1024];
    int pair[2];

    (void)state;
    options.frame_timeout_ms = 300;
    fixture_init(&g, &options);
    fake_core_add_topic(g.fake, "t", 1, "{}");
    fake_core_hide_topic(g.fake, "new", 1);
    fake_core_hold(g.fake, ASK_METADATA, true);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fixture_send(&g, pair[0], KAFKA_PRODUCE, 9, 1, "test",
                 fixture_produce(&g, 9, "new", 0, fixture_batch(&g, 1, "v")));
    ssize_t n = read(pair[1], bytes, sizeof(bytes) / 2);
    assert_true(n > 0 && (size_t)n < sizeof(bytes) / 2);
    memcpy(bytes + n, bytes, 20);
    int fd = fixture_connect(&g);
    fixture_send_bytes(&g, fd, bytes, (size_t)n + 20);
    fixture_run(&g, 0);
    assert_int_equal(fake_core_held(g.fake), 1);
    fake_core_answer(g.fake, 0);
    fixture_run(&g, 2600);
    assert_true(list_empty(&g.thread->conns));
    close(fd);
    close(pair[0]);
    close(pair[1]);
    fixture_fini(&g);
}

/* A connection whose request is with the core is not idle, however long that takes. */
static void waiting_for_the_core_is_not_idle(void **state)
{
    struct front_options options = front_defaults;
    struct fixture g;

    (void)state;
    options.idle_timeout_ms = 300;
    options.frame_timeout_ms = 300;
    fixture_init(&g, &options);
    fake_core_add_topic(g.fake, "t", 1, "{}");
    int fd = fixture_connect(&g);
    fake_core_hold(g.fake, ASK_PRODUCE, true);
    fixture_send(&g, fd, KAFKA_PRODUCE, 9, 1, "test",
                 fixture_produce(&g, 9, "t", 0, fixture_batch(&g, 1, "v")));
    fixture_run(&g, 2200);
    assert_false(fixture_closed(&g, fd));
    close(fd);
    fixture_fini(&g);
}

/* Draining: what was taken in is answered, then the connection closes; one without
 * requests closes at once, and new ones are not served. */
static void draining_answers_what_was_taken_in(void **state)
{
    int busy = fixture_connect(&f), idle = fixture_connect(&f);

    (void)state;
    fake_core_hold(f.fake, ASK_PRODUCE, true);
    produce(busy, 5, "v");
    client_thread_drain(f.thread);
    fixture_run(&f, 0);
    assert_true(fixture_closed(&f, idle));
    assert_false(fixture_closed(&f, busy));
    assert_false(front_idle(f.front));
    fake_core_answer(f.fake, 0);
    assert_int_equal(next_reply(busy), 5);
    assert_true(fixture_closed(&f, busy));
    assert_true(front_idle(f.front));
    int late = fixture_connect(&f);
    assert_true(fixture_closed(&f, late));
    close(busy);
    close(idle);
    close(late);
}

/* A large reply goes out in many pieces to a slow reader, unharmed. */
static void large_replies_arrive_whole(void **state)
{
    struct fixture g;
    char *value = mem_zalloc(300001);
    struct fetch_request_partition partition = fetch_request_partition_defaults;
    struct fetch_request_topic topic = fetch_request_topic_defaults;
    struct fetch_request fetch = fetch_request_defaults;

    (void)state;
    memset(value, 'y', 300000);
    fixture_init(&g, NULL);
    fake_core_add_topic(g.fake, "t", 1, "{}");
    int fd = fixture_connect(&g);
    struct slice batch = fixture_batch(&g, 3, value);
    for (int i = 0; i < 10; i++)
        assert_non_null(fixture_call(&g, fd, KAFKA_PRODUCE, 9,
                                     fixture_produce(&g, 9, "t", 0, batch)));
    partition.partition_max_bytes = INT32_MAX;
    topic.topic = slice_str("t");
    topic.partitions = &partition;
    topic.partitions_count = 1;
    fetch.topics = &topic;
    fetch.topics_count = 1;
    fetch.min_bytes = 1;
    const struct fetch_response *reply = fixture_call(&g, fd, KAFKA_FETCH, 11, &fetch);
    assert_non_null(reply);
    const struct slice_list *records = &reply->responses[0].partitions[0].records;
    assert_int_equal(records->bytes, 10 * batch.len);
    for (size_t i = 0; i < 10; i++) {
        const uint8_t *at = records->items[0].ptr + i * batch.len;
        assert_int_equal(be64_get(at), 3 * i); /* its base offset */
        assert_memory_equal(at + 16, batch.ptr + 16, batch.len - 16);
    }
    close(fd);
    fixture_fini(&g);
    mem_free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(replies_keep_the_order_of_requests),
        TEST(a_long_poll_blocks_its_connection_only),
        TEST(nothing_overtakes_a_refresh),
        TEST(reading_waits_for_memory),
        TEST(slow_bytes_make_a_request),
        TEST(bytes_behind_a_request_are_ignored),
        TEST(nonsense_closes_the_connection),
        TEST(earlier_requests_are_answered_first),
        TEST(acks_0_closes_in_its_turn),
        TEST(a_vanished_client_leaves_nothing),
        TEST(a_vanished_client_waits_no_more),
        TEST(draining_answers_what_was_taken_in),
        cmocka_unit_test(outstanding_requests_are_bounded),
        cmocka_unit_test(outstanding_bytes_are_bounded),
        cmocka_unit_test(slow_clients_are_closed),
        cmocka_unit_test(half_behind_a_whole_is_closed),
        cmocka_unit_test(waiting_for_the_core_is_not_idle),
        cmocka_unit_test(large_replies_arrive_whole),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
