/* test_topic_regex.c - RE2's syntax, whole names, and time that no pattern can blow up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "controlplane/topic_regex.h"

#define MANY ((uint64_t)1 << 30)

/* Whether PATTERN, which is valid, matches NAME. */
static bool matches(const char *pattern, const char *name)
{
    struct topic_regex *regex = NULL;
    struct err err = {0};
    uint64_t steps = MANY;
    bool found = false;

    int rc = topic_regex_new(slice_str(pattern), &regex, &err);
    if (rc != 0)
        fail_msg("%s: %s", pattern, err.text);
    assert_int_equal(topic_regex_match(regex, slice_str(name), &steps, &found), 0);
    topic_regex_free(regex);
    return found;
}

static void each(const char *pattern, const char *const *yes, const char *const *no)
{
    for (; *yes != NULL; yes++) {
        if (!matches(pattern, *yes))
            fail_msg("%s does not match %s", pattern, *yes);
    }
    for (; *no != NULL; no++) {
        if (matches(pattern, *no))
            fail_msg("%s matches %s", pattern, *no);
    }
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static void refused(const char *pattern, const char *why)
{
    struct topic_regex *regex = NULL;
    struct err err = {0};

    int rc = topic_regex_new(slice_str(pattern), &regex, &err);
    if (rc == 0)
        fail_msg("%s is taken", pattern);
    assert_int_equal(rc, ERR_INVALID);
    if (strstr(err.text, why) == NULL)
        fail_msg("%s: \"%s\" does not say \"%s\"", pattern, err.text, why);
}

/* A pattern matches whole names: not what they begin with, not what is in them. */
static void test_whole(void **state)
{
    (void)state;
    each("abc", LIST("abc"), LIST("ab", "abcd", "xabc", ""));
    each("^abc$", LIST("abc"), LIST("abcd"));
    each("a|ab", LIST("a", "ab"), LIST("aba", "b"));
    each("", LIST(""), LIST("a"));
    each("a||b", LIST("a", "", "b"), LIST("ab"));
}

/* Any character, and how often a part may come; lazy or greedy is the same. */
static void test_repeats(void **state)
{
    (void)state;
    each("orders-.*", LIST("orders-", "orders-eu"), LIST("orders", "x-orders-"));
    each("a+b?", LIST("a", "aab"), LIST("", "b", "abb"));
    each("a{2}", LIST("aa"), LIST("a", "aaa"));
    each("a{2,}", LIST("aa", "aaaa"), LIST("a"));
    each("a{0,2}b", LIST("b", "ab", "aab"), LIST("aaab"));
    each("(ab){1,2}?", LIST("ab", "abab"), LIST("", "ababab"));
    each("a{0}", LIST(""), LIST("a"));
    each(".*?x+?", LIST("x", "axx"), LIST("a"));
    each("(a*)*b", LIST("b", "aaab"), LIST("a"));
    each("(a|b?)+", LIST("", "abba"), LIST("c"));
    each("(|a)+", LIST("", "aa"), LIST("b"));
}

/* What looks like a count and is none stands for itself. */
static void test_braces(void **state)
{
    (void)state;
    each("a{,2}", LIST("a{,2}"), LIST("aa"));
    each("a{x}", LIST("a{x}"), LIST("a"));
    each("{", LIST("{"), LIST(""));
    each("a}]", LIST("a}]"), LIST("a"));
    each("x{2", LIST("x{2"), LIST("xx"));
}

/* Classes: ranges, negation, brackets and dashes where they are characters. */
static void test_classes(void **state)
{
    (void)state;
    each("[a-c]x", LIST("ax", "cx"), LIST("dx", "x"));
    each("[^a-c]", LIST("d", "-"), LIST("a"));
    each("[]a]", LIST("]", "a"), LIST("b"));
    each("[^]a]", LIST("b"), LIST("]", "a"));
    each("[a-]", LIST("a", "-"), LIST("b"));
    each("[a-c-e]", LIST("b", "-", "e"), LIST("d"));
    each("[.]", LIST("."), LIST("a"));
    each("[\\]\\\\]", LIST("]", "\\"), LIST("a"));
    each("[[:alpha:]_]+", LIST("Ab_"), LIST("1"));
    each("[[:^digit:]]", LIST("a"), LIST("1"));
    each("[\\d.]+", LIST("1.2"), LIST("a"));
    each("[^\\W]", LIST("a", "_"), LIST("-"));
    each("[\\x41-\\x43]", LIST("B"), LIST("D"));
}

/* Classes by a letter, by a general category, by a script. */
static void test_named_classes(void **state)
{
    (void)state;
    each("\\d+", LIST("09"), LIST("a"));
    each("\\D", LIST("a"), LIST("1"));
    each("\\w+", LIST("aZ_9"), LIST("-", "."));
    each("\\W", LIST("-"), LIST("_"));
    each("\\s", LIST(" ", "\t"), LIST("a"));
    each("\\pL\\pN", LIST("a1", "Z9"), LIST("1a"));
    each("\\p{Lu}+", LIST("AB"), LIST("a"));
    each("\\p{^Lu}\\P{Lu}", LIST("aa", "1-"), LIST("Aa", "aA"));
    each("\\p{Latin}\\p{Greek}*", LIST("a"), LIST("1"));
    each("\\pP", LIST("-", "_", "."), LIST("+", "a"));
}

/* Escapes, and quotes in which everything stands for itself. */
static void test_escapes(void **state)
{
    (void)state;
    each("a\\.b", LIST("a.b"), LIST("axb"));
    each("\\x41\\x{42}\\103\\_", LIST("ABC_"), LIST("abc"));
    each("\\Qa.b*\\E+", LIST("a.b*", "a.b**"), LIST("axb", "a.b"));
    each("\\Q(", LIST("("), LIST(""));
    each("x\\Q\\Ey", LIST("xy"), LIST("x"));
    each("\\Aab\\z", LIST("ab"), LIST("abc"));
    each("\\bab\\b-.*", LIST("ab-c"), LIST("xab-c"));
    each("a\\Bb", LIST("ab"), LIST("a"));
    each("a\\b-", LIST("a-"), LIST("a"));
}

/* Groups with and without names; flags of a group, or of the rest of one. */
static void test_groups(void **state)
{
    (void)state;
    each("(?:a|b)c", LIST("ac", "bc"), LIST("abc"));
    each("(?P<x>a)(?<y>b)", LIST("ab"), LIST("a"));
    each("(?i)aB-k", LIST("ab-k", "AB-K"), LIST("ac-k"));
    each("(?i:a)b", LIST("Ab", "ab"), LIST("aB"));
    each("a(?i)b|c", LIST("aB", "ab", "C"), LIST("Ab"));
    each("(a(?i)b)c", LIST("aBc"), LIST("aBC"));
    each("(?i)a(?-i)b", LIST("Ab"), LIST("AB"));
    each("(?sU)a.*b", LIST("axb"), LIST("ax"));
    each("(?i)[a-c]", LIST("B"), LIST("D"));
    each("(?i)[^a-c]", LIST("d"), LIST("B"));
}

/* Beyond ASCII there is nothing that a topic's name could match; but what folds to it. */
static void test_unicode(void **state)
{
    (void)state;
    each("[a-\xc3\xa9]", LIST("a", "z", "~"), LIST("A"));
    each("a\xc3\xa9?", LIST("a"), LIST("a?"));
    each("[^\xc3\xa9]", LIST("a"), LIST(""));
    each("(?i)\xe2\x84\xaa", LIST("k", "K"), LIST("s"));
    each("(?i)\xc5\xbf", LIST("s", "S"), LIST("k"));
}

/* What RE2 does not take is told, with the place. */
static void test_refused(void **state)
{
    (void)state;
    refused("(", "missing closing )");
    refused("a)", "unexpected )");
    refused("[a", "missing closing ]");
    refused("[z-a]", "invalid character class range");
    refused("[[:foo:]]", "invalid character class range");
    refused("*a", "missing argument to repetition operator");
    refused("a|*", "missing argument");
    refused("(+)", "missing argument");
    refused("a**", "bad repetition operator");
    refused("a*{2}", "bad repetition operator");
    refused("a*+", "bad repetition operator");
    refused("a{1001}", "invalid repeat count");
    refused("a{2,1}", "invalid repeat count");
    refused("\\1", "invalid escape sequence");
    refused("\\8", "invalid escape sequence");
    refused("\\C", "invalid escape sequence");
    refused("\\x4", "invalid escape sequence");
    refused("\\x{110000}", "invalid escape sequence");
    refused("a\\", "trailing backslash");
    refused("\\p{Klingon}", "invalid character class range");
    refused("\\pX", "invalid character class range");
    refused("(?=a)", "invalid or unsupported Perl syntax");
    refused("(?!a)", "invalid or unsupported Perl syntax");
    refused("(?<=a)", "invalid named capture");
    refused("(?P<a>b)(?P<a>c)", "invalid named capture");
    refused("(?P<>b)", "invalid named capture");
    refused("(?i-)", "invalid or unsupported Perl syntax");
    refused("\xff", "invalid UTF-8");
    refused("\xc3", "invalid UTF-8");
    refused("ab\xe2\x84", "at byte 2");
}

/* A pattern, its depth and its program have bounds. */
static void test_bounds(void **state)
{
    struct topic_regex *regex;
    struct err err;
    char text[TOPIC_REGEX_BYTES_MAX + 2];
    (void)state;

    memset(text, 'a', sizeof(text));
    assert_int_equal(topic_regex_new(slice_of(text, sizeof(text)), &regex, &err),
                     ERR_TOO_LARGE);
    memset(text, '(', 2 * TOPIC_REGEX_DEPTH_MAX);
    assert_int_equal(
        topic_regex_new(slice_of(text, 2 * TOPIC_REGEX_DEPTH_MAX), &regex, &err),
        ERR_INVALID);
    assert_non_null(strstr(err.text, "nests too deeply"));
    assert_int_equal(topic_regex_new(slice_str("(a{1000}){1000}"), &regex, &err),
                     ERR_TOO_LARGE);
    assert_int_equal(
        topic_regex_new(slice_str("((((){1000}){1000}){1000}){1000}"), &regex, &err),
        ERR_TOO_LARGE);
}

/* Patterns that take others exponential time cost program times name, and no more; and a
 * budget of steps ends them before that. */
static void test_linear(void **state)
{
    static const char *const hostile[] = {"(a+)+", "(a|a)*b", "(a?){200}a{200}",
                                          "(.*)(.*)(.*)(.*)(.*)x", "((a*)*)*b"};
    char name[250];
    (void)state;

    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        struct topic_regex *regex = NULL;
        bool found;
        uint64_t steps = 3 * TOPIC_REGEX_PROGRAM_MAX * sizeof(name), all = steps;
        assert_int_equal(topic_regex_new(slice_str(hostile[i]), &regex, NULL), 0);
        assert_int_equal(topic_regex_match(regex, slice_str(name), &steps, &found), 0);
        uint64_t needed = all - steps;
        steps = needed - 1;
        assert_int_equal(topic_regex_match(regex, slice_str(name), &steps, &found),
                         ERR_TOO_LARGE);
        assert_int_equal(steps, 0);
        steps = needed;
        assert_int_equal(topic_regex_match(regex, slice_str(name), &steps, &found), 0);
        topic_regex_free(regex);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),         cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_braces),        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_named_classes), cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_groups),        cmocka_unit_test(test_unicode),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_linear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
