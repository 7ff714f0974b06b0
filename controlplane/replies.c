/* replies.c - see replies.h. */
#include "controlplane/replies.h"

#include <string.h>

#include "common/mem.h"

void replies_init(struct replies *replies)
{
    memset(replies, 0, sizeof(*replies));
    list_init(&replies->list);
}

void replies_fini(struct replies *replies)
{
    struct reply *reply;
    while ((reply = replies_oldest(replies)) != NULL)
        replies_remove(replies, reply);
}

struct reply *replies_find(const struct replies *replies, const struct reply_id *id)
{
    struct reply *reply;
    HASH_FIND(hh, replies->by_id, id, sizeof(*id), reply);
    return reply;
}

struct reply *replies_add(struct replies *replies, const struct reply_id *id,
                          uint64_t serial, struct slice result)
{
    struct reply *reply = mem_zalloc(sizeof(*reply) + result.len);

    reply->id = *id;
    reply->serial = serial;
    reply->len = (uint32_t)result.len;
    if (result.len > 0)
        memcpy(reply->result, result.ptr, result.len);
    row_init(&reply->row, ROW_REPLY);
    list_push_back(&replies->list, &reply->node);
    replies->count++;
    HASH_ADD(hh, replies->by_id, id, sizeof(reply->id), reply);
    return reply;
}

struct reply *replies_oldest(const struct replies *replies)
{
    struct list_node *node = list_first(&replies->list);
    return node == NULL ? NULL : CONTAINER_OF(node, struct reply, node);
}

void replies_remove(struct replies *replies, struct reply *reply)
{
    HASH_DELETE(hh, replies->by_id, reply);
    list_remove(&reply->node);
    list_remove(&reply->row.dirty);
    replies->count--;
    mem_free(reply);
}
