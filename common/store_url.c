/* store_url.c - see store_url.h. */
#include "common/store_url.h"

#include <string.h>

static const char usage[] = "write file:///DIRECTORY or "
                            "s3://BUCKET/PREFIX?region=REGION[&endpoint=URL]";

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Percent-decode TEXT[0..LEN) into OUT of SIZE; false when it does not fit, an escape is
 * broken, or a control character would come out. */
static bool decode(const char *text, size_t len, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c == '%') {
            int high = i + 2 < len ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < len ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = (unsigned char)(high * 16 + low);
            i += 2;
        }
        if (c < 0x20 || c == 0x7f || n + 1 >= size)
            return false;
        out[n++] = (char)c;
    }
    out[n] = '\0';
    return true;
}

static int parse_param(const char *text, size_t len, struct store_url *url,
                       struct err *err)
{
    if (url->param_count == STORE_URL_PARAMS_MAX)
        return err_set(err, ERR_INVALID, "the store URL has more than %d parameters",
                       STORE_URL_PARAMS_MAX);
    const char *equals = memchr(text, '=', len);
    size_t name_len = equals != NULL ? (size_t)(equals - text) : len;
    size_t i = url->param_count;
    char *name = url->params[i].name;
    if (equals == NULL || name_len == 0 ||
        !decode(text, name_len, name, sizeof(url->params[i].name)))
        return err_set(err, ERR_INVALID,
                       "the store URL's parameter \"%.*s\" is not NAME=VALUE",
                       (int)MIN(name_len, 40), text);
    if (store_url_param(url, name) != NULL)
        return err_set(err, ERR_INVALID, "the store URL has \"%s\" twice", name);
    if (!decode(equals + 1, len - name_len - 1, url->params[i].value,
                sizeof(url->params[i].value)))
        return err_set(err, ERR_INVALID,
                       "the value of \"%s\" in the store URL is too long or has a "
                       "broken %%-escape",
                       name);
    url->param_count++;
    return 0;
}

static int parse_query(const char *query, struct store_url *url, struct err *err)
{
    while (*query != '\0') {
        size_t len = strcspn(query, "&");
        int code = parse_param(query, len, url, err);
        if (code != 0)
            return code;
        query += len + (query[len] == '&');
    }
    return 0;
}

int store_url_parse(const char *text, struct store_url *url, struct err *err)
{
    struct store_url u;
    memset(&u, 0, sizeof(u));
    const char *colon = text != NULL ? strstr(text, "://") : NULL;
    if (colon == NULL || colon == text || (size_t)(colon - text) >= sizeof(u.scheme))
        return err_set(err, ERR_INVALID, "this is not a store URL: %s", usage);
    memcpy(u.scheme, text, (size_t)(colon - text));
    const char *authority = colon + 3;
    size_t authority_len = strcspn(authority, "/?#");
    if (memchr(authority, '@', authority_len) != NULL)
        return err_set(err, ERR_INVALID,
                       "keys do not belong into the store URL: give them as options or "
                       "in the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)");
    if (!decode(authority, authority_len, u.authority, sizeof(u.authority)))
        return err_set(err, ERR_INVALID, "the store URL's bucket is too long: %s", usage);
    const char *path = authority + authority_len;
    size_t path_len = strcspn(path, "?#");
    if (path[path_len] == '#')
        return err_set(err, ERR_INVALID, "a store URL has no \"#\": write %%23");
    if (!decode(path, path_len, u.path, sizeof(u.path)))
        return err_set(err, ERR_INVALID,
                       "the store URL's path is too long or has a broken %%-escape");
    int code = path[path_len] == '?' ? parse_query(path + path_len + 1, &u, err) : 0;
    if (code == 0)
        *url = u;
    return code;
}

const char *store_url_param(const struct store_url *url, const char *name)
{
    for (size_t i = 0; i < url->param_count; i++)
        if (strcmp(url->params[i].name, name) == 0)
            return url->params[i].value;
    return NULL;
}

static bool has_word(const char *words, const char *word)
{
    size_t len = strlen(word);
    for (const char *p = words; *p != '\0';) {
        size_t n = strcspn(p, " ");
        if (n == len && memcmp(p, word, n) == 0)
            return true;
        p += n + (p[n] == ' ');
    }
    return false;
}

int store_url_allow(const struct store_url *url, const char *allowed, struct err *err)
{
    for (size_t i = 0; i < url->param_count; i++)
        if (!has_word(allowed, url->params[i].name))
            return err_set(err, ERR_INVALID,
                           "the store URL has the unknown parameter \"%s\"; %s:// knows: "
                           "%s",
                           url->params[i].name, url->scheme,
                           *allowed != '\0' ? allowed : "none");
    return 0;
}

int store_url_bool(const struct store_url *url, const char *name, bool fallback,
                   bool *value, struct err *err)
{
    const char *text = store_url_param(url, name);
    if (text == NULL)
        *value = fallback;
    else if (strcmp(text, "true") == 0 || strcmp(text, "1") == 0)
        *value = true;
    else if (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)
        *value = false;
    else
        return err_set(err, ERR_INVALID,
                       "the store URL's \"%s\" must be true or false, not \"%s\"", name,
                       text);
    return 0;
}
