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
    KAFKA_FIND_COORDINATOR = 10,
    KAFKA_API_VERSIONS = 18,
    KAFKA_CREATE_TOPICS = 19,
    KAFKA_DELETE_TOPICS = 20,
    KAFKA_INIT_PRODUCER_ID = 22,
    KAFKA_OFFSET_FOR_LEADER_EPOCH = 23,
    KAFKA_DESCRIBE_CONFIGS = 32,
    KAFKA_ALTER_CONFIGS = 33,
    KAFKA_CREATE_PARTITIONS = 37,
    KAFKA_INCREMENTAL_ALTER_CONFIGS = 44,
    KAFKA_DESCRIBE_CLUSTER = 60,
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

/* What header.h knows of an API. */
struct kafka_api {
    const char *name;
    const struct codec_message *request;
    const struct codec_message *response;
    int16_t key;
    int16_t min_version, max_version; /* that are served */
    int16_t advertised_min;           /* what ApiVersions says: KAFKA-18659 */
    int16_t flexible_from;
};

#define KAFKA_API_COUNT 16
extern const struct kafka_api kafka_apis[KAFKA_API_COUNT]; /* by key */

#endif
