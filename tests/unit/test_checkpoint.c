/* test_checkpoint.c - the database is the state of one moment, whole or refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/mem.h"
#include "controlplane/checkpoint.h"
#include "tests/lib/group_clients.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_v1.h"

struct fixture {
    char dir[64], path[80];
    struct db *db;
    struct driver driver;
    uint32_t next_object;
};

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    struct err err;
    temp_dir(f->dir);
    snprintf(f->path, sizeof(f->path), "%s/state.db", f->dir);
    driver_init(&f->driver, NULL);
    *state = f;
    return db_open(f->path, &f->db, &err);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    db_close(f->db);
    driver_fini(&f->driver);
    temp_dir_remove(f->dir);
    mem_free(f);
    return 0;
}

static void commit_some(struct fixture *f, uint32_t count)
{
    struct uuid topic = test_uuid(2, 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct test_batch batches[] = {{0, 0, 3, 5, 0, (int32_t)i * 3, 7, 0},
                                             {0, 1, 1, -1, 0, -1, 9, 0}};
        struct uuid id = test_uuid(9, f->next_object++);
        struct test_commit c;
        test_commit_init(&c, &id, f->driver.now_ms, &topic, 1, batches, 2);
        assert_int_equal(driver_commit(&f->driver, &c.commit).code, 0);
        test_commit_fini(&c);
    }
}

static int save(struct fixture *f, struct err *err)
{
    struct checkpoint_meta meta = {.cell_id = test_uuid(5, 5)};
    struct str delta;
    meta.position.index = f->driver.index;
    meta.position.term = 42;
    meta.position.configuration = SLICE_LITERAL("configuration");
    meta.position.configuration_index = 17;
    str_init(&delta, 64 * MIB);
    checkpoint_collect(f->driver.state, &meta, &delta);
    int rc = db_apply(f->db, str_slice(&delta), err);
    str_fini(&delta);
    return rc;
}

static int load(struct fixture *f, uint64_t *hash, struct checkpoint_meta *meta,
                struct str *bytes, struct err *err)
{
    struct state *state = state_new(NULL);
    int rc = checkpoint_load(state, f->db, meta, bytes, err);
    if (rc == 0)
        *hash = state_hash(state);
    state_free(state);
    return rc;
}

static void fill(struct fixture *f)
{
    struct err err;
    driver_cluster(&f->driver, 1);
    driver_topic(&f->driver, 1, 4);
    commit_some(f, 20);
    stable_pair(&f->driver);
    assert_int_equal(save(f, &err), 0);
}

static void reopen(struct fixture *f)
{
    struct err err;
    db_close(f->db);
    assert_int_equal(db_open(f->path, &f->db, &err), 0);
}

/* A new database is an empty state of index 0. */
static void test_empty(void **state)
{
    struct fixture *f = *state;
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;
    uint64_t hash = 0;
    str_init(&bytes, MIB);
    assert_int_equal(load(f, &hash, &meta, &bytes, &err), 0);
    assert_int_equal(meta.position.index, 0);
    assert_true(uuid_is_zero(&meta.cell_id));
    assert_true(hash == state_hash(f->driver.state));
    str_fini(&bytes);
}

/* Everything comes back, with Raft's position, after closing and opening. */
static void test_round_trip(void **state)
{
    struct fixture *f = *state;
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;
    uint64_t hash = 0;
    fill(f);
    reopen(f);
    str_init(&bytes, MIB);
    assert_int_equal(load(f, &hash, &meta, &bytes, &err), 0);
    assert_true(hash == state_hash(f->driver.state));
    assert_int_equal(meta.position.index, f->driver.index);
    assert_int_equal(meta.position.term, 42);
    assert_int_equal(meta.position.configuration_index, 17);
    assert_true(slice_eq_str(meta.position.configuration, "configuration"));
    struct uuid cell = test_uuid(5, 5);
    assert_true(uuid_eq(&meta.cell_id, &cell));
    str_fini(&bytes);
}

/* Change the file behind the product's back; leaves it closed. */
static void run_sql(struct fixture *f, const char *sql)
{
    sqlite3 *sqlite;
    db_close(f->db);
    f->db = NULL;
    assert_int_equal(sqlite3_open(f->path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

/* I4: rows that contradict each other are refused, not served: a hole in the offsets, an
 * object lost, runs that no offset covers, a partition without its topic. */
static void test_contradictions(void **state)
{
    static const char *const breakages[] = {
        "DELETE FROM OBJECTS WHERE serial=7",
        "DELETE FROM OBJECTS WHERE serial=20",
        "UPDATE PARTITIONS SET next_offset=59 WHERE partition=0",
        "UPDATE OBJECTS SET runs=x'01' WHERE serial=3",
        "UPDATE OBJECTS SET runs=x'' WHERE serial=20",
        "UPDATE OBJECTS SET size_bytes=20 WHERE serial=3",
        "UPDATE OBJECTS SET cluster=99 WHERE serial=3",
        "UPDATE OBJECTS SET id=x'00' WHERE serial=3",
        "UPDATE PARTITIONS SET topic=99 WHERE partition=1",
        "UPDATE PARTITIONS SET producers=x'0102' WHERE partition=0",
        "UPDATE TOPICS SET partitions=0",
        "DELETE FROM CLUSTERS",
        "UPDATE META SET format=3",
        "UPDATE META SET next_object=3",
        "DELETE FROM GROUPS",
        "DELETE FROM GROUP_MEMBERS",
        "UPDATE GROUPS SET cluster=99",
        "UPDATE GROUPS SET state=1",
        "UPDATE GROUPS SET state=99",
        "UPDATE GROUPS SET leader=0",
        "UPDATE GROUPS SET leader=99",
        "UPDATE GROUPS SET generation=1099511627776",
        "UPDATE GROUP_MEMBERS SET id=x'61'",
        "UPDATE GROUP_MEMBERS SET pending=1",
        "UPDATE GROUP_MEMBERS SET protocols=x'05'",
        "UPDATE GROUP_MEMBERS SET protocols=x'' WHERE id=x'62'",
        "UPDATE GROUP_MEMBERS SET joined=1099511627776",
    };
    struct fixture *f = *state;
    struct checkpoint_meta meta;
    struct str bytes;
    char copy[80];
    uint64_t hash;

    fill(f);
    db_close(f->db);
    f->db = NULL;
    snprintf(copy, sizeof(copy), "%s-copy", f->dir);
    copy_dir(f->dir, copy);
    for (size_t i = 0; i < ARRAY_LEN(breakages); i++) {
        struct err err = {.code = 0};
        copy_dir(copy, f->dir);
        run_sql(f, breakages[i]);
        assert_int_equal(db_open(f->path, &f->db, &err), 0);
        str_init(&bytes, MIB);
        int rc = load(f, &hash, &meta, &bytes, &err);
        if (rc != ERR_DAMAGED && rc != ERR_UNSUPPORTED)
            fail_msg("%s: %d", breakages[i], rc);
        assert_non_null(strstr(err.text, "restore"));
        str_fini(&bytes);
        db_close(f->db);
        f->db = NULL;
    }
    temp_dir_remove(copy);
}

/* A deleted cluster can be loaded however far PURGE has come with it. */
static void test_half_purged(void **state)
{
    struct fixture *f = *state;
    struct command cmd = {.kind = COMMAND_CLUSTER_DELETE};
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;
    uint64_t hash = 0;

    driver_cluster(&f->driver, 1);
    driver_topic(&f->driver, 1, 2);
    stable_pair(&f->driver);
    assert_int_equal(join_as(&f->driver, "c"), 0);
    assert_int_equal(driver_apply(&f->driver, &cmd).code, 0);
    while (state_purge_due(f->driver.state)) {
        assert_int_equal(save(f, &err), 0);
        str_init(&bytes, MIB);
        assert_int_equal(load(f, &hash, &meta, &bytes, &err), 0);
        assert_true(hash == state_hash(f->driver.state));
        str_fini(&bytes);
        assert_true(driver_purge(&f->driver, 1) > 0);
    }
}

/* A file of version 2, which knew no groups, is one without any. */
static void test_version_2(void **state)
{
    struct fixture *f = *state;
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;
    uint64_t hash = 0;

    driver_cluster(&f->driver, 1);
    driver_topic(&f->driver, 1, 4);
    commit_some(f, 3);
    assert_int_equal(save(f, &err), 0);
    run_sql(f, "DROP TABLE GROUPS; DROP TABLE GROUP_MEMBERS;"
               "ALTER TABLE USAGE_SOURCES DROP COLUMN store; PRAGMA user_version=2");
    assert_int_equal(db_open(f->path, &f->db, &err), 0);
    str_init(&bytes, MIB);
    assert_int_equal(load(f, &hash, &meta, &bytes, &err), 0);
    assert_true(hash == state_hash(f->driver.state));
    str_fini(&bytes);
    stable_pair(&f->driver);
    assert_int_equal(save(f, &err), 0);
}

/* A file of version 3 has sources of use that counted nothing of the object store. */
static void test_version_3(void **state)
{
    struct fixture *f = *state;
    struct command cmd = {.kind = COMMAND_USAGE_REPORT};
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;
    uint64_t hash = 0;

    driver_cluster(&f->driver, 1);
    cmd.usage_report.agent_id = test_uuid(3, 1);
    cmd.usage_report.incarnation = 1;
    cmd.usage_report.counters.fetched_bytes = 5;
    assert_int_equal(driver_apply(&f->driver, &cmd).code, 0);
    assert_int_equal(save(f, &err), 0);
    run_sql(f, "ALTER TABLE USAGE_SOURCES DROP COLUMN store; PRAGMA user_version=3");
    assert_int_equal(db_open(f->path, &f->db, &err), 0);
    str_init(&bytes, MIB);
    assert_int_equal(load(f, &hash, &meta, &bytes, &err), 0);
    assert_true(hash == state_hash(f->driver.state));
    str_fini(&bytes);
    cmd.usage_report.counters.store.put = 3;
    assert_int_equal(driver_apply(&f->driver, &cmd).code, 0);
    assert_int_equal(save(f, &err), 0);
}

/* A file that is no database, or of another version, is refused by name. */
static void test_wrong_files(void **state)
{
    struct fixture *f = *state;
    struct err err = {.code = 0};
    run_sql(f, "PRAGMA user_version=9");
    assert_int_equal(db_open(f->path, &f->db, &err), ERR_UNSUPPORTED);
    int fd = open(f->path, O_WRONLY | O_TRUNC);
    assert_true(
        write(fd, "this is not a database, it is only text, and a lot of it", 56) == 56);
    for (int i = 0; i < 100; i++)
        assert_true(write(fd, "this is not a database, it is only text, and a lot", 50) ==
                    50);
    close(fd);
    assert_int_equal(db_open(f->path, &f->db, &err), ERR_DAMAGED);
}

/* A delta that does not fit on the disk changes nothing, and can be given again. */
static void test_full_disk(void **state)
{
    struct fixture *f = *state;
    struct rlimit old, low;
    struct checkpoint_meta meta = {.position = {.index = 1, .term = 1}};
    struct str delta, bytes;
    struct err err = {.code = 0};
    uint64_t before = 0, after = 0;

    fill(f);
    str_init(&bytes, MIB);
    assert_int_equal(load(f, &before, &meta, &bytes, &err), 0);
    commit_some(f, 3000);
    meta.position.index = f->driver.index;
    meta.position.configuration = SLICE_LITERAL("c");
    str_init(&delta, 64 * MIB);
    checkpoint_collect(f->driver.state, &meta, &delta);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    low = old;
    low.rlim_cur = 200000;
    setrlimit(RLIMIT_FSIZE, &low);
    int rc = db_apply(f->db, str_slice(&delta), &err);
    setrlimit(RLIMIT_FSIZE, &old);
    assert_true(rc == ERR_NO_SPACE || rc == ERR_IO);
    struct checkpoint_meta loaded;
    str_reset(&bytes);
    assert_int_equal(load(f, &after, &loaded, &bytes, &err), 0);
    assert_true(before == after);
    assert_int_equal(db_apply(f->db, str_slice(&delta), &err), 0);
    str_reset(&bytes);
    assert_int_equal(load(f, &after, &loaded, &bytes, &err), 0);
    assert_true(after == state_hash(f->driver.state));
    str_fini(&bytes);
    str_fini(&delta);
}

/* What was deleted between two checkpoints is gone from the file, also when something
 * took its name or key since. */
static void test_deletions(void **state)
{
    struct fixture *f = *state;
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;
    uint64_t hash = 0;
    fill(f);
    driver_topic_delete(&f->driver, 1);
    struct command cmd = {.kind = COMMAND_TOPIC_CREATE};
    cmd.topic_create.topic_id = test_uuid(2, 8);
    cmd.topic_create.name = SLICE_LITERAL("topic-1");
    cmd.topic_create.partitions = 2;
    cmd.topic_create.topics_max = cmd.topic_create.partitions_max = 10;
    assert_int_equal(driver_apply(&f->driver, &cmd).kafka_error, 0);
    assert_int_equal(save(f, &err), 0);
    str_init(&bytes, MIB);
    assert_int_equal(load(f, &hash, &meta, &bytes, &err), 0);
    assert_true(hash == state_hash(f->driver.state));
    str_fini(&bytes);
}

/* The bytes of HEX, in memory of their own. */
static struct slice from_hex(const char *hex)
{
    size_t len = strlen(hex) / 2;
    uint8_t *bytes = mem_alloc(len);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return slice_of(bytes, len);
}

/* What the commands of version 1 have made, replayed or loaded. */
static void check_v1(struct state *state)
{
    struct uuid cluster_id = test_uuid(1, 1), topic_id = test_uuid(2, 1);
    struct uuid object = test_uuid(9, 0), agent = test_uuid(3, 1),
                deleted = test_uuid(2, 2);
    const struct cluster *cluster = state_cluster(state, &cluster_id);
    const struct topic *topic = state_topic(cluster, &topic_id);
    struct partition_offsets offsets;
    uint8_t enrol[SHA256_LEN], api[SHA256_LEN];

    memset(enrol, 7, sizeof(enrol));
    memset(api, 8, sizeof(api));
    assert_string_equal(cluster->name, "cluster-1");
    assert_int_equal(cluster->limits.topics, 0);
    assert_int_equal(topic->partition_count, 4);
    assert_string_equal(topic_config_set_get(&topic->configs, "retention.ms"), "1000");
    assert_null(state_topic(cluster, &deleted));
    assert_int_equal(state_offsets(topic, 0, &offsets), 0);
    assert_int_equal(offsets.high_watermark, 9);
    assert_true(state_object_known(cluster, &object));
    assert_int_equal(state_agent(cluster, &agent)->wanted, AGENT_ACTIVE);
    assert_int_equal(state_token(state, enrol)->role, ROLE_NONE);
    assert_true(state_token(state, enrol)->used_at_ms != 0);
    assert_int_equal(state_token(state, api)->role, ROLE_OPERATOR);
    assert_false(state_cell(state)->founded);
    assert_int_equal(state_cell(state)->feature_level, 1);
    assert_int_equal(state_applied_index(state), ARRAY_LEN(state_v1_commands));
}

/* The commit of index INDEX again, on top of version 1's state: the answer is kept. */
static void repeat_v1(struct state *state, size_t index)
{
    struct slice command = from_hex(state_v1_commands[index]);
    struct commit_result result;
    struct arena arena;
    struct reader r;
    struct str out;

    str_init(&out, MIB);
    arena_init(&arena, MIB);
    state_apply(state, state_applied_index(state) + 1, command, &out);
    reader_init(&r, str_slice(&out));
    assert_int_equal(commit_result_read(&r, &arena, &result), 0);
    assert_int_equal(result.code, 0);
    assert_int_equal(result_offset(&result, 0), 6);
    arena_fini(&arena);
    str_fini(&out);
    mem_free((void *)(uintptr_t)command.ptr);
}

/* A log of version 1 is replayed. */
static void test_log_of_version_1(void **unused)
{
    struct state *state = state_new(NULL);
    struct str out;

    (void)unused;
    str_init(&out, MIB);
    for (size_t i = 0; i < ARRAY_LEN(state_v1_commands); i++) {
        struct slice command = from_hex(state_v1_commands[i]);
        state_apply(state, i + 1, command, &out);
        mem_free((void *)(uintptr_t)command.ptr);
    }
    check_v1(state);
    repeat_v1(state, 14);
    str_fini(&out);
    state_free(state);
}

/* A database of version 1 is brought to today's when it is opened, and written on. */
static void test_database_of_version_1(void **unused)
{
    struct fixture *f = *unused;
    struct state *state = state_new(NULL);
    struct checkpoint_meta meta;
    struct str bytes;
    struct err err;
    sqlite3 *sqlite;
    uint64_t hash = 0, again = 0;

    db_close(f->db);
    unlink(f->path);
    assert_int_equal(sqlite3_open(f->path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, state_v1_sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(sqlite);
    assert_int_equal(db_open(f->path, &f->db, &err), 0);
    str_init(&bytes, MIB);
    assert_int_equal(checkpoint_load(state, f->db, &meta, &bytes, &err), 0);
    check_v1(state);
    repeat_v1(state, 14);
    state_free(f->driver.state);
    f->driver.state = state;
    f->driver.index = state_applied_index(state);
    f->driver.cluster_id = test_uuid(1, 1);
    driver_topic(&f->driver, 5, 2);
    assert_int_equal(save(f, &err), 0);
    hash = state_hash(state);
    reopen(f);
    str_reset(&bytes);
    assert_int_equal(load(f, &again, &meta, &bytes, &err), 0);
    assert_true(hash == again);
    str_fini(&bytes);
}

/* A checkpoint that is copied in steps is the state of the moment in which it began,
 * whatever is changed, deleted and made before a row's turn. */
static void test_copy_on_write(void **state)
{
    struct fixture *f = *state;
    struct driver *d = &f->driver;
    struct checkpoint_meta meta = {.cell_id = test_uuid(5, 5), .position = {.term = 1}};
    struct checkpoint_meta loaded;
    struct str delta, bytes;
    struct err err;
    uint64_t hash = 0;

    fill(f);
    driver_topic(d, 2, 3);
    commit_some(f, 20);
    meta.position.index = d->index;
    str_init(&delta, 64 * MIB);
    str_init(&bytes, MIB);
    uint64_t then = state_hash(d->state);
    checkpoint_begin(d->state, &meta, &delta);
    assert_false(checkpoint_step(d->state, 2));
    commit_some(f, 20);
    driver_topic_delete(d, 1);
    driver_purge(d, 1000);
    driver_topic(d, 3, 1);
    driver_cluster(d, 7);
    while (!checkpoint_step(d->state, 3)) {
    }
    assert_int_equal(db_apply(f->db, str_slice(&delta), &err), 0);
    assert_int_equal(load(f, &hash, &loaded, &bytes, &err), 0);
    assert_true(hash == then);
    assert_int_equal(save(f, &err), 0);
    str_reset(&bytes);
    assert_int_equal(load(f, &hash, &loaded, &bytes, &err), 0);
    assert_true(hash == state_hash(d->state));
    str_fini(&delta);
    str_fini(&bytes);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_empty),          TEST(test_round_trip),
        TEST(test_contradictions), TEST(test_half_purged),
        TEST(test_contradictions), TEST(test_version_2),
        TEST(test_contradictions), TEST(test_version_3),
        TEST(test_wrong_files),    TEST(test_full_disk),
        TEST(test_deletions),      TEST(test_database_of_version_1),
        TEST(test_copy_on_write),  cmocka_unit_test(test_log_of_version_1)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
