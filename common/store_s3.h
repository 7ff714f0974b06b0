/* store_s3.h - the s3:// kind of store, over any server that speaks S3's REST API.
 *
 *   s3://BUCKET[/PREFIX]?region=REGION&endpoint=URL&path_style=true|false&ca_file=FILE
 *
 * region      default: AWS_REGION, AWS_DEFAULT_REGION, "us-east-1" with an endpoint
 * endpoint    http[s]://HOST[:PORT]; default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, AWS
 * path_style  https://host/bucket/key in place of https://bucket.host/key; default: true
 *             with an endpoint, or for a bucket whose name holds a "."
 * ca_file     certificates to trust, PEM, in place of the system's
 *
 * Reached through store_open only. Keys (credentials.h) are not part of the URL. */
#ifndef COMMON_STORE_S3_H
#define COMMON_STORE_S3_H

#include "common/credentials.h"
#include "common/s3_answer.h"
#include "common/store_ops.h"

/* What the URL says; made once per store (store_s3_config.c). */
struct s3_config {
    char bucket[64];
    char prefix[514]; /* "" or "some/prefix/" */
    char region[32];
    char base[320];  /* "https://host:port": put before the path */
    char host[300];  /* the Host header: without the scheme's own port */
    bool path_style; /* the bucket is the first part of the path */
    char *ca_pem;    /* or NULL */
    struct credentials_config credentials;
    struct budget *budget;
};

/* ENV is getenv or a test's stand-in. */
int s3_config_init(const struct store_options *options, const struct store_url *url,
                   char *(*env)(const char *name), struct s3_config *config,
                   struct err *err) MUST_CHECK;
void s3_config_fini(struct s3_config *config);

/* What an answer that is not a success means. */
enum s3_remedy {
    S3_GIVE_UP,
    S3_RETRY_LATER,  /* the store's backoff */
    S3_NEW_KEYS,     /* the keys have expired or are not known (any more) */
    S3_ADJUST_CLOCK, /* our clock is off: sign with the server's */
};
/* Fill ERR from STATUS and the answer's document; KIND and KEY say what was asked. */
enum s3_remedy s3_judge(enum store_kind kind, const char *key, int status,
                        const struct s3_error *answer, struct err *err);

#endif
