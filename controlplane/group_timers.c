/* group_timers.c - one timer of the loop for all of the coordinator's, and a proposal for
 * each thing that is due. What fails to be applied is due again (coordinator.h). */
#include "controlplane/group_timers.h"

#include "common/mem.h"
#include "controlplane/metrics.h"

#define AT_ONCE_MAX 1000      /* commands of one go; the rest follows in the next tick */
#define ARENA_MAX   (4 * MIB) /* for one command */
#define RUN_MIN_MS  10        /* what is due within so long is taken together */

struct group_timers {
    struct coordinator *coordinator;
    struct node *node; /* NULL: not attached */
    struct loop_timer timer;
    struct loop_deferred settle;
};

static void schedule(struct group_timers *timers)
{
    int64_t at_ms = coordinator_next_at_ms(timers->coordinator);
    int64_t now_ms = loop_now_ms(node_loop(timers->node));
    if (at_ms == INT64_MAX)
        loop_timer_cancel(&timers->timer);
    else
        loop_timer_set(&timers->timer, MAX(at_ms - now_ms, RUN_MIN_MS));
}

static void on_settled(struct loop_deferred *deferred)
{
    struct group_timers *timers = CONTAINER_OF(deferred, struct group_timers, settle);
    coordinator_settle(timers->coordinator, node_state(timers->node),
                       loop_now_ms(node_loop(timers->node)));
    schedule(timers);
}

static void on_noted(void *arg)
{
    struct group_timers *timers = arg;
    if (timers->node != NULL)
        loop_defer(node_loop(timers->node), &timers->settle);
}

/* The outcome is in the state, and what is not there is due again. */
static void on_proposed(struct proposal *proposal, int code, struct slice result)
{
    struct command_result done;
    if (code == 0 && command_result_read(result, &done) == 0 && done.value > 0)
        metric_add(control_metric(group_timeouts_total), done.value);
    mem_free(proposal);
}

static void propose(struct group_timers *timers, struct command *cmd)
{
    struct proposal *proposal = mem_zalloc(sizeof(*proposal));
    proposal->done = on_proposed;
    list_node_init(&proposal->node);
    node_propose(timers->node, proposal, cmd);
}

static void on_time(struct loop_timer *timer, void *arg)
{
    struct group_timers *timers = arg;
    struct node *node = timers->node;
    int64_t now_ms = loop_now_ms(node_loop(node));
    (void)timer;

    for (size_t i = 0; i < AT_ONCE_MAX; i++) {
        struct command cmd;
        struct arena arena;
        arena_init(&arena, ARENA_MAX);
        bool due =
            coordinator_next(timers->coordinator, node_state(node), now_ms, &arena, &cmd);
        if (due)
            propose(timers, &cmd);
        arena_fini(&arena);
        if (!due)
            break;
    }
    schedule(timers);
}

struct group_timers *group_timers_new(const struct control_options *options)
{
    struct group_timers *timers = mem_zalloc(sizeof(*timers));
    const struct coordinator_options coordinator = {
        .initial_delay_ms = options->group_initial_delay_ms,
        .on_noted = on_noted,
        .arg = timers,
    };
    timers->coordinator = coordinator_new(&coordinator);
    loop_deferred_init(&timers->settle, on_settled);
    return timers;
}

void group_timers_free(struct group_timers *timers)
{
    if (timers == NULL)
        return;
    coordinator_free(timers->coordinator);
    mem_free(timers);
}

struct coordinator *group_timers_coordinator(struct group_timers *timers)
{
    return timers->coordinator;
}

void group_timers_attach(struct group_timers *timers, struct node *node)
{
    timers->node = node;
    loop_timer_init(&timers->timer, node_loop(node), on_time, timers);
}

void group_timers_detach(struct group_timers *timers)
{
    coordinator_end(timers->coordinator);
    loop_defer_cancel(&timers->settle);
    loop_timer_fini(&timers->timer);
    timers->node = NULL;
}

void group_timers_lead(struct group_timers *timers, bool leads)
{
    if (!leads) {
        coordinator_end(timers->coordinator);
        return;
    }
    coordinator_begin(timers->coordinator, node_state(timers->node),
                      loop_now_ms(node_loop(timers->node)));
    schedule(timers);
}
