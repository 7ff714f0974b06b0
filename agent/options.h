/* options.h - the agent's options as a struct, made of option.def. */
#ifndef AGENT_OPTIONS_H
#define AGENT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/option.h"

/* The C type of each type of option. */
#define OPTION_C_STRING   char *
#define OPTION_C_SECRET   char *
#define OPTION_C_LIST     char *
#define OPTION_C_INT      int64_t
#define OPTION_C_SIZE     int64_t
#define OPTION_C_DURATION int64_t
#define OPTION_C_BOOL     bool

/* Of --memory: what a few chunks of objects and the requests on their way need. */
#define MEMORY_LEAST (64 * MIB)

struct agent_options {
#define OPTION(field, name, type, value, placeholder, help) OPTION_C_##type field;
#include "agent/option.def"
#undef OPTION
};

extern const struct option_program agent_program;

/* What option_parse cannot see: required ones, ranges. ERR_INVALID says what to do. */
int agent_options_check(const struct agent_options *options, struct err *err) MUST_CHECK;

#endif
