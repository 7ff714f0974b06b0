/* replies.c - see replies.h. */
#include "controlplane/replies.h"

#include <string.h>

#include "common/mem.h"

void replies_init(struct replies *replies)
{
    memset(replies, 0, sizeof(*replies));
    list_init(&replies->list);
    list_init(&replies->big);
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

static struct reply_log *find_log(const struct replies *replies,
                                  const struct uuid *cluster_id)
{
    struct reply_log *log;
    HASH_FIND(hh, replies->logs, cluster_id, sizeof(*cluster_id), log);
    return log;
}

static struct reply_log *make_log(struct replies *replies, const struct uuid *cluster_id)
{
    struct reply_log *log = find_log(replies, cluster_id);

    if (log != NULL)
        return log;
    log = mem_zalloc(sizeof(*log));
    log->cluster_id = *cluster_id;
    list_init(&log->list);
    list_node_init(&log->big);
    HASH_ADD(hh, replies->logs, cluster_id, sizeof(log->cluster_id), log);
    return log;
}

struct reply *replies_add(struct replies *replies, const struct uuid *cluster_id,
                          const struct reply_id *id, uint64_t serial, struct slice result)
{
    struct reply_log *log = make_log(replies, cluster_id);
    struct reply *reply = mem_zalloc(sizeof(*reply) + result.len);

    reply->id = *id;
    reply->serial = serial;
    reply->len = (uint32_t)result.len;
    if (result.len > 0)
        memcpy(reply->result, result.ptr, result.len);
    row_init(&reply->row, ROW_REPLY);
    list_push_back(&replies->list, &reply->node);
    replies->count++;
    reply->log = log;
    list_push_back(&log->list, &reply->of_log);
    if (++log->count == REPLIES_FAIR + 1)
        list_push_back(&replies->big, &log->big);
    HASH_ADD(hh, replies->by_id, id, sizeof(reply->id), reply);
    return reply;
}

struct reply *replies_oldest(const struct replies *replies)
{
    struct list_node *node = list_first(&replies->list);
    return node == NULL ? NULL : CONTAINER_OF(node, struct reply, node);
}

static struct reply *oldest_of(const struct reply_log *log)
{
    return CONTAINER_OF(list_first(&log->list), struct reply, of_log);
}

/* Whether A loses one before B does: the same on all nodes, in whatever order they have
 * their logs. */
static bool goes_first(const struct reply_log *a, const struct reply_log *b)
{
    if (a->count != b->count)
        return a->count > b->count;
    return oldest_of(a)->serial < oldest_of(b)->serial;
}

struct reply *replies_excess(const struct replies *replies, const struct uuid *cluster_id)
{
    const struct reply_log *own = find_log(replies, cluster_id), *most = NULL;

    if (own != NULL && own->count >= REPLIES_CLUSTER_MAX)
        return oldest_of(own);
    if (replies->count < REPLIES_MAX)
        return NULL;
    LIST_FOREACH(node, next, &replies->big)
    {
        const struct reply_log *log = CONTAINER_OF(node, struct reply_log, big);
        if (most == NULL || goes_first(log, most))
            most = log;
    }
    return most == NULL ? replies_oldest(replies) : oldest_of(most);
}

void replies_remove(struct replies *replies, struct reply *reply)
{
    struct reply_log *log = reply->log;

    list_remove(&reply->of_log);
    if (log->count-- == REPLIES_FAIR + 1)
        list_remove(&log->big);
    if (log->count == 0) {
        HASH_DELETE(hh, replies->logs, log);
        mem_free(log);
    }
    HASH_DELETE(hh, replies->by_id, reply);
    list_remove(&reply->node);
    list_remove(&reply->row.dirty);
    replies->count--;
    mem_free(reply);
}
