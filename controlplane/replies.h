/* replies.h - results kept for repeats: an idempotency key of an actor is good for one
 * effect (I5 of the people's API). Bounded by count and by the age that the proposer
 * stamps; the oldest go first. Used by apply_*.c, state.c and checkpoint.c. */
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

#define REPLIES_MAX 100000

struct reply_id {
    struct uuid actor_id;
    uint8_t key[COMMAND_KEY_LEN];
};

struct reply {
    struct reply_id id;
    uint8_t body_hash[COMMAND_KEY_LEN];
    uint64_t serial;
    int64_t at_ms;
    struct list_node node;
    struct row row;
    UT_hash_handle hh;
    uint32_t len;
    uint8_t result[]; /* command_result_write() */
};

struct replies {
    struct list list; /* struct reply.node, oldest first */
    struct reply *by_id;
    uint32_t count;
};

void replies_init(struct replies *replies);
void replies_fini(struct replies *replies);
struct reply *replies_find(const struct replies *replies, const struct reply_id *id);
struct reply *replies_add(struct replies *replies, const struct reply_id *id,
                          uint64_t serial, struct slice result);
struct reply *replies_oldest(const struct replies *replies); /* NULL: none */
void replies_remove(struct replies *replies, struct reply *reply);

#endif
