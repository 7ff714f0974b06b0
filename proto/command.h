/* command.h - the replicated commands: what changes the control plane's state, and what
 * comes of it.
 *
 * The service side fills a struct command and proposes it; each node decodes the same
 * bytes from the log and applies them (I7): time, ids and limits travel in the command.
 * Layout: u8 version, u8 number, u64 now_ms, cluster id, u8 flags, what the flags say
 * (1: struct command_context, 2: u64 if_version), then the fields of the kind in the
 * order of its struct, big-endian; strings as uvarint length and bytes. Version 1 had no
 * flags, and of some kinds fewer fields; a reader knows every version up to
 * COMMAND_VERSION.
 *
 * Slices of a decoded command borrow from its bytes, arrays from the arena. What needs no
 * state (names, config values, counts) is checked by whoever proposes; the reader checks
 * shape and bounds only, and applying never fails: a refused command has a result that
 * says so. */
#ifndef PROTO_COMMAND_H
#define PROTO_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/crypto.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

#define COMMAND_VERSION 2

/* The largest encoded command, and what one may carry. */
#define COMMAND_BYTES_MAX        ((size_t)16 << 20)
#define COMMAND_TEXT_MAX         4096 /* zone, host, message ... */
#define COMMAND_CONFIGS_MAX      256
#define COMMAND_CONFIG_VALUE_MAX 16384
#define COMMAND_PARTITIONS_MAX   100000 /* of one topic */
#define COMMAND_NAME_MAX         300    /* of users, tokens, nodes; a target, a place */
#define COMMAND_PEM_MAX          16384  /* a certificate */
#define COMMAND_SEALED_MAX       8192   /* a key, encrypted */
#define COMMAND_ACTOR_NAME_MAX   128
#define COMMAND_REMOTE_MAX       64
#define COMMAND_ACTION_MAX       64
#define COMMAND_KEY_LEN          32 /* of an idempotency key's hash */
/* Of groups: ids of groups, members, instances and clients, names of protocols; Kafka's
 * own bound of strings. A member's id is cut to it by who makes it. */
#define COMMAND_GROUP_TEXT_MAX  32767
#define COMMAND_PROTOCOLS_MAX   64    /* of a member of a classic group */
#define COMMAND_GROUPS_MAX      4096  /* that one OFFSETS_EXPIRE names */
#define COMMAND_MEMBERS_MAX     10000 /* of a group: the most that a limit can say */
#define COMMAND_GROUP_BYTES_MAX ((size_t)8 << 20) /* metadata, or assignments, in one */
#define COMMAND_NAMES_MAX       100000 /* of topics that a member subscribes to */
#define COMMAND_OWNED_MAX       ((uint32_t)1 << 20) /* partitions it may own */
#define COMMAND_REGEXES_MAX     1000
#define COMMAND_RESULT_DATA_MAX ((size_t)16 << 20)
#define COMMAND_RECORDS_MAX     4096 /* partitions of one RECORDS_DELETE */
#define COMMAND_ENTITY_MAX      8    /* parts of a quota's entity */
#define COMMAND_QUOTAS_MAX      32   /* values of one QUOTAS_ALTER */

enum command_kind {
#define COMMAND(name, lower, number, level) COMMAND_##name = (number),
#include "proto/command.def"
#undef COMMAND
};

/* API: for people and machines, with a role. ENROL: makes an agent of a cluster. JOIN:
 * makes a node of the cell. */
enum token_kind {
    TOKEN_API = 1,
    TOKEN_ADMIN = TOKEN_API,
    TOKEN_ENROL = 2,
    TOKEN_JOIN = 3
};
enum agent_state { AGENT_ACTIVE = 1, AGENT_DRAINING = 2 };
/* OPERATOR: the whole cell. ADMIN and VIEWER: one cluster, the latter reads only. */
enum role { ROLE_NONE = 0, ROLE_OPERATOR = 1, ROLE_ADMIN = 2, ROLE_VIEWER = 3 };
/* What an operator wants of a node; a voter becomes one when it has caught up. */
enum node_wanted { WANT_VOTER = 1, WANT_STANDBY = 2 };
/* Who caused a command. */
enum actor_kind {
    ACTOR_CELL = 0,  /* the control plane itself */
    ACTOR_TOKEN = 1, /* a token that belongs to no user: actor_id is the token's */
    ACTOR_USER = 2,
    ACTOR_AGENT = 3,
    ACTOR_NODE = 4,
};

/* Who, what, from where: makes an entry of the audit log of whatever came of it; and,
 * with an idempotency key, a repeat has the first one's result (while that is kept)
 * instead of an effect. Not for COMMIT. The limits are the proposer's options (I7). */
struct command_context {
    enum actor_kind actor_kind;
    struct uuid actor_id;
    struct slice actor_name, remote;
    struct slice action; /* "topic.create" */
    struct slice target; /* "topics/orders" */
    struct uuid request_id;
    uint8_t idempotency_key[COMMAND_KEY_LEN]; /* SHA-256 of it; zero: none */
    uint8_t body_hash[COMMAND_KEY_LEN];       /* of method, path and body */
    uint32_t audit_max;                       /* entries of a cluster; 0: write none */
    int64_t audit_age_ms;
    int64_t replies_age_ms;
};

/* 0: the default of the cell's options, which the proposer stamps on commands. */
struct cluster_limits {
    uint32_t agents, topics, partitions;
    uint32_t requests_per_second; /* not judged here */
    uint64_t metadata_bytes;
};

/* Requests to the object store by kind, and what they wrote and read. */
struct usage_store {
    uint64_t put, get, head, list, delete, written_bytes, read_bytes;
};

/* Counted by an agent since its start, never falling. */
struct usage_counters {
    uint64_t fetched_bytes, fetched_records, fetch_requests, produce_requests;
    struct usage_store store;
};

/* A node of the cell as it, or an operator, describes it. */
struct node_fields {
    uint64_t node_id;     /* 0: a new one, or the one of that instance */
    struct uuid instance; /* random, the node's own: a repeated join gets the same id */
    struct slice name, peer_address, people_url, agents_url, version;
    uint32_t features_max;
    enum node_wanted wanted;
};

struct ca_fields {
    struct uuid ca_id;
    struct slice certificate; /* PEM */
    struct slice cross;       /* PEM: it, signed by the one before; empty for the first */
    struct slice sealed_key;  /* under the cell key */
};

/* The numbers are IncrementalAlterConfigs' own, and one of ours. */
enum config_op {
    CONFIG_SET = 0,
    CONFIG_DELETE = 1,
    CONFIG_APPEND = 2,      /* to a list: what is not in it yet */
    CONFIG_SUBTRACT = 3,    /* from a list */
    CONFIG_REPLACE_ALL = 4, /* key and value null: forget what was set before */
};

struct config_change {
    enum config_op op;
    struct slice key;
    struct slice value; /* null for DELETE and REPLACE_ALL */
};

/* ---- of groups ---- */

/* One of the protocols (assignors) that a member of a classic group can speak. */
struct join_protocol {
    struct slice name;
    struct slice metadata; /* opaque */
};

struct sync_assignment {
    struct slice member_id;
    struct slice assignment; /* opaque */
};

struct group_leaver {
    struct slice member_id;   /* empty: whoever has the instance */
    struct slice instance_id; /* or null */
};

/* A member whose session, or a pending id whose time, ran out. */
struct group_expiry {
    struct slice member_id;
    int32_t epoch; /* as it was when the timer began: the group's generation, or the
                    * member's epoch; another one now: nothing happens */
};

enum group_phase { GROUP_PHASE_JOIN = 1, GROUP_PHASE_SYNC = 2 };

/* Options of the service that GROUP_JOIN judges by (I7). */
struct group_limits {
    uint32_t members_max;  /* of the group: group.max.size; at most COMMAND_MEMBERS_MAX */
    uint32_t groups_max;   /* of the cluster */
    uint64_t metadata_max; /* bytes, of the cluster; 0: no limit */
    int32_t session_min_ms, session_max_ms;
};

/* GROUP_JOIN's value beside no error: how the answer differs from what
 * group_classic_poll_join() says, which is else the answer. */
enum group_join_outcome {
    GROUP_JOIN_POLL = 0,
    /* A static member took its place again without a rebalance: it must not assign, for
     * the assignments stand. Of version 9 or later: skip_assignment if it leads. */
    GROUP_JOIN_REPLACED = 1,
    /* ... an older one: the leader is named by the id that was replaced, so that it does
     * not know that it leads. The list of members is empty. */
    GROUP_JOIN_REPLACED_OLD = 2,
};

/* Where a partition's log is to begin. */
struct records_cut {
    struct uuid topic_id;
    int32_t partition;
    int64_t offset; /* -1: the high watermark */
};

/* What became of a cut: packed in the result's data, in order. */
#define COMMAND_CUT_RESULT_BYTES                                                         \
    10 /* i16 error (0, 1, 3, 44, 100), i64 low watermark                                \
        */

/* One part of what a quota is for: {"user", "alice"}; a null name is the default. */
struct quota_part {
    struct slice type; /* user, client-id, ip */
    struct slice name;
};

struct quota_change {
    struct slice key;
    bool remove;
    double value;
};

/* group.consumer.migration.policy: whether a classic group that has members may become
 * one of KIP-848, and the other way. */
enum consumer_heartbeat_flag { CONSUMER_MAY_UPGRADE = 1, CONSUMER_MAY_DOWNGRADE = 2 };

/* Partitions of a topic that a member of a KIP-848 group says it owns. */
struct owned_topic {
    struct uuid topic_id;
    const int32_t *partitions;
    uint32_t partition_count;
};

/* The topics whose names a regular expression matches, as the proposer found. */
struct resolved_regex {
    struct slice pattern;
    const struct uuid *topics;
    uint32_t topic_count;
};

struct command {
    enum command_kind kind;
    int64_t now_ms;         /* stamped by node_propose */
    struct uuid cluster_id; /* from the credential; zero for what is the cell's own */
    /* Change it only if it has this version, else ERR_STALE; 0: whatever it has. For what
     * alters or removes a cluster, topic, agent, token, user or node. */
    uint64_t if_version;
    const struct command_context *context; /* NULL: none; in the arena when read */
    union {
        struct { /* the cluster's id is cluster_id */
            struct slice name;
            struct cluster_limits limits;
        } cluster_create; /* -> id, version; code: EXISTS (id or name), OVERLOADED */
        struct {          /* of cluster_id, or of the cell */
            struct uuid token_id;
            uint8_t hash[SHA256_LEN]; /* of the token's text */
            enum token_kind token_kind;
            int64_t expires_at_ms; /* 0: never */
            bool single_use;
            enum role role; /* API only: OPERATOR without a cluster, else one of it */
            struct uuid user_id; /* API only: whose; zero: a machine's */
            struct slice name;   /* for people; may be null */
        } token_create; /* -> id, version; code: EXISTS, NOT_FOUND (cluster, user),
                         * INVALID (role), OVERLOADED */
        struct {
            uint8_t hash[SHA256_LEN];
            struct uuid used_by; /* a repeat by the same is no second use */
        } token_use; /* -> id (the token's); code: NOT_FOUND, EXPIRED, CONFLICT (used up)
                      */
        struct {
            struct uuid agent_id;
            struct slice zone, rack, host, http_url, version;
            int32_t port;
            enum agent_state state;
            uint32_t agents_max; /* of the cluster */
        } agent_register;        /* -> node_id; code: NOT_FOUND (cluster), OVERLOADED */
        struct {
            struct uuid agent_id;
        } agent_remove; /* -> code: NOT_FOUND */
        struct {
            struct uuid topic_id;
            struct slice name;
            int32_t partitions;
            int16_t replication_factor;
            const struct config_change *configs; /* op SET only */
            uint32_t config_count;
            uint32_t topics_max;     /* of the cluster */
            uint32_t partitions_max; /* of the cluster */
            uint64_t metadata_max;   /* bytes, of the cluster; 0: no limit */
        } topic_create; /* -> id, version; kafka_error: 36, 17 (collision), 44 (limits) */
        struct {
            struct uuid topic_id;
        } topic_delete; /* -> kafka_error: 100; code: STALE */
        struct {
            struct uuid topic_id;
            int32_t total;
            uint32_t partitions_max; /* of the cluster */
            uint64_t metadata_max;
        } partitions_create; /* -> version; kafka_error: 100, 37, 44; code: STALE */
        struct {
            struct uuid topic_id;
            const struct config_change *changes;
            uint32_t change_count;
            uint64_t metadata_max; /* bytes, of the cluster; 0: no limit */
        } configs_alter;           /* -> version; kafka_error: 100, 40, 44; code: STALE */
        struct {
            struct uuid agent_id; /* who asks, for the watch event and diagnosis */
            int32_t node_id;
            int64_t max_age_ms;    /* refuse what was created before now - this */
            int64_t max_future_ms; /* ... or after now + this */
            uint64_t
                metadata_max;     /* bytes, of the cluster; above, all is refused by 44 */
            struct slice payload; /* commit_write() */
        } commit;                 /* -> a result of commit_result_write() instead */
        struct {
            int32_t count;
        } producer_ids; /* -> first_producer_id */
        struct {
            int64_t before_ms; /* states last used before this */
        } expire_producers;    /* -> count */
        struct {               /* founds the cell: its first node, CA and secrets */
            struct slice name;
            struct ca_fields ca;
            struct slice sealed_token_secret;
            struct uuid token_id; /* of the first operator's token */
            uint8_t token_hash[SHA256_LEN];
            struct node_fields node;
        } cell_init;             /* -> value: node id; code: EXISTS (another cell's CA) */
        struct ca_fields ca_add; /* it signs from now on. -> version; code: EXISTS,
                                  * OVERLOADED, CONFLICT (no cell yet) */
        struct {
            struct uuid ca_id;
        } ca_remove; /* -> code: NOT_FOUND, CONFLICT (it is the one in use) */
        struct node_fields node_put; /* -> value: node id, version; code: NOT_FOUND (or
                                      * removed), STALE, OVERLOADED */
        struct {
            uint64_t node_id;
        } node_remove; /* for ever. -> code: NOT_FOUND, STALE, CONFLICT (the last) */
        struct {
            uint32_t level;
        } feature_level; /* -> value: level; code: CONFLICT (lower, or a node cannot) */
        struct {         /* of cluster_id, or of the cell: a new one, or all fields */
            struct uuid user_id;
            struct slice name; /* unique among the cluster's or the cell's */
            struct slice email;
            enum role role;
            bool disabled;
        } user_put; /* -> id, version; code: EXISTS (name), NOT_FOUND (cluster), INVALID
                     * (role), STALE, OVERLOADED */
        struct {
            struct uuid user_id;
        } user_remove; /* and the user's tokens. -> code: NOT_FOUND, STALE */
        struct {
            struct uuid token_id;
        } token_remove;        /* -> code: NOT_FOUND, STALE */
        struct {               /* the cluster's id is cluster_id */
            struct slice name; /* null: as it is */
            bool set_limits;
            struct cluster_limits limits;
        } cluster_alter; /* -> version; code: NOT_FOUND, EXISTS (name), STALE */
        /* CLUSTER_DELETE has no fields. Nothing knows the cluster any more; its name is
         * free; PURGE forgets the rest. -> code: NOT_FOUND, STALE */
        struct {
            uint32_t rows_max;       /* forget so many rows of what was deleted, about */
            int64_t audit_before_ms; /* entries of the audit log before this; 0: none */
            int64_t replies_before_ms; /* results for repeats before this; 0: none */
        } purge;                       /* -> value: rows that went; 0: nothing is left */
        struct {
            struct uuid agent_id;
            uint64_t incarnation; /* grows with each start of the agent */
            struct usage_counters counters;
        } usage_report; /* -> code: NOT_FOUND (cluster), OVERLOADED */
        struct {
            struct uuid backup_id;
            struct slice place; /* where it was written, without credentials */
            uint64_t applied_index;
            uint64_t size_bytes;
            int64_t taken_at_ms;
            uint8_t sha256[SHA256_LEN];
        } backup_record; /* -> id */
        struct {
            struct uuid agent_id;
            enum agent_state wanted;
        } agent_alter; /* -> version; code: NOT_FOUND, STALE */

        /* Groups: all of cluster_id; code: NOT_FOUND (cluster), else kafka_error says. */
        struct {
            struct slice group_id;
            struct slice member_id;     /* empty: a new one, or a static one again */
            struct slice new_member_id; /* then this */
            struct slice instance_id;   /* or null */
            struct slice client_id, client_host;
            int32_t session_ms, rebalance_ms;
            struct slice protocol_type;
            const struct join_protocol *protocols; /* in order of preference */
            uint32_t protocol_count;
            bool require_known_id;    /* v4 and later */
            bool may_skip_assignment; /* v9 and later */
            struct group_limits limits;
        } group_join; /* -> data: member id (also with 79); value: group_join_outcome;
                       * kafka_error: 23, 24, 25, 26, 44 (limits of the cluster), 79, 81,
                       * 82 */
        struct {
            struct slice group_id;
            int32_t generation;
            struct slice member_id;
            struct slice instance_id;                  /* or null */
            struct slice protocol_type, protocol_name; /* or null: not compared */
            const struct sync_assignment *assignments; /* of the leader */
            uint32_t assignment_count;
            uint64_t metadata_max; /* bytes, of the cluster; 0: no limit */
        } group_sync;              /* -> kafka_error: 22, 23, 25, 27, 44, 82; 0:
                                    * group_classic_poll_sync              has the answer */
        struct {
            struct slice group_id;
            const struct group_leaver *members;
            uint32_t member_count;
        } group_leave; /* -> kafka_error: 24; data: an int16 each */
        struct {
            struct slice group_id;
            int32_t generation; /* that ends, or whose members sync; else: nothing */
            enum group_phase phase;
        } group_due; /* a delay or timeout of a rebalance is over. -> value: 1: it had an
                      * effect */
        struct {
            struct slice group_id;
            const struct group_expiry *members;
            uint32_t member_count;
        } group_expire; /* -> value: how many went */
        struct {
            struct slice group_id;
        } group_delete; /* and its offsets. -> kafka_error: 68, 69 */
        struct {        /* ConsumerGroupHeartbeat (KIP-848), checked by
                         * consumer_heartbeat_check; null: as it was */
            struct slice group_id, member_id;
            int32_t member_epoch; /* 0: joins, -1: leaves, -2: leaves for a while */
            struct slice instance_id, rack_id; /* or null */
            struct slice client_id, client_host;
            int32_t rebalance_ms;      /* -1: as it was */
            bool has_names;            /* or as they were */
            const struct slice *names; /* of topics */
            uint32_t name_count;
            struct slice regex;    /* null: as it was; empty: none */
            struct slice assignor; /* null: as it was */
            bool has_owned;
            const struct owned_topic *owned;
            uint32_t owned_count;
            /* consumer_heartbeat_resolve: of the member's own and of others of the group
             * that were resolved with an older version of the cluster's topics. */
            uint64_t topics_version;
            const struct resolved_regex *regexes;
            uint32_t regex_count;
            uint32_t flags; /* enum consumer_heartbeat_flag */
            struct group_limits limits;
        } consumer_heartbeat; /* -> value: consumer_heartbeat_value; kafka_error: 25, 44,
                               * 69, 81, 82, 110, 111 */
        struct {
            uint32_t groups_max;   /* of the cluster */
            uint64_t metadata_max; /* bytes, of the cluster; 0: no limit */
            struct slice payload;  /* offset_commit.h */
        } offsets_commit; /* -> data: its results; of all: 22, 25, 27, 35, 69, 82, 113; of
                           * a partition: 3, 44 (limits of the cluster), 100 */
        struct {
            struct slice payload; /* offset_commit.h */
        } offsets_delete; /* -> data: its results; of all: 24, 68, 69; of a partition: 86,
                           * 100 */
        struct {          /* of cluster_id */
            int64_t before_ms; /* the retention began then */
            const struct slice
                *groups; /* ids; those that are not there are passed over */
            uint32_t group_count;
        } offsets_expire; /* -> value: offsets and groups that went */
        struct {
            const struct records_cut *cuts;
            uint32_t cut_count;
        } records_delete; /* -> data: COMMAND_CUT_RESULT_BYTES a cut; code: NOT_FOUND */
        struct {
            uint8_t setting_kind; /* enum setting_kind: BROKER or GROUP */
            struct slice name;
            const struct config_change *changes;
            uint32_t change_count;
            uint32_t sets_max;     /* of the cluster */
            uint64_t metadata_max; /* bytes, of the cluster; 0: no limit */
        } settings_alter;          /* -> version; kafka_error: 40, 44; code: NOT_FOUND */
        struct {
            const struct quota_part *parts; /* sorted by type, none twice */
            uint32_t part_count;
            const struct quota_change *changes;
            uint32_t change_count;
            uint32_t sets_max;
            uint64_t metadata_max;
        } quotas_alter; /* -> version; kafka_error: 42, 44; code: NOT_FOUND */
    };
};

/* In command_result.value beside ERR_CONFLICT: the idempotency key was used before, with
 * another body. */
#define COMMAND_KEY_REUSED INT64_C(-2)

/* Every kind's result but COMMIT's, which is that of commit_result_write(). */
struct command_result {
    int code;             /* 0 or ERR_*; ERR_MALFORMED: the command could not be read */
    int16_t kafka_error;  /* topics and groups only, else 0 */
    struct slice message; /* for people, or null; borrowed */
    int64_t value;        /* node_id, first_producer_id, count, level */
    struct uuid id;       /* of what was made: a repeat by key tells the first one's */
    uint64_t version;     /* of what was made or changed; 0: of nothing */
    int64_t at_ms;     /* the command's now_ms: a repeat by key tells the first one's */
    struct slice data; /* what the kind says, or null; borrowed */
};

const char *command_name(enum command_kind kind); /* "TOPIC_CREATE"; "?" for unknown */
/* The cell's feature level from which on KIND may be proposed: all nodes know it. */
uint32_t command_level(enum command_kind kind);
/* Whether BYTES are a command that only a newer program than this one can apply: whoever
 * meets it must stop, or its state would be another than everybody else's. */
bool command_is_newer(struct slice bytes);

/* Append CMD's bytes. OUT's overflow tells when there was no room. */
void command_write(const struct command *cmd, struct str *out);
/* Decode all of BYTES. Returns 0, ERR_MALFORMED, ERR_TOO_LARGE (arena) or
 * ERR_UNSUPPORTED (a newer version or an unknown number). */
int command_read(struct slice bytes, struct arena *arena, struct command *cmd) MUST_CHECK;

void command_result_write(const struct command_result *result, struct str *out);
int command_result_read(struct slice bytes, struct command_result *result) MUST_CHECK;

/* Many commands in one Raft entry: each a u32 length and its bytes. */
void command_pack(struct slice command, struct str *out);
/* Take the next of ENTRY and advance it; false at the end. A damaged rest counts as one
 * command (whose reading fails), so that all nodes see the same. */
bool command_unpack(struct slice *entry, struct slice *command) MUST_CHECK;

#endif
