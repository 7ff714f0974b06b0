/* one.c - one row there and back. */
#include "controlplane/one.h"

#include <string.h>

static void *row_of(const struct call *call, const struct one_source *source)
{
    return (char *)call->data + source->row_at;
}

void one_copy(struct node *node, struct call *call, const struct one_source *source)
{
    const void *thing = source->want(node, call);
    if (thing != NULL)
        source->rows->copy(node, call, thing, row_of(call, source));
}

void one_reply(struct call *call, int status, const struct one_source *source)
{
    const char *row = row_of(call, source);
    uint64_t version;

    if (source->version_at != ONE_NO_VERSION) {
        memcpy(&version, row + source->version_at, sizeof(version));
        call_etag(call, version);
    }
    call_reply_json(call, status, source->rows->print(row));
}

static void look(struct node *node, struct call *call)
{
    one_copy(node, call, call->one);
    call_done(call);
}

static void look_again(struct node *node, struct call *call, struct change *change)
{
    (void)change;
    one_copy(node, call, call->one);
}

static void answer(struct call *call)
{
    one_reply(call, 200, call->one);
}

void one_start(struct call *call, const struct one_source *source)
{
    call->one = source;
    call_ask(call, look, answer);
}

void one_after(struct call *call, struct change *change, const struct one_source *source)
{
    call->one = source;
    change->copy = look_again;
    change->answer = answer;
}
