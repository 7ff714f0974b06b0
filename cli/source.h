/* source.h - the bytes of one object, from or to a file or a store, for the command line.
 */
#ifndef CLI_SOURCE_H
#define CLI_SOURCE_H

#include <stdbool.h>
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
/* Give up what was read so far: slices of it are not valid any more. */
void source_forget(struct source *source);

/* Does WHERE name an object of a store, s3://...? */
bool source_is_store(const char *where);
/* Is WHERE, s3://..., a URL that source_put can take? Nothing is sent. */
int source_check_store(const char *where, struct err *err) MUST_CHECK;
/* Put BYTES where the s3:// URL says; ERR_EXISTS when something else is there. */
int source_put(const char *where, struct slice bytes, struct err *err) MUST_CHECK;

#endif
