/* peer_frame.h - the first frames of a connection between nodes, in bytes; the table is
 * in peers.h. Pure: used by peers.c, peer_snapshot.c and a fuzzer. */
#ifndef CONTROLPLANE_PEER_FRAME_H
#define CONTROLPLANE_PEER_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/peers.h"

#define PEER_FRAME_HEADER 5 /* u32 length, u8 type */
#define PEER_HELLO_MAX    1024
#define PEER_DATA_MAX     ((size_t)256 << 10)
#define PEER_REFUSAL_MAX  300

enum peer_frame_type {
    PEER_HELLO = 1,
    PEER_WELCOME = 2,
    PEER_REFUSED = 3,
    PEER_MESSAGE = 4,
    PEER_PING = 5,
    PEER_DATA = 6,
};

enum peer_purpose { PEER_RAFT = 1, PEER_SNAPSHOT = 2 };

enum peer_refusal {
    PEER_REFUSED_REMOVED = 1, /* this node was removed from the cell, for good */
    PEER_REFUSED_OTHER = 2,   /* see the text; try again later */
};

struct peer_hello {
    struct uuid cell_id;
    uint64_t from, to;
    uint8_t purpose;
    bool lost; /* it has lost its log, and wants a leader that knows nothing of it */
    uint64_t boot, number; /* of this connection among the dialler's */
    /* SNAPSHOT */
    uint64_t index;
    uint64_t file_index;
    int64_t created_at_ms;
    uint64_t offset;
    char address[PEERS_ADDRESS_MAX + 1];
};

struct peer_welcome {
    uint64_t size, index;
    int64_t created_at_ms;
    uint64_t offset;
};

/* The header of a frame with LEN bytes of body. */
void peer_frame_begin(struct str *out, enum peer_frame_type type, size_t len);
/* Take the next whole frame from IN: 0 with *TYPE (0: more bytes are needed) and BODY,
 * *USED bytes in all; ERR_MALFORMED, ERR_TOO_LARGE when its body is over MAX_BYTES. */
int peer_frame_next(struct slice in, size_t max_bytes, uint8_t *type, struct slice *body,
                    size_t *used) MUST_CHECK;

void peer_hello_write(const struct peer_hello *hello, struct str *out);
int peer_hello_read(struct slice body, struct peer_hello *hello,
                    struct err *err) MUST_CHECK;
void peer_welcome_write(const struct peer_welcome *welcome, struct str *out);
int peer_welcome_read(struct slice body, struct peer_welcome *welcome) MUST_CHECK;
void peer_refused_write(enum peer_refusal reason, const char *text, struct str *out);
/* TEXT is cleaned of what no log should hold. */
int peer_refused_read(struct slice body, enum peer_refusal *reason,
                      char text[PEER_REFUSAL_MAX]) MUST_CHECK;

#endif
