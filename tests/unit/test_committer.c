/* Unit tests of agent/committer.c: commits leave in seal order, results reach their
 * parts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/committer.h"
#include "common/mem.h"
#include "tests/lib/produce_asks.h"

#define OBJECTS 80

struct fixture {
    struct committer committer;
    struct produces produces;
    struct json *body; /* of the request in flight */
    int requests;
    struct made_ask *asks[OBJECTS];
    struct intake *intakes[OBJECTS];
    size_t count;
    int committed;
    struct tail_run runs[8];
    size_t run_count, piece_count;
};

static void send_body(struct json *body, void *arg)
{
    struct fixture *f = arg;
    json_free(f->body);
    f->body = body;
    f->requests++;
}

static void on_committed(const struct committed *committed, void *arg)
{
    struct fixture *f = arg;
    f->committed++;
    f->run_count = committed->run_count;
    f->piece_count = committed->piece_count;
    assert_true(committed->run_count <= 8);
    memcpy(f->runs, committed->runs, committed->run_count * sizeof(f->runs[0]));
}

static int64_t log_start(const struct uuid *topic_id, int32_t partition, void *arg)
{
    (void)topic_id, (void)partition, (void)arg;
    return 11;
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    const struct committer_io io = {.send = send_body,
                                    .on_committed = on_committed,
                                    .log_start = log_start,
                                    .arg = f};
    produces_init(&f->produces, 0, count_reply, NULL);
    committer_init(&f->committer, &f->produces, &io);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    const struct err err = {.code = ERR_CANCELLED};
    committer_abandon(&f->committer, &err, 0);
    committer_fini(&f->committer);
    for (size_t i = 0; i < f->count; i++) {
        assert_int_equal(f->asks[i]->answered, 1); /* always, exactly once */
        made_ask_free(f->asks[i]);
    }
    json_free(f->body);
    mem_free(f);
    return 0;
}

static struct slice no_name(const struct uuid *topic_id, void *arg)
{
    (void)topic_id, (void)arg;
    return SLICE_NULL;
}

/* Seal an object of ASK's parts and queue it. */
static struct intake *add(struct fixture *f, struct made_ask *ask)
{
    static const struct uuid cluster = {{1}}, agent = {{2}};
    const struct intake_seal seal = {.number = f->count + 1,
                                     .created_at_ms = 5000,
                                     .cluster_id = &cluster,
                                     .agent_id = &agent,
                                     .name = no_name};
    struct intake *intake = intake_new(NULL, 0);
    f->asks[f->count] = ask;
    intake_add(intake, produces_take(&f->produces, &ask->ask, 0));
    intake_seal(intake, &seal);
    committer_add(&f->committer, intake);
    intake->object_id.bytes[0] = (uint8_t)++f->count;
    intake->object_size = 100000;
    f->intakes[f->count - 1] = intake;
    return intake;
}

static void upload(struct intake *intake)
{
    intake->state = INTAKE_UPLOADED;
}

/* An answer of RESULTS (JSON of control_api.md's RESULT list, base offsets packed by
 * hand: zigzag LEB128 in base64). */
static void answer(struct fixture *f, const char *results)
{
    struct str text;
    struct json *json = NULL;
    struct err err = {0};
    str_init(&text, MIB);
    str_printf(&text, "[1,2,%s]", results);
    assert_int_equal(json_parse(str_slice(&text), &json, &err), 0);
    committer_on_answer(&f->committer, 0, NULL, json, 10);
    json_free(json);
    str_fini(&text);
}

static uint8_t first_object(const struct fixture *f, size_t i)
{
    struct json_reader r = {0};
    struct uuid id =
        json_as_uuid(&r, json_at(&r, json_at(&r, f->body, i), 0), "object id");
    return id.bytes[0];
}

/* What was uploaded early waits for what was sealed before it; then they go together, and
 * while they are on their way nothing else does (I8). */
static void test_seal_order(void **state)
{
    struct fixture *f = *state;
    struct intake *a = add(f, make_ask(1, 80, 9999)), *b = add(f, make_ask(1, 80, 9999));
    struct intake *c = add(f, make_ask(1, 80, 9999));
    assert_ptr_equal(committer_next_sealed(&f->committer), a);
    upload(b);
    committer_step(&f->committer, 1);
    assert_int_equal(f->requests, 0);
    upload(a);
    committer_step(&f->committer, 2);
    assert_int_equal(f->requests, 1);
    assert_int_equal(json_count(f->body), 2);
    assert_int_equal(first_object(f, 0), 1);
    assert_int_equal(first_object(f, 1), 2);
    upload(c);
    committer_step(&f->committer, 3);
    assert_int_equal(f->requests, 1);               /* one in flight */
    answer(f, "[[0,\"yAE=\",[]],[0,\"zgE=\",[]]]"); /* 100, 103 */
    assert_int_equal(f->asks[0]->parts[0].base_offset, 100);
    assert_int_equal(f->asks[1]->parts[0].base_offset, 103);
    assert_int_equal(f->asks[0]->parts[0].log_start_offset, 11);
    committer_step(&f->committer, 4);
    assert_int_equal(f->requests, 2);
    assert_int_equal(first_object(f, 0), 3);
    assert_int_equal(committer_open(&f->committer), 1);
}

/* At most COMMIT_OBJECTS_MAX objects go in one request. */
static void test_request_is_bounded(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < OBJECTS; i++)
        upload(add(f, make_ask(1, 80, 9999)));
    committer_step(&f->committer, 1);
    assert_int_equal(json_count(f->body), COMMIT_OBJECTS_MAX);
}

/* Parts of one run get consecutive offsets; a rejected and a duplicate batch in between
 * get their own results and take no offsets; the accepted pieces are told to the tail. */
static void test_exceptions(void **state)
{
    struct fixture *f = *state;
    struct made_ask *ask = make_ask(5, 80, 9999);
    for (int i = 0; i < 5; i++)
        ask->parts[i].partition = 0;
    upload(add(f, ask));
    committer_step(&f->committer, 1);
    /* base 1000; batch 1 out of order, batch 3 a duplicate of offset 7 */
    answer(f, "[[0,\"0A8=\",[[0,3,0,7,4444],[0,1,45,-1,-1]]]]");
    assert_int_equal(ask->parts[0].base_offset, 1000);
    assert_int_equal(ask->parts[1].kafka_error, 45);
    assert_int_equal(ask->parts[1].base_offset, -1);
    assert_int_equal(ask->parts[2].base_offset, 1003);
    assert_int_equal(ask->parts[3].kafka_error, 0);
    assert_int_equal(ask->parts[3].base_offset, 7);
    assert_int_equal(ask->parts[3].log_append_time_ms, 4444);
    assert_int_equal(ask->parts[4].base_offset, 1006);
    assert_int_equal(f->run_count, 3);
    assert_int_equal(f->piece_count, 5);
    assert_int_equal(f->runs[0].base_offset, 1000);
    assert_int_equal(f->runs[1].base_offset, 1003);
    assert_int_equal(f->runs[1].position, 16 + 2 * 80);
    assert_int_equal(f->runs[2].base_offset, 1006);
    assert_int_equal(f->runs[2].length, 80);
}

/* Accepted neighbours are one piece for the tail index. */
static void test_neighbours_join(void **state)
{
    struct fixture *f = *state;
    struct made_ask *ask = make_ask(3, 80, 9999);
    for (int i = 0; i < 3; i++)
        ask->parts[i].partition = 4;
    upload(add(f, ask));
    committer_step(&f->committer, 1);
    answer(f, "[[0,\"AA==\",[]]]");
    assert_int_equal(f->run_count, 1);
    assert_int_equal(f->runs[0].records, 9);
    assert_int_equal(f->runs[0].length, 240);
    assert_int_equal(f->runs[0].partition, 4);
}

/* A run whose partition or topic is gone fails as a whole, the others do not. */
static void test_whole_run(void **state)
{
    struct fixture *f = *state;
    struct made_ask *ask = make_ask(2, 80, 9999);
    upload(add(f, ask));
    committer_step(&f->committer, 1);
    answer(f, "[[0,\"AQo=\",[[0,-1,3,-1,-1]]]]"); /* -1, 4 */
    assert_int_equal(ask->parts[0].kafka_error, 3);
    assert_int_equal(ask->parts[1].kafka_error, 0);
    assert_int_equal(ask->parts[1].base_offset, 4);
}

/* An object that is refused as a whole fails retriably, whatever the reason, and those
 * behind it in the request have their own results. */
static void test_refused_object(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++)
        upload(add(f, make_ask(1, 80, 9999)));
    committer_step(&f->committer, 1);
    answer(f, "[[\"EXPIRED\",\"\",[]],[\"CONFLICT\",\"\",[]],[0,\"Ag==\",[]]]");
    assert_int_equal(f->asks[0]->parts[0].kafka_error, 7);
    assert_int_equal(f->asks[1]->parts[0].kafka_error, 56);
    assert_int_equal(f->asks[2]->parts[0].kafka_error, 0);
    assert_int_equal(f->asks[2]->parts[0].base_offset, 1);
    assert_int_equal(f->committed, 1);
}

/* An answer that does not fit what was asked is believed in nothing. */
static void test_nonsense(void **state)
{
    static const char *const answers[] = {
        "[]",                                             /* no result */
        "[[0,\"AAA=\",[]]]",                              /* two offsets for one run */
        "[[0,\"AA==\",[[1,0,45,-1,-1]]]]",                /* a run that is not there */
        "[[0,\"AA==\",[[0,1,45,-1,-1]]]]",                /* a batch that is not there */
        "[[0,\"AA==\",[[0,0,45,-1,-1],[0,0,47,-1,-1]]]]", /* one batch twice */
        "[[0,\"AQ==\",[]]]",                              /* accepted, at offset -1 */
        "[[0,5,[]]]",
        "[7]",
        "{}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct made_ask *ask = make_ask(1, 80, 9999);
        upload(add(f, ask));
        committer_step(&f->committer, 1);
        answer(f, answers[i]);
        assert_int_equal(ask->answered, 1);
        assert_int_equal(ask->parts[0].kafka_error, 56);
        assert_int_equal(ask->parts[0].base_offset, -1);
    }
}

/* When the call itself fails for good, all its objects fail retriably and the queue goes
 * on. */
static void test_call_fails(void **state)
{
    struct fixture *f = *state;
    upload(add(f, make_ask(1, 80, 9999)));
    upload(add(f, make_ask(1, 80, 9999)));
    committer_step(&f->committer, 1);
    committer_on_answer(&f->committer, ERR_FORBIDDEN, "no", NULL, 5);
    assert_int_equal(f->asks[0]->parts[0].kafka_error, 56);
    assert_int_equal(f->asks[1]->parts[0].kafka_error, 56);
    assert_int_equal(committer_open(&f->committer), 0);
    upload(add(f, make_ask(1, 80, 9999)));
    committer_step(&f->committer, 6);
    assert_int_equal(f->requests, 2);
}

/* An object that cannot be stored takes those behind it along, not those before it nor
 * those that are being committed. */
static void test_failed_upload(void **state)
{
    struct fixture *f = *state;
    const struct err err = {.code = ERR_TIMEOUT, .text = "too late"};
    struct intake *first = add(f, make_ask(1, 80, 9999));
    struct intake *second = add(f, make_ask(1, 80, 9999));
    struct intake *third = add(f, make_ask(1, 80, 9999));
    upload(first);
    committer_step(&f->committer, 1);
    upload(third);
    committer_fail(&f->committer, second, &err, 2);
    assert_int_equal(f->asks[0]->answered, 0);
    assert_int_equal(f->asks[1]->parts[0].kafka_error, 7);
    assert_int_equal(f->asks[2]->parts[0].kafka_error, 7);
    assert_int_equal(committer_open(&f->committer), 1);
    answer(f, "[[0,\"AA==\",[]]]");
    assert_int_equal(f->asks[0]->parts[0].kafka_error, 0);
}

/* After giving everything up, a late answer is nobody's. */
static void test_abandon(void **state)
{
    struct fixture *f = *state;
    const struct err err = {.code = ERR_CANCELLED};
    upload(add(f, make_ask(1, 80, 9999)));
    committer_step(&f->committer, 1);
    committer_abandon(&f->committer, &err, 2);
    assert_int_equal(f->asks[0]->parts[0].kafka_error, 7);
    answer(f, "[[0,\"AA==\",[]]]");
    assert_int_equal(f->committed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_seal_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_request_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_exceptions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_neighbours_join, setup, teardown),
        cmocka_unit_test_setup_teardown(test_whole_run, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused_object, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call_fails, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_upload, setup, teardown),
        cmocka_unit_test_setup_teardown(test_abandon, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
