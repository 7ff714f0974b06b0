/* fuzz_topic_regex.c - patterns of any bytes, and names that they are matched with.
 *
 * The pattern, a zero byte, the name. Whatever the pattern, a match takes no more steps
 * than its program is long for each byte of the name; and a group around it, or the
 * pattern twice as alternatives, matches the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "controlplane/topic_regex.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool promise)
{
    if (!promise)
        abort();
}

/* 1: PATTERN matches NAME, 0: not, -1: it is not valid. */
static int match(struct slice pattern, struct slice name)
{
    struct topic_regex *regex = NULL;
    struct err err = {0};
    uint64_t steps = (name.len + 1) * 5 * (TOPIC_REGEX_PROGRAM_MAX + 1);
    bool found = false;

    int rc = topic_regex_new(pattern, &regex, &err);
    if (rc != 0) {
        must(rc == ERR_INVALID || rc == ERR_TOO_LARGE);
        must(err.text[0] != '\0');
        return -1;
    }
    must(topic_regex_match(regex, name, &steps, &found) == 0);
    topic_regex_free(regex);
    return found;
}

static int match_within(const char *before, struct slice pattern, const char *between,
                        struct slice again, const char *after, struct slice name)
{
    struct str text;

    str_init(&text, 65536);
    str_puts(&text, before);
    str_append_slice(&text, pattern);
    str_puts(&text, between);
    str_append_slice(&text, again);
    str_puts(&text, after);
    int found = match(str_slice(&text), name);
    str_fini(&text);
    return found;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *zero = size == 0 ? NULL : memchr(data, 0, size);
    struct slice pattern = slice_of(data, zero == NULL ? size : (size_t)(zero - data));
    struct slice name = SLICE_LITERAL("topic-1");

    if (zero != NULL)
        name = slice_of(zero + 1, size - pattern.len - 1);
    if (name.len > 249)
        name.len = 249;
    int found = match(pattern, name);
    /* A quote without an end would take in what stands behind. */
    if (found < 0 || memmem(data, pattern.len, "\\Q", 2) != NULL)
        return 0;
    int other = match_within("(?:", pattern, ")", SLICE_NULL, "", name);
    must(other < 0 || other == found);
    other = match_within("(?:", pattern, ")|(?:", pattern, ")", name);
    must(other < 0 || other == found);
    return 0;
}
