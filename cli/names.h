/* names.h - from what people type to the ids of the API, and the names to complete. */
#ifndef CLI_NAMES_H
#define CLI_NAMES_H

#include "cli/cli.h"

/* The id that TEXT, a name, an id or the unique beginning of one (4 characters at least),
 * stands for; an exit code. *ID is mem_alloc'ed. */
int names_resolve(struct cli *cli, enum names names, const char *text, char **id);
/* Call VISIT with every name of the kind and a word about it (or ""); nothing is said of
 * failures: completion must stay silent. */
void names_each(struct cli *cli, enum names names,
                void (*visit)(const char *name, const char *about, void *arg), void *arg);
/* "cluster", "agent" ... */
const char *names_noun(enum names names);

#endif
