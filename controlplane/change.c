/* change.c - one command there and back. */
#include "controlplane/change.h"

/* So many others may be faster, one after the other, before the caller is told to wait.
 */
#define RACES_MAX 100

static void propose(struct node *node, struct call *call);

/* Whether another change came between what was read and this one: the caller named no
 * version, so that it is made again from what is there now. */
static bool lost_race(const struct call *call, const struct change *change)
{
    struct command_result result;

    return call->err.code == 0 && call->if_version == 0 && change->cmd.if_version != 0 &&
           command_result_read(change->proposal.result, &result) == 0 &&
           result.code == ERR_STALE;
}

static void settled(struct node *node, struct call *call)
{
    struct change *change = call->data;

    if (lost_race(call, change)) {
        if (++change->races <= RACES_MAX) {
            propose(node, call);
            return;
        }
        call_fail(call, ERR_UNAVAILABLE,
                  "too many change the %s at the same time: try again", change->what);
    }

    if (call->err.code == 0 &&
        call_result(call, &change->proposal, change->what, &change->result)) {
        change->replayed = !uuid_is_zero(&change->made_id) &&
                           !uuid_is_zero(&change->result.id) &&
                           !uuid_eq(&change->made_id, &change->result.id);
        if (change->copy != NULL)
            change->copy(node, call, change);
    }
    call_done(call);
}

static void propose(struct node *node, struct call *call)
{
    struct change *change = call->data;

    change->cmd.if_version = call->if_version;
    if (change->prepare != NULL)
        change->prepare(node, call, change);
    if (call->err.code != 0)
        call_done(call);
    else
        call_propose(node, call, &change->proposal, &change->cmd, settled);
}

static void answer(struct call *call)
{
    struct change *change = call->data;

    if (change->replayed)
        http_exchange_add_header(call->x, "Idempotency-Replayed", "true");
    if (change->answer != NULL)
        change->answer(call);
    else
        call_reply_empty(call);
}

void change_start(struct call *call, struct change *change)
{
    call->data = change;
    call_ask(call, propose, answer);
}
