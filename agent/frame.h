/* frame.h - cut a client's byte stream into Kafka frames, each in a blob of its own.
 *
 * A frame is an int32 length and that many bytes. As soon as length, API key and version
 * are known (8 bytes), a blob of exactly the frame's size is taken from the memory budget
 * and the socket reads straight into it: frame_room() says where. What a read brought
 * behind the end of a frame is given to frame_feed(). A frame that could never be
 * answered is refused before any memory is spent on it.
 *
 * Owned by one connection; no clock, no socket in here. */
#ifndef AGENT_FRAME_H
#define AGENT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/blob.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/mem.h"

/* Length, API key and version: what must be known before memory is taken. */
#define FRAME_PREFIX_BYTES 8

/* Above this share of the memory budget no new Produce is begun; and above the other
 * nothing else: what waits to be stored must not stop heartbeats and fetches. */
#define FRAME_PAUSE_PERCENT        80
#define FRAME_PAUSE_OTHERS_PERCENT 95

struct frame_limits {
    size_t produce_max_bytes; /* of a Produce request */
    size_t other_max_bytes;   /* of any other */
    struct budget *budget;
};

enum frame_result {
    FRAME_MORE,  /* all input was taken, the frame is not whole */
    FRAME_READY, /* frame_take() it before going on */
    FRAME_WAIT,  /* no memory for the next frame now: try again later */
};

struct frame_reader {
    struct blob *blob; /* the frame under way, without its length; NULL: not yet */
    size_t filled;     /* bytes of it that are there */
    uint8_t prefix[FRAME_PREFIX_BYTES];
    uint8_t prefix_len;
};

void frame_reader_init(struct frame_reader *reader);
void frame_reader_fini(struct frame_reader *reader);

/* Take bytes from *POS up to END into the frame under way; *POS moves on. With no bytes
 * (after FRAME_WAIT) it tries again for memory.
 *
 * Returns 0 and sets *RESULT; or the reason to close the connection, with a text:
 * ERR_MALFORMED (a length that no frame has), ERR_TOO_LARGE, ERR_UNSUPPORTED (a key or
 * version that is not served; ApiVersions passes with any version, KIP-511). */
int frame_feed(struct frame_reader *reader, const struct frame_limits *limits,
               const uint8_t **pos, const uint8_t *end, enum frame_result *result,
               struct err *err) MUST_CHECK;

/* Where the socket may read the rest of the frame under way; 0 bytes: nowhere, use
 * frame_feed. */
size_t frame_room(const struct frame_reader *reader, uint8_t **at);
/* N bytes were read there; true when the frame is whole: frame_take() it. */
bool frame_filled(struct frame_reader *reader, size_t n) MUST_CHECK;
/* The whole frame, without its length; ownership to the caller. */
struct blob *frame_take(struct frame_reader *reader) MUST_CHECK;

/* Some bytes of a frame are there, but not all. */
static inline bool frame_begun(const struct frame_reader *reader)
{
    return reader->prefix_len > 0;
}

#endif
