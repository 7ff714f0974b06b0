/* produce_asks.h - make produce asks with batches that bear a number, for tests of the
 * produce path's parts. */
#ifndef TESTS_LIB_PRODUCE_ASKS_H
#define TESTS_LIB_PRODUCE_ASKS_H

#include <stddef.h>
#include <stdint.h>

#include "agent/produces.h"

#define MADE_PARTS_MAX 8

struct made_ask {
    struct produce_ask ask;
    struct produce_part parts[MADE_PARTS_MAX];
    size_t part_count;
    int answered; /* counted by whoever takes the reply */
};

/* PARTS batches of LEN bytes (at least 69), 3 records each, of topic 1, partitions
 * 0, 1...; no producer. The frame is the ask's until made_ask_free. */
struct made_ask *make_ask(size_t parts, size_t len, int64_t deadline_at_ms);
void made_ask_free(struct made_ask *made);
/* Topic id that ends in N. */
struct uuid made_topic(uint8_t n);
/* A reply function that counts: struct ask * -> made_ask. */
void count_reply(struct ask *ask, void *arg);

#endif
