/* test_object.c - the object format: what is written is read, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/crc32c.h"
#include "common/cursor.h"
#include "proto/object.h"

#define RUNS_LEN 300

static struct object_topic topics[2] = {{.name = {(const uint8_t *)"alpha", 5}},
                                        {.name = {(const uint8_t *)"beta", 4}}};
static struct object_run runs[3] = {{0, 1, 16, 100, 1, 10, 5, 9, -1, 1},
                                    {0, 7, 116, 120, 2, 3, -1, INT64_MAX, -1, 2},
                                    {1, 0, 236, 80, 1, 1, 0, 0, -1, 3}};

static struct object_footer sample(void)
{
    return (struct object_footer){.cluster_id = {{1}},
                                  .object_id = {{2}},
                                  .agent_id = {{3}},
                                  .created_at_ms = 1234567890123,
                                  .topics = topics,
                                  .topic_count = 2,
                                  .runs = runs,
                                  .run_count = 3};
}

static size_t write_sample(struct str *out)
{
    struct object_footer footer = sample();

    str_init(out, MIB);
    object_write_footer(&footer, out);
    return OBJECT_HEADER_LEN + RUNS_LEN + out->len;
}

static int read_back(struct slice bytes, uint64_t size)
{
    struct arena arena;
    struct object_footer footer;
    struct err err;

    arena_init(&arena, MIB);
    int rc = object_read_footer(bytes, size, &arena, &footer, &err);
    arena_fini(&arena);
    return rc;
}

/* Footer and trailer read back as they were written. */
static void footer_round_trip(void **state)
{
    struct arena arena;
    struct object_footer footer;
    struct str out;
    struct err err;
    uint64_t position;
    uint32_t length;

    (void)state;
    size_t size = write_sample(&out);
    arena_init(&arena, MIB);
    struct slice trailer =
        slice_of(out.data + out.len - OBJECT_TRAILER_LEN, OBJECT_TRAILER_LEN);
    assert_int_equal(object_read_trailer(trailer, size, &position, &length, &err), 0);
    assert_int_equal(position, OBJECT_HEADER_LEN + RUNS_LEN);
    assert_int_equal(length, out.len - OBJECT_TRAILER_LEN);
    assert_int_equal(object_read_footer(str_slice(&out), size, &arena, &footer, &err), 0);
    assert_int_equal(footer.created_at_ms, 1234567890123);
    assert_int_equal(footer.topic_count, 2);
    assert_true(slice_eq_str(footer.topics[1].name, "beta"));
    assert_int_equal(footer.run_count, 3);
    assert_int_equal(footer.runs[1].partition, 7);
    assert_true(footer.runs[1].max_timestamp == INT64_MAX);
    assert_int_equal(footer.runs[2].crc, 3);
    arena_fini(&arena);
    str_fini(&out);
}

/* A header is recognised by magic, version and checksum. */
static void header_is_checked(void **state)
{
    uint8_t header[OBJECT_HEADER_LEN];
    enum object_kind kind;
    struct err err;

    (void)state;
    object_write_header(OBJECT_FINAL, header);
    assert_int_equal(object_read_header(slice_of(header, 16), &kind, &err), 0);
    assert_int_equal(kind, OBJECT_FINAL);
    assert_int_equal(object_read_header(slice_of(header, 15), &kind, &err),
                     ERR_MALFORMED);
    for (size_t i = 0; i < OBJECT_HEADER_LEN; i++) {
        header[i] ^= 0x10;
        assert_int_equal(object_read_header(slice_of(header, 16), &kind, &err),
                         ERR_MALFORMED);
        header[i] ^= 0x10;
    }
    be16_put(header + 8, 2);
    be32_put(header + 12, crc32c(header, 12));
    assert_int_equal(object_read_header(slice_of(header, 16), &kind, &err),
                     ERR_UNSUPPORTED);
}

/* No single bit of the footer or trailer can turn without being noticed. */
static void every_flip_is_noticed(void **state)
{
    struct str out;

    (void)state;
    size_t size = write_sample(&out);
    assert_int_equal(read_back(str_slice(&out), size), 0);
    for (size_t bit = 0; bit < out.len * 8; bit++) {
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << (bit % 8)));
        assert_int_not_equal(read_back(str_slice(&out), size), 0);
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ (1 << (bit % 8)));
    }
    str_fini(&out);
}

/* A footer with a right checksum but impossible rows is refused all the same. */
static void impossible_rows_fail(void **state)
{
    struct {
        size_t at; /* from the begin of the second run's row */
        uint32_t value;
    } cases[] = {{0, 9}, {4, 0}, {12, 117}, {20, 0}, {20, 5000}, {24, 0}, {28, 0}};
    struct str out;

    (void)state;
    size_t size = write_sample(&out);
    size_t footer_len = out.len - OBJECT_TRAILER_LEN;
    uint8_t *row = (uint8_t *)out.data + footer_len - 2 * OBJECT_RUN_ROW_LEN;
    uint8_t *crc = (uint8_t *)out.data + footer_len + 12;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t before = be32_get(row + cases[i].at);
        be32_put(row + cases[i].at, cases[i].value);
        be32_put(crc, crc32c(out.data, footer_len + 12));
        assert_int_equal(read_back(str_slice(&out), size), ERR_MALFORMED);
        be32_put(row + cases[i].at, before);
    }
    be32_put(crc, crc32c(out.data, footer_len + 12));
    assert_int_equal(read_back(str_slice(&out), size), 0);
    assert_int_equal(read_back(str_slice(&out), size + 1), ERR_MALFORMED);
    str_fini(&out);
}

/* The key spreads objects by the first two digits of their id. */
static void key_is_spread(void **state)
{
    struct uuid cluster = {{0xaa}};
    struct uuid object = {{0xbc}};
    char key[OBJECT_KEY_MAX];

    (void)state;
    object_key(&cluster, &object, key);
    assert_string_equal(key, "aa000000-0000-0000-0000-000000000000/o/bc/"
                             "bc000000-0000-0000-0000-000000000000");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(footer_round_trip),     cmocka_unit_test(header_is_checked),
        cmocka_unit_test(every_flip_is_noticed), cmocka_unit_test(impossible_rows_fail),
        cmocka_unit_test(key_is_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
