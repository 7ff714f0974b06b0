/* trust.c - the authorities in use, under a lock; certificates; tokens.
 *
 * Signing happens outside of the lock, on a counted reference: a rotation on the core
 * thread never waits for a signature. */
#include "controlplane/trust.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base64.h"
#include "common/check.h"
#include "common/mem.h"

#define CA_DAYS    3650
#define NAMES_MAX  64
#define SECRET_LEN 32
#define CAS_MAX    8
/* Certificates begin in the past: a node whose clock is wrong by hours must be able to
 * talk to the others, and agents to it. */
#define BACKDATE_MS (INT64_C(24) * 3600 * 1000)

#define SEAL_CA_KEY "weft cell CA key"
#define SEAL_TOKENS "weft cell token secret"
#define MAC_JOIN    "weft join:"
#define MAC_CA      "weft ca:"
#define MAC_TOKEN   "weft join token"

#define API_PREFIX   "weft_api_"
#define ENROL_PREFIX "weft_enrol_"
#define JOIN_PREFIX  "weft_join_"

/* What one load made; immutable. */
struct authority {
    size_t refs; /* under the trust's lock */
    struct str key_pem, cert_pem, cross_pem;
    struct str bundle;                    /* all certificates, this one first */
    struct str sealed_key, sealed_secret; /* as they came */
    char fingerprint[X509_FINGERPRINT_LEN + 1];
    char key_ids[CAS_MAX][X509_KEY_ID_LEN + 1]; /* of all */
    size_t count;
    uint8_t token_secret[SECRET_LEN];
};

struct trust {
    uint8_t cell_key[CRYPTO_KEY_LEN];
    char *tls_names;
    int64_t agent_life_ms, node_life_ms;
    struct shared *shared;
};

/* What changes; behind a pointer, so that looking at a const trust may lock it. */
struct shared {
    pthread_mutex_t lock;
    struct authority *authority; /* NULL: not loaded */
    uint64_t version;
};

static void authority_free(struct authority *authority)
{
    crypto_forget(&authority->key_pem);
    str_fini(&authority->cert_pem);
    str_fini(&authority->cross_pem);
    str_fini(&authority->bundle);
    str_fini(&authority->sealed_key);
    str_fini(&authority->sealed_secret);
    explicit_bzero(authority->token_secret, SECRET_LEN);
    mem_free(authority);
}

static struct authority *acquire(const struct trust *trust)
{
    struct shared *shared = trust->shared;
    pthread_mutex_lock(&shared->lock);
    struct authority *authority = shared->authority;
    if (authority != NULL)
        authority->refs++;
    pthread_mutex_unlock(&shared->lock);
    return authority;
}

static void release(const struct trust *trust, struct authority *authority)
{
    struct shared *shared = trust->shared;
    if (authority == NULL)
        return;
    pthread_mutex_lock(&shared->lock);
    bool last = --authority->refs == 0;
    pthread_mutex_unlock(&shared->lock);
    if (last)
        authority_free(authority);
}

struct trust *trust_new(const struct trust_options *options)
{
    struct trust *trust = mem_zalloc(sizeof(*trust));
    memcpy(trust->cell_key, options->cell_key, CRYPTO_KEY_LEN);
    trust->tls_names = mem_strdup(options->tls_names);
    trust->agent_life_ms = options->agent_life_ms;
    trust->node_life_ms = options->node_life_ms;
    trust->shared = mem_zalloc(sizeof(*trust->shared));
    pthread_mutex_init(&trust->shared->lock, NULL);
    return trust;
}

void trust_free(struct trust *trust)
{
    if (trust == NULL)
        return;
    release(trust, trust->shared->authority);
    pthread_mutex_destroy(&trust->shared->lock);
    mem_free(trust->shared);
    mem_free(trust->tls_names);
    explicit_bzero(trust->cell_key, CRYPTO_KEY_LEN);
    mem_free(trust);
}

/* --- loading --- */

static int open_secret(const struct trust *trust, struct authority *authority,
                       struct slice sealed, struct err *err)
{
    struct str secret;
    str_init(&secret, 256);
    int code = crypto_open(trust->cell_key, SEAL_TOKENS, sealed, &secret);
    if (code == 0 && secret.len != SECRET_LEN)
        code = ERR_MALFORMED;
    if (code == 0)
        memcpy(authority->token_secret, secret.data, SECRET_LEN);
    else
        err_set(err, code,
                "the cell key does not open the cell's token secret: this "
                "node was given another cell's key");
    crypto_forget(&secret);
    return code;
}

static int load(const struct trust *trust, struct authority *authority,
                const struct trust_ca *cas, size_t count, struct slice sealed_secret,
                struct err *err)
{
    const struct trust_ca *signs = &cas[count - 1];
    int code =
        crypto_open(trust->cell_key, SEAL_CA_KEY, signs->sealed_key, &authority->key_pem);
    if (code != 0)
        return err_set(err, code,
                       "the cell key does not open the key of the cell's CA: this node "
                       "was given another cell's key");
    str_append_slice(&authority->cert_pem, signs->cert_pem);
    str_append_slice(&authority->cross_pem, signs->cross_pem);
    str_append_slice(&authority->sealed_key, signs->sealed_key);
    str_append_slice(&authority->sealed_secret, sealed_secret);
    /* What signed last is what most want, and what a reader of one certificate takes. */
    for (size_t i = count; i-- > 0;)
        str_append_slice(&authority->bundle, cas[i].cert_pem);
    if (!x509_matches(str_slice(&authority->key_pem), signs->cert_pem))
        return err_set(err, ERR_DAMAGED, "the CA's key is not that of its certificate");
    code = x509_fingerprint(signs->cert_pem, authority->fingerprint, err);
    ASSERT(count <= CAS_MAX);
    for (authority->count = 0; code == 0 && authority->count < count; authority->count++)
        code = x509_key_id(cas[authority->count].cert_pem,
                           authority->key_ids[authority->count], err);
    if (code == 0)
        code = open_secret(trust, authority, sealed_secret, err);
    return code;
}

static bool same(const struct authority *a, const struct authority *b)
{
    return a != NULL && slice_eq(str_slice(&a->bundle), str_slice(&b->bundle)) &&
           memcmp(a->token_secret, b->token_secret, SECRET_LEN) == 0;
}

int trust_load(struct trust *trust, const struct trust_ca *cas, size_t count,
               struct slice sealed_token_secret, struct err *err)
{
    struct authority *authority = mem_zalloc(sizeof(*authority));

    ASSERT(count > 0);
    authority->refs = 1;
    str_init(&authority->key_pem, X509_PEM_MAX);
    str_init(&authority->cert_pem, X509_PEM_MAX);
    str_init(&authority->cross_pem, X509_PEM_MAX);
    str_init(&authority->bundle, CAS_MAX * X509_PEM_MAX);
    str_init(&authority->sealed_key, 2 * X509_PEM_MAX);
    str_init(&authority->sealed_secret, X509_PEM_MAX);
    int code = load(trust, authority, cas, count, sealed_token_secret, err);
    if (code != 0 || same(trust->shared->authority, authority)) {
        authority_free(authority);
        return code;
    }
    pthread_mutex_lock(&trust->shared->lock);
    struct authority *before = trust->shared->authority;
    trust->shared->authority = authority;
    trust->shared->version++;
    pthread_mutex_unlock(&trust->shared->lock);
    release(trust, before);
    return 0;
}

uint64_t trust_version(const struct trust *trust)
{
    pthread_mutex_lock(&trust->shared->lock);
    uint64_t version = trust->shared->version;
    pthread_mutex_unlock(&trust->shared->lock);
    return version;
}

bool trust_loaded(const struct trust *trust)
{
    return trust_version(trust) > 0;
}

void trust_bundle(const struct trust *trust, struct str *pem)
{
    struct authority *authority = acquire(trust);
    if (authority != NULL)
        str_append_slice(pem, str_slice(&authority->bundle));
    release(trust, authority);
}

void trust_fingerprint(const struct trust *trust, char hex[X509_FINGERPRINT_LEN + 1])
{
    struct authority *authority = acquire(trust);
    snprintf(hex, X509_FINGERPRINT_LEN + 1, "%s",
             authority == NULL ? "" : authority->fingerprint);
    release(trust, authority);
}

void trust_export(const struct trust *trust, struct str *cert_pem, struct str *cross_pem,
                  struct str *sealed_key, struct str *sealed_token_secret)
{
    struct authority *authority = acquire(trust);
    if (authority == NULL)
        return;
    str_append_slice(cert_pem, str_slice(&authority->cert_pem));
    str_append_slice(cross_pem, str_slice(&authority->cross_pem));
    str_append_slice(sealed_key, str_slice(&authority->sealed_key));
    str_append_slice(sealed_token_secret, str_slice(&authority->sealed_secret));
    release(trust, authority);
}

bool trust_knows(const struct trust *trust, const char *id)
{
    struct authority *authority = acquire(trust);
    bool known = authority == NULL;

    for (size_t i = 0; authority != NULL && i < authority->count; i++)
        known = known || (id[0] != '\0' && strcmp(id, authority->key_ids[i]) == 0);
    release(trust, authority);
    return known;
}

/* --- signing --- */

static int not_loaded(struct err *err)
{
    return err_set(err, ERR_UNAVAILABLE,
                   "this node has not received the cell's certificate authority yet");
}

int trust_sign_agent(const struct trust *trust, struct slice request_pem,
                     const struct uuid *cluster_id, const struct uuid *agent_id,
                     int64_t now_ms, struct str *cert_pem, int64_t *not_after_ms,
                     struct err *err)
{
    char uri[128], name[UUID_TEXT_LEN + 1];
    struct authority *authority = acquire(trust);

    if (authority == NULL)
        return not_loaded(err);
    x509_agent_uri(cluster_id, agent_id, uri);
    struct x509_profile profile = {
        .common_name = uuid_print(agent_id, name),
        .uri_san = uri,
        .client = true,
        .not_before_ms = now_ms - BACKDATE_MS,
        .not_after_ms = now_ms + trust->agent_life_ms,
    };
    int code =
        x509_sign_request(str_slice(&authority->key_pem), str_slice(&authority->cert_pem),
                          request_pem, &profile, cert_pem, err);
    if (code == 0)
        *not_after_ms = profile.not_after_ms;
    release(trust, authority);
    return code;
}

/* TEXT is cut into its names, in place. */
static int split_names(char *text, const char *names[NAMES_MAX + 1], struct err *err)
{
    char *rest = NULL;
    size_t count = 0;

    for (char *name = strtok_r(text, ", ", &rest); name != NULL;
         name = strtok_r(NULL, ", ", &rest)) {
        if (count == NAMES_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d TLS names", NAMES_MAX);
        names[count++] = name;
    }
    names[count] = NULL;
    return count == 0 ? err_set(err, ERR_INVALID, "no TLS name is given") : 0;
}

int trust_sign_node(const struct trust *trust, struct slice request_pem,
                    const struct uuid *cell_id, uint64_t node_id, const char *names_text,
                    int64_t now_ms, struct str *chain_pem, int64_t *not_after_ms,
                    struct err *err)
{
    char uri[128], common_name[64];
    const char *names[NAMES_MAX + 1];
    char *text = mem_strdup(names_text);
    struct authority *authority = acquire(trust);

    int code = authority == NULL ? not_loaded(err) : split_names(text, names, err);
    if (code != 0)
        goto out;
    x509_node_uri(cell_id, node_id, uri);
    snprintf(common_name, sizeof(common_name), "weft-controlplane node %llu",
             (unsigned long long)node_id);
    struct x509_profile profile = {
        .common_name = common_name,
        .uri_san = uri,
        .dns_san = names,
        .server = true,
        .client = true,
        .not_before_ms = now_ms - BACKDATE_MS,
        .not_after_ms = now_ms + trust->node_life_ms,
    };
    code =
        x509_sign_request(str_slice(&authority->key_pem), str_slice(&authority->cert_pem),
                          request_pem, &profile, chain_pem, err);
    if (code != 0)
        goto out;
    str_append_slice(chain_pem, str_slice(&authority->cross_pem));
    *not_after_ms = profile.not_after_ms;
out:
    release(trust, authority);
    mem_free(text);
    return code;
}

int trust_issue_node(const struct trust *trust, const struct uuid *cell_id,
                     uint64_t node_id, int64_t now_ms, struct str *chain_pem,
                     struct str *key_pem, int64_t *not_after_ms, struct err *err)
{
    struct str request;
    str_init(&request, X509_PEM_MAX);
    int code = x509_make_key(key_pem, err);
    if (code == 0)
        code = x509_make_request(str_slice(key_pem), "node", &request, err);
    if (code == 0)
        code = trust_sign_node(trust, str_slice(&request), cell_id, node_id,
                               trust->tls_names, now_ms, chain_pem, not_after_ms, err);
    str_fini(&request);
    return code;
}

/* --- new secrets --- */

int trust_make_ca(const struct trust *trust, struct str *cert_pem, struct str *cross_pem,
                  struct str *sealed_key, struct err *err)
{
    char name[64];
    uint8_t random[4];
    struct str key;
    struct authority *authority = acquire(trust);

    crypto_random(random, sizeof(random));
    snprintf(name, sizeof(name), "Weft cell CA %02x%02x%02x%02x", random[0], random[1],
             random[2], random[3]);
    str_init(&key, X509_PEM_MAX);
    int code = x509_make_key(&key, err);
    if (code == 0)
        code = x509_make_ca(str_slice(&key), name, CA_DAYS, cert_pem, err);
    if (code == 0 && authority != NULL)
        code = x509_cross_sign(str_slice(&authority->key_pem),
                               str_slice(&authority->cert_pem), str_slice(cert_pem),
                               cross_pem, err);
    if (code == 0)
        crypto_seal(trust->cell_key, SEAL_CA_KEY, str_slice(&key), sealed_key);
    crypto_forget(&key);
    release(trust, authority);
    return code;
}

void trust_make_secret(const struct trust *trust, struct str *sealed)
{
    uint8_t secret[SECRET_LEN];
    crypto_random(secret, sizeof(secret));
    crypto_seal(trust->cell_key, SEAL_TOKENS, slice_of(secret, sizeof(secret)), sealed);
    explicit_bzero(secret, sizeof(secret));
}

static void mac_hex(const struct trust *trust, struct slice text,
                    char hex[2 * SHA256_LEN + 1])
{
    uint8_t mac[SHA256_LEN];
    crypto_hmac_sha256(slice_of(trust->cell_key, CRYPTO_KEY_LEN), text, mac);
    crypto_hex(mac, sizeof(mac), hex);
}

void trust_join_proof(const struct trust *trust, struct slice request_pem,
                      char hex[2 * SHA256_LEN + 1])
{
    struct str text;
    str_init(&text, X509_PEM_MAX + sizeof(MAC_JOIN));
    str_puts(&text, MAC_JOIN);
    str_append_slice(&text, request_pem);
    mac_hex(trust, str_slice(&text), hex);
    str_fini(&text);
}

void trust_ca_proof(const struct trust *trust, struct slice nonce, struct slice ca_pem,
                    char hex[2 * SHA256_LEN + 1])
{
    struct str text;
    str_init(&text, nonce.len + ca_pem.len + sizeof(MAC_CA) + 1);
    str_puts(&text, MAC_CA);
    str_append_slice(&text, nonce);
    str_puts(&text, ":"); /* in no nonce: those are hex */
    str_append_slice(&text, ca_pem);
    mac_hex(trust, str_slice(&text), hex);
    str_fini(&text);
}

/* --- tokens --- */

static const struct {
    enum token_kind kind;
    const char *prefix;
} prefixes[] = {
    {TOKEN_API, API_PREFIX}, {TOKEN_ENROL, ENROL_PREFIX}, {TOKEN_JOIN, JOIN_PREFIX}};

int trust_token(const struct trust *trust, enum token_kind kind,
                const struct uuid *token_id, char text[TOKEN_TEXT_MAX],
                uint8_t hash[SHA256_LEN])
{
    uint8_t bytes[sizeof(token_id->bytes) + SHA256_LEN];
    struct slice id = slice_of(token_id->bytes, sizeof(token_id->bytes));
    struct authority *authority = acquire(trust);
    struct str out;

    if (authority == NULL)
        return ERR_UNAVAILABLE;
    memcpy(bytes, id.ptr, id.len);
    crypto_hmac_sha256(slice_of(authority->token_secret, SECRET_LEN), id, bytes + id.len);
    release(trust, authority);
    str_init(&out, TOKEN_TEXT_MAX);
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        if (prefixes[i].kind == kind)
            str_puts(&out, prefixes[i].prefix);
    }
    ASSERT(out.len > 0);
    base64_encode(slice_of(bytes, sizeof(bytes)), &out); /* 48 bytes: no padding */
    for (char *c = out.data; *c != '\0'; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    snprintf(text, TOKEN_TEXT_MAX, "%s", str_cstr(&out));
    token_hash(slice_str(text), hash);
    crypto_forget(&out);
    return 0;
}

void trust_key_token(const struct trust *trust, char text[TOKEN_TEXT_MAX],
                     uint8_t hash[SHA256_LEN])
{
    char hex[2 * SHA256_LEN + 1];
    mac_hex(trust, SLICE_LITERAL(MAC_TOKEN), hex);
    snprintf(text, TOKEN_TEXT_MAX, JOIN_PREFIX "%s", hex);
    token_hash(slice_str(text), hash);
    explicit_bzero(hex, sizeof(hex));
}

void token_hash(struct slice token, uint8_t hash[SHA256_LEN])
{
    crypto_sha256(token, hash);
}

int token_kind_of(struct slice token)
{
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t len = strlen(prefixes[i].prefix);
        if (token.len >= len && memcmp(token.ptr, prefixes[i].prefix, len) == 0)
            return (int)prefixes[i].kind;
    }
    return TOKEN_UNKNOWN;
}

struct slice token_of_header(const char *authorization)
{
    if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
        return SLICE_NULL;
    struct slice text = slice_str(authorization + 7);
    while (text.len > 0 && *text.ptr == ' ')
        text = slice_of(text.ptr + 1, text.len - 1);
    while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]) != NULL)
        text.len--;
    return text.len == 0 || text.len >= TOKEN_TEXT_MAX * 2 ? SLICE_NULL : text;
}
