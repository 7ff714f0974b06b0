/* test_apply_context.c - one effect for one idempotency key; the audit log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "controlplane/apply.h"
#include "tests/lib/state_driver.h"

#define HOUR_MS 3600000

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

/* Make a topic with KEY (0: none) and BODY, by ACTOR. */
static struct command_result make(struct driver *d, uint32_t number, uint8_t key,
                                  uint8_t body, uint32_t actor)
{
    char name[32];
    struct command_context context = {.actor_kind = ACTOR_USER,
                                      .actor_id = test_uuid(6, actor),
                                      .actor_name = SLICE_LITERAL("ann"),
                                      .remote = SLICE_LITERAL("10.0.0.1"),
                                      .action = SLICE_LITERAL("topic.create"),
                                      .target = SLICE_LITERAL("topics/t"),
                                      .audit_max = 5,
                                      .audit_age_ms = 10 * HOUR_MS,
                                      .replies_age_ms = HOUR_MS};
    struct command cmd = {.kind = COMMAND_TOPIC_CREATE, .context = &context};
    context.idempotency_key[0] = key;
    context.body_hash[0] = body;
    snprintf(name, sizeof(name), "t%u", number);
    cmd.topic_create.topic_id = test_uuid(2, number);
    cmd.topic_create.name = slice_str(name);
    cmd.topic_create.partitions = 1;
    cmd.topic_create.topics_max = cmd.topic_create.partitions_max = 100;
    return driver_apply(d, &cmd);
}

/* A repeat by key has the first one's result and no effect; another body is a conflict; a
 * key is its actor's own, and good for a while. */
static void test_keys(void **state)
{
    struct driver *d = *state;
    struct uuid first = test_uuid(2, 1);
    const struct cluster *cluster = state_cluster(d->state, &d->cluster_id);

    struct command_result result = make(d, 1, 7, 1, 1);
    assert_int_equal(result.code, 0);
    uint64_t version = result.version;
    result = make(d, 2, 7, 1, 1); /* the proposer made up another id meanwhile */
    assert_true(uuid_eq(&result.id, &first));
    assert_int_equal(result.version, version);
    assert_int_equal(cluster->topic_count, 1);
    result = make(d, 2, 7, 2, 1);
    assert_int_equal(result.code, ERR_CONFLICT);
    assert_true(result.value == COMMAND_KEY_REUSED);
    assert_int_equal(make(d, 2, 7, 1, 2).code, 0); /* another actor's */
    assert_int_equal(cluster->topic_count, 2);
    d->now_ms += HOUR_MS + 1;
    assert_int_equal(make(d, 3, 7, 2, 1).code, 0);
    assert_int_equal(cluster->topic_count, 3);
}

/* A refusal is repeated too. */
static void test_refusal(void **state)
{
    struct driver *d = *state;
    assert_int_equal(make(d, 1, 0, 0, 1).code, 0);
    struct command_context context = {.replies_age_ms = HOUR_MS, .idempotency_key = {1}};
    struct command gone = {.kind = COMMAND_TOPIC_DELETE, .context = &context};
    gone.topic_delete.topic_id = test_uuid(2, 9);
    assert_int_equal(driver_apply(d, &gone).kafka_error, 100);
    gone.topic_delete.topic_id = test_uuid(2, 1);
    assert_int_equal(driver_apply(d, &gone).kafka_error, 100);
    assert_int_equal(state_cluster(d->state, &d->cluster_id)->topic_count, 1);
}

/* A command on CLUSTER with key NUMBER and no effect but what its context has. */
static struct command_result keyed(struct driver *d, uint32_t cluster, uint32_t number,
                                   uint32_t audit_max)
{
    struct command_context context = {.actor_kind = ACTOR_USER,
                                      .actor_id = test_uuid(6, cluster),
                                      .action = SLICE_LITERAL("none"),
                                      .audit_max = audit_max,
                                      .audit_age_ms = HOUR_MS,
                                      .replies_age_ms = HOUR_MS};
    struct command cmd = {.kind = COMMAND_TOPIC_DELETE,
                          .context = &context,
                          .cluster_id = test_uuid(1, cluster)};
    cmd.topic_delete.topic_id = test_uuid(2, 999);
    memcpy(context.idempotency_key, &number, sizeof(number));
    d->cluster_id = cmd.cluster_id;
    return driver_apply(d, &cmd);
}

static bool key_kept(struct driver *d, uint32_t cluster, uint32_t number)
{
    struct reply_id id = {.actor_id = test_uuid(6, cluster)};
    memcpy(id.key, &number, sizeof(number));
    return replies_find(&d->state->replies, &id) != NULL;
}

/* A cluster's keys are bounded, and its flood costs nobody else theirs: when there are
 * too many in all, those go of whoever has most. */
static void test_keys_are_shared_fairly(void **state)
{
    struct driver *d = *state;
    struct replies *replies = &d->state->replies;
    uint32_t number = 1;

    (void)keyed(d, 1, number, 0); /* the oldest of all */
    while (replies->count < REPLIES_CLUSTER_MAX + 1)
        (void)keyed(d, 2, ++number, 0);
    uint32_t first = 2;
    assert_true(key_kept(d, 2, first));
    (void)keyed(d, 2, ++number, 0);
    assert_int_equal(replies->count, REPLIES_CLUSTER_MAX + 1);
    assert_false(key_kept(d, 2, first));
    for (uint32_t cluster = 3; replies->count < REPLIES_MAX; cluster++) {
        for (int i = 0; i < REPLIES_CLUSTER_MAX - 1 && replies->count < REPLIES_MAX; i++)
            (void)keyed(d, cluster, ++number, 0);
    }
    assert_true(key_kept(d, 2, first + 1));
    (void)keyed(d, 9, ++number, 0); /* has none: but cluster 2 has most */
    assert_false(key_kept(d, 2, first + 1));
    assert_true(key_kept(d, 1, 1));
    assert_true(key_kept(d, 9, number));
    assert_int_equal(replies->count, REPLIES_MAX);
}

/* An entry of LOG's at the end. */
static void note(struct audit *audit, uint32_t log)
{
    struct audit_entry fields = {.id = audit->next_id,
                                 .cluster_id = test_uuid(1, log),
                                 .actor_name = "",
                                 .remote = "",
                                 .action = "",
                                 .target = ""};
    (void)audit_add(audit, &fields);
}

/* When there are too many entries in all, the oldest of the log that has most goes, and
 * the oldest of all only while nobody has more than a fair share. */
static void test_audit_is_shared_fairly(void **state)
{
    struct audit audit;

    (void)state;
    audit_init(&audit);
    note(&audit, 1);
    for (int i = 0; i < AUDIT_FAIR; i++)
        note(&audit, 2);
    assert_int_equal(audit_excess(&audit)->id, 1);
    note(&audit, 2);
    assert_int_equal(audit_excess(&audit)->id, 2); /* the first of log 2 */
    for (int i = 0; i < AUDIT_FAIR + 1; i++)
        note(&audit, 3);
    assert_int_equal(audit_excess(&audit)->id, 2); /* as many, but older */
    audit_remove(&audit, audit_excess(&audit));
    assert_int_equal(audit_excess(&audit)->id, AUDIT_FAIR + 3);
    audit_remove(&audit, audit_excess(&audit));
    assert_int_equal(audit_excess(&audit)->id, 1);
    audit_fini(&audit);
}

static size_t entries_of(struct driver *d, const struct uuid *cluster_id)
{
    const struct audit_entry *entries[100];
    struct audit_query query = {.cluster_id = cluster_id};
    uint64_t next;
    return state_audit(d->state, &query, entries, 100, &next);
}

/* Each command with a context is on record, refused or not, but repeats by key; a cluster
 * has so many entries, and entries of a deleted cluster stay until they are too old. */
static void test_audit(void **state)
{
    struct driver *d = *state;
    const struct audit_entry *entries[10];
    struct audit_query query = {.cluster_id = &d->cluster_id};
    uint64_t next;

    make(d, 1, 3, 0, 1);
    make(d, 1, 3, 0, 1); /* no new one */
    make(d, 1, 0, 0, 1);
    struct command bad = {.kind = COMMAND_TOPIC_DELETE};
    driver_apply(d, &bad); /* no context: not on record */
    assert_int_equal(state_audit(d->state, &query, entries, 10, &next), 2);
    assert_string_equal(entries[0]->actor_name, "ann");
    assert_string_equal(entries[0]->remote, "10.0.0.1");
    assert_string_equal(entries[0]->action, "topic.create");
    assert_string_equal(entries[0]->target, "topics/t");
    assert_int_equal(entries[0]->at_ms, d->now_ms);
    for (uint32_t i = 2; i < 10; i++)
        make(d, i, 0, 0, 1);
    assert_int_equal(entries_of(d, &d->cluster_id), 5);

    struct uuid old = d->cluster_id;
    struct command gone = {.kind = COMMAND_CLUSTER_DELETE, .cluster_id = old};
    driver_apply(d, &gone);
    while (state_purge_due(d->state))
        driver_purge(d, 10);
    assert_int_equal(entries_of(d, &old), 5);
    d->cluster_id = test_uuid(1, 2);
    d->now_ms += 10 * HOUR_MS + 1;
    make(d, 20, 0, 0, 1);
    assert_int_equal(entries_of(d, &old), 0);
    assert_int_equal(entries_of(d, NULL), 1);
    struct command purge = {.kind = COMMAND_PURGE, .purge = {.rows_max = 10}};
    purge.purge.audit_before_ms = d->now_ms + 1;
    assert_int_equal(driver_apply(d, &purge).value, 1);
    assert_int_equal(entries_of(d, NULL), 0);
}

/* Pages in both directions, with filters by actor, action and time, lose and repeat
 * nothing. */
static void test_audit_pages(void **state)
{
    struct driver *d = *state;
    const struct audit_entry *entries[2];
    uint64_t last = 0;

    for (uint32_t i = 0; i < 5; i++) {
        make(d, i, 0, 0, i % 2);
        d->now_ms += 1000;
    }
    struct audit_query query = {.cluster_id = &d->cluster_id};
    size_t seen = 0, n;
    do {
        n = state_audit(d->state, &query, entries, 2, &query.after);
        for (size_t i = 0; i < n; i++, seen++) {
            assert_true(entries[i]->id > last);
            last = entries[i]->id;
        }
    } while (query.after != 0);
    assert_int_equal(seen, 5);

    query = (struct audit_query){.newest_first = true};
    n = state_audit(d->state, &query, entries, 2, &query.after);
    assert_int_equal(n, 2);
    assert_int_equal(entries[0]->id, last);
    assert_int_equal(entries[1]->id, last - 1);
    n = state_audit(d->state, &query, entries, 2, &query.after);
    assert_int_equal(entries[0]->id, last - 2);

    char actor[UUID_TEXT_LEN + 1];
    struct uuid one = test_uuid(6, 1);
    query = (struct audit_query){.actor = slice_str(uuid_print(&one, actor))};
    assert_int_equal(state_audit(d->state, &query, entries, 2, &query.after), 2);
    query = (struct audit_query){.action = SLICE_LITERAL("topic.")};
    assert_int_equal(state_audit(d->state, &query, entries, 2, &query.after), 2);
    query = (struct audit_query){.action = SLICE_LITERAL("user.")};
    assert_int_equal(state_audit(d->state, &query, entries, 2, &query.after), 0);
    query = (struct audit_query){.from_ms = d->now_ms - 1000};
    assert_int_equal(state_audit(d->state, &query, entries, 2, &query.after), 1);
    query = (struct audit_query){.to_ms = d->now_ms - 4000};
    assert_int_equal(state_audit(d->state, &query, entries, 2, &query.after), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_are_shared_fairly, setup, teardown),
        cmocka_unit_test(test_audit_is_shared_fairly),
        cmocka_unit_test_setup_teardown(test_audit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_audit_pages, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
