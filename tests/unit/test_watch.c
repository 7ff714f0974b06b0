/* Unit tests of agent/watch.c and of what waits for it: topics.c, producer_ids.c and
 * freshness.c, over a control plane in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/freshness.h"
#include "agent/producer_ids.h"
#include "agent/relay.h"
#include "agent/topic_change.h"
#include "agent/watch.h"
#include "common/clock.h"
#include "common/mem.h"
#include "tests/lib/fake_transport.h"

#define ID_A   "00000000-0000-4000-8000-00000000000a"
#define OBJECT "00000000-0000-4000-8000-0000000000f0"

struct fixture {
    struct loop *loop;
    struct fake_transport fake;
    struct ctl *ctl;
    struct meta *meta;
    struct watch *watch;
    struct relay *relay;
    struct producer_ids *ids;
    struct freshness *freshness;
    struct mailbox replies;
    struct arena arena;
    /* the control plane */
    const char *metadata;   /* answer */
    const char *watches[4]; /* answers one by one, then parked */
    int watch_count, metadata_count, id_count, plan_count;
    int64_t watched_after;
    const char *topics_answer, *plan_answer;
    int64_t plan_delay_ms, watch_delay_ms;
    int ids_fail;
    /* what was heard */
    int resets, commits, deletions, news, ready;
    char group[16]; /* the last one that changed */
    int64_t log_starts[4];
    size_t log_start_count;
    struct tail_run runs[4];
    size_t run_count;
    int32_t writer;
    struct ask *replied[64];
    size_t reply_count;
    bool flag;
};

static void handle(const struct fake_http_request *request, struct fake_http_reply *reply,
                   void *arg)
{
    struct fixture *f = arg;
    struct json_reader r = {0};
    if (fake_transport_serve(&f->fake, request, reply))
        return;
    if (strcmp(request->path, "/agent/v1/metadata") == 0) {
        f->metadata_count++;
        reply->text = f->metadata;
    } else if (strcmp(request->path, "/agent/v1/watch") == 0) {
        f->watched_after = json_get_int(&r, request->body, "after", 0, 1 << 30);
        const char *text = f->watch_count < 4 ? f->watches[f->watch_count] : NULL;
        f->watch_count += text != NULL;
        reply->text = text;
        reply->never = text == NULL;
        reply->delay_ms = f->watch_delay_ms;
    } else if (strcmp(request->path, "/agent/v1/producer-ids") == 0) {
        int64_t count = json_get_int(&r, request->body, "count", 1, 10000);
        if (f->ids_fail-- > 0) {
            fake_transport_problem(reply, 403, "FORBIDDEN", "no");
            return;
        }
        reply->body = json_object();
        json_set(reply->body, "first", json_int(++f->id_count * 100000));
        json_set(reply->body, "count", json_int(count));
    } else if (strcmp(request->path, "/agent/v1/plan") == 0) {
        f->plan_count++;
        reply->text = f->plan_answer;
        reply->delay_ms = f->plan_delay_ms;
    } else {
        reply->text = f->topics_answer;
    }
}

static void on_commit(const struct uuid *object_id, int32_t writer_node_id,
                      const struct tail_run *runs, size_t run_count, void *arg)
{
    struct fixture *f = arg;
    (void)object_id;
    f->commits++;
    f->writer = writer_node_id;
    f->run_count = run_count;
    assert_true(run_count <= 4);
    memcpy(f->runs, runs, run_count * sizeof(runs[0]));
}

static void on_reset(void *arg)
{
    ((struct fixture *)arg)->resets++;
}

static void on_deleted(const struct uuid *topic_id, void *arg)
{
    (void)topic_id;
    ((struct fixture *)arg)->deletions++;
}

static void on_group(struct slice group, void *arg)
{
    struct fixture *f = arg;
    snprintf(f->group, sizeof(f->group), "%.*s", (int)group.len, (const char *)group.ptr);
}

static void on_log_start(const struct uuid *topic_id, int32_t partition, int64_t offset,
                         void *arg)
{
    struct fixture *f = arg;
    (void)topic_id;
    assert_true(partition >= 0 && f->log_start_count < 4);
    f->log_starts[f->log_start_count++] = offset;
}

static void on_news(void *arg)
{
    struct fixture *f = arg;
    f->news++;
    f->flag = true;
}

static void on_ready(void *arg)
{
    ((struct fixture *)arg)->ready++;
}

static void on_reply(struct message *message, void *arg)
{
    struct fixture *f = arg;
    assert_true(f->reply_count < 64);
    f->replied[f->reply_count++] = CONTAINER_OF(message, struct ask, message);
    f->flag = true;
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    const struct watch_hooks hooks = {.on_commit = on_commit,
                                      .on_reset = on_reset,
                                      .on_topic_deleted = on_deleted,
                                      .on_group = on_group,
                                      .on_log_start = on_log_start,
                                      .on_news = on_news,
                                      .arg = f};
    f->metadata = "{\"cursor\":10,\"agents\":[],\"topics\":[]}";
    f->loop = loop_new();
    fake_transport_init(&f->fake, f->loop, handle, f);
    f->ctl = fake_transport_join(&f->fake);
    f->meta = meta_new(ctl_cluster_id(f->ctl));
    f->watch = watch_new(f->loop, f->ctl, f->meta, &hooks);
    f->relay = relay_new(f->loop, f->ctl, f->watch);
    f->ids = producer_ids_new(f->loop, f->ctl);
    f->freshness = freshness_new(f->loop, f->ctl, f->watch);
    mailbox_init(&f->replies, f->loop, on_reply, f);
    arena_init(&f->arena, MIB);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    relay_drain(f->relay);
    producer_ids_drain(f->ids);
    freshness_drain(f->freshness);
    mailbox_drain(&f->replies);
    mailbox_fini(&f->replies);
    relay_free(f->relay);
    producer_ids_free(f->ids);
    freshness_free(f->freshness);
    watch_free(f->watch);
    meta_free(f->meta);
    ctl_free(f->ctl);
    fake_transport_fini(&f->fake);
    loop_free(f->loop);
    arena_fini(&f->arena);
    mem_free(f);
    return 0;
}

static void until_flag(struct fixture *f)
{
    f->flag = false;
    fake_transport_run(&f->fake, &f->flag);
}

static void rest(struct fixture *f, int ms)
{
    int64_t until = clock_monotonic_ms() + ms;
    while (clock_monotonic_ms() < until)
        loop_run_once(f->loop, 5);
}

/* The metadata makes the first view; then the watch goes on from its cursor. */
static void test_starts(void **state)
{
    struct fixture *f = *state;
    f->metadata =
        "{\"cursor\":10,\"agents\":[],\"topics\":[[\"" ID_A "\",\"t\",2,1,{},1]]}";
    watch_start(f->watch, on_ready, f);
    assert_false(watch_ready(f->watch));
    until_flag(f);
    assert_true(watch_ready(f->watch));
    assert_int_equal(f->ready, 1);
    assert_int_equal(f->resets, 1);
    assert_int_equal(f->watched_after, 10);
    struct meta_view *view = meta_acquire(f->meta);
    assert_int_equal(view->self_node_id, 42);
    assert_non_null(meta_topic_by_name(view, SLICE_LITERAL("t")));
    meta_release(view);
}

/* Events change the view and reach the tail, columns unpacked (control_api.md). */
static void test_events(void **state)
{
    struct fixture *f = *state;
    /* rows: topic 0,0; partition 1,3; base 100,5; records 3,2; position 16, 116+4;
     * length 100,50; max timestamp 1000,1001 */
    f->watches[0] =
        "{\"cursor\":11,\"reset\":false,\"events\":["
        "[\"topic\",[\"" ID_A "\",\"new\",2,1,{},1]],"
        "[\"commit\",\"" OBJECT "\",7,[\"" ID_A "\"],\"AAA=\",\"AgQ=\",\"yAG9AQ==\","
        "\"BgQ=\",\"AAg=\",\"yAFk\",\"0A8C\"],"
        "[\"of the future\",1,2,3]]}";
    f->watches[1] =
        "{\"cursor\":12,\"reset\":false,\"events\":["
        "[\"group\",\"app\",3,\"Stable\"],[\"topic_deleted\",\"" ID_A
        "\"],[\"agents\",[[9,\"" ID_A "\",\"h\",1,\"z\",\"\",\"\",\"active\"]]]]}";
    watch_start(f->watch, NULL, NULL);
    while (f->news < 2)
        until_flag(f);
    assert_int_equal(f->commits, 1);
    assert_int_equal(f->writer, 7);
    assert_int_equal(f->run_count, 2);
    assert_int_equal(f->runs[0].partition, 1);
    assert_int_equal(f->runs[0].base_offset, 100);
    assert_int_equal(f->runs[0].records, 3);
    assert_int_equal(f->runs[0].position, 16);
    assert_int_equal(f->runs[0].length, 100);
    assert_int_equal(f->runs[0].max_timestamp, 1000);
    assert_int_equal(f->runs[1].partition, 3);
    assert_int_equal(f->runs[1].base_offset, 5);
    assert_int_equal(f->runs[1].position, 120);
    assert_int_equal(f->runs[1].max_timestamp, 1001);
    struct meta_view *view = meta_acquire(f->meta);
    assert_non_null(meta_topic_by_name(view, SLICE_LITERAL("new")));
    meta_release(view);
    while (f->news < 3)
        until_flag(f);
    assert_int_equal(f->deletions, 1);
    assert_string_equal(f->group, "app");
    view = meta_acquire(f->meta);
    assert_null(meta_topic_by_name(view, SLICE_LITERAL("new")));
    assert_int_equal(view->agents[0].node_id, 9);
    meta_release(view);
    rest(f, 20);
    assert_int_equal(f->watched_after, 12);
}

/* reset: the metadata is loaded afresh and the tail forgets. */
static void test_reset(void **state)
{
    struct fixture *f = *state;
    f->watches[0] = "{\"cursor\":0,\"reset\":true,\"events\":[]}";
    watch_start(f->watch, on_ready, f);
    while (f->metadata_count < 2)
        loop_run_once(f->loop, 20);
    until_flag(f);
    assert_int_equal(f->resets, 2);
    assert_int_equal(f->ready, 1);
}

/* An answer that makes no sense, at any place, leads to loading afresh after a pause, and
 * never to a fault. */
static void test_nonsense(void **state)
{
    static const char *const bad[] = {
        "{}",
        "[]",
        "{\"cursor\":1,\"reset\":false,\"events\":[[5]]}",
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"commit\"]]}",
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"commit\",\"" OBJECT
        "\",7,[],\"AA==\","
        "\"AA==\",\"AA==\",\"Ag==\",\"AA==\",\"Ag==\",\"AA==\"]]}", /* topic 0 of none */
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"commit\",\"" OBJECT "\",7,[\"" ID_A
        "\"],\"AA==\",\"AAA=\",\"AA==\",\"Ag==\",\"AA==\",\"Ag==\",\"AA==\"]]}", /* rows
                                                                                  */
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"commit\",\"" OBJECT "\",7,[\"" ID_A
        "\"],\"AA==\",\"AA==\",\"AA==\",\"AA==\",\"AA==\",\"Ag==\",\"AA=="
        "\"]]}", /* 0
                    records
                  */
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"topic\",[1]]]}",
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"topic_deleted\",7]]}",
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"setting\",[4,\"\",7]]]}",
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"log_starts\",[[\"" ID_A
        "\",-1,5]]]]}",
        "{\"cursor\":1,\"reset\":false,\"events\":[[\"log_starts\",[[1]]]]}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i += 4) {
        for (size_t j = 0; j < 4; j++)
            f->watches[j] = i + j < sizeof(bad) / sizeof(bad[0]) ? bad[i + j] : NULL;
        f->watch_count = 0;
        struct watch_hooks hooks = {.on_commit = on_commit,
                                    .on_reset = on_reset,
                                    .on_topic_deleted = on_deleted,
                                    .on_group = on_group,
                                    .on_log_start = on_log_start,
                                    .on_news = on_news,
                                    .arg = f};
        for (size_t j = 0; j < 4 && f->watches[j] != NULL; j++) {
            struct watch *watch = watch_new(f->loop, f->ctl, f->meta, &hooks);
            f->watch_count = (int)j;
            watch_start(watch, NULL, NULL);
            rest(f, 30);
            watch_free(watch);
        }
    }
    assert_int_equal(f->commits, 0);
}

/* Logs that begin later and settings are passed on. */
static void test_admin_events(void **state)
{
    struct fixture *f = *state;
    f->watches[0] = "{\"cursor\":11,\"reset\":false,\"events\":[[\"log_starts\",[[\"" ID_A
                    "\",1,50],[\"" ID_A "\",0,70]]],"
                    "[\"setting\",[4,\"\",{\"num.partitions\":\"4\"}]]]}";
    watch_start(f->watch, NULL, NULL);
    while (f->news < 2)
        until_flag(f);
    assert_int_equal(f->log_start_count, 2);
    assert_int_equal(f->log_starts[0], 50);
    assert_int_equal(f->log_starts[1], 70);
    struct meta_view *view = meta_acquire(f->meta);
    assert_int_equal(meta_own_number(view, "num.partitions", 1), 4);
    meta_release(view);
}

static int64_t relayed;

static int read_relayed(struct relay_ask *ask, const struct json *answer)
{
    struct json_reader r = {0};
    (void)ask;
    relayed = json_get_int(&r, answer, "n", 0, 100);
    return r.failed ? ERR_MALFORMED : 0;
}

static void relay_path(struct fixture *f, struct relay_ask *ask, bool sees, int64_t ms)
{
    *ask = (struct relay_ask){.path = "/agent/v1/x",
                              .body = json_object(),
                              .sees = sees,
                              .deadline_at_ms = clock_monotonic_ms() + ms,
                              .read = read_relayed};
    ask->ask.reply_to = &f->replies;
    ask->ask.arena = &f->arena;
}

/* A relayed call is answered when it was read, or, where it must be seen, when the view
 * is as new; what cannot be read and what is not seen in time are errors. */
static void test_relay(void **state)
{
    struct fixture *f = *state;
    struct relay *relay = f->relay;
    struct relay_ask ask;

    watch_start(f->watch, NULL, NULL);
    until_flag(f);
    f->topics_answer = "{\"cursor\":99,\"n\":7}";
    relay_path(f, &ask, false, 5000);
    relay_ask(relay, &ask);
    until_flag(f);
    assert_int_equal(f->reply_count, 1);
    assert_int_equal(ask.kafka_error, 0);
    assert_int_equal(relayed, 7);
    relay_path(f, &ask, true, 100); /* the view stays at 10 */
    relay_ask(relay, &ask);
    until_flag(f);
    assert_int_equal(ask.kafka_error, 7);
    f->topics_answer = "{\"cursor\":10,\"n\":8}";
    relay_path(f, &ask, true, 5000);
    relay_ask(relay, &ask);
    until_flag(f);
    assert_int_equal(ask.kafka_error, 0);
    assert_int_equal(relayed, 8);
    f->topics_answer = "{\"cursor\":10}";
    relay_path(f, &ask, false, 5000);
    relay_ask(relay, &ask);
    until_flag(f);
    assert_int_not_equal(ask.kafka_error, 0);
    relay_path(f, &ask, false, 5000);
    relay_ask(relay, &ask);
    assert_false(relay_idle(relay));
    relay_drain(relay);
    assert_true(relay_idle(relay));
    until_flag(f);
    assert_int_not_equal(ask.kafka_error, 0);
    assert_int_equal(f->reply_count, 5);
}

static struct topic_change *change_topic(struct fixture *f, enum topic_change_op op,
                                         bool validate_only, int64_t ms)
{
    struct topic_change *change = arena_alloc(&f->arena, sizeof(*change));
    topic_change_init(change, op, validate_only);
    change->relay.ask = (struct ask){.reply_to = &f->replies, .arena = &f->arena};
    (void)topic_change_add(change, json_int(1));
    topic_change_seal(change, clock_monotonic_ms() + ms);
    relay_ask(f->relay, &change->relay);
    return change;
}

/* A change is answered when this agent's own view has caught up with it, not before. */
static void test_topics_wait_for_the_view(void **state)
{
    struct fixture *f = *state;
    f->topics_answer = "{\"cursor\":11,\"results\":[[0,null,\"" ID_A "\",3,1]]}";
    f->watches[0] = "{\"cursor\":11,\"reset\":false,\"events\":[[\"topic\",[\"" ID_A
                    "\",\"made\",3,1,{},1]]]}";
    f->watch_delay_ms = 100;
    watch_start(f->watch, NULL, NULL);
    until_flag(f);
    struct topic_change *change = change_topic(f, TOPICS_CREATE, false, 5000);
    rest(f, 40);
    assert_int_equal(f->reply_count, 0);
    while (f->reply_count == 0)
        until_flag(f);
    assert_int_equal(change->relay.kafka_error, 0);
    assert_int_equal(change->results[0].partitions, 3);
    struct meta_view *view = meta_acquire(f->meta);
    assert_non_null(meta_topic_by_name(view, SLICE_LITERAL("made")));
    meta_release(view);
}

/* With the cursor reached the results are there. */
static void test_topics_results(void **state)
{
    struct fixture *f = *state;
    f->topics_answer = "{\"cursor\":10,\"results\":[[36,\"it exists\",null,null,null]]}";
    watch_start(f->watch, NULL, NULL);
    until_flag(f);
    struct topic_change *create = change_topic(f, TOPICS_CREATE, false, 5000);
    until_flag(f);
    assert_int_equal(create->relay.kafka_error, 0);
    assert_int_equal(create->results[0].kafka_error, 36);
    assert_string_equal(create->results[0].message, "it exists");
    f->topics_answer = "{\"cursor\":10,\"results\":[[0,null,\"" ID_A "\",\"gone\"]]}";
    struct topic_change *delete = change_topic(f, TOPICS_DELETE, false, 5000);
    until_flag(f);
    assert_true(slice_eq_str(delete->results[0].name, "gone"));
    assert_false(uuid_is_zero(&delete->results[0].topic_id));
    f->topics_answer = "{\"cursor\":99,\"results\":[[0,null]]}"; /* not waited for */
    struct topic_change *configs = change_topic(f, TOPICS_CONFIGS, true, 5000);
    until_flag(f);
    assert_int_equal(configs->relay.kafka_error, 0);
    assert_int_equal(configs->results[0].kafka_error, 0);
}

/* At the deadline, and for an answer that does not fit, the whole call has an error. */
static void test_topics_errors(void **state)
{
    struct fixture *f = *state;
    f->topics_answer = "{\"cursor\":99,\"results\":[[0,null,null,1,1]]}";
    watch_start(f->watch, NULL, NULL);
    until_flag(f);
    struct topic_change *late = change_topic(f, TOPICS_CREATE, false, 60);
    until_flag(f);
    assert_int_equal(late->relay.kafka_error, 7);
    f->topics_answer = "{\"cursor\":1,\"results\":[]}";
    struct topic_change *odd = change_topic(f, TOPICS_CREATE, false, 5000);
    until_flag(f);
    assert_int_not_equal(odd->relay.kafka_error, 0);
    assert_true(relay_idle(f->relay));
}

static struct producer_id_ask *id_of(struct fixture *f, int64_t ms)
{
    struct producer_id_ask *ask = arena_alloc(&f->arena, sizeof(*ask));
    ask->ask = (struct ask){.reply_to = &f->replies, .arena = &f->arena};
    ask->deadline_at_ms = clock_monotonic_ms() + ms;
    return ask;
}

/* Ids come out of blocks, each once, and the next block is fetched before the first is
 * used up. */
static void test_producer_ids(void **state)
{
    struct fixture *f = *state;
    int64_t last = -1;
    for (int i = 0; i < 2500; i++) {
        struct producer_id_ask *ask = id_of(f, 5000);
        producer_ids_ask(f->ids, ask);
        until_flag(f);
        f->reply_count = 0;
        assert_int_equal(ask->kafka_error, 0);
        assert_true(ask->producer_id > last);
        last = ask->producer_id;
        arena_fini(&f->arena);
        arena_init(&f->arena, MIB);
    }
    assert_in_range(f->id_count, 3, 5);
}

/* Without ids there is an error that makes the client repeat, at the deadline too. */
static void test_producer_ids_fail(void **state)
{
    struct fixture *f = *state;
    f->ids_fail = 1;
    struct producer_id_ask *ask = id_of(f, 5000);
    producer_ids_ask(f->ids, ask);
    until_flag(f);
    assert_int_equal(ask->kafka_error, 7);
    struct producer_id_ask *late = id_of(f, -1);
    producer_ids_ask(f->ids, late);
    until_flag(f);
    assert_true(late->kafka_error == 0 || late->kafka_error == 7);
}

static struct metadata_ask *fresh_of(struct fixture *f, int64_t ms)
{
    struct metadata_ask *ask = arena_alloc(&f->arena, sizeof(*ask));
    ask->ask = (struct ask){.reply_to = &f->replies, .arena = &f->arena};
    ask->deadline_at_ms = clock_monotonic_ms() + ms;
    return ask;
}

/* Whoever asks while a probe is on its way shares the next one: two calls for twenty. */
static void test_freshness(void **state)
{
    struct fixture *f = *state;
    f->plan_answer = "{\"cursor\":10,\"plans\":[]}";
    f->plan_delay_ms = 20;
    watch_start(f->watch, NULL, NULL);
    until_flag(f);
    for (int i = 0; i < 20; i++)
        freshness_ask(f->freshness, fresh_of(f, 5000));
    while (f->reply_count < 20)
        until_flag(f);
    assert_int_equal(f->plan_count, 2);
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(
            CONTAINER_OF(f->replied[i], struct metadata_ask, ask)->kafka_error, 0);
}

/* A view that does not catch up is an error at the deadline. */
static void test_freshness_deadline(void **state)
{
    struct fixture *f = *state;
    f->plan_answer = "{\"cursor\":1000,\"plans\":[]}";
    watch_start(f->watch, NULL, NULL);
    until_flag(f);
    struct metadata_ask *ask = fresh_of(f, 60);
    freshness_ask(f->freshness, ask);
    until_flag(f);
    assert_int_equal(ask->kafka_error, 7);
    assert_true(freshness_idle(f->freshness));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_starts),
        TEST(test_events),
        TEST(test_reset),
        TEST(test_admin_events),
        TEST(test_relay),
        TEST(test_nonsense),
        TEST(test_topics_wait_for_the_view),
        TEST(test_topics_results),
        TEST(test_topics_errors),
        TEST(test_producer_ids),
        TEST(test_producer_ids_fail),
        TEST(test_freshness),
        TEST(test_freshness_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
