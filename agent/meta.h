/* meta.h - what the agent knows of its cluster: topics, their configs, agents.
 *
 * The core thread learns it from the control plane (metadata, watch) and publishes an
 * immutable view; client threads take a reference for the length of one request, so they
 * read without locks and see one consistent state. Offsets are not in here. */
#ifndef AGENT_META_H
#define AGENT_META_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"
#include "common/uuid.h"
#include "proto/setting.h"
#include "proto/topic_config.h"

struct meta_agent {
    int32_t node_id;
    struct uuid agent_id;
    const char *host;
    int32_t port;
    const char *zone; /* "" when unknown */
    const char *rack;
    const char *http_url;
    bool draining;
};

struct meta_topic {
    struct uuid id;
    struct slice name; /* NUL behind it */
    int32_t partitions;
    int16_t replication_factor;
    int64_t created_at_ms;
    struct topic_config config;   /* effective values of the settings that act */
    struct topic_config_set *set; /* what was set explicitly, as text */
};

/* What was set by name for brokers and groups (proto/setting.h). */
struct meta_setting {
    enum setting_kind kind;
    struct slice name; /* of a broker its node id, or "" for all; of a group its id */
    struct topic_config_set *values;
};

struct meta_view {
    struct uuid cluster_id;
    int32_t self_node_id;
    int64_t cursor;            /* control-plane cursor this view is from */
    struct meta_agent *agents; /* by node id */
    size_t agent_count;
    struct meta_topic **topics; /* by name */
    size_t topic_count;
    struct meta_setting *settings; /* by kind and name */
    size_t setting_count;
    /* private */
    atomic_uint refs;
    struct meta_table *by_name, *by_id;
    struct meta_agents *shared_agents;
    struct meta_settings *shared_settings;
};

struct meta;

struct meta *meta_new(const struct uuid *cluster_id);
void meta_free(struct meta *meta); /* views still held stay valid */

/* Any thread. Never NULL; before the first answer of the control plane it is empty with
 * self_node_id -1. */
struct meta_view *meta_acquire(struct meta *meta);
void meta_release(struct meta_view *view);

const struct meta_topic *meta_topic_by_name(const struct meta_view *view,
                                            struct slice name);
const struct meta_topic *meta_topic_by_id(const struct meta_view *view,
                                          const struct uuid *id);
const struct meta_agent *meta_agent_by_id(const struct meta_view *view, int32_t node_id);

/* What was set for NAME of KIND, or NULL: nothing. */
const struct topic_config_set *meta_setting(const struct meta_view *view,
                                            enum setting_kind kind, struct slice name);
/* The value of a broker's setting that holds for this agent: its own, else the one of all
 * brokers; NULL: neither, the agent's option holds. */
const char *meta_own_setting(const struct meta_view *view, const char *name);
/* As a number; ABSENT when nothing was set. */
int64_t meta_own_number(const struct meta_view *view, const char *name, int64_t absent);
bool meta_own_flag(const struct meta_view *view, const char *name, bool absent);

/* Steering: the agents that a client in ZONE is shown (those of its zone that are not
 * draining; when there are none, all that are not draining; when none, all), and the one
 * of them that a partition is given to by rendezvous hashing. */
size_t meta_agents_for_zone(const struct meta_view *view, struct slice zone,
                            const struct meta_agent **agents, size_t max);
const struct meta_agent *meta_leader(const struct meta_agent *const *agents, size_t n,
                                     const struct uuid *topic_id, int32_t partition);

/* ---- Core thread: what the control plane says goes into a draft, which meta_publish
 * makes the view. A call that fails leaves the draft as it was. JSON as in
 * control_api.md. ---- */

struct err;
struct json;

void meta_set_self(struct meta *meta, int32_t node_id);
/* The answer to /agent/v1/metadata: replaces all topics and agents. */
int meta_load(struct meta *meta, const struct json *answer, struct err *err) MUST_CHECK;
/* TOPIC of an event: created or changed. */
int meta_put_topic(struct meta *meta, const struct json *topic,
                   struct err *err) MUST_CHECK;
void meta_delete_topic(struct meta *meta, const struct uuid *topic_id);
/* The whole list of agents. */
int meta_put_agents(struct meta *meta, const struct json *agents,
                    struct err *err) MUST_CHECK;
/* SETTING of an event: what holds for one broker or group from now on; without values:
 * nothing any more. */
int meta_put_setting(struct meta *meta, const struct json *setting,
                     struct err *err) MUST_CHECK;
/* Readers see the draft from now on. Costs nothing when nothing changed. */
void meta_publish(struct meta *meta, int64_t cursor);

#endif
