/* command.h - the replicated commands: what changes the control plane's state, and what
 * comes of it.
 *
 * The service side fills a struct command and proposes it; each node decodes the same
 * bytes from the log and applies them (I7): time, ids and limits travel in the command.
 * Layout: u8 version, u8 number, u64 now_ms, cluster id, then the fields of the kind in
 * the order of its struct, big-endian; strings as uvarint length and bytes. A reader
 * knows every version up to COMMAND_VERSION.
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

#define COMMAND_VERSION 1

/* The largest encoded command, and what one may carry. */
#define COMMAND_BYTES_MAX        ((size_t)16 << 20)
#define COMMAND_TEXT_MAX         4096 /* zone, host, message ... */
#define COMMAND_CONFIGS_MAX      256
#define COMMAND_CONFIG_VALUE_MAX 16384
#define COMMAND_PARTITIONS_MAX   100000 /* of one topic */

enum command_kind {
#define COMMAND(name, lower, number) COMMAND_##name = (number),
#include "proto/command.def"
#undef COMMAND
};

enum token_kind { TOKEN_ADMIN = 1, TOKEN_ENROL = 2 };
enum agent_state { AGENT_ACTIVE = 1, AGENT_DRAINING = 2 };

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

struct command {
    enum command_kind kind;
    int64_t now_ms;         /* stamped by node_propose */
    struct uuid cluster_id; /* from the credential; zero for the cell's own tokens */
    union {
        struct { /* the cluster's id is cluster_id */
            struct slice name;
        } cluster_create; /* -> code: EXISTS (id or name) */
        struct {
            struct uuid token_id;
            uint8_t hash[SHA256_LEN]; /* of the token's text */
            enum token_kind token_kind;
            int64_t expires_at_ms; /* 0: never */
            bool single_use;
        } token_create; /* -> code: EXISTS, NOT_FOUND (cluster) */
        struct {
            uint8_t hash[SHA256_LEN];
            struct uuid used_by; /* a repeat by the same is no second use */
        } token_use;             /* -> code: NOT_FOUND, EXPIRED, CONFLICT (used up) */
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
        } topic_create;              /* -> kafka_error: 36, 17 (collision), 44 (limits) */
        struct {
            struct uuid topic_id;
        } topic_delete; /* -> kafka_error: 100 */
        struct {
            struct uuid topic_id;
            int32_t total;
            uint32_t partitions_max; /* of the cluster */
        } partitions_create;         /* -> kafka_error: 100, 37, 44 */
        struct {
            struct uuid topic_id;
            const struct config_change *changes;
            uint32_t change_count;
        } configs_alter; /* -> kafka_error: 100, 40 */
        struct {
            struct uuid agent_id; /* who asks, for the watch event and diagnosis */
            int32_t node_id;
            int64_t max_age_ms;    /* refuse what was created before now - this */
            int64_t max_future_ms; /* ... or after now + this */
            struct slice payload;  /* commit_write() */
        } commit;                  /* -> a result of commit_result_write() instead */
        struct {
            int32_t count;
        } producer_ids; /* -> first_producer_id */
        struct {
            int64_t before_ms; /* states last used before this */
        } expire_producers;    /* -> count */
    };
};

/* Every kind's result but COMMIT's, which is that of commit_result_write(). */
struct command_result {
    int code;             /* 0 or ERR_*; ERR_MALFORMED: the command could not be read */
    int16_t kafka_error;  /* topics only, else 0 */
    struct slice message; /* for people, or null; borrowed */
    int64_t value;        /* node_id, first_producer_id, count */
};

const char *command_name(enum command_kind kind); /* "TOPIC_CREATE"; "?" for unknown */

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
