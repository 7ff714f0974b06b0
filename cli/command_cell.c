/* command_cell.c - rows: the cell, its nodes and authorities. */
#include "cli/cell.h"
#include "cli/rows.h"

#define NODE_ARG                                                                         \
    {                                                                                    \
        .name = "node", .help = "its number or name", .place = PLACE_PATH,               \
        .names = NAMES_NODE                                                              \
    }
#define NODE_WIDE                                                                        \
    {                                                                                    \
        {"NODE", "id", CELL_INT}, {"NAME", "name", CELL_TEXT},                           \
            {"ROLE", "role", CELL_TEXT}, {"LEADER", "leader", CELL_TEXT},                \
            {"ALIVE", "alive", CELL_TEXT}, {"BEHIND", "behind", CELL_INT},               \
            {"SNAPSHOT", "snapshot", CELL_TEXT}, {"HEARD", "last_heard_ms", CELL_AGE},   \
            {"VERSION", "version", CELL_TEXT},                                           \
            {"FEATURES", "feature_level_max", CELL_INT},                                 \
            {"CERTIFICATE", "certificate_expires_at_ms", CELL_UNTIL},                    \
            {"PEOPLE", "people_url", CELL_TEXT}, {"AGENTS", "agents_url", CELL_TEXT},    \
            {"PEERS", "peer_address", CELL_TEXT}, {"JOINED", "joined_at_ms", CELL_TIME}, \
        {                                                                                \
            "REVISION", "revision", CELL_INT                                             \
        }                                                                                \
    }
#define JOIN_COLUMNS                                                                     \
    {                                                                                    \
        {"NAME", "name", CELL_TEXT}, {"ID", "id", CELL_TEXT},                            \
            {"AGE", "created_at_ms", CELL_AGE},                                          \
            {"EXPIRES", "expires_at_ms", CELL_UNTIL},                                    \
        {                                                                                \
            "USED", "used_at_ms", CELL_AGE                                               \
        }                                                                                \
    }
#define JOIN_ARG                                                                         \
    {                                                                                    \
        .name = "token", .help = "its id, or its name when only one has it",             \
        .place = PLACE_PATH, .names = NAMES_JOIN                                         \
    }
#define CA_COLUMNS                                                                       \
    {                                                                                    \
        {"FINGERPRINT", "fingerprint", CELL_TEXT}, {"STATE", "state", CELL_TEXT},        \
            {"CREATED", "created_at_ms", CELL_TIME},                                     \
        {                                                                                \
            "EXPIRES IN", "not_after_ms", CELL_UNTIL                                     \
        }                                                                                \
    }

const struct command cell_rows[] = {
    {
        .words = "cell status",
        .summary =
            "Who leads, how far behind each node is, when the last backup was taken",
        .details =
            "What needs somebody's attention is said below the table. When no node "
            "leads, each node that the context knows is asked for itself.",
        .examples = "weft cell status\n"
                    "watch weft cell status\n"
                    "weft cell status -o json | jq '.nodes[] | {id, behind}'",
        .run = cell_status,
    },
    {
        .words = "cell upgrade",
        .summary = "Raise the cell's feature level; there is no way back",
        .details = "Do so when all nodes run the new version: `weft cell status` says "
                   "which level every node could do.",
        .examples = "weft cell upgrade --feature-level 2",
        .flags = {{.name = "feature-level",
                   .type = FLAG_INT,
                   .place = PLACE_BODY,
                   .placeholder = "N",
                   .help = "not lower than now, not higher than every node can",
                   .required = true}},
        .method = "PATCH",
        .path = "/api/v1/cell",
        .shape = SHAPE_ONE,
        .columns = {{"CELL", "id", CELL_TEXT},
                    {"FEATURE LEVEL", "feature_level", CELL_INT},
                    {"EVERY NODE CAN", "feature_level_max", CELL_INT},
                    {"REVISION", "revision", CELL_INT}},
        .confirm = "Raise the feature level to {feature-level}? Nodes of older versions "
                   "cannot take part any more.",
        .versioned = true,
    },
    {
        .words = "cell transfer",
        .summary = "Hand leadership to another node",
        .examples = "weft cell transfer\n"
                    "weft cell transfer 3",
        .args = {{.name = "node",
                  .help = "the number of who shall lead; default: the voter that is "
                          "furthest",
                  .place = PLACE_BODY,
                  .field = "node_id",
                  .names = NAMES_NODE,
                  .optional = true,
                  .number = true}},
        .method = "POST",
        .path = "/api/v1/cell/transfer",
        .shape = SHAPE_ONE,
        .columns = {{"LEADER", "leader", CELL_INT}, {"URL", "leader_url", CELL_TEXT}},
        .body = true,
    },
    {
        .words = "cell node list",
        .summary = "List the nodes",
        .examples = "weft cell node list",
        .method = "GET",
        .path = "/api/v1/cell/nodes",
        .shape = SHAPE_LIST,
        .columns = CELL_NODE_COLUMNS,
    },
    {
        .words = "cell node show",
        .summary = "Show a node",
        .examples = "weft cell node show 2",
        .args = {NODE_ARG},
        .method = "GET",
        .path = "/api/v1/cell/nodes/{node}",
        .shape = SHAPE_ONE,
        .columns = NODE_WIDE,
    },
    {
        .words = "cell node promote",
        .summary = "Make a standby a voter, once it is caught up",
        .examples = "weft cell node promote 4 --wait",
        .args = {NODE_ARG},
        .method = "POST",
        .path = "/api/v1/cell/nodes/{node}/promote",
        .shape = SHAPE_ONE,
        .columns = NODE_WIDE,
        .wait = {.path = "/api/v1/cell/nodes/{node}",
                 .field = "role",
                 .value = "voter",
                 .show = "role behind",
                 .what = "node {node} to be a voter"},
    },
    {
        .words = "cell node demote",
        .summary = "Make a voter a standby",
        .examples = "weft cell node demote 4 --wait",
        .args = {NODE_ARG},
        .method = "POST",
        .path = "/api/v1/cell/nodes/{node}/demote",
        .shape = SHAPE_ONE,
        .columns = NODE_WIDE,
        .confirm =
            "Make node {node} a standby? It then no longer counts for the majority.",
        .wait = {.path = "/api/v1/cell/nodes/{node}",
                 .field = "role",
                 .value = "standby",
                 .show = "role",
                 .what = "node {node} to be a standby"},
    },
    {
        .words = "cell node remove",
        .summary = "Remove a node for good; it stops itself when it hears of it",
        .details =
            "Its number is never used again. A lost node is replaced by removing it "
            "and letting a new one join.",
        .examples = "weft cell node remove 2 --wait\n"
                    "weft cell join-token create",
        .args = {NODE_ARG},
        .method = "DELETE",
        .path = "/api/v1/cell/nodes/{node}",
        .shape = SHAPE_ONE,
        .columns = NODE_WIDE,
        .confirm = "Remove node {node} for good?",
        .wait = {.path = "/api/v1/cell/nodes/{node}",
                 .show = "role",
                 .what = "node {node} to be gone"},
        .versioned = true,
    },
    {
        .words = "cell join-token list",
        .summary = "List the join tokens",
        .examples = "weft cell join-token list",
        .flags = {{.name = "sort",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .placeholder = "FIELD",
                   .help = "order, with - before it: the last first",
                   .choices = "created_at_ms|-created_at_ms"}},
        .method = "GET",
        .path = "/api/v1/cell/join-tokens",
        .shape = SHAPE_LIST,
        .columns = JOIN_COLUMNS,
    },
    {
        .words = "cell join-token show",
        .summary = "Show a join token, without its text",
        .examples = "weft cell join-token show 5b1c9e02-...",
        .args = {JOIN_ARG},
        .method = "GET",
        .path = "/api/v1/cell/join-tokens/{token}",
        .shape = SHAPE_ONE,
        .columns = JOIN_COLUMNS,
    },
    {
        .words = "cell join-token create",
        .summary = "Make a token by which one new node joins; shown this once",
        .examples = "weft cell join-token create --ttl 30m\n"
                    "weft cell join-token create -o json | jq -r .token > join-token",
        .flags = {{.name = "name",
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .placeholder = "NAME",
                   .help = "for people: which machine it is for"},
                  {.name = "ttl",
                   .type = FLAG_DURATION,
                   .place = PLACE_BODY,
                   .field = "ttl_ms",
                   .placeholder = "DURATION",
                   .help = "how long it lives",
                   .fallback = "1h"}},
        .method = "POST",
        .path = "/api/v1/cell/join-tokens",
        .shape = SHAPE_ONE,
        .columns = {{"NAME", "name", CELL_TEXT},
                    {"ID", "id", CELL_TEXT},
                    {"EXPIRES", "expires_at_ms", CELL_TIME},
                    {"CA FINGERPRINT", "ca_fingerprint", CELL_TEXT},
                    {"TOKEN", "token", CELL_TEXT}},
        .done =
            "on the new machine, with the cell's key: weft-controlplane --data-dir DIR "
            "--cell-key-file KEY\n"
            "  --join {server} --join-token @FILE --ca-fingerprint {.ca_fingerprint}",
        .body = true,
    },
    {
        .words = "cell join-token revoke",
        .summary = "Revoke a join token",
        .examples = "weft cell join-token revoke 5b1c9e02-... --yes",
        .args = {JOIN_ARG},
        .method = "DELETE",
        .path = "/api/v1/cell/join-tokens/{token}",
        .confirm = "Revoke join token {token}? No node joins by it.",
        .done = "join token {token} is revoked",
        .versioned = true,
    },
    {
        .words = "cell ca list",
        .summary = "List the cell's certificate authorities",
        .examples = "weft cell ca list",
        .method = "GET",
        .path = "/api/v1/cell/ca",
        .shape = SHAPE_LIST,
        .columns = CA_COLUMNS,
    },
    {
        .words = "cell ca rotate",
        .summary = "Make a new authority, which signs from now on",
        .details =
            "The one before stays trusted, so that agents, nodes and people go on. "
            "When all have certificates of the new one, `weft cell ca retire` ends "
            "the old one.",
        .examples = "weft cell ca rotate",
        .method = "POST",
        .path = "/api/v1/cell/ca",
        .shape = SHAPE_ONE,
        .columns = CA_COLUMNS,
        .confirm = "Make a new certificate authority, which signs from now on?",
        .done =
            "the authority before stays trusted until `weft cell ca retire`; people log "
            "in again to trust the new one",
    },
    {
        .words = "cell ca retire",
        .summary = "Trust an authority no longer",
        .details =
            "Refused while a node or a registered agent was not heard of with a "
            "certificate of another one. An agent that is stopped is not known of: "
            "if it comes back with an old certificate only, it enrols again.",
        .examples = "weft cell ca retire 5f1c09aa",
        .args = {{.name = "fingerprint",
                  .help = "its fingerprint, or the beginning of it",
                  .place = PLACE_PATH,
                  .names = NAMES_CA}},
        .flags = {{.name = "force",
                   .letter = 'f',
                   .type = FLAG_BOOL,
                   .place = PLACE_QUERY,
                   .help = "lock out whoever has not renewed"}},
        .method = "DELETE",
        .path = "/api/v1/cell/ca/{fingerprint}",
        .confirm =
            "Retire authority {fingerprint}? Whoever only has certificates of it is "
            "locked out.",
        .done = "authority {fingerprint} is retired",
        .versioned = true,
    },
    {.words = NULL},
};
