/* cli.h - one run of `weft`: what was asked, with which context, and how it is answered.
 *
 * Standard output is for answers only; notes, progress, questions and errors go to
 * standard error. Functions that return an exit code (cli_exit) have said what is wrong
 * when it is not 0. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/args.h"
#include "cli/command.h"
#include "cli/config.h"
#include "cli/rest.h"
#include "common/defs.h"
#include "common/json.h"
#include "common/str.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_YAML };

struct cli {
    struct args args;
    struct config config;
    struct context *context; /* of cli_context; NULL before and without one */
    struct rest *rest;       /* of cli_connect */
    enum output output;
    bool quiet, verbose;
    size_t width;       /* of the terminal that standard output is; 0: it is none */
    bool interactive;   /* a person can be asked */
    int64_t now_ms;     /* wall clock at the start */
    int64_t timeout_ms; /* of a call, when --timeout does not say */
    char *cluster_id;   /* of cli_cluster */
    char *cluster_name; /* as it was asked for */
};

void cli_init(struct cli *cli);
void cli_fini(struct cli *cli);

/* "weft topic create: TEXT" on standard error. */
void cli_error(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A line on standard error, unless --quiet. */
void cli_note(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Say ERR (of code CODE) and return its exit code. */
int cli_fail(const struct cli *cli, int code, const struct err *err);
/* Ask QUESTION; true for "y" or "yes", and with --yes. Without a person: false, said. */
bool cli_confirm(const struct cli *cli, const char *question);

/* Read the config file and choose the context, once. It is no error that there is none.
 */
int cli_context(struct cli *cli);
/* Make ready to call: servers, CA and token of flags, environment, context. */
int cli_connect(struct cli *cli);
/* The id of the cluster that --cluster, WEFT_CLUSTER or the context names, or the one
 * that the token is for. */
int cli_cluster(struct cli *cli, const char **id);
/* Is a cluster named by --cluster, an argument, WEFT_CLUSTER or the context? */
bool cli_names_cluster(const struct cli *cli);
/* The value of a FLAG_SECRET's TEXT: "@FILE", "-", or itself, in the place of what was in
 * SECRET (NULL at first). The caller ends it with context_set(&secret, NULL). */
int cli_secret(const struct cli *cli, const char *text, char **secret);

/* Say what is wrong when rest_send returned CODE, 0 included; the exit code. */
int cli_explain(const struct cli *cli, int code, const struct rest_answer *answer,
                const struct err *err);
/* rest_send, and say what is wrong. */
int cli_send(struct cli *cli, const struct rest_request *request,
             struct rest_answer *answer);
/* A GET of PATH, likewise. */
int cli_get(struct cli *cli, const char *path, struct rest_answer *answer);
/* Is ITEMS, of an answer, what a list has? */
int cli_check_list(const struct cli *cli, const struct json *items);
/* All items of a list, page by page, until VISIT returns other than 0, which is the
 * result then. PATH may have a query. */
int cli_each(struct cli *cli, const char *path,
             int (*visit)(const struct json *item, void *arg), void *arg);

/* What a row says: resolve names, ask, call, show, wait. */
int cli_call(struct cli *cli);
/* Parse ARGV (without the program's name), run it, clean up; the exit code. */
int cli_main(int argc, char **argv);

#endif
