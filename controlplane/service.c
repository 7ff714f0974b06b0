/* service.c - the parts of the service side, their start and end, and the work that runs
 * by itself on the core thread: sessions that expire, watchers that are woken.
 *
 * Start: directory, trust, feed and sessions, node, attach (on the core thread), then the
 * listeners: the first call finds everything there. Stop: refuse, wake who waits, let all
 * calls end (each does: the node answers every ask and every proposal), then the node. */
#include "controlplane/service.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/str.h"
#include "controlplane/call.h"
#include "controlplane/metrics.h"

#define BODY_MAX       (8 * MIB)
#define SWEEP_MS       200
#define SERVER_LIFE_MS (INT64_C(365) * 24 * 3600 * 1000)
#define HOST_MAX       256

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
    service->leased = true;
}

static void sweep_sessions(struct service *service)
{
    struct node *node = service->node;
    struct uuid cluster_id, agent_id;
    int64_t now_ms = loop_now_ms(node_loop(node));

    if (!node_can_read(node)) {
        service->leased = false;
        return;
    }
    if (!service->leased)
        lease_all(service, now_ms);
    while (sessions_take_expired(service->sessions, now_ms, &cluster_id, &agent_id)) {
        const struct cluster *cluster = state_cluster(node_state(node), &cluster_id);
        if (cluster != NULL && state_agent(cluster, &agent_id) != NULL)
            remove_agent(service, &cluster_id, &agent_id);
    }
}

static void on_sweep(struct loop_timer *timer, void *arg)
{
    struct service *service = arg;
    struct feed_counts counts;

    sweep_sessions(service);
    feed_count(service->feed, &counts);
    metric_set(control_metric(feed_events_total), (int64_t)counts.events);
    metric_set(control_metric(feed_bytes), (int64_t)counts.bytes);
    metric_set(control_metric(watchers), (int64_t)counts.watchers);
    metric_set(control_metric(sessions), (int64_t)sessions_count(service->sessions));
    loop_timer_set(timer, SWEEP_MS);
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

/* --- main thread asks the core thread --- */

struct errand {
    struct ask ask;
    struct service *service;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool done;
};

static void on_errand_done(struct ask *ask)
{
    struct errand *errand = CONTAINER_OF(ask, struct errand, ask);
    pthread_mutex_lock(&errand->lock);
    errand->done = true;
    pthread_cond_signal(&errand->ended);
    pthread_mutex_unlock(&errand->lock);
}

/* Have RUN executed on the core thread, and wait for it. */
static void send_errand(struct service *service,
                        void (*run)(struct node *node, struct ask *ask))
{
    struct errand errand = {.ask = {.run = run, .done = on_errand_done},
                            .service = service};
    pthread_mutex_init(&errand.lock, NULL);
    pthread_cond_init(&errand.ended, NULL);
    node_send(service->node, &errand.ask);
    pthread_mutex_lock(&errand.lock);
    while (!errand.done)
        pthread_cond_wait(&errand.ended, &errand.lock);
    pthread_mutex_unlock(&errand.lock);
    pthread_cond_destroy(&errand.ended);
    pthread_mutex_destroy(&errand.lock);
}

static void run_attach(struct node *node, struct ask *ask)
{
    struct service *service = CONTAINER_OF(ask, struct errand, ask)->service;
    loop_deferred_init(&service->deliver, on_deliver);
    loop_timer_init(&service->sweep, node_loop(node), on_sweep, service);
    loop_timer_set(&service->sweep, 0);
    feed_attach(service->feed, state_applied_index(node_state(node)));
    service->attached = true;
    ask_done(ask);
}

/* From now on nobody waits: a watch answers at once. */
static void run_wake(struct node *node, struct ask *ask)
{
    struct service *service = CONTAINER_OF(ask, struct errand, ask)->service;
    service->stopping = true;
    feed_wake_all(service->feed, state_applied_index(node_state(node)));
    ask_done(ask);
}

static void run_detach(struct node *node, struct ask *ask)
{
    struct service *service = CONTAINER_OF(ask, struct errand, ask)->service;
    (void)node;
    loop_timer_fini(&service->sweep);
    loop_defer_cancel(&service->deliver);
    service->attached = false;
    feed_detach(service->feed);
    ask_done(ask);
}

/* --- addresses --- */

static bool is_wildcard(const char *host)
{
    return host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0 ||
           strcmp(host, "*") == 0;
}

/* A name by which others can reach us: this machine's, if it resolves here at all. */
static void own_host(char host[HOST_MAX])
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    if (gethostname(host, HOST_MAX) == 0 && host[0] != '\0' &&
        getaddrinfo(host, NULL, &hints, &found) == 0) {
        freeaddrinfo(found);
        return;
    }
    snprintf(host, HOST_MAX, "localhost");
}

/* The advertised URL: as given, or made of the address listened on. */
static char *advertised(const char *given, const char *listen, uint16_t port)
{
    char host[HOST_MAX], url[HOST_MAX + 32];
    if (given != NULL && given[0] != '\0')
        return mem_strdup(given);
    const char *colon = strrchr(listen, ':');
    size_t len = colon == NULL ? strlen(listen) : (size_t)(colon - listen);
    snprintf(host, sizeof(host), "%.*s", (int)len, listen);
    if (is_wildcard(host))
        own_host(host);
    snprintf(url, sizeof(url), "https://%s:%u", host, port);
    return mem_strdup(url);
}

/* Add the host of URL or HOST:PORT TEXT to the names of our certificate. */
static void add_host(const char *text, struct str *names)
{
    if (text == NULL)
        return;
    const char *host = strstr(text, "://");
    host = host == NULL ? text : host + 3;
    size_t len = strcspn(host, "/");
    while (len > 0 && host[len - 1] >= '0' && host[len - 1] <= '9')
        len--;
    if (len > 0 && host[len - 1] == ':')
        len--;
    else
        len = strcspn(host, "/");
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len > 0 && len < HOST_MAX)
        str_printf(names, ",%.*s", (int)len, host);
}

static void collect_names(const struct control_options *options, struct str *names)
{
    char host[HOST_MAX];
    str_puts(names, "localhost,127.0.0.1,::1");
    if (gethostname(host, sizeof(host)) == 0 && host[0] != '\0')
        add_host(host, names);
    add_host(options->advertise, names);
    add_host(options->advertise_agents, names);
    add_host(options->listen, names);
    add_host(options->listen_agents, names);
    if (options->tls_name != NULL)
        str_printf(names, ",%s", options->tls_name);
}

/* DATA/addresses: "people=URL" and "agents=URL", for whoever started us with port 0. */
static int write_addresses(const struct service *service, struct err *err)
{
    struct str path, text;
    str_init(&path, 8 * KIB);
    str_init(&text, 8 * KIB);
    str_printf(&path, "%s/addresses", service->options->data_dir);
    str_printf(&text, "people=%s\nagents=%s\n", service->people_url, service->agents_url);
    int code = trust_write_file(str_cstr(&path), str_slice(&text), 0644, err);
    str_fini(&path);
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

/* --- start --- */

static int start_trust(struct service *service, struct err *err)
{
    const struct control_options *options = service->options;
    struct str names;
    str_init(&names, 64 * KIB);
    collect_names(options, &names);
    struct trust_options trust = {.data_dir = options->data_dir,
                                  .admin_token_file = options->admin_token_file,
                                  .tls_names = str_cstr(&names),
                                  .agent_life_ms = options->certificate_life_ms,
                                  .server_life_ms = SERVER_LIFE_MS};
    int code = trust_open(&trust, &service->trust, err);
    str_fini(&names);
    return code;
}

static int start_node(struct service *service, struct err *err)
{
    const struct control_options *options = service->options;
    struct node_options node = {
        .dir = options->data_dir,
        .node_id = 1,
        .address = options->advertise_agents != NULL ? options->advertise_agents
                                                     : options->listen_agents,
        .wal_segment_bytes = (size_t)options->wal_segment_bytes,
        .checkpoint_log_bytes = (size_t)options->checkpoint_log_bytes,
        .checkpoint_every_ms = options->checkpoint_every_ms,
        .producer_expiry_ms = options->producer_expiry_ms,
        .events = feed_hooks(service->feed),
    };
    int code = node_start(&node, &service->node, err);
    if (code == 0)
        send_errand(service, run_attach);
    return code;
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
        .client_ca_pem = agents ? trust_ca_pem(service->trust) : SLICE_NULL,
        .ops = &call_ops,
        .arg = listener,
    };
    return http_server_start(&http, agents ? &service->agents : &service->people, err);
}

static int issue_certificate(struct service *service, int64_t now_ms, struct str *cert,
                             struct str *key, struct err *err)
{
    str_init(cert, MIB);
    str_init(key, MIB);
    int code = trust_issue_server(service->trust, now_ms, cert, key, err);
    service->certificate_ends_at_ms = now_ms + SERVER_LIFE_MS;
    return code;
}

static int start_listeners(struct service *service, struct err *err)
{
    const struct control_options *options = service->options;
    struct str cert, key;

    int code = issue_certificate(service, clock_wall_ms(), &cert, &key, err);
    /* The agents' one first: enrolment names it. */
    if (code == 0)
        code = start_listener(service, true, str_slice(&cert), str_slice(&key), err);
    if (code == 0) {
        service->agents_url =
            advertised(options->advertise_agents, options->listen_agents,
                       http_server_port(service->agents));
        code = start_listener(service, false, str_slice(&cert), str_slice(&key), err);
    }
    if (code == 0)
        service->people_url = advertised(options->advertise, options->listen,
                                         http_server_port(service->people));
    if (key.data != NULL)
        explicit_bzero(key.data, key.len);
    str_fini(&cert);
    str_fini(&key);
    return code;
}

static int make_directory(const char *dir, struct err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "make the data directory %s", dir);
    return 0;
}

int service_start(const struct control_options *options, struct service **out,
                  struct err *err)
{
    struct service *service = mem_zalloc(sizeof(*service));

    service->options = options;
    budget_init(&service->budget, (size_t)options->request_bytes);
    service->feed = feed_new((size_t)options->feed_bytes, on_feed_dirty, service);
    service->sessions = sessions_new(options->session_timeout_ms);
    int code = make_directory(options->data_dir, err);
    if (code == 0)
        code = start_node(service, err); /* takes the directory's lock */
    if (code == 0) {
        remove_addresses(options);
        code = start_trust(service, err);
    }
    if (code == 0)
        code = start_listeners(service, err);
    if (code == 0)
        code = write_addresses(service, err);
    if (code != 0) {
        service_stop(service);
        return code;
    }
    *out = service;
    return 0;
}

static void renew_certificate(struct service *service, int64_t now_ms)
{
    struct str cert, key;
    struct err err;
    int64_t ended_at_ms = service->certificate_ends_at_ms;

    int code = issue_certificate(service, now_ms, &cert, &key, &err);
    if (code == 0)
        code = http_server_set_certificate(service->agents, str_slice(&cert),
                                           str_slice(&key), &err);
    if (code == 0)
        code = http_server_set_certificate(service->people, str_slice(&cert),
                                           str_slice(&key), &err);
    if (code != 0) {
        service->certificate_ends_at_ms = ended_at_ms;
        log_error("service", "our certificate was not renewed", "err=\"%s\"", err.text);
    }
    if (key.data != NULL)
        explicit_bzero(key.data, key.len);
    str_fini(&cert);
    str_fini(&key);
}

void service_tend(struct service *service, int64_t wall_ms, int64_t monotonic_ms)
{
    size_t slow = http_server_reap(service->agents, monotonic_ms) +
                  http_server_reap(service->people, monotonic_ms);
    if (slow > 0)
        log_info("service", "connections that were too slow are closed", "count=%zu",
                 slow);
    if (wall_ms >= service->certificate_ends_at_ms - SERVER_LIFE_MS / 3)
        renew_certificate(service, wall_ms);
}

void service_stop(struct service *service)
{
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
    feed_free(service->feed);
    sessions_free(service->sessions);
    trust_close(service->trust);
    mem_free(service->people_url);
    mem_free(service->agents_url);
    mem_free(service);
}
