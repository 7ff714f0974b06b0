/* test_fetch_queue.c - many fetches at once of what is not in memory: who reads from the
 * store, and who waits in line (agent/read_gate.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/cache.h"
#include "agent/fetcher.h"
#include "agent/read_gate.h"
#include "agent/tail.h"
#include "agent/traffic.h"
#include "common/clock.h"
#include "tests/lib/batch_builder.h"
#include "tests/lib/fake/calls.c"
#include "tests/lib/fake/objects.c"

#define READERS       12
#define AT_A_TIME     4 /* chunks, a quarter of 64 MiB */
#define STORAGE_ERROR 56

static const struct uuid cluster_id = {{1}}, topic_id = {{7}}, object_id = {{8}};

struct crowd {
    struct loop *loop;
    struct mailbox replies;
    struct tail *tail;
    struct cache *cache;
    struct budget budget;
    struct read_gate gate;
    struct traffic *traffic;
    struct fetcher *fetcher;
    struct str object; /* one batch, in its first chunk */
    size_t length;     /* of the batch */
    struct fetch_ask asks[READERS + 1];
    struct fetch_part parts[READERS + 1];
    struct arena arenas[READERS + 1];
    size_t asked, answered;
};

static void on_reply(struct message *message, void *arg)
{
    (void)message;
    ((struct crowd *)arg)->answered++;
}

static void run(struct crowd *c)
{
    for (int i = 0; i < 4; i++)
        loop_run_once(c->loop, 0);
}

static void make_object(struct crowd *c)
{
    const struct built_record record = {.value = "v", .timestamp_ms = 1000};
    const struct built_batch batch = {
        .producer_id = -1, .records = &record, .record_count = 1};

    str_init(&c->object, MIB);
    str_puts(&c->object, "################");
    batch_build(&batch, &c->object);
    c->length = c->object.len - 16;
    fake_objects_add(&cluster_id, &object_id, (const uint8_t *)c->object.data,
                     c->object.len);
}

/* Fetch a partition of its own, whose only run lies in that CHUNK of the object. */
static void ask(struct crowd *c, uint64_t chunk)
{
    size_t i = c->asked++;
    struct tail_entry *entry = tail_use(c->tail, &topic_id, (int32_t)i);
    const struct index_run run_of = {object_id, 0, chunk * CACHE_CHUNK_BYTES + 16,
                                     c->length, 1};

    tail_on_plan(c->tail, entry, 1, 0, &run_of, 1);
    tail_unuse(c->tail, entry);
    arena_init(&c->arenas[i], MIB);
    c->parts[i] = (struct fetch_part){
        .topic_id = topic_id, .partition = (int32_t)i, .max_bytes = INT32_MAX};
    c->asks[i] = (struct fetch_ask){
        .ask = {.reply_to = &c->replies, .arena = &c->arenas[i]},
        .parts = &c->parts[i],
        .part_count = 1,
        .min_bytes = 1,
        .max_bytes = INT32_MAX,
        .deadline_at_ms = clock_monotonic_ms() + 600000,
    };
    fetcher_ask(c->fetcher, &c->asks[i]);
}

static struct crowd *crowd_new(void)
{
    struct crowd *c = mem_zalloc(sizeof(*c));

    fake_calls_reset();
    fake_objects_reset();
    c->loop = loop_new();
    mailbox_init(&c->replies, c->loop, on_reply, c);
    c->tail = tail_new(MIB);
    const struct cache_options cache = {
        .loop = c->loop, .max_bytes = 64 * MIB, .cluster_id = cluster_id};
    c->cache = cache_new(&cache);
    budget_init(&c->budget, 64 * MIB);
    read_gate_init(&c->gate, c->loop, c->cache, &c->budget);
    c->traffic = traffic_new(2);
    const struct fetcher_options options = {.loop = c->loop,
                                            .tail = c->tail,
                                            .cache = c->cache,
                                            .gate = &c->gate,
                                            .traffic = c->traffic};
    c->fetcher = fetcher_new(&options);
    make_object(c);
    for (uint64_t i = 0; i < READERS; i++)
        ask(c, i);
    run(c);
    assert_int_equal(fake_objects.open_count, AT_A_TIME);
    return c;
}

static void crowd_free(struct crowd *c)
{
    run(c);
    assert_int_equal(c->answered, c->asked);
    assert_true(fetcher_idle(c->fetcher));
    for (size_t i = 0; i < c->asked; i++) {
        for (size_t k = 0; k < c->asks[i].blob_count; k++)
            blob_unref(c->asks[i].blobs[k]);
        arena_fini(&c->arenas[i]);
    }
    fetcher_free(c->fetcher);
    read_gate_fini(&c->gate);
    traffic_free(c->traffic);
    fake_objects_answer_all();
    cache_free(c->cache);
    tail_free(c->tail);
    mailbox_fini(&c->replies);
    loop_free(c->loop);
    str_fini(&c->object);
    mem_free(c);
}

/* However many read what is not in memory, they read no more at a time than memory is
 * for: the others wait in line, and all are answered. */
static void they_read_in_turns(void **state)
{
    struct crowd *c = crowd_new();

    (void)state;
    for (size_t i = 0; i < READERS; i++) {
        assert_in_range(fake_objects.open_count, 1, AT_A_TIME);
        fake_objects_answer(i == 0 ? 0 : ERR_NOT_FOUND);
        run(c);
        assert_int_equal(c->answered, i + 1);
    }
    assert_int_equal(c->parts[0].kafka_error, 0);
    assert_int_equal(c->parts[0].bytes, c->length);
    assert_int_equal(c->parts[READERS - 1].kafka_error, STORAGE_ERROR);
    assert_int_equal(fake_objects.gets, READERS);
    crowd_free(c);
}

/* Nobody waits in line for what is in memory. */
static void memory_is_not_waited_for(void **state)
{
    struct crowd *c = crowd_new();

    (void)state;
    fake_objects_answer(0); /* the first chunk */
    run(c);
    assert_int_equal(c->answered, 1);
    assert_int_equal(fake_objects.open_count, AT_A_TIME);
    ask(c, 0);
    run(c);
    assert_int_equal(c->answered, 2);
    assert_int_equal(c->parts[READERS].bytes, c->length);
    while (c->answered <= READERS) {
        fake_objects_answer(ERR_NOT_FOUND);
        run(c);
    }
    crowd_free(c);
}

/* Who waits in line and goes away is out of it; at the end all who wait are answered, and
 * nothing more is read. */
static void they_go_away(void **state)
{
    struct crowd *c = crowd_new();

    (void)state;
    fetcher_cancel(&c->asks[5]);
    run(c);
    assert_int_equal(c->answered, 1);
    read_gate_close(&c->gate);
    run(c);
    assert_int_equal(c->answered, READERS - AT_A_TIME);
    assert_int_equal(c->parts[6].bytes, 0);
    assert_int_equal(c->parts[6].kafka_error, 0);
    fake_objects_answer_all();
    assert_int_equal(fake_objects.gets, AT_A_TIME);
    crowd_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_read_in_turns),
        cmocka_unit_test(memory_is_not_waited_for),
        cmocka_unit_test(they_go_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
