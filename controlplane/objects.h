/* objects.h - the objects whose commits are known: for repeats (I5) and deletion (I6).
 *
 * An object belongs to its cluster; ids of other clusters are not even seen (I10). It is
 * remembered with a fingerprint of its commit, and for as long as a repeat may come with
 * the commit's result. When its last run goes it becomes garbage, and stays listed with
 * the time until a job has deleted it. Used by apply_*.c, state.c and checkpoint.c. */
#ifndef CONTROLPLANE_OBJECTS_H
#define CONTROLPLANE_OBJECTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/list.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/catalog.h"

/* The result of a commit, while it is in memory. Whether a repeat still gets it is a
 * question of result_until_ms alone: when the memory is freed is each node's own. */
struct kept_result {
    struct list_node node;
    struct stored_object *object;
    uint32_t len;
    uint8_t bytes[]; /* commit_result_write() */
};

struct stored_object {
    struct uuid object_id;
    struct cluster *cluster;
    uint64_t serial; /* order of commits in the cell */
    uint64_t size_bytes;
    int64_t created_at_ms, committed_at_ms;
    int64_t garbage_at_ms;   /* when the last run went; 0: has runs */
    int64_t result_until_ms; /* repeats are answered until then */
    int32_t node_id;         /* the writer's */
    uint32_t content_crc;    /* of the commit's payload: tells a repeat from a clash */
    uint32_t content_bytes;
    uint32_t run_count; /* that refer to it now */
    uint32_t runs_bytes;
    struct kept_result *result; /* or NULL */
    uint8_t *runs; /* packed, until a checkpoint has taken them; see checkpoint.c */
    struct list_node node;
    struct row row;
};

/* All objects of the cell: those of each cluster hang there, in order of commit. */
struct object_list {
    struct list results; /* struct kept_result.node, about in order of age */
    uint64_t next_serial;
    uint64_t count, garbage_count;
    uint64_t bytes; /* memory, about */
};

void objects_init(struct object_list *objects);
struct stored_object *objects_find(const struct cluster *cluster, const struct uuid *id);
/* A new object, without result and runs yet. SERIAL 0: the next. */
struct stored_object *objects_add(struct object_list *objects, struct cluster *cluster,
                                  const struct uuid *id, uint64_t serial);
/* Set once. */
void objects_set_size(struct stored_object *object, uint64_t size_bytes);
void objects_set_result(struct object_list *objects, struct stored_object *object,
                        struct slice result);
/* Free a few results that nobody gets any more at NOW_MS. */
void objects_sweep_results(struct object_list *objects, int64_t now_ms);
/* One run less; true when that made it garbage, at NOW_MS. */
bool objects_unref_run(struct object_list *objects, struct stored_object *object,
                       int64_t now_ms);
void objects_set_garbage(struct object_list *objects, struct stored_object *object,
                         int64_t now_ms);
void objects_remove(struct object_list *objects, struct stored_object *object);
/* Free CLUSTER's table, which must be empty. */
void objects_free_table(struct cluster *cluster);

#endif
