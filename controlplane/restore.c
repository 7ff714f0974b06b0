/* restore.c - unpack the backup, then run the node alone, without peers and listeners,
 * until its table of nodes holds nobody but itself; only then is there an identity. */
#include "controlplane/restore.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/version.h"
#include "controlplane/errand.h"
#include "proto/snapshot_file.h"

#define WAIT_MS  60000
#define PAUSE_US 5000

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

int restore_cell(const struct control_options *options,
                 const struct cell_addresses *addresses, struct cell_self *cell,
                 struct err *err)
{
    struct identity *identity = &cell->identity;
    struct restore restore = {.options = options, .addresses = addresses, .cell = cell};
    const struct snapshot_info *info = &restore.info;

    identity->stage = IDENTITY_MEMBER;
    identity->cell_id = uuid_random();
    identity->instance = uuid_random();
    identity->node_id = 0;
    int code = node_restore(options->data_dir, options->restore, &identity->cell_id,
                            &identity->node_id, addresses->peers, &restore.info, err);
    if (code != 0)
        return code;
    const struct node_options node = {.dir = options->data_dir,
                                      .cell_id = identity->cell_id,
                                      .node_id = identity->node_id,
                                      .begin = NODE_GO_ON,
                                      .address = addresses->peers};
    code = node_start(&node, &restore.node, err);
    if (code != 0)
        return code;
    code = issue(&restore, err);
    if (code == 0)
        code = settle_table(&restore, err);
    node_stop(restore.node);
    if (code == 0)
        code = identity_save(options->data_dir, cell->key, identity, true, err);
    if (code == 0)
        log_warn("cell",
                 "restored from a backup: what was committed after it is not here",
                 "file=%s index=%llu taken_at_ms=%lld node=%llu", options->restore,
                 (unsigned long long)info->index, (long long)info->created_at_ms,
                 (unsigned long long)identity->node_id);
    return code;
}
