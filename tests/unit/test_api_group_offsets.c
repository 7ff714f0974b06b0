/* test_api_group_offsets.c - OffsetCommit, OffsetFetch, OffsetDelete: versions, names and
 * ids, and which error stands where. */
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
static char text_t[UUID_TEXT_LEN + 1], text_u[UUID_TEXT_LEN + 1];
static char text[4096];

static int setup(void **state)
{
    struct uuid id;
    (void)state;
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 3, "{}");
    fake_core_add_topic(f.fake, "u", 1, "{}");
    id = fake_core_topic_id(f.fake, "t");
    uuid_print(&id, text_t);
    id = fake_core_topic_id(f.fake, "u");
    uuid_print(&id, text_u);
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

/* ---- OffsetCommit ---- */

static struct offset_commit_request_partition parts[4];
static struct offset_commit_request_topic topics[2];
static struct offset_commit_request commit;

/* t: 0, 1 and one that is not there, u: 0. */
static void make_commit(void)
{
    commit = offset_commit_request_defaults;
    for (int i = 0; i < 4; i++) {
        parts[i] = offset_commit_request_partition_defaults;
        parts[i].committed_offset = 10 + i;
    }
    parts[1].partition_index = 1;
    parts[2].partition_index = 3;
    parts[1].committed_metadata = slice_str("m");
    for (int i = 0; i < 2; i++)
        topics[i] = offset_commit_request_topic_defaults;
    topics[0].name = slice_str("t");
    topics[0].topic_id = fake_core_topic_id(f.fake, "t");
    topics[0].partitions = parts;
    topics[0].partitions_count = 3;
    topics[1].name = slice_str("u");
    topics[1].topic_id = fake_core_topic_id(f.fake, "u");
    topics[1].partitions = &parts[3];
    topics[1].partitions_count = 1;
    commit.group_id = slice_str("g");
    commit.member_id = slice_str("");
    commit.topics = topics;
    commit.topics_count = 2;
}

static const struct offset_commit_response *call_commit(int16_t version)
{
    struct offset_commit_request body = commit;
    const struct offset_commit_response *reply =
        fixture_call(&f, fd, KAFKA_OFFSET_COMMIT, version, &body);
    assert_non_null(reply);
    assert_int_equal(reply->topics_count, commit.topics_count);
    return reply;
}

static void expect_errors(const struct offset_commit_response *reply, int16_t a,
                          int16_t b, int16_t c, int16_t d)
{
    assert_int_equal(reply->topics[0].partitions_count, 3);
    assert_int_equal(reply->topics[0].partitions[0].error_code, a);
    assert_int_equal(reply->topics[0].partitions[1].error_code, b);
    assert_int_equal(reply->topics[0].partitions[2].error_code, c);
    assert_int_equal(reply->topics[0].partitions[2].partition_index, 3);
    assert_int_equal(reply->topics[1].partitions[0].error_code, d);
}

/* Versions 2 to 10 commit: by name, from 10 on by id; a partition that does not exist is
 * refused here, the others go; leader epochs come with 6, members' epochs with 9. */
static void all_versions_commit(void **state)
{
    (void)state;
    for (int16_t v = 2; v <= 10; v++) {
        make_commit();
        commit.generation_id_or_member_epoch = 5;
        commit.member_id = slice_str("m-1");
        if (v >= 7)
            commit.group_instance_id = slice_str("i");
        if (v >= 6)
            parts[0].committed_leader_epoch = 2;
        fake_core_group_result(f.fake, "[0,[]]");
        expect_errors(call_commit(v), 0, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, 0);
        snprintf(text, sizeof(text),
                 "[\"commit\",\"g\",5,\"m-1\",%s,[[\"%s\",[[0,10,%d,null],[1,11,-1,"
                 "\"m\"]]],[\"%s\",[[0,13,-1,null]]]],%d]",
                 v >= 7 ? "\"i\"" : "null", text_t, v >= 6 ? 2 : -1, text_u, v >= 9);
        assert_string_equal(fake_core_group_ops(f.fake), text);
    }
}

/* Errors of partitions come where they belong; one of the group is on each partition, but
 * for those that are not there. */
static void errors_stand_where_they_belong(void **state)
{
    (void)state;
    make_commit();
    fake_core_group_result(f.fake, "[0,[[0,44],[12]]]");
    expect_errors(call_commit(8), 0, KAFKA_POLICY_VIOLATION,
                  KAFKA_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_OFFSET_METADATA_TOO_LARGE);
    fake_core_group_result(f.fake, "[22,[]]");
    expect_errors(call_commit(8), KAFKA_ILLEGAL_GENERATION, KAFKA_ILLEGAL_GENERATION,
                  KAFKA_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_ILLEGAL_GENERATION);
}

/* Without an answer the client is to try again. */
static void no_answer_is_coordinator_not_available(void **state)
{
    (void)state;
    make_commit();
    int16_t away = KAFKA_COORDINATOR_NOT_AVAILABLE;
    expect_errors(call_commit(8), away, away, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, away);
    fake_core_group_result(f.fake, "[0,[[0]]]"); /* not what was asked */
    assert_int_equal(call_commit(8)->topics[0].partitions[0].error_code,
                     KAFKA_UNKNOWN_SERVER_ERROR);
}

/* Topics that are not there: 3 by name, 100 by id; if none is, the group is not asked. */
static void unknown_topics(void **state)
{
    (void)state;
    make_commit();
    topics[0].name = slice_str("nowhere");
    topics[0].topic_id.bytes[3] ^= 1;
    topics[0].partitions_count = 2;
    commit.topics_count = 1;
    for (int16_t v = 9; v <= 10; v++) {
        const struct offset_commit_response *reply = call_commit(v);
        int16_t error =
            v < 10 ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_UNKNOWN_TOPIC_ID;
        assert_int_equal(reply->topics[0].partitions[0].error_code, error);
        assert_int_equal(reply->topics[0].partitions[1].error_code, error);
        assert_string_equal(fake_core_group_ops(f.fake), "");
    }
    /* deleted while the control plane was asked */
    make_commit();
    for (int16_t v = 9; v <= 10; v++) {
        int16_t error =
            v < 10 ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : KAFKA_UNKNOWN_TOPIC_ID;
        fake_core_group_result(f.fake, "[0,[[100,100],[0]]]");
        expect_errors(call_commit(v), error, error, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, 0);
    }
}

/* A topic that came after this agent's view is found out about before it is refused. */
static void new_topics_are_asked_after(void **state)
{
    (void)state;
    fake_core_hide_topic(f.fake, "late", 1);
    make_commit();
    topics[1].name = slice_str("late");
    commit.topics_count = 2;
    fake_core_group_result(f.fake, "[0,[]]");
    expect_errors(call_commit(8), 0, 0, KAFKA_UNKNOWN_TOPIC_OR_PARTITION, 0);
    assert_int_equal(fake_core_asks(f.fake, ASK_METADATA), 1);
}

/* Metadata has 4096 units of UTF-16 at the most; what is longer is not sent, and gets 12
 * unless the group refuses the whole. */
static void metadata_is_bounded(void **state)
{
    static char longest[4096 * 3 + 1];
    (void)state;
    memset(longest, 'x', sizeof(longest));
    make_commit();
    parts[0].committed_metadata = slice_of(longest, 4096);
    parts[1].committed_metadata = slice_of(longest, 4097);
    for (size_t i = 0; i + 3 <= sizeof(longest); i += 3)
        memcpy(longest + i, "\xe2\x82\xac", 3);
    memset(longest, 'x', 4096 + 2); /* the sizes count, not the bytes */
    parts[3].committed_metadata = slice_of(longest + 4098, 4095);
    fake_core_group_result(f.fake, "[0,[]]");
    expect_errors(call_commit(8), 0, KAFKA_OFFSET_METADATA_TOO_LARGE,
                  KAFKA_UNKNOWN_TOPIC_OR_PARTITION, 0);
    fake_core_group_result(f.fake, "[25,[]]");
    expect_errors(call_commit(8), KAFKA_UNKNOWN_MEMBER_ID, KAFKA_UNKNOWN_MEMBER_ID,
                  KAFKA_UNKNOWN_TOPIC_OR_PARTITION, KAFKA_UNKNOWN_MEMBER_ID);
    /* 2048 of what takes two units each */
    for (size_t i = 0; i + 4 <= sizeof(longest); i += 4)
        memcpy(longest + i, "\xf0\x9f\x98\x80", 4);
    parts[0].committed_metadata = slice_of(longest, 2048 * 4);
    parts[1].committed_metadata = slice_of(longest, 2049 * 4);
    parts[3].committed_metadata = SLICE_NULL;
    fake_core_group_result(f.fake, "[0,[]]");
    expect_errors(call_commit(8), 0, KAFKA_OFFSET_METADATA_TOO_LARGE,
                  KAFKA_UNKNOWN_TOPIC_OR_PARTITION, 0);
}

/* ---- OffsetFetch ---- */

static int32_t asked_partitions[3] = {0, 2, 1};

/* One group, t: 0, 2, 1; NULL: all topics. */
static const struct offset_fetch_response *fetch(int16_t version, const char *topic)
{
    struct offset_fetch_request body = offset_fetch_request_defaults;
    struct offset_fetch_request_topic old = offset_fetch_request_topic_defaults;
    struct offset_fetch_request_group_topic row =
        offset_fetch_request_group_topic_defaults;
    struct offset_fetch_request_group group = offset_fetch_request_group_defaults;

    old.name = row.name = slice_str(topic == NULL ? "" : topic);
    old.partition_indexes = row.partition_indexes = asked_partitions;
    old.partition_indexes_count = row.partition_indexes_count = 3;
    row.topic_id = fake_core_topic_id(f.fake, "t");
    if (topic != NULL && strcmp(topic, "t") != 0)
        row.topic_id.bytes[2] ^= 1;
    group.group_id = body.group_id = slice_str("g");
    group.topics = topic == NULL ? NULL : &row;
    body.topics = topic == NULL ? NULL : &old;
    group.topics_count = body.topics_count = topic != NULL;
    body.require_stable = version >= 7;
    if (version >= 8) {
        body.groups = &group;
        body.groups_count = 1;
        body.topics = NULL;
        body.topics_count = 0;
    }
    const struct offset_fetch_response *reply =
        fixture_call(&f, fd, KAFKA_OFFSET_FETCH, version, &body);
    assert_non_null(reply);
    if (version >= 8)
        assert_int_equal(reply->groups_count, 1);
    return reply;
}

/* The I-th partition of the J-th topic. */
static const struct offset_fetch_response_partition *row_of(
    const struct offset_fetch_response *reply, int16_t version, size_t j, size_t i)
{
    if (version < 8) {
        assert_true(j < reply->topics_count);
        assert_true(i < reply->topics[j].partitions_count);
        return &reply->topics[j].partitions[i];
    }
    assert_true(j < reply->groups[0].topics_count);
    assert_true(i < reply->groups[0].topics[j].partitions_count);
    return &reply->groups[0].topics[j].partitions[i];
}

static int16_t error_of(const struct offset_fetch_response *reply, int16_t version)
{
    return version < 8 ? reply->error_code : reply->groups[0].error_code;
}

/* Versions 1 to 10: what was committed with leader epoch and text, and -1 without an
 * error for what was not; in the order asked for. */
static void all_versions_fetch(void **state)
{
    (void)state;
    for (int16_t v = 1; v <= 10; v++) {
        snprintf(text, sizeof(text), "[0,[[\"%s\",[[0,7,3,\"m\"],[1,8,-1,\"\"]]]]]",
                 text_t);
        fake_core_group_result(f.fake, text);
        const struct offset_fetch_response *reply = fetch(v, "t");
        assert_int_equal(error_of(reply, v), 0);
        const struct offset_fetch_response_partition *row = row_of(reply, v, 0, 0);
        assert_int_equal(row->partition_index, 0);
        assert_int_equal(row->committed_offset, 7);
        assert_int_equal(row->committed_leader_epoch, v >= 5 ? 3 : -1);
        assert_true(slice_eq_str(row->metadata, "m"));
        assert_int_equal(row->error_code, 0);
        row = row_of(reply, v, 0, 1);
        assert_int_equal(row->partition_index, 2);
        assert_int_equal(row->committed_offset, -1);
        assert_int_equal(row->committed_leader_epoch, -1);
        assert_non_null(row->metadata.ptr);
        assert_int_equal(row->metadata.len, 0);
        assert_int_equal(row->error_code, 0);
        assert_int_equal(row_of(reply, v, 0, 2)->committed_offset, 8);
        snprintf(text, sizeof(text), "[\"fetch\",\"g\",null,-1,[[\"%s\",[0,2,1]]]]",
                 text_t);
        assert_string_equal(fake_core_group_ops(f.fake), text);
    }
}

/* Null topics, from version 2 on, are all that the group has. */
static void null_topics_are_all(void **state)
{
    (void)state;
    for (int16_t v = 2; v <= 10; v++) {
        snprintf(text, sizeof(text),
                 "[0,[[\"%s\",[[0,1,0,\"\"]]],[\"%s\",[[2,4,0,\"\"]]]]]", text_u, text_t);
        fake_core_group_result(f.fake, text);
        const struct offset_fetch_response *reply = fetch(v, NULL);
        assert_string_equal(fake_core_group_ops(f.fake),
                            "[\"fetch\",\"g\",null,-1,null]");
        assert_int_equal(error_of(reply, v), 0);
        assert_int_equal(row_of(reply, v, 0, 0)->committed_offset, 1);
        assert_int_equal(row_of(reply, v, 1, 0)->committed_offset, 4);
        assert_int_equal(row_of(reply, v, 1, 0)->partition_index, 2);
        if (v < 8)
            assert_true(slice_eq_str(reply->topics[1].name, "t"));
        else if (v < 10)
            assert_true(slice_eq_str(reply->groups[0].topics[1].name, "t"));
    }
}

/* A topic in the answer that this agent has not heard of is asked after; what is deleted
 * by then is left out. */
static void new_topics_in_the_answer(void **state)
{
    (void)state;
    fake_core_hide_topic(f.fake, "late", 1);
    struct uuid id = fake_core_topic_id(f.fake, "late");
    char late[UUID_TEXT_LEN + 1];
    uuid_print(&id, late);
    snprintf(text, sizeof(text), "[0,[[\"%s\",[[0,1,0,\"\"]]],[\"%s\",[[0,5,0,\"\"]]]]]",
             "01020304-0506-0708-090a-0b0c0d0e0f10", late);
    fake_core_group_result(f.fake, text);
    fake_core_group_result(f.fake, text);
    const struct offset_fetch_response *reply = fetch(8, NULL);
    assert_int_equal(reply->groups[0].topics_count, 1);
    assert_true(slice_eq_str(reply->groups[0].topics[0].name, "late"));
    assert_int_equal(row_of(reply, 8, 0, 0)->committed_offset, 5);
    assert_int_equal(fake_core_asks(f.fake, ASK_METADATA), 1);
}

/* An error of the group: version 1 has it on each partition, 2 to 7 in front, 8 and later
 * on the group; and no topics then. */
static void group_errors_by_version(void **state)
{
    (void)state;
    for (int16_t v = 1; v <= 10; v++) {
        fake_core_group_result(f.fake, "[25,[]]");
        const struct offset_fetch_response *reply = fetch(v, "t");
        if (v < 2) {
            for (size_t i = 0; i < 3; i++) {
                assert_int_equal(row_of(reply, v, 0, i)->error_code,
                                 KAFKA_UNKNOWN_MEMBER_ID);
                assert_int_equal(row_of(reply, v, 0, i)->committed_offset, -1);
            }
            continue;
        }
        assert_int_equal(error_of(reply, v), KAFKA_UNKNOWN_MEMBER_ID);
        assert_int_equal(v < 8 ? reply->topics_count : reply->groups[0].topics_count, 0);
    }
}

/* A topic that is not there has no offsets: -1 without an error by name, 100 by id; the
 * group is asked all the same. */
static void unknown_topics_are_not_committed(void **state)
{
    (void)state;
    for (int16_t v = 1; v <= 10; v++) {
        fake_core_group_result(f.fake, "[0,[]]");
        const struct offset_fetch_response *reply = fetch(v, "nowhere");
        assert_string_equal(fake_core_group_ops(f.fake), "[\"fetch\",\"g\",null,-1,[]]");
        assert_int_equal(error_of(reply, v), 0);
        assert_int_equal(row_of(reply, v, 0, 1)->partition_index, 2);
        assert_int_equal(row_of(reply, v, 0, 1)->committed_offset, -1);
        assert_int_equal(row_of(reply, v, 0, 1)->error_code,
                         v < 10 ? 0 : KAFKA_UNKNOWN_TOPIC_ID);
    }
}

/* Nothing is said of a topic that nobody could be asked about: a consumer would begin to
 * read at the wrong place. */
static void no_guess_without_the_control_plane(void **state)
{
    (void)state;
    fake_core_fail(f.fake, KAFKA_REQUEST_TIMED_OUT);
    const struct offset_fetch_response *reply = fetch(8, "nowhere");
    assert_int_equal(error_of(reply, 8), KAFKA_COORDINATOR_NOT_AVAILABLE);
    fake_core_fail(f.fake, 0);
}

/* Version 8 and later ask for many groups, each with its own members and answer; none is
 * fine too. */
static void many_groups(void **state)
{
    struct offset_fetch_request body = offset_fetch_request_defaults;
    struct offset_fetch_request_group groups[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        groups[i] = offset_fetch_request_group_defaults;
        groups[i].group_id = slice_str(i == 0 ? "a" : "b");
        groups[i].topics = NULL;
    }
    groups[1].member_id = slice_str("m");
    groups[1].member_epoch = 4;
    body.groups = groups;
    body.groups_count = 2;
    fake_core_group_result(f.fake, "[113,[]]");
    snprintf(text, sizeof(text), "[0,[[\"%s\",[[0,9,0,\"\"]]]]]", text_u);
    fake_core_group_result(f.fake, text);
    const struct offset_fetch_response *reply =
        fixture_call(&f, fd, KAFKA_OFFSET_FETCH, 9, &body);
    assert_string_equal(fake_core_group_ops(f.fake),
                        "[\"fetch\",\"a\",null,-1,null]\n[\"fetch\",\"b\",\"m\",4,null]");
    assert_int_equal(reply->groups_count, 2);
    assert_true(slice_eq_str(reply->groups[0].group_id, "a"));
    assert_int_equal(reply->groups[0].error_code, KAFKA_STALE_MEMBER_EPOCH);
    assert_int_equal(reply->groups[1].error_code, 0);
    assert_int_equal(reply->groups[1].topics[0].partitions[0].committed_offset, 9);
    body.groups_count = 0;
    reply = fixture_call(&f, fd, KAFKA_OFFSET_FETCH, 9, &body);
    assert_int_equal(reply->groups_count, 0);
}

/* A topic, or partition, that is asked for twice is answered twice. */
static void asked_twice(void **state)
{
    int32_t twice[3] = {1, 1, -4};
    struct offset_fetch_request body = offset_fetch_request_defaults;
    struct offset_fetch_request_group group = offset_fetch_request_group_defaults;
    struct offset_fetch_request_group_topic rows[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        rows[i] = offset_fetch_request_group_topic_defaults;
        rows[i].name = slice_str("t");
        rows[i].partition_indexes = i == 0 ? asked_partitions : twice;
        rows[i].partition_indexes_count = 3;
    }
    group.group_id = slice_str("g");
    group.topics = rows;
    group.topics_count = 2;
    body.groups = &group;
    body.groups_count = 1;
    snprintf(text, sizeof(text), "[0,[[\"%s\",[]],[\"%s\",[[1,6,0,\"\"],[1,6,0,\"\"]]]]]",
             text_t, text_t);
    fake_core_group_result(f.fake, text);
    const struct offset_fetch_response *reply =
        fixture_call(&f, fd, KAFKA_OFFSET_FETCH, 8, &body);
    snprintf(text, sizeof(text),
             "[\"fetch\",\"g\",null,-1,[[\"%s\",[0,2,1]],[\"%s\",[1,1]]]]", text_t,
             text_t);
    assert_string_equal(fake_core_group_ops(f.fake), text);
    assert_int_equal(row_of(reply, 8, 0, 2)->committed_offset, -1);
    assert_int_equal(row_of(reply, 8, 1, 0)->committed_offset, 6);
    assert_int_equal(row_of(reply, 8, 1, 1)->committed_offset, 6);
    assert_int_equal(row_of(reply, 8, 1, 2)->partition_index, -4);
    assert_int_equal(row_of(reply, 8, 1, 2)->committed_offset, -1);
}

/* ---- OffsetDelete ---- */

static const struct offset_delete_response *delete_offsets(const char *first,
                                                           const char *second)
{
    struct offset_delete_request body = offset_delete_request_defaults;
    struct offset_delete_request_topic rows[2];
    struct offset_delete_request_partition of[2] = {{.partition_index = 0},
                                                    {.partition_index = 1}};
    const char *names[2] = {first, second};
    for (int i = 0; i < 2; i++) {
        rows[i] = offset_delete_request_topic_defaults;
        rows[i].name = slice_str(names[i]);
        rows[i].partitions = of;
        rows[i].partitions_count = 2;
    }
    body.group_id = slice_str("g");
    body.topics = rows;
    body.topics_count = 2;
    return fixture_call(&f, fd, KAFKA_OFFSET_DELETE, 0, &body);
}

/* Errors of partitions stand on them, one of the group stands alone in front; topics that
 * are not there are 3, and without any other the group is asked all the same. */
static void offsets_are_deleted(void **state)
{
    (void)state;
    fake_core_group_result(f.fake, "[0,[[0,86]]]");
    const struct offset_delete_response *reply = delete_offsets("nowhere", "t");
    snprintf(text, sizeof(text), "[\"offset_delete\",\"g\",[[\"%s\",[0,1]]]]", text_t);
    assert_string_equal(fake_core_group_ops(f.fake), text);
    assert_int_equal(reply->error_code, 0);
    assert_int_equal(reply->topics_count, 2);
    assert_int_equal(reply->topics[0].partitions[1].error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
    assert_int_equal(reply->topics[1].partitions[0].error_code, 0);
    assert_int_equal(reply->topics[1].partitions[1].error_code,
                     KAFKA_GROUP_SUBSCRIBED_TO_TOPIC);
    fake_core_group_result(f.fake, "[69,[]]");
    reply = delete_offsets("t", "u");
    assert_int_equal(reply->error_code, KAFKA_GROUP_ID_NOT_FOUND);
    assert_int_equal(reply->topics_count, 0);
    fake_core_group_result(f.fake, "[0,[]]");
    reply = delete_offsets("nowhere", "nowhere either");
    assert_string_equal(fake_core_group_ops(f.fake), "[\"offset_delete\",\"g\",[]]");
    assert_int_equal(reply->error_code, 0);
    assert_int_equal(reply->topics[1].partitions[0].error_code,
                     KAFKA_UNKNOWN_TOPIC_OR_PARTITION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_versions_commit, setup, teardown),
        cmocka_unit_test_setup_teardown(errors_stand_where_they_belong, setup, teardown),
        cmocka_unit_test_setup_teardown(no_answer_is_coordinator_not_available, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(unknown_topics, setup, teardown),
        cmocka_unit_test_setup_teardown(new_topics_are_asked_after, setup, teardown),
        cmocka_unit_test_setup_teardown(metadata_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(all_versions_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(null_topics_are_all, setup, teardown),
        cmocka_unit_test_setup_teardown(new_topics_in_the_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(group_errors_by_version, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_topics_are_not_committed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(no_guess_without_the_control_plane, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(many_groups, setup, teardown),
        cmocka_unit_test_setup_teardown(asked_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(offsets_are_deleted, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
