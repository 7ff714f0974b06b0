/* cell_workload.c - see cell_workload.h. */
#include "tests/lib/cell_workload.h"

static struct node_fields node_fields(uint32_t number, uint32_t (*pick)(uint32_t n))
{
    struct node_fields fields = {.instance = test_uuid(7, number),
                                 .name = SLICE_LITERAL("n"),
                                 .peer_address = SLICE_LITERAL("n:7802"),
                                 .features_max = 1 + pick(3),
                                 .wanted = WANT_VOTER};
    return fields;
}

bool cell_workload_step(struct cell_model *model, struct driver *driver,
                        uint32_t (*pick)(uint32_t n), uint32_t unused)
{
    struct command cmd = {.kind = COMMAND_NODE_PUT};
    uint32_t number = pick(6);
    switch (model->founded ? pick(6) : 6) {
    case 0:
    case 1:
        cmd.node_put = node_fields(number, pick);
        break;
    case 2:
        cmd = (struct command){.kind = COMMAND_NODE_REMOVE};
        cmd.node_remove.node_id = pick((uint32_t)model->node_id + 1);
        break;
    case 3:
        cmd = (struct command){.kind = pick(2) ? COMMAND_CA_ADD : COMMAND_CA_REMOVE};
        if (cmd.kind == COMMAND_CA_ADD)
            cmd.ca_add = test_ca(number);
        else
            cmd.ca_remove.ca_id = test_uuid(8, number);
        break;
    case 4:
        cmd = (struct command){.kind = COMMAND_FEATURE_LEVEL};
        cmd.feature_level.level = 1 + pick(3);
        break;
    case 5:
        cmd = (struct command){.kind = COMMAND_BACKUP_RECORD};
        cmd.backup_record.backup_id = test_uuid(10, unused);
        cmd.backup_record.place = SLICE_LITERAL("s3://b/k");
        break;
    default:
        cmd = (struct command){.kind = COMMAND_CELL_INIT};
        cmd.cell_init.ca = test_ca(0);
        cmd.cell_init.sealed_token_secret = SLICE_LITERAL("sealed");
        cmd.cell_init.token_id = test_uuid(4, 1000000);
        cmd.cell_init.node = node_fields(0, pick);
        model->founded = true;
    }
    struct command_result result = driver_apply(driver, &cmd);
    if (cmd.kind != COMMAND_NODE_PUT && cmd.kind != COMMAND_CELL_INIT)
        return true;
    /* An id is given once: a new node has one that is greater than all before. */
    if (result.code == 0 && (uint64_t)result.value > model->node_id &&
        (uint64_t)result.value != ++model->node_id)
        return false;
    for (uint64_t id = 1; id <= model->node_id; id++) {
        if ((state_node(driver->state, id) == NULL) !=
            state_node_removed(driver->state, id))
            return false;
    }
    return true;
}
