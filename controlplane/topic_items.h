/* topic_items.h - what the calls that change topics have in common: a list of items, each
 * judged by itself, each with a Kafka error and a text of its own.
 *
 * An item is checked on the server's thread as far as that needs no state, then on the
 * core thread, then proposed (or, with validate_only, judged as the command would be). */
#ifndef CONTROLPLANE_TOPIC_ITEMS_H
#define CONTROLPLANE_TOPIC_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlplane/call.h"
#include "proto/setting.h"

#define TOPIC_ITEMS_MAX 10000
#define TOPIC_NAME_MAX  255 /* longer ones are no names, but must be told by name */

struct topic_item {
    struct slice name;
    enum setting_kind kind; /* configs: of what, if not 0, a topic's */
    struct uuid topic_id;
    int32_t partitions; /* create, partitions */
    int16_t replication_factor;
    struct config_change *changes; /* create, configs */
    uint32_t change_count;
    const struct json *assignments; /* or NULL */
    /* result */
    int16_t error;
    const char *message; /* in the arena, or NULL */
    bool proposed;
    struct call_proposal proposal;
};

struct topic_items {
    bool validate_only;
    size_t count;
    struct topic_item *items;
};

/* Read {"validate_only", "topics": [...]} and let READ fill each item of it; a failure of
 * the reader is the call's. NULL: the call has failed. */
struct topic_items *topic_items_read(
    struct call *call, void (*read)(struct call *call, struct json_reader *r,
                                    const struct json *value, struct topic_item *item));
/* The item is refused with a Kafka error and a text. The first refusal stays. */
void topic_item_refuse(struct call *call, struct topic_item *item, int16_t error,
                       const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Core thread: propose CMD for the item, or for validate_only ask CHECK (may be NULL)
 * what it would say. */
void topic_item_propose(struct node *node, struct call *call, struct topic_item *item,
                        struct command *cmd,
                        int16_t (*check)(const struct cluster *cluster,
                                         const struct command *cmd, struct str *message));
/* Core thread, when the call's proposals have settled: take over what was said of ITEM.
 */
void topic_item_settle(struct call *call, struct topic_item *item);
/* Core thread, after all items went through topic_item_propose or were refused. */
void topic_items_sent(struct call *call);
/* Server's thread: answer with what PRINT makes of each item. */
void topic_items_answer(struct call *call,
                        struct json *(*print)(struct topic_item *item));
/* [kafka_error, message or null] */
struct json *topic_item_result(const struct topic_item *item);

/* The setting KEY of what the item is about, or NULL. */
const struct topic_config_spec *topic_item_spec(const struct topic_item *item,
                                                struct slice key);
/* Server's thread: is the setting known, and is VALUE right for it? Else refused. */
bool topic_item_check_config(struct call *call, struct topic_item *item, struct slice key,
                             struct slice value);

#endif
