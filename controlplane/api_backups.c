/* api_backups.c - people's calls about backups: taking one, listing and noting them. */
#include "controlplane/api.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlplane/change.h"
#include "controlplane/list.h"
#include "controlplane/one.h"

#define PLACE_MAX 300

struct backup_row {
    struct uuid id;
    const char *place; /* in the arena */
    uint64_t applied_index, size_bytes;
    int64_t taken_at_ms, recorded_at_ms;
    uint8_t sha256[SHA256_LEN];
};

static struct json *row_json(const void *out)
{
    const struct backup_row *row = out;
    struct json *value = json_object();
    char hex[2 * SHA256_LEN + 1];
    crypto_hex(row->sha256, SHA256_LEN, hex);
    json_set(value, "id", json_uuid(&row->id));
    json_set(value, "place", json_string(row->place));
    json_set(value, "applied_index", json_int((int64_t)row->applied_index));
    json_set(value, "size_bytes", json_int((int64_t)row->size_bytes));
    json_set(value, "taken_at_ms", json_int(row->taken_at_ms));
    json_set(value, "recorded_at_ms", json_int(row->recorded_at_ms));
    json_set(value, "sha256", json_string(hex));
    return value;
}

static void copy_backup(struct node *node, struct call *call, const void *from, void *out)
{
    const struct backup_info *backup = from;
    struct backup_row *row = out;
    (void)node;
    *row = (struct backup_row){
        .id = backup->backup_id,
        .place = arena_strdup(&call->arena, slice_str(backup->place)),
        .applied_index = backup->applied_index,
        .size_bytes = backup->size_bytes,
        .taken_at_ms = backup->taken_at_ms,
        .recorded_at_ms = backup->recorded_at_ms,
    };
    memcpy(row->sha256, backup->sha256, SHA256_LEN);
}

/* --- GET /api/v1/backups --- */

static const void *next_backup(struct node *node, const struct call *call,
                               const void *row)
{
    (void)call;
    return state_backup_next(node_state(node), row);
}

/* There are a hundred at most. */
static const struct backup_info *find_by_id(struct node *node, const struct uuid *id)
{
    const struct backup_info *backup = NULL;
    while ((backup = state_backup_next(node_state(node), backup)) != NULL)
        if (uuid_eq(&backup->backup_id, id))
            return backup;
    return NULL;
}

static const void *find_backup(struct node *node, const struct call *call,
                               const struct page_key *key)
{
    (void)call;
    return find_by_id(node, &key->id);
}

static void key_of_backup(const void *row, unsigned sort, struct page_key *key)
{
    const struct backup_info *backup = row;
    (void)sort;
    key->id = backup->backup_id;
    key->number = backup->recorded_at_ms;
}

static const char *const backup_sorts[] = {"recorded_at_ms", NULL};
static const struct list_source backups_source = {
    .sorts = backup_sorts,
    .newest_first = true,
    .row_bytes = sizeof(struct backup_row),
    .next = next_backup,
    .find = find_backup,
    .key = key_of_backup,
    .copy = copy_backup,
    .print = row_json,
};

void api_backups_list(struct call *call)
{
    list_start(call, &backups_source);
}

/* --- GET /api/v1/backups/download --- */

/* The file has no name any more when it is sent: whatever happens, it does not stay. */
struct download {
    struct node_snapshot snapshot;
    struct call *call;
    int file;
};

static void open_file(struct call *call, struct download *download)
{
    const char *path = download->snapshot.path;
    download->file = open(path, O_RDONLY | O_CLOEXEC);
    if (download->file < 0)
        call_fail(call, ERR_IO, "the backup that was made cannot be read: %s",
                  strerror(errno));
    unlink(path);
}

static void on_snapshot(struct node_snapshot *snapshot, int code, const struct err *err)
{
    struct download *download = CONTAINER_OF(snapshot, struct download, snapshot);
    struct call *call = download->call;
    if (code == ERR_CONFLICT)
        call_fail(call, ERR_OVERLOADED, "other backups are being made: try again soon");
    else if (code != 0)
        call_fail(call, code, "%s", err->text);
    else
        open_file(call, download);
    call_done(call);
}

static void download_core(struct node *node, struct call *call)
{
    struct download *download = call->data;
    node_make_snapshot(node, &download->snapshot);
}

static void download_answer(struct call *call)
{
    struct download *download = call->data;
    int file = download->file;
    download->file = -1;
    http_exchange_reply_file(call->x, "application/octet-stream", file,
                             download->snapshot.file_bytes);
}

static void close_file(struct call *call)
{
    struct download *download = call->data;
    if (download->file >= 0)
        close(download->file);
}

void api_backups_download(struct call *call)
{
    struct download *download = arena_alloc(&call->arena, sizeof(*download));
    char id[UUID_TEXT_LEN + 1];

    memset(download, 0, sizeof(*download));
    download->call = call;
    download->file = -1;
    download->snapshot.done = on_snapshot;
    snprintf(download->snapshot.path, sizeof(download->snapshot.path),
             "%s/download-%s.part", call->service->options->data_dir,
             uuid_print(&call->request_id, id));
    call->data = download;
    call->cleanup = close_file;
    call_ask(call, download_core, download_answer);
}

/* --- GET /api/v1/backups/{backup} --- */

struct backup_change {
    struct change change;
    struct uuid id;
    struct backup_row row;
};

static const void *want_backup(struct node *node, struct call *call)
{
    const struct backup_change *want = call->data;
    const struct backup_info *backup = find_by_id(node, &want->id);
    if (backup == NULL)
        call_fail(call, ERR_NOT_FOUND, "no backup of this id is remembered");
    return backup;
}

static const struct one_source backup_source = {
    .rows = &backups_source,
    .row_at = offsetof(struct backup_change, row),
    .version_at = ONE_NO_VERSION,
    .want = want_backup,
};

void api_backups_get(struct call *call)
{
    struct backup_change *get = arena_alloc(&call->arena, sizeof(*get));
    call->data = get;
    if (call_path_uuid(call, &get->id))
        one_start(call, &backup_source);
}

/* --- POST /api/v1/backups --- */

static void record_copy(struct node *node, struct call *call, struct change *change)
{
    struct backup_change *record = CONTAINER_OF(change, struct backup_change, change);
    const struct command *cmd = &change->cmd;
    (void)node;
    record->row = (struct backup_row){
        .id = change->result.id,
        .place = arena_strdup(&call->arena, cmd->backup_record.place),
        .applied_index = cmd->backup_record.applied_index,
        .size_bytes = cmd->backup_record.size_bytes,
        .taken_at_ms = cmd->backup_record.taken_at_ms,
        .recorded_at_ms = change->result.at_ms,
    };
    memcpy(record->row.sha256, cmd->backup_record.sha256, SHA256_LEN);
}

static void record_answer(struct call *call)
{
    const struct backup_change *record = call->data;
    char id[UUID_TEXT_LEN + 1];
    call_location(call, "/api/v1/backups/%s", uuid_print(&record->row.id, id));
    call_reply_json(call, 201, row_json(&record->row));
}

static bool place_ok(struct slice place)
{
    for (size_t i = 0; i < place.len; i++)
        if (place.ptr[i] < ' ' || place.ptr[i] > '~')
            return false;
    return place.len > 0;
}

void api_backups_record(struct call *call)
{
    struct backup_change *record = arena_alloc(&call->arena, sizeof(*record));
    struct change *change = &record->change;
    struct command *cmd = &change->cmd;
    struct json_reader r = call_reader(call);

    if (!call_check_members(call,
                            "place, applied_index, size_bytes, taken_at_ms, sha256"))
        return;
    cmd->kind = COMMAND_BACKUP_RECORD;
    change->made_id = uuid_random();
    cmd->backup_record.backup_id = change->made_id;
    cmd->backup_record.place = json_get_string(&r, call->body, "place", PLACE_MAX);
    cmd->backup_record.applied_index =
        (uint64_t)json_get_int(&r, call->body, "applied_index", 0, CALL_TIME_MAX);
    cmd->backup_record.size_bytes =
        (uint64_t)json_get_int(&r, call->body, "size_bytes", 0, CALL_TIME_MAX);
    cmd->backup_record.taken_at_ms =
        json_get_int(&r, call->body, "taken_at_ms", 0, CALL_TIME_MAX);
    struct slice hex = json_get_string(&r, call->body, "sha256", 2 * SHA256_LEN);
    if (!r.failed && !place_ok(cmd->backup_record.place))
        call_fail(call, ERR_INVALID, "place: want printable ASCII");
    if (!r.failed && crypto_unhex(hex, cmd->backup_record.sha256, SHA256_LEN) != 0)
        call_fail(call, ERR_INVALID, "sha256: want 64 hex digits");
    if (call->err.code != 0)
        return;
    change->what = "backup";
    change->copy = record_copy;
    change->answer = record_answer;
    call_target(call, "backups/%.*s", (int)cmd->backup_record.place.len,
                (const char *)cmd->backup_record.place.ptr);
    change_start(call, change);
}
