/* usage.c - see usage.h. */
#include "proto/usage.h"

#include "common/check.h"

const char *const usage_latency_names[USAGE_LATENCIES] = {"produce", "fetch", "put",
                                                          "get", "commit"};

const char *usage_rate_name(enum usage_rate rate)
{
    static const char *const names[USAGE_RATES] = {
        [USAGE_PRODUCED_RECORDS] = "produced_records",
        [USAGE_PRODUCE_REQUESTS] = "produce_requests",
        [USAGE_FETCHED_RECORDS] = "fetched_records",
        [USAGE_FETCH_REQUESTS] = "fetch_requests",
        [USAGE_STORE_ERRORS] = "store_errors",
    };

    ASSERT(rate < USAGE_RATES);
    if (rate >= USAGE_STORE_FIRST && rate < USAGE_STORE_ERRORS)
        return store_kind_names[rate - USAGE_STORE_FIRST];
    return names[rate];
}
