/* config.h - the contexts of one person, in $XDG_CONFIG_HOME/weft/config.json.
 *
 *   {"version": 1, "current": "prod", "contexts": {"prod": {"servers": ["https://..."],
 *    "ca_pem": "...", "token": "...", "cluster": "orders"}}}
 *
 * The file holds tokens: it is written with mode 0600, whole, over a temporary file, and
 * refused when others may read or write it. Members that this version does not know are
 * dropped when it is written; a file of a higher version is refused. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/err.h"

#define CONFIG_CONTEXTS_MAX 256
#define CONFIG_SERVERS_MAX  16
#define CONFIG_NAME_MAX     64

struct context {
    char *name;
    char *servers[CONFIG_SERVERS_MAX]; /* https://host:port, without a "/" at the end */
    size_t server_count;
    char *ca_pem;  /* or NULL: the system's certificates */
    char *token;   /* or NULL: logged out */
    char *cluster; /* name or id; or NULL */
};

struct config {
    char *path;
    char *current; /* a name, or NULL */
    struct context contexts[CONFIG_CONTEXTS_MAX];
    size_t context_count;
    int lock_fd; /* -1 but between config_load for a change and config_fini */
};

/* Where the file is: WEFT_CONFIG, else $XDG_CONFIG_HOME or ~/.config. The caller frees it
 * with mem_free. ERR_NOT_FOUND without a home. */
int config_path(char **path, struct err *err) MUST_CHECK;
/* Read PATH (copied). No file: no contexts. CHANGE: keep others from changing it until
 * config_fini. ERR_FORBIDDEN when its mode is too open. CONFIG is good for config_fini in
 * any case. */
int config_load(struct config *config, const char *path, bool change,
                struct err *err) MUST_CHECK;
int config_save(const struct config *config, struct err *err) MUST_CHECK;
void config_fini(struct config *config);

/* By name, or NULL. */
struct context *config_find(struct config *config, const char *name);
/* The context NAME, made empty when there is none. ERR_INVALID for a bad name. */
int config_put(struct config *config, const char *name, struct context **context,
               struct err *err) MUST_CHECK;
void config_remove(struct config *config, struct context *context);

/* Setters copy; NULL clears. */
void context_set(char **field, const char *value);
void context_clear_servers(struct context *context);
/* ERR_INVALID for what is no https:// URL of host and port; a "/" at the end is cut. */
int context_add_server(struct context *context, const char *url,
                       struct err *err) MUST_CHECK;

/* URL as the servers of a context are kept; the caller frees it with mem_free. */
int config_clean_url(const char *url, char **clean, struct err *err) MUST_CHECK;

#endif
