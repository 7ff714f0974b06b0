/* uuid.h - 16-byte identifiers: clusters, topics, agents, objects.
 *
 * In JSON, logs and paths they are 8-4-4-4-12 lower-case hex. The zero uuid means
 * "none", as in Kafka. */
#ifndef COMMON_UUID_H
#define COMMON_UUID_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"

struct uuid {
    uint8_t bytes[16];
};

#define UUID_TEXT_LEN 36
#define UUID_ZERO     ((struct uuid){{0}})

/* Random (version 4), from the system's generator. */
struct uuid uuid_random(void);
bool uuid_is_zero(const struct uuid *uuid);
bool uuid_eq(const struct uuid *a, const struct uuid *b);
int uuid_cmp(const struct uuid *a, const struct uuid *b);
/* Write 36 characters and a NUL; returns TEXT. */
char *uuid_print(const struct uuid *uuid, char text[UUID_TEXT_LEN + 1]);
/* Returns 0 or ERR_MALFORMED. Accepts upper case. */
int uuid_parse(struct slice text, struct uuid *uuid) MUST_CHECK;

#endif
