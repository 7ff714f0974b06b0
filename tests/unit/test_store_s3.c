/* test_store_s3.c - what store_s3.c decides without a server: URLs and environment, the
 * meaning of answers, and the documents and headers they come in. Requests to real and
 * to failing servers are in tests/system/test_store.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/s3_answer.h"
#include "common/store_s3.h"
#include "common/str.h"
#include "common/xml.h"

/* --- configuration --- */

static const char *region_of_env;

static char *env(const char *name)
{
    static char region[32];
    if (strcmp(name, "AWS_REGION") != 0 || region_of_env == NULL)
        return NULL;
    snprintf(region, sizeof(region), "%s", region_of_env);
    return region;
}

static int configure(const char *text, struct s3_config *config, struct err *err)
{
    struct store_options options = {.url = text, .access_key = "k", .secret_key = "s"};
    struct store_url url;
    int code = store_url_parse(text, &url, err);
    return code != 0 ? code : s3_config_init(&options, &url, env, config, err);
}

static void assert_config(const char *url, const char *base, const char *host,
                          bool path_style, const char *region, const char *prefix)
{
    struct s3_config config;
    struct err err;
    if (configure(url, &config, &err) != 0)
        fail_msg("%s: %s", url, err.text);
    assert_string_equal(config.base, base);
    assert_string_equal(config.host, host);
    assert_int_equal(config.path_style, path_style);
    assert_string_equal(config.region, region);
    assert_string_equal(config.prefix, prefix);
    s3_config_fini(&config);
}

/* AWS by default, the bucket in the host name; another endpoint by path. The Host
 * header, which is signed, lacks the scheme's own port, as curl sends it. */
static void test_urls(void **state)
{
    (void)state;
    region_of_env = NULL;
    assert_config("s3://records?region=eu-west-1",
                  "https://records.s3.eu-west-1.amazonaws.com",
                  "records.s3.eu-west-1.amazonaws.com", false, "eu-west-1", "");
    assert_config("s3://records/a/b/?region=cn-north-1",
                  "https://records.s3.cn-north-1.amazonaws.com.cn",
                  "records.s3.cn-north-1.amazonaws.com.cn", false, "cn-north-1", "a/b/");
    assert_config("s3://my.records/x?region=eu-west-1",
                  "https://s3.eu-west-1.amazonaws.com", "s3.eu-west-1.amazonaws.com",
                  true, "eu-west-1", "x/");
    assert_config("s3://records/p?endpoint=http://127.0.0.1:9000",
                  "http://127.0.0.1:9000", "127.0.0.1:9000", true, "us-east-1", "p/");
    assert_config("s3://records?endpoint=https://s3.test:443/&path_style=false",
                  "https://records.s3.test", "records.s3.test", false, "us-east-1", "");
    assert_config("s3://records?endpoint=http%3A%2F%2F%5B%3A%3A1%5D%3A80&region=r-1",
                  "http://[::1]", "[::1]", true, "r-1", "");
    region_of_env = "us-west-2";
    assert_config("s3://records", "https://records.s3.us-west-2.amazonaws.com",
                  "records.s3.us-west-2.amazonaws.com", false, "us-west-2", "");
}

/* What cannot work is refused when the store is opened, with what to write instead. */
static void test_bad_urls(void **state)
{
    static const struct {
        const char *url, *text;
    } cases[] = {
        {"s3://records", "region=REGION"},
        {"s3:///prefix?region=r", "BUCKET"},
        {"s3://a?region=r", "3 to 63"},
        {"s3://rec%20ords?region=r", "3 to 63"},
        {"s3://records/a//b?region=r", "prefix"},
        {"s3://records/a b?region=r", "prefix"},
        {"s3://records/../b?region=r", "prefix"},
        {"s3://records?region=EU", "region's name"},
        {"s3://records?endpoint=localhost:9000", "http://HOST"},
        {"s3://records?endpoint=http://host/path", "without a path"},
        {"s3://records?endpoint=http://u:p@host", "http://HOST"},
        {"s3://records?endpoint=http://ho%0ast", "broken %-escape"},
        {"s3://records?region=r&path_style=maybe", "true or false"},
        {"s3://records?region=r&secret_key=abc", "unknown parameter"},
        {"s3://records?region=r&ca_file=/nonexistent", "ca_file"},
        {"s3://records?region=r&ca_file=/dev/null", "no certificate"},
    };
    (void)state;
    region_of_env = NULL;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct s3_config config;
        struct err err = {0};
        if (configure(cases[i].url, &config, &err) != ERR_INVALID ||
            strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].url, err.text);
    }
}

/* --- answers --- */

static void judge(enum store_kind kind, int status, const char *code, int expected_code,
                  enum s3_remedy expected)
{
    struct s3_error answer = {0};
    struct err err = {0};
    snprintf(answer.code, sizeof(answer.code), "%s", code);
    enum s3_remedy remedy = s3_judge(kind, "k", status, &answer, &err);
    if (remedy != expected || err.code != expected_code)
        fail_msg("%d %s: remedy %d code %s (%s)", status, code, (int)remedy,
                 err_name(err.code), err.text);
}

/* Overload and trouble of the server are retried; refusals are not, unless keys or clock
 * are stale; a missing bucket is no missing object. */
static void test_judgement(void **state)
{
    (void)state;
    judge(STORE_PUT, 500, "InternalError", ERR_UNAVAILABLE, S3_RETRY_LATER);
    judge(STORE_PUT, 502, "", ERR_UNAVAILABLE, S3_RETRY_LATER);
    judge(STORE_PUT, 503, "SlowDown", ERR_OVERLOADED, S3_RETRY_LATER);
    judge(STORE_PUT, 504, "", ERR_TIMEOUT, S3_RETRY_LATER);
    judge(STORE_PUT, 408, "", ERR_TIMEOUT, S3_RETRY_LATER);
    judge(STORE_PUT, 429, "", ERR_OVERLOADED, S3_RETRY_LATER);
    judge(STORE_PUT, 409, "ConditionalRequestConflict", ERR_UNAVAILABLE, S3_RETRY_LATER);
    judge(STORE_PUT, 400, "RequestTimeout", ERR_INVALID, S3_RETRY_LATER);
    judge(STORE_PUT, 400, "BadDigest", ERR_INVALID, S3_GIVE_UP);
    judge(STORE_PUT, 403, "AccessDenied", ERR_FORBIDDEN, S3_GIVE_UP);
    judge(STORE_PUT, 403, "SignatureDoesNotMatch", ERR_UNAUTHENTICATED, S3_GIVE_UP);
    judge(STORE_PUT, 403, "InvalidAccessKeyId", ERR_UNAUTHENTICATED, S3_NEW_KEYS);
    judge(STORE_PUT, 400, "ExpiredToken", ERR_UNAUTHENTICATED, S3_NEW_KEYS);
    judge(STORE_HEAD, 403, "", ERR_FORBIDDEN, S3_NEW_KEYS);
    judge(STORE_PUT, 403, "RequestTimeTooSkewed", ERR_FORBIDDEN, S3_ADJUST_CLOCK);
    judge(STORE_GET, 404, "NoSuchKey", ERR_NOT_FOUND, S3_GIVE_UP);
    judge(STORE_HEAD, 404, "", ERR_NOT_FOUND, S3_GIVE_UP);
    judge(STORE_GET, 404, "NoSuchBucket", ERR_INVALID, S3_GIVE_UP);
    judge(STORE_PUT, 404, "", ERR_INVALID, S3_GIVE_UP);
    judge(STORE_LIST, 404, "", ERR_INVALID, S3_GIVE_UP);
    judge(STORE_GET, 416, "InvalidRange", ERR_INVALID, S3_GIVE_UP);
    judge(STORE_GET, 301, "PermanentRedirect", ERR_INVALID, S3_GIVE_UP);
    judge(STORE_PUT, 501, "NotImplemented", ERR_UNSUPPORTED, S3_GIVE_UP);
    judge(STORE_GET, 302, "", ERR_INTERNAL, S3_GIVE_UP);
    judge(STORE_GET, 599, "", ERR_UNAVAILABLE, S3_RETRY_LATER);
}

/* An error's document gives code, message and region, without control characters, and
 * anything else gives nothing. */
static void test_error_documents(void **state)
{
    struct s3_error error;
    struct err err;
    (void)state;
    s3_error_parse(SLICE_LITERAL("<?xml version=\"1.0\"?>\n<Error><Code>"
                                 "AuthorizationHeaderMalformed</Code><Message>the &lt;"
                                 "region&gt;\nis wrong</Message><Region>eu-west-3"
                                 "</Region><HostId>x</HostId></Error>"),
                   &error);
    assert_string_equal(error.code, "AuthorizationHeaderMalformed");
    assert_string_equal(error.message, "the <region>?is wrong");
    assert_string_equal(error.region, "eu-west-3");
    assert_int_equal(s3_judge(STORE_PUT, "k", 400, &error, &err), S3_GIVE_UP);
    assert_non_null(strstr(err.text, "region=eu-west-3"));
    s3_error_parse(SLICE_LITERAL("<html><body>Bad gateway"), &error);
    assert_string_equal(error.code, "");
    s3_error_parse(SLICE_NULL, &error);
    assert_string_equal(error.message, "");
}

#define ENTRY(key, size)                                                                 \
    "<Contents><Key>" key "</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified>"  \
    "<ETag>&quot;x&quot;</ETag><Size>" size                                              \
    "</Size><Owner><ID>1</ID></Owner></Contents>"

static int parse_list(const char *text, struct s3_list *list)
{
    struct err err;
    return s3_list_parse(slice_str(text), list, &err);
}

/* A list's keys are decoded, with sizes, times and whether there are more. */
static void test_lists(void **state)
{
    struct s3_list list;
    (void)state;
    assert_int_equal(
        parse_list("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                   "<s:ListBucketResult xmlns:s=\"http://s3.amazonaws.com/doc/\">"
                   "<s:Name>b</s:Name><Prefix/><IsTruncated>true</IsTruncated>"
                   "<!-- two -->" ENTRY("a%2Fb+c", "18446744073709551609")
                       ENTRY("d&amp;e%25", "0") "</s:ListBucketResult>\n",
                   &list),
        0);
    assert_int_equal(list.count, 2);
    assert_true(list.truncated);
    assert_string_equal(list.entries[0].key, "a/b c");
    assert_true(list.entries[0].size == UINT64_C(18446744073709551609));
    assert_int_equal(list.entries[0].modified_ms, 1767323045678);
    assert_string_equal(list.entries[1].key, "d&e%");
    s3_list_free(&list);
    assert_int_equal(parse_list("<ListBucketResult/>", &list), 0);
    assert_int_equal(list.count, 0);
    assert_false(list.truncated);
    s3_list_free(&list);
}

/* A list that is cut, nested too deep, too long or otherwise not S3's is refused. */
static void test_bad_lists(void **state)
{
    static const char whole[] =
        "<ListBucketResult><IsTruncated>false</IsTruncated>" ENTRY(
            "a", "1") "</ListBucketResult>";
    static const char *const cases[] = {
        "",
        "<Error/>",
        "<ListBucketResult/><ListBucketResult/>",
        "<ListBucketResult/>x",
        "<ListBucketResult></ListBucketResul>",
        "<!DOCTYPE x [<!ENTITY e \"x\">]><ListBucketResult/>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>",
        "<ListBucketResult>" ENTRY("a%0", "1") "</ListBucketResult>",
        "<ListBucketResult>" ENTRY("a%00", "1") "</ListBucketResult>",
        "<ListBucketResult>" ENTRY("a&e;", "1") "</ListBucketResult>",
        "<ListBucketResult>" ENTRY("a", "-1") "</ListBucketResult>",
        "<ListBucketResult>" ENTRY("a", "99999999999999999999") "</ListBucketResult>",
        "<a><a><a><a><a><a><a><a><a><a><a><a><a>",
    };
    struct s3_list list;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (parse_list(cases[i], &list) != ERR_MALFORMED)
            fail_msg("taken: %s", cases[i]);
    for (size_t len = 0; len < strlen(whole); len++) {
        struct err err;
        assert_int_equal(s3_list_parse(slice_of(whole, len), &list, &err), ERR_MALFORMED);
    }
    struct str many;
    str_init(&many, MIB);
    str_puts(&many, "<ListBucketResult>");
    for (int i = 0; i <= S3_LIST_MAX; i++)
        str_puts(&many, ENTRY("a", "1"));
    str_puts(&many, "</ListBucketResult>");
    assert_int_equal(parse_list(str_cstr(&many), &list), ERR_TOO_LARGE);
    str_fini(&many);
}

/* Entities are the five, and characters that XML allows. */
static void test_entities(void **state)
{
    static const struct {
        const char *raw, *text;
    } cases[] = {
        {"a&lt;b&gt;&amp;&quot;&apos;", "a<b>&\"'"},
        {"&#65;&#x42;&#xe9;&#x20AC;&#128512;", "AB\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"&#0;", NULL},
        {"&#xd800;", NULL},
        {"&#x110000;", NULL},
        {"&#99999999999999999999;", NULL},
        {"&#;", NULL},
        {"&#x;", NULL},
        {"&nbsp;", NULL},
        {"&amp", NULL},
        {"&", NULL},
    };
    char out[32];
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool ok = xml_unescape(slice_str(cases[i].raw), out, sizeof(out));
        if (ok != (cases[i].text != NULL))
            fail_msg("%s", cases[i].raw);
        if (ok)
            assert_string_equal(out, cases[i].text);
    }
    assert_true(xml_unescape(SLICE_LITERAL("123"), out, 4));
    assert_false(xml_unescape(SLICE_LITERAL("1234"), out, 4));
    assert_false(xml_unescape(SLICE_LITERAL("12&#x20AC;"), out, 5));
}

/* Dates as S3's documents and headers have them, and nothing else. */
static void test_dates(void **state)
{
    static const char *const bad[] = {"",
                                      "2026-01-02",
                                      "2026-01-02T03:04:05",
                                      "2026-01-02T03:04:05.6",
                                      "2026-13-02T03:04:05Z",
                                      "0001-01-02T03:04:05Z",
                                      "2026-01-02T03:04:05ZZ"};
    int64_t ms = 0;
    (void)state;
    assert_int_equal(s3_parse_time("2026-01-02T03:04:05Z", &ms), 0);
    assert_int_equal(ms, 1767323045000);
    assert_int_equal(s3_parse_time("2026-01-02T03:04:05.123456Z", &ms), 0);
    assert_int_equal(ms, 1767323045123);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(s3_parse_time(bad[i], &ms), ERR_MALFORMED);
    assert_int_equal(s3_parse_http_date("Fri, 02 Jan 2026 03:04:05 GMT", &ms), 0);
    assert_int_equal(ms, 1767323045000);
    assert_int_equal(s3_parse_http_date("Fri, 02 Jan 2026 03:04:05", &ms), ERR_MALFORMED);
}

/* Headers are found by name, whatever its case, and never cut. */
static void test_headers(void **state)
{
    struct slice headers =
        SLICE_LITERAL("Date: x\r\nX-Amz-Meta-Weft-Crc:  0a0b0c0d \r\nempty:\r\nlast: 1");
    char out[16];
    (void)state;
    assert_true(s3_header(headers, "x-amz-meta-weft-crc", out, sizeof(out)));
    assert_string_equal(out, "0a0b0c0d");
    assert_true(s3_header(headers, "empty", out, sizeof(out)));
    assert_string_equal(out, "");
    assert_true(s3_header(headers, "last", out, sizeof(out)));
    assert_string_equal(out, "1");
    assert_false(s3_header(headers, "x-amz-meta-weft", out, sizeof(out)));
    assert_false(s3_header(headers, "x-amz-meta-weft-crc", out, 8));
    assert_false(s3_header(SLICE_NULL, "date", out, sizeof(out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),      cmocka_unit_test(test_bad_urls),
        cmocka_unit_test(test_judgement), cmocka_unit_test(test_error_documents),
        cmocka_unit_test(test_lists),     cmocka_unit_test(test_bad_lists),
        cmocka_unit_test(test_entities),  cmocka_unit_test(test_dates),
        cmocka_unit_test(test_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
