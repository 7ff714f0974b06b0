/* catalog.h - clusters, topics, agents, users, tokens and the cell itself: the cold part
 * of the state.
 *
 * All of it in memory, owned by the core thread, changed by apply_*.c only; the service
 * side reads through state.h with const pointers. A pointer stays good until control
 * returns to the loop, no longer. Lists are in order of creation (agents: of node id),
 * which is the same on every node; `serial` ascends along them. What was changed since
 * the last checkpoint hangs in the `dirty` list.
 *
 * `etag` is the version of a thing: the log index of its last change. What was deleted
 * (a topic, a cluster with all it holds) cannot be found any more, and waits in a list of
 * the doomed until PURGE has forgotten it row by row. */
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
#include "controlplane/row.h"
#include "controlplane/settings.h"
#include "controlplane/usage.h"
#include "proto/command.h"
#include "proto/topic_config.h"

struct partition;
struct stored_object;
struct group;

/* Whatever has users and tokens: a cluster, or the cell. */
struct scope {
    struct list users;  /* struct user.node */
    struct list tokens; /* struct token.node */
    uint32_t user_count, token_count;
};

/* ---- the cell ---- */

struct cell_node {
    uint64_t node_id;
    struct uuid instance;
    char *name, *peer_address, *people_url, *agents_url, *version;
    uint32_t features_max;
    enum node_wanted wanted;
    int64_t added_at_ms;
    uint64_t etag;
    /* private */
    struct list_node node;
    struct row row;
};

struct cell_ca {
    struct uuid ca_id;
    char *certificate, *cross; /* PEM; cross "" for the first */
    uint8_t *sealed_key;
    uint32_t sealed_key_len;
    int64_t added_at_ms;
    /* private */
    uint64_t serial;
    struct list_node node;
    struct row row;
};

struct backup_info {
    struct uuid backup_id;
    char *place;
    uint64_t applied_index, size_bytes;
    int64_t taken_at_ms, recorded_at_ms;
    uint8_t sha256[SHA256_LEN];
    /* private */
    uint64_t serial;
    struct list_node node;
    struct row row;
};

struct cell {
    bool founded; /* CELL_INIT was applied */
    char *name;
    int64_t founded_at_ms;
    uint32_t feature_level; /* 1 from the start */
    uint8_t *sealed_token_secret;
    uint32_t sealed_token_secret_len;
    uint64_t etag; /* of name and feature level */
    uint32_t node_count, ca_count, backup_count;
    /* private */
    uint64_t next_node_id;
    struct list nodes;   /* struct cell_node.node, by node id */
    struct list cas;     /* struct cell_ca.node, oldest first */
    struct list backups; /* struct backup_info.node, oldest first */
    struct scope scope;  /* the operators */
    struct row row;
};

/* ---- clusters and what they hold ---- */

struct agent_info {
    struct uuid agent_id;
    int32_t node_id; /* > 0, never given twice in a cluster */
    char *zone, *rack, *host, *http_url, *version;
    int32_t port;
    enum agent_state state;  /* as the agent says */
    enum agent_state wanted; /* as its people say */
    int64_t registered_at_ms;
    uint64_t etag;
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
    uint64_t etag; /* of partitions and configs */
    struct cluster *cluster;
    uint64_t serial;         /* order of creation in the cell */
    uint64_t bytes, records; /* in all partitions */
    /* ... and what came ever since this process has the topic: never less. In memory
     * only, so that rates can be told by differences. */
    uint64_t appended_bytes, appended_records;
    /* private */
    uint64_t doomed;      /* 0, or the serial of its deletion */
    int64_t purge_offset; /* doomed: the last partition is purged from here on; -1: not */
    uint32_t text_bytes;  /* of name and configs, for the cluster's metadata bytes */
    struct partition **partitions;
    struct list group_topics; /* struct group_topic.of_topic */
    struct list_node node;
    struct row row;
    UT_hash_handle hh_id;
    UT_hash_handle hh_name;
    UT_hash_handle hh_folded; /* by the name with '.' as '_': collisions */
    char *folded;
};

struct user {
    struct uuid user_id;
    struct cluster *cluster; /* NULL: the cell's, an operator */
    char *name, *email;
    enum role role;
    bool disabled;
    int64_t created_at_ms;
    uint64_t etag;
    uint64_t serial;
    /* private */
    struct list tokens; /* struct token.of_user */
    struct list_node node;
    struct row row;
    UT_hash_handle hh;
};

struct token {
    struct uuid token_id;
    struct uuid cluster_id;  /* zero: the cell's */
    struct cluster *cluster; /* NULL: the cell's */
    struct user *user;       /* NULL: nobody's, a machine's */
    char *name;              /* "" without one */
    enum role role;          /* of API tokens */
    uint8_t hash[SHA256_LEN];
    enum token_kind token_kind;
    int64_t created_at_ms;
    int64_t expires_at_ms; /* 0: never */
    bool single_use;
    int64_t used_at_ms; /* 0: not yet */
    struct uuid used_by;
    uint64_t etag;
    uint64_t serial;
    /* private */
    struct list_node node, of_user;
    struct row row;
    UT_hash_handle hh;
    UT_hash_handle hh_id;
};

struct object_table {
    struct list list;             /* struct stored_object.node, in order of commit */
    struct stored_object **slots; /* open addressing by object id */
    uint64_t stored_bytes;        /* of all, as they lie in the object store */
    uint32_t count;
    uint32_t garbage; /* of them */
    uint32_t mask;    /* slots - 1, or 0 without any */
};

struct cluster {
    struct uuid cluster_id;
    char *name;
    int64_t created_at_ms;
    uint64_t config_version; /* grows with every change of topics or configs */
    uint32_t topic_count;
    uint32_t agent_count;
    uint64_t partition_count; /* of all topics */
    uint32_t group_count;
    struct cluster_limits limits;
    uint64_t etag; /* of name and limits */
    uint64_t serial;
    /* private */
    uint64_t doomed; /* 0, or the serial of its deletion */
    uint32_t doomed_topics;
    int32_t next_node_id;
    uint64_t run_count, producer_count, text_bytes;
    uint64_t group_bytes; /* of groups, their members and offsets, METADATA_* included */
    struct scope scope;
    struct list topics; /* struct topic.node */
    struct list agents; /* struct agent_info.node */
    struct list groups; /* struct group.node */
    struct group *groups_by_id;
    struct topic *topics_by_id, *topics_by_name, *topics_by_folded;
    struct agent_info *agents_by_id;
    struct object_table objects;
    struct usage usage;
    struct settings settings;
    struct list_node node;
    struct row row;
    UT_hash_handle hh;
    UT_hash_handle hh_name;
};

struct catalog {
    struct cell cell;
    struct list clusters;
    struct cluster *clusters_by_id, *clusters_by_name;
    struct list doomed_clusters, doomed_topics; /* in order of deletion */
    struct cluster *doomed_by_id;
    struct user *users_by_id;
    struct token *tokens_by_hash, *tokens_by_id;
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
struct token *catalog_token_by_id(const struct catalog *catalog, const struct uuid *id);
struct user *catalog_user(const struct catalog *catalog, const struct uuid *id);
/* What the parts of a cluster count against its limit of metadata bytes; objects that are
 * garbage do not, for it is not the cluster that has to remove them. These numbers decide
 * (I7): they change with a feature level only. */
#define METADATA_RUN_BYTES       40
#define METADATA_OBJECT_BYTES    200
#define METADATA_PRODUCER_BYTES  180
#define METADATA_PARTITION_BYTES 130
#define METADATA_TOPIC_BYTES     400 /* and its name and settings */
#define METADATA_GROUP_BYTES     600 /* and its ids and texts, and so of a member */
#define METADATA_MEMBER_BYTES    500 /* and its metadata and assignment */
uint64_t catalog_metadata_bytes(const struct cluster *cluster);
/* The scope of CLUSTER, or the cell's (NULL). */
const struct scope *catalog_scope(const struct catalog *catalog,
                                  const struct cluster *cluster);

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
/* Of CLUSTER, or of the cell (NULL); USER may be NULL. */
struct token *catalog_add_token(struct catalog *catalog, struct cluster *cluster,
                                struct user *user, const struct uuid *id,
                                const uint8_t hash[SHA256_LEN], struct slice name);
struct user *catalog_add_user(struct catalog *catalog, struct cluster *cluster,
                              const struct uuid *id);
void catalog_set_user(struct user *user, struct slice name, struct slice email);
void catalog_set_cluster_name(struct catalog *catalog, struct cluster *cluster,
                              struct slice name);
/* The name or settings of TOPIC are new: count them. */
void catalog_count_text(struct topic *topic);
/* Set the texts of an agent (copied). */
void catalog_set_agent(struct agent_info *agent, struct slice zone, struct slice rack,
                       struct slice host, struct slice http_url, struct slice version);
/* Unlink and free; a topic's partitions must be gone already. */
void catalog_remove_topic(struct topic *topic);
void catalog_remove_agent(struct agent_info *agent);
void catalog_remove_token(struct catalog *catalog, struct token *token);
void catalog_remove_user(struct catalog *catalog, struct user *user); /* no tokens left */
/* Nothing finds it from now on; DOOMED orders the deletions. */
void catalog_doom_topic(struct catalog *catalog, struct topic *topic, uint64_t doomed);
void catalog_doom_cluster(struct catalog *catalog, struct cluster *cluster,
                          uint64_t doomed);
struct cluster *catalog_doomed_cluster(const struct catalog *catalog,
                                       const struct uuid *id);
void catalog_remove_cluster(struct catalog *catalog, struct cluster *cluster);

/* ---- the cell (catalog_cell.c) ---- */

void catalog_cell_init(struct cell *cell);
void catalog_cell_fini(struct cell *cell);
/* Keep a copy of TEXT in *FIELD instead of what it held. */
void catalog_set_text(char **field, struct slice text);
void catalog_set_cell(struct cell *cell, struct slice name, struct slice token_secret);
struct cell_node *catalog_node(const struct cell *cell, uint64_t node_id);
struct cell_node *catalog_node_of_instance(const struct cell *cell,
                                           const struct uuid *instance);
struct cell_node *catalog_add_node(struct cell *cell, uint64_t node_id);
void catalog_set_node(struct cell_node *node, const struct node_fields *fields);
void catalog_remove_node(struct cell *cell, struct cell_node *node);
struct cell_ca *catalog_ca(const struct cell *cell, const struct uuid *ca_id);
struct cell_ca *catalog_add_ca(struct cell *cell, const struct ca_fields *fields,
                               uint64_t serial);
void catalog_remove_ca(struct cell *cell, struct cell_ca *ca);
struct backup_info *catalog_backup(const struct cell *cell, const struct uuid *id);
struct backup_info *catalog_add_backup(struct cell *cell, const struct uuid *id,
                                       struct slice place, uint64_t serial);
void catalog_remove_backup(struct cell *cell, struct backup_info *backup);

#endif
