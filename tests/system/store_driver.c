/* store_driver.c - common/store.h by hand, for tests/system/test_store.py and figures.
 *
 *   store_driver [--threads N] [--attempt-timeout MS] [--budget BYTES] URL
 *
 * reads commands from standard input, a line each, and answers each with a line of JSON.
 * Content is made from a seed, so that neither side must keep it:
 *
 *   timeout MS                          deadline of the commands that follow
 *   put KEY SIZE SEED [PIECE]           PIECE: bytes per slice (default 65536)
 *   get KEY [OFFSET LENGTH]             answers with size and CRC-32C of what came
 *   head KEY | delete KEY | list [PREFIX [AFTER]]      "-" stands for an empty word
 *   cancel-put KEY SIZE SEED AFTER_MS
 *   bench-put PREFIX COUNT SIZE PIECE IN_FLIGHT        answers with times
 *   bench-get PREFIX COUNT IN_FLIGHT
 *   crc SIZE SEED                       what put would store
 *   counters
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/crc32c.h"
#include "common/json.h"
#include "common/str.h"
#include "tests/lib/store_client.h"

#define WORDS_MAX  8
#define OBJECT_MAX (1 << 30)

struct driver {
    struct store_client client;
    int64_t timeout_ms;
    char *words[WORDS_MAX];
    int word_count;
};

static const char *word(const struct driver *driver, int i, const char *fallback)
{
    if (i >= driver->word_count)
        return fallback;
    return strcmp(driver->words[i], "-") == 0 ? "" : driver->words[i];
}

static size_t number(const struct driver *driver, int i, size_t fallback)
{
    const char *text = word(driver, i, NULL);
    char *end;
    if (text == NULL)
        return fallback;
    unsigned long long value = strtoull(text, &end, 10);
    if (*end != '\0' || value > OBJECT_MAX) {
        fprintf(stderr, "store_driver: not a number: %s\n", text);
        exit(2);
    }
    return (size_t)value;
}

/* SIZE bytes that SEED determines. */
static uint8_t *make_content(size_t size, uint64_t seed)
{
    uint8_t *bytes = mem_alloc(size + 8);
    uint64_t x = seed * 0x9e3779b97f4a7c15u + 1;
    for (size_t i = 0; i < size; i += 8) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        memcpy(bytes + i, &x, 8);
    }
    return bytes;
}

/* BYTES cut into slices of PIECE. */
static struct slice *cut(const uint8_t *bytes, size_t size, size_t piece, size_t *count)
{
    size_t n = piece == 0 ? 0 : (size + piece - 1) / piece;
    struct slice *pieces = mem_alloc(n * sizeof(*pieces) + 1);
    for (size_t i = 0; i < n; i++)
        pieces[i] = slice_of(bytes + i * piece, MIN(piece, size - i * piece));
    *count = n;
    return pieces;
}

static void print_json(struct json *answer)
{
    struct str text;
    str_init(&text, 64 * MIB);
    json_print(answer, &text);
    printf("%s\n", str_cstr(&text));
    fflush(stdout);
    str_fini(&text);
    json_free(answer);
}

static struct json *crc_json(uint32_t crc)
{
    char hex[16];
    snprintf(hex, sizeof(hex), "%08x", crc);
    return json_string(hex);
}

static struct json *answer_of(const struct store_request *request)
{
    struct json *answer = json_object();
    json_set(answer, "code",
             json_string(request->err.code == 0 ? "OK" : err_name(request->err.code)));
    json_set(answer, "text", json_string(request->err.text));
    json_set(answer, "attempts", json_int(request->attempts));
    json_set(answer, "elapsed_ms", json_int(request->elapsed_us / 1000));
    if (request->err.code == 0)
        json_set(answer, "size", json_int((int64_t)request->object_size));
    return answer;
}

static void do_put(struct driver *driver, int64_t cancel_after_ms)
{
    struct store_request request;
    size_t size = number(driver, 2, 0), count;
    uint8_t *bytes = make_content(size, number(driver, 3, 0));
    size_t piece = cancel_after_ms < 0 ? number(driver, 4, 65536) : 65536;
    struct slice *pieces = cut(bytes, size, piece, &count);
    store_client_request(&request, STORE_PUT, word(driver, 1, ""), driver->timeout_ms);
    store_client_pieces(&request, pieces, count);
    store_client_send(&driver->client, &request);
    if (cancel_after_ms >= 0) {
        int64_t until_ms = clock_monotonic_ms() + cancel_after_ms;
        while (clock_monotonic_ms() < until_ms && driver->client.in_flight > 0)
            loop_run_once(driver->client.loop, 5);
        if (driver->client.in_flight > 0)
            store_cancel(driver->client.store, &request);
    }
    store_client_wait(&driver->client, 0);
    struct json *answer = answer_of(&request);
    json_set(answer, "crc", crc_json(request.crc));
    print_json(answer);
    mem_free(pieces);
    mem_free(bytes);
}

static void do_get(struct driver *driver)
{
    struct store_request request;
    store_client_request(&request, STORE_GET, word(driver, 1, ""), driver->timeout_ms);
    request.offset = number(driver, 2, 0);
    request.length = number(driver, 3, 0);
    store_client_run(&driver->client, &request);
    struct json *answer = answer_of(&request);
    if (request.blob != NULL) {
        json_set(answer, "length", json_int((int64_t)request.blob->len));
        json_set(answer, "crc", crc_json(crc32c(request.blob->data, request.blob->len)));
    }
    print_json(answer);
    store_client_drop(&request);
}

static void do_plain(struct driver *driver, enum store_kind kind)
{
    struct store_request request;
    store_client_request(&request, kind, word(driver, 1, ""), driver->timeout_ms);
    snprintf(request.start_after, sizeof(request.start_after), "%s", word(driver, 2, ""));
    store_client_run(&driver->client, &request);
    struct json *answer = answer_of(&request);
    if (kind == STORE_LIST && request.err.code == 0) {
        struct json *keys = json_array(), *sizes = json_array(), *times = json_array();
        for (size_t i = 0; i < request.key_count; i++) {
            json_push(keys, json_string(request.keys[i]));
            json_push(sizes, json_int((int64_t)request.sizes[i]));
            json_push(times, json_int(request.modified_ms[i]));
        }
        json_set(answer, "keys", keys);
        json_set(answer, "sizes", sizes);
        json_set(answer, "modified_ms", times);
        json_set(answer, "more", json_bool(request.more));
    }
    print_json(answer);
    store_client_drop(&request);
}

static void do_counters(struct driver *driver)
{
    struct store_counters counters;
    struct json *answer = json_object(), *requests = json_object(),
                *errors = json_object();
    store_counters(driver->client.store, &counters);
    for (size_t i = 0; i < STORE_KINDS; i++) {
        json_set(requests, store_kind_names[i], json_int((int64_t)counters.requests[i]));
        json_set(errors, store_kind_names[i], json_int((int64_t)counters.errors[i]));
    }
    json_set(answer, "requests", requests);
    json_set(answer, "errors", errors);
    json_set(answer, "retries", json_int((int64_t)counters.retries));
    json_set(answer, "bytes_written", json_int((int64_t)counters.bytes_written));
    json_set(answer, "bytes_read", json_int((int64_t)counters.bytes_read));
    print_json(answer);
}

/* What the requests of a benchmark have in common. */
struct bench {
    struct driver *driver;
    size_t failed, bytes;
};

static void bench_done(struct store_request *request)
{
    struct bench *bench = request->arg;
    bench->failed += request->err.code != 0;
    for (size_t i = 0; i < request->piece_count && request->err.code == 0; i++)
        bench->bytes += request->pieces[i].len;
    bench->bytes += request->blob != NULL ? request->blob->len : 0;
    store_client_drop(request);
    bench->driver->client.in_flight--;
}

static int64_t tv_us(struct timeval tv)
{
    return tv.tv_sec * INT64_C(1000000) + tv.tv_usec;
}

static void do_bench(struct driver *driver, enum store_kind kind)
{
    size_t count = number(driver, 2, 1);
    size_t size = kind == STORE_PUT ? number(driver, 3, 1) : 0;
    unsigned in_flight = (unsigned)number(driver, kind == STORE_PUT ? 5 : 3, 4);
    struct store_request *requests = mem_zalloc(count * sizeof(*requests));
    uint8_t *bytes = make_content(size, 1);
    struct bench bench = {.driver = driver};
    size_t piece_count;
    struct slice *pieces =
        cut(bytes, size, kind == STORE_PUT ? number(driver, 4, 65536) : 0, &piece_count);
    uint32_t crc = crc32c(bytes, size);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    int64_t start_us = clock_monotonic_us();
    for (size_t i = 0; i < count; i++) {
        char key[256];
        snprintf(key, sizeof(key), "%s/%06zu", word(driver, 1, "bench"), i);
        store_client_request(&requests[i], kind, key, driver->timeout_ms);
        requests[i].pieces = pieces;
        requests[i].piece_count = piece_count;
        requests[i].crc = crc;
        requests[i].reply_to = &driver->client.mailbox;
        requests[i].done = bench_done;
        requests[i].arg = &bench;
        driver->client.in_flight++;
        store_send(driver->client.store, &requests[i]);
        store_client_wait(&driver->client, in_flight - 1);
    }
    store_client_wait(&driver->client, 0);
    int64_t wall_us = clock_monotonic_us() - start_us;
    getrusage(RUSAGE_SELF, &after);
    struct json *answer = json_object();
    json_set(answer, "failed", json_int((int64_t)bench.failed));
    json_set(answer, "bytes", json_int((int64_t)bench.bytes));
    json_set(answer, "wall_us", json_int(wall_us));
    json_set(answer, "user_us", json_int(tv_us(after.ru_utime) - tv_us(before.ru_utime)));
    json_set(answer, "sys_us", json_int(tv_us(after.ru_stime) - tv_us(before.ru_stime)));
    print_json(answer);
    mem_free(pieces);
    mem_free(bytes);
    mem_free(requests);
}

static void do_crc(const struct driver *driver)
{
    size_t size = number(driver, 1, 0);
    uint8_t *bytes = make_content(size, number(driver, 2, 0));
    struct json *answer = json_object();
    json_set(answer, "crc", crc_json(crc32c(bytes, size)));
    print_json(answer);
    mem_free(bytes);
}

static bool run(struct driver *driver)
{
    const char *command = driver->words[0];
    if (strcmp(command, "timeout") == 0) {
        driver->timeout_ms = (int64_t)number(driver, 1, 10000);
        print_json(json_object());
    } else if (strcmp(command, "put") == 0)
        do_put(driver, -1);
    else if (strcmp(command, "cancel-put") == 0)
        do_put(driver, (int64_t)number(driver, 4, 0));
    else if (strcmp(command, "get") == 0)
        do_get(driver);
    else if (strcmp(command, "head") == 0)
        do_plain(driver, STORE_HEAD);
    else if (strcmp(command, "delete") == 0)
        do_plain(driver, STORE_DELETE);
    else if (strcmp(command, "list") == 0)
        do_plain(driver, STORE_LIST);
    else if (strcmp(command, "bench-put") == 0)
        do_bench(driver, STORE_PUT);
    else if (strcmp(command, "bench-get") == 0)
        do_bench(driver, STORE_GET);
    else if (strcmp(command, "crc") == 0)
        do_crc(driver);
    else if (strcmp(command, "counters") == 0)
        do_counters(driver);
    else
        return false;
    return true;
}

static void split(struct driver *driver, char *line)
{
    char *save = NULL;
    driver->word_count = 0;
    for (char *w = strtok_r(line, " \n", &save);
         w != NULL && driver->word_count < WORDS_MAX; w = strtok_r(NULL, " \n", &save))
        driver->words[driver->word_count++] = w;
}

int main(int argc, char **argv)
{
    struct driver driver = {.timeout_ms = 10000};
    struct store_options options = {0};
    struct budget budget;
    struct err err;
    char line[4096];
    int i = 1;
    for (; i + 1 < argc && strncmp(argv[i], "--", 2) == 0; i += 2) {
        long long value = atoll(argv[i + 1]);
        if (strcmp(argv[i], "--threads") == 0)
            options.threads = (unsigned)value;
        else if (strcmp(argv[i], "--attempt-timeout") == 0)
            options.attempt_timeout_ms = value;
        else if (strcmp(argv[i], "--budget") == 0) {
            budget_init(&budget, (size_t)value);
            options.budget = &budget;
        }
    }
    if (i + 1 != argc) {
        fprintf(stderr, "usage: store_driver [--threads N] [--attempt-timeout MS] "
                        "[--budget BYTES] URL\n");
        return 2;
    }
    options.url = argv[i];
    if (store_client_open(&driver.client, &options, &err) != 0) {
        struct json *answer = json_object();
        json_set(answer, "code", json_string(err_name(err.code)));
        json_set(answer, "text", json_string(err.text));
        print_json(answer);
        return 1;
    }
    while (fgets(line, sizeof(line), stdin) != NULL) {
        split(&driver, line);
        if (driver.word_count > 0 && !run(&driver)) {
            fprintf(stderr, "store_driver: no such command: %s\n", driver.words[0]);
            return 2;
        }
    }
    store_client_close(&driver.client);
    return 0;
}
