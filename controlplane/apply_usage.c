/* apply_usage.c - what clusters used is counted, by the commands' own time. */
#include "common/err.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

void apply_drop_usage_day(struct state *state, struct usage_day *day)
{
    apply_forget(state, &day->row);
    checkpoint_delete_usage_day(day, &state->deletes);
    usage_remove_day(day);
}

void apply_drop_usage_source(struct state *state, struct usage_source *source)
{
    apply_forget(state, &source->row);
    checkpoint_delete_usage_source(source, &state->deletes);
    usage_remove_source(source);
}

/* The open hour of AT_MS, about to change. */
static struct usage_hour *hour_at(struct state *state, struct cluster *cluster,
                                  int64_t at_ms)
{
    struct usage *usage = &cluster->usage;
    struct usage_day *open = usage_open_day(usage);
    int64_t day = at_ms / USAGE_DAY_MS;

    if (open != NULL)
        apply_touch(state, &open->row); /* changes, or is closed */
    if (open == NULL || open->day < day) {
        open = usage_add_day(cluster, day);
        apply_touch(state, &open->row);
        struct usage_day *oldest =
            CONTAINER_OF(list_first(&usage->days), struct usage_day, node);
        while (oldest->day <= day - USAGE_KEEP_DAYS) {
            apply_drop_usage_day(state, oldest);
            oldest = CONTAINER_OF(list_first(&usage->days), struct usage_day, node);
        }
    }
    return &open->hours[at_ms % USAGE_DAY_MS / USAGE_HOUR_MS];
}

/* One step an hour since the last time: at most those that are kept. */
struct usage_hour *apply_meter(struct state *state, struct cluster *cluster)
{
    struct usage *usage = &cluster->usage;
    int64_t now_ms = state->now_ms;
    int64_t at_ms = MAX(usage->metered_at_ms, now_ms - USAGE_KEEP_DAYS * USAGE_DAY_MS);

    if (usage->metered_at_ms == 0)
        at_ms = now_ms;
    while (cluster->partition_count > 0 && at_ms < now_ms) {
        int64_t end_ms = MIN(at_ms - at_ms % USAGE_HOUR_MS + USAGE_HOUR_MS, now_ms);
        struct usage_hour *hour = hour_at(state, cluster, at_ms);
        usage_count(&hour->partition_ms,
                    cluster->partition_count * (uint64_t)(end_ms - at_ms));
        at_ms = end_ms;
    }
    struct usage_hour *hour = hour_at(state, cluster, now_ms);
    usage->metered_at_ms = now_ms;
    return hour;
}

/* What COUNTER grew by since LAST; a report that was overtaken adds nothing. */
static uint64_t growth(uint64_t counter, uint64_t *last)
{
    uint64_t more = counter > *last ? counter - *last : 0;
    *last = MAX(*last, counter);
    return more;
}

static void meter_store(const struct usage_store *counters, struct usage_store *last,
                        struct usage_store *hour)
{
    usage_count(&hour->put, growth(counters->put, &last->put));
    usage_count(&hour->get, growth(counters->get, &last->get));
    usage_count(&hour->head, growth(counters->head, &last->head));
    usage_count(&hour->list, growth(counters->list, &last->list));
    usage_count(&hour->delete, growth(counters->delete, &last->delete));
    usage_count(&hour->written_bytes,
                growth(counters->written_bytes, &last->written_bytes));
    usage_count(&hour->read_bytes, growth(counters->read_bytes, &last->read_bytes));
}

/* AGENT_ID's source, made if need be; NULL when there are too many. */
static struct usage_source *find_source(struct state *state, struct cluster *cluster,
                                        const struct uuid *agent_id)
{
    struct usage *usage = &cluster->usage;
    struct usage_source *source = usage_source(usage, agent_id);

    if (source != NULL) {
        apply_touch(state, &source->row);
        return source;
    }
    if (usage->source_count >= USAGE_SOURCES_MAX) {
        LIST_FOREACH(node, next, &usage->sources)
        {
            struct usage_source *old = CONTAINER_OF(node, struct usage_source, node);
            if (state->now_ms - old->reported_at_ms <= USAGE_SOURCE_AGE_MS)
                continue;
            apply_drop_usage_source(state, old);
            break;
        }
    }
    if (usage->source_count >= USAGE_SOURCES_MAX)
        return NULL;
    source = usage_add_source(cluster, agent_id, state->catalog.next_serial++);
    apply_touch(state, &source->row);
    return source;
}

void apply_usage_report(struct state *state, const struct command *cmd,
                        struct command_result *result)
{
    const struct usage_counters *counters = &cmd->usage_report.counters;
    struct cluster *cluster = apply_cluster(state, cmd, result);
    if (cluster == NULL)
        return;
    struct usage_source *source =
        find_source(state, cluster, &cmd->usage_report.agent_id);
    if (source == NULL) {
        result->code = ERR_OVERLOADED;
        return;
    }
    if (cmd->usage_report.incarnation < source->incarnation)
        return; /* of a process that is gone, and overtaken by its successor's */
    if (cmd->usage_report.incarnation > source->incarnation) {
        source->incarnation = cmd->usage_report.incarnation;
        source->counters = (struct usage_counters){0};
    }
    source->reported_at_ms = state->now_ms;
    struct usage_counters *last = &source->counters;
    struct usage_hour *hour = apply_meter(state, cluster);
    usage_count(&hour->fetched_bytes,
                growth(counters->fetched_bytes, &last->fetched_bytes));
    usage_count(&hour->fetched_records,
                growth(counters->fetched_records, &last->fetched_records));
    usage_count(&hour->fetch_requests,
                growth(counters->fetch_requests, &last->fetch_requests));
    usage_count(&hour->produce_requests,
                growth(counters->produce_requests, &last->produce_requests));
    meter_store(&counters->store, &last->store, &hour->store);
}
