/* replies.h - results kept for repeats: an idempotency key of an actor is good for one
 * effect (I5 of the people's API). Bounded by the age that the proposer stamps, and by
 * count, for each cluster and all together; the oldest go first, and those of whoever has
 * more than a fair share before anybody else's. Used by apply_*.c, state.c and
 * checkpoint.c. */
#ifndef CONTROLPLANE_REPLIES_H
#define CONTROLPLANE_REPLIES_H

#include <stdint.h>

#include "common/crc32c.h"
/* uthash's own hash function does not pass our warnings; must stand before uthash. */
#ifndef HASH_FUNCTION
#define HASH_FUNCTION(key, len, hash) ((hash) = crc32c((key), (len)))
#endif
#include <uthash.h>

#include "common/list.h"
#include "common/slice.h"
#include "common/uuid.h"
#include "controlplane/row.h"
#include "proto/command.h"

#define REPLIES_MAX         100000
#define REPLIES_CLUSTER_MAX 20000
/* Whoever has no more loses none by what others do while somebody has more. */
#define REPLIES_FAIR 1000

struct reply_id {
    struct uuid actor_id;
    uint8_t key[COMMAND_KEY_LEN];
};

/* Those of one cluster, or with a zero id of the cell. */
struct reply_log {
    struct uuid cluster_id;
    struct list list; /* struct reply.of_log, oldest first */
    uint32_t count;
    struct list_node big; /* in replies.big while over REPLIES_FAIR */
    UT_hash_handle hh;
};

struct reply {
    struct reply_id id;
    struct reply_log *log;
    uint8_t body_hash[COMMAND_KEY_LEN];
    uint64_t serial;
    int64_t at_ms;
    struct list_node node, of_log;
    struct row row;
    UT_hash_handle hh;
    uint32_t len;
    uint8_t result[]; /* command_result_write() */
};

struct replies {
    struct list list; /* struct reply.node, oldest first */
    struct reply *by_id;
    struct reply_log *logs; /* by cluster id */
    struct list big;        /* at most REPLIES_MAX / REPLIES_FAIR */
    uint32_t count;
};

void replies_init(struct replies *replies);
void replies_fini(struct replies *replies);
struct reply *replies_find(const struct replies *replies, const struct reply_id *id);
struct reply *replies_add(struct replies *replies, const struct uuid *cluster_id,
                          const struct reply_id *id, uint64_t serial,
                          struct slice result);
struct reply *replies_oldest(const struct replies *replies); /* NULL: none */
/* What must go before CLUSTER_ID gets one more, or NULL: its own oldest when it has all
 * that it may have; when there are too many in all, the oldest of whoever has most. */
struct reply *replies_excess(const struct replies *replies,
                             const struct uuid *cluster_id);
void replies_remove(struct replies *replies, struct reply *reply);

#endif
