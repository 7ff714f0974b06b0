/* credentials.h - the AWS keys that requests are signed with, wherever they come from.
 *
 * The first of these that is configured is used, as with AWS's own tools:
 *   1. keys given as options
 *   2. AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
 *   3. AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN: STS AssumeRoleWithWebIdentity (EKS
 *      "IRSA"; AWS_ROLE_SESSION_NAME and AWS_ENDPOINT_URL_STS are honoured)
 *   4. AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI with
 *      AWS_CONTAINER_AUTHORIZATION_TOKEN(_FILE) (EKS Pod Identity, ECS)
 *   5. the EC2 instance metadata service, version 2 (unless AWS_EC2_METADATA_DISABLED;
 *      AWS_EC2_METADATA_SERVICE_ENDPOINT is honoured)
 *
 * A struct credentials belongs to one loop's thread: each store worker has its own.
 * Keys that expire are fetched anew, in the background, from five minutes before; as
 * long as the old ones are valid they are handed out, even if that fails. Nothing is
 * asked for while nobody asks us. No secret ever appears in an error or log line. */
#ifndef COMMON_CREDENTIALS_H
#define COMMON_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/http_client.h"
#include "common/list.h"

struct aws_keys {
    char access_key[128];
    char secret_key[128];
    char session_token[8192]; /* "": none */
    int64_t expires_at_ms;    /* wall clock; INT64_MAX: never */
};

enum credentials_source {
    CREDENTIALS_STATIC,
    CREDENTIALS_WEB_IDENTITY,
    CREDENTIALS_CONTAINER,
    CREDENTIALS_INSTANCE,
};

/* Where keys come from; decided once, before any thread runs. */
struct credentials_config {
    enum credentials_source source;
    struct aws_keys *keys; /* STATIC */
    char *url;             /* the STS, container or metadata endpoint */
    char *token_file;      /* WEB_IDENTITY; CONTAINER: may be NULL */
    char *token;           /* CONTAINER: value of the Authorization header, or NULL */
    char *role_arn;        /* WEB_IDENTITY */
    char *session_name;    /* WEB_IDENTITY */
};

/* Decide. The first three may be NULL; ENV is getenv or a test's stand-in. Returns 0,
 * or ERR_INVALID with a text that names what is missing or refused. */
int credentials_configure(const char *access_key, const char *secret_key,
                          const char *session_token, const char *region,
                          char *(*env)(const char *name),
                          struct credentials_config *config, struct err *err) MUST_CHECK;
void credentials_config_fini(struct credentials_config *config);

struct credentials;

/* CONFIG must outlive it. HTTP is the loop's client. */
struct credentials *credentials_new(const struct credentials_config *config,
                                    struct http_client *http);
void credentials_free(struct credentials *credentials); /* no one may be waiting */

/* Somebody who wants keys; embedded in his own struct. READY is called once, with keys
 * that are valid during the call, or NULL and ERR; perhaps from inside credentials_get.
 */
struct credentials_waiter {
    struct list_node node;
    void (*ready)(struct credentials_waiter *waiter, const struct aws_keys *keys,
                  const struct err *err);
};
void credentials_get(struct credentials *credentials, struct credentials_waiter *waiter);
void credentials_cancel(struct credentials_waiter *waiter);

/* The service refused ACCESS_KEY: fetch others with the next get. False if that would
 * bring no others: static keys, or these were fetched a moment ago. */
bool credentials_refused(struct credentials *credentials, const char *access_key);

/* For tests: the parts that decide. */

/* When keys fetched at FETCHED_AT_MS are to be renewed: five minutes before their end,
 * earlier by JITTER in [0, 1) of a minute; at half of a life shorter than ten. */
int64_t credentials_renew_at_ms(int64_t fetched_at_ms, int64_t expires_at_ms,
                                double jitter);
/* The answers of the metadata services (JSON) and of STS (XML). */
int credentials_parse_json(struct slice body, struct aws_keys *keys,
                           struct err *err) MUST_CHECK;
int credentials_parse_sts(struct slice body, struct aws_keys *keys,
                          struct err *err) MUST_CHECK;

#endif
