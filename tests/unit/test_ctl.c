/* Unit tests of agent/ctl.c and agent/enrol.c over a transport in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "agent/ctl.h"
#include "agent/enrol.h"
#include "common/clock.h"
#include "common/mem.h"
#include "tests/lib/fake_transport.h"

/* What the control plane of a test does: the handler looks here. */
struct script {
    struct loop *loop;
    struct fake_transport fake;
    struct ctl *ctl;
    int ca_failures, enrol_failures; /* connections refused first */
    bool another_ca, token_refused, wrong_kind, untrusted;
    int calls;      /* to /agent/v1/x */
    int fail_first; /* of those: how */
    int status;
    const char *code, *leader;
    bool garbage;
    bool registered_twice;
    int registrations, renewals, leaves;
    char urls[4][64]; /* of the first calls */
    int64_t timeout_ms;
    bool lz4, reply_lz4, never, positional;
    char body[64];
    /* the cell: which node leads (its address), which ones are silent; NULL: all lead */
    const char *leads, *silent, *hint;
    int probes;
};

/* A node that does not lead says so, a silent one nothing. False: answered so. */
static bool leads(struct script *s, const struct fake_http_request *request,
                  struct fake_http_reply *reply)
{
    if (s->silent != NULL && strncmp(request->url, s->silent, strlen(s->silent)) == 0) {
        reply->never = true;
        return false;
    }
    if (s->leads == NULL || strncmp(request->url, s->leads, strlen(s->leads)) == 0)
        return true;
    fake_transport_problem(reply, s->hint != NULL ? 421 : 503, "NOT_LEADER", "elsewhere");
    if (s->hint != NULL)
        json_set(reply->body, "leader", json_string(s->hint));
    return false;
}

static void agent_call(struct script *s, const struct fake_http_request *request,
                       struct fake_http_reply *reply)
{
    int n = s->calls++;
    assert_true(request->has_certificate && request->verified);
    if (n < 4)
        snprintf(s->urls[n], sizeof(s->urls[n]), "%s", request->url);
    snprintf(s->body, sizeof(s->body), "%.*s", (int)request->body_text.len,
             (const char *)request->body_text.ptr);
    s->lz4 = request->lz4;
    s->timeout_ms = request->timeout_ms;
    reply->never = s->never;
    if (n < s->fail_first) {
        if (s->garbage)
            reply->text = "{\"half\":";
        else if (s->status == 0)
            reply->code = ERR_UNAVAILABLE;
        else
            fake_transport_problem(reply, s->status, s->code, "do this");
        if (s->leader != NULL)
            json_set(reply->body, "leader", json_string(s->leader));
        return;
    }
    if (s->positional) {
        reply->body = json_array();
        json_push(reply->body, json_int(clock_wall_ms() + 5000000));
        return;
    }
    reply->body = json_object();
    reply->lz4 = s->reply_lz4;
    json_set(reply->body, "now_ms", json_int(clock_wall_ms() + 3000000));
    json_set(reply->body, "it", json_string("works"));
}

static void handle(const struct fake_http_request *request, struct fake_http_reply *reply,
                   void *arg)
{
    struct script *s = arg;
    const char *path = request->path;

    if (strcmp(path, "/agent/v1/nodes") == 0)
        s->probes++;
    if (strncmp(path, "/agent/v1/", 10) == 0 && !leads(s, request, reply)) {
        if (strcmp(path, "/agent/v1/x") == 0)
            s->calls++;
        return;
    }
    if (strcmp(path, "/agent/v1/x") == 0) {
        agent_call(s, request, reply);
        return;
    }
    if (strcmp(path, "/agent/v1/leave") == 0) {
        s->leaves++;
        return;
    }
    assert_true(fake_transport_serve(&s->fake, request, reply));
    if (strcmp(path, "/agent/v1/register") == 0)
        s->registrations++;
    if (strcmp(path, "/agent/v1/renew") == 0)
        s->renewals++;
    if (strcmp(path, "/api/v1/ca") == 0) {
        /* Nothing secret goes to somebody who is not known yet. */
        assert_string_equal(request->method, "GET");
        assert_string_equal(request->authorization, "");
        if (s->ca_failures-- > 0)
            reply->code = ERR_UNAVAILABLE;
    }
    if (strcmp(path, "/api/v1/enrol") == 0) {
        assert_true(request->verified);
        assert_string_equal(request->authorization, "Bearer sesame");
        if (s->enrol_failures-- > 0)
            reply->code = ERR_TIMEOUT;
        else if (s->untrusted)
            reply->code = ERR_UNAUTHENTICATED;
        else if (s->token_refused || s->wrong_kind) {
            json_free(reply->body);
            fake_transport_problem(reply, s->token_refused ? 401 : 403, "X",
                                   "the token has expired");
        }
    }
}

static int setup(void **state)
{
    struct script *s = mem_zalloc(sizeof(*s));
    s->loop = loop_new();
    fake_transport_init(&s->fake, s->loop, handle, s);
    *state = s;
    return 0;
}

static int setup_joined(void **state)
{
    setup(state);
    struct script *s = *state;
    s->ctl = fake_transport_join(&s->fake);
    return 0;
}

static int teardown(void **state)
{
    struct script *s = *state;
    ctl_free(s->ctl);
    fake_transport_fini(&s->fake);
    loop_free(s->loop);
    mem_free(s);
    return 0;
}

struct outcome {
    bool done;
    int count, code;
    char text[1024];
    bool it_works;
};

static void on_ready(int code, const char *text, void *arg)
{
    struct outcome *out = arg;
    out->done = true;
    out->count++;
    out->code = code;
    snprintf(out->text, sizeof(out->text), "%s", text == NULL ? "" : text);
}

static void on_done(int code, const char *text, const struct json *answer, void *arg)
{
    struct outcome *out = arg;
    on_ready(code, text, arg);
    const struct json *it = answer == NULL ? NULL : json_find(answer, "it");
    struct json_reader r = {0};
    out->it_works = it != NULL && slice_eq_str(json_as_string(&r, it, "it", 10), "works");
}

static void enrol(struct script *s, const char *fingerprint, struct outcome *out)
{
    const struct ctl_options options = {
        .urls = "https://people.one:1,https://people.two:1",
        .ca_fingerprint = fingerprint,
        .enrolment_token = "sesame",
        .transport = &s->fake.ops,
    };
    struct err err = {0};
    *out = (struct outcome){0};
    assert_int_equal(ctl_new(s->loop, &options, &s->ctl, &err), 0);
    ctl_enrol(s->ctl, on_ready, out);
    assert_false(out->done); /* never from inside the call */
    fake_transport_run(&s->fake, &out->done);
}

static void call(struct script *s, int64_t deadline_ms, struct outcome *out)
{
    struct json *body = json_object();
    *out = (struct outcome){0};
    json_set(body, "a", json_int(1));
    ctl_send(s->ctl, "/agent/v1/x", body,
             deadline_ms == 0 ? 0 : clock_monotonic_ms() + deadline_ms, on_done, out);
    assert_false(out->done);
    fake_transport_run(&s->fake, &out->done);
    assert_int_equal(out->count, 1);
}

/* An agent that is given URL, fingerprint and token becomes one of the cluster, and goes
 * on trying while nobody answers. */
static void test_enrols(void **state)
{
    struct script *s = *state;
    struct outcome out;
    s->ca_failures = 2;
    s->enrol_failures = 1;
    enrol(s, s->fake.fingerprint, &out);
    assert_int_equal(out.code, 0);
    assert_true(uuid_eq(ctl_cluster_id(s->ctl), &s->fake.cluster_id));
    assert_true(s->fake.has_certificate && !s->fake.verify_none);
    assert_true(s->fake.key_pem.len > 0);
}

/* A CA with another fingerprint is not trusted, and the token never leaves. */
static void test_wrong_ca(void **state)
{
    struct script *s = *state;
    struct outcome out;
    char other[65];
    memcpy(other, s->fake.fingerprint, sizeof(other));
    other[5] = other[5] == 'a' ? 'b' : 'a';
    enrol(s, other, &out);
    assert_int_equal(out.code, ERR_UNAUTHENTICATED);
    assert_non_null(strstr(out.text, "--ca-fingerprint"));
    assert_non_null(strstr(out.text, s->fake.fingerprint));
    assert_int_equal(s->fake.requests, 1);
}

/* A token that is refused, or of a wrong kind, ends the start with what to do. */
static void test_wrong_token(void **state)
{
    struct script *s = *state;
    struct outcome out;
    s->token_refused = true;
    enrol(s, s->fake.fingerprint, &out);
    assert_int_equal(out.code, ERR_UNAUTHENTICATED);
    assert_non_null(strstr(out.text, "expired"));
    assert_non_null(strstr(out.text, "weft token enrolment create"));
    assert_null(strstr(out.text, "sesame"));
    ctl_free(s->ctl);
    s->token_refused = false;
    s->wrong_kind = true;
    enrol(s, s->fake.fingerprint, &out);
    assert_int_equal(out.code, ERR_FORBIDDEN);
    assert_non_null(strstr(out.text, "not an enrolment token"));
}

/* A server whose certificate the CA does not vouch for is not asked twice. */
static void test_untrusted_server(void **state)
{
    struct script *s = *state;
    struct outcome out;
    s->untrusted = true;
    enrol(s, s->fake.fingerprint, &out);
    assert_int_equal(out.code, ERR_UNAUTHENTICATED);
    assert_non_null(strstr(out.text, "not trusted"));
}

/* Options that cannot be right are refused with their names. */
static void test_bad_options(void **state)
{
    struct script *s = *state;
    struct err err = {0};
    char hex[65];
    const struct ctl_options http = {.urls = "http://plain:1",
                                     .ca_fingerprint = s->fake.fingerprint,
                                     .enrolment_token = "x",
                                     .transport = &s->fake.ops};
    assert_int_equal(ctl_new(s->loop, &http, &s->ctl, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "https://"));
    assert_int_equal(enrol_parse_fingerprint("12:34", hex, &err), ERR_INVALID);
    assert_int_equal(enrol_parse_fingerprint("xyz", hex, &err), ERR_INVALID);
    assert_int_equal(
        enrol_parse_fingerprint("AA:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99:"
                                "AA:bb:cc:dd:ee:ff:00:11:22:33:44:55:66:77:88:99",
                                hex, &err),
        0);
    assert_int_equal(strncmp(hex, "aabbcc", 6), 0);
}

/* A call brings its answer, and the clock follows the control plane's. */
static void test_call_and_clock(void **state)
{
    struct script *s = *state;
    struct outcome out;
    call(s, 0, &out);
    assert_int_equal(out.code, 0);
    assert_true(out.it_works);
    assert_string_equal(s->body, "{\"a\":1}");
    int64_t ahead = ctl_now_ms(s->ctl) - clock_wall_ms();
    assert_true(ahead > 2999000 && ahead < 3001000);
    assert_true(ctl_reachable(s->ctl));
}

/* A body that is text already goes out as it is, and the text is the call's. */
static void test_text_body(void **state)
{
    struct script *s = *state;
    struct outcome out = {0};
    struct str text;
    str_init(&text, 64);
    str_puts(&text, "{\"b\": 2}");
    ctl_send_text(s->ctl, "/agent/v1/x", &text, 0, on_done, &out);
    assert_int_equal(text.len, 0);
    fake_transport_run(&s->fake, &out.done);
    assert_int_equal(out.code, 0);
    assert_string_equal(s->body, "{\"b\": 2}");
}

/* A positional answer begins with the time. */
static void test_positional_clock(void **state)
{
    struct script *s = *state;
    struct outcome out;
    s->positional = true;
    call(s, 0, &out);
    int64_t ahead = ctl_now_ms(s->ctl) - clock_wall_ms();
    assert_true(ahead > 4999000 && ahead < 5001000);
}

/* Failures that may pass are repeated with the same bytes: no answer, 503, half an
 * answer, 429. */
static void test_retries(void **state)
{
    static const struct {
        int status;
        const char *code;
        bool garbage;
    } cases[] = {{0, NULL, false},
                 {503, "UNAVAILABLE", false},
                 {429, "OVERLOADED", false},
                 {500, "NO SUCH CODE", false},
                 {0, NULL, true}};
    struct script *s = *state;
    struct outcome out;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s->calls = 0;
        s->fail_first = 2;
        s->status = cases[i].status;
        s->code = cases[i].code;
        s->garbage = cases[i].garbage;
        call(s, 0, &out);
        assert_int_equal(out.code, 0);
        assert_int_equal(s->calls, 3);
        assert_string_equal(s->body, "{\"a\":1}");
    }
}

/* What repeating cannot mend is told at once, in the control plane's words. */
static void test_refused(void **state)
{
    struct script *s = *state;
    struct outcome out;
    s->fail_first = 1;
    s->status = 403;
    s->code = "FORBIDDEN";
    call(s, 0, &out);
    assert_int_equal(out.code, ERR_FORBIDDEN);
    assert_non_null(strstr(out.text, "do this"));
    assert_int_equal(s->calls, 1);
}

/* At the deadline a call ends with the reason of its last try; a parked one too. */
static void test_deadline(void **state)
{
    struct script *s = *state;
    struct outcome out;
    s->fail_first = 1000;
    s->status = 503;
    s->code = "UNAVAILABLE";
    call(s, 150, &out);
    assert_int_equal(out.code, ERR_TIMEOUT);
    assert_non_null(strstr(out.text, "do this"));
    assert_true(s->calls > 1);
    s->calls = 0;
    call(s, -1, &out); /* over before it begins */
    assert_int_equal(out.code, ERR_TIMEOUT);
    assert_int_equal(s->calls, 0);
}

/* 421 names the leader: the call goes there at once, and so do all that follow. */
static void test_leader(void **state)
{
    struct script *s = *state;
    struct outcome out;
    s->fail_first = 1;
    s->status = 421;
    s->code = "NOT_LEADER";
    s->leader = "https://agents.two:2";
    call(s, 0, &out);
    assert_int_equal(out.code, 0);
    assert_string_equal(s->urls[0], "https://agents.one:1/agent/v1/x");
    assert_string_equal(s->urls[1], "https://agents.two:2/agent/v1/x");
    s->calls = 0;
    s->fail_first = 0;
    call(s, 0, &out);
    assert_string_equal(s->urls[0], "https://agents.two:2/agent/v1/x");
    /* And when that one is gone, the other is tried. */
    s->calls = 0;
    s->fail_first = 1;
    s->status = 0;
    s->leader = NULL;
    call(s, 0, &out);
    assert_string_equal(s->urls[1], "https://agents.one:1/agent/v1/x");
}

/* Two nodes that name each other do not make the agent spin. */
static void test_leaders_disagree(void **state)
{
    struct script *s = *state;
    struct outcome out;
    s->fail_first = 1000000;
    s->status = 421;
    s->code = "NOT_LEADER";
    s->leader = "https://agents.one:1";
    call(s, 300, &out);
    assert_int_equal(out.code, ERR_TIMEOUT);
    assert_true(s->calls < 60);
}

static void learn_nodes(struct script *s)
{
    s->fake.nodes[0] = "https://agents.one:1";
    s->fake.nodes[1] = "https://agents.two:2";
    s->fake.nodes[2] = "https://agents.three:3/";
    s->probes = 0;
    int64_t until = clock_monotonic_ms() + 2000;
    while (s->probes == 0 && clock_monotonic_ms() < until)
        loop_run_once(s->loop, 20);
    for (int i = 0; i < 3; i++)
        loop_run_once(s->loop, 5);
    assert_int_equal(s->probes, 1); /* only the leader is asked, while there is one */
}

/* When the leader is gone, the agent finds the next one among the nodes that it was told
 * of, without anybody's hint, as soon as there is one; the call in hand goes on. */
static void test_failover(void **state)
{
    struct script *s = *state;
    struct outcome out = {0};
    learn_nodes(s);
    s->leads = "https://nobody";
    ctl_send(s->ctl, "/agent/v1/x", json_object(), 0, on_done, &out);
    int64_t begin = clock_monotonic_ms();
    while (clock_monotonic_ms() - begin < 300)
        loop_run_once(s->loop, 20);
    assert_false(out.done);
    assert_int_equal(s->calls, 1); /* it waits; only probes are sent around */
    assert_in_range(s->probes, 6, 60);
    s->leads = "https://agents.three:3";
    s->calls = 0;
    begin = clock_monotonic_ms();
    fake_transport_run(&s->fake, &out.done);
    assert_int_equal(out.code, 0);
    assert_true(clock_monotonic_ms() - begin < 400);
    assert_string_equal(s->urls[0], "https://agents.three:3/agent/v1/x");
}

/* A leader that falls silent is left for the one that another node names, and what was on
 * its way is sent again, the same bytes. */
static void test_silent_leader(void **state)
{
    struct script *s = *state;
    struct outcome out;
    learn_nodes(s);
    s->silent = "https://agents.one:1";
    s->leads = "https://agents.four:4"; /* nobody has told of it yet */
    s->hint = "https://agents.four:4";
    int64_t begin = clock_monotonic_ms();
    call(s, 0, &out);
    assert_int_equal(out.code, 0);
    assert_in_range(clock_monotonic_ms() - begin, 600, 1500);
    assert_string_equal(s->urls[1], "https://agents.four:4/agent/v1/x");
    assert_string_equal(s->body, "{\"a\":1}");
}

/* A slow leader that still leads is not left: the call is not sent a second time. */
static void test_slow_leader(void **state)
{
    struct script *s = *state;
    struct outcome out = {0};
    learn_nodes(s);
    s->hint = s->leads = "https://agents.one:1";
    s->never = true;
    struct ctl_call *slow =
        ctl_send(s->ctl, "/agent/v1/x", json_object(), 0, on_done, &out);
    int64_t begin = clock_monotonic_ms();
    while (clock_monotonic_ms() - begin < 1000)
        loop_run_once(s->loop, 20);
    assert_true(s->probes > 1);
    assert_int_equal(s->calls, 1);
    ctl_cancel(slow);
}

/* Another CA in the cell: the agent renews at once, once. */
static void test_ca_changed(void **state)
{
    struct script *s = *state;
    char other[65];
    memcpy(other, s->fake.fingerprint, sizeof(other));
    other[7] = other[7] == 'a' ? 'b' : 'a';
    s->fake.other_ca = other;
    int64_t begin = clock_monotonic_ms();
    while (s->renewals == 0 && clock_monotonic_ms() - begin < 2500)
        loop_run_once(s->loop, 20);
    assert_int_equal(s->renewals, 1);
}

static void on_session(const struct ctl_session *session, void *arg)
{
    assert_int_equal(session->node_id, 42);
    ++*(int *)arg;
}

/* A session that was lost (409) is begun anew, and the call that met it goes on. */
static void test_session_lost(void **state)
{
    struct script *s = *state;
    struct outcome out;
    int sessions = 0;
    ctl_on_session(s->ctl, on_session, &sessions);
    s->fail_first = 1;
    s->status = 409;
    s->code = "CONFLICT";
    call(s, 0, &out);
    assert_int_equal(out.code, 0);
    assert_int_equal(s->registrations, 2);
    assert_int_equal(sessions, 1);
}

static void on_gone(int code, const char *text, void *arg)
{
    (void)code, (void)text;
    *(bool *)arg = true;
}

/* After leaving, a call that finds no session does not bring the agent back. */
static void test_leave(void **state)
{
    struct script *s = *state;
    struct outcome out;
    bool gone = false;
    ctl_leave(s->ctl, 1000, on_gone, &gone);
    fake_transport_run(&s->fake, &gone);
    assert_int_equal(s->leaves, 1);
    s->fail_first = 1000;
    s->status = 409;
    s->code = "CONFLICT";
    call(s, 200, &out);
    assert_int_equal(out.code, ERR_TIMEOUT);
    assert_int_equal(s->registrations, 1);
}

/* Bodies of 4 KiB and more go compressed, answers come so; others do not. */
static void test_compression(void **state)
{
    struct script *s = *state;
    struct outcome out = {0};
    char text[6000];
    struct json *body = json_object();
    memset(text, 'z', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    json_set(body, "t", json_string(text));
    s->reply_lz4 = true;
    ctl_send(s->ctl, "/agent/v1/x", body, 0, on_done, &out);
    fake_transport_run(&s->fake, &out.done);
    assert_true(s->lz4 && out.it_works);
    call(s, 0, &out);
    assert_false(s->lz4);
    assert_true(out.it_works);
}

/* A body above what the control plane takes is refused, and never asserted on. */
static void test_too_large(void **state)
{
    struct script *s = *state;
    struct outcome out = {0};
    struct json *body = json_array();
    for (int i = 0; i < 3000; i++) {
        char text[4000];
        memset(text, 'a' + i % 26, sizeof(text));
        text[sizeof(text) - 1] = '\0';
        json_push(body, json_string(text));
    }
    ctl_send(s->ctl, "/agent/v1/x", body, 0, on_done, &out);
    assert_false(out.done);
    fake_transport_run(&s->fake, &out.done);
    assert_int_equal(out.code, ERR_TOO_LARGE);
    assert_int_equal(s->calls, 0);
}

/* A long poll gets its patience on top of the usual time, and cancelling calls nobody. */
static void test_patience_and_cancel(void **state)
{
    struct script *s = *state;
    struct outcome out = {0};
    s->never = true;
    struct ctl_call *parked =
        ctl_send_patient(s->ctl, "/agent/v1/x", json_object(), 30000, 0, on_done, &out);
    loop_run_once(s->loop, 10);
    assert_true(s->timeout_ms >= 30000);
    ctl_cancel(parked);
    loop_run_once(s->loop, 10);
    assert_false(out.done);
}

static bool renewed(const struct script *s)
{
    return s->renewals > 0;
}

/* The certificate is renewed at two thirds of its life, with a new key. */
static void test_renewal(void **state)
{
    struct script *s = *state;
    char key[64];
    s->fake.certificate_life_ms = 1800; /* renewed after 1.2 s */
    s->ctl = fake_transport_join(&s->fake);
    snprintf(key, sizeof(key), "%s", str_cstr(&s->fake.key_pem) + 100);
    int64_t begin = clock_monotonic_ms();
    s->fake.certificate_life_ms = 3600000;
    while (!renewed(s) && clock_monotonic_ms() - begin < 1700)
        loop_run_once(s->loop, 20);
    assert_true(renewed(s));
    assert_true(clock_monotonic_ms() - begin >= 1000);
    for (int i = 0; i < 5; i++)
        loop_run_once(s->loop, 10);
    assert_true(strncmp(key, str_cstr(&s->fake.key_pem) + 100, 40) != 0);
    assert_true(s->fake.has_certificate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_enrols, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_ca, setup, teardown),
        cmocka_unit_test_setup_teardown(test_wrong_token, setup, teardown),
        cmocka_unit_test_setup_teardown(test_untrusted_server, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_options, setup, teardown),
        cmocka_unit_test_setup_teardown(test_call_and_clock, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_text_body, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_positional_clock, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_retries, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_deadline, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_leader, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_leaders_disagree, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_failover, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_silent_leader, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_slow_leader, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_ca_changed, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_session_lost, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_leave, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_compression, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_too_large, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_patience_and_cancel, setup_joined, teardown),
        cmocka_unit_test_setup_teardown(test_renewal, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
