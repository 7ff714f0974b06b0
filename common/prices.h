/* prices.h - what a provider of object storage bills: the table of
 * monitoring/prices.json, which is part of the programs, or a file of the same form in
 * its place.
 *
 * A price is found by provider ("aws", "gcs", "azure", "r2", "none") and region; a region
 * that the table does not have is priced as the provider's default one. Requests and
 * storage only: traffic within a region is free everywhere, other traffic is not ours to
 * know. Immutable after prices_open; any thread. */
#ifndef COMMON_PRICES_H
#define COMMON_PRICES_H

#include <stdbool.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/store.h"

#define PRICE_NAME_MAX   48
#define PRICE_SOURCE_MAX 128
/* A month as bills have it: a twelfth of 365 days, in seconds and in hours. */
#define PRICE_MONTH_S 2628000.0

struct price {
    char provider[PRICE_NAME_MAX];
    char region[PRICE_NAME_MAX];      /* of the table: perhaps the default one */
    char as_of[PRICE_NAME_MAX];       /* when it was true: "2026-09" */
    char source[PRICE_SOURCE_MAX];    /* where */
    double request[STORE_DELETE + 1]; /* dollars each */
    double gib_month;                 /* dollars for a GiB stored a month */
};

struct prices;

/* FILE NULL or "": the built-in table. ERR_INVALID says what is wrong and where. */
int prices_open(const char *file, struct prices **prices, struct err *err) MUST_CHECK;
void prices_free(struct prices *prices); /* NULL is fine */
/* False: no such provider. */
bool prices_find(const struct prices *prices, const char *provider, const char *region,
                 struct price *price) MUST_CHECK;
/* What a number of requests by kind costs, in dollars. */
double price_of_requests(const struct price *price,
                         const double requests[STORE_DELETE + 1]);

/* Who bills for the store at URL, as far as the URL and the environment (getenv or a
 * test's stand-in) say: both texts are PRICE_NAME_MAX long; "none" and "any" for a
 * directory, and for an endpoint that is none of the providers'. */
void price_place(const char *url, char *(*env)(const char *name), char *provider,
                 char *region);

#endif
