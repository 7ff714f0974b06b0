/* fuzz_object.c - an object's header, trailer and footer from any bytes. */
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/cursor.h"
#include "proto/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice_of(data, size);
    struct object_footer footer;
    enum object_kind kind;
    struct arena arena;
    struct err err;
    uint64_t position;
    uint32_t length;

    (void)!object_read_header(all, &kind, &err);
    if (size < OBJECT_TRAILER_LEN)
        return 0;
    (void)!object_read_trailer(
        slice_of(data + size - OBJECT_TRAILER_LEN, OBJECT_TRAILER_LEN), size, &position,
        &length, &err);
    /* Take the input for the footer of an object whose runs fill what the trailer says.
     */
    uint64_t object_size = be64_get(data + size - OBJECT_TRAILER_LEN) + size;
    arena_init(&arena, 16 * MIB);
    if (object_read_footer(all, object_size, &arena, &footer, &err) == 0) {
        struct str again;
        str_init(&again, 16 * MIB);
        object_write_footer(&footer, &again);
        if (!slice_eq(str_slice(&again), all))
            __builtin_trap();
        str_fini(&again);
    }
    arena_fini(&arena);
    return 0;
}
