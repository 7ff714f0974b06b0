/* fuzz_peer.c - a message of another node, hostile or from another version.
 *
 * What is read is written again as the same bytes, but for flags that mean nothing.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/err.h"
#include "proto/peer_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENTRIES 64

static void write_again(struct slice bytes, struct peer_message *msg)
{
    struct peer_entry entries[ENTRIES];
    struct reader r;
    struct str again;

    if (msg->type == PEER_APPEND) {
        if (msg->append.count > ENTRIES)
            return;
        reader_init(&r, msg->append.encoded);
        for (uint32_t i = 0; i < msg->append.count; i++)
            entries[i] = peer_entry_next(&r);
        if (r.failed || reader_left(&r) != 0)
            __builtin_trap();
        msg->append.entries = entries;
    }
    str_init(&again, PEER_MESSAGE_MAX);
    peer_message_encode(msg, &again);
    if (again.overflowed || again.len != bytes.len ||
        memcmp(again.data + 4, bytes.ptr + 4, bytes.len - 4) != 0)
        __builtin_trap();
    str_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer_message msg;
    struct slice bytes = slice_of(data, size);
    int rc = peer_message_decode(bytes, &msg);

    if (rc != 0 && rc != ERR_MALFORMED && rc != ERR_UNSUPPORTED && rc != ERR_TOO_LARGE)
        __builtin_trap();
    if (rc == 0)
        write_again(bytes, &msg);
    (void)peer_configuration_valid(bytes);
    return 0;
}
