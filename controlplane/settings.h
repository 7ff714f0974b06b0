/* settings.h - what a cluster's people have set for brokers, groups and quota entities:
 * named sets of values beside the topics' own configurations.
 *
 * A set belongs to a kind (proto/setting.h) and a name: of a broker its node id in
 * decimal, or "" for all brokers; of a group its id; of a quota the packed entity. It is
 * there while a value is in it. Core thread only; changed by apply_settings.c, read
 * through the functions below. Walking is in order of (kind, name), equal on all nodes.
 */
#ifndef CONTROLPLANE_SETTINGS_H
#define CONTROLPLANE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/list.h"
#include "common/slice.h"
#include "controlplane/row.h"
#include "proto/setting.h"

struct cluster;

struct setting_set {
    enum setting_kind kind;
    struct slice name; /* its own copy */
    struct topic_config_set values;
    uint64_t etag;
    struct cluster *cluster;
    /* private */
    uint64_t serial;     /* of its row */
    uint32_t text_bytes; /* counted in the cluster's */
    struct list_node node;
    struct row row;
};

/* Of one cluster. */
struct settings {
    struct list list; /* struct setting_set.node, by kind and name */
    uint32_t count;
    struct setting_set **sorted; /* the same, for finding */
    uint32_t cap;
};

void settings_init(struct settings *settings);
struct setting_set *settings_find(const struct settings *settings, enum setting_kind kind,
                                  struct slice name);
/* So many sets a cluster may have (I12). */
#define SETTINGS_MAX 100000

/* NULL first; NULL at the end. */
const struct setting_set *settings_next(const struct settings *settings,
                                        const struct setting_set *set);

/* What holds for GROUP of CLUSTER: its own value, else the one for all brokers, else the
 * default. NAME is a group's setting ("consumer.session.timeout.ms") or a broker's that
 * has a default ("group.consumer.max.size"). Never NULL; borrowed until control returns
 * to the loop. */
const char *group_setting(const struct cluster *cluster, struct slice group,
                          const char *name);
/* The same as a number. */
int64_t group_setting_int(const struct cluster *cluster, struct slice group,
                          const char *name);

/* ---- for apply_*.c and checkpoint*.c ---- */

/* A new, empty set; there is none of that kind and name. */
struct setting_set *settings_add(struct cluster *cluster, enum setting_kind kind,
                                 struct slice name);
/* The values of SET are new: count them in the cluster's metadata. */
void settings_count_text(struct setting_set *set);
void settings_remove(struct setting_set *set);

#endif
