/* intake.c - the books of one intake object: runs of batches, layout, footer, commit.
 *
 * Checksums are put together from those that the batches carry (and that the asker has
 * verified), so that sealing 8 MiB touches a few header bytes of each batch only. */
#include "agent/intake.h"

#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "common/cursor.h"

#define TABLE_START 64
/* Books of INTAKE_BATCHES_MAX batches and INTAKE_RUNS_MAX runs, names and footer. */
#define ARENA_MAX (64 * MIB)

/* Record batch v2: magic at 16, CRC at 17 over everything from 21 on. */
#define BATCH_CRC_AT   17
#define BATCH_CRC_FROM 21
/* Below this, reading the bytes is cheaper than crc32c_combine. */
#define COMBINE_FROM 8192

struct intake *intake_new(struct budget *budget, int64_t now)
{
    struct intake *intake = mem_zalloc(sizeof(*intake));
    intake->state = INTAKE_OPEN;
    intake->refs = 1;
    intake->opened_at_ms = now;
    intake->budget = budget;
    list_node_init(&intake->node);
    arena_init(&intake->arena, ARENA_MAX);
    intake->table_mask = TABLE_START - 1;
    intake->table = mem_zalloc(TABLE_START * sizeof(intake->table[0]));
    return intake;
}

struct intake *intake_ref(struct intake *intake)
{
    intake->refs++;
    return intake;
}

/* The runs of an object that was never sealed lie in the table only. */
static void release_batches(struct intake *intake)
{
    for (size_t i = 0; i <= intake->table_mask; i++) {
        struct intake_run *run = intake->table[i];
        for (struct intake_batch *batch = run == NULL ? NULL : run->first; batch != NULL;
             batch = batch->next)
            produce_release(batch->produce);
    }
}

void intake_unref(struct intake *intake)
{
    ASSERT(intake->refs > 0);
    if (--intake->refs > 0)
        return;
    ASSERT(!list_linked(&intake->node));
    release_batches(intake);
    if (intake->budget != NULL)
        budget_give(intake->budget, intake->charged_bytes);
    mem_free(intake->table);
    mem_free(intake->runs);
    arena_fini(&intake->arena);
    mem_free(intake);
}

/* ---- adding ---- */

static size_t hash(const struct uuid *topic_id, int32_t partition)
{
    uint64_t a, b;
    memcpy(&a, topic_id->bytes, sizeof(a));
    memcpy(&b, topic_id->bytes + 8, sizeof(b));
    uint64_t h = (a ^ (b << 1)) + (uint64_t)(uint32_t)partition * 0x9e3779b97f4a7c15u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return (size_t)(h ^ (h >> 32));
}

/* The slot of the run, or the free one where it belongs. */
static struct intake_run **find_slot(struct intake_run **table, size_t mask,
                                     const struct uuid *topic_id, int32_t partition)
{
    for (size_t i = hash(topic_id, partition) & mask;; i = (i + 1) & mask) {
        struct intake_run *run = table[i];
        if (run == NULL ||
            (run->partition == partition && uuid_eq(&run->topic_id, topic_id)))
            return &table[i];
    }
}

static void grow_table(struct intake *intake)
{
    size_t mask = intake->table_mask * 2 + 1;
    struct intake_run **table = mem_zalloc((mask + 1) * sizeof(table[0]));
    for (size_t i = 0; i <= intake->table_mask; i++) {
        struct intake_run *run = intake->table[i];
        if (run != NULL)
            *find_slot(table, mask, &run->topic_id, run->partition) = run;
    }
    mem_free(intake->table);
    intake->table = table;
    intake->table_mask = mask;
}

static struct intake_run *get_run(struct intake *intake, const struct produce_part *part)
{
    struct intake_run **slot =
        find_slot(intake->table, intake->table_mask, &part->topic_id, part->partition);
    if (*slot != NULL)
        return *slot;
    if ((intake->run_count + 1) * 2 > intake->table_mask) {
        grow_table(intake);
        slot = find_slot(intake->table, intake->table_mask, &part->topic_id,
                         part->partition);
    }
    struct intake_run *run = arena_alloc(&intake->arena, sizeof(*run));
    run->topic_id = part->topic_id;
    run->partition = part->partition;
    *slot = run;
    intake->run_count++;
    return run;
}

bool intake_fits(const struct intake *intake, const struct produce_ask *ask)
{
    /* As if every part made a run of its own. */
    return intake->batch_count + ask->part_count <= INTAKE_BATCHES_MAX &&
           intake->run_count + ask->part_count <= INTAKE_RUNS_MAX;
}

static void add_batch(struct intake *intake, struct produce *produce, size_t i)
{
    const struct produce_part *part = &produce->ask->parts[i];
    struct intake_run *run = get_run(intake, part);
    struct intake_batch *batch = arena_alloc(&intake->arena, sizeof(*batch));
    *batch = (struct intake_batch){
        .produce = produce,
        .part = (uint32_t)i,
        .records = part->records,
        .bytes = part->bytes,
        .producer_id = part->producer_id,
        .producer_epoch = part->producer_epoch,
        .base_sequence = part->base_sequence,
        .min_timestamp = part->min_timestamp,
        .max_timestamp = part->max_timestamp,
    };
    if (run->last == NULL)
        run->first = batch;
    else
        run->last->next = batch;
    run->last = batch;
    run->batches++;
    run->records += part->records;
    run->length += part->bytes.len;
    intake->batch_count++;
    intake->bytes += part->bytes.len;
}

void intake_add(struct intake *intake, struct produce *produce)
{
    ASSERT(intake->state == INTAKE_OPEN && intake_fits(intake, produce->ask));
    for (size_t i = 0; i < produce->ask->part_count; i++)
        add_batch(intake, produce, i);
    size_t bytes = produce->ask->part_count * sizeof(struct intake_batch);
    intake->charged_bytes += bytes;
    if (intake->budget != NULL)
        budget_force(intake->budget, bytes);
}

/* ---- sealing ---- */

static int compare_runs(const void *a, const void *b)
{
    const struct intake_run *x = *(struct intake_run *const *)a;
    const struct intake_run *y = *(struct intake_run *const *)b;
    int c = uuid_cmp(&x->topic_id, &y->topic_id);
    return c != 0 ? c : (x->partition > y->partition) - (x->partition < y->partition);
}

static void sort_runs(struct intake *intake)
{
    size_t n = 0;
    intake->runs = mem_alloc(intake->run_count * sizeof(intake->runs[0]));
    for (size_t i = 0; i <= intake->table_mask; i++) {
        if (intake->table[i] != NULL)
            intake->runs[n++] = intake->table[i];
    }
    ASSERT(n == intake->run_count);
    qsort(intake->runs, n, sizeof(intake->runs[0]), compare_runs);
}

static uint32_t batch_crc(uint32_t crc, struct slice bytes)
{
    if (bytes.len < COMBINE_FROM)
        return crc32c_extend(crc, bytes.ptr, bytes.len);
    crc = crc32c_extend(crc, bytes.ptr, BATCH_CRC_FROM);
    return crc32c_combine(crc, be32_get(bytes.ptr + BATCH_CRC_AT),
                          bytes.len - BATCH_CRC_FROM);
}

static void describe_run(const struct intake_run *run, struct object_run *row)
{
    row->partition = run->partition;
    row->length = run->length;
    row->batches = run->batches;
    row->records = run->records;
    row->base_offset = -1;
    row->min_timestamp = INT64_MAX;
    row->max_timestamp = INT64_MIN;
    for (const struct intake_batch *batch = run->first; batch != NULL;
         batch = batch->next) {
        row->min_timestamp = MIN(row->min_timestamp, batch->min_timestamp);
        row->max_timestamp = MAX(row->max_timestamp, batch->max_timestamp);
        row->crc = batch_crc(row->crc, batch->bytes);
    }
}

void intake_seal(struct intake *intake, const struct intake_seal *seal)
{
    ASSERT(intake->state == INTAKE_OPEN && intake->batch_count > 0);
    intake->state = INTAKE_SEALED;
    intake->number = seal->number;
    intake->created_at_ms = seal->created_at_ms;
    sort_runs(intake);

    struct object_footer *footer = &intake->footer;
    footer->kind = OBJECT_INTAKE;
    footer->cluster_id = *seal->cluster_id;
    footer->agent_id = *seal->agent_id;
    footer->created_at_ms = seal->created_at_ms;
    footer->run_count = intake->run_count;
    footer->runs =
        arena_array(&intake->arena, intake->run_count, sizeof(footer->runs[0]));
    footer->topics =
        arena_array(&intake->arena, intake->run_count, sizeof(footer->topics[0]));

    uint64_t position = OBJECT_HEADER_LEN;
    for (size_t i = 0; i < intake->run_count; i++) {
        const struct intake_run *run = intake->runs[i];
        struct object_run *row = &footer->runs[i];
        if (i == 0 || !uuid_eq(&run->topic_id, &intake->runs[i - 1]->topic_id)) {
            struct object_topic *topic = &footer->topics[footer->topic_count++];
            topic->id = run->topic_id;
            topic->name =
                arena_dup(&intake->arena, seal->name(&run->topic_id, seal->name_arg));
        }
        describe_run(run, row);
        row->topic = (uint32_t)(footer->topic_count - 1);
        row->position = position;
        position += row->length;
        intake->runs_crc = crc32c_combine(intake->runs_crc, row->crc, row->length);
    }
}

/* ---- the object's bytes ---- */

size_t intake_piece_count(const struct intake *intake)
{
    return intake->batch_count + 2;
}

void intake_layout(const struct intake *intake, const struct uuid *object_id,
                   uint8_t header[OBJECT_HEADER_LEN], struct str *footer,
                   struct slice *pieces, uint32_t *crc, uint64_t *size)
{
    struct object_footer named = intake->footer;
    size_t n = 0;

    named.object_id = *object_id;
    object_write_header(OBJECT_INTAKE, header);
    object_write_footer(&named, footer);
    ASSERT(!footer->overflowed);
    pieces[n++] = slice_of(header, OBJECT_HEADER_LEN);
    for (size_t i = 0; i < intake->run_count; i++) {
        for (const struct intake_batch *batch = intake->runs[i]->first; batch != NULL;
             batch = batch->next)
            pieces[n++] = batch->bytes;
    }
    pieces[n++] = str_slice(footer);
    ASSERT(n == intake_piece_count(intake));
    *crc = crc32c_combine(crc32c(header, OBJECT_HEADER_LEN), intake->runs_crc,
                          intake->bytes);
    *crc = crc32c_extend(*crc, footer->data, footer->len);
    *size = OBJECT_HEADER_LEN + intake->bytes + footer->len;
}

/* ---- the commit ---- */

/* Find or add the producer; returns 1 + its index. Batches of one producer come in a
 * row, so the last one found is tried first, then the list from its end. */
struct producer_index {
    struct commit_producer *list;
    uint32_t *table; /* 1 + index, 0 free */
    size_t mask;
    uint32_t count;
    uint32_t last;
};

static uint32_t index_producer(struct producer_index *index,
                               const struct intake_batch *batch)
{
    if (index->last != 0 &&
        index->list[index->last - 1].producer_id == batch->producer_id &&
        index->list[index->last - 1].producer_epoch == batch->producer_epoch)
        return index->last;
    uint64_t h = (uint64_t)batch->producer_id * 0x9e3779b97f4a7c15u +
                 (uint64_t)(uint16_t)batch->producer_epoch;
    for (size_t i = (size_t)(h ^ (h >> 29)) & index->mask;; i = (i + 1) & index->mask) {
        if (index->table[i] == 0) {
            struct commit_producer *producer = &index->list[index->count++];
            producer->producer_id = batch->producer_id;
            producer->producer_epoch = batch->producer_epoch;
            index->table[i] = index->count;
        }
        uint32_t at = index->table[i];
        if (index->list[at - 1].producer_id == batch->producer_id &&
            index->list[at - 1].producer_epoch == batch->producer_epoch) {
            index->last = at;
            return at;
        }
    }
}

static void index_init(struct producer_index *index, size_t batches)
{
    size_t size = 4;
    while (size < batches * 2)
        size *= 2;
    *index = (struct producer_index){
        .list = mem_alloc(batches * sizeof(index->list[0])),
        .table = mem_zalloc(size * sizeof(index->table[0])),
        .mask = size - 1,
    };
}

static void build_columns(const struct intake *intake, struct producer_index *index,
                          struct commit_builder *builder)
{
    for (size_t i = 0; i < intake->run_count; i++) {
        const struct intake_run *run = intake->runs[i];
        commit_builder_run(builder, intake->footer.runs[i].topic, run->partition,
                           run->batches);
        for (const struct intake_batch *batch = run->first; batch != NULL;
             batch = batch->next) {
            uint32_t producer = batch->producer_id < 0 ? 0 : index_producer(index, batch);
            commit_builder_batch(builder, (uint32_t)batch->bytes.len, batch->records,
                                 producer, producer == 0 ? -1 : batch->base_sequence,
                                 batch->max_timestamp);
        }
    }
}

struct json *intake_commit(const struct intake *intake)
{
    struct commit_builder builder;
    struct producer_index index;
    struct commit commit = {
        .object_id = intake->object_id,
        .object_size = intake->object_size,
        .created_at_ms = intake->created_at_ms,
        .topic_count = (uint32_t)intake->footer.topic_count,
    };

    commit_builder_init(&builder, intake->created_at_ms);
    index_init(&index, intake->batch_count);
    build_columns(intake, &index, &builder);
    commit.topics = mem_alloc(commit.topic_count * sizeof(commit.topics[0]));
    for (size_t i = 0; i < commit.topic_count; i++)
        commit.topics[i] = intake->footer.topics[i].id;
    commit.producers = index.list;
    commit.producer_count = index.count;
    commit_builder_columns(&builder, &commit);
    struct json *json = commit_to_json(&commit);
    mem_free(commit.topics);
    mem_free(index.list);
    mem_free(index.table);
    commit_builder_fini(&builder);
    return json;
}

size_t intake_commit_bytes(const struct intake *intake)
{
    /* Base64 of packed columns; a batch may bring a producer of its own. */
    return 512 + intake->footer.topic_count * 40 + intake->run_count * 24 +
           intake->batch_count * (36 + 30);
}
