/* test_trust.c - the certificate authority's files, certificates, tokens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/mem.h"
#include "common/x509.h"
#include "controlplane/trust.h"

static char directory[64];

static int setup(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/weft-trust-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static const char *path(const char *name)
{
    static char text[128];
    snprintf(text, sizeof(text), "%s/%s", directory, name);
    return text;
}

static int teardown(void **state)
{
    static const char *const files[] = {"ca.key", "ca.crt", "ca.fingerprint",
                                        "admin-token", "file"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(path(files[i]));
    return rmdir(directory);
}

static int open_trust(struct trust **trust, struct err *err)
{
    struct trust_options options = {.data_dir = directory,
                                    .tls_names = "localhost,127.0.0.1",
                                    .agent_life_ms = 60000,
                                    .server_life_ms = 60000};
    return trust_open(&options, trust, err);
}

static void read_token(char token[256])
{
    FILE *file = fopen(path("admin-token"), "r");
    assert_non_null(file);
    assert_non_null(fgets(token, 256, file));
    token[strcspn(token, "\n")] = '\0';
    fclose(file);
}

static unsigned mode_of(const char *name)
{
    struct stat st;
    assert_int_equal(stat(path(name), &st), 0);
    return st.st_mode & 0777;
}

/* The first start makes what is missing, private where it must be; the next finds it. */
static void first_and_second_start(void **state)
{
    struct trust *trust;
    struct err err;
    char fingerprint[X509_FINGERPRINT_LEN + 1], token[256];
    (void)state;
    assert_int_equal(open_trust(&trust, &err), 0);
    assert_int_equal(mode_of("ca.key"), 0600);
    assert_int_equal(mode_of("admin-token"), 0600);
    strcpy(fingerprint, trust_ca_fingerprint(trust));
    assert_int_equal(strlen(fingerprint), 64);
    read_token(token);
    assert_true(trust_is_admin(trust, slice_str(token)));
    trust_close(trust);
    assert_int_equal(open_trust(&trust, &err), 0);
    assert_string_equal(trust_ca_fingerprint(trust), fingerprint);
    assert_true(trust_is_admin(trust, slice_str(token)));
    token[20] ^= 1;
    assert_false(trust_is_admin(trust, slice_str(token)));
    assert_false(trust_is_admin(trust, SLICE_LITERAL("")));
    trust_close(trust);
}

/* A crash between key and certificate is completed; the reverse is refused. */
static void halves(void **state)
{
    struct trust *trust;
    struct err err;
    (void)state;
    assert_int_equal(open_trust(&trust, &err), 0);
    trust_close(trust);
    unlink(path("ca.crt"));
    assert_int_equal(open_trust(&trust, &err), 0);
    trust_close(trust);
    unlink(path("ca.key"));
    assert_int_equal(open_trust(&trust, &err), ERR_DAMAGED);
    assert_non_null(strstr(err.text, "restore"));
}

/* What others can read is no secret: the start is refused. */
static void loose_modes(void **state)
{
    struct trust *trust;
    struct err err;
    (void)state;
    assert_int_equal(open_trust(&trust, &err), 0);
    trust_close(trust);
    chmod(path("admin-token"), 0640);
    assert_int_equal(open_trust(&trust, &err), ERR_FORBIDDEN);
    chmod(path("admin-token"), 0600);
    chmod(path("ca.key"), 0604);
    assert_int_equal(open_trust(&trust, &err), ERR_FORBIDDEN);
}

/* A short admin token, such as an empty file, opens nothing. */
static void short_admin_token(void **state)
{
    struct trust *trust;
    struct err err;
    (void)state;
    assert_int_equal(
        trust_write_file(path("admin-token"), SLICE_LITERAL("secret\n"), 0600, &err), 0);
    assert_int_equal(open_trust(&trust, &err), ERR_INVALID);
}

/* An agent's certificate says what the caller said, for so long as was set. */
static void agent_certificate(void **state)
{
    struct trust *trust;
    struct str key, request, cert;
    struct err err;
    struct uuid cluster = uuid_random(), agent = uuid_random();
    int64_t not_after_ms = 0, read_ms = 0, now_ms = 1700000000000;
    (void)state;
    str_init(&key, X509_PEM_MAX);
    str_init(&request, X509_PEM_MAX);
    str_init(&cert, X509_PEM_MAX);
    assert_int_equal(open_trust(&trust, &err), 0);
    assert_int_equal(x509_make_key(&key, &err), 0);
    assert_int_equal(x509_make_request(str_slice(&key), "root", &request, &err), 0);
    assert_int_equal(trust_sign_agent(trust, str_slice(&request), &cluster, &agent,
                                      now_ms, &cert, &not_after_ms, &err),
                     0);
    assert_int_equal(not_after_ms, now_ms + 60000);
    assert_int_equal(x509_not_after_ms(str_slice(&cert), &read_ms, &err), 0);
    assert_in_range(read_ms, not_after_ms - 1000, not_after_ms);
    str_reset(&cert);
    assert_int_equal(trust_sign_agent(trust, SLICE_LITERAL("junk"), &cluster, &agent,
                                      now_ms, &cert, &not_after_ms, &err),
                     ERR_MALFORMED);
    trust_close(trust);
    str_fini(&key);
    str_fini(&request);
    str_fini(&cert);
}

/* Tokens are long, differ, tell their kind, and are known by their hash only. */
static void tokens(void **state)
{
    char a[TOKEN_TEXT_MAX], b[TOKEN_TEXT_MAX];
    uint8_t hash[SHA256_LEN], again[SHA256_LEN];
    (void)state;
    token_make(TOKEN_ENROL, a, hash);
    token_make(TOKEN_ADMIN, b, again);
    assert_true(strlen(a) >= 64 && strcmp(a, b) != 0);
    assert_int_equal(token_kind_of(slice_str(a)), TOKEN_ENROL);
    assert_int_equal(token_kind_of(slice_str(b)), TOKEN_ADMIN);
    assert_int_equal(token_kind_of(SLICE_LITERAL("weft")), TOKEN_UNKNOWN);
    token_hash(slice_str(a), again);
    assert_memory_equal(hash, again, SHA256_LEN);
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

/* A file is replaced whole, with its mode. */
static void write_file(void **state)
{
    struct err err;
    (void)state;
    assert_int_equal(trust_write_file(path("file"), SLICE_LITERAL("one"), 0600, &err), 0);
    assert_int_equal(trust_write_file(path("file"), SLICE_LITERAL("two!"), 0644, &err),
                     0);
    assert_int_equal(mode_of("file"), 0644);
    assert_int_not_equal(
        trust_write_file("/nonexistent/x", SLICE_LITERAL("x"), 0600, &err), 0);
}

int main(void)
{
    umask(022);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(first_and_second_start, setup, teardown),
        cmocka_unit_test_setup_teardown(halves, setup, teardown),
        cmocka_unit_test_setup_teardown(loose_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(short_admin_token, setup, teardown),
        cmocka_unit_test_setup_teardown(agent_certificate, setup, teardown),
        cmocka_unit_test(tokens),
        cmocka_unit_test(headers),
        cmocka_unit_test_setup_teardown(write_file, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
