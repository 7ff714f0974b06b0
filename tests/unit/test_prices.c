/* test_prices.c - who bills for a store, and how much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/prices.h"

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* The built-in table has all providers; a region that it does not know costs what the
 * provider's default one does. */
static void built_in(void **state)
{
    static const char *const providers[] = {"aws", "gcs", "azure", "r2", "none"};
    struct prices *prices;
    struct price price, other;
    struct err err;
    (void)state;
    assert_int_equal(prices_open(NULL, &prices, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(providers); i++) {
        assert_true(prices_find(prices, providers[i], "nowhere", &price));
        assert_string_equal(price.provider, providers[i]);
        assert_true(price.as_of[0] != '\0' && price.source[0] != '\0');
    }
    assert_true(prices_find(prices, "aws", "us-east-1", &price));
    assert_true(near(price.request[STORE_PUT], 5e-6));
    assert_true(near(price.request[STORE_GET], 0.4e-6));
    assert_true(price.request[STORE_DELETE] == 0);
    assert_true(near(price.gib_month, 0.023));
    assert_true(prices_find(prices, "aws", "eu-central-1", &other));
    assert_true(other.request[STORE_PUT] > price.request[STORE_PUT]);
    assert_true(prices_find(prices, "azure", "eastus2", &other));
    assert_true(near(other.gib_month, 0.0184) && near(other.request[STORE_PUT], 5e-6));
    assert_true(prices_find(prices, "gcs", "eu", &other));
    assert_true(near(other.gib_month, 0.026) && near(other.request[STORE_PUT], 10e-6));
    assert_false(prices_find(prices, "acme", "us-east-1", &price));
    const double requests[STORE_DELETE + 1] = {1e6, 1e6, 0, 1e6, 1e9};
    assert_true(fabs(price_of_requests(&price, requests) - 10.4) < 1e-6);
    prices_free(prices);
}

/* What the environment of the tests says. */
static const char *endpoint, *region;

static char *env(const char *name)
{
    union {
        const char *from;
        char *to;
    } value = {strcmp(name, "AWS_ENDPOINT_URL") == 0 ? endpoint
               : strcmp(name, "AWS_REGION") == 0     ? region
                                                     : NULL};
    return value.to;
}

static void expect_place(const char *url, const char *provider, const char *where)
{
    char a[PRICE_NAME_MAX], b[PRICE_NAME_MAX];
    price_place(url, env, a, b);
    assert_string_equal(a, provider);
    assert_string_equal(b, where);
}

/* Whose store it is, is told by the endpoint's host; one's own costs nothing. */
static void places(void **state)
{
    (void)state;
    endpoint = region = NULL;
    expect_place("file:///data", "none", "any");
    expect_place("nonsense", "none", "any");
    expect_place("s3://b/p?region=eu-west-1", "aws", "eu-west-1");
    expect_place("s3://b?endpoint=https://s3.eu-west-2.amazonaws.com&region=eu-west-2",
                 "aws", "eu-west-2");
    expect_place("s3://b?endpoint=https://storage.googleapis.com&region=europe-west1",
                 "gcs", "europe-west1");
    expect_place("s3://b?endpoint=https://x.r2.cloudflarestorage.com:443/", "r2", "");
    expect_place("s3://b?endpoint=http://minio:9000&region=us-east-1", "none", "any");
    expect_place("s3://b?endpoint=http://amazonaws.com.evil.example", "none", "any");
    region = "sa-east-1";
    expect_place("s3://b", "aws", "sa-east-1");
    endpoint = "http://127.0.0.1:7480";
    expect_place("s3://b", "none", "any");
}

static void expect_refused(const char *text, const char *why)
{
    char path[] = "/tmp/weft-prices-XXXXXX";
    struct prices *prices;
    struct err err;
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
    int rc = prices_open(path, &prices, &err);
    unlink(path);
    if (why == NULL) {
        struct price price;
        assert_int_equal(rc, 0);
        assert_true(prices_find(prices, "own", "here", &price));
        assert_true(near(price.request[STORE_LIST], 1e-6));
        assert_false(prices_find(prices, "aws", "us-east-1", &price));
        prices_free(prices);
        return;
    }
    assert_int_not_equal(rc, 0);
    assert_non_null(strstr(err.text, path));
    if (strstr(err.text, why) == NULL)
        fail_msg("%s", err.text);
}

#define OWN(region, fallback)                                                            \
    "{\"providers\":{\"own\":{\"as_of\":\"2026\",\"source\":\"us\",\"default_region\":"  \
    "\"" fallback "\",\"regions\":{\"here\":" region "}}}}"

/* A table of one's own takes the place of the built-in one; what is wrong with it is said
 * with its name. */
static void own_table(void **state)
{
    struct prices *prices;
    struct err err;
    (void)state;
    expect_refused(OWN("{\"put\":5,\"get\":1,\"head\":1,\"list\":1,\"delete\":0,"
                       "\"gib_month\":0.1}",
                       "here"),
                   NULL);
    expect_refused("{", "invalid JSON");
    expect_refused("{\"providers\":{}}", "there is none");
    expect_refused(OWN("{\"put\":5}", "here"), "get: missing");
    expect_refused(OWN("{\"put\":-5}", "here"), "put: not from 0");
    expect_refused(OWN("{\"put\":5,\"get\":1,\"head\":1,\"list\":1,\"delete\":0,"
                       "\"gib_month\":0.1}",
                       "there"),
                   "default_region of own");
    assert_int_not_equal(prices_open("/nonexistent/prices", &prices, &err), 0);
    assert_non_null(strstr(err.text, "/nonexistent/prices"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(built_in),
        cmocka_unit_test(places),
        cmocka_unit_test(own_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
