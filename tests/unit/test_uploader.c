/* Unit tests of agent/uploader.c: parallel PUTs, hedging, and never two winners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "agent/uploader.h"
#include "common/mem.h"
#include "tests/lib/produce_asks.h"

#define OBJECTS 64

struct fixture {
    struct uploader uploader;
    struct produces produces;
    struct store_request *puts[2 * OBJECTS];
    size_t put_count, cancels;
    struct store_request *cancelled;
    struct intake *uploaded, *failed;
    int uploads, failures, error;
    uint8_t ids;
    struct made_ask *asks[OBJECTS];
    struct intake *intakes[OBJECTS];
    size_t count;
};

static void put(struct store_request *request, void *arg)
{
    struct fixture *f = arg;
    f->puts[f->put_count++] = request;
}

static void cancel(struct store_request *request, void *arg)
{
    struct fixture *f = arg;
    f->cancels++;
    f->cancelled = request;
}

static struct uuid make_id(void *arg)
{
    struct fixture *f = arg;
    struct uuid id = {{0xee}};
    id.bytes[15] = ++f->ids;
    return id;
}

static void on_uploaded(struct intake *intake, int64_t now, void *arg)
{
    struct fixture *f = arg;
    (void)now;
    f->uploads++;
    f->uploaded = intake;
}

static void on_failed(struct intake *intake, const struct err *err, int64_t now,
                      void *arg)
{
    struct fixture *f = arg;
    (void)now;
    f->failures++;
    f->failed = intake;
    f->error = err->code;
}

static void init(struct fixture *f, int64_t hedge_after_ms)
{
    const struct uploader_options options = {
        .max_uploads = 4, .upload_timeout_ms = 60000, .hedge_after_ms = hedge_after_ms};
    const struct uploader_io io = {.put = put,
                                   .cancel = cancel,
                                   .make_id = make_id,
                                   .on_uploaded = on_uploaded,
                                   .on_failed = on_failed,
                                   .arg = f};
    produces_init(&f->produces, 0, count_reply, NULL);
    uploader_init(&f->uploader, &options, &io);
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    init(f, 100);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    uploader_fini(&f->uploader);
    produces_step(&f->produces, INT64_C(1) << 40);
    for (size_t i = 0; i < f->count; i++) {
        intake_unref(f->intakes[i]);
        made_ask_free(f->asks[i]);
    }
    mem_free(f);
    return 0;
}

static struct slice no_name(const struct uuid *topic_id, void *arg)
{
    (void)topic_id, (void)arg;
    return SLICE_NULL;
}

static struct intake *start(struct fixture *f, int64_t now)
{
    static const struct uuid cluster = {{1}}, agent = {{2}};
    const struct intake_seal seal = {
        .cluster_id = &cluster, .agent_id = &agent, .name = no_name};
    struct intake *intake = intake_new(NULL, now);
    f->asks[f->count] = make_ask(2, 100, 99999);
    intake_add(intake, produces_take(&f->produces, &f->asks[f->count]->ask, now));
    intake_seal(intake, &seal);
    f->intakes[f->count++] = intake;
    uploader_start(&f->uploader, intake, now);
    return intake;
}

static void done(struct fixture *f, size_t i, int code, int64_t now)
{
    struct store_request *request = f->puts[i];
    f->puts[i] = NULL;
    request->err.code = code;
    request->attempts = 1;
    uploader_on_put(&f->uploader, request, now);
}

/* An upload that is in time is one PUT, whose id names the object. */
static void test_one_put(void **state)
{
    struct fixture *f = *state;
    struct intake *intake = start(f, 0);
    assert_int_equal(intake->state, INTAKE_UPLOADING);
    uploader_step(&f->uploader, 99);
    assert_int_equal(f->put_count, 1);
    assert_int_equal(f->puts[0]->deadline_at_ms, 60000);
    done(f, 0, 0, 99);
    assert_ptr_equal(f->uploaded, intake);
    assert_int_equal(intake->state, INTAKE_UPLOADED);
    assert_int_equal(intake->object_id.bytes[15], 1);
    assert_true(intake->object_size > 200);
    assert_true(uploader_idle(&f->uploader));
    assert_int_equal(uploader_due_at_ms(&f->uploader), INT64_MAX);
}

/* A late PUT is begun again under another key; the first that succeeds is the one that
 * may be committed, the other is cancelled, and even its success changes nothing (I5). */
static void test_hedge_wins(void **state)
{
    struct fixture *f = *state;
    struct intake *intake = start(f, 0);
    assert_int_equal(uploader_due_at_ms(&f->uploader), 100);
    uploader_step(&f->uploader, 100);
    assert_int_equal(f->put_count, 2);
    assert_string_not_equal(f->puts[0]->key, f->puts[1]->key);
    struct store_request *first = f->puts[0];
    done(f, 1, 0, 150);
    assert_int_equal(f->uploads, 1);
    assert_int_equal(intake->object_id.bytes[15], 2);
    assert_ptr_equal(f->cancelled, first);
    assert_false(uploader_idle(&f->uploader)); /* the first still reads the batches */
    done(f, 0, 0, 160);
    assert_int_equal(f->uploads, 1);
    assert_int_equal(intake->object_id.bytes[15], 2);
    assert_true(uploader_idle(&f->uploader));
}

/* There is one hedge, not a third try. */
static void test_one_hedge(void **state)
{
    struct fixture *f = *state;
    start(f, 0);
    uploader_step(&f->uploader, 100);
    uploader_step(&f->uploader, 50000);
    assert_int_equal(f->put_count, 2);
    done(f, 0, 0, 50001);
    done(f, 1, ERR_CANCELLED, 50002);
    assert_int_equal(f->uploads, 1);
    assert_int_equal(f->failures, 0);
}

/* An object fails only when no try is left, once, with the last reason. */
static void test_fails_when_all_fail(void **state)
{
    struct fixture *f = *state;
    struct intake *intake = start(f, 0);
    uploader_step(&f->uploader, 100);
    done(f, 0, ERR_TIMEOUT, 200);
    assert_int_equal(f->failures, 0);
    done(f, 1, ERR_FORBIDDEN, 300);
    assert_int_equal(f->failures, 1);
    assert_ptr_equal(f->failed, intake);
    assert_int_equal(f->error, ERR_FORBIDDEN);
    assert_int_equal(f->uploads, 0);
}

/* Room is counted in objects; a store that is slow as a whole is not given twice the
 * load. */
static void test_limits(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        assert_true(uploader_has_room(&f->uploader));
        start(f, i);
    }
    assert_false(uploader_has_room(&f->uploader));
    uploader_step(&f->uploader, 1000);
    assert_int_equal(f->put_count, 6); /* 4 / 4 + 1 hedges */
    assert_int_equal(uploader_due_at_ms(&f->uploader), INT64_MAX);
    done(f, 0, 0, 1001); /* one hedged upload is settled: the next may be */
    assert_true(uploader_has_room(&f->uploader));
    uploader_step(&f->uploader, 1001);
    assert_int_equal(f->put_count, 6); /* of 3 uploads still only one */
    for (size_t i = 1; i < 6; i++)
        done(f, i, 0, 1002);
    assert_int_equal(f->uploads, 4);
}

/* Without a stated time, late is three times the 99th percentile of the last PUTs, and
 * never under a second. */
static void test_adaptive(void **state)
{
    struct fixture *f = *state;
    int64_t now = 0;
    init(f, 0);
    for (size_t i = 0; i < 40; i++) {
        start(f, now);
        now += 10;
        done(f, i, 0, now);
    }
    assert_int_equal(uploader_hedge_after_ms(&f->uploader), 1000);
    for (size_t i = 40; i < 42; i++) {
        start(f, now);
        now += 2000;
        done(f, i, 0, now);
    }
    assert_int_equal(uploader_hedge_after_ms(&f->uploader), 6000);
}

/* Cancelled uploads fail when the store has let go of them. */
static void test_cancel_all(void **state)
{
    struct fixture *f = *state;
    start(f, 0);
    start(f, 0);
    uploader_cancel_all(&f->uploader);
    assert_int_equal(f->cancels, 2);
    assert_int_equal(f->failures, 0);
    done(f, 0, ERR_CANCELLED, 1);
    done(f, 1, ERR_CANCELLED, 1);
    assert_int_equal(f->failures, 2);
    assert_true(uploader_idle(&f->uploader));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_put, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hedge_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_hedge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fails_when_all_fail, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_adaptive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cancel_all, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
