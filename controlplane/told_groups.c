/* told_groups.c - state and generation of each group as they were told. */
#include "controlplane/told_groups.h"

#include <string.h>

#include "common/mem.h"

struct told_group {
    int32_t generation;
    enum group_state state;
    bool consumer;
    UT_hash_handle hh;
    uint8_t id[];
};

static void forget(struct told_group **table, struct told_group *told)
{
    HASH_DEL(*table, told);
    mem_free(told);
}

static struct told_group *add(struct told_group **table, struct slice id)
{
    struct told_group *told = mem_zalloc(sizeof(*told) + id.len);
    memcpy(told->id, id.ptr, id.len);
    HASH_ADD_KEYPTR(hh, *table, told->id, id.len, told);
    return told;
}

/* One that holds commits only, and no members, is no news: it was none before. */
static bool is_worth_telling(const struct group *group)
{
    return group->kind == GROUP_CLASSIC && group->state != GROUP_DEAD;
}

bool told_groups_news(struct told_group **table, const struct group *group)
{
    bool consumer = group->kind == GROUP_CONSUMER;
    struct told_group *told;

    HASH_FIND(hh, *table, group->group_id.ptr, group->group_id.len, told);
    if (group->state == GROUP_DEAD) {
        if (told != NULL)
            forget(table, told);
        return told != NULL;
    }
    if (told == NULL) {
        if (!is_worth_telling(group))
            return false;
        told = add(table, group->group_id);
    } else if (told->consumer == consumer &&
               (consumer ||
                (told->generation == group->generation && told->state == group->state))) {
        return false;
    }
    told->consumer = consumer;
    told->generation = group->generation;
    told->state = group->state;
    return true;
}

void told_groups_free(struct told_group **table)
{
    struct told_group *told, *next;
    HASH_ITER(hh, *table, told, next)
    forget(table, told);
}
