/* store_client.h - a store for tests and tools that wait: one loop, one mailbox.
 *
 * Everything on one thread. store_client_run sends a request and returns when it is
 * over; several in flight are sent with store_client_send and awaited together. */
#ifndef TESTS_LIB_STORE_CLIENT_H
#define TESTS_LIB_STORE_CLIENT_H

#include "common/store.h"

struct store_client {
    struct store *store;
    struct loop *loop;
    struct mailbox mailbox;
    unsigned in_flight;
};

/* Open OPTIONS' store; 0 or the code of store_open. */
int store_client_open(struct store_client *client, const struct store_options *options,
                      struct err *err) MUST_CHECK;
void store_client_close(struct store_client *client);

/* A request of KIND for KEY with a deadline TIMEOUT_MS from now. */
void store_client_request(struct store_request *request, enum store_kind kind,
                          const char *key, int64_t timeout_ms);
/* Give REQUEST the pieces and their checksum. */
void store_client_pieces(struct store_request *request, const struct slice *pieces,
                         size_t count);
void store_client_send(struct store_client *client, struct store_request *request);
/* Until at most MAX_LEFT requests are in flight. */
void store_client_wait(struct store_client *client, unsigned max_left);
/* Send and wait for all; returns request->err.code. */
int store_client_run(struct store_client *client, struct store_request *request);
/* Free what a GET or LIST brought. */
void store_client_drop(struct store_request *request);

#endif
