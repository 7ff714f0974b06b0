/* control.h - the control plane's service side without sockets and threads.
 *
 * Links the product's own call.c, api_*.c, route.c, feed.c, sessions.c, trust.c and
 * state, and stands in for http_server.c (an exchange is a struct in memory) and node.c
 * (asks run at once; a proposal is applied to the state before the call returns to the
 * test). So a test or a fuzzer makes calls as an agent or as people, and sees status and
 * body. Everything on the caller's thread. Whoever uses it includes control.c: in a
 * library, it would stand in for the product in every other test. */
#ifndef TESTS_LIB_FAKE_CONTROL_H
#define TESTS_LIB_FAKE_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/json.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"
#include "controlplane/service.h"

struct fake_control {
    struct service service;
    struct control_options options;
    char admin_token[128]; /* of an operator */
    struct uuid admin_token_id;
    struct str ca_cert, ca_sealed_key, sealed_secret;
    /* What the node does next; tests set these. */
    bool readable, leader;
    uint64_t leader_id; /* when it is another node, one of the state's table; 0: none */
    int propose_code;   /* not 0: proposals end with it */
    int64_t now_ms;
    uint64_t applied; /* entries so far */
};

struct fake_control *fake_control_new(void);
void fake_control_free(struct fake_control *fake);

struct fake_request {
    bool agents;                       /* which listener */
    const char *method, *path, *query; /* "POST" when NULL */
    struct uuid cluster_id, agent_id;  /* of the certificate; zero: no certificate */
    int64_t certificate_ends_at_ms;    /* 0: far away */
    const char *authority;             /* key id of who signed it; NULL: the fake's CA */
    const char *token;                 /* bearer */
    const char *content_type;          /* "application/json" when NULL, "" for none */
    const char *encoding, *accept;
    const char *idempotency_key, *if_match, *if_none_match;
    const char *nonce; /* X-Weft-Nonce */
    struct slice body;
};

struct fake_reply {
    int status; /* 0: parked, see fake_control_wait */
    struct str body;
    char headers[1024]; /* "Name: value\n" */
    struct http_exchange *pending;
};

/* Make a call; REPLY is freed by fake_reply_free. */
void fake_control_call(struct fake_control *fake, const struct fake_request *request,
                       struct fake_reply *reply);
/* Run the loop until a parked call is answered. */
void fake_control_wait(struct fake_control *fake, struct fake_reply *reply);
void fake_reply_free(struct fake_reply *reply);

/* A call of an agent with a text body; the parsed answer, or NULL when the status is not
 * EXPECTED (printed then). json_free it. */
struct json *fake_agent_call(struct fake_control *fake, const struct uuid *cluster_id,
                             const struct uuid *agent_id, const char *path,
                             const char *body, int expected);
/* Apply CMD to the state directly. */
void fake_control_apply(struct fake_control *fake, struct command *cmd);
/* A cluster, applied directly. */
struct uuid fake_control_cluster(struct fake_control *fake, const char *name);
/* The next node of the cell, applied directly. */
void fake_control_node(struct fake_control *fake, const char *people_url,
                       const char *agents_url);
/* Forget all state, as a new one; trust and options stay. */
void fake_control_reset(struct fake_control *fake);

#endif
