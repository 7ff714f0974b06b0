/* apply_producers.c - producer ids are handed out, and what is remembered of producers
 * expires. Sequences are judged in apply_commit.c. */
#include "controlplane/apply.h"

void apply_producer_ids(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    if (apply_cluster(state, cmd, result) == NULL)
        return;
    result->value = state->next_producer_id;
    state->next_producer_id += cmd->producer_ids.count;
}

static void on_drop(void *arg, struct partition *partition)
{
    apply_touch(arg, &partition->row);
}

void apply_expire_producers(struct state *state, const struct command *cmd,
                            struct command_result *result)
{
    result->value = (int64_t)producers_expire(
        &state->producers, cmd->expire_producers.before_ms, on_drop, state);
}
