/* blob.h - reference-counted bytes: how payload travels between threads.
 *
 * A blob is written by its maker, then published; after that nobody writes it. Any
 * thread may take or drop references. A blob remembers the budget its bytes were taken
 * from and gives them back when the last reference goes.
 *
 * From BLOCK_LEAST (block.h) on, data is aligned to BLOCK_ALIGN, and there is room up to
 * the next multiple of it behind len: for direct I/O. */
#ifndef COMMON_BLOB_H
#define COMMON_BLOB_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/block.h"
#include "common/defs.h"
#include "common/mem.h"
#include "common/slice.h"

struct blob {
    uint8_t *data;
    size_t len;
    /* private */
    atomic_uint refs;
    struct block block; /* what data lies in; none: inline, or wrapped */
    struct budget *budget;
    size_t charged_bytes;
    void (*release)(struct blob *blob, void *arg); /* of wrapped data */
    void *release_arg;
};

/* LEN bytes of undefined content with one reference; NULL when BUDGET (may be NULL: no
 * limit) has no room or the system no memory. */
struct blob *blob_try_new(size_t len, struct budget *budget) MUST_CHECK;
/* The same, taking from the budget even past its limit; aborts without memory. */
struct blob *blob_new(size_t len, struct budget *budget);
/* A blob over DATA, which RELEASE(blob, arg) frees with the last reference (mmap). */
struct blob *blob_wrap(uint8_t *data, size_t len,
                       void (*release)(struct blob *blob, void *arg), void *arg);
struct blob *blob_ref(struct blob *blob); /* returns BLOB */
void blob_unref(struct blob *blob);       /* NULL is fine */

static inline struct slice blob_slice(const struct blob *blob)
{
    return slice_of(blob->data, blob->len);
}

/* Bytes inside a blob, with a reference held. */
struct blob_slice {
    struct blob *blob;
    struct slice bytes;
};

#endif
