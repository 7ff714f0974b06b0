/* topic_regex.h - the regular expressions that KIP-848 members subscribe with: RE2's
 * syntax, matched in linear time.
 *
 * RE2 has no C interface and Debian packages none, so this is our own: a parser, and the
 * simulation of a nondeterministic automaton on all states at once (Thompson, Pike):
 * time is at most the size of the program times the length of the name, whatever the
 * pattern. A match is of the whole name, as in Kafka. Names of topics are ASCII, so sets
 * of characters are 128 bits: what is not ASCII in a pattern is read and matches nothing.
 *
 * Understood: literals, `.`, classes with ranges, negation, [:posix:], \d \s \w and their
 * opposites, \pL \p{Lu} \P{..} (general categories, and the scripts of topic_regex.c),
 * groups (named ones too), alternation, * + ? {n} {n,} {n,m} and their lazy forms, ^ $ \A
 * \z \b \B, flags i m s U, \Q..\E, \x41 \x{41} \101 and the usual escapes. As in RE2
 * there are no back references and no look-around. Different from RE2: only some scripts,
 * no \C; a pattern has TOPIC_REGEX_BYTES_MAX bytes and its program
 * TOPIC_REGEX_PROGRAM_MAX instructions at most.
 *
 * For whoever proposes CONSUMER_HEARTBEAT; applying sees names of topics only (I7). */
#ifndef CONTROLPLANE_TOPIC_REGEX_H
#define CONTROLPLANE_TOPIC_REGEX_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"

#define TOPIC_REGEX_BYTES_MAX   4096
#define TOPIC_REGEX_PROGRAM_MAX 4096
#define TOPIC_REGEX_DEPTH_MAX   100
#define TOPIC_REGEX_REPEAT_MAX  1000 /* of {n,m}, as in RE2 */

struct topic_regex;

/* ERR_INVALID, with a text that says what is wrong with PATTERN and where; ERR_TOO_LARGE.
 */
int topic_regex_new(struct slice pattern, struct topic_regex **regex,
                    struct err *err) MUST_CHECK;
void topic_regex_free(struct topic_regex *regex); /* NULL is fine */

/* Whether REGEX matches all of NAME. Takes what it cost off *STEPS; ERR_TOO_LARGE when
 * they do not suffice, so that one budget can bound a pattern over all topics. Not for
 * two threads at a time: REGEX holds the scratch. */
int topic_regex_match(struct topic_regex *regex, struct slice name, uint64_t *steps,
                      bool *matches) MUST_CHECK;

#endif
