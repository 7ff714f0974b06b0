/* api_metrics.c - /metrics: for Prometheus, without credentials.
 *
 * Nothing here names a tenant, a topic or an agent: clusters are told by id, and only as
 * many of them as --metrics-clusters says; the others together. One visit of the core
 * thread, at whatever node is asked; what only the leader knows is left out elsewhere. */
#include "controlplane/api.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "common/check.h"
#include "common/process_metrics.h"
#include "common/version.h"
#include "common/x509.h"
#include "controlplane/call.h"
#include "controlplane/metrics.h"
#include "controlplane/overview.h"

#define TEXT_MAX (8 * MIB)

/* What is told of one cluster, or of several together. */
struct cluster_line {
    char label[UUID_TEXT_LEN + 1]; /* "other" for the last one */
    double in_bytes, out_bytes;    /* a second */
    double store[STORE_DELETE + 1];
    double requests_month, storage_month;
    uint64_t agents, partitions, stored_bytes, metadata_bytes;
};

struct metrics_call {
    bool leads;
    size_t line_count, line_max; /* without "other" */
    struct cluster_line *lines;  /* those that produce most */
    struct cluster_line other;
    struct overview overview; /* room for one */
};

/* ---- on the core thread ---- */

static void add_line(struct cluster_line *sum, const struct cluster_line *line)
{
    sum->in_bytes += line->in_bytes;
    sum->out_bytes += line->out_bytes;
    for (size_t kind = 0; kind <= STORE_DELETE; kind++)
        sum->store[kind] += line->store[kind];
    sum->requests_month += line->requests_month;
    sum->storage_month += line->storage_month;
    sum->agents += line->agents;
    sum->partitions += line->partitions;
    sum->stored_bytes += line->stored_bytes;
    sum->metadata_bytes += line->metadata_bytes;
}

/* LINE goes among those that are told one by one, or in with the others. */
static void take_line(struct metrics_call *data, const struct cluster_line *line)
{
    struct cluster_line *least = NULL;

    if (data->line_count < data->line_max) {
        data->lines[data->line_count++] = *line;
        return;
    }
    for (size_t i = 0; i < data->line_count; i++)
        if (least == NULL || data->lines[i].in_bytes < least->in_bytes)
            least = &data->lines[i];
    if (least != NULL && least->in_bytes < line->in_bytes) {
        add_line(&data->other, least);
        *least = *line;
    } else {
        add_line(&data->other, line);
    }
}

static void collect_clusters(struct node *node, const struct call *call,
                             struct metrics_call *data)
{
    const struct cluster *cluster = NULL;
    struct overview *overview = &data->overview;

    while ((cluster = state_cluster_next(node_state(node), cluster)) != NULL) {
        struct cluster_line line;
        overview_sum(cluster, call->service->sessions, call->service->prices,
                     node_now_ms(node), overview);
        uuid_print(&cluster->cluster_id, line.label);
        line.in_bytes = overview->load.in_bytes_per_second;
        line.out_bytes = overview->load.out_bytes_per_second;
        for (size_t kind = 0; kind <= STORE_DELETE; kind++)
            line.store[kind] = overview->load.rates[USAGE_STORE_FIRST + kind];
        line.requests_month = overview->cost.requests_month;
        line.storage_month = overview->cost.storage_month;
        line.agents = overview->active;
        line.partitions = overview->partitions;
        line.stored_bytes = overview->stored_bytes;
        line.metadata_bytes = state_metadata_bytes(cluster);
        take_line(data, &line);
    }
}

/* How old the newest backup is; without any, the cell. */
static void set_backup_age(struct node *node)
{
    const struct cell *cell = state_cell(node_state(node));
    const struct backup_info *backup = NULL;
    int64_t newest_ms = cell->founded_at_ms;

    while ((backup = state_backup_next(node_state(node), backup)) != NULL)
        newest_ms = MAX(newest_ms, backup->taken_at_ms);
    metric_set(control_metric(backup_age_seconds),
               MAX(node_now_ms(node) - newest_ms, 0) * 1000);
    metric_set(control_metric(backups), cell->backup_count);
}

static void set_certificates(struct node *node, const struct call *call)
{
    const struct node_certificate *own =
        node_certificates_find(&call->service->certificates, node_id(node));
    const struct cell_ca *ca = state_ca_active(node_state(node));
    int64_t not_after_ms;
    struct err err;

    if (own != NULL)
        metric_set(control_metric(certificate_expiry_timestamp_seconds),
                   own->not_after_ms * 1000);
    if (ca != NULL &&
        x509_not_after_ms(slice_str(ca->certificate), &not_after_ms, &err) == 0)
        metric_set(control_metric(ca_expiry_timestamp_seconds), not_after_ms * 1000);
}

static void metrics_core(struct node *node, struct call *call)
{
    struct metrics_call *data = call->data;

    data->leads = node_can_read(node);
    if (data->leads)
        collect_clusters(node, call, data);
    set_backup_age(node);
    set_certificates(node, call);
    call_done(call);
}

/* ---- on a server's thread ---- */

static void set_listeners(struct service *service)
{
    struct http_server_counters people, agents;

    http_server_counters(service->people, &people);
    http_server_counters(service->agents, &agents);
    metric_set(control_metric(connections),
               (int64_t)(people.connections + agents.connections));
    metric_set(control_metric(handshakes_refused_total),
               (int64_t)agents.handshakes_refused);
    metric_set(control_metric(connections_turned_away_total),
               (int64_t)(people.turned_away + agents.turned_away));
    metric_set(control_metric(parked), (int64_t)(people.parked + agents.parked));
}

static void set_node(const struct node_health *h)
{
    metric_set(control_metric(leader), h->leader);
    metric_set(control_metric(readable), h->readable);
    metric_set(control_metric(writable), h->write_code == 0);
    metric_set(control_metric(leader_known), h->leader_id != 0);
    metric_set(control_metric(raft_term), (int64_t)h->term);
    metric_set(control_metric(raft_last_index), (int64_t)h->last_index);
    metric_set(control_metric(raft_commit_index), (int64_t)h->commit_index);
    metric_set(control_metric(raft_applied_index), (int64_t)h->applied_index);
    metric_set(control_metric(checkpoint_index), (int64_t)h->checkpoint_index);
    metric_set(control_metric(log_bytes), (int64_t)h->log_bytes);
    metric_set(control_metric(entries_total), (int64_t)h->entries_total);
    metric_set(control_metric(commands_total), (int64_t)h->commands_total);
    metric_set(control_metric(log_written_bytes_total), (int64_t)h->log_bytes_total);
    metric_set(control_metric(syncs_total), (int64_t)h->syncs_total);
    metric_set(control_metric(checkpoints_total), (int64_t)h->checkpoints_total);
    metric_set(control_metric(checkpoint_failures_total),
               (int64_t)h->checkpoint_failures_total);
    metric_set(control_metric(checkpoint_pause_seconds), h->checkpoint_pause_us);
    metric_set(control_metric(checkpoint_pause_max_seconds), h->checkpoint_pause_max_us);
    metric_set(control_metric(elections_total), (int64_t)h->elections_total);
    metric_set(control_metric(snapshots_sent_total), (int64_t)h->snapshots_sent_total);
    metric_set(control_metric(snapshots_installed_total),
               (int64_t)h->snapshots_installed_total);
    metric_set(control_metric(snapshot_sent_bytes_total),
               (int64_t)h->snapshot_bytes_total);
    metric_set(control_metric(clusters), (int64_t)h->counts.clusters);
    metric_set(control_metric(topics), (int64_t)h->counts.topics);
    metric_set(control_metric(partitions), (int64_t)h->counts.partitions);
    metric_set(control_metric(runs), (int64_t)h->counts.runs);
    metric_set(control_metric(producers), (int64_t)h->counts.producers);
    metric_set(control_metric(objects), (int64_t)h->counts.objects);
    metric_set(control_metric(agents), (int64_t)h->counts.agents);
    metric_set(control_metric(state_bytes), (int64_t)h->counts.memory_bytes);
}

static void set_service(const struct service *service)
{
    const struct control_options *options = service->options;
    struct backup_health backup = {.made_total = 0};
    struct statvfs disk;

    if (service->backup != NULL)
        backup_health(service->backup, &backup);
    metric_set(control_metric(backups_made_total), (int64_t)backup.made_total);
    metric_set(control_metric(backup_failures_total), (int64_t)backup.failures_total);
    metric_set(control_metric(backup_interval_seconds),
               service->backup == NULL ? 0 : options->backup_every_ms * 1000);
    if (statvfs(options->data_dir, &disk) == 0) {
        metric_set(control_metric(disk_free_bytes),
                   (int64_t)(disk.f_bavail * disk.f_frsize));
        metric_set(control_metric(disk_size_bytes),
                   (int64_t)(disk.f_blocks * disk.f_frsize));
    }
}

/* What the leader knows of the other nodes. */
static void print_nodes(const struct node_health *h, struct str *out)
{
    const struct metric_spec *lag = control_family(node_lag_entries);
    const struct metric_spec *silence = control_family(node_silence_seconds);
    char labels[32];

    metric_print_head(lag, out);
    for (size_t i = 0; h->leader && i < h->server_count; i++) {
        const struct node_server *server = &h->servers[i];
        uint64_t has = server->self ? h->last_index : server->match_index;
        snprintf(labels, sizeof(labels), "node=\"%llu\"",
                 (unsigned long long)server->node_id);
        metric_print_int(lag, labels,
                         has < h->last_index ? (int64_t)(h->last_index - has) : 0, out);
    }
    metric_print_head(silence, out);
    for (size_t i = 0; h->leader && i < h->server_count; i++) {
        const struct node_server *server = &h->servers[i];
        snprintf(labels, sizeof(labels), "node=\"%llu\"",
                 (unsigned long long)server->node_id);
        if (server->self || server->contact_ms >= 0)
            metric_print_real(silence, labels,
                              server->self ? 0 : (double)server->contact_ms / 1000, out);
    }
}

static double value_of(const struct cluster_line *line, enum control_family_id family)
{
    switch (family) {
    case CONTROL_FAMILY_cluster_produced_bytes_per_second:
        return line->in_bytes;
    case CONTROL_FAMILY_cluster_fetched_bytes_per_second:
        return line->out_bytes;
    case CONTROL_FAMILY_cluster_agents:
        return (double)line->agents;
    case CONTROL_FAMILY_cluster_partitions:
        return (double)line->partitions;
    case CONTROL_FAMILY_cluster_metadata_bytes:
        return (double)line->metadata_bytes;
    case CONTROL_FAMILY_cluster_stored_bytes:
        return (double)line->stored_bytes;
    case CONTROL_FAMILY_cluster_requests_dollars_per_month:
        return line->requests_month;
    case CONTROL_FAMILY_cluster_storage_dollars_per_month:
        return line->storage_month;
    default:
        ASSERT(false);
        return 0;
    }
}

static void print_store(const struct cluster_line *line, struct str *out)
{
    char labels[UUID_TEXT_LEN + 64];

    for (size_t kind = 0; kind <= STORE_DELETE; kind++) {
        snprintf(labels, sizeof(labels), "cluster=\"%s\",kind=\"%s\"", line->label,
                 store_kind_names[kind]);
        metric_print_real(control_family(cluster_store_requests_per_second), labels,
                          line->store[kind], out);
    }
}

static void print_clusters(const struct metrics_call *data, struct str *out)
{
    static const enum control_family_id families[] = {
        CONTROL_FAMILY_cluster_produced_bytes_per_second,
        CONTROL_FAMILY_cluster_fetched_bytes_per_second,
        CONTROL_FAMILY_cluster_agents,
        CONTROL_FAMILY_cluster_partitions,
        CONTROL_FAMILY_cluster_metadata_bytes,
        CONTROL_FAMILY_cluster_stored_bytes,
        CONTROL_FAMILY_cluster_requests_dollars_per_month,
        CONTROL_FAMILY_cluster_storage_dollars_per_month,
    };
    size_t shown = data->leads ? data->line_count + 1 : 0;
    char labels[UUID_TEXT_LEN + 32];

    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        const struct metric_spec *spec = &control_family_specs[families[f]];
        metric_print_head(spec, out);
        for (size_t i = 0; i < shown; i++) {
            const struct cluster_line *line =
                i < data->line_count ? &data->lines[i] : &data->other;
            snprintf(labels, sizeof(labels), "cluster=\"%s\"", line->label);
            metric_print_real(spec, labels, value_of(line, families[f]), out);
        }
    }
    metric_print_head(control_family(cluster_store_requests_per_second), out);
    for (size_t i = 0; i < shown; i++)
        print_store(i < data->line_count ? &data->lines[i] : &data->other, out);
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
            metric_print_int(control_family(requests_total), labels, (int64_t)n, out);
        }
}

static void metrics_answer(struct call *call)
{
    const struct metrics_call *data = call->data;
    struct node_health health;
    struct str out;

    node_health(call->service->node, &health);
    set_listeners(call->service);
    set_node(&health);
    set_service(call->service);
    str_init(&out, TEXT_MAX);
    metric_print_head(control_family(build_info), &out);
    metric_print_int(control_family(build_info), "version=\"" WEFT_VERSION "\"", 1, &out);
    metric_print(control_metric_specs, control_metrics, CONTROL_METRIC_COUNT, &out);
    metric_print_head(control_family(requests_total), &out);
    print_routes(&people_table, &out);
    print_routes(&agents_table, &out);
    print_nodes(&health, &out);
    print_clusters(data, &out);
    process_metrics_print(&out);
    call_reply_text(call, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
}

void api_metrics(struct call *call)
{
    struct metrics_call *data = arena_alloc(&call->arena, sizeof(*data));

    data->line_max = (size_t)call->service->options->metrics_clusters;
    data->lines = arena_array(&call->arena, data->line_max + 1, sizeof(data->lines[0]));
    snprintf(data->other.label, sizeof(data->other.label), "other");
    call->data = data;
    call_ask(call, metrics_core, metrics_answer);
}
