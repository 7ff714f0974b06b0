/* dispatch.h - the table of APIs that the agent serves: key -> handler.
 *
 * Versions, field tables and names are kafka_apis' (proto/kafka_gen.h). What has no
 * handler here is not served: ApiVersions, the metrics and the frame reader leave it out,
 * though its messages can be spoken. */
#ifndef AGENT_DISPATCH_H
#define AGENT_DISPATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/request.h"
#include "common/defs.h"

typedef int dispatch_fn(struct request *req);

/* The handler of an API; NULL when it is not served. Any thread. */
dispatch_fn *dispatch_find(int16_t key);

/* Whether ApiVersions tells of it. Any thread. */
bool dispatch_is_advertised(int16_t key);

/* One file a family: check, act, reply. */
dispatch_fn api_alter_configs;                 /* api_configs.c */
dispatch_fn api_api_versions;                  /* api_versions.c */
dispatch_fn api_consumer_group_describe;       /* api_consumer_group.c */
dispatch_fn api_consumer_group_heartbeat;      /* api_consumer_group.c */
dispatch_fn api_create_partitions;             /* api_topics.c */
dispatch_fn api_create_topics;                 /* api_topics.c */
dispatch_fn api_delete_groups;                 /* api_group_admin.c */
dispatch_fn api_delete_topics;                 /* api_topics.c */
dispatch_fn api_describe_cluster;              /* api_metadata.c */
dispatch_fn api_describe_configs;              /* api_describe_configs.c */
dispatch_fn api_describe_groups;               /* api_group_admin.c */
dispatch_fn api_describe_topic_partitions;     /* api_describe_topics.c */
dispatch_fn api_fetch;                         /* api_fetch.c */
dispatch_fn api_find_coordinator;              /* api_find_coordinator.c */
dispatch_fn api_heartbeat;                     /* api_join_group.c */
dispatch_fn api_incremental_alter_configs;     /* api_configs.c */
dispatch_fn api_init_producer_id;              /* api_producer_id.c */
dispatch_fn api_join_group;                    /* api_join_group.c */
dispatch_fn api_leave_group;                   /* api_join_group.c */
dispatch_fn api_list_groups;                   /* api_group_admin.c */
dispatch_fn api_list_offsets;                  /* api_offsets.c */
dispatch_fn api_metadata;                      /* api_metadata.c */
dispatch_fn api_offset_commit;                 /* api_group_offsets.c */
dispatch_fn api_offset_delete;                 /* api_group_offsets.c */
dispatch_fn api_offset_fetch;                  /* api_group_offsets.c */
dispatch_fn api_offset_for_leader_epoch;       /* api_offsets.c */
dispatch_fn api_produce;                       /* api_produce.c */
dispatch_fn api_sync_group;                    /* api_join_group.c */
dispatch_fn api_alter_client_quotas;           /* api_quotas.c */
dispatch_fn api_alter_partition_reassignments; /* api_leaders.c */
dispatch_fn api_alter_replica_log_dirs;        /* api_log_dirs.c */
dispatch_fn api_delete_records;                /* api_records.c */
dispatch_fn api_describe_client_quotas;        /* api_quotas.c */
dispatch_fn api_describe_log_dirs;             /* api_log_dirs.c */
dispatch_fn api_describe_producers;            /* api_inspect.c */
dispatch_fn api_describe_quorum;               /* api_inspect.c */
dispatch_fn api_elect_leaders;                 /* api_leaders.c */
dispatch_fn api_list_config_resources;         /* api_config_resources.c */
dispatch_fn api_list_partition_reassignments;  /* api_leaders.c */
dispatch_fn api_update_features;               /* api_leaders.c */

#endif
