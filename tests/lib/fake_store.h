/* fake_store.h - an object store in memory under virtual time, with faults: for
 * simulations of whoever sends struct store_request by a table of calls. */
#ifndef TESTS_LIB_FAKE_STORE_H
#define TESTS_LIB_FAKE_STORE_H

#include "common/list.h"
#include "common/slice.h"
#include "common/store.h"
#include "tests/lib/vtime.h"

struct fake_store {
    struct vtime *time;
    /* faults, in percent of PUTs */
    unsigned slow_percent; /* takes slow_ms more */
    int64_t slow_ms;
    unsigned fail_percent;  /* fails for good, nothing stored */
    unsigned lost_percent;  /* stored, but the answer is a failure */
    unsigned stall_percent; /* no answer before the deadline */
    bool hold;              /* answers nothing until it is cleared */
    int64_t base_ms;        /* the least time that a PUT takes, and the spread on top */
    int64_t spread_ms;
    /* called when a request is done */
    void (*on_done)(struct store_request *request, void *arg);
    void *arg;
    /* private */
    struct list objects;
    struct list puts;
    size_t put_count;
};

void fake_store_init(struct fake_store *store, struct vtime *time);
void fake_store_fini(struct fake_store *store);
void fake_store_put(struct fake_store *store, struct store_request *request);
void fake_store_cancel(struct fake_store *store, struct store_request *request);
/* The bytes under KEY, or a null slice. */
struct slice fake_store_get(const struct fake_store *store, const char *key);
size_t fake_store_object_count(const struct fake_store *store);
/* PUTs without an answer. */
size_t fake_store_open(const struct fake_store *store);

#endif
