/* store_url.h - the URL that names a store: scheme://authority/path?name=value&...
 *
 * Used by store.c and the kinds of store only. A URL holds no secrets: one with a user
 * or password in it is refused, without repeating it. */
#ifndef COMMON_STORE_URL_H
#define COMMON_STORE_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/defs.h"
#include "common/err.h"

#define STORE_URL_PARAMS_MAX 8

struct store_url {
    char scheme[8];
    char authority[128]; /* bucket; "" for a directory */
    char path[1024];     /* with its leading "/", or "" */
    struct {
        char name[16];
        char value[512];
    } params[STORE_URL_PARAMS_MAX];
    size_t param_count;
};

/* Take TEXT apart; percent-escapes in path and values are decoded. ERR_INVALID with a
 * text that says what a right one looks like. */
int store_url_parse(const char *text, struct store_url *url, struct err *err) MUST_CHECK;
/* The value of parameter NAME, or NULL. */
const char *store_url_param(const struct store_url *url, const char *name);
/* ERR_INVALID when a parameter is not among ALLOWED (names separated by spaces). */
int store_url_allow(const struct store_url *url, const char *allowed,
                    struct err *err) MUST_CHECK;
/* Parameter NAME as true/false (also 1/0); FALLBACK when it is absent. */
int store_url_bool(const struct store_url *url, const char *name, bool fallback,
                   bool *value, struct err *err) MUST_CHECK;

#endif
