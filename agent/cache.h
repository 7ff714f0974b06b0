/* cache.h - bytes of objects in memory: what was just written here, and what was read.
 *
 * Core thread only. Holds references to blobs, bounded by bytes; nothing in it is needed
 * for correctness, everything can be read again from the store. */
#ifndef AGENT_CACHE_H
#define AGENT_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/defs.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/slice.h"
#include "common/store.h"
#include "common/uuid.h"

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

/* A piece of an object that is in memory anyway: BYTES lie in BLOB. */
struct cache_piece {
    uint64_t position; /* in the object */
    struct slice bytes;
    struct blob *blob; /* the cache takes a reference of its own if it keeps the piece */
};

/* An object of our own was committed; PIECES are its batches, positions rising. */
void cache_put_written(struct cache *cache, const struct uuid *object_id,
                       const struct cache_piece *pieces, size_t piece_count);

#endif
