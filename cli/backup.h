/* backup.h - `weft backup create`, `verify`, `fetch` and `record`. */
#ifndef CLI_BACKUP_H
#define CLI_BACKUP_H

#include "cli/cli.h"

int backup_create(struct cli *cli);
int backup_verify(struct cli *cli);
int backup_fetch(struct cli *cli);
int backup_record(struct cli *cli);

#endif
