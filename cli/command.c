/* command.c - the rows of all command_*.c as one table, and the flags that rows imply. */
#include "cli/command.h"

#include <string.h>

#include "cli/rows.h"

static const struct command *const tables[] = {
    login_rows, cluster_rows, agent_rows,  topic_rows,  group_rows, token_rows, user_rows,
    usage_rows, cell_rows,    backup_rows, object_rows, debug_rows, other_rows,
};

static const struct group groups[] = {
    {"context", "Which cell and cluster commands speak to",
     "A context is a cell's addresses, the certificate of its CA, a token, and the\n"
     "cluster to use when --cluster is not given. `weft login` makes one. They lie in\n"
     "$XDG_CONFIG_HOME/weft/config.json (else ~/.config/weft/config.json), mode 0600."},
    {"cluster", "Clusters: the customers of a cell",
     "A cluster has its own agents, topics and limits; nothing of another is visible to\n"
     "it. Names and ids are both accepted wherever a CLUSTER is asked for."},
    {"cluster limits", "What a cluster may use at most", NULL},
    {"agent", "Agents: the data plane of a cluster, in the customer's account", NULL},
    {"topic", "Topics of a cluster", NULL},
    {"group", "Consumer groups of a cluster: members, offsets, lag", NULL},
    {"token", "Tokens of people and machines for the API, and enrolment tokens of agents",
     NULL},
    {"token enrolment", "Tokens with which agents join a cluster", NULL},
    {"user", "People who may use the API", NULL},
    {"usage", "What clusters produced, fetched and kept: the bill", NULL},
    {"audit", "Who changed what, when, from where", NULL},
    {"cell", "The cell: its nodes, who leads, its certificate authority", NULL},
    {"cell node", "Nodes of the cell", NULL},
    {"cell join-token", "Tokens with which new nodes join the cell", NULL},
    {"cell ca", "The cell's certificate authority", NULL},
    {"backup", "Backups of a cell", NULL},
    {"object", "Look into objects of the object store, without a control plane", NULL},
    {"debug", "What helps to find a fault", NULL},
};

#define DERIVED_MAX 6

static const struct flag flag_cluster = {
    "cluster",
    'c',
    FLAG_TEXT,
    PLACE_LOCAL,
    NULL,
    "NAME|ID",
    "the cluster; default: WEFT_CLUSTER, else the context's",
    NULL,
    NULL,
    NAMES_CLUSTER,
    false};
static const struct flag flag_yes = {
    "yes", 'y',  FLAG_BOOL,  PLACE_LOCAL, NULL, NULL, "do it without asking",
    NULL,  NULL, NAMES_NONE, false};
static const struct flag flag_wait = {
    "wait",
    'w',
    FLAG_BOOL,
    PLACE_LOCAL,
    NULL,
    NULL,
    "return only when it is done; shows progress on standard error",
    NULL,
    NULL,
    NAMES_NONE,
    false};
static const struct flag flag_wait_timeout = {"wait-timeout",
                                              0,
                                              FLAG_DURATION,
                                              PLACE_LOCAL,
                                              NULL,
                                              "DURATION",
                                              "give --wait up after so long, exit code 7",
                                              NULL,
                                              "30m",
                                              NAMES_NONE,
                                              false};
static const struct flag flag_revision = {
    "revision",
    0,
    FLAG_INT,
    PLACE_LOCAL,
    NULL,
    "N",
    "change it only if this still is its revision, as shown; else exit code 5",
    NULL,
    NULL,
    NAMES_NONE,
    false};
static const struct flag flag_all = {
    "all", 'a',  FLAG_BOOL,  PLACE_LOCAL, NULL, NULL, "all pages, not only the first",
    NULL,  NULL, NAMES_NONE, false};
static const struct flag flag_limit = {"limit",
                                       0,
                                       FLAG_INT,
                                       PLACE_QUERY,
                                       "limit",
                                       "N",
                                       "rows of a page, at most 1000; default: 100",
                                       NULL,
                                       NULL,
                                       NAMES_NONE,
                                       false};
static const struct flag flag_after = {
    "after",
    0,
    FLAG_TEXT,
    PLACE_QUERY,
    "after",
    "CURSOR",
    "begin behind this place: the `next` of the page before",
    NULL,
    NULL,
    NAMES_NONE,
    false};

const struct flag global_flags[] = {
    {"output", 'o', FLAG_TEXT, PLACE_LOCAL, NULL, "FORMAT",
     "table (for people), json or yaml (for programs)", "table|json|yaml", "table",
     NAMES_NONE, false},
    {"context", 0, FLAG_TEXT, PLACE_LOCAL, NULL, "NAME",
     "the context to use; default: WEFT_CONTEXT, else the one of `weft context use`",
     NULL, NULL, NAMES_CONTEXT, false},
    {"server", 0, FLAG_LIST, PLACE_LOCAL, NULL, "URL,...",
     "people's listeners of the cell, instead of the context's; also WEFT_SERVER", NULL,
     NULL, NAMES_NONE, false},
    {"ca-file", 0, FLAG_TEXT, PLACE_LOCAL, NULL, "FILE",
     "PEM of the cell's CA, instead of the context's; also WEFT_CA_FILE", NULL, NULL,
     NAMES_FILE, false},
    {"token", 0, FLAG_SECRET, PLACE_LOCAL, NULL, "@FILE",
     "the API token (@FILE, or - for standard input), instead of the context's; also "
     "WEFT_TOKEN",
     NULL, NULL, NAMES_FILE, false},
    {"timeout", 0, FLAG_DURATION, PLACE_LOCAL, NULL, "DURATION",
     "how long a call is tried again while no node answers", NULL, "30s", NAMES_NONE,
     false},
    {"quiet", 'q', FLAG_BOOL, PLACE_LOCAL, NULL, NULL,
     "nothing on standard error but errors", NULL, NULL, NAMES_NONE, false},
    {"verbose", 'v', FLAG_BOOL, PLACE_LOCAL, NULL, NULL,
     "show each call of the API on standard error", NULL, NULL, NAMES_NONE, false},
    {NULL, 0, FLAG_BOOL, PLACE_LOCAL, NULL, NULL, NULL, NULL, NULL, NAMES_NONE, false},
};

const struct command *command_at(size_t i)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        for (const struct command *row = tables[t]; row->words != NULL; row++) {
            if (i-- == 0)
                return row;
        }
    }
    return NULL;
}

const struct group *command_group_at(size_t i)
{
    return i < ARRAY_LEN(groups) ? &groups[i] : NULL;
}

const struct command *command_find(const char *words)
{
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (strcmp(command->words, words) == 0)
            return command;
    }
    return NULL;
}

const struct group *command_group_find(const char *words)
{
    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (strcmp(groups[i].words, words) == 0)
            return &groups[i];
    }
    return NULL;
}

bool command_is_prefix(const char *words)
{
    size_t len = strlen(words);
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        if (len == 0 || (strncmp(command->words, words, len) == 0 &&
                         (command->words[len] == ' ' || command->words[len] == '\0')))
            return true;
    }
    return false;
}

/* ---- flags ---- */

/* Does one of the command's own flags bear this name already? Then that one counts. */
static bool has_own(const struct command *command, const char *name)
{
    for (const struct flag *flag = command->flags; flag->name != NULL; flag++) {
        if (strcmp(flag->name, name) == 0)
            return true;
    }
    return false;
}

static size_t derived_flags(const struct command *command,
                            const struct flag *list[DERIVED_MAX])
{
    size_t n = 0;

    if (command->scoped)
        list[n++] = &flag_cluster;
    if (command->shape == SHAPE_LIST && command->method != NULL) {
        list[n++] = &flag_all;
        list[n++] = &flag_limit;
        list[n++] = &flag_after;
    }
    if (command->wait.path != NULL) {
        list[n++] = &flag_wait;
        list[n++] = &flag_wait_timeout;
    }
    if (command->confirm != NULL && !has_own(command, "yes"))
        list[n++] = &flag_yes;
    if (command->versioned)
        list[n++] = &flag_revision;
    return n;
}

size_t command_own_flags(const struct command *command)
{
    size_t n = 0;

    while (command != NULL && command->flags[n].name != NULL)
        n++;
    return n;
}

size_t command_local_flags(const struct command *command)
{
    const struct flag *derived[DERIVED_MAX];

    return command == NULL ? 0
                           : command_own_flags(command) + derived_flags(command, derived);
}

const struct flag *command_flag_at(const struct command *command, size_t i)
{
    size_t own = command_own_flags(command);
    const struct flag *derived[DERIVED_MAX];
    size_t count = command == NULL ? 0 : derived_flags(command, derived);

    if (i < own)
        return &command->flags[i];
    if (i < own + count)
        return derived[i - own];
    i -= own + count;
    return i < ARRAY_LEN(global_flags) && global_flags[i].name != NULL ? &global_flags[i]
                                                                       : NULL;
}
