/* source.h - the bytes of one object, from a file or a store, for the command line. */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"

struct source;

/* WHERE is a path, file:///path, or s3://bucket/key?region=...&endpoint=... */
int source_open(const char *where, struct source **source, struct err *err) MUST_CHECK;
void source_close(struct source *source);
uint64_t source_size(const struct source *source);
/* LEN bytes at OFFSET, borrowed until source_close. ERR_MALFORMED past the end. */
int source_read(struct source *source, uint64_t offset, uint64_t len, struct slice *bytes,
                struct err *err) MUST_CHECK;

#endif
