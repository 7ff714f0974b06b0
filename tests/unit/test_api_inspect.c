/* test_api_inspect.c - the admin APIs beside topics and groups, before a core in memory:
 * what is asked of the control plane, what is answered, errors by version. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "proto/kafka_error.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

static struct fixture f;
static int fd;

static int setup(void **state)
{
    struct front_options options = front_defaults;
    (void)state;
    options.store = "s3://user:secret@bucket/prefix?region=x&endpoint=https://k:s@h";
    fixture_init(&f, &options);
    fake_core_add_topic(f.fake, "t", 3, "{}");
    fd = fixture_connect(&f);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    close(fd);
    fixture_fini(&f);
    return 0;
}

/* ---- DeleteRecords ---- */

static const struct delete_records_response_partition *cut(int16_t version,
                                                           const char *name,
                                                           int32_t partition,
                                                           int64_t offset)
{
    struct delete_records_request_partition part = {partition, offset};
    struct delete_records_request_topic topic = {slice_str(name), &part, 1};
    struct delete_records_request body = {&topic, 1, 1000};
    const struct delete_records_response *reply =
        fixture_call(&f, fd, KAFKA_DELETE_RECORDS, version, &body);
    assert_int_equal(reply->topics_count, 1);
    return &reply->topics[0].partitions[0];
}

/* What the control plane says of each partition is passed on; what is not there is not
 * asked for. */
static void records_are_deleted(void **state)
{
    (void)state;
    for (int16_t v = 0; v <= 2; v++) {
        fake_core_relay_result(f.fake, "{\"cursor\":5,\"results\":[[0,42]]}");
        const struct delete_records_response_partition *part = cut(v, "t", 2, -1);
        assert_int_equal(part->error_code, 0);
        assert_int_equal(part->low_watermark, 42);
        assert_non_null(
            strstr(fake_core_relay_said(f.fake), "/agent/v1/records/delete "));
        assert_non_null(strstr(fake_core_relay_said(f.fake), ",2,-1]]"));
    }
    size_t asked = fake_core_asks(f.fake, ASK_RELAY);
    assert_int_equal(cut(2, "t", 3, 0)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(cut(2, "x", 0, 0)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(fake_core_asks(f.fake, ASK_RELAY), asked);
    fake_core_relay_result(f.fake, "{\"cursor\":5,\"results\":[[1,-1]]}");
    assert_int_equal(cut(2, "t", 0, 99)->error_code, KAFKA_OFFSET_OUT_OF_RANGE);
    fake_core_relay_result(f.fake, "{\"cursor\":5,\"results\":[[100,-1]]}");
    assert_int_equal(cut(2, "t", 0, 99)->error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    fake_core_relay_result(f.fake, NULL);
    const struct delete_records_response_partition *part = cut(2, "t", 0, 0);
    assert_int_equal(part->error_code, KAFKA_REQUEST_TIMED_OUT);
    assert_int_equal(part->low_watermark, -1);
}

/* ---- log directories ---- */

/* The one directory is the store, without credentials; sizes are those of the control
 * plane, of the partitions that this agent leads for the client; no total is known. */
static void log_dirs_are_described(void **state)
{
    struct uuid id = fake_core_topic_id(f.fake, "t");
    char uuid[UUID_TEXT_LEN + 1], answer[256];
    int32_t second = 1;
    struct describe_log_dirs_request_topic topic = {slice_str("t"), &second, 1};
    struct describe_log_dirs_request all = {NULL, 0}, one = {&topic, 1};

    (void)state;
    /* zigzag varints: 0, 100, 7 */
    snprintf(answer, sizeof(answer), "{\"cursor\":5,\"sizes\":[[\"%s\",\"AMgBDg==\"]]}",
             uuid_print(&id, uuid));
    fake_core_relay_result(f.fake, answer);
    for (int16_t v = 1; v <= 4; v++) {
        const struct describe_log_dirs_response *reply =
            fixture_call(&f, fd, KAFKA_DESCRIBE_LOG_DIRS, v, &all);
        assert_int_equal(reply->error_code, 0);
        assert_int_equal(reply->results_count, 1);
        assert_true(slice_eq_str(reply->results[0].log_dir, "s3://bucket/prefix"));
        assert_int_equal(reply->results[0].total_bytes, -1);
        assert_int_equal(reply->results[0].usable_bytes, -1);
        assert_int_equal(reply->results[0].topics_count, 1);
        assert_int_equal(reply->results[0].topics[0].partitions_count, 3);
        assert_int_equal(reply->results[0].topics[0].partitions[1].partition_size, 100);
        assert_int_equal(reply->results[0].topics[0].partitions[2].partition_size, 7);
    }
    assert_non_null(strstr(fake_core_relay_said(f.fake), "{\"topics\":null}"));
    const struct describe_log_dirs_response *reply =
        fixture_call(&f, fd, KAFKA_DESCRIBE_LOG_DIRS, 4, &one);
    assert_int_equal(reply->results[0].topics[0].partitions_count, 1);
    assert_int_equal(reply->results[0].topics[0].partitions[0].partition_index, 1);
    fake_core_relay_result(f.fake, NULL);
    reply = fixture_call(&f, fd, KAFKA_DESCRIBE_LOG_DIRS, 4, &all);
    assert_int_equal(reply->results[0].error_code, KAFKA_REQUEST_TIMED_OUT);
}

/* Two agents of one zone tell of each partition once, together. */
static void partitions_are_told_once(void **state)
{
    struct uuid id = fake_core_topic_id(f.fake, "t");
    char uuid[UUID_TEXT_LEN + 1], answer[256];
    struct describe_log_dirs_request all = {NULL, 0};

    (void)state;
    fake_core_add_agent(f.fake, 2, "a");
    snprintf(answer, sizeof(answer), "{\"cursor\":5,\"sizes\":[[\"%s\",\"AMgBDg==\"]]}",
             uuid_print(&id, uuid));
    fake_core_relay_result(f.fake, answer);
    const struct describe_log_dirs_response *reply =
        fixture_call_as(&f, fd, KAFKA_DESCRIBE_LOG_DIRS, 4, "x,zone=a", &all);
    struct metadata_request_topic name = {.name = slice_str("t")};
    struct metadata_request ask = metadata_request_defaults;
    ask.topics = &name;
    ask.topics_count = 1;
    size_t told = reply->results[0].topics_count == 0
                      ? 0
                      : reply->results[0].topics[0].partitions_count;
    const struct metadata_response *metadata =
        fixture_call_as(&f, fd, KAFKA_METADATA, 9, "x,zone=a", &ask);
    size_t led = 0;
    for (size_t i = 0; i < 3; i++)
        led += metadata->topics[0].partitions[i].leader_id == 1;
    assert_int_equal(told, led);
}

/* A directory that is none is 57 whatever is asked of it; into the one that there is,
 * everything is moved already. */
static void log_dirs_are_not_altered(void **state)
{
    int32_t first = 0, tenth = 9;
    struct alter_replica_log_dirs_request_topic known[] = {{slice_str("t"), &first, 1},
                                                           {slice_str("t"), &tenth, 1}};
    struct alter_replica_log_dirs_request_dir dirs[] = {
        {slice_str("/var/log"), known, 2}, {slice_str("s3://bucket/prefix"), known, 2}};
    struct alter_replica_log_dirs_request body = {dirs, 2};
    static const int16_t want[] = {KAFKA_LOG_DIR_NOT_FOUND, KAFKA_LOG_DIR_NOT_FOUND, 0,
                                   KAFKA_UNKNOWN_TOPIC_OR_PARTITION};
    (void)state;
    for (int16_t v = 1; v <= 2; v++) {
        const struct alter_replica_log_dirs_response *reply =
            fixture_call(&f, fd, KAFKA_ALTER_REPLICA_LOG_DIRS, v, &body);
        assert_int_equal(reply->results_count, 4);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(reply->results[i].partitions[0].error_code, want[i]);
    }
}

/* ---- producers and the quorum ---- */

/* Producers come with what is remembered of them; unknown partitions are not asked for.
 */
static void producers_are_described(void **state)
{
    int32_t partitions[] = {0, 7};
    struct describe_producers_request_topic topic = {slice_str("t"), partitions, 2};
    struct describe_producers_request body = {&topic, 1};

    (void)state;
    fake_core_relay_result(f.fake, "{\"cursor\":5,\"producers\":[[0,[[9,2,5,1700]]]]}");
    const struct describe_producers_response *reply =
        fixture_call(&f, fd, KAFKA_DESCRIBE_PRODUCERS, 0, &body);
    const struct describe_producers_response_partition *part =
        &reply->topics[0].partitions[0];
    assert_int_equal(part->error_code, 0);
    assert_int_equal(part->active_producers_count, 1);
    assert_int_equal(part->active_producers[0].producer_id, 9);
    assert_int_equal(part->active_producers[0].producer_epoch, 2);
    assert_int_equal(part->active_producers[0].last_sequence, 5);
    assert_int_equal(part->active_producers[0].last_timestamp, 1700);
    assert_int_equal(part->active_producers[0].current_txn_start_offset, -1);
    assert_int_equal(reply->topics[0].partitions[1].error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    fake_core_relay_result(f.fake, NULL);
    reply = fixture_call(&f, fd, KAFKA_DESCRIBE_PRODUCERS, 0, &body);
    assert_int_equal(reply->topics[0].partitions[0].error_code, KAFKA_REQUEST_TIMED_OUT);
}

static const struct describe_quorum_response *quorum(int16_t version, const char *name,
                                                     int32_t partition)
{
    struct describe_quorum_request_partition part = {partition};
    struct describe_quorum_request_topic topic = {slice_str(name), &part, 1};
    struct describe_quorum_request body = {&topic, 1};
    return fixture_call(&f, fd, KAFKA_DESCRIBE_QUORUM, version, &body);
}

/* The cell's voters and the others, with how far each is; only of the one log. */
static void the_quorum_is_described(void **state)
{
    (void)state;
    fake_core_relay_result(
        f.fake,
        "{\"cursor\":5,\"now_ms\":9000,\"leader\":2,\"term\":7,\"commit_index\":50,"
        "\"nodes\":[[3,false,40,100],[2,true,50,0],[1,true,45,1000],"
        "[4,true,0,-1]]}");
    for (int16_t v = 0; v <= 2; v++) {
        const struct describe_quorum_response *reply = quorum(v, "__cluster_metadata", 0);
        const struct describe_quorum_response_partition *part =
            &reply->topics[0].partitions[0];
        assert_int_equal(reply->error_code, 0);
        assert_int_equal(part->leader_id, 2);
        assert_int_equal(part->leader_epoch, 7);
        assert_int_equal(part->high_watermark, 50);
        assert_int_equal(part->current_voters_count, 3);
        assert_int_equal(part->observers_count, 1);
        assert_int_equal(part->observers[0].replica_id, 3);
        assert_int_equal(part->current_voters[1].log_end_offset, 45);
        if (v < 1)
            continue;
        assert_int_equal(part->current_voters[0].last_caught_up_timestamp, 9000);
        assert_int_equal(part->current_voters[1].last_fetch_timestamp, 8000);
        assert_int_equal(part->current_voters[1].last_caught_up_timestamp, -1);
        assert_int_equal(part->current_voters[2].last_fetch_timestamp, -1);
        if (v >= 2)
            assert_int_equal(reply->nodes_count, 3);
    }
    const struct describe_quorum_response *reply = quorum(2, "t", 0);
    assert_int_equal(reply->topics[0].partitions[0].error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    fake_core_relay_result(f.fake, "{\"cursor\":5}"); /* makes no sense */
    assert_int_not_equal(quorum(2, "__cluster_metadata", 0)->error_code, 0);
}

/* ---- leaders, reassignments, features ---- */

/* Nothing needs an election; of all partitions none is named. */
static void leaders_are_not_elected(void **state)
{
    int32_t partitions[] = {0, 5};
    struct elect_leaders_request_topic topic = {slice_str("t"), partitions, 2};
    struct elect_leaders_request body = elect_leaders_request_defaults;

    (void)state;
    body.topic_partitions = &topic;
    body.topic_partitions_count = 1;
    for (int16_t v = 0; v <= 2; v++) {
        const struct elect_leaders_response *reply =
            fixture_call(&f, fd, KAFKA_ELECT_LEADERS, v, &body);
        const struct elect_leaders_response_partition *rows =
            reply->replica_election_results[0].partition_result;
        assert_int_equal(rows[0].error_code, KAFKA_ELECTION_NOT_NEEDED);
        assert_int_equal(rows[1].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    }
    body.election_type = 2;
    const struct elect_leaders_response *reply =
        fixture_call(&f, fd, KAFKA_ELECT_LEADERS, 2, &body);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
    body.election_type = 1;
    body.topic_partitions = NULL;
    body.topic_partitions_count = 0;
    reply = fixture_call(&f, fd, KAFKA_ELECT_LEADERS, 2, &body);
    assert_int_equal(reply->error_code, 0);
    assert_int_equal(reply->replica_election_results_count, 0);
}

static int16_t reassign(int32_t partition, int32_t *replicas, size_t count)
{
    struct alter_partition_reassignments_request_partition part = {partition, replicas,
                                                                   count};
    struct alter_partition_reassignments_request_topic topic = {slice_str("t"), &part, 1};
    struct alter_partition_reassignments_request body =
        alter_partition_reassignments_request_defaults;
    body.topics = &topic;
    body.topics_count = 1;
    const struct alter_partition_reassignments_response *reply =
        fixture_call(&f, fd, KAFKA_ALTER_PARTITION_REASSIGNMENTS, 1, &body);
    assert_int_equal(reply->error_code, 0);
    const struct alter_partition_reassignments_response_partition *row =
        &reply->responses[0].partitions[0];
    assert_true((row->error_code == 0) == (row->error_message.ptr == NULL));
    return row->error_code;
}

/* A partition is where it is shown, and cannot be elsewhere. */
static void partitions_are_not_moved(void **state)
{
    int32_t here[] = {1}, both[] = {2, 1}, twice[] = {2, 2}, nobody[] = {9};
    struct metadata_request_topic name = {.name = slice_str("t")};
    struct metadata_request ask = metadata_request_defaults;
    struct list_partition_reassignments_request list =
        list_partition_reassignments_request_defaults;

    (void)state;
    fake_core_add_agent(f.fake, 2, "b");
    assert_int_equal(reassign(0, NULL, 0), KAFKA_NO_REASSIGNMENT_IN_PROGRESS);
    ask.topics = &name;
    ask.topics_count = 1;
    const struct metadata_response *metadata =
        fixture_call(&f, fd, KAFKA_METADATA, 9, &ask);
    const struct metadata_response_partition *shown = &metadata->topics[0].partitions[0];
    assert_int_equal(reassign(0, shown->replica_nodes, shown->replica_nodes_count), 0);
    assert_int_equal(reassign(0, both, 2), KAFKA_POLICY_VIOLATION);
    assert_int_equal(reassign(0, twice, 2), KAFKA_INVALID_REPLICA_ASSIGNMENT);
    assert_int_equal(reassign(0, nobody, 1), KAFKA_INVALID_REPLICA_ASSIGNMENT);
    assert_int_equal(reassign(0, here, 0), KAFKA_INVALID_REPLICA_ASSIGNMENT);
    assert_int_equal(reassign(7, here, 1), KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    const struct list_partition_reassignments_response *reply =
        fixture_call(&f, fd, KAFKA_LIST_PARTITION_REASSIGNMENTS, 0, &list);
    assert_int_equal(reply->error_code, 0);
    assert_int_equal(reply->topics_count, 0);
}

/* What the cell can do is not a tenant's to change; each version has its own place for
 * the error. */
static void features_are_not_updated(void **state)
{
    struct update_features_request_update updates[] = {
        {.feature = slice_str("group.version"),
         .max_version_level = 1,
         .upgrade_type = 1},
        {.feature = slice_str("nonsense"), .max_version_level = 1, .upgrade_type = 1},
        {.feature = slice_str("group.version"),
         .max_version_level = 0,
         .upgrade_type = 2}};
    struct update_features_request body = update_features_request_defaults;

    (void)state;
    body.feature_updates = updates;
    body.feature_updates_count = 3;
    for (int16_t v = 0; v <= 1; v++) {
        const struct update_features_response *reply =
            fixture_call(&f, fd, KAFKA_UPDATE_FEATURES, v, &body);
        assert_int_equal(reply->error_code, 0);
        assert_int_equal(reply->results[0].error_code, 0);
        assert_int_equal(reply->results[1].error_code, KAFKA_INVALID_UPDATE_VERSION);
        assert_int_equal(reply->results[2].error_code, KAFKA_INVALID_UPDATE_VERSION);
    }
    const struct update_features_response *reply =
        fixture_call(&f, fd, KAFKA_UPDATE_FEATURES, 2, &body);
    assert_int_equal(reply->error_code, KAFKA_INVALID_UPDATE_VERSION);
    body.feature_updates_count = 1;
    reply = fixture_call(&f, fd, KAFKA_UPDATE_FEATURES, 2, &body);
    assert_int_equal(reply->error_code, 0);
}

/* ---- settings ---- */

static const struct describe_configs_response_config *described(int8_t type,
                                                                const char *name,
                                                                const char *key)
{
    struct slice keys[] = {slice_str(key)};
    struct describe_configs_request_resource resource = {type, slice_str(name), keys, 1};
    struct describe_configs_request body = describe_configs_request_defaults;
    body.resources = &resource;
    body.resources_count = 1;
    body.include_synonyms = true;
    const struct describe_configs_response *reply =
        fixture_call(&f, fd, KAFKA_DESCRIBE_CONFIGS, 4, &body);
    return reply->results[0].configs_count == 0 ? NULL : &reply->results[0].configs[0];
}

/* A broker's own value stands before that of all brokers, that before the option. */
static void settings_have_layers(void **state)
{
    const struct describe_configs_response_config *row;
    (void)state;
    row = described(4, "1", "num.partitions");
    assert_int_equal(row->config_source, 4);
    assert_false(row->read_only);
    assert_true(described(4, "1", "listeners")->read_only);
    fake_core_put_setting(f.fake, "[4,\"\",{\"num.partitions\":\"5\"}]");
    row = described(4, "1", "num.partitions");
    assert_true(slice_eq_str(row->value, "5"));
    assert_int_equal(row->config_source, 3);
    assert_int_equal(row->synonyms_count, 2);
    fake_core_put_setting(f.fake, "[4,\"1\",{\"num.partitions\":\"6\"}]");
    row = described(4, "1", "num.partitions");
    assert_true(slice_eq_str(row->value, "6"));
    assert_int_equal(row->config_source, 2);
    assert_int_equal(row->synonyms_count, 3);
    row = described(4, "", "num.partitions");
    assert_true(slice_eq_str(row->value, "5"));
    fake_core_put_setting(f.fake, "[4,\"\",{\"message.max.bytes\":\"777\"}]");
    row = described(2, "t", "max.message.bytes");
    assert_true(slice_eq_str(row->value, "777"));
    assert_int_equal(row->config_source, 3);
    fake_core_put_setting(f.fake,
                          "[32,\"g\",{\"consumer.session.timeout.ms\":\"9000\"}]");
    row = described(32, "g", "consumer.session.timeout.ms");
    assert_true(slice_eq_str(row->value, "9000"));
    assert_int_equal(row->config_source, 8);
    assert_int_equal(described(32, "h", "consumer.session.timeout.ms")->config_source, 5);
    fake_core_put_setting(f.fake, "[4,\"1\",{\"weft.log.level\":\"debug\"}]");
    assert_true(slice_eq_str(described(8, "1", "root")->value, "DEBUG"));
    assert_null(described(8, "1", "nonsense"));
}

/* What is set acts at once: partitions of new topics, and whether any are made. */
static void settings_act(void **state)
{
    struct create_topics_request_topic topic = create_topics_request_topic_defaults;
    struct create_topics_request body = create_topics_request_defaults;
    struct metadata_request_topic name = {.name = slice_str("new")};
    struct metadata_request ask = metadata_request_defaults;

    (void)state;
    fake_core_put_setting(f.fake, "[4,\"\",{\"num.partitions\":\"5\","
                                  "\"auto.create.topics.enable\":\"false\"}]");
    topic.name = slice_str("n");
    topic.num_partitions = -1;
    topic.replication_factor = -1;
    body.topics = &topic;
    body.topics_count = 1;
    fixture_call(&f, fd, KAFKA_CREATE_TOPICS, 5, &body);
    assert_non_null(strstr(fake_core_last_items(f.fake), "[\"n\",5,1,"));
    ask.topics = &name;
    ask.topics_count = 1;
    ask.allow_auto_topic_creation = true;
    const struct metadata_response *reply = fixture_call(&f, fd, KAFKA_METADATA, 9, &ask);
    assert_int_equal(reply->topics[0].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
}

/* Version 0 tells of client metrics only; unknown types are 35, none asks for all. */
static void config_resources_are_listed(void **state)
{
    int8_t types[] = {32, 32};
    struct list_config_resources_request body = {types, 2};
    const struct list_config_resources_response *reply;

    (void)state;
    fake_core_put_setting(f.fake,
                          "[32,\"g\",{\"consumer.session.timeout.ms\":\"9000\"}]");
    assert_int_equal(((const struct list_config_resources_response *)fixture_call(
                          &f, fd, KAFKA_LIST_CONFIG_RESOURCES, 0, &body))
                         ->config_resources_count,
                     0);
    reply = fixture_call(&f, fd, KAFKA_LIST_CONFIG_RESOURCES, 1, &body);
    assert_int_equal(reply->config_resources_count, 1);
    assert_true(slice_eq_str(reply->config_resources[0].resource_name, "g"));
    types[1] = 3;
    reply = fixture_call(&f, fd, KAFKA_LIST_CONFIG_RESOURCES, 1, &body);
    assert_int_equal(reply->error_code, KAFKA_UNSUPPORTED_VERSION);
    body.resource_types_count = 0;
    reply = fixture_call(&f, fd, KAFKA_LIST_CONFIG_RESOURCES, 1, &body);
    assert_int_equal(reply->config_resources_count, 4); /* g, broker and logger 1, t */
}

/* A logger's level is altered as its broker's setting. */
static void loggers_are_altered(void **state)
{
    struct incremental_alter_configs_request_config configs[] = {
        {slice_str("root"), 0, slice_str("WARN")}};
    struct incremental_alter_configs_request_config other[] = {
        {slice_str("kafka.x"), 0, slice_str("WARN")}};
    struct incremental_alter_configs_request_resource resources[] = {
        {8, slice_str("1"), configs, 1},
        {8, slice_str("1"), other, 1},
        {8, slice_str(""), configs, 1}};
    struct incremental_alter_configs_request body =
        incremental_alter_configs_request_defaults;

    (void)state;
    body.resources = resources;
    body.resources_count = 1;
    const struct incremental_alter_configs_response *reply =
        fixture_call(&f, fd, KAFKA_INCREMENTAL_ALTER_CONFIGS, 1, &body);
    assert_string_equal(fake_core_last_items(f.fake),
                        "[[\"1\",[[0,\"weft.log.level\",\"warn\"]],4]]");
    body.resources = resources + 1;
    body.resources_count = 2;
    reply = fixture_call(&f, fd, KAFKA_INCREMENTAL_ALTER_CONFIGS, 1, &body);
    assert_int_equal(reply->responses[0].error_code, KAFKA_INVALID_CONFIG);
    assert_int_equal(reply->responses[1].error_code, KAFKA_INVALID_REQUEST);
}

/* ---- quotas ---- */

/* Entities and values travel both ways; bad filters are refused here. */
static void quotas_are_passed_on(void **state)
{
    struct alter_client_quotas_request_entity entity = {slice_str("user"), SLICE_NULL};
    struct alter_client_quotas_request_op ops[] = {
        {slice_str("producer_byte_rate"), 1024.5, false}, {slice_str("x"), 0, true}};
    struct alter_client_quotas_request_entry entry = {&entity, 1, ops, 2};
    struct alter_client_quotas_request alter = {&entry, 1, false};
    struct describe_client_quotas_request_component filter = {slice_str("user"), 0,
                                                              slice_str("ann")};
    struct describe_client_quotas_request describe = {&filter, 1, true};

    (void)state;
    fake_core_relay_result(f.fake, "{\"cursor\":5,\"results\":[[42,\"no\"]]}");
    const struct alter_client_quotas_response *altered =
        fixture_call(&f, fd, KAFKA_ALTER_CLIENT_QUOTAS, 1, &alter);
    assert_int_equal(altered->entries[0].error_code, 42);
    assert_true(slice_eq_str(altered->entries[0].error_message, "no"));
    assert_null(altered->entries[0].entity[0].entity_name.ptr);
    assert_non_null(strstr(fake_core_relay_said(f.fake),
                           "[[[[\"user\",null]],[[\"producer_byte_rate\",\"1024.5\"],"
                           "[\"x\",null]]]]"));
    fake_core_relay_result(f.fake, "{\"cursor\":5,\"entries\":[[[[\"user\",\"ann\"]],"
                                   "[[\"producer_byte_rate\",\"1024.5\"]]]]}");
    const struct describe_client_quotas_response *reply =
        fixture_call(&f, fd, KAFKA_DESCRIBE_CLIENT_QUOTAS, 1, &describe);
    assert_int_equal(reply->entries_count, 1);
    assert_true(reply->entries[0].values[0].value == 1024.5);
    filter.match_type = 1; /* a default has no name */
    reply = fixture_call(&f, fd, KAFKA_DESCRIBE_CLIENT_QUOTAS, 1, &describe);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
    filter = (struct describe_client_quotas_request_component){slice_str("planet"), 2,
                                                               SLICE_NULL};
    reply = fixture_call(&f, fd, KAFKA_DESCRIBE_CLIENT_QUOTAS, 1, &describe);
    assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(records_are_deleted),
        TEST(log_dirs_are_described),
        TEST(partitions_are_told_once),
        TEST(log_dirs_are_not_altered),
        TEST(producers_are_described),
        TEST(the_quorum_is_described),
        TEST(leaders_are_not_elected),
        TEST(partitions_are_not_moved),
        TEST(features_are_not_updated),
        TEST(settings_have_layers),
        TEST(settings_act),
        TEST(config_resources_are_listed),
        TEST(loggers_are_altered),
        TEST(quotas_are_passed_on),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
