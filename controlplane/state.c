/* state.c - the life of the state, the dispatch of commands, and the reads. */
#include "controlplane/state.h"

#include <string.h>

#include "common/check.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

/* Arrays of one command: topics and producers of a commit, configs of a topic. */
#define ARENA_MAX   (8 * MIB)
#define MESSAGE_MAX 1024
#define RESULT_MAX  (64 * MIB)
#define DELETES_MAX ((size_t)1 << 32)

struct state *state_new(const struct state_events *events)
{
    struct state *state = mem_zalloc(sizeof(*state));
    catalog_init(&state->catalog);
    objects_init(&state->objects);
    producers_init(&state->producers);
    audit_init(&state->audit);
    replies_init(&state->replies);
    state->next_producer_id = 1;
    if (events != NULL)
        state->events = *events;
    list_init(&state->dirty);
    list_init(&state->saving);
    state->dirty_mark = 1;
    str_init(&state->deletes, DELETES_MAX);
    arena_init(&state->arena, ARENA_MAX);
    str_init(&state->message, MESSAGE_MAX);
    str_init(&state->commit.base_offset, RESULT_MAX);
    str_init(&state->commit.result, RESULT_MAX);
    str_init(&state->commit.packed, RESULT_MAX);
    str_init(&state->offsets.exceptions, RESULT_MAX);
    str_init(&state->offsets.data, RESULT_MAX);
    return state;
}

static void free_topic(struct state *state, struct topic *topic)
{
    struct list_node *node;

    while ((node = list_first(&topic->group_topics)) != NULL)
        group_topic_remove(CONTAINER_OF(node, struct group_topic, of_topic));
    for (int32_t i = 0; i < topic->partition_count; i++)
        producers_drop(&state->producers, topic->partitions[i]);
    partition_free_topic(topic);
    catalog_remove_topic(topic);
}

static void free_scope(struct state *state, struct scope *scope)
{
    struct list_node *node;

    while ((node = list_first(&scope->tokens)) != NULL)
        catalog_remove_token(&state->catalog, CONTAINER_OF(node, struct token, node));
    while ((node = list_first(&scope->users)) != NULL)
        catalog_remove_user(&state->catalog, CONTAINER_OF(node, struct user, node));
}

static void free_settings(struct settings *settings)
{
    struct list_node *node;
    while ((node = list_first(&settings->list)) != NULL)
        settings_remove(CONTAINER_OF(node, struct setting_set, node));
}

static void free_cluster(struct state *state, struct cluster *cluster)
{
    struct list_node *node;
    struct topic *topic;
    struct agent_info *agent;

    while ((node = list_first(&cluster->objects.list)) != NULL)
        objects_remove(&state->objects, CONTAINER_OF(node, struct stored_object, node));

    while ((topic = catalog_topic_next(cluster, NULL)) != NULL)
        free_topic(state, topic);
    while ((agent = catalog_agent_next(cluster, NULL)) != NULL)
        catalog_remove_agent(agent);
    while ((node = list_first(&cluster->groups)) != NULL)
        group_remove(CONTAINER_OF(node, struct group, node));
    free_scope(state, &cluster->scope);
    objects_free_table(cluster);
    usage_fini(&cluster->usage);
    free_settings(&cluster->settings);
    catalog_remove_cluster(&state->catalog, cluster);
}

void state_free(struct state *state)
{
    struct list_node *node;
    struct cluster *cluster;

    if (state == NULL)
        return;
    while ((node = list_first(&state->catalog.doomed_topics)) != NULL)
        free_topic(state, CONTAINER_OF(node, struct topic, node));
    while ((cluster = catalog_cluster_next(&state->catalog, NULL)) != NULL)
        free_cluster(state, cluster);
    while ((node = list_first(&state->catalog.doomed_clusters)) != NULL)
        free_cluster(state, CONTAINER_OF(node, struct cluster, node));
    free_scope(state, &state->catalog.cell.scope);
    catalog_cell_fini(&state->catalog.cell);
    audit_fini(&state->audit);
    replies_fini(&state->replies);
    mem_free(state->commit.runs);
    mem_free(state->commit.batches);
    mem_free(state->commit.topics);
    mem_free(state->commit.accepted);
    mem_free(state->commit.exceptions);
    str_fini(&state->commit.base_offset);
    str_fini(&state->commit.result);
    str_fini(&state->commit.packed);
    mem_free(state->offsets.parts);
    mem_free(state->offsets.positions);
    mem_free(state->offsets.errors);
    mem_free(state->offsets.partitions);
    str_fini(&state->offsets.exceptions);
    str_fini(&state->offsets.data);
    str_fini(&state->message);
    str_fini(&state->deletes);
    arena_fini(&state->arena);
    mem_free(state);
}

/* ---- applying ---- */

void apply_touch(struct state *state, struct row *row)
{
    if (row->mark == state->dirty_mark)
        return;
    if (row->mark != ROW_CLEAN)
        checkpoint_copy_row(state, row);
    row->mark = state->dirty_mark;
    list_push_back(&state->dirty, &row->dirty);
    state->dirty_count++;
}

void apply_forget(struct state *state, struct row *row)
{
    if (row->mark != ROW_CLEAN && row->mark != state->dirty_mark)
        checkpoint_copy_row(state, row);
}

void apply_refuse(struct state *state, int code, struct command_result *result)
{
    result->code = code;
    result->message = str_slice(&state->message);
}

bool apply_stale(const struct command *cmd, uint64_t etag, struct command_result *result)
{
    if (cmd->if_version == 0 || cmd->if_version == etag)
        return false;
    result->code = ERR_STALE;
    return true;
}

void apply_refuse_kafka(struct state *state, int16_t kafka_error,
                        struct command_result *result)
{
    result->kafka_error = kafka_error;
    result->message = str_slice(&state->message);
}

struct cluster *apply_cluster(struct state *state, const struct command *cmd,
                              struct command_result *result)
{
    struct cluster *cluster = catalog_cluster(&state->catalog, &cmd->cluster_id);
    if (cluster == NULL)
        result->code = ERR_NOT_FOUND;
    return cluster;
}

typedef void apply_fn(struct state *state, const struct command *cmd,
                      struct command_result *result);

static apply_fn *const appliers[] = {
#define COMMAND(name, lower, number, level) [number] = apply_##lower,
#include "proto/command.def"
#undef COMMAND
};

void state_apply(struct state *state, uint64_t index, struct slice command,
                 struct str *result)
{
    struct command cmd;
    struct command_result res = {.code = 0};

    state_skip(state, index);
    arena_fini(&state->arena);
    arena_init(&state->arena, ARENA_MAX);
    str_reset(&state->message);
    str_reset(&state->commit.result);
    int rc = command_read(command, &state->arena, &cmd);
    if (rc != 0) {
        res.code = ERR_MALFORMED;
        command_result_write(&res, result);
        return;
    }
    state->now_ms = MAX(state->now_ms, cmd.now_ms);
    if (apply_repeat(state, &cmd, result))
        return;
    res.at_ms = cmd.now_ms;
    appliers[cmd.kind](state, &cmd, &res);
    if (cmd.kind == COMMAND_COMMIT) {
        /* It has its own kind of result. */
        str_append_slice(result, str_slice(&state->commit.result));
        return;
    }
    size_t at = result->len;
    command_result_write(&res, result);
    apply_context(state, &cmd, &res, slice_of(result->data + at, result->len - at));
}

void state_skip(struct state *state, uint64_t index)
{
    ASSERT(index >= state->applied_index);
    state->applied_index = index;
}

uint64_t state_applied_index(const struct state *state)
{
    return state->applied_index;
}

int64_t state_now_ms(const struct state *state)
{
    return state->now_ms;
}

/* ---- reading: the catalog ---- */

const struct cluster *state_cluster(const struct state *state, const struct uuid *id)
{
    return catalog_cluster(&state->catalog, id);
}

const struct cluster *state_cluster_by_name(const struct state *state, struct slice name)
{
    return catalog_cluster_by_name(&state->catalog, name);
}

const struct cluster *state_cluster_next(const struct state *state,
                                         const struct cluster *cluster)
{
    return catalog_cluster_next(&state->catalog, cluster);
}

const struct topic *state_topic(const struct cluster *cluster, const struct uuid *id)
{
    return catalog_topic(cluster, id);
}

const struct topic *state_topic_by_name(const struct cluster *cluster, struct slice name)
{
    return catalog_topic_by_name(cluster, name);
}

const struct topic *state_topic_next(const struct cluster *cluster,
                                     const struct topic *topic)
{
    return catalog_topic_next(cluster, topic);
}

const struct agent_info *state_agent(const struct cluster *cluster,
                                     const struct uuid *agent_id)
{
    return catalog_agent(cluster, agent_id);
}

const struct agent_info *state_agent_next(const struct cluster *cluster,
                                          const struct agent_info *agent)
{
    return catalog_agent_next(cluster, agent);
}

/* What belongs to a deleted cluster is not seen any more. */
static bool hidden(const struct cluster *cluster)
{
    return cluster != NULL && cluster->doomed != 0;
}

const struct token *state_token(const struct state *state, const uint8_t hash[SHA256_LEN])
{
    const struct token *token = catalog_token(&state->catalog, hash);
    return token == NULL || hidden(token->cluster) ? NULL : token;
}

const struct token *state_token_by_id(const struct state *state, const struct uuid *id)
{
    const struct token *token = catalog_token_by_id(&state->catalog, id);
    return token == NULL || hidden(token->cluster) ? NULL : token;
}

const struct user *state_user(const struct state *state, const struct uuid *id)
{
    const struct user *user = catalog_user(&state->catalog, id);
    return user == NULL || hidden(user->cluster) ? NULL : user;
}

/* The node behind PREV in LIST (its first for NULL), or NULL at the end. */
static struct list_node *after(const struct list *list, const struct list_node *prev)
{
    struct list_node *next = prev == NULL ? list->head.next : prev->next;
    return next == &list->head ? NULL : next;
}

const struct token *state_token_next(const struct state *state,
                                     const struct cluster *cluster,
                                     const struct token *token)
{
    struct list_node *next = after(&catalog_scope(&state->catalog, cluster)->tokens,
                                   token == NULL ? NULL : &token->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct token, node);
}

const struct user *state_user_next(const struct state *state,
                                   const struct cluster *cluster, const struct user *user)
{
    struct list_node *next = after(&catalog_scope(&state->catalog, cluster)->users,
                                   user == NULL ? NULL : &user->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct user, node);
}

const struct group *state_group(const struct cluster *cluster, struct slice group_id)
{
    return group_find(cluster, group_id);
}

const struct group *state_group_next(const struct cluster *cluster,
                                     const struct group *group)
{
    struct list_node *next = after(&cluster->groups, group == NULL ? NULL : &group->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct group, node);
}

uint64_t state_metadata_bytes(const struct cluster *cluster)
{
    return catalog_metadata_bytes(cluster);
}

/* ---- reading: the cell ---- */

const struct cell *state_cell(const struct state *state)
{
    return &state->catalog.cell;
}

const struct cell_node *state_node(const struct state *state, uint64_t node_id)
{
    return catalog_node(&state->catalog.cell, node_id);
}

const struct cell_node *state_node_next(const struct state *state,
                                        const struct cell_node *node)
{
    struct list_node *next =
        after(&state->catalog.cell.nodes, node == NULL ? NULL : &node->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct cell_node, node);
}

bool state_node_removed(const struct state *state, uint64_t node_id)
{
    return node_id > 0 && node_id < state->catalog.cell.next_node_id &&
           state_node(state, node_id) == NULL;
}

const struct cell_ca *state_ca_active(const struct state *state)
{
    const struct list *cas = &state->catalog.cell.cas;
    return list_empty(cas) ? NULL : CONTAINER_OF(cas->head.prev, struct cell_ca, node);
}

const struct cell_ca *state_ca_next(const struct state *state, const struct cell_ca *ca)
{
    struct list_node *next =
        after(&state->catalog.cell.cas, ca == NULL ? NULL : &ca->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct cell_ca, node);
}

const struct backup_info *state_backup_next(const struct state *state,
                                            const struct backup_info *backup)
{
    struct list_node *next =
        after(&state->catalog.cell.backups, backup == NULL ? NULL : &backup->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct backup_info, node);
}

size_t state_audit(const struct state *state, const struct audit_query *query,
                   const struct audit_entry **entries, size_t max, uint64_t *next)
{
    return audit_read(&state->audit, query, entries, max, next);
}

/* ---- reading: logs ---- */

/* TOPIC's partition with its offsets, or NULL. */
static const struct partition *find(const struct topic *topic, int32_t index,
                                    struct partition_offsets *offsets)
{
    const struct partition *partition = topic == NULL ? NULL : partition_of(topic, index);
    if (partition != NULL && offsets != NULL) {
        offsets->high_watermark = partition->next_offset;
        offsets->log_start_offset = partition->log_start_offset;
    }
    return partition;
}

int16_t state_offsets(const struct topic *topic, int32_t partition,
                      struct partition_offsets *offsets)
{
    if (find(topic, partition, offsets) == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    return 0;
}

struct partition_size state_partition_size(const struct topic *topic, int32_t index)
{
    const struct partition *partition = partition_of(topic, index);
    struct partition_size size = {0};

    if (partition != NULL && partition->run_count > 0)
        size =
            (struct partition_size){.bytes = partition->bytes,
                                    .runs = partition->run_count,
                                    .max_timestamp = partition_max_timestamp(partition)};
    return size;
}

size_t state_producers(const struct topic *topic, int32_t index,
                       struct producer_view *views, size_t max)
{
    const struct partition *partition = topic == NULL ? NULL : partition_of(topic, index);
    size_t n = 0;

    for (uint32_t i = 0; partition != NULL && i < partition->producer_slots && n < max;
         i++) {
        const struct producer *producer = partition->producers[i];
        if (producer == NULL || producer->count == 0)
            continue;
        const struct producer_batch *last = &producer->batches[producer->last];
        views[n++] = (struct producer_view){.producer_id = producer->producer_id,
                                            .last_timestamp = last->timestamp,
                                            .last_sequence = last->last_sequence,
                                            .epoch = producer->epoch};
    }
    return n;
}

static void view_of(const struct run *run, struct run_view *view)
{
    view->object_id = &run->object->object_id;
    view->base_offset = run->base_offset;
    view->records = run->records;
    view->length = run->length;
    view->position = run->position;
    view->max_timestamp = run->max_timestamp;
}

int16_t state_plan(const struct topic *topic, int32_t partition, int64_t offset,
                   struct partition_offsets *offsets, struct run_walk *walk)
{
    const struct partition *found = find(topic, partition, offsets);

    if (found == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (offset < found->log_start_offset || offset > found->next_offset)
        return STATE_KAFKA_OFFSET_OUT_OF_RANGE;
    walk->partition = found;
    walk->next = found->run_count;
    if (offset < found->next_offset)
        walk->next = partition_find_offset(found, offset);
    return 0;
}

bool state_plan_next(struct run_walk *walk, struct run_view *run)
{
    if (walk->next >= walk->partition->run_count)
        return false;
    view_of(&walk->partition->runs[walk->next++], run);
    return true;
}

int16_t state_run_by_timestamp(const struct topic *topic, int32_t partition,
                               int64_t timestamp, struct run_view *run, bool *found)
{
    const struct partition *p = find(topic, partition, NULL);

    if (p == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    uint32_t i = partition_find_timestamp(p, timestamp);
    *found = i < p->run_count;
    if (*found)
        view_of(&p->runs[i], run);
    return 0;
}

int16_t state_run_of_max_timestamp(const struct topic *topic, int32_t partition,
                                   struct run_view *run, bool *found)
{
    const struct partition *p = find(topic, partition, NULL);

    if (p == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    return state_run_by_timestamp(topic, partition, partition_max_timestamp(p), run,
                                  found);
}

int16_t state_run_behind_start(const struct topic *topic, int32_t partition,
                               int64_t timestamp, bool by_max, struct run_view *run,
                               bool *found)
{
    const struct partition *p = find(topic, partition, NULL);
    uint32_t best = 0;

    if (p == NULL)
        return STATE_KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    *found = false;
    if (p->run_count < 2 || p->runs[0].base_offset >= p->log_start_offset)
        return 0;
    if (by_max)
        timestamp = partition_max_timestamp(p);
    if (p->runs[0].max_timestamp < timestamp)
        return 0; /* it was another one */
    for (uint32_t i = 1; i < p->run_count; i++) {
        if (by_max ? best == 0 || p->runs[i].max_timestamp > p->runs[best].max_timestamp
                   : p->runs[i].max_timestamp >= timestamp)
            best = i;
        if (best != 0 && !by_max)
            break;
    }
    *found = best != 0;
    if (*found)
        view_of(&p->runs[best], run);
    return 0;
}

bool state_object_known(const struct cluster *cluster, const struct uuid *object_id)
{
    return objects_find(cluster, object_id) != NULL;
}

void state_count(const struct state *state, struct state_counts *counts)
{
    memset(counts, 0, sizeof(*counts));
    for (const struct cluster *cluster = NULL;
         (cluster = catalog_cluster_next(&state->catalog, cluster)) != NULL;) {
        counts->clusters++;
        counts->topics += cluster->topic_count;
        counts->partitions += cluster->partition_count;
        counts->agents += cluster->agent_count;
    }
    counts->runs = state->run_count;
    counts->producers = state->producers.count;
    counts->objects = state->objects.count;
    counts->garbage_objects = state->objects.garbage_count;
    counts->memory_bytes =
        counts->runs * sizeof(struct run) + counts->producers * sizeof(struct producer) +
        counts->partitions * sizeof(struct partition) + state->objects.bytes;
}

int64_t state_oldest_producer_ms(const struct state *state)
{
    struct list_node *first = list_first(&state->producers.by_use);
    return first == NULL ? -1 : CONTAINER_OF(first, struct producer, node)->queued_at_ms;
}
