/* test_api_metadata.c - ApiVersions, Metadata, DescribeCluster, DescribeTopicPartitions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/cursor.h"
#include "agent/dispatch.h"
#include "proto/kafka_error.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

static struct fixture f;
static int fd;

static int setup(void **state)
{
    (void)state;
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 4, "{}");
    fake_core_add_topic(f.fake, "b", 2, "{}");
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

/* ---- ApiVersions ---- */

static const struct api_versions_response_api *find_api(
    const struct api_versions_response *reply, int16_t key)
{
    for (size_t i = 0; i < reply->api_keys_count; i++) {
        if (reply->api_keys[i].api_key == key)
            return &reply->api_keys[i];
    }
    return NULL;
}

static struct api_versions_request named(const char *name, const char *version)
{
    struct api_versions_request body = api_versions_request_defaults;
    body.client_software_name = slice_str(name);
    body.client_software_version = slice_str(version);
    return body;
}

/* Every version is answered; Produce is advertised from 0 (KAFKA-18659); nothing that is
 * not built is there; group.version 1 is finalized, and as a supported feature only told
 * to versions that can read its lowest level, 0 (KAFKA-17492). */
static void versions_are_advertised(void **state)
{
    struct api_versions_request body = named("apache-kafka-java", "4.2.1");

    (void)state;
    for (int16_t v = 0; v <= 4; v++) {
        const struct api_versions_response *reply =
            fixture_call(&f, fd, KAFKA_API_VERSIONS, v, &body);
        assert_non_null(reply);
        assert_int_equal(reply->error_code, 0);
        for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
            int16_t key = kafka_apis[i].key;
            assert_true((find_api(reply, key) != NULL) == (dispatch_is_advertised(key)));
        }
        const struct api_versions_response_api *produce = find_api(reply, KAFKA_PRODUCE);
        assert_int_equal(produce->min_version, 0);
        assert_int_equal(produce->max_version, 13);
        assert_null(find_api(reply, KAFKA_DESCRIBE_CLIENT_QUOTAS));
        assert_null(find_api(reply, 71)); /* GetTelemetrySubscriptions */
        assert_int_equal(reply->supported_features_count, v >= 4 ? 1 : 0);
        assert_int_equal(reply->finalized_features_count, v >= 3 ? 1 : 0);
        assert_int_equal(reply->finalized_features_epoch, v >= 3 ? 1 : -1);
        if (v < 3)
            continue;
        assert_true(slice_eq_str(reply->finalized_features[0].name, "group.version"));
        assert_int_equal(reply->finalized_features[0].max_version_level, 1);
    }
}

/* Software names as Kafka's pattern has them, else INVALID_REQUEST. */
static void software_names_are_checked(void **state)
{
    static const char *const bad[] = {"", "-a", "a-", "a b", ".", "a_b", "a\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct api_versions_request body = named(bad[i], "1");
        const struct api_versions_response *reply =
            fixture_call(&f, fd, KAFKA_API_VERSIONS, 3, &body);
        assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
        body = named("x", bad[i]);
        reply = fixture_call(&f, fd, KAFKA_API_VERSIONS, 4, &body);
        assert_int_equal(reply->error_code, KAFKA_INVALID_REQUEST);
    }
}

/* A version to come is answered in version 0 with what to use instead (KIP-511); the
 * connection goes on. */
static void newer_versions_fall_back(void **state)
{
    static const char request[] =
        "\0\0\0\x10\0\x12\0\x63\0\0\0\x09\0\x01x\xfe\xdc\xba\x98\x76";
    static const char expected[] = "\0\0\0\x09\0\x23\0\0\0\x01\0\x12\0\0\0\x04";
    struct str frame;

    (void)state;
    str_init(&frame, MIB);
    fixture_send_bytes(&f, fd, request, sizeof(request) - 1);
    assert_true(fixture_receive(&f, fd, &frame));
    assert_int_equal(frame.len, sizeof(expected) - 1);
    assert_memory_equal(frame.data, expected, sizeof(expected) - 1);
    str_fini(&frame);
    struct api_versions_request body = named("x", "1");
    assert_non_null(fixture_call(&f, fd, KAFKA_API_VERSIONS, 4, &body));
}

/* ---- Metadata ---- */

static struct metadata_request ask_names(struct metadata_request_topic *topics, size_t n,
                                         const char *const *names)
{
    struct metadata_request body = metadata_request_defaults;
    for (size_t i = 0; i < n; i++) {
        topics[i] = metadata_request_topic_defaults;
        topics[i].name = slice_str(names[i]);
    }
    body.topics = topics;
    body.topics_count = n;
    return body;
}

/* All versions: null is all topics, empty none; in version 0 empty is all. */
static void all_or_none(void **state)
{
    (void)state;
    for (int16_t v = 0; v <= 13; v++) {
        struct metadata_request_topic none;
        struct metadata_request body = metadata_request_defaults;
        const struct metadata_response *reply;
        if (v > 0) {
            reply = fixture_call(&f, fd, KAFKA_METADATA, v, &body);
            assert_int_equal(reply->topics_count, 2);
            assert_true(slice_eq_str(reply->topics[0].name, "b"));
            assert_int_equal(reply->topics[1].partitions_count, 4);
        }
        body.topics = &none;
        reply = fixture_call(&f, fd, KAFKA_METADATA, v, &body);
        assert_int_equal(reply->topics_count, v == 0 ? 2 : 0);
        assert_int_equal(reply->brokers_count, 1);
        assert_int_equal(reply->brokers[0].node_id, 1);
        assert_int_equal(reply->brokers[0].port, 9092);
        if (v >= 1)
            assert_int_equal(reply->controller_id, 1);
    }
}

/* A topic has its id, epoch 0, and as many replicas as it was made with. */
static void a_topic_is_described(void **state)
{
    static const char *const names[] = {"t"};
    struct metadata_request_topic topics[1];
    struct metadata_request body = ask_names(topics, 1, names);
    struct uuid id = fake_core_topic_id(f.fake, "t");

    (void)state;
    body.include_topic_authorized_operations = true;
    const struct metadata_response *reply =
        fixture_call(&f, fd, KAFKA_METADATA, 12, &body);
    const struct metadata_response_topic *topic = &reply->topics[0];
    assert_int_equal(topic->error_code, 0);
    assert_true(uuid_eq(&topic->topic_id, &id));
    assert_int_equal(topic->topic_authorized_operations, 0xdf8);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(topic->partitions[i].partition_index, i);
        assert_int_equal(topic->partitions[i].leader_id, 1);
        assert_int_equal(topic->partitions[i].leader_epoch, 0);
        assert_int_equal(topic->partitions[i].replica_nodes_count, 3);
        assert_int_equal(topic->partitions[i].isr_nodes_count, 3);
        assert_int_equal(topic->partitions[i].offline_replicas_count, 0);
    }
}

/* Unknown names are 3, bad ones 17, unknown ids 100 with a null name; each is answered
 * once, in the order of the request; the control plane is asked once before. */
static void unknown_topics(void **state)
{
    static const char *const names[] = {"nowhere", "t", "no/good", "t", "nowhere", "."};
    struct metadata_request_topic topics[6];
    struct metadata_request body = ask_names(topics, 6, names);

    (void)state;
    body.allow_auto_topic_creation = false;
    const struct metadata_response *reply =
        fixture_call(&f, fd, KAFKA_METADATA, 9, &body);
    assert_int_equal(fake_core_asks(f.fake, ASK_METADATA), 1);
    assert_int_equal(reply->topics_count, 4);
    assert_int_equal(reply->topics[0].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_true(slice_eq_str(reply->topics[0].name, "nowhere"));
    assert_int_equal(reply->topics[1].error_code, 0);
    assert_int_equal(reply->topics[2].error_code, KAFKA_INVALID_TOPIC_EXCEPTION);
    assert_int_equal(reply->topics[3].error_code, KAFKA_INVALID_TOPIC_EXCEPTION);

    struct metadata_request_topic by_id[2] = {metadata_request_topic_defaults,
                                              metadata_request_topic_defaults};
    by_id[0].topic_id = fake_core_topic_id(f.fake, "b");
    by_id[1].topic_id = (struct uuid){{0xee}};
    by_id[0].name = by_id[1].name = SLICE_NULL;
    body.topics = by_id;
    body.topics_count = 2;
    reply = fixture_call(&f, fd, KAFKA_METADATA, 12, &body);
    assert_int_equal(reply->topics[0].error_code, 0);
    assert_true(slice_eq_str(reply->topics[0].name, "b"));
    assert_int_equal(reply->topics[1].error_code, KAFKA_UNKNOWN_TOPIC_ID);
    assert_null(reply->topics[1].name.ptr);
    reply = fixture_call(&f, fd, KAFKA_METADATA, 11, &body);
    assert_int_equal(reply->topics[0].error_code, KAFKA_INVALID_REQUEST);
}

/* A topic that was made through another agent is found by asking. */
static void new_topics_are_found(void **state)
{
    static const char *const names[] = {"new"};
    struct metadata_request_topic topics[1];
    struct metadata_request body = ask_names(topics, 1, names);

    (void)state;
    fake_core_hide_topic(f.fake, "new", 7);
    const struct metadata_response *reply =
        fixture_call(&f, fd, KAFKA_METADATA, 5, &body);
    assert_int_equal(reply->topics[0].error_code, 0);
    assert_int_equal(reply->topics[0].partitions_count, 7);
    assert_int_equal(fake_core_asks(f.fake, ASK_RELAY), 0);
}

/* A name that nobody knows is created when the request allows it, and shown at once. */
static void topics_are_auto_created(void **state)
{
    static const char *const names[] = {"made", "t", "made-too", "no/good"};
    struct metadata_request_topic topics[4];
    struct metadata_request body = ask_names(topics, 4, names);

    (void)state;
    const struct metadata_response *reply =
        fixture_call(&f, fd, KAFKA_METADATA, 8, &body);
    assert_string_equal(fake_core_last_items(f.fake),
                        "[[\"made\",1,1,{},[]],[\"made-too\",1,1,{},[]]]");
    assert_int_equal(reply->topics_count, 4);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(reply->topics[i].error_code, 0);
    assert_int_equal(reply->topics[0].partitions_count, 1);
    assert_int_equal(reply->topics[3].error_code, KAFKA_INVALID_TOPIC_EXCEPTION);
}

/* The option turns it off, whatever the client wants. */
static void auto_creation_can_be_off(void **state)
{
    static const char *const names[] = {"made"};
    struct front_options options = front_defaults;
    struct metadata_request_topic topics[1];
    struct metadata_request body = ask_names(topics, 1, names);
    struct fixture g;

    (void)state;
    options.auto_create_topics = false;
    fixture_init(&g, &options);
    int client = fixture_connect(&g);
    const struct metadata_response *reply =
        fixture_call(&g, client, KAFKA_METADATA, 8, &body);
    assert_int_equal(reply->topics[0].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(fake_core_asks(g.fake, ASK_RELAY), 0);
    close(client);
    fixture_fini(&g);
}

/* Without the control plane an unknown name is not called unknown, but to be tried again.
 */
static void no_verdict_without_the_control_plane(void **state)
{
    static const char *const names[] = {"nowhere"};
    struct metadata_request_topic topics[1];
    struct metadata_request body = ask_names(topics, 1, names);

    (void)state;
    fake_core_fail(f.fake, KAFKA_REQUEST_TIMED_OUT);
    const struct metadata_response *reply =
        fixture_call(&f, fd, KAFKA_METADATA, 8, &body);
    assert_int_equal(reply->topics[0].error_code, KAFKA_LEADER_NOT_AVAILABLE);
    assert_int_equal(fake_core_asks(f.fake, ASK_RELAY), 0);
    fake_core_fail(f.fake, 0);
}

/* A client is shown the agents of the zone that its id names. */
static void clients_are_steered(void **state)
{
    struct metadata_request body = metadata_request_defaults;

    (void)state;
    fake_core_add_agent(f.fake, 2, "b");
    fake_core_add_agent(f.fake, 3, "b");
    const struct metadata_response *reply =
        fixture_call_as(&f, fd, KAFKA_METADATA, 9, "app,zone=b", &body);
    assert_int_equal(reply->brokers_count, 2);
    assert_int_equal(reply->brokers[0].node_id, 2);
    assert_true(slice_eq_str(reply->brokers[0].rack, "b"));
    assert_in_range(reply->controller_id, 2, 3);
    for (size_t i = 0; i < 4; i++)
        assert_in_range(reply->topics[1].partitions[i].leader_id, 2, 3);
    reply = fixture_call_as(&f, fd, KAFKA_METADATA, 9, "app,ws_az=a", &body);
    assert_int_equal(reply->brokers_count, 1);
    reply = fixture_call_as(&f, fd, KAFKA_METADATA, 9, "app", &body);
    assert_int_equal(reply->brokers_count, 3);
}

/* Metadata has no rack: what the fetches of the connection say stands in for it. */
static void racks_of_fetches_steer(void **state)
{
    struct fetch_request fetch = fetch_request_defaults;
    struct metadata_request body = metadata_request_defaults;

    (void)state;
    fake_core_add_agent(f.fake, 2, "b");
    const struct metadata_response *reply =
        fixture_call(&f, fd, KAFKA_METADATA, 9, &body);
    assert_int_equal(reply->brokers_count, 2);
    fetch.rack_id = slice_str("b");
    assert_non_null(fixture_call(&f, fd, KAFKA_FETCH, 11, &fetch));
    reply = fixture_call(&f, fd, KAFKA_METADATA, 9, &body);
    assert_int_equal(reply->brokers_count, 1);
    assert_int_equal(reply->brokers[0].node_id, 2);
    reply = fixture_call_as(&f, fd, KAFKA_METADATA, 9, "zone=a", &body);
    assert_int_equal(reply->brokers[0].node_id, 1);
}

/* ---- DescribeCluster ---- */

/* All agents, and our own words for endpoints that clients do not see. */
static void the_cluster_is_described(void **state)
{
    struct describe_cluster_request body = describe_cluster_request_defaults;

    (void)state;
    fake_core_add_agent(f.fake, 2, "b");
    for (int16_t v = 0; v <= 2; v++) {
        const struct describe_cluster_response *reply =
            fixture_call_as(&f, fd, KAFKA_DESCRIBE_CLUSTER, v, "x,zone=b", &body);
        assert_int_equal(reply->error_code, 0);
        assert_int_equal(reply->brokers_count, 2);
        assert_int_equal(reply->controller_id, 2);
        assert_int_equal(reply->cluster_authorized_operations, INT32_MIN);
        assert_int_equal(reply->cluster_id.len, UUID_TEXT_LEN);
    }
    body.include_cluster_authorized_operations = true;
    const struct describe_cluster_response *reply =
        fixture_call(&f, fd, KAFKA_DESCRIBE_CLUSTER, 0, &body);
    assert_int_equal(reply->cluster_authorized_operations, 0x1fa0);
    body.endpoint_type = 2;
    reply = fixture_call(&f, fd, KAFKA_DESCRIBE_CLUSTER, 1, &body);
    assert_int_equal(reply->error_code, KAFKA_MISMATCHED_ENDPOINT_TYPE);
    body.endpoint_type = 7;
    reply = fixture_call(&f, fd, KAFKA_DESCRIBE_CLUSTER, 1, &body);
    assert_int_equal(reply->error_code, KAFKA_UNSUPPORTED_ENDPOINT_TYPE);
}

/* ---- FindCoordinator ---- */

/* A group goes to one agent of the client's zone, the same whoever asks and however. */
static void groups_are_steered(void **state)
{
    struct find_coordinator_request body = find_coordinator_request_defaults;
    struct slice keys[] = {SLICE_LITERAL("orders"), SLICE_LITERAL("")};

    (void)state;
    fake_core_add_agent(f.fake, 2, "b");
    body.key = keys[0];
    body.coordinator_keys = keys;
    body.coordinator_keys_count = 2;
    const struct find_coordinator_response *reply =
        fixture_call(&f, fd, KAFKA_FIND_COORDINATOR, 0, &body);
    int32_t node_id = reply->node_id;
    assert_int_equal(reply->error_code, 0);
    reply = fixture_call(&f, fd, KAFKA_FIND_COORDINATOR, 6, &body);
    assert_int_equal(reply->coordinators_count, 2);
    assert_int_equal(reply->coordinators[0].node_id, node_id);
    assert_int_equal(reply->coordinators[1].error_code, 0);
    for (int16_t v = 0; v <= 3; v++) {
        reply = fixture_call_as(&f, fd, KAFKA_FIND_COORDINATOR, v, "x,zone=b", &body);
        assert_int_equal(reply->node_id, 2);
    }
}

/* What is not served has no coordinator: transactions, share groups, unknown kinds. */
static void other_coordinators_are_refused(void **state)
{
    static const int16_t expected[] = {0, KAFKA_UNSUPPORTED_VERSION,
                                       KAFKA_UNSUPPORTED_VERSION, KAFKA_INVALID_REQUEST};
    struct find_coordinator_request body = find_coordinator_request_defaults;
    struct slice key = SLICE_LITERAL("t");

    (void)state;
    body.key = key;
    body.coordinator_keys = &key;
    body.coordinator_keys_count = 1;
    for (int8_t type = 1; type <= 3; type++) {
        body.key_type = type;
        const struct find_coordinator_response *reply =
            fixture_call(&f, fd, KAFKA_FIND_COORDINATOR, 2, &body);
        assert_int_equal(reply->error_code, expected[type]);
        assert_int_equal(reply->node_id, -1);
        reply = fixture_call(&f, fd, KAFKA_FIND_COORDINATOR, 4, &body);
        assert_int_equal(reply->coordinators[0].error_code, expected[type]);
    }
}

/* ---- DescribeTopicPartitions ---- */

/* Following the cursor page by page gives every partition once, sorted by topic. */
static void pages_are_complete(void **state)
{
    (void)state;
    fake_core_add_topic(f.fake, "a", 3, "{}");
    for (int32_t limit = 1; limit <= 10; limit++) {
        struct describe_topic_partitions_request body =
            describe_topic_partitions_request_defaults;
        struct describe_topic_partitions_request_cursor cursor;
        char seen[64] = "";
        size_t n = 0;
        body.response_partition_limit = limit;
        for (;;) {
            const struct describe_topic_partitions_response *reply =
                fixture_call(&f, fd, KAFKA_DESCRIBE_TOPIC_PARTITIONS, 0, &body);
            size_t on_page = 0;
            for (size_t i = 0; i < reply->topics_count; i++) {
                const struct describe_topic_partitions_response_topic *topic =
                    &reply->topics[i];
                for (size_t j = 0; j < topic->partitions_count; j++, on_page++) {
                    seen[n++] = (char)topic->name.ptr[0];
                    seen[n++] = (char)('0' + topic->partitions[j].partition_index);
                }
            }
            assert_in_range(on_page, 1, (size_t)limit);
            if (reply->next_cursor == NULL)
                break;
            cursor.topic_name = reply->next_cursor->topic_name;
            cursor.partition_index = reply->next_cursor->partition_index;
            body.cursor = &cursor;
        }
        seen[n] = '\0';
        assert_string_equal(seen, "a0a1a2b0b1t0t1t2t3");
    }
}

/* Named topics: unknown ones say so, others come sorted; a bad cursor is refused. */
static void named_topics_are_described(void **state)
{
    struct describe_topic_partitions_request_topic topics[] = {
        {slice_str("t")}, {slice_str("nowhere")}, {slice_str("b")}, {slice_str("t")}};
    struct describe_topic_partitions_request body =
        describe_topic_partitions_request_defaults;
    struct describe_topic_partitions_request_cursor cursor = {slice_str("b"), -5};

    (void)state;
    body.topics = topics;
    body.topics_count = 4;
    const struct describe_topic_partitions_response *reply =
        fixture_call(&f, fd, KAFKA_DESCRIBE_TOPIC_PARTITIONS, 0, &body);
    assert_int_equal(reply->topics_count, 3);
    assert_true(slice_eq_str(reply->topics[0].name, "b"));
    assert_int_equal(reply->topics[0].error_code, 0);
    assert_int_equal(reply->topics[1].error_code, KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(reply->topics[2].partitions_count, 4);
    assert_non_null(reply->topics[2].partitions[0].eligible_leader_replicas);
    body.cursor = &cursor;
    reply = fixture_call(&f, fd, KAFKA_DESCRIBE_TOPIC_PARTITIONS, 0, &body);
    assert_int_equal(reply->topics[0].error_code, KAFKA_INVALID_REQUEST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(versions_are_advertised),
        TEST(software_names_are_checked),
        TEST(newer_versions_fall_back),
        TEST(all_or_none),
        TEST(a_topic_is_described),
        TEST(unknown_topics),
        TEST(new_topics_are_found),
        TEST(topics_are_auto_created),
        TEST(auto_creation_can_be_off),
        TEST(no_verdict_without_the_control_plane),
        TEST(clients_are_steered),
        TEST(racks_of_fetches_steer),
        TEST(the_cluster_is_described),
        TEST(groups_are_steered),
        TEST(other_coordinators_are_refused),
        TEST(pages_are_complete),
        TEST(named_topics_are_described),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
