/* fuzz_command.c - a Raft entry of packed commands: decoded, written again, applied.
 *
 * Applying any bytes is total and the same on every node (I7): two states that get the
 * same entries are equal, and neither faults. The states begin with a cluster and topics
 * that the corpus knows. */
#include <stddef.h>
#include <stdint.h>

#include "common/mem.h"
#include "controlplane/checkpoint.h"
#include "tests/lib/state_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was read is written as the same bytes. */
static void rewrite(struct slice bytes)
{
    struct command cmd;
    struct command_result result;
    struct arena arena;
    struct str again;

    arena_init(&arena, 8 * MIB);
    str_init(&again, 64 * MIB);
    if (command_read(bytes, &arena, &cmd) == 0) {
        command_write(&cmd, &again);
        struct command back;
        /* Not always the same bytes: a varint may be longer than it must be. */
        if (command_read(str_slice(&again), &arena, &back) != 0 || back.kind != cmd.kind)
            __builtin_trap();
    }
    if (command_result_read(bytes, &result) == 0) {
        struct command_result back;
        str_reset(&again);
        command_result_write(&result, &again);
        if (command_result_read(str_slice(&again), &back) != 0 ||
            back.value != result.value)
            __builtin_trap();
    }
    str_fini(&again);
    arena_fini(&arena);
}

static void apply_all(struct driver *driver, struct slice entry)
{
    struct slice command;
    struct str result;

    str_init(&result, 64 * MIB);
    while (command_unpack(&entry, &command)) {
        str_reset(&result);
        state_apply(driver->state, ++driver->index, command, &result);
        if (result.len == 0)
            __builtin_trap();
    }
    str_fini(&result);
}

static uint64_t run(struct slice entry, bool checkpoint)
{
    struct checkpoint_meta meta = {.position = {.index = 1}};
    struct driver driver;
    struct str delta;

    driver_init(&driver, NULL);
    driver_cluster(&driver, 1);
    driver_topic(&driver, 1, 4);
    driver_topic(&driver, 2, 4);
    str_init(&delta, 64 * MIB);
    if (checkpoint)
        checkpoint_begin(driver.state, &meta, &delta);
    apply_all(&driver, entry); /* with it, rows are copied before they change */
    while (checkpoint && !checkpoint_step(driver.state, 1)) {
    }
    if (checkpoint)
        checkpoint_collect(driver.state, &meta, &delta);
    uint64_t hash = state_hash(driver.state);
    str_fini(&delta);
    driver_fini(&driver);
    return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice entry = slice_of(data, size), rest = entry, command;

    /* A topic of the most partitions is 20 MB: one is fine, hundreds are not the point.
     */
    size_t commands = 0;
    while (command_unpack(&rest, &command)) {
        rewrite(command);
        if (++commands > 32)
            return 0;
    }
    if (run(entry, false) != run(entry, true))
        __builtin_trap();
    return 0;
}
