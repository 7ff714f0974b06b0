/* command_debug.c - rows: what helps to find a fault. */
#include "cli/bundle.h"
#include "cli/rows.h"

const struct command debug_rows[] = {
    {
        .words = "debug bundle",
        .summary = "Collect states, versions, metrics and logs into one file, without "
                   "secrets",
        .details =
            "Of the cell: what the token may see, and of each node its metrics and last "
            "log lines (those for operators only). Of agents: --agent with the address "
            "of --admin-listen; an agent shows its log only to who asks from its own "
            "machine, so run it there, or through `kubectl port-forward`, or give what "
            "was kept of the log to --logs. Tokens, keys, passwords and what is named "
            "like them are replaced by ***, lines of files that are not Weft's log are "
            "left out; records are in none of it. manifest.json in the file says what "
            "is in it and what could not be had.",
        .examples = "weft debug bundle\n"
                    "weft debug bundle fault.tar.gz --agent http://127.0.0.1:9093\n"
                    "weft debug bundle --logs agent.log,controlplane.log",
        .args = {{.name = "file",
                  .help = "what to write; default: weft-debug-TIME.tar.gz here",
                  .place = PLACE_LOCAL,
                  .names = NAMES_FILE,
                  .optional = true}},
        .flags = {{.name = "agent",
                   .type = FLAG_LIST,
                   .place = PLACE_LOCAL,
                   .placeholder = "URL",
                   .help = "also this agent; repeatable"},
                  {.name = "logs",
                   .type = FLAG_LIST,
                   .place = PLACE_LOCAL,
                   .placeholder = "FILE",
                   .help = "also this log file; repeatable",
                   .names = NAMES_FILE}},
        .run = bundle_run,
    },
    {.words = NULL},
};
