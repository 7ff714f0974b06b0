/* quota_entity.c - each part: its type and its name, as length + 1 and bytes; 0 is the
 * null name of a default. */
#include "controlplane/quota_entity.h"

#include "common/cursor.h"

static void put(struct str *out, struct slice text)
{
    write_uvarint(out, text.ptr == NULL ? 0 : text.len + 1);
    if (text.ptr != NULL)
        str_append_slice(out, text);
}

static struct slice get(struct reader *r)
{
    uint32_t len = reader_uvarint(r);
    return len == 0 ? SLICE_NULL : reader_bytes(r, len - 1);
}

void quota_entity_write(const struct quota_part *parts, uint32_t count, struct str *out)
{
    for (uint32_t i = 0; i < count; i++) {
        put(out, parts[i].type);
        put(out, parts[i].name);
    }
}

uint32_t quota_entity_read(struct slice bytes,
                           struct quota_part parts[COMMAND_ENTITY_MAX])
{
    struct reader r;
    uint32_t n = 0;

    reader_init(&r, bytes);
    while (reader_left(&r) > 0 && !r.failed && n < COMMAND_ENTITY_MAX) {
        parts[n].type = get(&r);
        parts[n].name = get(&r);
        if (parts[n].type.ptr == NULL)
            return 0;
        n++;
    }
    return r.failed || reader_left(&r) > 0 ? 0 : n;
}
