/* api_cell.c - the cell itself: its nodes, as agents see them. */
#include "controlplane/api.h"

#include "controlplane/call.h"

/* --- POST /agent/v1/nodes --- */

static void nodes_core(struct node *node, struct call *call)
{
    (void)node; /* that this node leads is known by now */
    call_done(call);
}

static void nodes_answer(struct call *call)
{
    char fingerprint[X509_FINGERPRINT_LEN + 1];
    struct json *answer = call_answer(call), *nodes = json_array(), *row = json_array();
    json_push(row, json_int(1));
    json_push(row, json_string(call->service->agents_url));
    json_push(nodes, row);
    json_set(answer, "nodes", nodes);
    trust_fingerprint(call->service->trust, fingerprint);
    json_set(answer, "ca", json_string(fingerprint));
    call_reply_json(call, 200, answer);
}

void api_nodes(struct call *call)
{
    call_ask(call, nodes_core, nodes_answer);
}
