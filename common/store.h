/* store.h - the object store: immutable objects under keys, one table of operations.
 *
 * Two kinds: file://DIRECTORY (store_dir.c) and s3://BUCKET/PREFIX?endpoint=...
 * (store_s3.c). A store runs on threads of its own; any thread may call it, and the
 * callback runs on the loop of the mailbox that the caller names. Retries with backoff
 * and jitter happen inside, until the deadline: when the next one would come too late,
 * the request fails at once with what went wrong. A PUT is create-only: it never
 * overwrites, and finding the very same object there counts as success. One that failed
 * or was cancelled may have happened all the same. Keys are "/"-separated, [A-Za-z0-9._-]
 * only, at most 512 bytes. */
#ifndef COMMON_STORE_H
#define COMMON_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/mem.h"
#include "common/slice.h"
#include "common/store_kind.h"

struct store;

struct store_options {
    const char *url;            /* file:///DIRECTORY, or s3://...: see store_s3.h */
    unsigned threads;           /* curl-multi or disk threads; 0: 2 for S3, 4 for disk */
    int64_t attempt_timeout_ms; /* one try; 0: 10,000 */
    const char *access_key; /* static keys; NULL: environment, then metadata services */
    const char *secret_key;
    const char *session_token;
    struct budget *budget; /* for what is read, or NULL */
};

/* Open: parses the URL, starts the threads; a directory must exist and be writable.
 * For S3 nothing is sent yet. ERR_INVALID with a text that says what to do. */
int store_open(const struct store_options *options, struct store **store,
               struct err *err) MUST_CHECK;
void store_close(struct store *store); /* no request may be in flight */

/* One request, owned by the caller, who keeps it until `done` was called on the loop of
 * `reply_to` (as its message: the mailbox's handler calls request->done(request)). */
struct store_request {
    struct message message; /* type STORE_REPLY; must be first */
    enum store_kind kind;
    char key[513];
    /* PUT: the pieces, in order; the blobs behind them stay referenced by the caller */
    const struct slice *pieces;
    size_t piece_count;
    uint32_t crc; /* CRC-32C of the whole, sent as x-amz-checksum-crc32c */
    /* GET: bytes [offset, offset + length); length 0: to the end */
    uint64_t offset;
    uint64_t length;
    /* LIST: keys that begin with `key`, after `start_after` (may be "") */
    char start_after[513];
    int64_t deadline_at_ms; /* monotonic; retries stop here */
    struct mailbox *reply_to;
    void (*done)(struct store_request *request);
    void *arg;

    /* result */
    struct err err;       /* err.code 0 on success; GET of a missing key: ERR_NOT_FOUND */
    struct blob *blob;    /* GET: the bytes, one reference for the caller */
    uint64_t object_size; /* GET, HEAD */
    char **keys;          /* LIST: up to 1,000, each mem_free'd by the caller */
    uint64_t *sizes;
    int64_t *modified_ms; /* LIST: wall clock */
    size_t key_count;
    bool more;         /* LIST: there are keys after the last one */
    unsigned attempts; /* tries it took */
    int64_t elapsed_us;
    /* private */
    void *impl;
};

#define STORE_REPLY 0x5354

void store_send(struct store *store, struct store_request *request);
/* Ask to give up early; `done` still comes (ERR_CANCELLED unless it was finished). */
void store_cancel(struct store *store, struct store_request *request);

/* Requests so far by kind, retries and errors included, for metrics and cost. */
struct store_counters {
    uint64_t requests[STORE_DELETE + 1];
    uint64_t errors[STORE_DELETE + 1];
    uint64_t retries;
    uint64_t bytes_written, bytes_read;
};
void store_counters(const struct store *store, struct store_counters *counters);

#endif
