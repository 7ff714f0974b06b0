/* rest.h - calls of the control plane's REST API, one at a time, tried until one counts.
 *
 * A call goes to the node that led last, else to the servers in turn. 421 is followed to
 * the leader that it names, 503 and 429 (some times) wait as Retry-After says, nodes that
 * do not answer are passed over; all until the timeout. Every POST carries an
 * Idempotency-Key of its own that its repeats share, so that nothing is done twice. A
 * DELETE whose first answer was lost may find 404 when it is repeated: that counts as
 * done.
 *
 * TLS is verified against the context's CA (or the system's); a redirect leads only to
 * servers that the same CA vouches for. */
#ifndef CLI_REST_H
#define CLI_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/json.h"
#include "common/slice.h"
#include "common/str.h"

struct rest;

struct rest_options { /* all copied */
    const char *const *servers;
    size_t server_count;
    const char *ca_pem; /* NULL: the system's certificates */
    const char *token;  /* NULL: none is sent */
    int64_t timeout_ms; /* of a call with its repeats */
    bool verbose;       /* a line for each try, without secrets */
    bool verify_none;   /* to look at a CA before it is trusted; never with a token */
    bool patient;       /* say on standard error that it is still trying */
};

struct rest_request {
    const char *method;
    const char *path; /* with its query; begins with "/" */
    const struct json *body;
    const char *if_match; /* "\"42\"", or NULL */
    /* As in http_client.h: for answers that are too large to hold. After the first piece
     * nothing is tried again. */
    int (*on_body)(struct slice bytes, void *arg);
    void *arg;
};

struct rest_answer {
    int status;        /* of HTTP; 0: there was none */
    struct json *body; /* when it was JSON; NULL else */
    struct str text;   /* when it was not */
    char etag[80];
    /* of a refusal (RFC 9457), "" when not told; made fit for a terminal */
    char code[64], title[256], detail[2048];
    char server[1024]; /* who answered */
    bool untrusted;    /* its certificate is not of the CA that we know */
};

struct rest *rest_new(const struct rest_options *options);
void rest_free(struct rest *rest);

/* 0 for a status below 300, with the answer. Else an ERR_* whose text says what was
 * wrong, and what to do about it: of status 400 and above the one of err.def that has it.
 * ANSWER is good for rest_answer_fini in any case. */
int rest_send(struct rest *rest, const struct rest_request *request,
              struct rest_answer *answer, struct err *err) MUST_CHECK;
void rest_answer_fini(struct rest_answer *answer);
/* The text FIELD of VALUE, a part of an answer's body, or null; lives as long as that. */
struct slice rest_text(const struct json *value, const char *field);

/* One GET of one server without any repeat. */
int rest_probe(struct rest *rest, const char *server, const char *path,
               struct rest_answer *answer, struct err *err) MUST_CHECK;

/* The exit code (cli_exit) for what rest_send returned. */
int rest_exit(int code);

#endif
