/* test_backup.c - backups on a schedule: made by the node that leads, noted, the oldest
 * deleted, failures told and made good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "controlplane/backup.h"
#include "proto/snapshot_file.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

#define LIMIT_MS 20000
#define KEEP     2

struct fixture {
    char dir[64], store[64], url[80];
    struct node *node;
    struct backup *backup;
    uint64_t put_max_bytes;
};

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    struct err err = {.code = 0};
    struct str result;
    struct command cluster = {.kind = COMMAND_CLUSTER_CREATE,
                              .cluster_create = {.name = SLICE_LITERAL("acme")}};

    temp_dir(f->dir);
    temp_dir(f->store);
    snprintf(f->url, sizeof(f->url), "file://%s", f->store);
    struct node_options options = {
        .dir = f->dir, .address = "127.0.0.1:1", .begin = NODE_BOOTSTRAP};
    if (node_start(&options, &f->node, &err) != 0)
        fail_msg("%s", err.text);
    str_init(&result, MIB);
    cluster.cluster_id = test_uuid(1, 1);
    assert_int_equal(node_call(f->node, &cluster, &result), 0);
    str_fini(&result);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    backup_stop(f->backup);
    node_stop(f->node);
    temp_dir_remove(f->dir);
    temp_dir_remove(f->store);
    mem_free(f);
    return 0;
}

static void start(struct fixture *f, int64_t every_ms)
{
    struct err err = {.code = 0};
    const struct backup_options options = {.url = f->url,
                                           .every_ms = every_ms,
                                           .keep = KEEP,
                                           .dir = f->dir,
                                           .node = f->node,
                                           .audit_max = 1000,
                                           .put_max_bytes = f->put_max_bytes,
                                           .look_ms = 20,
                                           .limit_ms = 200};
    if (backup_start(&options, &f->backup, &err) != 0)
        fail_msg("%s", err.text);
}

/* Until MADE backups were made and FAILED have failed. */
static struct backup_health await(struct fixture *f, uint64_t made, uint64_t failed)
{
    struct backup_health health;
    int64_t until_ms = clock_monotonic_ms() + LIMIT_MS;
    do {
        backup_health(f->backup, &health);
        assert_true(clock_monotonic_ms() < until_ms);
        usleep(5000);
    } while (health.made_total < made || health.failures_total < failed);
    return health;
}

static int is_backup(const struct dirent *entry)
{
    return strncmp(entry->d_name, "weft-backup-", 12) == 0;
}

/* The names in the store, oldest first; how many. */
static int list(struct fixture *f, struct dirent ***names)
{
    int count = scandir(f->store, names, is_backup, alphasort);
    assert_true(count >= 0);
    return count;
}

static void forget(struct dirent **names, int count)
{
    for (int i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

static void last_note(struct node *node, void *arg)
{
    const struct backup_info *note = NULL;
    char *place = arg;
    while ((note = state_backup_next(node_state(node), note)) != NULL)
        snprintf(place, 400, "%s", note->place);
}

static void count_entries(struct node *node, void *arg)
{
    const struct audit_query query = {.action = SLICE_LITERAL("backup.record")};
    const struct audit_entry *entries[10];
    uint64_t next;
    size_t *count = arg;

    *count = state_audit(node_state(node), &query, entries, 10, &next);
    for (size_t i = 0; i < *count; i++) {
        assert_int_equal(entries[i]->actor_kind, ACTOR_CELL);
        assert_non_null(strstr(entries[i]->target, "backups/weft-backup-"));
        assert_int_equal(entries[i]->code, 0);
    }
}

/* Each backup that the cell makes by itself is in the audit log. */
static void test_audited(void **state)
{
    struct fixture *f = *state;
    size_t count = 0;

    start(f, 3600000);
    await(f, 1, 0);
    node_run(f->node, count_entries, &count);
    assert_int_equal(count, 1);
}

/* What the store does not take in one piece is not sent, and the reason says what to do.
 */
static void test_too_large(void **state)
{
    struct fixture *f = *state;
    struct dirent **names;

    f->put_max_bytes = 100;
    start(f, 1);
    assert_int_equal(await(f, 0, 2).made_total, 0);
    assert_int_equal(list(f, &names), 0);
    free(names);
}

/* Backups are made by themselves, the newest are kept, each is noted and restorable. */
static void test_schedule(void **state)
{
    struct fixture *f = *state;
    struct dirent **names;
    char place[400] = "", path[400], restored[64];
    struct uuid cell_id = uuid_random();
    struct snapshot_info info;
    struct err err = {.code = 0};

    start(f, 1);
    await(f, KEEP + 3, 0);
    backup_stop(f->backup);
    f->backup = NULL;
    int count = list(f, &names);
    assert_in_range(count, KEEP, KEEP + 1); /* stopped before it deleted, perhaps */
    node_run(f->node, last_note, place);
    snprintf(path, sizeof(path), "file://%s/%s", f->store, names[count - 1]->d_name);
    assert_string_equal(place, path);
    temp_dir(restored);
    if (node_restore(restored, path + strlen("file://"), &cell_id, &(uint64_t){1},
                     "127.0.0.1:1", &info, &err) != 0)
        fail_msg("%s", err.text);
    assert_true(info.index > 0);
    temp_dir_remove(restored);
    forget(names, count);
    snprintf(path, sizeof(path), "%s/backup.part", f->dir);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* Nothing is made before its time, and the time is that of the last one, whoever made it.
 */
static void test_not_due(void **state)
{
    struct fixture *f = *state;

    start(f, 3600000);
    await(f, 1, 0);
    usleep(200000);
    assert_int_equal(await(f, 1, 0).made_total, 1);
    backup_stop(f->backup);
    start(f, 3600000);
    usleep(200000);
    assert_int_equal(await(f, 0, 0).made_total, 0);
}

/* A store that cannot be written is told, and tried again. */
static void test_store_fails(void **state)
{
    struct fixture *f = *state;

    start(f, 1);
    await(f, 1, 0);
    temp_dir_remove(f->store);
    struct backup_health health = await(f, 0, 2);
    assert_int_equal(mkdir(f->store, 0700), 0);
    backup_stop(f->backup);
    start(f, 1);
    await(f, 1, 0);
    assert_true(health.made_total >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_schedule, setup, teardown),
        cmocka_unit_test_setup_teardown(test_audited, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_due, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store_fails, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
