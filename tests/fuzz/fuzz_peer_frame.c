/* fuzz_peer_frame.c - the first frames between nodes: whatever arrives is refused, or
 * reads as something that writes the same bytes again. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "controlplane/peer_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The frame that was written must be FRAME. */
static void same(const struct str *out, struct slice frame)
{
    if (!slice_eq(str_slice(out), frame))
        __builtin_trap();
}

static void read_one(uint8_t type, struct slice body, struct slice frame)
{
    char text[PEER_REFUSAL_MAX];
    enum peer_refusal reason;
    struct peer_hello hello;
    struct peer_welcome welcome;
    struct str out;
    struct err err;

    str_init(&out, 4096);
    if (type == PEER_HELLO && peer_hello_read(body, &hello, &err) == 0) {
        if (strlen(hello.address) > PEERS_ADDRESS_MAX || hello.from == 0)
            __builtin_trap();
        peer_hello_write(&hello, &out);
        same(&out, frame);
    } else if (type == PEER_WELCOME && peer_welcome_read(body, &welcome) == 0) {
        peer_welcome_write(&welcome, &out);
        same(&out, frame);
    } else if (type == PEER_REFUSED && peer_refused_read(body, &reason, text) == 0) {
        if (strlen(text) >= PEER_REFUSAL_MAX)
            __builtin_trap();
    }
    str_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice in = slice_of(data, size);

    for (;;) {
        struct slice body = SLICE_NULL;
        uint8_t type = 0;
        size_t used = 0;
        if (peer_frame_next(in, PEER_HELLO_MAX, &type, &body, &used) != 0 || type == 0)
            return 0;
        if (used > in.len || body.len > PEER_HELLO_MAX)
            __builtin_trap();
        read_one(type, body, slice_of(in.ptr, used));
        in = slice_of(in.ptr + used, in.len - used);
    }
}
