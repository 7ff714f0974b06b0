/* sequence_model.h - Kafka's rules for the sequences of idempotent producers, written
 * down naively: what the state's own, faster, is compared with. */
#ifndef TESTS_LIB_SEQUENCE_MODEL_H
#define TESTS_LIB_SEQUENCE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

/* What Kafka remembers of a producer in a partition, kept without cleverness. */
struct model_producer {
    bool known;
    int16_t epoch;
    int64_t used_at_ms;
    int count;
    struct {
        int32_t first, last;
        int64_t offset, timestamp;
    } batches[5]; /* oldest first */
};

/* SEQUENCE and N further: wraps from 2^31 - 1 to 0. */
int32_t model_sequence(int32_t sequence, int64_t n);
/* ProducerAppendInfo, in the order of its checks; *DUPLICATE -1 or which. */
int16_t model_judge(const struct model_producer *p, int16_t epoch, int32_t first,
                    int32_t last, int *duplicate);
void model_record(struct model_producer *p, int16_t epoch, int32_t first, int32_t last,
                  int64_t offset, int64_t timestamp, int64_t now_ms);

#endif
