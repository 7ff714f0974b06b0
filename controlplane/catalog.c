/* catalog.c - the tables of clusters, topics, agents, users and tokens; the cell's own
 * are in catalog_cell.c. */
#include "controlplane/catalog.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"

void catalog_init(struct catalog *catalog)
{
    memset(catalog, 0, sizeof(*catalog));
    list_init(&catalog->clusters);
    list_init(&catalog->doomed_clusters);
    list_init(&catalog->doomed_topics);
    catalog_cell_init(&catalog->cell);
    catalog->next_serial = 1;
}

static char *dup_slice(struct slice s)
{
    char *copy = mem_alloc(s.len + 1);
    if (s.len > 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

/* The name as it stands in metrics, where '.' becomes '_'. */
static char *fold(struct slice name)
{
    char *folded = dup_slice(name);
    for (char *p = folded; *p != '\0'; p++) {
        if (*p == '.')
            *p = '_';
    }
    return folded;
}

/* ---- finding ---- */

struct cluster *catalog_cluster(const struct catalog *catalog, const struct uuid *id)
{
    struct cluster *cluster;
    HASH_FIND(hh, catalog->clusters_by_id, id, sizeof(*id), cluster);
    return cluster;
}

struct cluster *catalog_cluster_by_name(const struct catalog *catalog, struct slice name)
{
    struct cluster *cluster;
    HASH_FIND(hh_name, catalog->clusters_by_name, name.ptr, name.len, cluster);
    return cluster;
}

struct topic *catalog_topic(const struct cluster *cluster, const struct uuid *id)
{
    struct topic *topic;
    HASH_FIND(hh_id, cluster->topics_by_id, id, sizeof(*id), topic);
    return topic;
}

struct topic *catalog_topic_by_name(const struct cluster *cluster, struct slice name)
{
    struct topic *topic;
    HASH_FIND(hh_name, cluster->topics_by_name, name.ptr, name.len, topic);
    return topic;
}

struct topic *catalog_topic_colliding(const struct cluster *cluster, struct slice name)
{
    struct topic *topic;
    char *folded = fold(name);
    HASH_FIND(hh_folded, cluster->topics_by_folded, folded, name.len, topic);
    mem_free(folded);
    return topic;
}

struct agent_info *catalog_agent(const struct cluster *cluster, const struct uuid *id)
{
    struct agent_info *agent;
    HASH_FIND(hh, cluster->agents_by_id, id, sizeof(*id), agent);
    return agent;
}

struct token *catalog_token(const struct catalog *catalog, const uint8_t hash[SHA256_LEN])
{
    struct token *token;
    HASH_FIND(hh, catalog->tokens_by_hash, hash, SHA256_LEN, token);
    return token;
}

struct token *catalog_token_by_id(const struct catalog *catalog, const struct uuid *id)
{
    struct token *token;
    HASH_FIND(hh_id, catalog->tokens_by_id, id, sizeof(*id), token);
    return token;
}

struct user *catalog_user(const struct catalog *catalog, const struct uuid *id)
{
    struct user *user;
    HASH_FIND(hh, catalog->users_by_id, id, sizeof(*id), user);
    return user;
}

const struct scope *catalog_scope(const struct catalog *catalog,
                                  const struct cluster *cluster)
{
    return cluster == NULL ? &catalog->cell.scope : &cluster->scope;
}

uint64_t catalog_metadata_bytes(const struct cluster *cluster)
{
    return cluster->run_count * METADATA_RUN_BYTES +
           (uint64_t)(cluster->objects.count - cluster->objects.garbage) *
               METADATA_OBJECT_BYTES +
           cluster->producer_count * METADATA_PRODUCER_BYTES +
           cluster->partition_count * METADATA_PARTITION_BYTES +
           (uint64_t)cluster->topic_count * METADATA_TOPIC_BYTES + cluster->text_bytes +
           cluster->group_bytes;
}

/* ---- walking ---- */

/* The node behind PREV in LIST (its first for NULL), or NULL at the end. */
static struct list_node *node_after(const struct list *list, const struct list_node *prev)
{
    struct list_node *next = prev == NULL ? list->head.next : prev->next;
    return next == &list->head ? NULL : next;
}

struct cluster *catalog_cluster_next(const struct catalog *catalog,
                                     const struct cluster *cluster)
{
    struct list_node *next =
        node_after(&catalog->clusters, cluster == NULL ? NULL : &cluster->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct cluster, node);
}

struct topic *catalog_topic_next(const struct cluster *cluster, const struct topic *topic)
{
    struct list_node *next =
        node_after(&cluster->topics, topic == NULL ? NULL : &topic->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct topic, node);
}

struct agent_info *catalog_agent_next(const struct cluster *cluster,
                                      const struct agent_info *agent)
{
    struct list_node *next =
        node_after(&cluster->agents, agent == NULL ? NULL : &agent->node);
    return next == NULL ? NULL : CONTAINER_OF(next, struct agent_info, node);
}

/* ---- adding ---- */

struct cluster *catalog_add_cluster(struct catalog *catalog, const struct uuid *id,
                                    struct slice name, int64_t created_at_ms)
{
    struct cluster *cluster = mem_zalloc(sizeof(*cluster));
    cluster->cluster_id = *id;
    cluster->name = dup_slice(name);
    cluster->created_at_ms = created_at_ms;
    cluster->serial = catalog->next_serial++;
    cluster->next_node_id = 1;
    list_init(&cluster->topics);
    list_init(&cluster->agents);
    list_init(&cluster->groups);
    list_init(&cluster->objects.list);
    usage_init(&cluster->usage);
    settings_init(&cluster->settings);
    list_init(&cluster->scope.users);
    list_init(&cluster->scope.tokens);
    row_init(&cluster->row, ROW_CLUSTER);
    list_push_back(&catalog->clusters, &cluster->node);
    HASH_ADD(hh, catalog->clusters_by_id, cluster_id, sizeof(cluster->cluster_id),
             cluster);
    HASH_ADD_KEYPTR(hh_name, catalog->clusters_by_name, cluster->name, name.len, cluster);
    return cluster;
}

struct topic *catalog_add_topic(struct catalog *catalog, struct cluster *cluster,
                                const struct uuid *id, struct slice name,
                                int64_t created_at_ms)
{
    struct topic *topic = mem_zalloc(sizeof(*topic));
    topic->topic_id = *id;
    topic->name = dup_slice(name);
    topic->folded = fold(name);
    topic->created_at_ms = created_at_ms;
    topic->cluster = cluster;
    topic->purge_offset = -1;
    list_init(&topic->group_topics);
    topic->serial = catalog->next_serial++;
    row_init(&topic->row, ROW_TOPIC);
    list_push_back(&cluster->topics, &topic->node);
    cluster->topic_count++;
    HASH_ADD(hh_id, cluster->topics_by_id, topic_id, sizeof(topic->topic_id), topic);
    HASH_ADD_KEYPTR(hh_name, cluster->topics_by_name, topic->name, name.len, topic);
    HASH_ADD_KEYPTR(hh_folded, cluster->topics_by_folded, topic->folded, name.len, topic);
    return topic;
}

struct agent_info *catalog_add_agent(struct cluster *cluster, const struct uuid *id,
                                     int32_t node_id)
{
    struct agent_info *agent = mem_zalloc(sizeof(*agent));
    agent->agent_id = *id;
    agent->node_id = node_id;
    agent->state = AGENT_ACTIVE;
    agent->wanted = AGENT_ACTIVE;
    agent->cluster = cluster;
    row_init(&agent->row, ROW_AGENT);
    /* Sorted by node id, as they are loaded: an id may come back (apply_catalog.c). */
    struct list_node *behind = cluster->agents.head.prev;
    while (behind != &cluster->agents.head &&
           CONTAINER_OF(behind, struct agent_info, node)->node_id > node_id)
        behind = behind->prev;
    list_insert_before(behind->next, &agent->node);
    cluster->agent_count++;
    HASH_ADD(hh, cluster->agents_by_id, agent_id, sizeof(agent->agent_id), agent);
    return agent;
}

static struct scope *scope_of(struct catalog *catalog, struct cluster *cluster)
{
    return cluster == NULL ? &catalog->cell.scope : &cluster->scope;
}

struct token *catalog_add_token(struct catalog *catalog, struct cluster *cluster,
                                struct user *user, const struct uuid *id,
                                const uint8_t hash[SHA256_LEN], struct slice name)
{
    struct scope *scope = scope_of(catalog, cluster);
    struct token *token = mem_zalloc(sizeof(*token));
    token->token_id = *id;
    token->cluster = cluster;
    if (cluster != NULL)
        token->cluster_id = cluster->cluster_id;
    token->user = user;
    token->name = dup_slice(name);
    token->serial = catalog->next_serial++;
    memcpy(token->hash, hash, SHA256_LEN);
    row_init(&token->row, ROW_TOKEN);
    list_push_back(&scope->tokens, &token->node);
    scope->token_count++;
    list_node_init(&token->of_user);
    if (user != NULL)
        list_push_back(&user->tokens, &token->of_user);
    HASH_ADD(hh, catalog->tokens_by_hash, hash, SHA256_LEN, token);
    HASH_ADD(hh_id, catalog->tokens_by_id, token_id, sizeof(token->token_id), token);
    return token;
}

struct user *catalog_add_user(struct catalog *catalog, struct cluster *cluster,
                              const struct uuid *id)
{
    struct scope *scope = scope_of(catalog, cluster);
    struct user *user = mem_zalloc(sizeof(*user));
    user->user_id = *id;
    user->cluster = cluster;
    user->serial = catalog->next_serial++;
    list_init(&user->tokens);
    row_init(&user->row, ROW_USER);
    list_push_back(&scope->users, &user->node);
    scope->user_count++;
    HASH_ADD(hh, catalog->users_by_id, user_id, sizeof(user->user_id), user);
    return user;
}

void catalog_set_user(struct user *user, struct slice name, struct slice email)
{
    catalog_set_text(&user->name, name);
    catalog_set_text(&user->email, email);
}

void catalog_set_cluster_name(struct catalog *catalog, struct cluster *cluster,
                              struct slice name)
{
    HASH_DELETE(hh_name, catalog->clusters_by_name, cluster);
    catalog_set_text(&cluster->name, name);
    HASH_ADD_KEYPTR(hh_name, catalog->clusters_by_name, cluster->name, name.len, cluster);
}

static void free_agent_texts(struct agent_info *agent)
{
    mem_free(agent->zone);
    mem_free(agent->rack);
    mem_free(agent->host);
    mem_free(agent->http_url);
    mem_free(agent->version);
}

void catalog_set_agent(struct agent_info *agent, struct slice zone, struct slice rack,
                       struct slice host, struct slice http_url, struct slice version)
{
    free_agent_texts(agent);
    agent->zone = dup_slice(zone);
    agent->rack = dup_slice(rack);
    agent->host = dup_slice(host);
    agent->http_url = dup_slice(http_url);
    agent->version = dup_slice(version);
}

/* ---- removing ---- */

/* Take TOPIC out of everything that finds it. */
static void unhash_topic(struct topic *topic)
{
    struct cluster *cluster = topic->cluster;
    list_remove(&topic->node);
    cluster->topic_count--;
    HASH_DELETE(hh_id, cluster->topics_by_id, topic);
    HASH_DELETE(hh_name, cluster->topics_by_name, topic);
    HASH_DELETE(hh_folded, cluster->topics_by_folded, topic);
}

void catalog_count_text(struct topic *topic)
{
    size_t bytes = strlen(topic->name);
    for (size_t i = 0; i < topic->configs.count; i++)
        bytes += strlen(topic->configs.entries[i].name) +
                 strlen(topic->configs.entries[i].value);
    topic->cluster->text_bytes -= topic->text_bytes;
    topic->text_bytes = (uint32_t)bytes;
    topic->cluster->text_bytes += topic->text_bytes;
}

void catalog_doom_topic(struct catalog *catalog, struct topic *topic, uint64_t doomed)
{
    ASSERT(topic->doomed == 0 && doomed != 0);
    unhash_topic(topic);
    topic->cluster->partition_count -= (uint64_t)topic->partition_count;
    topic->cluster->text_bytes -= topic->text_bytes;
    topic->text_bytes = 0;
    topic->doomed = doomed;
    topic->cluster->doomed_topics++;
    /* By time of deletion; loading adds them by that of their creation. */
    struct list_node *behind = catalog->doomed_topics.head.prev;
    while (behind != &catalog->doomed_topics.head &&
           CONTAINER_OF(behind, struct topic, node)->doomed > doomed)
        behind = behind->prev;
    list_insert_before(behind->next, &topic->node);
}

void catalog_remove_topic(struct topic *topic)
{
    ASSERT(topic->partitions == NULL);
    if (topic->doomed == 0)
        unhash_topic(topic);
    else
        topic->cluster->doomed_topics--;
    list_remove(&topic->node);
    list_remove(&topic->row.dirty);
    topic_config_set_fini(&topic->configs);
    mem_free(topic->folded);
    mem_free(topic->name);
    mem_free(topic);
}

void catalog_remove_agent(struct agent_info *agent)
{
    struct cluster *cluster = agent->cluster;
    list_remove(&agent->node);
    list_remove(&agent->row.dirty);
    cluster->agent_count--;
    HASH_DELETE(hh, cluster->agents_by_id, agent);
    free_agent_texts(agent);
    mem_free(agent);
}

void catalog_remove_token(struct catalog *catalog, struct token *token)
{
    scope_of(catalog, token->cluster)->token_count--;
    list_remove(&token->node);
    list_remove(&token->of_user);
    list_remove(&token->row.dirty);
    HASH_DELETE(hh, catalog->tokens_by_hash, token);
    HASH_DELETE(hh_id, catalog->tokens_by_id, token);
    mem_free(token->name);
    mem_free(token);
}

void catalog_remove_user(struct catalog *catalog, struct user *user)
{
    ASSERT(list_empty(&user->tokens));
    scope_of(catalog, user->cluster)->user_count--;
    list_remove(&user->node);
    list_remove(&user->row.dirty);
    HASH_DELETE(hh, catalog->users_by_id, user);
    mem_free(user->name);
    mem_free(user->email);
    mem_free(user);
}

static void unhash_cluster(struct catalog *catalog, struct cluster *cluster)
{
    list_remove(&cluster->node);
    HASH_DELETE(hh, catalog->clusters_by_id, cluster);
    HASH_DELETE(hh_name, catalog->clusters_by_name, cluster);
}

void catalog_doom_cluster(struct catalog *catalog, struct cluster *cluster,
                          uint64_t doomed)
{
    ASSERT(cluster->doomed == 0 && doomed != 0);
    unhash_cluster(catalog, cluster);
    cluster->doomed = doomed;
    struct list_node *behind = catalog->doomed_clusters.head.prev;
    while (behind != &catalog->doomed_clusters.head &&
           CONTAINER_OF(behind, struct cluster, node)->doomed > doomed)
        behind = behind->prev;
    list_insert_before(behind->next, &cluster->node);
    HASH_ADD(hh, catalog->doomed_by_id, cluster_id, sizeof(cluster->cluster_id), cluster);
}

struct cluster *catalog_doomed_cluster(const struct catalog *catalog,
                                       const struct uuid *id)
{
    struct cluster *cluster;
    HASH_FIND(hh, catalog->doomed_by_id, id, sizeof(*id), cluster);
    return cluster;
}

void catalog_remove_cluster(struct catalog *catalog, struct cluster *cluster)
{
    ASSERT(cluster->topic_count == 0 && cluster->doomed_topics == 0 &&
           cluster->agent_count == 0 && cluster->group_count == 0 &&
           cluster->scope.user_count == 0 && cluster->scope.token_count == 0);
    if (cluster->doomed == 0)
        unhash_cluster(catalog, cluster);
    else
        HASH_DELETE(hh, catalog->doomed_by_id, cluster);
    list_remove(&cluster->node);
    list_remove(&cluster->row.dirty);
    mem_free(cluster->name);
    mem_free(cluster);
}
