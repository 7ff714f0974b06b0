/* batch_builder.h - make record batches for tests, as a producer would. */
#ifndef TESTS_LIB_BATCH_BUILDER_H
#define TESTS_LIB_BATCH_BUILDER_H

#include <stddef.h>
#include <stdint.h>

#include "common/slice.h"
#include "common/str.h"

struct built_header {
    const char *key;
    const char *value; /* NULL: null */
};

struct built_record {
    const char *key, *value; /* NULL: null */
    int64_t timestamp_ms;
    const struct built_header *headers;
    size_t header_count;
};

struct built_batch {
    int64_t base_offset;
    int64_t producer_id; /* 0 stands for "none"; use -1 or a positive number otherwise */
    int32_t base_sequence;
    int16_t producer_epoch;
    int16_t attributes; /* codec in the low three bits: lz.h */
    const struct built_record *records;
    size_t record_count;
    const int32_t *offset_deltas; /* NULL: 0, 1, 2, ... */
};

/* Append the batch to OUT, its checksum right. Aborts if it cannot be made. */
void batch_build(const struct built_batch *batch, struct str *out);

/* The checksum anew, after a test has changed bytes of the batch. */
void batch_seal(uint8_t *batch);

#endif
