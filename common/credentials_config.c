/* credentials_config.c - which source of keys is configured; see credentials.h. */
#include "common/credentials.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "common/str.h"

#define ECS_ENDPOINT  "http://169.254.170.2"
#define IMDS_ENDPOINT "http://169.254.169.254"
#define URL_MAX_BYTES (4 * KIB)

/* An environment variable that is set to nothing counts as not set. */
static const char *lookup(char *(*env)(const char *name), const char *name)
{
    const char *value = env(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

static char *dup_or_null(const char *text)
{
    return text != NULL ? mem_strdup(text) : NULL;
}

static bool copy(char *out, size_t size, const char *text)
{
    size_t len = text != NULL ? strlen(text) : 0;
    if (len >= size)
        return false;
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
    return true;
}

static int use_static(const char *access_key, const char *secret_key,
                      const char *session_token, const char *origin,
                      struct credentials_config *config, struct err *err)
{
    if (access_key == NULL || secret_key == NULL)
        return err_set(err, ERR_INVALID,
                       "%s: access key and secret key must be given together", origin);
    struct aws_keys *keys = mem_zalloc(sizeof(*keys));
    keys->expires_at_ms = INT64_MAX;
    if (!copy(keys->access_key, sizeof(keys->access_key), access_key) ||
        !copy(keys->secret_key, sizeof(keys->secret_key), secret_key) ||
        !copy(keys->session_token, sizeof(keys->session_token), session_token)) {
        explicit_bzero(keys, sizeof(*keys));
        mem_free(keys);
        return err_set(err, ERR_INVALID, "%s: the keys are too long", origin);
    }
    config->source = CREDENTIALS_STATIC;
    config->keys = keys;
    return 0;
}

static int use_web_identity(const char *token_file, char *(*env)(const char *name),
                            const char *region, struct credentials_config *config,
                            struct err *err)
{
    const char *role = lookup(env, "AWS_ROLE_ARN");
    const char *session = lookup(env, "AWS_ROLE_SESSION_NAME");
    const char *endpoint = lookup(env, "AWS_ENDPOINT_URL_STS");
    struct str url;
    if (role == NULL)
        return err_set(err, ERR_INVALID,
                       "AWS_WEB_IDENTITY_TOKEN_FILE is set, so AWS_ROLE_ARN must be too");
    str_init(&url, URL_MAX_BYTES);
    if (endpoint != NULL)
        str_puts(&url, endpoint);
    else
        str_printf(&url, "https://sts.%s.amazonaws.com%s", region,
                   strncmp(region, "cn-", 3) == 0 ? ".cn" : "");
    config->source = CREDENTIALS_WEB_IDENTITY;
    config->url = str_take(&url);
    config->token_file = mem_strdup(token_file);
    config->role_arn = mem_strdup(role);
    config->session_name = mem_strdup(session != NULL ? session : "weft");
    return 0;
}

/* The token goes to this host in the clear: only to the machine itself and to the two
 * addresses where AWS runs the service, as AWS's tools have it; else over TLS. */
static bool may_be_plain(const char *url)
{
    static const char *const hosts[] = {"127.0.0.1",      "localhost",
                                        "[::1]",          "169.254.170.2",
                                        "169.254.170.23", "[fd00:ec2::23]"};
    const char *host = url + strlen("http://");
    size_t len = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    if (memchr(host, '@', strcspn(host, "/?#")) != NULL)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
        if (strlen(hosts[i]) == len && strncasecmp(host, hosts[i], len) == 0)
            return true;
    return false;
}

static int use_container(const char *full, const char *relative,
                         char *(*env)(const char *name),
                         struct credentials_config *config, struct err *err)
{
    struct str url;
    str_init(&url, URL_MAX_BYTES);
    if (relative != NULL)
        str_printf(&url, "%s%s", ECS_ENDPOINT, relative);
    else
        str_puts(&url, full);
    bool https = strncmp(str_cstr(&url), "https://", 8) == 0;
    bool http = strncmp(str_cstr(&url), "http://", 7) == 0;
    if (url.overflowed || (!https && !(http && may_be_plain(str_cstr(&url))))) {
        str_fini(&url);
        return err_set(err, ERR_INVALID,
                       "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https://, or http:// "
                       "to this machine or AWS's own addresses");
    }
    config->source = CREDENTIALS_CONTAINER;
    config->url = str_take(&url);
    config->token_file =
        dup_or_null(lookup(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
    config->token = dup_or_null(lookup(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN"));
    return 0;
}

static int use_instance(char *(*env)(const char *name), struct credentials_config *config,
                        struct err *err)
{
    const char *disabled = lookup(env, "AWS_EC2_METADATA_DISABLED");
    const char *endpoint = lookup(env, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (disabled != NULL && strcasecmp(disabled, "true") == 0)
        return err_set(err, ERR_INVALID,
                       "there are no AWS keys: set AWS_ACCESS_KEY_ID and "
                       "AWS_SECRET_ACCESS_KEY, or give the process a role");
    config->source = CREDENTIALS_INSTANCE;
    config->url = mem_strdup(endpoint != NULL ? endpoint : IMDS_ENDPOINT);
    size_t len = strlen(config->url);
    if (config->url[len - 1] == '/')
        config->url[len - 1] = '\0';
    return 0;
}

int credentials_configure(const char *access_key, const char *secret_key,
                          const char *session_token, const char *region,
                          char *(*env)(const char *name),
                          struct credentials_config *config, struct err *err)
{
    const char *env_access = lookup(env, "AWS_ACCESS_KEY_ID");
    const char *env_secret = lookup(env, "AWS_SECRET_ACCESS_KEY");
    const char *identity = lookup(env, "AWS_WEB_IDENTITY_TOKEN_FILE");
    const char *full = lookup(env, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    const char *relative = lookup(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");

    memset(config, 0, sizeof(*config));
    if (access_key != NULL || secret_key != NULL)
        return use_static(access_key, secret_key, session_token, "the options", config,
                          err);
    if (env_access != NULL || env_secret != NULL)
        return use_static(env_access, env_secret, lookup(env, "AWS_SESSION_TOKEN"),
                          "the environment", config, err);
    if (identity != NULL)
        return use_web_identity(identity, env, region, config, err);
    if (full != NULL || relative != NULL)
        return use_container(full, relative, env, config, err);
    return use_instance(env, config, err);
}

static void wipe(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
    mem_free(text);
}

void credentials_config_fini(struct credentials_config *config)
{
    if (config->keys != NULL)
        explicit_bzero(config->keys, sizeof(*config->keys));
    mem_free(config->keys);
    mem_free(config->url);
    mem_free(config->token_file);
    wipe(config->token);
    mem_free(config->role_arn);
    mem_free(config->session_name);
    memset(config, 0, sizeof(*config));
}
