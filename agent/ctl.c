/* ctl.c - calls to the control plane: sending, judging answers, retrying, the session.
 *
 *   PARKED <-> SENT -> done          a call
 *     \-> WAITING -/                 (backoff)
 *
 * A call is parked while there is no certificate, no session, or no known leader; it is
 * let go when there is. The address in use is shared by all calls: whoever learns of a
 * better one (421) moves all, those on their way too, which is safe since every call may
 * be repeated; whoever meets a dead one, or silence, starts the search (seek.c), which
 * parks all. Enrolment itself is enrol.c. */
#include "agent/ctl.h"

#include <stdio.h>
#include <string.h>

#include "agent/enrol.h"
#include "agent/metrics.h"
#include "agent/seek.h"
#include "common/backoff.h"
#include "common/check.h"
#include "common/clock.h"
#include "common/list.h"
#include "common/log.h"
#include "common/lz.h"
#include "common/mem.h"
#include "common/x509.h"

#define BODY_MAX           (8 * MIB + 4096)
#define ANSWER_MAX         (64 * MIB)
#define COMPRESS_FROM      4096
#define TRY_TIMEOUT_MS     10000
#define CONNECT_TIMEOUT_MS 3000
#define CONNECTIONS_MAX    12 /* the watch, commits, five lanes of groups, and others */
#define URL_MAX_LEN        512
/* So long without an answer, somebody else may lead by now: the search asks. Where
 * answers take long, because all agents come back to a cell that was away, it asks later:
 * a look at each node is a handshake, and all would look at the same time. */
#define SUSPECT_MS     700
#define SUSPECT_TIMES  4 /* as long as answers usually take */
#define SUSPECT_MAX_MS 5000
/* Sent on at once to the leader so often; then with delays, should nodes disagree. */
#define REDIRECTS_MAX   3
#define BACKOFF_BASE_MS 25
#define BACKOFF_MAX_MS  2000
/* An answer that takes so long is worth a line. */
#define SLOW_MS         1000
#define LOG_INTERVAL_MS 1000
/* A registration that was refused, or is tried again, may be everybody's at the same
 * time: so it comes back later and later. */
#define REJOIN_MIN_MS 1000
#define REJOIN_MAX_MS 15000
/* After a change of the cell's CA agents renew, but not all at once. */
#define RENEW_SPREAD_MS 500
/* Samples of the clock with a longer round trip say too little. */
#define CLOCK_ROUND_TRIP_MAX_MS 500
#define CLOCK_SAMPLE_LIFE_MS    60000
#define CLOCK_JUMP_MS           1000

struct ctl_call {
    struct list_node node; /* in ctl->calls */
    struct ctl *ctl;
    char path[64];
    char id[CTL_REQUEST_ID_LEN + 1];
    int64_t begun_at_ms;
    struct str body; /* as it goes over the wire, so that repeats are the same bytes */
    struct slice body_slice;
    bool compressed;
    bool joins; /* the registration: goes out without a session */
    bool parked;
    bool too_large;
    int64_t patience_ms;
    int64_t deadline_at_ms; /* INT64_MAX: none */
    int64_t sent_at_ms;
    int64_t suspect_ms; /* wait so long for an answer before we ask who leads */
    uint64_t epoch;     /* seek_epoch() when it was sent */
    unsigned redirects;
    unsigned lost; /* how often the node that it went to was none, or no leader */
    struct backoff backoff;
    struct loop_timer timer;
    struct http_call *http;
    struct err last; /* why the last try failed */
    ctl_done_fn *done;
    void *arg;
};

struct ctl {
    struct loop *loop;
    struct ctl_transport transport, people; /* agents' and people's listeners */
    struct http_client *http, *people_http;
    struct enrol *enrol;
    struct seek *seek;
    char *urls[ENROL_URLS_MAX];
    size_t url_count;
    struct list calls;
    bool enrolled, registered;
    bool reachable;
    uint64_t seed;
    uint64_t calls_made;
    int64_t usual_ms; /* that an answer takes which nothing is waited for: an average */
    struct log_limit failed_log, slow_log;
    struct uuid cluster_id, agent_id;
    /* session */
    struct json *member;
    struct ctl_call *joining;
    struct backoff rejoin;
    struct ctl_session session;
    void (*on_registered)(int code, const char *text, void *arg);
    void *on_registered_arg;
    void (*on_session)(const struct ctl_session *session, void *arg);
    void *on_session_arg;
    /* enrolment */
    void (*on_ready)(int code, const char *text, void *arg);
    void *on_ready_arg;
    bool enrolling;
    struct ctl_call *renewing;
    struct loop_timer renewal;
    int64_t not_after_ms;
    /* clock: control plane's wall clock minus our monotonic one */
    int64_t clock_offset_ms;
    int64_t clock_round_trip_ms, clock_sampled_at_ms;
};

static void attempt(struct ctl_call *call);
static void join(struct ctl *ctl, int64_t after_ms);

/* ---- the clock ---- */

static void sample_clock(struct ctl *ctl, int64_t now_ms, int64_t round_trip_ms)
{
    int64_t at = loop_now_ms(ctl->loop);
    int64_t offset_ms = now_ms + round_trip_ms / 2 - at;
    int64_t change_ms = offset_ms - ctl->clock_offset_ms;

    if (ctl->clock_sampled_at_ms != 0) {
        bool stale = at - ctl->clock_sampled_at_ms > CLOCK_SAMPLE_LIFE_MS;
        bool jumped = (change_ms < 0 ? -change_ms : change_ms) >
                      round_trip_ms + CLOCK_JUMP_MS; /* another node's, or set */
        if (round_trip_ms > CLOCK_ROUND_TRIP_MAX_MS)
            return; /* parked, or slow: the answer may be of any age */
        if (!stale && !jumped && round_trip_ms > ctl->clock_round_trip_ms)
            return;
    }
    ctl->clock_offset_ms = offset_ms;
    ctl->clock_round_trip_ms = round_trip_ms;
    ctl->clock_sampled_at_ms = at;
}

int64_t ctl_now_ms(const struct ctl *ctl)
{
    if (ctl->clock_sampled_at_ms == 0)
        return clock_wall_ms();
    return clock_monotonic_ms() + ctl->clock_offset_ms;
}

/* ---- addresses ---- */

static const char *address(const struct ctl *ctl)
{
    return seek_count(ctl->seek) == 0 ? "" : seek_url(ctl->seek);
}

static void set_reachable(struct ctl *ctl, bool reachable, const char *why)
{
    if (ctl->reachable != reachable) {
        if (reachable)
            log_info("ctl", "control plane answers", "url=%s", address(ctl));
        else
            log_warn("ctl", "control plane does not answer, trying on", "url=%s err=%s",
                     address(ctl), LOG_QUOTED(why));
    }
    ctl->reachable = reachable;
    metric_set(agent_metric(ctl_reachable), reachable);
}

bool ctl_reachable(const struct ctl *ctl)
{
    return ctl->reachable;
}

/* ---- a call's life ---- */

static void call_free(struct ctl_call *call)
{
    list_remove(&call->node);
    if (call->http != NULL)
        call->ctl->transport.cancel(call->http, call->ctl->transport.arg);
    loop_timer_fini(&call->timer);
    str_fini(&call->body);
    mem_free(call);
}

/* What became of it: by its id the control plane's log says more. */
static void log_end(struct ctl_call *call, const struct err *err)
{
    struct ctl *ctl = call->ctl;
    int64_t now = loop_now_ms(ctl->loop), took_ms = now - call->begun_at_ms;
    uint64_t not_logged = 0;

    if (err->code != 0) {
        if (log_limit_pass(&ctl->failed_log, now, &not_logged))
            log_warn("ctl", "call failed",
                     "request=%s path=%s code=%s ms=%lld err=%s not_logged=%llu",
                     call->id, call->path, err_name(err->code), (long long)took_ms,
                     LOG_QUOTED(err->text), (unsigned long long)not_logged);
    } else if (took_ms >= SLOW_MS + call->patience_ms &&
               log_limit_pass(&ctl->slow_log, now, &not_logged)) {
        log_warn("ctl", "slow call", "request=%s path=%s ms=%lld not_logged=%llu",
                 call->id, call->path, (long long)took_ms,
                 (unsigned long long)not_logged);
    } else {
        log_debug("ctl", "call", "request=%s path=%s bytes=%zu ms=%lld", call->id,
                  call->path, call->body.len, (long long)took_ms);
    }
}

static void finish(struct ctl_call *call, int code, const char *text,
                   const struct json *answer)
{
    ctl_done_fn *done = call->done;
    void *arg = call->arg;
    struct err err = {.code = code};

    /* TEXT may be the call's own. */
    snprintf(err.text, sizeof(err.text), "%s", text == NULL ? err_text(code) : text);
    log_end(call, &err);
    call_free(call);
    done(code, err.text, answer, arg);
}

/* Try again after AFTER_MS, or give up when that is too late. */
static void wait(struct ctl_call *call, int64_t after_ms)
{
    int64_t now = loop_now_ms(call->ctl->loop);
    if (call->deadline_at_ms - now <= after_ms)
        after_ms = MAX(call->deadline_at_ms - now, 0);
    loop_timer_set(&call->timer, after_ms);
}

static void retry(struct ctl_call *call, int code, const char *why, int64_t least_ms)
{
    int64_t delay_ms = backoff_next_ms(&call->backoff);
    err_set(&call->last, code, "%s", why);
    /* The wish of a server that has too much to do comes on top of our jitter: it tells
     * all the same, and all shall not come back in the same moment. */
    wait(call, delay_ms + MAX(least_ms, 0));
}

static void park(struct ctl_call *call)
{
    call->parked = true;
    if (call->deadline_at_ms != INT64_MAX)
        wait(call, call->deadline_at_ms - loop_now_ms(call->ctl->loop));
}

/* A call that was lost before waits a little: it may be the call's own fault. */
static void unpark_all(struct ctl *ctl)
{
    LIST_FOREACH(node, next, &ctl->calls)
    {
        struct ctl_call *call = CONTAINER_OF(node, struct ctl_call, node);
        if (call->parked) {
            call->parked = false;
            wait(call, call->lost > 1 ? backoff_next_ms(&call->backoff) : 0);
        }
    }
}

/* Another node leads: what is on its way to the one before is sent again. */
static void move_all(struct ctl *ctl)
{
    LIST_FOREACH(node, next, &ctl->calls)
    {
        struct ctl_call *call = CONTAINER_OF(node, struct ctl_call, node);
        if (call->http == NULL || call->epoch == seek_epoch(ctl->seek))
            continue;
        ctl->transport.cancel(call->http, ctl->transport.arg);
        call->http = NULL;
        wait(call, 0);
    }
}

/* The node that CALL was sent to is none, or does not lead: look for who does. */
static void lose(struct ctl_call *call, int code, const char *why)
{
    err_set(&call->last, code, "%s", why);
    call->lost++;
    park(call);
    seek_start(call->ctl->seek);
}

static void on_call_timer(struct loop_timer *timer, void *arg)
{
    struct ctl_call *call = arg;
    (void)timer;
    if (call->http != NULL) {
        /* Silence. The answer may still come; so ask beside it. */
        if (seek_count(call->ctl->seek) > 1)
            seek_start(call->ctl->seek);
        call->suspect_ms *= 2;
        loop_timer_set(&call->timer, call->suspect_ms);
        return;
    }
    if (call->too_large) {
        finish(call, ERR_TOO_LARGE, "more than the control plane takes in one call",
               NULL);
        return;
    }
    if (loop_now_ms(call->ctl->loop) >= call->deadline_at_ms) {
        finish(call, ERR_TIMEOUT, call->last.code == 0 ? NULL : call->last.text, NULL);
        return;
    }
    if (!call->parked)
        attempt(call);
}

/* ---- answers ---- */

struct problem {
    int code;
    char text[ERR_TEXT_MAX];
    struct slice leader; /* in `json` */
    struct json *json;
};

static int code_of(struct slice name, int status)
{
    for (int code = 1; code < ERR_MAX; code++) {
        if (slice_eq_str(name, err_name(code)))
            return code;
    }
    if (status == 429)
        return ERR_OVERLOADED;
    if (status >= 500)
        return ERR_UNAVAILABLE;
    return status == 421 ? ERR_NOT_LEADER : ERR_INVALID;
}

static struct slice text_member(const struct json *json, const char *key)
{
    struct json_reader r = {0};
    const struct json *value = json == NULL ? NULL : json_find(json, key);
    return value == NULL ? SLICE_NULL : json_as_string(&r, value, key, URL_MAX_LEN);
}

static void read_problem(const struct http_response *response, struct problem *problem)
{
    problem->json = NULL;
    if (json_parse(blob_slice(response->body), &problem->json, NULL) != 0)
        problem->json = NULL;
    const struct json *json = json_is_object(problem->json) ? problem->json : NULL;
    struct slice detail = text_member(json, "detail");
    if (detail.len == 0)
        detail = text_member(json, "title");
    snprintf(problem->text, sizeof(problem->text), "HTTP %d %.*s", response->status,
             (int)MIN(detail.len, (size_t)200),
             detail.ptr == NULL ? "" : (const char *)detail.ptr);
    problem->leader = text_member(json, "leader");
    problem->code = code_of(text_member(json, "code"), response->status);
}

static void on_problem(struct ctl_call *call, const struct http_response *response)
{
    struct ctl *ctl = call->ctl;
    struct problem problem;

    read_problem(response, &problem);
    metric_add(agent_metric(ctl_errors_total), 1);
    if (problem.code == ERR_CONFLICT && response->status == 409 && !call->joins) {
        /* The session is gone: join again, then this call again. */
        err_set(&call->last, problem.code, "%s", problem.text);
        park(call);
        join(ctl, 0);
    } else if (response->status == 421 && call->redirects < REDIRECTS_MAX &&
               seek_use(ctl->seek, problem.leader)) {
        call->redirects++;
        wait(call, 0);
        move_all(ctl);
    } else if (response->status == 421 || response->status == 503) {
        call->redirects = 0;
        lose(call, problem.code, problem.text);
    } else if (err_retriable(problem.code) || response->status >= 500) {
        retry(call, problem.code, problem.text, response->retry_after_ms);
    } else {
        finish(call, problem.code, problem.text, NULL);
    }
    json_free(problem.json);
}

/* Objects have now_ms; positional answers begin with it. */
static void take_time(struct ctl_call *call, const struct json *answer)
{
    struct json_reader r = {0};
    const struct json *value =
        json_is_array(answer) ? json_at(&r, answer, 0) : json_find(answer, "now_ms");
    int64_t now_ms =
        value == NULL ? 0 : json_as_int(&r, value, "now_ms", 0, INT64_MAX / 2);
    if (!r.failed && now_ms > 0)
        sample_clock(call->ctl, now_ms, loop_now_ms(call->ctl->loop) - call->sent_at_ms);
}

static int parse_answer(const struct http_response *response, struct json **answer,
                        struct err *err)
{
    struct str plain;
    int rc;

    if (response->encoding[0] == '\0')
        return json_parse(blob_slice(response->body), answer, err);
    if (strcmp(response->encoding, "lz4") != 0)
        return err_set(err, ERR_UNSUPPORTED, "answer in encoding %s", response->encoding);
    str_init(&plain, ANSWER_MAX);
    rc = lz_body_decode(blob_slice(response->body), ANSWER_MAX, &plain);
    if (rc != 0)
        rc = err_set(err, rc, "answer cannot be decompressed: %s", err_text(rc));
    else
        rc = json_parse(str_slice(&plain), answer, err);
    str_fini(&plain);
    return rc;
}

static void learn_usual(struct ctl_call *call)
{
    struct ctl *ctl = call->ctl;
    int64_t took_ms = loop_now_ms(ctl->loop) - call->sent_at_ms;
    if (call->patience_ms == 0)
        ctl->usual_ms += (MIN(took_ms, SUSPECT_MAX_MS) - ctl->usual_ms) / 4;
}

static void on_response(const struct http_response *response, void *arg)
{
    struct ctl_call *call = arg;
    struct ctl *ctl = call->ctl;
    struct json *answer = NULL;
    struct err err = {0};

    call->http = NULL;
    loop_timer_cancel(&call->timer);
    if (response->code != 0) {
        metric_add(agent_metric(ctl_errors_total), 1);
        set_reachable(ctl, false, response->error);
        lose(call, response->code, response->error);
        return;
    }
    set_reachable(ctl, true, NULL);
    learn_usual(call);
    metric_add(agent_metric(ctl_bytes_received_total), (int64_t)response->body->len);
    if (response->status != 200) {
        on_problem(call, response);
        return;
    }
    if (parse_answer(response, &answer, &err) != 0) {
        /* Half an answer, or somebody else's: it may have been done. Repeating is safe.
         */
        metric_add(agent_metric(ctl_errors_total), 1);
        retry(call, err.code, err.text, 0);
        return;
    }
    take_time(call, answer);
    finish(call, 0, NULL, answer);
    json_free(answer);
}

/* ---- sending ---- */

static void attempt(struct ctl_call *call)
{
    struct ctl *ctl = call->ctl;
    char url[URL_MAX_LEN + 64], id[CTL_REQUEST_ID_LEN + 16];
    const char *headers[5] = {"Content-Type: application/json", "X-Weft-Accept: lz4", id};
    int64_t now = loop_now_ms(ctl->loop);

    ASSERT(call->http == NULL);
    if (!ctl->enrolled || (!ctl->registered && !call->joins) || seek_busy(ctl->seek)) {
        park(call);
        return;
    }
    if (call->compressed)
        headers[3] = "X-Weft-Encoding: lz4";
    snprintf(id, sizeof(id), "X-Request-Id: %s", call->id);
    snprintf(url, sizeof(url), "%s%s", address(ctl), call->path);
    const struct http_request request = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .body = &call->body_slice,
        .body_count = 1,
        .connect_timeout_ms = CONNECT_TIMEOUT_MS,
        .timeout_ms = MIN(TRY_TIMEOUT_MS + call->patience_ms, call->deadline_at_ms - now),
        .max_response_bytes = ANSWER_MAX,
    };
    call->sent_at_ms = now;
    call->epoch = seek_epoch(ctl->seek);
    call->suspect_ms =
        call->patience_ms +
        MAX(SUSPECT_MS, MIN(ctl->usual_ms * SUSPECT_TIMES, SUSPECT_MAX_MS));
    loop_timer_set(&call->timer, call->suspect_ms);
    metric_add(agent_metric(ctl_requests_total), 1);
    metric_add(agent_metric(ctl_bytes_sent_total), (int64_t)call->body.len);
    call->http = ctl->transport.send(&request, on_response, call, ctl->transport.arg);
}

static void set_body(struct ctl_call *call, struct str plain)
{
    call->too_large = plain.overflowed || plain.len > BODY_MAX;
    str_init(&call->body, BODY_MAX * 2);
    if (plain.len >= COMPRESS_FROM &&
        lz_body_encode(str_slice(&plain), &call->body) == 0) {
        call->compressed = true;
        str_fini(&plain);
    } else {
        str_fini(&call->body);
        call->body = plain;
    }
    call->body_slice = str_slice(&call->body);
}

static void make_id(struct ctl *ctl, char id[CTL_REQUEST_ID_LEN + 1])
{
    const uint8_t *agent = ctl->agent_id.bytes;
    snprintf(id, CTL_REQUEST_ID_LEN + 1, "%02x%02x%02x%02x-%llx", agent[0], agent[1],
             agent[2], agent[3], (unsigned long long)++ctl->calls_made);
}

const char *ctl_request_id(const struct ctl_call *call)
{
    return call->id;
}

static struct ctl_call *call_new_text(struct ctl *ctl, const char *path, struct str text,
                                      int64_t deadline_at_ms, ctl_done_fn *done,
                                      void *arg)
{
    struct ctl_call *call = mem_zalloc(sizeof(*call));
    ASSERT(strlen(path) < sizeof(call->path));
    call->ctl = ctl;
    memcpy(call->path, path, strlen(path) + 1);
    make_id(ctl, call->id);
    call->begun_at_ms = loop_now_ms(ctl->loop);
    call->deadline_at_ms = deadline_at_ms == 0 ? INT64_MAX : deadline_at_ms;
    call->done = done;
    call->arg = arg;
    set_body(call, text);
    backoff_init(&call->backoff, BACKOFF_BASE_MS, BACKOFF_MAX_MS, ++ctl->seed);
    loop_timer_init(&call->timer, ctl->loop, on_call_timer, call);
    list_push_back(&ctl->calls, &call->node);
    return call;
}

static struct ctl_call *call_new(struct ctl *ctl, const char *path, struct json *body,
                                 int64_t deadline_at_ms, ctl_done_fn *done, void *arg)
{
    struct str text;

    str_init(&text, BODY_MAX);
    json_print(body, &text);
    json_free(body);
    return call_new_text(ctl, path, text, deadline_at_ms, done, arg);
}

/* The first try; but what cannot be is not said from in here. */
static void start(struct ctl_call *call)
{
    if (call->too_large || loop_now_ms(call->ctl->loop) >= call->deadline_at_ms)
        loop_timer_set(&call->timer, 0);
    else
        attempt(call);
}

struct ctl_call *ctl_send_patient(struct ctl *ctl, const char *path, struct json *body,
                                  int64_t patience_ms, int64_t deadline_at_ms,
                                  ctl_done_fn *done, void *arg)
{
    struct ctl_call *call = call_new(ctl, path, body, deadline_at_ms, done, arg);
    call->patience_ms = patience_ms;
    start(call);
    return call;
}

struct ctl_call *ctl_send_text(struct ctl *ctl, const char *path, struct str *text,
                               int64_t deadline_at_ms, ctl_done_fn *done, void *arg)
{
    struct ctl_call *call = call_new_text(ctl, path, *text, deadline_at_ms, done, arg);
    str_init(text, 0);
    start(call);
    return call;
}

struct ctl_call *ctl_send(struct ctl *ctl, const char *path, struct json *body,
                          int64_t deadline_at_ms, ctl_done_fn *done, void *arg)
{
    return ctl_send_patient(ctl, path, body, 0, deadline_at_ms, done, arg);
}

void ctl_cancel(struct ctl_call *call)
{
    call_free(call);
}

/* ---- the session ---- */

static void say_registered(struct ctl *ctl, int code, const char *text)
{
    void (*done)(int, const char *, void *) = ctl->on_registered;
    ctl->on_registered = NULL;
    if (done != NULL)
        done(code, text, ctl->on_registered_arg);
}

static int read_session(const struct json *answer, struct ctl_session *session,
                        struct err *err)
{
    struct json_reader r = {.err = err};
    struct ctl_session s = {
        .node_id = (int32_t)json_get_int(&r, answer, "node_id", 1, INT32_MAX),
        .session_ms = json_get_int(&r, answer, "session_ms", 1, INT32_MAX),
        .watch_ms = json_get_int(&r, answer, "watch_ms", 1, INT32_MAX),
        .commit_max_age_ms = json_get_int(&r, answer, "commit_max_age_ms", 1, INT64_MAX),
    };
    if (r.failed)
        return ERR_MALFORMED;
    *session = s;
    return 0;
}

static void on_joined(int code, const char *text, const struct json *answer, void *arg)
{
    struct ctl *ctl = arg;
    struct err err = {0};

    ctl->joining = NULL;
    if (code == 0) {
        code = read_session(answer, &ctl->session, &err);
        text = err.text;
    }
    if (code != 0) {
        log_error("ctl", "the control plane does not register this agent", "err=%s",
                  LOG_QUOTED(text));
        /* At start that is the end; later only a person can help, and may do so. */
        if (ctl->on_registered != NULL)
            say_registered(ctl, code, text);
        else
            join(ctl, backoff_next_ms(&ctl->rejoin));
        return;
    }
    ctl->registered = true;
    backoff_reset(&ctl->rejoin);
    if (ctl->on_session != NULL)
        ctl->on_session(&ctl->session, ctl->on_session_arg);
    unpark_all(ctl);
    say_registered(ctl, 0, NULL);
}

/* Send the registration after AFTER_MS, unless it is on its way. */
static void join(struct ctl *ctl, int64_t after_ms)
{
    if (ctl->joining != NULL || ctl->member == NULL)
        return;
    struct str text;
    struct json *body = NULL;
    str_init(&text, BODY_MAX);
    json_print(ctl->member, &text);
    int rc = json_parse(str_slice(&text), &body, NULL);
    ASSERT(rc == 0);
    str_fini(&text);
    if (ctl->registered) {
        log_warn("ctl", "session lost, registering again", "node_id=%d",
                 ctl->session.node_id);
        ctl->registered = false;
    }
    ctl->joining = call_new(ctl, "/agent/v1/register", body, 0, on_joined, ctl);
    ctl->joining->joins = true;
    backoff_init(&ctl->joining->backoff, BACKOFF_BASE_MS, REJOIN_MAX_MS, ++ctl->seed);
    wait(ctl->joining, after_ms);
}

void ctl_register(struct ctl *ctl, struct json *body,
                  void (*done)(int code, const char *text, void *arg), void *arg)
{
    json_free(ctl->member);
    ctl->member = body;
    ctl->on_registered = done;
    ctl->on_registered_arg = arg;
    if (ctl->joining != NULL)
        ctl_cancel(ctl->joining); /* it says what is not true any more */
    ctl->joining = NULL;
    /* To change what was said is no loss of the session: other calls go on. */
    bool registered = ctl->registered;
    ctl->registered = false;
    join(ctl, 0);
    ctl->registered = registered;
}

static void on_left(int code, const char *text, const struct json *answer, void *arg)
{
    struct ctl *ctl = arg;
    (void)answer;
    say_registered(ctl, code, text);
}

void ctl_leave(struct ctl *ctl, int64_t wait_ms,
               void (*done)(int code, const char *text, void *arg), void *arg)
{
    if (ctl->joining != NULL)
        ctl_cancel(ctl->joining);
    ctl->joining = NULL;
    json_free(ctl->member);
    ctl->member = NULL; /* join() has nothing to say any more */
    ctl->on_registered = done;
    ctl->on_registered_arg = arg;
    ctl_send(ctl, "/agent/v1/leave", json_object(), loop_now_ms(ctl->loop) + wait_ms,
             on_left, ctl);
}

void ctl_on_session(struct ctl *ctl,
                    void (*on_session)(const struct ctl_session *session, void *arg),
                    void *arg)
{
    ctl->on_session = on_session;
    ctl->on_session_arg = arg;
}

const struct ctl_session *ctl_session(const struct ctl *ctl)
{
    return &ctl->session;
}

/* ---- enrolment and renewal ---- */

static void plan_renewal(struct ctl *ctl)
{
    int64_t left_ms = ctl->not_after_ms - ctl_now_ms(ctl);
    metric_set(agent_metric(certificate_expiry_timestamp_seconds),
               ctl->not_after_ms * 1000);
    loop_timer_set(&ctl->renewal, MAX(left_ms * 2 / 3, 1000));
}

static void renew_soon(struct ctl *ctl)
{
    log_info("ctl", "the cell has another certificate authority: renewing", "");
    loop_timer_set(&ctl->renewal, (int64_t)(++ctl->seed % RENEW_SPREAD_MS));
}

static void on_leader(const struct json *answer, void *arg)
{
    struct ctl *ctl = arg;
    struct json_reader r = {0};
    const struct json *ca = json_find(answer, "ca");

    set_reachable(ctl, true, NULL);
    if (ctl->enrolling && ctl->enrolled) {
        /* It was not us, then: the node has taken our certificate. */
        enrol_stop(ctl->enrol);
        ctl->enrolling = false;
    }
    unpark_all(ctl);
    move_all(ctl);
    if (ca == NULL || ctl->renewing != NULL || ctl->enrolling)
        return;
    struct slice fingerprint = json_as_string(&r, ca, "ca", X509_FINGERPRINT_LEN);
    if (!r.failed && !slice_eq_str(fingerprint, enrol_issuer(ctl->enrol)))
        renew_soon(ctl);
}

static void on_enrolled(int code, const char *text, const struct enrol_identity *identity,
                        void *arg)
{
    struct ctl *ctl = arg;

    ctl->enrolling = false;
    if (code == 0) {
        ctl->cluster_id = identity->cluster_id;
        ctl->agent_id = identity->agent_id;
        ctl->not_after_ms = identity->not_after_ms;
        ctl->enrolled = true;
        if (!seek_use(ctl->seek, identity->agent_url))
            log_error("ctl", "the control plane gave no address for agents", "");
        sample_clock(ctl, identity->now_ms, 0);
        ctl->clock_round_trip_ms = CLOCK_ROUND_TRIP_MAX_MS; /* any sample is better */
        plan_renewal(ctl);
        unpark_all(ctl);
    }
    if (ctl->on_ready != NULL) {
        void (*on_ready)(int, const char *, void *) = ctl->on_ready;
        ctl->on_ready = NULL;
        on_ready(code, text, ctl->on_ready_arg);
    } else if (code != 0) {
        log_error("ctl", "this agent cannot enrol again", "err=%s", LOG_QUOTED(text));
        loop_timer_set(&ctl->renewal, 60000);
    }
}

static void on_renewed(int code, const char *text, const struct json *answer, void *arg)
{
    struct ctl *ctl = arg;
    struct err err = {0};

    ctl->renewing = NULL;
    if (code == 0) {
        code = enrol_install(ctl->enrol, answer, &ctl->not_after_ms, &err);
        text = err.text;
    }
    if (code == 0) {
        log_info("ctl", "certificate renewed", "");
        plan_renewal(ctl);
    } else {
        log_error("ctl", "the certificate could not be renewed, trying again in a minute",
                  "err=%s", LOG_QUOTED(text));
        loop_timer_set(&ctl->renewal, 60000);
    }
}

static void on_renewal_due(struct loop_timer *timer, void *arg)
{
    struct ctl *ctl = arg;
    struct json *body;
    struct err err = {0};
    (void)timer;

    if (ctl->enrolling || ctl->renewing != NULL) {
        loop_timer_set(&ctl->renewal, 1000);
    } else if (ctl_now_ms(ctl) >= ctl->not_after_ms) {
        ctl->enrolled = false; /* parks all calls meanwhile */
        ctl->enrolling = true;
        enrol_start(ctl->enrol, on_enrolled, ctl);
    } else if (enrol_make_request(ctl->enrol, &body, &err) != 0) {
        on_renewed(err.code, err.text, NULL, ctl);
    } else {
        /* Not for ever: the request must not outlive the key that it is for. */
        ctl->renewing = ctl_send(ctl, "/agent/v1/renew", body,
                                 loop_now_ms(ctl->loop) + 30000, on_renewed, ctl);
    }
}

/* Nobody leads, for long. It may be us: a certificate that nobody takes any more, or
 * addresses that moved. The people's addresses, which are given, tell. */
static void on_stuck(void *arg)
{
    struct ctl *ctl = arg;
    if (ctl->enrolling || !ctl->enrolled)
        return;
    log_warn("ctl", "no node takes our calls: enrolling again", "");
    if (ctl->renewing != NULL)
        ctl_cancel(ctl->renewing); /* its key is not ours any more */
    ctl->renewing = NULL;
    ctl->enrolling = true;
    enrol_start(ctl->enrol, on_enrolled, ctl);
}

void ctl_enrol(struct ctl *ctl, void (*on_ready)(int code, const char *text, void *arg),
               void *arg)
{
    ctl->on_ready = on_ready;
    ctl->on_ready_arg = arg;
    ctl->enrolling = true;
    enrol_start(ctl->enrol, on_enrolled, ctl);
}

const struct uuid *ctl_cluster_id(const struct ctl *ctl)
{
    return &ctl->cluster_id;
}

const struct uuid *ctl_agent_id(const struct ctl *ctl)
{
    return &ctl->agent_id;
}

/* ---- life ---- */

static struct http_call *http_send(const struct http_request *request, http_done_fn *done,
                                   void *done_arg, void *arg)
{
    return http_client_send(arg, request, done, done_arg);
}

static void http_cancel(struct http_call *call, void *arg)
{
    (void)arg;
    http_client_cancel(call);
}

static void http_set_tls(const struct http_tls *tls, void *arg)
{
    http_client_set_tls(arg, tls);
}

static struct ctl_transport http_transport(struct http_client *client)
{
    return (struct ctl_transport){
        .send = http_send, .cancel = http_cancel, .set_tls = http_set_tls, .arg = client};
}

/* The people's addresses of --control-plane. */
static int parse_urls(struct ctl *ctl, const char *text, struct err *err)
{
    char *copy = mem_strdup(text);
    char *save = NULL;
    int rc = 0;

    for (char *url = strtok_r(copy, ", ", &save); url != NULL && rc == 0;
         url = strtok_r(NULL, ", ", &save)) {
        size_t len = strlen(url);
        while (len > 0 && url[len - 1] == '/')
            url[--len] = '\0';
        if (strncmp(url, "https://", 8) != 0 || len >= URL_MAX_LEN)
            rc = err_set(err, ERR_INVALID,
                         "control-plane: %.100s is not an address like https://HOST:PORT",
                         url);
        else if (ctl->url_count == ENROL_URLS_MAX)
            rc = err_set(err, ERR_INVALID, "control-plane: more than %d addresses",
                         ENROL_URLS_MAX);
        else
            ctl->urls[ctl->url_count++] = mem_strdup(url);
    }
    mem_free(copy);
    if (rc == 0 && ctl->url_count == 0)
        rc = err_set(err, ERR_INVALID, "control-plane: no address is given");
    return rc;
}

int ctl_new(struct loop *loop, const struct ctl_options *options, struct ctl **out,
            struct err *err)
{
    char fingerprint[65];
    struct ctl *ctl = mem_zalloc(sizeof(*ctl));

    ctl->loop = loop;
    list_init(&ctl->calls);
    ctl->failed_log.interval_ms = ctl->slow_log.interval_ms = LOG_INTERVAL_MS;
    int rc = parse_urls(ctl, options->urls, err);
    if (rc == 0)
        rc = enrol_parse_fingerprint(options->ca_fingerprint, fingerprint, err);
    if (rc != 0) {
        ctl_free(ctl);
        return rc;
    }
    ctl->agent_id = uuid_random();
    memcpy(&ctl->seed, ctl->agent_id.bytes, sizeof(ctl->seed));
    backoff_init(&ctl->rejoin, REJOIN_MIN_MS, REJOIN_MAX_MS, ctl->seed);
    if (options->transport != NULL) {
        ctl->transport = ctl->people = *options->transport;
    } else {
        ctl->http = http_client_new(loop, CONNECTIONS_MAX);
        ctl->people_http = http_client_new(loop, CONNECTIONS_MAX);
        ctl->transport = http_transport(ctl->http);
        ctl->people = http_transport(ctl->people_http);
    }
    const struct seek_options seek_options = {
        .loop = loop,
        .transport = &ctl->transport,
        .seed = ctl->seed,
        .on_leader = on_leader,
        .on_stuck = on_stuck,
        .arg = ctl,
    };
    ctl->seek = seek_new(&seek_options);
    loop_timer_init(&ctl->renewal, loop, on_renewal_due, ctl);
    const struct enrol_options enrol_options = {
        .loop = loop,
        .transport = &ctl->people,
        .agents = &ctl->transport,
        .urls = (const char *const *)ctl->urls,
        .url_count = ctl->url_count,
        .fingerprint = fingerprint,
        .token = options->enrolment_token,
        .agent_id = ctl->agent_id,
    };
    ctl->enrol = enrol_new(&enrol_options);
    *out = ctl;
    return 0;
}

void ctl_free(struct ctl *ctl)
{
    struct list_node *node;

    if (ctl == NULL)
        return;
    while ((node = list_first(&ctl->calls)) != NULL)
        call_free(CONTAINER_OF(node, struct ctl_call, node));
    enrol_free(ctl->enrol);
    seek_free(ctl->seek);
    json_free(ctl->member);
    loop_timer_fini(&ctl->renewal);
    for (size_t i = 0; i < ctl->url_count; i++)
        mem_free(ctl->urls[i]);
    if (ctl->http != NULL)
        http_client_free(ctl->http);
    if (ctl->people_http != NULL)
        http_client_free(ctl->people_http);
    mem_free(ctl);
}
