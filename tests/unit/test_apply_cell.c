/* test_apply_cell.c - the cell: founded once, nodes with ids for ever, CAs, feature
 * level, backups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/err.h"
#include "common/mem.h"
#include "tests/lib/state_driver.h"

#define TEXT(s) SLICE_LITERAL(s)

static int nodes_heard, cell_heard;

static void on_nodes(void *arg)
{
    (void)arg;
    nodes_heard++;
}

static void on_cell(void *arg)
{
    (void)arg;
    cell_heard++;
}

static struct node_fields node(uint32_t number, uint32_t features_max)
{
    return (struct node_fields){.instance = test_uuid(7, number),
                                .name = TEXT("node"),
                                .peer_address = TEXT("h:7802"),
                                .people_url = TEXT("https://h:7800"),
                                .version = TEXT("0.1.0"),
                                .features_max = features_max,
                                .wanted = WANT_VOTER};
}

static struct ca_fields ca(uint32_t number)
{
    return (struct ca_fields){.ca_id = test_uuid(8, number),
                              .certificate = TEXT("PEM"),
                              .sealed_key = TEXT("sealed")};
}

static struct command_result found(struct driver *d, uint32_t ca_number)
{
    struct command cmd = {.kind = COMMAND_CELL_INIT};
    cmd.cell_init.name = TEXT("eu-1");
    cmd.cell_init.ca = ca(ca_number);
    cmd.cell_init.sealed_token_secret = TEXT("secret, sealed");
    cmd.cell_init.token_id = test_uuid(4, 1);
    cmd.cell_init.token_hash[0] = 9;
    cmd.cell_init.node = node(1, 2);
    return driver_apply(d, &cmd);
}

static struct command_result put_node(struct driver *d, struct node_fields fields)
{
    struct command cmd = {.kind = COMMAND_NODE_PUT, .node_put = fields};
    return driver_apply(d, &cmd);
}

static int remove_node(struct driver *d, uint64_t id)
{
    struct command cmd = {.kind = COMMAND_NODE_REMOVE, .node_remove = {.node_id = id}};
    return driver_apply(d, &cmd).code;
}

static struct command_result raise_level(struct driver *d, uint32_t level)
{
    struct command cmd = {.kind = COMMAND_FEATURE_LEVEL, .feature_level = {level}};
    return driver_apply(d, &cmd);
}

static int setup(void **state)
{
    struct state_events events = {.on_nodes = on_nodes, .on_cell = on_cell};
    struct driver *d = mem_zalloc(sizeof(*d));
    driver_init(d, &events);
    nodes_heard = cell_heard = 0;
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    driver_fini(*state);
    mem_free(*state);
    return 0;
}

/* A cell is founded once, with node 1, a CA and a first operator; the same again is a
 * repeat, another CA a mistake. */
static void test_founding(void **state)
{
    struct driver *d = *state;
    uint8_t hash[SHA256_LEN] = {9};

    assert_false(state_cell(d->state)->founded);
    assert_null(state_ca_active(d->state));
    assert_int_equal(found(d, 1).value, 1);
    assert_true(state_cell(d->state)->founded);
    assert_string_equal(state_cell(d->state)->name, "eu-1");
    assert_string_equal(state_ca_active(d->state)->certificate, "PEM");
    assert_int_equal(state_token(d->state, hash)->role, ROLE_OPERATOR);
    assert_int_equal(found(d, 1).value, 1);
    assert_int_equal(found(d, 2).code, ERR_EXISTS);
    assert_int_equal(state_cell(d->state)->node_count, 1);
    assert_int_equal(nodes_heard, 1);
    assert_int_equal(cell_heard, 1);
}

/* A node's id is given once and never again; a repeated join gets the same one; who was
 * removed is known as such. */
static void test_node_ids(void **state)
{
    struct driver *d = *state;
    struct node_fields third = node(3, 2);

    found(d, 1);
    assert_int_equal(put_node(d, node(2, 2)).value, 2);
    assert_int_equal(put_node(d, node(2, 2)).value, 2);
    assert_int_equal(put_node(d, third).value, 3);
    assert_int_equal(remove_node(d, 3), 0);
    assert_int_equal(remove_node(d, 3), ERR_NOT_FOUND);
    assert_true(state_node_removed(d->state, 3));
    assert_false(state_node_removed(d->state, 2));
    assert_false(state_node_removed(d->state, 4));
    third.node_id = 3;
    assert_int_equal(put_node(d, third).code, ERR_NOT_FOUND);
    assert_int_equal(put_node(d, node(3, 2)).value, 4);
    assert_int_equal(remove_node(d, 1), 0);
    assert_int_equal(remove_node(d, 2), 0);
    assert_int_equal(remove_node(d, 4), ERR_CONFLICT); /* the last */
}

/* A node is altered under its version only; what says nothing new changes nothing. */
static void test_node_version(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_NODE_PUT, .if_version = 1000};

    found(d, 1);
    uint64_t version = state_node(d->state, 1)->etag;
    cmd.node_put = node(1, 2);
    cmd.node_put.node_id = 1;
    cmd.node_put.wanted = WANT_STANDBY;
    assert_int_equal(driver_apply(d, &cmd).code, ERR_STALE);
    cmd.if_version = version;
    assert_int_equal(driver_apply(d, &cmd).code, 0);
    assert_int_equal(state_node(d->state, 1)->wanted, WANT_STANDBY);
    assert_true(state_node(d->state, 1)->etag > version);
    version = state_node(d->state, 1)->etag;
    cmd.if_version = 0;
    assert_int_equal(driver_apply(d, &cmd).version, version);
}

/* The newest CA signs and cannot be removed; the others can; they are bounded. */
static void test_cas(void **state)
{
    struct driver *d = *state;
    struct command add = {.kind = COMMAND_CA_ADD, .ca_add = ca(2)};
    struct command gone = {.kind = COMMAND_CA_REMOVE};

    assert_int_equal(driver_apply(d, &add).code, ERR_CONFLICT); /* no cell yet */
    found(d, 1);
    assert_int_equal(driver_apply(d, &add).code, 0);
    assert_int_equal(driver_apply(d, &add).code, 0);
    assert_int_equal(state_cell(d->state)->ca_count, 2);
    gone.ca_remove.ca_id = test_uuid(8, 2);
    assert_int_equal(driver_apply(d, &gone).code, ERR_CONFLICT);
    gone.ca_remove.ca_id = test_uuid(8, 1);
    assert_int_equal(driver_apply(d, &gone).code, 0);
    assert_int_equal(driver_apply(d, &gone).code, ERR_NOT_FOUND);
    for (uint32_t i = 3; i < 10; i++) {
        add.ca_add = ca(i);
        assert_int_equal(driver_apply(d, &add).code, 0);
    }
    add.ca_add = ca(10);
    assert_int_equal(driver_apply(d, &add).code, ERR_OVERLOADED);
}

/* The feature level rises when all nodes know it, never falls, and a node that does not
 * know it is not taken in. */
static void test_feature_level(void **state)
{
    struct driver *d = *state;

    found(d, 1);
    put_node(d, node(2, 1));
    assert_int_equal(raise_level(d, 2).code, ERR_CONFLICT);
    assert_int_equal(remove_node(d, 2), 0);
    assert_int_equal(raise_level(d, 2).value, 2);
    assert_int_equal(raise_level(d, 2).code, 0);
    assert_int_equal(raise_level(d, 1).code, ERR_CONFLICT);
    assert_int_equal(raise_level(d, 3).code, ERR_CONFLICT);
    assert_int_equal(put_node(d, node(3, 1)).code, ERR_CONFLICT);
    assert_int_equal(put_node(d, node(3, 2)).code, 0);
    assert_int_equal(state_cell(d->state)->feature_level, 2);
}

/* The last hundred backups are remembered; a repeat is none. */
static void test_backups(void **state)
{
    struct driver *d = *state;
    struct command cmd = {.kind = COMMAND_BACKUP_RECORD};

    for (uint32_t i = 0; i < 120; i++) {
        cmd.backup_record.backup_id = test_uuid(10, i);
        cmd.backup_record.applied_index = i;
        assert_int_equal(driver_apply(d, &cmd).code, 0);
        assert_int_equal(driver_apply(d, &cmd).code, 0);
    }
    assert_int_equal(state_cell(d->state)->backup_count, 100);
    assert_int_equal(state_backup_next(d->state, NULL)->applied_index, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_founding, setup, teardown),
        cmocka_unit_test_setup_teardown(test_node_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(test_node_version, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cas, setup, teardown),
        cmocka_unit_test_setup_teardown(test_feature_level, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backups, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
