/* small_file.h - files that are written whole or not at all, also over a crash: keys,
 * certificates, the node's identity. Any thread. */
#ifndef CONTROLPLANE_SMALL_FILE_H
#define CONTROLPLANE_SMALL_FILE_H

#include <stdbool.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/str.h"

#define SMALL_FILE_MAX (256 * KIB)

/* Replace DIR/NAME by a file of BYTES and MODE. */
int small_file_write(const char *dir, const char *name, struct slice bytes, unsigned mode,
                     struct err *err) MUST_CHECK;
/* The same, but ERR_EXISTS when it is there. */
int small_file_create(const char *dir, const char *name, struct slice bytes,
                      unsigned mode, struct err *err) MUST_CHECK;
/* Append the bytes of DIR/NAME, up to what OUT takes; ERR_NOT_FOUND without one. SECRET:
 * ERR_FORBIDDEN when others may read it. DIR NULL: NAME is the whole path (in all). */
int small_file_read(const char *dir, const char *name, bool secret, struct str *out,
                    struct err *err) MUST_CHECK;

#endif
