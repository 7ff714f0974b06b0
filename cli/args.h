/* args.h - a command line, parsed by the table of commands.
 *
 * Words and flags come in any order; "--" ends the flags; "-abc" is one flag with a value
 * "bc" when a takes one, else three. Types are checked here, so that what is wrong with a
 * line is said before anything is sent. Texts borrow from argv. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/command.h"
#include "common/defs.h"
#include "common/err.h"

#define ARGS_REPEAT_MAX 256 /* times that a flag is given */
#define ARGS_FLAGS_MAX  48  /* a command's own, derived and global ones */
#define ARGS_WORDS_MAX  256 /* bytes of a command's words */

struct flag_values {
    const struct flag *flag;
    size_t count;
    const char **texts; /* mem_alloc'ed array */
};

struct args {
    char words[ARGS_WORDS_MAX];    /* as far as they were understood: "topic create" */
    const struct command *command; /* NULL: words are a group or nothing */
    const char *values[COMMAND_ARGS_MAX];
    size_t value_count;
    struct flag_values flags[ARGS_FLAGS_MAX];
    size_t flag_count;
    bool help; /* --help, -h or the word help before the words */
};

/* Parse ARGV (without the program's name). On failure ERR says what is wrong and ARGS is
 * good for args_fini, and for its words and command. `weft topic` alone is no failure:
 * its command is NULL. */
int args_parse(struct args *args, int argc, char **argv, struct err *err) MUST_CHECK;
void args_fini(struct args *args);

/* The last value of flag NAME, or NULL when it was not given. */
const char *args_flag(const struct args *args, const char *name);
const struct flag_values *args_flags(const struct args *args, const char *name);
bool args_on(const struct args *args, const char *name); /* a FLAG_BOOL */
/* Argument NAME, or NULL. */
const char *args_value(const struct args *args, const char *name);

/* The number that TEXT is by a flag's or argument's TYPE (INT, SIZE, DURATION, TIME). */
int args_number(enum flag_type type, const char *text, int64_t now_ms,
                int64_t *number) MUST_CHECK;
/* "true", "yes", "1", "false", ... */
int args_bool(const char *text, bool *value) MUST_CHECK;

#endif
