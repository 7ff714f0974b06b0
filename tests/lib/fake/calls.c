/* calls.c - see calls.h. */
#include "tests/lib/fake/calls.h"

#include <string.h>

#include "common/check.h"

struct fake_calls fake_calls;

void fake_calls_reset(void)
{
    ASSERT(fake_calls_open() == 0);
    memset(&fake_calls, 0, sizeof(fake_calls));
}

size_t fake_calls_open(void)
{
    size_t open = 0;
    for (size_t i = 0; i < fake_calls.count; i++)
        open += fake_calls.calls[i].body != NULL;
    return open;
}

struct ctl_call *fake_calls_last(void)
{
    ASSERT(fake_calls.count > 0);
    struct ctl_call *call = &fake_calls.calls[fake_calls.count - 1];
    ASSERT(call->body != NULL);
    return call;
}

void fake_calls_answer(struct ctl_call *call, int code, struct json *answer)
{
    ASSERT(call->body != NULL && (code == 0) == (answer != NULL));
    json_free(call->body);
    call->body = NULL;
    call->done(code, "the fake control plane says no", answer, call->arg);
    json_free(answer);
}

struct ctl_call *ctl_send(struct ctl *ctl, const char *path, struct json *body,
                          int64_t deadline_at_ms, ctl_done_fn *done, void *arg)
{
    (void)ctl;
    ASSERT(fake_calls.count < FAKE_CALLS_MAX);
    struct ctl_call *call = &fake_calls.calls[fake_calls.count++];
    *call = (struct ctl_call){path, body, deadline_at_ms, done, arg};
    return call;
}

const char *ctl_request_id(const struct ctl_call *call)
{
    (void)call;
    return "fake-1";
}

void ctl_cancel(struct ctl_call *call)
{
    json_free(call->body);
    call->body = NULL;
}
