/* The produce path under virtual time: random producers, a store that is slow, fails,
 * loses answers and stalls, a control plane that loses replies and goes away. WEFT_SEED=N
 * runs one seed only. The fake control plane asserts I1 and that no batch is committed
 * twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/produce_path.h"
#include "common/crc32c.h"
#include "common/cursor.h"
#include "tests/lib/fake_ctl.h"
#include "tests/lib/fake_store.h"
#include "tests/lib/vtime.h"

#define SEEDS      150
#define STREAMS    6 /* idempotent producers, a partition each */
#define PLAINS     4 /* connections without idempotence, over all partitions */
#define PARTITIONS 5
#define TOPICS     2
#define PARTS_MAX  4
#define BATCHES    40 /* of a stream */
#define WINDOW     5  /* requests in flight, the most that idempotence allows */

struct sim;

struct sim_ask {
    struct produce_ask ask;
    struct produce_part parts[PARTS_MAX];
    uint64_t numbers[PARTS_MAX];
    struct sim *sim;
    int who; /* a plain's index, or -1 */
    int stream, batch;
    bool answered;
};

struct stream {
    struct sim *sim;
    int index;
    struct uuid topic_id;
    int32_t partition;
    struct {
        int32_t sequence;
        uint32_t records;
        uint64_t number;
        bool acked;
        int64_t offset;
    } batches[BATCHES];
    int next; /* to be sent */
    int in_flight;
    bool failed; /* one in flight failed: wait for all, then begin anew from there */
};

struct sim {
    struct vtime time;
    struct fake_store store;
    struct fake_ctl ctl;
    struct produce_path path;
    struct budget budget;
    struct uuid topics[TOPICS];
    struct stream streams[STREAMS];
    uint64_t numbers;
    size_t asks, answers;
    int plain_left[PLAINS];
    /* the last number that each plain had accepted, by topic and partition */
    struct sim_ask **history; /* every plain ask, until the end */
    size_t history_count;
    size_t acked, failed, timed_out;
};

/* ---- making batches ---- */

static struct slice make_batch(uint8_t *at, size_t len, uint64_t number)
{
    memset(at, (int)(number & 0xff), len);
    be64_put(at, 0);
    be32_put(at + 8, (uint32_t)len - 12);
    at[16] = 2;
    be64_put(at + FAKE_BATCH_HEADER, number);
    be32_put(at + 17, crc32c(at + 21, len - 21));
    return slice_of(at, len);
}

static struct sim_ask *make_ask(struct sim *sim, size_t parts, int64_t timeout_ms)
{
    struct sim_ask *a = calloc(1, sizeof(*a));
    /* Some batches are large enough for the checksums to be combined. */
    size_t len = FAKE_BATCH_LEN_MIN + vtime_random(&sim->time, 300);
    if (vtime_chance(&sim->time, 5))
        len += 20000;
    a->sim = sim;
    a->who = a->stream = -1;
    a->ask.ask.message.type = ASK_PRODUCE;
    a->ask.parts = a->parts;
    a->ask.part_count = parts;
    a->ask.deadline_at_ms = sim->time.now_ms + timeout_ms;
    a->ask.frame = blob_new(parts * len, &sim->budget);
    for (size_t i = 0; i < parts; i++) {
        struct produce_part *part = &a->parts[i];
        a->numbers[i] = ++sim->numbers;
        part->bytes = make_batch(a->ask.frame->data + i * len, len, a->numbers[i]);
        part->records = 1 + (uint32_t)vtime_random(&sim->time, 9);
        part->producer_id = -1;
        part->producer_epoch = -1;
        part->base_sequence = -1;
        part->min_timestamp = sim->time.now_ms - 5;
        part->max_timestamp = sim->time.now_ms;
    }
    return a;
}

static void send_ask(struct sim *sim, struct sim_ask *a)
{
    struct blob *frame = a->ask.frame;
    sim->asks++;
    produce_path_ask(&sim->path, &a->ask, sim->time.now_ms);
    blob_unref(frame); /* the request is done with it; the path has its own reference */
}

/* ---- idempotent streams ---- */

static void stream_send(struct stream *s)
{
    struct sim *sim = s->sim;
    while (s->in_flight < WINDOW && s->next < BATCHES) {
        int i = s->next++;
        struct sim_ask *a =
            make_ask(sim, 1, 500 + (int64_t)vtime_random(&sim->time, 20000));
        struct produce_part *part = &a->parts[0];
        a->stream = s->index;
        a->batch = i;
        if (s->batches[i].number == 0) {
            s->batches[i].number = a->numbers[0];
            s->batches[i].records = part->records;
            s->batches[i].sequence =
                i == 0 ? 0
                       : s->batches[i - 1].sequence + (int32_t)s->batches[i - 1].records;
        }
        /* A repeat is the same batch again. */
        a->numbers[0] = s->batches[i].number;
        part->bytes = make_batch(a->ask.frame->data, a->ask.frame->len, a->numbers[0]);
        part->records = s->batches[i].records;
        part->topic_id = s->topic_id;
        part->partition = s->partition;
        part->producer_id = 1000 + s->index;
        part->producer_epoch = 0;
        part->base_sequence = s->batches[i].sequence;
        s->in_flight++;
        send_ask(sim, a);
    }
}

static void on_stream_timer(void *arg)
{
    struct stream *s = arg;
    if (s->in_flight == 0 && s->failed) {
        s->failed = false;
        s->next = 0;
        while (s->next < BATCHES && s->batches[s->next].acked)
            s->next++;
    }
    if (!s->failed)
        stream_send(s);
}

static void stream_on_reply(struct stream *s, struct sim_ask *a)
{
    const struct produce_part *part = &a->parts[0];
    s->in_flight--;
    if (part->kafka_error == 0) {
        assert_true(part->base_offset >= 0);
        if (s->batches[a->batch].acked)
            assert_int_equal(s->batches[a->batch].offset, part->base_offset);
        s->batches[a->batch].acked = true;
        s->batches[a->batch].offset = part->base_offset;
    } else {
        s->failed = true;
    }
    vtime_after(&s->sim->time, 1 + (int64_t)vtime_random(&s->sim->time, 60),
                on_stream_timer, s);
}

/* ---- plain producers ---- */

struct plain_turn {
    struct sim *sim;
    int who;
};

static void on_plain_turn(void *arg)
{
    struct plain_turn *turn = arg;
    struct sim *sim = turn->sim;
    size_t parts = 1 + vtime_random(&sim->time, PARTS_MAX);
    struct sim_ask *a =
        make_ask(sim, parts, 100 + (int64_t)vtime_random(&sim->time, 8000));

    a->who = turn->who;
    for (size_t i = 0; i < parts; i++) {
        a->parts[i].topic_id = sim->topics[vtime_random(&sim->time, TOPICS)];
        a->parts[i].partition = (int32_t)vtime_random(&sim->time, PARTITIONS);
    }
    sim->history = realloc(sim->history, (sim->history_count + 1) * sizeof(a));
    sim->history[sim->history_count++] = a;
    send_ask(sim, a);
    if (--sim->plain_left[turn->who] > 0)
        vtime_after(&sim->time, (int64_t)vtime_random(&sim->time, 120), on_plain_turn,
                    turn);
}

/* ---- the world of the path ---- */

static void put(struct store_request *request, void *arg)
{
    struct sim *sim = arg;
    fake_store_put(&sim->store, request);
}

static void cancel_put(struct store_request *request, void *arg)
{
    struct sim *sim = arg;
    fake_store_cancel(&sim->store, request);
}

static void on_put_done(struct store_request *request, void *arg)
{
    struct sim *sim = arg;
    produce_path_on_put(&sim->path, request, sim->time.now_ms);
}

static struct uuid make_id(void *arg)
{
    struct sim *sim = arg;
    struct uuid id;
    for (size_t i = 0; i < sizeof(id.bytes); i++)
        id.bytes[i] = (uint8_t)vtime_random(&sim->time, 256);
    return id;
}

static void commit(struct json *body, void *arg)
{
    struct sim *sim = arg;
    fake_ctl_commit(&sim->ctl, body);
}

static void on_commit_answer(int code, const char *text, const struct json *answer,
                             void *arg)
{
    struct sim *sim = arg;
    produce_path_on_commit(&sim->path, code, text, answer, sim->time.now_ms);
}

static void on_reply(struct ask *ask, void *arg)
{
    struct sim *sim = arg;
    struct sim_ask *a = (struct sim_ask *)(void *)ask;
    assert_false(a->answered);
    a->answered = true;
    sim->answers++;
    for (size_t i = 0; i < a->ask.part_count; i++) {
        int16_t error = a->parts[i].kafka_error;
        sim->acked += error == 0;
        sim->failed += error != 0 && error != 7;
        sim->timed_out += error == 7;
        assert_true(error == 0 || error == 7 || error == 45 || error == 56);
    }
    if (a->stream >= 0) {
        stream_on_reply(&sim->streams[a->stream], a);
        free(a);
    }
}

/* What the tail index and the cache are told fits the object. */
static void on_committed(const struct committed *committed, void *arg)
{
    uint64_t end = 16;
    (void)arg;
    for (size_t i = 0; i < committed->piece_count; i++) {
        assert_int_equal(committed->pieces[i].position, end);
        end += committed->pieces[i].bytes.len;
    }
    end = 16;
    for (size_t i = 0; i < committed->run_count; i++) {
        assert_true(committed->runs[i].position >= end);
        end = committed->runs[i].position + committed->runs[i].length;
        assert_true(committed->runs[i].base_offset >= 0);
    }
}

static int64_t log_start(const struct uuid *topic_id, int32_t partition, void *arg)
{
    (void)topic_id, (void)partition, (void)arg;
    return 0;
}

static int64_t wall_ms(void *arg)
{
    struct sim *sim = arg;
    return sim->time.now_ms;
}

static struct slice topic_name(const struct uuid *topic_id, void *arg)
{
    (void)topic_id, (void)arg;
    return SLICE_LITERAL("topic");
}

/* ---- outages ---- */

static void toggle_store(void *arg)
{
    struct sim *sim = arg;
    sim->store.hold = !sim->store.hold;
}

static void toggle_ctl(void *arg)
{
    struct sim *sim = arg;
    sim->ctl.down = !sim->ctl.down;
}

/* ---- one run ---- */

static void sim_init(struct sim *sim, uint64_t seed)
{
    const struct produce_path_io io = {
        .put = put,
        .cancel_put = cancel_put,
        .make_id = make_id,
        .commit = commit,
        .reply = on_reply,
        .on_committed = on_committed,
        .log_start = log_start,
        .wall_ms = wall_ms,
        .topic_name = topic_name,
        .arg = sim,
    };
    memset(sim, 0, sizeof(*sim));
    vtime_init(&sim->time, seed);
    struct vtime *t = &sim->time;
    budget_init(&sim->budget, GIB);
    fake_store_init(&sim->store, t);
    sim->store.on_done = on_put_done;
    sim->store.arg = sim;
    struct produce_path_options options = {
        .batcher = {.flush_bytes = 500 + vtime_random(t, 20000),
                    .flush_interval_ms = (int64_t)vtime_random(t, 300),
                    .budget = &sim->budget},
        .uploader = {.max_uploads = 1 + vtime_random(t, 8),
                     .upload_timeout_ms = 1000 + (int64_t)vtime_random(t, 8000),
                     .hedge_after_ms =
                         vtime_chance(t, 50) ? 30 + (int64_t)vtime_random(t, 200) : 0},
        .max_objects = 1 + vtime_random(t, 16),
    };
    options.cluster_id.bytes[0] = 0xcc;
    options.agent_id.bytes[0] = 0xaa;
    fake_ctl_init(&sim->ctl, t, &sim->store, &options.cluster_id);
    sim->ctl.on_answer = on_commit_answer;
    sim->ctl.arg = sim;
    for (size_t i = 0; i < TOPICS; i++)
        sim->topics[i].bytes[15] = (uint8_t)(i + 1);
    produce_path_init(&sim->path, &options, &io, t->now_ms);
}

static void set_faults(struct sim *sim)
{
    struct vtime *t = &sim->time;
    sim->store.slow_percent = (unsigned)vtime_random(t, 30);
    sim->store.slow_ms = 50 + (int64_t)vtime_random(t, 3000);
    sim->store.fail_percent = (unsigned)vtime_random(t, 5);
    sim->store.lost_percent = (unsigned)vtime_random(t, 10);
    sim->store.stall_percent = (unsigned)vtime_random(t, 5);
    sim->ctl.lost_percent = (unsigned)vtime_random(t, 30);
    for (int i = 0; i < 3; i++) {
        int64_t from = (int64_t)vtime_random(t, 20000);
        vtime_after(t, from, toggle_store, sim);
        vtime_after(t, from + 1 + (int64_t)vtime_random(t, 3000), toggle_store, sim);
        from = (int64_t)vtime_random(t, 20000);
        vtime_after(t, from, toggle_ctl, sim);
        vtime_after(t, from + 1 + (int64_t)vtime_random(t, 3000), toggle_ctl, sim);
    }
}

static bool streams_done(const struct sim *sim)
{
    for (size_t i = 0; i < STREAMS; i++) {
        for (size_t j = 0; j < BATCHES; j++) {
            if (!sim->streams[i].batches[j].acked)
                return false;
        }
    }
    return true;
}

/* Virtual time until everybody has what they wanted. */
static void run(struct sim *sim)
{
    int64_t give_up = sim->time.now_ms + 3600000;
    int64_t calm = sim->time.now_ms + 120000;

    while (!streams_done(sim) || !produce_path_idle(&sim->path) ||
           sim->answers < sim->asks || !vtime_idle(&sim->time)) {
        int64_t due = produce_path_due_at_ms(&sim->path);
        assert_true(sim->time.now_ms < give_up);
        if (sim->time.now_ms > calm) { /* at last the faults end */
            sim->store.fail_percent = sim->store.lost_percent = 0;
            sim->store.stall_percent = 0;
            sim->store.hold = sim->ctl.down = false;
        }
        vtime_step(&sim->time, MAX(MIN(due, give_up), sim->time.now_ms));
        produce_path_step(&sim->path, sim->time.now_ms);
    }
}

/* Index of NUMBER in the partition's log, or -1. */
static int64_t find(const struct fake_partition *p, uint64_t number)
{
    for (size_t i = 0; p != NULL && i < p->count; i++) {
        if (p->log[i].number == number)
            return (int64_t)i;
    }
    return -1;
}

/* Every batch of a stream is there once, in order, where its producer was told. */
static void check_stream(const struct sim *sim, const struct stream *s)
{
    const struct fake_partition *p =
        fake_ctl_partition(&sim->ctl, &s->topic_id, s->partition);
    int64_t last = -1;
    for (size_t i = 0; i < BATCHES; i++) {
        int64_t at = find(p, s->batches[i].number);
        assert_true(at > last);
        assert_int_equal(p->log[at].base_offset, s->batches[i].offset);
        last = at;
    }
}

static void check_part(const struct sim *sim, const struct sim_ask *a, size_t i,
                       int64_t last[PLAINS][TOPICS][PARTITIONS])
{
    const struct produce_part *part = &a->parts[i];
    const struct fake_partition *p =
        fake_ctl_partition(&sim->ctl, &part->topic_id, part->partition);
    int64_t at = find(p, a->numbers[i]);
    int topic = part->topic_id.bytes[15] - 1;

    if (part->kafka_error == 0) { /* I1: what was acknowledged is there */
        assert_true(at >= 0);
        assert_int_equal(p->log[at].base_offset, part->base_offset);
    }
    if (part->kafka_error == 56) /* refused for good means: never committed */
        assert_true(at < 0);
    if (at >= 0) { /* I8 */
        assert_true(at > last[a->who][topic][part->partition]);
        last[a->who][topic][part->partition] = at;
    }
}

static void check(const struct sim *sim)
{
    int64_t last[PLAINS][TOPICS][PARTITIONS];
    memset(last, -1, sizeof(last));
    for (size_t i = 0; i < STREAMS; i++)
        check_stream(sim, &sim->streams[i]);
    for (size_t i = 0; i < sim->history_count; i++) {
        const struct sim_ask *a = sim->history[i];
        assert_true(a->answered);
        for (size_t j = 0; j < a->ask.part_count; j++)
            check_part(sim, a, j, last);
    }
}

static void sim_fini(struct sim *sim)
{
    produce_path_fini(&sim->path);
    assert_int_equal(budget_used(&sim->budget), 0); /* nothing is held any more */
    for (size_t i = 0; i < sim->history_count; i++)
        free(sim->history[i]);
    free(sim->history);
    fake_ctl_fini(&sim->ctl);
    fake_store_fini(&sim->store);
    vtime_fini(&sim->time);
}

struct totals {
    size_t acked, failed, timed_out, repeats, objects, puts;
};

static void run_seed(uint64_t seed, bool faults, struct totals *totals)
{
    static struct sim sim;
    struct plain_turn turns[PLAINS];

    sim_init(&sim, seed);
    if (faults)
        set_faults(&sim);
    for (int i = 0; i < STREAMS; i++) {
        struct stream *s = &sim.streams[i];
        s->sim = &sim;
        s->index = i;
        s->topic_id = sim.topics[i % TOPICS];
        s->partition = i % PARTITIONS;
        vtime_after(&sim.time, (int64_t)vtime_random(&sim.time, 3000), on_stream_timer,
                    s);
    }
    for (int i = 0; i < PLAINS; i++) {
        turns[i] = (struct plain_turn){&sim, i};
        sim.plain_left[i] = 100;
        vtime_after(&sim.time, 1, on_plain_turn, &turns[i]);
    }
    run(&sim);
    check(&sim);
    totals->acked += sim.acked;
    totals->failed += sim.failed;
    totals->timed_out += sim.timed_out;
    totals->repeats += sim.ctl.repeats;
    totals->objects += sim.ctl.objects;
    totals->puts += fake_store_object_count(&sim.store);
    sim_fini(&sim);
}

/* Whatever store and control plane do: acknowledged batches are committed once (I1, I5),
 * in the order sent (I8), every ask is answered once, and nothing is held at the end. */
static void test_faults(void **state)
{
    struct totals totals = {0};
    const char *one = getenv("WEFT_SEED");
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        if (one != NULL && strtoull(one, NULL, 10) != seed)
            continue;
        /* An assertion that fails ends the test here: this is the seed to repeat. */
        print_message("seed %llu\r", (unsigned long long)seed);
        run_seed(seed, true, &totals);
    }
    print_message("acked %zu failed %zu timed out %zu repeats %zu objects %zu puts %zu\n",
                  totals.acked, totals.failed, totals.timed_out, totals.repeats,
                  totals.objects, totals.puts);
    if (one != NULL)
        return;
    /* The faults did happen: there were failures, repeated commits, objects stored twice.
     */
    assert_true(totals.failed > 0 && totals.timed_out > 0 && totals.repeats > 0);
    assert_true(totals.puts > totals.objects);
}

/* Without faults every batch is acknowledged at the first try. */
static void test_calm(void **state)
{
    struct totals totals = {0};
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++)
        run_seed(seed, false, &totals);
    assert_int_equal(totals.failed, 0);
    assert_int_equal(totals.repeats, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calm),
        cmocka_unit_test(test_faults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
