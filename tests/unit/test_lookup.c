/* test_lookup.c - ListOffsets asks: ends from the control plane, records from their run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/cache.h"
#include "agent/ctl.h"
#include "agent/lookup.h"
#include "agent/read_gate.h"
#include "common/clock.h"
#include "tests/lib/batch_builder.h"
#include "tests/lib/fake/calls.c"
#include "tests/lib/fake/objects.c"

#define PARTS_MAX      12
#define NOT_AVAILABLE  78
#define STORAGE_ERROR  56
#define UNKNOWN_SERVER (-1)
#define TIMED_OUT      7
#define LATEST         (-1)
#define MAX_TIMESTAMP  (-3)

static const struct uuid cluster_id = {{1}}, topic_id = {{7}}, object_id = {{8}};

/* ---- one test's world ---- */

struct world {
    struct loop *loop;
    struct mailbox replies;
    struct cache *cache;
    struct budget budget; /* of what may be read at a time */
    struct read_gate gate;
    struct lookup *lookup;
    struct offsets_ask ask;
    struct offsets_part parts[PARTS_MAX];
    int answered;
    struct str object;
};

static void on_reply(struct message *message, void *arg)
{
    struct world *w = arg;

    assert_ptr_equal(message, &w->ask.ask.message);
    w->answered++;
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof(*w));
    fake_calls_reset();
    fake_objects_reset();
    w->loop = loop_new();
    mailbox_init(&w->replies, w->loop, on_reply, w);
    const struct cache_options cache = {.max_bytes = 64 * MIB, .cluster_id = cluster_id};
    w->cache = cache_new(&cache);
    budget_init(&w->budget, 64 * MIB); /* so 4 chunks */
    read_gate_init(&w->gate, w->loop, w->cache, &w->budget);
    const struct lookup_options lookup = {
        .loop = w->loop, .cache = w->cache, .gate = &w->gate};
    w->lookup = lookup_new(&lookup);
    str_init(&w->object, 16 * MIB);
}

static void run(struct world *w)
{
    for (int i = 0; i < 4; i++)
        loop_run_once(w->loop, 0);
}

static void world_fini(struct world *w)
{
    assert_true(lookup_idle(w->lookup));
    assert_int_equal(fake_calls_open(), 0);
    lookup_free(w->lookup);
    read_gate_fini(&w->gate);
    cache_free(w->cache);
    run(w);
    mailbox_fini(&w->replies);
    loop_free(w->loop);
    str_fini(&w->object);
}

/* An object with PADDING bytes and one run of two batches, of records with the timestamps
 * 100 300 200 and 300 500 400; the run's length. */
static size_t make_object(struct world *w, size_t padding)
{
    const int64_t times[2][3] = {{100, 300, 200}, {300, 500, 400}};
    size_t begin;

    for (size_t i = 0; i < 16 + padding; i++)
        str_append(&w->object, "#", 1);
    begin = w->object.len;
    for (size_t b = 0; b < 2; b++) {
        struct built_record records[3];
        for (size_t i = 0; i < 3; i++)
            records[i] = (struct built_record){.value = "v", .timestamp_ms = times[b][i]};
        const struct built_batch batch = {
            .producer_id = -1, .records = records, .record_count = 3};
        batch_build(&batch, &w->object);
    }
    fake_objects_add(&cluster_id, &object_id, (const uint8_t *)w->object.data,
                     w->object.len);
    return w->object.len - begin;
}

static void ask_part(struct world *w, int64_t timestamp)
{
    w->parts[w->ask.part_count] =
        (struct offsets_part){.topic_id = topic_id,
                              .partition = (int32_t)w->ask.part_count,
                              .timestamp = timestamp,
                              .offset = -2,
                              .found_timestamp = -2};
    w->ask.part_count++;
}

static void ask_within(struct world *w, int64_t wait_ms)
{
    w->ask.ask.reply_to = &w->replies;
    w->ask.parts = w->parts;
    w->ask.deadline_at_ms = clock_monotonic_ms() + wait_ms;
    lookup_ask(w->lookup, &w->ask);
    run(w);
}

static void ask(struct world *w)
{
    ask_within(w, 600000); /* no test waits for it */
}

/* [error, high watermark, log start, offset, max timestamp, run] */
static struct json *answer(int error, int64_t offset, struct json *run_of)
{
    struct json *a = json_array();

    json_push(a, json_int(error));
    json_push(a, json_int(1000));
    json_push(a, json_int(0));
    json_push(a, json_int(offset));
    json_push(a, json_int(-1));
    json_push(a, run_of != NULL ? run_of : json_null());
    return a;
}

static struct json *run_at(int64_t base_offset, uint64_t position, uint64_t length)
{
    struct json *r = json_array();

    json_push(r, json_uuid(&object_id));
    json_push(r, json_int(base_offset));
    json_push(r, json_int(6));
    json_push(r, json_int((int64_t)position));
    json_push(r, json_int((int64_t)length));
    return r;
}

/* Answer the call with ANSWERS (ownership moves), or with CODE. */
static void answer_call(struct world *w, int code, struct json *answers)
{
    struct ctl_call *call = fake_calls_last();
    struct json *body = code == 0 ? json_object() : NULL;

    assert_string_equal(call->path, "/agent/v1/offsets");
    assert_int_equal(call->deadline_at_ms, w->ask.deadline_at_ms);
    if (code == 0)
        json_set(body, "answers", answers);
    fake_calls_answer(call, code, body);
    run(w);
}

static void answer_one(struct world *w, struct json *one)
{
    struct json *answers = json_array();

    json_push(answers, one);
    answer_call(w, 0, answers);
}

static void assert_part(const struct world *w, size_t i, int error, int64_t offset,
                        int64_t at_ms)
{
    assert_int_equal(w->parts[i].kafka_error, error);
    assert_int_equal(w->parts[i].offset, offset);
    assert_int_equal(w->parts[i].found_timestamp, at_ms);
}

/* ---- tests ---- */

/* The ends of a log are the control plane's answer; errors known before are left alone,
 * and not asked about. */
static void ends(void **state)
{
    struct world w;
    struct json_reader r = {0};
    struct json *answers = json_array();

    (void)state;
    world_init(&w);
    ask_part(&w, LATEST);
    ask_part(&w, LATEST);
    w.parts[1].kafka_error = 3;
    ask_part(&w, LATEST);
    ask(&w);
    assert_int_equal(json_count(json_get_array(&r, fake_calls_last()->body, "queries")),
                     2);
    json_push(answers, answer(0, 42, NULL));
    json_push(answers, answer(100, -1, NULL));
    answer_call(&w, 0, answers);
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, 0, 42, -1);
    assert_part(&w, 1, 3, -2, -2);
    assert_part(&w, 2, 100, -1, -1);
    world_fini(&w);
}

/* Nothing to ask about is answered at once. */
static void nothing_to_ask(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    ask_part(&w, LATEST);
    w.parts[0].kafka_error = 3;
    ask(&w);
    assert_int_equal(w.answered, 1);
    world_fini(&w);
}

/* The first record whose timestamp is late enough, at record precision. */
static void by_timestamp(void **state)
{
    static const struct {
        int64_t timestamp, offset, found;
    } cases[] = {{0, 70, 100},   {100, 70, 100}, {101, 71, 300}, {300, 71, 300},
                 {301, 74, 500}, {500, 74, 500}, {501, -1, -1}};
    struct world w;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_init(&w);
        size_t length = make_object(&w, 0);
        ask_part(&w, cases[i].timestamp);
        ask(&w);
        answer_one(&w, answer(0, -1, run_at(70, 16, length)));
        assert_int_equal(w.answered, 0);
        fake_objects_answer(0);
        run(&w);
        assert_int_equal(w.answered, 1);
        assert_part(&w, 0, 0, cases[i].offset, cases[i].found);
        world_fini(&w);
    }
}

/* The greatest timestamp, and no run when nothing is late enough. */
static void by_max_timestamp(void **state)
{
    struct world w;
    struct json *answers = json_array();

    (void)state;
    world_init(&w);
    size_t length = make_object(&w, 0);
    ask_part(&w, MAX_TIMESTAMP);
    ask_part(&w, 600);
    ask_part(&w, MAX_TIMESTAMP);
    ask(&w);
    json_push(answers, answer(0, -1, run_at(70, 16, length)));
    json_push(answers, answer(0, -1, NULL));
    json_push(answers, answer(0, -1, NULL));
    answer_call(&w, 0, answers);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, 0, 74, 500);
    assert_part(&w, 1, 0, -1, -1);
    assert_part(&w, 2, 0, -1, -1);
    world_fini(&w);
}

/* A log that begins within the run: what lies before is not found, and what lies in the
 * other run that the control plane names is, or is greater. */
static void behind_the_start(void **state)
{
    static const struct {
        int64_t timestamp, log_start;
        bool two;
        int64_t offset, found;
    } cases[] = {
        {0, 71, false, 71, 300},  {0, 75, false, 75, 400},   {301, 75, false, 75, 400},
        {450, 75, false, -1, -1}, {450, 75, true, 104, 500}, {0, 75, true, 75, 400},
        {-3, 75, false, 75, 400}, {-3, 75, true, 104, 500},  {-3, 71, true, 74, 500},
    };
    struct world w;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        world_init(&w);
        size_t length = make_object(&w, 0);
        ask_part(&w, cases[i].timestamp);
        ask(&w);
        struct json *one = json_array();
        json_push(one, json_int(0));
        json_push(one, json_int(1000));
        json_push(one, json_int(cases[i].log_start));
        json_push(one, json_int(-1));
        json_push(one, json_int(-1));
        json_push(one, run_at(70, 16, length));
        json_push(one, cases[i].two ? run_at(100, 16, length) : json_null());
        answer_one(&w, one);
        fake_objects_answer(0);
        run(&w);
        assert_int_equal(w.answered, 1);
        assert_part(&w, 0, 0, cases[i].offset, cases[i].found);
        world_fini(&w);
    }
}

/* A run across two chunks is searched as one; several parts read side by side. */
static void across_chunks(void **state)
{
    struct world w;
    struct json *answers = json_array();

    (void)state;
    world_init(&w);
    size_t length = make_object(&w, CACHE_CHUNK_BYTES - 16 - 40);
    ask_part(&w, 301);
    ask_part(&w, 101);
    ask(&w);
    json_push(answers, answer(0, -1, run_at(70, CACHE_CHUNK_BYTES - 40, length)));
    json_push(answers, answer(0, -1, run_at(70, CACHE_CHUNK_BYTES - 40, length)));
    answer_call(&w, 0, answers);
    assert_int_equal(fake_objects.gets, 2);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 0);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, 0, 74, 500);
    assert_part(&w, 1, 0, 71, 300);
    world_fini(&w);
}

/* What cannot be asked or read is an error that clients repeat. */
static void failures(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    ask_part(&w, 0);
    ask(&w);
    answer_call(&w, ERR_TIMEOUT, NULL);
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, NOT_AVAILABLE, -1, -1);
    world_fini(&w);

    world_init(&w);
    ask_part(&w, 0);
    ask(&w);
    answer_one(&w, answer(0, -1, run_at(70, 16, 100)));
    fake_objects_answer(ERR_IO);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, STORAGE_ERROR, -1, -1);
    world_fini(&w);

    /* A run that is not where the control plane says. */
    world_init(&w);
    size_t length = make_object(&w, 0);
    ask_part(&w, 0);
    ask(&w);
    answer_one(&w, answer(0, -1, run_at(70, 17, length)));
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, STORAGE_ERROR, -1, -1);
    world_fini(&w);
}

/* An answer that makes no sense fails all parts, though some of it could be read. */
static void malformed_answer(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    ask_part(&w, 0);
    ask_part(&w, 0);
    ask(&w);
    answer_one(&w, answer(0, -1, run_at(70, 16, 100)));
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, UNKNOWN_SERVER, -1, -1);
    assert_part(&w, 1, UNKNOWN_SERVER, -1, -1);
    assert_int_equal(fake_objects.gets, 0);
    world_fini(&w);
}

/* At the request's deadline what is not read yet is an error that clients repeat; what is
 * known is told. A read that ends later hurts nobody. */
static void slow_store(void **state)
{
    struct world w;
    struct json *answers = json_array();

    (void)state;
    world_init(&w);
    size_t length = make_object(&w, 0);
    ask_part(&w, 100);
    ask_part(&w, LATEST);
    ask_within(&w, 30);
    json_push(answers, answer(0, -1, run_at(70, 16, length)));
    json_push(answers, answer(0, 42, NULL));
    answer_call(&w, 0, answers);
    assert_int_equal(w.answered, 0);
    while (w.answered == 0)
        loop_run_once(w.loop, 1000);
    assert_true(clock_monotonic_ms() >= w.ask.deadline_at_ms);
    assert_part(&w, 0, NOT_AVAILABLE, -1, -1);
    assert_part(&w, 1, 0, 42, -1);
    assert_true(lookup_idle(w.lookup));
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    world_fini(&w);
}

/* A question about many partitions reads no more at a time than memory is for, and holds
 * no run that is searched; at the deadline those that still wait are told to come again.
 */
static void searches_take_turns(void **state)
{
    struct world w;

    (void)state;
    for (int late = 0; late < 2; late++) {
        struct json *answers = json_array();
        world_init(&w);
        size_t length = make_object(&w, 0);
        for (uint64_t i = 0; i < PARTS_MAX; i++) {
            ask_part(&w, 0);
            json_push(answers,
                      answer(0, -1, run_at(70, 16 + i * CACHE_CHUNK_BYTES, length)));
        }
        ask_within(&w, late ? 30 : 600000);
        answer_call(&w, 0, answers);
        for (int i = 0; !late && i < PARTS_MAX; i++) {
            assert_int_equal(w.answered, 0);
            assert_in_range(fake_objects.open_count, 1, 4);
            fake_objects_answer(i == 0 ? 0 : ERR_NOT_FOUND);
            run(&w);
        }
        while (w.answered == 0)
            loop_run_once(w.loop, 1000);
        assert_int_equal(w.answered, 1);
        assert_int_equal(fake_objects.gets, late ? 4 : PARTS_MAX);
        if (!late)
            assert_part(&w, 0, 0, 70, 100);
        assert_part(&w, PARTS_MAX - 1, late ? NOT_AVAILABLE : STORAGE_ERROR, -1, -1);
        fake_objects_answer_all();
        world_fini(&w);
    }
}

/* At the end what waits for the control plane is answered; what reads ends by itself. */
static void drained(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    ask_part(&w, 0);
    ask(&w);
    lookup_drain(w.lookup);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, TIMED_OUT, -1, -1);
    world_fini(&w);

    world_init(&w);
    size_t length = make_object(&w, 0);
    ask_part(&w, 0);
    ask(&w);
    answer_one(&w, answer(0, -1, run_at(70, 16, length)));
    lookup_drain(w.lookup);
    run(&w);
    assert_int_equal(w.answered, 0);
    cache_stop(w.cache);
    fake_objects_answer(ERR_CANCELLED);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_part(&w, 0, STORAGE_ERROR, -1, -1);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends),
        cmocka_unit_test(nothing_to_ask),
        cmocka_unit_test(by_timestamp),
        cmocka_unit_test(by_max_timestamp),
        cmocka_unit_test(behind_the_start),
        cmocka_unit_test(across_chunks),
        cmocka_unit_test(failures),
        cmocka_unit_test(malformed_answer),
        cmocka_unit_test(slow_store),
        cmocka_unit_test(searches_take_turns),
        cmocka_unit_test(drained),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
