/* restore.c - unpack the backup, then run the node alone, without peers and listeners,
 * until its table of nodes holds nobody but itself; only then is there an identity.
 *
 * From its beginning to its end DIR/restoring is there. A crash in between is made good
 * by the same command: what is there is thrown away, since nobody but this command has
 * seen anything of that cell, and the restore begins again. */
#include "controlplane/restore.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/dir_sync.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/version.h"
#include "controlplane/errand.h"
#include "controlplane/small_file.h"
#include "proto/snapshot_file.h"

#define WAIT_MS  60000
#define PAUSE_US 5000
#define NOTE     "restoring"
#define PATH_LEN 4096

struct restore {
    const struct control_options *options;
    const struct cell_addresses *addresses;
    struct cell_self *cell;
    struct node *node;
    struct snapshot_info info;
    bool recording, recorded; /* the backup, in the state */
};

static void run_load_trust(struct node *node, struct ask *ask)
{
    struct errand *errand = errand_of(ask);
    const struct restore *restore = errand->arg;
    errand->code = cell_load_trust(node_state(node), restore->cell->trust, &errand->err);
    ask_done(ask);
}

/* --- the table of nodes, one command at a time --- */

static void on_proposed(struct proposal *proposal, int code, struct slice result)
{
    struct errand *errand = CONTAINER_OF(proposal, struct errand, proposal);
    struct command_result r = {0};
    if (code == 0 && command_result_read(result, &r) != 0)
        code = ERR_INTERNAL;
    errand->code = code != 0 ? code : r.code;
    ask_done(&errand->ask);
}

/* The backup that the cell came from is one of those it knows: its index is where the
 * history was broken off. The audit log tells it too. */
static void record(struct node *node, struct errand *errand)
{
    struct restore *restore = errand->arg;
    const struct snapshot_info *info = &restore->info;
    const char *file = restore->options->restore;
    char target[COMMAND_NAME_MAX];
    struct command_context context = {
        .actor_kind = ACTOR_CELL,
        .actor_name = SLICE_LITERAL("weft-controlplane --restore"),
        .remote = slice_str(""),
        .action = SLICE_LITERAL("cell.restore"),
        .request_id = uuid_random(),
        .audit_max = (uint32_t)restore->options->audit_max,
        .audit_age_ms = restore->options->audit_age_ms,
        .replies_age_ms = restore->options->replies_age_ms,
    };
    struct command cmd = {.kind = COMMAND_BACKUP_RECORD, .context = &context};

    snprintf(target, sizeof(target), "index %llu", (unsigned long long)info->index);
    context.target = slice_str(target);
    cmd.backup_record.backup_id = uuid_random();
    cmd.backup_record.place = slice_of(file, MIN(strlen(file), (size_t)COMMAND_NAME_MAX));
    cmd.backup_record.applied_index = info->index;
    cmd.backup_record.size_bytes = info->file_bytes;
    cmd.backup_record.taken_at_ms = info->created_at_ms;
    memcpy(cmd.backup_record.sha256, info->sha256, SHA256_LEN);
    restore->recording = true;
    node_propose(node, &errand->proposal, &cmd);
}

static void run_step(struct node *node, struct ask *ask)
{
    struct errand *errand = errand_of(ask);
    const struct restore *restore = errand->arg;
    const struct identity *identity = &restore->cell->identity;
    const struct state *state = node_state(node);
    const struct cell_node *row = NULL;
    struct command cmd = {.kind = COMMAND_NODE_PUT};

    errand->proposal.done = on_proposed;
    list_node_init(&errand->proposal.node);
    if (!node_can_read(node)) {
        errand->code = ERR_UNAVAILABLE;
        ask_done(ask);
        return;
    }
    if (state_node(state, identity->node_id) == NULL) {
        cmd.node_put =
            (struct node_fields){.instance = identity->instance,
                                 .name = slice_str(restore->addresses->name),
                                 .peer_address = slice_str(restore->addresses->peers),
                                 .people_url = slice_str(restore->addresses->people_url),
                                 .agents_url = slice_str(restore->addresses->agents_url),
                                 .version = SLICE_LITERAL(WEFT_VERSION),
                                 .features_max = FEATURE_LEVEL_MAX,
                                 .wanted = WANT_VOTER};
        node_propose(node, &errand->proposal, &cmd);
        return;
    }
    while ((row = state_node_next(state, row)) != NULL &&
           row->node_id == identity->node_id)
        ;
    if (row != NULL) {
        cmd = (struct command){.kind = COMMAND_NODE_REMOVE,
                               .node_remove = {.node_id = row->node_id}};
        node_propose(node, &errand->proposal, &cmd);
        return;
    }
    if (!restore->recorded) {
        record(node, errand);
        return;
    }
    errand->yes = true;
    ask_done(ask);
}

static int settle_table(struct restore *restore, struct err *err)
{
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    for (;;) {
        struct errand errand = {.arg = restore};
        errand_run(&errand, restore->node, run_step);
        if (errand.yes)
            return 0;
        restore->recorded = restore->recording && errand.code == 0;
        if (errand.code == ERR_UNAVAILABLE && clock_monotonic_ms() < until)
            usleep(PAUSE_US);
        else if (errand.code != 0)
            return err_set(err, errand.code, "the restored table of nodes: %s",
                           err_text(errand.code));
    }
}

/* --- over a crash --- */

static void path_in(const char *dir, const char *name, char path[PATH_LEN])
{
    (void)snprintf(path, PATH_LEN, "%s/%s", dir, name);
}

bool restore_begun(const char *dir)
{
    char path[PATH_LEN];

    path_in(dir, NOTE, path);
    return access(path, F_OK) == 0;
}

/* What node_restore() and the node after it make; nothing else is touched. */
static bool is_ours(const char *name)
{
    static const char *const begins[] = {"state.db", "install", "wal-",  "durable",
                                         "vote",     "copy-",   "ship-", "identity.new"};

    for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
        if (strncmp(name, begins[i], strlen(begins[i])) == 0)
            return true;
    }
    return false;
}

static int clear(const char *dir, struct err *err)
{
    DIR *opened = opendir(dir);
    const struct dirent *item;
    char path[PATH_LEN];
    int rc = opened == NULL ? err_set_errno(err, errno, "read %s", dir) : 0;

    while (rc == 0 && (item = readdir(opened)) != NULL) {
        if (!is_ours(item->d_name))
            continue;
        path_in(dir, item->d_name, path);
        if (unlink(path) != 0 && errno != ENOENT)
            rc = err_set_errno(err, errno, "remove %s", path);
    }
    if (opened != NULL)
        closedir(opened);
    return rc == 0 ? dir_sync(dir, err) : rc;
}

int restore_clear(const char *dir, struct err *err)
{
    log_warn("cell", "a restore was interrupted: it begins again", "dir=%s", dir);
    return clear(dir, err);
}

int restore_ended(const char *dir, struct err *err)
{
    char path[PATH_LEN];

    path_in(dir, NOTE, path);
    if (unlink(path) != 0 && errno != ENOENT)
        return err_set_errno(err, errno, "remove %s", path);
    return dir_sync(dir, err);
}

/* --- all of it --- */

static int issue(struct restore *restore, struct err *err)
{
    struct cell_self *cell = restore->cell;
    struct identity *identity = &cell->identity;
    struct errand errand = {.arg = restore};

    errand_run(&errand, restore->node, run_load_trust);
    if (errand.code != 0) {
        *err = errand.err;
        return errand.code;
    }
    int code = trust_issue_node(cell->trust, &identity->cell_id, identity->node_id,
                                clock_wall_ms(), &identity->chain_pem, &identity->key_pem,
                                &identity->not_after_ms, err);
    trust_bundle(cell->trust, &identity->ca_pem);
    trust_export(cell->trust, &identity->ca_cert, &identity->ca_cross,
                 &identity->ca_sealed_key, &identity->sealed_token_secret);
    return code;
}

/* The node of its own, alone: from the unpacked backup to a cell. */
static int settle(struct restore *restore, struct err *err)
{
    const struct identity *identity = &restore->cell->identity;
    const struct node_options node = {.dir = restore->options->data_dir,
                                      .cell_id = identity->cell_id,
                                      .node_id = identity->node_id,
                                      .begin = NODE_GO_ON,
                                      .address = restore->addresses->peers};
    int code = node_start(&node, &restore->node, err);

    if (code != 0)
        return code;
    code = issue(restore, err);
    if (code == 0)
        code = settle_table(restore, err);
    node_stop(restore->node);
    FAULT_POINT("restore-settled");
    return code;
}

/* What failed leaves nothing behind: another attempt may be with another file. */
static void give_up(const char *dir)
{
    struct err err;

    if (clear(dir, &err) != 0 || restore_ended(dir, &err) != 0)
        log_warn("cell", "what a failed restore left was not removed", "err=%s",
                 LOG_QUOTED(err.text));
}

int restore_cell(const struct control_options *options,
                 const struct cell_addresses *addresses, struct cell_self *cell,
                 struct err *err)
{
    struct identity *identity = &cell->identity;
    struct restore restore = {.options = options, .addresses = addresses, .cell = cell};
    const struct snapshot_info *info = &restore.info;
    const char *dir = options->data_dir;

    if (identity_look(dir) != IDENTITY_NOTHING)
        return err_set(err, ERR_EXISTS, "%s is not empty", dir);
    identity->stage = IDENTITY_MEMBER;
    identity->cell_id = uuid_random();
    identity->instance = uuid_random();
    identity->node_id = 0;
    int code = small_file_write(dir, NOTE, slice_str(""), 0600, err);
    if (code == 0)
        code = node_restore(dir, options->restore, &identity->cell_id, &identity->node_id,
                            addresses->peers, &restore.info, err);
    FAULT_POINT("restore-unpacked");
    if (code == 0)
        code = settle(&restore, err);
    if (code == 0)
        code = identity_save(dir, cell->key, identity, true, err);
    FAULT_POINT("restore-identified");
    if (code != 0) {
        give_up(dir);
        return code;
    }
    log_warn("cell", "restored from a backup: what was committed after it is not here",
             "file=%s index=%llu taken_at_ms=%lld node=%llu", options->restore,
             (unsigned long long)info->index, (long long)info->created_at_ms,
             (unsigned long long)identity->node_id);
    return restore_ended(dir, err);
}
