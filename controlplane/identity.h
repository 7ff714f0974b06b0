/* identity.h - who this node is: the file "identity" in its data directory, and the
 * cell's key.
 *
 * The file says which cell and which node, and holds the node's certificate; its private
 * key is sealed under the cell key. It is written before anything else of the node:
 *
 *   --bootstrap   FOUNDING, with all that CELL_INIT will say, so that a crash before that
 *                 command was applied changes nothing of it; then MEMBER
 *   --join        JOINING, with the key and the instance, so that a join whose answer was
 *                 lost is repeated as the same one; JOINED, with id and certificate; then
 *                 MEMBER, as soon as the cell's state has come
 *   --restore     MEMBER, when the backup is in place
 *
 * A MEMBER without its log is refused: it may have voted (Raft would forget that). */
#ifndef CONTROLPLANE_IDENTITY_H
#define CONTROLPLANE_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "common/crypto.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/str.h"
#include "common/uuid.h"

#define IDENTITY_FILE      "identity"
#define IDENTITY_PEERS_MAX 32

enum identity_stage {
    IDENTITY_FOUNDING,
    IDENTITY_JOINING,
    IDENTITY_JOINED,
    IDENTITY_MEMBER,
};

struct identity_peer {
    uint64_t node_id;
    char address[256];
};

struct identity {
    enum identity_stage stage;
    struct uuid cell_id;
    uint64_t node_id;     /* 0 while JOINING */
    struct uuid instance; /* this node's own, random */
    struct str key_pem;   /* plain, in memory only */
    struct str chain_pem; /* our certificate and what leads to the CA */
    struct str ca_pem;    /* whom to trust */
    int64_t not_after_ms;
    /* What this knows of the CAs is from here on in the log: a state that is older, as a
     * restart finds it in the last checkpoint, knows less. */
    uint64_t state_index;
    /* FOUNDING: what CELL_INIT says. Later: what signed when this was written, so that a
     * node whose certificate has expired while it was down can renew it before it hears
     * of anybody. Empty before that is known. */
    struct str ca_cert, ca_cross, ca_sealed_key, sealed_token_secret;
    struct uuid ca_id, token_id; /* FOUNDING */
    /* JOINED: whom to talk to until the log has come */
    struct identity_peer peers[IDENTITY_PEERS_MAX];
    size_t peer_count;
};

void identity_init(struct identity *identity);
void identity_fini(struct identity *identity);

/* Read DIR/identity. ERR_NOT_FOUND: there is none. ERR_UNAUTHENTICATED: the cell key does
 * not open it. ERR_DAMAGED. */
int identity_load(const char *dir, const uint8_t cell_key[CRYPTO_KEY_LEN],
                  struct identity *identity, struct err *err) MUST_CHECK;
/* Write it, mode 0600. FIRST: ERR_EXISTS when there is one. */
int identity_save(const char *dir, const uint8_t cell_key[CRYPTO_KEY_LEN],
                  const struct identity *identity, bool first,
                  struct err *err) MUST_CHECK;

/* What is in DIR, which may be missing: nothing of a node, an identity, or a node's data
 * without one. */
enum identity_place { IDENTITY_NOTHING, IDENTITY_THERE, IDENTITY_FOREIGN };
enum identity_place identity_look(const char *dir);

/* The cell's key: TEXT (64 hex digits; may be NULL), or the file PATH, mode 0600. MAKE:
 * without TEXT and file, a new key is made and written there. Errors say what to do. */
int identity_cell_key(const char *text, const char *path, bool make,
                      uint8_t key[CRYPTO_KEY_LEN], struct err *err) MUST_CHECK;

#endif
