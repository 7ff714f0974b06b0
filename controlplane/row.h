/* row.h - a thing of the state that is a row of the database: which one, and whether the
 * file has it as it is (checkpoint.h). Embedded in whatever is stored. */
#ifndef CONTROLPLANE_ROW_H
#define CONTROLPLANE_ROW_H

#include <stdint.h>

#include "common/list.h"

enum row_kind {
    ROW_CELL,
    ROW_NODE,
    ROW_CA,
    ROW_BACKUP,
    ROW_CLUSTER,
    ROW_TOPIC,
    ROW_AGENT,
    ROW_USER,
    ROW_TOKEN,
    ROW_PARTITION,
    ROW_OBJECT,
    ROW_USAGE_DAY,
    ROW_USAGE_SOURCE,
    ROW_AUDIT,
    ROW_REPLY,
    ROW_GROUP,
    ROW_GROUP_MEMBER,
    ROW_SETTING,
    ROW_GROUP_TOPIC,
};

#define ROW_CLEAN 0

struct row {
    struct list_node dirty; /* linked unless clean */
    uint8_t kind;           /* enum row_kind */
    /* ROW_CLEAN: the file has it. state->dirty_mark: memory is newer than the file, and
     * than the checkpoint under way. Another: that has yet to copy it, as it is. */
    uint8_t mark;
};

static inline void row_init(struct row *row, enum row_kind kind)
{
    list_node_init(&row->dirty);
    row->kind = (uint8_t)kind;
    row->mark = ROW_CLEAN;
}

#endif
