/* apply_context.c - what a command's context asks for: an entry of the audit log, and one
 * effect only for one idempotency key. state_apply() calls these around apply_NAME. */
#include <string.h>

#include "common/check.h"
#include "common/crypto.h"
#include "common/err.h"
#include "controlplane/apply.h"
#include "controlplane/checkpoint.h"

/* So many old ones go with each new one: more than one, so that a bound that was lowered
 * is reached, and few, so that no single apply pays for it. */
#define DROPS_AT_ONCE 16

/* ---- repeats ---- */

static bool has_key(const struct command_context *context)
{
    static const uint8_t none[COMMAND_KEY_LEN];
    return memcmp(context->idempotency_key, none, COMMAND_KEY_LEN) != 0;
}

static struct reply_id reply_id_of(const struct command_context *context)
{
    struct reply_id id = {.actor_id = context->actor_id};
    memcpy(id.key, context->idempotency_key, COMMAND_KEY_LEN);
    return id;
}

void apply_drop_reply(struct state *state, struct reply *reply)
{
    apply_forget(state, &reply->row);
    checkpoint_delete_reply(reply, &state->deletes);
    replies_remove(&state->replies, reply);
}

bool apply_repeat(struct state *state, const struct command *cmd, struct str *result)
{
    const struct command_context *context = cmd->context;

    if (context == NULL || !has_key(context))
        return false;
    struct reply_id id = reply_id_of(context);
    struct reply *known = replies_find(&state->replies, &id);
    if (known == NULL || state->now_ms - known->at_ms > context->replies_age_ms)
        return false;
    if (memcmp(known->body_hash, context->body_hash, COMMAND_KEY_LEN) == 0) {
        str_append(result, known->result, known->len);
    } else {
        struct command_result reused = {.code = ERR_CONFLICT,
                                        .value = COMMAND_KEY_REUSED};
        command_result_write(&reused, result);
    }
    return true;
}

/* Keep RESULT for repeats of CMD. */
static void remember(struct state *state, const struct command *cmd, struct slice result)
{
    struct replies *replies = &state->replies;
    struct reply_id id = reply_id_of(cmd->context);
    struct reply *old = replies_find(replies, &id); /* too old to count */

    if (old != NULL)
        apply_drop_reply(state, old);
    for (int i = 0; i < DROPS_AT_ONCE; i++) {
        struct reply *oldest = replies_oldest(replies);
        if (oldest == NULL ||
            state->now_ms - oldest->at_ms <= cmd->context->replies_age_ms)
            oldest = replies_excess(replies, &cmd->cluster_id);
        if (oldest == NULL)
            break;
        apply_drop_reply(state, oldest);
    }
    struct reply *reply =
        replies_add(replies, &cmd->cluster_id, &id, state->catalog.next_serial++, result);
    apply_touch(state, &reply->row);
    memcpy(reply->body_hash, cmd->context->body_hash, COMMAND_KEY_LEN);
    reply->at_ms = state->now_ms;
}

/* ---- the audit log ---- */

void apply_drop_audit(struct state *state, struct audit_entry *entry)
{
    apply_forget(state, &entry->row);
    checkpoint_delete_audit(entry, &state->deletes);
    audit_remove(&state->audit, entry);
}

/* Make room for one more entry of CLUSTER_ID. */
static void trim_audit(struct state *state, const struct command_context *context,
                       const struct uuid *cluster_id)
{
    struct audit *audit = &state->audit;

    for (int i = 0; i < DROPS_AT_ONCE; i++) {
        struct audit_entry *oldest = audit_oldest(audit);
        if (oldest == NULL || state->now_ms - oldest->at_ms <= context->audit_age_ms)
            oldest = audit->all.live < AUDIT_TOTAL_MAX ? NULL : audit_excess(audit);
        if (oldest == NULL)
            break;
        apply_drop_audit(state, oldest);
    }
    for (int i = 0; i < DROPS_AT_ONCE; i++) {
        size_t count;
        struct audit_entry *oldest = audit_oldest_of(audit, cluster_id, &count);
        if (count < context->audit_max)
            break;
        apply_drop_audit(state, oldest);
    }
}

/* SLICE as a C string in the command's arena; a NUL within ends it. */
static const char *text_of(struct state *state, struct slice slice)
{
    char *text = arena_try_array(&state->arena, slice.len + 1, 1);
    if (text == NULL)
        return "";
    if (slice.len > 0)
        memcpy(text, slice.ptr, slice.len);
    text[slice.len] = '\0';
    return text;
}

static void audit(struct state *state, const struct command *cmd,
                  const struct command_result *result)
{
    const struct command_context *context = cmd->context;
    struct audit_entry fields = {.id = state->audit.next_id,
                                 .at_ms = state->now_ms,
                                 .cluster_id = cmd->cluster_id,
                                 .actor_kind = context->actor_kind,
                                 .actor_id = context->actor_id,
                                 .request_id = context->request_id,
                                 .actor_name = text_of(state, context->actor_name),
                                 .remote = text_of(state, context->remote),
                                 .action = text_of(state, context->action),
                                 .target = text_of(state, context->target),
                                 .code = result->code,
                                 .kafka_error = result->kafka_error};

    trim_audit(state, context, &cmd->cluster_id);
    struct audit_entry *entry = audit_add(&state->audit, &fields);
    apply_touch(state, &entry->row);
}

void apply_context(struct state *state, const struct command *cmd,
                   const struct command_result *result, struct slice bytes)
{
    const struct command_context *context = cmd->context;

    if (context == NULL)
        return;
    if (has_key(context))
        remember(state, cmd, bytes);
    if (context->audit_max > 0)
        audit(state, cmd, result);
}
