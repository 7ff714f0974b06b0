/* turns.h - how many commits of a cluster are under way while other clusters commit too.
 *
 * All commits of a cell go through the same few threads, in the order in which they come.
 * So whoever keeps sixty of them under way makes everybody else's wait behind sixty, at
 * the server's threads on the way in, in the entries of the log, and on the way out. A
 * cluster may therefore have TURNS_UNDER_WAY under way at a time; what it asks for beyond
 * that waits here, in its order, and costs nobody anything. That holds while another
 * cluster has committed within TURNS_MEMORY_MS; a cluster that is alone has all there is.
 *
 * A core: core thread, no clock (NOW_MS is monotonic). Used by api_commit.c. What waits
 * is bounded by the connections that are parked for it, and their bodies by the budget.
 */
#ifndef CONTROLPLANE_TURNS_H
#define CONTROLPLANE_TURNS_H

#include <stddef.h>
#include <stdint.h>

#include "common/list.h"
#include "common/uuid.h"

#define TURNS_UNDER_WAY 8
#define TURNS_MEMORY_MS 1000

struct turns;
struct turns_cluster;

struct turn {
    /* It is its turn; called once, from turns_take() or from another one's turns_give().
     * Must not give its own turn from inside. */
    void (*go)(struct turn *turn);
    unsigned weight; /* of the work that it stands for, in ordinary commits; at least 1 */
    /* private */
    struct list_node node;
    struct turns_cluster *cluster;
};

struct turns *turns_new(void);
void turns_free(struct turns *turns); /* no turn is under way or waits; NULL is fine */

/* TURN, with `go` and `weight` set, is one of CLUSTER_ID's. It lives until its give. */
void turns_take(struct turns *turns, struct turn *turn, const struct uuid *cluster_id,
                int64_t now_ms);
/* What it was for has ended; once for each turn that had come. */
void turns_give(struct turns *turns, struct turn *turn, int64_t now_ms);
/* How many wait, of all clusters. */
size_t turns_waiting(const struct turns *turns);

#endif
