/* test_coordinator.c - timers of groups: who has been silent for too long, when a phase
 * of a rebalance is over, and that a touch costs nothing. On the product's own state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "controlplane/coordinator.h"
#include "tests/lib/state_driver.h"

#define TEXT(s) SLICE_LITERAL(s)

#define DELAY_MS     3000
#define SESSION_MS   10000
#define REBALANCE_MS 60000

static struct driver d;
static struct coordinator *coordinator;
static struct arena arena;
static int64_t now; /* monotonic */
static unsigned noted;

static void on_group(void *arg, const struct cluster *cluster, const struct group *group)
{
    (void)arg;
    if (coordinator != NULL)
        coordinator_note(coordinator, &cluster->cluster_id, group->group_id);
}

static void on_noted(void *arg)
{
    (void)arg;
    noted++;
}

static struct coordinator *make(int64_t delay_ms)
{
    const struct coordinator_options options = {.initial_delay_ms = delay_ms,
                                                .on_noted = on_noted};
    return coordinator_new(&options);
}

static int setup(void **state)
{
    static const struct state_events events = {.on_group = on_group};
    (void)state;
    now = 1000000;
    noted = 0;
    driver_init(&d, &events);
    driver_cluster(&d, 1);
    arena_init(&arena, MIB);
    coordinator = make(DELAY_MS);
    coordinator_begin(coordinator, d.state, now);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    coordinator_free(coordinator);
    coordinator = NULL;
    arena_fini(&arena);
    driver_fini(&d);
    return 0;
}

/* --- what clients do --- */

static struct command_result join_for(const char *group, const char *id, bool known,
                                      int32_t rebalance_ms)
{
    static const uint8_t metadata[] = {'m'};
    const struct join_protocol protocol = {TEXT("range"), slice_of(metadata, 1)};
    struct command cmd = {.kind = COMMAND_GROUP_JOIN,
                          .group_join = {.group_id = slice_str(group),
                                         .member_id = known ? slice_str(id) : TEXT(""),
                                         .new_member_id = slice_str(id),
                                         .client_id = TEXT("c"),
                                         .client_host = TEXT("/::1"),
                                         .session_ms = SESSION_MS,
                                         .rebalance_ms = rebalance_ms,
                                         .protocol_type = TEXT("consumer"),
                                         .protocols = &protocol,
                                         .protocol_count = 1,
                                         .limits = {.members_max = 1000,
                                                    .groups_max = 200000,
                                                    .session_min_ms = 1,
                                                    .session_max_ms = 1800000}}};
    struct command_result result = driver_apply(&d, &cmd);
    coordinator_settle(coordinator, d.state, now);
    return result;
}

static void join(const char *id)
{
    assert_int_equal(join_for("g", id, false, REBALANCE_MS).kafka_error, 0);
}

static void rejoin(const char *id)
{
    assert_int_equal(join_for("g", id, true, REBALANCE_MS).kafka_error, 0);
}

static const struct group *group_named(const char *name)
{
    return state_group(state_cluster(d.state, &d.cluster_id), slice_str(name));
}

static const struct group *group(void)
{
    return group_named("g");
}

static void sync_as(const char *id, const char *assigns_to)
{
    const struct sync_assignment assignment = {slice_str(assigns_to), TEXT("a")};
    struct command cmd = {.kind = COMMAND_GROUP_SYNC,
                          .group_sync = {.group_id = TEXT("g"),
                                         .generation = group()->generation,
                                         .member_id = slice_str(id),
                                         .assignments = &assignment,
                                         .assignment_count = assigns_to[0] != '\0'}};
    assert_int_equal(driver_apply(&d, &cmd).kafka_error, 0);
    coordinator_settle(coordinator, d.state, now);
}

static void touch(const char *id)
{
    coordinator_touch(coordinator, &d.cluster_id, TEXT("g"), slice_str(id), now);
}

static void consumer_beat(const char *id, int32_t epoch, int32_t owned)
{
    static const struct slice name = {(const uint8_t *)"topic-1", 7};
    static const int32_t all[] = {0, 1, 2, 3};
    const struct owned_topic topic = {test_uuid(2, 1), all, (uint32_t)MAX(owned, 0)};
    struct command cmd = {
        .kind = COMMAND_CONSUMER_HEARTBEAT,
        .consumer_heartbeat = {.group_id = TEXT("k"),
                               .member_id = slice_str(id),
                               .member_epoch = epoch,
                               .client_id = TEXT("c"),
                               .client_host = TEXT("h"),
                               .rebalance_ms = epoch == 0 ? 20000 : -1,
                               .has_names = epoch == 0,
                               .names = &name,
                               .name_count = 1,
                               .has_owned = owned >= 0,
                               .owned = &topic,
                               .owned_count = owned > 0 ? 1 : 0,
                               .limits = {.members_max = 10, .groups_max = 10}}};
    assert_int_equal(driver_apply(&d, &cmd).kafka_error, 0);
    coordinator_settle(coordinator, d.state, now);
}

static void touch_consumer(const char *id)
{
    coordinator_touch(coordinator, &d.cluster_id, TEXT("k"), slice_str(id), now);
}

/* --- the clock --- */

/* What is due at NOW, without applying it. */
static bool next(struct command *cmd)
{
    arena_fini(&arena);
    arena_init(&arena, MIB);
    return coordinator_next(coordinator, d.state, now, &arena, cmd);
}

/* Let MS pass; apply what becomes due, as the leader would. Returns how many commands. */
static unsigned pass(int64_t ms)
{
    int64_t until = now + ms;
    unsigned count = 0;
    while (now < until) {
        struct command cmd;
        int64_t at = coordinator_next_at_ms(coordinator);
        now = MIN(MAX(at, now + 1), until);
        while (next(&cmd)) {
            cmd.cluster_id = d.cluster_id;
            driver_apply(&d, &cmd);
            coordinator_settle(coordinator, d.state, now);
            count++;
        }
    }
    return count;
}

/* A stable group of "a", the leader, and "b". */
static void make_stable(void)
{
    join("a");
    join("b");
    pass(2 * DELAY_MS);
    assert_int_equal(group()->state, GROUP_COMPLETING);
    touch("a");
    touch("b");
    sync_as("a", "b");
    sync_as("b", "");
    assert_int_equal(group()->state, GROUP_STABLE);
}

/* --- tests --- */

/* The first rebalance of an empty group ends when the initial delay has passed. */
static void initial_delay(void **state)
{
    (void)state;
    join("a");
    pass(DELAY_MS - 1);
    assert_int_equal(group()->state, GROUP_PREPARING);
    pass(1);
    assert_int_equal(group()->state, GROUP_COMPLETING);
    assert_int_equal(group()->generation, 1);
}

/* A member that comes during the initial delay makes it go on for as long again. */
static void initial_delay_extended(void **state)
{
    (void)state;
    join("a");
    pass(DELAY_MS - 1);
    join("b");
    pass(DELAY_MS);
    assert_int_equal(group()->state, GROUP_PREPARING);
    pass(1);
    assert_int_equal(group()->state, GROUP_COMPLETING);
    assert_int_equal(group()->member_count, 2);
}

/* However many come, the initial delay ends with the rebalance timeout. */
static void initial_delay_bounded(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        char id[16];
        snprintf(id, sizeof(id), "m%d", i);
        assert_int_equal(join_for("g", id, false, 2 * DELAY_MS + 500).kafka_error, 0);
        pass(DELAY_MS / 2);
    }
    assert_int_equal(group()->state, GROUP_COMPLETING);
}

/* Without an initial delay the first rebalance ends at once. */
static void no_delay(void **state)
{
    (void)state;
    coordinator_free(coordinator);
    coordinator = make(0);
    coordinator_begin(coordinator, d.state, now);
    join("a");
    assert_true(coordinator_next_at_ms(coordinator) <= now);
    pass(1);
    assert_int_equal(group()->state, GROUP_COMPLETING);
}

/* A member of a stable group that is silent for its session timeout is removed. */
static void session_expires(void **state)
{
    (void)state;
    make_stable();
    pass(SESSION_MS - 1);
    touch("a");
    assert_non_null(group_find_member(group(), TEXT("b")));
    pass(1);
    assert_null(group_find_member(group(), TEXT("b")));
    assert_non_null(group_find_member(group(), TEXT("a")));
    assert_int_equal(group()->state, GROUP_PREPARING);
}

/* A touch before the session is over begins it anew. */
static void touch_keeps_alive(void **state)
{
    (void)state;
    make_stable();
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pass(SESSION_MS - 1), 0);
        touch("a");
        touch("b");
    }
    assert_int_equal(group()->member_count, 2);
    assert_int_equal(pass(SESSION_MS), 1);
}

/* Members of a group that expire together go by one command. */
static void expiries_batched(void **state)
{
    struct command cmd;
    (void)state;
    make_stable();
    now += SESSION_MS;
    assert_true(next(&cmd));
    assert_int_equal(cmd.kind, COMMAND_GROUP_EXPIRE);
    assert_int_equal(cmd.group_expire.member_count, 2);
    assert_int_equal(cmd.group_expire.members[0].epoch, group()->generation);
    assert_false(next(&cmd));
}

/* What is due and not applied is due again after a second, and not before. */
static void due_again(void **state)
{
    struct command cmd;
    (void)state;
    make_stable();
    now += SESSION_MS;
    assert_true(next(&cmd));
    now += 999;
    assert_false(next(&cmd));
    now += 1;
    assert_true(next(&cmd));
    assert_int_equal(cmd.kind, COMMAND_GROUP_EXPIRE);
}

/* Who waits in the join phase does not expire, who has not joined yet does. */
static void waiting_does_not_expire(void **state)
{
    (void)state;
    make_stable();
    rejoin("a");
    assert_int_equal(group()->state, GROUP_PREPARING);
    pass(SESSION_MS);
    assert_null(group_find_member(group(), TEXT("b")));
    assert_non_null(group_find_member(group(), TEXT("a")));
}

/* The rebalance timeout ends the join phase without those who did not join, though they
 * heartbeat. */
static void rebalance_timeout(void **state)
{
    (void)state;
    make_stable();
    rejoin("a");
    for (int64_t passed = 0; passed < REBALANCE_MS - 5000; passed += 5000) {
        pass(5000);
        touch("b");
    }
    assert_int_equal(group()->state, GROUP_PREPARING);
    pass(5000);
    assert_int_equal(group()->state, GROUP_COMPLETING);
    assert_int_equal(group()->member_count, 1);
}

/* Who does not ask for its assignment within the rebalance timeout is removed, though it
 * heartbeats. */
static void sync_timeout(void **state)
{
    (void)state;
    join("a");
    join("b");
    pass(2 * DELAY_MS);
    assert_int_equal(group()->state, GROUP_COMPLETING);
    for (int64_t passed = 0; passed < REBALANCE_MS; passed += 5000) {
        touch("a");
        touch("b");
        if (passed == 0)
            sync_as("b", "");
        pass(5000);
    }
    assert_null(group_find_member(group(), TEXT("a")));
    assert_non_null(group_find_member(group(), TEXT("b")));
}

/* ... and so is a follower, when the leader has assigned long before. */
static void sync_timeout_of_follower(void **state)
{
    (void)state;
    join("a");
    join("b");
    pass(2 * DELAY_MS);
    sync_as("a", "b");
    assert_int_equal(group()->state, GROUP_STABLE);
    for (int64_t passed = 0; passed < REBALANCE_MS; passed += 5000) {
        assert_non_null(group_find_member(group(), TEXT("b")));
        touch("a");
        touch("b");
        pass(5000);
    }
    assert_null(group_find_member(group(), TEXT("b")));
    assert_int_equal(group()->state, GROUP_PREPARING);
}

/* An id that was given out and not used expires with the session timeout that was asked
 * for. */
static void pending_expires(void **state)
{
    const struct join_protocol protocol = {TEXT("range"), TEXT("m")};
    struct command cmd = {.kind = COMMAND_GROUP_JOIN,
                          .group_join = {.group_id = TEXT("g"),
                                         .member_id = TEXT(""),
                                         .new_member_id = TEXT("p"),
                                         .client_id = TEXT("c"),
                                         .client_host = TEXT("h"),
                                         .session_ms = SESSION_MS,
                                         .rebalance_ms = REBALANCE_MS,
                                         .protocol_type = TEXT("consumer"),
                                         .protocols = &protocol,
                                         .protocol_count = 1,
                                         .require_known_id = true,
                                         .limits = {.members_max = 10,
                                                    .groups_max = 10,
                                                    .session_min_ms = 1,
                                                    .session_max_ms = 1800000}}};
    (void)state;
    assert_int_equal(driver_apply(&d, &cmd).kafka_error, 79);
    coordinator_settle(coordinator, d.state, now);
    assert_int_equal(group()->pending_count, 1);
    pass(SESSION_MS - 1);
    assert_int_equal(group()->pending_count, 1);
    pass(1);
    assert_true(group() == NULL || group()->pending_count == 0);
}

/* A new leader gives every member a whole session, and every phase its whole time. */
static void new_leader_begins_afresh(void **state)
{
    (void)state;
    make_stable();
    now += SESSION_MS - 1;
    coordinator_end(coordinator);
    assert_false(coordinator_active(coordinator));
    coordinator_begin(coordinator, d.state, now);
    assert_int_equal(pass(SESSION_MS - 1), 0);
    assert_int_equal(pass(1), 1);
}

/* Who does not lead has no timers, whatever it hears. */
static void idle_without_leadership(void **state)
{
    struct command cmd;
    (void)state;
    coordinator_end(coordinator);
    join("a");
    touch("a");
    assert_true(coordinator_next_at_ms(coordinator) == INT64_MAX);
    now += REBALANCE_MS;
    assert_false(next(&cmd));
}

/* A deleted cluster takes its timers with it. */
static void cluster_deleted(void **state)
{
    struct command cmd = {.kind = COMMAND_CLUSTER_DELETE};
    struct coordinator_counts counts;
    (void)state;
    make_stable();
    cmd.cluster_id = d.cluster_id;
    assert_int_equal(driver_apply(&d, &cmd).code, 0);
    now += SESSION_MS;
    assert_false(next(&cmd));
    coordinator_count(coordinator, &counts);
    assert_int_equal(counts.groups, 0);
    assert_int_equal(counts.members, 0);
}

/* Groups are counted by what they are in, as the metrics tell. */
static void counted(void **state)
{
    struct coordinator_counts counts;
    (void)state;
    driver_topic(&d, 1, 4);
    make_stable();
    consumer_beat("m", 0, 0);
    assert_int_equal(join_for("h", "a", false, REBALANCE_MS).kafka_error, 0);
    coordinator_count(coordinator, &counts);
    assert_int_equal(counts.groups, 3);
    assert_int_equal(counts.members, 4);
    assert_int_equal(counts.stable, 2);
    assert_int_equal(counts.consumer, 1);
    assert_int_equal(counts.rebalances_total, 1);
    coordinator_end(coordinator);
    coordinator_count(coordinator, &counts);
    assert_int_equal(counts.groups + counts.members + counts.stable + counts.consumer, 0);
}

/* A group whose last member leaves has no timers any more. */
static void empty_group_forgotten(void **state)
{
    const struct group_leaver leaver = {TEXT("a"), SLICE_NULL};
    struct command cmd = {
        .kind = COMMAND_GROUP_LEAVE,
        .group_leave = {.group_id = TEXT("g"), .members = &leaver, .member_count = 1}};
    struct coordinator_counts counts;
    (void)state;
    join("a");
    driver_apply(&d, &cmd);
    coordinator_settle(coordinator, d.state, now);
    coordinator_count(coordinator, &counts);
    assert_int_equal(counts.groups, 0);
    assert_true(coordinator_next_at_ms(coordinator) == INT64_MAX);
}

/* However often a group changes between two settles, it is told once and looked at once.
 */
static void told_once(void **state)
{
    (void)state;
    noted = 0;
    for (int i = 0; i < 10; i++)
        coordinator_note(coordinator, &d.cluster_id, TEXT("g"));
    coordinator_note(coordinator, &d.cluster_id, TEXT("h"));
    assert_int_equal(noted, 1);
    coordinator_settle(coordinator, d.state, now);
    coordinator_note(coordinator, &d.cluster_id, TEXT("g"));
    assert_int_equal(noted, 2);
}

/* Groups of the same name in different clusters, and of different names, do not meet. */
static void groups_apart(void **state)
{
    (void)state;
    make_stable();
    struct uuid first = d.cluster_id;
    driver_cluster(&d, 2);
    join("a");
    assert_int_equal(join_for("h", "a", false, REBALANCE_MS).kafka_error, 0);
    pass(2 * DELAY_MS);
    assert_int_equal(group()->state, GROUP_COMPLETING);
    assert_int_equal(group_named("h")->state, GROUP_COMPLETING);
    d.cluster_id = first;
    assert_int_equal(group()->state, GROUP_STABLE);
}

/* A member of a consumer group has the group's session timeout, Kafka's 45 s unless set.
 */
static void consumer_session(void **state)
{
    (void)state;
    driver_topic(&d, 1, 4);
    consumer_beat("m", 0, 0);
    pass(44000);
    touch_consumer("m");
    assert_int_equal(pass(44999), 0);
    assert_int_equal(pass(1), 1);
    assert_true(group_named("k") == NULL || group_named("k")->member_count == 0);
}

/* One that heartbeats and does not give up what it shall is removed when its rebalance
 * timeout is over: the others wait for it. */
static void consumer_must_give_up(void **state)
{
    (void)state;
    driver_topic(&d, 1, 4);
    consumer_beat("m", 0, 0);
    consumer_beat("n", 0, 0); /* a new target: m shall give up two */
    consumer_beat("m", 1, 4);
    for (int i = 0; i < 19; i++) {
        assert_int_equal(pass(1000), 0);
        touch_consumer("m");
        touch_consumer("n");
    }
    assert_int_equal(group_named("k")->member_count, 2);
    assert_int_equal(pass(1000), 1);
    assert_null(group_find_member(group_named("k"), TEXT("m")));
    assert_non_null(group_find_member(group_named("k"), TEXT("n")));
}

/* Members by the ten thousand: all expire in the order of their last touch. */
static void many(void **state)
{
    struct command cmd;
    struct coordinator_counts counts;
    enum { GROUPS = 5000 };
    (void)state;
    for (int i = 0; i < GROUPS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "g%d", i);
        assert_int_equal(join_for(name, "a", false, REBALANCE_MS).kafka_error, 0);
    }
    coordinator_count(coordinator, &counts);
    assert_int_equal(counts.members, GROUPS);
    pass(2 * DELAY_MS);
    for (int round = 0; round < 3; round++) {
        now += 5000;
        for (int i = 0; i < GROUPS; i++) {
            char name[16];
            int n = (int)(((unsigned)i * 7919u) % GROUPS);
            snprintf(name, sizeof(name), "g%d", n);
            coordinator_touch(coordinator, &d.cluster_id, slice_str(name), TEXT("a"),
                              now);
        }
    }
    now += SESSION_MS - 1;
    assert_false(next(&cmd));
    now += 1;
    for (int i = 0; i < GROUPS; i++)
        assert_true(next(&cmd));
    assert_false(next(&cmd));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(initial_delay),
        T(initial_delay_extended),
        T(initial_delay_bounded),
        T(no_delay),
        T(session_expires),
        T(touch_keeps_alive),
        T(expiries_batched),
        T(due_again),
        T(waiting_does_not_expire),
        T(rebalance_timeout),
        T(sync_timeout),
        T(sync_timeout_of_follower),
        T(pending_expires),
        T(new_leader_begins_afresh),
        T(idle_without_leadership),
        T(cluster_deleted),
        T(counted),
        T(empty_group_forgotten),
        T(told_once),
        T(groups_apart),
        T(consumer_session),
        T(consumer_must_give_up),
        T(many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
