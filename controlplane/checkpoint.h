/* checkpoint.h - the state as rows of the database, and back.
 *
 * A checkpoint collects what changed since the last one into a delta; the core thread
 * does nothing but copy, a thread of its own writes (saver.h). After a restart
 * checkpoint_load() makes the state of the last delta that was written, and the log is
 * replayed from there.
 *
 * A delta is the state of one moment, however much has changed: checkpoint_begin() only
 * marks the rows, in constant time; checkpoint_step() copies so many of them; and a row
 * that is about to change before its turn is copied first (apply_touch). So no pause
 * depends on how many rows are dirty. */
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

/* Begin the checkpoint of this moment, with META. DELTA is written to, also from within
 * state_apply, until checkpoint_step() said that it is complete. */
void checkpoint_begin(struct state *state, const struct checkpoint_meta *meta,
                      struct str *delta);
/* Copy about ROWS_MAX rows more; true when the delta is complete. */
bool checkpoint_step(struct state *state, uint32_t rows_max) MUST_CHECK;
/* Both at once. The caller must see that a delta gets into the database before the next
 * one does. */
void checkpoint_collect(struct state *state, const struct checkpoint_meta *meta,
                        struct str *delta);
/* How many rows would be collected now. */
uint64_t checkpoint_pending(const struct state *state);

/* Fill the empty STATE and META from DB; a new database has index 0 and a zero cell id.
 * The configuration goes to BYTES, which META borrows. ERR_DAMAGED when rows contradict
 * each other. */
int checkpoint_load(struct state *state, struct db *db, struct checkpoint_meta *meta,
                    struct str *bytes, struct err *err) MUST_CHECK;

/* ---- for apply_*.c ---- */

/* Copy ROW, which waits for it, into the delta under way: it is about to change. */
void checkpoint_copy_row(struct state *state, struct row *row);

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
void checkpoint_delete_group(const struct group *group, struct str *delta);
void checkpoint_delete_member(const struct group_member *member, struct str *delta);
void checkpoint_delete_group_topic(const struct group_topic *group_topic,
                                   struct str *delta);
void checkpoint_delete_reply(const struct reply *reply, struct str *delta);
void checkpoint_delete_setting(const struct setting_set *set, struct str *delta);

#endif
