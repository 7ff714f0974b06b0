/* kafka_gen.c - a row for each field of the Kafka messages. Made by gen.py from
 * the schemas in kafka/: do not edit. codec.h has the columns. */
#include "proto/kafka_gen.h"

/* clang-format off */
#define AT(member) ((uint16_t)offsetof(struct T, member))
#define LAST INT16_MAX
#define NEVER CODEC_VERSION_NONE

/* ---- Produce ---- */

const struct produce_request_partition produce_request_partition_defaults = {
    0
};
#define T produce_request_partition
static const struct codec_field produce_request_partition_fields[] = {
    {"index", NULL, AT(index), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
    {"records", NULL, AT(records), 0, 3, LAST, 0, -1, CODEC_RECORDS, 0},
};
#undef T
const struct codec_struct produce_request_partition_type = {
    "produce_request_partition", produce_request_partition_fields,
     &produce_request_partition_defaults, sizeof(struct produce_request_partition), 2, 2};

const struct produce_request_topic produce_request_topic_defaults = {
    0
};
#define T produce_request_topic
static const struct codec_field produce_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 3, 12, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 13, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partition_data", &produce_request_partition_type, AT(partition_data),
     AT(partition_data_count), 3, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct produce_request_topic_type = {
    "produce_request_topic", produce_request_topic_fields,
     &produce_request_topic_defaults, sizeof(struct produce_request_topic), 3, 3};

const struct produce_request produce_request_defaults = {
    0
};
#define T produce_request
static const struct codec_field produce_request_fields[] = {
    {"transactional_id", NULL, AT(transactional_id), 0, 3, LAST, 0, -1, CODEC_STRING, 0},
    {"acks", NULL, AT(acks), 0, 3, LAST, NEVER, -1, CODEC_INT16, 0},
    {"timeout_ms", NULL, AT(timeout_ms), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
    {"topic_data", &produce_request_topic_type, AT(topic_data), AT(topic_data_count), 3,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct produce_request_type = {
    "produce_request", produce_request_fields, &produce_request_defaults, sizeof(struct
     produce_request), 4, 4};

const struct codec_message produce_request_message = {
    "produce_request", &produce_request_type, 0, 3, 13, 9};

const struct produce_response_record_error produce_response_record_error_defaults = {
    0
};
#define T produce_response_record_error
static const struct codec_field produce_response_record_error_fields[] = {
    {"batch_index", NULL, AT(batch_index), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
    {"batch_index_error_message", NULL, AT(batch_index_error_message), 0, 3, LAST, 0, -1,
     CODEC_STRING, 0},
};
#undef T
const struct codec_struct produce_response_record_error_type = {
    "produce_response_record_error", produce_response_record_error_fields,
     &produce_response_record_error_defaults, sizeof(struct
     produce_response_record_error), 2, 2};

const struct produce_response_leader produce_response_leader_defaults = {
    .leader_id = -1, .leader_epoch = -1
};
#define T produce_response_leader
static const struct codec_field produce_response_leader_fields[] = {
    {"leader_id", NULL, AT(leader_id), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
    {"leader_epoch", NULL, AT(leader_epoch), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct produce_response_leader_type = {
    "produce_response_leader", produce_response_leader_fields,
     &produce_response_leader_defaults, sizeof(struct produce_response_leader), 2, 2};

const struct produce_response_partition produce_response_partition_defaults = {
    .log_append_time_ms = -1, .log_start_offset = -1, .current_leader = {.leader_id = -1,
     .leader_epoch = -1}
};
#define T produce_response_partition
static const struct codec_field produce_response_partition_fields[] = {
    {"index", NULL, AT(index), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 3, LAST, NEVER, -1, CODEC_INT16, 0},
    {"base_offset", NULL, AT(base_offset), 0, 3, LAST, NEVER, -1, CODEC_INT64, 0},
    {"log_append_time_ms", NULL, AT(log_append_time_ms), 0, 3, LAST, NEVER, -1,
     CODEC_INT64, 0},
    {"log_start_offset", NULL, AT(log_start_offset), 0, 5, LAST, NEVER, -1, CODEC_INT64,
     0},
    {"record_errors", &produce_response_record_error_type, AT(record_errors),
     AT(record_errors_count), 8, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"error_message", NULL, AT(error_message), 0, 8, LAST, 0, -1, CODEC_STRING, 0},
    {"current_leader", &produce_response_leader_type, AT(current_leader), 0, 10, LAST,
     NEVER, 0, CODEC_STRUCT, CODEC_STRICT},
};
#undef T
const struct codec_struct produce_response_partition_type = {
    "produce_response_partition", produce_response_partition_fields,
     &produce_response_partition_defaults, sizeof(struct produce_response_partition), 8,
     7};

const struct produce_response_topic produce_response_topic_defaults = {
    0
};
#define T produce_response_topic
static const struct codec_field produce_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 3, 12, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 13, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partition_responses", &produce_response_partition_type, AT(partition_responses),
     AT(partition_responses_count), 3, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct produce_response_topic_type = {
    "produce_response_topic", produce_response_topic_fields,
     &produce_response_topic_defaults, sizeof(struct produce_response_topic), 3, 3};

const struct produce_response_node produce_response_node_defaults = {
    0
};
#define T produce_response_node
static const struct codec_field produce_response_node_fields[] = {
    {"node_id", NULL, AT(node_id), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
    {"host", NULL, AT(host), 0, 3, LAST, NEVER, -1, CODEC_STRING, 0},
    {"port", NULL, AT(port), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
    {"rack", NULL, AT(rack), 0, 3, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct produce_response_node_type = {
    "produce_response_node", produce_response_node_fields,
     &produce_response_node_defaults, sizeof(struct produce_response_node), 4, 4};

const struct produce_response produce_response_defaults = {
    0
};
#define T produce_response
static const struct codec_field produce_response_fields[] = {
    {"responses", &produce_response_topic_type, AT(responses), AT(responses_count), 3,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 3, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"node_endpoints", &produce_response_node_type, AT(node_endpoints),
     AT(node_endpoints_count), 10, LAST, NEVER, 0, CODEC_STRUCT, CODEC_ARRAY |
     CODEC_STRICT},
};
#undef T
const struct codec_struct produce_response_type = {
    "produce_response", produce_response_fields, &produce_response_defaults, sizeof(struct
     produce_response), 3, 2};

const struct codec_message produce_response_message = {
    "produce_response", &produce_response_type, 0, 3, 13, 9};

/* ---- Fetch ---- */

const struct fetch_request_replica_state fetch_request_replica_state_defaults = {
    .replica_id = -1, .replica_epoch = -1
};
#define T fetch_request_replica_state
static const struct codec_field fetch_request_replica_state_fields[] = {
    {"replica_id", NULL, AT(replica_id), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"replica_epoch", NULL, AT(replica_epoch), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct fetch_request_replica_state_type = {
    "fetch_request_replica_state", fetch_request_replica_state_fields,
     &fetch_request_replica_state_defaults, sizeof(struct fetch_request_replica_state), 2,
     2};

const struct fetch_request_partition fetch_request_partition_defaults = {
    .current_leader_epoch = -1, .last_fetched_epoch = -1, .log_start_offset = -1,
     .high_watermark = INT64_MAX
};
#define T fetch_request_partition
static const struct codec_field fetch_request_partition_fields[] = {
    {"partition", NULL, AT(partition), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"current_leader_epoch", NULL, AT(current_leader_epoch), 0, 9, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"fetch_offset", NULL, AT(fetch_offset), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
    {"last_fetched_epoch", NULL, AT(last_fetched_epoch), 0, 12, LAST, NEVER, -1,
     CODEC_INT32, CODEC_STRICT},
    {"log_start_offset", NULL, AT(log_start_offset), 0, 5, LAST, NEVER, -1, CODEC_INT64,
     0},
    {"partition_max_bytes", NULL, AT(partition_max_bytes), 0, 4, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"replica_directory_id", NULL, AT(replica_directory_id), 0, 17, LAST, NEVER, 0,
     CODEC_UUID, 0},
    {"high_watermark", NULL, AT(high_watermark), 0, 18, LAST, NEVER, 1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct fetch_request_partition_type = {
    "fetch_request_partition", fetch_request_partition_fields,
     &fetch_request_partition_defaults, sizeof(struct fetch_request_partition), 8, 6};

const struct fetch_request_topic fetch_request_topic_defaults = {
    0
};
#define T fetch_request_topic
static const struct codec_field fetch_request_topic_fields[] = {
    {"topic", NULL, AT(topic), 0, 4, 12, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 13, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partitions", &fetch_request_partition_type, AT(partitions), AT(partitions_count), 4,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct fetch_request_topic_type = {
    "fetch_request_topic", fetch_request_topic_fields, &fetch_request_topic_defaults,
     sizeof(struct fetch_request_topic), 3, 3};

const struct fetch_request_forgotten_topic fetch_request_forgotten_topic_defaults = {
    0
};
#define T fetch_request_forgotten_topic
static const struct codec_field fetch_request_forgotten_topic_fields[] = {
    {"topic", NULL, AT(topic), 0, 7, 12, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 13, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 4, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct fetch_request_forgotten_topic_type = {
    "fetch_request_forgotten_topic", fetch_request_forgotten_topic_fields,
     &fetch_request_forgotten_topic_defaults, sizeof(struct
     fetch_request_forgotten_topic), 3, 3};

const struct fetch_request fetch_request_defaults = {
    .replica_id = -1, .replica_state = {.replica_id = -1, .replica_epoch = -1}, .max_bytes
     = INT32_MAX, .session_epoch = -1
};
#define T fetch_request
static const struct codec_field fetch_request_fields[] = {
    {"replica_id", NULL, AT(replica_id), 0, 4, 14, NEVER, -1, CODEC_INT32, CODEC_STRICT},
    {"max_wait_ms", NULL, AT(max_wait_ms), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"min_bytes", NULL, AT(min_bytes), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"max_bytes", NULL, AT(max_bytes), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"isolation_level", NULL, AT(isolation_level), 0, 4, LAST, NEVER, -1, CODEC_INT8, 0},
    {"session_id", NULL, AT(session_id), 0, 7, LAST, NEVER, -1, CODEC_INT32, 0},
    {"session_epoch", NULL, AT(session_epoch), 0, 7, LAST, NEVER, -1, CODEC_INT32, 0},
    {"topics", &fetch_request_topic_type, AT(topics), AT(topics_count), 4, LAST, NEVER,
     -1, CODEC_STRUCT, CODEC_ARRAY},
    {"forgotten_topics_data", &fetch_request_forgotten_topic_type,
     AT(forgotten_topics_data), AT(forgotten_topics_data_count), 7, LAST, NEVER, -1,
     CODEC_STRUCT, CODEC_ARRAY | CODEC_STRICT},
    {"rack_id", NULL, AT(rack_id), 0, 11, LAST, NEVER, -1, CODEC_STRING, 0},
    {"cluster_id", NULL, AT(cluster_id), 0, 12, LAST, 0, 0, CODEC_STRING, 0},
    {"replica_state", &fetch_request_replica_state_type, AT(replica_state), 0, 15, LAST,
     NEVER, 1, CODEC_STRUCT, CODEC_STRICT},
};
#undef T
const struct codec_struct fetch_request_type = {
    "fetch_request", fetch_request_fields, &fetch_request_defaults, sizeof(struct
     fetch_request), 12, 10};

const struct codec_message fetch_request_message = {
    "fetch_request", &fetch_request_type, 1, 4, 18, 12};

const struct fetch_response_epoch_end_offset fetch_response_epoch_end_offset_defaults = {
    .epoch = -1, .end_offset = -1
};
#define T fetch_response_epoch_end_offset
static const struct codec_field fetch_response_epoch_end_offset_fields[] = {
    {"epoch", NULL, AT(epoch), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"end_offset", NULL, AT(end_offset), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct fetch_response_epoch_end_offset_type = {
    "fetch_response_epoch_end_offset", fetch_response_epoch_end_offset_fields,
     &fetch_response_epoch_end_offset_defaults, sizeof(struct
     fetch_response_epoch_end_offset), 2, 2};

const struct fetch_response_leader fetch_response_leader_defaults = {
    .leader_id = -1, .leader_epoch = -1
};
#define T fetch_response_leader
static const struct codec_field fetch_response_leader_fields[] = {
    {"leader_id", NULL, AT(leader_id), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"leader_epoch", NULL, AT(leader_epoch), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct fetch_response_leader_type = {
    "fetch_response_leader", fetch_response_leader_fields,
     &fetch_response_leader_defaults, sizeof(struct fetch_response_leader), 2, 2};

const struct fetch_response_snapshot_id fetch_response_snapshot_id_defaults = {
    .end_offset = -1, .epoch = -1
};
#define T fetch_response_snapshot_id
static const struct codec_field fetch_response_snapshot_id_fields[] = {
    {"end_offset", NULL, AT(end_offset), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
    {"epoch", NULL, AT(epoch), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct fetch_response_snapshot_id_type = {
    "fetch_response_snapshot_id", fetch_response_snapshot_id_fields,
     &fetch_response_snapshot_id_defaults, sizeof(struct fetch_response_snapshot_id), 2,
     2};

const struct fetch_response_aborted_transaction fetch_response_aborted_transaction_defaults = {
    0
};
#define T fetch_response_aborted_transaction
static const struct codec_field fetch_response_aborted_transaction_fields[] = {
    {"producer_id", NULL, AT(producer_id), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
    {"first_offset", NULL, AT(first_offset), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct fetch_response_aborted_transaction_type = {
    "fetch_response_aborted_transaction", fetch_response_aborted_transaction_fields,
     &fetch_response_aborted_transaction_defaults, sizeof(struct
     fetch_response_aborted_transaction), 2, 2};

const struct fetch_response_partition fetch_response_partition_defaults = {
    .last_stable_offset = -1, .log_start_offset = -1, .diverging_epoch = {.epoch = -1,
     .end_offset = -1}, .current_leader = {.leader_id = -1, .leader_epoch = -1},
     .snapshot_id = {.end_offset = -1, .epoch = -1}, .preferred_read_replica = -1
};
#define T fetch_response_partition
static const struct codec_field fetch_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 4, LAST, NEVER, -1, CODEC_INT16, 0},
    {"high_watermark", NULL, AT(high_watermark), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
    {"last_stable_offset", NULL, AT(last_stable_offset), 0, 4, LAST, NEVER, -1,
     CODEC_INT64, 0},
    {"log_start_offset", NULL, AT(log_start_offset), 0, 5, LAST, NEVER, -1, CODEC_INT64,
     0},
    {"aborted_transactions", &fetch_response_aborted_transaction_type,
     AT(aborted_transactions), AT(aborted_transactions_count), 4, LAST, 0, -1,
     CODEC_STRUCT, CODEC_ARRAY},
    {"preferred_read_replica", NULL, AT(preferred_read_replica), 0, 11, LAST, NEVER, -1,
     CODEC_INT32, CODEC_STRICT},
    {"records", NULL, AT(records), 0, 4, LAST, 0, -1, CODEC_SLICES, 0},
    {"diverging_epoch", &fetch_response_epoch_end_offset_type, AT(diverging_epoch), 0, 12,
     LAST, NEVER, 0, CODEC_STRUCT, CODEC_STRICT},
    {"current_leader", &fetch_response_leader_type, AT(current_leader), 0, 12, LAST,
     NEVER, 1, CODEC_STRUCT, CODEC_STRICT},
    {"snapshot_id", &fetch_response_snapshot_id_type, AT(snapshot_id), 0, 12, LAST, NEVER,
     2, CODEC_STRUCT, CODEC_STRICT},
};
#undef T
const struct codec_struct fetch_response_partition_type = {
    "fetch_response_partition", fetch_response_partition_fields,
     &fetch_response_partition_defaults, sizeof(struct fetch_response_partition), 11, 8};

const struct fetch_response_topic fetch_response_topic_defaults = {
    0
};
#define T fetch_response_topic
static const struct codec_field fetch_response_topic_fields[] = {
    {"topic", NULL, AT(topic), 0, 4, 12, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 13, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partitions", &fetch_response_partition_type, AT(partitions), AT(partitions_count),
     4, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct fetch_response_topic_type = {
    "fetch_response_topic", fetch_response_topic_fields, &fetch_response_topic_defaults,
     sizeof(struct fetch_response_topic), 3, 3};

const struct fetch_response_node fetch_response_node_defaults = {
    0
};
#define T fetch_response_node
static const struct codec_field fetch_response_node_fields[] = {
    {"node_id", NULL, AT(node_id), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"host", NULL, AT(host), 0, 4, LAST, NEVER, -1, CODEC_STRING, 0},
    {"port", NULL, AT(port), 0, 4, LAST, NEVER, -1, CODEC_INT32, 0},
    {"rack", NULL, AT(rack), 0, 4, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct fetch_response_node_type = {
    "fetch_response_node", fetch_response_node_fields, &fetch_response_node_defaults,
     sizeof(struct fetch_response_node), 4, 4};

const struct fetch_response fetch_response_defaults = {
    0
};
#define T fetch_response
static const struct codec_field fetch_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 4, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 7, LAST, NEVER, -1, CODEC_INT16, 0},
    {"session_id", NULL, AT(session_id), 0, 7, LAST, NEVER, -1, CODEC_INT32,
     CODEC_STRICT},
    {"responses", &fetch_response_topic_type, AT(responses), AT(responses_count), 4, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"node_endpoints", &fetch_response_node_type, AT(node_endpoints),
     AT(node_endpoints_count), 16, LAST, NEVER, 0, CODEC_STRUCT, CODEC_ARRAY |
     CODEC_STRICT},
};
#undef T
const struct codec_struct fetch_response_type = {
    "fetch_response", fetch_response_fields, &fetch_response_defaults, sizeof(struct
     fetch_response), 5, 4};

const struct codec_message fetch_response_message = {
    "fetch_response", &fetch_response_type, 1, 4, 18, 12};

/* ---- ListOffsets ---- */

const struct list_offsets_request_partition list_offsets_request_partition_defaults = {
    .current_leader_epoch = -1
};
#define T list_offsets_request_partition
static const struct codec_field list_offsets_request_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 1, LAST, NEVER, -1, CODEC_INT32, 0},
    {"current_leader_epoch", NULL, AT(current_leader_epoch), 0, 4, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"timestamp", NULL, AT(timestamp), 0, 1, LAST, NEVER, -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct list_offsets_request_partition_type = {
    "list_offsets_request_partition", list_offsets_request_partition_fields,
     &list_offsets_request_partition_defaults, sizeof(struct
     list_offsets_request_partition), 3, 3};

const struct list_offsets_request_topic list_offsets_request_topic_defaults = {
    0
};
#define T list_offsets_request_topic
static const struct codec_field list_offsets_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &list_offsets_request_partition_type, AT(partitions),
     AT(partitions_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_offsets_request_topic_type = {
    "list_offsets_request_topic", list_offsets_request_topic_fields,
     &list_offsets_request_topic_defaults, sizeof(struct list_offsets_request_topic), 2,
     2};

const struct list_offsets_request list_offsets_request_defaults = {
    0
};
#define T list_offsets_request
static const struct codec_field list_offsets_request_fields[] = {
    {"replica_id", NULL, AT(replica_id), 0, 1, LAST, NEVER, -1, CODEC_INT32, 0},
    {"isolation_level", NULL, AT(isolation_level), 0, 2, LAST, NEVER, -1, CODEC_INT8,
     CODEC_STRICT},
    {"topics", &list_offsets_request_topic_type, AT(topics), AT(topics_count), 1, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"timeout_ms", NULL, AT(timeout_ms), 0, 10, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct list_offsets_request_type = {
    "list_offsets_request", list_offsets_request_fields, &list_offsets_request_defaults,
     sizeof(struct list_offsets_request), 4, 4};

const struct codec_message list_offsets_request_message = {
    "list_offsets_request", &list_offsets_request_type, 2, 1, 11, 6};

const struct list_offsets_response_partition list_offsets_response_partition_defaults = {
    .timestamp = -1, .offset = -1, .leader_epoch = -1
};
#define T list_offsets_response_partition
static const struct codec_field list_offsets_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 1, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 1, LAST, NEVER, -1, CODEC_INT16, 0},
    {"timestamp", NULL, AT(timestamp), 0, 1, LAST, NEVER, -1, CODEC_INT64, 0},
    {"offset", NULL, AT(offset), 0, 1, LAST, NEVER, -1, CODEC_INT64, 0},
    {"leader_epoch", NULL, AT(leader_epoch), 0, 4, LAST, NEVER, -1, CODEC_INT32,
     CODEC_STRICT},
};
#undef T
const struct codec_struct list_offsets_response_partition_type = {
    "list_offsets_response_partition", list_offsets_response_partition_fields,
     &list_offsets_response_partition_defaults, sizeof(struct
     list_offsets_response_partition), 5, 5};

const struct list_offsets_response_topic list_offsets_response_topic_defaults = {
    0
};
#define T list_offsets_response_topic
static const struct codec_field list_offsets_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &list_offsets_response_partition_type, AT(partitions),
     AT(partitions_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_offsets_response_topic_type = {
    "list_offsets_response_topic", list_offsets_response_topic_fields,
     &list_offsets_response_topic_defaults, sizeof(struct list_offsets_response_topic), 2,
     2};

const struct list_offsets_response list_offsets_response_defaults = {
    0
};
#define T list_offsets_response
static const struct codec_field list_offsets_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 2, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &list_offsets_response_topic_type, AT(topics), AT(topics_count), 1, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_offsets_response_type = {
    "list_offsets_response", list_offsets_response_fields,
     &list_offsets_response_defaults, sizeof(struct list_offsets_response), 2, 2};

const struct codec_message list_offsets_response_message = {
    "list_offsets_response", &list_offsets_response_type, 2, 1, 11, 6};

/* ---- Metadata ---- */

const struct metadata_request_topic metadata_request_topic_defaults = {
    0
};
#define T metadata_request_topic
static const struct codec_field metadata_request_topic_fields[] = {
    {"topic_id", NULL, AT(topic_id), 0, 10, LAST, NEVER, -1, CODEC_UUID, 0},
    {"name", NULL, AT(name), 0, 0, LAST, 10, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct metadata_request_topic_type = {
    "metadata_request_topic", metadata_request_topic_fields,
     &metadata_request_topic_defaults, sizeof(struct metadata_request_topic), 2, 2};

const struct metadata_request metadata_request_defaults = {
    .allow_auto_topic_creation = true
};
#define T metadata_request
static const struct codec_field metadata_request_fields[] = {
    {"topics", &metadata_request_topic_type, AT(topics), AT(topics_count), 0, LAST, 1, -1,
     CODEC_STRUCT, CODEC_ARRAY},
    {"allow_auto_topic_creation", NULL, AT(allow_auto_topic_creation), 0, 4, LAST, NEVER,
     -1, CODEC_BOOL, CODEC_STRICT},
    {"include_cluster_authorized_operations", NULL,
     AT(include_cluster_authorized_operations), 0, 8, 10, NEVER, -1, CODEC_BOOL,
     CODEC_STRICT},
    {"include_topic_authorized_operations", NULL, AT(include_topic_authorized_operations),
     0, 8, LAST, NEVER, -1, CODEC_BOOL, CODEC_STRICT},
};
#undef T
const struct codec_struct metadata_request_type = {
    "metadata_request", metadata_request_fields, &metadata_request_defaults, sizeof(struct
     metadata_request), 4, 4};

const struct codec_message metadata_request_message = {
    "metadata_request", &metadata_request_type, 3, 0, 13, 9};

const struct metadata_response_broker metadata_response_broker_defaults = {
    0
};
#define T metadata_response_broker
static const struct codec_field metadata_response_broker_fields[] = {
    {"node_id", NULL, AT(node_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"host", NULL, AT(host), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"port", NULL, AT(port), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"rack", NULL, AT(rack), 0, 1, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct metadata_response_broker_type = {
    "metadata_response_broker", metadata_response_broker_fields,
     &metadata_response_broker_defaults, sizeof(struct metadata_response_broker), 4, 4};

const struct metadata_response_partition metadata_response_partition_defaults = {
    .leader_epoch = -1
};
#define T metadata_response_partition
static const struct codec_field metadata_response_partition_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"leader_id", NULL, AT(leader_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"leader_epoch", NULL, AT(leader_epoch), 0, 7, LAST, NEVER, -1, CODEC_INT32, 0},
    {"replica_nodes", NULL, AT(replica_nodes), AT(replica_nodes_count), 0, LAST, NEVER,
     -1, CODEC_INT32, CODEC_ARRAY},
    {"isr_nodes", NULL, AT(isr_nodes), AT(isr_nodes_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
    {"offline_replicas", NULL, AT(offline_replicas), AT(offline_replicas_count), 5, LAST,
     NEVER, -1, CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct metadata_response_partition_type = {
    "metadata_response_partition", metadata_response_partition_fields,
     &metadata_response_partition_defaults, sizeof(struct metadata_response_partition), 7,
     7};

const struct metadata_response_topic metadata_response_topic_defaults = {
    .topic_authorized_operations = INT32_MIN
};
#define T metadata_response_topic
static const struct codec_field metadata_response_topic_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"name", NULL, AT(name), 0, 0, LAST, 12, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 10, LAST, NEVER, -1, CODEC_UUID, 0},
    {"is_internal", NULL, AT(is_internal), 0, 1, LAST, NEVER, -1, CODEC_BOOL, 0},
    {"partitions", &metadata_response_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"topic_authorized_operations", NULL, AT(topic_authorized_operations), 0, 8, LAST,
     NEVER, -1, CODEC_INT32, CODEC_STRICT},
};
#undef T
const struct codec_struct metadata_response_topic_type = {
    "metadata_response_topic", metadata_response_topic_fields,
     &metadata_response_topic_defaults, sizeof(struct metadata_response_topic), 6, 6};

const struct metadata_response metadata_response_defaults = {
    .controller_id = -1, .cluster_authorized_operations = INT32_MIN
};
#define T metadata_response
static const struct codec_field metadata_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 3, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"brokers", &metadata_response_broker_type, AT(brokers), AT(brokers_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"cluster_id", NULL, AT(cluster_id), 0, 2, LAST, 0, -1, CODEC_STRING, 0},
    {"controller_id", NULL, AT(controller_id), 0, 1, LAST, NEVER, -1, CODEC_INT32, 0},
    {"topics", &metadata_response_topic_type, AT(topics), AT(topics_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"cluster_authorized_operations", NULL, AT(cluster_authorized_operations), 0, 8, 10,
     NEVER, -1, CODEC_INT32, CODEC_STRICT},
    {"error_code", NULL, AT(error_code), 0, 13, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct metadata_response_type = {
    "metadata_response", metadata_response_fields, &metadata_response_defaults,
     sizeof(struct metadata_response), 7, 7};

const struct codec_message metadata_response_message = {
    "metadata_response", &metadata_response_type, 3, 0, 13, 9};

/* ---- OffsetCommit ---- */

const struct offset_commit_request_partition offset_commit_request_partition_defaults = {
    .committed_leader_epoch = -1
};
#define T offset_commit_request_partition
static const struct codec_field offset_commit_request_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"committed_offset", NULL, AT(committed_offset), 0, 2, LAST, NEVER, -1, CODEC_INT64,
     0},
    {"committed_leader_epoch", NULL, AT(committed_leader_epoch), 0, 6, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"committed_metadata", NULL, AT(committed_metadata), 0, 2, LAST, 0, -1, CODEC_STRING,
     0},
};
#undef T
const struct codec_struct offset_commit_request_partition_type = {
    "offset_commit_request_partition", offset_commit_request_partition_fields,
     &offset_commit_request_partition_defaults, sizeof(struct
     offset_commit_request_partition), 4, 4};

const struct offset_commit_request_topic offset_commit_request_topic_defaults = {
    0
};
#define T offset_commit_request_topic
static const struct codec_field offset_commit_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 2, 9, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 10, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partitions", &offset_commit_request_partition_type, AT(partitions),
     AT(partitions_count), 2, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_commit_request_topic_type = {
    "offset_commit_request_topic", offset_commit_request_topic_fields,
     &offset_commit_request_topic_defaults, sizeof(struct offset_commit_request_topic), 3,
     3};

const struct offset_commit_request offset_commit_request_defaults = {
    .generation_id_or_member_epoch = -1, .retention_time_ms = -1
};
#define T offset_commit_request
static const struct codec_field offset_commit_request_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 2, LAST, NEVER, -1, CODEC_STRING, 0},
    {"generation_id_or_member_epoch", NULL, AT(generation_id_or_member_epoch), 0, 2, LAST,
     NEVER, -1, CODEC_INT32, 0},
    {"member_id", NULL, AT(member_id), 0, 2, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_instance_id", NULL, AT(group_instance_id), 0, 7, LAST, 0, -1, CODEC_STRING,
     0},
    {"retention_time_ms", NULL, AT(retention_time_ms), 0, 2, 4, NEVER, -1, CODEC_INT64,
     0},
    {"topics", &offset_commit_request_topic_type, AT(topics), AT(topics_count), 2, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_commit_request_type = {
    "offset_commit_request", offset_commit_request_fields,
     &offset_commit_request_defaults, sizeof(struct offset_commit_request), 6, 6};

const struct codec_message offset_commit_request_message = {
    "offset_commit_request", &offset_commit_request_type, 8, 2, 10, 8};

const struct offset_commit_response_partition offset_commit_response_partition_defaults = {
    0
};
#define T offset_commit_response_partition
static const struct codec_field offset_commit_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 2, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct offset_commit_response_partition_type = {
    "offset_commit_response_partition", offset_commit_response_partition_fields,
     &offset_commit_response_partition_defaults, sizeof(struct
     offset_commit_response_partition), 2, 2};

const struct offset_commit_response_topic offset_commit_response_topic_defaults = {
    0
};
#define T offset_commit_response_topic
static const struct codec_field offset_commit_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 2, 9, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 10, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partitions", &offset_commit_response_partition_type, AT(partitions),
     AT(partitions_count), 2, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_commit_response_topic_type = {
    "offset_commit_response_topic", offset_commit_response_topic_fields,
     &offset_commit_response_topic_defaults, sizeof(struct offset_commit_response_topic),
     3, 3};

const struct offset_commit_response offset_commit_response_defaults = {
    0
};
#define T offset_commit_response
static const struct codec_field offset_commit_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 3, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &offset_commit_response_topic_type, AT(topics), AT(topics_count), 2, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_commit_response_type = {
    "offset_commit_response", offset_commit_response_fields,
     &offset_commit_response_defaults, sizeof(struct offset_commit_response), 2, 2};

const struct codec_message offset_commit_response_message = {
    "offset_commit_response", &offset_commit_response_type, 8, 2, 10, 8};

/* ---- OffsetFetch ---- */

const struct offset_fetch_request_topic offset_fetch_request_topic_defaults = {
    0
};
#define T offset_fetch_request_topic
static const struct codec_field offset_fetch_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partition_indexes", NULL, AT(partition_indexes), AT(partition_indexes_count), 1,
     LAST, NEVER, -1, CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_fetch_request_topic_type = {
    "offset_fetch_request_topic", offset_fetch_request_topic_fields,
     &offset_fetch_request_topic_defaults, sizeof(struct offset_fetch_request_topic), 2,
     2};

const struct offset_fetch_request_group_topic offset_fetch_request_group_topic_defaults = {
    0
};
#define T offset_fetch_request_group_topic
static const struct codec_field offset_fetch_request_group_topic_fields[] = {
    {"name", NULL, AT(name), 0, 8, 9, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 10, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partition_indexes", NULL, AT(partition_indexes), AT(partition_indexes_count), 1,
     LAST, NEVER, -1, CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_fetch_request_group_topic_type = {
    "offset_fetch_request_group_topic", offset_fetch_request_group_topic_fields,
     &offset_fetch_request_group_topic_defaults, sizeof(struct
     offset_fetch_request_group_topic), 3, 3};

const struct offset_fetch_request_group offset_fetch_request_group_defaults = {
    .member_epoch = -1
};
#define T offset_fetch_request_group
static const struct codec_field offset_fetch_request_group_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"member_id", NULL, AT(member_id), 0, 9, LAST, 0, -1, CODEC_STRING, 0},
    {"member_epoch", NULL, AT(member_epoch), 0, 9, LAST, NEVER, -1, CODEC_INT32, 0},
    {"topics", &offset_fetch_request_group_topic_type, AT(topics), AT(topics_count), 1,
     LAST, 0, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_fetch_request_group_type = {
    "offset_fetch_request_group", offset_fetch_request_group_fields,
     &offset_fetch_request_group_defaults, sizeof(struct offset_fetch_request_group), 4,
     4};

const struct offset_fetch_request offset_fetch_request_defaults = {
    0
};
#define T offset_fetch_request
static const struct codec_field offset_fetch_request_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 1, 7, NEVER, -1, CODEC_STRING, 0},
    {"topics", &offset_fetch_request_topic_type, AT(topics), AT(topics_count), 1, 7, 2,
     -1, CODEC_STRUCT, CODEC_ARRAY},
    {"groups", &offset_fetch_request_group_type, AT(groups), AT(groups_count), 8, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"require_stable", NULL, AT(require_stable), 0, 7, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct offset_fetch_request_type = {
    "offset_fetch_request", offset_fetch_request_fields, &offset_fetch_request_defaults,
     sizeof(struct offset_fetch_request), 4, 4};

const struct codec_message offset_fetch_request_message = {
    "offset_fetch_request", &offset_fetch_request_type, 9, 1, 10, 6};

const struct offset_fetch_response_partition offset_fetch_response_partition_defaults = {
    .committed_leader_epoch = -1
};
#define T offset_fetch_response_partition
static const struct codec_field offset_fetch_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 1, LAST, NEVER, -1, CODEC_INT32, 0},
    {"committed_offset", NULL, AT(committed_offset), 0, 1, LAST, NEVER, -1, CODEC_INT64,
     0},
    {"committed_leader_epoch", NULL, AT(committed_leader_epoch), 0, 5, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"metadata", NULL, AT(metadata), 0, 1, LAST, 0, -1, CODEC_STRING, 0},
    {"error_code", NULL, AT(error_code), 0, 1, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct offset_fetch_response_partition_type = {
    "offset_fetch_response_partition", offset_fetch_response_partition_fields,
     &offset_fetch_response_partition_defaults, sizeof(struct
     offset_fetch_response_partition), 5, 5};

const struct offset_fetch_response_topic offset_fetch_response_topic_defaults = {
    0
};
#define T offset_fetch_response_topic
static const struct codec_field offset_fetch_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &offset_fetch_response_partition_type, AT(partitions),
     AT(partitions_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_fetch_response_topic_type = {
    "offset_fetch_response_topic", offset_fetch_response_topic_fields,
     &offset_fetch_response_topic_defaults, sizeof(struct offset_fetch_response_topic), 2,
     2};

const struct offset_fetch_response_group_topic offset_fetch_response_group_topic_defaults = {
    0
};
#define T offset_fetch_response_group_topic
static const struct codec_field offset_fetch_response_group_topic_fields[] = {
    {"name", NULL, AT(name), 0, 8, 9, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 10, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partitions", &offset_fetch_response_partition_type, AT(partitions),
     AT(partitions_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_fetch_response_group_topic_type = {
    "offset_fetch_response_group_topic", offset_fetch_response_group_topic_fields,
     &offset_fetch_response_group_topic_defaults, sizeof(struct
     offset_fetch_response_group_topic), 3, 3};

const struct offset_fetch_response_group offset_fetch_response_group_defaults = {
    0
};
#define T offset_fetch_response_group
static const struct codec_field offset_fetch_response_group_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"topics", &offset_fetch_response_group_topic_type, AT(topics), AT(topics_count), 1,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"error_code", NULL, AT(error_code), 0, 1, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct offset_fetch_response_group_type = {
    "offset_fetch_response_group", offset_fetch_response_group_fields,
     &offset_fetch_response_group_defaults, sizeof(struct offset_fetch_response_group), 3,
     3};

const struct offset_fetch_response offset_fetch_response_defaults = {
    0
};
#define T offset_fetch_response
static const struct codec_field offset_fetch_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 3, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &offset_fetch_response_topic_type, AT(topics), AT(topics_count), 1, 7,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"error_code", NULL, AT(error_code), 0, 2, 7, NEVER, -1, CODEC_INT16, 0},
    {"groups", &offset_fetch_response_group_type, AT(groups), AT(groups_count), 8, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_fetch_response_type = {
    "offset_fetch_response", offset_fetch_response_fields,
     &offset_fetch_response_defaults, sizeof(struct offset_fetch_response), 4, 4};

const struct codec_message offset_fetch_response_message = {
    "offset_fetch_response", &offset_fetch_response_type, 9, 1, 10, 6};

/* ---- FindCoordinator ---- */

const struct find_coordinator_request find_coordinator_request_defaults = {
    0
};
#define T find_coordinator_request
static const struct codec_field find_coordinator_request_fields[] = {
    {"key", NULL, AT(key), 0, 0, 3, NEVER, -1, CODEC_STRING, 0},
    {"key_type", NULL, AT(key_type), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
    {"coordinator_keys", NULL, AT(coordinator_keys), AT(coordinator_keys_count), 4, LAST,
     NEVER, -1, CODEC_STRING, CODEC_ARRAY},
};
#undef T
const struct codec_struct find_coordinator_request_type = {
    "find_coordinator_request", find_coordinator_request_fields,
     &find_coordinator_request_defaults, sizeof(struct find_coordinator_request), 3, 3};

const struct codec_message find_coordinator_request_message = {
    "find_coordinator_request", &find_coordinator_request_type, 10, 0, 6, 3};

const struct find_coordinator_response_coordinator find_coordinator_response_coordinator_defaults = {
    0
};
#define T find_coordinator_response_coordinator
static const struct codec_field find_coordinator_response_coordinator_fields[] = {
    {"key", NULL, AT(key), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"node_id", NULL, AT(node_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"host", NULL, AT(host), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"port", NULL, AT(port), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct find_coordinator_response_coordinator_type = {
    "find_coordinator_response_coordinator", find_coordinator_response_coordinator_fields,
     &find_coordinator_response_coordinator_defaults, sizeof(struct
     find_coordinator_response_coordinator), 6, 6};

const struct find_coordinator_response find_coordinator_response_defaults = {
    0
};
#define T find_coordinator_response
static const struct codec_field find_coordinator_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, 3, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 1, 3, 0, -1, CODEC_STRING, 0},
    {"node_id", NULL, AT(node_id), 0, 0, 3, NEVER, -1, CODEC_INT32, 0},
    {"host", NULL, AT(host), 0, 0, 3, NEVER, -1, CODEC_STRING, 0},
    {"port", NULL, AT(port), 0, 0, 3, NEVER, -1, CODEC_INT32, 0},
    {"coordinators", &find_coordinator_response_coordinator_type, AT(coordinators),
     AT(coordinators_count), 4, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct find_coordinator_response_type = {
    "find_coordinator_response", find_coordinator_response_fields,
     &find_coordinator_response_defaults, sizeof(struct find_coordinator_response), 7, 7};

const struct codec_message find_coordinator_response_message = {
    "find_coordinator_response", &find_coordinator_response_type, 10, 0, 6, 3};

/* ---- JoinGroup ---- */

const struct join_group_request_protocol join_group_request_protocol_defaults = {
    0
};
#define T join_group_request_protocol
static const struct codec_field join_group_request_protocol_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"metadata", NULL, AT(metadata), 0, 0, LAST, NEVER, -1, CODEC_RECORDS, 0},
};
#undef T
const struct codec_struct join_group_request_protocol_type = {
    "join_group_request_protocol", join_group_request_protocol_fields,
     &join_group_request_protocol_defaults, sizeof(struct join_group_request_protocol), 2,
     2};

const struct join_group_request join_group_request_defaults = {
    .rebalance_timeout_ms = -1
};
#define T join_group_request
static const struct codec_field join_group_request_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"session_timeout_ms", NULL, AT(session_timeout_ms), 0, 0, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"rebalance_timeout_ms", NULL, AT(rebalance_timeout_ms), 0, 1, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_instance_id", NULL, AT(group_instance_id), 0, 5, LAST, 0, -1, CODEC_STRING,
     0},
    {"protocol_type", NULL, AT(protocol_type), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"protocols", &join_group_request_protocol_type, AT(protocols), AT(protocols_count),
     0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"reason", NULL, AT(reason), 0, 8, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct join_group_request_type = {
    "join_group_request", join_group_request_fields, &join_group_request_defaults,
     sizeof(struct join_group_request), 8, 8};

const struct codec_message join_group_request_message = {
    "join_group_request", &join_group_request_type, 11, 0, 9, 6};

const struct join_group_response_member join_group_response_member_defaults = {
    0
};
#define T join_group_response_member
static const struct codec_field join_group_response_member_fields[] = {
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_instance_id", NULL, AT(group_instance_id), 0, 5, LAST, 0, -1, CODEC_STRING,
     0},
    {"metadata", NULL, AT(metadata), 0, 0, LAST, NEVER, -1, CODEC_RECORDS, 0},
};
#undef T
const struct codec_struct join_group_response_member_type = {
    "join_group_response_member", join_group_response_member_fields,
     &join_group_response_member_defaults, sizeof(struct join_group_response_member), 3,
     3};

const struct join_group_response join_group_response_defaults = {
    .generation_id = -1
};
#define T join_group_response
static const struct codec_field join_group_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 2, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"generation_id", NULL, AT(generation_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"protocol_type", NULL, AT(protocol_type), 0, 7, LAST, 0, -1, CODEC_STRING, 0},
    {"protocol_name", NULL, AT(protocol_name), 0, 0, LAST, 7, -1, CODEC_STRING, 0},
    {"leader", NULL, AT(leader), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"skip_assignment", NULL, AT(skip_assignment), 0, 9, LAST, NEVER, -1, CODEC_BOOL, 0},
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"members", &join_group_response_member_type, AT(members), AT(members_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct join_group_response_type = {
    "join_group_response", join_group_response_fields, &join_group_response_defaults,
     sizeof(struct join_group_response), 9, 9};

const struct codec_message join_group_response_message = {
    "join_group_response", &join_group_response_type, 11, 0, 9, 6};

/* ---- Heartbeat ---- */

const struct heartbeat_request heartbeat_request_defaults = {
    0
};
#define T heartbeat_request
static const struct codec_field heartbeat_request_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"generation_id", NULL, AT(generation_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_instance_id", NULL, AT(group_instance_id), 0, 3, LAST, 0, -1, CODEC_STRING,
     0},
};
#undef T
const struct codec_struct heartbeat_request_type = {
    "heartbeat_request", heartbeat_request_fields, &heartbeat_request_defaults,
     sizeof(struct heartbeat_request), 4, 4};

const struct codec_message heartbeat_request_message = {
    "heartbeat_request", &heartbeat_request_type, 12, 0, 4, 4};

const struct heartbeat_response heartbeat_response_defaults = {
    0
};
#define T heartbeat_response
static const struct codec_field heartbeat_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct heartbeat_response_type = {
    "heartbeat_response", heartbeat_response_fields, &heartbeat_response_defaults,
     sizeof(struct heartbeat_response), 2, 2};

const struct codec_message heartbeat_response_message = {
    "heartbeat_response", &heartbeat_response_type, 12, 0, 4, 4};

/* ---- LeaveGroup ---- */

const struct leave_group_request_member leave_group_request_member_defaults = {
    0
};
#define T leave_group_request_member
static const struct codec_field leave_group_request_member_fields[] = {
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_instance_id", NULL, AT(group_instance_id), 0, 0, LAST, 0, -1, CODEC_STRING,
     0},
    {"reason", NULL, AT(reason), 0, 5, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct leave_group_request_member_type = {
    "leave_group_request_member", leave_group_request_member_fields,
     &leave_group_request_member_defaults, sizeof(struct leave_group_request_member), 3,
     3};

const struct leave_group_request leave_group_request_defaults = {
    0
};
#define T leave_group_request
static const struct codec_field leave_group_request_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"member_id", NULL, AT(member_id), 0, 0, 2, NEVER, -1, CODEC_STRING, 0},
    {"members", &leave_group_request_member_type, AT(members), AT(members_count), 3, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct leave_group_request_type = {
    "leave_group_request", leave_group_request_fields, &leave_group_request_defaults,
     sizeof(struct leave_group_request), 3, 3};

const struct codec_message leave_group_request_message = {
    "leave_group_request", &leave_group_request_type, 13, 0, 5, 4};

const struct leave_group_response_member leave_group_response_member_defaults = {
    0
};
#define T leave_group_response_member
static const struct codec_field leave_group_response_member_fields[] = {
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_instance_id", NULL, AT(group_instance_id), 0, 0, LAST, 0, -1, CODEC_STRING,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct leave_group_response_member_type = {
    "leave_group_response_member", leave_group_response_member_fields,
     &leave_group_response_member_defaults, sizeof(struct leave_group_response_member), 3,
     3};

const struct leave_group_response leave_group_response_defaults = {
    0
};
#define T leave_group_response
static const struct codec_field leave_group_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"members", &leave_group_response_member_type, AT(members), AT(members_count), 3,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct leave_group_response_type = {
    "leave_group_response", leave_group_response_fields, &leave_group_response_defaults,
     sizeof(struct leave_group_response), 3, 3};

const struct codec_message leave_group_response_message = {
    "leave_group_response", &leave_group_response_type, 13, 0, 5, 4};

/* ---- SyncGroup ---- */

const struct sync_group_request_assignment sync_group_request_assignment_defaults = {
    0
};
#define T sync_group_request_assignment
static const struct codec_field sync_group_request_assignment_fields[] = {
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"assignment", NULL, AT(assignment), 0, 0, LAST, NEVER, -1, CODEC_RECORDS, 0},
};
#undef T
const struct codec_struct sync_group_request_assignment_type = {
    "sync_group_request_assignment", sync_group_request_assignment_fields,
     &sync_group_request_assignment_defaults, sizeof(struct
     sync_group_request_assignment), 2, 2};

const struct sync_group_request sync_group_request_defaults = {
    0
};
#define T sync_group_request
static const struct codec_field sync_group_request_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"generation_id", NULL, AT(generation_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_instance_id", NULL, AT(group_instance_id), 0, 3, LAST, 0, -1, CODEC_STRING,
     0},
    {"protocol_type", NULL, AT(protocol_type), 0, 5, LAST, 0, -1, CODEC_STRING, 0},
    {"protocol_name", NULL, AT(protocol_name), 0, 5, LAST, 0, -1, CODEC_STRING, 0},
    {"assignments", &sync_group_request_assignment_type, AT(assignments),
     AT(assignments_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct sync_group_request_type = {
    "sync_group_request", sync_group_request_fields, &sync_group_request_defaults,
     sizeof(struct sync_group_request), 7, 7};

const struct codec_message sync_group_request_message = {
    "sync_group_request", &sync_group_request_type, 14, 0, 5, 4};

const struct sync_group_response sync_group_response_defaults = {
    0
};
#define T sync_group_response
static const struct codec_field sync_group_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"protocol_type", NULL, AT(protocol_type), 0, 5, LAST, 0, -1, CODEC_STRING, 0},
    {"protocol_name", NULL, AT(protocol_name), 0, 5, LAST, 0, -1, CODEC_STRING, 0},
    {"assignment", NULL, AT(assignment), 0, 0, LAST, NEVER, -1, CODEC_RECORDS, 0},
};
#undef T
const struct codec_struct sync_group_response_type = {
    "sync_group_response", sync_group_response_fields, &sync_group_response_defaults,
     sizeof(struct sync_group_response), 5, 5};

const struct codec_message sync_group_response_message = {
    "sync_group_response", &sync_group_response_type, 14, 0, 5, 4};

/* ---- DescribeGroups ---- */

const struct describe_groups_request describe_groups_request_defaults = {
    0
};
#define T describe_groups_request
static const struct codec_field describe_groups_request_fields[] = {
    {"groups", NULL, AT(groups), AT(groups_count), 0, LAST, NEVER, -1, CODEC_STRING,
     CODEC_ARRAY},
    {"include_authorized_operations", NULL, AT(include_authorized_operations), 0, 3, LAST,
     NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct describe_groups_request_type = {
    "describe_groups_request", describe_groups_request_fields,
     &describe_groups_request_defaults, sizeof(struct describe_groups_request), 2, 2};

const struct codec_message describe_groups_request_message = {
    "describe_groups_request", &describe_groups_request_type, 15, 0, 6, 5};

const struct describe_groups_response_member describe_groups_response_member_defaults = {
    0
};
#define T describe_groups_response_member
static const struct codec_field describe_groups_response_member_fields[] = {
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_instance_id", NULL, AT(group_instance_id), 0, 4, LAST, 0, -1, CODEC_STRING,
     0},
    {"client_id", NULL, AT(client_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"client_host", NULL, AT(client_host), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"member_metadata", NULL, AT(member_metadata), 0, 0, LAST, NEVER, -1, CODEC_RECORDS,
     0},
    {"member_assignment", NULL, AT(member_assignment), 0, 0, LAST, NEVER, -1,
     CODEC_RECORDS, 0},
};
#undef T
const struct codec_struct describe_groups_response_member_type = {
    "describe_groups_response_member", describe_groups_response_member_fields,
     &describe_groups_response_member_defaults, sizeof(struct
     describe_groups_response_member), 6, 6};

const struct describe_groups_response_group describe_groups_response_group_defaults = {
    .authorized_operations = INT32_MIN
};
#define T describe_groups_response_group
static const struct codec_field describe_groups_response_group_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 6, LAST, 0, -1, CODEC_STRING, 0},
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_state", NULL, AT(group_state), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"protocol_type", NULL, AT(protocol_type), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"protocol_data", NULL, AT(protocol_data), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"members", &describe_groups_response_member_type, AT(members), AT(members_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"authorized_operations", NULL, AT(authorized_operations), 0, 3, LAST, NEVER, -1,
     CODEC_INT32, 0},
};
#undef T
const struct codec_struct describe_groups_response_group_type = {
    "describe_groups_response_group", describe_groups_response_group_fields,
     &describe_groups_response_group_defaults, sizeof(struct
     describe_groups_response_group), 8, 8};

const struct describe_groups_response describe_groups_response_defaults = {
    0
};
#define T describe_groups_response
static const struct codec_field describe_groups_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"groups", &describe_groups_response_group_type, AT(groups), AT(groups_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_groups_response_type = {
    "describe_groups_response", describe_groups_response_fields,
     &describe_groups_response_defaults, sizeof(struct describe_groups_response), 2, 2};

const struct codec_message describe_groups_response_message = {
    "describe_groups_response", &describe_groups_response_type, 15, 0, 6, 5};

/* ---- ListGroups ---- */

const struct list_groups_request list_groups_request_defaults = {
    0
};
#define T list_groups_request
static const struct codec_field list_groups_request_fields[] = {
    {"states_filter", NULL, AT(states_filter), AT(states_filter_count), 4, LAST, NEVER,
     -1, CODEC_STRING, CODEC_ARRAY},
    {"types_filter", NULL, AT(types_filter), AT(types_filter_count), 5, LAST, NEVER, -1,
     CODEC_STRING, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_groups_request_type = {
    "list_groups_request", list_groups_request_fields, &list_groups_request_defaults,
     sizeof(struct list_groups_request), 2, 2};

const struct codec_message list_groups_request_message = {
    "list_groups_request", &list_groups_request_type, 16, 0, 5, 3};

const struct list_groups_response_group list_groups_response_group_defaults = {
    0
};
#define T list_groups_response_group
static const struct codec_field list_groups_response_group_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"protocol_type", NULL, AT(protocol_type), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_state", NULL, AT(group_state), 0, 4, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_type", NULL, AT(group_type), 0, 5, LAST, NEVER, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct list_groups_response_group_type = {
    "list_groups_response_group", list_groups_response_group_fields,
     &list_groups_response_group_defaults, sizeof(struct list_groups_response_group), 4,
     4};

const struct list_groups_response list_groups_response_defaults = {
    0
};
#define T list_groups_response
static const struct codec_field list_groups_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"groups", &list_groups_response_group_type, AT(groups), AT(groups_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_groups_response_type = {
    "list_groups_response", list_groups_response_fields, &list_groups_response_defaults,
     sizeof(struct list_groups_response), 3, 3};

const struct codec_message list_groups_response_message = {
    "list_groups_response", &list_groups_response_type, 16, 0, 5, 3};

/* ---- ApiVersions ---- */

const struct api_versions_request api_versions_request_defaults = {
    0
};
#define T api_versions_request
static const struct codec_field api_versions_request_fields[] = {
    {"client_software_name", NULL, AT(client_software_name), 0, 3, LAST, NEVER, -1,
     CODEC_STRING, 0},
    {"client_software_version", NULL, AT(client_software_version), 0, 3, LAST, NEVER, -1,
     CODEC_STRING, 0},
};
#undef T
const struct codec_struct api_versions_request_type = {
    "api_versions_request", api_versions_request_fields, &api_versions_request_defaults,
     sizeof(struct api_versions_request), 2, 2};

const struct codec_message api_versions_request_message = {
    "api_versions_request", &api_versions_request_type, 18, 0, 4, 3};

const struct api_versions_response_api api_versions_response_api_defaults = {
    0
};
#define T api_versions_response_api
static const struct codec_field api_versions_response_api_fields[] = {
    {"api_key", NULL, AT(api_key), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"min_version", NULL, AT(min_version), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"max_version", NULL, AT(max_version), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct api_versions_response_api_type = {
    "api_versions_response_api", api_versions_response_api_fields,
     &api_versions_response_api_defaults, sizeof(struct api_versions_response_api), 3, 3};

const struct api_versions_response_supported_feature api_versions_response_supported_feature_defaults = {
    0
};
#define T api_versions_response_supported_feature
static const struct codec_field api_versions_response_supported_feature_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"min_version", NULL, AT(min_version), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"max_version", NULL, AT(max_version), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct api_versions_response_supported_feature_type = {
    "api_versions_response_supported_feature",
     api_versions_response_supported_feature_fields,
     &api_versions_response_supported_feature_defaults, sizeof(struct
     api_versions_response_supported_feature), 3, 3};

const struct api_versions_response_finalized_feature api_versions_response_finalized_feature_defaults = {
    0
};
#define T api_versions_response_finalized_feature
static const struct codec_field api_versions_response_finalized_feature_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"max_version_level", NULL, AT(max_version_level), 0, 0, LAST, NEVER, -1, CODEC_INT16,
     0},
    {"min_version_level", NULL, AT(min_version_level), 0, 0, LAST, NEVER, -1, CODEC_INT16,
     0},
};
#undef T
const struct codec_struct api_versions_response_finalized_feature_type = {
    "api_versions_response_finalized_feature",
     api_versions_response_finalized_feature_fields,
     &api_versions_response_finalized_feature_defaults, sizeof(struct
     api_versions_response_finalized_feature), 3, 3};

const struct api_versions_response api_versions_response_defaults = {
    .finalized_features_epoch = -1
};
#define T api_versions_response
static const struct codec_field api_versions_response_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"api_keys", &api_versions_response_api_type, AT(api_keys), AT(api_keys_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"supported_features", &api_versions_response_supported_feature_type,
     AT(supported_features), AT(supported_features_count), 3, LAST, NEVER, 0,
     CODEC_STRUCT, CODEC_ARRAY},
    {"finalized_features_epoch", NULL, AT(finalized_features_epoch), 0, 3, LAST, NEVER, 1,
     CODEC_INT64, 0},
    {"finalized_features", &api_versions_response_finalized_feature_type,
     AT(finalized_features), AT(finalized_features_count), 3, LAST, NEVER, 2,
     CODEC_STRUCT, CODEC_ARRAY},
    {"zk_migration_ready", NULL, AT(zk_migration_ready), 0, 3, LAST, NEVER, 3, CODEC_BOOL,
     0},
};
#undef T
const struct codec_struct api_versions_response_type = {
    "api_versions_response", api_versions_response_fields,
     &api_versions_response_defaults, sizeof(struct api_versions_response), 7, 3};

const struct codec_message api_versions_response_message = {
    "api_versions_response", &api_versions_response_type, 18, 0, 4, 3};

/* ---- CreateTopics ---- */

const struct create_topics_request_assignment create_topics_request_assignment_defaults = {
    0
};
#define T create_topics_request_assignment
static const struct codec_field create_topics_request_assignment_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"broker_ids", NULL, AT(broker_ids), AT(broker_ids_count), 2, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct create_topics_request_assignment_type = {
    "create_topics_request_assignment", create_topics_request_assignment_fields,
     &create_topics_request_assignment_defaults, sizeof(struct
     create_topics_request_assignment), 2, 2};

const struct create_topics_request_config create_topics_request_config_defaults = {
    0
};
#define T create_topics_request_config
static const struct codec_field create_topics_request_config_fields[] = {
    {"name", NULL, AT(name), 0, 2, LAST, NEVER, -1, CODEC_STRING, 0},
    {"value", NULL, AT(value), 0, 2, LAST, 0, -1, CODEC_STRING, CODEC_HIDDEN},
};
#undef T
const struct codec_struct create_topics_request_config_type = {
    "create_topics_request_config", create_topics_request_config_fields,
     &create_topics_request_config_defaults, sizeof(struct create_topics_request_config),
     2, 2};

const struct create_topics_request_topic create_topics_request_topic_defaults = {
    0
};
#define T create_topics_request_topic
static const struct codec_field create_topics_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 2, LAST, NEVER, -1, CODEC_STRING, 0},
    {"num_partitions", NULL, AT(num_partitions), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"replication_factor", NULL, AT(replication_factor), 0, 2, LAST, NEVER, -1,
     CODEC_INT16, 0},
    {"assignments", &create_topics_request_assignment_type, AT(assignments),
     AT(assignments_count), 2, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"configs", &create_topics_request_config_type, AT(configs), AT(configs_count), 2,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct create_topics_request_topic_type = {
    "create_topics_request_topic", create_topics_request_topic_fields,
     &create_topics_request_topic_defaults, sizeof(struct create_topics_request_topic), 5,
     5};

const struct create_topics_request create_topics_request_defaults = {
    .timeout_ms = 60000
};
#define T create_topics_request
static const struct codec_field create_topics_request_fields[] = {
    {"topics", &create_topics_request_topic_type, AT(topics), AT(topics_count), 2, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"timeout_ms", NULL, AT(timeout_ms), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"validate_only", NULL, AT(validate_only), 0, 2, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct create_topics_request_type = {
    "create_topics_request", create_topics_request_fields,
     &create_topics_request_defaults, sizeof(struct create_topics_request), 3, 3};

const struct codec_message create_topics_request_message = {
    "create_topics_request", &create_topics_request_type, 19, 2, 7, 5};

const struct create_topics_response_config create_topics_response_config_defaults = {
    .config_source = -1
};
#define T create_topics_response_config
static const struct codec_field create_topics_response_config_fields[] = {
    {"name", NULL, AT(name), 0, 2, LAST, NEVER, -1, CODEC_STRING, 0},
    {"value", NULL, AT(value), 0, 2, LAST, 0, -1, CODEC_STRING, CODEC_HIDDEN},
    {"read_only", NULL, AT(read_only), 0, 2, LAST, NEVER, -1, CODEC_BOOL, 0},
    {"config_source", NULL, AT(config_source), 0, 2, LAST, NEVER, -1, CODEC_INT8, 0},
    {"is_sensitive", NULL, AT(is_sensitive), 0, 2, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct create_topics_response_config_type = {
    "create_topics_response_config", create_topics_response_config_fields,
     &create_topics_response_config_defaults, sizeof(struct
     create_topics_response_config), 5, 5};

const struct create_topics_response_topic create_topics_response_topic_defaults = {
    .num_partitions = -1, .replication_factor = -1
};
#define T create_topics_response_topic
static const struct codec_field create_topics_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 2, LAST, NEVER, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 7, LAST, NEVER, -1, CODEC_UUID, 0},
    {"error_code", NULL, AT(error_code), 0, 2, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 2, LAST, 0, -1, CODEC_STRING, 0},
    {"num_partitions", NULL, AT(num_partitions), 0, 5, LAST, NEVER, -1, CODEC_INT32, 0},
    {"replication_factor", NULL, AT(replication_factor), 0, 5, LAST, NEVER, -1,
     CODEC_INT16, 0},
    {"configs", &create_topics_response_config_type, AT(configs), AT(configs_count), 5,
     LAST, 0, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"topic_config_error_code", NULL, AT(topic_config_error_code), 0, 5, LAST, NEVER, 0,
     CODEC_INT16, 0},
};
#undef T
const struct codec_struct create_topics_response_topic_type = {
    "create_topics_response_topic", create_topics_response_topic_fields,
     &create_topics_response_topic_defaults, sizeof(struct create_topics_response_topic),
     8, 7};

const struct create_topics_response create_topics_response_defaults = {
    0
};
#define T create_topics_response
static const struct codec_field create_topics_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 2, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &create_topics_response_topic_type, AT(topics), AT(topics_count), 2, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct create_topics_response_type = {
    "create_topics_response", create_topics_response_fields,
     &create_topics_response_defaults, sizeof(struct create_topics_response), 2, 2};

const struct codec_message create_topics_response_message = {
    "create_topics_response", &create_topics_response_type, 19, 2, 7, 5};

/* ---- DeleteTopics ---- */

const struct delete_topics_request_topic delete_topics_request_topic_defaults = {
    0
};
#define T delete_topics_request_topic
static const struct codec_field delete_topics_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, 0, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 1, LAST, NEVER, -1, CODEC_UUID, 0},
};
#undef T
const struct codec_struct delete_topics_request_topic_type = {
    "delete_topics_request_topic", delete_topics_request_topic_fields,
     &delete_topics_request_topic_defaults, sizeof(struct delete_topics_request_topic), 2,
     2};

const struct delete_topics_request delete_topics_request_defaults = {
    0
};
#define T delete_topics_request
static const struct codec_field delete_topics_request_fields[] = {
    {"topics", &delete_topics_request_topic_type, AT(topics), AT(topics_count), 6, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY | CODEC_STRICT},
    {"topic_names", NULL, AT(topic_names), AT(topic_names_count), 1, 5, NEVER, -1,
     CODEC_STRING, CODEC_ARRAY},
    {"timeout_ms", NULL, AT(timeout_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct delete_topics_request_type = {
    "delete_topics_request", delete_topics_request_fields,
     &delete_topics_request_defaults, sizeof(struct delete_topics_request), 3, 3};

const struct codec_message delete_topics_request_message = {
    "delete_topics_request", &delete_topics_request_type, 20, 1, 6, 4};

const struct delete_topics_response_topic delete_topics_response_topic_defaults = {
    0
};
#define T delete_topics_response_topic
static const struct codec_field delete_topics_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, 6, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 6, LAST, NEVER, -1, CODEC_UUID, 0},
    {"error_code", NULL, AT(error_code), 0, 1, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 5, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct delete_topics_response_topic_type = {
    "delete_topics_response_topic", delete_topics_response_topic_fields,
     &delete_topics_response_topic_defaults, sizeof(struct delete_topics_response_topic),
     4, 4};

const struct delete_topics_response delete_topics_response_defaults = {
    0
};
#define T delete_topics_response
static const struct codec_field delete_topics_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"responses", &delete_topics_response_topic_type, AT(responses), AT(responses_count),
     1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct delete_topics_response_type = {
    "delete_topics_response", delete_topics_response_fields,
     &delete_topics_response_defaults, sizeof(struct delete_topics_response), 2, 2};

const struct codec_message delete_topics_response_message = {
    "delete_topics_response", &delete_topics_response_type, 20, 1, 6, 4};

/* ---- DeleteRecords ---- */

const struct delete_records_request_partition delete_records_request_partition_defaults = {
    0
};
#define T delete_records_request_partition
static const struct codec_field delete_records_request_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"offset", NULL, AT(offset), 0, 0, LAST, NEVER, -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct delete_records_request_partition_type = {
    "delete_records_request_partition", delete_records_request_partition_fields,
     &delete_records_request_partition_defaults, sizeof(struct
     delete_records_request_partition), 2, 2};

const struct delete_records_request_topic delete_records_request_topic_defaults = {
    0
};
#define T delete_records_request_topic
static const struct codec_field delete_records_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &delete_records_request_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct delete_records_request_topic_type = {
    "delete_records_request_topic", delete_records_request_topic_fields,
     &delete_records_request_topic_defaults, sizeof(struct delete_records_request_topic),
     2, 2};

const struct delete_records_request delete_records_request_defaults = {
    0
};
#define T delete_records_request
static const struct codec_field delete_records_request_fields[] = {
    {"topics", &delete_records_request_topic_type, AT(topics), AT(topics_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"timeout_ms", NULL, AT(timeout_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct delete_records_request_type = {
    "delete_records_request", delete_records_request_fields,
     &delete_records_request_defaults, sizeof(struct delete_records_request), 2, 2};

const struct codec_message delete_records_request_message = {
    "delete_records_request", &delete_records_request_type, 21, 0, 2, 2};

const struct delete_records_response_partition delete_records_response_partition_defaults = {
    0
};
#define T delete_records_response_partition
static const struct codec_field delete_records_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"low_watermark", NULL, AT(low_watermark), 0, 0, LAST, NEVER, -1, CODEC_INT64, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct delete_records_response_partition_type = {
    "delete_records_response_partition", delete_records_response_partition_fields,
     &delete_records_response_partition_defaults, sizeof(struct
     delete_records_response_partition), 3, 3};

const struct delete_records_response_topic delete_records_response_topic_defaults = {
    0
};
#define T delete_records_response_topic
static const struct codec_field delete_records_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &delete_records_response_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct delete_records_response_topic_type = {
    "delete_records_response_topic", delete_records_response_topic_fields,
     &delete_records_response_topic_defaults, sizeof(struct
     delete_records_response_topic), 2, 2};

const struct delete_records_response delete_records_response_defaults = {
    0
};
#define T delete_records_response
static const struct codec_field delete_records_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &delete_records_response_topic_type, AT(topics), AT(topics_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct delete_records_response_type = {
    "delete_records_response", delete_records_response_fields,
     &delete_records_response_defaults, sizeof(struct delete_records_response), 2, 2};

const struct codec_message delete_records_response_message = {
    "delete_records_response", &delete_records_response_type, 21, 0, 2, 2};

/* ---- InitProducerId ---- */

const struct init_producer_id_request init_producer_id_request_defaults = {
    .producer_id = -1, .producer_epoch = -1
};
#define T init_producer_id_request
static const struct codec_field init_producer_id_request_fields[] = {
    {"transactional_id", NULL, AT(transactional_id), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"transaction_timeout_ms", NULL, AT(transaction_timeout_ms), 0, 0, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"producer_id", NULL, AT(producer_id), 0, 3, LAST, NEVER, -1, CODEC_INT64,
     CODEC_STRICT},
    {"producer_epoch", NULL, AT(producer_epoch), 0, 3, LAST, NEVER, -1, CODEC_INT16,
     CODEC_STRICT},
};
#undef T
const struct codec_struct init_producer_id_request_type = {
    "init_producer_id_request", init_producer_id_request_fields,
     &init_producer_id_request_defaults, sizeof(struct init_producer_id_request), 4, 4};

const struct codec_message init_producer_id_request_message = {
    "init_producer_id_request", &init_producer_id_request_type, 22, 0, 5, 2};

const struct init_producer_id_response init_producer_id_response_defaults = {
    .producer_id = -1
};
#define T init_producer_id_response
static const struct codec_field init_producer_id_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"producer_id", NULL, AT(producer_id), 0, 0, LAST, NEVER, -1, CODEC_INT64, 0},
    {"producer_epoch", NULL, AT(producer_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct init_producer_id_response_type = {
    "init_producer_id_response", init_producer_id_response_fields,
     &init_producer_id_response_defaults, sizeof(struct init_producer_id_response), 4, 4};

const struct codec_message init_producer_id_response_message = {
    "init_producer_id_response", &init_producer_id_response_type, 22, 0, 5, 2};

/* ---- OffsetForLeaderEpoch ---- */

const struct offset_for_leader_epoch_request_partition offset_for_leader_epoch_request_partition_defaults = {
    .current_leader_epoch = -1
};
#define T offset_for_leader_epoch_request_partition
static const struct codec_field offset_for_leader_epoch_request_partition_fields[] = {
    {"partition", NULL, AT(partition), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"current_leader_epoch", NULL, AT(current_leader_epoch), 0, 2, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"leader_epoch", NULL, AT(leader_epoch), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct offset_for_leader_epoch_request_partition_type = {
    "offset_for_leader_epoch_request_partition",
     offset_for_leader_epoch_request_partition_fields,
     &offset_for_leader_epoch_request_partition_defaults, sizeof(struct
     offset_for_leader_epoch_request_partition), 3, 3};

const struct offset_for_leader_epoch_request_topic offset_for_leader_epoch_request_topic_defaults = {
    0
};
#define T offset_for_leader_epoch_request_topic
static const struct codec_field offset_for_leader_epoch_request_topic_fields[] = {
    {"topic", NULL, AT(topic), 0, 2, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &offset_for_leader_epoch_request_partition_type, AT(partitions),
     AT(partitions_count), 2, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_for_leader_epoch_request_topic_type = {
    "offset_for_leader_epoch_request_topic", offset_for_leader_epoch_request_topic_fields,
     &offset_for_leader_epoch_request_topic_defaults, sizeof(struct
     offset_for_leader_epoch_request_topic), 2, 2};

const struct offset_for_leader_epoch_request offset_for_leader_epoch_request_defaults = {
    .replica_id = -2
};
#define T offset_for_leader_epoch_request
static const struct codec_field offset_for_leader_epoch_request_fields[] = {
    {"replica_id", NULL, AT(replica_id), 0, 3, LAST, NEVER, -1, CODEC_INT32, 0},
    {"topics", &offset_for_leader_epoch_request_topic_type, AT(topics), AT(topics_count),
     2, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_for_leader_epoch_request_type = {
    "offset_for_leader_epoch_request", offset_for_leader_epoch_request_fields,
     &offset_for_leader_epoch_request_defaults, sizeof(struct
     offset_for_leader_epoch_request), 2, 2};

const struct codec_message offset_for_leader_epoch_request_message = {
    "offset_for_leader_epoch_request", &offset_for_leader_epoch_request_type, 23, 2, 4, 4};

const struct offset_for_leader_epoch_response_partition offset_for_leader_epoch_response_partition_defaults = {
    .leader_epoch = -1, .end_offset = -1
};
#define T offset_for_leader_epoch_response_partition
static const struct codec_field offset_for_leader_epoch_response_partition_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 2, LAST, NEVER, -1, CODEC_INT16, 0},
    {"partition", NULL, AT(partition), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"leader_epoch", NULL, AT(leader_epoch), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"end_offset", NULL, AT(end_offset), 0, 2, LAST, NEVER, -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct offset_for_leader_epoch_response_partition_type = {
    "offset_for_leader_epoch_response_partition",
     offset_for_leader_epoch_response_partition_fields,
     &offset_for_leader_epoch_response_partition_defaults, sizeof(struct
     offset_for_leader_epoch_response_partition), 4, 4};

const struct offset_for_leader_epoch_response_topic offset_for_leader_epoch_response_topic_defaults = {
    0
};
#define T offset_for_leader_epoch_response_topic
static const struct codec_field offset_for_leader_epoch_response_topic_fields[] = {
    {"topic", NULL, AT(topic), 0, 2, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &offset_for_leader_epoch_response_partition_type, AT(partitions),
     AT(partitions_count), 2, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_for_leader_epoch_response_topic_type = {
    "offset_for_leader_epoch_response_topic",
     offset_for_leader_epoch_response_topic_fields,
     &offset_for_leader_epoch_response_topic_defaults, sizeof(struct
     offset_for_leader_epoch_response_topic), 2, 2};

const struct offset_for_leader_epoch_response offset_for_leader_epoch_response_defaults = {
    0
};
#define T offset_for_leader_epoch_response
static const struct codec_field offset_for_leader_epoch_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 2, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &offset_for_leader_epoch_response_topic_type, AT(topics), AT(topics_count),
     2, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_for_leader_epoch_response_type = {
    "offset_for_leader_epoch_response", offset_for_leader_epoch_response_fields,
     &offset_for_leader_epoch_response_defaults, sizeof(struct
     offset_for_leader_epoch_response), 2, 2};

const struct codec_message offset_for_leader_epoch_response_message = {
    "offset_for_leader_epoch_response", &offset_for_leader_epoch_response_type, 23, 2, 4, 4};

/* ---- DescribeConfigs ---- */

const struct describe_configs_request_resource describe_configs_request_resource_defaults = {
    0
};
#define T describe_configs_request_resource
static const struct codec_field describe_configs_request_resource_fields[] = {
    {"resource_type", NULL, AT(resource_type), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
    {"resource_name", NULL, AT(resource_name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"configuration_keys", NULL, AT(configuration_keys), AT(configuration_keys_count), 1,
     LAST, 0, -1, CODEC_STRING, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_configs_request_resource_type = {
    "describe_configs_request_resource", describe_configs_request_resource_fields,
     &describe_configs_request_resource_defaults, sizeof(struct
     describe_configs_request_resource), 3, 3};

const struct describe_configs_request describe_configs_request_defaults = {
    0
};
#define T describe_configs_request
static const struct codec_field describe_configs_request_fields[] = {
    {"resources", &describe_configs_request_resource_type, AT(resources),
     AT(resources_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"include_synonyms", NULL, AT(include_synonyms), 0, 1, LAST, NEVER, -1, CODEC_BOOL,
     0},
    {"include_documentation", NULL, AT(include_documentation), 0, 3, LAST, NEVER, -1,
     CODEC_BOOL, CODEC_STRICT},
};
#undef T
const struct codec_struct describe_configs_request_type = {
    "describe_configs_request", describe_configs_request_fields,
     &describe_configs_request_defaults, sizeof(struct describe_configs_request), 3, 3};

const struct codec_message describe_configs_request_message = {
    "describe_configs_request", &describe_configs_request_type, 32, 1, 4, 4};

const struct describe_configs_response_synonym describe_configs_response_synonym_defaults = {
    0
};
#define T describe_configs_response_synonym
static const struct codec_field describe_configs_response_synonym_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"value", NULL, AT(value), 0, 1, LAST, 0, -1, CODEC_STRING, CODEC_HIDDEN},
    {"source", NULL, AT(source), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
};
#undef T
const struct codec_struct describe_configs_response_synonym_type = {
    "describe_configs_response_synonym", describe_configs_response_synonym_fields,
     &describe_configs_response_synonym_defaults, sizeof(struct
     describe_configs_response_synonym), 3, 3};

const struct describe_configs_response_config describe_configs_response_config_defaults = {
    .config_source = -1
};
#define T describe_configs_response_config
static const struct codec_field describe_configs_response_config_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"value", NULL, AT(value), 0, 1, LAST, 0, -1, CODEC_STRING, CODEC_HIDDEN},
    {"read_only", NULL, AT(read_only), 0, 1, LAST, NEVER, -1, CODEC_BOOL, 0},
    {"config_source", NULL, AT(config_source), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
    {"is_sensitive", NULL, AT(is_sensitive), 0, 1, LAST, NEVER, -1, CODEC_BOOL, 0},
    {"synonyms", &describe_configs_response_synonym_type, AT(synonyms),
     AT(synonyms_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"config_type", NULL, AT(config_type), 0, 3, LAST, NEVER, -1, CODEC_INT8, 0},
    {"documentation", NULL, AT(documentation), 0, 3, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct describe_configs_response_config_type = {
    "describe_configs_response_config", describe_configs_response_config_fields,
     &describe_configs_response_config_defaults, sizeof(struct
     describe_configs_response_config), 8, 8};

const struct describe_configs_response_result describe_configs_response_result_defaults = {
    0
};
#define T describe_configs_response_result
static const struct codec_field describe_configs_response_result_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 1, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 1, LAST, 0, -1, CODEC_STRING, 0},
    {"resource_type", NULL, AT(resource_type), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
    {"resource_name", NULL, AT(resource_name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"configs", &describe_configs_response_config_type, AT(configs), AT(configs_count), 1,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_configs_response_result_type = {
    "describe_configs_response_result", describe_configs_response_result_fields,
     &describe_configs_response_result_defaults, sizeof(struct
     describe_configs_response_result), 5, 5};

const struct describe_configs_response describe_configs_response_defaults = {
    0
};
#define T describe_configs_response
static const struct codec_field describe_configs_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"results", &describe_configs_response_result_type, AT(results), AT(results_count), 1,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_configs_response_type = {
    "describe_configs_response", describe_configs_response_fields,
     &describe_configs_response_defaults, sizeof(struct describe_configs_response), 2, 2};

const struct codec_message describe_configs_response_message = {
    "describe_configs_response", &describe_configs_response_type, 32, 1, 4, 4};

/* ---- AlterConfigs ---- */

const struct alter_configs_request_config alter_configs_request_config_defaults = {
    0
};
#define T alter_configs_request_config
static const struct codec_field alter_configs_request_config_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"value", NULL, AT(value), 0, 0, LAST, 0, -1, CODEC_STRING, CODEC_HIDDEN},
};
#undef T
const struct codec_struct alter_configs_request_config_type = {
    "alter_configs_request_config", alter_configs_request_config_fields,
     &alter_configs_request_config_defaults, sizeof(struct alter_configs_request_config),
     2, 2};

const struct alter_configs_request_resource alter_configs_request_resource_defaults = {
    0
};
#define T alter_configs_request_resource
static const struct codec_field alter_configs_request_resource_fields[] = {
    {"resource_type", NULL, AT(resource_type), 0, 0, LAST, NEVER, -1, CODEC_INT8, 0},
    {"resource_name", NULL, AT(resource_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"configs", &alter_configs_request_config_type, AT(configs), AT(configs_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_configs_request_resource_type = {
    "alter_configs_request_resource", alter_configs_request_resource_fields,
     &alter_configs_request_resource_defaults, sizeof(struct
     alter_configs_request_resource), 3, 3};

const struct alter_configs_request alter_configs_request_defaults = {
    0
};
#define T alter_configs_request
static const struct codec_field alter_configs_request_fields[] = {
    {"resources", &alter_configs_request_resource_type, AT(resources),
     AT(resources_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"validate_only", NULL, AT(validate_only), 0, 0, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct alter_configs_request_type = {
    "alter_configs_request", alter_configs_request_fields,
     &alter_configs_request_defaults, sizeof(struct alter_configs_request), 2, 2};

const struct codec_message alter_configs_request_message = {
    "alter_configs_request", &alter_configs_request_type, 33, 0, 2, 2};

const struct alter_configs_response_result alter_configs_response_result_defaults = {
    0
};
#define T alter_configs_response_result
static const struct codec_field alter_configs_response_result_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"resource_type", NULL, AT(resource_type), 0, 0, LAST, NEVER, -1, CODEC_INT8, 0},
    {"resource_name", NULL, AT(resource_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct alter_configs_response_result_type = {
    "alter_configs_response_result", alter_configs_response_result_fields,
     &alter_configs_response_result_defaults, sizeof(struct
     alter_configs_response_result), 4, 4};

const struct alter_configs_response alter_configs_response_defaults = {
    0
};
#define T alter_configs_response
static const struct codec_field alter_configs_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"responses", &alter_configs_response_result_type, AT(responses), AT(responses_count),
     0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_configs_response_type = {
    "alter_configs_response", alter_configs_response_fields,
     &alter_configs_response_defaults, sizeof(struct alter_configs_response), 2, 2};

const struct codec_message alter_configs_response_message = {
    "alter_configs_response", &alter_configs_response_type, 33, 0, 2, 2};

/* ---- AlterReplicaLogDirs ---- */

const struct alter_replica_log_dirs_request_topic alter_replica_log_dirs_request_topic_defaults = {
    0
};
#define T alter_replica_log_dirs_request_topic
static const struct codec_field alter_replica_log_dirs_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 1, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_replica_log_dirs_request_topic_type = {
    "alter_replica_log_dirs_request_topic", alter_replica_log_dirs_request_topic_fields,
     &alter_replica_log_dirs_request_topic_defaults, sizeof(struct
     alter_replica_log_dirs_request_topic), 2, 2};

const struct alter_replica_log_dirs_request_dir alter_replica_log_dirs_request_dir_defaults = {
    0
};
#define T alter_replica_log_dirs_request_dir
static const struct codec_field alter_replica_log_dirs_request_dir_fields[] = {
    {"path", NULL, AT(path), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"topics", &alter_replica_log_dirs_request_topic_type, AT(topics), AT(topics_count),
     1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_replica_log_dirs_request_dir_type = {
    "alter_replica_log_dirs_request_dir", alter_replica_log_dirs_request_dir_fields,
     &alter_replica_log_dirs_request_dir_defaults, sizeof(struct
     alter_replica_log_dirs_request_dir), 2, 2};

const struct alter_replica_log_dirs_request alter_replica_log_dirs_request_defaults = {
    0
};
#define T alter_replica_log_dirs_request
static const struct codec_field alter_replica_log_dirs_request_fields[] = {
    {"dirs", &alter_replica_log_dirs_request_dir_type, AT(dirs), AT(dirs_count), 1, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_replica_log_dirs_request_type = {
    "alter_replica_log_dirs_request", alter_replica_log_dirs_request_fields,
     &alter_replica_log_dirs_request_defaults, sizeof(struct
     alter_replica_log_dirs_request), 1, 1};

const struct codec_message alter_replica_log_dirs_request_message = {
    "alter_replica_log_dirs_request", &alter_replica_log_dirs_request_type, 34, 1, 2, 2};

const struct alter_replica_log_dirs_response_partition alter_replica_log_dirs_response_partition_defaults = {
    0
};
#define T alter_replica_log_dirs_response_partition
static const struct codec_field alter_replica_log_dirs_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 1, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 1, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct alter_replica_log_dirs_response_partition_type = {
    "alter_replica_log_dirs_response_partition",
     alter_replica_log_dirs_response_partition_fields,
     &alter_replica_log_dirs_response_partition_defaults, sizeof(struct
     alter_replica_log_dirs_response_partition), 2, 2};

const struct alter_replica_log_dirs_response_result alter_replica_log_dirs_response_result_defaults = {
    0
};
#define T alter_replica_log_dirs_response_result
static const struct codec_field alter_replica_log_dirs_response_result_fields[] = {
    {"topic_name", NULL, AT(topic_name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &alter_replica_log_dirs_response_partition_type, AT(partitions),
     AT(partitions_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_replica_log_dirs_response_result_type = {
    "alter_replica_log_dirs_response_result",
     alter_replica_log_dirs_response_result_fields,
     &alter_replica_log_dirs_response_result_defaults, sizeof(struct
     alter_replica_log_dirs_response_result), 2, 2};

const struct alter_replica_log_dirs_response alter_replica_log_dirs_response_defaults = {
    0
};
#define T alter_replica_log_dirs_response
static const struct codec_field alter_replica_log_dirs_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"results", &alter_replica_log_dirs_response_result_type, AT(results),
     AT(results_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_replica_log_dirs_response_type = {
    "alter_replica_log_dirs_response", alter_replica_log_dirs_response_fields,
     &alter_replica_log_dirs_response_defaults, sizeof(struct
     alter_replica_log_dirs_response), 2, 2};

const struct codec_message alter_replica_log_dirs_response_message = {
    "alter_replica_log_dirs_response", &alter_replica_log_dirs_response_type, 34, 1, 2, 2};

/* ---- DescribeLogDirs ---- */

const struct describe_log_dirs_request_topic describe_log_dirs_request_topic_defaults = {
    0
};
#define T describe_log_dirs_request_topic
static const struct codec_field describe_log_dirs_request_topic_fields[] = {
    {"topic", NULL, AT(topic), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 1, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_log_dirs_request_topic_type = {
    "describe_log_dirs_request_topic", describe_log_dirs_request_topic_fields,
     &describe_log_dirs_request_topic_defaults, sizeof(struct
     describe_log_dirs_request_topic), 2, 2};

const struct describe_log_dirs_request describe_log_dirs_request_defaults = {
    0
};
#define T describe_log_dirs_request
static const struct codec_field describe_log_dirs_request_fields[] = {
    {"topics", &describe_log_dirs_request_topic_type, AT(topics), AT(topics_count), 1,
     LAST, 0, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_log_dirs_request_type = {
    "describe_log_dirs_request", describe_log_dirs_request_fields,
     &describe_log_dirs_request_defaults, sizeof(struct describe_log_dirs_request), 1, 1};

const struct codec_message describe_log_dirs_request_message = {
    "describe_log_dirs_request", &describe_log_dirs_request_type, 35, 1, 4, 2};

const struct describe_log_dirs_response_partition describe_log_dirs_response_partition_defaults = {
    0
};
#define T describe_log_dirs_response_partition
static const struct codec_field describe_log_dirs_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 1, LAST, NEVER, -1, CODEC_INT32, 0},
    {"partition_size", NULL, AT(partition_size), 0, 1, LAST, NEVER, -1, CODEC_INT64, 0},
    {"offset_lag", NULL, AT(offset_lag), 0, 1, LAST, NEVER, -1, CODEC_INT64, 0},
    {"is_future_key", NULL, AT(is_future_key), 0, 1, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct describe_log_dirs_response_partition_type = {
    "describe_log_dirs_response_partition", describe_log_dirs_response_partition_fields,
     &describe_log_dirs_response_partition_defaults, sizeof(struct
     describe_log_dirs_response_partition), 4, 4};

const struct describe_log_dirs_response_topic describe_log_dirs_response_topic_defaults = {
    0
};
#define T describe_log_dirs_response_topic
static const struct codec_field describe_log_dirs_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &describe_log_dirs_response_partition_type, AT(partitions),
     AT(partitions_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_log_dirs_response_topic_type = {
    "describe_log_dirs_response_topic", describe_log_dirs_response_topic_fields,
     &describe_log_dirs_response_topic_defaults, sizeof(struct
     describe_log_dirs_response_topic), 2, 2};

const struct describe_log_dirs_response_result describe_log_dirs_response_result_defaults = {
    .total_bytes = -1, .usable_bytes = -1
};
#define T describe_log_dirs_response_result
static const struct codec_field describe_log_dirs_response_result_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 1, LAST, NEVER, -1, CODEC_INT16, 0},
    {"log_dir", NULL, AT(log_dir), 0, 1, LAST, NEVER, -1, CODEC_STRING, 0},
    {"topics", &describe_log_dirs_response_topic_type, AT(topics), AT(topics_count), 1,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"total_bytes", NULL, AT(total_bytes), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
    {"usable_bytes", NULL, AT(usable_bytes), 0, 4, LAST, NEVER, -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct describe_log_dirs_response_result_type = {
    "describe_log_dirs_response_result", describe_log_dirs_response_result_fields,
     &describe_log_dirs_response_result_defaults, sizeof(struct
     describe_log_dirs_response_result), 5, 5};

const struct describe_log_dirs_response describe_log_dirs_response_defaults = {
    0
};
#define T describe_log_dirs_response
static const struct codec_field describe_log_dirs_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 1, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 3, LAST, NEVER, -1, CODEC_INT16, 0},
    {"results", &describe_log_dirs_response_result_type, AT(results), AT(results_count),
     1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_log_dirs_response_type = {
    "describe_log_dirs_response", describe_log_dirs_response_fields,
     &describe_log_dirs_response_defaults, sizeof(struct describe_log_dirs_response), 3,
     3};

const struct codec_message describe_log_dirs_response_message = {
    "describe_log_dirs_response", &describe_log_dirs_response_type, 35, 1, 4, 2};

/* ---- CreatePartitions ---- */

const struct create_partitions_request_assignment create_partitions_request_assignment_defaults = {
    0
};
#define T create_partitions_request_assignment
static const struct codec_field create_partitions_request_assignment_fields[] = {
    {"broker_ids", NULL, AT(broker_ids), AT(broker_ids_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct create_partitions_request_assignment_type = {
    "create_partitions_request_assignment", create_partitions_request_assignment_fields,
     &create_partitions_request_assignment_defaults, sizeof(struct
     create_partitions_request_assignment), 1, 1};

const struct create_partitions_request_topic create_partitions_request_topic_defaults = {
    0
};
#define T create_partitions_request_topic
static const struct codec_field create_partitions_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"count", NULL, AT(count), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"assignments", &create_partitions_request_assignment_type, AT(assignments),
     AT(assignments_count), 0, LAST, 0, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct create_partitions_request_topic_type = {
    "create_partitions_request_topic", create_partitions_request_topic_fields,
     &create_partitions_request_topic_defaults, sizeof(struct
     create_partitions_request_topic), 3, 3};

const struct create_partitions_request create_partitions_request_defaults = {
    0
};
#define T create_partitions_request
static const struct codec_field create_partitions_request_fields[] = {
    {"topics", &create_partitions_request_topic_type, AT(topics), AT(topics_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"timeout_ms", NULL, AT(timeout_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"validate_only", NULL, AT(validate_only), 0, 0, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct create_partitions_request_type = {
    "create_partitions_request", create_partitions_request_fields,
     &create_partitions_request_defaults, sizeof(struct create_partitions_request), 3, 3};

const struct codec_message create_partitions_request_message = {
    "create_partitions_request", &create_partitions_request_type, 37, 0, 3, 2};

const struct create_partitions_response_result create_partitions_response_result_defaults = {
    0
};
#define T create_partitions_response_result
static const struct codec_field create_partitions_response_result_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct create_partitions_response_result_type = {
    "create_partitions_response_result", create_partitions_response_result_fields,
     &create_partitions_response_result_defaults, sizeof(struct
     create_partitions_response_result), 3, 3};

const struct create_partitions_response create_partitions_response_defaults = {
    0
};
#define T create_partitions_response
static const struct codec_field create_partitions_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"results", &create_partitions_response_result_type, AT(results), AT(results_count),
     0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct create_partitions_response_type = {
    "create_partitions_response", create_partitions_response_fields,
     &create_partitions_response_defaults, sizeof(struct create_partitions_response), 2,
     2};

const struct codec_message create_partitions_response_message = {
    "create_partitions_response", &create_partitions_response_type, 37, 0, 3, 2};

/* ---- DeleteGroups ---- */

const struct delete_groups_request delete_groups_request_defaults = {
    0
};
#define T delete_groups_request
static const struct codec_field delete_groups_request_fields[] = {
    {"groups_names", NULL, AT(groups_names), AT(groups_names_count), 0, LAST, NEVER, -1,
     CODEC_STRING, CODEC_ARRAY},
};
#undef T
const struct codec_struct delete_groups_request_type = {
    "delete_groups_request", delete_groups_request_fields,
     &delete_groups_request_defaults, sizeof(struct delete_groups_request), 1, 1};

const struct codec_message delete_groups_request_message = {
    "delete_groups_request", &delete_groups_request_type, 42, 0, 2, 2};

const struct delete_groups_response_result delete_groups_response_result_defaults = {
    0
};
#define T delete_groups_response_result
static const struct codec_field delete_groups_response_result_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct delete_groups_response_result_type = {
    "delete_groups_response_result", delete_groups_response_result_fields,
     &delete_groups_response_result_defaults, sizeof(struct
     delete_groups_response_result), 2, 2};

const struct delete_groups_response delete_groups_response_defaults = {
    0
};
#define T delete_groups_response
static const struct codec_field delete_groups_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"results", &delete_groups_response_result_type, AT(results), AT(results_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct delete_groups_response_type = {
    "delete_groups_response", delete_groups_response_fields,
     &delete_groups_response_defaults, sizeof(struct delete_groups_response), 2, 2};

const struct codec_message delete_groups_response_message = {
    "delete_groups_response", &delete_groups_response_type, 42, 0, 2, 2};

/* ---- ElectLeaders ---- */

const struct elect_leaders_request_topic elect_leaders_request_topic_defaults = {
    0
};
#define T elect_leaders_request_topic
static const struct codec_field elect_leaders_request_topic_fields[] = {
    {"topic", NULL, AT(topic), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct elect_leaders_request_topic_type = {
    "elect_leaders_request_topic", elect_leaders_request_topic_fields,
     &elect_leaders_request_topic_defaults, sizeof(struct elect_leaders_request_topic), 2,
     2};

const struct elect_leaders_request elect_leaders_request_defaults = {
    .timeout_ms = 60000
};
#define T elect_leaders_request
static const struct codec_field elect_leaders_request_fields[] = {
    {"election_type", NULL, AT(election_type), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
    {"topic_partitions", &elect_leaders_request_topic_type, AT(topic_partitions),
     AT(topic_partitions_count), 0, LAST, 0, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"timeout_ms", NULL, AT(timeout_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct elect_leaders_request_type = {
    "elect_leaders_request", elect_leaders_request_fields,
     &elect_leaders_request_defaults, sizeof(struct elect_leaders_request), 3, 3};

const struct codec_message elect_leaders_request_message = {
    "elect_leaders_request", &elect_leaders_request_type, 43, 0, 2, 2};

const struct elect_leaders_response_partition elect_leaders_response_partition_defaults = {
    0
};
#define T elect_leaders_response_partition
static const struct codec_field elect_leaders_response_partition_fields[] = {
    {"partition_id", NULL, AT(partition_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct elect_leaders_response_partition_type = {
    "elect_leaders_response_partition", elect_leaders_response_partition_fields,
     &elect_leaders_response_partition_defaults, sizeof(struct
     elect_leaders_response_partition), 3, 3};

const struct elect_leaders_response_result elect_leaders_response_result_defaults = {
    0
};
#define T elect_leaders_response_result
static const struct codec_field elect_leaders_response_result_fields[] = {
    {"topic", NULL, AT(topic), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partition_result", &elect_leaders_response_partition_type, AT(partition_result),
     AT(partition_result_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct elect_leaders_response_result_type = {
    "elect_leaders_response_result", elect_leaders_response_result_fields,
     &elect_leaders_response_result_defaults, sizeof(struct
     elect_leaders_response_result), 2, 2};

const struct elect_leaders_response elect_leaders_response_defaults = {
    0
};
#define T elect_leaders_response
static const struct codec_field elect_leaders_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 1, LAST, NEVER, -1, CODEC_INT16, 0},
    {"replica_election_results", &elect_leaders_response_result_type,
     AT(replica_election_results), AT(replica_election_results_count), 0, LAST, NEVER, -1,
     CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct elect_leaders_response_type = {
    "elect_leaders_response", elect_leaders_response_fields,
     &elect_leaders_response_defaults, sizeof(struct elect_leaders_response), 3, 3};

const struct codec_message elect_leaders_response_message = {
    "elect_leaders_response", &elect_leaders_response_type, 43, 0, 2, 2};

/* ---- IncrementalAlterConfigs ---- */

const struct incremental_alter_configs_request_config incremental_alter_configs_request_config_defaults = {
    0
};
#define T incremental_alter_configs_request_config
static const struct codec_field incremental_alter_configs_request_config_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"config_operation", NULL, AT(config_operation), 0, 0, LAST, NEVER, -1, CODEC_INT8,
     0},
    {"value", NULL, AT(value), 0, 0, LAST, 0, -1, CODEC_STRING, CODEC_HIDDEN},
};
#undef T
const struct codec_struct incremental_alter_configs_request_config_type = {
    "incremental_alter_configs_request_config",
     incremental_alter_configs_request_config_fields,
     &incremental_alter_configs_request_config_defaults, sizeof(struct
     incremental_alter_configs_request_config), 3, 3};

const struct incremental_alter_configs_request_resource incremental_alter_configs_request_resource_defaults = {
    0
};
#define T incremental_alter_configs_request_resource
static const struct codec_field incremental_alter_configs_request_resource_fields[] = {
    {"resource_type", NULL, AT(resource_type), 0, 0, LAST, NEVER, -1, CODEC_INT8, 0},
    {"resource_name", NULL, AT(resource_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"configs", &incremental_alter_configs_request_config_type, AT(configs),
     AT(configs_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct incremental_alter_configs_request_resource_type = {
    "incremental_alter_configs_request_resource",
     incremental_alter_configs_request_resource_fields,
     &incremental_alter_configs_request_resource_defaults, sizeof(struct
     incremental_alter_configs_request_resource), 3, 3};

const struct incremental_alter_configs_request incremental_alter_configs_request_defaults = {
    0
};
#define T incremental_alter_configs_request
static const struct codec_field incremental_alter_configs_request_fields[] = {
    {"resources", &incremental_alter_configs_request_resource_type, AT(resources),
     AT(resources_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"validate_only", NULL, AT(validate_only), 0, 0, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct incremental_alter_configs_request_type = {
    "incremental_alter_configs_request", incremental_alter_configs_request_fields,
     &incremental_alter_configs_request_defaults, sizeof(struct
     incremental_alter_configs_request), 2, 2};

const struct codec_message incremental_alter_configs_request_message = {
    "incremental_alter_configs_request", &incremental_alter_configs_request_type, 44, 0, 1, 1};

const struct incremental_alter_configs_response_result incremental_alter_configs_response_result_defaults = {
    0
};
#define T incremental_alter_configs_response_result
static const struct codec_field incremental_alter_configs_response_result_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"resource_type", NULL, AT(resource_type), 0, 0, LAST, NEVER, -1, CODEC_INT8, 0},
    {"resource_name", NULL, AT(resource_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct incremental_alter_configs_response_result_type = {
    "incremental_alter_configs_response_result",
     incremental_alter_configs_response_result_fields,
     &incremental_alter_configs_response_result_defaults, sizeof(struct
     incremental_alter_configs_response_result), 4, 4};

const struct incremental_alter_configs_response incremental_alter_configs_response_defaults = {
    0
};
#define T incremental_alter_configs_response
static const struct codec_field incremental_alter_configs_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"responses", &incremental_alter_configs_response_result_type, AT(responses),
     AT(responses_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct incremental_alter_configs_response_type = {
    "incremental_alter_configs_response", incremental_alter_configs_response_fields,
     &incremental_alter_configs_response_defaults, sizeof(struct
     incremental_alter_configs_response), 2, 2};

const struct codec_message incremental_alter_configs_response_message = {
    "incremental_alter_configs_response", &incremental_alter_configs_response_type, 44, 0, 1, 1};

/* ---- AlterPartitionReassignments ---- */

const struct alter_partition_reassignments_request_partition alter_partition_reassignments_request_partition_defaults = {
    0
};
#define T alter_partition_reassignments_request_partition
static const struct codec_field alter_partition_reassignments_request_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"replicas", NULL, AT(replicas), AT(replicas_count), 0, LAST, 0, -1, CODEC_INT32,
     CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_partition_reassignments_request_partition_type = {
    "alter_partition_reassignments_request_partition",
     alter_partition_reassignments_request_partition_fields,
     &alter_partition_reassignments_request_partition_defaults, sizeof(struct
     alter_partition_reassignments_request_partition), 2, 2};

const struct alter_partition_reassignments_request_topic alter_partition_reassignments_request_topic_defaults = {
    0
};
#define T alter_partition_reassignments_request_topic
static const struct codec_field alter_partition_reassignments_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &alter_partition_reassignments_request_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_partition_reassignments_request_topic_type = {
    "alter_partition_reassignments_request_topic",
     alter_partition_reassignments_request_topic_fields,
     &alter_partition_reassignments_request_topic_defaults, sizeof(struct
     alter_partition_reassignments_request_topic), 2, 2};

const struct alter_partition_reassignments_request alter_partition_reassignments_request_defaults = {
    .timeout_ms = 60000, .allow_replication_factor_change = true
};
#define T alter_partition_reassignments_request
static const struct codec_field alter_partition_reassignments_request_fields[] = {
    {"timeout_ms", NULL, AT(timeout_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"allow_replication_factor_change", NULL, AT(allow_replication_factor_change), 0, 1,
     LAST, NEVER, -1, CODEC_BOOL, 0},
    {"topics", &alter_partition_reassignments_request_topic_type, AT(topics),
     AT(topics_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_partition_reassignments_request_type = {
    "alter_partition_reassignments_request", alter_partition_reassignments_request_fields,
     &alter_partition_reassignments_request_defaults, sizeof(struct
     alter_partition_reassignments_request), 3, 3};

const struct codec_message alter_partition_reassignments_request_message = {
    "alter_partition_reassignments_request", &alter_partition_reassignments_request_type, 45, 0, 1, 0};

const struct alter_partition_reassignments_response_partition alter_partition_reassignments_response_partition_defaults = {
    0
};
#define T alter_partition_reassignments_response_partition
static const struct codec_field alter_partition_reassignments_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct alter_partition_reassignments_response_partition_type = {
    "alter_partition_reassignments_response_partition",
     alter_partition_reassignments_response_partition_fields,
     &alter_partition_reassignments_response_partition_defaults, sizeof(struct
     alter_partition_reassignments_response_partition), 3, 3};

const struct alter_partition_reassignments_response_topic alter_partition_reassignments_response_topic_defaults = {
    0
};
#define T alter_partition_reassignments_response_topic
static const struct codec_field alter_partition_reassignments_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &alter_partition_reassignments_response_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_partition_reassignments_response_topic_type = {
    "alter_partition_reassignments_response_topic",
     alter_partition_reassignments_response_topic_fields,
     &alter_partition_reassignments_response_topic_defaults, sizeof(struct
     alter_partition_reassignments_response_topic), 2, 2};

const struct alter_partition_reassignments_response alter_partition_reassignments_response_defaults = {
    .allow_replication_factor_change = true
};
#define T alter_partition_reassignments_response
static const struct codec_field alter_partition_reassignments_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"allow_replication_factor_change", NULL, AT(allow_replication_factor_change), 0, 1,
     LAST, NEVER, -1, CODEC_BOOL, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"responses", &alter_partition_reassignments_response_topic_type, AT(responses),
     AT(responses_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_partition_reassignments_response_type = {
    "alter_partition_reassignments_response",
     alter_partition_reassignments_response_fields,
     &alter_partition_reassignments_response_defaults, sizeof(struct
     alter_partition_reassignments_response), 5, 5};

const struct codec_message alter_partition_reassignments_response_message = {
    "alter_partition_reassignments_response", &alter_partition_reassignments_response_type, 45, 0, 1, 0};

/* ---- ListPartitionReassignments ---- */

const struct list_partition_reassignments_request_topic list_partition_reassignments_request_topic_defaults = {
    0
};
#define T list_partition_reassignments_request_topic
static const struct codec_field list_partition_reassignments_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partition_indexes", NULL, AT(partition_indexes), AT(partition_indexes_count), 0,
     LAST, NEVER, -1, CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_partition_reassignments_request_topic_type = {
    "list_partition_reassignments_request_topic",
     list_partition_reassignments_request_topic_fields,
     &list_partition_reassignments_request_topic_defaults, sizeof(struct
     list_partition_reassignments_request_topic), 2, 2};

const struct list_partition_reassignments_request list_partition_reassignments_request_defaults = {
    .timeout_ms = 60000
};
#define T list_partition_reassignments_request
static const struct codec_field list_partition_reassignments_request_fields[] = {
    {"timeout_ms", NULL, AT(timeout_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"topics", &list_partition_reassignments_request_topic_type, AT(topics),
     AT(topics_count), 0, LAST, 0, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_partition_reassignments_request_type = {
    "list_partition_reassignments_request", list_partition_reassignments_request_fields,
     &list_partition_reassignments_request_defaults, sizeof(struct
     list_partition_reassignments_request), 2, 2};

const struct codec_message list_partition_reassignments_request_message = {
    "list_partition_reassignments_request", &list_partition_reassignments_request_type, 46, 0, 0, 0};

const struct list_partition_reassignments_response_partition list_partition_reassignments_response_partition_defaults = {
    0
};
#define T list_partition_reassignments_response_partition
static const struct codec_field list_partition_reassignments_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"replicas", NULL, AT(replicas), AT(replicas_count), 0, LAST, NEVER, -1, CODEC_INT32,
     CODEC_ARRAY},
    {"adding_replicas", NULL, AT(adding_replicas), AT(adding_replicas_count), 0, LAST,
     NEVER, -1, CODEC_INT32, CODEC_ARRAY},
    {"removing_replicas", NULL, AT(removing_replicas), AT(removing_replicas_count), 0,
     LAST, NEVER, -1, CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_partition_reassignments_response_partition_type = {
    "list_partition_reassignments_response_partition",
     list_partition_reassignments_response_partition_fields,
     &list_partition_reassignments_response_partition_defaults, sizeof(struct
     list_partition_reassignments_response_partition), 4, 4};

const struct list_partition_reassignments_response_topic list_partition_reassignments_response_topic_defaults = {
    0
};
#define T list_partition_reassignments_response_topic
static const struct codec_field list_partition_reassignments_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &list_partition_reassignments_response_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_partition_reassignments_response_topic_type = {
    "list_partition_reassignments_response_topic",
     list_partition_reassignments_response_topic_fields,
     &list_partition_reassignments_response_topic_defaults, sizeof(struct
     list_partition_reassignments_response_topic), 2, 2};

const struct list_partition_reassignments_response list_partition_reassignments_response_defaults = {
    0
};
#define T list_partition_reassignments_response
static const struct codec_field list_partition_reassignments_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"topics", &list_partition_reassignments_response_topic_type, AT(topics),
     AT(topics_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_partition_reassignments_response_type = {
    "list_partition_reassignments_response", list_partition_reassignments_response_fields,
     &list_partition_reassignments_response_defaults, sizeof(struct
     list_partition_reassignments_response), 4, 4};

const struct codec_message list_partition_reassignments_response_message = {
    "list_partition_reassignments_response", &list_partition_reassignments_response_type, 46, 0, 0, 0};

/* ---- OffsetDelete ---- */

const struct offset_delete_request_partition offset_delete_request_partition_defaults = {
    0
};
#define T offset_delete_request_partition
static const struct codec_field offset_delete_request_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct offset_delete_request_partition_type = {
    "offset_delete_request_partition", offset_delete_request_partition_fields,
     &offset_delete_request_partition_defaults, sizeof(struct
     offset_delete_request_partition), 1, 1};

const struct offset_delete_request_topic offset_delete_request_topic_defaults = {
    0
};
#define T offset_delete_request_topic
static const struct codec_field offset_delete_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &offset_delete_request_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_delete_request_topic_type = {
    "offset_delete_request_topic", offset_delete_request_topic_fields,
     &offset_delete_request_topic_defaults, sizeof(struct offset_delete_request_topic), 2,
     2};

const struct offset_delete_request offset_delete_request_defaults = {
    0
};
#define T offset_delete_request
static const struct codec_field offset_delete_request_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"topics", &offset_delete_request_topic_type, AT(topics), AT(topics_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_delete_request_type = {
    "offset_delete_request", offset_delete_request_fields,
     &offset_delete_request_defaults, sizeof(struct offset_delete_request), 2, 2};

const struct codec_message offset_delete_request_message = {
    "offset_delete_request", &offset_delete_request_type, 47, 0, 0, CODEC_VERSION_NONE};

const struct offset_delete_response_partition offset_delete_response_partition_defaults = {
    0
};
#define T offset_delete_response_partition
static const struct codec_field offset_delete_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
};
#undef T
const struct codec_struct offset_delete_response_partition_type = {
    "offset_delete_response_partition", offset_delete_response_partition_fields,
     &offset_delete_response_partition_defaults, sizeof(struct
     offset_delete_response_partition), 2, 2};

const struct offset_delete_response_topic offset_delete_response_topic_defaults = {
    0
};
#define T offset_delete_response_topic
static const struct codec_field offset_delete_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &offset_delete_response_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_delete_response_topic_type = {
    "offset_delete_response_topic", offset_delete_response_topic_fields,
     &offset_delete_response_topic_defaults, sizeof(struct offset_delete_response_topic),
     2, 2};

const struct offset_delete_response offset_delete_response_defaults = {
    0
};
#define T offset_delete_response
static const struct codec_field offset_delete_response_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &offset_delete_response_topic_type, AT(topics), AT(topics_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct offset_delete_response_type = {
    "offset_delete_response", offset_delete_response_fields,
     &offset_delete_response_defaults, sizeof(struct offset_delete_response), 3, 3};

const struct codec_message offset_delete_response_message = {
    "offset_delete_response", &offset_delete_response_type, 47, 0, 0, CODEC_VERSION_NONE};

/* ---- DescribeClientQuotas ---- */

const struct describe_client_quotas_request_component describe_client_quotas_request_component_defaults = {
    0
};
#define T describe_client_quotas_request_component
static const struct codec_field describe_client_quotas_request_component_fields[] = {
    {"entity_type", NULL, AT(entity_type), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"match_type", NULL, AT(match_type), 0, 0, LAST, NEVER, -1, CODEC_INT8, 0},
    {"match", NULL, AT(match), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct describe_client_quotas_request_component_type = {
    "describe_client_quotas_request_component",
     describe_client_quotas_request_component_fields,
     &describe_client_quotas_request_component_defaults, sizeof(struct
     describe_client_quotas_request_component), 3, 3};

const struct describe_client_quotas_request describe_client_quotas_request_defaults = {
    0
};
#define T describe_client_quotas_request
static const struct codec_field describe_client_quotas_request_fields[] = {
    {"components", &describe_client_quotas_request_component_type, AT(components),
     AT(components_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"strict", NULL, AT(strict), 0, 0, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct describe_client_quotas_request_type = {
    "describe_client_quotas_request", describe_client_quotas_request_fields,
     &describe_client_quotas_request_defaults, sizeof(struct
     describe_client_quotas_request), 2, 2};

const struct codec_message describe_client_quotas_request_message = {
    "describe_client_quotas_request", &describe_client_quotas_request_type, 48, 0, 1, 1};

const struct describe_client_quotas_response_entity describe_client_quotas_response_entity_defaults = {
    0
};
#define T describe_client_quotas_response_entity
static const struct codec_field describe_client_quotas_response_entity_fields[] = {
    {"entity_type", NULL, AT(entity_type), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"entity_name", NULL, AT(entity_name), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct describe_client_quotas_response_entity_type = {
    "describe_client_quotas_response_entity",
     describe_client_quotas_response_entity_fields,
     &describe_client_quotas_response_entity_defaults, sizeof(struct
     describe_client_quotas_response_entity), 2, 2};

const struct describe_client_quotas_response_value describe_client_quotas_response_value_defaults = {
    0
};
#define T describe_client_quotas_response_value
static const struct codec_field describe_client_quotas_response_value_fields[] = {
    {"key", NULL, AT(key), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"value", NULL, AT(value), 0, 0, LAST, NEVER, -1, CODEC_FLOAT64, 0},
};
#undef T
const struct codec_struct describe_client_quotas_response_value_type = {
    "describe_client_quotas_response_value", describe_client_quotas_response_value_fields,
     &describe_client_quotas_response_value_defaults, sizeof(struct
     describe_client_quotas_response_value), 2, 2};

const struct describe_client_quotas_response_entry describe_client_quotas_response_entry_defaults = {
    0
};
#define T describe_client_quotas_response_entry
static const struct codec_field describe_client_quotas_response_entry_fields[] = {
    {"entity", &describe_client_quotas_response_entity_type, AT(entity), AT(entity_count),
     0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"values", &describe_client_quotas_response_value_type, AT(values), AT(values_count),
     0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_client_quotas_response_entry_type = {
    "describe_client_quotas_response_entry", describe_client_quotas_response_entry_fields,
     &describe_client_quotas_response_entry_defaults, sizeof(struct
     describe_client_quotas_response_entry), 2, 2};

const struct describe_client_quotas_response describe_client_quotas_response_defaults = {
    0
};
#define T describe_client_quotas_response
static const struct codec_field describe_client_quotas_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"entries", &describe_client_quotas_response_entry_type, AT(entries),
     AT(entries_count), 0, LAST, 0, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_client_quotas_response_type = {
    "describe_client_quotas_response", describe_client_quotas_response_fields,
     &describe_client_quotas_response_defaults, sizeof(struct
     describe_client_quotas_response), 4, 4};

const struct codec_message describe_client_quotas_response_message = {
    "describe_client_quotas_response", &describe_client_quotas_response_type, 48, 0, 1, 1};

/* ---- AlterClientQuotas ---- */

const struct alter_client_quotas_request_entity alter_client_quotas_request_entity_defaults = {
    0
};
#define T alter_client_quotas_request_entity
static const struct codec_field alter_client_quotas_request_entity_fields[] = {
    {"entity_type", NULL, AT(entity_type), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"entity_name", NULL, AT(entity_name), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct alter_client_quotas_request_entity_type = {
    "alter_client_quotas_request_entity", alter_client_quotas_request_entity_fields,
     &alter_client_quotas_request_entity_defaults, sizeof(struct
     alter_client_quotas_request_entity), 2, 2};

const struct alter_client_quotas_request_op alter_client_quotas_request_op_defaults = {
    0
};
#define T alter_client_quotas_request_op
static const struct codec_field alter_client_quotas_request_op_fields[] = {
    {"key", NULL, AT(key), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"value", NULL, AT(value), 0, 0, LAST, NEVER, -1, CODEC_FLOAT64, 0},
    {"remove", NULL, AT(remove), 0, 0, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct alter_client_quotas_request_op_type = {
    "alter_client_quotas_request_op", alter_client_quotas_request_op_fields,
     &alter_client_quotas_request_op_defaults, sizeof(struct
     alter_client_quotas_request_op), 3, 3};

const struct alter_client_quotas_request_entry alter_client_quotas_request_entry_defaults = {
    0
};
#define T alter_client_quotas_request_entry
static const struct codec_field alter_client_quotas_request_entry_fields[] = {
    {"entity", &alter_client_quotas_request_entity_type, AT(entity), AT(entity_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"ops", &alter_client_quotas_request_op_type, AT(ops), AT(ops_count), 0, LAST, NEVER,
     -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_client_quotas_request_entry_type = {
    "alter_client_quotas_request_entry", alter_client_quotas_request_entry_fields,
     &alter_client_quotas_request_entry_defaults, sizeof(struct
     alter_client_quotas_request_entry), 2, 2};

const struct alter_client_quotas_request alter_client_quotas_request_defaults = {
    0
};
#define T alter_client_quotas_request
static const struct codec_field alter_client_quotas_request_fields[] = {
    {"entries", &alter_client_quotas_request_entry_type, AT(entries), AT(entries_count),
     0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"validate_only", NULL, AT(validate_only), 0, 0, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct alter_client_quotas_request_type = {
    "alter_client_quotas_request", alter_client_quotas_request_fields,
     &alter_client_quotas_request_defaults, sizeof(struct alter_client_quotas_request), 2,
     2};

const struct codec_message alter_client_quotas_request_message = {
    "alter_client_quotas_request", &alter_client_quotas_request_type, 49, 0, 1, 1};

const struct alter_client_quotas_response_entity alter_client_quotas_response_entity_defaults = {
    0
};
#define T alter_client_quotas_response_entity
static const struct codec_field alter_client_quotas_response_entity_fields[] = {
    {"entity_type", NULL, AT(entity_type), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"entity_name", NULL, AT(entity_name), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct alter_client_quotas_response_entity_type = {
    "alter_client_quotas_response_entity", alter_client_quotas_response_entity_fields,
     &alter_client_quotas_response_entity_defaults, sizeof(struct
     alter_client_quotas_response_entity), 2, 2};

const struct alter_client_quotas_response_entry alter_client_quotas_response_entry_defaults = {
    0
};
#define T alter_client_quotas_response_entry
static const struct codec_field alter_client_quotas_response_entry_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"entity", &alter_client_quotas_response_entity_type, AT(entity), AT(entity_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_client_quotas_response_entry_type = {
    "alter_client_quotas_response_entry", alter_client_quotas_response_entry_fields,
     &alter_client_quotas_response_entry_defaults, sizeof(struct
     alter_client_quotas_response_entry), 3, 3};

const struct alter_client_quotas_response alter_client_quotas_response_defaults = {
    0
};
#define T alter_client_quotas_response
static const struct codec_field alter_client_quotas_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"entries", &alter_client_quotas_response_entry_type, AT(entries), AT(entries_count),
     0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct alter_client_quotas_response_type = {
    "alter_client_quotas_response", alter_client_quotas_response_fields,
     &alter_client_quotas_response_defaults, sizeof(struct alter_client_quotas_response),
     2, 2};

const struct codec_message alter_client_quotas_response_message = {
    "alter_client_quotas_response", &alter_client_quotas_response_type, 49, 0, 1, 1};

/* ---- DescribeQuorum ---- */

const struct describe_quorum_request_partition describe_quorum_request_partition_defaults = {
    0
};
#define T describe_quorum_request_partition
static const struct codec_field describe_quorum_request_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct describe_quorum_request_partition_type = {
    "describe_quorum_request_partition", describe_quorum_request_partition_fields,
     &describe_quorum_request_partition_defaults, sizeof(struct
     describe_quorum_request_partition), 1, 1};

const struct describe_quorum_request_topic describe_quorum_request_topic_defaults = {
    0
};
#define T describe_quorum_request_topic
static const struct codec_field describe_quorum_request_topic_fields[] = {
    {"topic_name", NULL, AT(topic_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &describe_quorum_request_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_quorum_request_topic_type = {
    "describe_quorum_request_topic", describe_quorum_request_topic_fields,
     &describe_quorum_request_topic_defaults, sizeof(struct
     describe_quorum_request_topic), 2, 2};

const struct describe_quorum_request describe_quorum_request_defaults = {
    0
};
#define T describe_quorum_request
static const struct codec_field describe_quorum_request_fields[] = {
    {"topics", &describe_quorum_request_topic_type, AT(topics), AT(topics_count), 0, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_quorum_request_type = {
    "describe_quorum_request", describe_quorum_request_fields,
     &describe_quorum_request_defaults, sizeof(struct describe_quorum_request), 1, 1};

const struct codec_message describe_quorum_request_message = {
    "describe_quorum_request", &describe_quorum_request_type, 55, 0, 2, 0};

const struct describe_quorum_response_replica describe_quorum_response_replica_defaults = {
    .last_fetch_timestamp = -1, .last_caught_up_timestamp = -1
};
#define T describe_quorum_response_replica
static const struct codec_field describe_quorum_response_replica_fields[] = {
    {"replica_id", NULL, AT(replica_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"replica_directory_id", NULL, AT(replica_directory_id), 0, 2, LAST, NEVER, -1,
     CODEC_UUID, 0},
    {"log_end_offset", NULL, AT(log_end_offset), 0, 0, LAST, NEVER, -1, CODEC_INT64, 0},
    {"last_fetch_timestamp", NULL, AT(last_fetch_timestamp), 0, 1, LAST, NEVER, -1,
     CODEC_INT64, 0},
    {"last_caught_up_timestamp", NULL, AT(last_caught_up_timestamp), 0, 1, LAST, NEVER,
     -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct describe_quorum_response_replica_type = {
    "describe_quorum_response_replica", describe_quorum_response_replica_fields,
     &describe_quorum_response_replica_defaults, sizeof(struct
     describe_quorum_response_replica), 5, 5};

const struct describe_quorum_response_partition describe_quorum_response_partition_defaults = {
    0
};
#define T describe_quorum_response_partition
static const struct codec_field describe_quorum_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 2, LAST, 0, -1, CODEC_STRING, 0},
    {"leader_id", NULL, AT(leader_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"leader_epoch", NULL, AT(leader_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"high_watermark", NULL, AT(high_watermark), 0, 0, LAST, NEVER, -1, CODEC_INT64, 0},
    {"current_voters", &describe_quorum_response_replica_type, AT(current_voters),
     AT(current_voters_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"observers", &describe_quorum_response_replica_type, AT(observers),
     AT(observers_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_quorum_response_partition_type = {
    "describe_quorum_response_partition", describe_quorum_response_partition_fields,
     &describe_quorum_response_partition_defaults, sizeof(struct
     describe_quorum_response_partition), 8, 8};

const struct describe_quorum_response_topic describe_quorum_response_topic_defaults = {
    0
};
#define T describe_quorum_response_topic
static const struct codec_field describe_quorum_response_topic_fields[] = {
    {"topic_name", NULL, AT(topic_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &describe_quorum_response_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_quorum_response_topic_type = {
    "describe_quorum_response_topic", describe_quorum_response_topic_fields,
     &describe_quorum_response_topic_defaults, sizeof(struct
     describe_quorum_response_topic), 2, 2};

const struct describe_quorum_response_listener describe_quorum_response_listener_defaults = {
    0
};
#define T describe_quorum_response_listener
static const struct codec_field describe_quorum_response_listener_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"host", NULL, AT(host), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"port", NULL, AT(port), 0, 0, LAST, NEVER, -1, CODEC_UINT16, 0},
};
#undef T
const struct codec_struct describe_quorum_response_listener_type = {
    "describe_quorum_response_listener", describe_quorum_response_listener_fields,
     &describe_quorum_response_listener_defaults, sizeof(struct
     describe_quorum_response_listener), 3, 3};

const struct describe_quorum_response_node describe_quorum_response_node_defaults = {
    0
};
#define T describe_quorum_response_node
static const struct codec_field describe_quorum_response_node_fields[] = {
    {"node_id", NULL, AT(node_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"listeners", &describe_quorum_response_listener_type, AT(listeners),
     AT(listeners_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_quorum_response_node_type = {
    "describe_quorum_response_node", describe_quorum_response_node_fields,
     &describe_quorum_response_node_defaults, sizeof(struct
     describe_quorum_response_node), 2, 2};

const struct describe_quorum_response describe_quorum_response_defaults = {
    0
};
#define T describe_quorum_response
static const struct codec_field describe_quorum_response_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 2, LAST, 0, -1, CODEC_STRING, 0},
    {"topics", &describe_quorum_response_topic_type, AT(topics), AT(topics_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"nodes", &describe_quorum_response_node_type, AT(nodes), AT(nodes_count), 2, LAST,
     NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_quorum_response_type = {
    "describe_quorum_response", describe_quorum_response_fields,
     &describe_quorum_response_defaults, sizeof(struct describe_quorum_response), 4, 4};

const struct codec_message describe_quorum_response_message = {
    "describe_quorum_response", &describe_quorum_response_type, 55, 0, 2, 0};

/* ---- UpdateFeatures ---- */

const struct update_features_request_update update_features_request_update_defaults = {
    .upgrade_type = 1
};
#define T update_features_request_update
static const struct codec_field update_features_request_update_fields[] = {
    {"feature", NULL, AT(feature), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"max_version_level", NULL, AT(max_version_level), 0, 0, LAST, NEVER, -1, CODEC_INT16,
     0},
    {"allow_downgrade", NULL, AT(allow_downgrade), 0, 0, 0, NEVER, -1, CODEC_BOOL, 0},
    {"upgrade_type", NULL, AT(upgrade_type), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
};
#undef T
const struct codec_struct update_features_request_update_type = {
    "update_features_request_update", update_features_request_update_fields,
     &update_features_request_update_defaults, sizeof(struct
     update_features_request_update), 4, 4};

const struct update_features_request update_features_request_defaults = {
    .timeout_ms = 60000
};
#define T update_features_request
static const struct codec_field update_features_request_fields[] = {
    {"timeout_ms", NULL, AT(timeout_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"feature_updates", &update_features_request_update_type, AT(feature_updates),
     AT(feature_updates_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"validate_only", NULL, AT(validate_only), 0, 1, LAST, NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct update_features_request_type = {
    "update_features_request", update_features_request_fields,
     &update_features_request_defaults, sizeof(struct update_features_request), 3, 3};

const struct codec_message update_features_request_message = {
    "update_features_request", &update_features_request_type, 57, 0, 2, 0};

const struct update_features_response_result update_features_response_result_defaults = {
    0
};
#define T update_features_response_result
static const struct codec_field update_features_response_result_fields[] = {
    {"feature", NULL, AT(feature), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct update_features_response_result_type = {
    "update_features_response_result", update_features_response_result_fields,
     &update_features_response_result_defaults, sizeof(struct
     update_features_response_result), 3, 3};

const struct update_features_response update_features_response_defaults = {
    0
};
#define T update_features_response
static const struct codec_field update_features_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"results", &update_features_response_result_type, AT(results), AT(results_count), 0,
     1, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct update_features_response_type = {
    "update_features_response", update_features_response_fields,
     &update_features_response_defaults, sizeof(struct update_features_response), 4, 4};

const struct codec_message update_features_response_message = {
    "update_features_response", &update_features_response_type, 57, 0, 2, 0};

/* ---- DescribeCluster ---- */

const struct describe_cluster_request describe_cluster_request_defaults = {
    .endpoint_type = 1
};
#define T describe_cluster_request
static const struct codec_field describe_cluster_request_fields[] = {
    {"include_cluster_authorized_operations", NULL,
     AT(include_cluster_authorized_operations), 0, 0, LAST, NEVER, -1, CODEC_BOOL, 0},
    {"endpoint_type", NULL, AT(endpoint_type), 0, 1, LAST, NEVER, -1, CODEC_INT8,
     CODEC_STRICT},
    {"include_fenced_brokers", NULL, AT(include_fenced_brokers), 0, 2, LAST, NEVER, -1,
     CODEC_BOOL, CODEC_STRICT},
};
#undef T
const struct codec_struct describe_cluster_request_type = {
    "describe_cluster_request", describe_cluster_request_fields,
     &describe_cluster_request_defaults, sizeof(struct describe_cluster_request), 3, 3};

const struct codec_message describe_cluster_request_message = {
    "describe_cluster_request", &describe_cluster_request_type, 60, 0, 2, 0};

const struct describe_cluster_response_broker describe_cluster_response_broker_defaults = {
    0
};
#define T describe_cluster_response_broker
static const struct codec_field describe_cluster_response_broker_fields[] = {
    {"broker_id", NULL, AT(broker_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"host", NULL, AT(host), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"port", NULL, AT(port), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"rack", NULL, AT(rack), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"is_fenced", NULL, AT(is_fenced), 0, 2, LAST, NEVER, -1, CODEC_BOOL, CODEC_STRICT},
};
#undef T
const struct codec_struct describe_cluster_response_broker_type = {
    "describe_cluster_response_broker", describe_cluster_response_broker_fields,
     &describe_cluster_response_broker_defaults, sizeof(struct
     describe_cluster_response_broker), 5, 5};

const struct describe_cluster_response describe_cluster_response_defaults = {
    .endpoint_type = 1, .controller_id = -1, .cluster_authorized_operations = INT32_MIN
};
#define T describe_cluster_response
static const struct codec_field describe_cluster_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"endpoint_type", NULL, AT(endpoint_type), 0, 1, LAST, NEVER, -1, CODEC_INT8,
     CODEC_STRICT},
    {"cluster_id", NULL, AT(cluster_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"controller_id", NULL, AT(controller_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"brokers", &describe_cluster_response_broker_type, AT(brokers), AT(brokers_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"cluster_authorized_operations", NULL, AT(cluster_authorized_operations), 0, 0, LAST,
     NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct describe_cluster_response_type = {
    "describe_cluster_response", describe_cluster_response_fields,
     &describe_cluster_response_defaults, sizeof(struct describe_cluster_response), 8, 8};

const struct codec_message describe_cluster_response_message = {
    "describe_cluster_response", &describe_cluster_response_type, 60, 0, 2, 0};

/* ---- DescribeProducers ---- */

const struct describe_producers_request_topic describe_producers_request_topic_defaults = {
    0
};
#define T describe_producers_request_topic
static const struct codec_field describe_producers_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partition_indexes", NULL, AT(partition_indexes), AT(partition_indexes_count), 0,
     LAST, NEVER, -1, CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_producers_request_topic_type = {
    "describe_producers_request_topic", describe_producers_request_topic_fields,
     &describe_producers_request_topic_defaults, sizeof(struct
     describe_producers_request_topic), 2, 2};

const struct describe_producers_request describe_producers_request_defaults = {
    0
};
#define T describe_producers_request
static const struct codec_field describe_producers_request_fields[] = {
    {"topics", &describe_producers_request_topic_type, AT(topics), AT(topics_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_producers_request_type = {
    "describe_producers_request", describe_producers_request_fields,
     &describe_producers_request_defaults, sizeof(struct describe_producers_request), 1,
     1};

const struct codec_message describe_producers_request_message = {
    "describe_producers_request", &describe_producers_request_type, 61, 0, 0, 0};

const struct describe_producers_response_producer describe_producers_response_producer_defaults = {
    .last_sequence = -1, .last_timestamp = -1, .current_txn_start_offset = -1
};
#define T describe_producers_response_producer
static const struct codec_field describe_producers_response_producer_fields[] = {
    {"producer_id", NULL, AT(producer_id), 0, 0, LAST, NEVER, -1, CODEC_INT64, 0},
    {"producer_epoch", NULL, AT(producer_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"last_sequence", NULL, AT(last_sequence), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"last_timestamp", NULL, AT(last_timestamp), 0, 0, LAST, NEVER, -1, CODEC_INT64, 0},
    {"coordinator_epoch", NULL, AT(coordinator_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"current_txn_start_offset", NULL, AT(current_txn_start_offset), 0, 0, LAST, NEVER,
     -1, CODEC_INT64, 0},
};
#undef T
const struct codec_struct describe_producers_response_producer_type = {
    "describe_producers_response_producer", describe_producers_response_producer_fields,
     &describe_producers_response_producer_defaults, sizeof(struct
     describe_producers_response_producer), 6, 6};

const struct describe_producers_response_partition describe_producers_response_partition_defaults = {
    0
};
#define T describe_producers_response_partition
static const struct codec_field describe_producers_response_partition_fields[] = {
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"active_producers", &describe_producers_response_producer_type, AT(active_producers),
     AT(active_producers_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_producers_response_partition_type = {
    "describe_producers_response_partition", describe_producers_response_partition_fields,
     &describe_producers_response_partition_defaults, sizeof(struct
     describe_producers_response_partition), 4, 4};

const struct describe_producers_response_topic describe_producers_response_topic_defaults = {
    0
};
#define T describe_producers_response_topic
static const struct codec_field describe_producers_response_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", &describe_producers_response_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_producers_response_topic_type = {
    "describe_producers_response_topic", describe_producers_response_topic_fields,
     &describe_producers_response_topic_defaults, sizeof(struct
     describe_producers_response_topic), 2, 2};

const struct describe_producers_response describe_producers_response_defaults = {
    0
};
#define T describe_producers_response
static const struct codec_field describe_producers_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &describe_producers_response_topic_type, AT(topics), AT(topics_count), 0,
     LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_producers_response_type = {
    "describe_producers_response", describe_producers_response_fields,
     &describe_producers_response_defaults, sizeof(struct describe_producers_response), 2,
     2};

const struct codec_message describe_producers_response_message = {
    "describe_producers_response", &describe_producers_response_type, 61, 0, 0, 0};

/* ---- ConsumerGroupHeartbeat ---- */

const struct consumer_group_heartbeat_request_topic consumer_group_heartbeat_request_topic_defaults = {
    0
};
#define T consumer_group_heartbeat_request_topic
static const struct codec_field consumer_group_heartbeat_request_topic_fields[] = {
    {"topic_id", NULL, AT(topic_id), 0, 0, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_group_heartbeat_request_topic_type = {
    "consumer_group_heartbeat_request_topic",
     consumer_group_heartbeat_request_topic_fields,
     &consumer_group_heartbeat_request_topic_defaults, sizeof(struct
     consumer_group_heartbeat_request_topic), 2, 2};

const struct consumer_group_heartbeat_request consumer_group_heartbeat_request_defaults = {
    .rebalance_timeout_ms = -1
};
#define T consumer_group_heartbeat_request
static const struct codec_field consumer_group_heartbeat_request_fields[] = {
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"member_epoch", NULL, AT(member_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"instance_id", NULL, AT(instance_id), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"rack_id", NULL, AT(rack_id), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"rebalance_timeout_ms", NULL, AT(rebalance_timeout_ms), 0, 0, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"subscribed_topic_names", NULL, AT(subscribed_topic_names),
     AT(subscribed_topic_names_count), 0, LAST, 0, -1, CODEC_STRING, CODEC_ARRAY},
    {"subscribed_topic_regex", NULL, AT(subscribed_topic_regex), 0, 1, LAST, 0, -1,
     CODEC_STRING, 0},
    {"server_assignor", NULL, AT(server_assignor), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"topic_partitions", &consumer_group_heartbeat_request_topic_type,
     AT(topic_partitions), AT(topic_partitions_count), 0, LAST, 0, -1, CODEC_STRUCT,
     CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_group_heartbeat_request_type = {
    "consumer_group_heartbeat_request", consumer_group_heartbeat_request_fields,
     &consumer_group_heartbeat_request_defaults, sizeof(struct
     consumer_group_heartbeat_request), 10, 10};

const struct codec_message consumer_group_heartbeat_request_message = {
    "consumer_group_heartbeat_request", &consumer_group_heartbeat_request_type, 68, 0, 1, 0};

const struct consumer_group_heartbeat_response_topic consumer_group_heartbeat_response_topic_defaults = {
    0
};
#define T consumer_group_heartbeat_response_topic
static const struct codec_field consumer_group_heartbeat_response_topic_fields[] = {
    {"topic_id", NULL, AT(topic_id), 0, 0, LAST, NEVER, -1, CODEC_UUID, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_group_heartbeat_response_topic_type = {
    "consumer_group_heartbeat_response_topic",
     consumer_group_heartbeat_response_topic_fields,
     &consumer_group_heartbeat_response_topic_defaults, sizeof(struct
     consumer_group_heartbeat_response_topic), 2, 2};

const struct consumer_group_heartbeat_response_assignment consumer_group_heartbeat_response_assignment_defaults = {
    0
};
#define T consumer_group_heartbeat_response_assignment
static const struct codec_field consumer_group_heartbeat_response_assignment_fields[] = {
    {"topic_partitions", &consumer_group_heartbeat_response_topic_type,
     AT(topic_partitions), AT(topic_partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT,
     CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_group_heartbeat_response_assignment_type = {
    "consumer_group_heartbeat_response_assignment",
     consumer_group_heartbeat_response_assignment_fields,
     &consumer_group_heartbeat_response_assignment_defaults, sizeof(struct
     consumer_group_heartbeat_response_assignment), 1, 1};

const struct consumer_group_heartbeat_response consumer_group_heartbeat_response_defaults = {
    0
};
#define T consumer_group_heartbeat_response
static const struct codec_field consumer_group_heartbeat_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"member_id", NULL, AT(member_id), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"member_epoch", NULL, AT(member_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"heartbeat_interval_ms", NULL, AT(heartbeat_interval_ms), 0, 0, LAST, NEVER, -1,
     CODEC_INT32, 0},
    {"assignment", &consumer_group_heartbeat_response_assignment_type, AT(assignment), 0,
     0, LAST, 0, -1, CODEC_STRUCT, 0},
};
#undef T
const struct codec_struct consumer_group_heartbeat_response_type = {
    "consumer_group_heartbeat_response", consumer_group_heartbeat_response_fields,
     &consumer_group_heartbeat_response_defaults, sizeof(struct
     consumer_group_heartbeat_response), 7, 7};

const struct codec_message consumer_group_heartbeat_response_message = {
    "consumer_group_heartbeat_response", &consumer_group_heartbeat_response_type, 68, 0, 1, 0};

/* ---- ConsumerGroupDescribe ---- */

const struct consumer_group_describe_request consumer_group_describe_request_defaults = {
    0
};
#define T consumer_group_describe_request
static const struct codec_field consumer_group_describe_request_fields[] = {
    {"group_ids", NULL, AT(group_ids), AT(group_ids_count), 0, LAST, NEVER, -1,
     CODEC_STRING, CODEC_ARRAY},
    {"include_authorized_operations", NULL, AT(include_authorized_operations), 0, 0, LAST,
     NEVER, -1, CODEC_BOOL, 0},
};
#undef T
const struct codec_struct consumer_group_describe_request_type = {
    "consumer_group_describe_request", consumer_group_describe_request_fields,
     &consumer_group_describe_request_defaults, sizeof(struct
     consumer_group_describe_request), 2, 2};

const struct codec_message consumer_group_describe_request_message = {
    "consumer_group_describe_request", &consumer_group_describe_request_type, 69, 0, 1, 0};

const struct consumer_group_describe_response_topic consumer_group_describe_response_topic_defaults = {
    0
};
#define T consumer_group_describe_response_topic
static const struct codec_field consumer_group_describe_response_topic_fields[] = {
    {"topic_id", NULL, AT(topic_id), 0, 0, LAST, NEVER, -1, CODEC_UUID, 0},
    {"topic_name", NULL, AT(topic_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_group_describe_response_topic_type = {
    "consumer_group_describe_response_topic",
     consumer_group_describe_response_topic_fields,
     &consumer_group_describe_response_topic_defaults, sizeof(struct
     consumer_group_describe_response_topic), 3, 3};

const struct consumer_group_describe_response_assignment consumer_group_describe_response_assignment_defaults = {
    0
};
#define T consumer_group_describe_response_assignment
static const struct codec_field consumer_group_describe_response_assignment_fields[] = {
    {"topic_partitions", &consumer_group_describe_response_topic_type,
     AT(topic_partitions), AT(topic_partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT,
     CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_group_describe_response_assignment_type = {
    "consumer_group_describe_response_assignment",
     consumer_group_describe_response_assignment_fields,
     &consumer_group_describe_response_assignment_defaults, sizeof(struct
     consumer_group_describe_response_assignment), 1, 1};

const struct consumer_group_describe_response_member consumer_group_describe_response_member_defaults = {
    .member_type = -1
};
#define T consumer_group_describe_response_member
static const struct codec_field consumer_group_describe_response_member_fields[] = {
    {"member_id", NULL, AT(member_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"instance_id", NULL, AT(instance_id), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"rack_id", NULL, AT(rack_id), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"member_epoch", NULL, AT(member_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"client_id", NULL, AT(client_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"client_host", NULL, AT(client_host), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"subscribed_topic_names", NULL, AT(subscribed_topic_names),
     AT(subscribed_topic_names_count), 0, LAST, NEVER, -1, CODEC_STRING, CODEC_ARRAY},
    {"subscribed_topic_regex", NULL, AT(subscribed_topic_regex), 0, 0, LAST, 0, -1,
     CODEC_STRING, 0},
    {"assignment", &consumer_group_describe_response_assignment_type, AT(assignment), 0,
     0, LAST, NEVER, -1, CODEC_STRUCT, 0},
    {"target_assignment", &consumer_group_describe_response_assignment_type,
     AT(target_assignment), 0, 0, LAST, NEVER, -1, CODEC_STRUCT, 0},
    {"member_type", NULL, AT(member_type), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
};
#undef T
const struct codec_struct consumer_group_describe_response_member_type = {
    "consumer_group_describe_response_member",
     consumer_group_describe_response_member_fields,
     &consumer_group_describe_response_member_defaults, sizeof(struct
     consumer_group_describe_response_member), 11, 11};

const struct consumer_group_describe_response_group consumer_group_describe_response_group_defaults = {
    .authorized_operations = INT32_MIN
};
#define T consumer_group_describe_response_group
static const struct codec_field consumer_group_describe_response_group_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"error_message", NULL, AT(error_message), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"group_id", NULL, AT(group_id), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_state", NULL, AT(group_state), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"group_epoch", NULL, AT(group_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"assignment_epoch", NULL, AT(assignment_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"assignor_name", NULL, AT(assignor_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"members", &consumer_group_describe_response_member_type, AT(members),
     AT(members_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"authorized_operations", NULL, AT(authorized_operations), 0, 0, LAST, NEVER, -1,
     CODEC_INT32, 0},
};
#undef T
const struct codec_struct consumer_group_describe_response_group_type = {
    "consumer_group_describe_response_group",
     consumer_group_describe_response_group_fields,
     &consumer_group_describe_response_group_defaults, sizeof(struct
     consumer_group_describe_response_group), 9, 9};

const struct consumer_group_describe_response consumer_group_describe_response_defaults = {
    0
};
#define T consumer_group_describe_response
static const struct codec_field consumer_group_describe_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"groups", &consumer_group_describe_response_group_type, AT(groups), AT(groups_count),
     0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_group_describe_response_type = {
    "consumer_group_describe_response", consumer_group_describe_response_fields,
     &consumer_group_describe_response_defaults, sizeof(struct
     consumer_group_describe_response), 2, 2};

const struct codec_message consumer_group_describe_response_message = {
    "consumer_group_describe_response", &consumer_group_describe_response_type, 69, 0, 1, 0};

/* ---- ListConfigResources ---- */

const struct list_config_resources_request list_config_resources_request_defaults = {
    0
};
#define T list_config_resources_request
static const struct codec_field list_config_resources_request_fields[] = {
    {"resource_types", NULL, AT(resource_types), AT(resource_types_count), 1, LAST, NEVER,
     -1, CODEC_INT8, CODEC_ARRAY},
};
#undef T
const struct codec_struct list_config_resources_request_type = {
    "list_config_resources_request", list_config_resources_request_fields,
     &list_config_resources_request_defaults, sizeof(struct
     list_config_resources_request), 1, 1};

const struct codec_message list_config_resources_request_message = {
    "list_config_resources_request", &list_config_resources_request_type, 74, 0, 1, 0};

const struct list_config_resources_response_resource list_config_resources_response_resource_defaults = {
    .resource_type = 16
};
#define T list_config_resources_response_resource
static const struct codec_field list_config_resources_response_resource_fields[] = {
    {"resource_name", NULL, AT(resource_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"resource_type", NULL, AT(resource_type), 0, 1, LAST, NEVER, -1, CODEC_INT8, 0},
};
#undef T
const struct codec_struct list_config_resources_response_resource_type = {
    "list_config_resources_response_resource",
     list_config_resources_response_resource_fields,
     &list_config_resources_response_resource_defaults, sizeof(struct
     list_config_resources_response_resource), 2, 2};

const struct list_config_resources_response list_config_resources_response_defaults = {
    0
};
#define T list_config_resources_response
static const struct codec_field list_config_resources_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"config_resources", &list_config_resources_response_resource_type,
     AT(config_resources), AT(config_resources_count), 0, LAST, NEVER, -1, CODEC_STRUCT,
     CODEC_ARRAY},
};
#undef T
const struct codec_struct list_config_resources_response_type = {
    "list_config_resources_response", list_config_resources_response_fields,
     &list_config_resources_response_defaults, sizeof(struct
     list_config_resources_response), 3, 3};

const struct codec_message list_config_resources_response_message = {
    "list_config_resources_response", &list_config_resources_response_type, 74, 0, 1, 0};

/* ---- DescribeTopicPartitions ---- */

const struct describe_topic_partitions_request_topic describe_topic_partitions_request_topic_defaults = {
    0
};
#define T describe_topic_partitions_request_topic
static const struct codec_field describe_topic_partitions_request_topic_fields[] = {
    {"name", NULL, AT(name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct describe_topic_partitions_request_topic_type = {
    "describe_topic_partitions_request_topic",
     describe_topic_partitions_request_topic_fields,
     &describe_topic_partitions_request_topic_defaults, sizeof(struct
     describe_topic_partitions_request_topic), 1, 1};

const struct describe_topic_partitions_request_cursor describe_topic_partitions_request_cursor_defaults = {
    0
};
#define T describe_topic_partitions_request_cursor
static const struct codec_field describe_topic_partitions_request_cursor_fields[] = {
    {"topic_name", NULL, AT(topic_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct describe_topic_partitions_request_cursor_type = {
    "describe_topic_partitions_request_cursor",
     describe_topic_partitions_request_cursor_fields,
     &describe_topic_partitions_request_cursor_defaults, sizeof(struct
     describe_topic_partitions_request_cursor), 2, 2};

const struct describe_topic_partitions_request describe_topic_partitions_request_defaults = {
    .response_partition_limit = 2000
};
#define T describe_topic_partitions_request
static const struct codec_field describe_topic_partitions_request_fields[] = {
    {"topics", &describe_topic_partitions_request_topic_type, AT(topics),
     AT(topics_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"response_partition_limit", NULL, AT(response_partition_limit), 0, 0, LAST, NEVER,
     -1, CODEC_INT32, 0},
    {"cursor", &describe_topic_partitions_request_cursor_type, AT(cursor), 0, 0, LAST, 0,
     -1, CODEC_STRUCT, 0},
};
#undef T
const struct codec_struct describe_topic_partitions_request_type = {
    "describe_topic_partitions_request", describe_topic_partitions_request_fields,
     &describe_topic_partitions_request_defaults, sizeof(struct
     describe_topic_partitions_request), 3, 3};

const struct codec_message describe_topic_partitions_request_message = {
    "describe_topic_partitions_request", &describe_topic_partitions_request_type, 75, 0, 0, 0};

const struct describe_topic_partitions_response_partition describe_topic_partitions_response_partition_defaults = {
    .leader_epoch = -1
};
#define T describe_topic_partitions_response_partition
static const struct codec_field describe_topic_partitions_response_partition_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"leader_id", NULL, AT(leader_id), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"leader_epoch", NULL, AT(leader_epoch), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
    {"replica_nodes", NULL, AT(replica_nodes), AT(replica_nodes_count), 0, LAST, NEVER,
     -1, CODEC_INT32, CODEC_ARRAY},
    {"isr_nodes", NULL, AT(isr_nodes), AT(isr_nodes_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
    {"eligible_leader_replicas", NULL, AT(eligible_leader_replicas),
     AT(eligible_leader_replicas_count), 0, LAST, 0, -1, CODEC_INT32, CODEC_ARRAY},
    {"last_known_elr", NULL, AT(last_known_elr), AT(last_known_elr_count), 0, LAST, 0, -1,
     CODEC_INT32, CODEC_ARRAY},
    {"offline_replicas", NULL, AT(offline_replicas), AT(offline_replicas_count), 0, LAST,
     NEVER, -1, CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct describe_topic_partitions_response_partition_type = {
    "describe_topic_partitions_response_partition",
     describe_topic_partitions_response_partition_fields,
     &describe_topic_partitions_response_partition_defaults, sizeof(struct
     describe_topic_partitions_response_partition), 9, 9};

const struct describe_topic_partitions_response_topic describe_topic_partitions_response_topic_defaults = {
    .topic_authorized_operations = INT32_MIN
};
#define T describe_topic_partitions_response_topic
static const struct codec_field describe_topic_partitions_response_topic_fields[] = {
    {"error_code", NULL, AT(error_code), 0, 0, LAST, NEVER, -1, CODEC_INT16, 0},
    {"name", NULL, AT(name), 0, 0, LAST, 0, -1, CODEC_STRING, 0},
    {"topic_id", NULL, AT(topic_id), 0, 0, LAST, NEVER, -1, CODEC_UUID, 0},
    {"is_internal", NULL, AT(is_internal), 0, 0, LAST, NEVER, -1, CODEC_BOOL, 0},
    {"partitions", &describe_topic_partitions_response_partition_type, AT(partitions),
     AT(partitions_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"topic_authorized_operations", NULL, AT(topic_authorized_operations), 0, 0, LAST,
     NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct describe_topic_partitions_response_topic_type = {
    "describe_topic_partitions_response_topic",
     describe_topic_partitions_response_topic_fields,
     &describe_topic_partitions_response_topic_defaults, sizeof(struct
     describe_topic_partitions_response_topic), 6, 6};

const struct describe_topic_partitions_response_cursor describe_topic_partitions_response_cursor_defaults = {
    0
};
#define T describe_topic_partitions_response_cursor
static const struct codec_field describe_topic_partitions_response_cursor_fields[] = {
    {"topic_name", NULL, AT(topic_name), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partition_index", NULL, AT(partition_index), 0, 0, LAST, NEVER, -1, CODEC_INT32, 0},
};
#undef T
const struct codec_struct describe_topic_partitions_response_cursor_type = {
    "describe_topic_partitions_response_cursor",
     describe_topic_partitions_response_cursor_fields,
     &describe_topic_partitions_response_cursor_defaults, sizeof(struct
     describe_topic_partitions_response_cursor), 2, 2};

const struct describe_topic_partitions_response describe_topic_partitions_response_defaults = {
    0
};
#define T describe_topic_partitions_response
static const struct codec_field describe_topic_partitions_response_fields[] = {
    {"throttle_time_ms", NULL, AT(throttle_time_ms), 0, 0, LAST, NEVER, -1, CODEC_INT32,
     0},
    {"topics", &describe_topic_partitions_response_topic_type, AT(topics),
     AT(topics_count), 0, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"next_cursor", &describe_topic_partitions_response_cursor_type, AT(next_cursor), 0,
     0, LAST, 0, -1, CODEC_STRUCT, 0},
};
#undef T
const struct codec_struct describe_topic_partitions_response_type = {
    "describe_topic_partitions_response", describe_topic_partitions_response_fields,
     &describe_topic_partitions_response_defaults, sizeof(struct
     describe_topic_partitions_response), 3, 3};

const struct codec_message describe_topic_partitions_response_message = {
    "describe_topic_partitions_response", &describe_topic_partitions_response_type, 75, 0, 0, 0};

/* ---- ConsumerProtocol ---- */

const struct consumer_protocol_subscription_owned consumer_protocol_subscription_owned_defaults = {
    0
};
#define T consumer_protocol_subscription_owned
static const struct codec_field consumer_protocol_subscription_owned_fields[] = {
    {"topic", NULL, AT(topic), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_protocol_subscription_owned_type = {
    "consumer_protocol_subscription_owned", consumer_protocol_subscription_owned_fields,
     &consumer_protocol_subscription_owned_defaults, sizeof(struct
     consumer_protocol_subscription_owned), 2, 2};

const struct consumer_protocol_subscription consumer_protocol_subscription_defaults = {
    .generation_id = -1
};
#define T consumer_protocol_subscription
static const struct codec_field consumer_protocol_subscription_fields[] = {
    {"topics", NULL, AT(topics), AT(topics_count), 0, LAST, NEVER, -1, CODEC_STRING,
     CODEC_ARRAY},
    {"user_data", NULL, AT(user_data), 0, 0, LAST, 0, -1, CODEC_RECORDS, 0},
    {"owned_partitions", &consumer_protocol_subscription_owned_type, AT(owned_partitions),
     AT(owned_partitions_count), 1, LAST, NEVER, -1, CODEC_STRUCT, CODEC_ARRAY},
    {"generation_id", NULL, AT(generation_id), 0, 2, LAST, NEVER, -1, CODEC_INT32, 0},
    {"rack_id", NULL, AT(rack_id), 0, 3, LAST, 0, -1, CODEC_STRING, 0},
};
#undef T
const struct codec_struct consumer_protocol_subscription_type = {
    "consumer_protocol_subscription", consumer_protocol_subscription_fields,
     &consumer_protocol_subscription_defaults, sizeof(struct
     consumer_protocol_subscription), 5, 5};

const struct codec_message consumer_protocol_subscription_message = {
    "consumer_protocol_subscription", &consumer_protocol_subscription_type, -1, 0, 3, CODEC_VERSION_NONE};

const struct consumer_protocol_assignment_assigned consumer_protocol_assignment_assigned_defaults = {
    0
};
#define T consumer_protocol_assignment_assigned
static const struct codec_field consumer_protocol_assignment_assigned_fields[] = {
    {"topic", NULL, AT(topic), 0, 0, LAST, NEVER, -1, CODEC_STRING, 0},
    {"partitions", NULL, AT(partitions), AT(partitions_count), 0, LAST, NEVER, -1,
     CODEC_INT32, CODEC_ARRAY},
};
#undef T
const struct codec_struct consumer_protocol_assignment_assigned_type = {
    "consumer_protocol_assignment_assigned", consumer_protocol_assignment_assigned_fields,
     &consumer_protocol_assignment_assigned_defaults, sizeof(struct
     consumer_protocol_assignment_assigned), 2, 2};

const struct consumer_protocol_assignment consumer_protocol_assignment_defaults = {
    0
};
#define T consumer_protocol_assignment
static const struct codec_field consumer_protocol_assignment_fields[] = {
    {"assigned_partitions", &consumer_protocol_assignment_assigned_type,
     AT(assigned_partitions), AT(assigned_partitions_count), 0, LAST, NEVER, -1,
     CODEC_STRUCT, CODEC_ARRAY},
    {"user_data", NULL, AT(user_data), 0, 0, LAST, 0, -1, CODEC_RECORDS, 0},
};
#undef T
const struct codec_struct consumer_protocol_assignment_type = {
    "consumer_protocol_assignment", consumer_protocol_assignment_fields,
     &consumer_protocol_assignment_defaults, sizeof(struct consumer_protocol_assignment),
     2, 2};

const struct codec_message consumer_protocol_assignment_message = {
    "consumer_protocol_assignment", &consumer_protocol_assignment_type, -1, 0, 3, CODEC_VERSION_NONE};

const struct kafka_api kafka_apis[KAFKA_API_COUNT] = {
    {"Produce", &produce_request_message, &produce_response_message, 0, 3, 13, 0, 9},
    {"Fetch", &fetch_request_message, &fetch_response_message, 1, 4, 18, 4, 12},
    {"ListOffsets", &list_offsets_request_message, &list_offsets_response_message, 2, 1, 11, 1, 6},
    {"Metadata", &metadata_request_message, &metadata_response_message, 3, 0, 13, 0, 9},
    {"OffsetCommit", &offset_commit_request_message, &offset_commit_response_message, 8, 2, 10, 2, 8},
    {"OffsetFetch", &offset_fetch_request_message, &offset_fetch_response_message, 9, 1, 10, 1, 6},
    {"FindCoordinator", &find_coordinator_request_message, &find_coordinator_response_message, 10, 0, 6, 0, 3},
    {"JoinGroup", &join_group_request_message, &join_group_response_message, 11, 0, 9, 0, 6},
    {"Heartbeat", &heartbeat_request_message, &heartbeat_response_message, 12, 0, 4, 0, 4},
    {"LeaveGroup", &leave_group_request_message, &leave_group_response_message, 13, 0, 5, 0, 4},
    {"SyncGroup", &sync_group_request_message, &sync_group_response_message, 14, 0, 5, 0, 4},
    {"DescribeGroups", &describe_groups_request_message, &describe_groups_response_message, 15, 0, 6, 0, 5},
    {"ListGroups", &list_groups_request_message, &list_groups_response_message, 16, 0, 5, 0, 3},
    {"ApiVersions", &api_versions_request_message, &api_versions_response_message, 18, 0, 4, 0, 3},
    {"CreateTopics", &create_topics_request_message, &create_topics_response_message, 19, 2, 7, 2, 5},
    {"DeleteTopics", &delete_topics_request_message, &delete_topics_response_message, 20, 1, 6, 1, 4},
    {"DeleteRecords", &delete_records_request_message, &delete_records_response_message, 21, 0, 2, 0, 2},
    {"InitProducerId", &init_producer_id_request_message, &init_producer_id_response_message, 22, 0, 5, 0, 2},
    {"OffsetForLeaderEpoch", &offset_for_leader_epoch_request_message, &offset_for_leader_epoch_response_message, 23, 2, 4, 2, 4},
    {"DescribeConfigs", &describe_configs_request_message, &describe_configs_response_message, 32, 1, 4, 1, 4},
    {"AlterConfigs", &alter_configs_request_message, &alter_configs_response_message, 33, 0, 2, 0, 2},
    {"AlterReplicaLogDirs", &alter_replica_log_dirs_request_message, &alter_replica_log_dirs_response_message, 34, 1, 2, 1, 2},
    {"DescribeLogDirs", &describe_log_dirs_request_message, &describe_log_dirs_response_message, 35, 1, 4, 1, 2},
    {"CreatePartitions", &create_partitions_request_message, &create_partitions_response_message, 37, 0, 3, 0, 2},
    {"DeleteGroups", &delete_groups_request_message, &delete_groups_response_message, 42, 0, 2, 0, 2},
    {"ElectLeaders", &elect_leaders_request_message, &elect_leaders_response_message, 43, 0, 2, 0, 2},
    {"IncrementalAlterConfigs", &incremental_alter_configs_request_message, &incremental_alter_configs_response_message, 44, 0, 1, 0, 1},
    {"AlterPartitionReassignments", &alter_partition_reassignments_request_message, &alter_partition_reassignments_response_message, 45, 0, 1, 0, 0},
    {"ListPartitionReassignments", &list_partition_reassignments_request_message, &list_partition_reassignments_response_message, 46, 0, 0, 0, 0},
    {"OffsetDelete", &offset_delete_request_message, &offset_delete_response_message, 47, 0, 0, 0, CODEC_VERSION_NONE},
    {"DescribeClientQuotas", &describe_client_quotas_request_message, &describe_client_quotas_response_message, 48, 0, 1, 0, 1},
    {"AlterClientQuotas", &alter_client_quotas_request_message, &alter_client_quotas_response_message, 49, 0, 1, 0, 1},
    {"DescribeQuorum", &describe_quorum_request_message, &describe_quorum_response_message, 55, 0, 2, 0, 0},
    {"UpdateFeatures", &update_features_request_message, &update_features_response_message, 57, 0, 2, 0, 0},
    {"DescribeCluster", &describe_cluster_request_message, &describe_cluster_response_message, 60, 0, 2, 0, 0},
    {"DescribeProducers", &describe_producers_request_message, &describe_producers_response_message, 61, 0, 0, 0, 0},
    {"ConsumerGroupHeartbeat", &consumer_group_heartbeat_request_message, &consumer_group_heartbeat_response_message, 68, 0, 1, 0, 0},
    {"ConsumerGroupDescribe", &consumer_group_describe_request_message, &consumer_group_describe_response_message, 69, 0, 1, 0, 0},
    {"ListConfigResources", &list_config_resources_request_message, &list_config_resources_response_message, 74, 0, 1, 0, 0},
    {"DescribeTopicPartitions", &describe_topic_partitions_request_message, &describe_topic_partitions_response_message, 75, 0, 0, 0, 0},
};
/* clang-format on */
