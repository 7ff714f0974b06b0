/* named_part.c - see the header. */
#include "agent/named_part.h"

#include "common/check.h"
#include "common/json.h"
#include "proto/kafka_error.h"

struct named_part named_part_find(struct request *req, struct slice name,
                                  int32_t partition)
{
    const struct meta_topic *topic = meta_topic_by_name(request_view(req), name);
    struct named_part part = {.partition = partition};

    if (topic == NULL || partition < 0 || partition >= topic->partitions)
        part.error = KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    else
        part.topic_id = topic->id;
    return part;
}

struct json *named_part_json(const struct named_part *part)
{
    struct json *row = json_array();

    ASSERT(part->error == 0);
    json_push(row, json_uuid(&part->topic_id));
    json_push(row, json_int(part->partition));
    return row;
}

int16_t named_part_error(int16_t error)
{
    return error == KAFKA_UNKNOWN_TOPIC_ID ? KAFKA_UNKNOWN_TOPIC_OR_PARTITION : error;
}
