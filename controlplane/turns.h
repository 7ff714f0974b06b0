/* turns.h - how much of a cluster is under way while other clusters commit.
 *
 * All commits of a cell go through the same few threads, in the order in which they come.
 * So whoever keeps sixty of them under way makes everybody else's wait behind sixty, at
 * the server's threads on the way in, in the entries of the log, and on the way out. A
 * cluster may therefore have TURNS_UNDER_WAY under way at a time; what it asks for beyond
 * that waits here, in its order, and costs nobody anything.
 *
 * A cluster of which something waits goes by rounds: as many as may be under way begin
 * together, so that they share an entry of the log, which costs each node messages and a
 * sync whatever it holds. When they have all ended, the cluster rests TURNS_REST times as
 * long as that took. So its part of a busy cell is bounded, and the longer the cell
 * takes, because it is busy, the less the cluster asks of it.
 *
 * All that holds while another cluster has committed within TURNS_MEMORY_US; a cluster
 * that is alone has all there is.
 *
 * There are two of them: one of commits (api_commit.c), and one of all other calls of
 * agents and of a tenant's people (call_core.c), whose turns are quiet: nobody gives way
 * to them, but they do to commits, of which turns_note() tells. So neither does a flood
 * of calls cost another cluster's commits much, nor the cluster its own.
 *
 * A core: core thread, no clock (NOW_US is monotonic). What waits
 * is bounded by the connections that are parked for it, and their bodies by the budget.
 */
#ifndef CONTROLPLANE_TURNS_H
#define CONTROLPLANE_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/list.h"
#include "common/uuid.h"

#define TURNS_UNDER_WAY   8
#define TURNS_MEMORY_US   1000000
#define TURNS_REST        4
#define TURNS_REST_MAX_US 5000 /* that a disk is slow is no reason to rest for long */

struct turns;
struct turns_cluster;

struct turn {
    /* It is its turn; called once, from turns_take(), from another one's turns_give(), or
     * from turns_go_on(). Must not give its own turn from inside. */
    void (*go)(struct turn *turn);
    bool quiet;      /* others need not give way to it */
    unsigned weight; /* of the work that it stands for, in ordinary commits; at least 1 */
    /* private */
    struct list_node node;
    struct turns_cluster *cluster;
};

/* ON_DUE, from inside of the calls below: turns_go_on() must be called at DUE_US. A later
 * call replaces an earlier one. */
struct turns *turns_new(void (*on_due)(void *arg, int64_t due_us), void *arg);
void turns_free(struct turns *turns); /* no turn is under way or waits; NULL is fine */

/* CLUSTER_ID has committed: others give way. */
void turns_note(struct turns *turns, const struct uuid *cluster_id, int64_t now_us);
/* TURN, with what is not private set, is one of CLUSTER_ID's. It lives until its give. */
void turns_take(struct turns *turns, struct turn *turn, const struct uuid *cluster_id,
                int64_t now_us);
/* What it was for has ended; once for each turn that had come. */
void turns_give(struct turns *turns, struct turn *turn, int64_t now_us);
/* The rest of some may be over. */
void turns_go_on(struct turns *turns, int64_t now_us);
/* How many wait, of all clusters. */
size_t turns_waiting(const struct turns *turns);

#endif
