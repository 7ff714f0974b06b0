/* fake_core.h - a core in memory, to test the front without control plane and store.
 *
 * Keeps the batches of each partition, answers every ask of core.h, and publishes a
 * metadata view. Runs on the loop it is given, in one thread with the test. The test's
 * main file includes fake_core_send.h once, which makes core_send this one's. */
#ifndef TESTS_LIB_FAKE_CORE_H
#define TESTS_LIB_FAKE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/core.h"
#include "agent/meta.h"
#include "common/loop.h"

struct fake_core;

struct fake_core *fake_core_new(struct loop *loop);
void fake_core_free(struct fake_core *fake); /* nothing may be open */
struct core *fake_core_as_core(struct fake_core *fake);
struct meta *fake_core_meta(struct fake_core *fake);
void fake_core_send(struct core *core, struct ask *ask);

/* Published at once. CONFIG is JSON text of what is set ("{}" for nothing). */
void fake_core_add_topic(struct fake_core *fake, const char *name, int partitions,
                         const char *config);
void fake_core_add_agent(struct fake_core *fake, int node_id, const char *zone);
/* Known to the "control plane" only: shows after a metadata ask. */
void fake_core_hide_topic(struct fake_core *fake, const char *name, int partitions);
struct uuid fake_core_topic_id(struct fake_core *fake, const char *name);

/* From now on asks of TYPE are held until the test answers them, or they are cancelled.
 */
void fake_core_hold(struct fake_core *fake, enum ask_type type, bool hold);
size_t fake_core_held(const struct fake_core *fake);
struct ask *fake_core_held_ask(struct fake_core *fake, size_t i);
/* Carry out and answer the I-th of the held ones, by arrival. */
void fake_core_answer(struct fake_core *fake, size_t i);
/* What the next asks are answered with in place of success (0: success). */
void fake_core_fail(struct fake_core *fake, int16_t kafka_error);

/* From now on no fetch waits. */
void fake_core_drain(struct fake_core *fake);

/* The items of the last change of topics, as JSON text. */
const char *fake_core_last_items(const struct fake_core *fake);
/* What the next op of a group ask is answered with, as JSON text that stays; in turn.
 * Without any, the control plane is away. */
void fake_core_group_result(struct fake_core *fake, const char *result);
/* The ops of the last group ask, as JSON text, a line each. */
const char *fake_core_group_ops(const struct fake_core *fake);
/* What relays are answered with from now on, as JSON text that stays; NULL: changes of
 * topics are done, for all others the control plane is away. */
void fake_core_relay_result(struct fake_core *fake, const char *result);
/* Path and body of the last relay. */
const char *fake_core_relay_said(const struct fake_core *fake);
/* What is set for a broker or group: JSON text of a SETTING. Published at once. */
void fake_core_put_setting(struct fake_core *fake, const char *setting);
int64_t fake_core_end(struct fake_core *fake, const char *name, int partition);
size_t fake_core_asks(const struct fake_core *fake, enum ask_type type); /* so far */

#endif
