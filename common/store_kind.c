/* store_kind.c - see store_kind.h. */
#include "common/store_kind.h"

const char *const store_kind_names[STORE_KINDS] = {"put", "get", "head", "list",
                                                   "delete"};
