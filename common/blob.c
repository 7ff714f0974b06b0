/* blob.c - reference-counted bytes. A small blob is one allocation, header and bytes; the
 * bytes of a large one lie in a block (block.h) of their own. */
#include "common/blob.h"

#include "common/check.h"

static void init(struct blob *blob, uint8_t *data, size_t len)
{
    blob->data = data;
    blob->len = len;
    atomic_init(&blob->refs, 1);
    blob->block = (struct block){0};
    blob->budget = NULL;
    blob->charged_bytes = 0;
    blob->release = NULL;
    blob->release_arg = NULL;
}

static struct blob *make(size_t len)
{
    if (len < BLOCK_LEAST) {
        struct blob *blob = mem_try_alloc(sizeof(*blob) + len);
        if (blob != NULL)
            init(blob, (uint8_t *)(blob + 1), len);
        return blob;
    }
    struct block block;
    if (!block_try_new(&block, len))
        return NULL;
    struct blob *blob = mem_alloc(sizeof(*blob));
    init(blob, block.data, len);
    blob->block = block;
    return blob;
}

struct blob *blob_try_new(size_t len, struct budget *budget)
{
    if (budget != NULL && !budget_take(budget, len))
        return NULL;
    struct blob *blob = make(len);
    if (blob == NULL) {
        if (budget != NULL)
            budget_give(budget, len);
        return NULL;
    }
    blob->budget = budget;
    blob->charged_bytes = len;
    return blob;
}

struct blob *blob_new(size_t len, struct budget *budget)
{
    struct blob *blob = make(len);
    ASSERT(blob != NULL);
    if (budget != NULL)
        budget_force(budget, len);
    blob->budget = budget;
    blob->charged_bytes = len;
    return blob;
}

struct blob *blob_wrap(uint8_t *data, size_t len,
                       void (*release)(struct blob *blob, void *arg), void *arg)
{
    struct blob *blob = make(0);
    ASSERT(blob != NULL);
    blob->data = data;
    blob->len = len;
    blob->release = release;
    blob->release_arg = arg;
    return blob;
}

struct blob *blob_ref(struct blob *blob)
{
    unsigned before = atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
    ASSERT(before > 0);
    return blob;
}

void blob_unref(struct blob *blob)
{
    if (blob == NULL)
        return;
    /* Acquire and release: whoever frees has seen every other holder's last use. */
    unsigned before = atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel);
    ASSERT(before > 0);
    if (before > 1)
        return;
    if (blob->release != NULL)
        blob->release(blob, blob->release_arg);
    if (blob->block.data != NULL)
        block_free(&blob->block);
    if (blob->budget != NULL)
        budget_give(blob->budget, blob->charged_bytes);
    mem_free(blob);
}
