/* test_assignor.c - uniform and range: even, sticky, deterministic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "controlplane/assignor.h"
#include "tests/lib/consumer_clients.h"

#define MEMBERS 40

/* Members m00, m01 ... of a group, from one assignment to the next. */
struct room {
    struct assignor_topic topics[10];
    uint32_t topic_count;
    char ids[MEMBERS][8];
    const char *instances[MEMBERS];
    uint32_t chosen[MEMBERS][10];
    uint32_t chosen_count[MEMBERS];
    struct partition_set targets[MEMBERS];
    uint32_t member_count;
};

static void room_topic(struct room *room, int32_t partitions)
{
    room->topics[room->topic_count] =
        (struct assignor_topic){test_uuid(2, room->topic_count + 1), partitions};
    room->topic_count++;
}

/* A member that reads TOPICS: "1,3". */
static void room_member(struct room *room, const char *topics)
{
    uint32_t m = room->member_count++;
    (void)snprintf(room->ids[m], sizeof(room->ids[m]), "m%02u", m);
    for (; *topics != '\0'; topics += topics[1] == ',' ? 2 : 1)
        room->chosen[m][room->chosen_count[m]++] = (uint32_t)(*topics - '1');
}

/* Assign anew; returns how many partitions are with another member than before, of those
 * that had one. */
static uint32_t room_assign(struct room *room, enum assignor_kind kind)
{
    struct assignor_member members[MEMBERS];
    struct partition_set next[MEMBERS] = {{0}};
    uint32_t moved = 0;

    /* In reverse: the order in which they are passed does not matter. */
    for (uint32_t i = 0; i < room->member_count; i++) {
        uint32_t m = room->member_count - 1 - i;
        members[i] = (struct assignor_member){
            .member_id = slice_str(room->ids[m]),
            .instance_id =
                room->instances[m] == NULL ? SLICE_NULL : slice_str(room->instances[m]),
            .topics = room->chosen[m],
            .topic_count = room->chosen_count[m],
            .current = &room->targets[m],
            .target = &next[m]};
    }
    assignor_run(kind, room->topics, room->topic_count, members, room->member_count);
    for (uint32_t m = 0; m < room->member_count; m++) {
        struct partition_set lost = {0};
        partition_set_subtract(&lost, &room->targets[m], &next[m]);
        moved += (uint32_t)partition_set_count(&lost);
        partition_set_fini(&lost);
        partition_set_move(&room->targets[m], &next[m]);
    }
    return moved;
}

static uint64_t load(const struct room *room, uint32_t m)
{
    return partition_set_count(&room->targets[m]);
}

/* Every partition that somebody reads has one owner, who reads it. */
static void check_complete(const struct room *room)
{
    for (uint32_t t = 0; t < room->topic_count; t++) {
        for (int32_t p = 0; p < room->topics[t].partitions; p++) {
            uint32_t owners = 0, readers = 0;
            for (uint32_t m = 0; m < room->member_count; m++) {
                bool reads = false;
                for (uint32_t i = 0; i < room->chosen_count[m]; i++)
                    reads |= room->chosen[m][i] == t;
                bool owns =
                    partition_set_has(&room->targets[m], &room->topics[t].topic_id, p);
                assert_true(reads || !owns);
                owners += owns;
                readers += reads;
            }
            assert_int_equal(owners, readers > 0);
        }
    }
}

/* Nobody could take a partition of somebody who has two more than itself. */
static void check_even(const struct room *room)
{
    for (uint32_t m = 0; m < room->member_count; m++) {
        for (uint32_t i = 0; i < room->chosen_count[m]; i++) {
            const struct uuid *id = &room->topics[room->chosen[m][i]].topic_id;
            for (uint32_t other = 0; other < room->member_count; other++) {
                if (partition_set_topic(&room->targets[other], id) != NULL)
                    assert_true(load(room, other) < load(room, m) + 2);
            }
        }
    }
}

static void room_fini(struct room *room)
{
    for (uint32_t m = 0; m < room->member_count; m++)
        partition_set_fini(&room->targets[m]);
}

/* All read the same: everybody has as many as everybody else, or one more. */
static void test_uniform_even(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 7);
    room_topic(&room, 4);
    for (int i = 0; i < 3; i++)
        room_member(&room, "1,2");
    room_assign(&room, ASSIGNOR_UNIFORM);
    check_complete(&room);
    check_even(&room);
    assert_int_equal(load(&room, 0), 4);
    assert_int_equal(load(&room, 1), 4);
    assert_int_equal(load(&room, 2), 3);
    room_fini(&room);
}

/* Partitions of one topic spread over the members. */
static void test_uniform_spread(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 2);
    room_topic(&room, 2);
    room_member(&room, "1,2");
    room_member(&room, "1,2");
    room_assign(&room, ASSIGNOR_UNIFORM);
    assert_string_equal(set_text(&room.targets[0]), "1:0 2:0");
    assert_string_equal(set_text(&room.targets[1]), "1:1 2:1");
    room_fini(&room);
}

/* One more member moves what it gets, and nothing else; without change nothing moves. */
static void test_uniform_sticky(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 100);
    for (int i = 0; i < 9; i++)
        room_member(&room, "1");
    assert_int_equal(room_assign(&room, ASSIGNOR_UNIFORM), 0);
    assert_int_equal(room_assign(&room, ASSIGNOR_UNIFORM), 0);
    room_member(&room, "1");
    assert_int_equal(room_assign(&room, ASSIGNOR_UNIFORM), 10);
    assert_int_equal(load(&room, 9), 10);
    check_even(&room);
    /* A member goes: only what it had moves (it counts as lost, and is not there). */
    partition_set_fini(&room.targets[9]);
    room.member_count--;
    assert_int_equal(room_assign(&room, ASSIGNOR_UNIFORM), 0);
    check_complete(&room);
    check_even(&room);
    room_fini(&room);
}

/* What no longer is there, and what two claim, is not kept. */
static void test_uniform_stale(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 2);
    room_member(&room, "1");
    room_member(&room, "1");
    set_parse("1:0,5 7:1", &room.targets[0]);
    set_parse("1:0", &room.targets[1]);
    room_assign(&room, ASSIGNOR_UNIFORM);
    check_complete(&room);
    assert_string_equal(set_text(&room.targets[0]), "1:0");
    room_fini(&room);
}

/* Members that read different topics: as even as their choices let it be. */
static void test_uniform_heterogeneous(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 6);
    room_topic(&room, 6);
    room_member(&room, "1");
    room_member(&room, "1,2");
    room_member(&room, "2");
    room_assign(&room, ASSIGNOR_UNIFORM);
    check_complete(&room);
    check_even(&room);
    for (uint32_t m = 0; m < 3; m++)
        assert_int_equal(load(&room, m), 4);
    assert_int_equal(room_assign(&room, ASSIGNOR_UNIFORM), 0);
    room_fini(&room);
}

/* A topic that only one reads is that one's, and the others have the rest. */
static void test_uniform_narrow(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 10);
    room_topic(&room, 4);
    room_member(&room, "1,2");
    room_member(&room, "2");
    room_member(&room, "2");
    room_assign(&room, ASSIGNOR_UNIFORM);
    check_complete(&room);
    check_even(&room);
    assert_int_equal(load(&room, 0), 10);
    room_fini(&room);
}

/* Random groups: complete and even, and a second time nothing moves. */
static void test_uniform_random(void **state)
{
    uint32_t seed = 1;
    (void)state;
    for (int round = 0; round < 300; round++) {
        struct room room = {.topic_count = 0};
#define NEXT(n) ((seed = seed * 1664525u + 1013904223u) >> 8) % (n)
        uint32_t topics = 1 + NEXT(6), members = 1 + NEXT(12);
        for (uint32_t t = 0; t < topics; t++)
            room_topic(&room, 1 + (int32_t)NEXT(15));
        for (uint32_t m = 0; m < members; m++) {
            char text[32] = "";
            for (uint32_t t = 0; t < topics; t++) {
                if (NEXT(2) == 0)
                    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                                   "%s%u", text[0] == '\0' ? "" : ",", t + 1);
            }
            room_member(&room, text);
        }
        room_assign(&room, ASSIGNOR_UNIFORM);
        check_complete(&room);
        check_even(&room);
        assert_int_equal(room_assign(&room, ASSIGNOR_UNIFORM), 0);
        room_member(&room, "1");
        room_assign(&room, ASSIGNOR_UNIFORM);
        check_complete(&room);
        check_even(&room);
        room_fini(&room);
    }
}

/* Each topic in ranges; with the same subscriptions the same numbers go together. */
static void test_range(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 5);
    room_topic(&room, 5);
    room_member(&room, "1,2");
    room_member(&room, "1,2");
    room_assign(&room, ASSIGNOR_RANGE);
    check_complete(&room);
    assert_string_equal(set_text(&room.targets[0]), "1:0,1,2 2:0,1,2");
    assert_string_equal(set_text(&room.targets[1]), "1:3,4 2:3,4");
    room_fini(&room);
}

/* Who does not read a topic has none of its ranges. */
static void test_range_heterogeneous(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 4);
    room_topic(&room, 4);
    room_member(&room, "1");
    room_member(&room, "1,2");
    room_member(&room, "2");
    room_assign(&room, ASSIGNOR_RANGE);
    check_complete(&room);
    assert_string_equal(set_text(&room.targets[0]), "1:0,1");
    assert_string_equal(set_text(&room.targets[1]), "1:2,3 2:0,1");
    assert_string_equal(set_text(&room.targets[2]), "2:2,3");
    room_fini(&room);
}

/* Static members come first, by their instances: a new member id changes no place. */
static void test_static_order(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_topic(&room, 3);
    for (int i = 0; i < 3; i++)
        room_member(&room, "1");
    room.instances[1] = "z";
    room.instances[2] = "y";
    room_assign(&room, ASSIGNOR_RANGE);
    assert_string_equal(set_text(&room.targets[2]), "1:0");
    assert_string_equal(set_text(&room.targets[1]), "1:1");
    assert_string_equal(set_text(&room.targets[0]), "1:2");
    room_fini(&room);
}

/* Nobody, or nothing to read, is no assignment. */
static void test_nothing(void **state)
{
    struct room room = {.topic_count = 0};
    (void)state;
    room_member(&room, "");
    room_assign(&room, ASSIGNOR_UNIFORM);
    room_topic(&room, 3);
    room_assign(&room, ASSIGNOR_RANGE);
    room_assign(&room, ASSIGNOR_UNIFORM);
    assert_int_equal(load(&room, 0), 0);
    room.member_count = 0;
    room_assign(&room, ASSIGNOR_UNIFORM);
    room_fini(&room);
}

/* The names are Kafka's. */
static void test_names(void **state)
{
    (void)state;
    assert_int_equal(assignor_by_name(SLICE_LITERAL("uniform")), ASSIGNOR_UNIFORM);
    assert_int_equal(assignor_by_name(SLICE_LITERAL("range")), ASSIGNOR_RANGE);
    assert_int_equal(assignor_by_name(SLICE_LITERAL("Range")), ASSIGNOR_KINDS);
    assert_string_equal(assignor_name(ASSIGNOR_RANGE), "range");
}

/* ---- sets of partitions ---- */

static const char *combined(void (*combine)(struct partition_set *out,
                                            const struct partition_set *a,
                                            const struct partition_set *b),
                            const char *a, const char *b)
{
    struct partition_set x, y, out = {0};
    set_parse(a, &x);
    set_parse(b, &y);
    combine(&out, &x, &y);
    const char *text = set_text(&out);
    partition_set_fini(&x);
    partition_set_fini(&y);
    partition_set_fini(&out);
    return text;
}

static void unite(struct partition_set *out, const struct partition_set *a,
                  const struct partition_set *b)
{
    partition_set_copy(out, a);
    partition_set_merge(out, b);
}

/* Sets are combined partition by partition; topics without any are not in them. */
static void test_sets(void **state)
{
    (void)state;
    assert_string_equal(combined(partition_set_intersect, "1:0,1,5 2:1", "1:1,2,5 3:1"),
                        "1:1,5");
    assert_string_equal(combined(partition_set_subtract, "1:0,1,5 2:1", "1:1,2,5 3:1"),
                        "1:0 2:1");
    assert_string_equal(combined(partition_set_subtract, "1:0,1", "1:0,1"), "");
    assert_string_equal(combined(unite, "1:5 3:1", "1:0,5 2:9"), "1:0,5 2:9 3:1");
}

/* A set is made of what comes in any order, and twice. */
static void test_set_build(void **state)
{
    struct partition_pair pairs[] = {{test_uuid(2, 3), 1},
                                     {test_uuid(2, 1), 9},
                                     {test_uuid(2, 1), 0},
                                     {test_uuid(2, 3), 1},
                                     {test_uuid(2, 1), 9}};
    struct partition_set set = {0};
    (void)state;

    partition_set_build(&set, pairs, 5);
    assert_string_equal(set_text(&set), "1:0,9 3:1");
    partition_set_fini(&set);
    partition_set_build(&set, NULL, 0);
    assert_int_equal(set.topic_count, 0);
}

/* What is written is read back; anything else is refused and leaves nothing. */
static void test_set_bytes(void **state)
{
    struct partition_set set, back = {0};
    struct reader r;
    struct str bytes;
    (void)state;

    str_init(&bytes, 4096);
    set_parse("1:0,1,5 4:99", &set);
    partition_set_write(&set, &bytes);
    reader_init(&r, str_slice(&bytes));
    partition_set_read(&back, &r, 4);
    assert_false(r.failed);
    assert_true(partition_set_equal(&set, &back));
    partition_set_fini(&back);
    reader_init(&r, str_slice(&bytes));
    partition_set_read(&back, &r, 3);
    assert_true(r.failed);
    for (size_t len = 0; len < bytes.len; len++) {
        reader_init(&r, slice_of(bytes.data, len));
        partition_set_read(&back, &r, 4);
        assert_true(r.failed);
        assert_int_equal(back.topic_count, 0);
    }
    bytes.data[bytes.len - 1] = 0; /* partition 0 of topic 4: fine */
    reader_init(&r, str_slice(&bytes));
    partition_set_read(&back, &r, 4);
    assert_string_equal(set_text(&back), "1:0,1,5 4:0");
    partition_set_fini(&back);
    partition_set_fini(&set);
    str_fini(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uniform_even),
        cmocka_unit_test(test_uniform_spread),
        cmocka_unit_test(test_uniform_sticky),
        cmocka_unit_test(test_uniform_stale),
        cmocka_unit_test(test_uniform_heterogeneous),
        cmocka_unit_test(test_uniform_narrow),
        cmocka_unit_test(test_uniform_random),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_range_heterogeneous),
        cmocka_unit_test(test_static_order),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_set_build),
        cmocka_unit_test(test_set_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
