/* seek.h - which node of the cell to talk to: the list of nodes, and the search for the
 * one that leads.
 *
 * Only the leader answers agents. While it does, nothing happens here but a look at the
 * list of nodes now and then. When it does not (a dead connection, 503, 421 without a
 * name, silence), all known nodes are asked at once with /agent/v1/nodes, each again
 * after 20 to 200 ms (up to 2 s when nobody has led for long, up to 4 s when it gives no
 * answer at all), until one says that it leads. Core thread only; used by ctl.c alone. */
#ifndef AGENT_SEEK_H
#define AGENT_SEEK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/ctl.h"
#include "common/defs.h"
#include "common/json.h"
#include "common/loop.h"
#include "common/slice.h"

#define SEEK_URLS_MAX    16
#define SEEK_URL_MAX_LEN 512

struct seek;

struct seek_options {
    struct loop *loop;
    const struct ctl_transport *transport;
    uint64_t seed;
    /* A node says that it leads: seek_url() is its address. ANSWER is what it said (of
     * /agent/v1/nodes), borrowed. Also after each look at the list. */
    void (*on_leader)(const struct json *answer, void *arg);
    /* Nobody has led for seek_stuck_after_ms(), and again after each further such time;
     * TIMES counts on over searches, until a node leads. */
    void (*on_stuck)(void *arg);
    void *arg;
};

#define SEEK_STUCK_MS 15000
/* Whoever is stuck enrols again, and so do all agents of a cell that was away for long:
 * so each waits another time, between one and two times SEEK_STUCK_MS, and twice as long
 * with each of the TIMES that it was stuck before, up to eight times; four times as long
 * while a node gives no answer at all. */
int64_t seek_stuck_after_ms(unsigned times, uint64_t seed);

struct seek *seek_new(const struct seek_options *options);
void seek_free(struct seek *seek); /* NULL is fine */

/* The address in use; only after a first seek_use. */
const char *seek_url(const struct seek *seek);
/* Grows with each change of the address in use. */
uint64_t seek_epoch(const struct seek *seek);
size_t seek_count(const struct seek *seek); /* of known nodes */
bool seek_busy(const struct seek *seek);    /* a search is going on */

/* URL leads, as some node said: use it from now on. False: it is no address. */
bool seek_use(struct seek *seek, struct slice url);
/* Whoever is in use does not answer, or does not lead: look for another. */
void seek_start(struct seek *seek);

#endif
