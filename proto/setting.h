/* setting.h - settings of agents ("brokers") and groups: names, types, bounds.
 *
 * One table (setting.def) serves the control plane, which validates and stores them, and
 * the agents, which list them and act by them. A value's shape is that of a topic's
 * configuration, so the types and checks of topic_config.h serve here too. */
#ifndef PROTO_SETTING_H
#define PROTO_SETTING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "proto/topic_config.h"

/* Of what; the numbers are Kafka's resource types, QUOTA is our own: its "name" is a
 * packed entity and its values are what AlterClientQuotas sets. */
enum setting_kind { SETTING_BROKER = 4, SETTING_GROUP = 32, SETTING_QUOTA = 100 };

extern const struct topic_config_spec broker_settings[], group_settings[];
extern const size_t broker_setting_count, group_setting_count;

/* The setting NAME of KIND, or NULL. For brokers also what is the default of all topics:
 * then the spec is the topic configuration's, and its broker_name is NAME. */
const struct topic_config_spec *setting_find(enum setting_kind kind, struct slice name);
/* A broker setting that is the default of the topics, and so everybody's or nobody's. */
bool setting_is_topic_default(const struct topic_config_spec *spec, struct slice name);
/* A broker setting that all brokers share, since what it is about is nobody's own: the
 * defaults of topics, and of groups. */
bool setting_is_shared(const struct topic_config_spec *spec, struct slice name);
/* 0, or ERR_INVALID: values that are right each by itself, but not together. */
int setting_check_all(enum setting_kind kind, const struct topic_config_set *set,
                      struct err *err) MUST_CHECK;

#endif
