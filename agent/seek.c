/* seek.c - the search for the leader: a probe for each node, all at once.
 *
 * Each node has its own probe and its own pause, so that one that is silent holds up
 * nobody. The first to say that it leads ends the search; what it says of the cell's
 * nodes replaces the list. */
#include "agent/seek.h"

#include <stdio.h>
#include <string.h>

#include "common/backoff.h"
#include "common/check.h"
#include "common/log.h"
#include "common/mem.h"

/* The time a probe has, doubled as often as LATE_MAX after each that had no answer: a far
 * or slow node, or a slow name server, must not make a cell unreachable. The pause grows
 * with it: handshakes are what a node that is overrun has most of, and all agents of a
 * cell come again at once after an outage. */
#define PROBE_CONNECT_MS  1000
#define PROBE_MS          1500
#define LATE_MAX          2
#define PAUSE_LATE_MIN_MS 200
#define PAUSE_LATE_MAX_MS 4000
/* To enrol again costs the nodes most: so many times as patient while one is late. */
#define STUCK_LATE   4
#define PAUSE_MIN_MS 20
#define PAUSE_MAX_MS 200
/* Searched for so long, the cell is down: do not make it worse. */
#define PATIENT_AFTER_MS 5000
#define PAUSE_LONG_MS    2000
#define REFRESH_MS       30000
#define SECOND_LOOK_MS   1000
#define ANSWER_MAX       (64 * KIB)

struct node {
    struct seek *seek;
    char url[SEEK_URL_MAX_LEN];
    struct http_call *probe;
    struct loop_timer pause;
    unsigned late; /* probes without an answer in this search, at most LATE_MAX */
    struct backoff late_pause;
};

struct seek {
    struct seek_options options;
    struct slice body; /* of a probe */
    struct node nodes[SEEK_URLS_MAX];
    size_t count, current;
    uint64_t epoch;
    bool busy, looked;
    int64_t began_at_ms, stuck_at_ms;
    unsigned stuck; /* so often since a node led */
    struct backoff jitter, slow;
    struct loop_timer refresh;
    struct log_limit log_limit;
};

static void probe(struct node *node);

/* ---- the list ---- */

static void set_late(struct node *node, unsigned late)
{
    node->late = MIN(late, LATE_MAX);
    if (late == 0)
        backoff_reset(&node->late_pause);
}

static void node_clear(struct node *node)
{
    const struct ctl_transport *transport = node->seek->options.transport;
    if (node->probe != NULL)
        transport->cancel(node->probe, transport->arg);
    node->probe = NULL;
    set_late(node, 0);
    loop_timer_cancel(&node->pause);
}

static size_t find(const struct seek *seek, struct slice url)
{
    size_t i = 0;
    while (i < seek->count && !slice_eq_str(url, seek->nodes[i].url))
        i++;
    return i;
}

static struct slice without_slash(struct slice url)
{
    while (url.len > 0 && url.ptr[url.len - 1] == '/')
        url.len--;
    return url;
}

static bool is_address(struct slice url)
{
    return url.len > 8 && url.len < SEEK_URL_MAX_LEN &&
           memcmp(url.ptr, "https://", 8) == 0 && memchr(url.ptr, '\0', url.len) == NULL;
}

/* The index of URL, which is added if it is new. A full list (nodes came and went) loses
 * one that is not in use. */
static size_t add(struct seek *seek, struct slice url)
{
    size_t i = find(seek, url);
    if (i < seek->count)
        return i;
    if (seek->count == SEEK_URLS_MAX)
        i = seek->current == 0 ? 1 : 0;
    else
        seek->count++;
    node_clear(&seek->nodes[i]);
    memcpy(seek->nodes[i].url, url.ptr, url.len);
    seek->nodes[i].url[url.len] = '\0';
    return i;
}

static void set_current(struct seek *seek, size_t index)
{
    if (seek->epoch == 0 || index != seek->current)
        seek->epoch++;
    seek->current = index;
}

/* Forget whom LIST (of [node id, url]) does not name; learn whom it does. */
static void take_list(struct seek *seek, const struct json *list)
{
    char current[SEEK_URL_MAX_LEN];
    struct json_reader r = {0};
    size_t count = MIN(json_count(list), (size_t)SEEK_URLS_MAX);

    if (count == 0)
        return;
    memcpy(current, seek_url(seek), sizeof(current));
    for (size_t i = 0; i < seek->count; i++)
        node_clear(&seek->nodes[i]);
    seek->count = 0;
    seek->current = 0;
    /* The one in use stays, whatever the list says: it answers. */
    (void)add(seek, slice_str(current));
    for (size_t i = 0; i < count; i++) {
        const struct json *row = json_at(&r, list, i);
        const struct json *url = r.failed ? NULL : json_at(&r, row, 1);
        struct slice text =
            url == NULL ? SLICE_NULL : json_as_string(&r, url, "url", SEEK_URL_MAX_LEN);
        if (!r.failed && is_address(without_slash(text)))
            (void)add(seek, without_slash(text));
        r.failed = false;
    }
}

/* ---- probes ---- */

static void end_search(struct seek *seek)
{
    for (size_t i = 0; i < seek->count; i++)
        node_clear(&seek->nodes[i]);
    seek->busy = false;
}

static void found(struct node *node, const struct json *answer)
{
    struct seek *seek = node->seek;
    const struct json *list = json_find(answer, "nodes");

    if (seek->busy)
        log_info("ctl", "a node of the control plane leads", "url=%s after_ms=%lld",
                 node->url,
                 (long long)(loop_now_ms(seek->options.loop) - seek->began_at_ms));
    end_search(seek);
    seek->stuck = 0;
    set_current(seek, (size_t)(node - seek->nodes));
    if (list != NULL && json_is_array(list))
        take_list(seek, list);
    seek->options.on_leader(answer, seek->options.arg);
}

/* Not the leader. If it names one that we do not know, that one is asked at once. */
static void take_hint(struct seek *seek, const struct json *problem)
{
    struct json_reader r = {0};
    const struct json *leader = json_find(problem, "leader");
    if (leader == NULL || json_is_null(leader))
        return;
    struct slice url =
        without_slash(json_as_string(&r, leader, "leader", SEEK_URL_MAX_LEN));
    if (r.failed || !is_address(url) || find(seek, url) < seek->count)
        return;
    probe(&seek->nodes[add(seek, url)]);
}

int64_t seek_stuck_after_ms(unsigned times, uint64_t seed)
{
    int64_t spread_ms = (int64_t)(seed % SEEK_STUCK_MS);
    return (SEEK_STUCK_MS + spread_ms) << MIN(times, 3u);
}

static bool has_late(const struct seek *seek)
{
    for (size_t i = 0; i < seek->count; i++) {
        if (seek->nodes[i].late > 0)
            return true;
    }
    return false;
}

static void again(struct node *node)
{
    struct seek *seek = node->seek;
    int64_t now = loop_now_ms(seek->options.loop);
    bool patient = now - seek->began_at_ms > PATIENT_AFTER_MS;
    int64_t pause_ms = backoff_next_ms(patient ? &seek->slow : &seek->jitter);
    int64_t stuck_after_ms = seek_stuck_after_ms(seek->stuck, seek->options.seed);

    if (node->late > 0)
        pause_ms = MAX(pause_ms, backoff_next_ms(&node->late_pause));
    loop_timer_set(&node->pause, pause_ms);
    if (has_late(seek))
        stuck_after_ms *= STUCK_LATE;
    if (now - seek->stuck_at_ms < stuck_after_ms)
        return;
    seek->stuck_at_ms = now;
    seek->stuck++;
    seek->options.on_stuck(seek->options.arg);
}

static void on_answer(const struct http_response *response, void *arg)
{
    struct node *node = arg;
    struct seek *seek = node->seek;
    struct json *answer = NULL;

    node->probe = NULL;
    if (response->code == 0 && json_parse(blob_slice(response->body), &answer, NULL) != 0)
        answer = NULL;
    if (response->code == 0 && response->status == 200 && json_is_object(answer)) {
        found(node, answer);
    } else if (seek->busy) {
        uint64_t dropped;
        if (log_limit_pass(&seek->log_limit, loop_now_ms(seek->options.loop), &dropped))
            log_info("ctl", "looking for the control plane's leader",
                     "url=%s status=%d err=%s", node->url, response->status,
                     LOG_QUOTED(response->code != 0 ? response->error : ""));
        set_late(node, response->code != 0 && response->strained ? node->late + 1 : 0);
        again(node);
        if (json_is_object(answer))
            take_hint(seek, answer);
    }
    json_free(answer);
}

static void probe(struct node *node)
{
    static const char *const headers[] = {"Content-Type: application/json", NULL};
    const struct ctl_transport *transport = node->seek->options.transport;
    char url[SEEK_URL_MAX_LEN + 32];

    if (node->probe != NULL)
        return;
    snprintf(url, sizeof(url), "%s/agent/v1/nodes", node->url);
    const struct http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = &node->seek->body,
        .body_count = 1,
        .connect_timeout_ms = (int64_t)PROBE_CONNECT_MS << node->late,
        .timeout_ms = (int64_t)PROBE_MS << node->late,
        .max_response_bytes = ANSWER_MAX,
    };
    node->probe = transport->send(&request, on_answer, node, transport->arg);
}

static void on_pause_over(struct loop_timer *timer, void *arg)
{
    struct node *node = arg;
    (void)timer;
    if (node->seek->busy)
        probe(node);
}

/* A look at the list of nodes; a failure is no news, the calls find out. The first is at
 * once, the second soon: a cell that is as young as we are still grows. */
static void on_refresh(struct loop_timer *timer, void *arg)
{
    struct seek *seek = arg;
    int64_t usual_ms = REFRESH_MS / 2 + (int64_t)(seek->options.seed % REFRESH_MS);
    if (!seek->busy)
        probe(&seek->nodes[seek->current]);
    loop_timer_set(timer, seek->looked ? usual_ms : SECOND_LOOK_MS);
    seek->looked = true;
}

/* ---- the interface ---- */

struct seek *seek_new(const struct seek_options *options)
{
    struct seek *seek = mem_zalloc(sizeof(*seek));
    seek->options = *options;
    seek->body = slice_str("{}");
    seek->log_limit.interval_ms = 5000;
    backoff_init(&seek->jitter, 2 * PAUSE_MIN_MS, PAUSE_MAX_MS, options->seed);
    backoff_init(&seek->slow, PAUSE_LONG_MS, PAUSE_LONG_MS, options->seed);
    loop_timer_init(&seek->refresh, options->loop, on_refresh, seek);
    for (size_t i = 0; i < SEEK_URLS_MAX; i++) {
        seek->nodes[i].seek = seek;
        backoff_init(&seek->nodes[i].late_pause, PAUSE_LATE_MIN_MS, PAUSE_LATE_MAX_MS,
                     options->seed + i);
        loop_timer_init(&seek->nodes[i].pause, options->loop, on_pause_over,
                        &seek->nodes[i]);
    }
    return seek;
}

void seek_free(struct seek *seek)
{
    if (seek == NULL)
        return;
    for (size_t i = 0; i < SEEK_URLS_MAX; i++) {
        node_clear(&seek->nodes[i]);
        loop_timer_fini(&seek->nodes[i].pause);
    }
    loop_timer_fini(&seek->refresh);
    mem_free(seek);
}

const char *seek_url(const struct seek *seek)
{
    ASSERT(seek->count > 0);
    return seek->nodes[seek->current].url;
}

uint64_t seek_epoch(const struct seek *seek)
{
    return seek->epoch;
}

size_t seek_count(const struct seek *seek)
{
    return seek->count;
}

bool seek_busy(const struct seek *seek)
{
    return seek->busy;
}

bool seek_use(struct seek *seek, struct slice url)
{
    url = without_slash(url);
    if (!is_address(url))
        return false;
    if (seek->count == 0)
        loop_timer_set(&seek->refresh, 0);
    if (seek->busy)
        end_search(seek);
    set_current(seek, add(seek, url));
    return true;
}

void seek_start(struct seek *seek)
{
    if (seek->busy || seek->count == 0)
        return;
    seek->busy = true;
    backoff_reset(&seek->jitter);
    seek->began_at_ms = seek->stuck_at_ms = loop_now_ms(seek->options.loop);
    for (size_t i = 0; i < seek->count; i++)
        probe(&seek->nodes[i]);
}
