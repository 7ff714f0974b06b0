/* kafka_error.c - names and texts of Kafka's error codes. */
#include "proto/kafka_error.h"

#include <stddef.h>

struct row {
    const char *name;
    const char *text;
    bool retriable;
};

/* Indexed by number + 1: the first is -1. */
static const struct row rows[] = {
#define KAFKA_ERROR(number, name, retriable, text)                                       \
    [(number) + 1] = {#name, text, retriable},
#include "proto/kafka_error.def"
#undef KAFKA_ERROR
};

static const struct row *find(int16_t code)
{
    size_t i = code < -1 ? 0 : (size_t)(code + 1);
    return &rows[i < sizeof(rows) / sizeof(rows[0]) ? i : 0];
}

const char *kafka_error_name(int16_t code)
{
    return find(code)->name;
}

const char *kafka_error_text(int16_t code)
{
    return find(code)->text;
}

bool kafka_error_retriable(int16_t code)
{
    return find(code)->retriable;
}
