/* cell.c - the beginnings of a node: its addresses, its key, its identity. */
#include "controlplane/cell.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/name_query.h"
#include "common/version.h"
#include "common/x509.h"
#include "controlplane/join.h"
#include "controlplane/restore.h"
#include "controlplane/small_file.h"
#include "controlplane/state.h"

#define HOST_MAX         256
#define JOIN_PATIENCE_MS 60000
/* A cell that is there, and whose other nodes start together with this one, is to be
 * found before a second one is founded. */
#define FOUNDER_PATIENCE_MS 5000
#define ADMIN_TOKEN_MIN     32
#define CAS_MAX             8

/* --- addresses --- */

static bool is_wildcard(const char *host)
{
    return host[0] == '\0' || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "[::]") == 0 ||
           strcmp(host, "*") == 0;
}

/* A name by which others can reach us: this machine's, if it resolves here at all. */
static void own_host(char host[HOST_MAX])
{
    const struct name_wait wait = {.limit_ms = NAME_QUERY_START_MS};
    struct addrinfo *found = NULL;
    int rc = ERR_NOT_FOUND;

    if (gethostname(host, HOST_MAX) == 0 && host[0] != '\0')
        rc = name_query_now(host, "0", 0, &wait, &found, NULL);
    if (rc == 0)
        freeaddrinfo(found);
    else if (rc == ERR_NOT_FOUND) /* else nobody says that it does not */
        snprintf(host, HOST_MAX, "localhost");
}

char *cell_advertised(const char *scheme, const char *given, const char *listen,
                      uint16_t port)
{
    char host[HOST_MAX], text[HOST_MAX + 32];

    if (given != NULL && given[0] != '\0')
        return mem_strdup(given);
    const char *colon = strrchr(listen, ':');
    size_t len = colon == NULL ? strlen(listen) : (size_t)(colon - listen);
    if (port == 0 && colon != NULL)
        port = (uint16_t)strtoul(colon + 1, NULL, 10);
    if (port == 0)
        return NULL;
    snprintf(host, sizeof(host), "%.*s", (int)len, listen);
    if (is_wildcard(host))
        own_host(host);
    snprintf(text, sizeof(text), "%s%s:%u", scheme, host, port);
    return mem_strdup(text);
}

/* Add the host of URL or HOST:PORT TEXT to the names of our certificate. */
static void add_host(const char *text, struct str *names)
{
    if (text == NULL)
        return;
    const char *host = strstr(text, "://");
    host = host == NULL ? text : host + 3;
    size_t len = strcspn(host, "/");
    while (len > 0 && host[len - 1] >= '0' && host[len - 1] <= '9')
        len--;
    if (len > 0 && host[len - 1] == ':')
        len--;
    else
        len = strcspn(host, "/");
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    }
    if (len > 0 && len < HOST_MAX)
        str_printf(names, ",%.*s", (int)len, host);
}

static void collect_names(const struct control_options *options, struct str *names)
{
    char host[HOST_MAX];
    str_puts(names, "localhost,127.0.0.1,::1");
    if (gethostname(host, sizeof(host)) == 0 && host[0] != '\0')
        add_host(host, names);
    add_host(options->advertise, names);
    add_host(options->advertise_agents, names);
    add_host(options->advertise_peers, names);
    add_host(options->listen, names);
    add_host(options->listen_agents, names);
    if (options->tls_name != NULL)
        str_printf(names, ",%s", options->tls_name);
}

static char *or_empty(char *text)
{
    return text != NULL ? text : mem_strdup("");
}

void cell_addresses_init(const struct control_options *options,
                         struct cell_addresses *addresses)
{
    char host[HOST_MAX] = "";
    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof(host), "node");
    addresses->name = mem_strdup(
        options->node_name != NULL && options->node_name[0] != '\0' ? options->node_name
                                                                    : host);
    /* A node that is to be alone has an address all the same: Raft wants one. */
    addresses->peers =
        cell_advertised("", options->advertise_peers, options->listen_peers, 0);
    if (addresses->peers == NULL)
        addresses->peers = mem_strdup("localhost:0");
    addresses->people_url =
        or_empty(cell_advertised("https://", options->advertise, options->listen, 0));
    addresses->agents_url = or_empty(cell_advertised(
        "https://", options->advertise_agents, options->listen_agents, 0));
    str_init(&addresses->tls_names, 64 * KIB);
    collect_names(options, &addresses->tls_names);
}

void cell_addresses_fini(struct cell_addresses *addresses)
{
    mem_free(addresses->name);
    mem_free(addresses->peers);
    mem_free(addresses->people_url);
    mem_free(addresses->agents_url);
    str_fini(&addresses->tls_names);
}

/* --- founding --- */

/* Made once, before anything is written: CA, token secret, and our certificate by it. */
static int make_founder(const struct cell_addresses *addresses, struct cell_self *cell,
                        struct err *err)
{
    struct identity *identity = &cell->identity;
    struct str cross;
    (void)addresses;

    identity->stage = IDENTITY_FOUNDING;
    identity->cell_id = uuid_random();
    identity->node_id = 1;
    identity->instance = uuid_random();
    identity->ca_id = uuid_random();
    identity->token_id = uuid_random();
    str_init(&cross, X509_PEM_MAX);
    int code = trust_make_ca(cell->trust, &identity->ca_cert, &cross,
                             &identity->ca_sealed_key, err);
    str_fini(&cross);
    if (code != 0)
        return code;
    trust_make_secret(cell->trust, &identity->sealed_token_secret);
    str_append_slice(&identity->ca_pem, str_slice(&identity->ca_cert));
    return 0;
}

/* What the identity knows of the CA: a founder's own, or what signed last. */
static int load_authority(struct cell_self *cell, struct err *err)
{
    const struct identity *identity = &cell->identity;
    const struct trust_ca ca = {.cert_pem = str_slice(&identity->ca_cert),
                                .cross_pem = str_slice(&identity->ca_cross),
                                .sealed_key = str_slice(&identity->ca_sealed_key)};
    return trust_load(cell->trust, &ca, 1, str_slice(&identity->sealed_token_secret),
                      err);
}

static int found(const struct control_options *options,
                 const struct cell_addresses *addresses, struct cell_self *cell,
                 struct err *err)
{
    struct identity *identity = &cell->identity;
    int code = make_founder(addresses, cell, err);
    if (code == 0)
        code = load_authority(cell, err);
    if (code == 0)
        code = trust_issue_node(cell->trust, &identity->cell_id, identity->node_id,
                                clock_wall_ms(), &identity->chain_pem, &identity->key_pem,
                                &identity->not_after_ms, err);
    if (code == 0)
        code = identity_save(options->data_dir, cell->key, identity, true, err);
    return code;
}

/* The first operator's token, which somebody chose: hash it, if it can be one. ORIGIN and
 * REMEDY are for people. */
static int take_admin_token(struct slice token, const char *origin, const char *remedy,
                            uint8_t hash[SHA256_LEN], struct err *err)
{
    while (token.len > 0 && strchr(" \t\r\n", token.ptr[token.len - 1]) != NULL)
        token.len--;
    token_hash(token, hash);
    if (token.len < ADMIN_TOKEN_MIN)
        return err_set(err, ERR_INVALID,
                       "the admin token in %s is shorter than %d characters: %s", origin,
                       ADMIN_TOKEN_MIN, remedy);
    if (token_kind_of(token) != TOKEN_API)
        return err_set(err, ERR_INVALID,
                       "the admin token in %s is no API token, which begin with "
                       "weft_api_: %s",
                       origin, remedy);
    return 0;
}

int cell_admin_token(const struct control_options *options, const struct cell_self *cell,
                     uint8_t hash[SHA256_LEN], struct err *err)
{
    const char *path = options->admin_token_file;
    const char *dir = path == NULL ? options->data_dir : NULL;
    char token[TOKEN_TEXT_MAX];
    struct str text;

    if (options->admin_token != NULL)
        return take_admin_token(slice_str(options->admin_token), "--admin-token",
                                "make one of weft_api_ and 43 random letters", hash, err);
    path = path == NULL ? "admin-token" : path;
    str_init(&text, 4 * KIB);
    int code = small_file_read(dir, path, true, &text, err);
    if (code == 0) {
        code = take_admin_token(str_slice(&text), path,
                                "remove the file to have one made", hash, err);
    } else if (code == ERR_NOT_FOUND) {
        code = trust_token(cell->trust, TOKEN_API, &cell->identity.token_id, token, hash);
        if (code == 0) {
            str_reset(&text);
            str_printf(&text, "%s\n", token);
            code = small_file_write(dir, path, str_slice(&text), 0600, err);
        }
        explicit_bzero(token, sizeof(token));
    }
    crypto_forget(&text);
    return code;
}

int cell_load_trust(const struct state *state, struct trust *trust, struct err *err)
{
    const struct cell *cell = state_cell(state);
    const struct cell_ca *ca = NULL;
    struct trust_ca cas[CAS_MAX];
    size_t count = 0;

    while (count < CAS_MAX && (ca = state_ca_next(state, ca)) != NULL)
        cas[count++] =
            (struct trust_ca){.cert_pem = slice_str(ca->certificate),
                              .cross_pem = slice_str(ca->cross),
                              .sealed_key = slice_of(ca->sealed_key, ca->sealed_key_len)};
    if (!cell->founded || count == 0)
        return err_set(err, ERR_NOT_FOUND, "the state holds no cell yet");
    return trust_load(trust, cas, count,
                      slice_of(cell->sealed_token_secret, cell->sealed_token_secret_len),
                      err);
}

int cell_publish_ca(const struct control_options *options, const struct trust *trust,
                    struct err *err)
{
    char fingerprint[X509_FINGERPRINT_LEN + 1], line[X509_FINGERPRINT_LEN + 2];
    struct str bundle;

    str_init(&bundle, SMALL_FILE_MAX);
    trust_bundle(trust, &bundle);
    trust_fingerprint(trust, fingerprint);
    snprintf(line, sizeof(line), "%s\n", fingerprint);
    int code =
        small_file_write(options->data_dir, "ca.crt", str_slice(&bundle), 0644, err);
    if (code == 0)
        code = small_file_write(options->data_dir, "ca.fingerprint", slice_str(line),
                                0644, err);
    str_fini(&bundle);
    return code;
}

/* --- joining --- */

static int join(const struct control_options *options,
                const struct cell_addresses *addresses, struct cell_self *cell,
                struct err *err)
{
    struct identity *identity = &cell->identity;
    const struct join_options join_options = {
        .urls = options->join,
        .ca_fingerprint = options->ca_fingerprint,
        .token = options->join_token,
        .name = addresses->name,
        .peer_address = addresses->peers,
        .people_url = addresses->people_url,
        .agents_url = addresses->agents_url,
        .tls_names = str_cstr(&addresses->tls_names),
        .features_max = FEATURE_LEVEL_MAX,
        .standby = options->standby,
        .patience_ms = JOIN_PATIENCE_MS,
        .trust = cell->trust,
    };
    int code = join_cell(&join_options, identity, err);
    if (code == 0)
        code = identity_save(options->data_dir, cell->key, identity, false, err);
    if (code == 0)
        log_info("cell", "joined", "node=%llu", (unsigned long long)identity->node_id);
    return code;
}

/* The key and the instance are on disk before the token is used: whatever happens then, a
 * repeat is the same join. */
static int begin_join(const struct control_options *options, struct cell_self *cell,
                      struct err *err)
{
    struct identity *identity = &cell->identity;
    identity->stage = IDENTITY_JOINING;
    identity->instance = uuid_random();
    int code = x509_make_key(&identity->key_pem, err);
    if (code == 0)
        code = identity_save(options->data_dir, cell->key, identity, true, err);
    return code;
}

/* --- beginning --- */

static int make_directory(const char *dir, struct err *err)
{
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return err_set_errno(err, errno, "make the data directory %s", dir);
    if (access(dir, R_OK | W_OK | X_OK) != 0)
        return err_set(err, ERR_INVALID,
                       "the data directory %s cannot be used (%s): --data-dir must be a "
                       "directory that this user may write to, on a volume that is not "
                       "read-only",
                       dir, strerror(errno));
    return 0;
}

static int read_cell_key(const struct control_options *options, bool make,
                         struct cell_self *cell, struct err *err)
{
    struct str path;
    str_init(&path, 8 * KIB);
    if (options->cell_key_file != NULL && options->cell_key_file[0] != '\0')
        str_puts(&path, options->cell_key_file);
    else
        str_printf(&path, "%s/cell.key", options->data_dir);
    int code =
        identity_cell_key(options->cell_key, str_cstr(&path), make, cell->key, err);
    str_fini(&path);
    return code;
}

static int refuse_empty(const char *dir, struct err *err)
{
    return err_set(err, ERR_INVALID,
                   "%s holds no node yet: say what to do with it. --bootstrap founds a "
                   "new cell, --join makes this a further node of one, --restore begins "
                   "one from a backup",
                   dir);
}

static int refuse_foreign(const char *dir, struct err *err)
{
    return err_set(err, ERR_CONFLICT,
                   "%s holds a node's data, but no " IDENTITY_FILE
                   " that says whose: restore that file, or use an empty directory",
                   dir);
}

int cell_renew(const struct control_options *options, struct cell_self *cell,
               struct err *err)
{
    struct identity *identity = &cell->identity;
    struct str chain, key;
    int64_t not_after_ms;

    str_init(&chain, 4 * X509_PEM_MAX);
    str_init(&key, X509_PEM_MAX);
    int code = trust_issue_node(cell->trust, &identity->cell_id, identity->node_id,
                                clock_wall_ms(), &chain, &key, &not_after_ms, err);
    if (code == 0) {
        str_reset(&identity->chain_pem);
        str_append_slice(&identity->chain_pem, str_slice(&chain));
        str_reset(&identity->key_pem);
        str_append_slice(&identity->key_pem, str_slice(&key));
        identity->not_after_ms = not_after_ms;
        str_reset(&identity->ca_cert);
        str_reset(&identity->ca_cross);
        str_reset(&identity->ca_sealed_key);
        str_reset(&identity->sealed_token_secret);
        trust_export(cell->trust, &identity->ca_cert, &identity->ca_cross,
                     &identity->ca_sealed_key, &identity->sealed_token_secret);
        code = cell_save(options, cell, err);
    }
    str_fini(&chain);
    crypto_forget(&key);
    return code;
}

/* Of nodes that were started alike, is this the one that founds the cell, and is there
 * none yet? If this node lost its disk, the others are there: then it joins, or hears why
 * not. */
static int look_whether_to_found(const struct control_options *options,
                                 const struct cell_addresses *addresses, bool *founder,
                                 struct err *err)
{
    bool anybody = true;
    int code = 0;

    if (options->founder != NULL && strcmp(options->founder, addresses->name) == 0)
        code = join_anybody(options->join, FOUNDER_PATIENCE_MS, JOIN_PATIENCE_MS,
                            &anybody, err);
    *founder = code == 0 && !anybody;
    return code;
}

/* An identity is there: go on as that, with a certificate that is fresh. */
static int go_on(const struct control_options *options,
                 const struct cell_addresses *addresses, struct cell_self *cell,
                 struct err *err)
{
    int code = identity_load(options->data_dir, cell->key, &cell->identity, err);
    if (code != 0)
        return code;
    if (cell->identity.ca_cert.len > 0) {
        code = load_authority(cell, err);
        return code == 0 ? cell_renew(options, cell, err) : code;
    }
    if (cell->identity.stage != IDENTITY_JOINING)
        return 0;
    if (options->join == NULL)
        return err_set(err, ERR_INVALID,
                       "%s has begun to join a cell and was not taken in yet: give "
                       "--join and what it was given with it again",
                       options->data_dir);
    return join(options, addresses, cell, err);
}

/* What the data directory holds. What an interrupted restore left is removed, if it is to
 * be restored again; *RESTORED: the restore had come to its end. */
static int look(const struct control_options *options, enum identity_place *place,
                bool *restored, struct err *err)
{
    const char *dir = options->data_dir;
    int code = 0;

    *place = identity_look(dir);
    if (!restore_begun(dir))
        return 0;
    if (*place == IDENTITY_THERE) {
        *restored = true;
        return restore_ended(dir, err);
    }
    if (options->restore == NULL)
        return err_set(
            err, ERR_CONFLICT,
            "%s holds a restore that was interrupted: start with --restore and "
            "the backup again, which begins it anew",
            dir);
    code = restore_clear(dir, err);
    *place = identity_look(dir);
    return code;
}

int cell_begin(const struct control_options *options,
               const struct cell_addresses *addresses, struct cell_self *cell,
               struct err *err)
{
    *cell = (struct cell_self){0};
    identity_init(&cell->identity);
    int code = make_directory(options->data_dir, err);
    if (code != 0)
        return code;
    enum identity_place place = IDENTITY_NOTHING;
    bool restored = false;
    code = look(options, &place, &restored, err);
    if (code != 0)
        return code;
    if (place == IDENTITY_FOREIGN)
        return refuse_foreign(options->data_dir, err);
    if (place == IDENTITY_NOTHING && !options->bootstrap && options->join == NULL &&
        options->restore == NULL)
        return refuse_empty(options->data_dir, err);
    if (place == IDENTITY_THERE && options->restore != NULL && !restored &&
        options->founder == NULL)
        return err_set(err, ERR_EXISTS,
                       "%s holds a node already: leave --restore away to go on as that, "
                       "or restore into an empty directory",
                       options->data_dir);
    code = read_cell_key(options, place == IDENTITY_NOTHING && options->bootstrap, cell,
                         err);
    if (code != 0)
        return code;
    struct trust_options trust = {.tls_names = str_cstr(&addresses->tls_names),
                                  .agent_life_ms = options->certificate_life_ms,
                                  .node_life_ms = options->node_life_ms};
    memcpy(trust.cell_key, cell->key, CRYPTO_KEY_LEN);
    cell->trust = trust_new(&trust);
    explicit_bzero(&trust.cell_key, CRYPTO_KEY_LEN);
    if (place == IDENTITY_THERE)
        return go_on(options, addresses, cell, err);
    bool founder = options->bootstrap;
    if (!founder)
        code = look_whether_to_found(options, addresses, &founder, err);
    if (code != 0)
        return code;
    if (options->restore != NULL && (founder || options->founder == NULL))
        return restore_cell(options, addresses, cell, err);
    if (founder)
        return found(options, addresses, cell, err);
    code = begin_join(options, cell, err);
    return code == 0 ? join(options, addresses, cell, err) : code;
}

int cell_save(const struct control_options *options, struct cell_self *cell,
              struct err *err)
{
    return identity_save(options->data_dir, cell->key, &cell->identity, false, err);
}

void cell_fini(struct cell_self *cell)
{
    trust_free(cell->trust);
    cell->trust = NULL;
    identity_fini(&cell->identity);
    explicit_bzero(cell->key, CRYPTO_KEY_LEN);
}
