/* test_page.c - pages of sorted lists, and cursors that stand changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/defs.h"
#include "common/err.h"
#include "controlplane/page.h"

#define ROWS 500

static struct page_key rows[ROWS];
static bool present[ROWS];

static void fill(bool by_text)
{
    unsigned seed = 7;
    for (int i = 0; i < ROWS; i++) {
        struct page_key *key = &rows[i];
        char text[32];
        memset(key, 0, sizeof(*key));
        key->id = (struct uuid){{(uint8_t)(i >> 8), (uint8_t)i}};
        seed = seed * 1103515245 + 12345;
        if (by_text) {
            /* Many are equal, and one is a prefix of another. */
            snprintf(text, sizeof(text), "%u", (seed >> 16) % 50);
            page_key_set_text(key, slice_str(text));
        } else {
            key->number = (int64_t)((seed >> 16) % 50) - 25;
        }
        present[i] = true;
    }
}

static int row_of(const struct page_key *key)
{
    return key->id.bytes[0] << 8 | key->id.bytes[1];
}

/* Walk all pages; CHANGE is called between them. Returns how often each row was seen. */
static void walk(bool descending, size_t limit, unsigned seen[ROWS],
                 void (*change)(const struct page_key *last))
{
    struct str cursor;
    struct page_key last;
    bool has_last = false;

    memset(seen, 0, ROWS * sizeof(*seen));
    str_init(&cursor, PAGE_CURSOR_MAX);
    for (int guard = 0; guard < 2 * ROWS; guard++) {
        struct arena arena;
        struct page page;
        arena_init(&arena, 4 * MIB);
        page_init(&page, &arena, 3, descending, limit);
        if (cursor.len > 0)
            assert_int_equal(page_set_after(&page, str_cstr(&cursor)), 0);
        for (int i = 0; i < ROWS; i++)
            if (present[i])
                (void)page_offer(&page, &rows[i]);
        page_finish(&page);
        assert_true(page.count <= limit);
        for (size_t i = 0; i < page.count; i++) {
            if (has_last) {
                int order = page_key_cmp(&page.keys[i], &last);
                assert_true(descending ? order < 0 : order > 0);
            }
            last = page.keys[i];
            has_last = true;
            seen[row_of(&last)]++;
        }
        bool more = page.more;
        if (more) {
            str_reset(&cursor);
            page_cursor(&page, &last, &cursor);
        }
        arena_fini(&arena);
        if (!more)
            break;
        if (change != NULL)
            change(&last);
    }
    str_fini(&cursor);
}

/* All rows come, once each, in order, whatever the sort, the direction and the size. */
static void all_rows_once(void **state)
{
    static const size_t limits[] = {1, 7, 100, 499, 500, 1000};
    unsigned seen[ROWS];
    (void)state;
    for (int by_text = 0; by_text <= 1; by_text++)
        for (int descending = 0; descending <= 1; descending++)
            for (size_t l = 0; l < ARRAY_LEN(limits); l++) {
                fill(by_text);
                walk(descending, limits[l], seen, NULL);
                for (int i = 0; i < ROWS; i++)
                    assert_int_equal(seen[i], 1);
            }
}

static bool stays[ROWS];

/* Take the last row shown away, and some others; bring some back. */
static void shuffle(const struct page_key *last)
{
    static unsigned seed = 99;
    if (!stays[row_of(last)])
        present[row_of(last)] = false;
    for (int i = 0; i < ROWS; i++) {
        seed = seed * 1103515245 + 12345;
        if (!stays[i] && (seed >> 20) % 3 == 0)
            present[i] = !present[i];
    }
}

/* What stays while others come and go is neither missed nor shown twice; the others at
 * most once. */
static void under_changes(void **state)
{
    unsigned seen[ROWS];
    (void)state;
    for (int round = 0; round < 20; round++) {
        fill(round % 2 == 0);
        for (int i = 0; i < ROWS; i++)
            stays[i] = i % 3 == round % 3;
        walk(round % 4 < 2, 13, seen, shuffle);
        for (int i = 0; i < ROWS; i++)
            assert_true(stays[i] ? seen[i] == 1 : seen[i] <= 1);
    }
}

/* A page that is full says so when it is offered what can only come later. */
static void full(void **state)
{
    struct arena arena;
    struct page page;
    struct page_key key = {.number = 0};
    (void)state;
    arena_init(&arena, MIB);
    page_init(&page, &arena, 0, false, 2);
    for (key.number = 1; key.number <= 2; key.number++)
        assert_true(page_offer(&page, &key));
    assert_false(page.more);
    assert_false(page_offer(&page, &key));
    assert_true(page.more);
    key.number = 0;
    assert_true(page_offer(&page, &key));
    page_finish(&page);
    assert_int_equal(page.keys[0].number, 0);
    assert_int_equal(page.keys[1].number, 1);
    arena_fini(&arena);
}

/* What is no cursor of this list and sort is refused. */
static void bad_cursors(void **state)
{
    static const char *const bad[] = {"", "0", "zz", "01", "0106", "nonsense", "AB"};
    struct arena arena;
    struct page page, other;
    struct page_key key = {.number = 5};
    struct str cursor;
    (void)state;

    arena_init(&arena, MIB);
    str_init(&cursor, PAGE_CURSOR_MAX);
    page_init(&page, &arena, 1, false, 2);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(page_set_after(&page, bad[i]), ERR_INVALID);
    page_cursor(&page, &key, &cursor);
    assert_int_equal(page_set_after(&page, str_cstr(&cursor)), 0);
    page_init(&other, &arena, 1, true, 2);
    assert_int_equal(page_set_after(&other, str_cstr(&cursor)), ERR_INVALID);
    page_init(&other, &arena, 2, false, 2);
    assert_int_equal(page_set_after(&other, str_cstr(&cursor)), ERR_INVALID);
    /* Every cut of a good one: an error or a shorter text, never more. */
    for (size_t len = cursor.len - 1; len > 0; len--) {
        str_truncate(&cursor, len);
        (void)!page_set_after(&page, str_cstr(&cursor));
    }
    char *huge = malloc(PAGE_CURSOR_MAX * 2 + 1);
    memset(huge, '0', PAGE_CURSOR_MAX * 2);
    huge[PAGE_CURSOR_MAX * 2] = '\0';
    assert_int_equal(page_set_after(&page, huge), ERR_INVALID);
    free(huge);
    str_fini(&cursor);
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_rows_once),
        cmocka_unit_test(under_changes),
        cmocka_unit_test(full),
        cmocka_unit_test(bad_cursors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
