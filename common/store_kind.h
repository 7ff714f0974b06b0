/* store_kind.h - kinds of requests to an object store, and their names wherever they are
 * told: in reports of agents, prices, answers and metrics. */
#ifndef COMMON_STORE_KIND_H
#define COMMON_STORE_KIND_H

enum store_kind { STORE_PUT, STORE_GET, STORE_HEAD, STORE_LIST, STORE_DELETE };

#define STORE_KINDS (STORE_DELETE + 1)

extern const char *const store_kind_names[STORE_KINDS];

#endif
