/* catalog.h - clusters, topics, agents and tokens: the cold part of the state.
 *
 * All of it in memory, owned by the core thread, changed by apply_*.c only; the service
 * side reads through state.h with const pointers. A pointer stays good until control
 * returns to the loop, no longer. Lists are in order of creation (agents: of node id),
 * which is the same on every node. What was changed since the last checkpoint hangs in
 * the `dirty` list. */
#ifndef CONTROLPLANE_CATALOG_H
#define CONTROLPLANE_CATALOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crc32c.h"
/* uthash's own hash function does not pass our warnings; must stand before uthash. */
#define HASH_FUNCTION(key, len, hash) ((hash) = crc32c((key), (len)))
#include <uthash.h>

#include "common/crypto.h"
#include "common/defs.h"
#include "common/list.h"
#include "common/slice.h"
#include "common/uuid.h"
#include "proto/command.h"
#include "proto/topic_config.h"

struct partition;
struct stored_object;

enum row_kind { ROW_CLUSTER, ROW_TOPIC, ROW_AGENT, ROW_TOKEN, ROW_PARTITION, ROW_OBJECT };

/* A row of the database: linked while memory is newer than the file. */
struct row {
    struct list_node dirty;
    enum row_kind kind;
};

struct agent_info {
    struct uuid agent_id;
    int32_t node_id; /* > 0, never given twice in a cluster */
    char *zone, *rack, *host, *http_url, *version;
    int32_t port;
    enum agent_state state;
    int64_t registered_at_ms;
    /* private */
    struct cluster *cluster;
    struct list_node node;
    struct row row;
    UT_hash_handle hh;
};

struct topic {
    struct uuid topic_id;
    char *name;
    int32_t partition_count;
    int16_t replication_factor;
    struct topic_config_set configs;
    int64_t created_at_ms;
    struct cluster *cluster;
    /* private */
    uint64_t serial; /* order of creation in the cell */
    struct partition **partitions;
    struct list_node node;
    struct row row;
    UT_hash_handle hh_id;
    UT_hash_handle hh_name;
    UT_hash_handle hh_folded; /* by the name with '.' as '_': collisions */
    char *folded;
};

struct token {
    struct uuid token_id;
    struct uuid cluster_id; /* zero: the cell's */
    uint8_t hash[SHA256_LEN];
    enum token_kind token_kind;
    int64_t created_at_ms;
    int64_t expires_at_ms; /* 0: never */
    bool single_use;
    int64_t used_at_ms; /* 0: not yet */
    struct uuid used_by;
    /* private */
    uint64_t serial;
    struct list_node node;
    struct row row;
    UT_hash_handle hh;
};

struct object_table {
    struct stored_object **slots; /* open addressing by object id */
    uint32_t count;
    uint32_t mask; /* slots - 1, or 0 without any */
};

struct cluster {
    struct uuid cluster_id;
    char *name;
    int64_t created_at_ms;
    uint64_t config_version; /* grows with every change of topics or configs */
    uint32_t topic_count;
    uint32_t agent_count;
    uint64_t partition_count; /* of all topics */
    /* private */
    uint64_t serial;
    int32_t next_node_id;
    struct list topics; /* struct topic.node */
    struct list agents; /* struct agent_info.node */
    struct topic *topics_by_id, *topics_by_name, *topics_by_folded;
    struct agent_info *agents_by_id;
    struct object_table objects;
    struct list_node node;
    struct row row;
    UT_hash_handle hh;
    UT_hash_handle hh_name;
};

struct catalog {
    struct list clusters;
    struct list tokens;
    struct cluster *clusters_by_id, *clusters_by_name;
    struct token *tokens_by_hash;
    uint64_t next_serial;
};

void catalog_init(struct catalog *catalog);

struct cluster *catalog_cluster(const struct catalog *catalog, const struct uuid *id);
struct cluster *catalog_cluster_by_name(const struct catalog *catalog, struct slice name);
struct topic *catalog_topic(const struct cluster *cluster, const struct uuid *id);
struct topic *catalog_topic_by_name(const struct cluster *cluster, struct slice name);
/* A topic whose name differs from NAME in '.' and '_' only (or not at all), or NULL. */
struct topic *catalog_topic_colliding(const struct cluster *cluster, struct slice name);
struct agent_info *catalog_agent(const struct cluster *cluster, const struct uuid *id);
struct token *catalog_token(const struct catalog *catalog,
                            const uint8_t hash[SHA256_LEN]);

/* Walk in order of creation: pass NULL first; NULL at the end. */
struct cluster *catalog_cluster_next(const struct catalog *catalog,
                                     const struct cluster *cluster);
struct topic *catalog_topic_next(const struct cluster *cluster,
                                 const struct topic *topic);
struct agent_info *catalog_agent_next(const struct cluster *cluster,
                                      const struct agent_info *agent);

/* ---- for apply_*.c and checkpoint.c ---- */

/* Adders copy what they are given; the keys must be free. */
struct cluster *catalog_add_cluster(struct catalog *catalog, const struct uuid *id,
                                    struct slice name, int64_t created_at_ms);
struct topic *catalog_add_topic(struct catalog *catalog, struct cluster *cluster,
                                const struct uuid *id, struct slice name,
                                int64_t created_at_ms);
struct agent_info *catalog_add_agent(struct cluster *cluster, const struct uuid *id,
                                     int32_t node_id);
struct token *catalog_add_token(struct catalog *catalog, const struct uuid *id,
                                const uint8_t hash[SHA256_LEN]);
/* Set the texts of an agent (copied). */
void catalog_set_agent(struct agent_info *agent, struct slice zone, struct slice rack,
                       struct slice host, struct slice http_url, struct slice version);
/* Unlink and free; a topic's partitions must be gone already. */
void catalog_remove_topic(struct topic *topic);
void catalog_remove_agent(struct agent_info *agent);
void catalog_remove_token(struct catalog *catalog, struct token *token);
void catalog_remove_cluster(struct catalog *catalog, struct cluster *cluster);

#endif
