/* dev.h - `weft dev`: a whole Weft on this machine, for as long as the command runs. */
#ifndef CLI_DEV_H
#define CLI_DEV_H

#include "cli/cli.h"

/* Start, say where it is, wait for Ctrl-C, stop, clean up. */
int dev_run(struct cli *cli);

#endif
