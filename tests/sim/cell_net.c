/* cell_net.c - see cell_net.h. */
#include "tests/sim/cell_net.h"

#include <string.h>

#include "common/defs.h"
#include "common/mem.h"

#define PARKED_MAX 500 /* then the connection is given up: peers bound their queues */

struct net_message {
    struct net_message *next; /* of those parked */
    struct net *net;
    unsigned from, to;
    uint32_t connection;
    size_t len;
    uint8_t bytes[];
};

void net_init(struct net *net, struct vtime *time,
              void (*deliver)(unsigned from, unsigned to, struct slice bytes))
{
    memset(net, 0, sizeof(*net));
    net->time = time;
    net->deliver = deliver;
    net->delay_ms = 3;
}

static void drop_parked(struct net *net, struct net_link *link)
{
    struct net_message *message;
    while ((message = link->parked) != NULL) {
        link->parked = message->next;
        net->lost++;
        mem_free(message);
    }
    link->parked_count = 0;
}

static void link_reset(struct net *net, struct net_link *link)
{
    link->connection++;
    link->last_at_ms = 0;
    drop_parked(net, link);
}

static void park(struct net_link *link, struct net_message *message)
{
    struct net_message **end = &link->parked;
    while (*end != NULL)
        end = &(*end)->next;
    message->next = NULL;
    *end = message;
    link->parked_count++;
}

static void arrive(void *arg)
{
    struct net_message *message = arg;
    struct net *net = message->net;
    struct net_link *link = &net->links[message->from][message->to];

    if (message->connection != link->connection) {
        net->lost++;
        mem_free(message);
        return;
    }
    if (link->cut || link->parked != NULL) {
        park(link, message);
        if (link->parked_count > PARKED_MAX)
            link_reset(net, link);
        return;
    }
    net->delivered++;
    net->deliver(message->from, message->to, slice_of(message->bytes, message->len));
    mem_free(message);
}

/* Nothing overtakes anything. */
static void schedule(struct net *net, struct net_link *link, struct net_message *message)
{
    int64_t delay_ms =
        1 + (int64_t)vtime_random(net->time, (uint64_t)net->delay_ms) + link->slow_ms;
    int64_t at_ms = MAX(net->time->now_ms + delay_ms, link->last_at_ms);

    link->last_at_ms = at_ms;
    vtime_after(net->time, at_ms - net->time->now_ms, arrive, message);
}

static struct net_message *message_new(struct net *net, unsigned from, unsigned to,
                                       struct slice bytes)
{
    struct net_message *message = mem_alloc(sizeof(*message) + bytes.len);

    *message = (struct net_message){.net = net,
                                    .from = from,
                                    .to = to,
                                    .connection = net->links[from][to].connection,
                                    .len = bytes.len};
    memcpy(message->bytes, bytes.ptr, bytes.len);
    return message;
}

void net_send(struct net *net, unsigned from, unsigned to, struct slice bytes)
{
    struct net_link *link = &net->links[from][to];

    if (vtime_random(net->time, 10000) < net->resets)
        link_reset(net, link);
    net->sent++;
    struct net_message *message = message_new(net, from, to, bytes);
    if (vtime_random(net->time, 10000) >= net->disorder) {
        schedule(net, link, message);
        return;
    }
    if (vtime_chance(net->time, 50))
        schedule(net, link, message_new(net, from, to, bytes));
    uint64_t late_ms = vtime_chance(net->time, 30) ? 3000 : 400;
    vtime_after(net->time, 1 + (int64_t)vtime_random(net->time, late_ms), arrive,
                message);
}

void net_reset_node(struct net *net, unsigned node)
{
    for (unsigned i = 0; i < NET_NODES; i++) {
        link_reset(net, &net->links[i][node]);
        link_reset(net, &net->links[node][i]);
    }
}

void net_cut(struct net *net, unsigned from, unsigned to)
{
    net->links[from][to].cut = true;
}

void net_mend(struct net *net, unsigned from, unsigned to)
{
    struct net_link *link = &net->links[from][to];
    struct net_message *message, *parked = link->parked;

    if (!link->cut)
        return;
    link->cut = false;
    if (vtime_chance(net->time, 50)) {
        link_reset(net, link);
        return;
    }
    link->parked = NULL;
    link->parked_count = 0;
    while ((message = parked) != NULL) {
        parked = message->next;
        schedule(net, link, message);
    }
}

void net_mend_all(struct net *net)
{
    for (unsigned from = 0; from < NET_NODES; from++) {
        for (unsigned to = 0; to < NET_NODES; to++) {
            net_mend(net, from, to);
            net->links[from][to].slow_ms = 0;
        }
    }
}
