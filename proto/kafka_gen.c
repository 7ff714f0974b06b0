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

const struct kafka_api kafka_apis[KAFKA_API_COUNT] = {
    {"Produce", &produce_request_message, &produce_response_message, 0, 3, 13, 0, 9},
    {"Fetch", &fetch_request_message, &fetch_response_message, 1, 4, 18, 4, 12},
    {"ListOffsets", &list_offsets_request_message, &list_offsets_response_message, 2, 1, 11, 1, 6},
    {"Metadata", &metadata_request_message, &metadata_response_message, 3, 0, 13, 0, 9},
    {"FindCoordinator", &find_coordinator_request_message, &find_coordinator_response_message, 10, 0, 6, 0, 3},
    {"ApiVersions", &api_versions_request_message, &api_versions_response_message, 18, 0, 4, 0, 3},
    {"CreateTopics", &create_topics_request_message, &create_topics_response_message, 19, 2, 7, 2, 5},
    {"DeleteTopics", &delete_topics_request_message, &delete_topics_response_message, 20, 1, 6, 1, 4},
    {"InitProducerId", &init_producer_id_request_message, &init_producer_id_response_message, 22, 0, 5, 0, 2},
    {"OffsetForLeaderEpoch", &offset_for_leader_epoch_request_message, &offset_for_leader_epoch_response_message, 23, 2, 4, 2, 4},
    {"DescribeConfigs", &describe_configs_request_message, &describe_configs_response_message, 32, 1, 4, 1, 4},
    {"AlterConfigs", &alter_configs_request_message, &alter_configs_response_message, 33, 0, 2, 0, 2},
    {"CreatePartitions", &create_partitions_request_message, &create_partitions_response_message, 37, 0, 3, 0, 2},
    {"IncrementalAlterConfigs", &incremental_alter_configs_request_message, &incremental_alter_configs_response_message, 44, 0, 1, 0, 1},
    {"DescribeCluster", &describe_cluster_request_message, &describe_cluster_response_message, 60, 0, 2, 0, 0},
    {"DescribeTopicPartitions", &describe_topic_partitions_request_message, &describe_topic_partitions_response_message, 75, 0, 0, 0, 0},
};
/* clang-format on */
