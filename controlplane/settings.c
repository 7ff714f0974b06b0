/* settings.c - see settings.h. A sorted array of pointers: sets are few, and changed
 * rarely. */
#include "controlplane/settings.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/catalog.h"

void settings_init(struct settings *settings)
{
    memset(settings, 0, sizeof(*settings));
    list_init(&settings->list);
}

static int compare(const struct setting_set *set, enum setting_kind kind,
                   struct slice name)
{
    if (set->kind != kind)
        return set->kind < kind ? -1 : 1;
    return slice_cmp(set->name, name);
}

/* Index of the set, or where it belongs. */
static uint32_t position(const struct settings *settings, enum setting_kind kind,
                         struct slice name, bool *found)
{
    uint32_t low = 0, high = settings->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(settings->sorted[middle], kind, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    *found = low < settings->count && compare(settings->sorted[low], kind, name) == 0;
    return low;
}

struct setting_set *settings_find(const struct settings *settings, enum setting_kind kind,
                                  struct slice name)
{
    bool found;
    uint32_t i = position(settings, kind, name, &found);
    return found ? settings->sorted[i] : NULL;
}

const struct setting_set *settings_next(const struct settings *settings,
                                        const struct setting_set *set)
{
    struct list_node *next = set == NULL ? settings->list.head.next : set->node.next;
    return next == &settings->list.head ? NULL
                                        : CONTAINER_OF(next, struct setting_set, node);
}

struct setting_set *settings_add(struct cluster *cluster, enum setting_kind kind,
                                 struct slice name)
{
    struct settings *settings = &cluster->settings;
    struct setting_set *set = mem_zalloc(sizeof(*set));
    bool found;
    uint32_t i = position(settings, kind, name, &found);

    ASSERT(!found);
    if (settings->count == settings->cap) {
        settings->cap = settings->cap == 0 ? 8 : settings->cap * 2;
        settings->sorted =
            mem_realloc(settings->sorted, settings->cap * sizeof(*settings->sorted));
    }
    memmove(&settings->sorted[i + 1], &settings->sorted[i],
            (settings->count - i) * sizeof(*settings->sorted));
    settings->sorted[i] = set;
    set->kind = kind;
    uint8_t *copy = mem_alloc(name.len + 1);
    if (name.len > 0)
        memcpy(copy, name.ptr, name.len);
    set->name = slice_of(copy, name.len);
    set->cluster = cluster;
    row_init(&set->row, ROW_SETTING);
    list_insert_before(i == settings->count ? &settings->list.head
                                            : &settings->sorted[i + 1]->node,
                       &set->node);
    settings->count++;
    return set;
}

void settings_count_text(struct setting_set *set)
{
    size_t bytes = set->name.len;
    for (size_t i = 0; i < set->values.count; i++)
        bytes +=
            strlen(set->values.entries[i].name) + strlen(set->values.entries[i].value);
    set->cluster->text_bytes += bytes;
    set->cluster->text_bytes -= set->text_bytes;
    set->text_bytes = (uint32_t)bytes;
}

void settings_remove(struct setting_set *set)
{
    struct settings *settings = &set->cluster->settings;
    bool found;
    uint32_t i = position(settings, set->kind, set->name, &found);

    ASSERT(found);
    settings->count--;
    memmove(&settings->sorted[i], &settings->sorted[i + 1],
            (settings->count - i) * sizeof(*settings->sorted));
    if (settings->count == 0) {
        mem_free(settings->sorted);
        settings->sorted = NULL;
        settings->cap = 0;
    }
    set->cluster->text_bytes -= set->text_bytes;
    list_remove(&set->node);
    list_remove(&set->row.dirty);
    topic_config_set_fini(&set->values);
    mem_free((void *)(uintptr_t)set->name.ptr);
    mem_free(set);
}

static const char *value_of(const struct cluster *cluster, enum setting_kind kind,
                            struct slice name, const char *key)
{
    const struct setting_set *set = settings_find(&cluster->settings, kind, name);
    return set == NULL ? NULL : topic_config_set_get(&set->values, key);
}

const char *group_setting(const struct cluster *cluster, struct slice group,
                          const char *name)
{
    const struct topic_config_spec *spec = setting_find(SETTING_GROUP, slice_str(name));
    const char *value = NULL;

    if (spec != NULL) {
        value = value_of(cluster, SETTING_GROUP, group, name);
        name = spec->broker_name;
    }
    if (value == NULL)
        value = value_of(cluster, SETTING_BROKER, SLICE_LITERAL(""), name);
    if (value != NULL)
        return value;
    spec = setting_find(SETTING_BROKER, slice_str(name));
    ASSERT(spec != NULL && spec->default_text != NULL);
    return spec->default_text;
}

int64_t group_setting_int(const struct cluster *cluster, struct slice group,
                          const char *name)
{
    return strtoll(group_setting(cluster, group, name), NULL, 10);
}
