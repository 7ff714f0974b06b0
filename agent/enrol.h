/* enrol.h - how the agent gets its certificate: trust the CA, make a key, ask, renew.
 *
 *   FETCH_CA -> (fingerprint checked) -> ENROL -> DONE
 *
 * The CA is fetched without verification; that is safe because nothing is believed before
 * its SHA-256 fingerprint is what the option says. From then on every connection verifies
 * against it. A cell that changes its CA hands out both certificates; the one that the
 * option names is taken, and the cell's servers send the cross-certificate that leads to
 * it. The key never leaves memory. Core thread only; used by ctl.c alone. */
#ifndef AGENT_ENROL_H
#define AGENT_ENROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/ctl.h"
#include "common/defs.h"
#include "common/err.h"
#include "common/loop.h"
#include "common/slice.h"
#include "common/str.h"
#include "common/uuid.h"

struct enrol;

#define ENROL_URLS_MAX 16

struct enrol_options {
    struct loop *loop;
    const struct ctl_transport *transport; /* to the people's listeners */
    const struct ctl_transport *agents;    /* given our certificate */
    const char *const *urls; /* people's listeners, without a "/" at the end */
    size_t url_count;
    const char *fingerprint; /* 64 lower-case hex digits */
    const char *token;
    struct uuid agent_id; /* to ask for */
};

/* Who we are from now on; borrowed. */
struct enrol_identity {
    struct uuid cluster_id, agent_id;
    struct slice agent_url; /* the agents' listener of who answered */
    int64_t not_after_ms, now_ms;
};

struct enrol *enrol_new(const struct enrol_options *options);
void enrol_free(struct enrol *enrol);
/* Begin, or begin again with the same token. DONE as ctl_enrol's: 0 and IDENTITY after
 * the transport got its TLS set, or what retrying cannot mend. */
typedef void enrol_done_fn(int code, const char *text,
                           const struct enrol_identity *identity, void *arg);
void enrol_start(struct enrol *enrol, enrol_done_fn *done, void *arg);
/* Never mind: no answer comes. What it had before holds. */
void enrol_stop(struct enrol *enrol);

/* Renewal: a new key and its signing request; the key takes effect by enrol_install with
 * the certificate that came for it. */
int enrol_make_request(struct enrol *enrol, struct json **body,
                       struct err *err) MUST_CHECK;
int enrol_install(struct enrol *enrol, const struct json *answer, int64_t *not_after_ms,
                  struct err *err) MUST_CHECK;

/* The fingerprint of the CA that signed our certificate, or "" without one. */
const char *enrol_issuer(const struct enrol *enrol);

/* FINGERPRINT as 64 lower-case digits, colons and spaces left out: ERR_INVALID if it is
 * not one. */
int enrol_parse_fingerprint(const char *text, char hex[65], struct err *err) MUST_CHECK;

#endif
