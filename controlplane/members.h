/* members.h - the cell's table of nodes and Raft's members, kept in step.
 *
 * The table (in the state) is what people want; Raft's configuration is what is. Whoever
 * leads makes one change at a time, as membership.c says. Each node, leader or not, sees
 * to it that its own row says what is true of it (addresses, version, features), and the
 * founder proposes CELL_INIT. Core thread only. */
#ifndef CONTROLPLANE_MEMBERS_H
#define CONTROLPLANE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/http_client.h"
#include "common/slice.h"
#include "controlplane/node.h"
#include "proto/command.h"

struct members;

struct members_options {
    struct node *node;
    unsigned election_timeout_ms;
    struct node_fields self; /* of this node; texts outlive the members */
    /* What founds the cell, or NULL: a CELL_INIT without `node`. */
    const struct command *founding;
};

struct members *members_new(const struct members_options *options);
void members_free(struct members *members);
/* This node's own URLs, known when it listens; texts outlive the members. Begins the
 * work.
 */
void members_set_urls(struct members *members, struct slice people_url,
                      struct slice agents_url);
/* How this node shows itself to the leader, and whom it trusts. Copied. */
void members_set_tls(struct members *members, const struct http_tls *tls);
/* When that certificate ends and whose it is (x509_authority_id): told to each leader. */
void members_set_certificate(struct members *members, int64_t not_after_ms,
                             const char *authority);

#endif
