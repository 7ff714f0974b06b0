/* fake_ctl.c - apply commits as the control plane does, and check each object on the way.
 */
#include "tests/lib/fake_ctl.h"

#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/check.h"
#include "common/crc32c.h"
#include "common/cursor.h"
#include "common/mem.h"
#include "proto/commit.h"
#include "proto/object.h"

/* More than any simulation puts into one object. */
#define BATCHES_MAX 8192

struct fake_known {
    struct list_node node;
    struct uuid object_id;
    struct str result; /* JSON text */
};

void fake_ctl_init(struct fake_ctl *ctl, struct vtime *time, struct fake_store *store,
                   const struct uuid *cluster_id)
{
    *ctl = (struct fake_ctl){.time = time,
                             .store = store,
                             .cluster_id = *cluster_id,
                             .retry_ms = 50,
                             .base_ms = 1,
                             .spread_ms = 10};
    list_init(&ctl->partitions);
    list_init(&ctl->known);
}

void fake_ctl_fini(struct fake_ctl *ctl)
{
    struct list_node *node;
    while ((node = list_pop_front(&ctl->partitions)) != NULL) {
        struct fake_partition *p = CONTAINER_OF(node, struct fake_partition, node);
        mem_free(p->log);
        mem_free(p);
    }
    while ((node = list_pop_front(&ctl->known)) != NULL) {
        struct fake_known *known = CONTAINER_OF(node, struct fake_known, node);
        str_fini(&known->result);
        mem_free(known);
    }
    json_free(ctl->body);
    json_free(ctl->answer);
}

static struct fake_partition *find_partition(const struct fake_ctl *ctl,
                                             const struct uuid *topic_id,
                                             int32_t partition)
{
    LIST_FOREACH(node, next, &ctl->partitions)
    {
        struct fake_partition *p = CONTAINER_OF(node, struct fake_partition, node);
        if (p->partition == partition && uuid_eq(&p->topic_id, topic_id))
            return p;
    }
    return NULL;
}

const struct fake_partition *fake_ctl_partition(const struct fake_ctl *ctl,
                                                const struct uuid *topic_id,
                                                int32_t partition)
{
    return find_partition(ctl, topic_id, partition);
}

static struct fake_partition *get_partition(struct fake_ctl *ctl,
                                            const struct uuid *topic_id,
                                            int32_t partition)
{
    struct fake_partition *p = find_partition(ctl, topic_id, partition);
    if (p != NULL)
        return p;
    p = mem_zalloc(sizeof(*p));
    p->topic_id = *topic_id;
    p->partition = partition;
    list_push_back(&ctl->partitions, &p->node);
    return p;
}

/* The object is in the store, whole, and says of itself what the commit says. */
static struct slice check_object(const struct fake_ctl *ctl, const struct commit *commit,
                                 struct arena *arena, struct object_footer *footer)
{
    struct err err = {0};
    enum object_kind kind;
    uint64_t at;
    uint32_t len;
    char key[OBJECT_KEY_MAX];

    object_key(&ctl->cluster_id, &commit->object_id, key);
    struct slice bytes = fake_store_get(ctl->store, key);
    ASSERT(bytes.ptr != NULL && bytes.len == commit->object_size);
    ASSERT(object_read_header(slice_of(bytes.ptr, OBJECT_HEADER_LEN), &kind, &err) == 0);
    ASSERT(kind == OBJECT_INTAKE);
    ASSERT(object_read_trailer(
               slice_of(bytes.ptr + bytes.len - OBJECT_TRAILER_LEN, OBJECT_TRAILER_LEN),
               bytes.len, &at, &len, &err) == 0);
    ASSERT(object_read_footer(slice_of(bytes.ptr + at, bytes.len - at), bytes.len, arena,
                              footer, &err) == 0);
    ASSERT(uuid_eq(&footer->object_id, &commit->object_id));
    ASSERT(footer->created_at_ms == commit->created_at_ms);
    for (size_t i = 0; i < footer->run_count; i++)
        ASSERT(crc32c(bytes.ptr + footer->runs[i].position, footer->runs[i].length) ==
               footer->runs[i].crc);
    return bytes;
}

static struct fake_producer *get_producer(struct fake_partition *p,
                                          const struct commit_producer *who)
{
    for (size_t i = 0; i < p->producer_count; i++) {
        if (p->producers[i].id == who->producer_id)
            return &p->producers[i];
    }
    ASSERT(p->producer_count < FAKE_PRODUCERS_MAX);
    struct fake_producer *producer = &p->producers[p->producer_count++];
    producer->id = who->producer_id;
    producer->epoch = who->producer_epoch;
    return producer;
}

/* kafka.md 3.3, rules 2, 3 and 5: -1 to accept, else the error; 0 with *DUPLICATE. */
static int judge(struct fake_producer *producer, int16_t epoch, int32_t first,
                 int32_t last, const struct fake_last **duplicate)
{
    if (epoch < producer->epoch)
        return 47;
    if (epoch > producer->epoch) {
        producer->epoch = epoch;
        producer->last_count = 0;
        return first == 0 ? -1 : 45;
    }
    for (size_t i = 0; i < producer->last_count; i++) {
        if (producer->last[i].first == first && producer->last[i].last == last) {
            *duplicate = &producer->last[i];
            return 0;
        }
    }
    if (producer->last_count == 0)
        return -1;
    return first == producer->last[producer->last_count - 1].last + 1 ? -1 : 45;
}

static void append(struct fake_partition *p, uint32_t records, uint64_t number)
{
    for (size_t i = 0; i < p->count; i++)
        ASSERT(p->log[i].number != number); /* each batch once */
    p->log = mem_realloc(p->log, (p->count + 1) * sizeof(p->log[0]));
    p->log[p->count++] = (struct fake_entry){p->next_offset, records, number};
    p->next_offset += records;
}

static void remember(struct fake_producer *producer, int32_t first, int32_t last,
                     int64_t offset, int64_t timestamp)
{
    if (producer->last_count == 5)
        memmove(&producer->last[0], &producer->last[1], 4 * sizeof(producer->last[0]));
    else
        producer->last_count++;
    producer->last[producer->last_count - 1] =
        (struct fake_last){first, last, offset, timestamp};
}

static void apply_batch(struct fake_partition *p, const struct commit *commit,
                        const struct commit_walk *walk, struct slice object,
                        struct commit_result *result, int64_t *base_offset)
{
    uint64_t number = be64_get(object.ptr + walk->position + FAKE_BATCH_HEADER);
    struct fake_producer *producer = NULL;
    int32_t last = walk->sequence + (int32_t)walk->records - 1;

    if (walk->producer > 0) {
        const struct commit_producer *who = &commit->producers[walk->producer - 1];
        const struct fake_last *duplicate = NULL;
        producer = get_producer(p, who);
        int code = judge(producer, who->producer_epoch, walk->sequence, last, &duplicate);
        if (code >= 0) {
            result->exceptions[result->exception_count++] = (struct commit_exception){
                .run = walk->run,
                .batch = (int32_t)walk->batch - 1,
                .kafka_error = (int16_t)code,
                .base_offset = duplicate == NULL ? -1 : duplicate->offset,
                .timestamp = duplicate == NULL ? -1 : duplicate->timestamp,
            };
            return;
        }
        remember(producer, walk->sequence, last, p->next_offset, walk->max_timestamp);
    }
    if (*base_offset < 0)
        *base_offset = p->next_offset;
    append(p, walk->records, number);
}

static void apply(struct fake_ctl *ctl, const struct commit *commit,
                  struct commit_result *result, struct str *column, struct arena *arena)
{
    struct object_footer footer;
    struct slice object = check_object(ctl, commit, arena, &footer);
    struct commit_walk walk;
    int64_t last_base = 0;
    size_t run = 0;

    ASSERT(commit->created_at_ms >= ctl->created_last_ms); /* seal order */
    ctl->created_last_ms = commit->created_at_ms;
    ctl->objects++;
    result->exceptions = arena_array(arena, BATCHES_MAX, sizeof(result->exceptions[0]));
    commit_walk_init(&walk, commit);
    while (commit_walk_next_run(&walk)) {
        const struct uuid *topic_id = &commit->topics[walk.topic];
        struct fake_partition *p = get_partition(ctl, topic_id, walk.partition);
        int64_t base_offset = -1;
        ASSERT(footer.runs[run].partition == walk.partition);
        ASSERT(uuid_eq(&footer.topics[footer.runs[run].topic].id, topic_id));
        while (commit_walk_next_batch(&walk))
            apply_batch(p, commit, &walk, object, result, &base_offset);
        packed_put_delta(column, &last_base, base_offset);
        run++;
    }
    ASSERT(!walk.failed && run == footer.run_count);
    result->base_offset = str_slice(column);
}

static struct json *parse(struct slice text)
{
    struct json *value = NULL;
    struct err err;
    ASSERT(json_parse(text, &value, &err) == 0);
    return value;
}

/* The same answer for the same id, always. */
static struct json *commit_object(struct fake_ctl *ctl, const struct json *value)
{
    struct arena arena;
    struct commit commit;
    struct commit_result result = {0};
    struct str column;
    struct err err = {0};

    arena_init(&arena, 256 * MIB);
    ASSERT(commit_from_json(value, &arena, &commit, &err) == 0);
    LIST_FOREACH(node, next, &ctl->known)
    {
        struct fake_known *known = CONTAINER_OF(node, struct fake_known, node);
        if (uuid_eq(&known->object_id, &commit.object_id)) {
            ctl->repeats++;
            arena_fini(&arena);
            return parse(str_slice(&known->result));
        }
    }
    struct fake_known *known = mem_zalloc(sizeof(*known));
    known->object_id = commit.object_id;
    str_init(&known->result, 64 * MIB);
    str_init(&column, 16 * MIB);
    if (ctl->max_age_ms > 0 && ctl->time->now_ms - commit.created_at_ms > ctl->max_age_ms)
        result.code = ERR_EXPIRED;
    else
        apply(ctl, &commit, &result, &column, &arena);
    struct json *json = commit_result_to_json(&result);
    json_print(json, &known->result);
    list_push_back(&ctl->known, &known->node);
    str_fini(&column);
    arena_fini(&arena);
    return json;
}

static struct json *commit_all(struct fake_ctl *ctl)
{
    struct json_reader r = {0};
    struct json *answer = json_array();
    struct json *results = json_array();

    for (size_t i = 0; i < json_count(ctl->body); i++)
        json_push(results, commit_object(ctl, json_at(&r, ctl->body, i)));
    json_push(answer, json_int(ctl->time->now_ms));
    json_push(answer, json_int((int64_t)ctl->objects));
    json_push(answer, results);
    return answer;
}

static void on_answer_due(void *arg)
{
    struct fake_ctl *ctl = arg;
    struct json *answer = ctl->answer;
    json_free(ctl->body);
    ctl->body = NULL;
    ctl->answer = NULL;
    ctl->on_answer(0, NULL, answer, ctl->arg);
    json_free(answer);
}

static void on_request_due(void *arg)
{
    struct fake_ctl *ctl = arg;
    struct json *answer;

    if (ctl->down) {
        vtime_after(ctl->time, ctl->retry_ms, on_request_due, ctl);
        return;
    }
    answer = commit_all(ctl);
    if (vtime_chance(ctl->time, ctl->lost_percent)) {
        json_free(answer);
        vtime_after(ctl->time, ctl->retry_ms, on_request_due, ctl);
        return;
    }
    ctl->answer = answer;
    vtime_after(ctl->time, (int64_t)vtime_random(ctl->time, (uint64_t)ctl->spread_ms + 1),
                on_answer_due, ctl);
}

void fake_ctl_commit(struct fake_ctl *ctl, struct json *body)
{
    ASSERT(ctl->body == NULL); /* one request in flight */
    ASSERT(json_count(body) >= 1 && json_count(body) <= COMMIT_OBJECTS_MAX);
    ctl->body = body;
    ctl->requests++;
    vtime_after(ctl->time, ctl->base_ms, on_request_due, ctl);
}
