/* setup.h - `weft setup`: what agents need to join, made by a script that nobody watches.
 */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include "cli/cli.h"

/* Wait for the control plane, make the cluster unless it is there, write the files. */
int setup_run(struct cli *cli);

#endif
