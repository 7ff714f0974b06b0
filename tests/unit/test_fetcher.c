/* test_fetcher.c - Fetch asks: when they are answered, and with what.
 *
 * The real tail index, planner and cache, over a store and a control plane that answer
 * when the test says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "agent/cache.h"
#include "agent/ctl.h"
#include "agent/fetcher.h"
#include "agent/read_gate.h"
#include "agent/tail.h"
#include "agent/traffic.h"
#include "common/clock.h"
#include "proto/batch.h"
#include "proto/packed.h"
#include "tests/lib/batch_builder.h"
#include "tests/lib/fake/calls.c"
#include "tests/lib/fake/objects.c"

#define FAR_MS          600000 /* a deadline that no test waits for */
#define PARTS_MAX       4
#define UNKNOWN_TOPIC   100
#define NOT_AVAILABLE   78
#define STORAGE_ERROR   56
#define OUT_OF_RANGE    1
#define RECORDS_A_BATCH 5

static const struct uuid cluster_id = {{1}}, topic_id = {{7}};

/* ---- one test's world ---- */

struct plan_row {
    struct uuid object_id;
    int64_t base_offset, records;
    uint64_t position, length;
};

struct world {
    struct loop *loop;
    struct mailbox replies;
    struct tail *tail;
    struct cache *cache;
    struct budget budget; /* of what may be read at a time */
    struct read_gate gate;
    struct fetcher *fetcher;
    struct traffic *traffic;
    struct arena arena;
    struct fetch_ask ask;
    struct fetch_part parts[PARTS_MAX];
    int answered;
    struct str objects[4]; /* bytes of objects that were made */
    size_t object_count;
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
    w->tail = tail_new(MIB);
    const struct cache_options cache = {
        .loop = w->loop, .max_bytes = 64 * MIB, .cluster_id = cluster_id};
    w->cache = cache_new(&cache);
    budget_init(&w->budget, 64 * MIB); /* so 4 chunks */
    read_gate_init(&w->gate, w->loop, w->cache, &w->budget);
    w->traffic = traffic_new(2);
    const struct fetcher_options fetcher = {.loop = w->loop,
                                            .tail = w->tail,
                                            .cache = w->cache,
                                            .gate = &w->gate,
                                            .traffic = w->traffic};
    w->fetcher = fetcher_new(&fetcher);
    arena_init(&w->arena, 16 * MIB);
}

/* Let the loop do what is due without waiting. */
static void run(struct world *w)
{
    for (int i = 0; i < 4; i++)
        loop_run_once(w->loop, 0);
}

static void drop_answer(struct world *w)
{
    for (size_t i = 0; i < w->ask.blob_count; i++)
        blob_unref(w->ask.blobs[i]);
    memset(&w->ask, 0, sizeof(w->ask));
    memset(w->parts, 0, sizeof(w->parts));
    w->answered = 0;
}

static void world_fini(struct world *w)
{
    drop_answer(w);
    assert_true(fetcher_idle(w->fetcher));
    fetcher_free(w->fetcher);
    read_gate_fini(&w->gate);
    traffic_free(w->traffic);
    assert_int_equal(fake_calls_open(), 0);
    fake_objects_answer_all();
    cache_free(w->cache);
    tail_free(w->tail);
    run(w);
    mailbox_fini(&w->replies);
    loop_free(w->loop);
    arena_fini(&w->arena);
    for (size_t i = 0; i < w->object_count; i++)
        str_fini(&w->objects[i]);
}

/* Begin an object of the store: its header, and PADDING bytes. Batches follow. */
static struct str *object_begin(struct world *w, size_t padding)
{
    struct str *bytes = &w->objects[w->object_count++];

    str_init(bytes, 16 * MIB);
    for (size_t i = 0; i < 16 + padding; i++)
        str_append(bytes, "#", 1);
    return bytes;
}

static struct uuid object_end(struct world *w, const struct str *bytes)
{
    struct uuid id = {{0xb0, (uint8_t)w->object_count}};

    fake_objects_add(&cluster_id, &id, (const uint8_t *)bytes->data, bytes->len);
    return id;
}

/* Append a batch of five records whose values are of SIZE bytes; its length. */
static size_t add_batch(struct str *bytes, char letter, size_t size)
{
    struct built_record records[RECORDS_A_BATCH];
    char *value = mem_zalloc(size + 1);
    size_t before = bytes->len;

    memset(value, letter, size);
    for (size_t i = 0; i < RECORDS_A_BATCH; i++)
        records[i] = (struct built_record){.value = value, .timestamp_ms = 1000};
    const struct built_batch batch = {
        .producer_id = -1, .records = records, .record_count = RECORDS_A_BATCH};
    batch_build(&batch, bytes);
    mem_free(value);
    return bytes->len - before;
}

/* Ask for the parts set up by ask_part. */
static void ask_part(struct world *w, int32_t partition, int64_t offset,
                     int32_t max_bytes)
{
    w->parts[w->ask.part_count++] = (struct fetch_part){.topic_id = topic_id,
                                                        .partition = partition,
                                                        .offset = offset,
                                                        .max_bytes = max_bytes,
                                                        .high_watermark = -2};
}

static void ask(struct world *w, int32_t min_bytes, int32_t max_bytes, int64_t wait_ms)
{
    w->ask.ask.reply_to = &w->replies;
    w->ask.ask.arena = &w->arena;
    w->ask.parts = w->parts;
    w->ask.min_bytes = min_bytes;
    w->ask.max_bytes = max_bytes;
    w->ask.deadline_at_ms = clock_monotonic_ms() + wait_ms;
    fetcher_ask(w->fetcher, &w->ask);
    run(w);
}

static void ask_one(struct world *w, int64_t offset)
{
    ask_part(w, 0, offset, INT32_MAX);
    ask(w, 1, INT32_MAX, FAR_MS);
}

static void wait_answer(struct world *w)
{
    while (w->answered == 0)
        loop_run_once(w->loop, 1000);
}

/* One PLAN of the answer to a plan call. */
static struct json *plan(int error, int64_t high, const struct plan_row *rows, size_t n)
{
    struct json *p = json_array(), *ids = json_array();
    struct str columns[6];
    int64_t base = 0, object = 0, time = 0;

    for (size_t k = 0; k < 6; k++)
        str_init(&columns[k], MIB);
    for (size_t i = 0; i < n; i++) {
        json_push(ids, json_uuid(&rows[i].object_id));
        packed_put_delta(&columns[0], &base, rows[i].base_offset);
        packed_put_delta(&columns[1], &object, (int64_t)i);
        packed_put(&columns[2], rows[i].records);
        packed_put(&columns[3], (int64_t)rows[i].position);
        packed_put(&columns[4], (int64_t)rows[i].length);
        packed_put_delta(&columns[5], &time, 1000);
    }
    json_push(p, json_int(error));
    json_push(p, json_int(high));
    json_push(p, json_int(0));
    json_push(p, ids);
    for (size_t k = 0; k < 6; k++) {
        json_push(p, json_base64(str_slice(&columns[k])));
        str_fini(&columns[k]);
    }
    return p;
}

/* Answer the last call with PLANS (ownership moves), or with CODE. */
static void answer_call(struct world *w, int code, struct json *plans)
{
    struct ctl_call *call = fake_calls_last();
    struct json *answer = code == 0 ? json_object() : NULL;

    assert_string_equal(call->path, "/agent/v1/plan");
    if (code == 0)
        json_set(answer, "plans", plans);
    fake_calls_answer(call, code, answer);
    run(w);
}

static void answer_plan(struct world *w, int error, int64_t high,
                        const struct plan_row *rows, size_t n)
{
    struct json *plans = json_array();

    json_push(plans, plan(error, high, rows, n));
    answer_call(w, 0, plans);
}

static void commit(struct world *w, int32_t partition, const struct plan_row *row)
{
    const struct tail_run run_of = {
        topic_id,    partition, row->base_offset, (uint32_t)row->records, row->position,
        row->length, 1000};
    tail_on_commit(w->tail, &row->object_id, 1, &run_of, 1);
}

/* The bytes of part I, which lie in several slices. */
static void part_bytes(const struct world *w, size_t i, struct str *out)
{
    str_init(out, 64 * MIB);
    for (size_t k = 0; k < w->parts[i].slice_count; k++)
        str_append_slice(out, w->parts[i].slices[k]);
    assert_int_equal(out->len, w->parts[i].bytes);
}

/* Part I holds whole, valid batches with offsets from FIRST to END. */
static void assert_batches(const struct world *w, size_t i, int64_t first, int64_t end)
{
    struct batch_iter iter;
    struct batch_info info;
    struct str bytes;
    int64_t offset = first;

    part_bytes(w, i, &bytes);
    batch_iter_init(&iter, str_slice(&bytes));
    while (batch_iter_next(&iter, &info)) {
        assert_int_equal(info.base_offset, offset);
        offset = batch_end_offset(&info);
    }
    assert_int_equal(iter.error, 0);
    assert_int_equal(offset, end);
    assert_int_equal(w->parts[i].kafka_error, 0);
    str_fini(&bytes);
}

static void assert_error(const struct world *w, size_t i, int error)
{
    assert_int_equal(w->parts[i].kafka_error, error);
    assert_int_equal(w->parts[i].bytes, 0);
}

/* An object with one run of two batches (offsets 0 to 9) of partition 0. */
static struct plan_row two_batches(struct world *w)
{
    struct str *bytes = object_begin(w, 0);
    size_t length = add_batch(bytes, 'a', 20);
    length += add_batch(bytes, 'b', 20);
    return (struct plan_row){object_end(w, bytes), 0, 10, 16, length};
}

/* The same object's run as partition 0 knows it, read once so that it is in memory. */
static struct plan_row known_partition(struct world *w)
{
    struct plan_row row = two_batches(w);

    ask_one(w, 0);
    answer_plan(w, 0, 10, &row, 1);
    fake_objects_answer_all();
    run(w);
    assert_int_equal(w->answered, 1);
    drop_answer(w);
    return row;
}

/* ---- tests ---- */

/* What is not known is planned and read; the answer has whole batches with the offsets
 * that the control plane gave. */
static void planned_read_and_patched(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    row.base_offset = 1000;
    ask_one(&w, 1000);
    assert_int_equal(fake_calls.count, 1);
    assert_int_equal(fake_objects.gets, 0);
    answer_plan(&w, 0, 1010, &row, 1);
    assert_int_equal(w.answered, 0);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 1000, 1010);
    assert_int_equal(w.parts[0].high_watermark, 1010);
    assert_int_equal(w.parts[0].last_stable_offset, 1010);
    assert_int_equal(w.parts[0].log_start_offset, 0);
    assert_int_equal(w.ask.blob_count, 1);
    drop_answer(&w);
    /* From the middle of a run: batches that end before the offset are left out. */
    ask_one(&w, 1006);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 1005, 1010);
    assert_int_equal(fake_calls.count, 1);
    world_fini(&w);
}

/* At the end of a partition a fetch waits until something is committed. */
static void woken_by_a_commit(void **state)
{
    struct world w;
    struct plan_row row, next;

    (void)state;
    world_init(&w);
    row = known_partition(&w);
    ask_one(&w, 10);
    assert_int_equal(w.answered, 0);
    next = row;
    next.base_offset = 10;
    commit(&w, 0, &next);
    fetcher_on_tail(w.fetcher);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 10, 20);
    assert_int_equal(w.parts[0].high_watermark, 20);
    assert_int_equal(fake_calls.count, 1);
    world_fini(&w);
}

/* Until min_bytes are there a fetch waits; at its deadline it gets what there is. */
static void min_bytes_and_deadline(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = known_partition(&w);
    ask_part(&w, 0, 0, INT32_MAX);
    ask(&w, (int32_t)row.length + 1, INT32_MAX, FAR_MS);
    assert_int_equal(w.answered, 0);
    row.base_offset = 10;
    commit(&w, 0, &row);
    fetcher_on_tail(w.fetcher);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 0, 20);
    drop_answer(&w);

    ask_part(&w, 0, 10, INT32_MAX);
    ask(&w, (int32_t)row.length + 1, INT32_MAX, 30);
    wait_answer(&w);
    assert_batches(&w, 0, 10, 20);
    drop_answer(&w);
    /* Nothing at all is an answer too. */
    ask_part(&w, 0, 20, INT32_MAX);
    ask(&w, 1, INT32_MAX, 30);
    wait_answer(&w);
    assert_error(&w, 0, 0);
    assert_int_equal(w.parts[0].high_watermark, 20);
    world_fini(&w);
}

/* A deadline of zero asks for what there is now; the plan that this needs is made. */
static void no_wait(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    ask_part(&w, 0, 0, INT32_MAX);
    ask(&w, 1, INT32_MAX, 0);
    assert_int_equal(w.answered, 0);
    answer_plan(&w, 0, 10, &row, 1);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 0, 10);
    world_fini(&w);
}

/* An error that is known from the start makes the answer immediate; the other parts give
 * what they have. */
static void error_is_immediate(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    (void)known_partition(&w);
    ask_part(&w, 3, 0, INT32_MAX);
    w.parts[0].kafka_error = UNKNOWN_TOPIC;
    ask_part(&w, 0, 0, INT32_MAX);
    ask(&w, INT32_MAX, INT32_MAX, FAR_MS);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, UNKNOWN_TOPIC);
    assert_batches(&w, 1, 0, 10);
    world_fini(&w);
}

/* Out of range is said only after the control plane said so; then with the offsets. */
static void out_of_range_after_a_plan(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = known_partition(&w);
    ask_one(&w, 11);
    assert_int_equal(w.answered, 0);
    assert_int_equal(fake_calls.count, 2);
    answer_plan(&w, OUT_OF_RANGE, 10, NULL, 0);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, OUT_OF_RANGE);
    assert_int_equal(w.parts[0].high_watermark, 10);
    assert_int_equal(w.parts[0].log_start_offset, 0);
    drop_answer(&w);
    /* Another agent told of offset 20 before we heard of it. */
    row.base_offset = 20;
    ask_one(&w, 20);
    answer_plan(&w, 0, 30, &row, 1);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 20, 30);
    assert_int_equal(w.parts[0].high_watermark, 30);
    world_fini(&w);
}

/* One batch at least, however small the limits (KIP-74); no more than they allow. */
static void limits(void **state)
{
    struct world w;
    struct plan_row row;
    int32_t one;

    (void)state;
    world_init(&w);
    row = known_partition(&w);
    one = (int32_t)row.length / 2;
    ask_part(&w, 0, 0, 1);
    ask(&w, 1, INT32_MAX, FAR_MS);
    assert_batches(&w, 0, 0, 5);
    drop_answer(&w);
    ask_part(&w, 0, 0, INT32_MAX);
    ask(&w, 1, 1, FAR_MS);
    assert_batches(&w, 0, 0, 5);
    drop_answer(&w);
    ask_part(&w, 0, 0, 2 * one - 1);
    ask(&w, 1, INT32_MAX, FAR_MS);
    assert_batches(&w, 0, 0, 5);
    drop_answer(&w);
    ask_part(&w, 0, 0, 2 * one);
    ask(&w, 1, INT32_MAX, FAR_MS);
    assert_batches(&w, 0, 0, 10);
    drop_answer(&w);

    /* A second partition gets what the first has left of the whole. */
    ask_part(&w, 1, 0, INT32_MAX);
    ask(&w, 1, INT32_MAX, FAR_MS);
    answer_plan(&w, 0, 10, &row, 1);
    assert_batches(&w, 0, 0, 10);
    drop_answer(&w);
    ask_part(&w, 0, 0, INT32_MAX);
    ask_part(&w, 1, 0, INT32_MAX);
    ask(&w, 1, 3 * one, FAR_MS);
    assert_batches(&w, 0, 0, 10);
    assert_batches(&w, 1, 0, 5);
    drop_answer(&w);
    ask_part(&w, 0, 0, INT32_MAX);
    ask_part(&w, 1, 0, INT32_MAX);
    ask(&w, 1, 2 * one, FAR_MS);
    assert_batches(&w, 0, 0, 10);
    assert_error(&w, 1, 0);
    assert_int_equal(w.parts[1].high_watermark, 10);
    world_fini(&w);
}

/* A batch that lies across two chunks of its object is put together again. */
static void batch_across_chunks(void **state)
{
    struct world w;
    size_t padding = CACHE_CHUNK_BYTES - 16;

    (void)state;
    /* The cut in the bytes that are written anew, in the header, in the records. */
    for (size_t before = 3; before <= 303; before += 50) {
        world_init(&w);
        struct str *bytes = object_begin(&w, padding - before);
        size_t length = add_batch(bytes, 'x', 100);
        struct str found;
        struct slice made = slice_of(bytes->data + bytes->len - length, length);
        struct plan_row row = {object_end(&w, bytes), 70, 5, CACHE_CHUNK_BYTES - before,
                               length};
        ask_one(&w, 70);
        answer_plan(&w, 0, 75, &row, 1);
        assert_int_equal(fake_objects.gets, 2);
        fake_objects_answer_all();
        run(&w);
        assert_int_equal(w.answered, 1);
        assert_batches(&w, 0, 70, 75);
        part_bytes(&w, 0, &found);
        assert_int_equal(found.len, length);
        assert_memory_equal(found.data + BATCH_PATCH_BYTES, made.ptr + BATCH_PATCH_BYTES,
                            length - BATCH_PATCH_BYTES);
        assert_int_equal(w.ask.blob_count, before > BATCH_PATCH_BYTES ? 2 : 1);
        str_fini(&found);
        world_fini(&w);
    }
}

/* What this agent wrote itself is served from the producers' frames, without a read. */
static void own_object(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    uint64_t half = row.length / 2;
    struct blob *one = blob_new(half, NULL), *two = blob_new(half, NULL);
    memcpy(one->data, w.objects[0].data + 16, half);
    memcpy(two->data, w.objects[0].data + 16 + half, half);
    const struct cache_piece pieces[] = {{16, blob_slice(one), one},
                                         {16 + half, blob_slice(two), two}};
    cache_put_written(w.cache, &row.object_id, pieces, 2);
    blob_unref(one);
    blob_unref(two);
    ask_one(&w, 0);
    answer_plan(&w, 0, 10, &row, 1);
    assert_int_equal(w.answered, 1);
    assert_int_equal(fake_objects.gets, 0);
    assert_batches(&w, 0, 0, 10);
    assert_int_equal(w.ask.blob_count, 2);
    world_fini(&w);
}

/* What a plan brought and what the watch added are answered as one. */
static void plan_and_tail_together(void **state)
{
    struct world w;
    struct plan_row row, tail;

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    ask_one(&w, 20); /* makes the tail known from 20 on */
    tail = row;
    tail.base_offset = 20;
    answer_plan(&w, 0, 30, &tail, 1);
    fake_objects_answer_all();
    run(&w);
    drop_answer(&w);
    struct plan_row behind[] = {row, row};
    behind[1].base_offset = 10;
    ask_part(&w, 0, 0, INT32_MAX);
    ask(&w, 3 * (int32_t)row.length, INT32_MAX, FAR_MS);
    answer_plan(&w, 0, 30, behind, 2);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 0, 30);
    world_fini(&w);
}

/* Whoever waits for a topic is told when it is deleted. */
static void deleted_topic(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    (void)known_partition(&w);
    ask_one(&w, 10);
    assert_int_equal(w.answered, 0);
    tail_on_topic_deleted(w.tail, &topic_id);
    fetcher_on_tail(w.fetcher);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, UNKNOWN_TOPIC);
    assert_int_equal(w.parts[0].high_watermark, -1);
    world_fini(&w);
}

/* Without a plan nothing is known of the offset: the client asks again. */
static void plan_fails(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    ask_one(&w, 0);
    answer_call(&w, ERR_UNAVAILABLE, NULL);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, NOT_AVAILABLE);
    drop_answer(&w);
    /* Nor with one that makes no sense. */
    ask_one(&w, 0);
    answer_call(&w, 0, json_array());
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, NOT_AVAILABLE);
    drop_answer(&w);
    struct plan_row row = {{{1}}, 0, 5, 16, UINT64_C(1) << 40};
    ask_one(&w, 0);
    answer_plan(&w, 0, 5, &row, 1);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, NOT_AVAILABLE);
    world_fini(&w);
}

/* A plan from before the index was forgotten is asked for again, but not for ever. */
static void plan_before_a_reset(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    ask_one(&w, 0);
    for (size_t i = 1; i <= 4; i++) {
        assert_int_equal(fake_calls.count, i);
        tail_on_reset(w.tail);
        fetcher_on_tail(w.fetcher);
        answer_plan(&w, 0, 10, &row, 1);
    }
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, NOT_AVAILABLE);
    drop_answer(&w);
    ask_one(&w, 0);
    tail_on_reset(w.tail);
    answer_plan(&w, 0, 10, &row, 1);
    assert_int_equal(w.answered, 0);
    answer_plan(&w, 0, 10, &row, 1);
    fake_objects_answer(0);
    run(&w);
    assert_batches(&w, 0, 0, 10);
    world_fini(&w);
}

/* An answer that is due while a plan is open leaves that partition to the next fetch, and
 * does not tell an end below the offset that was asked for. */
static void due_while_a_plan_is_open(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = known_partition(&w);
    ask_part(&w, 1, 0, INT32_MAX);
    ask(&w, 1, INT32_MAX, FAR_MS);
    answer_plan(&w, 0, 10, &row, 1);
    drop_answer(&w);
    ask_part(&w, 0, 0, INT32_MAX);
    ask_part(&w, 1, 20, INT32_MAX);
    ask(&w, 1, INT32_MAX, 30);
    wait_answer(&w);
    assert_batches(&w, 0, 0, 10);
    assert_error(&w, 1, NOT_AVAILABLE);
    assert_int_equal(w.parts[1].high_watermark, -1);
    /* The plan comes too late for anybody. */
    answer_plan(&w, 0, 30, NULL, 0);
    world_fini(&w);
}

/* The high watermark is that of the time when the records were chosen: what is committed
 * while they are read belongs to the next answer. */
static void watermark_fits_the_records(void **state)
{
    struct world w;
    struct plan_row row, next;

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    ask_one(&w, 0);
    answer_plan(&w, 0, 10, &row, 1);
    next = row;
    next.base_offset = 10;
    commit(&w, 0, &next);
    fetcher_on_tail(w.fetcher);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 0, 10);
    assert_int_equal(w.parts[0].high_watermark, 10);
    drop_answer(&w);
    /* Nor does a reset meanwhile take away what is known already. */
    struct uuid other = object_end(&w, &w.objects[0]);
    memset(&other, 0xee, sizeof(other));
    fake_objects_add(&cluster_id, &other, (const uint8_t *)w.objects[0].data,
                     w.objects[0].len);
    next.object_id = other;
    next.base_offset = 20;
    commit(&w, 0, &next);
    ask_one(&w, 20);
    tail_on_reset(w.tail);
    fetcher_on_tail(w.fetcher);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 20, 30);
    assert_int_equal(w.parts[0].high_watermark, 30);
    world_fini(&w);
}

/* An object that cannot be read is a storage error; the next fetch tries again. */
static void store_fails(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    ask_one(&w, 0);
    answer_plan(&w, 0, 10, &row, 1);
    fake_objects_answer(ERR_IO);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, STORAGE_ERROR);
    drop_answer(&w);
    ask_one(&w, 0);
    fake_objects_answer(0);
    run(&w);
    assert_batches(&w, 0, 0, 10);
    world_fini(&w);
}

/* A run that does not hold what the control plane says is a storage error, never wrong
 * records; batches before the damage are given. */
static void damaged_run(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    row.records = 11;
    ask_one(&w, 0);
    answer_plan(&w, 0, 11, &row, 1);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_batches(&w, 0, 0, 10);
    drop_answer(&w);
    ask_one(&w, 10);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, STORAGE_ERROR);
    world_fini(&w);

    world_init(&w);
    row = two_batches(&w);
    memset((uint8_t *)w.objects[0].data + 16 + 8, 0xff, 4); /* a length of -1 */
    ask_one(&w, 0);
    answer_plan(&w, 0, 10, &row, 1);
    fake_objects_answer(0);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, STORAGE_ERROR);
    world_fini(&w);
}

/* At the end nobody waits any more: parked fetches are answered with what there is. */
static void drained(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    (void)known_partition(&w);
    ask_one(&w, 10);
    assert_int_equal(w.answered, 0);
    fetcher_drain(w.fetcher);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, 0);
    drop_answer(&w);
    ask_one(&w, 10);
    assert_int_equal(w.answered, 1);
    world_fini(&w);
}

/* Nor for plans: the control plane may be gone. The client asks again, elsewhere. */
static void drained_without_plans(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    ask_one(&w, 0);
    assert_int_equal(fake_calls.count, 1);
    fetcher_drain(w.fetcher);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, NOT_AVAILABLE);
    drop_answer(&w);
    ask_one(&w, 0);
    assert_int_equal(w.answered, 1);
    assert_error(&w, 0, NOT_AVAILABLE);
    assert_int_equal(fake_calls.count, 1);
    answer_plan(&w, 0, 0, NULL, 0); /* too late for anybody */
    world_fini(&w);
}

/* A fetch whose client is gone ends at once, whatever it waits for; one that is answered
 * already is left alone. */
static void cancelled(void **state)
{
    struct world w;
    struct plan_row row;

    (void)state;
    world_init(&w);
    (void)known_partition(&w);
    ask_one(&w, 10); /* waits for records */
    fetcher_cancel(&w.ask);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_true(fetcher_idle(w.fetcher));
    fetcher_cancel(&w.ask);
    run(&w);
    assert_int_equal(w.answered, 1);
    world_fini(&w);

    world_init(&w);
    row = two_batches(&w);
    ask_one(&w, 0);
    answer_plan(&w, 0, 10, &row, 1); /* reads from the store */
    assert_int_equal(w.answered, 0);
    fetcher_cancel(&w.ask);
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_int_equal(w.ask.blob_count, 0);
    fake_objects_answer_all();
    run(&w);
    assert_int_equal(w.answered, 1);
    world_fini(&w);
}

/* Fetches of the same partition wait side by side, and what they ask for leaves as one
 * plan call. */
static void one_call_for_many(void **state)
{
    struct world w;
    struct plan_row row;
    struct json *plans = json_array();
    struct err err;
    struct json_reader r = {.err = &err};

    (void)state;
    world_init(&w);
    row = two_batches(&w);
    ask_part(&w, 0, 0, INT32_MAX);
    ask_part(&w, 1, 0, INT32_MAX);
    ask_part(&w, 2, 5, INT32_MAX);
    ask(&w, 1, INT32_MAX, FAR_MS);
    assert_int_equal(fake_calls.count, 1);
    assert_int_equal(
        json_count(json_get_array(&r, fake_calls.calls[0].body, "partitions")), 3);
    json_push(plans, plan(0, 10, &row, 1));
    json_push(plans, plan(OUT_OF_RANGE, 0, NULL, 0));
    json_push(plans, plan(0, 10, &row, 1));
    answer_call(&w, 0, plans);
    fake_objects_answer_all();
    run(&w);
    assert_int_equal(w.answered, 1);
    assert_int_equal(fake_objects.gets, 1);
    assert_batches(&w, 0, 0, 10);
    assert_error(&w, 1, OUT_OF_RANGE);
    assert_batches(&w, 2, 5, 10);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planned_read_and_patched),
        cmocka_unit_test(woken_by_a_commit),
        cmocka_unit_test(min_bytes_and_deadline),
        cmocka_unit_test(no_wait),
        cmocka_unit_test(error_is_immediate),
        cmocka_unit_test(out_of_range_after_a_plan),
        cmocka_unit_test(limits),
        cmocka_unit_test(batch_across_chunks),
        cmocka_unit_test(own_object),
        cmocka_unit_test(plan_and_tail_together),
        cmocka_unit_test(deleted_topic),
        cmocka_unit_test(plan_fails),
        cmocka_unit_test(plan_before_a_reset),
        cmocka_unit_test(due_while_a_plan_is_open),
        cmocka_unit_test(watermark_fits_the_records),
        cmocka_unit_test(store_fails),
        cmocka_unit_test(damaged_run),
        cmocka_unit_test(drained),
        cmocka_unit_test(drained_without_plans),
        cmocka_unit_test(cancelled),
        cmocka_unit_test(one_call_for_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
