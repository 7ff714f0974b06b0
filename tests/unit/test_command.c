/* test_command.c - replicated commands survive their bytes; hostile bytes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "common/err.h"
#include "common/mem.h"
#include "proto/command.h"
#include "proto/setting.h"

#define TEXT(s) SLICE_LITERAL(s)

static const struct config_change set_two[] = {
    {CONFIG_SET, {(const uint8_t *)"a", 1}, {(const uint8_t *)"1", 1}},
    {CONFIG_SET, {(const uint8_t *)"b", 1}, {(const uint8_t *)"", 0}},
};

static const struct config_change all_ops[] = {
    {CONFIG_REPLACE_ALL, {NULL, 0}, {NULL, 0}},
    {CONFIG_SET, {(const uint8_t *)"a", 1}, {(const uint8_t *)"1", 1}},
    {CONFIG_DELETE, {(const uint8_t *)"b", 1}, {NULL, 0}},
    {CONFIG_APPEND, {(const uint8_t *)"c", 1}, {(const uint8_t *)"x,y", 3}},
    {CONFIG_SUBTRACT, {(const uint8_t *)"c", 1}, {(const uint8_t *)"y", 1}},
};

static struct ca_fields sample_ca(void)
{
    struct ca_fields ca = {
        .certificate = TEXT("PEM"), .cross = TEXT("PEM2"), .sealed_key = TEXT("key")};
    memset(ca.ca_id.bytes, 3, 16);
    return ca;
}

static struct node_fields sample_node(uint64_t id)
{
    struct node_fields node = {.node_id = id,
                               .name = TEXT("n"),
                               .peer_address = TEXT("h:7802"),
                               .people_url = TEXT("https://h:7800"),
                               .agents_url = TEXT("https://h:7801"),
                               .version = TEXT("0.1.0"),
                               .features_max = 2,
                               .wanted = WANT_STANDBY};
    memset(node.instance.bytes, 7, 16);
    return node;
}

static const struct command_context sample_context = {
    .actor_kind = ACTOR_NODE,
    .actor_id = {{1}},
    .actor_name = {(const uint8_t *)"ann", 3},
    .remote = {(const uint8_t *)"::1", 3},
    .action = {(const uint8_t *)"agent.drain", 11},
    .target = {(const uint8_t *)"agents/1", 8},
    .request_id = {{2}},
    .idempotency_key = {3},
    .body_hash = {4},
    .audit_max = 5,
    .audit_age_ms = 6,
    .replies_age_ms = 7,
};

/* One command of each kind, every field with a value of its own. */
static size_t old_samples(struct command *list)
{
    size_t n = 0;
    struct command *c;

#define NEXT(k)                                                                          \
    (c = &list[n++],                                                                     \
     *c = (struct command){.kind = COMMAND_##k, .now_ms = 7 + (int64_t)n},               \
     memset(c->cluster_id.bytes, 9, 16))
    NEXT(CLUSTER_CREATE);
    c->cluster_create.name = TEXT("acme");
    NEXT(TOKEN_CREATE);
    memset(c->token_create.hash, 3, SHA256_LEN);
    c->token_create.token_kind = TOKEN_ENROL;
    c->token_create.expires_at_ms = 99;
    c->token_create.single_use = true;
    NEXT(TOKEN_USE);
    memset(c->token_use.hash, 4, SHA256_LEN);
    memset(c->token_use.used_by.bytes, 5, 16);
    NEXT(AGENT_REGISTER);
    c->agent_register.zone = TEXT("eu-1a");
    c->agent_register.rack = TEXT("");
    c->agent_register.host = TEXT("h");
    c->agent_register.http_url = TEXT("http://h:1");
    c->agent_register.version = TEXT("0.1.0");
    c->agent_register.port = 9092;
    c->agent_register.state = AGENT_DRAINING;
    c->agent_register.agents_max = 1000;
    NEXT(AGENT_REMOVE);
    memset(c->agent_remove.agent_id.bytes, 6, 16);
    NEXT(TOPIC_CREATE);
    memset(c->topic_create.topic_id.bytes, 7, 16);
    c->topic_create.name = TEXT("t");
    c->topic_create.partitions = 12;
    c->topic_create.replication_factor = -1;
    c->topic_create.configs = set_two;
    c->topic_create.config_count = 2;
    c->topic_create.topics_max = 5;
    c->topic_create.partitions_max = 6;
    NEXT(TOPIC_DELETE);
    memset(c->topic_delete.topic_id.bytes, 8, 16);
    NEXT(PARTITIONS_CREATE);
    c->partitions_create.total = 100;
    c->partitions_create.partitions_max = 1000;
    NEXT(CONFIGS_ALTER);
    c->configs_alter.changes = all_ops;
    c->configs_alter.change_count = 5;
    c->configs_alter.metadata_max = 9;
    NEXT(COMMIT);
    c->commit.node_id = 3;
    c->commit.max_age_ms = 4;
    c->commit.max_future_ms = 5;
    c->commit.payload = TEXT("columns");
    NEXT(PRODUCER_IDS);
    c->producer_ids.count = 10;
    NEXT(EXPIRE_PRODUCERS);
    c->expire_producers.before_ms = -5;
    return n;
}

/* ... and of version 2. */
static size_t new_samples(struct command *list)
{
    size_t n = 0;
    struct command *c;

    NEXT(CELL_INIT);
    c->cell_init.name = TEXT("eu-1");
    c->cell_init.ca = sample_ca();
    c->cell_init.sealed_token_secret = TEXT("s");
    memset(c->cell_init.token_id.bytes, 1, 16);
    memset(c->cell_init.token_hash, 2, SHA256_LEN);
    c->cell_init.node = sample_node(0);
    NEXT(CA_ADD);
    c->ca_add = sample_ca();
    NEXT(CA_REMOVE);
    memset(c->ca_remove.ca_id.bytes, 3, 16);
    NEXT(NODE_PUT);
    c->node_put = sample_node(3);
    NEXT(NODE_REMOVE);
    c->node_remove.node_id = 3;
    NEXT(FEATURE_LEVEL);
    c->feature_level.level = 2;
    NEXT(USER_PUT);
    memset(c->user_put.user_id.bytes, 4, 16);
    c->user_put.name = TEXT("ann");
    c->user_put.email = TEXT("a@example.com");
    c->user_put.role = ROLE_VIEWER;
    c->user_put.disabled = true;
    NEXT(USER_REMOVE);
    memset(c->user_remove.user_id.bytes, 4, 16);
    NEXT(TOKEN_REMOVE);
    memset(c->token_remove.token_id.bytes, 5, 16);
    NEXT(CLUSTER_ALTER);
    c->cluster_alter.name = TEXT("n");
    c->cluster_alter.set_limits = true;
    c->cluster_alter.limits = (struct cluster_limits){1, 2, 3, 4, 5};
    NEXT(CLUSTER_DELETE);
    NEXT(PURGE);
    c->purge.rows_max = 7;
    c->purge.audit_before_ms = 8;
    c->purge.replies_before_ms = 9;
    NEXT(USAGE_REPORT);
    memset(c->usage_report.agent_id.bytes, 6, 16);
    c->usage_report.incarnation = 1;
    c->usage_report.counters = (struct usage_counters){
        2,
        3,
        4,
        5,
        {.put = 6, .get = 7, .head = 8, .list = 9, .delete = 1, 300, 1 << 20}};
    NEXT(BACKUP_RECORD);
    memset(c->backup_record.backup_id.bytes, 7, 16);
    c->backup_record.place = TEXT("s3://b/k");
    c->backup_record.applied_index = 1;
    c->backup_record.size_bytes = 2;
    c->backup_record.taken_at_ms = 3;
    NEXT(AGENT_ALTER);
    memset(c->agent_alter.agent_id.bytes, 8, 16);
    c->agent_alter.wanted = AGENT_DRAINING;
    c->context = &sample_context;
    c->if_version = 77;
    return n;
}

/* ... of groups. */
static size_t group_samples(struct command *list)
{
    static const struct join_protocol protocols[] = {
        {{(const uint8_t *)"range", 5}, {(const uint8_t *)"\0\1", 2}},
        {{(const uint8_t *)"sticky", 6}, {(const uint8_t *)"", 0}}};
    static const struct sync_assignment assignments[] = {
        {{(const uint8_t *)"m", 1}, {(const uint8_t *)"a", 1}}};
    static const struct group_leaver leavers[] = {
        {{(const uint8_t *)"m", 1}, {NULL, 0}},
        {{(const uint8_t *)"", 0}, {(const uint8_t *)"i", 1}}};
    static const struct group_expiry expiries[] = {{{(const uint8_t *)"m", 1}, 5}};
    static const struct slice names[] = {{(const uint8_t *)"a", 1},
                                         {(const uint8_t *)"", 0}};
    static const int32_t partitions[] = {0, 7, INT32_MAX};
    static const struct owned_topic owned[] = {{{{1}}, partitions, 3}};
    static const struct uuid topics[] = {{{1}}, {{2}}};
    static const struct resolved_regex regexes[] = {
        {{(const uint8_t *)"a|b", 3}, topics, 2}, {{(const uint8_t *)"x", 1}, NULL, 0}};
    size_t n = 0;
    struct command *c;

    NEXT(GROUP_JOIN);
    c->group_join.group_id = TEXT("g");
    c->group_join.member_id = TEXT("");
    c->group_join.new_member_id = TEXT("c-1");
    c->group_join.instance_id = TEXT("i");
    c->group_join.client_id = TEXT("c");
    c->group_join.client_host = TEXT("/::1");
    c->group_join.session_ms = 1;
    c->group_join.rebalance_ms = 2;
    c->group_join.protocol_type = TEXT("consumer");
    c->group_join.protocols = protocols;
    c->group_join.protocol_count = 2;
    c->group_join.require_known_id = true;
    c->group_join.may_skip_assignment = true;
    c->group_join.limits = (struct group_limits){1, 2, 3, 4, 5};
    NEXT(GROUP_SYNC);
    c->group_sync.group_id = TEXT("g");
    c->group_sync.generation = 4;
    c->group_sync.member_id = TEXT("m");
    c->group_sync.protocol_name = TEXT("");
    c->group_sync.assignments = assignments;
    c->group_sync.assignment_count = 1;
    c->group_sync.metadata_max = 7;
    NEXT(GROUP_LEAVE);
    c->group_leave.group_id = TEXT("g");
    c->group_leave.members = leavers;
    c->group_leave.member_count = 2;
    NEXT(GROUP_DUE);
    c->group_due.group_id = TEXT("g");
    c->group_due.generation = 3;
    c->group_due.phase = GROUP_PHASE_SYNC;
    NEXT(GROUP_EXPIRE);
    c->group_expire.group_id = TEXT("g");
    c->group_expire.members = expiries;
    c->group_expire.member_count = 1;
    NEXT(GROUP_DELETE);
    c->group_delete.group_id = TEXT("g");
    NEXT(CONSUMER_HEARTBEAT);
    c->consumer_heartbeat.group_id = TEXT("g");
    c->consumer_heartbeat.member_id = TEXT("m");
    c->consumer_heartbeat.member_epoch = -2;
    c->consumer_heartbeat.instance_id = TEXT("i");
    c->consumer_heartbeat.client_id = TEXT("");
    c->consumer_heartbeat.client_host = TEXT("/::1");
    c->consumer_heartbeat.rebalance_ms = -1;
    c->consumer_heartbeat.has_names = true;
    c->consumer_heartbeat.names = names;
    c->consumer_heartbeat.name_count = 2;
    c->consumer_heartbeat.regex = TEXT("a|b");
    c->consumer_heartbeat.has_owned = true;
    c->consumer_heartbeat.owned = owned;
    c->consumer_heartbeat.owned_count = 1;
    c->consumer_heartbeat.topics_version = 9;
    c->consumer_heartbeat.regexes = regexes;
    c->consumer_heartbeat.regex_count = 2;
    c->consumer_heartbeat.flags = CONSUMER_MAY_DOWNGRADE;
    c->consumer_heartbeat.limits = (struct group_limits){1, 2, 3, 4, 5};
    return n;
}

/* ... of the admin APIs. */
static size_t offset_samples(struct command *list)
{
    /* One commit of group "g" by its member "m": one partition, at offset 5. */
    static const uint8_t payload[] = {1,   7, 7, 7, 7, 7, 7, 7,  7,   7, 7,
                                      7,   7, 7, 7, 7, 7, 1, 2,  'g', 2, 2,
                                      'm', 0, 1, 1, 0, 1, 0, 10, 1,   1};
    static const struct slice groups[] = {{(const uint8_t *)"g", 1},
                                          {(const uint8_t *)"h", 1}};
    size_t n = 0;
    struct command *c;

    NEXT(OFFSETS_COMMIT);
    c->offsets_commit.groups_max = 3;
    c->offsets_commit.metadata_max = 4;
    c->offsets_commit.payload = slice_of(payload, sizeof(payload));
    NEXT(OFFSETS_DELETE);
    c->offsets_delete.payload = slice_of(payload, sizeof(payload));
    NEXT(OFFSETS_EXPIRE);
    c->offsets_expire.before_ms = 8;
    c->offsets_expire.groups = groups;
    c->offsets_expire.group_count = 2;
    return n;
}

static size_t admin_samples(struct command *list)
{
    static const struct records_cut cuts[] = {{{{1}}, 2, 30}, {{{2}}, 0, -1}};
    static const struct config_change changes[] = {
        {CONFIG_SET, {(const uint8_t *)"k", 1}, {(const uint8_t *)"v", 1}}};
    static const struct quota_part parts[] = {
        {{(const uint8_t *)"client-id", 9}, {NULL, 0}},
        {{(const uint8_t *)"user", 4}, {(const uint8_t *)"ann", 3}}};
    static const struct quota_change quotas[] = {
        {{(const uint8_t *)"producer_byte_rate", 18}, false, 10.25},
        {{(const uint8_t *)"x", 1}, true, 0}};
    size_t n = 0;
    struct command *c;

    NEXT(RECORDS_DELETE);
    c->records_delete.cuts = cuts;
    c->records_delete.cut_count = 2;
    NEXT(SETTINGS_ALTER);
    c->settings_alter.setting_kind = SETTING_GROUP;
    c->settings_alter.name = TEXT("g");
    c->settings_alter.changes = changes;
    c->settings_alter.change_count = 1;
    c->settings_alter.sets_max = 3;
    c->settings_alter.metadata_max = 4;
    NEXT(QUOTAS_ALTER);
    c->quotas_alter.parts = parts;
    c->quotas_alter.part_count = 2;
    c->quotas_alter.changes = quotas;
    c->quotas_alter.change_count = 2;
    c->quotas_alter.sets_max = 5;
    c->quotas_alter.metadata_max = 6;
    return n;
}
#undef NEXT

static size_t samples(struct command *list)
{
    size_t n = old_samples(list);
    n += new_samples(list + n);
    n += group_samples(list + n);
    n += offset_samples(list + n);
    return n + admin_samples(list + n);
}

/* Every kind has a sample above: what has none would be written by untried code. */
static void test_every_kind_has_a_sample(void **state)
{
    static const enum command_kind kinds[] = {
#define COMMAND(NAME, name, number, level) COMMAND_##NAME,
#include "proto/command.def"
#undef COMMAND
    };
    struct command list[64];

    (void)state;
    size_t n = samples(list);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        bool found = false;
        for (size_t k = 0; k < n; k++)
            found |= list[k].kind == kinds[i];
        if (!found)
            fail_msg("no sample of %s", command_name(kinds[i]));
    }
}

/* Encoding what was decoded gives the same bytes, for every kind. */
static void test_round_trip(void **state)
{
    struct command list[64], back;
    struct str bytes, again;
    struct arena arena;

    (void)state;
    size_t n = samples(list);
    arena_init(&arena, MIB);
    for (size_t i = 0; i < n; i++) {
        str_init(&bytes, MIB);
        str_init(&again, MIB);
        command_write(&list[i], &bytes);
        assert_int_equal(command_read(str_slice(&bytes), &arena, &back), 0);
        assert_int_equal(back.kind, list[i].kind);
        assert_int_equal(back.now_ms, list[i].now_ms);
        command_write(&back, &again);
        assert_true(slice_eq(str_slice(&bytes), str_slice(&again)));
        assert_string_not_equal(command_name(back.kind), "?");
        str_fini(&bytes);
        str_fini(&again);
    }
    arena_fini(&arena);
}

/* Null and empty texts stay what they are. */
static void test_null_texts(void **state)
{
    struct command cmd = {.kind = COMMAND_AGENT_REGISTER,
                          .agent_register = {.rack = TEXT(""), .state = AGENT_ACTIVE}};
    struct command back;
    struct str bytes;
    struct arena arena;

    (void)state;
    str_init(&bytes, MIB);
    arena_init(&arena, MIB);
    command_write(&cmd, &bytes);
    assert_int_equal(command_read(str_slice(&bytes), &arena, &back), 0);
    assert_null(back.agent_register.zone.ptr);
    assert_non_null(back.agent_register.rack.ptr);
    assert_int_equal(back.agent_register.rack.len, 0);
    arena_fini(&arena);
    str_fini(&bytes);
}

#define USAGE_STORE_BYTES 10 /* of the sample's varints */

/* Every shortened command is refused, and so is one with bytes left over; only a commit's
 * payload, which is the rest by definition, may have any length, and a report of use may
 * end before what the object store was asked, as it did once. */
static void test_truncated(void **state)
{
    struct command list[64], back;
    struct str bytes;
    struct arena arena;

    (void)state;
    size_t n = samples(list);
    arena_init(&arena, MIB);
    for (size_t i = 0; i < n; i++) {
        str_init(&bytes, MIB);
        command_write(&list[i], &bytes);
        size_t payload = list[i].kind == COMMAND_COMMIT ? list[i].commit.payload.len : 0;
        for (size_t len = 0; len + payload < bytes.len; len++) {
            /* In memory of its own, so that a sanitizer sees a read past the end. */
            void *copy = mem_dup(bytes.data, len + 1);
            bool older = list[i].kind == COMMAND_USAGE_REPORT &&
                         len == bytes.len - USAGE_STORE_BYTES;
            int rc = command_read(slice_of(copy, len), &arena, &back);
            assert_int_equal(rc == 0, older);
            mem_free(copy);
        }
        str_putc(&bytes, 'x');
        int rc = command_read(str_slice(&bytes), &arena, &back);
        assert_int_equal(rc, list[i].kind == COMMAND_COMMIT ? 0 : ERR_MALFORMED);
        str_fini(&bytes);
    }
    arena_fini(&arena);
}

static int read_changed(size_t at, uint8_t value, struct command *cmd)
{
    struct command back;
    struct arena arena;
    struct str bytes;

    str_init(&bytes, MIB);
    arena_init(&arena, MIB);
    command_write(cmd, &bytes);
    bytes.data[at] = (char)value;
    int rc = command_read(str_slice(&bytes), &arena, &back);
    arena_fini(&arena);
    str_fini(&bytes);
    return rc;
}

/* A newer version and an unknown number are told apart from garbage. */
static void test_versions(void **state)
{
    struct command cmd = {.kind = COMMAND_TOPIC_DELETE};

    (void)state;
    assert_int_equal(read_changed(0, COMMAND_VERSION + 1, &cmd), ERR_UNSUPPORTED);
    assert_int_equal(read_changed(0, 0, &cmd), ERR_MALFORMED);
    assert_int_equal(read_changed(1, 200, &cmd), ERR_UNSUPPORTED);
    assert_int_equal(read_changed(1, 0, &cmd), ERR_UNSUPPORTED);
    assert_int_equal(read_changed(2, 0x80, &cmd), ERR_MALFORMED); /* time below zero */
}

/* A change without its key or value, an unknown operation, or something else than SET at
 * creation is malformed. */
static void test_config_changes(void **state)
{
    struct config_change change = {CONFIG_SET, TEXT("k"), SLICE_NULL};
    struct command cmd = {.kind = COMMAND_CONFIGS_ALTER,
                          .configs_alter = {.changes = &change, .change_count = 1}};
    struct command create = {.kind = COMMAND_TOPIC_CREATE,
                             .topic_create = {.topic_id = {{1}},
                                              .name = TEXT("t"),
                                              .partitions = 1,
                                              .configs = &change,
                                              .config_count = 1}};

    (void)state;
    assert_int_equal(read_changed(0, COMMAND_VERSION, &cmd), ERR_MALFORMED);
    change = (struct config_change){CONFIG_DELETE, TEXT("k"), TEXT("v")};
    assert_int_equal(read_changed(0, COMMAND_VERSION, &cmd), ERR_MALFORMED);
    change = (struct config_change){(enum config_op)9, TEXT("k"), TEXT("v")};
    assert_int_equal(read_changed(0, COMMAND_VERSION, &cmd), ERR_MALFORMED);
    change = (struct config_change){CONFIG_REPLACE_ALL, SLICE_NULL, SLICE_NULL};
    assert_int_equal(read_changed(0, COMMAND_VERSION, &cmd), 0);
    assert_int_equal(read_changed(0, COMMAND_VERSION, &create), ERR_MALFORMED);
    change = (struct config_change){CONFIG_SET, TEXT("k"), TEXT("v")};
    assert_int_equal(read_changed(0, COMMAND_VERSION, &create), 0);
}

/* Results survive their bytes. */
static void test_results(void **state)
{
    struct command_result result = {.code = ERR_EXISTS,
                                    .kafka_error = -1,
                                    .message = TEXT("why"),
                                    .value = -7,
                                    .at_ms = 99};
    struct command_result back;
    struct str bytes;

    (void)state;
    str_init(&bytes, MIB);
    command_result_write(&result, &bytes);
    assert_int_equal(command_result_read(str_slice(&bytes), &back), 0);
    assert_int_equal(back.code, ERR_EXISTS);
    assert_int_equal(back.kafka_error, -1);
    assert_int_equal(back.value, -7);
    assert_int_equal(back.at_ms, 99);
    assert_true(slice_eq_str(back.message, "why"));
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(command_result_read(slice_of(bytes.data, len), &back),
                         ERR_MALFORMED);
    bytes.data[0] = 127; /* no such code */
    assert_int_equal(command_result_read(str_slice(&bytes), &back), ERR_MALFORMED);
    str_fini(&bytes);
}

/* Commands packed into an entry come out in order; a damaged rest is one command. */
static void test_packing(void **state)
{
    struct str entry;
    struct slice rest, command;

    (void)state;
    str_init(&entry, MIB);
    command_pack(TEXT("one"), &entry);
    command_pack(TEXT(""), &entry);
    command_pack(TEXT("three"), &entry);
    rest = str_slice(&entry);
    assert_true(command_unpack(&rest, &command));
    assert_true(slice_eq_str(command, "one"));
    assert_true(command_unpack(&rest, &command));
    assert_int_equal(command.len, 0);
    assert_true(command_unpack(&rest, &command));
    assert_true(slice_eq_str(command, "three"));
    assert_false(command_unpack(&rest, &command));
    rest = slice_of(entry.data, entry.len - 1);
    int count = 0;
    while (command_unpack(&rest, &command))
        count++;
    assert_int_equal(count, 3);
    assert_int_equal(command.len, 4 + 4); /* the length and what is left of "three" */
    str_fini(&entry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_has_a_sample),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_null_texts),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_config_changes),
        cmocka_unit_test(test_results),
        cmocka_unit_test(test_packing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
