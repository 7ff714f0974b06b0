/* change.c - one command there and back. */
#include "controlplane/change.h"

static void settled(struct node *node, struct call *call)
{
    struct change *change = call->data;

    if (call_result(call, &change->proposal, change->what, &change->result)) {
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
