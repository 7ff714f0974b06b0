/* command_io.h - what the writers and readers of the commands' fields share.
 *
 * For proto/command*.c only: small parts, and the functions of the kinds that have a file
 * of their own. A reader may meet any bytes (the log of another version, a fuzzer): it
 * bounds every count and text, and leaves deciding to whoever applies. */
#ifndef PROTO_COMMAND_IO_H
#define PROTO_COMMAND_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/arena.h"
#include "common/crypto.h"
#include "common/cursor.h"
#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "proto/command.h"

/* Bytes being decoded. */
struct reading {
    struct reader r;
    struct arena *arena;
    unsigned version;
};

/* ---- the small parts ---- */

static inline void put_uuid(struct str *out, const struct uuid *uuid)
{
    str_append(out, uuid->bytes, sizeof(uuid->bytes));
}

static inline struct uuid get_uuid(struct reader *r)
{
    struct uuid uuid = UUID_ZERO;
    struct slice bytes = reader_bytes(r, sizeof(uuid.bytes));
    if (bytes.ptr != NULL)
        memcpy(uuid.bytes, bytes.ptr, sizeof(uuid.bytes));
    return uuid;
}

/* Length + 1, so that null and "" differ. */
static inline void put_text(struct str *out, struct slice text)
{
    write_uvarint(out, text.ptr == NULL ? 0 : text.len + 1);
    if (text.ptr != NULL)
        str_append_slice(out, text);
}

static inline struct slice get_text(struct reader *r, size_t max_len)
{
    uint32_t len = reader_uvarint(r);
    if (len == 0)
        return SLICE_NULL;
    if (len - 1 > max_len)
        reader_fail(r);
    return reader_bytes(r, len - 1);
}

static inline void put_hash(struct str *out, const uint8_t hash[SHA256_LEN])
{
    str_append(out, hash, SHA256_LEN);
}

static inline void get_hash(struct reader *r, uint8_t hash[SHA256_LEN])
{
    struct slice bytes = reader_bytes(r, SHA256_LEN);
    if (bytes.ptr != NULL)
        memcpy(hash, bytes.ptr, SHA256_LEN);
}

static inline bool get_bool(struct reader *r)
{
    uint8_t v = reader_u8(r);
    if (v > 1)
        reader_fail(r);
    return v == 1;
}

/* A count or time that cannot be negative. */
static inline int64_t get_natural(struct reader *r)
{
    int64_t v = reader_i64(r);
    if (v < 0)
        reader_fail(r);
    return v;
}

/* A text that must be there, perhaps empty. */
static inline struct slice need_text(struct reader *r, size_t max_len)
{
    struct slice text = get_text(r, max_len);
    if (text.ptr == NULL)
        reader_fail(r);
    return text;
}

/* An id that must not be zero. */
static inline struct uuid need_uuid(struct reader *r)
{
    struct uuid uuid = get_uuid(r);
    if (uuid_is_zero(&uuid))
        reader_fail(r);
    return uuid;
}

static inline uint8_t get_enum(struct reader *r, uint8_t first, uint8_t last)
{
    uint8_t v = reader_u8(r);
    if (v < first || v > last)
        reader_fail(r);
    return v;
}

/* An array of N elements of SIZE bytes, each of which takes at least LEAST of what is
 * read; NULL, after failing, for more than MAX or than there can be. */
static inline void *get_array(struct reading *in, uint32_t n, uint32_t max, size_t least,
                              size_t size)
{
    void *array = NULL;
    if (n <= max && n <= reader_left(&in->r) / least)
        array = arena_try_array(in->arena, MAX(n, 1u), size);
    if (array == NULL)
        reader_fail(&in->r);
    return array;
}

/* ---- groups (command_group.c) ---- */

void put_group_limits(struct str *out, const struct group_limits *limits);
void get_group_limits(struct reader *r, struct group_limits *limits);
void write_group_join(const struct command *cmd, struct str *out);
void read_group_join(struct reading *in, struct command *cmd);
void write_group_sync(const struct command *cmd, struct str *out);
void read_group_sync(struct reading *in, struct command *cmd);
void write_group_leave(const struct command *cmd, struct str *out);
void read_group_leave(struct reading *in, struct command *cmd);
void write_group_due(const struct command *cmd, struct str *out);
void read_group_due(struct reading *in, struct command *cmd);
void write_group_expire(const struct command *cmd, struct str *out);
void read_group_expire(struct reading *in, struct command *cmd);
void write_group_delete(const struct command *cmd, struct str *out);
void read_group_delete(struct reading *in, struct command *cmd);
void write_offsets_commit(const struct command *cmd, struct str *out);
void read_offsets_commit(struct reading *in, struct command *cmd);
void write_offsets_delete(const struct command *cmd, struct str *out);
void read_offsets_delete(struct reading *in, struct command *cmd);
void write_offsets_expire(const struct command *cmd, struct str *out);
void read_offsets_expire(struct reading *in, struct command *cmd);
/* ... of KIP-848 (command_consumer.c) */
void write_consumer_heartbeat(const struct command *cmd, struct str *out);
void read_consumer_heartbeat(struct reading *in, struct command *cmd);

#endif
