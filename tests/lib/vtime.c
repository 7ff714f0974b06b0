/* vtime.c - a sorted list of events and a xorshift generator. */
#include "tests/lib/vtime.h"

#include "common/mem.h"

struct vevent {
    struct list_node node;
    int64_t at_ms;
    void (*run)(void *arg);
    void *arg;
};

void vtime_init(struct vtime *time, uint64_t seed)
{
    time->now_ms = 1000000;
    time->random = seed * 0x9e3779b97f4a7c15u + 1;
    list_init(&time->events);
}

void vtime_fini(struct vtime *time)
{
    struct list_node *node;
    while ((node = list_pop_front(&time->events)) != NULL)
        mem_free(CONTAINER_OF(node, struct vevent, node));
}

void vtime_after(struct vtime *time, int64_t delay_ms, void (*run)(void *arg), void *arg)
{
    struct vevent *event = mem_alloc(sizeof(*event));
    struct list_node *pos = time->events.head.prev;

    event->at_ms = time->now_ms + delay_ms;
    event->run = run;
    event->arg = arg;
    while (pos != &time->events.head &&
           CONTAINER_OF(pos, struct vevent, node)->at_ms > event->at_ms)
        pos = pos->prev;
    list_insert_before(pos->next, &event->node);
}

bool vtime_step(struct vtime *time, int64_t until_ms)
{
    struct list_node *node = list_first(&time->events);
    if (node == NULL || CONTAINER_OF(node, struct vevent, node)->at_ms > until_ms) {
        time->now_ms = MAX(time->now_ms, until_ms);
        return false;
    }
    struct vevent *event = CONTAINER_OF(node, struct vevent, node);
    list_remove(node);
    time->now_ms = MAX(time->now_ms, event->at_ms);
    event->run(event->arg);
    mem_free(event);
    return true;
}

bool vtime_idle(const struct vtime *time)
{
    return list_empty(&time->events);
}

uint64_t vtime_random(struct vtime *time, uint64_t n)
{
    time->random ^= time->random << 13;
    time->random ^= time->random >> 7;
    time->random ^= time->random << 17;
    return time->random % n;
}

bool vtime_chance(struct vtime *time, unsigned percent)
{
    return vtime_random(time, 100) < percent;
}
