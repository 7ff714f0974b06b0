/* read_gate.h - how much may be read from the store at a time: who waits for memory must
 * not hold what all others wait for.
 *
 * Core thread only. A fetch, and a search of a run, hold every chunk that they read until
 * they have the last. Were all let in at once, many readers far behind could hold the
 * agent's whole memory together while none of them had all that it needs; produces would
 * stop with them (I12). So a reader asks here before it reads, and those for whom there
 * is no room wait in line. There is always room for one.
 *
 * What is in memory already needs no pass. */
#ifndef AGENT_READ_GATE_H
#define AGENT_READ_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/list.h"
#include "common/loop.h"
#include "common/mem.h"

struct cache;

struct read_gate {
    struct cache *cache;   /* whose reads are counted, also those that nobody waits for */
    struct budget *budget; /* or NULL */
    size_t max_chunks, open_chunks;
    struct list waiting;
    struct loop_timer timer; /* armed while somebody waits */
    bool closed;
};

struct read_pass {
    struct list_node node;
    size_t chunks; /* that may be read, and are counted as long as it is inside; 0: not */
    size_t used;   /* of them */
    void (*on_enter)(struct read_pass *pass);
};

void read_gate_init(struct read_gate *gate, struct loop *loop, struct cache *cache,
                    struct budget *budget);
void read_gate_fini(struct read_gate *gate); /* nobody may be inside or wait */
void read_pass_init(struct read_pass *pass);
/* May PASS read one more chunk? MUST: once it is inside, although there is no room. */
bool read_gate_take(struct read_gate *gate, struct read_pass *pass, bool must);
/* PASS, which is not inside: stand in line. ON_ENTER is called later, with PASS inside,
 * or not when the gate was closed meanwhile. False when it is closed already. */
bool read_gate_wait(struct read_gate *gate, struct read_pass *pass,
                    void (*on_enter)(struct read_pass *pass));
/* PASS has let go of what it read, or waits no more. */
void read_gate_leave(struct read_gate *gate, struct read_pass *pass);
/* From now on nobody enters: the agent ends. */
void read_gate_close(struct read_gate *gate);

#endif
