/* backup.c - see backup.h.
 *
 * A download is checked while it comes (proto/snapshot_file.h), written beside its place,
 * synced, and only then renamed: what bears the name is whole. A connection that breaks
 * begins again from the front: a backup is of one moment, the rest of another would not
 * fit. */
#include "cli/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/file.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/source.h"
#include "common/clock.h"
#include "common/mem.h"
#include "proto/snapshot_file.h"

#define TRIES       3
#define PIECE_BYTES ((uint64_t)4 << 20)
#define SHOW_MS     500
#define PATH_ROOM   4096
#define PLACE_MAX   300 /* of the API */

/* Where a download goes. */
struct sink {
    const struct cli *cli;
    int fd;
    struct snapshot_reader reader;
    uint64_t bytes;
    int64_t shown_ms;
    bool terminal;
    struct err err; /* ours: a full disk, damage */
};

static const struct column columns[] = {
    {"BACKUP", "place", CELL_TEXT},
    {"CELL", "cell_id", CELL_TEXT},
    {"APPLIED INDEX", "applied_index", CELL_INT},
    {"TERM", "term", CELL_INT},
    {"FEATURE LEVEL", "feature_level", CELL_INT},
    {"TAKEN (UTC)", "taken_at_ms", CELL_TIME},
    {"SIZE", "size_bytes", CELL_BYTES},
    {"PLAIN SIZE", "plain_bytes", CELL_BYTES},
    {"SHA-256", "sha256", CELL_TEXT},
    {NULL, NULL, CELL_TEXT},
};

/* Where a backup lies, as others may know it: without the query of a URL, which may say
 * more than they should know; with the machine's name for a file. */
static void place_of(const char *where, struct str *place)
{
    char host[256] = "localhost";
    const char *path = strncmp(where, "file://", 7) == 0 ? where + 7 : where;

    if (source_is_store(where)) {
        str_append(place, where, strcspn(where, "?"));
        return;
    }
    char *whole = realpath(path, NULL);
    (void)gethostname(host, sizeof(host) - 1);
    str_printf(place, "file://%s", host);
    for (const char *c = whole == NULL ? path : whole; *c != '\0'; c++)
        str_printf(place, *c > ' ' && *c <= '~' ? "%c" : "%%%02X", (unsigned char)*c);
    mem_free(whole);
}

/* What POST /api/v1/backups takes. */
static struct json *record_json(const char *where, const struct snapshot_info *info,
                                uint64_t file_bytes)
{
    struct json *object = json_object();
    char sha256[2 * SHA256_LEN + 1];
    struct str place;

    str_init(&place, 4 * PATH_ROOM);
    place_of(where, &place);
    crypto_hex(info->sha256, SHA256_LEN, sha256);
    json_set(object, "place",
             json_slice(slice_of(str_cstr(&place), MIN(place.len, PLACE_MAX))));
    json_set(object, "applied_index", json_int((int64_t)info->index));
    json_set(object, "size_bytes", json_int((int64_t)file_bytes));
    json_set(object, "taken_at_ms", json_int(info->created_at_ms));
    json_set(object, "sha256", json_string(sha256));
    str_fini(&place);
    return object;
}

static void show(const struct cli *cli, const char *where,
                 const struct snapshot_info *info, uint64_t file_bytes)
{
    struct json *object = record_json(where, info, file_bytes);

    json_set(object, "cell_id", json_uuid(&info->cell_id));
    json_set(object, "term", json_int((int64_t)info->term));
    json_set(object, "feature_level", json_int(info->feature_level));
    json_set(object, "plain_bytes", json_int((int64_t)info->plain_bytes));
    output_one(cli, columns, object);
    json_free(object);
}

/* Note the backup in the cell's list; ANSWER is the entry. */
static int record(struct cli *cli, const char *where, const struct snapshot_info *info,
                  uint64_t file_bytes, struct rest_answer *answer)
{
    struct json *body = record_json(where, info, file_bytes);
    const struct rest_request request = {
        .method = "POST", .path = "/api/v1/backups", .body = body};
    int rc = cli_send(cli, &request, answer);

    json_free(body);
    return rc;
}

/* ---- progress ---- */

static void progress(struct sink *sink)
{
    int64_t now_ms = clock_monotonic_ms();
    struct str line;

    if (!sink->terminal || sink->cli->quiet || now_ms - sink->shown_ms < SHOW_MS)
        return;
    sink->shown_ms = now_ms;
    str_init(&line, 256);
    format_bytes((int64_t)sink->bytes, &line);
    if (sink->reader.headed && sink->reader.info.plain_bytes > 0)
        str_printf(&line, ", %" PRIu64 " %%",
                   sink->reader.plain_bytes * 100 / sink->reader.info.plain_bytes);
    (void)fprintf(stderr, "\r\033[K%s", str_cstr(&line));
    str_fini(&line);
}

static void progress_end(const struct sink *sink)
{
    if (sink->terminal && sink->shown_ms != 0 && !sink->cli->quiet)
        (void)fputs("\r\033[K", stderr);
}

/* ---- create ---- */

static int on_bytes(struct slice bytes, void *arg)
{
    struct sink *sink = arg;
    int rc = snapshot_reader_feed(&sink->reader, bytes, NULL, NULL, &sink->err);

    if (rc == 0)
        rc = file_write(sink->fd, bytes, &sink->err);
    sink->bytes += bytes.len;
    progress(sink);
    return rc;
}

/* Once from the front; *AGAIN when another try makes sense. */
static int download_once(struct cli *cli, struct sink *sink, bool *again)
{
    const struct rest_request request = {.method = "GET",
                                         .path = "/api/v1/backups/download",
                                         .on_body = on_bytes,
                                         .arg = sink};
    struct rest_answer answer;
    struct err err = {0};

    sink->err.code = 0;
    sink->bytes = 0;
    if (ftruncate(sink->fd, 0) != 0 || lseek(sink->fd, 0, SEEK_SET) != 0) {
        cli_error(cli, "the temporary file: %s", strerror(errno));
        return CLI_FAILED;
    }
    int code = rest_send(cli->rest, &request, &answer, &err);
    int rc = 0;
    *again = sink->bytes > 0 && sink->err.code == 0 &&
             (code == ERR_CLOSED || code == ERR_TIMEOUT || code == ERR_UNAVAILABLE);
    if (sink->err.code != 0) {
        cli_error(cli, "%s", sink->err.text);
        rc = CLI_FAILED;
    } else if (code != 0) {
        rc = cli_explain(cli, code, &answer, &err);
    } else if (!sink->reader.ended) {
        cli_error(cli, "the backup ended early, after %" PRIu64 " bytes", sink->bytes);
        *again = true;
        rc = CLI_FAILED;
    }
    rest_answer_fini(&answer);
    return rc;
}

static int download(struct cli *cli, int fd, struct snapshot_info *info, uint64_t *bytes)
{
    struct sink sink = {.cli = cli, .fd = fd, .terminal = isatty(STDERR_FILENO) != 0};
    bool again = true;
    int rc = CLI_FAILED;

    for (int i = 0; i < TRIES && again; i++) {
        again = false;
        if (i > 0)
            cli_note(cli, "once more from the front");
        snapshot_reader_init(&sink.reader);
        rc = download_once(cli, &sink, &again);
        *info = sink.reader.info;
        *bytes = sink.bytes;
        snapshot_reader_fini(&sink.reader);
        progress_end(&sink);
        if (rc == 0)
            break;
    }
    return rc;
}

/* The temporary file's content to the object store. */
static int upload(struct cli *cli, const char *temporary, const char *where)
{
    struct source *source;
    struct slice bytes;
    struct err err = {0};
    int rc = source_open(temporary, &source, &err);

    if (rc == 0) {
        cli_note(cli, "putting %" PRIu64 " bytes into the store", source_size(source));
        rc = source_read(source, 0, source_size(source), &bytes, &err);
        if (rc == 0)
            rc = source_put(where, bytes, &err);
        source_close(source);
    }
    return rc == 0 ? 0 : cli_fail(cli, rc, &err);
}

static int create_at(struct cli *cli, const char *where, const char *path, bool store)
{
    char *temporary = mem_alloc(strlen(path) + FILE_TEMPORARY_LEN);
    struct snapshot_info info = {0};
    struct err err = {0};
    uint64_t bytes = 0;
    int fd;
    int rc = file_temporary(path, temporary, &fd, &err);

    if (rc != 0) {
        cli_error(cli, "%s", err.text);
        mem_free(temporary);
        return CLI_FAILED;
    }
    rc = download(cli, fd, &info, &bytes);
    if (rc == 0 && store)
        rc = upload(cli, temporary, where);
    if (rc != 0 || store) {
        file_drop(temporary, fd);
    } else if (file_keep(temporary, fd, path, &err) != 0) {
        cli_error(cli, "%s", err.text);
        rc = CLI_FAILED;
    }
    if (rc == 0)
        show(cli, where, &info, bytes);
    if (rc == 0 && !args_on(&cli->args, "no-record")) {
        struct rest_answer answer;
        if (record(cli, where, &info, bytes, &answer) != 0)
            cli_note(cli,
                     "the backup is good, but the cell's list does not know of it: "
                     "weft backup record %s",
                     where);
        rest_answer_fini(&answer);
    }
    mem_free(temporary);
    return rc;
}

int backup_create(struct cli *cli)
{
    const char *where = args_value(&cli->args, "file_or_url");
    const char *scratch = getenv("TMPDIR");
    bool store = source_is_store(where);
    struct stat st;
    struct str path;
    struct err err = {0};
    int rc = cli_connect(cli);

    if (rc != 0)
        return rc;
    if (store && source_check_store(where, &err) != 0) {
        cli_error(cli, "%s", err.text);
        return CLI_USAGE;
    }
    str_init(&path, PATH_ROOM);
    if (store)
        str_printf(&path, "%s/weft-backup",
                   scratch != NULL && *scratch == '/' ? scratch : "/tmp");
    else
        str_puts(&path, strncmp(where, "file://", 7) == 0 ? where + 7 : where);
    if (!store && !args_on(&cli->args, "force") && stat(str_cstr(&path), &st) == 0) {
        cli_error(cli, "%s is there already: choose another name, or --force",
                  str_cstr(&path));
        rc = CLI_CONFLICT;
    }
    if (rc == 0)
        rc = create_at(cli, where, str_cstr(&path), store);
    str_fini(&path);
    return rc;
}

/* ---- verify, fetch ---- */

/* Read all of SOURCE, and write it to FD unless that is -1. */
static int verify(struct source *source, struct snapshot_reader *reader, int fd,
                  struct err *err)
{
    uint64_t size = source_size(source);
    int rc = 0;

    for (uint64_t at = 0; rc == 0 && at < size;) {
        struct slice bytes;
        rc = source_read(source, at, MIN(PIECE_BYTES, size - at), &bytes, err);
        if (rc == 0)
            rc = snapshot_reader_feed(reader, bytes, NULL, NULL, err);
        if (rc == 0 && fd >= 0)
            rc = file_write(fd, bytes, err);
        at += PIECE_BYTES;
        source_forget(source);
    }
    if (rc == 0 && !reader->ended)
        rc = err_set(err, ERR_DAMAGED, "it is cut: %" PRIu64 " bytes are not all", size);
    return rc;
}

/* Check the backup at WHERE, and copy it to FD unless that is -1; an exit code. */
static int check(struct cli *cli, const char *where, int fd, struct snapshot_info *info,
                 uint64_t *file_bytes)
{
    struct snapshot_reader reader;
    struct source *source;
    struct err err = {0};
    int rc = source_open(where, &source, &err);

    if (rc == 0) {
        snapshot_reader_init(&reader);
        if ((rc = verify(source, &reader, fd, &err)) != 0)
            (void)err_wrap(&err, rc, "%.120s", where);
        *info = reader.info;
        *file_bytes = source_size(source);
        snapshot_reader_fini(&reader);
        source_close(source);
    }
    if (rc == 0)
        return CLI_OK;
    cli_error(cli, "%s", err.text);
    return CLI_FAILED;
}

int backup_verify(struct cli *cli)
{
    const char *where = args_value(&cli->args, "file_or_url");
    struct snapshot_info info;
    uint64_t bytes;
    int rc = check(cli, where, -1, &info, &bytes);

    if (rc != 0)
        return rc;
    show(cli, where, &info, bytes);
    cli_note(cli, "ok: every checksum is right");
    return CLI_OK;
}

int backup_fetch(struct cli *cli)
{
    const char *where = args_value(&cli->args, "file_or_url");
    const char *path = args_value(&cli->args, "file");
    char *temporary = mem_alloc(strlen(path) + FILE_TEMPORARY_LEN);
    struct snapshot_info info;
    struct err err = {0};
    struct stat st;
    uint64_t bytes;
    int fd, rc;

    if (!args_on(&cli->args, "force") && stat(path, &st) == 0) {
        cli_error(cli, "%s is there already: choose another name, or --force", path);
        rc = CLI_CONFLICT;
    } else if (file_temporary(path, temporary, &fd, &err) != 0) {
        cli_error(cli, "%s", err.text);
        rc = CLI_FAILED;
    } else if ((rc = check(cli, where, fd, &info, &bytes)) != 0) {
        file_drop(temporary, fd);
    } else if (file_keep(temporary, fd, path, &err) != 0) {
        cli_error(cli, "%s", err.text);
        rc = CLI_FAILED;
    } else {
        show(cli, where, &info, bytes);
    }
    mem_free(temporary);
    return rc;
}

int backup_record(struct cli *cli)
{
    const char *where = args_value(&cli->args, "file_or_url");
    struct snapshot_info info;
    struct rest_answer answer;
    uint64_t bytes;
    int rc = cli_connect(cli);

    if (rc == 0)
        rc = check(cli, where, -1, &info, &bytes);
    if (rc != 0)
        return rc;
    rc = record(cli, where, &info, bytes, &answer);
    if (rc == 0)
        output_one(cli, cli->args.command->wide, answer.body);
    rest_answer_fini(&answer);
    return rc;
}
