/* node_certificates.c - see node_certificates.h. Latest last. */
#include "controlplane/node_certificates.h"

#include <stdio.h>
#include <string.h>

static void drop(struct node_certificates *all, size_t at)
{
    all->count--;
    memmove(&all->items[at], &all->items[at + 1],
            (all->count - at) * sizeof(all->items[0]));
}

void node_certificates_set(struct node_certificates *all, uint64_t node_id,
                           int64_t not_after_ms, const char *authority)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].node_id == node_id) {
            drop(all, i);
            break;
        }
    }
    if (all->count == NODE_CERTIFICATES_MAX)
        drop(all, 0);
    struct node_certificate *item = &all->items[all->count++];
    *item = (struct node_certificate){.node_id = node_id, .not_after_ms = not_after_ms};
    snprintf(item->authority, sizeof(item->authority), "%s", authority);
}

const struct node_certificate *node_certificates_find(const struct node_certificates *all,
                                                      uint64_t node_id)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->items[i].node_id == node_id)
            return &all->items[i];
    }
    return NULL;
}
