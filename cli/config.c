/* config.c - see config.h. */
#include "cli/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/render.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/str.h"
#include "common/x509.h"

#define FILE_MAX_BYTES (16 * MIB)
#define PATH_MAX_BYTES 4096
#define VERSION        1
#define URL_MAX_BYTES  1024
#define TOKEN_MAX      4096
#define CA_MAX         (16 * X509_PEM_MAX)

int config_path(char **path, struct err *err)
{
    const char *given = getenv("WEFT_CONFIG");
    const char *xdg = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    struct str text;

    str_init(&text, PATH_MAX_BYTES);
    if (given != NULL && *given != '\0')
        str_puts(&text, given);
    else if (xdg != NULL && *xdg == '/')
        str_printf(&text, "%s/weft/config.json", xdg);
    else if (home != NULL && *home == '/')
        str_printf(&text, "%s/.config/weft/config.json", home);
    if (text.len == 0 || text.overflowed) {
        str_fini(&text);
        return err_set(err, ERR_NOT_FOUND,
                       "neither HOME nor XDG_CONFIG_HOME says where contexts are kept: "
                       "set one, or WEFT_CONFIG to a file");
    }
    *path = str_take(&text);
    return 0;
}

/* ---- contexts ---- */

void context_set(char **field, const char *value)
{
    char *copy = value == NULL ? NULL : mem_strdup(value);

    if (*field != NULL)
        explicit_bzero(*field, strlen(*field));
    mem_free(*field);
    *field = copy;
}

int config_clean_url(const char *url, char **clean, struct err *err)
{
    static const char scheme[] = "https://";
    size_t len = strlen(url);

    while (len > 0 && url[len - 1] == '/')
        len--;
    if (strncmp(url, scheme, strlen(scheme)) != 0 || len <= strlen(scheme) ||
        len > URL_MAX_BYTES)
        return err_set(
            err, ERR_INVALID,
            "%.100s is no address of a control plane: https://HOST:PORT of its "
            "listener for people is wanted",
            url);
    for (size_t i = strlen(scheme); i < len; i++) {
        if (url[i] <= ' ' || url[i] > '~' || strchr("/?#@\\\"", url[i]) != NULL)
            return err_set(err, ERR_INVALID,
                           "%.100s: an address is https://HOST:PORT, without a path, a "
                           "query or a user",
                           url);
    }
    *clean = mem_dup(url, len + 1);
    (*clean)[len] = '\0';
    return 0;
}

void context_clear_servers(struct context *context)
{
    while (context->server_count > 0)
        mem_free(context->servers[--context->server_count]);
}

int context_add_server(struct context *context, const char *url, struct err *err)
{
    char *clean;
    int rc = config_clean_url(url, &clean, err);

    if (rc != 0)
        return rc;
    for (size_t i = 0; i < context->server_count; i++) {
        if (strcmp(context->servers[i], clean) == 0) {
            mem_free(clean);
            return 0;
        }
    }
    if (context->server_count == CONFIG_SERVERS_MAX) {
        mem_free(clean);
        return err_set(err, ERR_TOO_LARGE, "more than %d addresses of one cell",
                       CONFIG_SERVERS_MAX);
    }
    context->servers[context->server_count++] = clean;
    return 0;
}

static void context_fini(struct context *context)
{
    context_clear_servers(context);
    context_set(&context->name, NULL);
    context_set(&context->ca_pem, NULL);
    context_set(&context->token, NULL);
    context_set(&context->cluster, NULL);
}

struct context *config_find(struct config *config, const char *name)
{
    for (size_t i = 0; i < config->context_count; i++) {
        if (strcmp(config->contexts[i].name, name) == 0)
            return &config->contexts[i];
    }
    return NULL;
}

int config_put(struct config *config, const char *name, struct context **context,
               struct err *err)
{
    size_t len = strlen(name);

    *context = config_find(config, name);
    if (*context != NULL)
        return 0;
    if (len == 0 || len > CONFIG_NAME_MAX ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                     "._:-") != len)
        return err_set(err, ERR_INVALID,
                       "%.80s: a context's name is letters, digits and ._:- , at most %d",
                       name, CONFIG_NAME_MAX);
    if (config->context_count == CONFIG_CONTEXTS_MAX)
        return err_set(err, ERR_TOO_LARGE, "there are %d contexts: remove some",
                       CONFIG_CONTEXTS_MAX);
    *context = &config->contexts[config->context_count++];
    memset(*context, 0, sizeof(**context));
    (*context)->name = mem_strdup(name);
    return 0;
}

void config_remove(struct config *config, struct context *context)
{
    size_t i = (size_t)(context - config->contexts);

    if (config->current != NULL && strcmp(config->current, context->name) == 0)
        context_set(&config->current, NULL);
    context_fini(context);
    config->context_count--;
    memmove(context, context + 1, (config->context_count - i) * sizeof(*context));
}

/* ---- reading ---- */

static void take_text(struct json_reader *r, const struct json *object, const char *key,
                      size_t max_len, char **field)
{
    const struct json *value = json_find(object, key);

    if (json_is_null(value))
        return;
    struct slice text = json_as_string(r, value, key, max_len);
    if (r->failed)
        return;
    char *copy = mem_dup(text.ptr, text.len + 1); /* jansson ends texts with a NUL */
    copy[text.len] = '\0';
    context_set(field, copy);
    explicit_bzero(copy, text.len);
    mem_free(copy);
}

static int take_context(struct config *config, const char *name, const struct json *from,
                        struct err *err)
{
    struct json_reader r = {.err = err};
    struct context *context;
    int rc = config_put(config, name, &context, err);

    if (rc != 0)
        return rc;
    const struct json *servers = json_get_array(&r, from, "servers");
    for (size_t i = 0; i < json_count(servers) && rc == 0 && !r.failed; i++) {
        struct slice url =
            json_as_string(&r, json_at(&r, servers, i), "url", URL_MAX_BYTES);
        if (!r.failed)
            rc = context_add_server(context, (const char *)url.ptr, err);
    }
    take_text(&r, from, "ca_pem", CA_MAX, &context->ca_pem);
    take_text(&r, from, "token", TOKEN_MAX, &context->token);
    take_text(&r, from, "cluster", 256, &context->cluster);
    return r.failed ? ERR_MALFORMED : rc;
}

static int take_file(struct config *config, const struct json *root, struct err *err)
{
    struct json_reader r = {.err = err};
    int64_t version = json_get_int(&r, root, "version", 1, INT64_MAX);
    const struct json *value;
    const char *name;
    void *iter = NULL;
    int rc = 0;

    if (!r.failed && version > VERSION)
        return err_set(err, ERR_UNSUPPORTED,
                       "it was written by a newer weft (version %d)",
                       (int)MIN(version, INT16_MAX));
    take_text(&r, root, "current", CONFIG_NAME_MAX, &config->current);
    const struct json *contexts = json_get(&r, root, "contexts");
    if (r.failed)
        return ERR_MALFORMED;
    while (rc == 0 && json_next(contexts, &iter, &name, &value))
        rc = take_context(config, name, value, err);
    return rc;
}

static int read_config(struct config *config, struct err *err)
{
    struct stat st;
    struct str text;
    struct json *root = NULL;

    if (stat(config->path, &st) != 0)
        return errno == ENOENT ? 0 : err_set_errno(err, errno, "%s", config->path);
    if ((st.st_mode & 077) != 0)
        return err_set(
            err, ERR_FORBIDDEN,
            "%s holds tokens, but its mode 0%03o lets others in: chmod 600 it, "
            "and think about whether the tokens are still secret",
            config->path, st.st_mode & 0777);
    str_init(&text, FILE_MAX_BYTES);
    int rc = file_read(config->path, &text, err);
    if (rc == 0)
        rc = json_parse(str_slice(&text), &root, err);
    if (rc == 0)
        rc = take_file(config, root, err);
    if (rc != 0)
        rc = err_wrap(err, rc, "%s", config->path);
    json_free(root);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    str_fini(&text);
    return rc;
}

/* The directories above PATH, made with mode 0700 when they are missing. */
static int make_directories(const char *path, struct err *err)
{
    char *copy = mem_strdup(path);
    int rc = 0;

    for (char *slash = strchr(copy + 1, '/'); slash != NULL && rc == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            rc = err_set_errno(err, errno, "%s", copy);
        *slash = '/';
    }
    mem_free(copy);
    return rc;
}

static int lock(struct config *config, struct err *err)
{
    struct str path;
    int rc = make_directories(config->path, err);

    if (rc != 0)
        return rc;
    str_init(&path, PATH_MAX_BYTES + 8);
    str_printf(&path, "%s.lock", config->path);
    config->lock_fd = open(str_cstr(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (config->lock_fd < 0 || flock(config->lock_fd, LOCK_EX) != 0)
        rc = err_set_errno(err, errno, "%s", str_cstr(&path));
    str_fini(&path);
    return rc;
}

int config_load(struct config *config, const char *path, bool change, struct err *err)
{
    int rc = 0;

    memset(config, 0, sizeof(*config));
    config->lock_fd = -1;
    config->path = mem_strdup(path);
    if (change)
        rc = lock(config, err);
    return rc == 0 ? read_config(config, err) : rc;
}

void config_fini(struct config *config)
{
    while (config->context_count > 0)
        config_remove(config, &config->contexts[config->context_count - 1]);
    context_set(&config->current, NULL);
    mem_free(config->path);
    config->path = NULL;
    if (config->lock_fd >= 0)
        close(config->lock_fd);
    config->lock_fd = -1;
}

/* ---- writing ---- */

static struct json *text_json(const char *text)
{
    return text == NULL ? json_null() : json_string(text);
}

static struct json *context_json(const struct context *context)
{
    struct json *object = json_object();
    struct json *servers = json_array();

    for (size_t i = 0; i < context->server_count; i++)
        json_push(servers, json_string(context->servers[i]));
    json_set(object, "servers", servers);
    json_set(object, "ca_pem", text_json(context->ca_pem));
    json_set(object, "token", text_json(context->token));
    json_set(object, "cluster", text_json(context->cluster));
    return object;
}

int config_save(const struct config *config, struct err *err)
{
    struct json *root = json_object();
    struct json *contexts = json_object();
    struct str text;

    for (size_t i = 0; i < config->context_count; i++)
        json_set(contexts, config->contexts[i].name, context_json(&config->contexts[i]));
    json_set(root, "version", json_int(VERSION));
    json_set(root, "current", text_json(config->current));
    json_set(root, "contexts", contexts);
    str_init(&text, FILE_MAX_BYTES);
    render_json(root, 0, &text);
    str_putc(&text, '\n');
    json_free(root);
    int rc = text.overflowed ? err_set(err, ERR_TOO_LARGE, "%s is full", config->path)
                             : make_directories(config->path, err);
    if (rc == 0)
        rc = file_replace(config->path, str_slice(&text), err);
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    str_fini(&text);
    return rc;
}
