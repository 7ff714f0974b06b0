/* checkpoint.h - the state as rows of the database, and back.
 *
 * A checkpoint collects what changed since the last one into a delta; the core thread
 * does nothing but copy (that is the pause), a thread of its own writes (saver.h). After
 * a restart checkpoint_load() makes the state of the last delta that was written, and the
 * log is replayed from there. */
#ifndef CONTROLPLANE_CHECKPOINT_H
#define CONTROLPLANE_CHECKPOINT_H

#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/db.h"
#include "controlplane/replica.h"
#include "controlplane/replies.h"
#include "controlplane/state.h"

/* What a checkpoint says of the node besides the state. */
struct checkpoint_meta {
    struct uuid cell_id;
    struct replica_position position;
};

/* Append all rows that changed since the last call, and META, to DELTA. The caller must
 * see that it gets into the database before the next delta does. */
void checkpoint_collect(struct state *state, const struct checkpoint_meta *meta,
                        struct str *delta);
/* How many rows would be collected now. */
uint64_t checkpoint_pending(const struct state *state);

/* Fill the empty STATE and META from DB; a new database has index 0 and a zero cell id.
 * The configuration goes to BYTES, which META borrows. ERR_DAMAGED when rows contradict
 * each other. */
int checkpoint_load(struct state *state, struct db *db, struct checkpoint_meta *meta,
                    struct str *bytes, struct err *err) MUST_CHECK;

/* ---- for apply_*.c: rows that go ---- */

void checkpoint_delete_topic(const struct topic *topic, struct str *delta);
void checkpoint_delete_agent(const struct agent_info *agent, struct str *delta);
void checkpoint_delete_token(const struct token *token, struct str *delta);
void checkpoint_delete_user(const struct user *user, struct str *delta);
void checkpoint_delete_cluster(const struct cluster *cluster, struct str *delta);
void checkpoint_delete_object(const struct stored_object *object, struct str *delta);
void checkpoint_delete_node(const struct cell_node *node, struct str *delta);
void checkpoint_delete_ca(const struct cell_ca *ca, struct str *delta);
void checkpoint_delete_backup(const struct backup_info *backup, struct str *delta);
void checkpoint_delete_usage_day(const struct usage_day *day, struct str *delta);
void checkpoint_delete_usage_source(const struct usage_source *source, struct str *delta);
void checkpoint_delete_audit(const struct audit_entry *entry, struct str *delta);
void checkpoint_delete_reply(const struct reply *reply, struct str *delta);

#endif
