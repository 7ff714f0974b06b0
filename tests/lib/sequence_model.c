/* sequence_model.c - see sequence_model.h. */
#include "tests/lib/sequence_model.h"

#include <string.h>

int32_t model_sequence(int32_t sequence, int64_t n)
{
    return (int32_t)(((int64_t)sequence + n) % ((int64_t)INT32_MAX + 1));
}

/* Kafka's ProducerAppendInfo, in the order of its checks; *DUPLICATE -1 or which. */
int16_t model_judge(const struct model_producer *p, int16_t epoch, int32_t first,
                    int32_t last, int *duplicate)
{
    *duplicate = -1;
    if (!p->known)
        return 0;
    for (int i = 0; i < p->count && epoch == p->epoch; i++) {
        if (p->batches[i].first == first && p->batches[i].last == last) {
            *duplicate = i;
            return 0;
        }
    }
    if (epoch < p->epoch)
        return 47;
    if (epoch > p->epoch)
        return first == 0 ? 0 : 45;
    return first == model_sequence(p->batches[p->count - 1].last, 1) ? 0 : 45;
}

void model_record(struct model_producer *p, int16_t epoch, int32_t first, int32_t last,
                  int64_t offset, int64_t timestamp, int64_t now_ms)
{
    if (!p->known || p->epoch != epoch)
        p->count = 0;
    if (p->count == 5) {
        memmove(p->batches, p->batches + 1, 4 * sizeof(p->batches[0]));
        p->count = 4;
    }
    p->known = true;
    p->epoch = epoch;
    p->used_at_ms = now_ms;
    p->batches[p->count].first = first;
    p->batches[p->count].last = last;
    p->batches[p->count].offset = offset;
    p->batches[p->count++].timestamp = timestamp;
}
