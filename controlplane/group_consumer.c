/* group_consumer.c - what a consumer group and its members are made of: subscriptions,
 * owners of partitions, target assignments; kept in order, counted, stored. What happens
 * with them is apply_consumer.c's and group_reconcile.c's. */
#include "controlplane/group_consumer.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/group_reconcile.h"

/* A name that members subscribe to. */
struct consumer_name {
    struct slice name;
    uint32_t members;
    UT_hash_handle hh;
};

/* Who owns the partitions of a topic. */
struct consumer_owner {
    struct uuid topic_id;
    struct group_member **members; /* by partition; NULL: nobody */
    uint32_t count;                /* of `members` */
    uint32_t owned;                /* of those that are not NULL */
    UT_hash_handle hh;
};

/* ---- life ---- */

void consumer_group_new(struct group *group)
{
    ASSERT(group->consumer == NULL);
    group->consumer = mem_zalloc(sizeof(*group->consumer));
    list_init(&group->consumer->regexes);
}

static void free_regex(struct consumer_group *consumer, struct consumer_regex *regex)
{
    list_remove(&regex->node);
    consumer->regex_count--;
    group_set_text(&regex->pattern, SLICE_NULL);
    mem_free(regex->topics);
    mem_free(regex);
}

void consumer_group_free(struct group *group)
{
    struct consumer_group *consumer = group->consumer;
    struct list_node *node;

    if (consumer == NULL)
        return;
    ASSERT(consumer->names == NULL && consumer->owners == NULL);
    while ((node = list_first(&consumer->regexes)) != NULL)
        free_regex(consumer, CONTAINER_OF(node, struct consumer_regex, node));
    mem_free(consumer);
    group->consumer = NULL;
}

void consumer_member_new(struct group_member *member)
{
    ASSERT(member->consumer == NULL);
    member->consumer = mem_zalloc(sizeof(*member->consumer));
    member->consumer->state = CONSUMER_STABLE;
}

void consumer_member_free(struct group_member *member)
{
    struct consumer_member *consumer = member->consumer;
    struct partition_set none = {0};

    if (consumer == NULL)
        return;
    consumer_set_names(member, SLICE_NULL, 0);
    consumer_set_regex(member, SLICE_NULL);
    consumer_set_classic(member, false);
    consumer_set_partitions(member, &none, &none);
    partition_set_fini(&consumer->target);
    group_set_text(&consumer->rack, SLICE_NULL);
    group_set_text(&consumer->assignor, SLICE_NULL);
    group_count_bytes(member->group, -(int64_t)consumer->bytes);
    mem_free(consumer);
    member->consumer = NULL;
}

void consumer_count_member(struct group_member *member)
{
    struct consumer_member *consumer = member->consumer;
    uint64_t bytes = consumer->names.len + consumer->regex.len + consumer->rack.len +
                     consumer->assignor.len +
                     METADATA_ASSIGNED_BYTES * partition_set_count(&consumer->target);
    group_count_bytes(member->group, (int64_t)(bytes - consumer->bytes));
    consumer->bytes = bytes;
}

void consumer_set_classic(struct group_member *member, bool classic)
{
    if (member->consumer->classic == classic)
        return;
    member->consumer->classic = classic;
    if (classic)
        member->group->consumer->classic_count++;
    else
        member->group->consumer->classic_count--;
}

/* ---- subscriptions ---- */

bool consumer_member_name(struct reader *walk, struct slice *name)
{
    if (reader_left(walk) == 0)
        return false;
    *name = reader_bytes(walk, reader_uvarint(walk));
    return !walk->failed;
}

static void count_names(struct consumer_group *consumer, struct slice packed, bool more)
{
    struct consumer_name *entry;
    struct reader walk;
    struct slice name;

    reader_init(&walk, packed);
    while (consumer_member_name(&walk, &name)) {
        HASH_FIND(hh, consumer->names, name.ptr, name.len, entry);
        if (entry == NULL && more) {
            entry = mem_zalloc(sizeof(*entry));
            group_set_text(&entry->name, name);
            HASH_ADD_KEYPTR(hh, consumer->names, entry->name.ptr, entry->name.len, entry);
        }
        ASSERT(entry != NULL);
        entry->members += more ? 1 : UINT32_MAX;
        if (entry->members == 0) {
            HASH_DELETE(hh, consumer->names, entry);
            group_set_text(&entry->name, SLICE_NULL);
            mem_free(entry);
        }
    }
}

void consumer_set_names(struct group_member *member, struct slice packed, uint32_t count)
{
    struct consumer_member *consumer = member->consumer;

    /* The new ones first, so that those that stay are not made again. */
    count_names(member->group->consumer, packed, true);
    count_names(member->group->consumer, consumer->names, false);
    group_set_text(&consumer->names, packed);
    consumer->name_count = count;
}

struct consumer_regex *consumer_group_regex(const struct group *group,
                                            struct slice pattern)
{
    LIST_FOREACH(node, next, &group->consumer->regexes)
    {
        struct consumer_regex *regex = CONTAINER_OF(node, struct consumer_regex, node);
        if (slice_eq(regex->pattern, pattern))
            return regex;
    }
    return NULL;
}

/* In the order of patterns: that of the members that came with them is not stored. */
static struct consumer_regex *need_regex(struct group *group, struct slice pattern)
{
    struct consumer_regex *regex = consumer_group_regex(group, pattern);
    struct list_node *place = &group->consumer->regexes.head;

    if (regex != NULL)
        return regex;
    LIST_FOREACH(node, next, &group->consumer->regexes)
    {
        if (slice_cmp(CONTAINER_OF(node, struct consumer_regex, node)->pattern, pattern) >
            0) {
            place = node;
            break;
        }
    }
    regex = mem_zalloc(sizeof(*regex));
    group_set_text(&regex->pattern, pattern);
    list_insert_before(place, &regex->node);
    group->consumer->regex_count++;
    return regex;
}

void consumer_set_regex(struct group_member *member, struct slice pattern)
{
    struct consumer_member *consumer = member->consumer;
    struct group *group = member->group;

    if (pattern.len == 0)
        pattern = SLICE_NULL;
    if (pattern.len > 0)
        need_regex(group, pattern)->members++;
    if (consumer->regex.len > 0) {
        struct consumer_regex *old = consumer_group_regex(group, consumer->regex);
        if (--old->members == 0)
            free_regex(group->consumer, old);
    }
    group_set_text(&consumer->regex, pattern);
}

void consumer_resolve_regex(struct group *group, struct slice pattern,
                            const struct uuid *topics, uint32_t count, uint64_t version)
{
    struct consumer_regex *regex = consumer_group_regex(group, pattern);

    if (regex == NULL)
        return;
    mem_free(regex->topics);
    regex->topics = count == 0 ? NULL : mem_dup(topics, count * sizeof(*topics));
    regex->topic_count = count;
    regex->topics_version = version;
}

static bool regex_has(const struct consumer_regex *regex, const struct uuid *topic_id)
{
    uint32_t low = 0, high = regex->topic_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (uuid_cmp(&regex->topics[middle], topic_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < regex->topic_count && uuid_eq(&regex->topics[low], topic_id);
}

bool consumer_member_subscribes(const struct group_member *member,
                                const struct topic *topic)
{
    struct slice name;
    struct reader walk;

    reader_init(&walk, member->consumer->names);
    while (consumer_member_name(&walk, &name)) {
        if (slice_eq_str(name, topic->name))
            return true;
    }
    return member->consumer->regex.len > 0 &&
           regex_has(consumer_group_regex(member->group, member->consumer->regex),
                     &topic->topic_id);
}

bool consumer_group_subscribed(const struct group *group, const struct topic *topic)
{
    struct consumer_name *entry;
    size_t len = strlen(topic->name);

    if (group == NULL || group->consumer == NULL)
        return false;
    HASH_FIND(hh, group->consumer->names, topic->name, len, entry);
    if (entry != NULL)
        return true;
    LIST_FOREACH(node, next, &group->consumer->regexes)
    {
        if (regex_has(CONTAINER_OF(node, struct consumer_regex, node), &topic->topic_id))
            return true;
    }
    return false;
}

bool consumer_group_next_name(const struct group *group, const void **walk,
                              struct slice *name)
{
    const struct consumer_name *entry = *walk;

    entry = entry == NULL ? group->consumer->names : entry->hh.next;
    if (entry == NULL)
        return false;
    *name = entry->name;
    *walk = entry;
    return true;
}

/* ---- owners ---- */

static struct consumer_owner *need_owner(struct consumer_group *consumer,
                                         const struct partition_topic *topic)
{
    struct consumer_owner *owner;
    uint32_t count = (uint32_t)topic->partitions[topic->count - 1] + 1;

    HASH_FIND(hh, consumer->owners, &topic->topic_id, sizeof(topic->topic_id), owner);
    if (owner == NULL) {
        owner = mem_zalloc(sizeof(*owner));
        owner->topic_id = topic->topic_id;
        HASH_ADD(hh, consumer->owners, topic_id, sizeof(owner->topic_id), owner);
    }
    if (owner->count < count) {
        owner->members =
            mem_realloc(owner->members, count * sizeof(struct group_member *));
        memset(&owner->members[owner->count], 0,
               (count - owner->count) * sizeof(struct group_member *));
        owner->count = count;
    }
    return owner;
}

/* MEMBER owns SET from now on; nobody may. */
static void take(struct group_member *member, const struct partition_set *set)
{
    for (uint32_t i = 0; i < set->topic_count; i++) {
        const struct partition_topic *topic = &set->topics[i];
        struct consumer_owner *owner = need_owner(member->group->consumer, topic);
        for (uint32_t j = 0; j < topic->count; j++) {
            ASSERT(owner->members[topic->partitions[j]] == NULL);
            owner->members[topic->partitions[j]] = member;
        }
        owner->owned += topic->count;
    }
}

static void release(struct group_member *member, const struct partition_set *set)
{
    struct consumer_group *consumer = member->group->consumer;

    for (uint32_t i = 0; i < set->topic_count; i++) {
        const struct partition_topic *topic = &set->topics[i];
        struct consumer_owner *owner = need_owner(consumer, topic);
        for (uint32_t j = 0; j < topic->count; j++) {
            ASSERT(owner->members[topic->partitions[j]] == member);
            owner->members[topic->partitions[j]] = NULL;
        }
        owner->owned -= topic->count;
        if (owner->owned == 0) {
            HASH_DELETE(hh, consumer->owners, owner);
            mem_free(owner->members);
            mem_free(owner);
        }
    }
}

void consumer_set_partitions(struct group_member *member, struct partition_set *assigned,
                             struct partition_set *revoking)
{
    struct consumer_member *consumer = member->consumer;

    release(member, &consumer->assigned);
    release(member, &consumer->revoking);
    take(member, assigned);
    take(member, revoking);
    partition_set_move(&consumer->assigned, assigned);
    partition_set_move(&consumer->revoking, revoking);
}

const struct group_member *consumer_group_owner(const struct group *group,
                                                const struct uuid *topic_id,
                                                int32_t partition)
{
    const struct consumer_owner *owner;

    HASH_FIND(hh, group->consumer->owners, topic_id, sizeof(*topic_id), owner);
    if (owner == NULL || partition < 0 || (uint32_t)partition >= owner->count)
        return NULL;
    return owner->members[partition];
}

/* ---- the assignor ---- */

enum assignor_kind consumer_group_assignor(const struct group *group)
{
    uint32_t votes[ASSIGNOR_KINDS] = {0};
    enum assignor_kind best = ASSIGNOR_UNIFORM;

    for (const struct group_member *m = NULL;
         (m = group_member_next(group, m)) != NULL;) {
        enum assignor_kind kind = m->consumer->assignor.ptr == NULL
                                      ? ASSIGNOR_KINDS
                                      : assignor_by_name(m->consumer->assignor);
        if (kind < ASSIGNOR_KINDS)
            votes[kind]++;
    }
    for (unsigned kind = 0; kind < ASSIGNOR_KINDS; kind++)
        best = votes[kind] > votes[best] ? (enum assignor_kind)kind : best;
    return best;
}

/* ---- rows ---- */

#define ROW_VERSION 1

static void put_text(struct str *out, struct slice text)
{
    write_uvarint(out, text.ptr == NULL ? 0 : text.len + 1);
    if (text.ptr != NULL)
        str_append_slice(out, text);
}

static struct slice get_text(struct reader *r)
{
    uint32_t len = reader_uvarint(r);
    if (len == 0)
        return SLICE_NULL;
    struct slice text = reader_bytes(r, len - 1);
    return text.ptr == NULL ? SLICE_LITERAL("") : text;
}

void consumer_group_write(const struct group *group, struct str *out)
{
    const struct consumer_group *consumer = group->consumer;

    if (consumer == NULL)
        return;
    write_u8(out, ROW_VERSION);
    write_u32(out, (uint32_t)consumer->assignment_epoch);
    write_u64(out, consumer->topics_hash);
    write_u32(out, consumer->flags);
    write_uvarint(out, consumer->regex_count);
    LIST_FOREACH(node, next, &consumer->regexes)
    {
        const struct consumer_regex *regex =
            CONTAINER_OF(node, struct consumer_regex, node);
        put_text(out, regex->pattern);
        write_u64(out, regex->topics_version);
        write_uvarint(out, regex->topic_count);
        for (uint32_t i = 0; i < regex->topic_count; i++)
            str_append(out, regex->topics[i].bytes, sizeof(regex->topics[i].bytes));
    }
}

static int read_regex(struct group *group, struct reader *r)
{
    struct slice pattern = get_text(r);
    uint64_t version = reader_u64(r);
    uint32_t count = reader_uvarint(r);

    if (r->failed || pattern.len == 0 || count > reader_left(r) / sizeof(struct uuid) ||
        consumer_group_regex(group, pattern) != NULL)
        return ERR_DAMAGED;
    struct consumer_regex *regex = need_regex(group, pattern);
    regex->topics_version = version;
    regex->topic_count = count;
    regex->topics = mem_alloc(MAX(count, 1u) * sizeof(struct uuid));
    for (uint32_t i = 0; i < count; i++) {
        memcpy(regex->topics[i].bytes, reader_bytes(r, sizeof(struct uuid)).ptr,
               sizeof(struct uuid));
        if (i > 0 && uuid_cmp(&regex->topics[i - 1], &regex->topics[i]) >= 0)
            return ERR_DAMAGED;
    }
    return 0;
}

int consumer_group_read(struct group *group, struct slice bytes)
{
    struct reader r;
    int rc = 0;

    if (group->kind != GROUP_CONSUMER)
        return bytes.len == 0 ? 0 : ERR_DAMAGED;
    consumer_group_new(group);
    reader_init(&r, bytes);
    if (reader_u8(&r) != ROW_VERSION)
        return ERR_DAMAGED;
    group->consumer->assignment_epoch = reader_i32(&r);
    group->consumer->topics_hash = reader_u64(&r);
    group->consumer->flags = reader_u32(&r);
    uint32_t count = reader_uvarint(&r);
    for (uint32_t i = 0; i < count && rc == 0; i++)
        rc = read_regex(group, &r);
    return rc != 0 || r.failed || reader_left(&r) > 0 ? ERR_DAMAGED : 0;
}

void consumer_member_write(const struct group_member *member, struct str *out)
{
    const struct consumer_member *consumer = member->consumer;

    if (consumer == NULL)
        return;
    write_u8(out, ROW_VERSION);
    write_u32(out, (uint32_t)consumer->epoch);
    write_u32(out, (uint32_t)consumer->previous_epoch);
    write_u8(out, (uint8_t)consumer->state);
    write_u8(out, consumer->classic);
    write_u8(out, consumer->awaits_sync);
    write_u64(out, consumer->moved_index);
    put_text(out, consumer->rack);
    put_text(out, consumer->regex);
    put_text(out, consumer->assignor);
    put_text(out, consumer->names);
    write_uvarint(out, consumer->name_count);
    partition_set_write(&consumer->assigned, out);
    partition_set_write(&consumer->revoking, out);
    partition_set_write(&consumer->target, out);
}

static bool names_valid(struct slice packed, uint32_t count)
{
    struct slice name, last = SLICE_NULL;
    struct reader walk;

    reader_init(&walk, packed);
    for (; consumer_member_name(&walk, &name); count--) {
        if (count == 0 || (last.ptr != NULL && slice_cmp(last, name) >= 0))
            return false;
        last = name;
    }
    return !walk.failed && count == 0;
}

/* Whether all of SET is free. */
static bool is_free(const struct group *group, const struct partition_set *set)
{
    for (uint32_t i = 0; i < set->topic_count; i++) {
        const struct partition_topic *topic = &set->topics[i];
        for (uint32_t j = 0; j < topic->count; j++) {
            if (consumer_group_owner(group, &topic->topic_id, topic->partitions[j]) !=
                NULL)
                return false;
        }
    }
    return true;
}

static int read_partitions(struct group_member *member, struct reader *r)
{
    struct partition_set assigned = {0}, revoking = {0};
    int rc = ERR_DAMAGED;

    partition_set_read(&assigned, r, COMMAND_OWNED_MAX);
    partition_set_read(&revoking, r, COMMAND_OWNED_MAX);
    partition_set_read(&member->consumer->target, r, COMMAND_OWNED_MAX);
    if (!r->failed && reader_left(r) == 0 &&
        !partition_set_overlaps(&assigned, &revoking) &&
        is_free(member->group, &assigned) && is_free(member->group, &revoking)) {
        consumer_set_partitions(member, &assigned, &revoking);
        rc = 0;
    }
    partition_set_fini(&assigned);
    partition_set_fini(&revoking);
    return rc;
}

int consumer_member_read(struct group_member *member, struct slice bytes)
{
    struct reader r;

    if (member->group->kind != GROUP_CONSUMER || member->pending)
        return bytes.len == 0 ? 0 : ERR_DAMAGED;
    consumer_member_new(member);
    struct consumer_member *consumer = member->consumer;
    reader_init(&r, bytes);
    uint8_t version = reader_u8(&r);
    consumer->epoch = reader_i32(&r);
    consumer->previous_epoch = reader_i32(&r);
    uint8_t state = reader_u8(&r);
    bool classic = reader_u8(&r) != 0;
    consumer->awaits_sync = reader_u8(&r) != 0;
    consumer->moved_index = reader_u64(&r);
    group_set_text(&consumer->rack, get_text(&r));
    struct slice regex = get_text(&r);
    group_set_text(&consumer->assignor, get_text(&r));
    struct slice names = get_text(&r);
    uint32_t name_count = reader_uvarint(&r);
    if (r.failed || version != ROW_VERSION || state < CONSUMER_STABLE ||
        state > CONSUMER_UNRELEASED || !names_valid(names, name_count) ||
        (regex.len > 0 && consumer_group_regex(member->group, regex) == NULL))
        return ERR_DAMAGED;
    consumer->state = (enum consumer_state)state;
    consumer_set_classic(member, classic);
    consumer_set_names(member, names, name_count);
    consumer_set_regex(member, regex);
    int rc = read_partitions(member, &r);
    consumer_count_member(member);
    return rc;
}

int consumer_group_loaded(const struct group *group)
{
    if (group->pending_count > 0)
        return ERR_DAMAGED;
    LIST_FOREACH(node, next, &group->consumer->regexes)
    {
        if (CONTAINER_OF(node, struct consumer_regex, node)->members == 0)
            return ERR_DAMAGED;
    }
    return 0;
}
