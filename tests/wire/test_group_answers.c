/* test_group_answers.c - what a real Kafka answered to members of groups and to tools,
 * said again by our handlers, byte for byte.
 *
 * The golden answer is decoded and put as a result of the control plane; the golden
 * request goes to the front; what comes back must be the golden answer. So the handlers'
 * part (which field is in which version, null or empty, where errors stand) is held to
 * Kafka's, and not what a group decides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/group_op.h"
#include "proto/header.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

#define FRAME_MAX MIB

static struct fixture f;
static size_t compared;

/* ---- results ---- */

/* What the fake control plane says next. */
static void say(struct json *result)
{
    struct str text;
    str_init(&text, FRAME_MAX);
    json_print(result, &text);
    json_free(result);
    fake_core_group_result(f.fake, arena_strdup(&f.arena, str_slice(&text)));
    str_fini(&text);
}

static struct json *error_result(int16_t error)
{
    struct json *result = json_array();
    json_push(result, json_int(error));
    return result;
}

/* What the control plane has null for: Kafka's older versions have "". */
static struct json *null_if_empty(struct slice s)
{
    return s.len == 0 ? json_null() : json_slice(s);
}

static void say_join(const void *body)
{
    const struct join_group_response *join = body;
    struct json *result = error_result(join->error_code), *members = json_array();
    for (size_t i = 0; i < join->members_count; i++) {
        struct json *row = json_array();
        json_push(row, json_slice(join->members[i].member_id));
        json_push(row, json_slice(join->members[i].group_instance_id));
        json_push(row, json_base64(join->members[i].metadata));
        json_push(members, row);
    }
    json_push(result, json_int(join->generation_id));
    json_push(result, json_slice(join->protocol_type));
    json_push(result, null_if_empty(join->protocol_name));
    json_push(result, json_slice(join->leader));
    json_push(result, json_slice(join->member_id));
    json_push(result, json_bool(join->skip_assignment));
    json_push(result, members);
    say(result);
}

static void say_sync(const void *body)
{
    const struct sync_group_response *sync = body;
    struct json *result = error_result(sync->error_code);
    json_push(result, json_slice(sync->protocol_type));
    json_push(result, json_slice(sync->protocol_name));
    json_push(result,
              sync->assignment.len == 0 ? json_null() : json_base64(sync->assignment));
    say(result);
}

static void say_heartbeat(const void *body)
{
    say(error_result(((const struct heartbeat_response *)body)->error_code));
}

static void say_leave(const void *body)
{
    const struct leave_group_response *leave = body;
    struct json *result = error_result(leave->error_code), *members = json_array();
    for (size_t i = 0; i < leave->members_count; i++) {
        struct json *row = json_array();
        json_push(row, json_slice(leave->members[i].member_id));
        json_push(row, json_slice(leave->members[i].group_instance_id));
        json_push(row, json_int(leave->members[i].error_code));
        json_push(members, row);
    }
    json_push(result, members);
    say(result);
}

static void say_consumer(const void *body)
{
    const struct consumer_group_heartbeat_response *beat = body;
    struct json *result = error_result(beat->error_code), *topics = json_null();
    if (beat->assignment != NULL) {
        json_free(topics);
        topics = json_array();
        for (size_t i = 0; i < beat->assignment->topic_partitions_count; i++) {
            const struct consumer_group_heartbeat_response_topic *topic =
                &beat->assignment->topic_partitions[i];
            json_push(topics, group_partitions_json(&topic->topic_id, topic->partitions,
                                                    topic->partitions_count));
        }
    }
    json_push(result, json_slice(beat->error_message));
    json_push(result, json_slice(beat->member_id));
    json_push(result, json_int(beat->member_epoch));
    json_push(result, json_int(beat->heartbeat_interval_ms));
    json_push(result, topics);
    say(result);
}

static void say_described(const void *body)
{
    const struct describe_groups_response *all = body;
    for (size_t i = 0; i < all->groups_count; i++) {
        const struct describe_groups_response_group *g = &all->groups[i];
        bool dead = slice_eq_str(g->group_state, "Dead");
        struct json *result = error_result(dead ? 69 : g->error_code);
        struct json *members = json_array();
        for (size_t k = 0; k < g->members_count; k++) {
            const struct describe_groups_response_member *m = &g->members[k];
            struct json *row = json_array();
            json_push(row, json_slice(m->member_id));
            json_push(row, json_slice(m->group_instance_id));
            json_push(row, json_slice(m->client_id));
            json_push(row, json_slice(m->client_host));
            json_push(row, json_base64(m->member_metadata));
            json_push(row, json_base64(m->member_assignment));
            json_push(members, row);
        }
        json_push(result, dead ? json_slice(g->error_message) : json_null());
        json_push(result, json_string(dead ? "none" : "classic"));
        json_push(result, json_slice(g->group_state));
        json_push(result, json_slice(g->protocol_type));
        json_push(result, json_slice(g->protocol_data));
        json_push(result, members);
        say(result);
    }
}

static void say_list(const void *body)
{
    const struct list_groups_response *list = body;
    struct json *result = error_result(list->error_code), *groups = json_array();
    for (size_t i = 0; i < list->groups_count; i++) {
        struct json *row = json_array();
        json_push(row, json_slice(list->groups[i].group_id));
        json_push(row, json_slice(list->groups[i].protocol_type));
        json_push(row, json_slice(list->groups[i].group_state));
        json_push(row, json_slice(list->groups[i].group_type));
        json_push(groups, row);
    }
    json_push(result, groups);
    say(result);
}

/* ---- frames ---- */

static struct slice load(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *bytes = arena_alloc(&f.arena, FRAME_MAX);
    size_t len = fread(bytes, 1, FRAME_MAX, file);
    fclose(file);
    return slice_of(bytes, len);
}

static void compare(int16_t key, int version, const char *request_path,
                    void (*say_result)(const void *body))
{
    char path[512];
    uint8_t length[4];
    struct str reply;
    int32_t id;

    const char *mark = strstr(request_path, "-request-");
    snprintf(path, sizeof(path), "%.*s-response-%s", (int)(mark - request_path),
             request_path, mark + strlen("-request-"));
    fixture_init(&f, NULL);
    struct slice request = load(request_path), want = load(path);
    say_result(fixture_decode(&f, want, key, (int16_t)version, &id));
    int fd = fixture_connect(&f);
    be32_put(length, (uint32_t)request.len);
    fixture_send_bytes(&f, fd, length, sizeof(length));
    fixture_send_bytes(&f, fd, request.ptr, request.len);
    str_init(&reply, GIB);
    assert_true(fixture_receive(&f, fd, &reply));
    if (!slice_eq(str_slice(&reply), want)) {
        for (size_t i = 0; i < reply.len || i < want.len; i++) {
            if (i >= reply.len || i >= want.len || (uint8_t)reply.data[i] != want.ptr[i])
                fail_msg("%s: another answer from byte %zu on (%zu bytes, wanted %zu)",
                         path, i, reply.len, want.len);
        }
    }
    compared++;
    str_fini(&reply);
    close(fd);
    fixture_fini(&f);
}

static void compare_all(int16_t key, void (*say_result)(const void *body), size_t least)
{
    const struct kafka_api *api = kafka_api_find(key);
    char dir_path[128], path[512], kind[16];
    struct dirent *entry;

    snprintf(dir_path, sizeof(dir_path), "tests/golden/%s", api->name);
    DIR *dir = opendir(dir_path);
    if (dir == NULL)
        fail_msg("%s: run the tests from the root of the tree", dir_path);
    compared = 0;
    while ((entry = readdir(dir)) != NULL) {
        int version;
        if (sscanf(entry->d_name, "v%d-%15[a-z]", &version, kind) != 2 ||
            strcmp(kind, "request") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir_path, entry->d_name);
        compare(key, version, path, say_result);
    }
    closedir(dir);
    assert_true(compared >= least);
}

/* ---- tests ---- */

/* JoinGroup 0-9: leaders, followers, static members, refusals. */
static void joins(void **state)
{
    (void)state;
    compare_all(KAFKA_JOIN_GROUP, say_join, 50);
}

/* SyncGroup 0-5. */
static void syncs(void **state)
{
    (void)state;
    compare_all(KAFKA_SYNC_GROUP, say_sync, 20);
}

/* Heartbeat 0-4. */
static void heartbeats(void **state)
{
    (void)state;
    compare_all(KAFKA_HEARTBEAT, say_heartbeat, 10);
}

/* LeaveGroup 0-5: one and batches. */
static void leaves(void **state)
{
    (void)state;
    compare_all(KAFKA_LEAVE_GROUP, say_leave, 12);
}

/* ConsumerGroupHeartbeat 0-1: assignments, none, refusals with their texts. */
static void consumers(void **state)
{
    (void)state;
    compare_all(KAFKA_CONSUMER_GROUP_HEARTBEAT, say_consumer, 24);
}

/* DescribeGroups 0-6: groups with members, dead ones, and operations allowed. */
static void descriptions(void **state)
{
    (void)state;
    compare_all(KAFKA_DESCRIBE_GROUPS, say_described, 14);
}

/* ListGroups 0-5. */
static void lists(void **state)
{
    (void)state;
    compare_all(KAFKA_LIST_GROUPS, say_list, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins),      cmocka_unit_test(syncs),
        cmocka_unit_test(heartbeats), cmocka_unit_test(leaves),
        cmocka_unit_test(consumers),  cmocka_unit_test(descriptions),
        cmocka_unit_test(lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
