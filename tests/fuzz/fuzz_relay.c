/* fuzz_relay.c - what a control plane answers to relayed calls, as the handlers of the
 * admin APIs read it and tell their clients.
 *
 * The first byte chooses the API, the second its version; the rest is JSON, the answer.
 * Whatever it is, the client gets one well-formed reply. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/check.h"
#include "common/json.h"
#include "common/log.h"
#include "proto/header.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int16_t apis[] = {
    KAFKA_DELETE_RECORDS,  KAFKA_DESCRIBE_LOG_DIRS,   KAFKA_DESCRIBE_PRODUCERS,
    KAFKA_DESCRIBE_QUORUM, KAFKA_ALTER_CLIENT_QUOTAS, KAFKA_DESCRIBE_CLIENT_QUOTAS,
    KAFKA_CREATE_TOPICS,   KAFKA_CREATE_PARTITIONS,   KAFKA_ALTER_CONFIGS};

/* A request for which the control plane is asked. */
static const void *make_request(struct fixture *f, int16_t key)
{
    static const struct slice name = {(const uint8_t *)"t", 1};
    static const struct slice quorum = {(const uint8_t *)"__cluster_metadata", 18};
    static int32_t numbers[2] = {0, 1};
    static struct delete_records_request_partition cuts[2] = {{0, -1}, {1, 5}};
    static struct delete_records_request_topic cut_topic;
    static struct describe_producers_request_topic producers_topic;
    static struct describe_quorum_request_partition zero;
    static struct describe_quorum_request_topic quorum_topic;
    static struct alter_client_quotas_request_entry entries[2];
    static struct create_topics_request_topic made;
    static struct create_partitions_request_topic grown;
    static struct alter_configs_request_resource altered;
    void *body = codec_new(kafka_api_find(key)->request->body, 1, &f->arena);

    ASSERT(body != NULL);
    if (key == KAFKA_DELETE_RECORDS) {
        cut_topic = (struct delete_records_request_topic){name, cuts, 2};
        ((struct delete_records_request *)body)->topics = &cut_topic;
        ((struct delete_records_request *)body)->topics_count = 1;
    } else if (key == KAFKA_DESCRIBE_PRODUCERS) {
        producers_topic = (struct describe_producers_request_topic){name, numbers, 2};
        ((struct describe_producers_request *)body)->topics = &producers_topic;
        ((struct describe_producers_request *)body)->topics_count = 1;
    } else if (key == KAFKA_DESCRIBE_QUORUM) {
        quorum_topic = (struct describe_quorum_request_topic){quorum, &zero, 1};
        ((struct describe_quorum_request *)body)->topics = &quorum_topic;
        ((struct describe_quorum_request *)body)->topics_count = 1;
    } else if (key == KAFKA_ALTER_CLIENT_QUOTAS) {
        ((struct alter_client_quotas_request *)body)->entries = entries;
        ((struct alter_client_quotas_request *)body)->entries_count = 2;
    } else if (key == KAFKA_CREATE_TOPICS) {
        made = (struct create_topics_request_topic){
            .name = name, .num_partitions = 2, .replication_factor = 1};
        ((struct create_topics_request *)body)->topics = &made;
        ((struct create_topics_request *)body)->topics_count = 1;
    } else if (key == KAFKA_CREATE_PARTITIONS) {
        grown = (struct create_partitions_request_topic){.name = name, .count = 9};
        ((struct create_partitions_request *)body)->topics = &grown;
        ((struct create_partitions_request *)body)->topics_count = 1;
    } else if (key == KAFKA_ALTER_CONFIGS) {
        altered = (struct alter_configs_request_resource){.resource_type = 2,
                                                          .resource_name = name};
        ((struct alter_configs_request *)body)->resources = &altered;
        ((struct alter_configs_request *)body)->resources_count = 1;
    }
    return body; /* log directories and quotas: of all */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture f;
    struct json *answer;

    log_set_level(
        (enum log_level)(LOG_ERROR + 1)); /* a line for each would say nothing */
    if (size < 2 || size > 64 * KIB ||
        json_parse(slice_of(data + 2, size - 2), &answer, NULL) != 0)
        return 0;
    json_free(answer);
    const struct kafka_api *api = kafka_api_find(apis[data[0] % ARRAY_LEN(apis)]);
    int16_t version =
        (int16_t)(api->min_version + data[1] % (api->max_version - api->min_version + 1));
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 2, "{}");
    fake_core_relay_result(f.fake, arena_strdup(&f.arena, slice_of(data + 2, size - 2)));
    int fd = fixture_connect(&f);
    if (fixture_call(&f, fd, api->key, version, make_request(&f, api->key)) == NULL)
        abort();
    close(fd);
    fixture_fini(&f);
    return 0;
}
