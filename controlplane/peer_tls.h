/* peer_tls.h - TLS between nodes (OpenSSL): both sides show a certificate of the cell.
 *
 * TLS 1.3 only, no sessions kept, no compression. Works on a descriptor that does not
 * block: whoever calls waits for what `wants` says and calls again, either in a loop
 * (peers.c) or with peer_tls_*_all, which wait themselves (peer_snapshot.c). */
#ifndef CONTROLPLANE_PEER_TLS_H
#define CONTROLPLANE_PEER_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"
#include "common/uuid.h"
#include "controlplane/peers.h"

struct peer_tls_context;
struct peer_tls;

/* ERR_MALFORMED when chain, key and CAs cannot be read or do not fit together. */
int peer_tls_context_new(const struct peers_certificate *certificate,
                         struct peer_tls_context **context, struct err *err) MUST_CHECK;
struct peer_tls_context *peer_tls_context_ref(struct peer_tls_context *context);
void peer_tls_context_unref(struct peer_tls_context *context); /* any thread */

/* Over FD, which is not owned. */
struct peer_tls *peer_tls_new(struct peer_tls_context *context, int fd, bool server);
void peer_tls_free(struct peer_tls *tls); /* says good-bye if that does not block */

enum peer_tls_wants { PEER_TLS_READ = 1, PEER_TLS_WRITE = 2 };

/* Each returns 0 with *WANTS 0: done (some bytes were moved: *COUNT > 0); 0 with *WANTS:
 * wait for that; ERR_CLOSED: the other side ended; ERR_UNAUTHENTICATED, ERR_IO. */
int peer_tls_handshake(struct peer_tls *tls, unsigned *wants, struct err *err) MUST_CHECK;
int peer_tls_read(struct peer_tls *tls, void *bytes, size_t len, size_t *count,
                  unsigned *wants, struct err *err) MUST_CHECK;
/* After *WANTS the same bytes come again, perhaps with more behind them. */
int peer_tls_write(struct peer_tls *tls, struct slice bytes, size_t *count,
                   unsigned *wants, struct err *err) MUST_CHECK;

/* After the handshake: which node of the cell CELL_ID the other side is.
 * ERR_UNAUTHENTICATED: none, with what its certificate says instead. */
int peer_tls_node(struct peer_tls *tls, const struct uuid *cell_id, uint64_t *node_id,
                  struct err *err) MUST_CHECK;

/* After the handshake: whether the other side's certificate is good by CONTEXT's
 * authorities too. */
bool peer_tls_trusted(struct peer_tls *tls, struct peer_tls_context *context);

/* Waiting forms: at most TIMEOUT_MS without progress, and not once STOP is set. */
struct peer_tls_wait {
    int timeout_ms;
    bool (*stopped)(void *arg);
    void *arg;
};
int peer_tls_handshake_all(struct peer_tls *tls, const struct peer_tls_wait *wait,
                           struct err *err) MUST_CHECK;
int peer_tls_read_all(struct peer_tls *tls, void *bytes, size_t len,
                      const struct peer_tls_wait *wait, struct err *err) MUST_CHECK;
int peer_tls_write_all(struct peer_tls *tls, struct slice bytes,
                       const struct peer_tls_wait *wait, struct err *err) MUST_CHECK;
/* Wait until FD is ready; ERR_TIMEOUT, ERR_CANCELLED. */
int peer_tls_wait_fd(int fd, unsigned wants, const struct peer_tls_wait *wait,
                     struct err *err) MUST_CHECK;

/* The URI of a node's certificate: weft://cell/UUID/node/ID. */
void peer_tls_uri(const struct uuid *cell_id, uint64_t node_id, char uri[128]);

#endif
