/* test_codec.c - the interpreter's rules: bounds, nulls, defaults, tags, strict fields,
 * borrowed output. That real frames pass unchanged is test_golden's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "common/defs.h"
#include "common/err.h"
#include "proto/codec.h"
#include "proto/kafka_gen.h"

#define HEX(s) slice_of(s, sizeof(s) - 1)

/* One message in and out, with its memory. */
struct fixture {
    struct arena arena;
    struct str bytes;
    struct codec_out out;
};

static int setup(void **state)
{
    static struct fixture f;
    arena_init(&f.arena, MIB);
    str_init(&f.bytes, MIB);
    codec_out_init(&f.out, MIB);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_fini(&f->arena);
    str_fini(&f->bytes);
    codec_out_fini(&f->out);
    return 0;
}

static int decode(struct fixture *f, const struct codec_message *msg, int16_t version,
                  struct slice bytes, void *out)
{
    struct reader r;
    /* An exact copy, so that a sanitiser sees a read past the end. */
    struct slice copy = arena_dup(&f->arena, bytes);
    reader_init(&r, copy);
    return codec_decode(msg, version, &r, &f->arena, out);
}

/* Encode BODY; the bytes are in f->bytes after. */
static int encode(struct fixture *f, const struct codec_message *msg, int16_t version,
                  const void *body)
{
    codec_out_fini(&f->out);
    codec_out_init(&f->out, MIB);
    str_reset(&f->bytes);
    int rc = codec_encode(msg, version, body, &f->out);
    codec_out_flatten(&f->out, &f->bytes);
    return rc;
}

static void assert_encodes(struct fixture *f, const struct codec_message *msg,
                           int16_t version, const void *body, struct slice expected)
{
    assert_int_equal(encode(f, msg, version, body), 0);
    assert_int_equal(f->bytes.len, expected.len);
    assert_memory_equal(f->bytes.data, expected.ptr, expected.len);
}

/* Fields that a version lacks read as Kafka's defaults, and those it has as they are. */
static void test_defaults(void **state)
{
    struct fixture *f = *state;
    struct metadata_request metadata;
    assert_int_equal(decode(f, &metadata_request_message, 0, HEX("\0\0\0\0"), &metadata),
                     0);
    assert_true(metadata.allow_auto_topic_creation);
    assert_int_equal(
        decode(f, &metadata_request_message, 4, HEX("\xff\xff\xff\xff\0"), &metadata), 0);
    assert_false(metadata.allow_auto_topic_creation);

    struct fetch_request fetch;
    assert_int_equal(decode(f, &fetch_request_message, 4,
                            HEX("\xff\xff\xff\xff\0\0\1\xf4\0\0\0\1\0\x80\0\0\1"
                                "\0\0\0\1\0\1t\0\0\0\1"
                                "\0\0\0\7\0\0\0\0\0\0\0\x63\0\x10\0\0"),
                            &fetch),
                     0);
    assert_int_equal(fetch.max_wait_ms, 500);
    assert_int_equal(fetch.isolation_level, 1);
    assert_int_equal(fetch.session_epoch, -1);
    assert_int_equal(fetch.replica_state.replica_epoch, -1);
    assert_null(fetch.rack_id.ptr);
    assert_int_equal(fetch.topics_count, 1);
    assert_true(slice_eq_str(fetch.topics[0].topic, "t"));
    const struct fetch_request_partition *partition = &fetch.topics[0].partitions[0];
    assert_int_equal(partition->partition, 7);
    assert_int_equal(partition->fetch_offset, 99);
    assert_int_equal(partition->partition_max_bytes, 1 << 20);
    assert_int_equal(partition->current_leader_epoch, -1);
    assert_int_equal(partition->last_fetched_epoch, -1);
    assert_true(partition->high_watermark == INT64_MAX);
}

/* Null and empty arrays are told apart where null means something. */
static void test_null_array(void **state)
{
    struct fixture *f = *state;
    struct metadata_request req;
    const struct codec_message *msg = &metadata_request_message;
    assert_int_equal(decode(f, msg, 1, HEX("\xff\xff\xff\xff"), &req), 0);
    assert_null(req.topics);
    assert_encodes(f, msg, 1, &req, HEX("\xff\xff\xff\xff"));
    assert_int_equal(decode(f, msg, 1, HEX("\0\0\0\0"), &req), 0);
    assert_non_null(req.topics);
    assert_int_equal(req.topics_count, 0);
    assert_encodes(f, msg, 1, &req, HEX("\0\0\0\0"));
    assert_int_equal(decode(f, msg, 12, HEX("\0\1\0\0"), &req), 0);
    assert_null(req.topics);
    assert_encodes(f, msg, 12, &req, HEX("\0\1\0\0"));
    assert_int_equal(decode(f, msg, 12, HEX("\1\1\0\0"), &req), 0);
    assert_non_null(req.topics);
    assert_encodes(f, msg, 12, &req, HEX("\1\1\0\0"));
}

/* Null is malformed where the version does not know it: array, string, element. */
static void test_null_refused(void **state)
{
    struct fixture *f = *state;
    struct metadata_request metadata;
    struct describe_configs_request configs;
    assert_int_equal(
        decode(f, &metadata_request_message, 0, HEX("\xff\xff\xff\xff"), &metadata),
        ERR_MALFORMED);
    assert_int_equal(
        decode(f, &metadata_request_message, 0, HEX("\0\0\0\1\xff\xff"), &metadata),
        ERR_MALFORMED);
    /* A nullable array of strings: the strings are not nullable. */
    assert_int_equal(decode(f, &describe_configs_request_message, 1,
                            HEX("\0\0\0\1\2\0\1t\0\0\0\1\xff\xff\0"), &configs),
                     ERR_MALFORMED);
    assert_int_equal(decode(f, &describe_configs_request_message, 1,
                            HEX("\0\0\0\1\2\0\1t\xff\xff\xff\xff\0"), &configs),
                     0);
    assert_null(configs.resources[0].configuration_keys);
}

/* Negative lengths below -1 are malformed. */
static void test_negative_lengths(void **state)
{
    struct fixture *f = *state;
    struct metadata_request metadata;
    assert_int_equal(
        decode(f, &metadata_request_message, 1, HEX("\xff\xff\xff\xfe"), &metadata),
        ERR_MALFORMED);
    assert_int_equal(
        decode(f, &metadata_request_message, 1, HEX("\0\0\0\1\x80\0"), &metadata),
        ERR_MALFORMED);
}

/* A count that the bytes left cannot hold fails before anything is allocated for it. */
static void test_count_bound(void **state)
{
    struct fixture *f = *state;
    struct metadata_request metadata;
    size_t before = arena_used(&f->arena);
    assert_int_equal(
        decode(f, &metadata_request_message, 1, HEX("\x7f\xff\xff\xff\0\1t"), &metadata),
        ERR_MALFORMED);
    assert_int_equal(decode(f, &metadata_request_message, 12,
                            HEX("\xff\xff\xff\xff\x0f\0\0\0\0"), &metadata),
                     ERR_MALFORMED);
    assert_in_range(arena_used(&f->arena) - before, 0, 256);
    /* Two elements of at least 2 bytes each do not fit into 3. */
    assert_int_equal(
        decode(f, &metadata_request_message, 1, HEX("\0\0\0\2\0\1t"), &metadata),
        ERR_MALFORMED);
}

/* What would need more than the arena's cap fails as too large. */
static void test_arena_cap(void **state)
{
    struct fixture *f = *state;
    struct metadata_request metadata;
    struct arena small;
    struct reader r;
    write_u32(&f->bytes, 5000);
    for (int i = 0; i < 5000; i++)
        write_u16(&f->bytes, 0);
    arena_init(&small, 16 * KIB);
    reader_init(&r, str_slice(&f->bytes));
    assert_int_equal(codec_decode(&metadata_request_message, 1, &r, &small, &metadata),
                     ERR_TOO_LARGE);
    arena_fini(&small);
    reader_init(&r, str_slice(&f->bytes));
    assert_int_equal(codec_decode(&metadata_request_message, 1, &r, &f->arena, &metadata),
                     0);
    assert_int_equal(metadata.topics_count, 5000);
}

/* What follows a message is left to the caller. */
static void test_trailing_bytes(void **state)
{
    struct fixture *f = *state;
    struct metadata_request metadata;
    struct reader r;

    reader_init(&r, HEX("\0\0\0\0\0"));
    assert_int_equal(codec_decode(&metadata_request_message, 1, &r, &f->arena, &metadata),
                     0);
    assert_int_equal(reader_left(&r), 1);
}

/* Versions outside of the table are refused both ways. */
static void test_versions(void **state)
{
    struct fixture *f = *state;
    struct produce_request produce = produce_request_defaults;
    static const int16_t bad[] = {-1, 0, 2, 14, INT16_MAX, INT16_MIN};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(decode(f, &produce_request_message, bad[i], HEX("\0"), &produce),
                         ERR_UNSUPPORTED);
        assert_int_equal(encode(f, &produce_request_message, bad[i], &produce),
                         ERR_UNSUPPORTED);
    }
}

/* Tagged fields: known ones are read, unknown ones skipped, in any order. */
static void test_tags(void **state)
{
    struct fixture *f = *state;
    struct api_versions_response res;
    const struct codec_message *msg = &api_versions_response_message;
    /* error 0, no keys, throttle 0; tags 9 (2 bytes), 1 (epoch 5), 3 (true) */
    struct slice bytes = HEX("\0\0\1\0\0\0\0"
                             "\3\x09\2\xaa\xbb\1\x08\0\0\0\0\0\0\0\5\3\1\1");
    assert_int_equal(decode(f, msg, 3, bytes, &res), 0);
    assert_int_equal(res.finalized_features_epoch, 5);
    assert_true(res.zk_migration_ready);
    assert_int_equal(res.supported_features_count, 0);
    /* Written again without the unknown one. */
    assert_encodes(f, msg, 3, &res, HEX("\0\0\1\0\0\0\0\2\1\x08\0\0\0\0\0\0\0\5\3\1\1"));
    /* Defaults are not written. */
    res = api_versions_response_defaults;
    assert_encodes(f, msg, 3, &res, HEX("\0\0\1\0\0\0\0\0"));
}

/* A tagged field must fill its declared size, and lie within the message. */
static void test_tag_sizes(void **state)
{
    struct fixture *f = *state;
    struct api_versions_response res;
    const struct codec_message *msg = &api_versions_response_message;
    static const struct slice bad[] = {
        {(const uint8_t *)"\0\0\1\0\0\0\0\1\3\2\1\1", 12}, /* bool of two bytes */
        {(const uint8_t *)"\0\0\1\0\0\0\0\1\3\0", 10},     /* bool of none */
        {(const uint8_t *)"\0\0\1\0\0\0\0\1\1\x07\0\0\0\0\0\0\0\5", 18}, /* short int64 */
        {(const uint8_t *)"\0\0\1\0\0\0\0\1\x09\x7f\1", 11},         /* beyond the end */
        {(const uint8_t *)"\0\0\1\0\0\0\0\xff\xff\xff\xff\x0f", 12}, /* 2^32-1 tags */
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(decode(f, msg, 3, bad[i], &res), ERR_MALFORMED);
}

/* A tagged struct whose size needs two bytes of varint is moved to make room. */
static void test_long_tag(void **state)
{
    struct fixture *f = *state;
    char host[301];
    memset(host, 'h', 300);
    host[300] = '\0';
    struct fetch_response_node node = {
        .node_id = 4, .host = slice_str(host), .port = 9092};
    struct fetch_response res = fetch_response_defaults, back;
    res.node_endpoints = &node;
    res.node_endpoints_count = 1;
    assert_int_equal(encode(f, &fetch_response_message, 16, &res), 0);
    assert_int_equal(decode(f, &fetch_response_message, 16, str_slice(&f->bytes), &back),
                     0);
    assert_int_equal(back.node_endpoints_count, 1);
    assert_true(slice_eq_str(back.node_endpoints[0].host, host));
    assert_int_equal(back.node_endpoints[0].port, 9092);
    assert_null(back.node_endpoints[0].rack.ptr);
}

/* A strict field that is set cannot go to a version without it; an ignorable one is left
 * out; zero and the default count as not set. */
static void test_strict(void **state)
{
    struct fixture *f = *state;
    struct fetch_response_partition *partition =
        codec_new(&fetch_response_partition_type, 1, &f->arena);
    struct fetch_response_topic topic = {.partitions = partition, .partitions_count = 1};
    struct fetch_response res = fetch_response_defaults;
    res.responses = &topic;
    res.responses_count = 1;
    partition->log_start_offset = 17; /* v5+, ignorable */
    assert_int_equal(encode(f, &fetch_response_message, 4, &res), 0);
    partition->preferred_read_replica = 0;
    assert_int_equal(encode(f, &fetch_response_message, 4, &res), 0);
    partition->preferred_read_replica = 3; /* v11+, strict */
    assert_int_equal(encode(f, &fetch_response_message, 4, &res), ERR_UNSUPPORTED);
    assert_int_equal(encode(f, &fetch_response_message, 11, &res), 0);
    partition->preferred_read_replica = -1;
    partition->current_leader.leader_epoch = 2; /* v12+, strict struct */
    assert_int_equal(encode(f, &fetch_response_message, 11, &res), ERR_UNSUPPORTED);
    assert_int_equal(encode(f, &fetch_response_message, 12, &res), 0);
}

/* A null string goes out as null where it may, and as empty elsewhere; more than 32,767
 * bytes no version takes. */
static void test_strings_out(void **state)
{
    struct fixture *f = *state;
    struct create_topics_response_topic topic = create_topics_response_topic_defaults;
    struct create_topics_response res = {.topics = &topic, .topics_count = 1};
    assert_encodes(f, &create_topics_response_message, 2, &res,
                   HEX("\0\0\0\0\0\0\0\1\0\0\0\0\xff\xff"));
    static uint8_t longest[32768];
    topic.name = slice_of(longest, 32767);
    assert_int_equal(encode(f, &create_topics_response_message, 2, &res), 0);
    assert_int_equal(encode(f, &create_topics_response_message, 7, &res), 0);
    topic.name.len++;
    assert_int_equal(encode(f, &create_topics_response_message, 2, &res), ERR_INVALID);
    assert_int_equal(encode(f, &create_topics_response_message, 7, &res), ERR_INVALID);
}

/* Strings are UTF-8: overlong forms, surrogates, stray and missing continuation bytes and
 * code points above U+10FFFF are malformed. */
static void test_utf8(void **state)
{
    struct fixture *f = *state;
    struct describe_topic_partitions_request_topic topic;
    static const char *good[] = {"plain",
                                 "",
                                 "\xc2\x80",
                                 "\xed\x9f\xbf",
                                 "\xee\x80\x80",
                                 "\xf0\x90\x80\x80",
                                 "\xf4\x8f\xbf\xbf",
                                 "a\xe2\x82\xac!"};
    static const char *bad[] = {"\x80",
                                "\xc0\xaf",
                                "\xc1\xbf",
                                "\xe0\x9f\xbf",
                                "\xed\xa0\x80",
                                "\xf0\x8f\xbf\xbf",
                                "\xf4\x90\x80\x80",
                                "\xf5\x80\x80\x80",
                                "\xff",
                                "ab\xe2\x82",
                                "\xc2"};
    for (size_t i = 0; i < ARRAY_LEN(good) + ARRAY_LEN(bad); i++) {
        bool is_good = i < ARRAY_LEN(good);
        struct describe_topic_partitions_request req, back;
        req = describe_topic_partitions_request_defaults;
        topic.name = slice_str(is_good ? good[i] : bad[i - ARRAY_LEN(good)]);
        req.topics = &topic;
        req.topics_count = 1;
        assert_int_equal(encode(f, &describe_topic_partitions_request_message, 0, &req),
                         0);
        assert_int_equal(decode(f, &describe_topic_partitions_request_message, 0,
                                str_slice(&f->bytes), &back),
                         is_good ? 0 : ERR_MALFORMED);
    }
}

/* A nullable struct is a byte and, unless that is negative, the struct. */
static void test_nullable_struct(void **state)
{
    struct fixture *f = *state;
    struct describe_topic_partitions_request req;
    const struct codec_message *msg = &describe_topic_partitions_request_message;
    struct slice null = HEX("\1\0\0\7\xd0\xff\0");
    struct slice present = HEX("\1\0\0\7\xd0\1\3tt\0\0\0\5\0\0");
    assert_int_equal(decode(f, msg, 0, null, &req), 0);
    assert_null(req.cursor);
    assert_encodes(f, msg, 0, &req, null);
    assert_int_equal(decode(f, msg, 0, present, &req), 0);
    assert_non_null(req.cursor);
    assert_true(slice_eq_str(req.cursor->topic_name, "tt"));
    assert_int_equal(req.cursor->partition_index, 5);
    assert_encodes(f, msg, 0, &req, present);
}

/* An unsigned port keeps its upper half, and a fraction its bits; both print as what they
 * are. */
static void test_ports_and_fractions(void **state)
{
    struct fixture *f = *state;
    struct describe_quorum_response quorum;
    struct slice bytes = HEX("\0\0\0\1\2\0\0\0\1\2\2n\2h\xff\xfe\0\0\0");
    assert_int_equal(decode(f, &describe_quorum_response_message, 2, bytes, &quorum), 0);
    assert_int_equal(quorum.nodes[0].listeners[0].port, 65534);
    assert_encodes(f, &describe_quorum_response_message, 2, &quorum, bytes);
    str_reset(&f->bytes);
    codec_print(&describe_quorum_response_message, 2, &quorum, &f->bytes);
    assert_non_null(strstr(str_cstr(&f->bytes), "port=65534"));

    struct alter_client_quotas_request quotas;
    bytes = HEX("\0\0\0\1\0\0\0\0\0\0\0\1\0\1k\x40\x04\0\0\0\0\0\0\0\1");
    assert_int_equal(decode(f, &alter_client_quotas_request_message, 0, bytes, &quotas),
                     0);
    assert_true(quotas.entries[0].ops[0].value == 2.5);
    assert_true(quotas.validate_only);
    assert_encodes(f, &alter_client_quotas_request_message, 0, &quotas, bytes);
    str_reset(&f->bytes);
    codec_print(&alter_client_quotas_request_message, 0, &quotas, &f->bytes);
    assert_non_null(strstr(str_cstr(&f->bytes), "value=2.5"));
}

/* An array of single bytes prints element by element. */
static void test_print_bytes(void **state)
{
    struct fixture *f = *state;
    struct list_config_resources_request req = {.resource_types = (int8_t[]){2, 16, 32},
                                                .resource_types_count = 3};
    codec_print(&list_config_resources_request_message, 1, &req, &f->bytes);
    assert_string_equal(str_cstr(&f->bytes),
                        "list_config_resources_request v1{resource_types=[2 16 32]}");
}

/* An API without flexible versions has plain forms in all of them. */
static void test_never_flexible(void **state)
{
    struct fixture *f = *state;
    struct offset_delete_request req;
    struct slice bytes = HEX("\0\1g\0\0\0\1\0\1t\0\0\0\1\0\0\0\7");
    assert_int_equal(decode(f, &offset_delete_request_message, 0, bytes, &req), 0);
    assert_int_equal(req.topics[0].partitions[0].partition_index, 7);
    assert_encodes(f, &offset_delete_request_message, 0, &req, bytes);
}

/* Records of a produce request point into the frame. */
static void test_records_borrowed(void **state)
{
    struct fixture *f = *state;
    struct produce_request req;
    struct reader r;
    struct slice bytes = HEX("\0\1\xff\xff\0\0\x75\x30\2\2t\2\0\0\0\4\6batch\0\0\0");
    reader_init(&r, bytes);
    assert_int_equal(codec_decode(&produce_request_message, 9, &r, &f->arena, &req),
                     ERR_MALFORMED); /* transactional id "" takes one byte, not two */
    bytes = HEX("\0\xff\xff\0\0\x75\x30\2\2t\2\0\0\0\4\6batch\0\0\0");
    reader_init(&r, bytes);
    assert_int_equal(codec_decode(&produce_request_message, 9, &r, &f->arena, &req), 0);
    assert_int_equal(req.acks, -1);
    struct slice records = req.topic_data[0].partition_data[0].records;
    assert_true(slice_eq_str(records, "batch"));
    assert_true(records.ptr > bytes.ptr && records.ptr < bytes.ptr + bytes.len);
}

/* Fetched batches are never copied: the output names the very bytes, in their order
 * between the owned ones; small pieces (patched heads) are copied. */
static void test_slices_borrowed(void **state)
{
    struct fixture *f = *state;
    static uint8_t payload[3][1000];
    memset(payload[0], 'a', 1000);
    memset(payload[1], 'b', 1000);
    memset(payload[2], 'c', 1000);
    struct slice items[] = {{(const uint8_t *)"0123456789abcdef", 16},
                            {payload[0], 1000},
                            {payload[1], 1000}};
    struct slice last = {payload[2], 1000};
    struct fetch_response_partition *partitions =
        codec_new(&fetch_response_partition_type, 3, &f->arena);
    partitions[0].records = (struct slice_list){items, 3, 2016, false};
    partitions[1].records.is_null = true;
    partitions[2].records = (struct slice_list){&last, 1, 1000, false};
    struct fetch_response_topic topic = {
        .topic = slice_str("t"), .partitions = partitions, .partitions_count = 3};
    struct fetch_response res = fetch_response_defaults, back;
    res.responses = &topic;
    res.responses_count = 1;
    for (int16_t version = 4; version <= 18; version++) {
        assert_int_equal(encode(f, &fetch_response_message, version, &res), 0);
        assert_int_equal(f->out.borrow_count, 3);
        assert_int_equal(f->out.borrowed_bytes, 3000);
        assert_int_equal(codec_out_bytes(&f->out), f->bytes.len);
        struct codec_out_iter iter = {0};
        struct slice piece;
        size_t pieces = 0, borrowed = 0;
        while (codec_out_next(&f->out, &iter, &piece)) {
            assert_true(piece.len > 0);
            if (borrowed < 3 && piece.ptr == payload[borrowed])
                borrowed++;
            pieces++;
        }
        assert_int_equal(borrowed, 3);
        assert_int_equal(pieces, version >= 12 ? 6 : 5); /* tags at the end */
        assert_int_equal(
            decode(f, &fetch_response_message, version, str_slice(&f->bytes), &back), 0);
        const struct fetch_response_partition *got = back.responses[0].partitions;
        assert_int_equal(got[0].records.bytes, 2016);
        assert_memory_equal(got[0].records.items[0].ptr, "0123456789abcdefaaa", 19);
        assert_true(got[1].records.is_null);
        assert_memory_equal(got[2].records.items[0].ptr, payload[2], 1000);
    }
}

/* A partition without data says "no bytes", not null. */
static void test_slices_empty(void **state)
{
    struct fixture *f = *state;
    struct fetch_response_partition *partition =
        codec_new(&fetch_response_partition_type, 1, &f->arena);
    struct fetch_response_topic topic = {.partitions = partition, .partitions_count = 1};
    struct fetch_response res = fetch_response_defaults, back;
    res.responses = &topic;
    res.responses_count = 1;
    assert_int_equal(encode(f, &fetch_response_message, 12, &res), 0);
    assert_int_equal(decode(f, &fetch_response_message, 12, str_slice(&f->bytes), &back),
                     0);
    assert_false(back.responses[0].partitions[0].records.is_null);
    assert_int_equal(back.responses[0].partitions[0].records.bytes, 0);
}

/* Owned output stops at its maximum. */
static void test_out_limit(void **state)
{
    (void)state;
    struct api_versions_response_api keys[100] = {{0}};
    struct api_versions_response res = api_versions_response_defaults;
    struct codec_out out;
    res.api_keys = keys;
    res.api_keys_count = ARRAY_LEN(keys);
    for (size_t max = 0; max < 800; max += 50) {
        codec_out_init(&out, max);
        int rc = codec_encode(&api_versions_response_message, 3, &res, &out);
        assert_int_equal(rc, max < 709 ? ERR_TOO_LARGE : 0);
        codec_out_fini(&out);
    }
}

/* A trace line shows fields by name, but no records and no config values; control
 * characters are escaped. */
static void test_print(void **state)
{
    struct fixture *f = *state;
    struct produce_request_partition partition = {3, SLICE_LITERAL("SECRET payload")};
    struct produce_request_topic topic = {.name = slice_str("a\n\"b"),
                                          .partition_data = &partition,
                                          .partition_data_count = 1};
    struct produce_request req = {
        .acks = -1, .topic_data = &topic, .topic_data_count = 1};
    codec_print(&produce_request_message, 9, &req, &f->bytes);
    assert_string_equal(
        str_cstr(&f->bytes),
        "produce_request v9{transactional_id=null acks=-1 timeout_ms=0 topic_data=["
        "{name=\"a\\x0a\\\"b\" partition_data=[{index=3 records=<14 bytes>}]}]}");

    struct alter_configs_request_config config = {slice_str("sasl.jaas.config"),
                                                  slice_str("SECRET")};
    struct alter_configs_request_resource resource = {
        .resource_name = slice_str("t"), .configs = &config, .configs_count = 1};
    struct alter_configs_request alter = {.resources = &resource, .resources_count = 1};
    str_reset(&f->bytes);
    codec_print(&alter_configs_request_message, 2, &alter, &f->bytes);
    assert_null(strstr(str_cstr(&f->bytes), "SECRET"));
    assert_non_null(strstr(str_cstr(&f->bytes), "sasl.jaas.config"));

    struct metadata_response_partition many = {.replica_nodes = (int32_t[100]){1},
                                               .replica_nodes_count = 100};
    struct metadata_response_topic meta = {.partitions = &many, .partitions_count = 1};
    struct metadata_response res = {.topics = &meta, .topics_count = 1};
    str_reset(&f->bytes);
    codec_print(&metadata_response_message, 13, &res, &f->bytes);
    assert_non_null(strstr(str_cstr(&f->bytes), " ... 84 more]"));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_defaults),
        TEST(test_null_array),
        TEST(test_null_refused),
        TEST(test_negative_lengths),
        TEST(test_count_bound),
        TEST(test_arena_cap),
        TEST(test_trailing_bytes),
        TEST(test_versions),
        TEST(test_tags),
        TEST(test_tag_sizes),
        TEST(test_long_tag),
        TEST(test_strict),
        TEST(test_strings_out),
        TEST(test_utf8),
        TEST(test_nullable_struct),
        TEST(test_ports_and_fractions),
        TEST(test_print_bytes),
        TEST(test_never_flexible),
        TEST(test_records_borrowed),
        TEST(test_slices_borrowed),
        TEST(test_slices_empty),
        TEST(test_out_limit),
        TEST(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
