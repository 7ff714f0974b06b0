/* test_lz.c - the codecs: round trips, foreign framings, and bombs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/cursor.h"
#include "common/err.h"
#include "common/lz.h"

static const enum lz_codec codecs[] = {LZ_NONE, LZ_GZIP, LZ_SNAPPY, LZ_LZ4, LZ_ZSTD};

/* LEN bytes: half of them compressible. */
static char *make_text(size_t len)
{
    char *text = malloc(len + 1);
    uint32_t seed = 1;
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1664525 + 1013904223;
        text[i] = (char)(i % 64 < 32 ? 'a' : seed >> 24);
    }
    return text;
}

/* What a codec folds it unfolds, at sizes around its blocks, with the limit exact. */
static void round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 32768, 32769, 65536, 300000};
    for (size_t c = 0; c < ARRAY_LEN(codecs); c++) {
        for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
            struct str folded, plain, small;
            size_t len = sizes[s];
            char *text = make_text(len);
            str_init(&folded, 1000000);
            str_init(&plain, len);
            assert_int_equal(lz_compress(codecs[c], slice_of(text, len), &folded), 0);
            assert_int_equal(lz_decompress(codecs[c], str_slice(&folded), &plain), 0);
            assert_int_equal(plain.len, len);
            assert_memory_equal(str_cstr(&plain), text, len);
            if (len > 0) {
                str_init(&small, len - 1);
                assert_int_equal(lz_decompress(codecs[c], str_slice(&folded), &small),
                                 ERR_TOO_LARGE);
                assert_int_equal(small.len, 0);
                str_fini(&small);
            }
            str_fini(&folded);
            str_fini(&plain);
            free(text);
        }
    }
}

/* Unfolding appends: what was there stays, also after a failure. */
static void unfolding_appends(void **state)
{
    (void)state;
    for (size_t c = 1; c < ARRAY_LEN(codecs); c++) {
        struct str folded, plain;
        str_init(&folded, 1000);
        str_init(&plain, 10);
        str_puts(&plain, "head");
        assert_int_equal(lz_compress(codecs[c], slice_str("tail"), &folded), 0);
        assert_int_equal(lz_decompress(codecs[c], str_slice(&folded), &plain), 0);
        assert_string_equal(str_cstr(&plain), "headtail");
        assert_int_equal(lz_decompress(codecs[c], str_slice(&folded), &plain),
                         ERR_TOO_LARGE);
        assert_string_equal(str_cstr(&plain), "headtail");
        str_fini(&folded);
        str_fini(&plain);
    }
}

/* Cut anywhere, a folded text is malformed; with any byte changed it never does harm. */
static void damage_is_found(void **state)
{
    (void)state;
    char *text = make_text(700);
    for (size_t c = 1; c < ARRAY_LEN(codecs); c++) {
        struct str folded, plain;
        str_init(&folded, 2000);
        str_init(&plain, 5000);
        assert_int_equal(lz_compress(codecs[c], slice_of(text, 700), &folded), 0);
        /* The header of xerial alone is a text of no blocks. */
        size_t from = codecs[c] == LZ_SNAPPY ? 17 : 0;
        for (size_t cut = from; cut < folded.len; cut++) {
            assert_int_equal(lz_decompress(codecs[c], slice_of(folded.data, cut), &plain),
                             ERR_MALFORMED);
            assert_int_equal(plain.len, 0);
        }
        for (size_t i = 0; i < folded.len; i++) {
            folded.data[i] ^= 0x55;
            int code = lz_decompress(codecs[c], str_slice(&folded), &plain);
            assert_true(code == 0 || plain.len == 0);
            str_reset(&plain);
            folded.data[i] ^= 0x55;
        }
        str_fini(&folded);
        str_fini(&plain);
    }
    free(text);
}

/* A bomb fails at the limit, whichever codec made it. */
static void bombs_fail_at_the_limit(void **state)
{
    (void)state;
    const size_t len = 16 * MIB;
    char *zeros = calloc(1, len);
    for (size_t c = 1; c < ARRAY_LEN(codecs); c++) {
        struct str folded, plain;
        str_init(&folded, 20 * MIB);
        str_init(&plain, 100000);
        assert_int_equal(lz_compress(codecs[c], slice_of(zeros, len), &folded), 0);
        assert_true(folded.len < len / 10);
        assert_int_equal(lz_decompress(codecs[c], str_slice(&folded), &plain),
                         ERR_TOO_LARGE);
        str_fini(&folded);
        str_fini(&plain);
    }
    free(zeros);
}

/* Raw snappy, as librdkafka and others write it, is read as well; a length that the bytes
 * cannot unfold to is refused before memory is asked for. */
static void raw_snappy_is_read(void **state)
{
    (void)state;
    static const uint8_t raw[] = {12, 2 << 2, 'a', 'b', 'c', (9 - 4) << 2 | 1, 3};
    static const uint8_t liar[] = {0xff, 0xff, 0xff, 0xff, 0x07, 'x'};
    struct str plain;
    str_init(&plain, SIZE_MAX);
    assert_int_equal(lz_decompress(LZ_SNAPPY, slice_of(raw, sizeof(raw)), &plain), 0);
    assert_string_equal(str_cstr(&plain), "abcabcabcabc");
    assert_int_equal(lz_decompress(LZ_SNAPPY, slice_of(liar, sizeof(liar)), &plain),
                     ERR_MALFORMED);
    assert_int_equal(lz_decompress(LZ_SNAPPY, SLICE_NULL, &plain), ERR_MALFORMED);
    str_fini(&plain);
}

/* Several members or frames in a row are one text, as Kafka's own readers have it. */
static void frames_in_a_row_are_one_text(void **state)
{
    (void)state;
    static const enum lz_codec streams[] = {LZ_GZIP, LZ_LZ4, LZ_ZSTD};
    for (size_t c = 0; c < ARRAY_LEN(streams); c++) {
        struct str folded, plain;
        str_init(&folded, 1000);
        str_init(&plain, 6);
        assert_int_equal(lz_compress(streams[c], slice_str("abc"), &folded), 0);
        assert_int_equal(lz_compress(streams[c], slice_str("def"), &folded), 0);
        assert_int_equal(lz_decompress(streams[c], str_slice(&folded), &plain), 0);
        assert_string_equal(str_cstr(&plain), "abcdef");
        str_fini(&folded);
        str_fini(&plain);
    }
}

/* A codec that nobody knows is unsupported; each has Kafka's name. */
static void codecs_have_names(void **state)
{
    (void)state;
    struct str out;
    str_init(&out, 10);
    assert_int_equal(lz_decompress((enum lz_codec)5, slice_str("x"), &out),
                     ERR_UNSUPPORTED);
    assert_int_equal(lz_compress((enum lz_codec)7, slice_str("x"), &out),
                     ERR_UNSUPPORTED);
    assert_string_equal(lz_name(LZ_NONE), "none");
    assert_string_equal(lz_name(LZ_ZSTD), "zstd");
    assert_string_equal(lz_name((enum lz_codec)6), "unknown");
    str_fini(&out);
}

/* HTTP bodies round-trip; a size above the limit, or that the bytes cannot have, is
 * refused before memory is asked for. */
static void bodies_are_bounded(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 70000};
    struct str folded, plain;
    for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
        char *text = make_text(sizes[s]);
        str_init(&folded, 100000);
        str_init(&plain, SIZE_MAX);
        assert_int_equal(lz_body_encode(slice_of(text, sizes[s]), &folded), 0);
        assert_int_equal(be32_get((uint8_t *)folded.data), sizes[s]);
        assert_int_equal(lz_body_decode(str_slice(&folded), sizes[s], &plain), 0);
        assert_int_equal(plain.len, sizes[s]);
        assert_memory_equal(str_cstr(&plain), text, sizes[s]);
        if (sizes[s] > 0) {
            assert_int_equal(lz_body_decode(str_slice(&folded), sizes[s] - 1, &plain),
                             ERR_TOO_LARGE);
            be32_put((uint8_t *)folded.data, (uint32_t)sizes[s] + 1);
            assert_int_equal(lz_body_decode(str_slice(&folded), SIZE_MAX, &plain),
                             ERR_MALFORMED);
            be32_put((uint8_t *)folded.data, 0x7000000);
            assert_int_equal(lz_body_decode(str_slice(&folded), SIZE_MAX, &plain),
                             ERR_MALFORMED);
        }
        assert_int_equal(plain.len, sizes[s]);
        str_fini(&folded);
        str_fini(&plain);
        free(text);
    }
    str_init(&plain, 100);
    assert_int_equal(lz_body_decode(slice_of("\0\0\0", 3), 100, &plain), ERR_MALFORMED);
    str_fini(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(unfolding_appends),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(bombs_fail_at_the_limit),
        cmocka_unit_test(raw_snappy_is_read),
        cmocka_unit_test(frames_in_a_row_are_one_text),
        cmocka_unit_test(codecs_have_names),
        cmocka_unit_test(bodies_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
