/* cache.h - bytes of objects in memory: what was just written here, and what was read.
 *
 * Core thread only. An object that this agent wrote is held as the very pieces that its
 * producers sent; what is read from the store comes in chunks of 4 MiB, one GET a chunk
 * however many ask (single flight). Bounded by bytes, least recently used goes first;
 * nothing in it is needed for correctness, everything can be read again.
 *
 * A reader takes a hold on each range that it needs, waits until all are there, reads
 * the pieces, and lets go: what is held is not evicted. The zone cache will put "ask the
 * owner" between a miss and the store, behind this same interface. */
#ifndef AGENT_CACHE_H
#define AGENT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/defs.h"
#include "common/list.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/slice.h"
#include "common/store.h"
#include "common/uuid.h"

#define CACHE_CHUNK_BYTES (4 * MIB)

struct cache;

struct cache_options {
    struct loop *loop;
    struct store *store;
    struct mailbox *store_replies; /* calls request->done(request) on LOOP */
    struct budget *budget;         /* the agent's memory; the cache gives way to it */
    size_t max_bytes;
    struct uuid cluster_id;
};

struct cache *cache_new(const struct cache_options *options);
/* No request of it may be in flight: call cache_stop, run the loop until it is idle. */
void cache_free(struct cache *cache);
void cache_stop(struct cache *cache); /* cancel what is being read */
bool cache_idle(const struct cache *cache);
size_t cache_reading(const struct cache *cache); /* chunks that are being read */

/* A piece of an object that is in memory anyway: BYTES lie in BLOB. */
struct cache_piece {
    uint64_t position; /* in the object */
    struct slice bytes;
    struct blob *blob; /* the cache takes a reference of its own if it keeps the piece */
};

/* An object of our own was committed; PIECES are its batches, positions rising. */
void cache_put_written(struct cache *cache, const struct uuid *object_id,
                       const struct cache_piece *pieces, size_t piece_count);

struct cache_entry;

/* One reader's claim on the entry that holds a position of an object. */
struct cache_hold {
    struct cache_entry *entry;
    /* private */
    struct list_node node; /* among the entry's waiters while it is being read */
    void (*on_settled)(struct cache_hold *hold);
};

/* Is the entry with byte POSITION of the object here, or being read already? */
bool cache_has(struct cache *cache, const struct uuid *object_id, uint64_t position);
/* Hold the entry with byte POSITION of the object, reading it from the store if need be.
 * Returns true when it is there (or failed) already; else ON_SETTLED comes once, later,
 * unless the hold is released first. */
bool cache_acquire(struct cache *cache, const struct uuid *object_id, uint64_t position,
                   struct cache_hold *hold,
                   void (*on_settled)(struct cache_hold *hold)) MUST_CHECK;
void cache_release(struct cache *cache, struct cache_hold *hold);
/* 0, or why the entry could not be read. */
int cache_hold_code(const struct cache_hold *hold);
/* Up to which position of the object the entry reaches at most: acquire there to go on.
 */
uint64_t cache_hold_end(const struct cache_hold *hold);
/* The bytes from POSITION on that are contiguous in memory, LEN at most; an empty slice
 * when the entry does not have that position. *BLOB (borrowed) is what they lie in. */
struct slice cache_bytes(const struct cache_hold *hold, uint64_t position, uint64_t len,
                         struct blob **blob);

#endif
