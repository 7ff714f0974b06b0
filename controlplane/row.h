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
};

struct row {
    struct list_node dirty; /* linked while memory is newer than the file */
    uint8_t kind;           /* enum row_kind */
    uint8_t mark;           /* checkpoint.c's */
};

static inline void row_init(struct row *row, enum row_kind kind)
{
    list_node_init(&row->dirty);
    row->kind = (uint8_t)kind;
    row->mark = 0;
}

#endif
