/* complete.h - completion for bash and zsh, out of the table of commands.
 *
 * `weft completion bash|zsh` prints a script, which asks `weft __complete WORDS...` (the
 * words of the line so far, the last being the one to complete, perhaps empty) for
 * candidates: a line each, "candidate" or "candidate<TAB>explanation". The line ":file"
 * asks the shell for names of files. Names of clusters, topics and so on come from the
 * API, quietly and with a short timeout. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/cli.h"

#define COMPLETE_WORD "__complete"

/* Print the candidates for the last of ARGV. Always exit code 0. */
int complete_run(struct cli *cli, int argc, char **argv);
/* `weft completion SHELL` */
int complete_script(struct cli *cli);

#endif
