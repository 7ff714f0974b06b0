/* sessions.c - leases in a table and in a list by last touch: all have the same timeout,
 * so the list is in order of expiry, and a touch is a move to its end. */
#include "controlplane/sessions.h"

#include <stdio.h>
#include <string.h>

/* The default function falls through in a way that clang does not take for meant. */
#define HASH_FUNCTION HASH_OAT
#include <uthash.h>

#include "common/list.h"
#include "common/mem.h"

struct session_key {
    struct uuid cluster_id, agent_id;
};

struct session {
    struct session_key key;
    int64_t expires_at_ms;
    int64_t reported_at_ms;
    bool reported;
    struct session_load load;
    char authority[X509_KEY_ID_LEN + 1];
    struct list_node node;
    UT_hash_handle hh;
};

struct sessions {
    int64_t timeout_ms;
    int64_t crowded_until_ms;
    struct session *table;
    struct list by_expiry;
};

struct sessions *sessions_new(int64_t timeout_ms)
{
    struct sessions *sessions = mem_zalloc(sizeof(*sessions));
    sessions->timeout_ms = timeout_ms;
    list_init(&sessions->by_expiry);
    return sessions;
}

void sessions_free(struct sessions *sessions)
{
    if (sessions == NULL)
        return;
    sessions_clear(sessions);
    mem_free(sessions);
}

static struct session *find(const struct sessions *sessions,
                            const struct uuid *cluster_id, const struct uuid *agent_id)
{
    struct session_key key = {*cluster_id, *agent_id};
    struct session *session;
    HASH_FIND(hh, sessions->table, &key, sizeof(key), session);
    return session;
}

static void drop(struct sessions *sessions, struct session *session)
{
    HASH_DEL(sessions->table, session);
    list_remove(&session->node);
    mem_free(session);
}

void sessions_touch(struct sessions *sessions, const struct uuid *cluster_id,
                    const struct uuid *agent_id, int64_t now_ms)
{
    struct session *session = find(sessions, cluster_id, agent_id);
    if (session == NULL) {
        session = mem_zalloc(sizeof(*session));
        session->key = (struct session_key){*cluster_id, *agent_id};
        list_node_init(&session->node);
        HASH_ADD(hh, sessions->table, key, sizeof(session->key), session);
    }
    session->expires_at_ms = now_ms + sessions->timeout_ms;
    list_remove(&session->node);
    list_push_back(&sessions->by_expiry, &session->node);
}

void sessions_set_load(struct sessions *sessions, const struct uuid *cluster_id,
                       const struct uuid *agent_id, const struct session_load *load)
{
    struct session *session = find(sessions, cluster_id, agent_id);
    if (session != NULL)
        session->load = *load;
}

void sessions_set_authority(struct sessions *sessions, const struct uuid *cluster_id,
                            const struct uuid *agent_id, const char *authority)
{
    struct session *session = find(sessions, cluster_id, agent_id);
    if (session != NULL && strcmp(session->authority, authority) != 0)
        snprintf(session->authority, sizeof(session->authority), "%s", authority);
}

const char *sessions_authority(const struct sessions *sessions,
                               const struct uuid *cluster_id, const struct uuid *agent_id)
{
    const struct session *session = find(sessions, cluster_id, agent_id);
    return session == NULL ? "" : session->authority;
}

bool sessions_seen(const struct sessions *sessions, const struct uuid *cluster_id,
                   const struct uuid *agent_id, int64_t *at_ms, struct session_load *load)
{
    const struct session *session = find(sessions, cluster_id, agent_id);
    if (session == NULL)
        return false;
    *at_ms = session->expires_at_ms - sessions->timeout_ms;
    *load = session->load;
    return true;
}

const struct session_load *sessions_load(const struct sessions *sessions,
                                         const struct uuid *cluster_id,
                                         const struct uuid *agent_id)
{
    const struct session *session = find(sessions, cluster_id, agent_id);
    return session == NULL ? NULL : &session->load;
}

bool sessions_take_report(struct sessions *sessions, const struct uuid *cluster_id,
                          const struct uuid *agent_id, int64_t now_ms,
                          int64_t interval_ms)
{
    struct session *session = find(sessions, cluster_id, agent_id);
    if (session == NULL ||
        (session->reported && now_ms - session->reported_at_ms < interval_ms))
        return false;
    session->reported = true;
    session->reported_at_ms = now_ms;
    return true;
}

void sessions_forget(struct sessions *sessions, const struct uuid *cluster_id,
                     const struct uuid *agent_id)
{
    struct session *session = find(sessions, cluster_id, agent_id);
    if (session != NULL)
        drop(sessions, session);
}

void sessions_clear(struct sessions *sessions)
{
    struct list_node *node;
    while ((node = list_first(&sessions->by_expiry)) != NULL)
        drop(sessions, CONTAINER_OF(node, struct session, node));
}

void sessions_crowded(struct sessions *sessions, int64_t now_ms)
{
    sessions->crowded_until_ms = now_ms + 2 * sessions->timeout_ms;
}

bool sessions_take_expired(struct sessions *sessions, int64_t now_ms,
                           struct uuid *cluster_id, struct uuid *agent_id)
{
    struct list_node *node = list_first(&sessions->by_expiry);
    if (node == NULL)
        return false;
    struct session *session = CONTAINER_OF(node, struct session, node);
    int64_t more_ms = now_ms < sessions->crowded_until_ms
                          ? (SESSIONS_PATIENCE - 1) * sessions->timeout_ms
                          : 0;
    if (session->expires_at_ms + more_ms > now_ms)
        return false;
    *cluster_id = session->key.cluster_id;
    *agent_id = session->key.agent_id;
    drop(sessions, session);
    return true;
}

bool sessions_has(const struct sessions *sessions, const struct uuid *cluster_id,
                  const struct uuid *agent_id)
{
    return find(sessions, cluster_id, agent_id) != NULL;
}

size_t sessions_count(const struct sessions *sessions)
{
    return HASH_COUNT(sessions->table);
}
