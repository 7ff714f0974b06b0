/* test_cli_config.c - the file of contexts, and the CA that is picked at login. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config.h"
#include "cli/file.h"
#include "cli/login.h"
#include "common/mem.h"
#include "common/x509.h"

static char directory[64];
static char path[128];
static struct config *config;
static struct err err;

static int setup(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/test_cli_config.XXXXXX");
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/weft/config.json", directory);
    config = mem_zalloc(sizeof(*config));
    config->lock_fd = -1;
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    (void)state;
    config_fini(config);
    mem_free(config);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    return system(command);
}

static void write_file(const char *text, mode_t mode)
{
    char dir[128];
    snprintf(dir, sizeof(dir), "%s/weft", directory);
    mkdir(dir, 0700);
    assert_int_equal(file_replace(path, slice_str(text), &err), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* No file is no error: there are no contexts then, and nothing is made by looking. */
static void test_absent(void **state)
{
    (void)state;
    assert_int_equal(config_load(config, path, false, &err), 0);
    assert_int_equal(config->context_count, 0);
    assert_int_not_equal(access(path, F_OK), 0);
}

/* What is saved is what is loaded again, in a file that only its owner reads. */
static void test_round_trip(void **state)
{
    struct context *context;
    struct stat st;
    (void)state;
    assert_int_equal(config_load(config, path, true, &err), 0);
    assert_int_equal(config_put(config, "prod", &context, &err), 0);
    assert_int_equal(context_add_server(context, "https://a:7800/", &err), 0);
    assert_int_equal(context_add_server(context, "https://[::1]:7800", &err), 0);
    assert_int_equal(context_add_server(context, "https://a:7800", &err), 0);
    context_set(&context->token, "t\"oken");
    context_set(&context->cluster, "orders");
    context_set(&config->current, "prod");
    assert_int_equal(config_save(config, &err), 0);
    config_fini(config);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(config_load(config, path, false, &err), 0);
    assert_int_equal(config->context_count, 1);
    context = config_find(config, config->current);
    assert_int_equal(context->server_count, 2);
    assert_string_equal(context->servers[0], "https://a:7800");
    assert_string_equal(context->servers[1], "https://[::1]:7800");
    assert_string_equal(context->token, "t\"oken");
    assert_string_equal(context->cluster, "orders");
    assert_null(context->ca_pem);
    config_remove(config, context);
    assert_null(config->current);
    assert_int_equal(config->context_count, 0);
}

/* A file of tokens that others may read is refused, with what to do. */
static void test_open_mode(void **state)
{
    (void)state;
    write_file("{\"version\":1,\"contexts\":{}}", 0640);
    assert_int_equal(config_load(config, path, false, &err), ERR_FORBIDDEN);
    assert_non_null(strstr(err.text, "chmod 600"));
}

/* A file that is damaged or of a newer program is refused, by name. */
static void test_bad_files(void **state)
{
    static const struct {
        const char *text;
        int code;
    } bad[] = {
        {"{", ERR_MALFORMED},
        {"[]", ERR_MALFORMED},
        {"{\"version\":2,\"contexts\":{}}", ERR_UNSUPPORTED},
        {"{\"version\":1}", ERR_MALFORMED},
        {"{\"version\":1,\"contexts\":{\"a\":{}}}", ERR_MALFORMED},
        {"{\"version\":1,\"contexts\":{\"a b\":{\"servers\":[]}}}", ERR_INVALID},
        {"{\"version\":1,\"contexts\":{\"a\":{\"servers\":[\"http://x\"]}}}",
         ERR_INVALID},
        {"{\"version\":1,\"contexts\":{\"a\":{\"servers\":[],\"token\":5}}}",
         ERR_MALFORMED},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        write_file(bad[i].text, 0600);
        assert_int_equal(config_load(config, path, false, &err), bad[i].code);
        assert_non_null(strstr(err.text, path));
        config_fini(config);
    }
}

/* An address is https, a host and a port; nothing that could lead elsewhere. */
static void test_addresses(void **state)
{
    static const char *const bad[] = {"a",           "http://a:1",       "https://",
                                      "https://a/x", "https://u@a:1",    "https://a:1?x",
                                      "https://a b", "https://a:1\r\nX", "https://a#x"};
    char *clean;
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(config_clean_url(bad[i], &clean, &err), ERR_INVALID);
    assert_int_equal(config_clean_url("https://a.b:1//", &clean, &err), 0);
    assert_string_equal(clean, "https://a.b:1");
    mem_free(clean);
}

/* Who changes the file waits for who is changing it. */
static void test_lock(void **state)
{
    char lock[160], command[256];
    (void)state;
    assert_int_equal(config_load(config, path, true, &err), 0);
    snprintf(lock, sizeof(lock), "%s.lock", path);
    snprintf(command, sizeof(command), "flock --nonblock %s true", lock);
    assert_int_not_equal(system(command), 0);
    config_fini(config);
    assert_int_equal(system(command), 0);
}

/* Of a chain, only the certificate of the fingerprint is trusted, however it is spelt. */
static void test_pick_ca(void **state)
{
    char first[X509_FINGERPRINT_LEN + 1], hex[2][X509_FINGERPRINT_LEN + 1],
        spelt[128] = "";
    struct str key, pem[2], chain, out;
    (void)state;
    str_init(&chain, 65536);
    str_init(&out, 65536);
    for (int i = 0; i < 2; i++) {
        str_init(&key, X509_PEM_MAX);
        str_init(&pem[i], X509_PEM_MAX);
        assert_int_equal(x509_make_key(&key, &err), 0);
        assert_int_equal(x509_make_ca(str_slice(&key), "ca", 10, &pem[i], &err), 0);
        assert_int_equal(x509_fingerprint(str_slice(&pem[i]), hex[i], &err), 0);
        str_append_slice(&chain, str_slice(&pem[i]));
        str_fini(&key);
    }
    for (int i = 0; i < X509_FINGERPRINT_LEN; i += 2)
        sprintf(spelt + strlen(spelt), "%s%.2s", i == 0 ? "" : ":", hex[1] + i);
    spelt[0] = spelt[0] >= 'a' && spelt[0] <= 'f' ? (char)(spelt[0] - 32) : spelt[0];
    assert_int_equal(login_pick_ca(str_slice(&chain), spelt, first, &out, &err), 0);
    assert_memory_equal(str_cstr(&out), str_cstr(&pem[1]), out.len - 1);
    assert_int_equal(login_pick_ca(str_slice(&chain), NULL, first, &out, &err),
                     ERR_NOT_FOUND);
    assert_string_equal(first, hex[0]);
    hex[1][0] = hex[1][0] == '0' ? '1' : '0';
    assert_int_equal(login_pick_ca(str_slice(&chain), hex[1], first, &out, &err),
                     ERR_NOT_FOUND);
    assert_int_equal(login_pick_ca(str_slice(&chain), "abc", first, &out, &err),
                     ERR_INVALID);
    assert_int_equal(login_pick_ca(SLICE_LITERAL("<html>"), hex[0], first, &out, &err),
                     ERR_MALFORMED);
    str_fini(&chain);
    str_fini(&out);
    str_fini(&pem[0]);
    str_fini(&pem[1]);
}

/* Where the file lies follows WEFT_CONFIG, XDG_CONFIG_HOME and HOME, in this order. */
static void test_path(void **state)
{
    char *text;
    (void)state;
    setenv("HOME", "/home/x", 1);
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("WEFT_CONFIG");
    assert_int_equal(config_path(&text, &err), 0);
    assert_string_equal(text, "/home/x/.config/weft/config.json");
    mem_free(text);
    setenv("XDG_CONFIG_HOME", "/xdg", 1);
    assert_int_equal(config_path(&text, &err), 0);
    assert_string_equal(text, "/xdg/weft/config.json");
    mem_free(text);
    setenv("WEFT_CONFIG", "/tmp/c", 1);
    assert_int_equal(config_path(&text, &err), 0);
    assert_string_equal(text, "/tmp/c");
    mem_free(text);
    unsetenv("WEFT_CONFIG");
    unsetenv("XDG_CONFIG_HOME");
    unsetenv("HOME");
    assert_int_equal(config_path(&text, &err), ERR_NOT_FOUND);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_absent),    TEST(test_round_trip), TEST(test_open_mode),
        TEST(test_bad_files), TEST(test_addresses),  TEST(test_lock),
        TEST(test_pick_ca),   TEST(test_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
