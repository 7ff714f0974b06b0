/* session_load.c - see session_load.h. What an agent says is bounded, so that a sum over
 * all of them stays a number. */
#include "controlplane/session_load.h"

#include <stdio.h>

#include "proto/packed.h"

#define RATE_MAX  1e15
#define BYTES_MAX (INT64_C(1) << 60)

static void read_rates(struct json_reader *r, const struct json *rates,
                       struct session_load *load)
{
    for (size_t i = 0; i < USAGE_RATES; i++)
        load->rates[i] =
            json_get_number(r, rates, usage_rate_name((enum usage_rate)i), 0, RATE_MAX);
}

/* A packed column of as many values as there are buckets. */
static void read_column(struct json_reader *r, const struct json *latencies, size_t i,
                        struct arena *arena, struct session_load *load)
{
    const char *name = usage_latency_names[i];
    struct slice bytes = json_as_base64(r, json_get(r, latencies, name), name, arena);
    struct reader column;

    if (r->failed)
        return;
    reader_init(&column, bytes);
    for (size_t k = 0; k <= METRIC_BUCKETS; k++) {
        int64_t v = packed_get(&column);
        load->latencies[i][k] = v < 0 ? 0 : v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
    }
    if (column.failed || reader_left(&column) != 0) {
        r->failed = true;
        err_set(r->err, ERR_MALFORMED, "latencies.%s: not a column of %d values", name,
                METRIC_BUCKETS + 1);
    }
}

static void read_name(struct json_reader *r, const struct json *body, const char *key,
                      char out[PRICE_NAME_MAX])
{
    struct slice text = json_get_string(r, body, key, PRICE_NAME_MAX - 1);
    if (!r->failed)
        snprintf(out, PRICE_NAME_MAX, "%.*s", (int)text.len, (const char *)text.ptr);
}

void session_load_read(struct json_reader *r, const struct json *body,
                       struct arena *arena, struct session_load *load)
{
    load->in_bytes_per_second =
        (uint64_t)json_get_int(r, body, "in_bytes_per_second", 0, BYTES_MAX);
    load->out_bytes_per_second =
        (uint64_t)json_get_int(r, body, "out_bytes_per_second", 0, BYTES_MAX);
    load->connections = (uint64_t)json_get_int(r, body, "connections", 0, INT32_MAX);
    if (json_find(body, "rates") != NULL)
        read_rates(r, json_get(r, body, "rates"), load);
    if (json_find(body, "latencies") != NULL) {
        const struct json *latencies = json_get(r, body, "latencies");
        for (size_t i = 0; i < USAGE_LATENCIES; i++)
            read_column(r, latencies, i, arena, load);
    }
    if (json_find(body, "provider") != NULL) {
        read_name(r, body, "provider", load->provider);
        read_name(r, body, "region", load->region);
    }
}

void load_sum_add(struct load_sum *sum, const struct session_load *load)
{
    sum->in_bytes_per_second += (double)load->in_bytes_per_second;
    sum->out_bytes_per_second += (double)load->out_bytes_per_second;
    sum->connections += load->connections;
    for (size_t i = 0; i < USAGE_RATES; i++)
        sum->rates[i] += load->rates[i];
    for (size_t i = 0; i < USAGE_LATENCIES; i++)
        for (size_t k = 0; k <= METRIC_BUCKETS; k++)
            sum->latencies[i][k] += load->latencies[i][k];
}
