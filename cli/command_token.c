/* command_token.c - rows: tokens for the API, enrolment tokens. */
#include "cli/rows.h"

/* Names are looked for in the cell, then in this cluster. */
#define WHERE_FLAG                                                                       \
    {                                                                                    \
        .name = "cluster", .letter = 'c', .type = FLAG_TEXT, .placeholder = "NAME|ID",   \
        .help = "where a name is looked for, beside the cell", .names = NAMES_CLUSTER    \
    }

#define TOKEN_ARG(kind)                                                                  \
    {                                                                                    \
        .name = "token", .help = "its id, or its name when only one has it",             \
        .place = PLACE_PATH, .names = kind                                               \
    }
#define NAME_FLAG                                                                        \
    {                                                                                    \
        .name = "name", .type = FLAG_TEXT, .place = PLACE_BODY, .placeholder = "NAME",   \
        .help = "for people: who or what it is for"                                      \
    }
#define TTL_FLAG(text)                                                                   \
    {                                                                                    \
        .name = "ttl", .type = FLAG_DURATION, .place = PLACE_BODY, .field = "ttl_ms",    \
        .placeholder = "DURATION", .help = "how long it lives", .fallback = text         \
    }
#define SORT_FLAG                                                                        \
    {                                                                                    \
        .name = "sort", .type = FLAG_TEXT, .place = PLACE_QUERY, .placeholder = "FIELD", \
        .help = "order, with - before it: the last first",                               \
        .choices = "created_at_ms|-created_at_ms"                                        \
    }

#define TOKEN_COLUMNS                                                                    \
    {                                                                                    \
        {"NAME", "name", CELL_TEXT}, {"ID", "id", CELL_TEXT},                            \
            {"ROLE", "role", CELL_TEXT}, {"CLUSTER", "cluster_id", CELL_TEXT},           \
            {"USER", "user_id", CELL_TEXT}, {"AGE", "created_at_ms", CELL_AGE},          \
        {                                                                                \
            "EXPIRES", "expires_at_ms", CELL_UNTIL                                       \
        }                                                                                \
    }
#define ENROLMENT_COLUMNS                                                                \
    {                                                                                    \
        {"NAME", "name", CELL_TEXT}, {"ID", "id", CELL_TEXT},                            \
            {"SINGLE USE", "single_use", CELL_TEXT}, {"AGE", "created_at_ms", CELL_AGE}, \
            {"EXPIRES", "expires_at_ms", CELL_UNTIL}, {"USED", "used_at_ms", CELL_AGE},  \
        {                                                                                \
            "USED BY", "used_by", CELL_TEXT                                              \
        }                                                                                \
    }

const struct command token_rows[] = {
    {
        .words = "token list",
        .summary = "List the API tokens that this one may see",
        .examples = "weft token list\n"
                    "weft token list --user alice\n"
                    "weft token list --cluster orders",
        .flags = {{.name = "cluster",
                   .letter = 'c',
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .field = "cluster_id",
                   .placeholder = "NAME|ID",
                   .help = "those of this cluster; not given: the cell's own for an "
                           "operator, else those of the token's cluster",
                   .names = NAMES_CLUSTER},
                  {.name = "user",
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .field = "user_id",
                   .placeholder = "NAME|ID",
                   .help = "only those of this user",
                   .names = NAMES_USER},
                  SORT_FLAG},
        .method = "GET",
        .path = "/api/v1/tokens",
        .shape = SHAPE_LIST,
        .columns = TOKEN_COLUMNS,
    },
    {
        .words = "token show",
        .summary = "Show an API token, without its text",
        .examples = "weft token show ci",
        .args = {TOKEN_ARG(NAMES_TOKEN)},
        .flags = {WHERE_FLAG},
        .method = "GET",
        .path = "/api/v1/tokens/{token}",
        .shape = SHAPE_ONE,
        .columns = TOKEN_COLUMNS,
        .wide = {{"NAME", "name", CELL_TEXT},
                 {"ID", "id", CELL_TEXT},
                 {"ROLE", "role", CELL_TEXT},
                 {"CLUSTER", "cluster_id", CELL_TEXT},
                 {"USER", "user_id", CELL_TEXT},
                 {"CREATED", "created_at_ms", CELL_TIME},
                 {"EXPIRES", "expires_at_ms", CELL_TIME},
                 {"EXPIRES IN", "expires_at_ms", CELL_UNTIL},
                 {"REVISION", "revision", CELL_INT}},
    },
    {
        .words = "token create",
        .summary = "Make an API token; its text is shown this once",
        .details =
            "Roles: operator manages the whole cell, admin one cluster, viewer reads one "
            "cluster. A token of a user can do no more than the user, and ends with it.",
        .examples =
            "weft token create ci --role admin --cluster orders --ttl 30d\n"
            "weft token create alice-laptop --role viewer --user alice\n"
            "weft token create ops --role operator -o json | jq -r .token > token",
        .args = {{.name = "name",
                  .help = "for people: who or what it is for",
                  .place = PLACE_BODY}},
        .flags = {{.name = "role",
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .placeholder = "ROLE",
                   .help = "what it may do",
                   .choices = "operator|admin|viewer",
                   .required = true},
                  {.name = "cluster",
                   .letter = 'c',
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .field = "cluster_id",
                   .placeholder = "NAME|ID",
                   .help = "its cluster, for admin and viewer; not given: the user's, or "
                           "this token's own",
                   .names = NAMES_CLUSTER},
                  {.name = "user",
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .field = "user_id",
                   .placeholder = "NAME|ID",
                   .help = "whose it is",
                   .names = NAMES_USER},
                  TTL_FLAG("90d")},
        .method = "POST",
        .path = "/api/v1/tokens",
        .shape = SHAPE_ONE,
        .columns = {{"NAME", "name", CELL_TEXT},
                    {"ID", "id", CELL_TEXT},
                    {"ROLE", "role", CELL_TEXT},
                    {"CLUSTER", "cluster_id", CELL_TEXT},
                    {"USER", "user_id", CELL_TEXT},
                    {"EXPIRES", "expires_at_ms", CELL_TIME},
                    {"TOKEN", "token", CELL_TEXT}},
        .done = "the token is shown this once: keep it in a file of mode 0600",
    },
    {
        .words = "token revoke",
        .summary = "Revoke an API token; any token may revoke itself",
        .examples = "weft token revoke ci --yes",
        .args = {TOKEN_ARG(NAMES_TOKEN)},
        .flags = {WHERE_FLAG},
        .method = "DELETE",
        .path = "/api/v1/tokens/{token}",
        .confirm = "Revoke token {token}? Whoever uses it is locked out at once.",
        .done = "token {token} is revoked",
        .versioned = true,
    },
    {
        .words = "token enrolment list",
        .summary = "List the enrolment tokens of a cluster",
        .examples = "weft token enrolment list --cluster orders",
        .flags = {SORT_FLAG},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/enrolment-tokens",
        .shape = SHAPE_LIST,
        .columns = ENROLMENT_COLUMNS,
        .scoped = true,
    },
    {
        .words = "token enrolment show",
        .summary = "Show an enrolment token, without its text",
        .examples = "weft token enrolment show 5b1c9e02-...",
        .args = {TOKEN_ARG(NAMES_ENROLMENT)},
        .method = "GET",
        .path = "/api/v1/clusters/{cluster}/enrolment-tokens/{token}",
        .shape = SHAPE_ONE,
        .columns = ENROLMENT_COLUMNS,
        .scoped = true,
    },
    {
        .words = "token enrolment create",
        .summary = "Make a token by which agents join a cluster; shown this once",
        .examples =
            "weft token enrolment create --cluster orders --ttl 1h --single-use\n"
            "weft token enrolment create -o json | jq -r .token > enrolment-token",
        .flags = {NAME_FLAG,
                  TTL_FLAG("24h"),
                  {.name = "single-use",
                   .type = FLAG_BOOL,
                   .place = PLACE_BODY,
                   .help = "for one agent only"}},
        .method = "POST",
        .path = "/api/v1/clusters/{cluster}/enrolment-tokens",
        .shape = SHAPE_ONE,
        .columns = {{"NAME", "name", CELL_TEXT},
                    {"ID", "id", CELL_TEXT},
                    {"SINGLE USE", "single_use", CELL_TEXT},
                    {"EXPIRES", "expires_at_ms", CELL_TIME},
                    {"TOKEN", "token", CELL_TEXT}},
        .done =
            "the token is shown this once: give it to weft-agent as --enrolment-token",
        .scoped = true,
        .body = true,
    },
    {
        .words = "token enrolment revoke",
        .summary = "Revoke an enrolment token; agents that joined by it stay",
        .examples = "weft token enrolment revoke 5b1c9e02-... --yes",
        .args = {TOKEN_ARG(NAMES_ENROLMENT)},
        .method = "DELETE",
        .path = "/api/v1/clusters/{cluster}/enrolment-tokens/{token}",
        .confirm = "Revoke enrolment token {token}? No further agent joins by it.",
        .done = "enrolment token {token} is revoked",
        .scoped = true,
        .versioned = true,
    },
    {.words = NULL},
};
