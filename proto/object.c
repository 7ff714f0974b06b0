/* object.c - see object.h and object.md, whose tables the code follows row by row. */
#include "proto/object.h"

#include <stdio.h>
#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/cursor.h"

#define HEADER_MAGIC     "WEFTOBJ1"
#define TRAILER_MAGIC    "WEFTEND1"
#define OBJECT_VERSION   1
#define FOOTER_FIXED_LEN 64
#define TOPIC_NAME_MAX   249

void object_write_header(enum object_kind kind, uint8_t header[OBJECT_HEADER_LEN])
{
    memcpy(header, HEADER_MAGIC, 8);
    be16_put(header + 8, OBJECT_VERSION);
    be16_put(header + 10, (uint16_t)kind);
    be32_put(header + 12, crc32c(header, 12));
}

static void write_run(const struct object_run *run, struct str *out)
{
    write_u32(out, run->topic);
    write_u32(out, (uint32_t)run->partition);
    write_u64(out, run->position);
    write_u64(out, run->length);
    write_u32(out, run->batches);
    write_u32(out, run->records);
    write_u64(out, (uint64_t)run->min_timestamp);
    write_u64(out, (uint64_t)run->max_timestamp);
    write_u64(out, (uint64_t)run->base_offset);
    write_u32(out, run->crc);
}

void object_write_footer(const struct object_footer *footer, struct str *out)
{
    size_t start = out->len;
    uint64_t position = OBJECT_HEADER_LEN;

    str_append(out, footer->cluster_id.bytes, 16);
    str_append(out, footer->object_id.bytes, 16);
    str_append(out, footer->agent_id.bytes, 16);
    write_u64(out, (uint64_t)footer->created_at_ms);
    write_u32(out, (uint32_t)footer->topic_count);
    write_u32(out, (uint32_t)footer->run_count);
    for (size_t i = 0; i < footer->topic_count; i++) {
        str_append(out, footer->topics[i].id.bytes, 16);
        write_u16(out, (uint16_t)footer->topics[i].name.len);
        str_append_slice(out, footer->topics[i].name);
    }
    for (size_t i = 0; i < footer->run_count; i++) {
        ASSERT(footer->runs[i].position == position && footer->runs[i].length > 0);
        position += footer->runs[i].length;
        write_run(&footer->runs[i], out);
    }
    size_t length = out->len - start;
    write_u64(out, position);
    write_u32(out, (uint32_t)length);
    if (!out->overflowed)
        write_u32(out, crc32c(out->data + start, length + 12));
    str_append(out, TRAILER_MAGIC, 8);
}

int object_read_header(struct slice header, enum object_kind *kind, struct err *err)
{
    if (header.len < OBJECT_HEADER_LEN || memcmp(header.ptr, HEADER_MAGIC, 8) != 0)
        return err_set(err, ERR_MALFORMED, "not a Weft object: no %s at its beginning",
                       HEADER_MAGIC);
    if (be32_get(header.ptr + 12) != crc32c(header.ptr, 12))
        return err_set(err, ERR_MALFORMED, "the object's header has a wrong checksum");
    if (be16_get(header.ptr + 8) != OBJECT_VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "object format version %u; this program reads version %d",
                       (unsigned)be16_get(header.ptr + 8), OBJECT_VERSION);
    if (be16_get(header.ptr + 10) > OBJECT_FINAL)
        return err_set(err, ERR_UNSUPPORTED, "unknown kind of object %u",
                       (unsigned)be16_get(header.ptr + 10));
    *kind = (enum object_kind)be16_get(header.ptr + 10);
    return 0;
}

int object_read_trailer(struct slice trailer, uint64_t object_size, uint64_t *position,
                        uint32_t *length, struct err *err)
{
    if (trailer.len != OBJECT_TRAILER_LEN ||
        memcmp(trailer.ptr + 16, TRAILER_MAGIC, 8) != 0)
        return err_set(err, ERR_MALFORMED,
                       "not a whole Weft object: no %s at its end (cut off?)",
                       TRAILER_MAGIC);
    uint64_t at = be64_get(trailer.ptr);
    uint32_t len = be32_get(trailer.ptr + 8);
    if (len < FOOTER_FIXED_LEN || len > OBJECT_FOOTER_MAX || at < OBJECT_HEADER_LEN ||
        at > object_size || object_size - at != (uint64_t)len + OBJECT_TRAILER_LEN)
        return err_set(err, ERR_MALFORMED,
                       "the trailer names a footer of %u bytes at %llu, which does not "
                       "fit an object of %llu bytes",
                       len, (unsigned long long)at, (unsigned long long)object_size);
    *position = at;
    *length = len;
    return 0;
}

static void read_uuid(struct reader *r, struct uuid *uuid)
{
    struct slice bytes = reader_bytes(r, 16);

    if (!r->failed)
        memcpy(uuid->bytes, bytes.ptr, 16);
}

static void read_run(struct reader *r, struct object_run *run)
{
    run->topic = reader_u32(r);
    run->partition = reader_i32(r);
    run->position = reader_u64(r);
    run->length = reader_u64(r);
    run->batches = reader_u32(r);
    run->records = reader_u32(r);
    run->min_timestamp = reader_i64(r);
    run->max_timestamp = reader_i64(r);
    run->base_offset = reader_i64(r);
    run->crc = reader_u32(r);
}

static int read_topics(struct reader *r, struct arena *arena,
                       struct object_footer *footer, struct err *err)
{
    footer->topics = arena_try_array(arena, footer->topic_count, sizeof(*footer->topics));
    if (footer->topics == NULL)
        return err_set(err, ERR_TOO_LARGE, "too many topics in the footer");
    for (size_t i = 0; i < footer->topic_count; i++) {
        read_uuid(r, &footer->topics[i].id);
        uint16_t len = reader_u16(r);
        if (len > TOPIC_NAME_MAX)
            return err_set(err, ERR_MALFORMED, "topic %zu has a name of %u bytes", i,
                           len);
        footer->topics[i].name = reader_bytes(r, len);
    }
    return 0;
}

/* Rows must be back to back, sorted, and name topics that exist. */
static int read_runs(struct reader *r, uint64_t end, struct arena *arena,
                     struct object_footer *footer, struct err *err)
{
    uint64_t position = OBJECT_HEADER_LEN;

    footer->runs = arena_try_array(arena, footer->run_count, sizeof(*footer->runs));
    if (footer->runs == NULL)
        return err_set(err, ERR_TOO_LARGE, "too many runs in the footer");
    for (size_t i = 0; i < footer->run_count; i++) {
        struct object_run *run = &footer->runs[i];
        read_run(r, run);
        bool sorted = i == 0 || run->topic > run[-1].topic ||
                      (run->topic == run[-1].topic && run->partition > run[-1].partition);
        if (run->topic >= footer->topic_count || run->partition < 0 || !sorted ||
            run->position != position || run->length == 0 ||
            run->length > end - position || run->batches == 0 || run->records == 0)
            return err_set(err, ERR_MALFORMED, "run %zu breaks the format's rules", i);
        position += run->length;
    }
    if (position != end)
        return err_set(err, ERR_MALFORMED, "%llu bytes belong to no run",
                       (unsigned long long)(end - position));
    return 0;
}

int object_read_footer(struct slice bytes, uint64_t object_size, struct arena *arena,
                       struct object_footer *footer, struct err *err)
{
    uint64_t position;
    uint32_t length;
    struct reader r;
    int rc;

    if (bytes.len < OBJECT_TRAILER_LEN)
        return err_set(err, ERR_MALFORMED, "no room for a trailer");
    size_t before_trailer = bytes.len - OBJECT_TRAILER_LEN;
    rc = object_read_trailer(slice_of(bytes.ptr + before_trailer, OBJECT_TRAILER_LEN),
                             object_size, &position, &length, err);
    if (rc != 0)
        return rc;
    if (length != before_trailer)
        return err_set(err, ERR_MALFORMED, "the footer has %u bytes, %zu were read",
                       length, before_trailer);
    if (be32_get(bytes.ptr + length + 12) != crc32c(bytes.ptr, length + 12))
        return err_set(err, ERR_MALFORMED, "the footer has a wrong checksum");

    reader_init(&r, slice_of(bytes.ptr, length));
    read_uuid(&r, &footer->cluster_id);
    read_uuid(&r, &footer->object_id);
    read_uuid(&r, &footer->agent_id);
    footer->created_at_ms = reader_i64(&r);
    footer->topic_count = reader_u32(&r);
    footer->run_count = reader_u32(&r);
    if (footer->topic_count > length / 18 ||
        footer->run_count > length / OBJECT_RUN_ROW_LEN)
        return err_set(err, ERR_MALFORMED, "the footer's counts do not fit its length");
    if ((rc = read_topics(&r, arena, footer, err)) != 0 ||
        (rc = read_runs(&r, position, arena, footer, err)) != 0)
        return rc;
    if (r.failed || reader_left(&r) != 0)
        return err_set(err, ERR_MALFORMED, "the footer's tables do not fit its length");
    return 0;
}

void object_key(const struct uuid *cluster_id, const struct uuid *object_id,
                char key[OBJECT_KEY_MAX])
{
    char cluster[UUID_TEXT_LEN + 1];
    char object[UUID_TEXT_LEN + 1];

    uuid_print(cluster_id, cluster);
    uuid_print(object_id, object);
    (void)snprintf(key, OBJECT_KEY_MAX, "%s/o/%.2s/%s", cluster, object, object);
}
