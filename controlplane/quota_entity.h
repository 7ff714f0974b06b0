/* quota_entity.h - what a client quota is for, as bytes that can be a name: its parts in
 * order of their types, so that an entity has one form only. */
#ifndef CONTROLPLANE_QUOTA_ENTITY_H
#define CONTROLPLANE_QUOTA_ENTITY_H

#include <stdint.h>

#include "common/defs.h"
#include "common/str.h"
#include "proto/command.h"

#define QUOTA_ENTITY_MAX (COMMAND_ENTITY_MAX * (2 * COMMAND_NAME_MAX + 8))
#define QUOTA_VALUE_TEXT 32 /* room for a double's text */

/* Append PARTS, which are sorted. */
void quota_entity_write(const struct quota_part *parts, uint32_t count, struct str *out);
/* Back into PARTS, which borrow from BYTES; their number, or 0 for bytes that are none.
 */
uint32_t quota_entity_read(struct slice bytes,
                           struct quota_part parts[COMMAND_ENTITY_MAX]) MUST_CHECK;

#endif
