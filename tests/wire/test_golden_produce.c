/* test_golden_produce.c - our verdict on captured batches against Apache Kafka's.
 *
 * The Produce frames of tests/golden have requests with good and with broken batches, and
 * the broker's replies. For every partition whose error is one that a batch alone decides
 * (2, 10, 18, 32, 76, 87, and 0), batch_validate_produce() must say the same number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/defs.h"
#include "proto/batch.h"
#include "proto/header.h"
#include "proto/kafka_error.h"

#define DIRECTORY "tests/golden/Produce"
#define FRAME_MAX MIB

static unsigned compared[2]; /* refused, taken */
static unsigned compared_records;

static struct slice load(const char *path, struct arena *arena)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return SLICE_NULL;
    uint8_t *bytes = arena_alloc(arena, FRAME_MAX);
    size_t len = fread(bytes, 1, FRAME_MAX, file);
    fclose(file);
    return slice_of(bytes, len);
}

static bool batch_decides(int16_t error)
{
    switch (error) {
    case KAFKA_NONE:
    case KAFKA_CORRUPT_MESSAGE:
    case KAFKA_MESSAGE_TOO_LARGE:
    case KAFKA_RECORD_LIST_TOO_LARGE:
    case KAFKA_INVALID_TIMESTAMP:
    case KAFKA_UNSUPPORTED_COMPRESSION_TYPE:
    case KAFKA_INVALID_RECORD:
        return true;
    default:
        return false;
    }
}

/* A compacted topic refuses single records: the same ones, where the version tells. */
static int16_t judge_records(const struct batch_info *info,
                             const struct batch_policy *policy, int version,
                             const struct produce_response_partition *theirs)
{
    struct batch_record_rules rules = {
        .require_key = true, .policy = policy, .max_bytes = MIB};
    struct batch_bad_record bad[64];
    size_t n;
    int16_t error = batch_check_records(info, &rules, bad, ARRAY_LEN(bad), &n);
    if (version >= 8) {
        assert_int_equal(n, theirs->record_errors_count);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(bad[i].index, theirs->record_errors[i].batch_index);
        compared_records++;
    }
    return error;
}

static void compare(const char *path, int version, struct slice records,
                    const struct produce_response_partition *theirs)
{
    struct batch_policy policy = {.max_bytes = 1048588,
                                  .max_segment_bytes = 1 << 30,
                                  .zstd_allowed = version >= 7,
                                  .before_max_ms = INT64_MAX,
                                  .after_max_ms = INT64_MAX};
    struct batch_info info;
    struct batch_verdict verdict;
    if (!batch_decides(theirs->error_code))
        return;
    int16_t ours = batch_validate_produce(records, &policy, &info, &verdict);
    if (ours == 0 && theirs->error_code == KAFKA_INVALID_RECORD)
        ours = judge_records(&info, &policy, version, theirs);
    if (ours != theirs->error_code)
        fail_msg("%s: Kafka says %d, we say %d (%s)", path, theirs->error_code, ours,
                 verdict.text == NULL ? "taken" : verdict.text);
    compared[ours == 0]++;
}

static void compare_bodies(const char *path, int version,
                           const struct produce_request *req,
                           const struct produce_response *res)
{
    for (size_t t = 0; t < req->topic_data_count; t++) {
        const struct produce_request_topic *sent = &req->topic_data[t];
        for (size_t u = 0; u < res->responses_count; u++) {
            const struct produce_response_topic *got = &res->responses[u];
            if (!slice_eq(sent->name, got->name) ||
                !uuid_eq(&sent->topic_id, &got->topic_id))
                continue;
            for (size_t p = 0; p < sent->partition_data_count; p++) {
                for (size_t q = 0; q < got->partition_responses_count; q++) {
                    if (sent->partition_data[p].index ==
                        got->partition_responses[q].index)
                        compare(path, version, sent->partition_data[p].records,
                                &got->partition_responses[q]);
                }
            }
        }
    }
}

/* NAME is a request's; its reply has the same name but for the kind. */
static void compare_pair(const char *name, int16_t version, const char *rest)
{
    struct arena arena;
    struct reader r;
    struct request_header header;
    struct produce_request req;
    struct produce_response res;
    int32_t correlation_id;
    char path[512], reply_path[512];
    arena_init(&arena, 16 * MIB);
    snprintf(path, sizeof(path), DIRECTORY "/%s", name);
    snprintf(reply_path, sizeof(reply_path), DIRECTORY "/v%d-response-%s", version, rest);
    struct slice request = load(path, &arena), reply = load(reply_path, &arena);
    if (reply.ptr != NULL) {
        reader_init(&r, request);
        assert_int_equal(header_read_request(&r, &header), 0);
        assert_int_equal(
            codec_decode(header.api->request, header.api_version, &r, &arena, &req), 0);
        reader_init(&r, reply);
        assert_int_equal(header_read_response(&r, header.api, version, &correlation_id),
                         0);
        assert_int_equal(codec_decode(header.api->response, version, &r, &arena, &res),
                         0);
        compare_bodies(path, version, &req, &res);
    }
    arena_fini(&arena);
}

/* What Kafka took we take, and what it refused for the batch's sake we refuse alike. */
static void test_verdicts(void **state)
{
    (void)state;
    DIR *dir = opendir(DIRECTORY);
    if (dir == NULL)
        fail_msg(DIRECTORY ": run the tests from the root of the tree");
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        int version, at = 0;
        if (sscanf(entry->d_name, "v%d-request-%n", &version, &at) == 1 && at > 0)
            compare_pair(entry->d_name, (int16_t)version, entry->d_name + at);
    }
    closedir(dir);
    print_message("%u taken, %u refused, %u for their records\n", compared[1],
                  compared[0], compared_records);
    assert_true(compared[1] >= 50);
    assert_true(compared[0] >= 10);
    assert_true(compared_records >= 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
