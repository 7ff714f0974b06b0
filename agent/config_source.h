/* config_source.h - Kafka's numbers around configurations (KIP-226). */
#ifndef AGENT_CONFIG_SOURCE_H
#define AGENT_CONFIG_SOURCE_H

/* Where a value comes from. */
enum config_source {
    CONFIG_SOURCE_TOPIC = 1,  /* set on the topic */
    CONFIG_SOURCE_STATIC = 4, /* an option of the agent */
    CONFIG_SOURCE_DEFAULT = 5,
};

/* What is configured. */
enum config_resource {
    CONFIG_RESOURCE_TOPIC = 2,
    CONFIG_RESOURCE_BROKER = 4,
};

#endif
