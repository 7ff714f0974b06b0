/* test_identity.c - the identity file, the cell key's file, and what a directory holds.
 */
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

#include "controlplane/cell.h"
#include "controlplane/identity.h"
#include "controlplane/small_file.h"

static char directory[64];
static const uint8_t key[CRYPTO_KEY_LEN] = {1, 2, 3};
static const uint8_t other_key[CRYPTO_KEY_LEN] = {9};

static const char *path(const char *name)
{
    static char text[128];
    snprintf(text, sizeof(text), "%s/%s", directory, name);
    return text;
}

static int setup(void **state)
{
    (void)state;
    snprintf(directory, sizeof(directory), "/tmp/weft-identity-XXXXXX");
    return mkdtemp(directory) == NULL;
}

static int teardown(void **state)
{
    static const char *const files[] = {IDENTITY_FILE, "cell.key", "vote", "file"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        unlink(path(files[i]));
    return rmdir(directory);
}

static void fill(struct identity *identity)
{
    identity_init(identity);
    identity->stage = IDENTITY_JOINED;
    identity->cell_id = uuid_random();
    identity->node_id = 3;
    identity->instance = uuid_random();
    identity->not_after_ms = 1234567;
    str_puts(&identity->key_pem, "very secret");
    str_puts(&identity->chain_pem, "a chain");
    str_puts(&identity->ca_pem, "authorities");
    identity->peers[0].node_id = 1;
    strcpy(identity->peers[0].address, "one:7802");
    identity->peer_count = 1;
}

static void text_of(struct str *text)
{
    struct err err;
    str_init(text, SMALL_FILE_MAX);
    assert_int_equal(small_file_read(directory, IDENTITY_FILE, true, text, &err), 0);
}

/* What is saved is loaded again, whole; the private key is not in the file. */
static void round_trip(void **state)
{
    struct identity a, b;
    struct err err;
    struct str text;
    struct stat st;
    (void)state;
    fill(&a);
    identity_init(&b);
    assert_int_equal(identity_save(directory, key, &a, true, &err), 0);
    assert_int_equal(stat(path(IDENTITY_FILE), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(identity_load(directory, key, &b, &err), 0);
    assert_int_equal(b.stage, IDENTITY_JOINED);
    assert_true(uuid_eq(&a.cell_id, &b.cell_id) && uuid_eq(&a.instance, &b.instance));
    assert_true(b.node_id == 3 && b.not_after_ms == 1234567);
    assert_string_equal(str_cstr(&b.key_pem), "very secret");
    assert_string_equal(str_cstr(&b.chain_pem), "a chain");
    assert_string_equal(str_cstr(&b.ca_pem), "authorities");
    assert_true(b.peer_count == 1 && b.peers[0].node_id == 1);
    assert_string_equal(b.peers[0].address, "one:7802");
    text_of(&text);
    assert_null(strstr(str_cstr(&text), "secret\""));
    assert_null(strstr(str_cstr(&text), "very"));
    str_fini(&text);
    identity_fini(&a);
    identity_fini(&b);
}

/* A founder's file also holds all that the first command will say, until it was said. */
static void founding(void **state)
{
    struct identity a, b;
    struct err err;
    (void)state;
    fill(&a);
    a.stage = IDENTITY_FOUNDING;
    a.peer_count = 0;
    a.ca_id = uuid_random();
    a.token_id = uuid_random();
    str_puts(&a.ca_cert, "the CA");
    str_append(&a.ca_sealed_key, "\0\1\2", 3);
    str_append(&a.sealed_token_secret, "\377\0", 2);
    identity_init(&b);
    assert_int_equal(identity_save(directory, key, &a, true, &err), 0);
    assert_int_equal(identity_load(directory, key, &b, &err), 0);
    assert_true(uuid_eq(&a.ca_id, &b.ca_id) && uuid_eq(&a.token_id, &b.token_id));
    assert_string_equal(str_cstr(&b.ca_cert), "the CA");
    assert_true(slice_eq(str_slice(&a.ca_sealed_key), str_slice(&b.ca_sealed_key)));
    assert_true(
        slice_eq(str_slice(&a.sealed_token_secret), str_slice(&b.sealed_token_secret)));
    a.stage = IDENTITY_MEMBER;
    assert_int_equal(identity_save(directory, key, &a, false, &err), 0);
    struct str text;
    text_of(&text);
    assert_null(strstr(str_cstr(&text), "founding"));
    str_fini(&text);
    /* What signs stays known, so that an expired certificate can be renewed. */
    identity_fini(&b);
    identity_init(&b);
    assert_int_equal(identity_load(directory, key, &b, &err), 0);
    assert_true(slice_eq(str_slice(&a.ca_sealed_key), str_slice(&b.ca_sealed_key)));
    identity_fini(&a);
    identity_fini(&b);
}

/* A second first save does not overwrite what another process has begun. */
static void first_is_first(void **state)
{
    struct identity a;
    struct err err;
    (void)state;
    fill(&a);
    assert_int_equal(identity_save(directory, key, &a, true, &err), 0);
    assert_int_equal(identity_save(directory, key, &a, true, &err), ERR_EXISTS);
    identity_fini(&a);
}

/* Another cell key, a loose mode, a damaged file and none at all are told apart. */
static void refusals(void **state)
{
    struct identity a, b;
    struct err err;
    (void)state;
    fill(&a);
    identity_init(&b);
    assert_int_equal(identity_load(directory, key, &b, &err), ERR_NOT_FOUND);
    assert_int_equal(identity_save(directory, key, &a, true, &err), 0);
    assert_int_equal(identity_load(directory, other_key, &b, &err), ERR_UNAUTHENTICATED);
    assert_non_null(strstr(err.text, "--cell-key-file"));
    chmod(path(IDENTITY_FILE), 0640);
    identity_fini(&b);
    identity_init(&b);
    assert_int_equal(identity_load(directory, key, &b, &err), ERR_FORBIDDEN);
    assert_int_equal(small_file_write(directory, IDENTITY_FILE,
                                      SLICE_LITERAL("{\"version\":1}"), 0600, &err),
                     0);
    assert_int_equal(identity_load(directory, key, &b, &err), ERR_DAMAGED);
    assert_non_null(strstr(err.text, IDENTITY_FILE));
    identity_fini(&a);
    identity_fini(&b);
}

/* A directory holds nothing, a node, or what nobody can tell. */
static void places(void **state)
{
    struct err err;
    (void)state;
    assert_int_equal(identity_look("/nonexistent/weft"), IDENTITY_NOTHING);
    assert_int_equal(identity_look(directory), IDENTITY_NOTHING);
    assert_int_equal(
        small_file_write(directory, "cell.key", SLICE_LITERAL("x"), 0600, &err), 0);
    assert_int_equal(identity_look(directory), IDENTITY_NOTHING);
    assert_int_equal(small_file_write(directory, "vote", SLICE_LITERAL("x"), 0600, &err),
                     0);
    assert_int_equal(identity_look(directory), IDENTITY_FOREIGN);
    assert_int_equal(
        small_file_write(directory, IDENTITY_FILE, SLICE_LITERAL("x"), 0600, &err), 0);
    assert_int_equal(identity_look(directory), IDENTITY_THERE);
}

/* The cell key comes from the text or the file, is made only when asked for, and what is
 * none, or is open to others, is refused. */
static void cell_keys(void **state)
{
    uint8_t a[CRYPTO_KEY_LEN], b[CRYPTO_KEY_LEN];
    struct err err;
    struct stat st;
    char text[65];
    char file[128];
    (void)state;
    snprintf(file, sizeof(file), "%s", path("cell.key"));
    assert_int_equal(identity_cell_key(NULL, file, false, a, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "WEFT_CELL_KEY"));
    assert_int_equal(identity_cell_key(NULL, file, true, a, &err), 0);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(identity_cell_key("", file, true, b, &err), 0);
    assert_memory_equal(a, b, sizeof(a));
    memset(text, 'a', 64);
    text[64] = '\0';
    assert_int_equal(identity_cell_key(text, file, false, b, &err), 0);
    assert_int_equal(b[31], 0xaa);
    assert_int_equal(identity_cell_key("abc", file, false, b, &err), ERR_INVALID);
    assert_null(strstr(err.text, "abc"));
    chmod(file, 0644);
    assert_int_equal(identity_cell_key(NULL, file, false, b, &err), ERR_FORBIDDEN);
}

/* A small file is replaced whole, with its mode; what is too large is not read. */
static void small_files(void **state)
{
    struct err err;
    struct str text;
    struct stat st;
    (void)state;
    str_init(&text, 4);
    assert_int_equal(
        small_file_write(directory, "file", SLICE_LITERAL("one"), 0600, &err), 0);
    assert_int_equal(
        small_file_write(directory, "file", SLICE_LITERAL("two!"), 0644, &err), 0);
    assert_int_equal(stat(path("file"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0644);
    assert_int_equal(small_file_read(NULL, path("file"), false, &text, &err), 0);
    assert_string_equal(str_cstr(&text), "two!");
    assert_int_equal(small_file_read(directory, "file", false, &text, &err),
                     ERR_TOO_LARGE);
    assert_int_equal(small_file_create(directory, "file", SLICE_LITERAL("x"), 0600, &err),
                     ERR_EXISTS);
    assert_int_not_equal(
        small_file_write("/nonexistent", "x", SLICE_LITERAL("x"), 0600, &err), 0);
    str_fini(&text);
}

/* A token that an operator brings along, as an option or in a file, is one that calls
 * take: founded with another, a cell would let nobody in. */
static void admin_tokens(void **state)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {{"weft_api_0123456789abcdef0123456789\n", 0},
                 {"0123456789abcdef0123456789abcdef0123456789\n", ERR_INVALID},
                 {"weft_join_0123456789abcdef0123456789\n", ERR_INVALID},
                 {"weft_api_0123\n", ERR_INVALID}};
    struct control_options options = {.data_dir = directory};
    struct cell_self cell = {.trust = NULL};
    uint8_t hash[SHA256_LEN], want[SHA256_LEN];
    struct err err;
    (void)state;

    options.admin_token_file = (char *)(uintptr_t)path("file");
    token_hash(SLICE_LITERAL("weft_api_0123456789abcdef0123456789"), want);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct slice text = slice_str(cases[i].text);
        assert_int_equal(small_file_write(directory, "file", text, 0600, &err), 0);
        assert_int_equal(cell_admin_token(&options, &cell, hash, &err), cases[i].code);
        if (cases[i].code == 0)
            assert_memory_equal(hash, want, SHA256_LEN);
        options.admin_token = (char *)(uintptr_t)cases[i].text;
        assert_int_equal(
            small_file_write(directory, "file", SLICE_LITERAL("no"), 0600, &err), 0);
        assert_int_equal(cell_admin_token(&options, &cell, hash, &err), cases[i].code);
        if (cases[i].code == 0)
            assert_memory_equal(hash, want, SHA256_LEN);
        options.admin_token = NULL;
    }
}

int main(void)
{
    umask(022);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(founding, setup, teardown),
        cmocka_unit_test_setup_teardown(first_is_first, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(places, setup, teardown),
        cmocka_unit_test_setup_teardown(cell_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(small_files, setup, teardown),
        cmocka_unit_test_setup_teardown(admin_tokens, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
