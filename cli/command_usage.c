/* command_usage.c - rows: metering and the audit log. */
#include "cli/rows.h"

#define FROM_FLAG                                                                        \
    {                                                                                    \
        .name = "from", .type = FLAG_TIME, .place = PLACE_QUERY, .field = "from_ms",     \
        .placeholder = "TIME",                                                           \
        .help = "not before this time: 2026-01-31[T10:00:00Z] (UTC), or 24h: a day ago"  \
    }
#define TO_FLAG                                                                          \
    {                                                                                    \
        .name = "to", .type = FLAG_TIME, .place = PLACE_QUERY, .field = "to_ms",         \
        .placeholder = "TIME", .help = "before this time"                                \
    }

/* What the object store was asked, and what that costs. */
#define STORE_COLUMNS                                                                    \
    {"PUT", "store.put", CELL_INT}, {"GET", "store.get", CELL_INT},                      \
        {"LIST", "store.list", CELL_INT}, {"DELETE", "store.delete", CELL_INT},          \
    {                                                                                    \
        "REQUESTS $", "requests_dollars", CELL_MONEY                                     \
    }
#define USE_COLUMNS                                                                      \
    {"IN", "produced.bytes", CELL_BYTES}, {"IN RECORDS", "produced.records", CELL_INT},  \
        {"IN BATCHES", "produced.batches", CELL_INT},                                    \
        {"OBJECTS", "produced.objects", CELL_INT}, {"OUT", "fetched.bytes", CELL_BYTES}, \
        {"OUT RECORDS", "fetched.records", CELL_INT},                                    \
        {"OUT REQUESTS", "fetched.requests", CELL_INT},                                  \
    {                                                                                    \
        "PARTITION HOURS", "partition_ms", CELL_HOURS                                    \
    }

#define AUDIT_FLAGS                                                                      \
    FROM_FLAG, TO_FLAG,                                                                  \
        {.name = "action",                                                               \
         .type = FLAG_TEXT,                                                              \
         .place = PLACE_QUERY,                                                           \
         .placeholder = "ACTION",                                                        \
         .help = "only this one (topic.create), or a family (topic.)"},                  \
        {.name = "actor",                                                                \
         .type = FLAG_TEXT,                                                              \
         .place = PLACE_QUERY,                                                           \
         .placeholder = "ID",                                                            \
         .help = "only what this token, agent or node did"},                             \
    {                                                                                    \
        .name = "sort", .type = FLAG_TEXT, .place = PLACE_QUERY, .placeholder = "FIELD", \
        .help = "order; the default is the latest first", .choices = "at_ms|-at_ms"      \
    }
#define AUDIT_COLUMNS                                                                    \
    {"TIME (UTC)", "at_ms", CELL_TIME}, {"ACTION", "action", CELL_TEXT},                 \
        {"TARGET", "target", CELL_TEXT}, {"RESULT", "result", CELL_TEXT},                \
        {"BY", "actor.kind", CELL_TEXT}, {"NAME", "actor.name|actor.id", CELL_TEXT},     \
    {                                                                                    \
        "FROM", "remote", CELL_TEXT                                                      \
    }

const struct command usage_rows[] = {
    {
        .words = "usage list",
        .summary = "A cluster's use by hour; hours without use are left out",
        .examples = "weft usage list --from 24h\n"
                    "weft usage list --cluster orders --from 2026-01-01 --to 2026-02-01 "
                    "--all -o json",
        .flags = {FROM_FLAG,
                  TO_FLAG,
                  {.name = "sort",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "FIELD",
                   .help = "order, with - before it: the last first",
                   .choices = "hour_ms|-hour_ms"}},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/usage",
        .shape = SHAPE_LIST,
        .columns = {{"HOUR (UTC)", "hour_ms", CELL_TIME}, USE_COLUMNS, STORE_COLUMNS},
        .scoped = true,
    },
    {
        .words = "usage cell",
        .summary = "Use of every cluster over a time, for the bill",
        .examples = "weft usage cell --from 2026-01-01 --to 2026-02-01 --all\n"
                    "weft usage cell --from 30d --all -o json",
        .flags = {FROM_FLAG, TO_FLAG},
        .method = "GET",
        .path = "/api/v1/usage",
        .shape = SHAPE_LIST,
        .columns = {{"CLUSTER", "cluster_name|cluster_id", CELL_TEXT},
                    USE_COLUMNS,
                    STORE_COLUMNS},
    },
    {
        .words = "usage overview",
        .summary = "A cluster at a glance: health, throughput, latency, cost, agents",
        .details = "Rates and latencies are those of the last ten seconds or so, as the "
                   "agents told them. Dollars are by the table of prices, at this rate; "
                   "`-o json` has all there is, agents by zone among it.",
        .examples = "weft usage overview\n"
                    "weft usage overview --cluster orders -o json | jq .cost",
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/overview",
        .shape = SHAPE_ONE,
        .columns = {{"CLUSTER", "cluster_name", CELL_TEXT},
                    {"HEALTH", "health.status", CELL_TEXT},
                    {"IN", "throughput.produced_bytes_per_second", CELL_RATE},
                    {"OUT", "throughput.fetched_bytes_per_second", CELL_RATE},
                    {"PRODUCE P99", "latency.produce.p99_ms", CELL_DURATION},
                    {"FETCH P99", "latency.fetch.p99_ms", CELL_DURATION},
                    {"PUT P99", "latency.put.p99_ms", CELL_DURATION},
                    {"COMMIT P99", "latency.commit.p99_ms", CELL_DURATION},
                    {"STORED", "store.stored_bytes", CELL_BYTES},
                    {"STORE", "store.provider", CELL_TEXT},
                    {"REGION", "store.region", CELL_TEXT},
                    {"$/GIB PRODUCED", "cost.dollars_per_gib", CELL_MONEY},
                    {"$/MONTH", "cost.dollars_per_month", CELL_MONEY},
                    {"ZONES", "zones", CELL_COUNT}},
        .scoped = true,
    },
    {
        .words = "audit list",
        .summary = "Who changed what in a cluster, latest first",
        .examples = "weft audit list --from 24h\n"
                    "weft audit list --action topic.delete --all",
        .flags = {AUDIT_FLAGS},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/audit",
        .shape = SHAPE_LIST,
        .columns = {AUDIT_COLUMNS},
        .scoped = true,
    },
    {
        .words = "audit cell",
        .summary = "Who changed what in the cell and all its clusters, latest first",
        .examples = "weft audit cell --from 1h\n"
                    "weft audit cell --in orders --action topic.delete\n"
                    "weft audit cell --from 2026-01-01 --all -o json > audit.json",
        .flags = {AUDIT_FLAGS,
                  {.name = "in",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .field = "cluster_id",
                   .placeholder = "CLUSTER",
                   .help = "only what concerns this cluster (name or id)",
                   .names = NAMES_CLUSTER}},
        .method = "GET",
        .path = "/api/v1/audit",
        .shape = SHAPE_LIST,
        .columns = {AUDIT_COLUMNS, {"CLUSTER", "cluster_id", CELL_TEXT}},
    },
    {.words = NULL},
};
