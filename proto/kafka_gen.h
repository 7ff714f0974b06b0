/* kafka_gen.h - the Kafka messages as C structs. Made by gen.py from
 * the schemas in kafka/: do not edit. codec.h says how the values look. */
#ifndef PROTO_KAFKA_GEN_H
#define PROTO_KAFKA_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/uuid.h"
#include "proto/codec.h"

enum kafka_api_key {
    KAFKA_PRODUCE = 0,
    KAFKA_FETCH = 1,
    KAFKA_LIST_OFFSETS = 2,
    KAFKA_METADATA = 3,
    KAFKA_OFFSET_COMMIT = 8,
    KAFKA_OFFSET_FETCH = 9,
    KAFKA_FIND_COORDINATOR = 10,
    KAFKA_JOIN_GROUP = 11,
    KAFKA_HEARTBEAT = 12,
    KAFKA_LEAVE_GROUP = 13,
    KAFKA_SYNC_GROUP = 14,
    KAFKA_DESCRIBE_GROUPS = 15,
    KAFKA_LIST_GROUPS = 16,
    KAFKA_API_VERSIONS = 18,
    KAFKA_CREATE_TOPICS = 19,
    KAFKA_DELETE_TOPICS = 20,
    KAFKA_DELETE_RECORDS = 21,
    KAFKA_INIT_PRODUCER_ID = 22,
    KAFKA_OFFSET_FOR_LEADER_EPOCH = 23,
    KAFKA_DESCRIBE_CONFIGS = 32,
    KAFKA_ALTER_CONFIGS = 33,
    KAFKA_ALTER_REPLICA_LOG_DIRS = 34,
    KAFKA_DESCRIBE_LOG_DIRS = 35,
    KAFKA_CREATE_PARTITIONS = 37,
    KAFKA_DELETE_GROUPS = 42,
    KAFKA_ELECT_LEADERS = 43,
    KAFKA_INCREMENTAL_ALTER_CONFIGS = 44,
    KAFKA_ALTER_PARTITION_REASSIGNMENTS = 45,
    KAFKA_LIST_PARTITION_REASSIGNMENTS = 46,
    KAFKA_OFFSET_DELETE = 47,
    KAFKA_DESCRIBE_CLIENT_QUOTAS = 48,
    KAFKA_ALTER_CLIENT_QUOTAS = 49,
    KAFKA_DESCRIBE_QUORUM = 55,
    KAFKA_UPDATE_FEATURES = 57,
    KAFKA_DESCRIBE_CLUSTER = 60,
    KAFKA_DESCRIBE_PRODUCERS = 61,
    KAFKA_CONSUMER_GROUP_HEARTBEAT = 68,
    KAFKA_CONSUMER_GROUP_DESCRIBE = 69,
    KAFKA_LIST_CONFIG_RESOURCES = 74,
    KAFKA_DESCRIBE_TOPIC_PARTITIONS = 75,
};

/* ---- Produce, key 0, versions 3-13 ---- */

struct produce_request_partition {
    int32_t index;
    struct slice records; /* nullable */
};
extern const struct produce_request_partition produce_request_partition_defaults;
extern const struct codec_struct produce_request_partition_type;

struct produce_request_topic {
    struct slice name; /* v3-12 */
    struct uuid topic_id; /* v13+ */
    struct produce_request_partition *partition_data;
    size_t partition_data_count;
};
extern const struct produce_request_topic produce_request_topic_defaults;
extern const struct codec_struct produce_request_topic_type;

struct produce_request {
    struct slice transactional_id; /* nullable */
    int16_t acks;
    int32_t timeout_ms;
    struct produce_request_topic *topic_data;
    size_t topic_data_count;
};
extern const struct produce_request produce_request_defaults;
extern const struct codec_struct produce_request_type;

extern const struct codec_message produce_request_message;

struct produce_response_record_error {
    int32_t batch_index;
    struct slice batch_index_error_message; /* nullable */
};
extern const struct produce_response_record_error produce_response_record_error_defaults;
extern const struct codec_struct produce_response_record_error_type;

struct produce_response_leader {
    int32_t leader_id; /* default -1 */
    int32_t leader_epoch; /* default -1 */
};
extern const struct produce_response_leader produce_response_leader_defaults;
extern const struct codec_struct produce_response_leader_type;

struct produce_response_partition {
    int32_t index;
    int16_t error_code;
    int64_t base_offset;
    int64_t log_append_time_ms; /* default -1 */
    int64_t log_start_offset; /* v5+, default -1 */
    struct produce_response_record_error *record_errors; /* v8+ */
    size_t record_errors_count;
    struct slice error_message; /* v8+, nullable */
    struct produce_response_leader current_leader; /* v10+ */
};
extern const struct produce_response_partition produce_response_partition_defaults;
extern const struct codec_struct produce_response_partition_type;

struct produce_response_topic {
    struct slice name; /* v3-12 */
    struct uuid topic_id; /* v13+ */
    struct produce_response_partition *partition_responses;
    size_t partition_responses_count;
};
extern const struct produce_response_topic produce_response_topic_defaults;
extern const struct codec_struct produce_response_topic_type;

struct produce_response_node {
    int32_t node_id;
    struct slice host;
    int32_t port;
    struct slice rack; /* nullable */
};
extern const struct produce_response_node produce_response_node_defaults;
extern const struct codec_struct produce_response_node_type;

struct produce_response {
    struct produce_response_topic *responses;
    size_t responses_count;
    int32_t throttle_time_ms;
    struct produce_response_node *node_endpoints; /* v10+ */
    size_t node_endpoints_count;
};
extern const struct produce_response produce_response_defaults;
extern const struct codec_struct produce_response_type;

extern const struct codec_message produce_response_message;

/* ---- Fetch, key 1, versions 4-18 ---- */

struct fetch_request_replica_state {
    int32_t replica_id; /* default -1 */
    int64_t replica_epoch; /* default -1 */
};
extern const struct fetch_request_replica_state fetch_request_replica_state_defaults;
extern const struct codec_struct fetch_request_replica_state_type;

struct fetch_request_partition {
    int32_t partition;
    int32_t current_leader_epoch; /* v9+, default -1 */
    int64_t fetch_offset;
    int32_t last_fetched_epoch; /* v12+, default -1 */
    int64_t log_start_offset; /* v5+, default -1 */
    int32_t partition_max_bytes;
    struct uuid replica_directory_id; /* v17+ */
    int64_t high_watermark; /* v18+, default 9223372036854775807 */
};
extern const struct fetch_request_partition fetch_request_partition_defaults;
extern const struct codec_struct fetch_request_partition_type;

struct fetch_request_topic {
    struct slice topic; /* v4-12 */
    struct uuid topic_id; /* v13+ */
    struct fetch_request_partition *partitions;
    size_t partitions_count;
};
extern const struct fetch_request_topic fetch_request_topic_defaults;
extern const struct codec_struct fetch_request_topic_type;

struct fetch_request_forgotten_topic {
    struct slice topic; /* v7-12 */
    struct uuid topic_id; /* v13+ */
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct fetch_request_forgotten_topic fetch_request_forgotten_topic_defaults;
extern const struct codec_struct fetch_request_forgotten_topic_type;

struct fetch_request {
    struct slice cluster_id; /* v12+, nullable */
    int32_t replica_id; /* v4-14, default -1 */
    struct fetch_request_replica_state replica_state; /* v15+ */
    int32_t max_wait_ms;
    int32_t min_bytes;
    int32_t max_bytes; /* default 2147483647 */
    int8_t isolation_level;
    int32_t session_id; /* v7+ */
    int32_t session_epoch; /* v7+, default -1 */
    struct fetch_request_topic *topics;
    size_t topics_count;
    struct fetch_request_forgotten_topic *forgotten_topics_data; /* v7+ */
    size_t forgotten_topics_data_count;
    struct slice rack_id; /* v11+ */
};
extern const struct fetch_request fetch_request_defaults;
extern const struct codec_struct fetch_request_type;

extern const struct codec_message fetch_request_message;

struct fetch_response_epoch_end_offset {
    int32_t epoch; /* default -1 */
    int64_t end_offset; /* default -1 */
};
extern const struct fetch_response_epoch_end_offset fetch_response_epoch_end_offset_defaults;
extern const struct codec_struct fetch_response_epoch_end_offset_type;

struct fetch_response_leader {
    int32_t leader_id; /* default -1 */
    int32_t leader_epoch; /* default -1 */
};
extern const struct fetch_response_leader fetch_response_leader_defaults;
extern const struct codec_struct fetch_response_leader_type;

struct fetch_response_snapshot_id {
    int64_t end_offset; /* default -1 */
    int32_t epoch; /* default -1 */
};
extern const struct fetch_response_snapshot_id fetch_response_snapshot_id_defaults;
extern const struct codec_struct fetch_response_snapshot_id_type;

struct fetch_response_aborted_transaction {
    int64_t producer_id;
    int64_t first_offset;
};
extern const struct fetch_response_aborted_transaction fetch_response_aborted_transaction_defaults;
extern const struct codec_struct fetch_response_aborted_transaction_type;

struct fetch_response_partition {
    int32_t partition_index;
    int16_t error_code;
    int64_t high_watermark;
    int64_t last_stable_offset; /* default -1 */
    int64_t log_start_offset; /* v5+, default -1 */
    struct fetch_response_epoch_end_offset diverging_epoch; /* v12+ */
    struct fetch_response_leader current_leader; /* v12+ */
    struct fetch_response_snapshot_id snapshot_id; /* v12+ */
    struct fetch_response_aborted_transaction *aborted_transactions; /* nullable */
    size_t aborted_transactions_count;
    int32_t preferred_read_replica; /* v11+, default -1 */
    struct slice_list records; /* nullable */
};
extern const struct fetch_response_partition fetch_response_partition_defaults;
extern const struct codec_struct fetch_response_partition_type;

struct fetch_response_topic {
    struct slice topic; /* v4-12 */
    struct uuid topic_id; /* v13+ */
    struct fetch_response_partition *partitions;
    size_t partitions_count;
};
extern const struct fetch_response_topic fetch_response_topic_defaults;
extern const struct codec_struct fetch_response_topic_type;

struct fetch_response_node {
    int32_t node_id;
    struct slice host;
    int32_t port;
    struct slice rack; /* nullable */
};
extern const struct fetch_response_node fetch_response_node_defaults;
extern const struct codec_struct fetch_response_node_type;

struct fetch_response {
    int32_t throttle_time_ms;
    int16_t error_code; /* v7+ */
    int32_t session_id; /* v7+ */
    struct fetch_response_topic *responses;
    size_t responses_count;
    struct fetch_response_node *node_endpoints; /* v16+ */
    size_t node_endpoints_count;
};
extern const struct fetch_response fetch_response_defaults;
extern const struct codec_struct fetch_response_type;

extern const struct codec_message fetch_response_message;

/* ---- ListOffsets, key 2, versions 1-11 ---- */

struct list_offsets_request_partition {
    int32_t partition_index;
    int32_t current_leader_epoch; /* v4+, default -1 */
    int64_t timestamp;
};
extern const struct list_offsets_request_partition list_offsets_request_partition_defaults;
extern const struct codec_struct list_offsets_request_partition_type;

struct list_offsets_request_topic {
    struct slice name;
    struct list_offsets_request_partition *partitions;
    size_t partitions_count;
};
extern const struct list_offsets_request_topic list_offsets_request_topic_defaults;
extern const struct codec_struct list_offsets_request_topic_type;

struct list_offsets_request {
    int32_t replica_id;
    int8_t isolation_level; /* v2+ */
    struct list_offsets_request_topic *topics;
    size_t topics_count;
    int32_t timeout_ms; /* v10+ */
};
extern const struct list_offsets_request list_offsets_request_defaults;
extern const struct codec_struct list_offsets_request_type;

extern const struct codec_message list_offsets_request_message;

struct list_offsets_response_partition {
    int32_t partition_index;
    int16_t error_code;
    int64_t timestamp; /* default -1 */
    int64_t offset; /* default -1 */
    int32_t leader_epoch; /* v4+, default -1 */
};
extern const struct list_offsets_response_partition list_offsets_response_partition_defaults;
extern const struct codec_struct list_offsets_response_partition_type;

struct list_offsets_response_topic {
    struct slice name;
    struct list_offsets_response_partition *partitions;
    size_t partitions_count;
};
extern const struct list_offsets_response_topic list_offsets_response_topic_defaults;
extern const struct codec_struct list_offsets_response_topic_type;

struct list_offsets_response {
    int32_t throttle_time_ms; /* v2+ */
    struct list_offsets_response_topic *topics;
    size_t topics_count;
};
extern const struct list_offsets_response list_offsets_response_defaults;
extern const struct codec_struct list_offsets_response_type;

extern const struct codec_message list_offsets_response_message;

/* ---- Metadata, key 3, versions 0-13 ---- */

struct metadata_request_topic {
    struct uuid topic_id; /* v10+ */
    struct slice name; /* nullable v10+ */
};
extern const struct metadata_request_topic metadata_request_topic_defaults;
extern const struct codec_struct metadata_request_topic_type;

struct metadata_request {
    struct metadata_request_topic *topics; /* nullable v1+ */
    size_t topics_count;
    bool allow_auto_topic_creation; /* v4+, default true */
    bool include_cluster_authorized_operations; /* v8-10 */
    bool include_topic_authorized_operations; /* v8+ */
};
extern const struct metadata_request metadata_request_defaults;
extern const struct codec_struct metadata_request_type;

extern const struct codec_message metadata_request_message;

struct metadata_response_broker {
    int32_t node_id;
    struct slice host;
    int32_t port;
    struct slice rack; /* v1+, nullable */
};
extern const struct metadata_response_broker metadata_response_broker_defaults;
extern const struct codec_struct metadata_response_broker_type;

struct metadata_response_partition {
    int16_t error_code;
    int32_t partition_index;
    int32_t leader_id;
    int32_t leader_epoch; /* v7+, default -1 */
    int32_t *replica_nodes;
    size_t replica_nodes_count;
    int32_t *isr_nodes;
    size_t isr_nodes_count;
    int32_t *offline_replicas; /* v5+ */
    size_t offline_replicas_count;
};
extern const struct metadata_response_partition metadata_response_partition_defaults;
extern const struct codec_struct metadata_response_partition_type;

struct metadata_response_topic {
    int16_t error_code;
    struct slice name; /* nullable v12+ */
    struct uuid topic_id; /* v10+ */
    bool is_internal; /* v1+ */
    struct metadata_response_partition *partitions;
    size_t partitions_count;
    int32_t topic_authorized_operations; /* v8+, default -2147483648 */
};
extern const struct metadata_response_topic metadata_response_topic_defaults;
extern const struct codec_struct metadata_response_topic_type;

struct metadata_response {
    int32_t throttle_time_ms; /* v3+ */
    struct metadata_response_broker *brokers;
    size_t brokers_count;
    struct slice cluster_id; /* v2+, nullable */
    int32_t controller_id; /* v1+, default -1 */
    struct metadata_response_topic *topics;
    size_t topics_count;
    int32_t cluster_authorized_operations; /* v8-10, default -2147483648 */
    int16_t error_code; /* v13+ */
};
extern const struct metadata_response metadata_response_defaults;
extern const struct codec_struct metadata_response_type;

extern const struct codec_message metadata_response_message;

/* ---- OffsetCommit, key 8, versions 2-10 ---- */

struct offset_commit_request_partition {
    int32_t partition_index;
    int64_t committed_offset;
    int32_t committed_leader_epoch; /* v6+, default -1 */
    struct slice committed_metadata; /* nullable */
};
extern const struct offset_commit_request_partition offset_commit_request_partition_defaults;
extern const struct codec_struct offset_commit_request_partition_type;

struct offset_commit_request_topic {
    struct slice name; /* v2-9 */
    struct uuid topic_id; /* v10+ */
    struct offset_commit_request_partition *partitions;
    size_t partitions_count;
};
extern const struct offset_commit_request_topic offset_commit_request_topic_defaults;
extern const struct codec_struct offset_commit_request_topic_type;

struct offset_commit_request {
    struct slice group_id;
    int32_t generation_id_or_member_epoch; /* default -1 */
    struct slice member_id;
    struct slice group_instance_id; /* v7+, nullable */
    int64_t retention_time_ms; /* v2-4, default -1 */
    struct offset_commit_request_topic *topics;
    size_t topics_count;
};
extern const struct offset_commit_request offset_commit_request_defaults;
extern const struct codec_struct offset_commit_request_type;

extern const struct codec_message offset_commit_request_message;

struct offset_commit_response_partition {
    int32_t partition_index;
    int16_t error_code;
};
extern const struct offset_commit_response_partition offset_commit_response_partition_defaults;
extern const struct codec_struct offset_commit_response_partition_type;

struct offset_commit_response_topic {
    struct slice name; /* v2-9 */
    struct uuid topic_id; /* v10+ */
    struct offset_commit_response_partition *partitions;
    size_t partitions_count;
};
extern const struct offset_commit_response_topic offset_commit_response_topic_defaults;
extern const struct codec_struct offset_commit_response_topic_type;

struct offset_commit_response {
    int32_t throttle_time_ms; /* v3+ */
    struct offset_commit_response_topic *topics;
    size_t topics_count;
};
extern const struct offset_commit_response offset_commit_response_defaults;
extern const struct codec_struct offset_commit_response_type;

extern const struct codec_message offset_commit_response_message;

/* ---- OffsetFetch, key 9, versions 1-10 ---- */

struct offset_fetch_request_topic {
    struct slice name;
    int32_t *partition_indexes;
    size_t partition_indexes_count;
};
extern const struct offset_fetch_request_topic offset_fetch_request_topic_defaults;
extern const struct codec_struct offset_fetch_request_topic_type;

struct offset_fetch_request_group_topic {
    struct slice name; /* v8-9 */
    struct uuid topic_id; /* v10+ */
    int32_t *partition_indexes;
    size_t partition_indexes_count;
};
extern const struct offset_fetch_request_group_topic offset_fetch_request_group_topic_defaults;
extern const struct codec_struct offset_fetch_request_group_topic_type;

struct offset_fetch_request_group {
    struct slice group_id;
    struct slice member_id; /* v9+, nullable */
    int32_t member_epoch; /* v9+, default -1 */
    struct offset_fetch_request_group_topic *topics; /* nullable */
    size_t topics_count;
};
extern const struct offset_fetch_request_group offset_fetch_request_group_defaults;
extern const struct codec_struct offset_fetch_request_group_type;

struct offset_fetch_request {
    struct slice group_id; /* v1-7 */
    struct offset_fetch_request_topic *topics; /* v1-7, nullable v2+ */
    size_t topics_count;
    struct offset_fetch_request_group *groups; /* v8+ */
    size_t groups_count;
    bool require_stable; /* v7+ */
};
extern const struct offset_fetch_request offset_fetch_request_defaults;
extern const struct codec_struct offset_fetch_request_type;

extern const struct codec_message offset_fetch_request_message;

struct offset_fetch_response_partition {
    int32_t partition_index;
    int64_t committed_offset;
    int32_t committed_leader_epoch; /* v5+, default -1 */
    struct slice metadata; /* nullable */
    int16_t error_code;
};
extern const struct offset_fetch_response_partition offset_fetch_response_partition_defaults;
extern const struct codec_struct offset_fetch_response_partition_type;

struct offset_fetch_response_topic {
    struct slice name;
    struct offset_fetch_response_partition *partitions;
    size_t partitions_count;
};
extern const struct offset_fetch_response_topic offset_fetch_response_topic_defaults;
extern const struct codec_struct offset_fetch_response_topic_type;

struct offset_fetch_response_group_topic {
    struct slice name; /* v8-9 */
    struct uuid topic_id; /* v10+ */
    struct offset_fetch_response_partition *partitions;
    size_t partitions_count;
};
extern const struct offset_fetch_response_group_topic offset_fetch_response_group_topic_defaults;
extern const struct codec_struct offset_fetch_response_group_topic_type;

struct offset_fetch_response_group {
    struct slice group_id;
    struct offset_fetch_response_group_topic *topics;
    size_t topics_count;
    int16_t error_code;
};
extern const struct offset_fetch_response_group offset_fetch_response_group_defaults;
extern const struct codec_struct offset_fetch_response_group_type;

struct offset_fetch_response {
    int32_t throttle_time_ms; /* v3+ */
    struct offset_fetch_response_topic *topics; /* v1-7 */
    size_t topics_count;
    int16_t error_code; /* v2-7 */
    struct offset_fetch_response_group *groups; /* v8+ */
    size_t groups_count;
};
extern const struct offset_fetch_response offset_fetch_response_defaults;
extern const struct codec_struct offset_fetch_response_type;

extern const struct codec_message offset_fetch_response_message;

/* ---- FindCoordinator, key 10, versions 0-6 ---- */

struct find_coordinator_request {
    struct slice key; /* v0-3 */
    int8_t key_type; /* v1+ */
    struct slice *coordinator_keys; /* v4+ */
    size_t coordinator_keys_count;
};
extern const struct find_coordinator_request find_coordinator_request_defaults;
extern const struct codec_struct find_coordinator_request_type;

extern const struct codec_message find_coordinator_request_message;

struct find_coordinator_response_coordinator {
    struct slice key;
    int32_t node_id;
    struct slice host;
    int32_t port;
    int16_t error_code;
    struct slice error_message; /* nullable */
};
extern const struct find_coordinator_response_coordinator find_coordinator_response_coordinator_defaults;
extern const struct codec_struct find_coordinator_response_coordinator_type;

struct find_coordinator_response {
    int32_t throttle_time_ms; /* v1+ */
    int16_t error_code; /* v0-3 */
    struct slice error_message; /* v1-3, nullable */
    int32_t node_id; /* v0-3 */
    struct slice host; /* v0-3 */
    int32_t port; /* v0-3 */
    struct find_coordinator_response_coordinator *coordinators; /* v4+ */
    size_t coordinators_count;
};
extern const struct find_coordinator_response find_coordinator_response_defaults;
extern const struct codec_struct find_coordinator_response_type;

extern const struct codec_message find_coordinator_response_message;

/* ---- JoinGroup, key 11, versions 0-9 ---- */

struct join_group_request_protocol {
    struct slice name;
    struct slice metadata;
};
extern const struct join_group_request_protocol join_group_request_protocol_defaults;
extern const struct codec_struct join_group_request_protocol_type;

struct join_group_request {
    struct slice group_id;
    int32_t session_timeout_ms;
    int32_t rebalance_timeout_ms; /* v1+, default -1 */
    struct slice member_id;
    struct slice group_instance_id; /* v5+, nullable */
    struct slice protocol_type;
    struct join_group_request_protocol *protocols;
    size_t protocols_count;
    struct slice reason; /* v8+, nullable */
};
extern const struct join_group_request join_group_request_defaults;
extern const struct codec_struct join_group_request_type;

extern const struct codec_message join_group_request_message;

struct join_group_response_member {
    struct slice member_id;
    struct slice group_instance_id; /* v5+, nullable */
    struct slice metadata;
};
extern const struct join_group_response_member join_group_response_member_defaults;
extern const struct codec_struct join_group_response_member_type;

struct join_group_response {
    int32_t throttle_time_ms; /* v2+ */
    int16_t error_code;
    int32_t generation_id; /* default -1 */
    struct slice protocol_type; /* v7+, nullable */
    struct slice protocol_name; /* nullable v7+ */
    struct slice leader;
    bool skip_assignment; /* v9+ */
    struct slice member_id;
    struct join_group_response_member *members;
    size_t members_count;
};
extern const struct join_group_response join_group_response_defaults;
extern const struct codec_struct join_group_response_type;

extern const struct codec_message join_group_response_message;

/* ---- Heartbeat, key 12, versions 0-4 ---- */

struct heartbeat_request {
    struct slice group_id;
    int32_t generation_id;
    struct slice member_id;
    struct slice group_instance_id; /* v3+, nullable */
};
extern const struct heartbeat_request heartbeat_request_defaults;
extern const struct codec_struct heartbeat_request_type;

extern const struct codec_message heartbeat_request_message;

struct heartbeat_response {
    int32_t throttle_time_ms; /* v1+ */
    int16_t error_code;
};
extern const struct heartbeat_response heartbeat_response_defaults;
extern const struct codec_struct heartbeat_response_type;

extern const struct codec_message heartbeat_response_message;

/* ---- LeaveGroup, key 13, versions 0-5 ---- */

struct leave_group_request_member {
    struct slice member_id;
    struct slice group_instance_id; /* nullable */
    struct slice reason; /* v5+, nullable */
};
extern const struct leave_group_request_member leave_group_request_member_defaults;
extern const struct codec_struct leave_group_request_member_type;

struct leave_group_request {
    struct slice group_id;
    struct slice member_id; /* v0-2 */
    struct leave_group_request_member *members; /* v3+ */
    size_t members_count;
};
extern const struct leave_group_request leave_group_request_defaults;
extern const struct codec_struct leave_group_request_type;

extern const struct codec_message leave_group_request_message;

struct leave_group_response_member {
    struct slice member_id;
    struct slice group_instance_id; /* nullable */
    int16_t error_code;
};
extern const struct leave_group_response_member leave_group_response_member_defaults;
extern const struct codec_struct leave_group_response_member_type;

struct leave_group_response {
    int32_t throttle_time_ms; /* v1+ */
    int16_t error_code;
    struct leave_group_response_member *members; /* v3+ */
    size_t members_count;
};
extern const struct leave_group_response leave_group_response_defaults;
extern const struct codec_struct leave_group_response_type;

extern const struct codec_message leave_group_response_message;

/* ---- SyncGroup, key 14, versions 0-5 ---- */

struct sync_group_request_assignment {
    struct slice member_id;
    struct slice assignment;
};
extern const struct sync_group_request_assignment sync_group_request_assignment_defaults;
extern const struct codec_struct sync_group_request_assignment_type;

struct sync_group_request {
    struct slice group_id;
    int32_t generation_id;
    struct slice member_id;
    struct slice group_instance_id; /* v3+, nullable */
    struct slice protocol_type; /* v5+, nullable */
    struct slice protocol_name; /* v5+, nullable */
    struct sync_group_request_assignment *assignments;
    size_t assignments_count;
};
extern const struct sync_group_request sync_group_request_defaults;
extern const struct codec_struct sync_group_request_type;

extern const struct codec_message sync_group_request_message;

struct sync_group_response {
    int32_t throttle_time_ms; /* v1+ */
    int16_t error_code;
    struct slice protocol_type; /* v5+, nullable */
    struct slice protocol_name; /* v5+, nullable */
    struct slice assignment;
};
extern const struct sync_group_response sync_group_response_defaults;
extern const struct codec_struct sync_group_response_type;

extern const struct codec_message sync_group_response_message;

/* ---- DescribeGroups, key 15, versions 0-6 ---- */

struct describe_groups_request {
    struct slice *groups;
    size_t groups_count;
    bool include_authorized_operations; /* v3+ */
};
extern const struct describe_groups_request describe_groups_request_defaults;
extern const struct codec_struct describe_groups_request_type;

extern const struct codec_message describe_groups_request_message;

struct describe_groups_response_member {
    struct slice member_id;
    struct slice group_instance_id; /* v4+, nullable */
    struct slice client_id;
    struct slice client_host;
    struct slice member_metadata;
    struct slice member_assignment;
};
extern const struct describe_groups_response_member describe_groups_response_member_defaults;
extern const struct codec_struct describe_groups_response_member_type;

struct describe_groups_response_group {
    int16_t error_code;
    struct slice error_message; /* v6+, nullable */
    struct slice group_id;
    struct slice group_state;
    struct slice protocol_type;
    struct slice protocol_data;
    struct describe_groups_response_member *members;
    size_t members_count;
    int32_t authorized_operations; /* v3+, default -2147483648 */
};
extern const struct describe_groups_response_group describe_groups_response_group_defaults;
extern const struct codec_struct describe_groups_response_group_type;

struct describe_groups_response {
    int32_t throttle_time_ms; /* v1+ */
    struct describe_groups_response_group *groups;
    size_t groups_count;
};
extern const struct describe_groups_response describe_groups_response_defaults;
extern const struct codec_struct describe_groups_response_type;

extern const struct codec_message describe_groups_response_message;

/* ---- ListGroups, key 16, versions 0-5 ---- */

struct list_groups_request {
    struct slice *states_filter; /* v4+ */
    size_t states_filter_count;
    struct slice *types_filter; /* v5+ */
    size_t types_filter_count;
};
extern const struct list_groups_request list_groups_request_defaults;
extern const struct codec_struct list_groups_request_type;

extern const struct codec_message list_groups_request_message;

struct list_groups_response_group {
    struct slice group_id;
    struct slice protocol_type;
    struct slice group_state; /* v4+ */
    struct slice group_type; /* v5+ */
};
extern const struct list_groups_response_group list_groups_response_group_defaults;
extern const struct codec_struct list_groups_response_group_type;

struct list_groups_response {
    int32_t throttle_time_ms; /* v1+ */
    int16_t error_code;
    struct list_groups_response_group *groups;
    size_t groups_count;
};
extern const struct list_groups_response list_groups_response_defaults;
extern const struct codec_struct list_groups_response_type;

extern const struct codec_message list_groups_response_message;

/* ---- ApiVersions, key 18, versions 0-4 ---- */

struct api_versions_request {
    struct slice client_software_name; /* v3+ */
    struct slice client_software_version; /* v3+ */
};
extern const struct api_versions_request api_versions_request_defaults;
extern const struct codec_struct api_versions_request_type;

extern const struct codec_message api_versions_request_message;

struct api_versions_response_api {
    int16_t api_key;
    int16_t min_version;
    int16_t max_version;
};
extern const struct api_versions_response_api api_versions_response_api_defaults;
extern const struct codec_struct api_versions_response_api_type;

struct api_versions_response_supported_feature {
    struct slice name;
    int16_t min_version;
    int16_t max_version;
};
extern const struct api_versions_response_supported_feature api_versions_response_supported_feature_defaults;
extern const struct codec_struct api_versions_response_supported_feature_type;

struct api_versions_response_finalized_feature {
    struct slice name;
    int16_t max_version_level;
    int16_t min_version_level;
};
extern const struct api_versions_response_finalized_feature api_versions_response_finalized_feature_defaults;
extern const struct codec_struct api_versions_response_finalized_feature_type;

struct api_versions_response {
    int16_t error_code;
    struct api_versions_response_api *api_keys;
    size_t api_keys_count;
    int32_t throttle_time_ms; /* v1+ */
    struct api_versions_response_supported_feature *supported_features; /* v3+ */
    size_t supported_features_count;
    int64_t finalized_features_epoch; /* v3+, default -1 */
    struct api_versions_response_finalized_feature *finalized_features; /* v3+ */
    size_t finalized_features_count;
    bool zk_migration_ready; /* v3+ */
};
extern const struct api_versions_response api_versions_response_defaults;
extern const struct codec_struct api_versions_response_type;

extern const struct codec_message api_versions_response_message;

/* ---- CreateTopics, key 19, versions 2-7 ---- */

struct create_topics_request_assignment {
    int32_t partition_index;
    int32_t *broker_ids;
    size_t broker_ids_count;
};
extern const struct create_topics_request_assignment create_topics_request_assignment_defaults;
extern const struct codec_struct create_topics_request_assignment_type;

struct create_topics_request_config {
    struct slice name;
    struct slice value; /* nullable */
};
extern const struct create_topics_request_config create_topics_request_config_defaults;
extern const struct codec_struct create_topics_request_config_type;

struct create_topics_request_topic {
    struct slice name;
    int32_t num_partitions;
    int16_t replication_factor;
    struct create_topics_request_assignment *assignments;
    size_t assignments_count;
    struct create_topics_request_config *configs;
    size_t configs_count;
};
extern const struct create_topics_request_topic create_topics_request_topic_defaults;
extern const struct codec_struct create_topics_request_topic_type;

struct create_topics_request {
    struct create_topics_request_topic *topics;
    size_t topics_count;
    int32_t timeout_ms; /* default 60000 */
    bool validate_only;
};
extern const struct create_topics_request create_topics_request_defaults;
extern const struct codec_struct create_topics_request_type;

extern const struct codec_message create_topics_request_message;

struct create_topics_response_config {
    struct slice name;
    struct slice value; /* nullable */
    bool read_only;
    int8_t config_source; /* default -1 */
    bool is_sensitive;
};
extern const struct create_topics_response_config create_topics_response_config_defaults;
extern const struct codec_struct create_topics_response_config_type;

struct create_topics_response_topic {
    struct slice name;
    struct uuid topic_id; /* v7+ */
    int16_t error_code;
    struct slice error_message; /* nullable */
    int16_t topic_config_error_code; /* v5+ */
    int32_t num_partitions; /* v5+, default -1 */
    int16_t replication_factor; /* v5+, default -1 */
    struct create_topics_response_config *configs; /* v5+, nullable */
    size_t configs_count;
};
extern const struct create_topics_response_topic create_topics_response_topic_defaults;
extern const struct codec_struct create_topics_response_topic_type;

struct create_topics_response {
    int32_t throttle_time_ms;
    struct create_topics_response_topic *topics;
    size_t topics_count;
};
extern const struct create_topics_response create_topics_response_defaults;
extern const struct codec_struct create_topics_response_type;

extern const struct codec_message create_topics_response_message;

/* ---- DeleteTopics, key 20, versions 1-6 ---- */

struct delete_topics_request_topic {
    struct slice name; /* nullable */
    struct uuid topic_id;
};
extern const struct delete_topics_request_topic delete_topics_request_topic_defaults;
extern const struct codec_struct delete_topics_request_topic_type;

struct delete_topics_request {
    struct delete_topics_request_topic *topics; /* v6+ */
    size_t topics_count;
    struct slice *topic_names; /* v1-5 */
    size_t topic_names_count;
    int32_t timeout_ms;
};
extern const struct delete_topics_request delete_topics_request_defaults;
extern const struct codec_struct delete_topics_request_type;

extern const struct codec_message delete_topics_request_message;

struct delete_topics_response_topic {
    struct slice name; /* nullable v6+ */
    struct uuid topic_id; /* v6+ */
    int16_t error_code;
    struct slice error_message; /* v5+, nullable */
};
extern const struct delete_topics_response_topic delete_topics_response_topic_defaults;
extern const struct codec_struct delete_topics_response_topic_type;

struct delete_topics_response {
    int32_t throttle_time_ms;
    struct delete_topics_response_topic *responses;
    size_t responses_count;
};
extern const struct delete_topics_response delete_topics_response_defaults;
extern const struct codec_struct delete_topics_response_type;

extern const struct codec_message delete_topics_response_message;

/* ---- DeleteRecords, key 21, versions 0-2 ---- */

struct delete_records_request_partition {
    int32_t partition_index;
    int64_t offset;
};
extern const struct delete_records_request_partition delete_records_request_partition_defaults;
extern const struct codec_struct delete_records_request_partition_type;

struct delete_records_request_topic {
    struct slice name;
    struct delete_records_request_partition *partitions;
    size_t partitions_count;
};
extern const struct delete_records_request_topic delete_records_request_topic_defaults;
extern const struct codec_struct delete_records_request_topic_type;

struct delete_records_request {
    struct delete_records_request_topic *topics;
    size_t topics_count;
    int32_t timeout_ms;
};
extern const struct delete_records_request delete_records_request_defaults;
extern const struct codec_struct delete_records_request_type;

extern const struct codec_message delete_records_request_message;

struct delete_records_response_partition {
    int32_t partition_index;
    int64_t low_watermark;
    int16_t error_code;
};
extern const struct delete_records_response_partition delete_records_response_partition_defaults;
extern const struct codec_struct delete_records_response_partition_type;

struct delete_records_response_topic {
    struct slice name;
    struct delete_records_response_partition *partitions;
    size_t partitions_count;
};
extern const struct delete_records_response_topic delete_records_response_topic_defaults;
extern const struct codec_struct delete_records_response_topic_type;

struct delete_records_response {
    int32_t throttle_time_ms;
    struct delete_records_response_topic *topics;
    size_t topics_count;
};
extern const struct delete_records_response delete_records_response_defaults;
extern const struct codec_struct delete_records_response_type;

extern const struct codec_message delete_records_response_message;

/* ---- InitProducerId, key 22, versions 0-5 ---- */

struct init_producer_id_request {
    struct slice transactional_id; /* nullable */
    int32_t transaction_timeout_ms;
    int64_t producer_id; /* v3+, default -1 */
    int16_t producer_epoch; /* v3+, default -1 */
};
extern const struct init_producer_id_request init_producer_id_request_defaults;
extern const struct codec_struct init_producer_id_request_type;

extern const struct codec_message init_producer_id_request_message;

struct init_producer_id_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    int64_t producer_id; /* default -1 */
    int16_t producer_epoch;
};
extern const struct init_producer_id_response init_producer_id_response_defaults;
extern const struct codec_struct init_producer_id_response_type;

extern const struct codec_message init_producer_id_response_message;

/* ---- OffsetForLeaderEpoch, key 23, versions 2-4 ---- */

struct offset_for_leader_epoch_request_partition {
    int32_t partition;
    int32_t current_leader_epoch; /* default -1 */
    int32_t leader_epoch;
};
extern const struct offset_for_leader_epoch_request_partition offset_for_leader_epoch_request_partition_defaults;
extern const struct codec_struct offset_for_leader_epoch_request_partition_type;

struct offset_for_leader_epoch_request_topic {
    struct slice topic;
    struct offset_for_leader_epoch_request_partition *partitions;
    size_t partitions_count;
};
extern const struct offset_for_leader_epoch_request_topic offset_for_leader_epoch_request_topic_defaults;
extern const struct codec_struct offset_for_leader_epoch_request_topic_type;

struct offset_for_leader_epoch_request {
    int32_t replica_id; /* v3+, default -2 */
    struct offset_for_leader_epoch_request_topic *topics;
    size_t topics_count;
};
extern const struct offset_for_leader_epoch_request offset_for_leader_epoch_request_defaults;
extern const struct codec_struct offset_for_leader_epoch_request_type;

extern const struct codec_message offset_for_leader_epoch_request_message;

struct offset_for_leader_epoch_response_partition {
    int16_t error_code;
    int32_t partition;
    int32_t leader_epoch; /* default -1 */
    int64_t end_offset; /* default -1 */
};
extern const struct offset_for_leader_epoch_response_partition offset_for_leader_epoch_response_partition_defaults;
extern const struct codec_struct offset_for_leader_epoch_response_partition_type;

struct offset_for_leader_epoch_response_topic {
    struct slice topic;
    struct offset_for_leader_epoch_response_partition *partitions;
    size_t partitions_count;
};
extern const struct offset_for_leader_epoch_response_topic offset_for_leader_epoch_response_topic_defaults;
extern const struct codec_struct offset_for_leader_epoch_response_topic_type;

struct offset_for_leader_epoch_response {
    int32_t throttle_time_ms;
    struct offset_for_leader_epoch_response_topic *topics;
    size_t topics_count;
};
extern const struct offset_for_leader_epoch_response offset_for_leader_epoch_response_defaults;
extern const struct codec_struct offset_for_leader_epoch_response_type;

extern const struct codec_message offset_for_leader_epoch_response_message;

/* ---- DescribeConfigs, key 32, versions 1-4 ---- */

struct describe_configs_request_resource {
    int8_t resource_type;
    struct slice resource_name;
    struct slice *configuration_keys; /* nullable */
    size_t configuration_keys_count;
};
extern const struct describe_configs_request_resource describe_configs_request_resource_defaults;
extern const struct codec_struct describe_configs_request_resource_type;

struct describe_configs_request {
    struct describe_configs_request_resource *resources;
    size_t resources_count;
    bool include_synonyms;
    bool include_documentation; /* v3+ */
};
extern const struct describe_configs_request describe_configs_request_defaults;
extern const struct codec_struct describe_configs_request_type;

extern const struct codec_message describe_configs_request_message;

struct describe_configs_response_synonym {
    struct slice name;
    struct slice value; /* nullable */
    int8_t source;
};
extern const struct describe_configs_response_synonym describe_configs_response_synonym_defaults;
extern const struct codec_struct describe_configs_response_synonym_type;

struct describe_configs_response_config {
    struct slice name;
    struct slice value; /* nullable */
    bool read_only;
    int8_t config_source; /* default -1 */
    bool is_sensitive;
    struct describe_configs_response_synonym *synonyms;
    size_t synonyms_count;
    int8_t config_type; /* v3+ */
    struct slice documentation; /* v3+, nullable */
};
extern const struct describe_configs_response_config describe_configs_response_config_defaults;
extern const struct codec_struct describe_configs_response_config_type;

struct describe_configs_response_result {
    int16_t error_code;
    struct slice error_message; /* nullable */
    int8_t resource_type;
    struct slice resource_name;
    struct describe_configs_response_config *configs;
    size_t configs_count;
};
extern const struct describe_configs_response_result describe_configs_response_result_defaults;
extern const struct codec_struct describe_configs_response_result_type;

struct describe_configs_response {
    int32_t throttle_time_ms;
    struct describe_configs_response_result *results;
    size_t results_count;
};
extern const struct describe_configs_response describe_configs_response_defaults;
extern const struct codec_struct describe_configs_response_type;

extern const struct codec_message describe_configs_response_message;

/* ---- AlterConfigs, key 33, versions 0-2 ---- */

struct alter_configs_request_config {
    struct slice name;
    struct slice value; /* nullable */
};
extern const struct alter_configs_request_config alter_configs_request_config_defaults;
extern const struct codec_struct alter_configs_request_config_type;

struct alter_configs_request_resource {
    int8_t resource_type;
    struct slice resource_name;
    struct alter_configs_request_config *configs;
    size_t configs_count;
};
extern const struct alter_configs_request_resource alter_configs_request_resource_defaults;
extern const struct codec_struct alter_configs_request_resource_type;

struct alter_configs_request {
    struct alter_configs_request_resource *resources;
    size_t resources_count;
    bool validate_only;
};
extern const struct alter_configs_request alter_configs_request_defaults;
extern const struct codec_struct alter_configs_request_type;

extern const struct codec_message alter_configs_request_message;

struct alter_configs_response_result {
    int16_t error_code;
    struct slice error_message; /* nullable */
    int8_t resource_type;
    struct slice resource_name;
};
extern const struct alter_configs_response_result alter_configs_response_result_defaults;
extern const struct codec_struct alter_configs_response_result_type;

struct alter_configs_response {
    int32_t throttle_time_ms;
    struct alter_configs_response_result *responses;
    size_t responses_count;
};
extern const struct alter_configs_response alter_configs_response_defaults;
extern const struct codec_struct alter_configs_response_type;

extern const struct codec_message alter_configs_response_message;

/* ---- AlterReplicaLogDirs, key 34, versions 1-2 ---- */

struct alter_replica_log_dirs_request_topic {
    struct slice name;
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct alter_replica_log_dirs_request_topic alter_replica_log_dirs_request_topic_defaults;
extern const struct codec_struct alter_replica_log_dirs_request_topic_type;

struct alter_replica_log_dirs_request_dir {
    struct slice path;
    struct alter_replica_log_dirs_request_topic *topics;
    size_t topics_count;
};
extern const struct alter_replica_log_dirs_request_dir alter_replica_log_dirs_request_dir_defaults;
extern const struct codec_struct alter_replica_log_dirs_request_dir_type;

struct alter_replica_log_dirs_request {
    struct alter_replica_log_dirs_request_dir *dirs;
    size_t dirs_count;
};
extern const struct alter_replica_log_dirs_request alter_replica_log_dirs_request_defaults;
extern const struct codec_struct alter_replica_log_dirs_request_type;

extern const struct codec_message alter_replica_log_dirs_request_message;

struct alter_replica_log_dirs_response_partition {
    int32_t partition_index;
    int16_t error_code;
};
extern const struct alter_replica_log_dirs_response_partition alter_replica_log_dirs_response_partition_defaults;
extern const struct codec_struct alter_replica_log_dirs_response_partition_type;

struct alter_replica_log_dirs_response_result {
    struct slice topic_name;
    struct alter_replica_log_dirs_response_partition *partitions;
    size_t partitions_count;
};
extern const struct alter_replica_log_dirs_response_result alter_replica_log_dirs_response_result_defaults;
extern const struct codec_struct alter_replica_log_dirs_response_result_type;

struct alter_replica_log_dirs_response {
    int32_t throttle_time_ms;
    struct alter_replica_log_dirs_response_result *results;
    size_t results_count;
};
extern const struct alter_replica_log_dirs_response alter_replica_log_dirs_response_defaults;
extern const struct codec_struct alter_replica_log_dirs_response_type;

extern const struct codec_message alter_replica_log_dirs_response_message;

/* ---- DescribeLogDirs, key 35, versions 1-4 ---- */

struct describe_log_dirs_request_topic {
    struct slice topic;
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct describe_log_dirs_request_topic describe_log_dirs_request_topic_defaults;
extern const struct codec_struct describe_log_dirs_request_topic_type;

struct describe_log_dirs_request {
    struct describe_log_dirs_request_topic *topics; /* nullable */
    size_t topics_count;
};
extern const struct describe_log_dirs_request describe_log_dirs_request_defaults;
extern const struct codec_struct describe_log_dirs_request_type;

extern const struct codec_message describe_log_dirs_request_message;

struct describe_log_dirs_response_partition {
    int32_t partition_index;
    int64_t partition_size;
    int64_t offset_lag;
    bool is_future_key;
};
extern const struct describe_log_dirs_response_partition describe_log_dirs_response_partition_defaults;
extern const struct codec_struct describe_log_dirs_response_partition_type;

struct describe_log_dirs_response_topic {
    struct slice name;
    struct describe_log_dirs_response_partition *partitions;
    size_t partitions_count;
};
extern const struct describe_log_dirs_response_topic describe_log_dirs_response_topic_defaults;
extern const struct codec_struct describe_log_dirs_response_topic_type;

struct describe_log_dirs_response_result {
    int16_t error_code;
    struct slice log_dir;
    struct describe_log_dirs_response_topic *topics;
    size_t topics_count;
    int64_t total_bytes; /* v4+, default -1 */
    int64_t usable_bytes; /* v4+, default -1 */
};
extern const struct describe_log_dirs_response_result describe_log_dirs_response_result_defaults;
extern const struct codec_struct describe_log_dirs_response_result_type;

struct describe_log_dirs_response {
    int32_t throttle_time_ms;
    int16_t error_code; /* v3+ */
    struct describe_log_dirs_response_result *results;
    size_t results_count;
};
extern const struct describe_log_dirs_response describe_log_dirs_response_defaults;
extern const struct codec_struct describe_log_dirs_response_type;

extern const struct codec_message describe_log_dirs_response_message;

/* ---- CreatePartitions, key 37, versions 0-3 ---- */

struct create_partitions_request_assignment {
    int32_t *broker_ids;
    size_t broker_ids_count;
};
extern const struct create_partitions_request_assignment create_partitions_request_assignment_defaults;
extern const struct codec_struct create_partitions_request_assignment_type;

struct create_partitions_request_topic {
    struct slice name;
    int32_t count;
    struct create_partitions_request_assignment *assignments; /* nullable */
    size_t assignments_count;
};
extern const struct create_partitions_request_topic create_partitions_request_topic_defaults;
extern const struct codec_struct create_partitions_request_topic_type;

struct create_partitions_request {
    struct create_partitions_request_topic *topics;
    size_t topics_count;
    int32_t timeout_ms;
    bool validate_only;
};
extern const struct create_partitions_request create_partitions_request_defaults;
extern const struct codec_struct create_partitions_request_type;

extern const struct codec_message create_partitions_request_message;

struct create_partitions_response_result {
    struct slice name;
    int16_t error_code;
    struct slice error_message; /* nullable */
};
extern const struct create_partitions_response_result create_partitions_response_result_defaults;
extern const struct codec_struct create_partitions_response_result_type;

struct create_partitions_response {
    int32_t throttle_time_ms;
    struct create_partitions_response_result *results;
    size_t results_count;
};
extern const struct create_partitions_response create_partitions_response_defaults;
extern const struct codec_struct create_partitions_response_type;

extern const struct codec_message create_partitions_response_message;

/* ---- DeleteGroups, key 42, versions 0-2 ---- */

struct delete_groups_request {
    struct slice *groups_names;
    size_t groups_names_count;
};
extern const struct delete_groups_request delete_groups_request_defaults;
extern const struct codec_struct delete_groups_request_type;

extern const struct codec_message delete_groups_request_message;

struct delete_groups_response_result {
    struct slice group_id;
    int16_t error_code;
};
extern const struct delete_groups_response_result delete_groups_response_result_defaults;
extern const struct codec_struct delete_groups_response_result_type;

struct delete_groups_response {
    int32_t throttle_time_ms;
    struct delete_groups_response_result *results;
    size_t results_count;
};
extern const struct delete_groups_response delete_groups_response_defaults;
extern const struct codec_struct delete_groups_response_type;

extern const struct codec_message delete_groups_response_message;

/* ---- ElectLeaders, key 43, versions 0-2 ---- */

struct elect_leaders_request_topic {
    struct slice topic;
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct elect_leaders_request_topic elect_leaders_request_topic_defaults;
extern const struct codec_struct elect_leaders_request_topic_type;

struct elect_leaders_request {
    int8_t election_type; /* v1+ */
    struct elect_leaders_request_topic *topic_partitions; /* nullable */
    size_t topic_partitions_count;
    int32_t timeout_ms; /* default 60000 */
};
extern const struct elect_leaders_request elect_leaders_request_defaults;
extern const struct codec_struct elect_leaders_request_type;

extern const struct codec_message elect_leaders_request_message;

struct elect_leaders_response_partition {
    int32_t partition_id;
    int16_t error_code;
    struct slice error_message; /* nullable */
};
extern const struct elect_leaders_response_partition elect_leaders_response_partition_defaults;
extern const struct codec_struct elect_leaders_response_partition_type;

struct elect_leaders_response_result {
    struct slice topic;
    struct elect_leaders_response_partition *partition_result;
    size_t partition_result_count;
};
extern const struct elect_leaders_response_result elect_leaders_response_result_defaults;
extern const struct codec_struct elect_leaders_response_result_type;

struct elect_leaders_response {
    int32_t throttle_time_ms;
    int16_t error_code; /* v1+ */
    struct elect_leaders_response_result *replica_election_results;
    size_t replica_election_results_count;
};
extern const struct elect_leaders_response elect_leaders_response_defaults;
extern const struct codec_struct elect_leaders_response_type;

extern const struct codec_message elect_leaders_response_message;

/* ---- IncrementalAlterConfigs, key 44, versions 0-1 ---- */

struct incremental_alter_configs_request_config {
    struct slice name;
    int8_t config_operation;
    struct slice value; /* nullable */
};
extern const struct incremental_alter_configs_request_config incremental_alter_configs_request_config_defaults;
extern const struct codec_struct incremental_alter_configs_request_config_type;

struct incremental_alter_configs_request_resource {
    int8_t resource_type;
    struct slice resource_name;
    struct incremental_alter_configs_request_config *configs;
    size_t configs_count;
};
extern const struct incremental_alter_configs_request_resource incremental_alter_configs_request_resource_defaults;
extern const struct codec_struct incremental_alter_configs_request_resource_type;

struct incremental_alter_configs_request {
    struct incremental_alter_configs_request_resource *resources;
    size_t resources_count;
    bool validate_only;
};
extern const struct incremental_alter_configs_request incremental_alter_configs_request_defaults;
extern const struct codec_struct incremental_alter_configs_request_type;

extern const struct codec_message incremental_alter_configs_request_message;

struct incremental_alter_configs_response_result {
    int16_t error_code;
    struct slice error_message; /* nullable */
    int8_t resource_type;
    struct slice resource_name;
};
extern const struct incremental_alter_configs_response_result incremental_alter_configs_response_result_defaults;
extern const struct codec_struct incremental_alter_configs_response_result_type;

struct incremental_alter_configs_response {
    int32_t throttle_time_ms;
    struct incremental_alter_configs_response_result *responses;
    size_t responses_count;
};
extern const struct incremental_alter_configs_response incremental_alter_configs_response_defaults;
extern const struct codec_struct incremental_alter_configs_response_type;

extern const struct codec_message incremental_alter_configs_response_message;

/* ---- AlterPartitionReassignments, key 45, versions 0-1 ---- */

struct alter_partition_reassignments_request_partition {
    int32_t partition_index;
    int32_t *replicas; /* nullable */
    size_t replicas_count;
};
extern const struct alter_partition_reassignments_request_partition alter_partition_reassignments_request_partition_defaults;
extern const struct codec_struct alter_partition_reassignments_request_partition_type;

struct alter_partition_reassignments_request_topic {
    struct slice name;
    struct alter_partition_reassignments_request_partition *partitions;
    size_t partitions_count;
};
extern const struct alter_partition_reassignments_request_topic alter_partition_reassignments_request_topic_defaults;
extern const struct codec_struct alter_partition_reassignments_request_topic_type;

struct alter_partition_reassignments_request {
    int32_t timeout_ms; /* default 60000 */
    bool allow_replication_factor_change; /* v1+, default true */
    struct alter_partition_reassignments_request_topic *topics;
    size_t topics_count;
};
extern const struct alter_partition_reassignments_request alter_partition_reassignments_request_defaults;
extern const struct codec_struct alter_partition_reassignments_request_type;

extern const struct codec_message alter_partition_reassignments_request_message;

struct alter_partition_reassignments_response_partition {
    int32_t partition_index;
    int16_t error_code;
    struct slice error_message; /* nullable */
};
extern const struct alter_partition_reassignments_response_partition alter_partition_reassignments_response_partition_defaults;
extern const struct codec_struct alter_partition_reassignments_response_partition_type;

struct alter_partition_reassignments_response_topic {
    struct slice name;
    struct alter_partition_reassignments_response_partition *partitions;
    size_t partitions_count;
};
extern const struct alter_partition_reassignments_response_topic alter_partition_reassignments_response_topic_defaults;
extern const struct codec_struct alter_partition_reassignments_response_topic_type;

struct alter_partition_reassignments_response {
    int32_t throttle_time_ms;
    bool allow_replication_factor_change; /* v1+, default true */
    int16_t error_code;
    struct slice error_message; /* nullable */
    struct alter_partition_reassignments_response_topic *responses;
    size_t responses_count;
};
extern const struct alter_partition_reassignments_response alter_partition_reassignments_response_defaults;
extern const struct codec_struct alter_partition_reassignments_response_type;

extern const struct codec_message alter_partition_reassignments_response_message;

/* ---- ListPartitionReassignments, key 46, versions 0 ---- */

struct list_partition_reassignments_request_topic {
    struct slice name;
    int32_t *partition_indexes;
    size_t partition_indexes_count;
};
extern const struct list_partition_reassignments_request_topic list_partition_reassignments_request_topic_defaults;
extern const struct codec_struct list_partition_reassignments_request_topic_type;

struct list_partition_reassignments_request {
    int32_t timeout_ms; /* default 60000 */
    struct list_partition_reassignments_request_topic *topics; /* nullable */
    size_t topics_count;
};
extern const struct list_partition_reassignments_request list_partition_reassignments_request_defaults;
extern const struct codec_struct list_partition_reassignments_request_type;

extern const struct codec_message list_partition_reassignments_request_message;

struct list_partition_reassignments_response_partition {
    int32_t partition_index;
    int32_t *replicas;
    size_t replicas_count;
    int32_t *adding_replicas;
    size_t adding_replicas_count;
    int32_t *removing_replicas;
    size_t removing_replicas_count;
};
extern const struct list_partition_reassignments_response_partition list_partition_reassignments_response_partition_defaults;
extern const struct codec_struct list_partition_reassignments_response_partition_type;

struct list_partition_reassignments_response_topic {
    struct slice name;
    struct list_partition_reassignments_response_partition *partitions;
    size_t partitions_count;
};
extern const struct list_partition_reassignments_response_topic list_partition_reassignments_response_topic_defaults;
extern const struct codec_struct list_partition_reassignments_response_topic_type;

struct list_partition_reassignments_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct slice error_message; /* nullable */
    struct list_partition_reassignments_response_topic *topics;
    size_t topics_count;
};
extern const struct list_partition_reassignments_response list_partition_reassignments_response_defaults;
extern const struct codec_struct list_partition_reassignments_response_type;

extern const struct codec_message list_partition_reassignments_response_message;

/* ---- OffsetDelete, key 47, versions 0 ---- */

struct offset_delete_request_partition {
    int32_t partition_index;
};
extern const struct offset_delete_request_partition offset_delete_request_partition_defaults;
extern const struct codec_struct offset_delete_request_partition_type;

struct offset_delete_request_topic {
    struct slice name;
    struct offset_delete_request_partition *partitions;
    size_t partitions_count;
};
extern const struct offset_delete_request_topic offset_delete_request_topic_defaults;
extern const struct codec_struct offset_delete_request_topic_type;

struct offset_delete_request {
    struct slice group_id;
    struct offset_delete_request_topic *topics;
    size_t topics_count;
};
extern const struct offset_delete_request offset_delete_request_defaults;
extern const struct codec_struct offset_delete_request_type;

extern const struct codec_message offset_delete_request_message;

struct offset_delete_response_partition {
    int32_t partition_index;
    int16_t error_code;
};
extern const struct offset_delete_response_partition offset_delete_response_partition_defaults;
extern const struct codec_struct offset_delete_response_partition_type;

struct offset_delete_response_topic {
    struct slice name;
    struct offset_delete_response_partition *partitions;
    size_t partitions_count;
};
extern const struct offset_delete_response_topic offset_delete_response_topic_defaults;
extern const struct codec_struct offset_delete_response_topic_type;

struct offset_delete_response {
    int16_t error_code;
    int32_t throttle_time_ms;
    struct offset_delete_response_topic *topics;
    size_t topics_count;
};
extern const struct offset_delete_response offset_delete_response_defaults;
extern const struct codec_struct offset_delete_response_type;

extern const struct codec_message offset_delete_response_message;

/* ---- DescribeClientQuotas, key 48, versions 0-1 ---- */

struct describe_client_quotas_request_component {
    struct slice entity_type;
    int8_t match_type;
    struct slice match; /* nullable */
};
extern const struct describe_client_quotas_request_component describe_client_quotas_request_component_defaults;
extern const struct codec_struct describe_client_quotas_request_component_type;

struct describe_client_quotas_request {
    struct describe_client_quotas_request_component *components;
    size_t components_count;
    bool strict;
};
extern const struct describe_client_quotas_request describe_client_quotas_request_defaults;
extern const struct codec_struct describe_client_quotas_request_type;

extern const struct codec_message describe_client_quotas_request_message;

struct describe_client_quotas_response_entity {
    struct slice entity_type;
    struct slice entity_name; /* nullable */
};
extern const struct describe_client_quotas_response_entity describe_client_quotas_response_entity_defaults;
extern const struct codec_struct describe_client_quotas_response_entity_type;

struct describe_client_quotas_response_value {
    struct slice key;
    double value;
};
extern const struct describe_client_quotas_response_value describe_client_quotas_response_value_defaults;
extern const struct codec_struct describe_client_quotas_response_value_type;

struct describe_client_quotas_response_entry {
    struct describe_client_quotas_response_entity *entity;
    size_t entity_count;
    struct describe_client_quotas_response_value *values;
    size_t values_count;
};
extern const struct describe_client_quotas_response_entry describe_client_quotas_response_entry_defaults;
extern const struct codec_struct describe_client_quotas_response_entry_type;

struct describe_client_quotas_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct slice error_message; /* nullable */
    struct describe_client_quotas_response_entry *entries; /* nullable */
    size_t entries_count;
};
extern const struct describe_client_quotas_response describe_client_quotas_response_defaults;
extern const struct codec_struct describe_client_quotas_response_type;

extern const struct codec_message describe_client_quotas_response_message;

/* ---- AlterClientQuotas, key 49, versions 0-1 ---- */

struct alter_client_quotas_request_entity {
    struct slice entity_type;
    struct slice entity_name; /* nullable */
};
extern const struct alter_client_quotas_request_entity alter_client_quotas_request_entity_defaults;
extern const struct codec_struct alter_client_quotas_request_entity_type;

struct alter_client_quotas_request_op {
    struct slice key;
    double value;
    bool remove;
};
extern const struct alter_client_quotas_request_op alter_client_quotas_request_op_defaults;
extern const struct codec_struct alter_client_quotas_request_op_type;

struct alter_client_quotas_request_entry {
    struct alter_client_quotas_request_entity *entity;
    size_t entity_count;
    struct alter_client_quotas_request_op *ops;
    size_t ops_count;
};
extern const struct alter_client_quotas_request_entry alter_client_quotas_request_entry_defaults;
extern const struct codec_struct alter_client_quotas_request_entry_type;

struct alter_client_quotas_request {
    struct alter_client_quotas_request_entry *entries;
    size_t entries_count;
    bool validate_only;
};
extern const struct alter_client_quotas_request alter_client_quotas_request_defaults;
extern const struct codec_struct alter_client_quotas_request_type;

extern const struct codec_message alter_client_quotas_request_message;

struct alter_client_quotas_response_entity {
    struct slice entity_type;
    struct slice entity_name; /* nullable */
};
extern const struct alter_client_quotas_response_entity alter_client_quotas_response_entity_defaults;
extern const struct codec_struct alter_client_quotas_response_entity_type;

struct alter_client_quotas_response_entry {
    int16_t error_code;
    struct slice error_message; /* nullable */
    struct alter_client_quotas_response_entity *entity;
    size_t entity_count;
};
extern const struct alter_client_quotas_response_entry alter_client_quotas_response_entry_defaults;
extern const struct codec_struct alter_client_quotas_response_entry_type;

struct alter_client_quotas_response {
    int32_t throttle_time_ms;
    struct alter_client_quotas_response_entry *entries;
    size_t entries_count;
};
extern const struct alter_client_quotas_response alter_client_quotas_response_defaults;
extern const struct codec_struct alter_client_quotas_response_type;

extern const struct codec_message alter_client_quotas_response_message;

/* ---- DescribeQuorum, key 55, versions 0-2 ---- */

struct describe_quorum_request_partition {
    int32_t partition_index;
};
extern const struct describe_quorum_request_partition describe_quorum_request_partition_defaults;
extern const struct codec_struct describe_quorum_request_partition_type;

struct describe_quorum_request_topic {
    struct slice topic_name;
    struct describe_quorum_request_partition *partitions;
    size_t partitions_count;
};
extern const struct describe_quorum_request_topic describe_quorum_request_topic_defaults;
extern const struct codec_struct describe_quorum_request_topic_type;

struct describe_quorum_request {
    struct describe_quorum_request_topic *topics;
    size_t topics_count;
};
extern const struct describe_quorum_request describe_quorum_request_defaults;
extern const struct codec_struct describe_quorum_request_type;

extern const struct codec_message describe_quorum_request_message;

struct describe_quorum_response_replica {
    int32_t replica_id;
    struct uuid replica_directory_id; /* v2+ */
    int64_t log_end_offset;
    int64_t last_fetch_timestamp; /* v1+, default -1 */
    int64_t last_caught_up_timestamp; /* v1+, default -1 */
};
extern const struct describe_quorum_response_replica describe_quorum_response_replica_defaults;
extern const struct codec_struct describe_quorum_response_replica_type;

struct describe_quorum_response_partition {
    int32_t partition_index;
    int16_t error_code;
    struct slice error_message; /* v2+, nullable */
    int32_t leader_id;
    int32_t leader_epoch;
    int64_t high_watermark;
    struct describe_quorum_response_replica *current_voters;
    size_t current_voters_count;
    struct describe_quorum_response_replica *observers;
    size_t observers_count;
};
extern const struct describe_quorum_response_partition describe_quorum_response_partition_defaults;
extern const struct codec_struct describe_quorum_response_partition_type;

struct describe_quorum_response_topic {
    struct slice topic_name;
    struct describe_quorum_response_partition *partitions;
    size_t partitions_count;
};
extern const struct describe_quorum_response_topic describe_quorum_response_topic_defaults;
extern const struct codec_struct describe_quorum_response_topic_type;

struct describe_quorum_response_listener {
    struct slice name;
    struct slice host;
    uint16_t port;
};
extern const struct describe_quorum_response_listener describe_quorum_response_listener_defaults;
extern const struct codec_struct describe_quorum_response_listener_type;

struct describe_quorum_response_node {
    int32_t node_id;
    struct describe_quorum_response_listener *listeners;
    size_t listeners_count;
};
extern const struct describe_quorum_response_node describe_quorum_response_node_defaults;
extern const struct codec_struct describe_quorum_response_node_type;

struct describe_quorum_response {
    int16_t error_code;
    struct slice error_message; /* v2+, nullable */
    struct describe_quorum_response_topic *topics;
    size_t topics_count;
    struct describe_quorum_response_node *nodes; /* v2+ */
    size_t nodes_count;
};
extern const struct describe_quorum_response describe_quorum_response_defaults;
extern const struct codec_struct describe_quorum_response_type;

extern const struct codec_message describe_quorum_response_message;

/* ---- UpdateFeatures, key 57, versions 0-2 ---- */

struct update_features_request_update {
    struct slice feature;
    int16_t max_version_level;
    bool allow_downgrade; /* v0 */
    int8_t upgrade_type; /* v1+, default 1 */
};
extern const struct update_features_request_update update_features_request_update_defaults;
extern const struct codec_struct update_features_request_update_type;

struct update_features_request {
    int32_t timeout_ms; /* default 60000 */
    struct update_features_request_update *feature_updates;
    size_t feature_updates_count;
    bool validate_only; /* v1+ */
};
extern const struct update_features_request update_features_request_defaults;
extern const struct codec_struct update_features_request_type;

extern const struct codec_message update_features_request_message;

struct update_features_response_result {
    struct slice feature;
    int16_t error_code;
    struct slice error_message; /* nullable */
};
extern const struct update_features_response_result update_features_response_result_defaults;
extern const struct codec_struct update_features_response_result_type;

struct update_features_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct slice error_message; /* nullable */
    struct update_features_response_result *results; /* v0-1 */
    size_t results_count;
};
extern const struct update_features_response update_features_response_defaults;
extern const struct codec_struct update_features_response_type;

extern const struct codec_message update_features_response_message;

/* ---- DescribeCluster, key 60, versions 0-2 ---- */

struct describe_cluster_request {
    bool include_cluster_authorized_operations;
    int8_t endpoint_type; /* v1+, default 1 */
    bool include_fenced_brokers; /* v2+ */
};
extern const struct describe_cluster_request describe_cluster_request_defaults;
extern const struct codec_struct describe_cluster_request_type;

extern const struct codec_message describe_cluster_request_message;

struct describe_cluster_response_broker {
    int32_t broker_id;
    struct slice host;
    int32_t port;
    struct slice rack; /* nullable */
    bool is_fenced; /* v2+ */
};
extern const struct describe_cluster_response_broker describe_cluster_response_broker_defaults;
extern const struct codec_struct describe_cluster_response_broker_type;

struct describe_cluster_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct slice error_message; /* nullable */
    int8_t endpoint_type; /* v1+, default 1 */
    struct slice cluster_id;
    int32_t controller_id; /* default -1 */
    struct describe_cluster_response_broker *brokers;
    size_t brokers_count;
    int32_t cluster_authorized_operations; /* default -2147483648 */
};
extern const struct describe_cluster_response describe_cluster_response_defaults;
extern const struct codec_struct describe_cluster_response_type;

extern const struct codec_message describe_cluster_response_message;

/* ---- DescribeProducers, key 61, versions 0 ---- */

struct describe_producers_request_topic {
    struct slice name;
    int32_t *partition_indexes;
    size_t partition_indexes_count;
};
extern const struct describe_producers_request_topic describe_producers_request_topic_defaults;
extern const struct codec_struct describe_producers_request_topic_type;

struct describe_producers_request {
    struct describe_producers_request_topic *topics;
    size_t topics_count;
};
extern const struct describe_producers_request describe_producers_request_defaults;
extern const struct codec_struct describe_producers_request_type;

extern const struct codec_message describe_producers_request_message;

struct describe_producers_response_producer {
    int64_t producer_id;
    int32_t producer_epoch;
    int32_t last_sequence; /* default -1 */
    int64_t last_timestamp; /* default -1 */
    int32_t coordinator_epoch;
    int64_t current_txn_start_offset; /* default -1 */
};
extern const struct describe_producers_response_producer describe_producers_response_producer_defaults;
extern const struct codec_struct describe_producers_response_producer_type;

struct describe_producers_response_partition {
    int32_t partition_index;
    int16_t error_code;
    struct slice error_message; /* nullable */
    struct describe_producers_response_producer *active_producers;
    size_t active_producers_count;
};
extern const struct describe_producers_response_partition describe_producers_response_partition_defaults;
extern const struct codec_struct describe_producers_response_partition_type;

struct describe_producers_response_topic {
    struct slice name;
    struct describe_producers_response_partition *partitions;
    size_t partitions_count;
};
extern const struct describe_producers_response_topic describe_producers_response_topic_defaults;
extern const struct codec_struct describe_producers_response_topic_type;

struct describe_producers_response {
    int32_t throttle_time_ms;
    struct describe_producers_response_topic *topics;
    size_t topics_count;
};
extern const struct describe_producers_response describe_producers_response_defaults;
extern const struct codec_struct describe_producers_response_type;

extern const struct codec_message describe_producers_response_message;

/* ---- ConsumerGroupHeartbeat, key 68, versions 0-1 ---- */

struct consumer_group_heartbeat_request_topic {
    struct uuid topic_id;
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct consumer_group_heartbeat_request_topic consumer_group_heartbeat_request_topic_defaults;
extern const struct codec_struct consumer_group_heartbeat_request_topic_type;

struct consumer_group_heartbeat_request {
    struct slice group_id;
    struct slice member_id;
    int32_t member_epoch;
    struct slice instance_id; /* nullable */
    struct slice rack_id; /* nullable */
    int32_t rebalance_timeout_ms; /* default -1 */
    struct slice *subscribed_topic_names; /* nullable */
    size_t subscribed_topic_names_count;
    struct slice subscribed_topic_regex; /* v1+, nullable */
    struct slice server_assignor; /* nullable */
    struct consumer_group_heartbeat_request_topic *topic_partitions; /* nullable */
    size_t topic_partitions_count;
};
extern const struct consumer_group_heartbeat_request consumer_group_heartbeat_request_defaults;
extern const struct codec_struct consumer_group_heartbeat_request_type;

extern const struct codec_message consumer_group_heartbeat_request_message;

struct consumer_group_heartbeat_response_topic {
    struct uuid topic_id;
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct consumer_group_heartbeat_response_topic consumer_group_heartbeat_response_topic_defaults;
extern const struct codec_struct consumer_group_heartbeat_response_topic_type;

struct consumer_group_heartbeat_response_assignment {
    struct consumer_group_heartbeat_response_topic *topic_partitions;
    size_t topic_partitions_count;
};
extern const struct consumer_group_heartbeat_response_assignment consumer_group_heartbeat_response_assignment_defaults;
extern const struct codec_struct consumer_group_heartbeat_response_assignment_type;

struct consumer_group_heartbeat_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct slice error_message; /* nullable */
    struct slice member_id; /* nullable */
    int32_t member_epoch;
    int32_t heartbeat_interval_ms;
    struct consumer_group_heartbeat_response_assignment *assignment; /* nullable */
};
extern const struct consumer_group_heartbeat_response consumer_group_heartbeat_response_defaults;
extern const struct codec_struct consumer_group_heartbeat_response_type;

extern const struct codec_message consumer_group_heartbeat_response_message;

/* ---- ConsumerGroupDescribe, key 69, versions 0-1 ---- */

struct consumer_group_describe_request {
    struct slice *group_ids;
    size_t group_ids_count;
    bool include_authorized_operations;
};
extern const struct consumer_group_describe_request consumer_group_describe_request_defaults;
extern const struct codec_struct consumer_group_describe_request_type;

extern const struct codec_message consumer_group_describe_request_message;

struct consumer_group_describe_response_topic {
    struct uuid topic_id;
    struct slice topic_name;
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct consumer_group_describe_response_topic consumer_group_describe_response_topic_defaults;
extern const struct codec_struct consumer_group_describe_response_topic_type;

struct consumer_group_describe_response_assignment {
    struct consumer_group_describe_response_topic *topic_partitions;
    size_t topic_partitions_count;
};
extern const struct consumer_group_describe_response_assignment consumer_group_describe_response_assignment_defaults;
extern const struct codec_struct consumer_group_describe_response_assignment_type;

struct consumer_group_describe_response_member {
    struct slice member_id;
    struct slice instance_id; /* nullable */
    struct slice rack_id; /* nullable */
    int32_t member_epoch;
    struct slice client_id;
    struct slice client_host;
    struct slice *subscribed_topic_names;
    size_t subscribed_topic_names_count;
    struct slice subscribed_topic_regex; /* nullable */
    struct consumer_group_describe_response_assignment assignment;
    struct consumer_group_describe_response_assignment target_assignment;
    int8_t member_type; /* v1+, default -1 */
};
extern const struct consumer_group_describe_response_member consumer_group_describe_response_member_defaults;
extern const struct codec_struct consumer_group_describe_response_member_type;

struct consumer_group_describe_response_group {
    int16_t error_code;
    struct slice error_message; /* nullable */
    struct slice group_id;
    struct slice group_state;
    int32_t group_epoch;
    int32_t assignment_epoch;
    struct slice assignor_name;
    struct consumer_group_describe_response_member *members;
    size_t members_count;
    int32_t authorized_operations; /* default -2147483648 */
};
extern const struct consumer_group_describe_response_group consumer_group_describe_response_group_defaults;
extern const struct codec_struct consumer_group_describe_response_group_type;

struct consumer_group_describe_response {
    int32_t throttle_time_ms;
    struct consumer_group_describe_response_group *groups;
    size_t groups_count;
};
extern const struct consumer_group_describe_response consumer_group_describe_response_defaults;
extern const struct codec_struct consumer_group_describe_response_type;

extern const struct codec_message consumer_group_describe_response_message;

/* ---- ListConfigResources, key 74, versions 0-1 ---- */

struct list_config_resources_request {
    int8_t *resource_types; /* v1+ */
    size_t resource_types_count;
};
extern const struct list_config_resources_request list_config_resources_request_defaults;
extern const struct codec_struct list_config_resources_request_type;

extern const struct codec_message list_config_resources_request_message;

struct list_config_resources_response_resource {
    struct slice resource_name;
    int8_t resource_type; /* v1+, default 16 */
};
extern const struct list_config_resources_response_resource list_config_resources_response_resource_defaults;
extern const struct codec_struct list_config_resources_response_resource_type;

struct list_config_resources_response {
    int32_t throttle_time_ms;
    int16_t error_code;
    struct list_config_resources_response_resource *config_resources;
    size_t config_resources_count;
};
extern const struct list_config_resources_response list_config_resources_response_defaults;
extern const struct codec_struct list_config_resources_response_type;

extern const struct codec_message list_config_resources_response_message;

/* ---- DescribeTopicPartitions, key 75, versions 0 ---- */

struct describe_topic_partitions_request_topic {
    struct slice name;
};
extern const struct describe_topic_partitions_request_topic describe_topic_partitions_request_topic_defaults;
extern const struct codec_struct describe_topic_partitions_request_topic_type;

struct describe_topic_partitions_request_cursor {
    struct slice topic_name;
    int32_t partition_index;
};
extern const struct describe_topic_partitions_request_cursor describe_topic_partitions_request_cursor_defaults;
extern const struct codec_struct describe_topic_partitions_request_cursor_type;

struct describe_topic_partitions_request {
    struct describe_topic_partitions_request_topic *topics;
    size_t topics_count;
    int32_t response_partition_limit; /* default 2000 */
    struct describe_topic_partitions_request_cursor *cursor; /* nullable */
};
extern const struct describe_topic_partitions_request describe_topic_partitions_request_defaults;
extern const struct codec_struct describe_topic_partitions_request_type;

extern const struct codec_message describe_topic_partitions_request_message;

struct describe_topic_partitions_response_partition {
    int16_t error_code;
    int32_t partition_index;
    int32_t leader_id;
    int32_t leader_epoch; /* default -1 */
    int32_t *replica_nodes;
    size_t replica_nodes_count;
    int32_t *isr_nodes;
    size_t isr_nodes_count;
    int32_t *eligible_leader_replicas; /* nullable */
    size_t eligible_leader_replicas_count;
    int32_t *last_known_elr; /* nullable */
    size_t last_known_elr_count;
    int32_t *offline_replicas;
    size_t offline_replicas_count;
};
extern const struct describe_topic_partitions_response_partition describe_topic_partitions_response_partition_defaults;
extern const struct codec_struct describe_topic_partitions_response_partition_type;

struct describe_topic_partitions_response_topic {
    int16_t error_code;
    struct slice name; /* nullable */
    struct uuid topic_id;
    bool is_internal;
    struct describe_topic_partitions_response_partition *partitions;
    size_t partitions_count;
    int32_t topic_authorized_operations; /* default -2147483648 */
};
extern const struct describe_topic_partitions_response_topic describe_topic_partitions_response_topic_defaults;
extern const struct codec_struct describe_topic_partitions_response_topic_type;

struct describe_topic_partitions_response_cursor {
    struct slice topic_name;
    int32_t partition_index;
};
extern const struct describe_topic_partitions_response_cursor describe_topic_partitions_response_cursor_defaults;
extern const struct codec_struct describe_topic_partitions_response_cursor_type;

struct describe_topic_partitions_response {
    int32_t throttle_time_ms;
    struct describe_topic_partitions_response_topic *topics;
    size_t topics_count;
    struct describe_topic_partitions_response_cursor *next_cursor; /* nullable */
};
extern const struct describe_topic_partitions_response describe_topic_partitions_response_defaults;
extern const struct codec_struct describe_topic_partitions_response_type;

extern const struct codec_message describe_topic_partitions_response_message;

/* ---- ConsumerProtocol, embedded, versions 0-3 ---- */

struct consumer_protocol_subscription_owned {
    struct slice topic;
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct consumer_protocol_subscription_owned consumer_protocol_subscription_owned_defaults;
extern const struct codec_struct consumer_protocol_subscription_owned_type;

struct consumer_protocol_subscription {
    struct slice *topics;
    size_t topics_count;
    struct slice user_data; /* nullable */
    struct consumer_protocol_subscription_owned *owned_partitions; /* v1+ */
    size_t owned_partitions_count;
    int32_t generation_id; /* v2+, default -1 */
    struct slice rack_id; /* v3+, nullable */
};
extern const struct consumer_protocol_subscription consumer_protocol_subscription_defaults;
extern const struct codec_struct consumer_protocol_subscription_type;

extern const struct codec_message consumer_protocol_subscription_message;

struct consumer_protocol_assignment_assigned {
    struct slice topic;
    int32_t *partitions;
    size_t partitions_count;
};
extern const struct consumer_protocol_assignment_assigned consumer_protocol_assignment_assigned_defaults;
extern const struct codec_struct consumer_protocol_assignment_assigned_type;

struct consumer_protocol_assignment {
    struct consumer_protocol_assignment_assigned *assigned_partitions;
    size_t assigned_partitions_count;
    struct slice user_data; /* nullable */
};
extern const struct consumer_protocol_assignment consumer_protocol_assignment_defaults;
extern const struct codec_struct consumer_protocol_assignment_type;

extern const struct codec_message consumer_protocol_assignment_message;

/* What header.h knows of an API. */
struct kafka_api {
    const char *name;
    const struct codec_message *request;
    const struct codec_message *response;
    int16_t key;
    int16_t min_version, max_version; /* that we speak */
    int16_t advertised_min;           /* what ApiVersions says: KAFKA-18659 */
    int16_t flexible_from;
};

#define KAFKA_API_COUNT 40
extern const struct kafka_api kafka_apis[KAFKA_API_COUNT]; /* by key */

#endif
