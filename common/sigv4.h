/* sigv4.h - AWS Signature Version 4 in the Authorization header.
 *
 * A pure function of its inputs (the time is one of them), used by store_s3.c. libcurl
 * 7.88 has a signer too, but gets queries, removed headers and their order wrong.
 *
 * Specification: AWS, "Signature Version 4 signing process", with the rules of S3: the
 * path is encoded once, and the payload may go unsigned. */
#ifndef COMMON_SIGV4_H
#define COMMON_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/str.h"

#define SIGV4_PAIRS_MAX 16

struct sigv4_pair {
    const char *name;
    const char *value;
};

struct sigv4_input {
    const char *method;
    const char *path; /* absolute, not encoded */
    /* The query, neither encoded nor sorted. */
    const struct sigv4_pair *params;
    size_t param_count;
    /* Headers to be signed: lower-case names, values trimmed, in any order. They must
     * hold host and x-amz-content-sha256; x-amz-date is added. */
    const struct sigv4_pair *headers;
    size_t header_count;
    const char *payload_hash; /* hex SHA-256, or "UNSIGNED-PAYLOAD" */
    const char *access_key;
    const char *secret_key;
    const char *region;
    const char *service; /* "s3" */
    int64_t wall_ms;
};

struct sigv4_output {
    struct str target;        /* encoded path[?query], for the URL */
    struct str authorization; /* value of the Authorization header */
    char date[17];            /* value of x-amz-date */
};

/* Sign. OUTPUT is initialised here; the caller ends it with sigv4_fini in any case.
 * ERR_TOO_LARGE when there are too many or too long pairs. */
int sigv4_sign(const struct sigv4_input *input, struct sigv4_output *output) MUST_CHECK;
void sigv4_fini(struct sigv4_output *output);

/* Append TEXT with all but [A-Za-z0-9-._~] (and "/" where KEEP_SLASH) as %XX. */
void sigv4_encode(const char *text, bool keep_slash, struct str *out);

#endif
