/* config_source.h - Kafka's numbers around configurations (KIP-226). */
#ifndef AGENT_CONFIG_SOURCE_H
#define AGENT_CONFIG_SOURCE_H

/* Where a value comes from. */
enum config_source {
    CONFIG_SOURCE_TOPIC = 1,   /* set on the topic */
    CONFIG_SOURCE_BROKER = 2,  /* set for one broker while it runs */
    CONFIG_SOURCE_BROKERS = 3, /* set for all brokers */
    CONFIG_SOURCE_STATIC = 4,  /* an option of the agent */
    CONFIG_SOURCE_DEFAULT = 5,
    CONFIG_SOURCE_BROKER_LOGGER = 6,
    CONFIG_SOURCE_GROUP = 8, /* set for the group */
};

/* The one logger of an agent, and the setting that is its level. */
#define ROOT_LOGGER       "root"
#define LOG_LEVEL_SETTING "weft.log.level"

/* What is configured. */
enum config_resource {
    CONFIG_RESOURCE_TOPIC = 2,
    CONFIG_RESOURCE_BROKER = 4,
    CONFIG_RESOURCE_BROKER_LOGGER = 8,
    CONFIG_RESOURCE_CLIENT_METRICS = 16,
    CONFIG_RESOURCE_GROUP = 32,
};

#endif
