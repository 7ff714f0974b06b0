/* read_gate.c - see read_gate.h. */
#include "agent/read_gate.h"

#include "agent/cache.h"
#include "agent/metrics.h"
#include "common/check.h"

/* The part of the agent's memory that reads may take together, and its least and greatest
 * number of chunks. */
#define MEMORY_SHARE 4
#define CHUNKS_LEAST 4
#define CHUNKS_MOST  1024
/* Above so much of it, the cache having given way (cache.c), one reads at a time; below
 * what stops the reading of produces (frame.h), which have the first right to the rest.
 */
#define PRESSED_PERCENT 75
/* How soon those in line look again when nobody leaves: memory comes back elsewhere too.
 */
#define LOOK_AGAIN_MS 20

static void on_timer(struct loop_timer *timer, void *arg);

void read_gate_init(struct read_gate *gate, struct loop *loop, struct cache *cache,
                    struct budget *budget)
{
    size_t chunks = budget == NULL
                        ? CHUNKS_MOST
                        : budget->limit_bytes / MEMORY_SHARE / CACHE_CHUNK_BYTES;
    *gate = (struct read_gate){
        .cache = cache,
        .budget = budget,
        .max_chunks = MIN(MAX(chunks, (size_t)CHUNKS_LEAST), (size_t)CHUNKS_MOST),
    };
    list_init(&gate->waiting);
    loop_timer_init(&gate->timer, loop, on_timer, gate);
}

void read_gate_fini(struct read_gate *gate)
{
    ASSERT(list_empty(&gate->waiting) && gate->open_chunks == 0);
    loop_timer_fini(&gate->timer);
}

void read_pass_init(struct read_pass *pass)
{
    *pass = (struct read_pass){.chunks = 0};
    list_node_init(&pass->node);
}

static bool has_room(const struct read_gate *gate)
{
    size_t taken = MAX(gate->open_chunks, cache_reading(gate->cache));
    bool pressed = gate->budget != NULL && budget_above(gate->budget, PRESSED_PERCENT);

    return !gate->closed && taken < (pressed ? 1 : gate->max_chunks);
}

static void give(struct read_gate *gate, struct read_pass *pass)
{
    gate->open_chunks++;
    pass->chunks++;
}

bool read_gate_take(struct read_gate *gate, struct read_pass *pass, bool must)
{
    if (pass->used == pass->chunks) {
        bool free = has_room(gate) && list_empty(&gate->waiting);
        if (!free && !(must && pass->chunks > 0))
            return false;
        give(gate, pass);
    }
    pass->used++;
    return true;
}

bool read_gate_wait(struct read_gate *gate, struct read_pass *pass,
                    void (*on_enter)(struct read_pass *pass))
{
    ASSERT(pass->chunks == 0);
    if (gate->closed)
        return false;
    if (list_empty(&gate->waiting))
        loop_timer_set(&gate->timer, LOOK_AGAIN_MS);
    pass->on_enter = on_enter;
    list_push_back(&gate->waiting, &pass->node);
    metric_add(agent_metric(reads_waiting), 1);
    return true;
}

static struct read_pass *take_first(struct read_gate *gate)
{
    metric_add(agent_metric(reads_waiting), -1);
    return CONTAINER_OF(list_pop_front(&gate->waiting), struct read_pass, node);
}

static void on_timer(struct loop_timer *timer, void *arg)
{
    struct read_gate *gate = arg;

    while (!list_empty(&gate->waiting) && has_room(gate)) {
        struct read_pass *pass = take_first(gate);
        give(gate, pass);
        pass->on_enter(pass);
    }
    if (!list_empty(&gate->waiting))
        loop_timer_set(timer, LOOK_AGAIN_MS);
}

void read_gate_leave(struct read_gate *gate, struct read_pass *pass)
{
    if (list_linked(&pass->node)) {
        list_remove(&pass->node);
        metric_add(agent_metric(reads_waiting), -1);
    }
    ASSERT(pass->chunks <= gate->open_chunks);
    gate->open_chunks -= pass->chunks;
    pass->chunks = pass->used = 0;
    if (!list_empty(&gate->waiting))
        loop_timer_set(&gate->timer, 0);
}

void read_gate_close(struct read_gate *gate)
{
    gate->closed = true;
    while (!list_empty(&gate->waiting)) {
        struct read_pass *pass = take_first(gate);
        pass->on_enter(pass);
    }
}
