/* test_redact.c - no secret passes, whatever stands around it; what is none stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/redact.h"
#include "cli/tar.h"
#include "common/defs.h"

#define SECRET "hunter2-S3CR3T/+x"

static void expect(const char *text, const char *clean)
{
    struct redact redact = {0};
    struct str out;
    str_init(&out, MIB);
    redact_text(&redact, slice_str(text), &out);
    assert_string_equal(str_cstr(&out), clean);
    str_fini(&out);
}

/* The value of a name that is a secret's goes, as logfmt, JSON, URL, header, environment
 * and command line write it. */
static void named_values_go(void **state)
{
    (void)state;
    expect("store-secret-key=" SECRET " zone=a", "store-secret-key=*** zone=a");
    expect("password=\"a \\\" b\" x=1", "password=\"***\" x=1");
    expect("{\"secret_key\":\"" SECRET "\",\"b\":1}", "{\"secret_key\":\"***\",\"b\":1}");
    expect("{\"line\":\"token=\\\"a b\\\" c\"}", "{\"line\":\"token=\\\"***\\\" c\"}");
    expect("s3://b/p?X-Amz-Signature=ab12&region=r",
           "s3://b/p?X-Amz-Signature=***&region=r");
    expect("AWS_SECRET_ACCESS_KEY=" SECRET, "AWS_SECRET_ACCESS_KEY=***");
    expect("weft-agent --enrolment-token " SECRET " --zone a",
           "weft-agent --enrolment-token *** --zone a");
    expect("password: " SECRET "\nuser: u", "password: ***\nuser: u");
    expect("WEFT_CELL_KEY=00ff", "WEFT_CELL_KEY=***");
}

/* What is a secret by its form goes, whatever it is called. */
static void forms_go(void **state)
{
    (void)state;
    expect("a weft_enrol_Ab3-_x b", "a *** b");
    expect("id=AKIAIOSFODNN7EXAMPLE.", "id=***.");
    expect("http://user:pw@host:80/x@y", "http://***@host:80/x@y");
    expect("h: Bearer abc.def, x", "h: Bearer ***, x");
    expect("a\n-----BEGIN EC PRIVATE KEY-----\nMIG\n-----END EC PRIVATE KEY-----\nb",
           "a\n***\nb");
    expect("-----BEGIN PRIVATE KEY-----\nMIG cut", "***");
}

/* What only sounds like one stays, and so do certificates, which are public. */
static void others_stay(void **state)
{
    static const char *const texts[] = {
        "ca-fingerprint=5f1c09aa token_id=7 max-token-requests=1000 ",
        "{\"tokens\":3,\"token\":null}",
        "admin-token-file=/var/lib/weft/admin-token",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "https://host/a@b path=/api/v1/tokens/{token} weft_agent_up 1",
        "key=a/b partition=3",
        "",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect(texts[i], texts[i]);
}

/* A secret that this machine knows goes wherever it stands, by whatever name. */
static void known_ones_go(void **state)
{
    char token[] = "MY_TOKEN=" SECRET, home[] = "HOME=/home/somebody";
    char *environment[] = {token, home, NULL};
    struct redact redact = {0};
    struct str out;
    (void)state;
    str_init(&out, MIB);
    redact_know_environment(&redact, environment);
    redact_know(&redact, "short");
    redact_know(&redact, NULL);
    redact_text(&redact, slice_str("x" SECRET "y /home/somebody short"), &out);
    assert_string_equal(str_cstr(&out), "x***y /home/somebody short");
    assert_int_equal(redact.taken, 1);
    str_fini(&out);
}

/* A line of the log is known by its time and level; nothing else is one. */
static void log_lines_are_known(void **state)
{
    (void)state;
    assert_true(redact_is_log_line(
        slice_str("2026-01-02T03:04:05.678Z level=warn module=store msg=\"x\"")));
    assert_true(redact_is_log_line(
        slice_str("{\"time\":\"2026-01-02T03:04:05.678Z\",\"level\":\"warn\"}")));
    assert_false(redact_is_log_line(slice_str("2026-01-02T03:04:05.678Z a record")));
    assert_false(redact_is_log_line(slice_str("{\"level\":\"warn\"}")));
    assert_false(redact_is_log_line(slice_str("")));
}

/* An archive is blocks of 512 bytes, with a header that sums up, and ends in two empty
 * ones. */
static void archive_has_its_blocks(void **state)
{
    struct str tar;
    unsigned sum = 0;
    (void)state;
    str_init(&tar, MIB);
    tar_add(&tar, "a/b.txt", slice_str("hello"), 1700000000);
    tar_end(&tar);
    assert_int_equal(tar.len, 4 * 512);
    assert_string_equal(tar.data, "a/b.txt");
    assert_string_equal(tar.data + 124, "00000000005");
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : (unsigned char)tar.data[i];
    assert_int_equal(strtoul(tar.data + 148, NULL, 8), sum);
    assert_memory_equal(tar.data + 512, "hello\0", 6);
    for (size_t i = 2 * 512; i < tar.len; i++)
        assert_int_equal(tar.data[i], 0);
    str_fini(&tar);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(named_values_go),     cmocka_unit_test(forms_go),
        cmocka_unit_test(others_stay),         cmocka_unit_test(known_ones_go),
        cmocka_unit_test(log_lines_are_known), cmocka_unit_test(archive_has_its_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
