/* apply_purge.c - what was deleted is forgotten, a bounded number of rows at a time.
 *
 * TOPIC_DELETE and CLUSTER_DELETE only hide: their cost does not depend on what is
 * hidden. The leader then proposes PURGE until nothing is left. The order is that of the
 * deletions, and within a topic from its last run to its first, so that all nodes are
 * equally far (I7) and a half purged topic can be stored: as the number of partitions
 * that are left, and the offset from which on the last of them is gone. */
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

/* How much may go yet. */
struct purging {
    struct state *state;
    uint32_t left;
    int64_t now_ms;
};

static void take(struct purging *p, uint64_t rows)
{
    p->left = rows >= p->left ? 0 : p->left - (uint32_t)rows;
}

/* ---- topics ---- */

static void purge_run(struct purging *p, struct partition *partition)
{
    struct stored_object *object = partition_last_run(partition)->object;

    if (object->run_count == 1) /* it becomes garbage */
        apply_touch(p->state, &object->row);
    objects_unref_run(&p->state->objects, object, p->now_ms);
    partition_drop_run(partition);
    p->state->run_count--;
    partition->topic->cluster->run_count--;
    take(p, 1);
}

static void purge_group_topic(struct purging *p, struct group_topic *group_topic)
{
    take(p, 1 + (uint64_t)group_topic->count);
    apply_drop_group_topic(p->state, group_topic);
}

static void purge_topic(struct purging *p, struct topic *topic)
{
    struct list_node *node;

    apply_touch(p->state, &topic->row);
    while (p->left > 0 && (node = list_first(&topic->group_topics)) != NULL)
        purge_group_topic(p, CONTAINER_OF(node, struct group_topic, of_topic));
    while (p->left > 0 && topic->partition_count > 0) {
        struct partition *partition = partition_of(topic, topic->partition_count - 1);
        apply_touch(p->state, &partition->row);
        while (p->left > 0 && partition->run_count > 0)
            purge_run(p, partition);
        topic->purge_offset = partition->next_offset;
        if (partition->run_count > 0)
            return;
        take(p, 1 + (uint64_t)partition->producer_count);
        producers_drop(&p->state->producers, partition);
        apply_forget(p->state, &partition->row);
        partition_free_last(topic);
        topic->purge_offset = -1;
    }
    if (topic->partition_count > 0 || !list_empty(&topic->group_topics))
        return;
    apply_forget(p->state, &topic->row);
    checkpoint_delete_topic(topic, &p->state->deletes);
    partition_free_topic(topic);
    catalog_remove_topic(topic);
    take(p, 1);
}

/* ---- clusters ---- */

/* A member of GROUP goes, or its offsets of a topic, or GROUP itself. */
static void purge_group(struct purging *p, struct group *group)
{
    struct group_member *member = group_member_next(group, NULL);

    if (member == NULL)
        member = group_pending_next(group, NULL);
    if (member != NULL)
        apply_drop_member(p->state, member);
    else if (group->offsets != NULL)
        purge_group_topic(p, group->offsets->topics[group->offsets->count - 1]);
    else
        apply_drop_group(p->state, group);
}

/* One thing of CLUSTER goes, or CLUSTER itself. */
static void purge_cluster(struct purging *p, struct cluster *cluster)
{
    struct state *state = p->state;
    struct topic *topic = catalog_topic_next(cluster, NULL);
    struct agent_info *agent = catalog_agent_next(cluster, NULL);
    struct list_node *group = list_first(&cluster->groups);
    struct list_node *token = list_first(&cluster->scope.tokens);
    struct list_node *user = list_first(&cluster->scope.users);
    struct list_node *object = list_first(&cluster->objects.list);
    struct list_node *day = list_first(&cluster->usage.days);
    struct list_node *source = list_first(&cluster->usage.sources);
    struct list_node *setting = list_first(&cluster->settings.list);

    take(p, 1);
    if (topic != NULL) {
        apply_doom_topic(state, topic);
    } else if (group != NULL) {
        purge_group(p, CONTAINER_OF(group, struct group, node));
    } else if (agent != NULL) {
        apply_drop_agent(state, agent);
    } else if (token != NULL) {
        apply_drop_token(state, CONTAINER_OF(token, struct token, node));
    } else if (user != NULL) {
        apply_drop_user(state, CONTAINER_OF(user, struct user, node));
    } else if (object != NULL) {
        apply_drop_object(state, CONTAINER_OF(object, struct stored_object, node));
    } else if (day != NULL) {
        apply_drop_usage_day(state, CONTAINER_OF(day, struct usage_day, node));
    } else if (source != NULL) {
        apply_drop_usage_source(state, CONTAINER_OF(source, struct usage_source, node));
    } else if (setting != NULL) {
        apply_drop_setting(state, CONTAINER_OF(setting, struct setting_set, node));
    } else {
        apply_forget(state, &cluster->row);
        checkpoint_delete_cluster(cluster, &state->deletes);
        objects_free_table(cluster);
        catalog_remove_cluster(&state->catalog, cluster);
    }
}

/* ---- what has become old ---- */

static void purge_old(struct purging *p, const struct command *cmd)
{
    struct state *state = p->state;
    struct audit_entry *entry;
    struct reply *reply;

    while (p->left > 0 && (entry = audit_oldest(&state->audit)) != NULL &&
           entry->at_ms < cmd->purge.audit_before_ms) {
        apply_drop_audit(state, entry);
        take(p, 1);
    }
    while (p->left > 0 && (reply = replies_oldest(&state->replies)) != NULL &&
           reply->at_ms < cmd->purge.replies_before_ms) {
        apply_drop_reply(state, reply);
        take(p, 1);
    }
}

/* ---- all ---- */

bool state_purge_due(const struct state *state)
{
    return !list_empty(&state->catalog.doomed_topics) ||
           !list_empty(&state->catalog.doomed_clusters);
}

bool state_has_older(const struct state *state, const struct command *purge)
{
    const struct audit_entry *entry = audit_oldest(&state->audit);
    const struct reply *reply = replies_oldest(&state->replies);

    return (entry != NULL && entry->at_ms < purge->purge.audit_before_ms) ||
           (reply != NULL && reply->at_ms < purge->purge.replies_before_ms);
}

void apply_purge(struct state *state, const struct command *cmd,
                 struct command_result *result)
{
    struct purging p = {
        .state = state, .left = cmd->purge.rows_max, .now_ms = cmd->now_ms};

    while (p.left > 0) {
        struct list_node *topic = list_first(&state->catalog.doomed_topics);
        struct list_node *cluster = list_first(&state->catalog.doomed_clusters);
        if (topic != NULL)
            purge_topic(&p, CONTAINER_OF(topic, struct topic, node));
        else if (cluster != NULL)
            purge_cluster(&p, CONTAINER_OF(cluster, struct cluster, node));
        else
            break;
    }
    purge_old(&p, cmd);
    result->value = (int64_t)(cmd->purge.rows_max - p.left);
}
