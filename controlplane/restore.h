/* restore.h - a new cell out of a backup: the old cell's state and authorities, a new
 * cell id, and one node, this one.
 *
 * The old cell's nodes cannot join or disturb it: its id is another. Agents of the old
 * one go on with it when they find it at their --control-plane addresses. */
#ifndef CONTROLPLANE_RESTORE_H
#define CONTROLPLANE_RESTORE_H

#include <stdbool.h>

#include "common/defs.h"
#include "common/err.h"
#include "controlplane/cell.h"

/* Make CELL (whose key and trust are there, whose data directory is empty) the only node
 * of a new cell from options->restore, and write its identity: a member, ready to start.
 */
int restore_cell(const struct control_options *options,
                 const struct cell_addresses *addresses, struct cell_self *cell,
                 struct err *err) MUST_CHECK;

/* A restore into DIR was begun, and not seen to end (a file says so, until it has). */
bool restore_begun(const char *dir);
/* It was interrupted: remove what it left, so that it can be begun again. */
int restore_clear(const char *dir, struct err *err) MUST_CHECK;
/* It has ended: the identity is there. */
int restore_ended(const char *dir, struct err *err) MUST_CHECK;

#endif
