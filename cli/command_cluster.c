/* command_cluster.c - rows: clusters and what they may use. */
#include "cli/rows.h"

#define CLUSTER_ARG                                                                      \
    {                                                                                    \
        .name = "cluster",                                                               \
        .help = "its name or id; default: WEFT_CLUSTER, the "                            \
                "context's, or the token's",                                             \
        .place = PLACE_PATH, .names = NAMES_CLUSTER, .optional = true                    \
    }
#define CLUSTER_ARG_NEEDED                                                               \
    {                                                                                    \
        .name = "cluster", .help = "its name or id", .place = PLACE_PATH,                \
        .names = NAMES_CLUSTER                                                           \
    }

#define CLUSTER_FIELDS                                                                   \
    {"NAME", "name", CELL_TEXT}, {"ID", "id", CELL_TEXT},                                \
        {"TOPICS", "topics", CELL_INT}, {"PARTITIONS", "partitions", CELL_INT},          \
    {                                                                                    \
        "AGENTS", "agents", CELL_INT                                                     \
    }

#define CLUSTER_COLUMNS                                                                  \
    {                                                                                    \
        CLUSTER_FIELDS,                                                                  \
        {                                                                                \
            "AGE", "created_at_ms", CELL_AGE                                             \
        }                                                                                \
    }
#define CLUSTER_WIDE                                                                     \
    {                                                                                    \
        CLUSTER_FIELDS, {"CREATED", "created_at_ms", CELL_TIME},                         \
        {                                                                                \
            "REVISION", "revision", CELL_INT                                             \
        }                                                                                \
    }

#define LIMIT_ROW(title, member, cell)                                                   \
    {title " LIMIT", "effective." member, cell}, {title " SET", "set." member, cell},    \
    {                                                                                    \
        title " USED", "used." member, cell                                              \
    }

#define LIMIT_COLUMNS                                                                    \
    {                                                                                    \
        LIMIT_ROW("AGENTS", "agents", CELL_INT),                                         \
            LIMIT_ROW("TOPICS", "topics", CELL_INT),                                     \
            LIMIT_ROW("PARTITIONS", "partitions", CELL_INT),                             \
            LIMIT_ROW("METADATA", "metadata_bytes", CELL_BYTES),                         \
            {"REQUESTS/S LIMIT", "effective.requests_per_second", CELL_INT},             \
            {"REQUESTS/S SET", "set.requests_per_second", CELL_INT},                     \
        {                                                                                \
            "REVISION", "revision", CELL_INT                                             \
        }                                                                                \
    }

const struct command cluster_rows[] = {
    {
        .words = "cluster list",
        .summary = "List the clusters that this token may see",
        .examples = "weft cluster list\n"
                    "weft cluster list --contains shop --sort -created_at_ms\n"
                    "weft cluster list --all -o json | jq -r '.items[] | .id'",
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
        .path = "/api/v1/clusters",
        .shape = SHAPE_LIST,
        .columns = CLUSTER_COLUMNS,
    },
    {
        .words = "cluster show",
        .summary = "Show a cluster",
        .examples = "weft cluster show orders\n"
                    "weft cluster show -o yaml",
        .args = {CLUSTER_ARG},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}",
        .shape = SHAPE_ONE,
        .columns = CLUSTER_COLUMNS,
        .wide = CLUSTER_WIDE,
    },
    {
        .words = "cluster create",
        .summary = "Create a cluster",
        .details = "Agents join it by an enrolment token: `weft token enrolment create`.",
        .examples = "weft cluster create orders\n"
                    "weft cluster create orders -o json | jq -r .id",
        .args = {{.name = "name",
                  .help = "letters, digits and ._- , at most 100",
                  .place = PLACE_BODY}},
        .method = "POST",
        .path = "/api/v1/clusters",
        .shape = SHAPE_ONE,
        .columns = CLUSTER_COLUMNS,
        .wide = CLUSTER_WIDE,
    },
    {
        .words = "cluster rename",
        .summary = "Give a cluster another name; its id stays",
        .examples = "weft cluster rename orders orders-eu",
        .args = {CLUSTER_ARG_NEEDED,
                 {.name = "new_name",
                  .help = "letters, digits and ._- , at most 100",
                  .place = PLACE_BODY,
                  .field = "name"}},
        .method = "PATCH",
        .path = "/api/v1/clusters/{cluster}",
        .shape = SHAPE_ONE,
        .columns = CLUSTER_COLUMNS,
        .wide = CLUSTER_WIDE,
        .versioned = true,
    },
    {
        .words = "cluster delete",
        .summary = "Delete a cluster with all its topics",
        .details = "Its certificates and tokens are void at once, its name is free. Its "
                   "metadata is "
                   "removed step by step, which --wait waits for (that takes an "
                   "operator's token). "
                   "Objects in its object store are not touched: "
                   "the control plane has no access to them.",
        .examples = "weft cluster delete orders\n"
                    "weft cluster delete orders --yes --wait",
        .args = {CLUSTER_ARG_NEEDED},
        .method = "DELETE",
        .path = "/api/v1/clusters/{cluster}",
        .confirm = "Delete cluster {cluster}, its topics and all knowledge of their "
                   "records, for good?",
        .done = "cluster {cluster} is deleted",
        .wait = {.path = "/api/v1/cell",
                 .field = "purge_pending",
                 .value = "no",
                 .show = "counts.topics counts.partitions",
                 .what = "the metadata of deleted clusters to go"},
        .versioned = true,
    },
    {
        .words = "cluster limits show",
        .summary = "Show what a cluster may use, and uses",
        .details = "`limit` is what holds, `set` what was set for this cluster; 0: the "
                   "cell's default.",
        .examples = "weft cluster limits show orders",
        .args = {CLUSTER_ARG},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/limits",
        .shape = SHAPE_ONE,
        .columns = LIMIT_COLUMNS,
    },
    {
        .words = "cluster limits set",
        .summary = "Change what a cluster may use; what is not named stays",
        .examples = "weft cluster limits set orders --partitions 5000 --topics 500\n"
                    "weft cluster limits set orders --metadata-bytes 512MiB\n"
                    "weft cluster limits set orders --agents 0  # the cell's default",
        .args = {CLUSTER_ARG_NEEDED},
        .flags = {{.name = "agents",
                   .type = FLAG_INT,
                   .place = PLACE_BODY,
                   .placeholder = "N",
                   .help = "registered agents; 0: the cell's default"},
                  {.name = "topics",
                   .type = FLAG_INT,
                   .place = PLACE_BODY,
                   .placeholder = "N",
                   .help = "topics; 0: the cell's default"},
                  {.name = "partitions",
                   .type = FLAG_INT,
                   .place = PLACE_BODY,
                   .placeholder = "N",
                   .help = "partitions of all topics; 0: the cell's default"},
                  {.name = "requests-per-second",
                   .type = FLAG_INT,
                   .place = PLACE_BODY,
                   .placeholder = "N",
                   .help = "requests of agents and people; 0: the cell's default"},
                  {.name = "metadata-bytes",
                   .type = FLAG_SIZE,
                   .place = PLACE_BODY,
                   .placeholder = "BYTES",
                   .help = "memory for metadata; 0: the cell's default"}},
        .method = "PATCH",
        .path = "/api/v1/clusters/{cluster}/limits",
        .shape = SHAPE_ONE,
        .columns = LIMIT_COLUMNS,
        .versioned = true,
    },
    {.words = NULL},
};
