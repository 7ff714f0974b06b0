/* peer_message.h - what the nodes of a cell say to each other in Raft's name.
 *
 * Our own encoding of the six messages (Raft dissertation, figures 3.1 and 5.3, and
 * section 3.10) in one envelope. Numbers are big-endian:
 *
 *   u8 version (1), u8 type, u16 flags, u64 term, i64 clock_ms, body
 *
 *   VOTE           u64 last index, u64 last term, u64 transfer term, u64 transfer
 *                  flags: 1 pre-vote, 2 may disrupt a leader
 *   VOTE_RESULT    nothing; flags: 1 pre-vote, 4 granted
 *   APPEND         u64 previous index, u64 previous term, u64 commit index,
 *                  u64 revoked, u32 count, then for each entry:
 *                  u64 term, u8 type, u32 length, bytes
 *   APPEND_RESULT  u64 rejected index (0: accepted), u64 last index
 *   INSTALL        u64 last index, u64 last term, u64 configuration index,
 *                  u32 length of the configuration, bytes
 *   TIMEOUT_NOW    u64 last index, u64 last term, u64 transfer
 *
 * clock_ms: in APPEND and INSTALL the sender's monotonic clock; in APPEND_RESULT the
 * newest of the leader's in this term that the follower has got, PEER_NO_CLOCK if none:
 * the leader's lease. No other node reads it as a time. In VOTE_RESULT the voter's wall
 * clock, in ms since 1970 (replica_clock.c says what for); PEER_NO_CLOCK: not told.
 *
 * A transfer of leadership has a number within the leader's term. The vote request that
 * it permits to disrupt carries both, and the leader's later APPENDs say up to which
 * number its permissions are revoked (controlplane/replica_lease.h says what for).
 *
 * Who sent a message is known from its connection, not from its bytes. Decoding takes
 * any bytes: everything is bounded, nothing is allocated, slices borrow from the input.
 */
#ifndef PROTO_PEER_MESSAGE_H
#define PROTO_PEER_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"

#define PEER_MESSAGE_MAX       (64 * MIB)
#define PEER_ENTRY_MAX         (PEER_MESSAGE_MAX - 4 * KIB)
#define PEER_ENTRIES_MAX       8192
#define PEER_INDEX_MAX         (UINT64_MAX / 4) /* of indexes and terms */
#define PEER_CONFIGURATION_MAX 8192             /* bytes */
#define PEER_SERVERS_MAX       16
#define PEER_ADDRESS_MAX       255
#define PEER_NO_CLOCK          INT64_MIN

enum peer_message_type {
    PEER_VOTE = 1,
    PEER_VOTE_RESULT,
    PEER_APPEND,
    PEER_APPEND_RESULT,
    PEER_INSTALL,
    PEER_TIMEOUT_NOW,
};

/* Raft's types of entries, as libraft numbers them. */
enum peer_entry_type { PEER_COMMAND = 1, PEER_BARRIER, PEER_CHANGE };

struct peer_entry {
    uint64_t term;
    enum peer_entry_type type;
    struct slice data;
};

struct peer_message {
    enum peer_message_type type;
    uint64_t term;
    int64_t clock_ms;
    union {
        struct {
            uint64_t last_index, last_term;
            uint64_t transfer_term, transfer; /* 0: not by a transfer */
            bool pre_vote, disrupt;
        } vote;
        struct {
            bool pre_vote, granted;
        } vote_result;
        struct {
            uint64_t prev_index, prev_term;
            uint64_t commit_index;
            uint64_t revoked;
            uint32_t count;
            /* To encode; a decoded message has `encoded` instead: peer_entry_next(). */
            const struct peer_entry *entries;
            struct slice encoded;
        } append;
        struct {
            uint64_t rejected, last_index;
        } append_result;
        struct {
            uint64_t last_index, last_term;
            uint64_t configuration_index;
            struct slice configuration;
        } install;
        struct {
            uint64_t last_index, last_term;
            uint64_t transfer;
        } timeout_now;
    };
};

/* Append MSG to OUT, whose overflow says that it was too large. */
void peer_message_encode(const struct peer_message *msg, struct str *out);
/* Bytes of an APPEND without entries, and of the envelope of each entry. */
#define PEER_APPEND_BYTES (20 + 36)
#define PEER_ENTRY_BYTES  13

/* Returns 0, ERR_MALFORMED, ERR_TOO_LARGE or ERR_UNSUPPORTED (another version). A message
 * that was decoded keeps Raft's simple rules: terms are not zero and do not go down, no
 * index can overflow, each configuration in it is well-formed. */
int peer_message_decode(struct slice bytes, struct peer_message *msg) MUST_CHECK;
/* The entries of a decoded APPEND, from a reader of append.encoded; append.count calls.
 */
struct peer_entry peer_entry_next(struct reader *entries);

/* Whether BYTES are a configuration as libraft encodes it (its decoder trusts them): 1 to
 * PEER_SERVERS_MAX servers with different ids and addresses, and at least one voter. */
bool peer_configuration_valid(struct slice bytes);

const char *peer_message_name(enum peer_message_type type);

#endif
