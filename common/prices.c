/* prices.c - see prices.h. The table is read once into rows; a cell asks for a few. */
#include "common/prices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/embed.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/store_url.h"

#define FILE_MAX_MIB 1
#define ROWS_MAX     4096
#define MILLION      1e6
#define PRICE_MAX    1e9 /* dollars a million requests, or a GiB and month */

EMBED(prices, "monitoring/prices.json");

struct row {
    struct price price;
    bool is_default; /* of its provider */
};

struct prices {
    struct row *rows;
    size_t count;
};

static void take_text(struct json_reader *r, const struct json *object, const char *key,
                      char *out, size_t size)
{
    struct slice text = json_get_string(r, object, key, size - 1);
    if (!r->failed)
        snprintf(out, size, "%.*s", (int)text.len, (const char *)text.ptr);
}

static void read_region(struct json_reader *r, const struct json *value,
                        struct price *price)
{
    for (size_t i = 0; i <= STORE_DELETE; i++)
        price->request[i] =
            json_get_number(r, value, store_kind_names[i], 0, PRICE_MAX) / MILLION;
    price->gib_month = json_get_number(r, value, "gib_month", 0, PRICE_MAX);
}

/* One provider with its regions. */
static void read_provider(struct json_reader *r, const char *name,
                          const struct json *value, struct prices *prices)
{
    struct price price = {.as_of = ""};
    char fallback[PRICE_NAME_MAX] = "";
    const char *region;
    const struct json *of_region;
    void *iter = NULL;
    bool found = false;

    snprintf(price.provider, sizeof(price.provider), "%s", name);
    take_text(r, value, "as_of", price.as_of, sizeof(price.as_of));
    take_text(r, value, "source", price.source, sizeof(price.source));
    take_text(r, value, "default_region", fallback, sizeof(fallback));
    const struct json *regions = json_get(r, value, "regions");
    while (!r->failed && json_next(regions, &iter, &region, &of_region)) {
        struct row *row = &prices->rows[prices->count];
        if (prices->count == ROWS_MAX || strlen(region) >= sizeof(price.region)) {
            r->failed = true;
            err_set(r->err, ERR_INVALID,
                    "%s has too many regions, or one with a name "
                    "that is too long",
                    name);
            return;
        }
        snprintf(price.region, sizeof(price.region), "%s", region);
        read_region(r, of_region, &price);
        row->price = price;
        row->is_default = strcmp(region, fallback) == 0;
        found |= row->is_default;
        prices->count++;
    }
    if (!r->failed && !found) {
        r->failed = true;
        err_set(r->err, ERR_INVALID, "the default_region of %s is not among its regions",
                name);
    }
}

static int read_table(struct slice text, struct prices *prices, struct err *err)
{
    struct json_reader r = {.err = err};
    const struct json *of_provider;
    struct json *table;
    const char *name;
    void *iter = NULL;

    int rc = json_parse(text, &table, err);
    if (rc != 0)
        return rc;
    const struct json *providers = json_get(&r, table, "providers");
    while (!r.failed && json_next(providers, &iter, &name, &of_provider))
        read_provider(&r, name, of_provider, prices);
    json_free(table);
    if (r.failed)
        return err->code;
    if (prices->count == 0)
        return err_set(err, ERR_INVALID, "providers: there is none");
    return 0;
}

static int read_file(const char *path, struct str *content, struct err *err)
{
    char buffer[4096];
    size_t n;
    int rc = 0;

    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set_errno(err, errno, "cannot read it");
    while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0)
        str_append(content, buffer, n);
    if (ferror(file))
        rc = err_set_errno(err, errno, "cannot read it");
    else if (content->overflowed)
        rc = err_set(err, ERR_INVALID, "larger than %d MiB", FILE_MAX_MIB);
    fclose(file);
    return rc;
}

int prices_open(const char *file, struct prices **prices, struct err *err)
{
    struct prices *made = mem_zalloc(sizeof(*made));
    struct str content;
    int rc = 0;

    str_init(&content, FILE_MAX_MIB * MIB);
    made->rows = mem_zalloc(ROWS_MAX * sizeof(made->rows[0]));
    if (file == NULL || file[0] == '\0')
        str_append(&content, embedded_prices,
                   (size_t)(embedded_prices_end - embedded_prices));
    else
        rc = read_file(file, &content, err);
    if (rc == 0)
        rc = read_table(str_slice(&content), made, err);
    str_fini(&content);
    if (rc != 0) {
        prices_free(made);
        file = file == NULL ? "the program" : file;
        return err_wrap(err, ERR_INVALID, "prices of the object store in %s", file);
    }
    *prices = made;
    return 0;
}

void prices_free(struct prices *prices)
{
    if (prices == NULL)
        return;
    mem_free(prices->rows);
    mem_free(prices);
}

bool prices_find(const struct prices *prices, const char *provider, const char *region,
                 struct price *price)
{
    const struct row *found = NULL;

    for (size_t i = 0; i < prices->count; i++) {
        const struct row *row = &prices->rows[i];
        if (strcmp(row->price.provider, provider) != 0)
            continue;
        bool exact = strcmp(row->price.region, region) == 0;
        if (exact || row->is_default)
            found = row;
        if (exact)
            break;
    }
    if (found == NULL)
        return false;
    *price = found->price;
    return true;
}

double price_of_requests(const struct price *price,
                         const double requests[STORE_DELETE + 1])
{
    double dollars = 0;
    for (size_t i = 0; i <= STORE_DELETE; i++)
        dollars += price->request[i] * requests[i];
    return dollars;
}

/* ---- whose store it is ---- */

/* Does the host of ENDPOINT end in SUFFIX? */
static bool host_ends(const char *endpoint, const char *suffix)
{
    const char *host = strstr(endpoint, "://");
    host = host == NULL ? endpoint : host + 3;
    size_t len = strcspn(host, ":/"), n = strlen(suffix);
    return len >= n && strncasecmp(host + len - n, suffix, n) == 0;
}

static const char *first_env(char *(*env)(const char *name), const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = env(*names);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return "";
}

void price_place(const char *url, char *(*env)(const char *name), char *provider,
                 char *region)
{
    static const char *const endpoints[] = {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL",
                                            NULL};
    static const char *const regions[] = {"AWS_REGION", "AWS_DEFAULT_REGION", NULL};
    static const struct {
        const char *suffix, *provider;
    } known[] = {
        {".amazonaws.com", "aws"},
        {"storage.googleapis.com", "gcs"},
        {".blob.core.windows.net", "azure"},
        {".r2.cloudflarestorage.com", "r2"},
    };
    struct store_url parsed;
    struct err err;
    const char *owner = "none", *where = "any";

    if (store_url_parse(url, &parsed, &err) == 0 && strcmp(parsed.scheme, "s3") == 0) {
        const char *endpoint = store_url_param(&parsed, "endpoint");
        if (endpoint == NULL)
            endpoint = first_env(env, endpoints);
        if (endpoint[0] == '\0')
            owner = "aws";
        for (size_t i = 0; i < ARRAY_LEN(known) && endpoint[0] != '\0'; i++)
            if (host_ends(endpoint, known[i].suffix))
                owner = known[i].provider;
        const char *named = store_url_param(&parsed, "region");
        named = named != NULL ? named : first_env(env, regions);
        if (strcmp(owner, "none") != 0)
            where = named;
    }
    snprintf(provider, PRICE_NAME_MAX, "%s", owner);
    snprintf(region, PRICE_NAME_MAX, "%.*s", PRICE_NAME_MAX - 1, where);
}
