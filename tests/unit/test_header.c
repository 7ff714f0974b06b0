/* test_header.c - request and response headers, the ApiVersions exceptions, the API table
 * and the error table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "common/defs.h"
#include "common/err.h"
#include "proto/header.h"
#include "proto/kafka_error.h"

#define HEX(s) slice_of(s, sizeof(s) - 1)

static int read_request(struct slice bytes, struct request_header *header, size_t *left)
{
    struct reader r;
    static uint8_t copy[256];
    assert_true(bytes.len <= sizeof(copy));
    /* At the end of the buffer, so that a sanitiser sees a read past it. */
    uint8_t *at = copy + sizeof(copy) - bytes.len;
    memcpy(at, bytes.ptr, bytes.len);
    reader_init(&r, slice_of(at, bytes.len));
    int rc = header_read_request(&r, header);
    if (left != NULL)
        *left = reader_left(&r);
    return rc;
}

/* The table is sorted by key, finds what it has, and serves Kafka 4.2's versions; Produce
 * alone is advertised from lower (KAFKA-18659). */
static void test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
        const struct kafka_api *api = &kafka_apis[i];
        assert_true(i == 0 || api->key > kafka_apis[i - 1].key);
        assert_ptr_equal(kafka_api_find(api->key), api);
        assert_int_equal(api->request->api_key, api->key);
        assert_int_equal(api->response->max_version, api->max_version);
        assert_true(kafka_api_serves(api, api->min_version));
        assert_true(kafka_api_serves(api, api->max_version));
        assert_false(kafka_api_serves(api, (int16_t)(api->min_version - 1)));
        assert_false(kafka_api_serves(api, (int16_t)(api->max_version + 1)));
        assert_int_equal(api->advertised_min,
                         api->key == KAFKA_PRODUCE ? 0 : api->min_version);
    }
    assert_null(kafka_api_find(4));
    assert_null(kafka_api_find(-1));
    assert_string_equal(kafka_api_find(KAFKA_FETCH)->name, "Fetch");
}

/* Header v1 ends with the client id, v2 with tagged fields, which are skipped. */
static void test_read_request(void **state)
{
    (void)state;
    struct request_header h;
    size_t left;
    assert_int_equal(read_request(HEX("\0\3\0\x08\0\0\0\x2a\0\2meBODY"), &h, &left), 0);
    assert_int_equal(h.api->key, KAFKA_METADATA);
    assert_int_equal(h.api_version, 8);
    assert_int_equal(h.correlation_id, 42);
    assert_true(slice_eq_str(h.client_id, "me"));
    assert_int_equal(left, 4);
    assert_int_equal(
        read_request(HEX("\0\3\0\x09\0\0\0\x2a\0\2me\1\5\3abcBODY"), &h, &left), 0);
    assert_int_equal(left, 4);
    assert_int_equal(read_request(HEX("\0\3\0\x09\0\0\0\x2a\xff\xff\0"), &h, &left), 0);
    assert_null(h.client_id.ptr);
    assert_int_equal(left, 0);
}

/* Keys and versions that are not served are told apart from damage. */
static void test_read_unsupported(void **state)
{
    (void)state;
    struct request_header h;
    assert_int_equal(read_request(HEX("\0\4\0\0\0\0\0\1\xff\xff"), &h, NULL),
                     ERR_UNSUPPORTED);
    assert_int_equal(read_request(HEX("\0\0\0\2\0\0\0\1\xff\xff"), &h, NULL),
                     ERR_UNSUPPORTED);
    assert_int_equal(read_request(HEX("\0\0\0\x0e\0\0\0\1\xff\xff\0"), &h, NULL),
                     ERR_UNSUPPORTED);
    assert_int_equal(read_request(HEX("\0\3\xff\xff\0\0\0\1\xff\xff"), &h, NULL),
                     ERR_UNSUPPORTED);
}

/* A header that is cut, or whose client id or tags lead outside, is malformed. */
static void test_read_malformed(void **state)
{
    (void)state;
    struct request_header h;
    struct slice whole = HEX("\0\3\0\x09\0\0\0\x2a\0\2me\1\5\3abc");
    for (size_t len = 0; len < whole.len; len++)
        assert_int_equal(read_request(slice_of(whole.ptr, len), &h, NULL), ERR_MALFORMED);
    assert_int_equal(read_request(HEX("\0\3\0\1\0\0\0\x2a\xff\xfeme"), &h, NULL),
                     ERR_MALFORMED);
    assert_int_equal(
        read_request(HEX("\0\3\0\x09\0\0\0\x2a\0\2me\xff\xff\xff\xff\x0f"), &h, NULL),
        ERR_MALFORMED);
}

/* ApiVersions of any version is read as far as the correlation id, to be answered in
 * version 0 (KIP-511). */
static void test_downgrade(void **state)
{
    (void)state;
    struct request_header h;
    assert_int_equal(read_request(HEX("\0\x12\0\x63\0\0\0\7\0\2me\0\xde\xad"), &h, NULL),
                     0);
    assert_true(h.downgrade);
    assert_int_equal(h.correlation_id, 7);
    assert_int_equal(read_request(HEX("\0\x12\xff\xff\0\0\0\7"), &h, NULL), 0);
    assert_true(h.downgrade);
    assert_int_equal(read_request(HEX("\0\x12\0\x63\0\0\0"), &h, NULL), ERR_MALFORMED);
    assert_int_equal(read_request(HEX("\0\x12\0\4\0\0\0\7\0\2me\0"), &h, NULL), 0);
    assert_false(h.downgrade);
}

static void assert_response(int16_t key, int16_t version, const void *body,
                            struct slice expected)
{
    struct codec_out out;
    struct str flat;
    codec_out_init(&out, MIB);
    str_init(&flat, MIB);
    assert_int_equal(
        header_write_response(kafka_api_find(key), version, 0x01020304, body, &out), 0);
    codec_out_flatten(&out, &flat);
    assert_int_equal(flat.len, expected.len);
    assert_memory_equal(flat.data, expected.ptr, expected.len);
    str_fini(&flat);
    codec_out_fini(&out);
}

/* Flexible replies have a tag byte after the correlation id; ApiVersions never has. */
static void test_write_response(void **state)
{
    (void)state;
    struct init_producer_id_response pid = {.producer_id = 5};
    assert_response(KAFKA_INIT_PRODUCER_ID, 1, &pid,
                    HEX("\0\0\0\x14\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0"));
    assert_response(KAFKA_INIT_PRODUCER_ID, 2, &pid,
                    HEX("\0\0\0\x16\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0"));
    struct api_versions_response api = api_versions_response_defaults;
    api.error_code = KAFKA_UNSUPPORTED_VERSION;
    assert_response(KAFKA_API_VERSIONS, 0, &api, HEX("\0\0\0\x0a\1\2\3\4\0\x23\0\0\0\0"));
    assert_response(KAFKA_API_VERSIONS, 3, &api,
                    HEX("\0\0\0\x0c\1\2\3\4\0\x23\1\0\0\0\0\0"));
}

/* What one side writes the other reads, in every version of every API. */
static void test_round_trip(void **state)
{
    (void)state;
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
        const struct kafka_api *api = &kafka_apis[i];
        for (int16_t v = api->min_version; v <= api->max_version; v++) {
            struct codec_out out;
            struct request_header h;
            struct reader r;
            int32_t id;
            codec_out_init(&out, MIB);
            assert_int_equal(header_write_request(api, v, 77, slice_str("client"),
                                                  api->request->body->defaults, &out),
                             0);
            reader_init(&r, str_slice(&out.own));
            assert_int_equal(reader_u32(&r), out.own.len - 4);
            assert_int_equal(header_read_request(&r, &h), 0);
            assert_ptr_equal(h.api, api);
            assert_int_equal(h.api_version, v);
            assert_int_equal(h.correlation_id, 77);
            assert_true(slice_eq_str(h.client_id, "client"));
            codec_out_fini(&out);

            codec_out_init(&out, MIB);
            assert_int_equal(
                header_write_response(api, v, 78, api->response->body->defaults, &out),
                0);
            reader_init(&r, str_slice(&out.own));
            assert_int_equal(reader_u32(&r), out.own.len - 4);
            assert_int_equal(header_read_response(&r, api, v, &id), 0);
            assert_int_equal(id, 78);
            codec_out_fini(&out);
        }
    }
}

/* Errors have their Kafka numbers; unknown ones read as UNKNOWN_SERVER_ERROR. */
static void test_errors(void **state)
{
    (void)state;
    assert_int_equal(KAFKA_INVALID_RECORD, 87);
    assert_string_equal(kafka_error_name(0), "NONE");
    assert_string_equal(kafka_error_name(87), "INVALID_RECORD");
    assert_string_equal(kafka_error_name(133), "SHARE_SESSION_LIMIT_REACHED");
    assert_string_equal(kafka_error_name(134), "UNKNOWN_SERVER_ERROR");
    assert_string_equal(kafka_error_name(-1), "UNKNOWN_SERVER_ERROR");
    assert_string_equal(kafka_error_name(INT16_MIN), "UNKNOWN_SERVER_ERROR");
    assert_true(kafka_error_retriable(KAFKA_REQUEST_TIMED_OUT));
    assert_false(kafka_error_retriable(KAFKA_MESSAGE_TOO_LARGE));
    for (int16_t code = -1; code <= 133; code++) {
        assert_non_null(kafka_error_name(code)); /* the numbers have no holes */
        assert_true(strlen(kafka_error_text(code)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_read_request),
        cmocka_unit_test(test_read_unsupported),
        cmocka_unit_test(test_read_malformed),
        cmocka_unit_test(test_downgrade),
        cmocka_unit_test(test_write_response),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
