/* fuzz_group_result.c - what a control plane says of groups, as the agent's handlers read
 * it and tell their clients.
 *
 * The first byte chooses the API, the second its version; the rest is JSON: an array with
 * the results of the ops that follow from the request. Whatever they are, the client gets
 * one well-formed reply. */
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/group_op.h"
#include "common/check.h"
#include "common/log.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int16_t apis[] = {KAFKA_JOIN_GROUP,
                               KAFKA_SYNC_GROUP,
                               KAFKA_HEARTBEAT,
                               KAFKA_LEAVE_GROUP,
                               KAFKA_CONSUMER_GROUP_HEARTBEAT,
                               KAFKA_CONSUMER_GROUP_DESCRIBE,
                               KAFKA_DESCRIBE_GROUPS,
                               KAFKA_LIST_GROUPS,
                               KAFKA_DELETE_GROUPS,
                               KAFKA_OFFSET_COMMIT,
                               KAFKA_OFFSET_FETCH,
                               KAFKA_OFFSET_DELETE};

/* Partitions 0 and 1 of the topic "t", of which there is one. */
static void ask_offsets(struct fixture *f, int16_t key, void *body)
{
    static const struct slice name = {(const uint8_t *)"t", 1};
    static int32_t numbers[2] = {0, 1};
    static struct offset_commit_request_partition commits[2];
    static struct offset_delete_request_partition deletes[2];
    static struct offset_commit_request_topic commit_topic;
    static struct offset_delete_request_topic delete_topic;
    static struct offset_fetch_request_topic fetch_topic;
    static struct offset_fetch_request_group_topic group_topic;
    static struct offset_fetch_request_group groups[2];
    struct uuid id = fake_core_topic_id(f->fake, "t");

    commits[1].partition_index = deletes[1].partition_index = 1;
    if (key == KAFKA_OFFSET_COMMIT) {
        struct offset_commit_request *commit = body;
        commit_topic = (struct offset_commit_request_topic){name, id, commits, 2};
        commit->topics = &commit_topic;
        commit->topics_count = 1;
    } else if (key == KAFKA_OFFSET_FETCH) {
        struct offset_fetch_request *fetch = body;
        fetch_topic = (struct offset_fetch_request_topic){name, numbers, 2};
        group_topic = (struct offset_fetch_request_group_topic){name, id, numbers, 2};
        groups[0] = groups[1] = offset_fetch_request_group_defaults;
        groups[0].topics = &group_topic;
        groups[0].topics_count = 1;
        groups[1].topics = NULL;
        fetch->topics = &fetch_topic;
        fetch->topics_count = 1;
        fetch->groups = groups;
        fetch->groups_count = 2;
    } else {
        struct offset_delete_request *delete = body;
        delete_topic = (struct offset_delete_request_topic){name, deletes, 2};
        delete->topics = &delete_topic;
        delete->topics_count = 1;
    }
}

/* A request with something in it for API. */
static const void *make_request(struct fixture *f, int16_t key)
{
    static struct slice names[2] = {{(const uint8_t *)"a", 1}, {(const uint8_t *)"b", 1}};
    void *body = codec_new(kafka_api_find(key)->request->body, 1, &f->arena);
    ASSERT(body != NULL);
    if (key == KAFKA_JOIN_GROUP) {
        ((struct join_group_request *)body)->group_id = names[0];
    } else if (key == KAFKA_SYNC_GROUP) {
        struct sync_group_request *sync = body;
        sync->group_id = sync->protocol_type = sync->protocol_name = names[0];
    } else if (key == KAFKA_HEARTBEAT) {
        ((struct heartbeat_request *)body)->group_id = names[0];
    } else if (key == KAFKA_LEAVE_GROUP) {
        ((struct leave_group_request *)body)->group_id = names[0];
    } else if (key == KAFKA_CONSUMER_GROUP_HEARTBEAT) {
        struct consumer_group_heartbeat_request *beat = body;
        beat->group_id = beat->member_id = names[0];
    } else if (key == KAFKA_CONSUMER_GROUP_DESCRIBE) {
        struct consumer_group_describe_request *describe = body;
        describe->group_ids = names;
        describe->group_ids_count = 2;
    } else if (key == KAFKA_DESCRIBE_GROUPS) {
        struct describe_groups_request *describe = body;
        describe->groups = names;
        describe->groups_count = 2;
    } else if (key == KAFKA_DELETE_GROUPS) {
        struct delete_groups_request *deletes = body;
        deletes->groups_names = names;
        deletes->groups_names_count = 2;
    } else if (key == KAFKA_OFFSET_COMMIT || key == KAFKA_OFFSET_FETCH ||
               key == KAFKA_OFFSET_DELETE) {
        ask_offsets(f, key, body);
    }
    return body;
}

static void add_results(struct fixture *f, const struct json *results)
{
    struct json_reader r = {0};
    for (size_t i = 0; i < json_count(results) && i < 4; i++) {
        struct str text;
        str_init(&text, MIB);
        json_print(json_at(&r, results, i), &text);
        fake_core_group_result(f->fake, arena_strdup(&f->arena, str_slice(&text)));
        str_fini(&text);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture f;
    struct json *results;

    log_set_level(
        (enum log_level)(LOG_ERROR + 1)); /* a line for each would say nothing */
    if (size < 2 || size > 64 * KIB ||
        json_parse(slice_of(data + 2, size - 2), &results, NULL) != 0)
        return 0;
    const struct kafka_api *api = kafka_api_find(apis[data[0] % ARRAY_LEN(apis)]);
    int16_t version =
        (int16_t)(api->min_version + data[1] % (api->max_version - api->min_version + 1));
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 1, "{}");
    if (json_is_array(results))
        add_results(&f, results);
    int fd = fixture_connect(&f);
    if (fixture_call(&f, fd, api->key, version, make_request(&f, api->key)) == NULL)
        abort();
    close(fd);
    fixture_fini(&f);
    json_free(results);
    return 0;
}
