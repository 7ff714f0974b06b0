/* api_logs.c - the last lines of this node's log, for operators. Each node answers for
 * itself, by the state that it has: one without a leader is whose log is wanted. */
#include "controlplane/api.h"

#include <string.h>

#include "common/log.h"
#include "common/version.h"
#include "controlplane/call.h"

static void logs_core(struct node *node, struct call *call)
{
    (void)node; /* who asks is known now, and that is all */
    call_done(call);
}

static void logs_answer(struct call *call)
{
    struct json *answer = json_object(), *lines = json_array();
    struct str text;

    str_init(&text, LOG_RECENT_BYTES + 1);
    log_recent(&text);
    char *rest = text.data;
    for (char *line; rest != NULL && (line = strsep(&rest, "\n")) != NULL;) {
        if (*line != '\0')
            json_push(lines, json_string(line));
    }
    str_fini(&text);
    json_set(answer, "node_id", json_int((int64_t)call->service->cell.identity.node_id));
    json_set(answer, "version", json_string(WEFT_VERSION));
    json_set(answer, "lines", lines);
    call_reply_json(call, 200, answer);
}

void api_cell_logs(struct call *call)
{
    call_ask(call, logs_core, logs_answer);
}
