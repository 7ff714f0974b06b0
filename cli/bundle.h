/* bundle.h - `weft debug bundle`: what helps to find a fault, in one file to hand on.
 *
 * States of what the token may see, versions, metrics and logs of control planes, of
 * agents and of files that are given, without secrets (redact.h), and with a manifest of
 * what is in it and what could not be had. Payload is in none of these. */
#ifndef CLI_BUNDLE_H
#define CLI_BUNDLE_H

struct cli;

int bundle_run(struct cli *cli);

#endif
