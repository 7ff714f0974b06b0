/* peer_message.c - see peer_message.h. */
#include "proto/peer_message.h"

#include <string.h>

#include "common/check.h"
#include "common/err.h"

#define VERSION 1

#define FLAG_PRE_VOTE 1
#define FLAG_DISRUPT  2
#define FLAG_GRANTED  4

/* libraft's: see raft_configuration_encode(). */
#define CONFIGURATION_FORMAT 1
#define ROLE_VOTER           1
#define ROLE_SPARE           2

/* ---- encoding ---- */

static uint16_t flags_of(const struct peer_message *msg)
{
    int flags = 0;
    if (msg->type == PEER_VOTE)
        flags = (msg->vote.pre_vote ? FLAG_PRE_VOTE : 0) |
                (msg->vote.disrupt ? FLAG_DISRUPT : 0);
    else if (msg->type == PEER_VOTE_RESULT)
        flags = (msg->vote_result.pre_vote ? FLAG_PRE_VOTE : 0) |
                (msg->vote_result.granted ? FLAG_GRANTED : 0);
    return (uint16_t)flags;
}

static void write_append(const struct peer_message *msg, struct str *out)
{
    write_u64(out, msg->append.prev_index);
    write_u64(out, msg->append.prev_term);
    write_u64(out, msg->append.commit_index);
    write_u64(out, msg->append.revoked);
    write_u32(out, msg->append.count);
    for (uint32_t i = 0; i < msg->append.count; i++) {
        const struct peer_entry *entry = &msg->append.entries[i];
        ASSERT(entry->data.len <= PEER_ENTRY_MAX);
        write_u64(out, entry->term);
        write_u8(out, (uint8_t)entry->type);
        write_u32(out, (uint32_t)entry->data.len);
        str_append_slice(out, entry->data);
    }
}

void peer_message_encode(const struct peer_message *msg, struct str *out)
{
    write_u8(out, VERSION);
    write_u8(out, (uint8_t)msg->type);
    write_u16(out, flags_of(msg));
    write_u64(out, msg->term);
    write_u64(out, (uint64_t)msg->clock_ms);
    switch (msg->type) {
    case PEER_VOTE:
        write_u64(out, msg->vote.last_index);
        write_u64(out, msg->vote.last_term);
        write_u64(out, msg->vote.transfer_term);
        write_u64(out, msg->vote.transfer);
        break;
    case PEER_VOTE_RESULT:
        break;
    case PEER_APPEND:
        write_append(msg, out);
        break;
    case PEER_APPEND_RESULT:
        write_u64(out, msg->append_result.rejected);
        write_u64(out, msg->append_result.last_index);
        break;
    case PEER_INSTALL:
        write_u64(out, msg->install.last_index);
        write_u64(out, msg->install.last_term);
        write_u64(out, msg->install.configuration_index);
        write_u32(out, (uint32_t)msg->install.configuration.len);
        str_append_slice(out, msg->install.configuration);
        break;
    case PEER_TIMEOUT_NOW:
        write_u64(out, msg->timeout_now.last_index);
        write_u64(out, msg->timeout_now.last_term);
        write_u64(out, msg->timeout_now.transfer);
        break;
    }
}

/* ---- decoding ---- */

/* An index or a term; a failure when it is one that nothing can reach. */
static uint64_t read_number(struct reader *r)
{
    uint64_t value = reader_u64(r);
    if (value > PEER_INDEX_MAX)
        reader_fail(r);
    return value;
}

/* The index and term of an entry: both or neither are zero, and the term is not newer
 * than TERM. */
static void read_position(struct reader *r, uint64_t term, uint64_t *index,
                          uint64_t *index_term)
{
    *index = read_number(r);
    *index_term = read_number(r);
    if ((*index == 0) != (*index_term == 0) || *index_term > term)
        reader_fail(r);
}

struct peer_entry peer_entry_next(struct reader *entries)
{
    struct peer_entry entry = {.term = reader_u64(entries)};
    entry.type = (enum peer_entry_type)reader_u8(entries);
    entry.data = reader_bytes(entries, reader_u32(entries));
    return entry;
}

static void read_append(struct reader *r, struct peer_message *msg)
{
    read_position(r, msg->term, &msg->append.prev_index, &msg->append.prev_term);
    msg->append.commit_index = read_number(r);
    msg->append.revoked = reader_u64(r);
    msg->append.count = reader_u32(r);
    msg->append.entries = NULL;
    if (msg->append.count > PEER_ENTRIES_MAX ||
        msg->append.count > reader_left(r) / PEER_ENTRY_BYTES)
        reader_fail(r);
    if (r->failed)
        return;
    const uint8_t *begin = r->pos;
    uint64_t term = msg->append.prev_term;
    for (uint32_t i = 0; i < msg->append.count && !r->failed; i++) {
        struct peer_entry entry = peer_entry_next(r);
        if (entry.term == 0 || entry.term < term || entry.term > msg->term ||
            entry.data.len > PEER_ENTRY_MAX || entry.type < PEER_COMMAND ||
            entry.type > PEER_CHANGE ||
            (entry.type == PEER_CHANGE && !peer_configuration_valid(entry.data)))
            reader_fail(r);
        term = entry.term;
    }
    if (!r->failed)
        msg->append.encoded = slice_of(begin, (size_t)(r->pos - begin));
}

static void read_install(struct reader *r, struct peer_message *msg)
{
    read_position(r, msg->term, &msg->install.last_index, &msg->install.last_term);
    msg->install.configuration_index = read_number(r);
    uint32_t len = reader_u32(r);
    if (len > PEER_CONFIGURATION_MAX)
        reader_fail(r);
    msg->install.configuration = reader_bytes(r, len);
    if (msg->install.last_index == 0 || msg->install.configuration_index == 0 ||
        msg->install.configuration_index > msg->install.last_index ||
        !peer_configuration_valid(msg->install.configuration))
        reader_fail(r);
}

static void read_vote(struct reader *r, struct peer_message *msg, uint16_t flags)
{
    read_position(r, msg->term, &msg->vote.last_index, &msg->vote.last_term);
    msg->vote.transfer_term = read_number(r);
    msg->vote.transfer = reader_u64(r);
    msg->vote.pre_vote = (flags & FLAG_PRE_VOTE) != 0;
    msg->vote.disrupt = (flags & FLAG_DISRUPT) != 0;
    if (msg->vote.transfer_term > msg->term)
        reader_fail(r);
}

static void read_body(struct reader *r, struct peer_message *msg, uint16_t flags)
{
    switch (msg->type) {
    case PEER_VOTE:
        read_vote(r, msg, flags);
        break;
    case PEER_VOTE_RESULT:
        msg->vote_result.pre_vote = (flags & FLAG_PRE_VOTE) != 0;
        msg->vote_result.granted = (flags & FLAG_GRANTED) != 0;
        break;
    case PEER_APPEND:
        read_append(r, msg);
        break;
    case PEER_APPEND_RESULT:
        msg->append_result.rejected = read_number(r);
        msg->append_result.last_index = read_number(r);
        break;
    case PEER_INSTALL:
        read_install(r, msg);
        break;
    case PEER_TIMEOUT_NOW:
        read_position(r, msg->term, &msg->timeout_now.last_index,
                      &msg->timeout_now.last_term);
        msg->timeout_now.transfer = reader_u64(r);
        break;
    default:
        reader_fail(r);
    }
}

int peer_message_decode(struct slice bytes, struct peer_message *msg)
{
    struct reader r;
    struct peer_message read;

    if (bytes.len > PEER_MESSAGE_MAX)
        return ERR_TOO_LARGE;
    memset(&read, 0, sizeof(read));
    reader_init(&r, bytes);
    uint8_t version = reader_u8(&r);
    if (!r.failed && version != VERSION)
        return ERR_UNSUPPORTED;
    read.type = (enum peer_message_type)reader_u8(&r);
    uint16_t flags = reader_u16(&r);
    read.term = read_number(&r);
    read.clock_ms = (int64_t)reader_u64(&r);
    if (read.term == 0 && read.type != PEER_VOTE_RESULT)
        reader_fail(&r);
    read_body(&r, &read, flags);
    if (r.failed || reader_left(&r) != 0)
        return ERR_MALFORMED;
    *msg = read;
    return 0;
}

/* ---- configurations ---- */

static uint64_t read_le64(struct reader *r)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; i++)
        value |= (uint64_t)reader_u8(r) << (8 * i);
    return value;
}

static struct slice read_text(struct reader *r)
{
    const uint8_t *nul = reader_left(r) == 0 ? NULL : memchr(r->pos, 0, reader_left(r));
    if (nul == NULL || nul - r->pos > PEER_ADDRESS_MAX) {
        reader_fail(r);
        return SLICE_NULL;
    }
    struct slice text = reader_bytes(r, (size_t)(nul - r->pos));
    reader_skip(r, 1);
    return text;
}

bool peer_configuration_valid(struct slice bytes)
{
    struct reader r;
    uint64_t ids[PEER_SERVERS_MAX];
    struct slice addresses[PEER_SERVERS_MAX];
    unsigned voters = 0;

    reader_init(&r, bytes);
    if (bytes.len > PEER_CONFIGURATION_MAX || reader_u8(&r) != CONFIGURATION_FORMAT)
        return false;
    uint64_t n = read_le64(&r);
    if (n == 0 || n > PEER_SERVERS_MAX)
        return false;
    for (uint64_t i = 0; i < n && !r.failed; i++) {
        ids[i] = read_le64(&r);
        addresses[i] = read_text(&r);
        uint8_t role = reader_u8(&r);
        if (r.failed || ids[i] == 0 || role > ROLE_SPARE)
            return false;
        voters += role == ROLE_VOTER;
        for (uint64_t j = 0; j < i; j++) {
            if (ids[j] == ids[i] || slice_eq(addresses[j], addresses[i]))
                return false;
        }
    }
    return !r.failed && voters > 0;
}

const char *peer_message_name(enum peer_message_type type)
{
    static const char *const names[] = {
        [PEER_VOTE] = "vote",       [PEER_VOTE_RESULT] = "vote-result",
        [PEER_APPEND] = "append",   [PEER_APPEND_RESULT] = "append-result",
        [PEER_INSTALL] = "install", [PEER_TIMEOUT_NOW] = "timeout-now",
    };
    return type >= PEER_VOTE && type <= PEER_TIMEOUT_NOW ? names[type] : "unknown";
}
