/* s3_answer.h - what S3 answers, taken apart: lists, errors, dates.
 *
 * Pure functions over bytes from the network, for store_s3.c and credentials.c; fuzzed
 * by tests/fuzz/fuzz_s3xml.c. */
#ifndef COMMON_S3_ANSWER_H
#define COMMON_S3_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"

#define S3_LIST_MAX 1000 /* keys in one answer */
#define S3_KEY_MAX  1024 /* bytes of a key, S3's limit */

/* An answer to ListObjectsV2 that was asked for with encoding-type=url. */
struct s3_list {
    struct s3_entry {
        char *key; /* with the prefix */
        uint64_t size;
        int64_t modified_ms;
    } * entries;
    size_t count;
    bool truncated;
};

/* Returns 0 and LIST, which the caller frees, or ERR_MALFORMED / ERR_TOO_LARGE. */
int s3_list_parse(struct slice body, struct s3_list *list, struct err *err) MUST_CHECK;
void s3_list_free(struct s3_list *list);

/* The <Error> document; what is missing or too long is "". */
struct s3_error {
    char code[64];     /* "NoSuchKey" */
    char message[160]; /* printable ASCII only */
    char region[32];   /* where the bucket is, for a request to the wrong region */
};
void s3_error_parse(struct slice body, struct s3_error *error);

/* The value of the first element NAME of depth 1 to 4 in BODY; false if there is none
 * or it does not fit. For the few fields of an STS answer. */
bool s3_find_text(struct slice body, const char *name, char *out, size_t size) MUST_CHECK;

/* "2026-01-02T03:04:05.678Z" (fraction optional) and "Fri, 02 Jan 2026 03:04:05 GMT". */
int s3_parse_time(const char *text, int64_t *wall_ms) MUST_CHECK;
int s3_parse_http_date(const char *text, int64_t *wall_ms) MUST_CHECK;

/* The value of header NAME among "Name: value\r\n" lines; false if there is none or it
 * does not fit. */
bool s3_header(struct slice headers, const char *name, char *out, size_t size) MUST_CHECK;

#endif
