/* offset_driver.h - commits of groups' offsets for tests of the state: made of small
 * arrays, applied through their bytes (state_driver.h). */
#ifndef TESTS_LIB_OFFSET_DRIVER_H
#define TESTS_LIB_OFFSET_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "proto/offset_commit.h"
#include "tests/lib/state_driver.h"

/* Parts of one topic follow each other, by partition. */
struct test_offset {
    uint32_t topic; /* test_uuid(2, topic) */
    int32_t partition;
    int64_t offset;
    int32_t leader_epoch;
    const char *metadata; /* NULL: "" */
};

/* One commit, or deletion, of a group. */
struct test_offsets {
    const char *group;
    int32_t generation;
    const char *member; /* NULL: "" */
    const char *instance;
    uint8_t flags;
    uint32_t late_ms; /* it was asked for so long ago */
    const struct test_offset *parts;
    size_t count;
    int16_t *errors; /* of each part, set when it was applied; may be NULL */
};

#define TEST_GROUPS_MAX 100000

/* The payload of all of them in one command. */
void offsets_payload(const struct test_offsets *commits, size_t count, struct str *out);
/* One command of KIND for all of COMMITS; returns the error of the first. */
int16_t driver_offsets_of(struct driver *driver, enum command_kind kind,
                          const struct test_offsets *commits, size_t count);
int16_t driver_offsets(struct driver *driver, const struct test_offsets *commit);
int16_t driver_offsets_delete(struct driver *driver, const struct test_offsets *commit);
/* OFFSETS_EXPIRE of what is older than BEFORE_MS; returns what went. */
int64_t driver_offsets_expire(struct driver *driver, int64_t before_ms,
                              const char *group);
/* What GROUP has committed; INT64_MIN: nothing. */
int64_t driver_offset(const struct driver *driver, const char *group, uint32_t topic,
                      int32_t partition);

#endif
