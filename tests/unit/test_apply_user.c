/* test_apply_user.c - users, tokens, limits and versions of a cluster and of the cell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "tests/lib/state_driver.h"

static int setup(void **state)
{
    struct driver *d = mem_zalloc(sizeof(*d));
    driver_init(d, NULL);
    driver_cluster(d, 2);
    driver_cluster(d, 1);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    driver_fini(*state);
    mem_free(*state);
    return 0;
}

static struct command user_command(uint32_t cluster, uint32_t number, const char *name,
                                   enum role role)
{
    struct command cmd = {.kind = COMMAND_USER_PUT, .cluster_id = test_uuid(1, cluster)};
    cmd.user_put.user_id = test_uuid(6, number);
    cmd.user_put.name = slice_str(name);
    cmd.user_put.role = role;
    return cmd;
}

static struct command token_command(uint32_t cluster, uint32_t number, uint32_t user)
{
    struct command cmd = {.kind = COMMAND_TOKEN_CREATE,
                          .cluster_id = test_uuid(1, cluster)};
    cmd.token_create.token_id = test_uuid(4, number);
    memset(cmd.token_create.hash, (int)number, SHA256_LEN);
    cmd.token_create.token_kind = TOKEN_API;
    cmd.token_create.role = ROLE_ADMIN;
    if (user != 0)
        cmd.token_create.user_id = test_uuid(6, user);
    return cmd;
}

/* A user has an id for ever, a name that is unique in its cluster, and a role that fits:
 * operators are the cell's, all others a cluster's (I10: another cluster's id is not to
 * be had). */
static void test_users(void **state)
{
    struct driver *d = *state;
    struct command ann = user_command(1, 1, "ann", ROLE_ADMIN);
    struct command other = user_command(1, 2, "ann", ROLE_VIEWER);
    struct command theirs = user_command(2, 1, "x", ROLE_ADMIN);
    struct command vendor = user_command(1, 3, "op", ROLE_OPERATOR);
    struct command elsewhere = user_command(2, 4, "ann", ROLE_VIEWER);

    assert_int_equal(driver_apply(d, &ann).code, 0);
    assert_int_equal(driver_apply(d, &ann).code, 0);
    assert_int_equal(driver_apply(d, &other).code, ERR_EXISTS);
    assert_int_equal(driver_apply(d, &theirs).code, ERR_EXISTS);
    assert_int_equal(driver_apply(d, &vendor).code, ERR_INVALID);
    assert_int_equal(driver_apply(d, &elsewhere).code, 0);
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);
    const struct user *user = state_user_next(d->state, cluster, NULL);
    assert_string_equal(user->name, "ann");
    assert_null(state_user_next(d->state, cluster, user));
}

/* What is altered or removed under another version than the present one stays. */
static void test_versions(void **state)
{
    struct driver *d = *state;
    struct command put = user_command(1, 1, "ann", ROLE_ADMIN);
    struct command gone = {.kind = COMMAND_USER_REMOVE, .cluster_id = d->cluster_id};

    uint64_t version = driver_apply(d, &put).version;
    put.if_version = version;
    assert_true(driver_apply(d, &put).version > version);
    assert_int_equal(driver_apply(d, &put).code, ERR_STALE);
    gone.user_remove.user_id = test_uuid(6, 1);
    gone.if_version = version;
    assert_int_equal(driver_apply(d, &gone).code, ERR_STALE);
    assert_non_null(state_user(d->state, &gone.user_remove.user_id));
    gone.if_version = 0;
    assert_int_equal(driver_apply(d, &gone).code, 0);
    assert_int_equal(driver_apply(d, &gone).code, ERR_NOT_FOUND);
    put.if_version = version;
    assert_int_equal(driver_apply(d, &put).code, ERR_STALE); /* not made again */
}

/* A token belongs to a user of the same cluster or to nobody, and goes with the user. */
static void test_tokens_of_users(void **state)
{
    struct driver *d = *state;
    struct command user = user_command(1, 1, "ann", ROLE_ADMIN);
    struct command mine = token_command(1, 1, 1), machine = token_command(1, 2, 0);
    struct command theirs = token_command(2, 3, 1), nobody = token_command(1, 4, 9);
    struct command gone = {.kind = COMMAND_USER_REMOVE, .cluster_id = d->cluster_id};

    driver_apply(d, &user);
    assert_int_equal(driver_apply(d, &mine).code, 0);
    assert_int_equal(driver_apply(d, &machine).code, 0);
    assert_int_equal(driver_apply(d, &theirs).code, ERR_NOT_FOUND);
    assert_int_equal(driver_apply(d, &nobody).code, ERR_NOT_FOUND);
    const struct token *token = state_token(d->state, mine.token_create.hash);
    assert_string_equal(token->user->name, "ann");
    gone.user_remove.user_id = test_uuid(6, 1);
    driver_apply(d, &gone);
    assert_null(state_token(d->state, mine.token_create.hash));
    assert_non_null(state_token(d->state, machine.token_create.hash));
}

/* Roles of tokens: an operator's without a cluster only, a join token for the cell only;
 * one id has one text. */
static void test_token_roles(void **state)
{
    struct driver *d = *state;
    struct command cmd = token_command(1, 1, 0);

    cmd.token_create.role = ROLE_OPERATOR;
    assert_int_equal(driver_apply(d, &cmd).code, ERR_INVALID);
    cmd.token_create.token_kind = TOKEN_JOIN;
    assert_int_equal(driver_apply(d, &cmd).code, ERR_INVALID);
    cmd.cluster_id = UUID_ZERO;
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    cmd.token_create.token_kind = TOKEN_API;
    cmd.token_create.token_id = test_uuid(4, 2);
    assert_int_equal(driver_apply(d, &cmd).code, ERR_EXISTS); /* the same text */
    cmd.token_create.hash[0]++;
    cmd.token_create.token_id = test_uuid(4, 1);
    assert_int_equal(driver_apply(d, &cmd).code, ERR_EXISTS); /* the same id */
    cmd.token_create.token_id = test_uuid(4, 2);
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    assert_int_equal(state_cell(d->state)->scope.token_count, 2);
}

/* Only its own cluster revokes a token (I10). */
static void test_revocation(void **state)
{
    struct driver *d = *state;
    struct command make = token_command(1, 1, 0);
    struct command gone = {.kind = COMMAND_TOKEN_REMOVE, .cluster_id = test_uuid(1, 2)};

    driver_apply(d, &make);
    gone.token_remove.token_id = test_uuid(4, 1);
    assert_int_equal(driver_apply(d, &gone).code, ERR_NOT_FOUND);
    gone.cluster_id = d->cluster_id;
    assert_int_equal(driver_apply(d, &gone).code, 0);
    assert_null(state_token(d->state, make.token_create.hash));
    assert_null(state_token_by_id(d->state, &gone.token_remove.token_id));
}

/* A cluster takes another name that is free, and limits that go before the stamped ones:
 * topics, partitions, agents, and bytes of metadata, over which commits are refused run
 * by run. */
static void test_limits(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_CLUSTER_ALTER, .cluster_id = d->cluster_id};

    cmd.cluster_alter.name = SLICE_LITERAL("cluster-2");
    assert_int_equal(driver_apply(d, &cmd).code, ERR_EXISTS);
    cmd.cluster_alter.name = SLICE_LITERAL("renamed");
    cmd.cluster_alter.set_limits = true;
    cmd.cluster_alter.limits = (struct cluster_limits){.topics = 1, .partitions = 5};
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    const struct cluster *cluster =
        state_cluster_by_name(d->state, SLICE_LITERAL("renamed"));
    assert_ptr_equal(cluster, state_cluster(d->state, &d->cluster_id));
    assert_int_equal(driver_topic(d, 1, 6).kafka_error, STATE_KAFKA_POLICY_VIOLATION);
    assert_int_equal(driver_topic(d, 1, 5).kafka_error, 0);
    assert_int_equal(driver_topic(d, 2, 1).kafka_error, STATE_KAFKA_POLICY_VIOLATION);
    uint64_t used = state_metadata_bytes(cluster);
    assert_true(used > 5 * METADATA_PARTITION_BYTES);

    cmd.cluster_alter.name = SLICE_NULL;
    cmd.cluster_alter.limits = (struct cluster_limits){.metadata_bytes = used + 1};
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    assert_int_equal(driver_topic(d, 2, 1).kafka_error, STATE_KAFKA_POLICY_VIOLATION);
    const struct test_batch batch = {0, 0, 10, -1, 0, -1, 1, 0};
    struct uuid topic = test_uuid(2, 1);
    for (uint32_t i = 0; i < 2; i++) {
        struct uuid id = test_uuid(9, i);
        struct test_commit c;
        test_commit_init(&c, &id, d->now_ms, &topic, 1, &batch, 1);
        struct commit_result r = driver_commit(d, &c.commit);
        assert_int_equal(r.code, 0);
        assert_int_equal(r.exception_count, i); /* the first one filled it */
        if (i == 1)
            assert_int_equal(r.exceptions[0].kafka_error, STATE_KAFKA_POLICY_VIOLATION);
        test_commit_fini(&c);
    }
}

/* An agent is asked to drain, and its people's wish is not what it says of itself. */
static void test_agent_alter(void **state)
{
    struct driver *d = *state;
    struct command agent = {.kind = COMMAND_AGENT_REGISTER};
    struct command cmd = {.kind = COMMAND_AGENT_ALTER};

    agent.agent_register.agent_id = cmd.agent_alter.agent_id = test_uuid(3, 1);
    agent.agent_register.state = AGENT_ACTIVE;
    agent.agent_register.agents_max = 10;
    cmd.agent_alter.wanted = AGENT_DRAINING;
    assert_int_equal(driver_apply(d, &cmd).code, ERR_NOT_FOUND);
    driver_apply(d, &agent);
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    const struct agent_info *info =
        state_agent(state_cluster(d->state, &d->cluster_id), &cmd.agent_alter.agent_id);
    assert_int_equal(info->wanted, AGENT_DRAINING);
    assert_int_equal(info->state, AGENT_ACTIVE);
    cmd.if_version = info->etag + 1;
    assert_int_equal(driver_apply(d, &cmd).code, ERR_STALE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_users, setup, teardown),
        cmocka_unit_test_setup_teardown(test_versions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tokens_of_users, setup, teardown),
        cmocka_unit_test_setup_teardown(test_token_roles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_revocation, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_agent_alter, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
