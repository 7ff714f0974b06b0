/* store_s3_config.c - an s3:// URL and the environment, checked; see store_s3.h. */
#include "common/store_s3.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"

#define CA_MAX_BYTES (4 * MIB)

static bool copy(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len >= size)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

static bool all_of(const char *text, const char *allowed)
{
    return text[strspn(text, allowed)] == '\0';
}

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

static int take_bucket(const struct store_url *url, struct s3_config *config,
                       struct err *err)
{
    const char *path = url->path + (url->path[0] == '/');
    size_t len = strlen(path);
    while (len > 0 && path[len - 1] == '/')
        len--;
    /* S3's own rule; "_" and capitals lived once, and do on other servers. */
    if (!all_of(url->authority, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS ".-_") ||
        strlen(url->authority) < 3 ||
        !copy(config->bucket, sizeof(config->bucket), url->authority))
        return err_set(err, ERR_INVALID,
                       "s3:// needs a bucket of 3 to 63 letters, digits, \".\" and "
                       "\"-\": s3://BUCKET/PREFIX");
    if (len == 0)
        return 0;
    if (len >= sizeof(config->prefix) - 1)
        return err_set(err, ERR_INVALID, "the prefix of the store URL is too long");
    memcpy(config->prefix, path, len);
    config->prefix[len] = '\0';
    if (store_check_key(config->prefix, NULL) != 0)
        return err_set(err, ERR_INVALID,
                       "the prefix of the store URL must be parts of [A-Za-z0-9._-] "
                       "with \"/\" between them");
    config->prefix[len] = '/';
    config->prefix[len + 1] = '\0';
    return 0;
}

static const char *first_set(char *(*env)(const char *name), const char *a, const char *b)
{
    const char *value = env(a);
    if (value == NULL || *value == '\0')
        value = env(b);
    return value != NULL && *value != '\0' ? value : NULL;
}

static int take_region(const struct store_url *url, const char *endpoint,
                       char *(*env)(const char *name), struct s3_config *config,
                       struct err *err)
{
    const char *region = store_url_param(url, "region");
    if (region == NULL)
        region = first_set(env, "AWS_REGION", "AWS_DEFAULT_REGION");
    if (region == NULL && endpoint != NULL)
        region = "us-east-1"; /* what other servers take for granted */
    if (region == NULL)
        return err_set(err, ERR_INVALID,
                       "the store URL needs the bucket's region: s3://%s?region=REGION, "
                       "or set AWS_REGION",
                       config->bucket);
    if (*region == '\0' || !all_of(region, LOWER DIGITS "-") ||
        !copy(config->region, sizeof(config->region), region))
        return err_set(err, ERR_INVALID, "\"%.40s\" is not a region's name", region);
    return 0;
}

/* ENDPOINT is http[s]://HOST[:PORT][/]. */
static int take_endpoint(const char *endpoint, struct s3_config *config, struct err *err)
{
    bool https = strncasecmp(endpoint, "https://", 8) == 0;
    bool http = strncasecmp(endpoint, "http://", 7) == 0;
    const char *host = endpoint + (https ? 8 : 7);
    if (!https && !http)
        goto bad;
    size_t len = strcspn(host, "/?#");
    const char *standard = https ? ":443" : ":80";
    if (len == 0 || strchr(host, '@') != NULL ||
        (host[len] != '\0' && strcmp(host + len, "/") != 0) ||
        strspn(host, LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS ".-:[]_") != len)
        goto bad;
    size_t tail = strlen(standard);
    if (len > tail && memcmp(host + len - tail, standard, tail) == 0)
        len -= tail; /* curl leaves it out of the Host header, so it is not signed */
    int n = config->path_style
                ? snprintf(config->host, sizeof(config->host), "%.*s", (int)len, host)
                : snprintf(config->host, sizeof(config->host), "%s.%.*s", config->bucket,
                           (int)len, host);
    if (n < 0 || (size_t)n >= sizeof(config->host))
        goto bad;
    n = snprintf(config->base, sizeof(config->base), "%s://%s", https ? "https" : "http",
                 config->host);
    if (n > 0 && (size_t)n < sizeof(config->base))
        return 0;
bad:
    return err_set(err, ERR_INVALID,
                   "the store's endpoint must be http://HOST[:PORT] or "
                   "https://HOST[:PORT], without a path");
}

static int take_ca(const char *path, struct s3_config *config, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(err, ERR_INVALID, "cannot open the store's ca_file %s: %s", path,
                       strerror(errno));
    char *pem = mem_alloc(CA_MAX_BYTES);
    size_t len = fread(pem, 1, CA_MAX_BYTES, file);
    fclose(file);
    if (len == 0 || len == CA_MAX_BYTES ||
        memmem(pem, len, "BEGIN CERTIFICATE", strlen("BEGIN CERTIFICATE")) == NULL) {
        mem_free(pem);
        return err_set(err, ERR_INVALID, "the store's ca_file %s holds no certificate",
                       path);
    }
    pem[len] = '\0';
    config->ca_pem = mem_strdup(pem);
    mem_free(pem);
    return 0;
}

int s3_config_init(const struct store_options *options, const struct store_url *url,
                   char *(*env)(const char *name), struct s3_config *config,
                   struct err *err)
{
    char aws[128];
    memset(config, 0, sizeof(*config));
    config->budget = options->budget;
    int code = store_url_allow(url, "region endpoint path_style ca_file", err);
    if (code == 0)
        code = take_bucket(url, config, err);
    const char *endpoint = store_url_param(url, "endpoint");
    if (endpoint == NULL)
        endpoint = first_set(env, "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL");
    if (code == 0)
        code = take_region(url, endpoint, env, config, err);
    /* AWS's certificates do not cover bucket names with dots. */
    bool path_style = endpoint != NULL || strchr(config->bucket, '.') != NULL;
    if (code == 0)
        code = store_url_bool(url, "path_style", path_style, &config->path_style, err);
    if (code == 0 && endpoint == NULL) {
        snprintf(aws, sizeof(aws), "https://s3.%s.amazonaws.com%s", config->region,
                 strncmp(config->region, "cn-", 3) == 0 ? ".cn" : "");
        endpoint = aws;
    }
    if (code == 0)
        code = take_endpoint(endpoint, config, err);
    if (code == 0)
        code = credentials_configure(options->access_key, options->secret_key,
                                     options->session_token, config->region, env,
                                     &config->credentials, err);
    const char *ca_file = store_url_param(url, "ca_file");
    if (code == 0 && ca_file != NULL)
        code = take_ca(ca_file, config, err);
    if (code != 0)
        s3_config_fini(config);
    return code;
}

void s3_config_fini(struct s3_config *config)
{
    mem_free(config->ca_pem);
    config->ca_pem = NULL;
    credentials_config_fini(&config->credentials);
}

/* --- answers --- */

static bool is_any(const char *code, const char *const *codes)
{
    for (; *codes != NULL; codes++)
        if (strcmp(code, *codes) == 0)
            return true;
    return false;
}

/* 400, 401 and 403: most are final; some say that our keys or clock are stale. */
static enum s3_remedy judge_refusal(int status, const struct s3_error *answer,
                                    struct err *err)
{
    static const char *const stale[] = {"ExpiredToken",
                                        "ExpiredTokenException",
                                        "InvalidToken",
                                        "TokenRefreshRequired",
                                        "InvalidAccessKeyId",
                                        "RequestExpired",
                                        NULL};
    static const char *const again[] = {"RequestTimeout", "SlowDown", "Throttling",
                                        "RequestLimitExceeded", NULL};
    const char *code = answer->code;
    int number = status == 400   ? ERR_INVALID
                 : status == 401 ? ERR_UNAUTHENTICATED
                                 : ERR_FORBIDDEN;
    if (strcmp(code, "AuthorizationHeaderMalformed") == 0 && answer->region[0] != '\0') {
        err_set(err, ERR_INVALID,
                "the bucket is in another region: add region=%s to the store URL",
                answer->region);
        return S3_GIVE_UP;
    }
    if (is_any(code, stale) || strcmp(code, "SignatureDoesNotMatch") == 0)
        number = ERR_UNAUTHENTICATED;
    err_set(err, number, "the object store refuses (%d%s%s)%s%s", status,
            *code != '\0' ? " " : "", code, answer->message[0] != '\0' ? ": " : "",
            answer->message);
    if (strcmp(code, "RequestTimeTooSkewed") == 0)
        return S3_ADJUST_CLOCK;
    if (is_any(code, again))
        return S3_RETRY_LATER;
    /* The answer to a HEAD has no document to tell. */
    if (is_any(code, stale) || (status != 400 && *code == '\0'))
        return S3_NEW_KEYS;
    return S3_GIVE_UP;
}

enum s3_remedy s3_judge(enum store_kind kind, const char *key, int status,
                        const struct s3_error *answer, struct err *err)
{
    switch (status) {
    case 400:
    case 401:
    case 403:
        return judge_refusal(status, answer, err);
    case 404:
        /* A reader must not take a wrong bucket for a missing object. */
        if (strcmp(answer->code, "NoSuchBucket") == 0 ||
            (kind != STORE_GET && kind != STORE_HEAD))
            err_set(err, ERR_INVALID, "the bucket does not exist: make it first");
        else
            err_set(err, ERR_NOT_FOUND, "there is no object %s", key);
        return S3_GIVE_UP;
    case 301:
    case 307:
    case 308:
        err_set(err, ERR_INVALID,
                "the bucket is elsewhere (%d %s): check region and endpoint of the "
                "store URL",
                status, answer->region);
        return S3_GIVE_UP;
    case 416:
        err_set(err, ERR_INVALID, "the range is outside of object %s", key);
        return S3_GIVE_UP;
    case 501:
        err_set(err, ERR_UNSUPPORTED, "the object store lacks what we need (%s)%s",
                answer->code, kind == STORE_PUT ? ": PUT with If-None-Match" : "");
        return S3_GIVE_UP;
    case 409: /* ConditionalRequestConflict: S3 asks to send a PUT again */
    case 408:
    case 500:
    case 502:
    case 504:
        err_set(err, status == 408 || status == 504 ? ERR_TIMEOUT : ERR_UNAVAILABLE,
                "the object store answers %d %s", status, answer->code);
        return S3_RETRY_LATER;
    case 429:
    case 503:
        err_set(err, ERR_OVERLOADED, "the object store answers %d %s", status,
                answer->code);
        return S3_RETRY_LATER;
    default:
        err_set(err, status >= 500 ? ERR_UNAVAILABLE : ERR_INTERNAL,
                "the object store answers %d %s, which is not expected", status,
                answer->code);
        return status >= 500 ? S3_RETRY_LATER : S3_GIVE_UP;
    }
}
