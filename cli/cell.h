/* cell.h - `weft cell status`: the cell at a glance. */
#ifndef CLI_CELL_H
#define CLI_CELL_H

#include "cli/cli.h"

#define CELL_NODE_COLUMNS                                                                \
    {                                                                                    \
        {"NODE", "id", CELL_INT}, {"NAME", "name", CELL_TEXT},                           \
            {"ROLE", "role", CELL_TEXT}, {"LEADER", "leader", CELL_TEXT},                \
            {"ALIVE", "alive", CELL_TEXT}, {"BEHIND", "behind", CELL_INT},               \
            {"HEARD", "last_heard_ms", CELL_AGE}, {"VERSION", "version", CELL_TEXT},     \
            {"CERTIFICATE", "certificate_expires_at_ms", CELL_UNTIL},                    \
        {                                                                                \
            "URL", "people_url", CELL_TEXT                                               \
        }                                                                                \
    }

int cell_status(struct cli *cli);

/* What of CELL (GET /api/v1/cell) and NODES (an array) needs somebody's attention: a line
 * each appended to OUT. */
void cell_attention(const struct json *cell, const struct json *nodes, int64_t now_ms,
                    struct str *out);

#endif
