/* main.c - weft, the command line for people. */
#include <signal.h>
#include <unistd.h>

#include "cli/cli.h"
#include "common/defs.h"

static void end(int signum)
{
    _exit(128 + signum);
}

/* The first process of a container is not ended by a signal that it has no handler for.
 * Commands that have something to do before replace these. */
static void be_ended_by_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    const struct sigaction action = {.sa_handler = end};

    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        (void)sigaction(signals[i], &action, NULL);
}

int main(int argc, char **argv)
{
    if (getpid() == 1)
        be_ended_by_signals();
    return cli_main(argc - 1, argv + 1);
}
