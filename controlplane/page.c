/* page.c - the first rows of a list in a heap; the cursor is the bytes of a key in hex.
 */
#include "controlplane/page.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/cursor.h"
#include "common/err.h"

#define CURSOR_VERSION 1

void page_key_set_text(struct page_key *key, struct slice text)
{
    key->text_len = (uint8_t)MIN(text.len, (size_t)PAGE_TEXT_MAX);
    if (key->text_len > 0)
        memcpy(key->text, text.ptr, key->text_len);
}

int page_key_cmp(const struct page_key *a, const struct page_key *b)
{
    if (a->number != b->number)
        return a->number < b->number ? -1 : 1;
    int order = memcmp(a->text, b->text, MIN(a->text_len, b->text_len));
    if (order == 0)
        order = a->text_len - b->text_len;
    return order != 0 ? order : uuid_cmp(&a->id, &b->id);
}

void page_init(struct page *page, struct arena *arena, unsigned sort, bool descending,
               size_t limit)
{
    ASSERT(limit >= 1 && limit <= PAGE_LIMIT_MAX);
    memset(page, 0, sizeof(*page));
    page->sort = sort;
    page->descending = descending;
    page->limit = limit;
    page->keys = arena_array(arena, limit, sizeof(*page->keys));
}

void page_clear(struct page *page)
{
    page->count = 0;
    page->more = false;
}

/* In the order of the list. */
static int order_of(const struct page *page, const struct page_key *a,
                    const struct page_key *b)
{
    int order = page_key_cmp(a, b);
    return page->descending ? -order : order;
}

bool page_is_behind(const struct page *page, const struct page_key *key)
{
    return !page->has_after || order_of(page, key, &page->after) > 0;
}

/* keys[AT] may come behind its parents: up with it. */
static void sift_up(struct page *page, size_t at)
{
    struct page_key key = page->keys[at];
    while (at > 0) {
        size_t parent = (at - 1) / 2;
        if (order_of(page, &key, &page->keys[parent]) <= 0)
            break;
        page->keys[at] = page->keys[parent];
        at = parent;
    }
    page->keys[at] = key;
}

/* keys[0] may come before its children among the first COUNT: down with it. */
static void sift_down(struct page *page, size_t count)
{
    struct page_key key = page->keys[0];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            break;
        if (child + 1 < count &&
            order_of(page, &page->keys[child + 1], &page->keys[child]) > 0)
            child++;
        if (order_of(page, &page->keys[child], &key) <= 0)
            break;
        page->keys[at] = page->keys[child];
        at = child;
    }
    page->keys[at] = key;
}

bool page_offer(struct page *page, const struct page_key *key)
{
    if (!page_is_behind(page, key))
        return true;
    if (page->count < page->limit) {
        page->keys[page->count++] = *key;
        sift_up(page, page->count - 1);
        return true;
    }
    page->more = true;
    if (order_of(page, key, &page->keys[0]) > 0)
        return false;
    page->keys[0] = *key;
    sift_down(page, page->count);
    return true;
}

void page_finish(struct page *page)
{
    for (size_t left = page->count; left > 1; left--) {
        struct page_key last = page->keys[0];
        page->keys[0] = page->keys[left - 1];
        page->keys[left - 1] = last;
        sift_down(page, left - 1);
    }
}

void page_cursor(const struct page *page, const struct page_key *key, struct str *out)
{
    static const char digits[] = "0123456789abcdef";
    struct str bytes;

    str_init(&bytes, PAGE_CURSOR_MAX);
    write_u8(&bytes, CURSOR_VERSION);
    write_u8(&bytes, (uint8_t)(page->sort << 1 | page->descending));
    write_u64(&bytes, (uint64_t)key->number);
    write_u64(&bytes, key->serial);
    str_append(&bytes, key->id.bytes, sizeof(key->id.bytes));
    str_append(&bytes, key->text, key->text_len);
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = (uint8_t)bytes.data[i];
        str_append(out, &digits[byte >> 4], 1);
        str_append(out, &digits[byte & 15], 1);
    }
    str_fini(&bytes);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int page_set_after(struct page *page, const char *cursor)
{
    uint8_t bytes[PAGE_CURSOR_MAX / 2];
    struct page_key key;
    struct reader r;
    size_t len = strlen(cursor);

    if (len % 2 != 0 || len > sizeof(bytes) * 2)
        return ERR_INVALID;
    for (size_t i = 0; i < len / 2; i++) {
        int high = digit_of(cursor[2 * i]), low = digit_of(cursor[2 * i + 1]);
        if (high < 0 || low < 0)
            return ERR_INVALID;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    memset(&key, 0, sizeof(key));
    reader_init(&r, slice_of(bytes, len / 2));
    uint8_t version = reader_u8(&r), sort = reader_u8(&r);
    key.number = reader_i64(&r);
    key.serial = reader_u64(&r);
    struct slice id = reader_bytes(&r, sizeof(key.id.bytes));
    if (r.failed || version != CURSOR_VERSION ||
        sort != (page->sort << 1 | page->descending) || reader_left(&r) > PAGE_TEXT_MAX)
        return ERR_INVALID;
    memcpy(key.id.bytes, id.ptr, sizeof(key.id.bytes));
    page_key_set_text(&key, reader_bytes(&r, reader_left(&r)));
    page->after = key;
    page->has_after = true;
    return 0;
}
