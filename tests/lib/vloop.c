/* vloop.c - a heap of timers. A timer that is set knows its place in the heap by the
 * field in which the real loop keeps its event. */
#include "tests/lib/vloop.h"

#include "common/check.h"
#include "common/mem.h"

#define BEGIN_MS 1000 /* zero stands for "never" in places */

struct slot {
    int64_t at_ms;
    uint64_t serial;
    struct loop_timer *timer;
};

static struct slot *heap;
static size_t count, room;
static int64_t now_ms = BEGIN_MS;
static uint64_t serial;

int64_t __wrap_clock_monotonic_ms(void);
int64_t __wrap_loop_now_ms(const struct loop *loop);
void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop,
                            void (*on_fire)(struct loop_timer *timer, void *arg),
                            void *arg);
void __wrap_loop_timer_set(struct loop_timer *timer, int64_t after_ms);
void __wrap_loop_timer_cancel(struct loop_timer *timer);
void __wrap_loop_timer_fini(struct loop_timer *timer);

struct loop *vloop(void)
{
    static char here;
    return (struct loop *)(void *)&here;
}

int64_t vloop_now_ms(void)
{
    return now_ms;
}

/* ---- the heap ---- */

static bool before(const struct slot *a, const struct slot *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->serial < b->serial;
}

static size_t place_of(const struct loop_timer *timer)
{
    return (size_t)(uintptr_t)timer->event - 1;
}

static void put(size_t place, struct slot slot)
{
    heap[place] = slot;
    slot.timer->event = (struct event *)(uintptr_t)(place + 1);
}

static void rise(size_t place, struct slot slot)
{
    while (place > 0 && before(&slot, &heap[(place - 1) / 2])) {
        put(place, heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(place, slot);
}

static void sink(size_t place, struct slot slot)
{
    for (;;) {
        size_t child = 2 * place + 1;
        if (child + 1 < count && before(&heap[child + 1], &heap[child]))
            child++;
        if (child >= count || !before(&heap[child], &slot))
            break;
        put(place, heap[child]);
        place = child;
    }
    put(place, slot);
}

static void take_out(size_t place)
{
    struct slot last = heap[--count];

    heap[place].timer->armed = false;
    heap[place].timer->event = NULL;
    if (place == count)
        return;
    if (place > 0 && before(&last, &heap[(place - 1) / 2]))
        rise(place, last);
    else
        sink(place, last);
}

/* ---- in place of loop.c and clock.c ---- */

int64_t __wrap_clock_monotonic_ms(void)
{
    return now_ms;
}

int64_t __wrap_loop_now_ms(const struct loop *loop)
{
    (void)loop;
    return now_ms;
}

void __wrap_loop_timer_init(struct loop_timer *timer, struct loop *loop,
                            void (*on_fire)(struct loop_timer *timer, void *arg),
                            void *arg)
{
    *timer = (struct loop_timer){.loop = loop, .on_fire = on_fire, .arg = arg};
}

void __wrap_loop_timer_cancel(struct loop_timer *timer)
{
    if (timer->armed)
        take_out(place_of(timer));
}

void __wrap_loop_timer_set(struct loop_timer *timer, int64_t after_ms)
{
    __wrap_loop_timer_cancel(timer);
    if (count == room) {
        room = room == 0 ? 1024 : room * 2;
        heap = mem_realloc(heap, room * sizeof(*heap));
    }
    timer->armed = true;
    count++;
    rise(count - 1, (struct slot){now_ms + MAX(after_ms, 0), ++serial, timer});
}

void __wrap_loop_timer_fini(struct loop_timer *timer)
{
    __wrap_loop_timer_cancel(timer);
}

/* ---- running ---- */

bool vloop_step(int64_t until_ms)
{
    if (count == 0 || heap[0].at_ms > until_ms) {
        now_ms = MAX(now_ms, until_ms);
        return false;
    }
    struct loop_timer *timer = heap[0].timer;
    now_ms = heap[0].at_ms;
    take_out(0);
    timer->on_fire(timer, timer->arg);
    return true;
}

void vloop_reset(void)
{
    ASSERT(count == 0);
    mem_free(heap);
    heap = NULL;
    room = 0;
    now_ms = BEGIN_MS;
    serial = 0;
}
