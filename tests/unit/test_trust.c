/* test_trust.c - the cell's authorities, what they sign, and tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/mem.h"
#include "common/x509.h"
#include "controlplane/trust.h"

#define NOW_MS INT64_C(1700000000000)

/* One authority as a state would keep it. */
struct kept {
    struct str cert, cross, sealed;
};

struct fixture {
    struct trust *trust;
    struct kept cas[2];
    struct str secret;
    struct err err;
};

static struct trust *new_trust(uint8_t key)
{
    struct trust_options options = {.tls_names = "localhost,127.0.0.1",
                                    .agent_life_ms = 60000,
                                    .node_life_ms = 90000};
    options.cell_key[5] = key;
    return trust_new(&options);
}

static void make_ca(struct fixture *f, size_t i)
{
    struct kept *ca = &f->cas[i];
    str_init(&ca->cert, X509_PEM_MAX);
    str_init(&ca->cross, X509_PEM_MAX);
    str_init(&ca->sealed, X509_PEM_MAX);
    assert_int_equal(trust_make_ca(f->trust, &ca->cert, &ca->cross, &ca->sealed, &f->err),
                     0);
}

static int load(struct fixture *f, struct trust *trust, size_t from, size_t to)
{
    struct trust_ca cas[2];
    for (size_t i = from; i < to; i++)
        cas[i - from] = (struct trust_ca){.cert_pem = str_slice(&f->cas[i].cert),
                                          .cross_pem = str_slice(&f->cas[i].cross),
                                          .sealed_key = str_slice(&f->cas[i].sealed)};
    return trust_load(trust, cas, to - from, str_slice(&f->secret), &f->err);
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    f->trust = new_trust(1);
    str_init(&f->secret, 4096);
    make_ca(f, 0);
    trust_make_secret(f->trust, &f->secret);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    trust_free(f->trust);
    for (size_t i = 0; i < 2; i++) {
        str_fini(&f->cas[i].cert);
        str_fini(&f->cas[i].cross);
        str_fini(&f->cas[i].sealed);
    }
    str_fini(&f->secret);
    mem_free(f);
    return 0;
}

/* Before the state has told of the authorities nothing can be signed; from then on any
 * node with the cell key can, and another key opens nothing. */
static void load_opens(void **state)
{
    struct fixture *f = *state;
    struct trust *other = new_trust(2);
    struct uuid id = uuid_random();
    char text[TOKEN_TEXT_MAX], hex[X509_FINGERPRINT_LEN + 1];
    uint8_t hash[SHA256_LEN];
    assert_false(trust_loaded(f->trust));
    assert_int_equal(trust_token(f->trust, TOKEN_API, &id, text, hash), ERR_UNAVAILABLE);
    trust_fingerprint(f->trust, hex);
    assert_string_equal(hex, "");
    assert_int_equal(load(f, other, 0, 1), ERR_UNAUTHENTICATED);
    assert_non_null(strstr(f->err.text, "another cell's key"));
    assert_false(trust_loaded(other));
    assert_int_equal(load(f, f->trust, 0, 1), 0);
    assert_true(trust_loaded(f->trust));
    trust_fingerprint(f->trust, hex);
    assert_int_equal(strlen(hex), 64);
    /* What is sealed gives no key away. */
    assert_null(memmem(f->cas[0].sealed.data, f->cas[0].sealed.len, "PRIVATE", 7));
    trust_free(other);
}

/* A load of what is known already changes nothing, another one does. */
static void versions(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(load(f, f->trust, 0, 1), 0);
    uint64_t version = trust_version(f->trust);
    assert_int_equal(load(f, f->trust, 0, 1), 0);
    assert_int_equal(trust_version(f->trust), version);
    make_ca(f, 1);
    assert_int_equal(load(f, f->trust, 0, 2), 0);
    assert_true(trust_version(f->trust) > version);
}

static void make_request(struct str *key, struct str *request)
{
    struct err err;
    str_init(key, X509_PEM_MAX);
    str_init(request, X509_PEM_MAX);
    assert_int_equal(x509_make_key(key, &err), 0);
    assert_int_equal(x509_make_request(str_slice(key), "root", request, &err), 0);
}

/* An agent's certificate says what the caller said, for so long as was set. */
static void agent_certificate(void **state)
{
    struct fixture *f = *state;
    struct str key, request, cert;
    struct uuid cluster = uuid_random(), agent = uuid_random();
    int64_t not_after_ms = 0, read_ms = 0;
    make_request(&key, &request);
    str_init(&cert, X509_PEM_MAX);
    assert_int_equal(load(f, f->trust, 0, 1), 0);
    assert_int_equal(trust_sign_agent(f->trust, str_slice(&request), &cluster, &agent,
                                      NOW_MS, &cert, &not_after_ms, &f->err),
                     0);
    assert_int_equal(not_after_ms, NOW_MS + 60000);
    assert_int_equal(x509_not_after_ms(str_slice(&cert), &read_ms, &f->err), 0);
    assert_in_range(read_ms, not_after_ms - 1000, not_after_ms);
    str_reset(&cert);
    assert_int_equal(trust_sign_agent(f->trust, SLICE_LITERAL("junk"), &cluster, &agent,
                                      NOW_MS, &cert, &not_after_ms, &f->err),
                     ERR_MALFORMED);
    str_fini(&key);
    str_fini(&request);
    str_fini(&cert);
}

static size_t count_certificates(const struct str *pem)
{
    size_t count = 0;
    for (const char *p = str_cstr(pem); (p = strstr(p, "BEGIN CERT")) != NULL; p++)
        count++;
    return count;
}

/* After a rotation a node's chain leads to the old authority too, and both are trusted,
 * the new one first, until the old one is retired. */
static void rotation(void **state)
{
    struct fixture *f = *state;
    struct uuid cell = uuid_random();
    struct str chain, key, bundle;
    int64_t not_after_ms = 0;
    char old[X509_FINGERPRINT_LEN + 1], hex[X509_FINGERPRINT_LEN + 1];
    str_init(&chain, 4 * X509_PEM_MAX);
    str_init(&key, X509_PEM_MAX);
    str_init(&bundle, 4 * X509_PEM_MAX);
    assert_int_equal(load(f, f->trust, 0, 1), 0);
    trust_fingerprint(f->trust, old);
    assert_int_equal(trust_issue_node(f->trust, &cell, 7, NOW_MS, &chain, &key,
                                      &not_after_ms, &f->err),
                     0);
    assert_int_equal(not_after_ms, NOW_MS + 90000);
    assert_int_equal(count_certificates(&chain), 1);
    assert_true(x509_matches(str_slice(&key), str_slice(&chain)));

    make_ca(f, 1);
    assert_int_equal(count_certificates(&f->cas[1].cross), 1);
    assert_int_equal(load(f, f->trust, 0, 2), 0);
    trust_fingerprint(f->trust, hex);
    assert_string_not_equal(hex, old);
    str_reset(&chain);
    str_reset(&key);
    assert_int_equal(trust_issue_node(f->trust, &cell, 7, NOW_MS, &chain, &key,
                                      &not_after_ms, &f->err),
                     0);
    assert_int_equal(count_certificates(&chain), 2);
    trust_bundle(f->trust, &bundle);
    assert_int_equal(count_certificates(&bundle), 2);
    assert_int_equal(memcmp(bundle.data, f->cas[1].cert.data, f->cas[1].cert.len), 0);

    char first[X509_KEY_ID_LEN + 1], second[X509_KEY_ID_LEN + 1];
    assert_int_equal(x509_key_id(str_slice(&f->cas[0].cert), first, &f->err), 0);
    assert_int_equal(x509_authority_id(str_slice(&chain), second, &f->err), 0);
    assert_true(trust_knows(f->trust, first) && trust_knows(f->trust, second));
    assert_int_equal(load(f, f->trust, 1, 2), 0);
    assert_true(!trust_knows(f->trust, first) && trust_knows(f->trust, second));
    assert_false(trust_knows(f->trust, ""));
    str_reset(&bundle);
    trust_bundle(f->trust, &bundle);
    assert_int_equal(count_certificates(&bundle), 1);
    str_fini(&chain);
    str_fini(&key);
    str_fini(&bundle);
}

/* A token's text follows from its id, says its kind, and is another for each id and under
 * each secret. */
static void tokens(void **state)
{
    struct fixture *f = *state;
    struct uuid id = uuid_random(), other_id = uuid_random();
    char text[TOKEN_TEXT_MAX], again[TOKEN_TEXT_MAX];
    uint8_t hash[SHA256_LEN], other_hash[SHA256_LEN];
    static const enum token_kind kinds[] = {TOKEN_API, TOKEN_ENROL, TOKEN_JOIN};
    assert_int_equal(load(f, f->trust, 0, 1), 0);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_int_equal(trust_token(f->trust, kinds[i], &id, text, hash), 0);
        assert_int_equal(token_kind_of(slice_str(text)), kinds[i]);
        assert_int_equal(trust_token(f->trust, kinds[i], &id, again, other_hash), 0);
        assert_string_equal(text, again);
        assert_memory_equal(hash, other_hash, SHA256_LEN);
        token_hash(slice_str(text), other_hash);
        assert_memory_equal(hash, other_hash, SHA256_LEN);
        assert_true(strlen(text) >= 64 && strpbrk(text, "+/= ") == NULL);
        assert_int_equal(trust_token(f->trust, kinds[i], &other_id, again, other_hash),
                         0);
        assert_string_not_equal(text, again);
    }
    str_reset(&f->secret);
    trust_make_secret(f->trust, &f->secret);
    assert_int_equal(load(f, f->trust, 0, 1), 0);
    assert_int_equal(trust_token(f->trust, TOKEN_JOIN, &id, again, other_hash), 0);
    assert_string_not_equal(text, again);
    assert_int_equal(token_kind_of(SLICE_LITERAL("weft")), TOKEN_UNKNOWN);
}

/* Proof of the cell key is of one request and one key. */
static void join_proof(void **state)
{
    struct fixture *f = *state;
    struct trust *other = new_trust(2);
    char a[2 * SHA256_LEN + 1], b[2 * SHA256_LEN + 1];
    trust_join_proof(f->trust, SLICE_LITERAL("request"), a);
    trust_join_proof(f->trust, SLICE_LITERAL("request"), b);
    assert_string_equal(a, b);
    trust_join_proof(f->trust, SLICE_LITERAL("request2"), b);
    assert_string_not_equal(a, b);
    trust_join_proof(other, SLICE_LITERAL("request"), b);
    assert_string_not_equal(a, b);
    trust_free(other);
}

/* What the cell key proves is of one key and one thing: certificates with one nonce, a
 * request, a token; and a nonce does not run into the certificates. */
static void key_proofs(void **state)
{
    struct fixture *f = *state;
    struct trust *other = new_trust(2), *same = new_trust(1);
    char a[2 * SHA256_LEN + 1], b[2 * SHA256_LEN + 1];
    char text[TOKEN_TEXT_MAX], again[TOKEN_TEXT_MAX];
    uint8_t hash[SHA256_LEN], other_hash[SHA256_LEN];

    trust_ca_proof(f->trust, SLICE_LITERAL("01"), SLICE_LITERAL("ca"), a);
    trust_ca_proof(same, SLICE_LITERAL("01"), SLICE_LITERAL("ca"), b);
    assert_string_equal(a, b);
    trust_ca_proof(f->trust, SLICE_LITERAL("02"), SLICE_LITERAL("ca"), b);
    assert_string_not_equal(a, b);
    trust_ca_proof(f->trust, SLICE_LITERAL("01c"), SLICE_LITERAL("a"), b);
    assert_string_not_equal(a, b);
    trust_ca_proof(other, SLICE_LITERAL("01"), SLICE_LITERAL("ca"), b);
    assert_string_not_equal(a, b);
    trust_join_proof(f->trust, SLICE_LITERAL("01:ca"), b);
    assert_string_not_equal(a, b);
    trust_key_token(f->trust, text, hash);
    trust_key_token(same, again, other_hash);
    assert_string_equal(text, again);
    assert_int_equal(token_kind_of(slice_str(text)), TOKEN_JOIN);
    token_hash(slice_str(text), other_hash);
    assert_memory_equal(hash, other_hash, SHA256_LEN);
    trust_key_token(other, again, other_hash);
    assert_string_not_equal(text, again);
    trust_free(other);
    trust_free(same);
}

/* The header is "Bearer TOKEN"; anything else is no token. */
static void headers(void **state)
{
    char big[1024];
    (void)state;
    memset(big, 'x', sizeof(big));
    memcpy(big, "Bearer ", 7);
    big[sizeof(big) - 1] = '\0';
    assert_true(slice_eq_str(token_of_header("Bearer abc"), "abc"));
    assert_true(slice_eq_str(token_of_header("bearer  abc \r\n"), "abc"));
    assert_null(token_of_header(NULL).ptr);
    assert_null(token_of_header("").ptr);
    assert_null(token_of_header("Bearer ").ptr);
    assert_null(token_of_header("Basic abc").ptr);
    assert_null(token_of_header(big).ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(load_opens, setup, teardown),
        cmocka_unit_test_setup_teardown(versions, setup, teardown),
        cmocka_unit_test_setup_teardown(agent_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(rotation, setup, teardown),
        cmocka_unit_test_setup_teardown(tokens, setup, teardown),
        cmocka_unit_test_setup_teardown(join_proof, setup, teardown),
        cmocka_unit_test_setup_teardown(key_proofs, setup, teardown),
        cmocka_unit_test(headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
