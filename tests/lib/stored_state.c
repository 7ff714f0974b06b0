/* stored_state.c - see the header. */
#include "tests/lib/stored_state.h"

#include <stdio.h>

#include "common/check.h"
#include "common/err.h"
#include "controlplane/checkpoint.h"
#include "tests/lib/node_driver.h"

void stored_state_init(struct stored_state *stored, const struct state_events *events)
{
    char path[80];
    struct err err;

    temp_dir(stored->dir);
    snprintf(path, sizeof(path), "%s/state.db", stored->dir);
    ASSERT(db_open(path, &stored->db, &err) == 0);
    driver_init(&stored->driver, events);
    driver_cluster(&stored->driver, 1);
}

void stored_state_fini(struct stored_state *stored)
{
    db_close(stored->db);
    driver_fini(&stored->driver);
    temp_dir_remove(stored->dir);
}

void stored_state_check(struct stored_state *stored)
{
    struct checkpoint_meta meta = {
        .position = {.index = stored->driver.index, .term = 1}};
    struct str delta, bytes;
    struct err err;

    str_init(&delta, 64 * MIB);
    str_init(&bytes, MIB);
    checkpoint_collect(stored->driver.state, &meta, &delta);
    ASSERT(db_apply(stored->db, str_slice(&delta), &err) == 0);
    struct state *loaded = state_new(NULL);
    int rc = checkpoint_load(loaded, stored->db, &meta, &bytes, &err);
    if (rc != 0)
        printf("%s\n", err.text);
    ASSERT(rc == 0);
    ASSERT(state_hash(loaded) == state_hash(stored->driver.state));
    state_free(loaded);
    str_fini(&delta);
    str_fini(&bytes);
}
