/* command_topic.c - rows: the topics of a cluster. */
#include "cli/rows.h"

#define TOPIC_ARG                                                                        \
    {                                                                                    \
        .name = "topic", .help = "its name or id", .place = PLACE_PATH,                  \
        .names = NAMES_TOPIC                                                             \
    }
#define CONFIG_FLAG                                                                      \
    {                                                                                    \
        .name = "config", .type = FLAG_PAIR, .place = PLACE_BODY, .field = "configs",    \
        .placeholder = "KEY=VALUE", .help = "one of Kafka's configs of a topic"          \
    }

#define TOPIC_COLUMNS                                                                    \
    {                                                                                    \
        {"NAME", "name", CELL_TEXT}, {"PARTITIONS", "partitions", CELL_INT},             \
            {"RECORDS", "records", CELL_INT}, {"SIZE", "bytes", CELL_BYTES},             \
            {"AGE", "created_at_ms", CELL_AGE},                                          \
        {                                                                                \
            "CONFIGS", "configs", CELL_PAIRS                                             \
        }                                                                                \
    }
#define TOPIC_WIDE                                                                       \
    {                                                                                    \
        {"NAME", "name", CELL_TEXT}, {"ID", "id", CELL_TEXT},                            \
            {"PARTITIONS", "partitions", CELL_INT},                                      \
            {"REPLICATION", "replication_factor", CELL_INT},                             \
            {"RECORDS", "records", CELL_INT}, {"SIZE", "bytes", CELL_BYTES},             \
            {"CREATED", "created_at_ms", CELL_TIME}, {"CONFIGS", "configs", CELL_PAIRS}, \
        {                                                                                \
            "REVISION", "revision", CELL_INT                                             \
        }                                                                                \
    }

const struct command topic_rows[] = {
    {
        .words = "topic list",
        .summary = "List the topics of a cluster, with their sizes",
        .examples = "weft topic list\n"
                    "weft topic list --contains orders --sort name\n"
                    "weft topic list --all -o json | jq '[.items[].bytes] | add'",
        .flags = {{.name = "name",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "NAME",
                   .help = "only the one of this name"},
                  {.name = "contains",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .field = "q",
                   .placeholder = "TEXT",
                   .help = "only names that contain this"},
                  {.name = "sort",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "FIELD",
                   .help = "order, with - before it: the last first",
                   .choices = "created_at_ms|-created_at_ms|name|-name"}},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/topics",
        .shape = SHAPE_LIST,
        .columns = TOPIC_COLUMNS,
        .scoped = true,
    },
    {
        .words = "topic show",
        .summary = "Show a topic with its configs",
        .examples = "weft topic show orders\n"
                    "weft topic show orders -o yaml",
        .args = {TOPIC_ARG},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/topics/{topic}",
        .shape = SHAPE_ONE,
        .columns = TOPIC_COLUMNS,
        .wide = TOPIC_WIDE,
        .scoped = true,
    },
    {
        .words = "topic create",
        .summary = "Create a topic",
        .examples = "weft topic create orders --partitions 12\n"
                    "weft topic create events --config retention.ms=86400000 --config "
                    "max.message.bytes=2097152",
        .args = {{.name = "name",
                  .help = "letters, digits and ._- , at most 249",
                  .place = PLACE_BODY}},
        .flags = {{.name = "partitions",
                   .letter = 'p',
                   .type = FLAG_INT,
                   .place = PLACE_BODY,
                   .placeholder = "N",
                   .help = "how many; not given: the cell's default"},
                  {.name = "replication-factor",
                   .type = FLAG_INT,
                   .place = PLACE_BODY,
                   .placeholder = "N",
                   .help = "told to Kafka clients; has no effect on storage"},
                  CONFIG_FLAG},
        .method = "POST",
        .path = "/api/v1/clusters/{cluster}/topics",
        .shape = SHAPE_ONE,
        .columns = TOPIC_COLUMNS,
        .wide = TOPIC_WIDE,
        .scoped = true,
    },
    {
        .words = "topic alter",
        .summary = "Change a topic's configs, add partitions",
        .details = "Partitions can only become more. --unset takes a config back to its "
                   "default; what is not named stays.",
        .examples = "weft topic alter orders --partitions 24\n"
                    "weft topic alter orders --config retention.ms=604800000 --unset "
                    "max.message.bytes",
        .args = {TOPIC_ARG},
        .flags = {{.name = "partitions",
                   .letter = 'p',
                   .type = FLAG_INT,
                   .place = PLACE_BODY,
                   .placeholder = "N",
                   .help = "the new number, more than now"},
                  CONFIG_FLAG,
                  {.name = "unset",
                   .type = FLAG_UNSET,
                   .place = PLACE_BODY,
                   .field = "configs",
                   .placeholder = "KEY",
                   .help = "a config that shall have its default again"}},
        .method = "PATCH",
        .path = "/api/v1/clusters/{cluster}/topics/{topic}",
        .shape = SHAPE_ONE,
        .columns = TOPIC_COLUMNS,
        .wide = TOPIC_WIDE,
        .scoped = true,
        .versioned = true,
    },
    {
        .words = "topic delete",
        .summary = "Delete a topic",
        .examples = "weft topic delete orders\n"
                    "weft topic delete orders --yes",
        .args = {TOPIC_ARG},
        .method = "DELETE",
        .path = "/api/v1/clusters/{cluster}/topics/{topic}",
        .confirm = "Delete topic {topic} of cluster {cluster} with all its records?",
        .done = "topic {topic} is deleted",
        .scoped = true,
        .versioned = true,
    },
    {
        .words = "topic partitions",
        .summary = "List a topic's partitions with offsets and sizes",
        .examples = "weft topic partitions orders --all",
        .args = {TOPIC_ARG},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/topics/{topic}/partitions",
        .shape = SHAPE_LIST,
        .columns = {{"PARTITION", "partition", CELL_INT},
                    {"LOG START", "log_start_offset", CELL_INT},
                    {"HIGH WATERMARK", "high_watermark", CELL_INT},
                    {"SIZE", "bytes", CELL_BYTES},
                    {"RUNS", "runs", CELL_INT},
                    {"LAST TIMESTAMP", "last_timestamp_ms", CELL_TIME}},
        .scoped = true,
    },
    {.words = NULL},
};
