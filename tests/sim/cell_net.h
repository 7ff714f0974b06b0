/* cell_net.h - the simulated network between the nodes: a connection for each ordered
 * pair, first in first out, as peers.h promises; what is lost is lost from the end.
 *
 * A reset drops everything under way and begins a new connection. Over a cut link
 * nothing arrives: what was sent waits as in TCP's buffers, and comes late when the link
 * is mended, or never, when the connection was given up meanwhile. With `disorder` it is
 * worse than peers.h: Raft itself asks for no order. */
#ifndef TESTS_SIM_CELL_NET_H
#define TESTS_SIM_CELL_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "tests/lib/vtime.h"
#include "tests/sim/cell_disk.h"

#define NET_NODES DISKS

struct net_message;

struct net_link {
    bool cut;
    int64_t slow_ms; /* more delay, while it is slow */
    uint32_t connection;
    int64_t last_at_ms;         /* when the newest message arrives */
    struct net_message *parked; /* under way when the link was cut, oldest first */
    size_t parked_count;
};

struct net {
    struct vtime *time;
    /* A message arrives; the bytes are borrowed. */
    void (*deliver)(unsigned from, unsigned to, struct slice bytes);
    int64_t delay_ms;  /* of an ordinary message, 1 to this */
    unsigned resets;   /* of 10,000 messages, so many see a reset */
    unsigned disorder; /* ... are overtaken by later ones, or come twice */
    struct net_link links[NET_NODES][NET_NODES];
    uint64_t sent, delivered, lost;
};

void net_init(struct net *net, struct vtime *time,
              void (*deliver)(unsigned from, unsigned to, struct slice bytes));
void net_send(struct net *net, unsigned from, unsigned to, struct slice bytes);
/* All that is under way is lost; both directions of NODE's connections begin anew. */
void net_reset_node(struct net *net, unsigned node);
void net_cut(struct net *net, unsigned from, unsigned to);
void net_mend(struct net *net, unsigned from, unsigned to);
void net_mend_all(struct net *net); /* also what is slow */

#endif
