/* topic_config.h - Kafka's topic configuration: names, types, defaults, validation.
 *
 * One table (topic_config.def) serves the agent (DescribeConfigs, produce rules) and the
 * control plane (validation when created or altered). Source: Kafka 4.2's topic configs.
 */
#ifndef PROTO_TOPIC_CONFIG_H
#define PROTO_TOPIC_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"

/* Kafka's ConfigDef types, with the numbers of DescribeConfigs' ConfigType. */
enum topic_config_type {
    TOPIC_CONFIG_BOOLEAN = 1,
    TOPIC_CONFIG_STRING = 2,
    TOPIC_CONFIG_INT = 3,
    TOPIC_CONFIG_LONG = 5,
    TOPIC_CONFIG_DOUBLE = 6,
    TOPIC_CONFIG_LIST = 7,
};

struct topic_config_spec {
    const char *name; /* "max.message.bytes" */
    enum topic_config_type type;
    const char *default_text; /* "1048588" */
    const char *allowed;      /* "a,b,c" for strings and lists, or NULL */
    int64_t min, max;         /* for INT and LONG */
    const char *broker_name;  /* the broker synonym, "message.max.bytes", or NULL */
    const char *help;         /* one sentence of our own */
};

extern const struct topic_config_spec topic_config_specs[];
extern const size_t topic_config_spec_count;

const struct topic_config_spec *topic_config_find(struct slice name); /* or NULL */
/* 0, or ERR_INVALID with Kafka-like text, for one value. */
int topic_config_check(const struct topic_config_spec *spec, struct slice value,
                       struct err *err) MUST_CHECK;

/* What was set on one topic: texts by name, sorted. */
struct topic_config_set {
    size_t count;
    struct topic_config_entry {
        char *name;
        char *value;
    } * entries;
};

void topic_config_set_fini(struct topic_config_set *set);
void topic_config_set_copy(struct topic_config_set *to,
                           const struct topic_config_set *from);
void topic_config_set_put(struct topic_config_set *set, struct slice name,
                          struct slice value);
void topic_config_set_remove(struct topic_config_set *set, struct slice name);
const char *topic_config_set_get(const struct topic_config_set *set, const char *name);

/* The settings that act in a produce, as numbers. */
struct topic_config {
    int64_t max_message_bytes;
    int64_t timestamp_before_max_ms, timestamp_after_max_ms;
    bool log_append_time;
    bool compacted;  /* cleanup.policy has "compact" */
    int compression; /* enum lz_codec, or -1: "producer" */
    int compression_level;
    int64_t segment_bytes;
};
void topic_config_effective(const struct topic_config_set *set,
                            struct topic_config *config);

/* Kafka's rule for topic names: 1 to 249 of [a-zA-Z0-9._-], not "." or "..". */
bool topic_name_valid(struct slice name);
/* Names that differ only in '.' and '_' collide in metrics: Kafka refuses the second. */
bool topic_name_collides(struct slice a, struct slice b);

#endif
