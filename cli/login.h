/* login.h - `weft login`, `weft logout` and `weft context`: which cell, trusted by what.
 */
#ifndef CLI_LOGIN_H
#define CLI_LOGIN_H

#include "cli/cli.h"

int login_run(struct cli *cli);
int logout_run(struct cli *cli);
int context_list(struct cli *cli);
int context_show(struct cli *cli);
int context_use(struct cli *cli);
int context_change(struct cli *cli);
int context_drop(struct cli *cli);

/* Find in PEM, a chain of certificates, the one whose SHA-256 is FINGERPRINT (hex digits;
 * colons, blanks and case do not matter), and append it to OUT. ERR_NOT_FOUND when there
 * is none; FIRST is then the fingerprint of the first. ERR_INVALID for a bad FINGERPRINT;
 * NULL matches nothing. */
int login_pick_ca(struct slice pem, const char *fingerprint, char first[65],
                  struct str *out, struct err *err) MUST_CHECK;

#endif
