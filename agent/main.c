/* main.c - weft-agent: read the options, run the agent. */
#include <stdio.h>

#include "agent/agent.h"
#include "agent/options.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/str.h"

#define DUMP_MAX (16 * KIB)

static int prepare(struct agent_options *options, struct err *err)
{
    enum log_level level;
    enum log_format format;
    int rc = agent_options_check(options, err);
    if (rc != 0)
        return rc;
    if (log_parse_level(options->log_level, &level) != 0)
        return err_set(err, ERR_INVALID,
                       "--log-level is %s: it must be debug, info, warn or error",
                       options->log_level);
    if (log_parse_format(options->log_format, &format) != 0)
        return err_set(err, ERR_INVALID, "--log-format is %s: it must be logfmt or json",
                       options->log_format);
    log_set_level(level);
    log_set_format(format);
    return 0;
}

static void log_options(const struct agent_options *options)
{
    struct str text;
    str_init(&text, DUMP_MAX);
    option_dump(&agent_program, options, &text);
    log_info("agent", "starting", "%s", str_cstr(&text));
    str_fini(&text);
}

int main(int argc, char **argv)
{
    struct agent_options options = {0};
    enum option_outcome outcome;
    struct err err = {0};

    mem_return_large();
    int rc = option_parse(&agent_program, argc, argv, &options, &outcome, &err);
    if (rc == 0 && outcome != OPTION_RUN)
        return 0;
    if (rc == 0)
        rc = prepare(&options, &err);
    if (rc != 0) {
        fprintf(stderr, "weft-agent: %s\n", err.text);
        return 2;
    }
    log_options(&options);
    int status = agent_run(&options);
    option_free(&agent_program, &options);
    return status;
}
