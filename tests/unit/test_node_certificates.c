/* test_node_certificates.c - what is known of the nodes' certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "controlplane/node_certificates.h"

/* A node's newest certificate counts; who was never told of is not known. */
static void test_newest(void **state)
{
    struct node_certificates all = {.count = 0};
    (void)state;
    assert_null(node_certificates_find(&all, 1));
    node_certificates_set(&all, 1, 100, "aa");
    node_certificates_set(&all, 2, 200, "aa");
    node_certificates_set(&all, 1, 300, "bb");
    assert_int_equal(all.count, 2);
    assert_int_equal(node_certificates_find(&all, 1)->not_after_ms, 300);
    assert_string_equal(node_certificates_find(&all, 1)->authority, "bb");
    assert_int_equal(node_certificates_find(&all, 2)->not_after_ms, 200);
    assert_null(node_certificates_find(&all, 3));
}

/* There is room for so many; the one that was unchanged for longest makes room. */
static void test_bounded(void **state)
{
    struct node_certificates all = {.count = 0};
    (void)state;
    for (uint64_t id = 1; id <= NODE_CERTIFICATES_MAX; id++)
        node_certificates_set(&all, id, 1, "aa");
    node_certificates_set(&all, 1, 2, "bb");
    node_certificates_set(&all, 1000, 1, "aa");
    assert_int_equal(all.count, NODE_CERTIFICATES_MAX);
    assert_non_null(node_certificates_find(&all, 1));
    assert_null(node_certificates_find(&all, 2));
    assert_non_null(node_certificates_find(&all, 1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newest),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
