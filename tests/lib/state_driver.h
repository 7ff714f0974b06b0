/* state_driver.h - drive a struct state in tests: commands in, decoded results out.
 *
 * Each command goes through its bytes, as it would through the log. Commits are described
 * by a small array of batches. */
#ifndef TESTS_LIB_STATE_DRIVER_H
#define TESTS_LIB_STATE_DRIVER_H

#include <stdint.h>

#include "common/arena.h"
#include "common/str.h"
#include "controlplane/state.h"
#include "proto/command.h"
#include "proto/commit.h"

struct driver {
    struct state *state;
    uint64_t index;
    int64_t now_ms;
    struct uuid cluster_id;
    struct arena arena; /* of the last result */
    struct str result;
    struct str command;                                  /* the last one's bytes */
    void (*on_command)(void *arg, struct slice command); /* may be NULL */
    void *arg;
};

/* A batch of a commit; runs begin where topic or partition change. */
struct test_batch {
    uint32_t topic;
    int32_t partition;
    uint32_t records;
    int64_t producer_id; /* -1: none */
    int16_t epoch;
    int32_t sequence;
    int64_t max_timestamp;
    uint32_t length; /* 0: 100 */
};

/* A commit's parts, kept until driver_commit_free. */
struct test_commit {
    struct commit commit;
    struct commit_builder builder;
    struct commit_producer producers[64];
    struct uuid topics[16];
};

/* Deterministic ids: kind and number. */
struct uuid test_uuid(uint32_t kind, uint32_t number);

/* A CA with id test_uuid(8, NUMBER). */
struct ca_fields test_ca(uint32_t number);

void driver_init(struct driver *driver, const struct state_events *events);
void driver_fini(struct driver *driver);
/* Stamp, encode and apply CMD. */
struct command_result driver_apply(struct driver *driver, struct command *cmd);
void driver_cluster(struct driver *driver, uint32_t number);
/* A topic named topic-NUMBER with id test_uuid(2, number). */
struct command_result driver_topic(struct driver *driver, uint32_t number,
                                   int32_t partitions);
struct command_result driver_topic_delete(struct driver *driver, uint32_t number);
/* PURGE of up to ROWS; returns how many went. */
int64_t driver_purge(struct driver *driver, uint32_t rows);

void test_commit_init(struct test_commit *commit, const struct uuid *object_id,
                      int64_t created_at_ms, const struct uuid *topics,
                      uint32_t topic_count, const struct test_batch *batches,
                      size_t count);
void test_commit_fini(struct test_commit *commit);
/* Propose COMMIT; max age an hour, five minutes into the future. */
struct commit_result driver_commit(struct driver *driver, const struct commit *commit);
void driver_commit_command(const struct commit *commit, struct str *payload,
                           struct command *cmd);
/* Base offset of run RUN in RESULT. */
int64_t result_offset(const struct commit_result *result, uint32_t run);

#endif
