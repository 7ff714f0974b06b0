/* admin.c - /healthz and /readyz: for load balancers and orchestrators, without
 * credentials. */
#include "controlplane/api.h"

#include "controlplane/call.h"

#define TEXT_MAX KIB

static void reply(struct call *call, int status, const char *text)
{
    struct str body;
    str_init(&body, TEXT_MAX);
    str_printf(&body, "%s\n", text);
    call_reply_text(call, status, "text/plain; charset=utf-8", &body);
}

/* The process answers. */
void api_healthz(struct call *call)
{
    reply(call, 200, "ok");
}

/* It can read and commit, or stands by and knows who can. */
void api_readyz(struct call *call)
{
    struct node_health health;
    node_health(call->service->node, &health);
    if (!trust_loaded(call->service->trust))
        reply(call, 503, "not ready: the cell's state has not come yet");
    else if (!health.leader && health.leader_id != 0)
        reply(call, 200, "ready: another node leads");
    else if (health.leader && !health.readable)
        reply(call, 503, "not ready: catching up with the log");
    else if (health.write_code == ERR_NO_SPACE)
        reply(call, 503, "not ready: the disk is full");
    else if (health.write_code == ERR_NOT_LEADER)
        reply(call, 503, "not ready: no leader is known");
    else if (health.write_code != 0)
        reply(call, 503, "not ready: the log cannot be written");
    else
        reply(call, 200, "ready");
}
