/* offsets_expiry.c - one pass over all groups, in steps. */
#include "controlplane/offsets_expiry.h"

#include "controlplane/group.h"

/* Kafka looks every ten minutes; a short retention (of a test) is looked after more
 * often. */
#define ROUND_MS       (10 * 60 * 1000)
#define ROUND_LEAST_MS 500

#define LOOK_GROUPS   4096 /* looked at in a step */
#define EXPIRE_GROUPS 256  /* in one command */

void offsets_expiry_init(struct offsets_expiry *expiry, int64_t retention_ms)
{
    *expiry = (struct offsets_expiry){.retention_ms = retention_ms};
    str_init(&expiry->group_id, COMMAND_GROUP_TEXT_MAX);
}

void offsets_expiry_fini(struct offsets_expiry *expiry)
{
    str_fini(&expiry->group_id);
}

void offsets_expiry_reset(struct offsets_expiry *expiry)
{
    expiry->round_at_ms = 0;
    expiry->going = expiry->named = false;
}

static void go_on_with(struct offsets_expiry *expiry, const struct cluster *cluster,
                       const struct group *group)
{
    expiry->cluster_id = cluster->cluster_id;
    expiry->named = group != NULL;
    str_reset(&expiry->group_id);
    if (group != NULL)
        str_append_slice(&expiry->group_id, group->group_id);
}

/* Collect what is due of CLUSTER from GROUP on. Returns where to go on, NULL: its end. */
static const struct group *look(const struct cluster *cluster, const struct group *group,
                                int64_t before_ms, uint32_t *left, struct slice *due,
                                uint32_t *count)
{
    while (group != NULL && *left > 0 && *count < EXPIRE_GROUPS) {
        if (state_offsets_expire(group, before_ms))
            due[(*count)++] = group->group_id;
        group = state_group_next(cluster, group);
        --*left;
    }
    return group;
}

bool offsets_expiry_step(struct offsets_expiry *expiry, const struct state *state,
                         int64_t now_ms, int64_t tick_ms, struct arena *arena,
                         struct command *cmd)
{
    int64_t every_ms = MIN(MAX(expiry->retention_ms / 10, ROUND_LEAST_MS), ROUND_MS);
    uint32_t left = LOOK_GROUPS, count = 0;

    if (!expiry->going && tick_ms < expiry->round_at_ms)
        return false;
    const struct cluster *cluster =
        expiry->going ? state_cluster(state, &expiry->cluster_id) : NULL;
    const struct group *group = NULL;
    if (cluster == NULL) /* a new round, or the cluster went */
        cluster = state_cluster_next(state, NULL);
    else if (expiry->named)
        group = state_group(cluster, str_slice(&expiry->group_id));
    if (!expiry->going)
        expiry->round_at_ms = tick_ms + every_ms;
    expiry->going = true;
    struct slice *due = arena_array(arena, EXPIRE_GROUPS, sizeof(*due));
    while (cluster != NULL && left > 0 && count == 0) {
        if (group == NULL) /* also when it went: its cluster from the front */
            group = state_group_next(cluster, NULL);
        group = look(cluster, group, now_ms - expiry->retention_ms, &left, due, &count);
        if (count > 0)
            *cmd = (struct command){
                .kind = COMMAND_OFFSETS_EXPIRE,
                .cluster_id = cluster->cluster_id,
                .offsets_expire = {.before_ms = now_ms - expiry->retention_ms,
                                   .groups = due,
                                   .group_count = count}};
        if (group == NULL) {
            cluster = state_cluster_next(state, cluster);
            left -= left > 0 ? 1 : 0;
        }
    }
    expiry->going = cluster != NULL;
    if (cluster != NULL)
        go_on_with(expiry, cluster, group);
    return count > 0;
}
