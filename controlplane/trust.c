/* trust.c - the certificate authority's files, certificates, tokens.
 *
 * Files are written beside their final name, synced and renamed, so that a crash in the
 * first start leaves either nothing or a whole file. The key comes before the
 * certificate: a key alone is completed at the next start; nobody can have seen its
 * certificate. */
#include "controlplane/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/mem.h"
#include "common/x509.h"

#define CA_NAME     "Weft control plane CA"
#define CA_DAYS     3650
#define TOKEN_BYTES 32
#define FILE_MAX    (64 * KIB)
#define NAMES_MAX   64
/* Certificates begin a little in the past: clocks differ. */
#define BACKDATE_MS (5 * 60 * 1000)

#define ADMIN_PREFIX "weft_admin_"
#define ENROL_PREFIX "weft_enrol_"

struct trust {
    struct str ca_key, ca_cert;
    char fingerprint[X509_FINGERPRINT_LEN + 1];
    uint8_t admin_hash[SHA256_LEN];
    char *admin_token_file;
    char *names_text;
    const char *names[NAMES_MAX + 1];
    int64_t agent_life_ms, server_life_ms;
};

/* --- files --- */

static int write_all(int fd, struct slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        bytes = slice_of(bytes.ptr + n, bytes.len - (size_t)n);
    }
    return 0;
}

static void sync_directory_of(const char *path)
{
    char *dir = mem_strdup(path);
    char *slash = strrchr(dir, '/');
    if (slash != NULL)
        slash[slash == dir ? 1 : 0] = '\0';
    int fd = open(slash == NULL ? "." : dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    mem_free(dir);
}

int trust_write_file(const char *path, struct slice bytes, unsigned mode, struct err *err)
{
    struct str temporary;
    int code = 0;

    str_init(&temporary, 4 * KIB);
    str_printf(&temporary, "%s.new", path);
    unlink(str_cstr(&temporary));
    int fd = open(str_cstr(&temporary), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 || write_all(fd, bytes) != 0 || fsync(fd) != 0)
        code = err_set_errno(err, errno, "write %s", path);
    if (fd >= 0)
        close(fd);
    if (code == 0 && rename(str_cstr(&temporary), path) != 0)
        code = err_set_errno(err, errno, "rename to %s", path);
    if (code == 0)
        sync_directory_of(path);
    str_fini(&temporary);
    return code;
}

/* Append the file's bytes; ERR_NOT_FOUND without one. SECRET: nobody else may read it. */
static int read_file(const char *path, bool secret, struct str *out, struct err *err)
{
    char buf[4096];
    struct stat st;
    ssize_t n;
    int code = 0;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set_errno(err, errno, "open %s", path);
    if (fstat(fd, &st) != 0)
        code = err_set_errno(err, errno, "stat %s", path);
    else if (secret && (st.st_mode & 077) != 0)
        code = err_set(err, ERR_FORBIDDEN,
                       "%s is secret but others may read it: chmod 600 it", path);
    while (code == 0 && (n = read(fd, buf, sizeof(buf))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            code = err_set_errno(err, errno, "read %s", path);
        else
            str_append(out, buf, (size_t)n);
    }
    close(fd);
    if (code == 0 && out->overflowed)
        code = err_set(err, ERR_TOO_LARGE, "%s is larger than it can be", path);
    return code;
}

/* --- the certificate authority --- */

static int load_ca(struct trust *trust, const char *key_path, const char *cert_path,
                   struct err *err)
{
    int code = read_file(key_path, true, &trust->ca_key, err);
    if (code == ERR_NOT_FOUND && access(cert_path, F_OK) == 0)
        return err_set(
            err, ERR_DAMAGED,
            "%s is there but its key %s is not: restore the key from a backup, "
            "or move the certificate away to begin anew (all agents must then "
            "enrol again)",
            cert_path, key_path);
    if (code == ERR_NOT_FOUND) {
        code = x509_make_key(&trust->ca_key, err);
        if (code == 0)
            code = trust_write_file(key_path, str_slice(&trust->ca_key), 0600, err);
    }
    if (code != 0)
        return code;
    code = read_file(cert_path, false, &trust->ca_cert, err);
    if (code != ERR_NOT_FOUND)
        return code;
    code =
        x509_make_ca(str_slice(&trust->ca_key), CA_NAME, CA_DAYS, &trust->ca_cert, err);
    if (code != 0)
        return code;
    return trust_write_file(cert_path, str_slice(&trust->ca_cert), 0644, err);
}

static int open_ca(struct trust *trust, const char *dir, struct err *err)
{
    struct str key_path, cert_path, print_path;
    char line[X509_FINGERPRINT_LEN + 2];

    str_init(&key_path, 4 * KIB);
    str_init(&cert_path, 4 * KIB);
    str_init(&print_path, 4 * KIB);
    str_printf(&key_path, "%s/ca.key", dir);
    str_printf(&cert_path, "%s/ca.crt", dir);
    str_printf(&print_path, "%s/ca.fingerprint", dir);
    int code = load_ca(trust, str_cstr(&key_path), str_cstr(&cert_path), err);
    if (code == 0)
        code = x509_fingerprint(str_slice(&trust->ca_cert), trust->fingerprint, err);
    if (code == 0) {
        snprintf(line, sizeof(line), "%s\n", trust->fingerprint);
        code = trust_write_file(str_cstr(&print_path), slice_str(line), 0644, err);
    }
    str_fini(&key_path);
    str_fini(&cert_path);
    str_fini(&print_path);
    return code;
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && strchr(" \t\r\n", s.ptr[s.len - 1]) != NULL)
        s.len--;
    return s;
}

static int open_admin_token(struct trust *trust, struct err *err)
{
    char token[TOKEN_TEXT_MAX];
    struct str text;

    str_init(&text, FILE_MAX);
    int code = read_file(trust->admin_token_file, true, &text, err);
    if (code == ERR_NOT_FOUND) {
        token_make(TOKEN_ADMIN, token, trust->admin_hash);
        str_printf(&text, "%s\n", token);
        code = trust_write_file(trust->admin_token_file, str_slice(&text), 0600, err);
    } else if (code == 0) {
        struct slice found = trim(str_slice(&text));
        token_hash(found, trust->admin_hash);
        if (found.len < 32)
            code = err_set(err, ERR_INVALID,
                           "the admin token in %s is shorter than 32 characters: remove "
                           "the file to have one made",
                           trust->admin_token_file);
    }
    str_fini(&text);
    return code;
}

static int split_names(struct trust *trust, const char *names, struct err *err)
{
    char *rest = NULL;
    size_t count = 0;

    trust->names_text = mem_strdup(names);
    for (char *name = strtok_r(trust->names_text, ", ", &rest); name != NULL;
         name = strtok_r(NULL, ", ", &rest)) {
        if (count == NAMES_MAX)
            return err_set(err, ERR_TOO_LARGE, "more than %d TLS names", NAMES_MAX);
        trust->names[count++] = name;
    }
    if (count == 0)
        return err_set(err, ERR_INVALID, "no TLS name is given for the listeners");
    return 0;
}

int trust_open(const struct trust_options *options, struct trust **out, struct err *err)
{
    struct trust *trust = mem_zalloc(sizeof(*trust));
    struct str path;

    str_init(&path, 4 * KIB);
    str_init(&trust->ca_key, FILE_MAX);
    str_init(&trust->ca_cert, FILE_MAX);
    trust->agent_life_ms = options->agent_life_ms;
    trust->server_life_ms = options->server_life_ms;
    str_printf(&path, "%s/admin-token", options->data_dir);
    trust->admin_token_file = mem_strdup(
        options->admin_token_file != NULL ? options->admin_token_file : str_cstr(&path));
    int code = split_names(trust, options->tls_names, err);
    if (code == 0)
        code = open_ca(trust, options->data_dir, err);
    if (code == 0)
        code = open_admin_token(trust, err);
    str_fini(&path);
    if (code != 0) {
        trust_close(trust);
        return code;
    }
    *out = trust;
    return 0;
}

void trust_close(struct trust *trust)
{
    if (trust == NULL)
        return;
    if (trust->ca_key.data != NULL)
        explicit_bzero(trust->ca_key.data, trust->ca_key.len);
    str_fini(&trust->ca_key);
    str_fini(&trust->ca_cert);
    mem_free(trust->admin_token_file);
    mem_free(trust->names_text);
    mem_free(trust);
}

struct slice trust_ca_pem(const struct trust *trust)
{
    return str_slice(&trust->ca_cert);
}

const char *trust_ca_fingerprint(const struct trust *trust)
{
    return trust->fingerprint;
}

const char *trust_admin_token_file(const struct trust *trust)
{
    return trust->admin_token_file;
}

int trust_issue_server(const struct trust *trust, int64_t now_ms, struct str *cert_pem,
                       struct str *key_pem, struct err *err)
{
    struct x509_profile profile = {
        .common_name = "weft-controlplane",
        .dns_san = trust->names,
        .server = true,
        .not_before_ms = now_ms - BACKDATE_MS,
        .not_after_ms = now_ms + trust->server_life_ms,
    };
    return x509_issue(str_slice(&trust->ca_key), str_slice(&trust->ca_cert), &profile,
                      key_pem, cert_pem, err);
}

int trust_sign_agent(const struct trust *trust, struct slice request_pem,
                     const struct uuid *cluster_id, const struct uuid *agent_id,
                     int64_t now_ms, struct str *cert_pem, int64_t *not_after_ms,
                     struct err *err)
{
    char uri[128], name[UUID_TEXT_LEN + 1];
    x509_agent_uri(cluster_id, agent_id, uri);
    struct x509_profile profile = {
        .common_name = uuid_print(agent_id, name),
        .uri_san = uri,
        .client = true,
        .not_before_ms = now_ms - BACKDATE_MS,
        .not_after_ms = now_ms + trust->agent_life_ms,
    };
    int code = x509_sign_request(str_slice(&trust->ca_key), str_slice(&trust->ca_cert),
                                 request_pem, &profile, cert_pem, err);
    if (code == 0)
        *not_after_ms = profile.not_after_ms;
    return code;
}

bool trust_is_admin(const struct trust *trust, struct slice token)
{
    uint8_t hash[SHA256_LEN];
    token_hash(token, hash);
    return crypto_equal(hash, trust->admin_hash, SHA256_LEN);
}

/* --- tokens --- */

void token_make(enum token_kind kind, char text[TOKEN_TEXT_MAX], uint8_t hash[SHA256_LEN])
{
    uint8_t random[TOKEN_BYTES];
    char hex[2 * TOKEN_BYTES + 1];

    ASSERT(kind == TOKEN_ADMIN || kind == TOKEN_ENROL);
    crypto_random(random, sizeof(random));
    crypto_hex(random, sizeof(random), hex);
    snprintf(text, TOKEN_TEXT_MAX, "%s%s",
             kind == TOKEN_ADMIN ? ADMIN_PREFIX : ENROL_PREFIX, hex);
    token_hash(slice_str(text), hash);
}

void token_hash(struct slice token, uint8_t hash[SHA256_LEN])
{
    crypto_sha256(token, hash);
}

static bool has_prefix(struct slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && memcmp(s.ptr, prefix, len) == 0;
}

int token_kind_of(struct slice token)
{
    if (has_prefix(token, ADMIN_PREFIX))
        return TOKEN_ADMIN;
    if (has_prefix(token, ENROL_PREFIX))
        return TOKEN_ENROL;
    return TOKEN_UNKNOWN;
}

struct slice token_of_header(const char *authorization)
{
    if (authorization == NULL || strncasecmp(authorization, "Bearer ", 7) != 0)
        return SLICE_NULL;
    const char *token = authorization + 7;
    while (*token == ' ')
        token++;
    struct slice text = trim(slice_str(token));
    return text.len == 0 || text.len >= TOKEN_TEXT_MAX * 2 ? SLICE_NULL : text;
}
