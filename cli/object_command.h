/* object_command.h - `weft object ls|verify|cat`: look into an object of the store. */
#ifndef CLI_OBJECT_COMMAND_H
#define CLI_OBJECT_COMMAND_H

#include "cli/cli.h"

int object_ls(struct cli *cli);
int object_verify(struct cli *cli);
int object_cat(struct cli *cli);

#endif
