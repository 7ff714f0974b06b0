/* service.c - the parts of the service side, their start and end, and the work that runs
 * by itself on the core thread: sessions that expire, watchers that are woken.
 *
 * Start: identity (cell.c), feed and sessions, node, attach (on the core thread), then
 * the listeners: the first call finds everything there; a founder then waits until
 * CELL_INIT was applied. Stop: hand over, refuse, wake who waits, let all calls end (each
 * does: the node answers every ask and every proposal), then the node. */
#include "controlplane/service.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/str.h"
#include "common/version.h"
#include "controlplane/call.h"
#include "controlplane/errand.h"
#include "controlplane/metrics.h"
#include "controlplane/small_file.h"

#define BODY_MAX       (8 * MIB)
#define SWEEP_MS       200
#define FOUND_WAIT_MS  30000
#define RENEW_LATER_MS 60000

static struct call_listener people_listener = {.table = &people_table};
static struct call_listener agents_listener = {.table = &agents_table};

/* --- on the core thread --- */

/* An agent whose session has expired is removed by a command of its own. */
struct removal {
    struct proposal proposal;
    struct service *service;
    struct uuid cluster_id, agent_id;
};

static void on_removed(struct proposal *proposal, int code, struct slice result)
{
    struct removal *removal = CONTAINER_OF(proposal, struct removal, proposal);
    struct service *service = removal->service;
    char text[UUID_TEXT_LEN + 1];
    (void)result;
    if (code == 0) {
        metric_add(control_metric(sessions_expired_total), 1);
        log_info("sessions", "an agent no longer calls: forgotten", "agent=%s",
                 uuid_print(&removal->agent_id, text));
    } else if (!service->stopping) {
        /* Not written: try again when another lease is over. */
        sessions_touch(service->sessions, &removal->cluster_id, &removal->agent_id,
                       loop_now_ms(node_loop(service->node)));
    }
    mem_free(removal);
}

static void remove_agent(struct service *service, const struct uuid *cluster_id,
                         const struct uuid *agent_id)
{
    struct removal *removal = mem_zalloc(sizeof(*removal));
    struct command cmd = {.kind = COMMAND_AGENT_REMOVE,
                          .cluster_id = *cluster_id,
                          .agent_remove = {.agent_id = *agent_id}};
    removal->service = service;
    removal->cluster_id = *cluster_id;
    removal->agent_id = *agent_id;
    removal->proposal.done = on_removed;
    list_node_init(&removal->proposal.node);
    node_propose(service->node, &removal->proposal, &cmd);
}

/* Whoever becomes leader gives every registered agent a fresh lease: only the leader
 * hears them, so nothing is known of who is gone. */
static void lease_all(struct service *service, int64_t now_ms)
{
    const struct state *state = node_state(service->node);
    const struct cluster *cluster = NULL;
    sessions_clear(service->sessions);
    while ((cluster = state_cluster_next(state, cluster)) != NULL) {
        const struct agent_info *agent = NULL;
        while ((agent = state_agent_next(cluster, agent)) != NULL)
            sessions_touch(service->sessions, &cluster->cluster_id, &agent->agent_id,
                           now_ms);
    }
    group_timers_lead(service->group_timers, true);
    service->leased = true;
}

static void sweep_sessions(struct service *service)
{
    struct node *node = service->node;
    struct uuid cluster_id, agent_id;
    int64_t now_ms = loop_now_ms(node_loop(node));

    if (!node_can_read(node)) {
        if (service->leased)
            group_timers_lead(service->group_timers, false);
        service->leased = false;
        return;
    }
    if (!service->leased)
        lease_all(service, now_ms);
    uint64_t turned_away = atomic_load(&service->turned_away);
    if (turned_away != service->turned_away_seen)
        sessions_crowded(service->sessions, now_ms);
    service->turned_away_seen = turned_away;
    while (sessions_take_expired(service->sessions, now_ms, &cluster_id, &agent_id)) {
        const struct cluster *cluster = state_cluster(node_state(node), &cluster_id);
        if (cluster != NULL && state_agent(cluster, &agent_id) != NULL)
            remove_agent(service, &cluster_id, &agent_id);
    }
}

/* The CAs of the state, which may have come by a command, a checkpoint or a snapshot. */
static void load_trust(struct service *service)
{
    const struct state *state = node_state(service->node);
    const struct cell_ca *active = state_ca_active(state);
    struct err err = {0};
    size_t count = state_cell(state)->ca_count;

    if (active == NULL || state_applied_index(state) < service->least_index ||
        (count == service->cas_seen && uuid_eq(&service->ca_seen, &active->ca_id)))
        return;
    if (cell_load_trust(state, service->trust, &err) != 0)
        log_error("service", "the cell's secrets cannot be used", "err=%s",
                  LOG_QUOTED(err.text));
    atomic_store(&service->trust_index, state_applied_index(state));
    service->cas_seen = count;
    service->ca_seen = active->ca_id;
}

static void on_sweep(struct loop_timer *timer, void *arg)
{
    struct service *service = arg;
    struct feed_counts counts;
    struct coordinator_counts groups;

    load_trust(service);
    sweep_sessions(service);
    feed_count(service->feed, &counts);
    metric_set(control_metric(feed_events_total), (int64_t)counts.events);
    metric_set(control_metric(feed_bytes), (int64_t)counts.bytes);
    metric_set(control_metric(watchers), (int64_t)counts.watchers);
    metric_set(control_metric(sessions), (int64_t)sessions_count(service->sessions));
    coordinator_count(service->coordinator, &groups);
    metric_set(control_metric(group_rebalances_total), (int64_t)groups.rebalances_total);
    metric_set(control_metric(groups_active), (int64_t)groups.groups);
    metric_set(control_metric(groups_stable), (int64_t)groups.stable);
    metric_set(control_metric(groups_consumer), (int64_t)groups.consumer);
    metric_set(control_metric(group_members), (int64_t)groups.members);
    loop_timer_set(timer, SWEEP_MS);
}

/* A cluster rests until DUE_US: then what it wants goes on. */
static void set_rest(struct loop_timer *timer, int64_t due_us)
{
    int64_t rest_us = MAX(due_us - clock_monotonic_us(), 0);
    loop_timer_set(timer, (rest_us + 999) / 1000);
}

static void on_turns_due(void *arg, int64_t due_us)
{
    struct service *service = arg;
    set_rest(&service->turns_timer, due_us);
}

static void on_call_turns_due(void *arg, int64_t due_us)
{
    struct service *service = arg;
    set_rest(&service->call_turns_timer, due_us);
}

static void on_turns_timer(struct loop_timer *timer, void *arg)
{
    struct service *service = arg;
    (void)timer;
    turns_go_on(service->turns, clock_monotonic_us());
}

static void on_call_turns_timer(struct loop_timer *timer, void *arg)
{
    struct service *service = arg;
    (void)timer;
    turns_go_on(service->call_turns, clock_monotonic_us());
}

/* A group changed: its timers are looked at when the tick ends. */
static void on_group(void *arg, const struct cluster *cluster, const struct group *group)
{
    struct service *service = arg;
    coordinator_note(service->coordinator, &cluster->cluster_id, group->group_id);
}

/* The feed has news: told at the end of the tick, for all that the tick applies. */
static void on_feed_dirty(void *arg)
{
    struct service *service = arg;
    loop_defer(node_loop(service->node), &service->deliver);
}

static void on_deliver(struct loop_deferred *deferred)
{
    struct service *service = CONTAINER_OF(deferred, struct service, deliver);
    feed_deliver(service->feed, state_applied_index(node_state(service->node)));
}

/* Leader or no longer: who waits here for news must ask elsewhere, and is told so. */
static void on_leader(void *arg, bool leader)
{
    struct service *service = arg;
    if (!leader && service->attached)
        feed_wake_all(service->feed, state_applied_index(node_state(service->node)));
}

static void on_installed(void *arg)
{
    struct service *service = arg;
    if (!service->attached)
        return;
    uint64_t index = state_applied_index(node_state(service->node));
    feed_wake_all(service->feed, index);
    feed_restart(service->feed, index);
    group_timers_lead(service->group_timers, false);
    service->leased = false;
    service->cas_seen = 0;
    load_trust(service);
}

/* Told to the main thread by a signal, which it waits for anyway. */
static void on_out_of_cell(void *arg, const char *reason)
{
    struct service *service = arg;
    log_error("service",
              "this node is no member of its cell any more: it stops, and need "
              "not be started again; its data directory can be removed",
              "node=%llu reason=\"%s\"",
              (unsigned long long)service->cell.identity.node_id, reason);
    atomic_store(&service->ended, SERVICE_REMOVED);
    kill(getpid(), SIGTERM);
}

/* At once: an orderly end would ask the node. Nothing is lost that was acknowledged. */
static void on_fatal(void *arg, const struct err *err)
{
    (void)arg;
    log_error(
        "service",
        "stopped by an error that it cannot go on from; what was acknowledged is "
        "kept: mend what the error names, then start this node again, or replace it "
        "by a new one while the others serve",
        "code=%s err=%s status=%d", err_name(err->code), LOG_QUOTED(err->text),
        SERVICE_FATAL);
    _exit(SERVICE_FATAL);
}

/* --- main thread asks the core thread --- */

/* Have RUN executed on the core thread, and wait for it; its answer. */
static bool send_errand(struct service *service,
                        void (*run)(struct node *node, struct ask *ask))
{
    struct errand errand = {.arg = service};
    errand_run(&errand, service->node, run);
    return errand.yes;
}

static void run_attach(struct node *node, struct ask *ask)
{
    struct service *service = errand_of(ask)->arg;
    loop_deferred_init(&service->deliver, on_deliver);
    loop_timer_init(&service->sweep, node_loop(node), on_sweep, service);
    loop_timer_set(&service->sweep, 0);
    loop_timer_init(&service->turns_timer, node_loop(node), on_turns_timer, service);
    loop_timer_init(&service->call_turns_timer, node_loop(node), on_call_turns_timer,
                    service);
    feed_attach(service->feed, state_applied_index(node_state(node)));
    group_timers_attach(service->group_timers, node);
    service->attached = true;
    load_trust(service);
    const struct identity *identity = &service->cell.identity;
    const struct members_options members = {
        .node = node,
        .election_timeout_ms = (unsigned)service->options->election_timeout_ms,
        .self = {.node_id = identity->node_id,
                 .instance = identity->instance,
                 .name = slice_str(service->addresses.name),
                 .peer_address = slice_str(service->addresses.peers),
                 .version = SLICE_LITERAL(WEFT_VERSION),
                 .features_max = FEATURE_LEVEL_MAX,
                 .wanted = WANT_VOTER},
        .founding = identity->stage == IDENTITY_FOUNDING ? &service->founding : NULL,
    };
    service->members = members_new(&members);
    ask_done(ask);
}

/* Our URLs and our certificate, as they are now. */
static void run_update(struct node *node, struct ask *ask)
{
    struct service *service = errand_of(ask)->arg;
    const struct identity *identity = &service->cell.identity; /* the asker waits */
    const struct http_tls tls = {.ca_pem = str_slice(&identity->ca_pem),
                                 .cert_pem = str_slice(&identity->chain_pem),
                                 .key_pem = str_slice(&identity->key_pem)};
    char authority[X509_KEY_ID_LEN + 1] = "";

    if (x509_authority_id(tls.cert_pem, authority, NULL) == 0)
        node_certificates_set(&service->certificates, identity->node_id,
                              identity->not_after_ms, authority);
    (void)node;
    members_set_tls(service->members, &tls);
    members_set_certificate(service->members, identity->not_after_ms, authority);
    members_set_urls(service->members, slice_str(service->people_url),
                     slice_str(service->agents_url));
    ask_done(ask);
}

static void run_is_founded(struct node *node, struct ask *ask)
{
    struct errand *errand = errand_of(ask);
    errand->yes = state_cell(node_state(node))->founded;
    ask_done(ask);
}

static void on_transferred(struct node_change *change, int code, const struct err *err)
{
    struct errand *errand = CONTAINER_OF(change, struct errand, change);
    if (code == 0)
        log_info("service", "leadership handed over", "");
    else if (code != ERR_NOT_LEADER)
        log_info("service", "leadership not handed over", "err=%s",
                 LOG_QUOTED(err->text));
    ask_done(&errand->ask);
}

/* To any voter that is up to date; ends when it leads, or soon without. */
static void run_transfer(struct node *node, struct ask *ask)
{
    struct errand *errand = errand_of(ask);
    if (!node_is_leader(node)) {
        ask_done(ask);
        return;
    }
    errand->change =
        (struct node_change){.done = on_transferred, .kind = NODE_CHANGE_TRANSFER};
    node_change(node, &errand->change);
}

/* From now on nobody waits: a watch answers at once. */
static void run_wake(struct node *node, struct ask *ask)
{
    struct service *service = errand_of(ask)->arg;
    service->stopping = true;
    feed_wake_all(service->feed, state_applied_index(node_state(node)));
    ask_done(ask);
}

static void run_detach(struct node *node, struct ask *ask)
{
    struct service *service = errand_of(ask)->arg;
    (void)node;
    members_free(service->members);
    loop_timer_fini(&service->sweep);
    loop_timer_fini(&service->turns_timer);
    loop_timer_fini(&service->call_turns_timer);
    loop_defer_cancel(&service->deliver);
    group_timers_detach(service->group_timers);
    service->attached = false;
    feed_detach(service->feed);
    ask_done(ask);
}

/* --- start --- */

/* DATA/addresses: "people=URL" and "agents=URL", for whoever started us with port 0. */
static int write_addresses(const struct service *service, struct err *err)
{
    struct str text;
    str_init(&text, 8 * KIB);
    str_printf(&text, "people=%s\nagents=%s\npeers=%s\n", service->people_url,
               service->agents_url, service->addresses.peers);
    int code = small_file_write(service->options->data_dir, "addresses", str_slice(&text),
                                0644, err);
    str_fini(&text);
    return code;
}

static void remove_addresses(const struct control_options *options)
{
    struct str path;
    str_init(&path, 8 * KIB);
    str_printf(&path, "%s/addresses", options->data_dir);
    unlink(str_cstr(&path));
    str_fini(&path);
}

static struct peers_certificate certificate_of(const struct identity *identity)
{
    return (struct peers_certificate){.chain_pem = str_slice(&identity->chain_pem),
                                      .key_pem = str_slice(&identity->key_pem),
                                      .ca_pem = str_slice(&identity->ca_pem)};
}

static enum node_begin begin_of(const struct identity *identity)
{
    switch (identity->stage) {
    case IDENTITY_FOUNDING:
        return NODE_BOOTSTRAP;
    case IDENTITY_JOINING:
    case IDENTITY_JOINED:
        return NODE_JOIN;
    case IDENTITY_MEMBER:
        break;
    }
    return NODE_GO_ON;
}

static int start_node(struct service *service, struct err *err)
{
    const struct control_options *options = service->options;
    const struct identity *identity = &service->cell.identity;
    struct peers_address known[IDENTITY_PEERS_MAX];
    for (size_t i = 0; i < identity->peer_count; i++)
        known[i] = (struct peers_address){.node_id = identity->peers[i].node_id,
                                          .address = identity->peers[i].address};
    struct node_options node = {
        .dir = options->data_dir,
        .cell_id = identity->cell_id,
        .node_id = identity->node_id,
        .begin = begin_of(identity),
        .listen_peers = options->listen_peers,
        .address = service->addresses.peers,
        .certificate = certificate_of(identity),
        .known = known,
        .known_count = identity->peer_count,
        .election_timeout_ms = (unsigned)options->election_timeout_ms,
        .heartbeat_ms = (unsigned)options->heartbeat_ms,
        .snapshot_rate_bytes = (uint64_t)options->snapshot_rate_bytes,
        .wal_segment_bytes = (size_t)options->wal_segment_bytes,
        .checkpoint_log_bytes = (size_t)options->checkpoint_log_bytes,
        .checkpoint_every_ms = options->checkpoint_every_ms,
        .producer_expiry_ms = options->producer_expiry_ms,
        .offsets_retention_ms = options->offsets_retention_ms,
        .audit_age_ms = options->audit_age_ms,
        .replies_age_ms = options->replies_age_ms,
        .events = feed_hooks(service->feed),
        .arg = service,
        .on_leader = on_leader,
        .on_installed = on_installed,
        .on_removed = on_out_of_cell,
        .on_fatal = on_fatal,
    };
    int code = node_start(&node, &service->node, err);
    if (code == 0)
        send_errand(service, run_attach);
    return code;
}

/* What CELL_INIT will say; the node is filled in when its URLs are known. */
static int prepare_founding(struct service *service, struct err *err)
{
    const struct identity *identity = &service->cell.identity;
    struct command *cmd = &service->founding;
    if (identity->stage != IDENTITY_FOUNDING)
        return 0;
    cmd->kind = COMMAND_CELL_INIT;
    cmd->cell_init.name = SLICE_LITERAL("cell");
    cmd->cell_init.ca.ca_id = identity->ca_id;
    cmd->cell_init.ca.certificate = str_slice(&identity->ca_cert);
    cmd->cell_init.ca.sealed_key = str_slice(&identity->ca_sealed_key);
    cmd->cell_init.sealed_token_secret = str_slice(&identity->sealed_token_secret);
    cmd->cell_init.token_id = identity->token_id;
    return cell_admin_token(service->options, &service->cell, cmd->cell_init.token_hash,
                            err);
}

/* Nobody is let in before the cell is founded; that takes a few milliseconds. */
static int await_founding(struct service *service, struct err *err)
{
    int64_t until = clock_monotonic_ms() + FOUND_WAIT_MS;
    if (service->cell.identity.stage != IDENTITY_FOUNDING)
        return 0;
    while (!send_errand(service, run_is_founded)) {
        if (clock_monotonic_ms() > until)
            return err_set(err, ERR_TIMEOUT,
                           "the cell was not founded within %d s: see the log above",
                           FOUND_WAIT_MS / 1000);
        usleep(2000);
    }
    service->cell.identity.stage = IDENTITY_MEMBER;
    return cell_save(service->options, &service->cell, err);
}

static int start_listener(struct service *service, bool agents, struct slice cert,
                          struct slice key, struct err *err)
{
    const struct control_options *options = service->options;
    struct call_listener *listener = agents ? &agents_listener : &people_listener;
    listener->service = service;
    struct http_server_options http = {
        .name = agents ? "agents" : "people",
        .listen = agents ? options->listen_agents : options->listen,
        .threads = (unsigned)options->http_threads,
        .max_connections =
            (unsigned)(agents ? options->max_connections : options->max_connections / 4),
        .max_body_bytes = BODY_MAX,
        .budget = &service->budget,
        .idle_timeout_ms = options->idle_timeout_ms,
        .request_timeout_ms = options->request_timeout_ms,
        .cert_pem = cert,
        .key_pem = key,
        .client_ca_pem = agents ? str_slice(&service->cell.identity.ca_pem) : SLICE_NULL,
        .ops = &call_ops,
        .arg = listener,
    };
    return http_server_start(&http, agents ? &service->agents : &service->people, err);
}

static int start_listeners(struct service *service, struct err *err)
{
    const struct control_options *options = service->options;
    const struct identity *identity = &service->cell.identity;
    struct slice cert = str_slice(&identity->chain_pem);
    struct slice key = str_slice(&identity->key_pem);

    /* The agents' one first: enrolment names it. */
    int code = start_listener(service, true, cert, key, err);
    if (code != 0)
        return code;
    service->agents_url =
        cell_advertised("https://", options->advertise_agents, options->listen_agents,
                        http_server_port(service->agents));
    code = start_listener(service, false, cert, key, err);
    if (code == 0)
        service->people_url =
            cell_advertised("https://", options->advertise, options->listen,
                            http_server_port(service->people));
    return code;
}

/* The state's CAs may be others than those that the identity knows. */
static int renew_identity(struct service *service, struct err *err)
{
    struct identity *identity = &service->cell.identity;
    uint64_t version = trust_version(service->trust);

    identity->state_index =
        MAX(identity->state_index, atomic_load(&service->trust_index));
    str_reset(&identity->ca_pem);
    trust_bundle(service->trust, &identity->ca_pem);
    /* With the CA known the state has come: from now on the log must be there. */
    if (identity->stage != IDENTITY_FOUNDING)
        identity->stage = IDENTITY_MEMBER;
    int code = cell_renew(service->options, &service->cell, err);
    if (code == 0)
        service->trust_version = version;
    return code;
}

static int start_backups(struct service *service, struct err *err)
{
    const struct control_options *options = service->options;
    const struct backup_options backup = {.url = options->backup_to,
                                          .every_ms = options->backup_every_ms,
                                          .keep = (unsigned)options->backup_keep,
                                          .dir = options->data_dir,
                                          .node = service->node,
                                          .audit_max = (uint32_t)options->audit_max,
                                          .audit_age_ms = options->audit_age_ms};
    if (options->backup_to == NULL)
        return 0;
    int code = backup_start(&backup, &service->backup, err);
    return code == 0 ? 0 : err_wrap(err, code, "--backup-to");
}

/* Listen, then let the core know where. */
static int open_up(struct service *service, struct err *err)
{
    int code = 0;
    if (trust_version(service->trust) != service->trust_version) {
        code = renew_identity(service, err);
        const struct peers_certificate certificate =
            certificate_of(&service->cell.identity);
        if (code == 0)
            code = node_set_certificate(service->node, &certificate, err);
    }
    if (code == 0)
        code = start_listeners(service, err);
    if (code != 0)
        return code;
    send_errand(service, run_update);
    code = await_founding(service, err);
    if (code == 0)
        code = write_addresses(service, err);
    if (code == 0 && trust_loaded(service->trust))
        code = cell_publish_ca(service->options, service->trust, err);
    if (code == 0)
        code = start_backups(service, err);
    return code;
}

int service_start(const struct control_options *options, struct service **out,
                  struct err *err)
{
    struct prices *prices;
    int rc = prices_open(options->prices, &prices, err);
    if (rc != 0)
        return rc;
    struct service *service = mem_zalloc(sizeof(*service));

    service->options = options;
    service->prices = prices;
    cell_addresses_init(options, &service->addresses);
    budget_init(&service->budget, (size_t)options->request_bytes);
    service->feed = feed_new((size_t)options->feed_bytes, on_feed_dirty, service);
    service->sessions = sessions_new(options->session_timeout_ms);
    service->group_timers = group_timers_new(options);
    service->coordinator = group_timers_coordinator(service->group_timers);
    feed_pass_groups(service->feed, on_group, service);
    service->turns = turns_new(on_turns_due, service);
    service->call_turns = turns_new(on_call_turns_due, service);
    int code = cell_begin(options, &service->addresses, &service->cell, err);
    service->trust = service->cell.trust;
    if (code == 0)
        service->trust_version = trust_version(service->trust);
    service->least_index = service->cell.identity.state_index;
    if (code == 0)
        code = prepare_founding(service, err);
    service->cluster_quota =
        quota_new((uint32_t)options->max_requests, QUOTA_ENTRIES_MAX);
    service->token_quota =
        quota_new((uint32_t)options->token_requests, QUOTA_ENTRIES_MAX);
    if (code == 0)
        code = start_node(service, err); /* takes the directory's lock */
    if (code == 0) {
        remove_addresses(options);
        code = open_up(service, err);
    }
    if (code != 0) {
        service_stop(service);
        return code;
    }
    *out = service;
    return 0;
}

/* --- our certificate --- */

static int use_certificate(struct service *service, struct err *err)
{
    const struct identity *identity = &service->cell.identity;
    const struct peers_certificate certificate = certificate_of(identity);
    struct slice chain = str_slice(&identity->chain_pem);
    struct slice key = str_slice(&identity->key_pem);

    int code =
        http_server_set_client_ca(service->agents, str_slice(&identity->ca_pem), err);
    if (code == 0)
        code = http_server_set_certificate(service->agents, chain, key, err);
    if (code == 0)
        code = http_server_set_certificate(service->people, chain, key, err);
    if (code == 0)
        code = node_set_certificate(service->node, &certificate, err);
    if (code == 0)
        send_errand(service, run_update);
    return code;
}

static void tend_certificate(struct service *service, int64_t now_ms)
{
    const struct identity *identity = &service->cell.identity;
    uint64_t version = trust_version(service->trust);
    int64_t life_ms = service->options->node_life_ms;
    struct err err;

    if (version == 0 || now_ms < service->renew_not_before_ms)
        return;
    if (version == service->trust_version &&
        now_ms < identity->not_after_ms - life_ms / 3 &&
        identity->not_after_ms - now_ms <= life_ms)
        return;
    int code = renew_identity(service, &err);
    if (code == 0)
        code = use_certificate(service, &err);
    if (code == 0)
        code = cell_publish_ca(service->options, service->trust, &err);
    if (code != 0) {
        log_error("service", "our certificate was not renewed, trying again in a minute",
                  "err=%s", LOG_QUOTED(err.text));
        service->renew_not_before_ms = now_ms + RENEW_LATER_MS;
        return;
    }
    log_info("service", "certificate renewed", "not_after_ms=%lld",
             (long long)identity->not_after_ms);
}

void service_tend(struct service *service, int64_t wall_ms, int64_t monotonic_ms)
{
    size_t slow = http_server_reap(service->agents, monotonic_ms) +
                  http_server_reap(service->people, monotonic_ms);
    struct http_server_counters counters;
    http_server_counters(service->agents, &counters);
    atomic_store(&service->turned_away, counters.turned_away);
    if (slow > 0)
        log_info("service", "connections that were too slow are closed", "count=%zu",
                 slow);
    tend_certificate(service, wall_ms);
}

void service_stop(struct service *service)
{
    backup_stop(service->backup);
    if (service->node != NULL && service->attached)
        send_errand(service, run_transfer);
    if (service->agents != NULL)
        http_server_quiesce(service->agents);
    if (service->people != NULL)
        http_server_quiesce(service->people);
    if (service->node != NULL)
        send_errand(service, run_wake);
    if (service->agents != NULL)
        http_server_stop(service->agents);
    if (service->people != NULL)
        http_server_stop(service->people);
    if (service->node != NULL) {
        send_errand(service, run_detach);
        node_stop(service->node);
    }
    prices_free(service->prices);
    feed_free(service->feed);
    sessions_free(service->sessions);
    group_timers_free(service->group_timers);
    turns_free(service->turns);
    turns_free(service->call_turns);
    cell_fini(&service->cell);
    cell_addresses_fini(&service->addresses);
    quota_free(service->cluster_quota);
    quota_free(service->token_quota);
    mem_free(service->people_url);
    mem_free(service->agents_url);
    mem_free(service);
}
