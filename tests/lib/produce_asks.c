/* produce_asks.c - asks over one frame of record batches. */
#include "tests/lib/produce_asks.h"

#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/cursor.h"
#include "common/mem.h"

struct uuid made_topic(uint8_t n)
{
    struct uuid id = UUID_ZERO;
    id.bytes[15] = n;
    return id;
}

struct made_ask *make_ask(size_t parts, size_t len, int64_t deadline_at_ms)
{
    static uint64_t number;
    struct made_ask *made = mem_zalloc(sizeof(*made));

    ASSERT(parts <= MADE_PARTS_MAX && len >= 69);
    made->ask.ask.message.type = ASK_PRODUCE;
    made->ask.parts = made->parts;
    made->ask.part_count = parts;
    made->ask.deadline_at_ms = deadline_at_ms;
    made->part_count = parts;
    made->ask.frame = blob_new(parts * len, NULL);
    for (size_t i = 0; i < parts; i++) {
        uint8_t *at = made->ask.frame->data + i * len;
        memset(at, (int)(i + 1), len);
        be64_put(at, 0);
        be32_put(at + 8, (uint32_t)len - 12);
        at[16] = 2;
        be64_put(at + 61, ++number);
        be32_put(at + 17, crc32c(at + 21, len - 21));
        made->parts[i] = (struct produce_part){
            .topic_id = made_topic(1),
            .partition = (int32_t)i,
            .bytes = slice_of(at, len),
            .records = 3,
            .producer_id = -1,
            .producer_epoch = -1,
            .base_sequence = -1,
            .min_timestamp = 1000,
            .max_timestamp = 2000,
            .log_append_time_ms = -1,
        };
    }
    return made;
}

void made_ask_free(struct made_ask *made)
{
    blob_unref(made->ask.frame);
    mem_free(made);
}

void count_reply(struct ask *ask, void *arg)
{
    (void)arg;
    CONTAINER_OF(ask, struct made_ask, ask.ask)->answered++;
}
