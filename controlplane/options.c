/* options.c - the control plane's options out of option.def, and their ranges. */
#include "controlplane/options.h"

#include "proto/command.h"

static const struct option_spec specs[] = {
#define OPTION(field, name, type, value, placeholder, help)                              \
    {name,  OPTION_##type, offsetof(struct control_options, field),                      \
     value, placeholder,   help},
#include "controlplane/option.def"
#undef OPTION
};

const struct option_program control_program = {
    .name = "weft-controlplane",
    .summary = "The control plane of Weft: assigns offsets, keeps all metadata of any "
               "number of clusters, and lets their agents enrol.",
    .epilogue =
        "A cell begins with one node; --bootstrap makes its key, its certificate "
        "authority and an admin token in the data directory:\n\n"
        "  weft-controlplane --data-dir /var/lib/weft --bootstrap\n"
        "  curl --cacert /var/lib/weft/ca.crt -H \"Authorization: Bearer "
        "$(cat /var/lib/weft/admin-token)\" \\\n"
        "      -d '{\"name\":\"first\"}' -H 'Content-Type: application/json' "
        "https://localhost:7800/api/v1/clusters\n\n"
        "A further node, with the cell's key, the fingerprint of its CA and a join "
        "token (POST /api/v1/cell/join-tokens):\n\n"
        "  weft-controlplane --data-dir /var/lib/weft --cell-key-file cell.key "
        "--join https://first:7800 \\\n"
        "      --join-token @token --ca-fingerprint HEX\n\n"
        "Nodes that are all started alike, as by Kubernetes, with a cell key and an "
        "admin "
        "token made before:\n\n"
        "  weft-controlplane --data-dir /var/lib/weft --cell-key @cell.key --join-by-key "
        "--founder cp1 \\\n"
        "      --join https://cp1:7800,https://cp2:7800,https://cp3:7800 "
        "--admin-token @admin-token --node-name NAME\n\n"
        "Exit status: 0 stopped by a signal; 1 cannot start; 2 bad options; 3 this "
        "node was removed from its cell, so that starting it again is no use; 4 an error "
        "it cannot go on from, which the last line of the log names\n",
    .specs = specs,
    .spec_count = ARRAY_LEN(specs),
};

struct range {
    const char *name;
    size_t offset;
    int64_t min, max;
};

#define RANGE(name, field, min, max)                                                     \
    {                                                                                    \
        name, offsetof(struct control_options, field), min, max                          \
    }

static const struct range ranges[] = {
    RANGE("node-certificate-life", node_life_ms, 1000, INT64_C(3650) * 86400000),
    RANGE("election-timeout", election_timeout_ms, 50, 60000),
    RANGE("heartbeat", heartbeat_ms, 10, 20000),
    RANGE("snapshot-rate", snapshot_rate_bytes, 64 << 10, INT64_C(64) << 30),
    RANGE("backup-every", backup_every_ms, 1000, INT64_C(365) * 86400000),
    RANGE("backup-keep", backup_keep, 1, 100000),
    RANGE("session-timeout", session_timeout_ms, 100, 3600000),
    RANGE("watch-wait", watch_wait_ms, 1, 60000),
    RANGE("feed-bytes", feed_bytes, 64 << 10, INT64_C(16) << 30),
    RANGE("commit-max-age", commit_max_age_ms, 1000, INT64_C(30) * 86400000),
    RANGE("certificate-life", certificate_life_ms, 1000, INT64_C(365) * 86400000),
    RANGE("default-partitions", default_partitions, 1, 100000),
    RANGE("default-replication-factor", default_replication, 1, 32767),
    RANGE("max-agents", max_agents, 1, 1000000),
    RANGE("max-topics", max_topics, 1, 10000000),
    RANGE("max-partitions", max_partitions, 1, 100000000),
    RANGE("group-initial-rebalance-delay", group_initial_delay_ms, 0, 3600000),
    RANGE("group-min-session-timeout", group_min_session_ms, 1, 86400000),
    RANGE("group-max-session-timeout", group_max_session_ms, 1, 86400000),
    RANGE("group-max-size", group_max_size, 0, COMMAND_MEMBERS_MAX),
    RANGE("max-groups", max_groups, 1, 10000000),
    RANGE("producer-expiry", producer_expiry_ms, 1000, INT64_C(365) * 86400000),
    RANGE("offsets-retention", offsets_retention_ms, 1000, INT64_C(3650) * 86400000),
    RANGE("checkpoint-interval", checkpoint_every_ms, 100, 86400000),
    RANGE("checkpoint-log", checkpoint_log_bytes, 64 << 10, INT64_C(16) << 30),
    RANGE("wal-segment", wal_segment_bytes, 64 << 10, INT64_C(16) << 30),
    RANGE("http-threads", http_threads, 1, 64),
    RANGE("max-connections", max_connections, 8, 1000000),
    RANGE("request-memory", request_bytes, 16 << 20, INT64_C(1) << 40),
    RANGE("metrics-clusters", metrics_clusters, 0, 1000),
    RANGE("idle-timeout", idle_timeout_ms, 1000, 86400000),
    RANGE("request-timeout", request_timeout_ms, 100, 3600000),
    RANGE("wait-for-files", wait_for_files_ms, 0, 3600000),
};

/* How a node with an empty directory begins. */
static int check_beginning(const struct control_options *options, struct err *err)
{
    bool restore = options->restore != NULL && options->founder == NULL;
    if (options->bootstrap + (options->join != NULL) + restore > 1)
        return err_set(err, ERR_INVALID,
                       "--bootstrap, --join and --restore exclude each other; only "
                       "with --founder a node may have --join and --restore");
    if (options->join != NULL && !options->join_by_key &&
        (options->join_token == NULL || options->ca_fingerprint == NULL))
        return err_set(err, ERR_INVALID,
                       "--join wants --join-token and --ca-fingerprint: an operator "
                       "makes a token by POST /api/v1/cell/join-tokens, whose answer "
                       "has both; or --join-by-key, when all nodes have it");
    if (options->founder != NULL && (options->join == NULL || !options->join_by_key))
        return err_set(err, ERR_INVALID,
                       "--founder wants --join with the addresses of all nodes, and "
                       "--join-by-key");
    return 0;
}

int control_options_check(const struct control_options *options, struct err *err)
{
    if (options->data_dir == NULL || options->data_dir[0] == '\0')
        return err_set(err, ERR_INVALID,
                       "--data-dir is missing: name the directory where "
                       "the control plane keeps its data");
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        int64_t v =
            *(const int64_t *)(const void *)((const char *)options + ranges[i].offset);
        if (v < ranges[i].min || v > ranges[i].max)
            return err_set(err, ERR_INVALID, "--%s is %lld: it must be %lld to %lld",
                           ranges[i].name, (long long)v, (long long)ranges[i].min,
                           (long long)ranges[i].max);
    }
    if (options->heartbeat_ms * 3 > options->election_timeout_ms)
        return err_set(err, ERR_INVALID,
                       "--heartbeat is more than a third of --election-timeout: a "
                       "message that is late would end a term");
    int code = check_beginning(options, err);
    if (code != 0)
        return code;
    if (options->group_min_session_ms > options->group_max_session_ms)
        return err_set(err, ERR_INVALID,
                       "--group-min-session-timeout is more than "
                       "--group-max-session-timeout");
    if (options->watch_wait_ms * 2 > options->session_timeout_ms)
        return err_set(
            err, ERR_INVALID,
            "--watch-wait is more than half of --session-timeout: an agent that "
            "only watches would be forgotten");
    return 0;
}
