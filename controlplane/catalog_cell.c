/* catalog_cell.c - the cell's own tables: nodes, CAs, backups. They are short lists. */
#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/catalog.h"

void catalog_cell_init(struct cell *cell)
{
    memset(cell, 0, sizeof(*cell));
    cell->feature_level = 1;
    cell->next_node_id = 1;
    list_init(&cell->nodes);
    list_init(&cell->cas);
    list_init(&cell->backups);
    list_init(&cell->scope.users);
    list_init(&cell->scope.tokens);
    row_init(&cell->row, ROW_CELL);
    catalog_set_text(&cell->name, SLICE_NULL);
}

void catalog_cell_fini(struct cell *cell)
{
    struct list_node *node;

    while ((node = list_first(&cell->nodes)) != NULL)
        catalog_remove_node(cell, CONTAINER_OF(node, struct cell_node, node));
    while ((node = list_first(&cell->cas)) != NULL)
        catalog_remove_ca(cell, CONTAINER_OF(node, struct cell_ca, node));
    while ((node = list_first(&cell->backups)) != NULL)
        catalog_remove_backup(cell, CONTAINER_OF(node, struct backup_info, node));
    ASSERT(cell->scope.user_count == 0 && cell->scope.token_count == 0);
    mem_free(cell->name);
    mem_free(cell->sealed_token_secret);
}

void catalog_set_text(char **field, struct slice text)
{
    char *copy = mem_alloc(text.len + 1);
    if (text.len > 0)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    mem_free(*field);
    *field = copy;
}

void catalog_set_cell(struct cell *cell, struct slice name, struct slice token_secret)
{
    catalog_set_text(&cell->name, name);
    mem_free(cell->sealed_token_secret);
    cell->sealed_token_secret = mem_dup(token_secret.ptr, token_secret.len);
    cell->sealed_token_secret_len = (uint32_t)token_secret.len;
}

/* ---- nodes ---- */

struct cell_node *catalog_node(const struct cell *cell, uint64_t node_id)
{
    LIST_FOREACH(node, next, &cell->nodes)
    {
        struct cell_node *found = CONTAINER_OF(node, struct cell_node, node);
        if (found->node_id == node_id)
            return found;
    }
    return NULL;
}

struct cell_node *catalog_node_of_instance(const struct cell *cell,
                                           const struct uuid *instance)
{
    LIST_FOREACH(node, next, &cell->nodes)
    {
        struct cell_node *found = CONTAINER_OF(node, struct cell_node, node);
        if (!uuid_is_zero(instance) && uuid_eq(&found->instance, instance))
            return found;
    }
    return NULL;
}

struct cell_node *catalog_add_node(struct cell *cell, uint64_t node_id)
{
    struct cell_node *added = mem_zalloc(sizeof(*added));

    added->node_id = node_id;
    row_init(&added->row, ROW_NODE);
    struct list_node *behind = cell->nodes.head.prev;
    while (behind != &cell->nodes.head &&
           CONTAINER_OF(behind, struct cell_node, node)->node_id > node_id)
        behind = behind->prev;
    list_insert_before(behind->next, &added->node);
    cell->node_count++;
    cell->next_node_id = MAX(cell->next_node_id, node_id + 1);
    return added;
}

void catalog_set_node(struct cell_node *node, const struct node_fields *fields)
{
    node->instance = fields->instance;
    catalog_set_text(&node->name, fields->name);
    catalog_set_text(&node->peer_address, fields->peer_address);
    catalog_set_text(&node->people_url, fields->people_url);
    catalog_set_text(&node->agents_url, fields->agents_url);
    catalog_set_text(&node->version, fields->version);
    node->features_max = fields->features_max;
    node->wanted = fields->wanted;
}

void catalog_remove_node(struct cell *cell, struct cell_node *node)
{
    list_remove(&node->node);
    list_remove(&node->row.dirty);
    cell->node_count--;
    mem_free(node->name);
    mem_free(node->peer_address);
    mem_free(node->people_url);
    mem_free(node->agents_url);
    mem_free(node->version);
    mem_free(node);
}

/* ---- CAs ---- */

struct cell_ca *catalog_ca(const struct cell *cell, const struct uuid *ca_id)
{
    LIST_FOREACH(node, next, &cell->cas)
    {
        struct cell_ca *found = CONTAINER_OF(node, struct cell_ca, node);
        if (uuid_eq(&found->ca_id, ca_id))
            return found;
    }
    return NULL;
}

struct cell_ca *catalog_add_ca(struct cell *cell, const struct ca_fields *fields,
                               uint64_t serial)
{
    struct cell_ca *ca = mem_zalloc(sizeof(*ca));

    ca->ca_id = fields->ca_id;
    ca->serial = serial;
    catalog_set_text(&ca->certificate, fields->certificate);
    catalog_set_text(&ca->cross, fields->cross);
    ca->sealed_key = mem_dup(fields->sealed_key.ptr, fields->sealed_key.len);
    ca->sealed_key_len = (uint32_t)fields->sealed_key.len;
    row_init(&ca->row, ROW_CA);
    list_push_back(&cell->cas, &ca->node);
    cell->ca_count++;
    return ca;
}

void catalog_remove_ca(struct cell *cell, struct cell_ca *ca)
{
    list_remove(&ca->node);
    list_remove(&ca->row.dirty);
    cell->ca_count--;
    mem_free(ca->certificate);
    mem_free(ca->cross);
    mem_free(ca->sealed_key);
    mem_free(ca);
}

/* ---- backups ---- */

struct backup_info *catalog_backup(const struct cell *cell, const struct uuid *id)
{
    LIST_FOREACH(node, next, &cell->backups)
    {
        struct backup_info *found = CONTAINER_OF(node, struct backup_info, node);
        if (uuid_eq(&found->backup_id, id))
            return found;
    }
    return NULL;
}

struct backup_info *catalog_add_backup(struct cell *cell, const struct uuid *id,
                                       struct slice place, uint64_t serial)
{
    struct backup_info *backup = mem_zalloc(sizeof(*backup));

    backup->backup_id = *id;
    backup->serial = serial;
    catalog_set_text(&backup->place, place);
    row_init(&backup->row, ROW_BACKUP);
    list_push_back(&cell->backups, &backup->node);
    cell->backup_count++;
    return backup;
}

void catalog_remove_backup(struct cell *cell, struct backup_info *backup)
{
    list_remove(&backup->node);
    list_remove(&backup->row.dirty);
    cell->backup_count--;
    mem_free(backup->place);
    mem_free(backup);
}
