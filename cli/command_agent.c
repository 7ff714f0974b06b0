/* command_agent.c - rows: the agents of a cluster. */
#include "cli/rows.h"

#define AGENT_ARG                                                                        \
    {                                                                                    \
        .name = "agent", .help = "its node number, HOST, HOST:PORT or id",               \
        .place = PLACE_PATH, .names = NAMES_AGENT                                        \
    }

#define AGENT_COLUMNS                                                                    \
    {                                                                                    \
        {"NODE", "node_id", CELL_INT}, {"HOST", "host", CELL_TEXT},                      \
            {"PORT", "port", CELL_INT}, {"ZONE", "zone", CELL_TEXT},                     \
            {"STATE", "state", CELL_TEXT}, {"WANTED", "wanted_state", CELL_TEXT},        \
            {"VERSION", "version", CELL_TEXT}, {"SEEN", "last_seen_ms", CELL_AGE},       \
            {"IN", "load.in_bytes_per_second", CELL_RATE},                               \
            {"OUT", "load.out_bytes_per_second", CELL_RATE},                             \
        {                                                                                \
            "CLIENTS", "load.connections", CELL_INT                                      \
        }                                                                                \
    }
#define AGENT_WIDE                                                                       \
    {                                                                                    \
        {"NODE", "node_id", CELL_INT}, {"ID", "id", CELL_TEXT},                          \
            {"HOST", "host", CELL_TEXT}, {"PORT", "port", CELL_INT},                     \
            {"ADMIN", "http_url", CELL_TEXT}, {"ZONE", "zone", CELL_TEXT},               \
            {"RACK", "rack", CELL_TEXT}, {"STATE", "state", CELL_TEXT},                  \
            {"WANTED", "wanted_state", CELL_TEXT}, {"VERSION", "version", CELL_TEXT},    \
            {"REGISTERED", "registered_at_ms", CELL_TIME},                               \
            {"SEEN", "last_seen_ms", CELL_AGE},                                          \
            {"PRODUCED", "load.in_bytes_per_second", CELL_RATE},                         \
            {"FETCHED", "load.out_bytes_per_second", CELL_RATE},                         \
            {"CLIENTS", "load.connections", CELL_INT},                                   \
        {                                                                                \
            "REVISION", "revision", CELL_INT                                             \
        }                                                                                \
    }

const struct command agent_rows[] = {
    {
        .words = "agent list",
        .summary = "List the agents of a cluster",
        .examples = "weft agent list\n"
                    "weft agent list --cluster orders --zone eu-central-1a\n"
                    "weft agent list --state draining -o json",
        .flags = {{.name = "zone",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "ZONE",
                   .help = "only those of this zone"},
                  {.name = "version",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "VERSION",
                   .help = "only those of this version of the program"},
                  {.name = "state",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "STATE",
                   .help = "only those",
                   .choices = "active|draining"},
                  {.name = "sort",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "FIELD",
                   .help = "order, with - before it: the last first",
                   .choices = "node_id|-node_id|host|-host|zone|-zone|registered_at_ms|"
                              "-registered_at_ms"}},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/agents",
        .shape = SHAPE_LIST,
        .columns = AGENT_COLUMNS,
        .scoped = true,
    },
    {
        .words = "agent show",
        .summary = "Show an agent: version, address, load, when it was last seen",
        .examples = "weft agent show 3\n"
                    "weft agent show 10.0.3.7:9092 -o yaml",
        .args = {AGENT_ARG},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/agents/{agent}",
        .shape = SHAPE_ONE,
        .columns = AGENT_COLUMNS,
        .wide = AGENT_WIDE,
        .scoped = true,
    },
    {
        .words = "agent drain",
        .summary = "Ask an agent to take no new clients",
        .details =
            "Clients learn of other agents and leave; nothing is lost. --wait waits "
            "until the agent has heard of it.",
        .examples = "weft agent drain 3 --wait",
        .args = {AGENT_ARG},
        .fixed_field = "wanted_state",
        .fixed_value = "draining",
        .method = "PATCH",
        .path = "/api/v1/clusters/{cluster}/agents/{agent}",
        .shape = SHAPE_ONE,
        .columns = AGENT_COLUMNS,
        .wide = AGENT_WIDE,
        .wait = {.path = "/api/v1/clusters/{cluster}/agents/{agent}",
                 .field = "state",
                 .value = "draining",
                 .show = "state load.connections",
                 .what = "agent {agent} to drain"},
        .scoped = true,
        .versioned = true,
    },
    {
        .words = "agent resume",
        .summary = "Take a draining agent back",
        .examples = "weft agent resume 3 --wait",
        .args = {AGENT_ARG},
        .fixed_field = "wanted_state",
        .fixed_value = "active",
        .method = "PATCH",
        .path = "/api/v1/clusters/{cluster}/agents/{agent}",
        .shape = SHAPE_ONE,
        .columns = AGENT_COLUMNS,
        .wide = AGENT_WIDE,
        .wait = {.path = "/api/v1/clusters/{cluster}/agents/{agent}",
                 .field = "state",
                 .value = "active",
                 .show = "state",
                 .what = "agent {agent} to be active"},
        .scoped = true,
        .versioned = true,
    },
    {
        .words = "agent forget",
        .summary = "Forget an agent that is gone; one that is alive registers again",
        .examples = "weft agent forget 3 --yes",
        .args = {AGENT_ARG},
        .method = "DELETE",
        .path = "/api/v1/clusters/{cluster}/agents/{agent}",
        .confirm = "Forget agent {agent}?",
        .done = "agent {agent} is forgotten",
        .scoped = true,
        .versioned = true,
    },
    {.words = NULL},
};
