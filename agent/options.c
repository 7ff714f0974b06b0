/* options.c - the agent's options out of option.def, what is required, and ranges. */
#include "agent/options.h"

static const struct option_spec specs[] = {
#define OPTION(field, name, type, value, placeholder, help)                              \
    {name,  OPTION_##type, offsetof(struct agent_options, field),                        \
     value, placeholder,   help},
#include "agent/option.def"
#undef OPTION
};

const struct option_program agent_program = {
    .name = "weft-agent",
    .summary = "The data plane of Weft: speaks the Kafka protocol to clients and keeps "
               "their records in an object store. It has no state of its own.",
    .epilogue =
        "With a control plane's address, its CA's fingerprint and an enrolment "
        "token:\n\n"
        "  weft-agent --control-plane https://cp.example:7800 \\\n"
        "      --ca-fingerprint 3f2a... --enrolment-token @/run/secrets/token \\\n"
        "      --store 's3://bucket/prefix?region=eu-central-1'\n",
    .specs = specs,
    .spec_count = ARRAY_LEN(specs),
};

struct required {
    const char *name;
    size_t offset;
    const char *what;
};

#define REQUIRED(name, field, what)                                                      \
    {                                                                                    \
        name, offsetof(struct agent_options, field), what                                \
    }

static const struct required required[] = {
    REQUIRED("control-plane", control_plane, "the control plane's https address"),
    REQUIRED("ca-fingerprint", ca_fingerprint,
             "the fingerprint that the control plane printed on its first start"),
    REQUIRED("enrolment-token", enrolment_token,
             "a token made by POST /api/v1/clusters/{id}/enrolment-tokens"),
    REQUIRED("store", store, "file:///DIR or s3://BUCKET/PREFIX"),
};

struct range {
    const char *name;
    size_t offset;
    int64_t min, max;
};

#define RANGE(name, field, min, max)                                                     \
    {                                                                                    \
        name, offsetof(struct agent_options, field), min, max                            \
    }
#define HOUR_MS INT64_C(3600000)

static const struct range ranges[] = {
    RANGE("store-threads", store_threads, 0, 64),
    RANGE("store-timeout", store_timeout_ms, 100, HOUR_MS),
    RANGE("memory", memory_bytes, 0, INT64_C(1) << 50),
    RANGE("flush-bytes", flush_bytes, 1, INT64_C(1) << 30),
    RANGE("flush-interval", flush_interval_ms, 0, 60000),
    RANGE("max-uploads", max_uploads, 1, 1024),
    RANGE("max-objects", max_objects, 1, 65536),
    RANGE("upload-timeout", upload_timeout_ms, 1000, HOUR_MS),
    RANGE("hedge-after", hedge_after_ms, 0, HOUR_MS),
    RANGE("client-threads", client_threads, 0, 256),
    RANGE("max-connections", max_connections, 1, 1000000),
    RANGE("drain-timeout", drain_timeout_ms, 0, HOUR_MS),
    RANGE("max-request-bytes", max_request_bytes, 64 << 10, INT64_C(1) << 30),
    RANGE("connection-max-requests", connection_max_requests, 1, 1000000),
    RANGE("connection-max-bytes", connection_max_bytes, 64 << 10, INT64_C(1) << 40),
    RANGE("connection-idle-timeout", idle_timeout_ms, 1000, 24 * HOUR_MS),
    RANGE("request-timeout", request_timeout_ms, 100, HOUR_MS),
    RANGE("write-timeout", write_timeout_ms, 100, HOUR_MS),
    RANGE("fetch-max-bytes", fetch_max_bytes, 1 << 10, INT64_C(1) << 30),
    RANGE("wait-for-files", wait_for_files_ms, 0, HOUR_MS),
    RANGE("metrics-topics", metrics_topics, 0, 5000),
    RANGE("default-partitions", default_partitions, 1, 100000),
    RANGE("default-replication-factor", default_replication_factor, 1, 32767),
};

static const void *field(const struct agent_options *options, size_t offset)
{
    return (const char *)options + offset;
}

int agent_options_check(const struct agent_options *options, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(required); i++) {
        const char *text = *(char *const *)field(options, required[i].offset);
        if (text == NULL || text[0] == '\0')
            return err_set(err, ERR_INVALID, "--%s is missing: give %s", required[i].name,
                           required[i].what);
    }
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        int64_t v = *(const int64_t *)field(options, ranges[i].offset);
        if (v < ranges[i].min || v > ranges[i].max)
            return err_set(err, ERR_INVALID, "--%s is %lld: it must be %lld to %lld",
                           ranges[i].name, (long long)v, (long long)ranges[i].min,
                           (long long)ranges[i].max);
    }
    if (options->memory_bytes != 0 && options->memory_bytes < (int64_t)MEMORY_LEAST)
        return err_set(err, ERR_INVALID,
                       "--memory is %lld: it must be %lld or more, or 0 for half "
                       "of what there is",
                       (long long)options->memory_bytes, (long long)MEMORY_LEAST);
    return 0;
}
