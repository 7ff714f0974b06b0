/* test_api_console.c - the console's files over the people's listener, without sockets:
 * what is found, what a browser that has a file already is told, and by which policy the
 * page lives. The page itself: tests/console. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/fake/control.c"

static struct fake_control *fake;

static int setup(void **state)
{
    (void)state;
    fake = fake_control_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fake_control_free(fake);
    return 0;
}

/* --- helpers --- */

/* Nobody's request for PATH, by a browser that knows ETAG (or NULL). */
static struct fake_reply get(const char *path, const char *etag)
{
    struct fake_request request = {
        .method = "GET", .path = path, .content_type = "", .if_none_match = etag};
    struct fake_reply reply;
    fake_control_call(fake, &request, &reply);
    return reply;
}

/* The value of a header; "" without it. */
static const char *header(const struct fake_reply *reply, const char *name)
{
    static char value[512];
    const char *at = strstr(reply->headers, name);
    value[0] = '\0';
    if (at != NULL)
        sscanf(at + strlen(name), ": %511[^\n]", value);
    return value;
}

/* --- tests --- */

/* Page, scripts and styles are anybody's, at a follower too: they hold nothing. */
static void test_served(void **state)
{
    static const char *const paths[] = {"/console", "/console/main.js",
                                        "/console/base.css", "/console/icon.svg",
                                        "/console/pages/topics.js"};
    (void)state;
    fake->leader = fake->readable = false;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct fake_reply reply = get(paths[i], NULL);
        assert_int_equal(reply.status, 200);
        assert_true(reply.body.len > 100);
        assert_string_equal(header(&reply, "X-Content-Type-Options"), "nosniff");
        assert_string_equal(header(&reply, "Referrer-Policy"), "no-referrer");
        assert_string_equal(header(&reply, "Cache-Control"), "no-cache");
        fake_reply_free(&reply);
    }
}

/* The policy allows what comes from here as files, and nothing else. */
static void test_policy(void **state)
{
    static const char *const wanted[] = {"default-src 'none'",    "script-src 'self'",
                                         "style-src 'self'",      "connect-src 'self'",
                                         "base-uri 'none'",       "form-action 'none'",
                                         "frame-ancestors 'none'"};
    (void)state;
    struct fake_reply reply = get("/console", NULL);
    const char *policy = header(&reply, "Content-Security-Policy");
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        assert_non_null(strstr(policy, wanted[i]));
    assert_null(strstr(policy, "unsafe"));
    assert_null(strstr(policy, "http"));
    fake_reply_free(&reply);
}

/* A browser that has the very bytes gets 304 and no body; one that has others gets all.
 */
static void test_known_already(void **state)
{
    char etag[64], list[128];
    (void)state;
    struct fake_reply reply = get("/console/main.js", NULL);
    snprintf(etag, sizeof(etag), "%s", header(&reply, "ETag"));
    assert_int_equal(strlen(etag), 34);
    fake_reply_free(&reply);
    snprintf(list, sizeof(list), "\"0\", W/%s", etag);
    const char *const same[] = {etag, list, "*"};
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        reply = get("/console/main.js", same[i]);
        assert_int_equal(reply.status, 304);
        assert_int_equal(reply.body.len, 0);
        assert_string_equal(header(&reply, "ETag"), etag);
        fake_reply_free(&reply);
    }
    reply = get("/console/api.js", etag);
    assert_int_equal(reply.status, 200);
    fake_reply_free(&reply);
}

/* There are these files and no others; folders cannot be left. */
static void test_no_other_files(void **state)
{
    static const char *const paths[] = {"/console/index.html", "/console/pages/main.js",
                                        "/console/pages",      "/console/topics.js",
                                        "/console/..",         "/console/main.j"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct fake_reply reply = get(paths[i], NULL);
        assert_int_equal(reply.status, 404);
        fake_reply_free(&reply);
    }
}

/* One address: what leads to it says so. */
static void test_moved(void **state)
{
    static const char *const paths[] = {"/", "/console/"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        struct fake_reply reply = get(paths[i], NULL);
        assert_int_equal(reply.status, 302);
        assert_string_equal(header(&reply, "Location"), "/console");
        fake_reply_free(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(test_served),         TEST(test_policy), TEST(test_known_already),
        TEST(test_no_other_files), TEST(test_moved),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
