/* test_sigv4.c - signatures against those that AWS has published, and hard cases against
 * an implementation of its own (tests/lib/s3_client.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/sigv4.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define BODY_HASH  "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define AWS_HOST   "examplebucket.s3.amazonaws.com"

/* The account of AWS's examples ("Authenticating Requests: Using the Authorization
 * Header", Amazon S3 API Reference). */
static struct sigv4_input example(const char *method, const char *path,
                                  const struct sigv4_pair *headers, size_t count,
                                  const char *hash)
{
    return (struct sigv4_input){
        .method = method,
        .path = path,
        .headers = headers,
        .header_count = count,
        .payload_hash = hash,
        .access_key = "AKIAIOSFODNN7EXAMPLE",
        .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        .region = "us-east-1",
        .service = "s3",
        .wall_ms = 1369353600000,
    };
}

static void assert_signature(const struct sigv4_input *input, const char *target,
                             const char *signed_headers, const char *signature)
{
    struct sigv4_output output;
    char text[256];
    assert_int_equal(sigv4_sign(input, &output), 0);
    assert_string_equal(output.target.data, target);
    const char *names = strstr(output.authorization.data, "SignedHeaders=");
    const char *sign = strstr(output.authorization.data, "Signature=");
    assert_non_null(names);
    assert_non_null(sign);
    assert_string_equal(sign + strlen("Signature="), signature);
    snprintf(text, sizeof(text), "SignedHeaders=%s, ", signed_headers);
    assert_memory_equal(names, text, strlen(text));
    sigv4_fini(&output);
}

/* GET of a range: AWS's first example, the whole header. */
static void test_get_object(void **state)
{
    const struct sigv4_pair headers[] = {
        {"range", "bytes=0-9"}, {"host", AWS_HOST}, {"x-amz-content-sha256", EMPTY_HASH}};
    struct sigv4_input input = example("GET", "/test.txt", headers, 3, EMPTY_HASH);
    struct sigv4_output output;
    (void)state;
    assert_int_equal(sigv4_sign(&input, &output), 0);
    assert_string_equal(output.date, "20130524T000000Z");
    assert_string_equal(
        output.authorization.data,
        "AWS4-HMAC-SHA256 "
        "Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    sigv4_fini(&output);
}

/* PUT with a key that must be encoded and a header of another name: AWS's second. */
static void test_put_object(void **state)
{
    const struct sigv4_pair headers[] = {{"host", AWS_HOST},
                                         {"date", "Fri, 24 May 2013 00:00:00 GMT"},
                                         {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
                                         {"x-amz-content-sha256", BODY_HASH}};
    struct sigv4_input input = example("PUT", "/test$file.text", headers, 4, BODY_HASH);
    (void)state;
    assert_signature(&input, "/test%24file.text",
                     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
                     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

/* A parameter without a value is signed, and sent, with its "=": AWS's third. */
static void test_parameter_without_value(void **state)
{
    const struct sigv4_pair headers[] = {{"host", AWS_HOST},
                                         {"x-amz-content-sha256", EMPTY_HASH}};
    const struct sigv4_pair params[] = {{"lifecycle", ""}};
    struct sigv4_input input = example("GET", "/", headers, 2, EMPTY_HASH);
    (void)state;
    input.params = params;
    input.param_count = 1;
    assert_signature(&input, "/?lifecycle=", "host;x-amz-content-sha256;x-amz-date",
                     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
}

/* A list, its parameters given in the wrong order: AWS's fourth. */
static void test_list(void **state)
{
    const struct sigv4_pair headers[] = {{"host", AWS_HOST},
                                         {"x-amz-content-sha256", EMPTY_HASH}};
    const struct sigv4_pair params[] = {{"prefix", "J"}, {"max-keys", "2"}};
    struct sigv4_input input = example("GET", "/", headers, 2, EMPTY_HASH);
    (void)state;
    input.params = params;
    input.param_count = 2;
    assert_signature(&input, "/?max-keys=2&prefix=J",
                     "host;x-amz-content-sha256;x-amz-date",
                     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

/* Bytes of every kind in the path, names that begin with one another, an unsigned body.
 */
static void test_hard_case(void **state)
{
    const struct sigv4_pair headers[] = {
        {"x-amz-meta-a-b", "2"},    {"x-amz-meta", "0"},
        {"host", "localhost:8000"}, {"x-amz-meta-a", "1"},
        {"if-none-match", "*"},     {"x-amz-content-sha256", "UNSIGNED-PAYLOAD"}};
    const struct sigv4_pair params[] = {{"prefix", "a b+c=\xc3\xa9/"},
                                        {"a-b", "1"},
                                        {"a", ""},
                                        {"a/", "%"},
                                        {"list-type", "2"}};
    struct sigv4_input input =
        example("PUT", "/own/a b+c=\xc3\xa9~(1)*'", headers, 6, "UNSIGNED-PAYLOAD");
    (void)state;
    input.params = params;
    input.param_count = 5;
    input.secret_key = "secrettest";
    input.region = "eu-west-3";
    input.wall_ms = 1767323045999;
    assert_signature(&input,
                     "/own/a%20b%2Bc%3D%C3%A9~%281%29%2A%27"
                     "?a=&a%2F=%25&a-b=1&list-type=2&prefix=a%20b%2Bc%3D%C3%A9%2F",
                     "host;if-none-match;x-amz-content-sha256;x-amz-date;x-amz-meta;"
                     "x-amz-meta-a;x-amz-meta-a-b",
                     "e5745af3cdaeccb5560527d37dbaf8224957833c2326dcf5703fd27a593db3ef");
}

/* Too many pairs are refused, not cut. */
static void test_too_many(void **state)
{
    struct sigv4_pair pairs[SIGV4_PAIRS_MAX + 1];
    struct sigv4_output output;
    (void)state;
    for (size_t i = 0; i < SIGV4_PAIRS_MAX + 1; i++)
        pairs[i] = (struct sigv4_pair){"host", "x"};
    struct sigv4_input input =
        example("GET", "/", pairs, SIGV4_PAIRS_MAX + 1, EMPTY_HASH);
    assert_int_equal(sigv4_sign(&input, &output), ERR_TOO_LARGE);
    sigv4_fini(&output);
    input.header_count = 1;
    input.params = pairs;
    input.param_count = SIGV4_PAIRS_MAX + 1;
    assert_int_equal(sigv4_sign(&input, &output), ERR_TOO_LARGE);
    sigv4_fini(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_object),
        cmocka_unit_test(test_put_object),
        cmocka_unit_test(test_parameter_without_value),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_hard_case),
        cmocka_unit_test(test_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
