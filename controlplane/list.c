/* list.c - visits to the core thread until a page is full, then its rows. */
#include "controlplane/list.h"

#include <string.h>

#define PAGE_BYTES_MAX (16 * MIB) /* of rows in the arena */
#define VISIT_ROWS     20000      /* one visit looks at so many: a few milliseconds */

struct list_call {
    const struct list_source *source;
    struct page page;
    bool begun, ended;
    struct page_key at; /* the row looked at last */
    char *rows;
    size_t count;
    char *next; /* cursor, or NULL */
};

bool list_contains(const char *text, struct slice part)
{
    return memmem(text, strlen(text), part.ptr, part.len) != NULL;
}

size_t list_limit(struct call *call)
{
    return (size_t)call_query_int(call, "limit", 1, PAGE_LIMIT_MAX, PAGE_LIMIT_DEFAULT);
}

void list_reply(struct call *call, struct json *items, const char *next)
{
    struct json *answer = json_object();
    json_set(answer, "items", items);
    json_set(answer, "next", next != NULL ? json_string(next) : json_null());
    call_reply_json(call, 200, answer);
}

static void copy_rows(struct node *node, struct call *call, struct list_call *list)
{
    const struct list_source *source = list->source;
    struct page *page = &list->page;

    page_finish(page);
    for (size_t i = 0; i < page->count; i++) {
        const void *row = source->find(node, call, &page->keys[i]);
        /* It may have gone since an earlier visit. */
        if (row != NULL)
            source->copy(node, call, row, list->rows + list->count++ * source->row_bytes);
        if (arena_used(&call->arena) > PAGE_BYTES_MAX && i + 1 < page->count) {
            page->count = i + 1; /* large rows make a short page */
            page->more = true;
        }
    }
    if (page->more) {
        struct str cursor;
        str_init(&cursor, PAGE_CURSOR_MAX);
        page_cursor(page, &page->keys[page->count - 1], &cursor);
        list->next = arena_strdup(&call->arena, str_slice(&cursor));
        str_fini(&cursor);
    }
}

/* In the order of the source, a page is full when the first row behind it is seen. */
static bool in_order(const struct page *page)
{
    return page->sort == 0 && !page->descending;
}

/* Where to go on: behind the row seen last, or at the cursor if that saves the way. */
static const void *resume_row(struct node *node, struct call *call,
                              struct list_call *list)
{
    const struct list_source *source = list->source;
    const void *row = NULL;

    if (list->begun) {
        row = source->find(node, call, &list->at);
        if (row == NULL)
            page_clear(&list->page); /* it has gone, and the place with it: anew */
    } else if (list->page.has_after && in_order(&list->page)) {
        row = source->find(node, call, &list->page.after);
    }
    list->begun = true;
    return row;
}

static void visit(struct node *node, struct call *call)
{
    struct list_call *list = call->list;
    const struct list_source *source = list->source;
    struct page *page = &list->page;
    const void *row = resume_row(node, call, list);

    for (size_t i = 0; i < VISIT_ROWS; i++) {
        const void *next = source->next(node, call, row);
        if (next == NULL) {
            list->ended = true;
            break;
        }
        row = next;
        if (source->match != NULL && !source->match(call, row))
            continue;
        struct page_key key = {.number = 0};
        source->key(row, page->sort, &key);
        if (!page_offer(page, &key) && in_order(page)) {
            list->ended = true;
            break;
        }
    }
    if (list->ended) {
        copy_rows(node, call, list);
    } else {
        list->at = (struct page_key){.number = 0};
        source->key(row, page->sort, &list->at);
    }
    call_done(call);
}

static void answer(struct call *call)
{
    const struct list_call *list = call->list;
    struct json *items;

    if (!list->ended) {
        call_ask(call, visit, answer);
        return;
    }
    items = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_push(items, list->source->print(list->rows + i * list->source->row_bytes));
    list_reply(call, items, list->next);
}

/* "-name": descending. */
static bool read_sort(struct call *call, const struct list_source *source, unsigned *sort,
                      bool *descending)
{
    const char *text = http_exchange_query(call->x, "sort");
    *sort = 0;
    *descending = source->newest_first;
    if (text == NULL)
        return true;
    *descending = text[0] == '-';
    for (unsigned i = 0; source->sorts[i] != NULL; i++)
        if (strcmp(text + *descending, source->sorts[i]) == 0) {
            *sort = i;
            return true;
        }
    call_fail(call, ERR_INVALID,
              "sort: this list is not sorted by that; see the description of the call");
    return false;
}

void list_start(struct call *call, const struct list_source *source)
{
    struct list_call *list = arena_alloc(&call->arena, sizeof(*list));
    unsigned sort;
    bool descending;
    size_t limit = list_limit(call);

    if (!read_sort(call, source, &sort, &descending) || call->err.code != 0)
        return;
    list->source = source;
    page_init(&list->page, &call->arena, sort, descending, limit);
    const char *after = http_exchange_query(call->x, "after");
    if (after != NULL && page_set_after(&list->page, after) != 0) {
        call_fail(call, ERR_INVALID,
                  "after: want the `next` of the page before, with the same sort");
        return;
    }
    list->rows = arena_array(&call->arena, limit, source->row_bytes);
    call->list = list;
    call_ask(call, visit, answer);
}
