/* test_frame.c - frames out of a byte stream: any cut, limits, memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "agent/frame.h"
#include "common/cursor.h"
#include "proto/kafka_gen.h"

static struct budget budget;

static struct frame_limits limits(void)
{
    budget_init(&budget, 64 * MIB);
    return (struct frame_limits){MIB, 64 * KIB, &budget};
}

/* A frame of LEN bytes behind its length, recognisable by FILL. */
static size_t put_frame(uint8_t *at, int16_t key, int16_t version, size_t len,
                        uint8_t fill)
{
    be32_put(at, (uint32_t)len);
    memset(at + 4, fill, len);
    be16_put(at + 4, (uint16_t)key);
    be16_put(at + 6, (uint16_t)version);
    return 4 + len;
}

/* However the stream is cut, every frame comes out whole and in order. */
static void any_cut_gives_the_same_frames(void **state)
{
    static const size_t lens[] = {8, 9, 200, 5000, 8};
    struct frame_limits lim = limits();
    uint8_t stream[8192];
    size_t end = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lens); i++)
        end += put_frame(stream + end, KAFKA_METADATA, 9, lens[i], (uint8_t)(i + 1));
    for (size_t step = 1; step < 40; step++) {
        struct frame_reader reader;
        size_t seen = 0;
        frame_reader_init(&reader);
        for (size_t at = 0; at < end; at += step) {
            const uint8_t *pos = stream + at;
            const uint8_t *stop = stream + MIN(at + step, end);
            while (pos < stop) {
                enum frame_result result;
                assert_int_equal(frame_feed(&reader, &lim, &pos, stop, &result, NULL), 0);
                assert_int_not_equal(result, FRAME_WAIT);
                if (result != FRAME_READY)
                    continue;
                struct blob *frame = frame_take(&reader);
                assert_int_equal(frame->len, lens[seen]);
                if (frame->len > 8)
                    assert_int_equal(frame->data[frame->len - 1], seen + 1);
                blob_unref(frame);
                seen++;
            }
        }
        assert_int_equal(seen, ARRAY_LEN(lens));
        assert_false(frame_begun(&reader));
        frame_reader_fini(&reader);
    }
    assert_int_equal(budget_used(&budget), 0);
}

/* The rest of a large frame is read straight to its place. */
static void the_rest_is_read_in_place(void **state)
{
    struct frame_limits lim = limits();
    struct frame_reader reader;
    uint8_t stream[64], *room;
    enum frame_result result;

    (void)state;
    frame_reader_init(&reader);
    assert_int_equal(frame_room(&reader, &room), 0);
    put_frame(stream, KAFKA_PRODUCE, 9, 50, 7);
    const uint8_t *pos = stream;
    assert_int_equal(frame_feed(&reader, &lim, &pos, stream + 20, &result, NULL), 0);
    assert_int_equal(result, FRAME_MORE);
    assert_int_equal(frame_room(&reader, &room), 34);
    memcpy(room, stream + 20, 30);
    assert_false(frame_filled(&reader, 30));
    assert_int_equal(frame_room(&reader, &room), 4);
    memcpy(room, stream + 50, 4);
    assert_true(frame_filled(&reader, 4));
    struct blob *frame = frame_take(&reader);
    assert_memory_equal(frame->data, stream + 4, 50);
    blob_unref(frame);
}

static int judge(struct frame_limits *lim, int32_t len, int16_t key, int16_t version)
{
    struct frame_reader reader;
    uint8_t stream[FRAME_PREFIX_BYTES];
    enum frame_result result;
    const uint8_t *pos = stream;
    frame_reader_init(&reader);
    be32_put(stream, (uint32_t)len);
    be16_put(stream + 4, (uint16_t)key);
    be16_put(stream + 6, (uint16_t)version);
    int rc = frame_feed(&reader, lim, &pos, stream + sizeof(stream), &result, NULL);
    frame_reader_fini(&reader);
    return rc;
}

/* Impossible lengths, and keys and versions that are not served, cost no memory. */
static void hostile_prefixes_are_refused(void **state)
{
    struct frame_limits lim = limits();

    (void)state;
    assert_int_equal(judge(&lim, -1, KAFKA_METADATA, 9), ERR_MALFORMED);
    assert_int_equal(judge(&lim, INT32_MIN, KAFKA_METADATA, 9), ERR_MALFORMED);
    assert_int_equal(judge(&lim, 0, KAFKA_METADATA, 9), ERR_MALFORMED);
    assert_int_equal(judge(&lim, 7, KAFKA_METADATA, 9), ERR_MALFORMED);
    assert_int_equal(judge(&lim, 8, KAFKA_METADATA, 9), 0);
    assert_int_equal(judge(&lim, 64 * 1024, KAFKA_METADATA, 9), 0);
    assert_int_equal(judge(&lim, 64 * 1024 + 1, KAFKA_METADATA, 9), ERR_TOO_LARGE);
    assert_int_equal(judge(&lim, 64 * 1024 + 1, KAFKA_PRODUCE, 9), 0);
    assert_int_equal(judge(&lim, 1 << 20, KAFKA_PRODUCE, 9), 0);
    assert_int_equal(judge(&lim, (1 << 20) + 1, KAFKA_PRODUCE, 9), ERR_TOO_LARGE);
    assert_int_equal(judge(&lim, INT32_MAX, KAFKA_PRODUCE, 9), ERR_TOO_LARGE);
    assert_int_equal(judge(&lim, 100, 4, 0), ERR_UNSUPPORTED);
    /* One that is spoken, but has no handler. */
    assert_int_equal(judge(&lim, 100, 71, 0), ERR_UNSUPPORTED);
    assert_int_equal(judge(&lim, 100, -1, 0), ERR_UNSUPPORTED);
    assert_int_equal(judge(&lim, 100, 32767, 0), ERR_UNSUPPORTED);
    assert_int_equal(judge(&lim, 100, KAFKA_PRODUCE, 2), ERR_UNSUPPORTED);
    assert_int_equal(judge(&lim, 100, KAFKA_PRODUCE, 14), ERR_UNSUPPORTED);
    assert_int_equal(judge(&lim, 100, KAFKA_API_VERSIONS, 99), 0);
    assert_int_equal(budget_used(&budget), 0);
}

/* Without memory a frame waits, and begins when there is some; bytes are not lost. */
static void a_frame_waits_for_memory(void **state)
{
    struct frame_limits lim = limits();
    struct frame_reader reader;
    uint8_t stream[64];
    enum frame_result result;

    (void)state;
    size_t end = put_frame(stream, KAFKA_METADATA, 9, 40, 9);
    frame_reader_init(&reader);
    budget_force(&budget, 62 * MIB);
    const uint8_t *pos = stream;
    assert_int_equal(frame_feed(&reader, &lim, &pos, stream + end, &result, NULL), 0);
    assert_int_equal(result, FRAME_WAIT);
    assert_int_equal(pos - stream, FRAME_PREFIX_BYTES);
    assert_int_equal(frame_feed(&reader, &lim, &pos, stream + end, &result, NULL), 0);
    assert_int_equal(result, FRAME_WAIT);
    budget_give(&budget, 62 * MIB);
    assert_int_equal(frame_feed(&reader, &lim, &pos, stream + end, &result, NULL), 0);
    assert_int_equal(result, FRAME_READY);
    struct blob *frame = frame_take(&reader);
    assert_memory_equal(frame->data, stream + 4, 40);
    blob_unref(frame);
}

/* When memory is full of what waits to be stored, produces wait and nobody else: members
 * of groups would be taken for dead because the store is slow. */
static void only_produces_wait_for_the_store(void **state)
{
    struct frame_limits lim = limits();
    const int16_t keys[] = {KAFKA_PRODUCE, KAFKA_HEARTBEAT, KAFKA_FETCH};
    const int16_t versions[] = {9, 4, 11};
    uint8_t stream[64];

    (void)state;
    budget_force(&budget, 56 * MIB);
    for (size_t i = 0; i < 3; i++) {
        struct frame_reader reader;
        enum frame_result result;
        size_t end = put_frame(stream, keys[i], versions[i], 40, 9);
        const uint8_t *pos = stream;
        frame_reader_init(&reader);
        assert_int_equal(frame_feed(&reader, &lim, &pos, stream + end, &result, NULL), 0);
        assert_int_equal(result, i == 0 ? FRAME_WAIT : FRAME_READY);
        frame_reader_fini(&reader);
    }
    budget_give(&budget, 56 * MIB);
}

/* A frame that more than half of all memory would hold is refused: it might wait for
 * ever. */
static void a_frame_larger_than_memory_is_refused(void **state)
{
    struct frame_limits lim = limits();

    (void)state;
    budget_init(&budget, 100 * KIB);
    assert_int_equal(judge(&lim, 50 * 1024, KAFKA_PRODUCE, 9), 0);
    assert_int_equal(judge(&lim, 50 * 1024 + 1, KAFKA_PRODUCE, 9), ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_cut_gives_the_same_frames),
        cmocka_unit_test(the_rest_is_read_in_place),
        cmocka_unit_test(hostile_prefixes_are_refused),
        cmocka_unit_test(a_frame_waits_for_memory),
        cmocka_unit_test(only_produces_wait_for_the_store),
        cmocka_unit_test(a_frame_larger_than_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
