/* usage.h - what agents tell of themselves beside sums (control_api.md, /agent/v1/usage):
 * rates, and times as histograms. Written by agent/usage_report.c, read by
 * controlplane/session_load.c. A name, once told, keeps its meaning. */
#ifndef PROTO_USAGE_H
#define PROTO_USAGE_H

#include "common/store_kind.h"

/* So much a second. */
enum usage_rate {
    USAGE_PRODUCED_RECORDS,
    USAGE_PRODUCE_REQUESTS,
    USAGE_FETCHED_RECORDS,
    USAGE_FETCH_REQUESTS,
    USAGE_STORE_FIRST, /* a kind each, as enum store_kind */
    USAGE_STORE_ERRORS = USAGE_STORE_FIRST + STORE_KINDS,
    USAGE_RATES,
};

enum usage_latency {
    USAGE_PRODUCE,
    USAGE_FETCH,
    USAGE_PUT,
    USAGE_GET,
    USAGE_COMMIT,
    USAGE_LATENCIES,
};

/* The name of a rate; of a store's requests that of their kind. */
const char *usage_rate_name(enum usage_rate rate);
extern const char *const usage_latency_names[USAGE_LATENCIES];

#endif
