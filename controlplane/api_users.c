/* api_users.c - people's calls about users: whom tokens are made for. */
#include "controlplane/api.h"

#include <string.h>

#include "controlplane/change.h"
#include "controlplane/list.h"
#include "controlplane/one.h"
#include "controlplane/names.h"
#include "controlplane/scope.h"

struct user_row {
    struct uuid id, cluster_id;
    const char *name, *email; /* in the arena */
    enum role role;
    bool disabled;
    int64_t created_at_ms;
    uint64_t version;
};

static struct json *row_json(const void *out)
{
    const struct user_row *row = out;
    struct json *value = json_object();
    json_set(value, "id", json_uuid(&row->id));
    json_set(value, "name", json_string(row->name));
    json_set(value, "email", json_string(row->email));
    json_set(value, "role", json_string(role_name(row->role)));
    json_set(value, "disabled", json_bool(row->disabled));
    json_set(value, "cluster_id", uuid_json(&row->cluster_id));
    json_set(value, "created_at_ms", json_int(row->created_at_ms));
    json_set(value, "revision", json_int((int64_t)row->version));
    return value;
}

static struct uuid scope_of(const struct user *user)
{
    return user->cluster == NULL ? UUID_ZERO : user->cluster->cluster_id;
}

static void copy_user(struct node *node, struct call *call, const void *from, void *out)
{
    const struct user *user = from;
    struct user_row *row = out;
    (void)node;
    *row = (struct user_row){
        .id = user->user_id,
        .cluster_id = scope_of(user),
        .name = arena_strdup(&call->arena, slice_str(user->name)),
        .email = arena_strdup(&call->arena, slice_str(user->email)),
        .role = user->role,
        .disabled = user->disabled,
        .created_at_ms = user->created_at_ms,
        .version = user->etag,
    };
}

/* --- GET /api/v1/users --- */

struct filter {
    struct uuid cluster_id;
    struct slice name, q;
};

static const void *next_user(struct node *node, const struct call *call, const void *row)
{
    const struct filter *filter = call->data;
    const struct cluster *cluster;

    return scope_cluster(node, &filter->cluster_id, &cluster)
               ? state_user_next(node_state(node), cluster, row)
               : NULL;
}

static const void *find_user(struct node *node, const struct call *call,
                             const struct page_key *key)
{
    const struct filter *filter = call->data;
    const struct user *user = state_user(node_state(node), &key->id);
    struct uuid scope = user == NULL ? UUID_ZERO : scope_of(user);
    return user != NULL && uuid_eq(&scope, &filter->cluster_id) ? user : NULL;
}

static void key_of_user(const void *row, unsigned sort, struct page_key *key)
{
    const struct user *user = row;
    key->id = user->user_id;
    if (sort == 0)
        key->number = (int64_t)user->serial;
    else
        page_key_set_text(key, slice_str(user->name));
}

static bool match_user(const struct call *call, const void *row)
{
    const struct filter *filter = call->data;
    const struct user *user = row;
    return (filter->name.ptr == NULL || slice_eq_str(filter->name, user->name)) &&
           (filter->q.ptr == NULL || list_contains(user->name, filter->q));
}

static const char *const user_sorts[] = {"created_at_ms", "name", NULL};
static const struct list_source users_source = {
    .sorts = user_sorts,
    .row_bytes = sizeof(struct user_row),
    .next = next_user,
    .find = find_user,
    .key = key_of_user,
    .match = match_user,
    .copy = copy_user,
    .print = row_json,
};

void api_users_list(struct call *call)
{
    struct filter *filter = arena_alloc(&call->arena, sizeof(*filter));
    filter->cluster_id = scope_of_list(call);
    filter->name = call_query_text(call, "name", 249);
    filter->q = call_query_text(call, "q", 100);
    call->data = filter;
    list_start(call, &users_source);
}

/* --- GET, PATCH, DELETE /api/v1/users/{user} --- */

struct user_change {
    struct change change;
    struct uuid user_id;
    struct slice name, email; /* null: as they are */
    enum role role;           /* NONE: as it is */
    bool has_disabled, disabled;
    struct user_row row;
};

static const struct user *want_user(struct node *node, struct call *call,
                                    const struct uuid *id)
{
    const struct user *user = state_user(node_state(node), id);
    if (user != NULL) {
        struct uuid scope = scope_of(user);
        if (principal_sees(&call->principal, &scope))
            return user;
    }
    call_fail(call, ERR_NOT_FOUND, "there is no such user (any more)");
    return NULL;
}

static const void *want_row(struct node *node, struct call *call)
{
    const struct user_change *want = call->data;
    return want_user(node, call, &want->user_id);
}

static const struct one_source user_source = {
    .rows = &users_source,
    .row_at = offsetof(struct user_change, row),
    .version_at = offsetof(struct user_row, version),
    .want = want_row,
};

void api_users_get(struct call *call)
{
    struct user_change *get = arena_alloc(&call->arena, sizeof(*get));
    call->data = get;
    if (call_path_uuid(call, &get->user_id))
        one_start(call, &user_source);
}

/* USER_PUT takes all fields: what was not given is as it was. */
static void patch_prepare(struct node *node, struct call *call, struct change *change)
{
    struct user_change *patch = CONTAINER_OF(change, struct user_change, change);
    const struct user *user = want_user(node, call, &patch->user_id);
    struct command *cmd = &change->cmd;

    if (user == NULL)
        return;
    cmd->cluster_id = scope_of(user);
    if (patch->role != ROLE_NONE)
        scope_check(node, call, patch->role, &cmd->cluster_id);
    if (uuid_eq(&patch->user_id, &call->principal.user_id) &&
        ((patch->has_disabled && patch->disabled) ||
         (patch->role != ROLE_NONE && patch->role != user->role)))
        call_fail(call, ERR_CONFLICT,
                  "nobody takes away their own role: ask another operator or admin");
    cmd->user_put.user_id = patch->user_id;
    cmd->user_put.name = patch->name.ptr != NULL
                             ? patch->name
                             : arena_dup(&call->arena, slice_str(user->name));
    cmd->user_put.email = patch->email.ptr != NULL
                              ? patch->email
                              : arena_dup(&call->arena, slice_str(user->email));
    cmd->user_put.role = patch->role != ROLE_NONE ? patch->role : user->role;
    cmd->user_put.disabled = patch->has_disabled ? patch->disabled : user->disabled;
    /* What was read must be what is changed, or another's change would be undone. */
    if (cmd->if_version == 0)
        cmd->if_version = user->etag;
    call_target(call, "users/%s", user->name);
}

void api_users_patch(struct call *call)
{
    struct user_change *patch = arena_alloc(&call->arena, sizeof(*patch));
    struct change *change = &patch->change;
    struct json_reader r = call_reader(call);

    if (!call_check_members(call, "name, email, role, disabled"))
        return;
    if (json_count(call->body) == 0)
        call_fail(call, ERR_INVALID, "the body names nothing to be changed");
    const struct json *disabled = json_find(call->body, "disabled");
    patch->name = name_find(call, "name", name_is_label);
    patch->email = email_find(call);
    patch->role = role_find(call);
    patch->has_disabled = disabled != NULL;
    if (disabled != NULL && call->err.code == 0)
        patch->disabled = json_as_bool(&r, disabled, "disabled");
    if (call->err.code != 0 || !call_path_uuid(call, &patch->user_id))
        return;
    change->what = "user";
    change->cmd.kind = COMMAND_USER_PUT;
    change->prepare = patch_prepare;
    one_after(call, change, &user_source);
    change_start(call, change);
}

static void delete_prepare(struct node *node, struct call *call, struct change *change)
{
    struct user_change *remove = CONTAINER_OF(change, struct user_change, change);
    const struct user *user = want_user(node, call, &remove->user_id);

    if (user == NULL)
        return;
    if (uuid_eq(&remove->user_id, &call->principal.user_id))
        call_fail(call, ERR_CONFLICT,
                  "nobody deletes themselves: ask another operator or admin");
    change->cmd.cluster_id = scope_of(user);
    change->cmd.user_remove.user_id = remove->user_id;
    call_target(call, "users/%s", user->name);
}

void api_users_delete(struct call *call)
{
    struct user_change *remove = arena_alloc(&call->arena, sizeof(*remove));
    struct change *change = &remove->change;

    if (!call_path_uuid(call, &remove->user_id))
        return;
    change->what = "user";
    change->cmd.kind = COMMAND_USER_REMOVE;
    change->prepare = delete_prepare;
    change_start(call, change);
}

/* --- POST /api/v1/users --- */

static void create_prepare(struct node *node, struct call *call, struct change *change)
{
    scope_check(node, call, change->cmd.user_put.role, &change->cmd.cluster_id);
}

static void create_copy(struct node *node, struct call *call, struct change *change)
{
    struct user_change *create = CONTAINER_OF(change, struct user_change, change);
    const struct command *cmd = &change->cmd;
    (void)node;
    create->row = (struct user_row){
        .id = change->result.id,
        .cluster_id = cmd->cluster_id,
        .name = arena_strdup(&call->arena, cmd->user_put.name),
        .email = arena_strdup(&call->arena, cmd->user_put.email),
        .role = cmd->user_put.role,
        .created_at_ms = change->result.at_ms,
        .version = change->result.version,
    };
}

static void create_answer(struct call *call)
{
    const struct user_change *create = call->data;
    char id[UUID_TEXT_LEN + 1];
    call_location(call, "/api/v1/users/%s", uuid_print(&create->row.id, id));
    call_etag(call, create->row.version);
    call_reply_json(call, 201, row_json(&create->row));
}

void api_users_create(struct call *call)
{
    struct user_change *create = arena_alloc(&call->arena, sizeof(*create));
    struct change *change = &create->change;

    if (!call_check_members(call, "name, email, role, cluster_id"))
        return;
    struct slice name = name_read(call, "name", name_is_label);
    struct slice email = email_find(call);
    enum role role = role_find(call);
    if (role == ROLE_NONE)
        call_fail(call, ERR_MALFORMED, "role: missing");
    struct uuid cluster_id = scope_find(call);
    if (call->err.code != 0)
        return;
    change->what = "user";
    change->made_id = uuid_random();
    change->cmd =
        (struct command){.kind = COMMAND_USER_PUT,
                         .cluster_id = cluster_id,
                         .user_put = {.user_id = change->made_id,
                                      .name = name,
                                      .email = email.ptr != NULL ? email : slice_str(""),
                                      .role = role}};
    change->prepare = create_prepare;
    change->copy = create_copy;
    change->answer = create_answer;
    call_target(call, "users/%.*s", (int)name.len, (const char *)name.ptr);
    change_start(call, change);
}
