/* source.c - see source.h. Files are mapped; a store is asked one request at a time, on
 * a loop that runs until the answer is there. */
#include "cli/source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/blob.h"
#include "common/clock.h"
#include "common/crc32c.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/store.h"
#include "common/str.h"

#define REQUEST_TIMEOUT_MS 60000
#define URL_MAX            4096
#define PUT_MAX_BYTES      (5 * GIB)
#define SLOW_BYTES_PER_MS  256 /* a connection slower than this is given up */

struct piece {
    struct piece *next;
    struct blob *blob;
};

struct source {
    uint64_t size;
    uint8_t *mapped; /* a file; NULL for a store */
    struct loop *loop;
    struct mailbox replies;
    struct store *store;
    char key[513];
    bool done;
    int64_t timeout_ms; /* of a request with its repeats */
    struct piece *pieces;
};

/* ---- files ---- */

static int open_file(const char *path, struct source *source, struct err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set_errno(err, errno, "%s", path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return err_set(err, ERR_INVALID, "%s is not a file", path);
    }
    source->size = (uint64_t)st.st_size;
    if (source->size > 0)
        source->mapped = mmap(NULL, source->size, PROT_READ, MAP_PRIVATE, fd, 0);
    int errnum = errno;
    close(fd);
    if (source->mapped == MAP_FAILED) {
        source->mapped = NULL;
        return err_set_errno(err, errnum, "map %s", path);
    }
    return 0;
}

/* ---- stores ---- */

static void on_reply(struct message *message, void *arg)
{
    struct store_request *request = (struct store_request *)(void *)message;

    (void)arg;
    request->done(request);
}

static void on_done(struct store_request *request)
{
    struct source *source = request->arg;

    source->done = true;
}

static int ask(struct source *source, struct store_request *request, struct err *err)
{
    (void)strcpy(request->key, source->key);
    request->deadline_at_ms = clock_monotonic_ms() + source->timeout_ms;
    request->reply_to = &source->replies;
    request->done = on_done;
    request->arg = source;
    source->done = false;
    store_send(source->store, request);
    while (!source->done)
        loop_run_once(source->loop, 1000);
    if (request->err.code != 0 && err != NULL)
        *err = request->err;
    return request->err.code;
}

/* Cut "s3://bucket/dir/name?query" into the store's URL and the key "name". */
static int split_url(const char *where, struct str *url, char key[513], struct err *err)
{
    const char *query = strchr(where, '?');
    const char *end = query == NULL ? where + strlen(where) : query;
    const char *slash = memrchr(where, '/', (size_t)(end - where));

    if (slash == NULL || slash < where + strlen("s3://b") || slash + 1 == end ||
        end - slash > 512)
        return err_set(err, ERR_INVALID, "%s names no object: s3://BUCKET/KEY is wanted",
                       where);
    str_append(url, where, (size_t)(slash - where));
    str_puts(url, end);
    memcpy(key, slash + 1, (size_t)(end - slash - 1));
    key[end - slash - 1] = '\0';
    return 0;
}

/* The store of WHERE, nothing sent yet; TIMEOUT_MS for one try. */
static int reach_store(const char *where, int64_t timeout_ms, struct source *source,
                       struct err *err)
{
    struct store_options options = {.threads = 1, .attempt_timeout_ms = timeout_ms};
    struct str url;

    str_init(&url, URL_MAX);
    int rc = split_url(where, &url, source->key, err);
    if (rc == 0) {
        options.url = str_cstr(&url);
        source->loop = loop_new();
        mailbox_init(&source->replies, source->loop, on_reply, NULL);
        rc = store_open(&options, &source->store, err);
    }
    source->timeout_ms = MAX(REQUEST_TIMEOUT_MS, 2 * timeout_ms);
    str_fini(&url);
    return rc;
}

static int open_store(const char *where, struct source *source, struct err *err)
{
    struct store_request head = {.kind = STORE_HEAD};
    int rc = reach_store(where, 0, source, err);

    if (rc == 0 && (rc = ask(source, &head, err)) == 0)
        source->size = head.object_size;
    return rc;
}

static int read_store(struct source *source, uint64_t offset, uint64_t len,
                      struct slice *bytes, struct err *err)
{
    struct store_request get = {.kind = STORE_GET, .offset = offset, .length = len};
    int rc = ask(source, &get, err);

    if (rc != 0)
        return rc;
    struct piece *piece = mem_alloc(sizeof(*piece));
    *piece = (struct piece){source->pieces, get.blob};
    source->pieces = piece;
    if (get.blob->len != len)
        return err_set(err, ERR_IO, "the store sent %zu of %llu bytes", get.blob->len,
                       (unsigned long long)len);
    *bytes = blob_slice(get.blob);
    return 0;
}

/* ---- both ---- */

int source_open(const char *where, struct source **out, struct err *err)
{
    struct source *source = mem_zalloc(sizeof(*source));
    int rc;

    if (source_is_store(where))
        rc = open_store(where, source, err);
    else
        rc =
            open_file(strncmp(where, "file://", 7) == 0 ? where + 7 : where, source, err);
    if (rc != 0)
        source_close(source);
    else
        *out = source;
    return rc;
}

bool source_is_store(const char *where)
{
    return strncmp(where, "s3://", 5) == 0;
}

void source_forget(struct source *source)
{
    while (source->pieces != NULL) {
        struct piece *piece = source->pieces;
        source->pieces = piece->next;
        blob_unref(piece->blob);
        mem_free(piece);
    }
}

int source_check_store(const char *where, struct err *err)
{
    struct source *source = mem_zalloc(sizeof(*source));
    int rc = reach_store(where, 0, source, err);

    source_close(source);
    return rc;
}

int source_put(const char *where, struct slice bytes, struct err *err)
{
    struct source *source = mem_zalloc(sizeof(*source));
    struct store_request put = {
        .kind = STORE_PUT, .pieces = &bytes, .piece_count = 1, .crc = 0};
    int64_t timeout_ms = REQUEST_TIMEOUT_MS + (int64_t)(bytes.len / SLOW_BYTES_PER_MS);
    int rc;

    if (bytes.len > PUT_MAX_BYTES) {
        rc = err_set(err, ERR_TOO_LARGE,
                     "%zu bytes: a store takes 5 GiB in one piece at most; write it to a "
                     "file and copy that in parts",
                     bytes.len);
    } else {
        put.crc = crc32c(bytes.ptr, bytes.len);
        rc = reach_store(where, timeout_ms, source, err);
        if (rc == 0)
            rc = ask(source, &put, err);
    }
    source_close(source);
    return rc;
}

void source_close(struct source *source)
{
    if (source->mapped != NULL)
        munmap(source->mapped, source->size);
    source_forget(source);
    if (source->store != NULL)
        store_close(source->store);
    if (source->loop != NULL) {
        mailbox_fini(&source->replies);
        loop_free(source->loop);
    }
    mem_free(source);
}

uint64_t source_size(const struct source *source)
{
    return source->size;
}

int source_read(struct source *source, uint64_t offset, uint64_t len, struct slice *bytes,
                struct err *err)
{
    if (offset > source->size || len > source->size - offset)
        return err_set(err, ERR_MALFORMED,
                       "bytes %llu to %llu are wanted of an object of %llu",
                       (unsigned long long)offset, (unsigned long long)(offset + len),
                       (unsigned long long)source->size);
    if (len == 0) {
        *bytes = slice_of("", 0);
        return 0;
    }
    if (source->mapped == NULL)
        return read_store(source, offset, len, bytes, err);
    *bytes = slice_of(source->mapped + offset, len);
    return 0;
}
