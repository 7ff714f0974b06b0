/* backup.c - one backup after the other, as a machine that goes from step to step.
 *
 *   IDLE -> LOOKING -> SNAPSHOT -> PUTTING -> NOTING -> LISTING -> DELETING -> IDLE
 *
 * LOOKING, SNAPSHOT and NOTING are answered by the core thread, the others by the store's
 * threads; each answer comes as a message to this thread, which takes the next step. */
#include "controlplane/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/crc32c.h"
#include "common/crypto.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/store.h"
#include "controlplane/node.h"
#include "controlplane/state.h"

#define LOOK_MIN_MS        1000
#define LOOK_MAX_MS        60000
#define ATTEMPT_TIMEOUT_MS (INT64_C(20) * 60 * 1000)
#define REQUEST_LIMIT_MS   60000 /* until a request of the store has failed */
#define RATE_MIN           1000  /* that of a PUT may be later: bytes a millisecond */
#define NAME_BYTES         160
#define S3_PUT_MAX         (UINT64_C(5) << 30)
/* Types of messages, besides STORE_REPLY. */
enum { WORD_BEGIN = 1, WORD_END, WORD_ANSWERED };

enum step { IDLE, LOOKING, SNAPSHOT, PUTTING, NOTING, LISTING, DELETING };

/* What the core thread is asked; one is under way at a time. */
struct question {
    struct ask ask;
    struct proposal proposal;
    struct node_snapshot snapshot;
    struct message answered; /* back to this thread */
    struct backup *backup;
    bool due;
    int code;
    struct err err;
};

struct backup {
    struct backup_options options;
    char *url, *dir;
    struct loop_thread thread;
    struct mailbox mailbox; /* answers of the core thread and of the store */
    struct loop_timer timer;
    struct store *store;
    enum step step;
    bool stopping;
    struct message begin;
    sem_t ended;
    struct question question;
    /* the one being made */
    char name[NAME_BYTES];
    void *map;
    size_t map_bytes;
    struct slice piece;
    struct store_request request;
    char **names; /* in the store, oldest first */
    size_t name_count, name_at;
    atomic_uint_fast64_t made, failures;
    atomic_int_fast64_t last_made_at_ms;
};

/* ---- asking the core thread ---- */

static void answer(struct question *question)
{
    mailbox_send(&question->backup->mailbox, &question->answered);
}

static void ask(struct backup *backup, enum step next,
                void (*run)(struct node *node, struct ask *ask),
                void (*done)(struct ask *ask))
{
    backup->step = next;
    backup->question.code = 0;
    backup->question.ask.run = run;
    backup->question.ask.done = done;
    node_send(backup->options.node, &backup->question.ask);
}

static void on_ask_done(struct ask *ask)
{
    answer(CONTAINER_OF(ask, struct question, ask));
}

/* Core thread: is it our turn, and time? */
static void run_look(struct node *node, struct ask *ask)
{
    struct question *question = CONTAINER_OF(ask, struct question, ask);
    const struct backup_info *backup = NULL;
    int64_t last_ms = 0;

    question->due = false;
    if (node_can_read(node)) {
        while ((backup = state_backup_next(node_state(node), backup)) != NULL)
            last_ms = MAX(last_ms, backup->taken_at_ms);
        question->due = node_now_ms(node) - last_ms >= question->backup->options.every_ms;
    }
    ask_done(ask);
}

static void on_snapshot(struct node_snapshot *snapshot, int code, const struct err *err)
{
    struct question *question = CONTAINER_OF(snapshot, struct question, snapshot);
    question->code = code;
    if (code != 0)
        question->err = *err;
    ask_done(&question->ask);
}

static void run_snapshot(struct node *node, struct ask *ask)
{
    struct question *question = CONTAINER_OF(ask, struct question, ask);
    question->snapshot.done = on_snapshot;
    node_make_snapshot(node, &question->snapshot);
}

static void on_noted(struct proposal *proposal, int code, struct slice result)
{
    struct question *question = CONTAINER_OF(proposal, struct question, proposal);
    (void)result;
    question->code = code;
    if (code != 0)
        (void)err_set(&question->err, code, "note the backup in the state");
    ask_done(&question->ask);
}

static void run_note(struct node *node, struct ask *ask)
{
    struct question *question = CONTAINER_OF(ask, struct question, ask);
    const struct node_snapshot *snapshot = &question->snapshot;
    const struct backup_options *options = &question->backup->options;
    char place[COMMAND_NAME_MAX + 1], target[COMMAND_NAME_MAX + 1];
    struct command_context context = {
        .actor_kind = ACTOR_CELL,
        .actor_name = SLICE_LITERAL("weft-controlplane --backup-to"),
        .remote = slice_str(""),
        .action = SLICE_LITERAL("backup.record"),
        .request_id = uuid_random(),
        .audit_max = options->audit_max,
        .audit_age_ms = options->audit_age_ms,
    };
    struct command cmd = {.kind = COMMAND_BACKUP_RECORD, .context = &context};

    snprintf(place, sizeof(place), "%s/%s", question->backup->url,
             question->backup->name);
    snprintf(target, sizeof(target), "backups/%s", question->backup->name);
    context.target = slice_str(target);
    cmd.backup_record.backup_id = uuid_random();
    cmd.backup_record.place = slice_str(place);
    cmd.backup_record.applied_index = snapshot->index;
    cmd.backup_record.size_bytes = snapshot->file_bytes;
    cmd.backup_record.taken_at_ms = snapshot->created_at_ms;
    memcpy(cmd.backup_record.sha256, snapshot->sha256, SHA256_LEN);
    question->proposal.done = on_noted;
    node_propose(node, &question->proposal, &cmd);
}

/* ---- the store ---- */

static void prepare(struct backup *backup, enum step next, enum store_kind kind,
                    const char *key)
{
    struct store_request *request = &backup->request;

    backup->step = next;
    memset(request, 0, sizeof(*request));
    request->kind = kind;
    snprintf(request->key, sizeof(request->key), "%s", key);
    request->deadline_at_ms = clock_monotonic_ms() + backup->options.limit_ms;
    request->reply_to = &backup->mailbox;
}

static void unmap(struct backup *backup)
{
    if (backup->map != NULL)
        munmap(backup->map, backup->map_bytes);
    backup->map = NULL;
    unlink(backup->question.snapshot.path);
}

static int map(struct backup *backup, struct err *err)
{
    const char *path = backup->question.snapshot.path;
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) != 0) {
        int code = err_set_errno(err, errno, "open %s", path);
        if (fd >= 0)
            close(fd);
        return code;
    }
    backup->map_bytes = (size_t)st.st_size;
    backup->map = mmap(NULL, backup->map_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (backup->map == MAP_FAILED) {
        backup->map = NULL;
        return err_set_errno(err, errno, "map %s", path);
    }
    backup->piece = slice_of(backup->map, backup->map_bytes);
    return 0;
}

/* ---- steps ---- */

static void forget_names(struct backup *backup)
{
    for (size_t i = 0; i < backup->name_count; i++)
        mem_free(backup->names[i]);
    mem_free(backup->names);
    backup->names = NULL;
    backup->name_count = backup->name_at = 0;
}

static void rest(struct backup *backup)
{
    unmap(backup);
    forget_names(backup);
    backup->step = IDLE;
    if (backup->stopping)
        sem_post(&backup->ended);
    else
        loop_timer_set(&backup->timer, backup->options.look_ms);
}

static void fail(struct backup *backup, const struct err *err)
{
    if (!backup->stopping) {
        atomic_fetch_add(&backup->failures, 1);
        log_error("backup", "no backup was made, will try again", "store=%s err=%s",
                  backup->url, LOG_QUOTED(err->text));
    }
    rest(backup);
}

static void begin_snapshot(struct backup *backup)
{
    struct node_snapshot *snapshot = &backup->question.snapshot;

    memset(snapshot, 0, sizeof(*snapshot));
    snprintf(snapshot->path, sizeof(snapshot->path), "%s/backup.part", backup->dir);
    unlink(snapshot->path); /* of a process that was killed */
    ask(backup, SNAPSHOT, run_snapshot, on_ask_done);
}

static int check_size(const struct backup *backup, struct err *err)
{
    uint64_t bytes = backup->question.snapshot.file_bytes;
    uint64_t max = backup->options.put_max_bytes;

    if (max == 0 && strncmp(backup->url, "s3://", 5) == 0)
        max = S3_PUT_MAX;
    if (max == 0 || bytes <= max)
        return 0;
    return err_set(err, ERR_TOO_LARGE,
                   "it has %" PRIu64 " bytes, and the store takes %" PRIu64
                   " in one piece: write it to a file (weft backup create FILE, or "
                   "--backup-to file:///DIR) and copy that in parts",
                   bytes, max);
}

static void begin_put(struct backup *backup)
{
    const struct node_snapshot *snapshot = &backup->question.snapshot;
    struct uuid cell_id = node_cell_id(backup->options.node);
    char text[UUID_TEXT_LEN + 1];
    struct err err;

    snprintf(backup->name, sizeof(backup->name),
             "weft-backup-%s-%014" PRId64 "-%" PRIu64 ".snapshot",
             uuid_print(&cell_id, text), snapshot->created_at_ms, snapshot->index);
    FAULT_POINT("backup-snapshot");
    if (check_size(backup, &err) != 0 || map(backup, &err) != 0) {
        fail(backup, &err);
        return;
    }
    prepare(backup, PUTTING, STORE_PUT, backup->name);
    backup->request.pieces = &backup->piece;
    backup->request.piece_count = 1;
    backup->request.deadline_at_ms += (int64_t)(backup->piece.len / RATE_MIN);
    backup->request.crc = crc32c(backup->piece.ptr, backup->piece.len);
    store_send(backup->store, &backup->request);
}

static void list_page(struct backup *backup)
{
    struct uuid cell_id = node_cell_id(backup->options.node);
    char prefix[NAME_BYTES], text[UUID_TEXT_LEN + 1];

    snprintf(prefix, sizeof(prefix), "weft-backup-%s-", uuid_print(&cell_id, text));
    prepare(backup, LISTING, STORE_LIST, prefix);
    if (backup->name_count > 0)
        snprintf(backup->request.start_after, sizeof(backup->request.start_after), "%s",
                 backup->names[backup->name_count - 1]);
    store_send(backup->store, &backup->request);
}

static void tell_made(struct backup *backup)
{
    const struct node_snapshot *snapshot = &backup->question.snapshot;

    atomic_fetch_add(&backup->made, 1);
    atomic_store(&backup->last_made_at_ms, snapshot->created_at_ms);
    log_info("backup", "made", "name=%s index=%" PRIu64 " bytes=%" PRIu64, backup->name,
             snapshot->index, snapshot->file_bytes);
}

/* Take the names of a page; true when there is another one to ask for. */
static bool take_page(struct backup *backup)
{
    struct store_request *page = &backup->request;
    size_t count = backup->name_count + page->key_count;

    backup->names = mem_realloc(backup->names, MAX(count, 1) * sizeof(*backup->names));
    for (size_t i = 0; i < page->key_count; i++)
        backup->names[backup->name_count + i] = page->keys[i];
    backup->name_count = count;
    mem_free(page->keys);
    mem_free(page->sizes);
    mem_free(page->modified_ms);
    return page->more && page->key_count > 0;
}

static void delete_next(struct backup *backup)
{
    if (backup->name_at + backup->options.keep >= backup->name_count) {
        rest(backup);
        return;
    }
    prepare(backup, DELETING, STORE_DELETE, backup->names[backup->name_at++]);
    store_send(backup->store, &backup->request);
}

/* The answer to the present step is there. */
static void step(struct backup *backup)
{
    struct question *question = &backup->question;
    bool of_store = backup->step >= PUTTING && backup->step != NOTING;
    int code = of_store ? backup->request.err.code : question->code;

    if (code != 0) {
        fail(backup, of_store ? &backup->request.err : &question->err);
        return;
    }
    if (backup->stopping && backup->step != LISTING) {
        rest(backup);
        return;
    }
    switch (backup->step) {
    case IDLE:
        break;
    case LOOKING:
        if (question->due)
            begin_snapshot(backup);
        else
            rest(backup);
        break;
    case SNAPSHOT:
        begin_put(backup);
        break;
    case PUTTING:
        FAULT_POINT("backup-put");
        ask(backup, NOTING, run_note, on_ask_done);
        break;
    case NOTING:
        tell_made(backup);
        list_page(backup);
        break;
    case LISTING:
        if (take_page(backup))
            list_page(backup);
        else
            delete_next(backup);
        break;
    case DELETING:
        delete_next(backup);
        break;
    }
}

/* ---- the thread ---- */

static void on_time(struct loop_timer *timer, void *arg)
{
    (void)timer;
    ask(arg, LOOKING, run_look, on_ask_done);
}

static void on_end(struct backup *backup)
{
    backup->stopping = true;
    loop_timer_cancel(&backup->timer);
    if (backup->step == IDLE)
        sem_post(&backup->ended);
    else if (backup->step == PUTTING || backup->step >= LISTING)
        store_cancel(backup->store, &backup->request);
    /* else the core thread answers soon, and step() ends it */
}

static void on_message(struct message *message, void *arg)
{
    struct backup *backup = arg;

    switch (message->type) {
    case WORD_BEGIN:
        loop_timer_init(&backup->timer, backup->thread.loop, on_time, backup);
        loop_timer_set(&backup->timer, backup->options.look_ms);
        break;
    case WORD_END:
        on_end(backup);
        break;
    default: /* the core thread or the store has answered */
        step(backup);
        break;
    }
}

static void backup_free(struct backup *backup)
{
    if (backup->store != NULL)
        store_close(backup->store);
    sem_destroy(&backup->ended);
    mem_free(backup->url);
    mem_free(backup->dir);
    mem_free(backup);
}

int backup_start(const struct backup_options *options, struct backup **out,
                 struct err *err)
{
    struct backup *backup = mem_zalloc(sizeof(*backup));
    struct store_options store = {
        .url = options->url, .threads = 1, .attempt_timeout_ms = ATTEMPT_TIMEOUT_MS};

    backup->options = *options;
    if (options->look_ms == 0)
        backup->options.look_ms =
            MIN(MAX(options->every_ms / 60, LOOK_MIN_MS), LOOK_MAX_MS);
    if (options->limit_ms == 0)
        backup->options.limit_ms = REQUEST_LIMIT_MS;
    backup->url = mem_strdup(options->url);
    backup->dir = mem_strdup(options->dir);
    backup->question.backup = backup;
    backup->question.answered.type = WORD_ANSWERED;
    sem_init(&backup->ended, 0, 0);
    int code = store_open(&store, &backup->store, err);
    if (code == 0 && (code = loop_thread_start(&backup->thread, "weft-backup")) != 0)
        (void)err_set(err, code, "start the thread for backups");
    if (code != 0) {
        backup_free(backup);
        return code;
    }
    mailbox_init(&backup->mailbox, backup->thread.loop, on_message, backup);
    backup->begin.type = WORD_BEGIN;
    mailbox_send(&backup->mailbox, &backup->begin);
    *out = backup;
    return 0;
}

void backup_stop(struct backup *backup)
{
    struct message end = {.type = WORD_END};

    if (backup == NULL)
        return;
    mailbox_send(&backup->mailbox, &end);
    while (sem_wait(&backup->ended) != 0)
        ;
    loop_thread_stop(&backup->thread);
    loop_timer_fini(&backup->timer);
    mailbox_fini(&backup->mailbox);
    loop_thread_fini(&backup->thread);
    backup_free(backup);
}

void backup_health(const struct backup *backup, struct backup_health *health)
{
    health->made_total = atomic_load(&backup->made);
    health->failures_total = atomic_load(&backup->failures);
    health->last_made_at_ms = atomic_load(&backup->last_made_at_ms);
}
