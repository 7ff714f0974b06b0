/* help.h - --help at each level, out of the table of commands. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "cli/command.h"

/* The whole program, a group ("topic"), or a command ("topic create"). WIDTH: columns. */
void help_print(const char *words, size_t width, FILE *out);
/* "usage: weft topic create NAME [flags]" */
void help_usage(const struct command *command, FILE *out);

#endif
