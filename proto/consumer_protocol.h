/* consumer_protocol.h - what the members of a classic group of type "consumer" tell each
 * other: the metadata in JoinGroup, the assignment in SyncGroup.
 *
 * An int16 version, then the body (kafka/consumer_protocol.schema). To the coordinator
 * of a classic group these are opaque bytes. They are read for tools, for OffsetDelete
 * (which topics does the group read?), and where classic members are served by a
 * consumer group (KIP-848), which writes assignments too.
 *
 * Bytes of a version to come are read as the last one known, and bytes behind the message
 * are ignored, as Kafka's ConsumerProtocol does: newer versions only add at the end. */
#ifndef PROTO_CONSUMER_PROTOCOL_H
#define PROTO_CONSUMER_PROTOCOL_H

#include <stdint.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"
#include "proto/kafka_gen.h"

#define CONSUMER_PROTOCOL_VERSION_MAX 3

/* Strings and user data in *OUT borrow from BYTES, arrays are ARENA's. Returns 0,
 * ERR_MALFORMED (also for a version below 0), or ERR_TOO_LARGE (the arena's cap). On
 * failure *OUT is undefined. */
int consumer_protocol_read_subscription(struct slice bytes, struct arena *arena,
                                        struct consumer_protocol_subscription *out)
    MUST_CHECK;
int consumer_protocol_read_assignment(struct slice bytes, struct arena *arena,
                                      struct consumer_protocol_assignment *out)
    MUST_CHECK;

/* Append BODY with its version in front. Returns what codec_encode() returns. */
int consumer_protocol_write_subscription(
    int16_t version, const struct consumer_protocol_subscription *body,
    struct str *out) MUST_CHECK;
int consumer_protocol_write_assignment(int16_t version,
                                       const struct consumer_protocol_assignment *body,
                                       struct str *out) MUST_CHECK;

#endif
