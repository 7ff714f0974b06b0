/* redact.h - text without secrets, before it leaves this machine in a debug bundle.
 *
 * What is taken out, and "***" in its place:
 *   - secrets that are known (this run's token, what the environment holds);
 *   - Weft's tokens, AWS access keys, private keys in PEM, user and password of URLs,
 *     credentials of HTTP's Authorization;
 *   - the value of whatever is named like a secret ("store-secret-key=", "password":,
 *     "X-Amz-Signature=", "--enrolment-token VALUE").
 * It takes too much rather than too little, and leaves JSON and logfmt readable. */
#ifndef CLI_REDACT_H
#define CLI_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slice.h"
#include "common/str.h"

#define REDACT_KNOWN_MAX 64

struct redact {
    struct slice known[REDACT_KNOWN_MAX]; /* borrowed */
    size_t known_count;
    size_t taken; /* how many secrets were found so far */
};

/* SECRET is taken out wherever it stands; short ones would take words apart and are not
 * kept. */
void redact_know(struct redact *redact, const char *secret);
/* All values of the environment whose names are those of secrets. */
void redact_know_environment(struct redact *redact, char **environment);
/* TEXT without its secrets, appended to OUT. */
void redact_text(struct redact *redact, struct slice text, struct str *out);
/* Would a value of this name be a secret? */
bool redact_is_secret_name(struct slice name);

/* Is LINE one of Weft's own log, logfmt or JSON? Anything else may hold anything. */
bool redact_is_log_line(struct slice line);

#endif
