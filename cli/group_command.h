/* group_command.h - `weft group describe` and `reset-offsets`: what a row cannot say. */
#ifndef CLI_GROUP_COMMAND_H
#define CLI_GROUP_COMMAND_H

#include "cli/cli.h"

int group_describe(struct cli *cli);
int group_reset_offsets(struct cli *cli);

/* Append what stands for group ID in a path of the API, before escaping: itself; or, with
 * a '/' or a '~' in front, '~' and its bytes in hex. */
void group_path_name(const char *id, struct str *out);
/* Lines "TOPIC,PARTITION,OFFSET" of TEXT onto LIST, as the API wants them. ERR_INVALID
 * names the line. Empty lines do not count. */
int group_read_offsets(const char *text, struct json *list, struct err *err) MUST_CHECK;

#endif
