/* peer_frame.c - see peer_frame.h. */
#include "controlplane/peer_frame.h"

#include <string.h>

#include "common/cursor.h"

#define VERSION   1
#define FLAG_LOST 1

void peer_frame_begin(struct str *out, enum peer_frame_type type, size_t len)
{
    write_u32(out, (uint32_t)(len + 1));
    write_u8(out, (uint8_t)type);
}

int peer_frame_next(struct slice in, size_t max_bytes, uint8_t *type, struct slice *body,
                    size_t *used)
{
    *type = 0;
    *used = 0;
    if (in.len < 4)
        return 0;
    size_t len = be32_get(in.ptr);
    if (len == 0)
        return ERR_MALFORMED;
    if (len - 1 > max_bytes)
        return ERR_TOO_LARGE;
    if (in.len - 4 < len)
        return 0;
    *type = in.ptr[4];
    *body = slice_of(in.ptr + PEER_FRAME_HEADER, len - 1);
    *used = 4 + len;
    return *type == 0 ? ERR_MALFORMED : 0;
}

void peer_hello_write(const struct peer_hello *hello, struct str *out)
{
    size_t at = out->len;

    peer_frame_begin(out, PEER_HELLO, 0);
    write_u8(out, VERSION);
    str_append(out, hello->cell_id.bytes, sizeof(hello->cell_id.bytes));
    write_u64(out, hello->from);
    write_u64(out, hello->to);
    write_u8(out, hello->purpose);
    write_u8(out, hello->lost ? FLAG_LOST : 0);
    write_u64(out, hello->boot);
    write_u64(out, hello->number);
    write_u64(out, hello->index);
    write_u64(out, hello->file_index);
    write_u64(out, (uint64_t)hello->created_at_ms);
    write_u64(out, hello->offset);
    write_u8(out, (uint8_t)strlen(hello->address));
    str_puts(out, hello->address);
    if (!out->overflowed)
        be32_put((uint8_t *)out->data + at, (uint32_t)(out->len - at - 4));
}

/* An address goes into logs and to getaddrinfo: printable, no spaces. */
static bool address_ok(struct slice address)
{
    for (size_t i = 0; i < address.len; i++) {
        if (address.ptr[i] <= ' ' || address.ptr[i] >= 0x7f || address.ptr[i] == '"')
            return false;
    }
    return true;
}

int peer_hello_read(struct slice body, struct peer_hello *hello, struct err *err)
{
    struct reader r;
    struct slice id, address;
    struct peer_hello read = {.from = 0};
    uint8_t flags;

    reader_init(&r, body);
    uint8_t version = reader_u8(&r);
    if (!r.failed && version != VERSION)
        return err_set(err, ERR_UNSUPPORTED, "version %u, this program speaks %d",
                       version, VERSION);
    id = reader_bytes(&r, sizeof(read.cell_id.bytes));
    if (!r.failed)
        memcpy(read.cell_id.bytes, id.ptr, id.len);
    read.from = reader_u64(&r);
    read.to = reader_u64(&r);
    read.purpose = reader_u8(&r);
    flags = reader_u8(&r);
    read.boot = reader_u64(&r);
    read.number = reader_u64(&r);
    read.index = reader_u64(&r);
    read.file_index = reader_u64(&r);
    read.created_at_ms = reader_i64(&r);
    read.offset = reader_u64(&r);
    address = reader_bytes(&r, reader_u8(&r));
    if (r.failed || reader_left(&r) != 0 || read.from == 0 || !address_ok(address) ||
        (flags & ~FLAG_LOST) != 0 ||
        (read.purpose != PEER_RAFT && read.purpose != PEER_SNAPSHOT))
        return err_set(err, ERR_MALFORMED, "its greeting makes no sense");
    read.lost = (flags & FLAG_LOST) != 0;
    if (address.len > 0)
        memcpy(read.address, address.ptr, address.len);
    *hello = read;
    return 0;
}

void peer_welcome_write(const struct peer_welcome *welcome, struct str *out)
{
    peer_frame_begin(out, PEER_WELCOME, 32);
    write_u64(out, welcome->size);
    write_u64(out, welcome->index);
    write_u64(out, (uint64_t)welcome->created_at_ms);
    write_u64(out, welcome->offset);
}

int peer_welcome_read(struct slice body, struct peer_welcome *welcome)
{
    struct reader r;
    struct peer_welcome read;

    reader_init(&r, body);
    read.size = reader_u64(&r);
    read.index = reader_u64(&r);
    read.created_at_ms = reader_i64(&r);
    read.offset = reader_u64(&r);
    if (r.failed || reader_left(&r) != 0 || read.offset > read.size ||
        read.size > INT64_MAX)
        return ERR_MALFORMED;
    *welcome = read;
    return 0;
}

void peer_refused_write(enum peer_refusal reason, const char *text, struct str *out)
{
    size_t len = strlen(text);
    if (len > PEER_REFUSAL_MAX - 1)
        len = PEER_REFUSAL_MAX - 1;
    peer_frame_begin(out, PEER_REFUSED, 1 + len);
    write_u8(out, (uint8_t)reason);
    str_append(out, text, len);
}

int peer_refused_read(struct slice body, enum peer_refusal *reason,
                      char text[PEER_REFUSAL_MAX])
{
    if (body.len < 1 || body.len > PEER_REFUSAL_MAX)
        return ERR_MALFORMED;
    *reason =
        body.ptr[0] == PEER_REFUSED_REMOVED ? PEER_REFUSED_REMOVED : PEER_REFUSED_OTHER;
    size_t n = body.len - 1;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = body.ptr[1 + i];
        text[i] = c >= ' ' && c < 0x7f && c != '"' ? (char)c : '?';
    }
    text[n] = '\0';
    return 0;
}
