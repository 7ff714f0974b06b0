/* calls.h - a control plane that answers when the test says so, behind ctl_send and
 * ctl_cancel themselves: for those who call them directly.
 *
 * Included as calls.c, once, by a test's main file, so that the archive's real client is
 * not linked. Everything on the test's thread. */
#ifndef TESTS_LIB_FAKE_CALLS_H
#define TESTS_LIB_FAKE_CALLS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/ctl.h"
#include "common/json.h"

#define FAKE_CALLS_MAX 64

/* Also what the asker's struct ctl_call points at. */
struct ctl_call {
    const char *path;
    struct json *body; /* NULL: answered, or cancelled */
    int64_t deadline_at_ms;
    ctl_done_fn *done;
    void *arg;
};

struct fake_calls {
    struct ctl_call calls[FAKE_CALLS_MAX];
    size_t count; /* so far */
};

extern struct fake_calls fake_calls;

void fake_calls_reset(void);
/* How many wait for their answer. */
size_t fake_calls_open(void);
/* The latest one, which must be open. */
struct ctl_call *fake_calls_last(void);
/* Answer CALL with ANSWER (ownership moves), or with CODE and none. */
void fake_calls_answer(struct ctl_call *call, int code, struct json *answer);

#endif
