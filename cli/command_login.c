/* command_login.c - rows: who we are, and to which cell we speak. */
#include "cli/login.h"
#include "cli/rows.h"

#define NAME_ARG(text, is_optional)                                                      \
    {                                                                                    \
        .name = "name", .help = text, .names = NAMES_CONTEXT, .optional = is_optional    \
    }

const struct command login_rows[] = {
    {
        .words = "login",
        .summary =
            "Log in to a cell: trust its CA, store a token, make a context of both",
        .details =
            "The cell's certificate authority must be known by one of two ways: its "
            "certificate (--ca-file), or its fingerprint (--ca-fingerprint), which the "
            "control plane writes to ca.fingerprint in its data directory. Without "
            "either "
            "nothing is sent but the question for the CA, whose fingerprint is shown.\n"
            "The token comes from a file (@FILE), from standard input (-), or is asked "
            "for. The first operator's token is the file admin-token in the control "
            "plane's data directory. Logging in again to the same context needs only a "
            "new token.",
        .examples =
            "weft login https://cp.example.com:7800 --ca-fingerprint 5f1c... --token "
            "@admin-token\n"
            "weft login https://cp1.example.com:7800,https://cp2.example.com:7800 "
            "--ca-file ca.crt --name prod\n"
            "vault read -field=token weft | weft login https://cp.example.com:7800 "
            "--token -",
        .args = {{.name = "url",
                  .help =
                      "https://HOST:PORT of a node's listener for people; of several "
                      "nodes with commas between: all are remembered, and the one that "
                      "leads is found"}},
        .flags = {{.name = "ca-fingerprint",
                   .type = FLAG_TEXT,
                   .placeholder = "HEX",
                   .help = "SHA-256 of the CA's certificate, 64 hex digits"},
                  {.name = "name",
                   .letter = 'n',
                   .type = FLAG_TEXT,
                   .placeholder = "NAME",
                   .help = "of the context; not given: HOST:PORT"},
                  {.name = "cluster",
                   .letter = 'c',
                   .type = FLAG_TEXT,
                   .placeholder = "NAME|ID",
                   .help = "what commands use when they are given no --cluster; not "
                           "given: the token's own"}},
        .run = login_run,
    },
    {
        .words = "logout",
        .summary = "Forget the token of the context",
        .examples = "weft logout\n"
                    "weft logout --context prod",
        .run = logout_run,
    },
    {
        .words = "whoami",
        .summary = "Show what the token in use is, and may do",
        .examples = "weft whoami",
        .method = "GET",
        .path = "/api/v1/whoami",
        .shape = SHAPE_ONE,
        .columns = {{"NAME", "name", CELL_TEXT},
                    {"ROLE", "role", CELL_TEXT},
                    {"CLUSTER", "cluster_id", CELL_TEXT},
                    {"USER", "user_id", CELL_TEXT},
                    {"TOKEN", "token_id", CELL_TEXT},
                    {"EXPIRES", "expires_at_ms", CELL_UNTIL}},
    },
    {
        .words = "context list",
        .summary = "List the contexts",
        .examples = "weft context list",
        .shape = SHAPE_LIST,
        .run = context_list,
    },
    {
        .words = "context show",
        .summary = "Show a context, without its token",
        .examples = "weft context show\n"
                    "weft context show prod -o json",
        .args = {NAME_ARG("the context; default: the one in use", true)},
        .run = context_show,
    },
    {
        .words = "context use",
        .summary = "Choose the context that commands use from now on",
        .examples = "weft context use prod",
        .args = {NAME_ARG("the context", false)},
        .run = context_use,
    },
    {
        .words = "context set",
        .summary = "Change a context's cluster or addresses",
        .examples = "weft context set --cluster orders\n"
                    "weft context set prod --servers "
                    "https://cp1.example.com:7800,https://cp2.example.com:7800",
        .args = {NAME_ARG("the context; default: the one in use", true)},
        .flags = {{.name = "cluster",
                   .letter = 'c',
                   .type = FLAG_TEXT,
                   .placeholder = "NAME|ID",
                   .help = "what commands use when they are given no --cluster; '': none",
                   .names = NAMES_CLUSTER},
                  {.name = "servers",
                   .type = FLAG_LIST,
                   .placeholder = "URL,...",
                   .help = "listeners for people of the cell's nodes"}},
        .run = context_change,
    },
    {
        .words = "context remove",
        .summary = "Remove a context and the token in it",
        .examples = "weft context remove prod --yes",
        .args = {NAME_ARG("the context", false)},
        .confirm = "Remove the context?",
        .run = context_drop,
    },
    {.words = NULL},
};
