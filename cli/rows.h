/* rows.h - the tables of command_*.c, one for each kind of thing; words NULL at the end.
 */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "cli/command.h"

extern const struct command login_rows[];
extern const struct command cluster_rows[];
extern const struct command agent_rows[];
extern const struct command topic_rows[];
extern const struct command group_rows[];
extern const struct command token_rows[];
extern const struct command user_rows[];
extern const struct command usage_rows[];
extern const struct command cell_rows[];
extern const struct command backup_rows[];
extern const struct command object_rows[];
extern const struct command debug_rows[];
extern const struct command other_rows[];

#endif
