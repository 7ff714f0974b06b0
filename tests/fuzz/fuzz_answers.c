/* fuzz_answers.c - what a control plane answers, as the agent reads it.
 *
 * The first byte chooses the reader: 'm' metadata, 't' a topic event, 's' a setting
 * event, 'w' a commit event of the watch, 'c' the answer to a commit of two objects.
 * Whatever comes, every producer is answered once, and what was read keeps to its bounds.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/committer.h"
#include "agent/meta.h"
#include "agent/watch.h"
#include "common/log.h"
#include "tests/lib/produce_asks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_metadata(const struct json *json, bool whole)
{
    const struct uuid cluster = {{1}};
    struct meta *meta = meta_new(&cluster);
    struct err err = {0};
    int rc = whole ? meta_load(meta, json, &err) : meta_put_topic(meta, json, &err);
    meta_publish(meta, 1);
    struct meta_view *view = meta_acquire(meta);
    if (rc != 0 && (view->topic_count != 0 || view->agent_count != 0))
        abort();
    for (size_t i = 0; i < view->topic_count; i++) {
        if (meta_topic_by_name(view, view->topics[i]->name) == NULL ||
            meta_topic_by_id(view, &view->topics[i]->id) == NULL ||
            view->topics[i]->partitions < 1)
            abort();
    }
    meta_release(view);
    meta_free(meta);
}

/* Over settings that are there already: what is refused leaves them as they were. */
static void read_setting(const struct json *json)
{
    static const char before[] =
        "{\"cursor\":1,\"agents\":[],\"settings\":[[4,\"\",{\"message.max.bytes\":\"9\"}]"
        "],"
        "\"topics\":[[\"00000000-0000-4000-8000-00000000000a\",\"t\",1,1,{},1]]}";
    const struct uuid cluster = {{1}};
    struct meta *meta = meta_new(&cluster);
    struct err err = {0};
    struct json *first;
    if (json_parse(slice_str(before), &first, &err) != 0 ||
        meta_load(meta, first, &err) != 0)
        abort();
    json_free(first);
    int rc = meta_put_setting(meta, json, &err);
    meta_publish(meta, 1);
    struct meta_view *view = meta_acquire(meta);
    if (rc != 0 &&
        (view->setting_count != 1 || view->topics[0]->config.max_message_bytes != 9))
        abort();
    for (size_t i = 0; i < view->setting_count; i++) {
        if (view->settings[i].values->count == 0 ||
            meta_setting(view, view->settings[i].kind, view->settings[i].name) !=
                view->settings[i].values)
            abort();
    }
    meta_release(view);
    meta_free(meta);
}

static void read_commit_event(const struct json *json)
{
    struct watch_commit commit;
    struct err err = {0};
    struct arena arena;
    arena_init(&arena, 64 * MIB);
    if (watch_read_commit(json, &arena, &commit, &err) == 0) {
        for (size_t i = 0; i < commit.run_count; i++) {
            if (commit.runs[i].base_offset < 0 || commit.runs[i].partition < 0 ||
                commit.runs[i].records < 1 || commit.runs[i].length < 1 ||
                commit.runs[i].position < 16)
                abort();
        }
    }
    arena_fini(&arena);
}

static void no_send(struct json *body, void *arg)
{
    (void)arg;
    json_free(body);
}

static void on_committed(const struct committed *committed, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < committed->run_count; i++) {
        if (committed->runs[i].base_offset < 0)
            abort();
    }
}

static int64_t no_log_start(const struct uuid *topic_id, int32_t partition, void *arg)
{
    (void)topic_id, (void)partition, (void)arg;
    return -1;
}

static struct slice no_name(const struct uuid *topic_id, void *arg)
{
    (void)topic_id, (void)arg;
    return SLICE_NULL;
}

static void queue_object(struct committer *committer, struct produces *produces,
                         struct made_ask *made)
{
    static const struct uuid id = {{2}};
    const struct intake_seal seal = {
        .created_at_ms = 1, .cluster_id = &id, .agent_id = &id, .name = no_name};
    struct intake *intake = intake_new(NULL, 0);
    made->parts[2].partition = 0; /* a run of two batches */
    intake_add(intake, produces_take(produces, &made->ask, 0));
    intake_seal(intake, &seal);
    committer_add(committer, intake);
    intake->state = INTAKE_UPLOADED;
}

static void read_commit_answer(const struct json *json)
{
    const struct committer_io io = {
        .send = no_send, .on_committed = on_committed, .log_start = no_log_start};
    static struct produces produces;
    struct committer committer;
    struct made_ask *made[2] = {make_ask(3, 80, 99999), make_ask(3, 80, 99999)};

    produces_init(&produces, 0, count_reply, NULL);
    committer_init(&committer, &produces, &io);
    for (size_t i = 0; i < 2; i++)
        queue_object(&committer, &produces, made[i]);
    committer_step(&committer, 1);
    committer_on_answer(&committer, 0, NULL, json, 2);
    for (size_t i = 0; i < 2; i++) {
        if (made[i]->answered != 1)
            abort();
        made_ask_free(made[i]);
    }
    committer_fini(&committer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *json;

    log_set_level(
        (enum log_level)(LOG_ERROR + 1)); /* a line for each would say nothing */
    if (size < 1 || size > 64 * KIB ||
        json_parse(slice_of(data + 1, size - 1), &json, NULL) != 0)
        return 0;
    if (data[0] == 'm' || data[0] == 't')
        read_metadata(json, data[0] == 'm');
    else if (data[0] == 's')
        read_setting(json);
    else if (data[0] == 'w')
        read_commit_event(json);
    else
        read_commit_answer(json);
    json_free(json);
    return 0;
}
