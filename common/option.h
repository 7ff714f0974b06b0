/* option.h - options from one table: file, environment, command line, --help, docs.
 *
 * A program describes its options in an option.def of rows
 *   OPTION(name, TYPE, default, "unit or placeholder", "one line of help")
 * TYPE is STRING, LIST (repeatable or comma-separated), INT, SIZE (bytes; 8MiB, 64k),
 * DURATION (milliseconds; 250ms, 10s, 1h), BOOL, SECRET (like STRING, never printed).
 * "flush-interval" is the command line's --flush-interval, the environment's
 * WEFT_FLUSH_INTERVAL and the file's `flush-interval = 250ms`. The command line wins
 * over the environment, which wins over the file. A SECRET or STRING value "@/path" is
 * read from that file; a program with an option "wait-for-files" (DURATION) waits so long
 * for each one that is not there yet, and until SIGTERM or SIGINT (ERR_CANCELLED). */
#ifndef COMMON_OPTION_H
#define COMMON_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/str.h"

enum option_type {
    OPTION_STRING,   /* char * */
    OPTION_SECRET,   /* char * */
    OPTION_LIST,     /* char *, items joined by commas */
    OPTION_INT,      /* int64_t */
    OPTION_SIZE,     /* int64_t bytes */
    OPTION_DURATION, /* int64_t milliseconds */
    OPTION_BOOL,     /* bool */
};

struct option_spec {
    const char *name;
    enum option_type type;
    size_t offset;            /* of the value in the program's struct */
    const char *default_text; /* NULL: unset */
    const char *placeholder;
    const char *help;
};

struct option_program {
    const char *name;     /* "weft-agent" */
    const char *summary;  /* one paragraph */
    const char *epilogue; /* examples, or NULL */
    const struct option_spec *specs;
    size_t spec_count;
};

enum option_outcome { OPTION_RUN, OPTION_HELP, OPTION_VERSION };

/* Fill VALUES (zeroed by the caller) from defaults, --config FILE, environment and ARGV.
 * ERR_INVALID names the option, the value and what is allowed; a misspelt option names
 * the nearest. *OUTCOME says whether --help or --version was asked (then printed). */
int option_parse(const struct option_program *program, int argc, char **argv,
                 void *values, enum option_outcome *outcome, struct err *err) MUST_CHECK;
void option_free(const struct option_program *program, void *values);
/* "name=value ..." of all options, secrets as "***", for the start-up log. */
void option_dump(const struct option_program *program, const void *values,
                 struct str *out);

int option_parse_size(const char *text, int64_t *bytes) MUST_CHECK;
int option_parse_duration(const char *text, int64_t *ms) MUST_CHECK;

#endif
