/* dir_sync.h - making names durable. A file that was synced and renamed is still lost by
 * a power cut until its directory is synced too. Blocking; any thread. errno is that of
 * what failed. (wal.c holds its directory open and syncs that.) */
#ifndef COMMON_DIR_SYNC_H
#define COMMON_DIR_SYNC_H

#include "common/defs.h"
#include "common/err.h"

/* The directory DIR. */
int dir_sync(const char *dir, struct err *err) MUST_CHECK;
/* The directory that PATH lies in. */
int dir_sync_of(const char *path, struct err *err) MUST_CHECK;

#endif
