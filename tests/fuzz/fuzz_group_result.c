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
                               KAFKA_DELETE_GROUPS};

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
    int16_t version = (int16_t)(data[1] % (api->max_version + 1));
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
