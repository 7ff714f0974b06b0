/* test_golden_groups.c - what real members of groups embed, through our tables and back.
 *
 * The frames of JoinGroup, SyncGroup and DescribeGroups in tests/golden carry what
 * Kafka's own classes and real clients said of type "consumer": each of it must decode,
 * and encode to the same bytes, and every version of both messages must be there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/defs.h"
#include "proto/consumer_protocol.h"
#include "proto/header.h"

#define FRAME_MAX MIB

static struct arena arena;
static const char *path_now;
static unsigned subscriptions[CONSUMER_PROTOCOL_VERSION_MAX + 1];
static unsigned assignments[CONSUMER_PROTOCOL_VERSION_MAX + 1];

static int16_t version_of(struct slice bytes)
{
    int16_t version = (int16_t)be16_get(bytes.ptr);
    assert_in_range(version, 0, CONSUMER_PROTOCOL_VERSION_MAX);
    return version;
}

static void assert_same(const struct str *made, struct slice bytes)
{
    if (!slice_eq(str_slice(made), bytes))
        fail_msg("%s: encodes to other bytes (%zu, were %zu)", path_now, made->len,
                 bytes.len);
}

static void check_subscription(struct slice bytes)
{
    struct consumer_protocol_subscription body;
    struct str made;
    if (bytes.len == 0)
        return;
    int16_t version = version_of(bytes);
    assert_int_equal(consumer_protocol_read_subscription(bytes, &arena, &body), 0);
    str_init(&made, MIB);
    assert_int_equal(consumer_protocol_write_subscription(version, &body, &made), 0);
    assert_same(&made, bytes);
    str_fini(&made);
    subscriptions[version]++;
}

static void check_assignment(struct slice bytes)
{
    struct consumer_protocol_assignment body;
    struct str made;
    if (bytes.len == 0)
        return;
    int16_t version = version_of(bytes);
    assert_int_equal(consumer_protocol_read_assignment(bytes, &arena, &body), 0);
    str_init(&made, MIB);
    assert_int_equal(consumer_protocol_write_assignment(version, &body, &made), 0);
    assert_same(&made, bytes);
    str_fini(&made);
    assignments[version]++;
}

static void check_join_request(const void *body)
{
    const struct join_group_request *join = body;
    if (!slice_eq_str(join->protocol_type, "consumer"))
        return;
    for (size_t i = 0; i < join->protocols_count; i++)
        check_subscription(join->protocols[i].metadata);
}

static void check_join_response(const void *body)
{
    const struct join_group_response *join = body;
    for (size_t i = 0; i < join->members_count; i++)
        check_subscription(join->members[i].metadata);
}

static void check_sync_request(const void *body)
{
    const struct sync_group_request *sync = body;
    for (size_t i = 0; i < sync->assignments_count; i++)
        check_assignment(sync->assignments[i].assignment);
}

static void check_sync_response(const void *body)
{
    check_assignment(((const struct sync_group_response *)body)->assignment);
}

static void check_describe_response(const void *body)
{
    const struct describe_groups_response *all = body;
    for (size_t i = 0; i < all->groups_count; i++) {
        const struct describe_groups_response_group *group = &all->groups[i];
        for (size_t j = 0; j < group->members_count; j++) {
            check_subscription(group->members[j].member_metadata);
            check_assignment(group->members[j].member_assignment);
        }
    }
}

static struct slice load(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    uint8_t *bytes = arena_alloc(&arena, FRAME_MAX);
    size_t len = fread(bytes, 1, FRAME_MAX, file);
    fclose(file);
    return slice_of(bytes, len);
}

/* The frames of API that are KIND. */
static void visit(int16_t key, const char *kind, void (*check)(const void *body))
{
    const struct kafka_api *api = kafka_api_find(key);
    bool is_request = strcmp(kind, "request") == 0;
    const struct codec_message *msg = is_request ? api->request : api->response;
    char dir_path[128], path[512], found[16];
    snprintf(dir_path, sizeof(dir_path), "tests/golden/%s", api->name);
    DIR *dir = opendir(dir_path);
    if (dir == NULL)
        fail_msg("%s: run the tests from the root of the tree", dir_path);
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        int version;
        if (sscanf(entry->d_name, "v%d-%15[a-z]", &version, found) != 2 ||
            strcmp(found, kind) != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", dir_path, entry->d_name);
        path_now = path;
        struct request_header header;
        struct reader r;
        int32_t correlation_id;
        arena_init(&arena, 16 * MIB);
        reader_init(&r, load(path));
        int rc = is_request
                     ? header_read_request(&r, &header)
                     : header_read_response(&r, api, (int16_t)version, &correlation_id);
        assert_int_equal(rc, 0);
        void *body = codec_new(msg->body, 1, &arena);
        assert_int_equal(codec_decode(msg, (int16_t)version, &r, &arena, body), 0);
        check(body);
        arena_fini(&arena);
    }
    closedir(dir);
}

/* Every subscription and assignment that was captured passes unchanged, and there are
 * some of each version. */
static void test_embedded(void **state)
{
    (void)state;
    visit(KAFKA_JOIN_GROUP, "request", check_join_request);
    visit(KAFKA_JOIN_GROUP, "response", check_join_response);
    visit(KAFKA_SYNC_GROUP, "request", check_sync_request);
    visit(KAFKA_SYNC_GROUP, "response", check_sync_response);
    visit(KAFKA_DESCRIBE_GROUPS, "response", check_describe_response);
    for (int v = 0; v <= CONSUMER_PROTOCOL_VERSION_MAX; v++) {
        assert_true(subscriptions[v] > 0);
        assert_true(assignments[v] > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_embedded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
