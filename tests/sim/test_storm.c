/* A storm after an outage, in virtual time: all agents of a cell come back at once to
 * nodes that have one slow core each. The agents are the product's own ctl.c, seek.c and
 * enrol.c; the door and the sessions are the control plane's own newcomers.c and
 * sessions.c; what is modelled is a core that does one thing after the other: handshakes,
 * and requests.
 *
 * A handshake costs so much here that all of them take a multiple of every time limit
 * that the agents have. What is asked for is that the cell gets out of it by itself, with
 * work that is bounded by a few handshakes for each agent, and that no agent which is
 * alive is taken for dead because it could not come in. WEFT_VERBOSE=1 tells what
 * happens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ctl.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/newcomers.h"
#include "controlplane/sessions.h"
#include "tests/lib/fake_transport.h"
#include "tests/lib/vloop.h"

#define NODES           3
#define AGENTS          300
#define OF_CLUSTER      50
#define ONE_WAY_MS      1
#define HANDSHAKE_US    15000 /* on both listeners */
#define REQUEST_US      200
#define SIGN_US         3000 /* of an enrolment */
#define TURNED_AWAY_US  20
#define DOOR            512
#define DOOR_PART       4
#define FIRST_ASK_MS    8000
#define SESSION_MS      10000
#define SWEEP_MS        200
#define WATCH_MS        3000
#define WORK_EVERY_MS   1000
#define JOIN_EVERY_MS   200
#define OUTAGE_MS       60000
#define BACK_WITHIN_MS  180000
#define LATELY_MS       5000
#define CALM_S          10
#define HANDSHAKES_EACH 10

enum side { AGENTS_SIDE, PEOPLES_SIDE, SIDES };

struct world;
struct agent;

struct server {
    struct world *world;
    int id;
    bool up;
    unsigned era; /* connections of an earlier one are dead */
    int64_t free_at_us;
    struct newcomers *doors[SIDES];
};

/* A connection, as long as either side has it. */
struct link {
    struct server *server;
    struct agent *agent;
    enum side side;
    unsigned era, certificate;
    bool entered; /* counted at the door */
    int64_t entered_at_ms;
    bool dead; /* the agent has closed it, and the server does not know yet */
    struct loop_timer greeting, cut;
    struct request *request; /* that is on it */
    struct list_node node;   /* in agent->idle while nothing is */
};

struct request {
    struct list_node node; /* in agent->requests */
    struct agent *agent;
    struct link *link;
    struct loop_timer connecting, limit; /* the agent's patience */
    struct loop_timer knock, arrival, parked, answer;
    char path[64], url[128];
    struct str body;
    http_done_fn *done;
    void *done_arg;
    struct http_response response;
    struct fake_http_reply reply;
    struct list_node watch; /* in world->watches */
};

struct agent {
    struct world *world;
    struct uuid id, cluster_id;
    struct newcomers_place place;
    struct ctl_transport transport;
    struct ctl *ctl;
    unsigned certificate; /* grows with each new one: connections are made anew */
    struct list requests, idle;
    struct loop_timer begin, work;
    bool registered; /* as the control plane's state says */
    int64_t watched_at_ms, worked_at_ms;
    int handshakes, registrations, enrolments, removals;
};

struct world {
    struct fake_transport fake; /* for its CA and what it answers */
    struct server servers[NODES];
    int leader;
    struct agent agents[AGENTS];
    struct sessions *sessions;
    struct list watches;
    struct loop_timer sweep;
    uint64_t turned_away_seen;
    int wasted; /* handshakes with an agent that had given up */
};

static const char *const urls[SIDES][NODES] = {
    {"https://agents.one:1", "https://agents.two:1", "https://agents.three:1"},
    {"https://people.one:1", "https://people.two:1", "https://people.three:1"},
};

/* ---- the core of a server ---- */

/* After how many ms the core has done so much more. */
static int64_t work_ms(struct server *server, int64_t us)
{
    int64_t now_us = vloop_now_ms() * 1000;
    server->free_at_us = MAX(server->free_at_us, now_us) + us;
    return (server->free_at_us - now_us + 999) / 1000;
}

/* ---- connections ---- */

static void end_request(struct request *request, int code);
static void send_over(struct request *request);

static bool is_stale(const struct link *link)
{
    return link->era != link->server->era;
}

static void link_free(struct link *link)
{
    list_remove(&link->node);
    loop_timer_fini(&link->greeting);
    loop_timer_fini(&link->cut);
    mem_free(link);
}

static void link_leave(struct link *link)
{
    int64_t now_ms = vloop_now_ms(), stayed_ms = now_ms - link->entered_at_ms;
    struct newcomers *door = link->server->doors[link->side];

    if (link->entered && !is_stale(link) && stayed_ms >= FIRST_ASK_MS)
        newcomers_expel(door, &link->agent->place);
    else if (link->entered && !is_stale(link))
        newcomers_leave(door, &link->agent->place, stayed_ms, now_ms);
    link->entered = false;
    loop_timer_cancel(&link->cut);
}

/* The agent has no use for it any more. The server finds out when its turn has come. */
static void link_drop(struct link *link)
{
    link->request = NULL;
    link->dead = link->entered && !is_stale(link);
    if (!link->dead)
        link_free(link);
}

static void on_cut(struct loop_timer *timer, void *arg)
{
    struct link *link = arg;
    (void)timer;
    link_leave(link);
    if (link->request != NULL)
        end_request(link->request, ERR_CLOSED);
    else
        link_free(link);
}

static void on_greeted(struct loop_timer *timer, void *arg)
{
    struct link *link = arg;
    (void)timer;
    if (link->dead) {
        link->agent->world->wasted++;
        link_leave(link);
        link_free(link);
    } else {
        loop_timer_cancel(&link->request->connecting);
        send_over(link->request);
    }
}

static void on_knock(struct loop_timer *timer, void *arg)
{
    struct request *request = arg;
    struct agent *agent = request->agent;
    struct link *link = request->link;
    struct server *server = link->server;
    (void)timer;

    if (!server->up ||
        !newcomers_admit(server->doors[link->side], &agent->place, vloop_now_ms())) {
        if (server->up)
            (void)work_ms(server, TURNED_AWAY_US);
        end_request(request, ERR_UNAVAILABLE);
        return;
    }
    link->era = server->era;
    link->entered = true;
    link->entered_at_ms = vloop_now_ms();
    newcomers_enter(server->doors[link->side], &agent->place);
    agent->handshakes++;
    loop_timer_set(&link->cut, FIRST_ASK_MS);
    loop_timer_set(&link->greeting, work_ms(server, HANDSHAKE_US) + 2 * ONE_WAY_MS);
}

static struct link *idle_link(struct agent *agent, const struct server *server,
                              enum side side)
{
    LIST_FOREACH(node, next, &agent->idle)
    {
        struct link *link = CONTAINER_OF(node, struct link, node);
        if (is_stale(link) || link->certificate != agent->certificate) {
            link_free(link);
        } else if (link->server == server && link->side == side) {
            list_remove(&link->node);
            return link;
        }
    }
    return NULL;
}

static void connect_to(struct request *request, struct server *server, enum side side)
{
    struct link *link = mem_zalloc(sizeof(*link));
    link->server = server;
    link->agent = request->agent;
    link->side = side;
    link->era = server->era;
    link->certificate = request->agent->certificate;
    link->request = request;
    list_node_init(&link->node);
    loop_timer_init(&link->greeting, vloop(), on_greeted, link);
    loop_timer_init(&link->cut, vloop(), on_cut, link);
    request->link = link;
    loop_timer_set(&request->knock, ONE_WAY_MS);
}

/* ---- requests ---- */

static void request_free(struct request *request)
{
    list_remove(&request->node);
    list_remove(&request->watch);
    loop_timer_fini(&request->connecting);
    loop_timer_fini(&request->limit);
    loop_timer_fini(&request->knock);
    loop_timer_fini(&request->arrival);
    loop_timer_fini(&request->parked);
    loop_timer_fini(&request->answer);
    if (request->link != NULL)
        link_drop(request->link);
    json_free(request->reply.body);
    str_fini(&request->body);
    mem_free(request);
}

static struct blob *body_of(const struct fake_http_reply *reply)
{
    struct str text;
    str_init(&text, MIB);
    if (reply->text != NULL)
        str_puts(&text, reply->text);
    else
        json_print(reply->body, &text);
    struct blob *body = blob_new(text.len, NULL);
    memcpy(body->data, str_cstr(&text), text.len);
    str_fini(&text);
    return body;
}

/* With CODE 0 its answer has come, and the connection is kept; people's are not, since
 * they are made for one purpose each. */
static void end_request(struct request *request, int code)
{
    http_done_fn *done = request->done;
    void *arg = request->done_arg;
    struct http_response response = request->response;

    response.code = code;
    response.strained = code != 0 && request->link->server->up;
    response.error = "the model says no";
    response.body = code == 0 ? body_of(&request->reply) : NULL;
    if (code == 0 && request->link->side == AGENTS_SIDE) {
        list_push_back(&request->agent->idle, &request->link->node);
        request->link->request = NULL;
        request->link = NULL;
    }
    request_free(request);
    done(&response, arg);
    blob_unref(response.body);
}

static void on_connect_limit(struct loop_timer *timer, void *arg)
{
    (void)timer;
    end_request(arg, ERR_UNAVAILABLE);
}

static void on_limit(struct loop_timer *timer, void *arg)
{
    (void)timer;
    end_request(arg, ERR_TIMEOUT);
}

static void on_answered(struct loop_timer *timer, void *arg)
{
    struct request *request = arg;
    (void)timer;
    end_request(request, is_stale(request->link) ? ERR_CLOSED : 0);
}

static void reply_after(struct request *request, int64_t us)
{
    loop_timer_set(&request->answer, work_ms(request->link->server, us) + ONE_WAY_MS);
}

/* ---- what a node answers ---- */

static void end_watch(struct request *request)
{
    list_remove(&request->watch);
    loop_timer_cancel(&request->parked);
    reply_after(request, REQUEST_US);
}

static void on_watch_over(struct loop_timer *timer, void *arg)
{
    (void)timer;
    end_watch(arg);
}

/* News for a cluster: all of its watches are answered. */
static void tell(struct world *world, const struct uuid *cluster_id)
{
    LIST_FOREACH(node, next, &world->watches)
    {
        struct request *request = CONTAINER_OF(node, struct request, watch);
        if (uuid_eq(&request->agent->cluster_id, cluster_id))
            end_watch(request);
    }
}

static void refuse(struct request *request, int status, const char *code)
{
    struct world *world = request->agent->world;
    fake_transport_problem(&request->reply, status, code, "no");
    if (status == 421)
        json_set(request->reply.body, "leader",
                 json_string(urls[AGENTS_SIDE][world->leader]));
    request->response.status = status;
    reply_after(request, REQUEST_US);
}

static void serve_people(struct request *request, const struct fake_http_request *seen)
{
    struct world *world = request->agent->world;
    bool enrols = strcmp(request->path, "/api/v1/enrol") == 0;

    if (enrols && request->link->server != &world->servers[world->leader]) {
        refuse(request, 421, "NOT_LEADER");
        return;
    }
    assert_true(fake_transport_serve(&world->fake, seen, &request->reply));
    if (enrols) {
        json_set(request->reply.body, "agent_url",
                 json_string(urls[AGENTS_SIDE][world->leader]));
        request->agent->enrolments++;
    }
    reply_after(request, REQUEST_US + (enrols ? SIGN_US : 0));
}

/* False: refused. */
static bool admit(struct request *request)
{
    struct agent *agent = request->agent;
    struct world *world = agent->world;

    if (request->link->server != &world->servers[world->leader]) {
        refuse(request, 421, "NOT_LEADER");
        return false;
    }
    if (strcmp(request->path, "/agent/v1/nodes") == 0)
        return true;
    if (strcmp(request->path, "/agent/v1/register") == 0) {
        agent->registrations++;
        if (!agent->registered)
            tell(world, &agent->cluster_id);
        agent->registered = true;
    } else if (!agent->registered) {
        refuse(request, 409, "CONFLICT");
        return false;
    }
    sessions_touch(world->sessions, &agent->cluster_id, &agent->id, vloop_now_ms());
    return true;
}

static void serve_agent(struct request *request, const struct fake_http_request *seen)
{
    struct world *world = request->agent->world;

    if (!admit(request))
        return;
    if (strcmp(request->path, "/agent/v1/watch") == 0) {
        request->reply.body = json_object();
        list_push_back(&world->watches, &request->watch);
        loop_timer_set(&request->parked,
                       work_ms(request->link->server, REQUEST_US) + WATCH_MS);
        return;
    }
    if (!fake_transport_serve(&world->fake, seen, &request->reply))
        request->reply.body = json_object();
    reply_after(request, REQUEST_US);
}

/* Its bytes have come, over a connection that stands. */
static void on_arrival(struct loop_timer *timer, void *arg)
{
    struct request *request = arg;
    struct fake_http_request seen = {.path = request->path, .url = request->url};
    struct json *body = NULL;
    (void)timer;

    if (is_stale(request->link)) {
        end_request(request, ERR_CLOSED);
        return;
    }
    link_leave(request->link);
    if (request->body.len > 0)
        assert_int_equal(json_parse(str_slice(&request->body), &body, NULL), 0);
    seen.body = body;
    request->response.status = 200;
    request->response.retry_after_ms = -1;
    if (request->link->side == PEOPLES_SIDE)
        serve_people(request, &seen);
    else
        serve_agent(request, &seen);
    json_free(body);
}

static void send_over(struct request *request)
{
    loop_timer_set(&request->arrival, ONE_WAY_MS);
}

/* ---- a struct ctl_transport ---- */

static struct server *server_of(struct world *world, const char *url, enum side *side)
{
    for (int s = 0; s < SIDES; s++) {
        for (int i = 0; i < NODES; i++) {
            if (strncmp(url, urls[s][i], strlen(urls[s][i])) != 0)
                continue;
            *side = (enum side)s;
            return &world->servers[i];
        }
    }
    fail_msg("no server has the address %s", url);
    return NULL;
}

static struct http_call *send_request(const struct http_request *http, http_done_fn *done,
                                      void *done_arg, void *arg)
{
    struct agent *agent = arg;
    struct request *request = mem_zalloc(sizeof(*request));
    enum side side = AGENTS_SIDE;
    struct server *server = server_of(agent->world, http->url, &side);

    request->agent = agent;
    snprintf(request->url, sizeof(request->url), "%s", http->url);
    snprintf(request->path, sizeof(request->path), "%s", strchr(http->url + 8, '/'));
    str_init(&request->body, MIB);
    for (size_t i = 0; i < http->body_count; i++)
        str_append_slice(&request->body, http->body[i]);
    request->done = done;
    request->done_arg = done_arg;
    list_node_init(&request->watch);
    list_push_back(&agent->requests, &request->node);
    loop_timer_init(&request->connecting, vloop(), on_connect_limit, request);
    loop_timer_init(&request->limit, vloop(), on_limit, request);
    loop_timer_init(&request->knock, vloop(), on_knock, request);
    loop_timer_init(&request->arrival, vloop(), on_arrival, request);
    loop_timer_init(&request->parked, vloop(), on_watch_over, request);
    loop_timer_init(&request->answer, vloop(), on_answered, request);
    loop_timer_set(&request->limit, http->timeout_ms);
    request->link = idle_link(agent, server, side);
    if (request->link != NULL) {
        request->link->request = request;
        send_over(request);
    } else {
        loop_timer_set(&request->connecting, http->connect_timeout_ms);
        connect_to(request, server, side);
    }
    return (struct http_call *)(void *)request;
}

static void cancel_request(struct http_call *call, void *arg)
{
    (void)arg;
    request_free((struct request *)(void *)call);
}

static void set_tls(const struct http_tls *tls, void *arg)
{
    struct agent *agent = arg;
    if (tls->cert_pem.ptr != NULL)
        agent->certificate++;
}

/* ---- an agent ---- */

static void watch(struct agent *agent);
static void die_unless_ok(int code, const char *text)
{
    if (code != 0)
        fail_msg("an agent gave up: %s", text);
}

static void on_watched(int code, const char *text, const struct json *answer, void *arg)
{
    struct agent *agent = arg;
    (void)answer;
    die_unless_ok(code, text);
    agent->watched_at_ms = vloop_now_ms();
    watch(agent);
}

static void watch(struct agent *agent)
{
    (void)ctl_send_patient(agent->ctl, "/agent/v1/watch", json_object(), WATCH_MS, 0,
                           on_watched, agent);
}

static void on_worked(int code, const char *text, const struct json *answer, void *arg)
{
    struct agent *agent = arg;
    (void)answer;
    die_unless_ok(code, text);
    agent->worked_at_ms = vloop_now_ms();
    loop_timer_set(&agent->work, WORK_EVERY_MS);
}

static void on_work(struct loop_timer *timer, void *arg)
{
    struct agent *agent = arg;
    (void)timer;
    (void)ctl_send(agent->ctl, "/agent/v1/commit", json_object(), 0, on_worked, agent);
}

static void on_registered(int code, const char *text, void *arg)
{
    struct agent *agent = arg;
    die_unless_ok(code, text);
    watch(agent);
    loop_timer_set(&agent->work, 0);
}

static void on_enrolled(int code, const char *text, void *arg)
{
    struct agent *agent = arg;
    die_unless_ok(code, text);
    ctl_register(agent->ctl, json_object(), on_registered, agent);
}

static void on_begin(struct loop_timer *timer, void *arg)
{
    struct agent *agent = arg;
    struct err err = {0};
    const struct ctl_options options = {
        .urls = "https://people.one:1,https://people.two:1,https://people.three:1",
        .ca_fingerprint = agent->world->fake.fingerprint,
        .enrolment_token = "sesame",
        .transport = &agent->transport,
    };
    (void)timer;
    assert_int_equal(ctl_new(vloop(), &options, &agent->ctl, &err), 0);
    agent->id = *ctl_agent_id(agent->ctl);
    ctl_enrol(agent->ctl, on_enrolled, agent);
}

static void agent_init(struct world *world, int number)
{
    struct agent *agent = &world->agents[number];

    agent->world = world;
    agent->cluster_id.bytes[0] = 1;
    agent->cluster_id.bytes[1] = (uint8_t)(number / OF_CLUSTER);
    agent->place.bytes[14] = (uint8_t)(number >> 8);
    agent->place.bytes[15] = (uint8_t)number;
    agent->transport = (struct ctl_transport){
        .send = send_request, .cancel = cancel_request, .set_tls = set_tls, .arg = agent};
    list_init(&agent->requests);
    list_init(&agent->idle);
    loop_timer_init(&agent->begin, vloop(), on_begin, agent);
    loop_timer_init(&agent->work, vloop(), on_work, agent);
    loop_timer_set(&agent->begin, number * JOIN_EVERY_MS);
}

/* ---- the control plane ---- */

static struct agent *agent_of(struct world *world, const struct uuid *id)
{
    for (int i = 0; i < AGENTS; i++)
        if (uuid_eq(&world->agents[i].id, id))
            return &world->agents[i];
    fail_msg("a session of nobody");
    return NULL;
}

static void on_sweep(struct loop_timer *timer, void *arg)
{
    struct world *world = arg;
    struct server *leader = &world->servers[world->leader];
    struct uuid cluster_id, agent_id;

    loop_timer_set(timer, SWEEP_MS);
    if (!leader->up)
        return;
    uint64_t turned_away = newcomers_turned_away(leader->doors[AGENTS_SIDE]);
    if (turned_away != world->turned_away_seen)
        sessions_crowded(world->sessions, vloop_now_ms());
    world->turned_away_seen = turned_away;
    while (
        sessions_take_expired(world->sessions, vloop_now_ms(), &cluster_id, &agent_id)) {
        struct agent *agent = agent_of(world, &agent_id);
        agent->registered = false;
        agent->removals++;
        (void)work_ms(leader, REQUEST_US);
        tell(world, &cluster_id);
    }
}

static void open_doors(struct server *server)
{
    for (int side = 0; side < SIDES; side++) {
        newcomers_free(server->doors[side]);
        server->doors[side] = newcomers_new(DOOR, DOOR_PART);
    }
}

static void server_down(struct server *server)
{
    struct world *world = server->world;

    server->up = false;
    server->era++;
    server->free_at_us = 0;
    open_doors(server);
    for (int i = 0; i < AGENTS; i++) {
        LIST_FOREACH(node, next, &world->agents[i].requests)
        {
            struct request *request = CONTAINER_OF(node, struct request, node);
            struct link *link = request->link;
            if (link->server != server || request->knock.armed)
                continue;
            loop_timer_cancel(&link->greeting);
            loop_timer_cancel(&link->cut);
            loop_timer_cancel(&request->parked);
            list_remove(&request->watch);
            loop_timer_set(&request->answer, ONE_WAY_MS);
        }
    }
}

/* NEXT leads, and gives everybody who is registered a fresh lease, as service.c does. */
static void lead(struct world *world, int next)
{
    world->leader = next;
    sessions_clear(world->sessions);
    for (int i = 0; i < AGENTS; i++) {
        struct agent *agent = &world->agents[i];
        if (agent->registered)
            sessions_touch(world->sessions, &agent->cluster_id, &agent->id,
                           vloop_now_ms());
    }
}

static struct world *world_new(void)
{
    struct world *world = mem_zalloc(sizeof(*world));

    fake_transport_init(&world->fake, vloop(), NULL, NULL);
    for (int i = 0; i < NODES; i++) {
        world->servers[i] = (struct server){.world = world, .up = true, .era = 1};
        open_doors(&world->servers[i]);
        world->fake.nodes[i] = urls[AGENTS_SIDE][i];
    }
    world->sessions = sessions_new(SESSION_MS);
    list_init(&world->watches);
    loop_timer_init(&world->sweep, vloop(), on_sweep, world);
    loop_timer_set(&world->sweep, SWEEP_MS);
    for (int i = 0; i < AGENTS; i++)
        agent_init(world, i);
    return world;
}

static void world_free(struct world *world)
{
    for (int i = 0; i < AGENTS; i++) {
        struct agent *agent = &world->agents[i];
        struct list_node *node;
        ctl_free(agent->ctl);
        while ((node = list_first(&agent->idle)) != NULL)
            link_free(CONTAINER_OF(node, struct link, node));
        loop_timer_fini(&agent->begin);
        loop_timer_fini(&agent->work);
    }
    /* What agents gave up and no server has looked at yet. */
    while (vloop_step(vloop_now_ms() + 2 * FIRST_ASK_MS) && !world->sweep.armed)
        ;
    loop_timer_fini(&world->sweep);
    while (vloop_step(vloop_now_ms() + 2 * FIRST_ASK_MS))
        ;
    for (int i = 0; i < NODES; i++)
        for (int side = 0; side < SIDES; side++)
            newcomers_free(world->servers[i].doors[side]);
    sessions_free(world->sessions);
    fake_transport_fini(&world->fake);
    mem_free(world);
    vloop_reset();
}

/* ---- what is asked for ---- */

static void run_for(int64_t ms)
{
    int64_t until_ms = vloop_now_ms() + ms;
    while (vloop_step(until_ms))
        ;
}

struct figures {
    int back; /* agents that are registered and got what they asked for lately */
    int handshakes, registrations, enrolments, removals;
};

static struct figures count_all(const struct world *world)
{
    struct figures f = {0};
    for (int i = 0; i < AGENTS; i++) {
        const struct agent *agent = &world->agents[i];
        int64_t lately_ms = vloop_now_ms() - LATELY_MS;
        f.back += agent->registered && agent->watched_at_ms > lately_ms &&
                  agent->worked_at_ms > lately_ms;
        f.handshakes += agent->handshakes;
        f.registrations += agent->registrations;
        f.enrolments += agent->enrolments;
        f.removals += agent->removals;
    }
    return f;
}

static void say(const char *when, const struct world *world)
{
    struct figures f = count_all(world);
    if (getenv("WEFT_VERBOSE") != NULL)
        printf(
            "%8.1f s %-8s back=%d handshakes=%d registrations=%d enrolments=%d "
            "removals=%d backlog_ms=%lld limit=%zu wasted=%d\n",
            (double)vloop_now_ms() / 1e3, when, f.back, f.handshakes, f.registrations,
            f.enrolments, f.removals,
            (long long)(world->servers[world->leader].free_at_us / 1000 - vloop_now_ms()),
            newcomers_limit(world->servers[world->leader].doors[AGENTS_SIDE]),
            world->wasted);
}

/* All are back within BACK_WITHIN_MS, and stay. */
static void await_calm(struct world *world)
{
    struct figures before = count_all(world);
    int64_t begun_at_ms = vloop_now_ms();
    int calm = 0;

    for (int s = 0; s < BACK_WITHIN_MS / 1000 && calm < CALM_S; s++) {
        run_for(1000);
        if (s % 5 == 0)
            say("storm", world);
        calm = count_all(world).back == AGENTS ? calm + 1 : 0;
    }
    struct figures after = count_all(world);
    say("after", world);
    if (calm < CALM_S)
        fail_msg("%d of %d agents are back after %lld s", after.back, AGENTS,
                 (long long)(vloop_now_ms() - begun_at_ms) / 1000);
    assert_int_equal(after.removals - before.removals, 0);
    assert_true(after.handshakes - before.handshakes <= HANDSHAKES_EACH * AGENTS);
    assert_true(after.enrolments - before.enrolments <= AGENTS);
}

/* All nodes come back at the same time, after so long that every agent has noticed. */
static void test_all_come_back_after_an_outage(void **state)
{
    struct world *world = world_new();
    (void)state;

    run_for(AGENTS * JOIN_EVERY_MS + 10000);
    say("joined", world);
    assert_int_equal(count_all(world).back, AGENTS);
    for (int i = 0; i < NODES; i++)
        server_down(&world->servers[i]);
    run_for(OUTAGE_MS);
    say("outage", world);
    for (int i = 0; i < NODES; i++)
        world->servers[i].up = true;
    lead(world, 0);
    await_calm(world);
    world_free(world);
}

/* The leader dies: its agents go to one that nobody was connected to. */
static void test_all_move_to_the_next_leader(void **state)
{
    struct world *world = world_new();
    (void)state;

    run_for(AGENTS * JOIN_EVERY_MS + 10000);
    assert_int_equal(count_all(world).back, AGENTS);
    server_down(&world->servers[0]);
    lead(world, 1);
    await_calm(world);
    world_free(world);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_come_back_after_an_outage),
        cmocka_unit_test(test_all_move_to_the_next_leader),
    };
    log_set_level(LOG_ERROR);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
