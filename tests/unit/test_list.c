/* test_list.c - intrusive lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/list.h"

struct item {
    struct list_node node;
    int value;
};

/* The values of LIST as a decimal number, one digit each. */
static int digits(const struct list *list)
{
    int number = 0;
    LIST_FOREACH(node, next, list)
    number = number * 10 + CONTAINER_OF(node, struct item, node)->value;
    return number;
}

static void make(struct list *list, struct item items[4])
{
    list_init(list);
    for (int i = 0; i < 4; i++) {
        items[i].value = i + 1;
        list_node_init(&items[i].node);
        list_push_back(list, &items[i].node);
    }
}

/* Pushing keeps order at both ends; popping takes the first. */
static void push_and_pop(void **state)
{
    (void)state;
    struct list list;
    struct item items[4], zero = {.value = 9};
    make(&list, items);
    list_push_front(&list, &zero.node);
    assert_int_equal(digits(&list), 91234);
    assert_ptr_equal(list_pop_front(&list), &zero.node);
    assert_false(list_linked(&zero.node));
    assert_ptr_equal(list_first(&list), &items[0].node);
    assert_int_equal(digits(&list), 1234);
}

/* Removing twice does no harm, and an empty list is empty. */
static void remove_may_be_repeated(void **state)
{
    (void)state;
    struct list list;
    struct item items[4];
    make(&list, items);
    list_remove(&items[1].node);
    list_remove(&items[1].node);
    assert_int_equal(digits(&list), 134);
    while (list_pop_front(&list) != NULL)
        continue;
    assert_true(list_empty(&list));
    assert_null(list_first(&list));
}

/* A walk may remove the node it is at. */
static void walk_may_remove(void **state)
{
    (void)state;
    struct list list;
    struct item items[4];
    make(&list, items);
    LIST_FOREACH(node, next, &list)
    {
        if (CONTAINER_OF(node, struct item, node)->value % 2 == 0)
            list_remove(node);
    }
    assert_int_equal(digits(&list), 13);
}

/* Splicing moves all, in order, behind what is there. */
static void splice_moves_all(void **state)
{
    (void)state;
    struct list a, b;
    struct item first[4], second[4];
    make(&a, first);
    make(&b, second);
    list_splice(&a, &b);
    assert_int_equal(digits(&a), 12341234);
    assert_true(list_empty(&b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_and_pop),
        cmocka_unit_test(remove_may_be_repeated),
        cmocka_unit_test(walk_may_remove),
        cmocka_unit_test(splice_moves_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
