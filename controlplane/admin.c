/* admin.c - /healthz, /readyz and /metrics: for load balancers and monitoring, without
 * credentials. Nothing here names a cluster, a topic or an agent. */
#include "controlplane/api.h"

#include <stdio.h>

#include "controlplane/call.h"
#include "controlplane/metrics.h"

#define TEXT_MAX MIB

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

struct gauge {
    const char *name, *type, *help;
    uint64_t value;
};

static void print_gauges(const struct gauge *gauges, size_t count, struct str *out)
{
    for (size_t i = 0; i < count; i++)
        str_printf(out,
                   "# HELP weft_controlplane_%s %s\n# TYPE weft_controlplane_%s %s\n"
                   "weft_controlplane_%s %llu\n",
                   gauges[i].name, gauges[i].help, gauges[i].name, gauges[i].type,
                   gauges[i].name, (unsigned long long)gauges[i].value);
}

static void print_node(struct node *node, struct str *out)
{
    struct node_health h;
    node_health(node, &h);
    const struct gauge gauges[] = {
        {"leader", "gauge", "1 when this node leads", h.leader},
        {"readable", "gauge", "1 when this node may answer reads", h.readable},
        {"writable", "gauge", "1 when proposals are accepted", h.write_code == 0},
        {"raft_term", "gauge", "Raft's term", h.term},
        {"raft_last_index", "gauge", "Last index of the log", h.last_index},
        {"raft_commit_index", "gauge", "Last index committed", h.commit_index},
        {"raft_applied_index", "gauge", "Last index applied", h.applied_index},
        {"checkpoint_index", "gauge", "Last index in the database", h.checkpoint_index},
        {"log_bytes", "gauge", "Bytes of all files of the log", h.log_bytes},
        {"entries_total", "counter", "Raft entries applied", h.entries_total},
        {"commands_total", "counter", "Commands applied", h.commands_total},
        {"log_written_bytes_total", "counter", "Bytes appended to the log",
         h.log_bytes_total},
        {"syncs_total", "counter", "Syncs of the log", h.syncs_total},
        {"checkpoints_total", "counter", "Checkpoints made", h.checkpoints_total},
        {"checkpoint_failures_total", "counter", "Checkpoints that failed",
         h.checkpoint_failures_total},
        {"elections_total", "counter", "Elections that this node won", h.elections_total},
        {"snapshots_sent_total", "counter", "Snapshots sent to other nodes",
         h.snapshots_sent_total},
        {"snapshots_installed_total", "counter",
         "Snapshots of the leader that replaced this node's state",
         h.snapshots_installed_total},
        {"snapshot_sent_bytes_total", "counter", "Bytes of snapshots sent",
         h.snapshot_bytes_total},
        {"clusters", "gauge", "Clusters", h.counts.clusters},
        {"topics", "gauge", "Topics of all clusters", h.counts.topics},
        {"partitions", "gauge", "Partitions of all topics", h.counts.partitions},
        {"runs", "gauge", "Runs of all partitions", h.counts.runs},
        {"producers", "gauge", "Producer states", h.counts.producers},
        {"objects", "gauge", "Objects known", h.counts.objects},
        {"agents", "gauge", "Agents registered", h.counts.agents},
        {"state_bytes", "gauge", "Memory of runs, producers and results, about",
         h.counts.memory_bytes},
    };
    print_gauges(gauges, ARRAY_LEN(gauges), out);
    str_printf(
        out,
        "# HELP weft_controlplane_checkpoint_pause_seconds Pause of the core by the "
        "last checkpoint\n"
        "# TYPE weft_controlplane_checkpoint_pause_seconds gauge\n"
        "weft_controlplane_checkpoint_pause_seconds %.6f\n"
        "# HELP weft_controlplane_checkpoint_pause_max_seconds The longest such pause "
        "since the start\n"
        "# TYPE weft_controlplane_checkpoint_pause_max_seconds gauge\n"
        "weft_controlplane_checkpoint_pause_max_seconds %.6f\n",
        (double)h.checkpoint_pause_us / 1e6, (double)h.checkpoint_pause_max_us / 1e6);
}

static void print_routes(const struct route_table *table, struct str *out)
{
    char labels[256];
    for (size_t i = 0; i < table->count; i++)
        for (unsigned digit = 1; digit <= 5; digit++) {
            uint64_t n = atomic_load_explicit(&table->stats[i].by_class[digit],
                                              memory_order_relaxed);
            if (n == 0)
                continue;
            snprintf(labels, sizeof(labels), "path=\"%s\",method=\"%s\",code=\"%uxx\"",
                     table->routes[i].path, table->routes[i].method, digit);
            metric_print_labelled("weft_controlplane_requests_total", labels, (int64_t)n,
                                  out);
        }
}

void api_metrics(struct call *call)
{
    struct service *service = call->service;
    struct http_server_counters people, agents;
    struct str out;

    http_server_counters(service->people, &people);
    http_server_counters(service->agents, &agents);
    metric_set(control_metric(connections),
               (int64_t)(people.connections + agents.connections));
    metric_set(control_metric(handshakes_refused), (int64_t)agents.handshakes_refused);
    metric_set(control_metric(connections_turned_away),
               (int64_t)(people.turned_away + agents.turned_away));
    metric_set(control_metric(parked), (int64_t)(people.parked + agents.parked));
    str_init(&out, TEXT_MAX);
    metric_print(control_metric_specs, control_metrics, CONTROL_METRIC_COUNT, &out);
    str_puts(&out, "# HELP weft_controlplane_requests_total Requests answered, by route\n"
                   "# TYPE weft_controlplane_requests_total counter\n");
    print_routes(&people_table, &out);
    print_routes(&agents_table, &out);
    print_node(service->node, &out);
    call_reply_text(call, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}
