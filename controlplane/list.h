/* list.h - a call that lists: what every list has in common.
 *
 * A list is a source of rows on the core thread, and a printer on the server's thread;
 * ?limit=, ?after= and ?sort= are read here, filters by the api. Sort 0 is the source's
 * own order, in which a page is found without looking at the rest; by any other the whole
 * source is looked at, in bounded visits to the core thread. What a page shows is copied
 * on the core thread and printed elsewhere. */
#ifndef CONTROLPLANE_LIST_H
#define CONTROLPLANE_LIST_H

#include "controlplane/call.h"
#include "controlplane/page.h"

struct list_source {
    /* Names of the fields to sort by, NULL at the end; [0]: the source's order. */
    const char *const *sorts;
    bool newest_first; /* "-sorts[0]" is the default */
    size_t row_bytes;
    /* Core thread. ROW is NULL first; NULL at the end. */
    const void *(*next)(struct node *node, const struct call *call, const void *row);
    /* The row of KEY's id and serial, or NULL. */
    const void *(*find)(struct node *node, const struct call *call,
                        const struct page_key *key);
    /* Fill *KEY (zero) to sort ROW by the SORTth field; always its id. */
    void (*key)(const void *row, unsigned sort, struct page_key *key);
    /* Does the row pass the filters? NULL: all do. */
    bool (*match)(const struct call *call, const void *row);
    void (*copy)(struct node *node, struct call *call, const void *row, void *out);
    /* Server's thread. */
    struct json *(*print)(const void *out);
};

/* Answer CALL with a page of SOURCE; call->data stays the api's own. Does nothing when
 * the call has failed already. */
void list_start(struct call *call, const struct list_source *source);
/* {"items", "next"}; NEXT may be NULL (the end) and is copied. */
void list_reply(struct call *call, struct json *items, const char *next);
/* ?limit= alone, for lists with an order of their own. */
size_t list_limit(struct call *call);

/* Does TEXT hold PART (not empty), byte by byte? */
bool list_contains(const char *text, struct slice part);

#endif
