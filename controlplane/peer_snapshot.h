/* peer_snapshot.h - sending the file of a snapshot over a connection that asked for it,
 * each on a thread of its own; for peers.c. Fetching one is peers_fetch() (peers.h). */
#ifndef CONTROLPLANE_PEER_SNAPSHOT_H
#define CONTROLPLANE_PEER_SNAPSHOT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "common/defs.h"
#include "common/list.h"
#include "controlplane/peer_frame.h"
#include "controlplane/peer_tls.h"
#include "controlplane/peers.h"

#define PEER_SENDERS_MAX 3

/* The senders under way; belongs to peers.c's thread. */
struct peer_senders {
    const struct peers_options *options;
    struct list list;
    size_t count;
    atomic_uint_fast64_t sent_bytes, sent_files;
};

void peer_senders_init(struct peer_senders *senders, const struct peers_options *options);
/* Stop and join all. */
void peer_senders_fini(struct peer_senders *senders);
/* Join those that are done. */
void peer_senders_sweep(struct peer_senders *senders);
/* True if another one may begin for NODE_ID: an older one of it is stopped. */
bool peer_senders_room(struct peer_senders *senders, uint64_t node_id);
/* Answer HELLO and send the file; owns FD and TLS from now on. */
void peer_senders_add(struct peer_senders *senders, const struct peer_hello *hello,
                      int fd, struct peer_tls *tls);

/* What peers_fetch needs of peers.c: a reference to the context of now, and a greeting
 * that is filled but for what is asked. */
void peers_begin_fetch(struct peers *peers, struct peer_hello *hello,
                       struct peer_tls_context **context, const struct uuid **cell_id);

#endif
