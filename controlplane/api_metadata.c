/* api_metadata.c - what an agent knows of its cluster: everything (metadata), and what
 * changed since (watch). */
#include "controlplane/api.h"

#include <string.h>

#include "common/check.h"
#include "common/log.h"
#include "controlplane/call.h"

#define AGENTS_TEXT_MAX   (64 * MIB)
#define SETTINGS_TEXT_MAX (256 * MIB)
#define ANSWER_TEXT_MAX   GIB

/* --- POST /agent/v1/metadata --- */

struct metadata {
    struct blob *topics; /* shared text */
    struct str agents, settings;
    uint64_t config_version;
};

static void metadata_cleanup(struct call *call)
{
    struct metadata *metadata = call->data;
    blob_unref(metadata->topics);
    str_fini(&metadata->agents);
    str_fini(&metadata->settings);
}

static void metadata_core(struct node *node, struct call *call)
{
    struct metadata *metadata = call->data;
    const struct cluster *cluster = call_cluster(node, call);
    metadata->topics = feed_topics(call->service->feed, cluster);
    metadata->config_version = cluster->config_version;
    feed_print_agents(cluster, &metadata->agents);
    feed_print_settings(cluster, &metadata->settings);
    call_done(call);
}

static void metadata_answer(struct call *call)
{
    const struct metadata *metadata = call->data;
    struct str text;
    str_init(&text, ANSWER_TEXT_MAX);
    str_printf(&text,
               "{\"cursor\":%llu,\"now_ms\":%lld,\"config_version\":%llu,\"agents\":",
               (unsigned long long)call->cursor, (long long)call->now_ms,
               (unsigned long long)metadata->config_version);
    str_append_slice(&text, str_slice(&metadata->agents));
    str_puts(&text, ",\"settings\":");
    str_append_slice(&text, str_slice(&metadata->settings));
    str_puts(&text, ",\"topics\":");
    str_append_slice(&text, blob_slice(metadata->topics));
    str_putc(&text, '}');
    call_reply_text(call, 200, "application/json", &text);
}

void api_cluster_metadata(struct call *call)
{
    struct metadata *metadata = arena_alloc(&call->arena, sizeof(*metadata));
    str_init(&metadata->agents, AGENTS_TEXT_MAX);
    str_init(&metadata->settings, SETTINGS_TEXT_MAX);
    call->data = metadata;
    call->cleanup = metadata_cleanup;
    call_ask(call, metadata_core, metadata_answer);
}

/* --- POST /agent/v1/watch --- */

struct watch {
    struct feed_watch feed;
    struct call *call;
    int64_t wait_ms;
    struct loop_timer timer;
    bool timed;
    struct call_proposal note;
};

static void watch_cleanup(struct call *call)
{
    struct watch *watch = call->data;
    feed_watch_fini(&watch->feed);
}

static void watch_end(struct watch *watch)
{
    if (watch->timed)
        loop_timer_fini(&watch->timer);
    /* Another may lead by now, which knows more. */
    (void)call_may_read(watch->call->service->node, watch->call);
    call_done(watch->call);
}

static void watch_done(struct feed_watch *feed_watch)
{
    watch_end(CONTAINER_OF(feed_watch, struct watch, feed));
}

static void watch_timeout(struct loop_timer *timer, void *arg)
{
    struct watch *watch = arg;
    struct service *service = watch->call->service;
    (void)timer;
    bool waited = feed_cancel(service->feed, &watch->feed,
                              state_applied_index(node_state(service->node)));
    ASSERT(waited);
    watch_end(watch);
}

static void watch_core(struct node *node, struct call *call);

static void ahead_noted(struct node *node, struct call *call)
{
    *feed_ahead_noted(call->service->feed, &call->cluster_id) = true;
    watch_core(node, call);
}

/* Has the agent seen entries that were lost? They lie in the gap that a restore leaves
 * behind the index of its backup, which the state knows; or, which cannot be, after now.
 */
static bool has_seen_lost(const struct state *state, uint64_t seen, uint64_t index)
{
    const struct backup_info *backup = NULL;
    uint64_t restored = 0;

    if (seen > index)
        return true;
    if (index - seen < NODE_RESTORE_GAP / 2)
        return false;
    while ((backup = state_backup_next(state, backup)) != NULL)
        if (backup->applied_index <= seen)
            restored = MAX(restored, backup->applied_index);
    return restored > 0 && seen > restored;
}

/* The agent has seen more of its cluster's history than there is: the cell was restored
 * from a backup, and what was committed after that is missing. It is said, once, where
 * the people of customer and vendor look: in the audit log. */
static void note_ahead(struct node *node, struct call *call, uint64_t index)
{
    struct watch *watch = call->data;
    struct command cmd = {.kind = COMMAND_PURGE, .cluster_id = call->cluster_id};

    log_warn("watch", "commits are missing: an agent has seen later ones than there are",
             "seen_index=%llu applied_index=%llu", (unsigned long long)watch->feed.after,
             (unsigned long long)index);
    call_target(call, "seen index %llu, present index %llu",
                (unsigned long long)watch->feed.after, (unsigned long long)index);
    call_propose(node, call, &watch->note, &cmd, ahead_noted);
}

static void watch_core(struct node *node, struct call *call)
{
    struct watch *watch = call->data;
    struct service *service = call->service;
    uint64_t index = state_applied_index(node_state(node));

    if (has_seen_lost(node_state(node), watch->feed.after, index) &&
        !*feed_ahead_noted(service->feed, &call->cluster_id)) {
        note_ahead(node, call, index);
        return;
    }
    watch->feed.cluster_id = call->cluster_id;
    watch->feed.done = watch_done;
    if (!feed_watch(service->feed, &watch->feed, index))
        return;
    if (watch->wait_ms == 0 || service->stopping) {
        bool waited = feed_cancel(service->feed, &watch->feed, index);
        ASSERT(waited);
        watch_end(watch);
        return;
    }
    watch->timed = true;
    loop_timer_init(&watch->timer, node_loop(node), watch_timeout, watch);
    loop_timer_set(&watch->timer, watch->wait_ms);
}

static void watch_answer(struct call *call)
{
    const struct feed_watch *watch = &((struct watch *)call->data)->feed;
    struct str text;
    str_init(&text, ANSWER_TEXT_MAX);
    str_printf(&text, "{\"cursor\":%llu,\"now_ms\":%lld,\"reset\":%s,\"events\":[",
               (unsigned long long)watch->cursor, (long long)call->now_ms,
               watch->reset ? "true" : "false");
    for (size_t i = 0; i < watch->event_count; i++) {
        if (i > 0)
            str_putc(&text, ',');
        str_append_slice(&text, blob_slice(watch->events[i]));
    }
    str_puts(&text, "]}");
    call_reply_text(call, 200, "application/json", &text);
}

void api_watch(struct call *call)
{
    struct json_reader r = call_reader(call);
    struct watch *watch = arena_alloc(&call->arena, sizeof(*watch));
    int64_t limit_ms = call->service->options->watch_wait_ms;

    watch->feed.after = (uint64_t)json_get_int(&r, call->body, "after", 0, INT64_MAX);
    watch->wait_ms = json_get_int(&r, call->body, "wait_ms", 0, INT64_MAX);
    if (r.failed)
        return;
    watch->wait_ms = MIN(watch->wait_ms, limit_ms);
    watch->call = call;
    call->data = watch;
    call->cleanup = watch_cleanup;
    call_ask(call, watch_core, watch_answer);
}
