/* enrolment.h - what agents join by: a cluster of a name, and a file with a token of it.
 *
 * For `weft dev` and `weft setup`, which do this without being asked for the pieces; a
 * person does it by `weft cluster create` and `weft token enrolment create`. Both may be
 * repeated. They call by cli->rest, say what is wrong, and return the exit code. */
#ifndef CLI_ENROLMENT_H
#define CLI_ENROLMENT_H

#include <stdint.h>

#include "cli/cli.h"

#define ENROLMENT_ID_ROOM 64

/* The id of the cluster NAME, which is made unless it is there. */
int enrolment_cluster(struct cli *cli, const char *name,
                      char id[ENROLMENT_ID_ROOM]) MUST_CHECK;
/* Put a new token of the cluster ID, good for many agents and TTL_MS, into the file PATH,
 * mode 0600. MADE_BY names it in lists of tokens. */
int enrolment_token(struct cli *cli, const char *id, const char *made_by, int64_t ttl_ms,
                    const char *path) MUST_CHECK;

#endif
