/* command_user.c - rows: people who may use the API. */
#include "cli/rows.h"

/* Names are looked for in the cell, then in this cluster. */
#define WHERE_FLAG                                                                       \
    {                                                                                    \
        .name = "cluster", .letter = 'c', .type = FLAG_TEXT, .placeholder = "NAME|ID",   \
        .help = "where a name is looked for, beside the cell", .names = NAMES_CLUSTER    \
    }

#define USER_ARG                                                                         \
    {                                                                                    \
        .name = "user", .help = "the user's name or id", .place = PLACE_PATH,            \
        .names = NAMES_USER                                                              \
    }
#define USER_COLUMNS                                                                     \
    {                                                                                    \
        {"NAME", "name", CELL_TEXT}, {"ID", "id", CELL_TEXT},                            \
            {"EMAIL", "email", CELL_TEXT}, {"ROLE", "role", CELL_TEXT},                  \
            {"CLUSTER", "cluster_id", CELL_TEXT}, {"DISABLED", "disabled", CELL_TEXT},   \
        {                                                                                \
            "AGE", "created_at_ms", CELL_AGE                                             \
        }                                                                                \
    }
#define USER_WIDE                                                                        \
    {                                                                                    \
        {"NAME", "name", CELL_TEXT}, {"ID", "id", CELL_TEXT},                            \
            {"EMAIL", "email", CELL_TEXT}, {"ROLE", "role", CELL_TEXT},                  \
            {"CLUSTER", "cluster_id", CELL_TEXT}, {"DISABLED", "disabled", CELL_TEXT},   \
            {"CREATED", "created_at_ms", CELL_TIME},                                     \
        {                                                                                \
            "REVISION", "revision", CELL_INT                                             \
        }                                                                                \
    }

const struct command user_rows[] = {
    {
        .words = "user list",
        .summary = "List the users that this token may see",
        .examples = "weft user list --sort name\n"
                    "weft user list --cluster orders",
        .flags = {{.name = "cluster",
                   .letter = 'c',
                   .type = FLAG_TEXT,
                   .place = PLACE_QUERY,
                   .field = "cluster_id",
                   .placeholder = "NAME|ID",
                   .help = "those of this cluster; not given: the cell's own for an "
                           "operator, else those of the token's cluster",
                   .names = NAMES_CLUSTER},
                  {.name = "name",
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
        .path = "/api/v1/users",
        .shape = SHAPE_LIST,
        .columns = USER_COLUMNS,
    },
    {
        .words = "user show",
        .summary = "Show a user",
        .examples = "weft user show alice",
        .args = {USER_ARG},
        .flags = {WHERE_FLAG},
        .method = "GET",
        .path = "/api/v1/users/{user}",
        .shape = SHAPE_ONE,
        .columns = USER_COLUMNS,
        .wide = USER_WIDE,
    },
    {
        .words = "user create",
        .summary = "Create a user",
        .details =
            "Roles: operator manages the whole cell, admin one cluster, viewer reads one "
            "cluster. A user does nothing without a token: `weft token create --user`.",
        .examples = "weft user create alice --role admin --cluster orders\n"
                    "weft token create alice-laptop --role admin --user alice",
        .args = {{.name = "name",
                  .help = "printable ASCII, at most 100",
                  .place = PLACE_BODY}},
        .flags = {{.name = "role",
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .placeholder = "ROLE",
                   .help = "the most that the user's tokens may do",
                   .choices = "operator|admin|viewer",
                   .required = true},
                  {.name = "email",
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .placeholder = "ADDRESS",
                   .help = "where to reach the user"},
                  {.name = "cluster",
                   .letter = 'c',
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .field = "cluster_id",
                   .placeholder = "NAME|ID",
                   .help = "for admin and viewer; not given: this token's own",
                   .names = NAMES_CLUSTER}},
        .method = "POST",
        .path = "/api/v1/users",
        .shape = SHAPE_ONE,
        .columns = USER_COLUMNS,
        .wide = USER_WIDE,
    },
    {
        .words = "user alter",
        .summary =
            "Change a user's name, role or address, or lock the user out; holds at "
            "once",
        .examples =
            "weft user alter alice --role viewer\n"
            "weft user alter alice --disabled  # --disabled=false lets her in again",
        .args = {USER_ARG},
        .flags = {WHERE_FLAG,
                  {.name = "name",
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .placeholder = "NAME",
                   .help = "the new name"},
                  {.name = "role",
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .placeholder = "ROLE",
                   .help = "the new role",
                   .choices = "operator|admin|viewer"},
                  {.name = "email",
                   .type = FLAG_TEXT,
                   .place = PLACE_BODY,
                   .placeholder = "ADDRESS",
                   .help = "where to reach the user; '': nowhere"},
                  {.name = "disabled",
                   .type = FLAG_BOOL,
                   .place = PLACE_BODY,
                   .help =
                       "refuse the user's tokens; --disabled=false: take them again"}},
        .method = "PATCH",
        .path = "/api/v1/users/{user}",
        .shape = SHAPE_ONE,
        .columns = USER_COLUMNS,
        .wide = USER_WIDE,
        .versioned = true,
    },
    {
        .words = "user delete",
        .summary = "Delete a user and revoke its tokens",
        .examples = "weft user delete alice --yes",
        .args = {USER_ARG},
        .flags = {WHERE_FLAG},
        .method = "DELETE",
        .path = "/api/v1/users/{user}",
        .confirm = "Delete user {user} and revoke all tokens of that user?",
        .done = "user {user} is deleted",
        .versioned = true,
    },
    {.words = NULL},
};
