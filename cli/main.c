/* main.c - weft, the command line for people. */
#include <stdio.h>
#include <string.h>

#include "cli/object_command.h"
#include "common/defs.h"
#include "common/version.h"

static const char usage[] =
    "usage: weft COMMAND ...\n"
    "\n"
    "  weft object ls|verify|cat FILE-OR-URL   look into an object of the store\n"
    "  weft version                            what this is\n"
    "\n"
    "`weft COMMAND --help` says more.\n";

int main(int argc, char **argv)
{
    if (argc >= 2 && strcmp(argv[1], "object") == 0)
        return object_command(argc - 1, argv + 1);
    if (argc == 2 &&
        (strcmp(argv[1], "version") == 0 || strcmp(argv[1], "--version") == 0)) {
        puts("weft " WEFT_VERSION);
        return 0;
    }
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        (void)fputs(usage, stdout);
        return 0;
    }
    if (argc >= 2)
        (void)fprintf(stderr, "weft: unknown command: %s\n", argv[1]);
    (void)fputs(usage, stderr);
    return 2;
}
