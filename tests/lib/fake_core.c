/* fake_core.c - asks answered from memory. */
#include "tests/lib/fake_core.h"

#include <stdio.h>
#include <string.h>

#include "common/blob.h"
#include "common/check.h"
#include "common/json.h"
#include "common/mem.h"
#include "proto/batch.h"
#include "proto/kafka_error.h"

#define TOPICS_MAX     64
#define PARTITIONS_MAX 2048
#define HELD_MAX       512
#define ASK_TYPES      (ASK_RELAY + 1)
#define RESULTS_MAX    64
#define POLL_MS        2

struct fake_batch {
    struct blob *blob;
    struct batch_info info;
};

struct fake_log {
    struct fake_batch *batches;
    size_t count;
    int64_t end;
};

struct fake_topic {
    struct uuid id;
    char name[250];
    int partitions;
    char config[512];
    bool hidden;
    struct fake_log *logs;
};

struct fake_core {
    struct loop *loop;
    struct mailbox asks;
    struct loop_timer poll;
    bool polling;
    struct meta *meta;
    struct json *agents;
    struct fake_topic topics[TOPICS_MAX];
    size_t topic_count;
    int64_t cursor, next_producer_id;
    bool hold[ASK_TYPES];
    size_t asked[ASK_TYPES];
    int16_t fail;
    bool draining;
    struct ask *held[HELD_MAX];
    size_t held_count;
    struct fetch_ask *parked[HELD_MAX];
    size_t parked_count;
    struct str items;
    struct str group_ops;
    const char *group_results[RESULTS_MAX]; /* of the next ops, in turn */
    size_t group_result_count;
    const char *relay_result;
    struct str relay_said;
};

static void publish(struct fake_core *fake)
{
    meta_publish(fake->meta, ++fake->cursor);
}

static struct fake_topic *by_name(struct fake_core *fake, struct slice name)
{
    for (size_t i = 0; i < fake->topic_count; i++) {
        if (slice_eq_str(name, fake->topics[i].name))
            return &fake->topics[i];
    }
    return NULL;
}

static struct fake_topic *by_id(struct fake_core *fake, const struct uuid *id)
{
    for (size_t i = 0; i < fake->topic_count; i++) {
        if (uuid_eq(id, &fake->topics[i].id))
            return &fake->topics[i];
    }
    return NULL;
}

static void show(struct fake_core *fake, struct fake_topic *topic)
{
    struct json *config, *row = json_array();
    struct err err;
    ASSERT(json_parse(slice_str(topic->config), &config, &err) == 0);
    json_push(row, json_uuid(&topic->id));
    json_push(row, json_string(topic->name));
    json_push(row, json_int(topic->partitions));
    json_push(row, json_int(3));
    json_push(row, config);
    json_push(row, json_int(1700000000000));
    ASSERT(meta_put_topic(fake->meta, row, &err) == 0);
    json_free(row);
    topic->hidden = false;
    publish(fake);
}

static struct fake_topic *add(struct fake_core *fake, struct slice name, int partitions,
                              const char *config)
{
    ASSERT(fake->topic_count < TOPICS_MAX && partitions <= PARTITIONS_MAX);
    struct fake_topic *topic = &fake->topics[fake->topic_count++];
    /* Ids that a transcript can name: the first topic's ends in 01. */
    topic->id = (struct uuid){{0x57, 0xef, 0x70}};
    topic->id.bytes[15] = (uint8_t)fake->topic_count;
    snprintf(topic->name, sizeof(topic->name), "%.*s", (int)name.len,
             (const char *)name.ptr);
    snprintf(topic->config, sizeof(topic->config), "%s", config);
    topic->partitions = partitions;
    topic->logs = mem_zalloc((size_t)partitions * sizeof(*topic->logs));
    return topic;
}

void fake_core_add_topic(struct fake_core *fake, const char *name, int partitions,
                         const char *config)
{
    show(fake, add(fake, slice_str(name), partitions, config));
}

void fake_core_hide_topic(struct fake_core *fake, const char *name, int partitions)
{
    add(fake, slice_str(name), partitions, "{}")->hidden = true;
}

struct uuid fake_core_topic_id(struct fake_core *fake, const char *name)
{
    struct fake_topic *topic = by_name(fake, slice_str(name));
    ASSERT(topic != NULL);
    return topic->id;
}

int64_t fake_core_end(struct fake_core *fake, const char *name, int partition)
{
    return by_name(fake, slice_str(name))->logs[partition].end;
}

void fake_core_add_agent(struct fake_core *fake, int node_id, const char *zone)
{
    char host[64];
    struct uuid id = {{(uint8_t)node_id}};
    struct err err;
    struct json *row = json_array();
    snprintf(host, sizeof(host), "agent-%d.example", node_id);
    json_push(row, json_int(node_id));
    json_push(row, json_uuid(&id));
    json_push(row, json_string(host));
    json_push(row, json_int(9092));
    json_push(row, json_string(zone));
    json_push(row, json_string(""));
    json_push(row, json_string("http://agent.example:9093"));
    json_push(row, json_string("active"));
    json_push(fake->agents, row);
    ASSERT(meta_put_agents(fake->meta, fake->agents, &err) == 0);
    if (json_count(fake->agents) == 1)
        meta_set_self(fake->meta, node_id);
    publish(fake);
}

/* ---- produce, fetch, offsets ---- */

static void append(struct fake_core *fake, struct produce_part *part)
{
    struct fake_topic *topic = by_id(fake, &part->topic_id);
    ASSERT(topic != NULL && part->partition < topic->partitions);
    struct fake_log *log = &topic->logs[part->partition];
    log->batches = mem_realloc(log->batches, (log->count + 1) * sizeof(log->batches[0]));
    struct fake_batch *batch = &log->batches[log->count++];
    batch->blob = blob_new(part->bytes.len, NULL);
    memcpy(batch->blob->data, part->bytes.ptr, part->bytes.len);
    batch_put_base_offset(batch->blob->data, log->end, 0);
    ASSERT(batch_parse(blob_slice(batch->blob), &batch->info) == 0);
    part->base_offset = log->end;
    part->log_start_offset = 0;
    log->end = batch_end_offset(&batch->info);
}

static void poll_fetches(struct fake_core *fake);

static void do_produce(struct fake_core *fake, struct produce_ask *ask)
{
    for (size_t i = 0; i < ask->part_count; i++) {
        ask->parts[i].kafka_error = fake->fail;
        if (fake->fail == 0)
            append(fake, &ask->parts[i]);
    }
    ask_reply(&ask->ask);
    poll_fetches(fake);
}

static size_t first_batch(const struct fake_log *log, int64_t offset)
{
    size_t i = 0;
    while (i < log->count && batch_end_offset(&log->batches[i].info) <= offset)
        i++;
    return i;
}

/* What one partition has for a fetch; true when the answer cannot wait. */
static bool gather(struct fake_core *fake, struct fetch_ask *ask, struct fetch_part *part,
                   size_t *total)
{
    if (part->kafka_error == 0)
        part->kafka_error = fake->fail;
    if (part->kafka_error != 0)
        return true;
    struct fake_topic *topic = by_id(fake, &part->topic_id);
    struct fake_log *log = &topic->logs[part->partition];
    if (part->offset < 0 || part->offset > log->end) {
        part->kafka_error = KAFKA_OFFSET_OUT_OF_RANGE;
        return true;
    }
    part->high_watermark = part->last_stable_offset = log->end;
    part->log_start_offset = 0;
    part->slices = arena_array(ask->ask.arena, log->count, sizeof(struct slice));
    part->slice_count = part->bytes = 0;
    for (size_t i = first_batch(log, part->offset); i < log->count; i++) {
        size_t len = log->batches[i].blob->len;
        if (*total > 0 && (*total + len > (size_t)ask->max_bytes ||
                           part->bytes + len > (size_t)part->max_bytes))
            break;
        part->slices[part->slice_count++] = blob_slice(log->batches[i].blob);
        part->bytes += len;
        *total += len;
    }
    return false;
}

static void keep_blobs(struct fake_core *fake, struct fetch_ask *ask)
{
    size_t n = 0;
    for (size_t i = 0; i < ask->part_count; i++)
        n += ask->parts[i].slice_count;
    ask->blobs = arena_array(ask->ask.arena, n, sizeof(ask->blobs[0]));
    for (size_t i = 0; i < ask->part_count; i++) {
        struct fetch_part *part = &ask->parts[i];
        if (part->kafka_error != 0)
            continue;
        struct fake_log *log = &by_id(fake, &part->topic_id)->logs[part->partition];
        size_t first = first_batch(log, part->offset);
        for (size_t j = 0; j < part->slice_count; j++)
            ask->blobs[ask->blob_count++] = blob_ref(log->batches[first + j].blob);
    }
}

/* True when answered. */
static bool try_fetch(struct fake_core *fake, struct fetch_ask *ask)
{
    size_t total = 0;
    bool at_once = fake->fail != 0 || fake->draining;
    for (size_t i = 0; i < ask->part_count; i++)
        at_once |= gather(fake, ask, &ask->parts[i], &total);
    if (!at_once && total < (size_t)ask->min_bytes &&
        loop_now_ms(fake->loop) < ask->deadline_at_ms)
        return false;
    keep_blobs(fake, ask);
    ask_reply(&ask->ask);
    return true;
}

static void poll_fetches(struct fake_core *fake)
{
    size_t kept = 0;
    for (size_t i = 0; i < fake->parked_count; i++) {
        if (!try_fetch(fake, fake->parked[i]))
            fake->parked[kept++] = fake->parked[i];
    }
    fake->parked_count = kept;
    if (kept > 0 && !fake->polling) {
        fake->polling = true;
        loop_timer_set(&fake->poll, POLL_MS);
    }
}

static void on_poll(struct loop_timer *timer, void *arg)
{
    struct fake_core *fake = arg;
    (void)timer;
    fake->polling = false;
    poll_fetches(fake);
}

static void do_offsets(struct fake_core *fake, struct offsets_ask *ask)
{
    for (size_t i = 0; i < ask->part_count; i++) {
        struct offsets_part *part = &ask->parts[i];
        struct fake_log *log = &by_id(fake, &part->topic_id)->logs[part->partition];
        part->kafka_error = fake->fail;
        if (part->timestamp == -1)
            part->offset = log->end;
        else if (part->timestamp == -2)
            part->offset = 0;
        for (size_t j = 0; j < log->count && part->timestamp >= 0; j++) {
            bool found = false;
            if (log->batches[j].info.max_timestamp < part->timestamp)
                continue;
            ASSERT(batch_find_timestamp(&log->batches[j].info, part->timestamp, 0, MIB,
                                        &found, &part->offset,
                                        &part->found_timestamp) == 0);
            if (found)
                break;
        }
    }
    ask_reply(&ask->ask);
}

/* ---- topics ---- */

static struct slice item_name(const struct json *item, size_t at)
{
    struct err err;
    struct json_reader r = {.err = &err};
    const struct json *name = json_at(&r, item, at);
    return json_is_null(name) ? SLICE_NULL : json_as_string(&r, name, "name", 300);
}

/* A result, as control_api.md has it: [error, message, topic id, and two more]. */
static struct json *result_json(int16_t error, const char *message,
                                const struct uuid *topic_id)
{
    struct json *row = json_array();
    json_push(row, json_int(error));
    json_push(row, message == NULL ? json_null() : json_string(message));
    json_push(row, uuid_is_zero(topic_id) ? json_null() : json_uuid(topic_id));
    return row;
}

static struct json *create_item(struct fake_core *fake, const struct json *item,
                                bool validate_only)
{
    struct err err;
    struct json_reader r = {.err = &err};
    struct slice name = item_name(item, 0);
    int64_t partitions = json_as_int(&r, json_at(&r, item, 1), "n", -1, 1000000);
    int64_t factor = json_as_int(&r, json_at(&r, item, 2), "n", -1, 1000);
    struct uuid id = {{0}};
    int16_t error = 0;

    if (by_name(fake, name) != NULL)
        error = KAFKA_TOPIC_ALREADY_EXISTS;
    else if (partitions < 1 || partitions > PARTITIONS_MAX)
        error = KAFKA_INVALID_PARTITIONS;
    if (error == 0 && !validate_only && fake->topic_count < TOPICS_MAX) {
        struct fake_topic *topic = add(fake, name, (int)partitions, "{}");
        id = topic->id;
        show(fake, topic);
    }
    struct json *row = result_json(error, NULL, &id);
    json_push(row, json_int(partitions));
    json_push(row, json_int(factor));
    return row;
}

/* Any change but a creation: of a topic that has to be there. */
static struct json *change_item(struct fake_core *fake, const struct json *item,
                                bool deletes, bool validate_only)
{
    struct err err;
    struct json_reader r = {.err = &err};
    struct slice name = item_name(item, deletes ? 1 : 0);
    struct uuid id = {{0}};
    struct fake_topic *topic;
    struct json *row;

    if (deletes && name.ptr == NULL)
        id = json_as_uuid(&r, json_at(&r, item, 0), "id");
    topic = name.ptr == NULL ? by_id(fake, &id) : by_name(fake, name);
    if (topic == NULL) {
        row = result_json(name.ptr == NULL ? KAFKA_UNKNOWN_TOPIC_ID
                                           : KAFKA_UNKNOWN_TOPIC_OR_PARTITION,
                          "the fake core has no such topic", &id);
        json_push(row, json_null());
        return row;
    }
    row = result_json(0, NULL, &topic->id);
    json_push(row, json_string(topic->name));
    if (deletes && !validate_only) {
        meta_delete_topic(fake->meta, &topic->id);
        publish(fake);
    }
    return row;
}

/* What the control plane answers to BODY under /agent/v1/topics/. */
static struct json *do_topics(struct fake_core *fake, const char *path,
                              const struct json *body)
{
    struct err err;
    struct json_reader r = {.err = &err};
    const struct json *items = json_get_array(&r, body, "topics");
    bool validate_only = json_get_bool(&r, body, "validate_only");
    bool creates = strstr(path, "/create") != NULL;
    struct json *answer = json_object(), *results = json_array();

    str_reset(&fake->items);
    json_print(items, &fake->items);
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *item = json_at(&r, items, i);
        json_push(results, creates
                               ? create_item(fake, item, validate_only)
                               : change_item(fake, item, strstr(path, "/delete") != NULL,
                                             validate_only));
    }
    ASSERT(!r.failed);
    json_set(answer, "results", results);
    return answer;
}

static void do_metadata(struct fake_core *fake, struct metadata_ask *ask)
{
    ask->kafka_error = fake->fail;
    for (size_t i = 0; i < fake->topic_count && fake->fail == 0; i++) {
        if (fake->topics[i].hidden)
            show(fake, &fake->topics[i]);
    }
    ask_reply(&ask->ask);
}

static void do_producer_id(struct fake_core *fake, struct producer_id_ask *ask)
{
    ask->kafka_error = fake->fail;
    ask->producer_id = fake->next_producer_id++;
    ask_reply(&ask->ask);
}

static void do_group_op(struct fake_core *fake, struct group_op *op)
{
    struct json *result;
    struct err err;
    struct json_reader r = {.err = &err};

    if (op->kafka_error != 0)
        return;
    if (fake->group_ops.len > 0)
        str_putc(&fake->group_ops, '\n');
    str_append_slice(&fake->group_ops, op->text);
    op->kafka_error = fake->group_result_count > 0 ? fake->fail : op->away_error;
    if (op->kafka_error != 0)
        return;
    ASSERT(json_parse(slice_str(fake->group_results[0]), &result, &err) == 0);
    memmove(&fake->group_results[0], &fake->group_results[1],
            --fake->group_result_count * sizeof(fake->group_results[0]));
    if (op->read(op, &r, result) != 0 || r.failed)
        op->kafka_error = KAFKA_UNKNOWN_SERVER_ERROR;
    json_free(result);
}

static void do_group(struct fake_core *fake, struct group_ask *ask)
{
    str_reset(&fake->group_ops);
    for (size_t i = 0; i < ask->op_count; i++) {
        ask->ops[i].ask = ask;
        do_group_op(fake, &ask->ops[i]);
    }
    ask_reply(&ask->ask);
}

/* What a relay is answered with, NULL: nothing. */
static struct json *relay_answer(struct fake_core *fake, const struct relay_ask *ask)
{
    struct json *answer = NULL;
    struct err err;

    if (fake->relay_result != NULL)
        ASSERT(json_parse(slice_str(fake->relay_result), &answer, &err) == 0);
    else if (strncmp(ask->path, "/agent/v1/topics/", 17) == 0 && fake->fail == 0)
        answer = do_topics(fake, ask->path, ask->body);
    return answer;
}

static void do_relay(struct fake_core *fake, struct relay_ask *ask)
{
    struct json *answer = relay_answer(fake, ask);

    str_reset(&fake->relay_said);
    str_printf(&fake->relay_said, "%s ", ask->path);
    json_print(ask->body, &fake->relay_said);
    json_free(ask->body);
    ask->body = NULL;
    ask->kafka_error =
        answer == NULL && fake->fail == 0 ? KAFKA_REQUEST_TIMED_OUT : fake->fail;
    if (ask->kafka_error == 0 && ask->read(ask, answer) != 0)
        ask->kafka_error = KAFKA_UNKNOWN_SERVER_ERROR;
    json_free(answer);
    ask_reply(&ask->ask);
}

void fake_core_relay_result(struct fake_core *fake, const char *result)
{
    fake->relay_result = result;
}

const char *fake_core_relay_said(const struct fake_core *fake)
{
    return str_cstr(&fake->relay_said);
}

void fake_core_put_setting(struct fake_core *fake, const char *text)
{
    struct json *setting;
    struct err err;
    ASSERT(json_parse(slice_str(text), &setting, &err) == 0);
    ASSERT(meta_put_setting(fake->meta, setting, &err) == 0);
    meta_publish(fake->meta, ++fake->cursor);
    json_free(setting);
}

/* A held group ask is one whose join or sync waits. */
static void cancel_held(struct fake_core *fake, struct ask *asked)
{
    for (size_t i = 0; i < fake->held_count; i++) {
        if (fake->held[i] != asked)
            continue;
        memmove(&fake->held[i], &fake->held[i + 1],
                (--fake->held_count - i) * sizeof(fake->held[0]));
        ask_reply(asked);
        return;
    }
}

static void do_cancel(struct fake_core *fake, struct cancel_ask *ask)
{
    for (size_t i = 0; i < fake->parked_count; i++) {
        if (&fake->parked[i]->ask != ask->asked)
            continue;
        fake->parked[i] = fake->parked[--fake->parked_count];
        ask_reply(ask->asked);
        break;
    }
    if (ask->asked->message.type == ASK_GROUP)
        cancel_held(fake, ask->asked);
    ask_reply(&ask->ask);
}

/* ---- asks ---- */

static void carry_out(struct fake_core *fake, struct ask *ask)
{
    switch ((enum ask_type)ask->message.type) {
    case ASK_PRODUCE:
        do_produce(fake, CONTAINER_OF(ask, struct produce_ask, ask));
        return;
    case ASK_FETCH: {
        struct fetch_ask *fetch = CONTAINER_OF(ask, struct fetch_ask, ask);
        ASSERT(fake->parked_count < HELD_MAX);
        fake->parked[fake->parked_count++] = fetch;
        poll_fetches(fake);
        return;
    }
    case ASK_OFFSETS:
        do_offsets(fake, CONTAINER_OF(ask, struct offsets_ask, ask));
        return;
    case ASK_PRODUCER_ID:
        do_producer_id(fake, CONTAINER_OF(ask, struct producer_id_ask, ask));
        return;
    case ASK_METADATA:
        do_metadata(fake, CONTAINER_OF(ask, struct metadata_ask, ask));
        return;
    case ASK_GROUP:
        do_group(fake, CONTAINER_OF(ask, struct group_ask, ask));
        return;
    case ASK_RELAY:
        do_relay(fake, CONTAINER_OF(ask, struct relay_ask, ask));
        return;
    case ASK_CANCEL:
        do_cancel(fake, CONTAINER_OF(ask, struct cancel_ask, ask));
        return;
    }
}

static void on_ask(struct message *message, void *arg)
{
    struct fake_core *fake = arg;
    struct ask *ask = CONTAINER_OF(message, struct ask, message);
    fake->asked[message->type]++;
    if (!fake->hold[message->type]) {
        carry_out(fake, ask);
        return;
    }
    ASSERT(fake->held_count < HELD_MAX);
    fake->held[fake->held_count++] = ask;
}

void fake_core_send(struct core *core, struct ask *ask)
{
    struct fake_core *fake = (struct fake_core *)(void *)core;
    mailbox_send(&fake->asks, &ask->message);
}

struct fake_core *fake_core_new(struct loop *loop)
{
    struct fake_core *fake = mem_zalloc(sizeof(*fake));
    struct uuid cluster = {{0xc1}};
    fake->loop = loop;
    fake->meta = meta_new(&cluster);
    fake->agents = json_array();
    fake->next_producer_id = 1000;
    str_init(&fake->items, MIB);
    str_init(&fake->group_ops, 16 * MIB);
    str_init(&fake->relay_said, 16 * MIB);
    mailbox_init(&fake->asks, loop, on_ask, fake);
    loop_timer_init(&fake->poll, loop, on_poll, fake);
    return fake;
}

void fake_core_free(struct fake_core *fake)
{
    ASSERT(fake->held_count == 0 && fake->parked_count == 0);
    for (size_t i = 0; i < fake->topic_count; i++) {
        for (int p = 0; p < fake->topics[i].partitions; p++) {
            struct fake_log *log = &fake->topics[i].logs[p];
            for (size_t j = 0; j < log->count; j++)
                blob_unref(log->batches[j].blob);
            mem_free(log->batches);
        }
        mem_free(fake->topics[i].logs);
    }
    loop_timer_fini(&fake->poll);
    mailbox_fini(&fake->asks);
    json_free(fake->agents);
    meta_free(fake->meta);
    str_fini(&fake->items);
    str_fini(&fake->group_ops);
    str_fini(&fake->relay_said);
    mem_free(fake);
}

struct core *fake_core_as_core(struct fake_core *fake)
{
    return (struct core *)(void *)fake;
}

struct meta *fake_core_meta(struct fake_core *fake)
{
    return fake->meta;
}

void fake_core_hold(struct fake_core *fake, enum ask_type type, bool hold)
{
    fake->hold[type] = hold;
}

size_t fake_core_held(const struct fake_core *fake)
{
    return fake->held_count;
}

struct ask *fake_core_held_ask(struct fake_core *fake, size_t i)
{
    ASSERT(i < fake->held_count);
    return fake->held[i];
}

void fake_core_answer(struct fake_core *fake, size_t i)
{
    struct ask *ask = fake_core_held_ask(fake, i);
    fake->held_count--;
    memmove(&fake->held[i], &fake->held[i + 1],
            (fake->held_count - i) * sizeof(fake->held[0]));
    carry_out(fake, ask);
}

void fake_core_fail(struct fake_core *fake, int16_t kafka_error)
{
    fake->fail = kafka_error;
}

void fake_core_drain(struct fake_core *fake)
{
    fake->draining = true;
    poll_fetches(fake);
}

const char *fake_core_last_items(const struct fake_core *fake)
{
    return str_cstr(&fake->items);
}

void fake_core_group_result(struct fake_core *fake, const char *result)
{
    ASSERT(fake->group_result_count < RESULTS_MAX);
    fake->group_results[fake->group_result_count++] = result;
}

const char *fake_core_group_ops(const struct fake_core *fake)
{
    return str_cstr(&fake->group_ops);
}

size_t fake_core_asks(const struct fake_core *fake, enum ask_type type)
{
    return fake->asked[type];
}
