/* fuzz_consumer_protocol.c - what hostile members of groups embed.
 *
 * The bytes are read as a subscription and as an assignment. What was read must be
 * written in the last version, and that must read and write to itself. */
#include <stdint.h>
#include <stdlib.h>

#include "common/defs.h"
#include "common/err.h"
#include "proto/consumer_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LAST CONSUMER_PROTOCOL_VERSION_MAX

static void check_read(int rc)
{
    if (rc != 0 && rc != ERR_MALFORMED && rc != ERR_TOO_LARGE)
        abort();
}

/* Read BYTES as a subscription and write them into OUT; false if they are none. */
static bool turn_subscription(struct slice bytes, struct str *out)
{
    struct consumer_protocol_subscription body;
    struct arena arena;
    arena_init(&arena, 4 * MIB);
    int rc = consumer_protocol_read_subscription(bytes, &arena, &body);
    check_read(rc);
    if (rc == 0 && consumer_protocol_write_subscription(LAST, &body, out) != 0)
        abort();
    arena_fini(&arena);
    return rc == 0;
}

static bool turn_assignment(struct slice bytes, struct str *out)
{
    struct consumer_protocol_assignment body;
    struct arena arena;
    arena_init(&arena, 4 * MIB);
    int rc = consumer_protocol_read_assignment(bytes, &arena, &body);
    check_read(rc);
    if (rc == 0 && consumer_protocol_write_assignment(LAST, &body, out) != 0)
        abort();
    arena_fini(&arena);
    return rc == 0;
}

static void turn_twice(bool (*turn)(struct slice bytes, struct str *out),
                       struct slice bytes)
{
    struct str once, twice;
    str_init(&once, 4 * MIB);
    str_init(&twice, 4 * MIB);
    if (turn(bytes, &once) && (!turn(str_slice(&once), &twice) ||
                               !slice_eq(str_slice(&once), str_slice(&twice))))
        abort();
    str_fini(&twice);
    str_fini(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > MIB)
        return 0;
    turn_twice(turn_subscription, slice_of(data, size));
    turn_twice(turn_assignment, slice_of(data, size));
    return 0;
}
