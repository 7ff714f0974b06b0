/* page.h - one page of a sorted, filtered list, and the cursor to the next.
 *
 * Used by list.c on the core thread: every row's key is offered, in any order, and the
 * page keeps the first `limit` behind the cursor. A cursor holds the sort key of the last
 * row shown, not a place: so paging neither misses nor repeats a row that stays, whatever
 * comes and goes meanwhile. No clock, no state, no HTTP inside. */
#ifndef CONTROLPLANE_PAGE_H
#define CONTROLPLANE_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

#define PAGE_LIMIT_DEFAULT 100
#define PAGE_LIMIT_MAX     1000
#define PAGE_TEXT_MAX      255 /* longer sort texts are compared by so much */
#define PAGE_CURSOR_MAX    1024

/* By what rows are sorted: number, then text, then id; what does not count is zero. */
struct page_key {
    int64_t number;
    uint64_t serial; /* the row's place in its source, for who goes on by it */
    struct uuid id;
    uint8_t text_len;
    char text[PAGE_TEXT_MAX];
};

void page_key_set_text(struct page_key *key, struct slice text);
/* < 0, 0, > 0 */
int page_key_cmp(const struct page_key *a, const struct page_key *b);

struct page {
    unsigned sort; /* the caller's number of the field; goes into the cursor */
    bool descending;
    bool has_after;
    struct page_key after;
    size_t limit, count;
    struct page_key *keys; /* a heap, the last on top, until page_finish */
    bool more;
};

/* An empty page in ARENA. */
void page_init(struct page *page, struct arena *arena, unsigned sort, bool descending,
               size_t limit);
/* Forget what was offered. */
void page_clear(struct page *page);
/* Continue behind CURSOR. ERR_INVALID: it is none of ours, or of another sort. */
int page_set_after(struct page *page, const char *cursor) MUST_CHECK;
/* Would KEY come behind the cursor? */
bool page_is_behind(const struct page *page, const struct page_key *key);
/* Returns false when the page was full and KEY comes behind all of it: if rows are
 * offered in the order of the list, nothing that follows can count. */
bool page_offer(struct page *page, const struct page_key *key);
/* Bring keys[0..count) into order. */
void page_finish(struct page *page);
/* The cursor behind KEY, for the page that follows. */
void page_cursor(const struct page *page, const struct page_key *key, struct str *out);

#endif
