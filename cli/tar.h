/* tar.h - a tar archive in memory (POSIX.1-2001, ustar), of small files. */
#ifndef CLI_TAR_H
#define CLI_TAR_H

#include <stdint.h>

#include "common/slice.h"
#include "common/str.h"

/* Names are relative, with "/"; longer ones are cut. */
#define TAR_NAME_MAX 99

void tar_add(struct str *tar, const char *name, struct slice bytes, int64_t mtime_s);
void tar_end(struct str *tar);

#endif
