/* api_leaders.c - ElectLeaders, AlterPartitionReassignments, ListPartitionReassignments,
 * UpdateFeatures: what tools ask of a system that has leaders, replicas and brokers that
 * agree on features.
 *
 * Here any agent serves any partition and the object store replicates, so that the leader
 * is always the preferred one, nothing ever moves, and a partition can be assigned to
 * where it is shown already only. No feature can be finalized by a tenant: what a cell
 * can do is its operator's. */
#include "agent/client_thread.h"
#include "agent/dispatch.h"
#include "agent/steering.h"
#include "proto/kafka_error.h"
#include "proto/kafka_gen.h"

static bool is_known(const struct meta_topic *topic, int32_t partition)
{
    return topic != NULL && partition >= 0 && partition < topic->partitions;
}

/* ---- ElectLeaders (KIP-183, KIP-460) ---- */

enum election { ELECTION_PREFERRED = 0, ELECTION_UNCLEAN = 1 };

static int elect(struct request *req, const struct elect_leaders_request_topic *asked,
                 struct elect_leaders_response_result *out)
{
    const struct meta_topic *topic = meta_topic_by_name(request_view(req), asked->topic);
    size_t n = asked->partitions_count;

    out->topic = asked->topic;
    out->partition_result_count = n;
    out->partition_result = request_array(req, n, sizeof(*out->partition_result));
    if (out->partition_result == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        struct elect_leaders_response_partition *row = &out->partition_result[i];
        row->partition_id = asked->partitions[i];
        row->error_code = is_known(topic, asked->partitions[i])
                              ? KAFKA_ELECTION_NOT_NEEDED
                              : KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
        row->error_message = slice_str(kafka_error_text(row->error_code));
    }
    return 0;
}

static bool elect_any_unknown(struct request *req)
{
    const struct elect_leaders_request *body = req->body;
    for (size_t i = 0; i < body->topic_partitions_count; i++) {
        if (meta_topic_by_name(request_view(req), body->topic_partitions[i].topic) ==
            NULL)
            return true;
    }
    return false;
}

int api_elect_leaders(struct request *req)
{
    const struct elect_leaders_request *body = req->body;
    struct elect_leaders_response reply = elect_leaders_response_defaults;
    size_t n = body->topic_partitions_count;

    if (!req->refreshed && elect_any_unknown(req))
        return request_refresh(req);
    if (body->election_type != ELECTION_PREFERRED &&
        body->election_type != ELECTION_UNCLEAN) {
        reply.error_code = KAFKA_INVALID_REQUEST;
        return request_reply(req, &reply);
    }
    /* Null asks for all; those that need none are then left out, as in Kafka. */
    reply.replica_election_results =
        request_array(req, n, sizeof(*reply.replica_election_results));
    if (reply.replica_election_results == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        int rc =
            elect(req, &body->topic_partitions[i], &reply.replica_election_results[i]);
        if (rc != 0)
            return rc;
    }
    reply.replica_election_results_count = n;
    return request_reply(req, &reply);
}

/* ---- AlterPartitionReassignments (KIP-455) ---- */

static const char fixed_place[] =
    "any agent serves any partition and the object store replicates: there is nothing to "
    "move";

static bool is_shown_so(const struct steering *steering, const struct meta_topic *topic,
                        const struct alter_partition_reassignments_request_partition *p)
{
    int32_t *replicas;
    size_t count;

    (void)steering_place(steering, &topic->id, p->partition_index, &replicas, &count);
    bool same = count == p->replicas_count;
    for (size_t i = 0; same && i < count; i++)
        same = replicas[i] == p->replicas[i];
    return same;
}

static int16_t judge_target(
    struct request *req, const struct steering *steering, const struct meta_topic *topic,
    const struct alter_partition_reassignments_request_partition *p, const char **text)
{
    *text = NULL;
    if (!is_known(topic, p->partition_index))
        return KAFKA_UNKNOWN_TOPIC_OR_PARTITION;
    if (p->replicas == NULL) /* cancels what is under way */
        return KAFKA_NO_REASSIGNMENT_IN_PROGRESS;
    if (is_shown_so(steering, topic, p))
        return 0;
    *text = "the replica list is empty";
    if (p->replicas_count == 0)
        return KAFKA_INVALID_REPLICA_ASSIGNMENT;
    for (size_t i = 0; i < p->replicas_count; i++) {
        *text = "the assignment names a broker that does not exist";
        if (meta_agent_by_id(request_view(req), p->replicas[i]) == NULL)
            return KAFKA_INVALID_REPLICA_ASSIGNMENT;
        *text = "the assignment names a broker more than once";
        for (size_t k = 0; k < i; k++) {
            if (p->replicas[k] == p->replicas[i])
                return KAFKA_INVALID_REPLICA_ASSIGNMENT;
        }
    }
    *text = fixed_place;
    return KAFKA_POLICY_VIOLATION;
}

static int reassign(struct request *req, struct steering *steering,
                    const struct alter_partition_reassignments_request_topic *asked,
                    struct alter_partition_reassignments_response_topic *out)
{
    const struct meta_topic *topic = meta_topic_by_name(request_view(req), asked->name);
    size_t n = asked->partitions_count;
    struct alter_partition_reassignments_response_partition *rows =
        request_array(req, n, sizeof(*rows));

    if (rows == NULL ||
        (topic != NULL &&
         steering_set_factor(steering, topic->replication_factor, &req->arena) != 0))
        return ERR_TOO_LARGE;
    out->name = asked->name;
    out->partitions = rows;
    out->partitions_count = n;
    for (size_t i = 0; i < n; i++) {
        const char *text;
        rows[i].partition_index = asked->partitions[i].partition_index;
        rows[i].error_code =
            judge_target(req, steering, topic, &asked->partitions[i], &text);
        if (rows[i].error_code != 0 && text == NULL)
            text = kafka_error_text(rows[i].error_code);
        rows[i].error_message = slice_str(rows[i].error_code == 0 ? NULL : text);
    }
    return 0;
}

static bool reassign_any_unknown(struct request *req)
{
    const struct alter_partition_reassignments_request *body = req->body;
    for (size_t i = 0; i < body->topics_count; i++) {
        if (meta_topic_by_name(request_view(req), body->topics[i].name) == NULL)
            return true;
    }
    return false;
}

int api_alter_partition_reassignments(struct request *req)
{
    const struct alter_partition_reassignments_request *body = req->body;
    struct alter_partition_reassignments_response reply =
        alter_partition_reassignments_response_defaults;
    struct steering steering;
    size_t n = body->topics_count;

    if (!req->refreshed && reassign_any_unknown(req))
        return request_refresh(req);
    reply.responses = request_array(req, n, sizeof(*reply.responses));
    if (reply.responses == NULL ||
        steering_init(&steering, request_view(req), request_zone(req), &req->arena) != 0)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        int rc = reassign(req, &steering, &body->topics[i], &reply.responses[i]);
        if (rc != 0)
            return rc;
    }
    reply.responses_count = n;
    reply.allow_replication_factor_change = body->allow_replication_factor_change;
    return request_reply(req, &reply);
}

/* ---- ListPartitionReassignments ---- */

int api_list_partition_reassignments(struct request *req)
{
    struct list_partition_reassignments_response reply =
        list_partition_reassignments_response_defaults;
    return request_reply(req, &reply); /* none is ever under way */
}

/* ---- UpdateFeatures (KIP-584) ---- */

/* Upgrade, safe and unsafe downgrade. */
#define UPGRADE_TYPES_MAX 3

/* The one that is finalized (ApiVersions says so), at its one level. */
static const char group_version[] = "group.version";
#define GROUP_VERSION 1

/* What is wrong with an update, or NULL: it changes nothing. */
static const char *judge_update(const struct request *req,
                                const struct update_features_request_update *update)
{
    if (slice_eq_str(update->feature, group_version))
        return update->max_version_level == GROUP_VERSION
                   ? NULL
                   : "the feature has one level, 1, and cannot be disabled";
    if (req->header.api_version > 0 &&
        (update->upgrade_type < 1 || update->upgrade_type > UPGRADE_TYPES_MAX))
        return "the upgrade type does not exist";
    if (update->max_version_level < 0)
        return "the version level is below 0";
    return "the cluster has no such feature: what it can do is its operator's to change";
}

int api_update_features(struct request *req)
{
    const struct update_features_request *body = req->body;
    struct update_features_response reply = update_features_response_defaults;
    size_t n = body->feature_updates_count;
    struct update_features_response_result *rows = request_array(req, n, sizeof(*rows));

    if (rows == NULL)
        return ERR_TOO_LARGE;
    for (size_t i = 0; i < n; i++) {
        const char *wrong = judge_update(req, &body->feature_updates[i]);
        rows[i].feature = body->feature_updates[i].feature;
        rows[i].error_code = wrong == NULL ? 0 : KAFKA_INVALID_UPDATE_VERSION;
        rows[i].error_message = slice_str(wrong);
        /* From version 2 on all are done or none, and the reply has one error for them.
         */
        if (wrong == NULL || req->header.api_version < 2 || reply.error_code != 0)
            continue;
        reply.error_code = rows[i].error_code;
        reply.error_message = rows[i].error_message;
    }
    reply.results = rows;
    reply.results_count = n;
    return request_reply(req, &reply);
}
