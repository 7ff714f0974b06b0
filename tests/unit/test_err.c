/* test_err.c - the table of failures and the texts that travel with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "common/err.h"

/* Every code has a name, a text and an HTTP status that says failure. */
static void every_code_is_described(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_OK), "OK");
    assert_int_equal(err_http_status(ERR_OK), 200);
    for (int code = ERR_OK + 1; code < ERR_MAX; code++) {
        assert_true(strlen(err_name(code)) > 0);
        assert_true(strlen(err_text(code)) > 0);
        assert_in_range(err_http_status(code), 400, 599);
        assert_int_not_equal(err_kafka(code), 0);
    }
}

/* A code that nobody knows reads as an internal error. */
static void unknown_code_is_internal(void **state)
{
    (void)state;
    assert_string_equal(err_name(ERR_MAX), "INTERNAL");
    assert_string_equal(err_name(-5), "INTERNAL");
    assert_false(err_retriable(12345));
}

/* Wrapping puts the outer layer's words in front and keeps the code. */
static void wrap_goes_in_front(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set(&err, ERR_TIMEOUT, "after %d ms", 5), ERR_TIMEOUT);
    assert_int_equal(err_wrap(&err, ERR_IO, "put %s", "k"), ERR_TIMEOUT);
    assert_string_equal(err.text, "put k: after 5 ms");
    assert_int_equal(err_wrap(NULL, ERR_IO, "put"), ERR_IO);
    assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
}

/* A text that is too long is cut and still ends in NUL. */
static void long_text_is_cut(void **state)
{
    (void)state;
    struct err err;
    char word[200];
    memset(word, 'w', sizeof(word));
    word[sizeof(word) - 1] = '\0';
    (void)err_set(&err, ERR_IO, "%s", word);
    for (int i = 0; i < 3; i++)
        (void)err_wrap(&err, ERR_IO, "%s", word);
    assert_int_equal(strlen(err.text), ERR_TEXT_MAX - 1);
}

/* errno decides the code: a full disk is not any input/output error. */
static void errno_decides_the_code(void **state)
{
    (void)state;
    struct err err;
    assert_int_equal(err_set_errno(&err, ENOSPC, "write"), ERR_NO_SPACE);
    assert_int_equal(err_set_errno(&err, EDQUOT, "write"), ERR_NO_SPACE);
    assert_int_equal(err_set_errno(&err, ENOENT, "open"), ERR_NOT_FOUND);
    assert_int_equal(err_set_errno(&err, EEXIST, "open"), ERR_EXISTS);
    assert_int_equal(err_set_errno(&err, EIO, "read %d", 7), ERR_IO);
    assert_string_equal(err.text, "read 7: Input/output error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_is_described),
        cmocka_unit_test(unknown_code_is_internal),
        cmocka_unit_test(wrap_goes_in_front),
        cmocka_unit_test(long_text_is_cut),
        cmocka_unit_test(errno_decides_the_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
