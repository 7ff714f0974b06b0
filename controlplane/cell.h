/* cell.h - how a node of a cell begins, before any thread of it runs: it founds a cell,
 * joins one, is restored from a backup, or goes on as what it was.
 *
 * The data directory's identity decides; options only say what to do with an empty one:
 *
 *   identity there     go on; --bootstrap and --join change nothing, --restore is refused
 *   a node's data, no identity    refused: what is it?
 *   nothing            as --bootstrap, --join or --restore says; refused without any
 *
 * --founder names the one of several nodes with the same --join that founds the cell, if
 * nobody answers at those addresses. */
#ifndef CONTROLPLANE_CELL_H
#define CONTROLPLANE_CELL_H

#include <stdint.h>

#include "common/crypto.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/str.h"
#include "controlplane/identity.h"
#include "controlplane/options.h"
#include "controlplane/trust.h"

/* Where this node is found, as far as it is known before it listens. */
struct cell_addresses {
    char *name;
    char *peers;      /* "host:port", never empty */
    char *people_url; /* "" while it depends on a port that is not known yet */
    char *agents_url;
    struct str tls_names;
};

void cell_addresses_init(const struct control_options *options,
                         struct cell_addresses *addresses);
void cell_addresses_fini(struct cell_addresses *addresses);
/* GIVEN, or made of the address listened on with PORT (0: the one in LISTEN). SCHEME
 * "https://" or "". NULL when there is no port yet. */
char *cell_advertised(const char *scheme, const char *given, const char *listen,
                      uint16_t port);

struct cell_self {
    uint8_t key[CRYPTO_KEY_LEN];
    struct trust *trust; /* loaded already if this node founds the cell */
    struct identity identity;
};

/* Make or find out who this node is. After ERR_* nothing is left but what a repeat goes
 * on from. CELL is freed by cell_fini in any case. */
int cell_begin(const struct control_options *options,
               const struct cell_addresses *addresses, struct cell_self *cell,
               struct err *err) MUST_CHECK;
void cell_fini(struct cell_self *cell);
/* A new certificate by the CA that signs now, for the names of now; written down, with
 * what the trust holds. */
int cell_renew(const struct control_options *options, struct cell_self *cell,
               struct err *err) MUST_CHECK;
/* Write the identity as it is now. */
int cell_save(const struct control_options *options, struct cell_self *cell,
              struct err *err) MUST_CHECK;
/* The hash of the first operator's token, whose text is an option or lies in the admin
 * token file; for CELL_INIT. */
int cell_admin_token(const struct control_options *options, const struct cell_self *cell,
                     uint8_t hash[SHA256_LEN], struct err *err) MUST_CHECK;
/* Give TRUST the CAs and the token secret of STATE (core thread). ERR_NOT_FOUND: it holds
 * no cell yet. */
struct state;
int cell_load_trust(const struct state *state, struct trust *trust,
                    struct err *err) MUST_CHECK;
/* Write ca.crt and ca.fingerprint, for people and their tools. */
int cell_publish_ca(const struct control_options *options, const struct trust *trust,
                    struct err *err) MUST_CHECK;

#endif
