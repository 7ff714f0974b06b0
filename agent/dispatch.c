/* dispatch.c - which handler serves which API. */
#include "agent/dispatch.h"

#include "proto/kafka_gen.h"

static dispatch_fn *const handlers[] = {
    [KAFKA_PRODUCE] = api_produce,
    [KAFKA_FETCH] = api_fetch,
    [KAFKA_LIST_OFFSETS] = api_list_offsets,
    [KAFKA_METADATA] = api_metadata,
    [KAFKA_FIND_COORDINATOR] = api_find_coordinator,
    [KAFKA_OFFSET_COMMIT] = api_offset_commit,
    [KAFKA_OFFSET_FETCH] = api_offset_fetch,
    [KAFKA_JOIN_GROUP] = api_join_group,
    [KAFKA_HEARTBEAT] = api_heartbeat,
    [KAFKA_LEAVE_GROUP] = api_leave_group,
    [KAFKA_SYNC_GROUP] = api_sync_group,
    [KAFKA_DESCRIBE_GROUPS] = api_describe_groups,
    [KAFKA_LIST_GROUPS] = api_list_groups,
    [KAFKA_API_VERSIONS] = api_api_versions,
    [KAFKA_CREATE_TOPICS] = api_create_topics,
    [KAFKA_DELETE_TOPICS] = api_delete_topics,
    [KAFKA_INIT_PRODUCER_ID] = api_init_producer_id,
    [KAFKA_OFFSET_FOR_LEADER_EPOCH] = api_offset_for_leader_epoch,
    [KAFKA_DESCRIBE_CONFIGS] = api_describe_configs,
    [KAFKA_ALTER_CONFIGS] = api_alter_configs,
    [KAFKA_CREATE_PARTITIONS] = api_create_partitions,
    [KAFKA_DELETE_GROUPS] = api_delete_groups,
    [KAFKA_INCREMENTAL_ALTER_CONFIGS] = api_incremental_alter_configs,
    [KAFKA_DESCRIBE_CLUSTER] = api_describe_cluster,
    [KAFKA_CONSUMER_GROUP_HEARTBEAT] = api_consumer_group_heartbeat,
    [KAFKA_CONSUMER_GROUP_DESCRIBE] = api_consumer_group_describe,
    [KAFKA_OFFSET_DELETE] = api_offset_delete,
    [KAFKA_DESCRIBE_TOPIC_PARTITIONS] = api_describe_topic_partitions,
    [KAFKA_DELETE_RECORDS] = api_delete_records,
    [KAFKA_ALTER_REPLICA_LOG_DIRS] = api_alter_replica_log_dirs,
    [KAFKA_DESCRIBE_LOG_DIRS] = api_describe_log_dirs,
    [KAFKA_ELECT_LEADERS] = api_elect_leaders,
    [KAFKA_ALTER_PARTITION_REASSIGNMENTS] = api_alter_partition_reassignments,
    [KAFKA_LIST_PARTITION_REASSIGNMENTS] = api_list_partition_reassignments,
    [KAFKA_DESCRIBE_CLIENT_QUOTAS] = api_describe_client_quotas,
    [KAFKA_ALTER_CLIENT_QUOTAS] = api_alter_client_quotas,
    [KAFKA_DESCRIBE_QUORUM] = api_describe_quorum,
    [KAFKA_UPDATE_FEATURES] = api_update_features,
    [KAFKA_DESCRIBE_PRODUCERS] = api_describe_producers,
    [KAFKA_LIST_CONFIG_RESOURCES] = api_list_config_resources,
};

dispatch_fn *dispatch_find(int16_t key)
{
    return key >= 0 && (size_t)key < ARRAY_LEN(handlers) ? handlers[key] : NULL;
}

bool dispatch_is_advertised(int16_t key)
{
    /* Quotas are kept, but nobody is held to them yet. */
    return dispatch_find(key) != NULL && key != KAFKA_DESCRIBE_CLIENT_QUOTAS &&
           key != KAFKA_ALTER_CLIENT_QUOTAS;
}
