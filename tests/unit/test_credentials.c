/* test_credentials.c - which source of keys is chosen, and what their answers mean. The
 * requests themselves are tested with running services in tests/system/test_store.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/credentials.h"
#include "common/mem.h"

/* The environment of a test: pairs of name and value. */
static const char *const *environment;

static char *env(const char *name)
{
    /* Callers keep several values at a time, and may write to none. */
    static char values[16][256];
    static unsigned next;
    for (const char *const *p = environment; p != NULL && *p != NULL; p += 2) {
        if (strcmp(p[0], name) == 0) {
            char *value = values[next++ % ARRAY_LEN(values)];
            snprintf(value, sizeof(values[0]), "%s", p[1]);
            return value;
        }
    }
    return NULL;
}

static int configure(const char *const *pairs, struct credentials_config *config,
                     struct err *err)
{
    environment = pairs;
    return credentials_configure(NULL, NULL, NULL, "eu-west-1", env, config, err);
}

/* Options win over everything in the environment. */
static void test_options_first(void **state)
{
    static const char *const all[] = {"AWS_ACCESS_KEY_ID",
                                      "envkey",
                                      "AWS_SECRET_ACCESS_KEY",
                                      "envsecret",
                                      "AWS_SESSION_TOKEN",
                                      "envtoken",
                                      "AWS_WEB_IDENTITY_TOKEN_FILE",
                                      "/t",
                                      NULL};
    struct credentials_config config;
    struct err err;
    (void)state;
    environment = all;
    assert_int_equal(
        credentials_configure("key", "secret", "token", "r", env, &config, &err), 0);
    assert_int_equal(config.source, CREDENTIALS_STATIC);
    assert_string_equal(config.keys->access_key, "key");
    assert_string_equal(config.keys->secret_key, "secret");
    assert_string_equal(config.keys->session_token, "token");
    credentials_config_fini(&config);
    /* Their session token does not go with the environment's, nor the other way. */
    assert_int_equal(
        credentials_configure("key", "secret", NULL, "r", env, &config, &err), 0);
    assert_string_equal(config.keys->session_token, "");
    credentials_config_fini(&config);
    assert_int_equal(configure(all, &config, &err), 0);
    assert_int_equal(config.source, CREDENTIALS_STATIC);
    assert_string_equal(config.keys->access_key, "envkey");
    assert_string_equal(config.keys->session_token, "envtoken");
    credentials_config_fini(&config);
}

/* Half a pair of keys is an error, not a reason to look elsewhere. */
static void test_half_a_pair(void **state)
{
    static const char *const half[] = {"AWS_ACCESS_KEY_ID", "k", NULL};
    static const char *const other[] = {"AWS_SECRET_ACCESS_KEY", "verysecret", NULL};
    struct credentials_config config;
    struct err err;
    (void)state;
    assert_int_equal(configure(half, &config, &err), ERR_INVALID);
    assert_int_equal(configure(other, &config, &err), ERR_INVALID);
    assert_null(strstr(err.text, "verysecret"));
    environment = NULL;
    assert_int_equal(credentials_configure("key", NULL, NULL, "r", env, &config, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.text, "together"));
}

/* EKS's "IRSA" variables choose STS, in the bucket's region unless told otherwise. */
static void test_web_identity(void **state)
{
    static const char *const plain[] = {"AWS_WEB_IDENTITY_TOKEN_FILE", "/var/token",
                                        "AWS_ROLE_ARN", "arn:aws:iam::1:role/r", NULL};
    static const char *const told[] = {"AWS_WEB_IDENTITY_TOKEN_FILE",
                                       "/var/token",
                                       "AWS_ROLE_ARN",
                                       "arn:aws:iam::1:role/r",
                                       "AWS_ENDPOINT_URL_STS",
                                       "http://sts.test",
                                       "AWS_ROLE_SESSION_NAME",
                                       "s",
                                       NULL};
    static const char *const no_role[] = {"AWS_WEB_IDENTITY_TOKEN_FILE", "/t", NULL};
    struct credentials_config config;
    struct err err;
    (void)state;
    assert_int_equal(configure(plain, &config, &err), 0);
    assert_int_equal(config.source, CREDENTIALS_WEB_IDENTITY);
    assert_string_equal(config.url, "https://sts.eu-west-1.amazonaws.com");
    assert_string_equal(config.token_file, "/var/token");
    assert_string_equal(config.session_name, "weft");
    credentials_config_fini(&config);
    assert_int_equal(configure(told, &config, &err), 0);
    assert_string_equal(config.url, "http://sts.test");
    assert_string_equal(config.session_name, "s");
    credentials_config_fini(&config);
    assert_int_equal(configure(no_role, &config, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "AWS_ROLE_ARN"));
}

/* A container's token is sent in the clear to this machine and AWS's addresses only. */
static void test_container_hosts(void **state)
{
    static const struct {
        const char *url;
        int code;
    } cases[] = {
        {"http://169.254.170.23/v1/credentials", 0},
        {"http://[fd00:ec2::23]/v1/credentials", 0},
        {"http://127.0.0.1:8080/creds?id=1", 0},
        {"http://localhost/x", 0},
        {"https://anywhere.example/x", 0},
        {"http://anywhere.example/x", ERR_INVALID},
        {"http://localhost.evil.example/", ERR_INVALID},
        {"http://127.0.0.1@evil.example/", ERR_INVALID},
        {"http://169.254.170.231/", ERR_INVALID},
        {"ftp://127.0.0.1/", ERR_INVALID},
        {"127.0.0.1/", ERR_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *const pairs[] = {"AWS_CONTAINER_CREDENTIALS_FULL_URI", cases[i].url,
                                     "AWS_CONTAINER_AUTHORIZATION_TOKEN", "t", NULL};
        struct credentials_config config;
        struct err err;
        int code = configure(pairs, &config, &err);
        if (code != cases[i].code)
            fail_msg("%s: %d", cases[i].url, code);
        if (code == 0) {
            assert_int_equal(config.source, CREDENTIALS_CONTAINER);
            assert_string_equal(config.token, "t");
            credentials_config_fini(&config);
        }
    }
    static const char *const relative[] = {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                           "/v2/c", NULL};
    struct credentials_config config;
    struct err err;
    assert_int_equal(configure(relative, &config, &err), 0);
    assert_string_equal(config.url, "http://169.254.170.2/v2/c");
    assert_null(config.token);
    credentials_config_fini(&config);
}

/* With nothing configured the machine's own role is asked for, unless that is off. */
static void test_instance_last(void **state)
{
    static const char *const other[] = {"AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                        "http://127.0.0.1:1/", NULL};
    static const char *const off[] = {"AWS_EC2_METADATA_DISABLED", "True", NULL};
    struct credentials_config config;
    struct err err;
    (void)state;
    assert_int_equal(configure(NULL, &config, &err), 0);
    assert_int_equal(config.source, CREDENTIALS_INSTANCE);
    assert_string_equal(config.url, "http://169.254.169.254");
    credentials_config_fini(&config);
    assert_int_equal(configure(other, &config, &err), 0);
    assert_string_equal(config.url, "http://127.0.0.1:1");
    credentials_config_fini(&config);
    assert_int_equal(configure(off, &config, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "AWS_ACCESS_KEY_ID"));
}

/* Keys are renewed five to six minutes before their end, short-lived ones at half. */
static void test_renewal_time(void **state)
{
    const int64_t minute = 60000, at = 1767323045000;
    (void)state;
    assert_int_equal(credentials_renew_at_ms(at, at + 60 * minute, 0.0),
                     at + 55 * minute);
    assert_int_equal(credentials_renew_at_ms(at, at + 60 * minute, 0.5),
                     at + 54 * minute + 30000);
    assert_int_equal(credentials_renew_at_ms(at, at + 4 * minute, 0.9), at + 2 * minute);
    assert_int_equal(credentials_renew_at_ms(at, INT64_MAX, 0.9), INT64_MAX);
}

static int parse_json(const char *text, struct aws_keys *keys)
{
    struct err err;
    memset(keys, 0, sizeof(*keys));
    int code = credentials_parse_json(slice_str(text), keys, &err);
    if (code != 0)
        assert_null(strstr(err.text, "SECRET"));
    return code;
}

/* The metadata services' answer: keys, token and end; a broken one names no secret. */
static void test_json_answers(void **state)
{
    static const char *const broken[] = {
        "",
        "[]",
        "{}",
        "{\"AccessKeyId\":\"K\"}",
        "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":7}",
        "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"SECRET\\nX: y\"}",
        "{\"AccessKeyId\":\"\",\"SecretAccessKey\":\"SECRET\"}",
        "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"SECRET\",\"Expiration\":\"soon\"}",
        "{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"SECRET\"",
    };
    struct aws_keys keys;
    (void)state;
    assert_int_equal(
        parse_json("{\"Code\":\"Success\",\"LastUpdated\":\"x\",\"AccessKeyId\":\"K\","
                   "\"SecretAccessKey\":\"SECRET\",\"Token\":\"T+/=\","
                   "\"Expiration\":\"2026-01-02T03:04:05Z\"}",
                   &keys),
        0);
    assert_string_equal(keys.access_key, "K");
    assert_string_equal(keys.secret_key, "SECRET");
    assert_string_equal(keys.session_token, "T+/=");
    assert_int_equal(keys.expires_at_ms, 1767323045000);
    assert_int_equal(
        parse_json("{\"AccessKeyId\":\"K\",\"SecretAccessKey\":\"S\",\"Token\":null}",
                   &keys),
        0);
    assert_int_equal(keys.expires_at_ms, INT64_MAX);
    assert_int_equal(parse_json("{\"Code\":\"AssumeRoleUnauthorizedAccess\"}", &keys),
                     ERR_UNAUTHENTICATED);
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        if (parse_json(broken[i], &keys) != ERR_MALFORMED)
            fail_msg("taken: %s", broken[i]);
}

/* The answer of STS; one field missing is no answer. */
static void test_sts_answers(void **state)
{
    static const char good[] =
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/"
        "2011-06-15/\"><AssumeRoleWithWebIdentityResult><Audience>a</Audience>"
        "<Credentials><AccessKeyId>K</AccessKeyId><SecretAccessKey>S</SecretAccessKey>"
        "<SessionToken>T&amp;U</SessionToken>"
        "<Expiration>2026-01-02T03:04:05Z</Expiration></Credentials>"
        "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";
    struct aws_keys keys;
    struct err err;
    (void)state;
    assert_int_equal(credentials_parse_sts(slice_str(good), &keys, &err), 0);
    assert_string_equal(keys.access_key, "K");
    assert_string_equal(keys.secret_key, "S");
    assert_string_equal(keys.session_token, "T&U");
    assert_int_equal(keys.expires_at_ms, 1767323045000);
    for (size_t len = 0; len < strlen(good) - 130; len += 7)
        assert_int_equal(credentials_parse_sts(slice_of(good, len), &keys, &err),
                         ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options_first), cmocka_unit_test(test_half_a_pair),
        cmocka_unit_test(test_web_identity),  cmocka_unit_test(test_container_hosts),
        cmocka_unit_test(test_instance_last), cmocka_unit_test(test_renewal_time),
        cmocka_unit_test(test_json_answers),  cmocka_unit_test(test_sts_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
