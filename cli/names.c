/* names.c - see names.h. */
#include "cli/names.h"

#include <stdio.h>
#include <string.h>

#include "cli/format.h"
#include "cli/group_command.h"
#include "common/check.h"
#include "common/mem.h"
#include "common/uuid.h"

#define PREFIX_MIN 4
#define PATH_ROOM  (256 * KIB)

enum trait {
    BY_NAME = 1,    /* the list takes ?name= */
    NAMED = 2,      /* the API takes the name itself */
    NUMBER = 4,     /* ids are numbers */
    OF_CLUSTER = 8, /* some belong to a cluster, listed by ?cluster_id= */
};

static const struct kind {
    enum names names;
    const char *noun;
    const char *path;  /* of the list */
    const char *id;    /* member that the API wants */
    const char *name;  /* member that people know it by */
    const char *about; /* member that says a bit more, for completion */
    unsigned traits;
} kinds[] = {
    {NAMES_CLUSTER, "cluster", "/api/v1/clusters", "id", "name", "id", BY_NAME},
    {NAMES_TOPIC, "topic", "/api/v1/clusters/{cluster}/topics", "name", "name",
     "partitions", BY_NAME | NAMED},
    {NAMES_GROUP, "group", "/api/v1/clusters/{cluster}/groups", "id", "id", "state",
     NAMED},
    {NAMES_AGENT, "agent", "/api/v1/clusters/{cluster}/agents", "id", "node_id", "host",
     0},
    {NAMES_USER, "user", "/api/v1/users", "id", "name", "role", BY_NAME | OF_CLUSTER},
    {NAMES_TOKEN, "token", "/api/v1/tokens", "id", "name", "role", OF_CLUSTER},
    {NAMES_ENROLMENT, "enrolment token", "/api/v1/clusters/{cluster}/enrolment-tokens",
     "id", "name", "", 0},
    {NAMES_JOIN, "join token", "/api/v1/cell/join-tokens", "id", "name", "", 0},
    {NAMES_NODE, "node", "/api/v1/cell/nodes", "id", "name", "role", NUMBER},
    {NAMES_CA, "certificate authority", "/api/v1/cell/ca", "fingerprint", "fingerprint",
     "state", 0},
    {NAMES_BACKUP, "backup", "/api/v1/backups", "id", "id", "state", 0},
};

static const struct kind *kind_of(enum names names)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (kinds[i].names == names)
            return &kinds[i];
    }
    return NULL;
}

const char *names_noun(enum names names)
{
    const struct kind *kind = kind_of(names);
    return kind == NULL ? "thing" : kind->noun;
}

/* The text of member KEY, numbers too; "" when it is not there. */
static void member(const struct json *item, const char *key, struct str *out)
{
    const struct json *value = key[0] == '\0' ? NULL : json_find(item, key);

    str_reset(out);
    if (!json_is_null(value))
        format_cell(value, CELL_TEXT, 0, out);
}

/* The path of the kind's list; IN_CLUSTER: of those of a cluster, not of the cell. */
static int list_path(struct cli *cli, const struct kind *kind, const char *name,
                     bool in_cluster, struct str *path)
{
    static const char cluster[] = "{cluster}";
    const char *brace = strstr(kind->path, cluster);
    const char *id = "";
    int rc = cli_connect(cli);

    if (rc == 0 && (brace != NULL || in_cluster))
        rc = cli_cluster(cli, &id);
    if (rc != 0)
        return rc;
    if (brace == NULL)
        str_puts(path, kind->path);
    else
        str_printf(path, "%.*s%s%s", (int)(brace - kind->path), kind->path, id,
                   brace + strlen(cluster));
    if ((kind->traits & BY_NAME) != 0 && name != NULL) {
        str_puts(path, "?name=");
        format_escape(name, path);
    } else {
        str_puts(path, "?limit=1000");
    }
    if (in_cluster)
        str_printf(path, "&cluster_id=%s", id);
    return 0;
}

/* ---- one name ---- */

struct search {
    const struct kind *kind;
    const char *wanted;
    size_t exact, partial; /* how many were found */
    struct str id, text;   /* of the last that was found; scratch */
};

static bool is_agent_address(const struct json *item, const char *wanted,
                             struct str *text)
{
    struct str port;

    str_init(&port, 32);
    member(item, "host", text);
    member(item, "port", &port);
    bool same = strcmp(str_cstr(text), wanted) == 0;
    str_printf(text, ":%s", str_cstr(&port));
    same = same || strcmp(str_cstr(text), wanted) == 0;
    str_fini(&port);
    return same;
}

static int look(const struct json *item, void *arg)
{
    struct search *search = arg;
    const struct kind *kind = search->kind;
    struct str *text = &search->text;

    member(item, kind->name, text);
    bool exact =
        strcmp(str_cstr(text), search->wanted) == 0 ||
        (kind->names == NAMES_AGENT && is_agent_address(item, search->wanted, text));
    member(item, kind->id, text);
    exact = exact || strcmp(str_cstr(text), search->wanted) == 0;
    bool partial = strlen(search->wanted) >= PREFIX_MIN &&
                   strncmp(str_cstr(text), search->wanted, strlen(search->wanted)) == 0;
    if (exact || (partial && search->exact == 0)) {
        str_reset(&search->id);
        str_append_slice(&search->id, str_slice(text));
    }
    search->exact += exact;
    search->partial += partial;
    return 0;
}

/* Look through the kind's list, only at NAME when it can be asked for so. */
static int search_list(struct cli *cli, struct search *search, const char *name,
                       bool in_cluster)
{
    struct str path;

    str_init(&path, PATH_ROOM);
    int rc = list_path(cli, search->kind, name, in_cluster, &path);
    if (rc == 0)
        rc = cli_each(cli, str_cstr(&path), look, search);
    str_fini(&path);
    return rc;
}

static int not_found(const struct cli *cli, const struct search *search)
{
    bool many = search->exact > 1 || search->partial > 1;

    if (many)
        cli_error(cli, "%zu are called %.100s: give the id of the %s",
                  MAX(search->exact, search->partial), search->wanted,
                  search->kind->noun);
    else
        cli_error(cli,
                  "there is no %s %.100s (404 NOT_FOUND)\n  the list shows what "
                  "there is and may be seen with this token",
                  search->kind->noun, search->wanted);
    return many ? CLI_USAGE : CLI_NOT_FOUND;
}

static bool is_number(const char *text)
{
    return *text != '\0' && strspn(text, "0123456789") == strlen(text);
}

int names_resolve(struct cli *cli, enum names names, const char *text, char **id)
{
    const struct kind *kind = kind_of(names);
    struct search search = {.kind = kind, .wanted = text};
    struct uuid uuid;

    if (names == NAMES_GROUP) {
        struct str path;
        str_init(&path, PATH_ROOM);
        group_path_name(text, &path);
        *id = mem_strdup(str_cstr(&path));
        str_fini(&path);
        return 0;
    }
    if (kind == NULL || (kind->traits & NAMED) != 0 ||
        ((kind->traits & NUMBER) != 0 && is_number(text)) ||
        uuid_parse(slice_str(text), &uuid) == 0 || strlen(text) == 64) {
        *id = mem_strdup(text);
        return 0;
    }
    str_init(&search.id, 1024);
    str_init(&search.text, 16 * KIB);
    int rc = search_list(cli, &search, text, false);
    if (rc == 0 && search.exact == 0 && (kind->traits & OF_CLUSTER) != 0 &&
        cli_names_cluster(cli))
        rc = search_list(cli, &search, text, true);
    /* No such name: perhaps it is the beginning of an id. */
    bool prefix = (kind->traits & BY_NAME) != 0 && strlen(text) >= PREFIX_MIN;
    if (rc == 0 && search.exact == 0 && prefix)
        rc = search_list(cli, &search, NULL, false);
    if (rc == 0 && search.exact == 0 && prefix && (kind->traits & OF_CLUSTER) != 0 &&
        cli_names_cluster(cli))
        rc = search_list(cli, &search, NULL, true);
    bool found = search.exact == 1 || (search.exact == 0 && search.partial == 1);
    if (rc == 0 && !found)
        rc = not_found(cli, &search);
    if (rc == 0)
        *id = mem_strdup(str_cstr(&search.id));
    str_fini(&search.id);
    str_fini(&search.text);
    return rc;
}

/* ---- all names ---- */

struct listing {
    const struct kind *kind;
    void (*visit)(const char *name, const char *about, void *arg);
    void *arg;
    struct str name, about;
};

static int tell(const struct json *item, void *arg)
{
    struct listing *listing = arg;

    member(item, listing->kind->name, &listing->name);
    if (listing->name.len == 0 || strcmp(str_cstr(&listing->name), "-") == 0)
        member(item, listing->kind->id, &listing->name);
    member(item, listing->kind->about, &listing->about);
    if ((listing->kind->traits & NUMBER) !=
        0) { /* people know its name, the API takes its number */
        str_reset(&listing->about);
        str_append_slice(&listing->about, str_slice(&listing->name));
        member(item, listing->kind->id, &listing->name);
    }
    listing->visit(str_cstr(&listing->name), str_cstr(&listing->about), listing->arg);
    return 0;
}

void names_each(struct cli *cli, enum names names,
                void (*visit)(const char *name, const char *about, void *arg), void *arg)
{
    struct listing listing = {.kind = kind_of(names), .visit = visit, .arg = arg};
    struct str path;

    if (names == NAMES_CONTEXT) {
        for (size_t i = 0; i < cli->config.context_count; i++)
            visit(cli->config.contexts[i].name, "", arg);
        return;
    }
    if (listing.kind == NULL)
        return;
    str_init(&path, PATH_ROOM);
    str_init(&listing.name, 16 * KIB);
    str_init(&listing.about, 16 * KIB);
    if (list_path(cli, listing.kind, NULL, false, &path) == 0)
        (void)cli_each(cli, str_cstr(&path), tell, &listing);
    str_reset(&path);
    if ((listing.kind->traits & OF_CLUSTER) != 0 && cli_names_cluster(cli) &&
        list_path(cli, listing.kind, NULL, true, &path) == 0)
        (void)cli_each(cli, str_cstr(&path), tell, &listing);
    str_fini(&path);
    str_fini(&listing.name);
    str_fini(&listing.about);
}
