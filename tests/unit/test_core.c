/* Unit tests of agent/core.c: asks in, answers out, over a file:// store and a control
 * plane in memory that accepts every commit; drain and abandon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/core.h"
#include "agent/meta.h"
#include "common/arena.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/store.h"
#include "proto/commit.h"
#include "tests/lib/fake_transport.h"
#include "tests/lib/produce_asks.h"

struct fixture {
    char directory[64];
    struct loop *loop;
    struct fake_transport fake;
    struct ctl *ctl;
    struct store *store;
    struct budget budget;
    struct core *core;
    struct mailbox replies;
    bool ready, replied, mute; /* mute: commits are not answered */
    int commits, replies_seen;
    int64_t next_offset;
};

/* Every run of the commit gets the next offsets. */
static struct json *accept_commit(struct fixture *f, const struct json *value)
{
    struct arena arena;
    struct commit commit;
    struct commit_walk walk;
    struct commit_result result = {0};
    struct str column;
    struct err err = {0};
    int64_t last = 0;

    arena_init(&arena, 16 * MIB);
    str_init(&column, MIB);
    assert_int_equal(commit_from_json(value, &arena, &commit, &err), 0);
    commit_walk_init(&walk, &commit);
    while (commit_walk_next_run(&walk)) {
        packed_put_delta(&column, &last, f->next_offset);
        while (commit_walk_next_batch(&walk))
            f->next_offset += walk.records;
    }
    result.base_offset = str_slice(&column);
    struct json *json = commit_result_to_json(&result);
    str_fini(&column);
    arena_fini(&arena);
    return json;
}

static void handle(const struct fake_http_request *request, struct fake_http_reply *reply,
                   void *arg)
{
    struct fixture *f = arg;
    struct json_reader r = {0};
    if (fake_transport_serve(&f->fake, request, reply))
        return;
    if (strcmp(request->path, "/agent/v1/metadata") == 0) {
        reply->text = "{\"cursor\":1,\"agents\":[],\"topics\":[]}";
    } else if (strcmp(request->path, "/agent/v1/commit") == 0) {
        f->commits++;
        reply->never = f->mute;
        reply->body = json_array();
        struct json *results = json_array();
        for (size_t i = 0; i < json_count(request->body); i++)
            json_push(results, accept_commit(f, json_at(&r, request->body, i)));
        json_push(reply->body, json_int(clock_wall_ms()));
        json_push(reply->body, json_int(2));
        json_push(reply->body, results);
    } else {
        reply->never = true; /* watch, and what nobody answers */
    }
}

static void on_ready(void *arg)
{
    ((struct fixture *)arg)->ready = true;
}

static void on_reply(struct message *message, void *arg)
{
    struct fixture *f = arg;
    (void)message;
    f->replied = true;
    f->replies_seen++;
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    char url[128];
    struct err err = {0};

    snprintf(f->directory, sizeof(f->directory), "/tmp/weft-test-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    snprintf(url, sizeof(url), "file://%s", f->directory);
    f->loop = loop_new();
    fake_transport_init(&f->fake, f->loop, handle, f);
    f->ctl = fake_transport_join(&f->fake);
    budget_init(&f->budget, 256 * MIB);
    const struct store_options store = {.url = url, .budget = &f->budget};
    assert_int_equal(store_open(&store, &f->store, &err), 0);
    const struct core_options options = {
        .loop = f->loop,
        .ctl = f->ctl,
        .store = f->store,
        .budget = &f->budget,
        .flush_bytes = (int64_t)MIB,
        .flush_interval_ms = 20,
        .max_uploads = 4,
        .max_objects = 16,
        .upload_timeout_ms = 10000,
        .cache_bytes = 16 * MIB,
        .tail_bytes = MIB,
    };
    f->core = core_new(&options);
    mailbox_init(&f->replies, f->loop, on_reply, f);
    core_start(f->core, on_ready, f);
    fake_transport_run(&f->fake, &f->ready);
    *state = f;
    return 0;
}

static void run_for(struct fixture *f, int64_t ms)
{
    int64_t until = clock_monotonic_ms() + ms;
    while (clock_monotonic_ms() < until)
        loop_run_once(f->loop, 2);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    int64_t until = clock_monotonic_ms() + 2000;
    core_abandon(f->core);
    while (!core_quiet(f->core)) {
        assert_true(clock_monotonic_ms() < until);
        loop_run_once(f->loop, 5);
    }
    core_free(f->core);
    ctl_free(f->ctl);
    fake_transport_fini(&f->fake);
    mailbox_drain(&f->replies);
    mailbox_fini(&f->replies);
    store_close(f->store);
    loop_free(f->loop);
    assert_int_equal(budget_used(&f->budget), 0); /* nothing is held at the end */
    snprintf(command, sizeof(command), "rm -r %s", f->directory);
    assert_int_equal(system(command), 0);
    mem_free(f);
    return 0;
}

static struct made_ask *produce(struct fixture *f, size_t parts, int64_t timeout_ms)
{
    struct made_ask *made = make_ask(parts, 200, clock_monotonic_ms() + timeout_ms);
    made->ask.ask.reply_to = &f->replies;
    core_send(f->core, &made->ask.ask);
    return made;
}

/* What is produced comes to the store, is committed, and is answered with its offsets;
 * the produces of one tick share one object. */
static void test_produce(void **state)
{
    struct fixture *f = *state;
    struct made_ask *a = produce(f, 2, 5000), *b = produce(f, 1, 5000);
    struct store_counters counters;
    while (f->replies_seen < 2)
        loop_run_once(f->loop, 5);
    assert_int_equal(a->parts[0].kafka_error, 0);
    assert_int_equal(a->parts[0].base_offset, 0);
    assert_int_equal(b->parts[0].base_offset, 3);
    assert_int_equal(a->parts[1].base_offset, 6);
    assert_int_equal(f->commits, 1);
    store_counters(f->store, &counters);
    assert_int_equal(counters.requests[STORE_PUT], 1);
    assert_true(core_idle(f->core));
    made_ask_free(a);
    made_ask_free(b);
}

/* Nothing produced, nothing written. */
static void test_idle(void **state)
{
    struct fixture *f = *state;
    struct store_counters counters;
    run_for(f, 100);
    store_counters(f->store, &counters);
    assert_int_equal(counters.requests[STORE_PUT], 0);
    assert_int_equal(f->commits, 0);
}

/* A producer is not kept past its deadline when the control plane is silent. */
static void test_deadline(void **state)
{
    struct fixture *f = *state;
    f->mute = true;
    struct made_ask *made = produce(f, 1, 150);
    fake_transport_run(&f->fake, &f->replied);
    assert_int_equal(made->parts[0].kafka_error, 7);
    assert_false(core_idle(f->core)); /* the commit goes on */
    made_ask_free(made);
}

/* Draining commits what is open at once, and then the core is idle. */
static void test_drain(void **state)
{
    struct fixture *f = *state;
    struct made_ask *made = produce(f, 3, 5000);
    core_drain(f->core);
    fake_transport_run(&f->fake, &f->replied);
    assert_int_equal(made->parts[2].kafka_error, 0);
    run_for(f, 10);
    assert_true(core_idle(f->core));
    made_ask_free(made);
}

/* After abandoning, everything open is answered, and so is whatever still comes: each
 * kind of ask, once. */
static void test_abandon(void **state)
{
    struct fixture *f = *state;
    struct arena arena;
    int64_t far = clock_monotonic_ms() + 60000;
    arena_init(&arena, MIB);
    const struct ask base = {.reply_to = &f->replies, .arena = &arena};
    f->mute = true;
    struct made_ask *made = produce(f, 1, 60000);
    struct relay_ask relay = {
        .ask = base, .path = "/agent/v1/x", .body = json_object(), .deadline_at_ms = far};
    struct producer_id_ask id = {.ask = base, .deadline_at_ms = far};
    struct metadata_ask metadata = {.ask = base, .deadline_at_ms = far};
    relay.ask.message.type = ASK_RELAY;
    id.ask.message.type = ASK_PRODUCER_ID;
    metadata.ask.message.type = ASK_METADATA;
    core_send(f->core, &relay.ask);
    core_send(f->core, &id.ask);
    run_for(f, 100); /* the object is on its way to be committed */
    assert_int_equal(f->commits, 1);
    assert_int_equal(f->replies_seen, 0);
    core_abandon(f->core);
    core_send(f->core, &metadata.ask);
    struct made_ask *late = produce(f, 2, 60000);
    run_for(f, 30);
    assert_int_equal(f->replies_seen, 5);
    assert_int_equal(made->parts[0].kafka_error, 7);
    assert_int_equal(late->parts[1].kafka_error, 7);
    assert_int_equal(relay.kafka_error, 7);
    assert_int_equal(id.kafka_error, 7);
    assert_int_equal(metadata.kafka_error, 7);
    made_ask_free(made);
    made_ask_free(late);
    arena_fini(&arena);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_produce), TEST(test_idle),    TEST(test_deadline),
        TEST(test_drain),   TEST(test_abandon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
