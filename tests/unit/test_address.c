/* Unit tests of agent/address.c, agent/memory_limit.c and agent/options.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/address.h"
#include "agent/memory_limit.h"
#include "agent/options.h"

/* HOST:PORT in its spellings, and what is none. */
static void test_parse(void **state)
{
    static const struct {
        const char *text, *host;
        int port;
    } good[] = {
        {"a.b:1", "a.b", 1}, {"[::1]:9092", "::1", 9092}, {":80", "", 80},
        {"host", "host", 7}, {"[fe80::1]", "fe80::1", 7}, {"1.2.3.4:0", "1.2.3.4", 0}};
    static const char *const bad[] = {"a:b",  "a:65536", "a:-1",
                                      "[::1", "[::1]x",  "a:1,b:2"};
    struct address address;
    struct err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(address_parse("x", good[i].text, 7, &address, &err), 0);
        assert_string_equal(address.host, good[i].host);
        assert_int_equal(address.port, good[i].port);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(address_parse("listen", bad[i], 7, &address, &err), ERR_INVALID);
        assert_non_null(strstr(err.text, "listen"));
    }
    assert_int_equal(address_parse("x", "host", -1, &address, &err), ERR_INVALID);
}

/* Clients are told the option's address, else the Pod's, else the one listened on, else
 * one of this machine; never "all addresses". */
static void test_advertised(void **state)
{
    struct address address;
    struct err err = {0};
    (void)state;
    unsetenv("POD_IP");
    assert_int_equal(address_advertised("pub:1", "0.0.0.0:9092", 9092, &address, &err),
                     0);
    assert_string_equal(address.host, "pub");
    assert_int_equal(address.port, 1);
    assert_int_equal(address_advertised("pub", "0.0.0.0:0", 5555, &address, &err), 0);
    assert_int_equal(address.port, 5555);
    assert_int_equal(address_advertised(NULL, "127.0.0.9:0", 41, &address, &err), 0);
    assert_string_equal(address.host, "127.0.0.9");
    assert_int_equal(address.port, 41);
    assert_int_equal(address_advertised(NULL, "0.0.0.0:9,[::1]:9", 9, &address, &err), 0);
    assert_string_not_equal(address.host, "0.0.0.0");
    assert_true(address.host[0] != '\0');
    setenv("POD_IP", "10.9.8.7", 1);
    assert_int_equal(address_advertised(NULL, "0.0.0.0:9", 9, &address, &err), 0);
    assert_string_equal(address.host, "10.9.8.7");
    unsetenv("POD_IP");
    assert_int_equal(address_advertised("0.0.0.0:1", "a:1", 1, &address, &err),
                     ERR_INVALID);
}

/* A port in use is an error that names the address. */
static void test_listen(void **state)
{
    struct address address;
    struct err err = {0};
    int fd, again;
    (void)state;
    assert_int_equal(address_parse("x", "127.0.0.1:0", -1, &address, &err), 0);
    assert_int_equal(address_listen("x", &address, &fd, &err), 0);
    address.port = address_port(fd);
    assert_true(address.port > 0);
    assert_int_not_equal(address_listen("admin-listen", &address, &again, &err), 0);
    assert_non_null(strstr(err.text, "admin-listen"));
    assert_non_null(strstr(err.text, "127.0.0.1"));
    close(fd);
}

static void put(const char *root, const char *path, const char *text)
{
    char file[512];
    snprintf(file, sizeof(file), "%s%s", root, path);
    for (char *slash = strchr(file + 1, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(file, 0700);
        *slash = '/';
    }
    FILE *f = fopen(file, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* The least limit counts: of the own group and its parents, v1 and v2, and the machine.
 */
static void test_memory_limit(void **state)
{
    char root[] = "/tmp/weft-test-XXXXXX", command[64];
    (void)state;
    assert_non_null(mkdtemp(root));
    int64_t machine = memory_limit_bytes(root);
    assert_true(machine > 1 << 20);
    put(root, "/proc/self/cgroup", "0::/a/b\n");
    put(root, "/sys/fs/cgroup/a/b/memory.max", "max\n");
    assert_int_equal(memory_limit_bytes(root), machine);
    put(root, "/sys/fs/cgroup/a/memory.max", "700000\n");
    assert_int_equal(memory_limit_bytes(root), 700000);
    put(root, "/sys/fs/cgroup/a/b/memory.max", "600000\n");
    assert_int_equal(memory_limit_bytes(root), 600000);
    put(root, "/proc/self/cgroup", "3:cpu:/x\n7:memory:/c\n");
    put(root, "/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "500000\n");
    assert_int_equal(memory_limit_bytes(root), 500000);
    put(root, "/sys/fs/cgroup/memory/c/memory.limit_in_bytes", "9223372036854771712\n");
    assert_int_equal(memory_limit_bytes(root), machine);
    put(root, "/proc/self/cgroup", "nonsense\n");
    assert_int_equal(memory_limit_bytes(root), machine);
    snprintf(command, sizeof(command), "rm -r %s", root);
    assert_int_equal(system(command), 0);
}

static int parse(struct agent_options *options, char **argv, struct err *err)
{
    enum option_outcome outcome;
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    memset(options, 0, sizeof(*options));
    int rc = option_parse(&agent_program, argc, argv, options, &outcome, err);
    return rc != 0 ? rc : agent_options_check(options, err);
}

/* Four options are enough; without one of them, or out of range, the text says which. */
static void test_options(void **state)
{
    char *good[] = {"weft-agent",          "--control-plane=https://a:1",
                    "--ca-fingerprint=00", "--enrolment-token=t",
                    "--store=file:///x",   NULL};
    char *missing[] = {"weft-agent", "--control-plane=https://a:1", NULL};
    char *range[] = {"weft-agent",
                     "--control-plane=https://a:1",
                     "--ca-fingerprint=00",
                     "--enrolment-token=t",
                     "--store=file:///x",
                     "--max-uploads=0",
                     NULL};
    struct agent_options options;
    struct err err = {0};
    (void)state;
    assert_int_equal(parse(&options, good, &err), 0);
    assert_int_equal(options.flush_bytes, 8 << 20);
    assert_int_equal(options.flush_interval_ms, 250);
    assert_string_equal(options.listen, "0.0.0.0:9092");
    option_free(&agent_program, &options);
    assert_int_equal(parse(&options, missing, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "--ca-fingerprint"));
    option_free(&agent_program, &options);
    assert_int_equal(parse(&options, range, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "--max-uploads"));
    option_free(&agent_program, &options);
    /* Less than an agent can work with is not silently more. */
    range[5] = "--memory=63MiB";
    assert_int_equal(parse(&options, range, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "--memory"));
    option_free(&agent_program, &options);
    range[5] = "--memory=64MiB";
    assert_int_equal(parse(&options, range, &err), 0);
    option_free(&agent_program, &options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),   cmocka_unit_test(test_advertised),
        cmocka_unit_test(test_listen),  cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
