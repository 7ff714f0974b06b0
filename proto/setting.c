/* setting.c - see setting.h. */
#include "proto/setting.h"

#include <stdlib.h>
#include <string.h>

const struct topic_config_spec broker_settings[] = {
#define BROKER_SETTING(name, type, dflt, allowed, min, max, broker, help)                \
    {name, TOPIC_CONFIG_##type, dflt, allowed, min, max, broker, help},
#include "proto/setting.def"
#undef BROKER_SETTING
};
const size_t broker_setting_count = ARRAY_LEN(broker_settings);

const struct topic_config_spec group_settings[] = {
#define GROUP_SETTING(name, type, dflt, allowed, min, max, broker, help)                 \
    {name, TOPIC_CONFIG_##type, dflt, allowed, min, max, broker, help},
#include "proto/setting.def"
#undef GROUP_SETTING
};
const size_t group_setting_count = ARRAY_LEN(group_settings);

static const struct topic_config_spec *find(const struct topic_config_spec *specs,
                                            size_t count, struct slice name)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_eq_str(name, specs[i].name))
            return &specs[i];
    }
    return NULL;
}

const struct topic_config_spec *setting_find(enum setting_kind kind, struct slice name)
{
    if (kind == SETTING_GROUP)
        return find(group_settings, group_setting_count, name);
    const struct topic_config_spec *spec =
        find(broker_settings, broker_setting_count, name);
    for (size_t i = 0; spec == NULL && i < topic_config_spec_count; i++) {
        const char *synonym = topic_config_specs[i].broker_name;
        if (synonym != NULL && slice_eq_str(name, synonym))
            spec = &topic_config_specs[i];
    }
    return spec;
}

bool setting_is_topic_default(const struct topic_config_spec *spec, struct slice name)
{
    return spec->broker_name != NULL && slice_eq_str(name, spec->broker_name);
}

bool setting_is_shared(const struct topic_config_spec *spec, struct slice name)
{
    static const char groups[] = "group.";
    return setting_is_topic_default(spec, name) ||
           (name.len >= sizeof(groups) - 1 &&
            memcmp(name.ptr, groups, sizeof(groups) - 1) == 0);
}

static int64_t number(const struct topic_config_set *set, const char *name)
{
    const char *text = topic_config_set_get(set, name);
    return text == NULL ? -1 : strtoll(text, NULL, 10);
}

/* A member that sends heartbeats less often than its session lasts would always be
 * removed. */
static int check_session(const struct topic_config_set *set, const char *session_name,
                         const char *interval_name, struct err *err)
{
    int64_t session = number(set, session_name), interval = number(set, interval_name);
    if (session < 0 || interval < 0 || interval < session)
        return 0;
    return err_set(err, ERR_INVALID, "%s must be less than %s", interval_name,
                   session_name);
}

int setting_check_all(enum setting_kind kind, const struct topic_config_set *set,
                      struct err *err)
{
    if (kind == SETTING_GROUP)
        return check_session(set, "consumer.session.timeout.ms",
                             "consumer.heartbeat.interval.ms", err);
    return check_session(set, "group.consumer.session.timeout.ms",
                         "group.consumer.heartbeat.interval.ms", err);
}
