/* fake_transport.h - a control plane's HTTP side in memory, for tests of ctl.c and of
 * what stands on it: requests come to the test's handler, answers go back through the
 * loop.
 *
 * A CA of its own signs what enrolments ask for, so that certificates are real. */
#ifndef TESTS_LIB_FAKE_TRANSPORT_H
#define TESTS_LIB_FAKE_TRANSPORT_H

#include <stdbool.h>

#include "agent/ctl.h"
#include "common/http_client.h"
#include "common/json.h"
#include "common/list.h"
#include "common/loop.h"
#include "common/str.h"
#include "common/x509.h"

struct fake_transport;

/* What came in; borrowed. */
struct fake_http_request {
    const char *method, *url, *path; /* path: behind the host */
    const char *authorization;       /* or "" */
    bool lz4;                        /* body came compressed; it is plain here */
    struct slice body_text;
    const struct json *body;        /* NULL when there is none */
    bool has_certificate, verified; /* of the TLS set at that time */
    int64_t timeout_ms;
};

/* What goes out. Zeroed: status 200, empty object. */
struct fake_http_reply {
    int code; /* ERR_*: no answer at all */
    int status;
    struct json *body; /* ownership moves */
    const char *text;  /* in place of body */
    bool lz4;
    int64_t retry_after_ms;
    int64_t delay_ms;
    bool never; /* parked until it is cancelled */
};

typedef void fake_handler_fn(const struct fake_http_request *request,
                             struct fake_http_reply *reply, void *arg);

struct fake_transport {
    struct loop *loop;
    struct ctl_transport ops; /* for ctl_options */
    fake_handler_fn *handler;
    void *arg;
    size_t requests;
    struct list calls; /* not answered */
    /* the TLS set last */
    bool verify_none, has_certificate;
    struct str key_pem; /* of the client */
    /* the CA */
    struct str ca_key, ca_cert;
    char fingerprint[X509_FINGERPRINT_LEN + 1];
    struct uuid cluster_id;
    int64_t certificate_life_ms; /* of those that enrolment and renewal give */
    const char *nodes[4];        /* what /agent/v1/nodes says: addresses, then NULL */
    const char *other_ca;        /* ... and which CA signs, when not ours */
};

void fake_transport_init(struct fake_transport *fake, struct loop *loop,
                         fake_handler_fn *handler, void *arg);
void fake_transport_fini(struct fake_transport *fake);

/* What a healthy control plane answers to /api/v1/ca, enrol, renew, register and nodes;
 * false for any other path. */
bool fake_transport_serve(struct fake_transport *fake,
                          const struct fake_http_request *request,
                          struct fake_http_reply *reply);
/* A problem answer (RFC 9457). */
void fake_transport_problem(struct fake_http_reply *reply, int status, const char *code,
                            const char *detail);
/* A ctl over FAKE with two addresses, enrolled and registered. */
struct ctl *fake_transport_join(struct fake_transport *fake);
/* Run the loop until *FLAG, or fail after two seconds. */
void fake_transport_run(struct fake_transport *fake, const bool *flag);

#endif
