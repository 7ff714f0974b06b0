/* test_store_dir.c - the shell of the object store over a real directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fault.h"
#include "common/store_dir.h"
#include "tests/lib/store_client.h"

static char directory[64];
static struct store_client client;

static int remove_entry(const char *path, const struct stat *st, int type,
                        struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void open_store(unsigned threads)
{
    char url[128];
    struct err err;
    snprintf(url, sizeof(url), "file://%s", directory);
    struct store_options options = {.url = url, .threads = threads};
    assert_int_equal(store_client_open(&client, &options, &err), 0);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(directory, "/tmp/weft-store-XXXXXX");
    assert_non_null(mkdtemp(directory));
    open_store(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    store_client_close(&client);
    return nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static int put(const char *key, const char *text)
{
    struct store_request request;
    struct slice piece = slice_str(text);
    store_client_request(&request, STORE_PUT, key, 20000);
    store_client_pieces(&request, &piece, 1);
    return store_client_run(&client, &request);
}

/* The files of DIRECTORY/SUB that are not objects. */
static int strange_files(const char *sub)
{
    char path[128];
    int n = 0;
    snprintf(path, sizeof(path), "%s/%s", directory, sub);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
        n += strchr(entry->d_name, STORE_DIR_TEMP_MARK) != NULL;
    closedir(dir);
    return n;
}

static void assert_get(const char *key, uint64_t offset, uint64_t length,
                       const char *expected)
{
    struct store_request request;
    store_client_request(&request, STORE_GET, key, 20000);
    request.offset = offset;
    request.length = length;
    assert_int_equal(store_client_run(&client, &request), 0);
    assert_int_equal(request.blob->len, strlen(expected));
    assert_memory_equal(request.blob->data, expected, strlen(expected));
    store_client_drop(&request);
}

/* What was put is got back, whole and by ranges; a range past the end is cut. */
static void test_round_trip(void **state)
{
    struct store_request request;
    (void)state;
    assert_int_equal(put("a/b/object-1", "0123456789"), 0);
    assert_get("a/b/object-1", 0, 0, "0123456789");
    assert_get("a/b/object-1", 3, 4, "3456");
    assert_get("a/b/object-1", 8, 100, "89");
    assert_get("a/b/object-1", 4, 0, "456789");
    store_client_request(&request, STORE_HEAD, "a/b/object-1", 20000);
    assert_int_equal(store_client_run(&client, &request), 0);
    assert_int_equal(request.object_size, 10);
    assert_int_equal(request.attempts, 1);
    assert_int_equal(strange_files("a/b"), 0);
}

/* An empty object is an object. */
static void test_empty_object(void **state)
{
    struct store_request request;
    (void)state;
    store_client_request(&request, STORE_PUT, "empty", 20000);
    store_client_pieces(&request, NULL, 0);
    assert_int_equal(store_client_run(&client, &request), 0);
    assert_get("empty", 0, 0, "");
}

/* Pieces arrive in order, whatever their number (more than one writev takes) and size,
 * empty ones included. */
static void test_many_pieces(void **state)
{
    enum { PIECES = 5000 };
    static uint8_t bytes[PIECES * 7];
    static struct slice pieces[PIECES];
    struct store_request request;
    size_t total = 0;
    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 31 + i / 251);
    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = slice_of(bytes + total, i % 8);
        total += i % 8;
    }
    store_client_request(&request, STORE_PUT, "pieces", 5000);
    store_client_pieces(&request, pieces, PIECES);
    assert_int_equal(store_client_run(&client, &request), 0);
    store_client_request(&request, STORE_GET, "pieces", 5000);
    assert_int_equal(store_client_run(&client, &request), 0);
    assert_int_equal(request.blob->len, total);
    assert_memory_equal(request.blob->data, bytes, total);
    assert_int_equal(request.object_size, total);
    store_client_drop(&request);
}

/* A PUT never overwrites: other bytes are refused at once, the same bytes are our own
 * repeat and succeed. */
static void test_create_only(void **state)
{
    struct store_counters counters;
    (void)state;
    assert_int_equal(put("k/1", "first"), 0);
    assert_int_equal(put("k/1", "other"), ERR_EXISTS);
    assert_int_equal(put("k/1", "longer than that"), ERR_EXISTS);
    assert_int_equal(put("k/1", "first"), 0);
    assert_get("k/1", 0, 0, "first");
    assert_int_equal(strange_files("k"), 0);
    store_counters(client.store, &counters);
    assert_int_equal(counters.requests[STORE_PUT], 4);
    assert_int_equal(counters.errors[STORE_PUT], 2);
    assert_int_equal(counters.retries, 0);
    assert_int_equal(counters.bytes_written, 10);
    assert_int_equal(counters.bytes_read, 5);
}

/* A key that is not there, a directory, and a key below an object are NOT_FOUND, at
 * once; deleting them succeeds. */
static void test_missing(void **state)
{
    static const char *const keys[] = {"none", "d", "d/none", "d/o/below", "x/y/z"};
    struct store_request request;
    (void)state;
    assert_int_equal(put("d/o", "x"), 0);
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        store_client_request(&request, STORE_GET, keys[i], 20000);
        assert_int_equal(store_client_run(&client, &request), ERR_NOT_FOUND);
        assert_null(request.blob);
        store_client_request(&request, STORE_HEAD, keys[i], 20000);
        assert_int_equal(store_client_run(&client, &request), ERR_NOT_FOUND);
        store_client_request(&request, STORE_DELETE, keys[i], 20000);
        assert_int_equal(store_client_run(&client, &request), 0);
        assert_int_equal(request.attempts, 1);
    }
    store_client_request(&request, STORE_DELETE, "d/o", 20000);
    assert_int_equal(store_client_run(&client, &request), 0);
    store_client_request(&request, STORE_GET, "d/o", 20000);
    assert_int_equal(store_client_run(&client, &request), ERR_NOT_FOUND);
}

/* A range that begins outside of the object is an error that names its size. */
static void test_range_outside(void **state)
{
    struct store_request request;
    (void)state;
    assert_int_equal(put("r", "12345"), 0);
    store_client_request(&request, STORE_GET, "r", 20000);
    request.offset = 5;
    assert_int_equal(store_client_run(&client, &request), ERR_INVALID);
    assert_non_null(strstr(request.err.text, "5 bytes"));
}

/* Keys that could leave the directory, or mean two things, are refused. */
static void test_bad_keys(void **state)
{
    static const char *const keys[] = {"",     "/a",   "a/",    "a//b",  ".",     "..",
                                       "../a", "a/..", "a/./b", "a b",   "a~b",   "a%2fb",
                                       "\xc3", "a\nb", "a\\b",  "~temp", "a/../b"};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        assert_int_equal(put(keys[i], "x"), ERR_INVALID);
    char name[300];
    memset(name, 'a', sizeof(name));
    name[299] = '\0';
    assert_int_equal(put(name, "x"), ERR_INVALID);
    assert_int_equal(put("..a/b..", "x"), 0);
}

static void list(struct store_request *request, const char *prefix, const char *after)
{
    store_client_request(request, STORE_LIST, prefix, 20000);
    strcpy(request->start_after, after);
    assert_int_equal(store_client_run(&client, request), 0);
}

static void assert_list(const char *prefix, const char *after, const char *expected)
{
    struct store_request request;
    char text[512] = "";
    list(&request, prefix, after);
    for (size_t i = 0; i < request.key_count; i++) {
        strcat(text, request.keys[i]);
        strcat(text, " ");
    }
    assert_string_equal(text, expected);
    assert_false(request.more);
    store_client_drop(&request);
}

/* LIST is in the order of the keys' bytes, across directories, behind start_after, and
 * shows objects only: no temporary or strange files. */
static void test_list_order(void **state)
{
    struct store_request request;
    char path[128];
    (void)state;
    assert_list("", "", "");
    assert_int_equal(put("a/b", "1"), 0);
    assert_int_equal(put("a-b", "22"), 0);
    assert_int_equal(put("a.b/c", "3"), 0);
    assert_int_equal(put("a0", "4"), 0);
    assert_int_equal(put("a/a/z", "5"), 0);
    assert_int_equal(put("b", "6"), 0);
    snprintf(path, sizeof(path), "%s/a/~0123", directory);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    snprintf(path, sizeof(path), "%s/lost+found", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_list("", "", "a-b a.b/c a/a/z a/b a0 b ");
    assert_list("a/", "", "a/a/z a/b ");
    assert_list("a", "", "a-b a.b/c a/a/z a/b a0 ");
    assert_list("a/a", "", "a/a/z ");
    assert_list("", "a.b/c", "a/a/z a/b a0 b ");
    assert_list("", "a/a/y", "a/a/z a/b a0 b ");
    assert_list("", "a/a/zz", "a/b a0 b ");
    assert_list("a", "a/b", "a0 ");
    assert_list("", "b", "");
    assert_list("zz/", "", "");
    list(&request, "a-", "");
    assert_int_equal(request.sizes[0], 2);
    assert_true(llabs(request.modified_ms[0] - clock_wall_ms()) < 60000);
    store_client_drop(&request);
}

/* A temporary file that a killed process left is removed by a LIST a day later, not
 * before: somebody may be writing it. */
static void test_left_overs(void **state)
{
    struct timespec old[2] = {{.tv_nsec = UTIME_OMIT}, {0}};
    char path[2][128];
    (void)state;
    assert_int_equal(put("t/k", "x"), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(path[i], sizeof(path[i]), "%s/t/%c%d", directory, STORE_DIR_TEMP_MARK,
                 i);
        close(open(path[i], O_CREAT | O_WRONLY, 0600));
    }
    old[1].tv_sec = clock_wall_ms() / 1000 - 25 * 3600;
    assert_int_equal(utimensat(AT_FDCWD, path[0], old, 0), 0);
    old[1].tv_sec = clock_wall_ms() / 1000 - 23 * 3600;
    assert_int_equal(utimensat(AT_FDCWD, path[1], old, 0), 0);
    assert_list("t/", "", "t/k ");
    assert_int_equal(access(path[0], F_OK), -1);
    assert_int_equal(access(path[1], F_OK), 0);
}

/* A directory larger than any answer is listed page by page, each key once. */
static void test_list_pages(void **state)
{
    enum { FILES = 5000 };
    struct store_request request;
    char path[128], after[513] = "", expected[32];
    int n = 0;
    (void)state;
    assert_int_equal(put("big/x", "x"), 0);
    for (int i = 0; i < FILES; i++) {
        /* Made in an order that is not the sorted one. */
        snprintf(path, sizeof(path), "%s/big/%05d", directory, (i * 1237) % FILES);
        close(open(path, O_CREAT | O_WRONLY, 0600));
    }
    bool more = true;
    while (more) {
        list(&request, "big/0", after);
        for (size_t i = 0; i < request.key_count; i++, n++) {
            snprintf(expected, sizeof(expected), "big/%05d", n);
            assert_string_equal(request.keys[i], expected);
        }
        more = request.more;
        assert_int_equal(request.key_count, STORE_LIST_MAX);
        strcpy(after, request.keys[request.key_count - 1]);
        store_client_drop(&request);
    }
    assert_int_equal(n, FILES);
}

/* Requests of several threads at once do not disturb one another, and two that write
 * the same key leave one whole object. */
static void test_parallel(void **state)
{
    enum { REQUESTS = 200 };
    static struct store_request requests[REQUESTS];
    static char texts[REQUESTS][32];
    static struct slice pieces[REQUESTS];
    int won = 0;
    (void)state;
    for (int i = 0; i < REQUESTS; i++) {
        char key[32];
        snprintf(texts[i], sizeof(texts[i]), "content %d", i);
        pieces[i] = slice_str(texts[i]);
        snprintf(key, sizeof(key), "p%d/%d", i % 3, i < 100 ? i : 1000);
        store_client_request(&requests[i], STORE_PUT, key, 20000);
        store_client_pieces(&requests[i], &pieces[i], 1);
        store_client_send(&client, &requests[i]);
    }
    store_client_wait(&client, 0);
    for (int i = 0; i < REQUESTS; i++) {
        int code = requests[i].err.code;
        assert_true(code == 0 || (i >= 100 && code == ERR_EXISTS));
        if (code == 0)
            assert_get(requests[i].key, 0, 0, texts[i]);
        won += i >= 100 && code == 0;
    }
    assert_int_equal(won, 3);
}

/* A failing write leaves nothing behind, is retried until the deadline, and says so. */
static void test_write_error(void **state)
{
    struct store_request request;
    struct store_counters counters;
    struct rlimit limit, small = {100, RLIM_INFINITY};
    static uint8_t bytes[4096];
    struct slice piece = slice_of(bytes, sizeof(bytes));
    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small.rlim_max = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    store_client_request(&request, STORE_PUT, "e/1", 1500);
    store_client_pieces(&request, &piece, 1);
    int code = store_client_run(&client, &request);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_int_equal(code, ERR_IO);
    assert_true(request.attempts >= 2);
    assert_non_null(strstr(request.err.text, "tries"));
    assert_true(request.elapsed_us < 20 * 1000000);
    assert_int_equal(strange_files("e"), 0);
    store_counters(client.store, &counters);
    assert_int_equal(counters.errors[STORE_PUT], request.attempts);
    assert_int_equal(counters.retries, request.attempts - 1);
    /* With room again the same request succeeds. */
    store_client_request(&request, STORE_PUT, "e/1", 20000);
    store_client_pieces(&request, &piece, 1);
    assert_int_equal(store_client_run(&client, &request), 0);
}

/* A directory that somebody removed under us is made again. */
static void test_directory_removed(void **state)
{
    char path[128];
    (void)state;
    assert_int_equal(put("gone/1", "x"), 0);
    snprintf(path, sizeof(path), "%s/gone/1", directory);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof(path), "%s/gone", directory);
    assert_int_equal(rmdir(path), 0);
    for (int i = 0; i < 8; i++) { /* whichever worker it reaches */
        char key[32];
        snprintf(key, sizeof(key), "gone/%d", i);
        assert_int_equal(put(key, "x"), 0);
    }
}

/* What a GET reads is taken from the budget, given back, and refused when it is full. */
static void test_budget(void **state)
{
    struct budget budget;
    struct store_request request;
    struct err err;
    char url[128];
    (void)state;
    assert_int_equal(put("b", "0123456789"), 0);
    store_client_close(&client);
    budget_init(&budget, 15);
    snprintf(url, sizeof(url), "file://%s", directory);
    struct store_options options = {.url = url, .budget = &budget};
    assert_int_equal(store_client_open(&client, &options, &err), 0);
    store_client_request(&request, STORE_GET, "b", 20000);
    assert_int_equal(store_client_run(&client, &request), 0);
    assert_int_equal(budget_used(&budget), 10);
    struct store_request second;
    store_client_request(&second, STORE_GET, "b", 1000);
    assert_int_equal(store_client_run(&client, &second), ERR_NOMEM);
    store_client_drop(&request);
    assert_int_equal(budget_used(&budget), 0);
    store_client_request(&second, STORE_GET, "b", 20000);
    assert_int_equal(store_client_run(&client, &second), 0);
    store_client_drop(&second);
}

/* A cancelled request comes back exactly once: cancelled, or done if it was faster. */
static void test_cancel(void **state)
{
    enum { REQUESTS = 100 };
    static struct store_request requests[REQUESTS];
    static uint8_t bytes[65536];
    struct slice piece = slice_of(bytes, sizeof(bytes));
    int cancelled = 0;
    (void)state;
    store_client_close(&client);
    open_store(1);
    for (int i = 0; i < REQUESTS; i++) {
        char key[32];
        snprintf(key, sizeof(key), "c/%d", i);
        store_client_request(&requests[i], STORE_PUT, key, 20000);
        store_client_pieces(&requests[i], &piece, 1);
        store_client_send(&client, &requests[i]);
    }
    for (int i = 0; i < REQUESTS; i++)
        store_cancel(client.store, &requests[i]);
    store_client_wait(&client, 0);
    for (int i = 0; i < REQUESTS; i++) {
        assert_true(requests[i].err.code == 0 || requests[i].err.code == ERR_CANCELLED);
        cancelled += requests[i].err.code == ERR_CANCELLED;
    }
    assert_true(cancelled > 0);
    /* Too late a cancel, of a request that is over, does nothing. */
    assert_int_equal(put("c/last", "x"), 0);
    store_cancel(client.store, &requests[0]);
}

/* A deadline that has passed fails without a try. */
static void test_deadline_passed(void **state)
{
    struct store_request request;
    struct store_counters counters;
    (void)state;
    store_client_request(&request, STORE_GET, "x", -5);
    assert_int_equal(store_client_run(&client, &request), ERR_TIMEOUT);
    assert_int_equal(request.attempts, 0);
    store_counters(client.store, &counters);
    assert_int_equal(counters.requests[STORE_GET], 0);
}

/* A URL that cannot be used says what a right one looks like, and never repeats keys. */
static void test_bad_urls(void **state)
{
    static const struct {
        const char *url;
        const char *text;
    } cases[] = {
        {"", "file:///DIRECTORY"},
        {"/var/lib/weft", "file:///DIRECTORY"},
        {"http://bucket/", "not http://"},
        {"file://relative/dir", "three slashes"},
        {"file://", "three slashes"},
        {"file:///nonexistent-directory-of-weft", "make it first"},
        {"file:///dev/null", "Not a directory"},
        {"file:///tmp?region=x", "unknown parameter \"region\""},
        {"file:///tmp?a", "not NAME=VALUE"},
        {"file:///tmp?a=1&a=2", "twice"},
        {"file:///tmp?a=%zz", "broken %-escape"},
        {"file:///t%00mp", "broken %-escape"},
        {"file:///tmp#x", "write %23"},
        {"s3://AKIDEXAMPLE:topsecret@bucket/", "as options"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store *store;
        struct err err;
        struct store_options options = {.url = cases[i].url};
        assert_int_equal(store_open(&options, &store, &err), ERR_INVALID);
        if (strstr(err.text, cases[i].text) == NULL)
            fail_msg("%s: %s", cases[i].url, err.text);
        assert_null(strstr(err.text, "topsecret"));
    }
}

#ifdef WEFT_FAULTS
/* Each failing step of a PUT is reported as what it is, leaves no file, and the next
 * try goes through. */
static void test_fault_points(void **state)
{
    static const struct {
        const char *rule;
        int code;
    } cases[] = {
        {"store_dir_write:*:error", ERR_IO},
        {"store_dir_space:*:error", ERR_NO_SPACE},
        {"store_dir_sync:*:error", ERR_IO},
        {"store_dir_sync_dir:*:error", ERR_IO},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct store_request request;
        struct slice piece = SLICE_LITERAL("x");
        char key[32];
        snprintf(key, sizeof(key), "f/%zu", i);
        assert_int_equal(fault_configure(cases[i].rule), 0);
        store_client_request(&request, STORE_PUT, key, 1000);
        store_client_pieces(&request, &piece, 1);
        assert_int_equal(store_client_run(&client, &request), cases[i].code);
        assert_int_equal(fault_configure(""), 0);
        assert_int_equal(strange_files("f"), 0);
        store_client_request(&request, STORE_HEAD, key, 10000);
        assert_int_equal(store_client_run(&client, &request), ERR_NOT_FOUND);
        assert_int_equal(put(key, "x"), 0);
    }
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round_trip, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_object, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_create_only, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_range_outside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_bad_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_left_overs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_list_pages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_parallel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_write_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_directory_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_budget, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cancel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_deadline_passed, set_up, tear_down),
        cmocka_unit_test(test_bad_urls),
#ifdef WEFT_FAULTS
        cmocka_unit_test_setup_teardown(test_fault_points, set_up, tear_down),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
