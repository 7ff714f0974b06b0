/* store_check.h - does the object store take and give objects? Asked before this agent
 * serves anybody, so that a wrong bucket, key or region is told at the start and not to
 * the first producer.
 *
 * Writes one small object, the same for all agents of a store, and reads it again. What
 * may pass (no answer, a full disk) is tried again until it does. Core thread only. */
#ifndef AGENT_STORE_CHECK_H
#define AGENT_STORE_CHECK_H

#include "common/loop.h"
#include "common/store.h"

struct store_check;

/* CODE 0: all is well; else TEXT says what is wrong that waiting does not mend, and what
 * to do. Called once, never from inside store_check_start. */
typedef void store_check_fn(int code, const char *text, void *arg);

struct store_check *store_check_start(struct loop *loop, struct store *store,
                                      store_check_fn *done, void *arg);
/* What it waits for, for people; "" before the first try has failed. */
const char *store_check_why(const struct store_check *check);
/* Give up, if it goes on; it may be freed when it is idle. */
void store_check_stop(struct store_check *check); /* NULL is fine */
bool store_check_idle(const struct store_check *check);
void store_check_free(struct store_check *check);

#endif
