/* apply_cell.c - the cell itself: its founding, nodes, CAs, feature level, backups.
 *
 * What is secret arrives sealed under the cell key and is only kept. The lists are short
 * and bounded. */
#include <string.h>

#include "common/err.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

#define NODES_MAX   64
#define CAS_MAX     8
#define BACKUPS_MAX 100

static void nodes_changed(struct state *state)
{
    if (state->events.on_nodes != NULL)
        state->events.on_nodes(state->events.arg);
}

static void cell_changed(struct state *state)
{
    if (state->events.on_cell != NULL)
        state->events.on_cell(state->events.arg);
}

/* ---- nodes ---- */

/* The node that FIELDS speaks of, or NULL. */
static struct cell_node *find_node(const struct cell *cell,
                                   const struct node_fields *fields)
{
    if (fields->node_id != 0)
        return catalog_node(cell, fields->node_id);
    return catalog_node_of_instance(cell, &fields->instance);
}

static struct cell_node *add_node(struct state *state, const struct command *cmd)
{
    struct cell *cell = &state->catalog.cell;
    apply_touch(state, &cell->row); /* next_node_id */
    struct cell_node *node = catalog_add_node(cell, cell->next_node_id);
    node->added_at_ms = cmd->now_ms;
    return node;
}

static bool node_unchanged(const struct cell_node *node, const struct node_fields *fields)
{
    return uuid_eq(&node->instance, &fields->instance) &&
           slice_eq_str(fields->name, node->name) &&
           slice_eq_str(fields->peer_address, node->peer_address) &&
           slice_eq_str(fields->people_url, node->people_url) &&
           slice_eq_str(fields->agents_url, node->agents_url) &&
           slice_eq_str(fields->version, node->version) &&
           node->features_max == fields->features_max && node->wanted == fields->wanted;
}

static void put_node(struct state *state, struct cell_node *node,
                     const struct node_fields *fields, struct command_result *result)
{
    if (node->name == NULL || !node_unchanged(node, fields)) {
        apply_touch(state, &node->row);
        catalog_set_node(node, fields);
        node->etag = state->applied_index;
        nodes_changed(state);
    }
    result->value = (int64_t)node->node_id;
    result->version = node->etag;
}

void apply_node_put(struct state *state, const struct command *cmd,
                    struct command_result *result)
{
    const struct node_fields *fields = &cmd->node_put;
    struct cell *cell = &state->catalog.cell;
    struct cell_node *node = find_node(cell, fields);

    if (node == NULL && fields->node_id != 0) {
        result->code = ERR_NOT_FOUND; /* ids are given here, and never a second time */
        return;
    }
    if (node != NULL && apply_stale(cmd, node->etag, result))
        return;
    /* A program that does not know the cell's level would not understand its log. */
    if (fields->features_max < cell->feature_level) {
        str_printf(&state->message,
                   "the cell is at feature level %u, the node's program knows %u: start "
                   "a newer one",
                   cell->feature_level, fields->features_max);
        apply_refuse(state, ERR_CONFLICT, result);
        return;
    }
    if (node == NULL && cell->node_count >= NODES_MAX) {
        result->code = ERR_OVERLOADED;
        return;
    }
    if (node == NULL)
        node = add_node(state, cmd);
    put_node(state, node, fields, result);
}

void apply_node_remove(struct state *state, const struct command *cmd,
                       struct command_result *result)
{
    struct cell *cell = &state->catalog.cell;
    struct cell_node *node = catalog_node(cell, cmd->node_remove.node_id);

    if (node == NULL) {
        result->code = ERR_NOT_FOUND;
        return;
    }
    if (apply_stale(cmd, node->etag, result))
        return;
    if (cell->node_count == 1) {
        str_puts(&state->message, "it is the cell's last node");
        apply_refuse(state, ERR_CONFLICT, result);
        return;
    }
    apply_forget(state, &node->row);
    checkpoint_delete_node(node, &state->deletes);
    catalog_remove_node(cell, node);
    nodes_changed(state);
}

/* ---- the founding ---- */

static struct cell_ca *add_ca(struct state *state, const struct command *cmd,
                              const struct ca_fields *fields)
{
    struct cell_ca *ca =
        catalog_add_ca(&state->catalog.cell, fields, state->catalog.next_serial++);
    apply_touch(state, &ca->row);
    ca->added_at_ms = cmd->now_ms;
    return ca;
}

static void add_first_token(struct state *state, const struct command *cmd)
{
    struct token *token =
        catalog_add_token(&state->catalog, NULL, NULL, &cmd->cell_init.token_id,
                          cmd->cell_init.token_hash, SLICE_LITERAL("first operator"));
    apply_touch(state, &token->row);
    token->token_kind = TOKEN_API;
    token->role = ROLE_OPERATOR;
    token->created_at_ms = cmd->now_ms;
    token->etag = state->applied_index;
}

void apply_cell_init(struct state *state, const struct command *cmd,
                     struct command_result *result)
{
    struct cell *cell = &state->catalog.cell;
    struct cell_node *node = find_node(cell, &cmd->cell_init.node);

    if (cell->founded) {
        if (catalog_ca(cell, &cmd->cell_init.ca.ca_id) == NULL || node == NULL) {
            result->code = ERR_EXISTS;
            return;
        }
        result->value = (int64_t)node->node_id; /* a repeat */
        result->version = node->etag;
        return;
    }
    apply_touch(state, &cell->row);
    cell->founded = true;
    cell->founded_at_ms = cmd->now_ms;
    cell->etag = state->applied_index;
    catalog_set_cell(cell, cmd->cell_init.name, cmd->cell_init.sealed_token_secret);
    add_ca(state, cmd, &cmd->cell_init.ca);
    if (catalog_token(&state->catalog, cmd->cell_init.token_hash) == NULL &&
        catalog_token_by_id(&state->catalog, &cmd->cell_init.token_id) == NULL)
        add_first_token(state, cmd);
    if (node == NULL)
        node = add_node(state, cmd);
    put_node(state, node, &cmd->cell_init.node, result);
    cell_changed(state);
}

/* ---- CAs ---- */

void apply_ca_add(struct state *state, const struct command *cmd,
                  struct command_result *result)
{
    struct cell *cell = &state->catalog.cell;
    struct cell_ca *same = catalog_ca(cell, &cmd->ca_add.ca_id);

    result->version = state->applied_index;
    if (!cell->founded)
        result->code = ERR_CONFLICT;
    else if (same != NULL)
        result->code =
            slice_eq_str(cmd->ca_add.certificate, same->certificate) ? 0 : ERR_EXISTS;
    else if (cell->ca_count >= CAS_MAX)
        result->code = ERR_OVERLOADED;
    if (result->code != 0 || same != NULL)
        return;
    add_ca(state, cmd, &cmd->ca_add);
    cell_changed(state);
}

void apply_ca_remove(struct state *state, const struct command *cmd,
                     struct command_result *result)
{
    struct cell *cell = &state->catalog.cell;
    struct cell_ca *ca = catalog_ca(cell, &cmd->ca_remove.ca_id);

    if (ca == NULL) {
        result->code = ERR_NOT_FOUND;
        return;
    }
    if (&ca->node == cell->cas.head.prev) {
        str_puts(&state->message, "it is the CA that signs now: add another one first");
        apply_refuse(state, ERR_CONFLICT, result);
        return;
    }
    apply_forget(state, &ca->row);
    checkpoint_delete_ca(ca, &state->deletes);
    catalog_remove_ca(cell, ca);
    cell_changed(state);
}

/* ---- the rest ---- */

/* The first node whose program does not know LEVEL, or NULL. */
static const struct cell_node *node_behind(const struct cell *cell, uint32_t level)
{
    LIST_FOREACH(node, next, &cell->nodes)
    {
        const struct cell_node *found = CONTAINER_OF(node, struct cell_node, node);
        if (found->features_max < level)
            return found;
    }
    return NULL;
}

void apply_feature_level(struct state *state, const struct command *cmd,
                         struct command_result *result)
{
    struct cell *cell = &state->catalog.cell;
    uint32_t level = cmd->feature_level.level;
    const struct cell_node *behind = node_behind(cell, level);

    result->value = cell->feature_level;
    result->version = cell->etag;
    if (level == cell->feature_level || apply_stale(cmd, cell->etag, result))
        return;
    if (level < cell->feature_level)
        str_printf(&state->message, "the level is %u and never falls",
                   cell->feature_level);
    else if (behind != NULL)
        str_printf(&state->message,
                   "node %llu (%s) runs a program that knows level %u: upgrade or remove "
                   "it first",
                   (unsigned long long)behind->node_id, behind->version,
                   behind->features_max);
    if (state->message.len > 0) {
        apply_refuse(state, ERR_CONFLICT, result);
        return;
    }
    apply_touch(state, &cell->row);
    cell->feature_level = level;
    cell->etag = state->applied_index;
    result->value = level;
    result->version = cell->etag;
    cell_changed(state);
}

void apply_backup_record(struct state *state, const struct command *cmd,
                         struct command_result *result)
{
    struct cell *cell = &state->catalog.cell;

    result->id = cmd->backup_record.backup_id;
    if (catalog_backup(cell, &cmd->backup_record.backup_id) != NULL)
        return; /* a repeat */
    if (cell->backup_count >= BACKUPS_MAX) {
        struct backup_info *oldest =
            CONTAINER_OF(list_first(&cell->backups), struct backup_info, node);
        apply_forget(state, &oldest->row);
        checkpoint_delete_backup(oldest, &state->deletes);
        catalog_remove_backup(cell, oldest);
    }
    struct backup_info *backup =
        catalog_add_backup(cell, &cmd->backup_record.backup_id, cmd->backup_record.place,
                           state->catalog.next_serial++);
    apply_touch(state, &backup->row);
    backup->applied_index = cmd->backup_record.applied_index;
    backup->size_bytes = cmd->backup_record.size_bytes;
    backup->taken_at_ms = cmd->backup_record.taken_at_ms;
    backup->recorded_at_ms = cmd->now_ms;
    memcpy(backup->sha256, cmd->backup_record.sha256, SHA256_LEN);
}
