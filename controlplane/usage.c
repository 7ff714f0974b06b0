/* usage.c - see usage.h. */
#include "controlplane/usage.h"

#include <string.h>

#include "common/check.h"
#include "common/cursor.h"
#include "common/err.h"
#include "common/mem.h"
#include "controlplane/state.h"

#define HOURS      24
#define FORMAT     2 /* 1: without what the object store was asked */
#define COUNTERS   16
#define PACKED_MAX (HOURS * (1 + COUNTERS * 10) + 32)

void usage_init(struct usage *usage)
{
    memset(usage, 0, sizeof(*usage));
    list_init(&usage->days);
    list_init(&usage->sources);
}

/* ---- packing ---- */

static bool hour_empty(const struct usage_hour *hour)
{
    return hour->produced_objects == 0 && hour->fetched_bytes == 0 &&
           hour->fetched_records == 0 && hour->fetch_requests == 0 &&
           hour->produce_requests == 0 && hour->partition_ms == 0 &&
           hour->store.put == 0 && hour->store.get == 0 && hour->store.head == 0 &&
           hour->store.list == 0 && hour->store.delete == 0 &&
           hour->store.written_bytes == 0 && hour->store.read_bytes == 0;
}

void usage_store_write(const struct usage_store *store, struct str *out)
{
    write_uvarint(out, store->put);
    write_uvarint(out, store->get);
    write_uvarint(out, store->head);
    write_uvarint(out, store->list);
    write_uvarint(out, store->delete);
    write_uvarint(out, store->written_bytes);
    write_uvarint(out, store->read_bytes);
}

static void read_store(struct reader *r, struct usage_store *store)
{
    store->put = reader_uvarlong(r);
    store->get = reader_uvarlong(r);
    store->head = reader_uvarlong(r);
    store->list = reader_uvarlong(r);
    store->delete = reader_uvarlong(r);
    store->written_bytes = reader_uvarlong(r);
    store->read_bytes = reader_uvarlong(r);
}

int usage_store_read(struct usage_store *store, struct slice bytes)
{
    struct reader r;

    reader_init(&r, bytes);
    if (bytes.len > 0)
        read_store(&r, store);
    return r.failed || reader_left(&r) != 0 ? ERR_DAMAGED : 0;
}

static void write_hour(const struct usage_hour *hour, uint8_t number, struct str *out)
{
    write_u8(out, number);
    write_uvarint(out, hour->produced_bytes);
    write_uvarint(out, hour->produced_records);
    write_uvarint(out, hour->produced_batches);
    write_uvarint(out, hour->produced_objects);
    write_uvarint(out, hour->fetched_bytes);
    write_uvarint(out, hour->fetched_records);
    write_uvarint(out, hour->fetch_requests);
    write_uvarint(out, hour->produce_requests);
    write_uvarint(out, hour->partition_ms);
    usage_store_write(&hour->store, out);
}

static void read_hour(struct reader *r, int format, struct usage_hour *hour)
{
    hour->produced_bytes = reader_uvarlong(r);
    hour->produced_records = reader_uvarlong(r);
    hour->produced_batches = reader_uvarlong(r);
    hour->produced_objects = reader_uvarlong(r);
    hour->fetched_bytes = reader_uvarlong(r);
    hour->fetched_records = reader_uvarlong(r);
    hour->fetch_requests = reader_uvarlong(r);
    hour->produce_requests = reader_uvarlong(r);
    hour->partition_ms = reader_uvarlong(r);
    if (format < 2)
        return;
    read_store(r, &hour->store);
}

static void pack_hours(const struct usage_hour *hours, struct str *out)
{
    for (uint8_t i = 0; i < HOURS; i++) {
        if (!hour_empty(&hours[i]))
            write_hour(&hours[i], i, out);
    }
}

static struct usage_hour *new_hours(int64_t day)
{
    struct usage_hour *hours = mem_zalloc(HOURS * sizeof(*hours));
    for (int i = 0; i < HOURS; i++)
        hours[i].start_ms = day * USAGE_DAY_MS + i * USAGE_HOUR_MS;
    return hours;
}

/* Fill the 24 HOURS; ERR_DAMAGED when BYTES make no sense. */
static int unpack_hours(struct slice bytes, int format, struct usage_hour *hours)
{
    struct reader r;
    int last = -1;

    reader_init(&r, bytes);
    while (reader_left(&r) > 0) {
        int number = reader_u8(&r);
        if (number <= last || number >= HOURS)
            return ERR_DAMAGED;
        read_hour(&r, format, &hours[number]);
        last = number;
    }
    return r.failed ? ERR_DAMAGED : 0;
}

static void close_day(struct usage_day *day)
{
    struct str packed;

    str_init(&packed, PACKED_MAX);
    pack_hours(day->hours, &packed);
    day->packed = packed.len == 0 ? NULL : mem_dup(packed.data, packed.len);
    day->packed_len = (uint32_t)packed.len;
    str_fini(&packed);
    mem_free(day->hours);
    day->hours = NULL;
}

/* ---- days ---- */

struct usage_day *usage_open_day(const struct usage *usage)
{
    if (list_empty(&usage->days))
        return NULL;
    return CONTAINER_OF(usage->days.head.prev, struct usage_day, node);
}

struct usage_day *usage_add_day(struct cluster *cluster, int64_t day)
{
    struct usage_day *before = usage_open_day(&cluster->usage);
    struct usage_day *added = mem_zalloc(sizeof(*added));

    if (before != NULL) {
        ASSERT(before->day < day);
        close_day(before);
    }
    added->day = day;
    added->cluster = cluster;
    added->hours = new_hours(day);
    row_init(&added->row, ROW_USAGE_DAY);
    list_push_back(&cluster->usage.days, &added->node);
    return added;
}

void usage_remove_day(struct usage_day *day)
{
    list_remove(&day->node);
    list_remove(&day->row.dirty);
    mem_free(day->hours);
    mem_free(day->packed);
    mem_free(day);
}

void usage_day_write(const struct usage_day *day, struct str *out)
{
    const struct usage *usage = &day->cluster->usage;

    write_u8(out, FORMAT);
    write_u64(out, day->hours != NULL ? (uint64_t)usage->metered_at_ms : 0);
    if (day->hours != NULL)
        pack_hours(day->hours, out);
    else
        str_append(out, day->packed, day->packed_len);
}

int usage_day_read(struct usage_day *day, struct slice bytes)
{
    struct reader r;

    reader_init(&r, bytes);
    int format = reader_u8(&r);
    if (format < 1 || format > FORMAT)
        return ERR_DAMAGED;
    day->cluster->usage.metered_at_ms = reader_i64(&r);
    if (r.failed || day->cluster->usage.metered_at_ms < 0)
        return ERR_DAMAGED;
    return unpack_hours(slice_of(r.pos, reader_left(&r)), format, day->hours);
}

/* ---- sources ---- */

struct usage_source *usage_source(const struct usage *usage, const struct uuid *agent_id)
{
    struct usage_source *source;
    HASH_FIND(hh, usage->sources_by_id, agent_id, sizeof(*agent_id), source);
    return source;
}

struct usage_source *usage_add_source(struct cluster *cluster,
                                      const struct uuid *agent_id, uint64_t serial)
{
    struct usage *usage = &cluster->usage;
    struct usage_source *source = mem_zalloc(sizeof(*source));

    source->agent_id = *agent_id;
    source->cluster = cluster;
    source->serial = serial;
    row_init(&source->row, ROW_USAGE_SOURCE);
    list_push_back(&usage->sources, &source->node);
    usage->source_count++;
    HASH_ADD(hh, usage->sources_by_id, agent_id, sizeof(source->agent_id), source);
    return source;
}

void usage_remove_source(struct usage_source *source)
{
    struct usage *usage = &source->cluster->usage;
    HASH_DELETE(hh, usage->sources_by_id, source);
    list_remove(&source->node);
    list_remove(&source->row.dirty);
    usage->source_count--;
    mem_free(source);
}

void usage_fini(struct usage *usage)
{
    struct list_node *node;
    while ((node = list_first(&usage->days)) != NULL)
        usage_remove_day(CONTAINER_OF(node, struct usage_day, node));
    while ((node = list_first(&usage->sources)) != NULL)
        usage_remove_source(CONTAINER_OF(node, struct usage_source, node));
}

/* ---- reading ---- */

/* A walk over the hours asked for. */
struct hours_walk {
    int64_t from_ms, to_ms;
    struct usage_hour *hours;
    size_t count, max;
};

static bool hour_wanted(const struct hours_walk *walk, int64_t start_ms)
{
    return start_ms + USAGE_HOUR_MS > walk->from_ms && start_ms < walk->to_ms &&
           walk->count < walk->max;
}

static void give_day(struct hours_walk *walk, const struct usage_day *day)
{
    struct usage_hour unpacked[HOURS];
    const struct usage_hour *hours = day->hours;

    if (hours == NULL) {
        memset(unpacked, 0, sizeof(unpacked));
        for (int i = 0; i < HOURS; i++)
            unpacked[i].start_ms = day->day * USAGE_DAY_MS + i * USAGE_HOUR_MS;
        int rc = unpack_hours(slice_of(day->packed, day->packed_len), FORMAT, unpacked);
        ASSERT(rc == 0); /* we packed them, or checked them when they were loaded */
        hours = unpacked;
    }
    for (int i = 0; i < HOURS; i++) {
        if (!hour_empty(&hours[i]) && hour_wanted(walk, hours[i].start_ms))
            walk->hours[walk->count++] = hours[i];
    }
}

/* The time since the last command, in which partitions were there all the same. */
static void give_idle(struct hours_walk *walk, const struct cluster *cluster,
                      int64_t now_ms)
{
    int64_t at_ms = cluster->usage.metered_at_ms;

    at_ms = MAX(at_ms, now_ms - USAGE_KEEP_DAYS * USAGE_DAY_MS);
    while (cluster->usage.metered_at_ms != 0 && cluster->partition_count > 0 &&
           at_ms < now_ms) {
        int64_t start_ms = at_ms - at_ms % USAGE_HOUR_MS;
        int64_t end_ms = MIN(start_ms + USAGE_HOUR_MS, now_ms);
        uint64_t more = cluster->partition_count * (uint64_t)(end_ms - at_ms);
        struct usage_hour *last = walk->count == 0 ? NULL : &walk->hours[walk->count - 1];
        at_ms = end_ms;
        if (last != NULL && last->start_ms == start_ms)
            usage_count(&last->partition_ms, more);
        else if (hour_wanted(walk, start_ms))
            walk->hours[walk->count++] =
                (struct usage_hour){.start_ms = start_ms, .partition_ms = more};
    }
}

size_t state_usage(const struct cluster *cluster, int64_t from_ms, int64_t to_ms,
                   int64_t now_ms, struct usage_hour *hours, size_t max)
{
    struct hours_walk walk = {
        .from_ms = from_ms, .to_ms = to_ms, .hours = hours, .max = max};

    LIST_FOREACH(node, next, &cluster->usage.days)
    {
        const struct usage_day *day = CONTAINER_OF(node, struct usage_day, node);
        if ((day->day + 1) * USAGE_DAY_MS > from_ms && day->day * USAGE_DAY_MS < to_ms)
            give_day(&walk, day);
    }
    give_idle(&walk, cluster, now_ms);
    return walk.count;
}
