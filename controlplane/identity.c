/* identity.c - the identity file as JSON, its secrets sealed. */
#include "controlplane/identity.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "common/base64.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/x509.h"
#include "controlplane/small_file.h"

#define VERSION    1
#define CHAIN_MAX  (4 * X509_PEM_MAX)
#define SEALED_MAX (2 * X509_PEM_MAX)
#define SEAL_KEY   "weft node key"

static const char *const stages[] = {[IDENTITY_FOUNDING] = "founding",
                                     [IDENTITY_JOINING] = "joining",
                                     [IDENTITY_JOINED] = "joined",
                                     [IDENTITY_MEMBER] = "member"};

void identity_init(struct identity *identity)
{
    *identity = (struct identity){0};
    str_init(&identity->key_pem, X509_PEM_MAX);
    str_init(&identity->chain_pem, CHAIN_MAX);
    str_init(&identity->ca_pem, CHAIN_MAX * 2);
    str_init(&identity->ca_cert, X509_PEM_MAX);
    str_init(&identity->ca_cross, X509_PEM_MAX);
    str_init(&identity->ca_sealed_key, SEALED_MAX);
    str_init(&identity->sealed_token_secret, SEALED_MAX);
}

void identity_fini(struct identity *identity)
{
    crypto_forget(&identity->key_pem);
    str_fini(&identity->chain_pem);
    str_fini(&identity->ca_pem);
    str_fini(&identity->ca_cert);
    str_fini(&identity->ca_cross);
    str_fini(&identity->ca_sealed_key);
    str_fini(&identity->sealed_token_secret);
}

/* --- writing --- */

static struct json *base64_json(struct slice bytes)
{
    struct str text;
    str_init(&text, 2 * SEALED_MAX);
    base64_encode(bytes, &text);
    struct json *json = json_string(str_cstr(&text));
    str_fini(&text);
    return json;
}

static struct json *authority_json(const struct identity *identity)
{
    struct json *json = json_object();
    json_set(json, "ca_pem", json_string(str_cstr(&identity->ca_cert)));
    json_set(json, "ca_cross_pem", json_string(str_cstr(&identity->ca_cross)));
    json_set(json, "ca_sealed_key", base64_json(str_slice(&identity->ca_sealed_key)));
    json_set(json, "sealed_token_secret",
             base64_json(str_slice(&identity->sealed_token_secret)));
    return json;
}

static struct json *founding_json(const struct identity *identity)
{
    struct json *json = json_object();
    json_set(json, "ca_id", json_uuid(&identity->ca_id));
    json_set(json, "token_id", json_uuid(&identity->token_id));
    return json;
}

static struct json *to_json(const uint8_t *cell_key, const struct identity *identity)
{
    struct json *json = json_object(), *peers = json_array();
    struct str sealed;

    str_init(&sealed, SEALED_MAX);
    crypto_seal(cell_key, SEAL_KEY, str_slice(&identity->key_pem), &sealed);
    json_set(json, "version", json_int(VERSION));
    json_set(json, "stage", json_string(stages[identity->stage]));
    json_set(json, "cell_id", json_uuid(&identity->cell_id));
    json_set(json, "node_id", json_int((int64_t)identity->node_id));
    json_set(json, "instance", json_uuid(&identity->instance));
    json_set(json, "not_after_ms", json_int(identity->not_after_ms));
    json_set(json, "state_index", json_int((int64_t)identity->state_index));
    json_set(json, "sealed_key", base64_json(str_slice(&sealed)));
    json_set(json, "certificate_pem", json_string(str_cstr(&identity->chain_pem)));
    json_set(json, "ca_pem", json_string(str_cstr(&identity->ca_pem)));
    for (size_t i = 0; i < identity->peer_count; i++) {
        struct json *peer = json_object();
        json_set(peer, "node_id", json_int((int64_t)identity->peers[i].node_id));
        json_set(peer, "address", json_string(identity->peers[i].address));
        json_push(peers, peer);
    }
    json_set(json, "peers", peers);
    if (identity->ca_cert.len > 0)
        json_set(json, "authority", authority_json(identity));
    if (identity->stage == IDENTITY_FOUNDING)
        json_set(json, "founding", founding_json(identity));
    str_fini(&sealed);
    return json;
}

int identity_save(const char *dir, const uint8_t cell_key[CRYPTO_KEY_LEN],
                  const struct identity *identity, bool first, struct err *err)
{
    struct json *json = to_json(cell_key, identity);
    struct str text;

    str_init(&text, SMALL_FILE_MAX);
    json_print(json, &text);
    str_putc(&text, '\n');
    int code = text.overflowed ? err_set(err, ERR_TOO_LARGE, "the identity is too large")
               : first
                   ? small_file_create(dir, IDENTITY_FILE, str_slice(&text), 0600, err)
                   : small_file_write(dir, IDENTITY_FILE, str_slice(&text), 0600, err);
    json_free(json);
    str_fini(&text);
    return code;
}

/* --- reading --- */

static void get_base64(struct json_reader *r, const struct json *json, const char *key,
                       struct str *out)
{
    struct slice text = json_get_string(r, json, key, 2 * SEALED_MAX);
    uint8_t *bytes = mem_alloc(base64_decoded_max(text.len) + 1);
    size_t len = 0;
    if (!r->failed && base64_decode(text, bytes, &len) != 0) {
        r->failed = true;
        err_set(r->err, ERR_MALFORMED, "%s is not base64", key);
    }
    if (!r->failed)
        str_append(out, bytes, len);
    mem_free(bytes);
}

static void get_text(struct json_reader *r, const struct json *json, const char *key,
                     struct str *out)
{
    struct slice text = json_get_string(r, json, key, SMALL_FILE_MAX);
    if (!r->failed)
        str_append_slice(out, text);
}

static void read_authority(struct json_reader *r, const struct json *json,
                           struct identity *identity)
{
    get_text(r, json, "ca_pem", &identity->ca_cert);
    get_text(r, json, "ca_cross_pem", &identity->ca_cross);
    get_base64(r, json, "ca_sealed_key", &identity->ca_sealed_key);
    get_base64(r, json, "sealed_token_secret", &identity->sealed_token_secret);
}

static void read_founding(struct json_reader *r, const struct json *json,
                          struct identity *identity)
{
    identity->ca_id = json_get_uuid(r, json, "ca_id");
    identity->token_id = json_get_uuid(r, json, "token_id");
}

static void read_peers(struct json_reader *r, const struct json *json,
                       struct identity *identity)
{
    const struct json *list = json_get_array(r, json, "peers");
    for (size_t i = 0; !r->failed && i < MIN(json_count(list), IDENTITY_PEERS_MAX); i++) {
        const struct json *row = json_at(r, list, i);
        struct identity_peer *peer = &identity->peers[i];
        peer->node_id = (uint64_t)json_get_int(r, row, "node_id", 1, INT64_MAX);
        struct slice address =
            json_get_string(r, row, "address", sizeof(peer->address) - 1);
        if (!r->failed)
            memcpy(peer->address, address.ptr, address.len);
        identity->peer_count++;
    }
}

static void read_stage(struct json_reader *r, const struct json *json,
                       struct identity *identity)
{
    struct slice text = json_get_string(r, json, "stage", 16);
    size_t i = 0;
    while (i < ARRAY_LEN(stages) && !slice_eq_str(text, stages[i]))
        i++;
    if (!r->failed && i == ARRAY_LEN(stages)) {
        r->failed = true;
        err_set(r->err, ERR_MALFORMED, "stage is none that this program knows");
    }
    identity->stage = (enum identity_stage)i;
}

static int open_key(const uint8_t *cell_key, const struct str *sealed,
                    struct identity *identity, struct err *err)
{
    if (crypto_open(cell_key, SEAL_KEY, str_slice(sealed), &identity->key_pem) == 0)
        return 0;
    return err_set(err, ERR_UNAUTHENTICATED,
                   "the cell key does not open this node's identity: give the key of the "
                   "cell that the data directory belongs to (--cell-key-file or "
                   "WEFT_CELL_KEY)");
}

static int read_json(const uint8_t *cell_key, const struct json *json,
                     struct identity *identity, struct err *err)
{
    struct json_reader r = {.err = err};
    struct str sealed;

    str_init(&sealed, SEALED_MAX);
    (void)json_get_int(&r, json, "version", VERSION, VERSION);
    read_stage(&r, json, identity);
    identity->cell_id = json_get_uuid(&r, json, "cell_id");
    identity->node_id = (uint64_t)json_get_int(&r, json, "node_id", 0, INT64_MAX);
    identity->instance = json_get_uuid(&r, json, "instance");
    identity->not_after_ms = json_get_int(&r, json, "not_after_ms", 0, INT64_MAX);
    identity->state_index = (uint64_t)json_get_int(&r, json, "state_index", 0, INT64_MAX);
    get_base64(&r, json, "sealed_key", &sealed);
    get_text(&r, json, "certificate_pem", &identity->chain_pem);
    get_text(&r, json, "ca_pem", &identity->ca_pem);
    read_peers(&r, json, identity);
    const struct json *authority = json_find(json, "authority");
    if (!r.failed && authority != NULL)
        read_authority(&r, authority, identity);
    if (!r.failed && identity->stage == IDENTITY_FOUNDING)
        read_founding(&r, json_get(&r, json, "founding"), identity);
    int code = r.failed ? ERR_DAMAGED : open_key(cell_key, &sealed, identity, err);
    str_fini(&sealed);
    return code;
}

int identity_load(const char *dir, const uint8_t cell_key[CRYPTO_KEY_LEN],
                  struct identity *identity, struct err *err)
{
    struct str text;
    struct json *json = NULL;

    str_init(&text, SMALL_FILE_MAX);
    int code = small_file_read(dir, IDENTITY_FILE, true, &text, err);
    if (code == 0 && json_parse(str_slice(&text), &json, err) != 0)
        code = ERR_DAMAGED;
    if (code == 0)
        code = read_json(cell_key, json, identity, err);
    if (code == ERR_DAMAGED && err != NULL)
        err->code = code;
    if (code == ERR_DAMAGED)
        code = err_wrap(err, ERR_DAMAGED, "%s/" IDENTITY_FILE, dir);
    json_free(json);
    str_fini(&text);
    return code;
}

/* --- the directory --- */

/* What a node leaves in its directory beside the identity. */
static bool is_node_file(const char *name)
{
    return strncmp(name, "wal-", 4) == 0 || strncmp(name, "state.db", 8) == 0 ||
           strcmp(name, "vote") == 0 || strcmp(name, "durable") == 0 ||
           strcmp(name, "ca.key") == 0;
}

enum identity_place identity_look(const char *dir)
{
    enum identity_place place = IDENTITY_NOTHING;
    const struct dirent *entry;
    DIR *d = opendir(dir);

    while (d != NULL && place != IDENTITY_THERE && (entry = readdir(d)) != NULL) {
        if (strcmp(entry->d_name, IDENTITY_FILE) == 0)
            place = IDENTITY_THERE;
        else if (is_node_file(entry->d_name))
            place = IDENTITY_FOREIGN;
    }
    if (d != NULL)
        closedir(d);
    return place;
}

/* --- the cell's key --- */

static int parse_key(struct slice text, const char *where, uint8_t *key, struct err *err)
{
    while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]) != NULL)
        text.len--;
    if (crypto_unhex(text, key, CRYPTO_KEY_LEN) == 0)
        return 0;
    return err_set(err, ERR_INVALID, "%s is not a cell key: want 64 hex digits", where);
}

static int make_key(const char *path, uint8_t *key, struct err *err)
{
    char hex[2 * CRYPTO_KEY_LEN + 2];
    crypto_random(key, CRYPTO_KEY_LEN);
    crypto_hex(key, CRYPTO_KEY_LEN, hex);
    hex[2 * CRYPTO_KEY_LEN] = '\n';
    hex[2 * CRYPTO_KEY_LEN + 1] = '\0';
    int code = small_file_create(NULL, path, slice_str(hex), 0600, err);
    explicit_bzero(hex, sizeof(hex));
    return code;
}

int identity_cell_key(const char *text, const char *path, bool make,
                      uint8_t key[CRYPTO_KEY_LEN], struct err *err)
{
    struct str file;

    if (text != NULL && text[0] != '\0')
        return parse_key(slice_str(text), "WEFT_CELL_KEY", key, err);
    str_init(&file, 4096);
    int code = small_file_read(NULL, path, true, &file, err);
    if (code == 0)
        code = parse_key(str_slice(&file), path, key, err);
    else if (code == ERR_NOT_FOUND && make)
        code = make_key(path, key, err);
    else if (code == ERR_NOT_FOUND)
        err_set(err, code,
                "there is no cell key in %s: copy the cell.key of the cell's first node "
                "and name it with --cell-key-file, or put it into WEFT_CELL_KEY",
                path);
    crypto_forget(&file);
    return code;
}
