/* snapshot_store.h - snapshot files out of the database that is in use: for a backup, or
 * for a node that is too far behind. Any thread.
 *
 * The database is copied through a read connection of its own, which sees one moment
 * while the saver writes on; then the copy is packed (proto/snapshot_file.h). The file
 * for other nodes is kept for a while, so that several can take it and a fetch that broke
 * off can go on. */
#ifndef CONTROLPLANE_SNAPSHOT_STORE_H
#define CONTROLPLANE_SNAPSHOT_STORE_H

#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/uuid.h"
#include "controlplane/checkpoint.h"
#include "controlplane/peers.h"
#include "proto/snapshot_file.h"

struct snapshot_store;

/* Of DIR/state.db; what a former process left of such files goes. */
struct snapshot_store *snapshot_store_new(const char *dir, const struct uuid *cell_id);
/* The feature level that files say from now on; 1 before. */
void snapshot_store_set_level(struct snapshot_store *store, uint32_t level);
/* Whatever is being made ends soon, with ERR_CANCELLED. */
void snapshot_store_cancel(struct snapshot_store *store);
void snapshot_store_free(struct snapshot_store *store); /* nobody uses it any more */

/* Make PATH, at RATE_BYTES a second (0: no limit). INFO says what is in it. */
int snapshot_store_make(struct snapshot_store *store, const char *path,
                        uint64_t rate_bytes, struct snapshot_info *info,
                        struct err *err) MUST_CHECK;
/* peers_options.open_snapshot and close_snapshot. */
int snapshot_store_open(struct snapshot_store *store, uint64_t index, uint64_t file_index,
                        int64_t created_at_ms, struct peers_file *file,
                        struct err *err) MUST_CHECK;
void snapshot_store_close(struct snapshot_store *store, struct peers_file *file);
/* Now and then: a file that nobody took for a while goes. */
void snapshot_store_sweep(struct snapshot_store *store, int64_t now_ms);

/* Nobody may copy the database while its file is replaced. */
void snapshot_store_lock(struct snapshot_store *store);
void snapshot_store_unlock(struct snapshot_store *store);

/* What the database PATH says of itself. The configuration goes to BYTES, which META
 * borrows. */
int snapshot_read_meta(const char *path, struct checkpoint_meta *meta, struct str *bytes,
                       struct err *err) MUST_CHECK;

#endif
