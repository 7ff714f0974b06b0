/* named_part.h - a partition that a request names by its topic's name, for handlers that
 * pass it to the control plane, which knows topics by their ids. */
#ifndef AGENT_NAMED_PART_H
#define AGENT_NAMED_PART_H

#include <stdint.h>

#include "agent/request.h"
#include "common/slice.h"
#include "common/uuid.h"

struct json;

struct named_part {
    struct uuid topic_id;
    int32_t partition;
    int16_t
        error; /* 3: this agent's view does not have it; request_refresh may mend that */
};

/* PARTITION of the topic NAME, as REQ's view has it. */
struct named_part named_part_find(struct request *req, struct slice name,
                                  int32_t partition);
/* [topic id, partition], without error only. */
struct json *named_part_json(const struct named_part *part);
/* What the client is told of ERROR: it does not know of ids, so a topic that was deleted
 * meanwhile (100) is unknown by its name (3). */
int16_t named_part_error(int16_t error);

#endif
