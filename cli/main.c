/* main.c - weft, the command line for people. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
    return cli_main(argc - 1, argv + 1);
}
