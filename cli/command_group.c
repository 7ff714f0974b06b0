/* command_group.c - rows: the consumer groups of a cluster. */
#include "cli/group_command.h"
#include "cli/rows.h"

#define GROUP_ARG                                                                        \
    {                                                                                    \
        .name = "group", .help = "its id", .place = PLACE_PATH, .names = NAMES_GROUP     \
    }

const struct command group_rows[] = {
    {
        .words = "group list",
        .summary = "List the consumer groups of a cluster",
        .examples = "weft group list\n"
                    "weft group list --state Empty --sort -members\n"
                    "weft group list --all -o json | jq -r '.items[].id'",
        .flags = {{.name = "contains",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .field = "q",
                   .placeholder = "TEXT",
                   .help = "only ids that contain this"},
                  {.name = "state",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "STATE",
                   .help = "only groups in this state",
                   .choices = "Empty|PreparingRebalance|CompletingRebalance|Stable|"
                              "Assigning|Reconciling"},
                  {.name = "type",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "TYPE",
                   .help = "only groups of this protocol; consumer: KIP-848",
                   .choices = "classic|consumer"},
                  {.name = "sort",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "FIELD",
                   .help = "order, with - before it: the last first",
                   .choices = "created_at_ms|-created_at_ms|id|-id|members|-members"}},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/groups",
        .shape = SHAPE_LIST,
        .columns = {{"GROUP", "id", CELL_TEXT},
                    {"TYPE", "type", CELL_TEXT},
                    {"STATE", "state", CELL_TEXT},
                    {"PROTOCOL TYPE", "protocol_type", CELL_TEXT},
                    {"MEMBERS", "members", CELL_INT},
                    {"AGE", "created_at_ms", CELL_AGE}},
        .scoped = true,
    },
    {
        .words = "group describe",
        .summary = "Show a group with its members and what they have",
        .examples = "weft group describe billing\n"
                    "weft group describe billing -o yaml",
        .args = {GROUP_ARG},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/groups/{group}",
        .scoped = true,
        .run = group_describe,
    },
    {
        .words = "group lag",
        .summary = "Show what a group has consumed, and how far it is behind",
        .details =
            "LAG is in offsets. BEHIND is the age of the oldest record that was not "
            "consumed yet, as well as the index knows it.",
        .examples = "weft group lag billing\n"
                    "weft group lag billing --topic orders --all\n"
                    "weft group lag billing --all -o json | jq '[.items[].lag] | add'",
        .args = {GROUP_ARG},
        .flags = {{.name = "topic",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "TOPIC",
                   .help = "only partitions of this topic"}},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/groups/{group}/offsets",
        .shape = SHAPE_LIST,
        .columns = {{"TOPIC", "topic", CELL_TEXT},
                    {"PARTITION", "partition", CELL_INT},
                    {"OFFSET", "offset", CELL_INT},
                    {"LOG START", "log_start_offset", CELL_INT},
                    {"HIGH WATERMARK", "high_watermark", CELL_INT},
                    {"LAG", "lag", CELL_INT},
                    {"BEHIND", "lag_ms", CELL_DURATION},
                    {"COMMITTED", "committed_at_ms", CELL_AGE},
                    {"MEMBER", "member_id", CELL_TEXT},
                    {"CLIENT", "client_id", CELL_TEXT},
                    {"HOST", "host", CELL_TEXT}},
        .scoped = true,
    },
    {
        .words = "group reset-offsets",
        .summary = "Set a group's offsets anew; shows what would be, without --execute",
        .details =
            "As kafka-consumer-groups --reset-offsets: for groups without members. What "
            "lies outside of a partition's log is moved to its nearer end. A time is "
            "found "
            "by the index: the group begins at the start of the stored run of records "
            "that "
            "holds it, up to a flush interval too early, and skips nothing.\n\n"
            "A file has a line TOPIC,PARTITION,OFFSET for each partition, which is what "
            "--export prints.",
        .examples =
            "weft group reset-offsets billing --topic orders --to-earliest\n"
            "weft group reset-offsets billing --topic orders:0,1 --to-offset 1000 "
            "--execute\n"
            "weft group reset-offsets billing --all-topics --to-datetime "
            "2026-01-31T10:00:00Z --execute\n"
            "weft group reset-offsets billing --all-topics --to-current --export > "
            "offsets.csv\n"
            "weft group reset-offsets billing --from-file offsets.csv --execute",
        .args = {GROUP_ARG},
        .flags = {{.name = "topic",
                   .type = FLAG_LIST,
                   .place = PLACE_LOCAL,
                   .placeholder = "TOPIC[:P,P...]",
                   .help = "a topic, or some of its partitions",
                   .names = NAMES_TOPIC},
                  {.name = "all-topics",
                   .type = FLAG_BOOL,
                   .place = PLACE_LOCAL,
                   .help = "all partitions that the group has offsets of"},
                  {.name = "to-earliest",
                   .type = FLAG_BOOL,
                   .place = PLACE_LOCAL,
                   .help = "to the first record that is kept"},
                  {.name = "to-latest",
                   .type = FLAG_BOOL,
                   .place = PLACE_LOCAL,
                   .help = "behind the last record"},
                  {.name = "to-current",
                   .type = FLAG_BOOL,
                   .place = PLACE_LOCAL,
                   .help = "to what is committed"},
                  {.name = "to-offset",
                   .type = FLAG_INT,
                   .place = PLACE_LOCAL,
                   .placeholder = "N",
                   .help = "to this offset"},
                  {.name = "to-datetime",
                   .type = FLAG_TIME,
                   .place = PLACE_LOCAL,
                   .placeholder = "TIME",
                   .help = "to this time: 2026-01-31[T10:00:00Z] (UTC)"},
                  {.name = "by-duration",
                   .type = FLAG_DURATION,
                   .place = PLACE_LOCAL,
                   .placeholder = "DURATION",
                   .help = "to so long before now: 90s, 6h, 7d"},
                  {.name = "shift-by",
                   .type = FLAG_TEXT,
                   .place = PLACE_LOCAL,
                   .placeholder = "N",
                   .help = "by so many from what is committed; --shift-by=-10: back"},
                  {.name = "from-file",
                   .type = FLAG_TEXT,
                   .place = PLACE_LOCAL,
                   .placeholder = "FILE",
                   .help = "to the offsets in this file, - for standard input",
                   .names = NAMES_FILE},
                  {.name = "execute",
                   .type = FLAG_BOOL,
                   .place = PLACE_LOCAL,
                   .help = "do it; without, only show what would be"},
                  {.name = "export",
                   .type = FLAG_BOOL,
                   .place = PLACE_LOCAL,
                   .help = "print lines for --from-file"}},
        .method = "POST",
        .path = "/api/v1/clusters/{cluster}/groups/{group}/reset-offsets",
        .scoped = true,
        .run = group_reset_offsets,
    },
    {
        .words = "group delete",
        .summary = "Delete a group that has no members, and its offsets",
        .examples = "weft group delete billing\n"
                    "weft group delete billing --yes",
        .args = {GROUP_ARG},
        .method = "DELETE",
        .path = "/api/v1/clusters/{cluster}/groups/{group}",
        .confirm = "Delete group {group} of cluster {cluster} with all its offsets?",
        .done = "group {group} is deleted",
        .scoped = true,
        .versioned = true,
    },
    {.words = NULL},
};
