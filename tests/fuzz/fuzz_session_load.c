/* fuzz_session_load.c - what an agent tells of how busy it is (session_load.h), as JSON.
 *
 * Whatever it says, what is kept of it is within bounds: no rate below nothing, a sum
 * over many such agents is a number, names end. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/check.h"
#include "common/defs.h"
#include "controlplane/session_load.h"

#define AGENTS 100

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct session_load load;
    static struct load_sum sum;
    struct err err = {0};
    struct json_reader r = {.err = &err};
    struct arena arena;
    struct json *body;

    if (json_parse(slice_of(data, size), &body, &err) != 0)
        return 0;
    memset(&load, 0, sizeof(load));
    memset(&sum, 0, sizeof(sum));
    arena_init(&arena, MIB);
    session_load_read(&r, body, &arena, &load);
    ASSERT(!r.failed || err.code != 0);
    if (!r.failed) {
        for (int i = 0; i < AGENTS; i++)
            load_sum_add(&sum, &load);
        for (size_t i = 0; i < USAGE_RATES; i++)
            ASSERT(isfinite(sum.rates[i]) && sum.rates[i] >= 0);
        for (size_t i = 0; i < USAGE_LATENCIES; i++)
            ASSERT(isfinite(metric_quantile(sum.latencies[i], 0.99)));
        ASSERT(memchr(load.provider, '\0', sizeof(load.provider)) != NULL);
        ASSERT(memchr(load.region, '\0', sizeof(load.region)) != NULL);
    }
    arena_fini(&arena);
    json_free(body);
    return 0;
}
