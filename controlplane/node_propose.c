/* node_propose.c - proposals: many commands in one Raft entry, each told its result.
 *
 * One tick's proposals become one entry, cut at about 2 MiB. Nothing is submitted from
 * inside a call of the replica: what is full is sealed, and goes at the end of the tick.
 * While a few entries are under way, further proposals wait to go together: an entry
 * costs each node messages and wake-ups whatever it holds, and a node alone hardly
 * notices, but with a commit in each the nodes of a busy cell would do little else. */
#include <string.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/fault.h"
#include "common/mem.h"
#include "common/version.h"
#include "controlplane/metrics.h"
#include "controlplane/node_core.h"

/* How much of the producers' time one EXPIRE_PRODUCERS takes: bounds its work. */
#define EXPIRE_STEP_MS  60000
#define EXPIRE_EVERY_MS 60000
/* So many entries may be under way before proposals wait for one of them. */
#define ENTRIES_UNDER_WAY 4
/* Rows that one PURGE forgets: well below a millisecond of everybody's time. */
#define PURGE_ROWS 4096
/* Of one step of looking for offsets that expire. */
#define EXPIRY_ARENA_MAX (64 * KIB)

/* Proposals of one Raft entry, in order. */
struct batch {
    struct list_node node;
    struct list proposals;
    struct str entry; /* until it is submitted */
    uint64_t index, term;
};

/* ---- ends ---- */

static void end_proposal(struct node *node, struct proposal *proposal, int code,
                         struct slice result)
{
    node->waiting_bytes -= proposal->bytes;
    proposal->done(proposal, code, result);
}

static void end_list(struct node *node, struct list *proposals, int code)
{
    struct list_node *item;
    while ((item = list_pop_front(proposals)) != NULL)
        end_proposal(node, CONTAINER_OF(item, struct proposal, node), code, SLICE_NULL);
}

static void free_batch(struct batch *batch)
{
    list_remove(&batch->node);
    str_fini(&batch->entry);
    mem_free(batch);
}

static void take_proposals(struct list *batches, struct list *proposals)
{
    struct list_node *item;

    while ((item = list_first(batches)) != NULL) {
        struct batch *batch = CONTAINER_OF(item, struct batch, node);
        list_splice(proposals, &batch->proposals);
        free_batch(batch);
    }
}

void node_end_batches(struct node *node, int code)
{
    struct list proposals;

    list_init(&proposals);
    take_proposals(&node->batches, &proposals);
    end_list(node, &proposals, code);
}

void node_end_all(struct node *node, int code)
{
    struct list proposals;

    list_init(&proposals);
    take_proposals(&node->sealed, &proposals);
    list_splice(&proposals, &node->pending);
    list_splice(&proposals, &node->failed);
    end_list(node, &proposals, code);
    node_end_batches(node, code);
}

/* Keep PROPOSAL to be told CODE at the end of the tick. */
static void fail_later(struct node *node, struct proposal *proposal, int code)
{
    proposal->code = code;
    list_push_back(&node->failed, &proposal->node);
    node_touch(node);
}

/* ---- entries ---- */

/* What is pending is a whole entry. */
static void seal(struct node *node)
{
    if (list_empty(&node->pending))
        return;
    struct batch *batch = mem_zalloc(sizeof(*batch));
    list_init(&batch->proposals);
    list_splice(&batch->proposals, &node->pending);
    batch->entry = node->entry;
    str_init(&node->entry, NODE_ENTRY_BYTES + COMMAND_BYTES_MAX + KIB);
    list_push_back(&node->sealed, &batch->node);
}

static void submit(struct node *node, struct batch *batch)
{
    struct list_node *item;

    FAULT_POINT("propose");
    int rc = batch->entry.overflowed
                 ? ERR_TOO_LARGE
                 : replica_submit(node->replica, str_slice(&batch->entry),
                                  clock_monotonic_ms(), &batch->index, &batch->term);
    str_fini(&batch->entry);
    if (rc == 0) {
        list_push_back(&node->batches, &batch->node);
        atomic_fetch_add(&node->entries, 1);
        return;
    }
    while ((item = list_pop_front(&batch->proposals)) != NULL)
        fail_later(node, CONTAINER_OF(item, struct proposal, node), rc);
    free_batch(batch);
}

static bool many_under_way(const struct node *node)
{
    const struct list_node *head = &node->batches.head;
    size_t count = 0;

    for (const struct list_node *at = head->next; at != head; at = at->next) {
        if (++count == ENTRIES_UNDER_WAY)
            return true;
    }
    return false;
}

void node_flush_proposals(struct node *node, bool all)
{
    struct list_node *item;
    struct list failed;
    int code;

    /* Whoever may not write is told so at once. */
    if (all || replica_write_code(node->replica) != 0 || !many_under_way(node))
        seal(node);
    while ((item = list_pop_front(&node->sealed)) != NULL)
        submit(node, CONTAINER_OF(item, struct batch, node));
    /* Leadership may have gone while something was being submitted. */
    code = replica_write_code(node->replica);
    if (code != 0 && !list_empty(&node->batches) && !replica_is_leader(node->replica))
        node_end_batches(node, code == ERR_NOT_LEADER ? ERR_UNAVAILABLE : code);
    list_init(&failed);
    list_splice(&failed, &node->failed);
    while ((item = list_pop_front(&failed)) != NULL) {
        struct proposal *proposal = CONTAINER_OF(item, struct proposal, node);
        end_proposal(node, proposal, proposal->code, SLICE_NULL);
    }
}

/* ---- time ---- */

static int64_t wall_ms(const struct node *node)
{
    return node->options.wall_ms == NULL ? clock_wall_ms()
                                         : node->options.wall_ms(node->options.arg);
}

/* How far the time of commands may go by now; see node_now_ms(). */
static int64_t latest_ms(const struct node *node)
{
    int64_t now_ms = clock_monotonic_ms();
    int64_t voters_ms = replica_clock_ms(node->replica, now_ms);

    if (voters_ms == REPLICA_NO_CLOCK)
        return INT64_MAX;
    return MAX(voters_ms + NODE_CLOCK_AHEAD_MS,
               node->led_from_ms + (now_ms - node->led_since_ms));
}

void node_begin_time(struct node *node)
{
    node->led_from_ms = state_now_ms(node->state);
    node->led_since_ms = clock_monotonic_ms();
    int64_t ahead_ms = wall_ms(node) - latest_ms(node);
    if (ahead_ms > 0)
        log_error("node",
                  "the clock of this node is far ahead of the other nodes': commands get "
                  "an earlier time; set the clock right",
                  "ahead_ms=%lld", (long long)(ahead_ms + NODE_CLOCK_AHEAD_MS));
}

int64_t node_now_ms(const struct node *node)
{
    int64_t now_ms = wall_ms(node);

    if (node->leader)
        now_ms = MIN(now_ms, latest_ms(node));
    return MAX(now_ms, MAX(state_now_ms(node->state), node->stamped_ms));
}

void node_propose(struct node *node, struct proposal *proposal, struct command *cmd)
{
    int code =
        node->stopping || node->dead ? ERR_CANCELLED : replica_write_code(node->replica);
    struct str *entry = &node->entry;
    size_t at = entry->len;

    list_node_init(&proposal->node);
    proposal->bytes = 0;
    if (code == 0 && node->waiting_bytes >= node->options.proposals_max_bytes)
        code = ERR_OVERLOADED;
    if (code == 0 &&
        node->options.command_level(cmd->kind) > state_cell(node->state)->feature_level)
        code = ERR_UNSUPPORTED; /* an older node could not apply it */
    if (code != 0) {
        fail_later(node, proposal, code);
        return;
    }
    cmd->now_ms = node->stamped_ms = node_now_ms(node);
    /* command_pack()'s form, written in place. */
    write_u32(entry, 0);
    command_write(cmd, entry);
    size_t bytes = entry->len - at;
    if (entry->overflowed || bytes - 4 > COMMAND_BYTES_MAX) {
        entry->len = at;
        entry->overflowed = false;
        fail_later(node, proposal, ERR_TOO_LARGE);
        return;
    }
    be32_put((uint8_t *)entry->data + at, (uint32_t)(bytes - 4));
    proposal->bytes = bytes;
    node->waiting_bytes += bytes;
    list_push_back(&node->pending, &proposal->node);
    if (entry->len >= NODE_ENTRY_BYTES)
        seal(node);
    node_touch(node);
}

/* ---- what Raft decided ---- */

/* The batch that waits for entry INDEX of TERM, or NULL. Batches before it were lost. */
static struct batch *take_batch(struct node *node, uint64_t index, uint64_t term)
{
    struct list_node *item;

    while ((item = list_first(&node->batches)) != NULL) {
        struct batch *batch = CONTAINER_OF(item, struct batch, node);
        if (batch->index > index)
            return NULL;
        list_remove(&batch->node);
        if (batch->index == index && batch->term == term)
            return batch;
        end_list(node, &batch->proposals, ERR_UNAVAILABLE);
        free_batch(batch);
    }
    return NULL;
}

/* Whether COMMAND can be applied as everybody else does; otherwise nothing is any more.
 */
static bool understood(struct node *node, uint64_t index, struct slice command)
{
    struct err err;

    if (!command_is_newer(command))
        return true;
    err_set(&err, ERR_UNSUPPORTED,
            "entry %llu of the log was written by a newer weft-controlplane than this "
            "one (%s): start the version that the other nodes run; the data directory "
            "can stay as it is",
            (unsigned long long)index, WEFT_VERSION);
    node_fatal(node, &err);
    return false;
}

void node_on_apply(void *arg, uint64_t index, uint64_t term, struct slice data)
{
    struct node *node = arg;
    struct batch *batch = take_batch(node, index, term);
    int64_t began_us = clock_monotonic_us();
    struct slice command;
    struct err err;

    node->applied_bytes += data.len;
    if (data.len == 0 && !node->dead)
        state_skip(node->state, index);
    while (!node->dead && command_unpack(&data, &command)) {
        if (!understood(node, index, command))
            break;
        struct list_node *item = batch == NULL ? NULL : list_pop_front(&batch->proposals);
        str_reset(&node->result);
        state_apply(node->state, index, command, &node->result);
        FAULT_POINT("applied");
        atomic_fetch_add(&node->commands, 1);
        if (node_check_level(node, node->state, &err) != 0)
            node_fatal(node, &err);
        if (item != NULL)
            end_proposal(node, CONTAINER_OF(item, struct proposal, node),
                         node->dead ? ERR_UNAVAILABLE : 0,
                         node->dead ? SLICE_NULL : str_slice(&node->result));
    }
    metric_observe(control_metric(apply_seconds), clock_monotonic_us() - began_us);
    if (batch != NULL) {
        if (node->dead)
            end_list(node, &batch->proposals, ERR_UNAVAILABLE);
        ASSERT(list_empty(&batch->proposals));
        free_batch(batch);
    }
}

void node_on_skip(void *arg, uint64_t index)
{
    struct node *node = arg;
    if (node->dead)
        return;
    state_skip(node->state, index);
    node_change_applied(node, index);
}

/* ---- the leader's own ---- */

static void expired(struct proposal *proposal, int code, struct slice result)
{
    (void)code, (void)result; /* tried again in the next round */
    mem_free(proposal);
}

/* A step of forgetting what was deleted or is too old. */
struct purge {
    struct proposal proposal;
    struct node *node;
};

/* The leader proposes that what was unused for a day is forgotten, in steps. */
void node_expire_producers(struct node *node)
{
    int64_t oldest_ms = state_oldest_producer_ms(node->state);
    int64_t limit_ms = node_now_ms(node) - node->options.producer_expiry_ms;

    if (!node_is_leader(node) || oldest_ms < 0 || oldest_ms >= limit_ms ||
        loop_now_ms(node->thread.loop) < node->expire_at_ms)
        return;
    struct command cmd = {.kind = COMMAND_EXPIRE_PRODUCERS};
    struct proposal *proposal = mem_zalloc(sizeof(*proposal));
    cmd.expire_producers.before_ms = MIN(limit_ms, oldest_ms + EXPIRE_STEP_MS);
    /* More to do: go on at the next round. */
    if (cmd.expire_producers.before_ms == limit_ms)
        node->expire_at_ms = loop_now_ms(node->thread.loop) + EXPIRE_EVERY_MS;
    proposal->done = expired;
    node_propose(node, proposal, &cmd);
}

void node_expire_offsets(struct node *node)
{
    struct command cmd;
    struct arena arena;

    if (!node_is_leader(node)) {
        offsets_expiry_reset(&node->offsets_expiry);
        return;
    }
    arena_init(&arena, EXPIRY_ARENA_MAX);
    if (offsets_expiry_step(&node->offsets_expiry, node->state, node_now_ms(node),
                            loop_now_ms(node->thread.loop), &arena, &cmd)) {
        struct proposal *proposal = mem_zalloc(sizeof(*proposal));
        proposal->done = expired;
        node_propose(node, proposal, &cmd);
    }
    arena_fini(&arena);
}

/* What was before this is too old, when it is to be AGE_MS at the most; 0: nothing. */
static int64_t too_old_ms(const struct node *node, int64_t age_ms)
{
    return age_ms == 0 ? 0 : node_now_ms(node) - age_ms;
}

static void purged(struct proposal *proposal, int code, struct slice result)
{
    struct purge *purge = CONTAINER_OF(proposal, struct purge, proposal);
    struct node *node = purge->node;

    struct command_result purged_rows;

    mem_free(purge);
    node->purging = false;
    /* The next step, until nothing is left; what ages meanwhile waits for a second. */
    if (code == 0 && command_result_read(result, &purged_rows) == 0 &&
        (purged_rows.value >= PURGE_ROWS || state_purge_due(node->state)))
        node_purge(node);
}

void node_purge(struct node *node)
{
    if (node->purging || node->stopping || !node_is_leader(node))
        return;
    struct command cmd = {.kind = COMMAND_PURGE, .purge = {.rows_max = PURGE_ROWS}};
    cmd.purge.audit_before_ms = too_old_ms(node, node->options.audit_age_ms);
    cmd.purge.replies_before_ms = too_old_ms(node, node->options.replies_age_ms);
    if (!state_purge_due(node->state) && !state_has_older(node->state, &cmd))
        return;
    struct purge *purge = mem_zalloc(sizeof(*purge));
    purge->node = node;
    purge->proposal.done = purged;
    node->purging = true;
    node_propose(node, &purge->proposal, &cmd);
}
