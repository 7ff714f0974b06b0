/* coordinator.c - timers of groups: a table of groups, each with a table of its members,
 * and one heap of all timers.
 *
 * A timer's deadline moves with each touch; its place in the heap does not. When it comes
 * up before its deadline, it is put back to where it belongs: at most once a session.
 *
 * What a group looks like is read anew after each change, once a tick however many there
 * were. A phase is known by what the group is in and by its generation: as long as both
 * stay, its timer runs on. */
#include "controlplane/coordinator.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/group.h"
#include "controlplane/group_classic.h"
#include "controlplane/group_consumer.h"
#include "controlplane/settings.h"

#define RETRY_MS 1000 /* what is due and not applied is due again */
/* Whoever joined a group for the first time cannot heartbeat before it is answered. */
#define NEW_MEMBER_MS (5 * 60 * 1000)
#define NOT_IN_HEAP   UINT32_MAX

enum timer_kind {
    TIMER_PHASE,   /* of a group: join or sync */
    TIMER_SESSION, /* of a member, or of an id that was given out */
    TIMER_MOVE,    /* of a consumer group's member: to give up, to join again, to sync */
};

struct timer {
    int64_t at_ms;       /* its place in the heap */
    int64_t deadline_ms; /* at or after at_ms */
    uint32_t slot;       /* in the heap */
    uint8_t kind;
};

struct timed_member {
    struct timer session, move;
    int64_t session_ms;
    int32_t epoch;     /* as of the last look: generation or member epoch */
    uint64_t move_key; /* what move runs for */
    uint32_t seen;
    struct timed_group *group;
    struct slice id; /* behind this struct */
    UT_hash_handle hh;
};

struct timed_group {
    struct uuid cluster_id;
    struct slice id; /* in key */
    struct timer phase;
    unsigned in;        /* enum group_phase, or 0 */
    int32_t generation; /* of that phase */
    int64_t left_ms;    /* of the rebalance timeout, when the initial delay is extended */
    int64_t delay_ms;   /* the initial delay; 0: it is no first rebalance */
    bool member_came;   /* since the delay began */
    struct timed_member *members;
    uint32_t looks;
    /* as of the last one */
    int32_t group_generation;
    bool stable, consumer;
    struct list_node noted;
    UT_hash_handle hh;
    size_t key_len;
    uint8_t key[]; /* cluster and group id */
};

struct coordinator {
    struct coordinator_options options;
    bool active;
    struct timed_group *groups;
    struct list noted;
    struct timer **heap;
    uint32_t heap_len, heap_cap;
    uint8_t *key; /* scratch */
    size_t key_cap;
    struct coordinator_counts counts;
};

/* --- the heap --- */

static void place(struct coordinator *c, struct timer *timer, uint32_t slot)
{
    c->heap[slot] = timer;
    timer->slot = slot;
}

static void sift_up(struct coordinator *c, struct timer *timer, uint32_t slot)
{
    while (slot > 0 && c->heap[(slot - 1) / 2]->at_ms > timer->at_ms) {
        place(c, c->heap[(slot - 1) / 2], slot);
        slot = (slot - 1) / 2;
    }
    place(c, timer, slot);
}

static void sift_down(struct coordinator *c, struct timer *timer, uint32_t slot)
{
    for (;;) {
        uint32_t child = 2 * slot + 1;
        if (child >= c->heap_len)
            break;
        if (child + 1 < c->heap_len && c->heap[child + 1]->at_ms < c->heap[child]->at_ms)
            child++;
        if (c->heap[child]->at_ms >= timer->at_ms)
            break;
        place(c, c->heap[child], slot);
        slot = child;
    }
    place(c, timer, slot);
}

static void timer_init(struct timer *timer, enum timer_kind kind)
{
    *timer = (struct timer){.slot = NOT_IN_HEAP, .kind = (uint8_t)kind};
}

static bool timer_runs(const struct timer *timer)
{
    return timer->slot != NOT_IN_HEAP;
}

static void timer_stop(struct coordinator *c, struct timer *timer)
{
    uint32_t slot = timer->slot;
    if (slot == NOT_IN_HEAP)
        return;
    timer->slot = NOT_IN_HEAP;
    struct timer *last = c->heap[--c->heap_len];
    if (last == timer)
        return;
    if (slot > 0 && c->heap[(slot - 1) / 2]->at_ms > last->at_ms)
        sift_up(c, last, slot);
    else
        sift_down(c, last, slot);
}

/* Later costs nothing; sooner, or one that did not run, moves it. */
static void timer_set(struct coordinator *c, struct timer *timer, int64_t deadline_ms)
{
    timer->deadline_ms = deadline_ms;
    if (timer_runs(timer) && timer->at_ms <= deadline_ms)
        return;
    timer_stop(c, timer);
    if (c->heap_len == c->heap_cap) {
        c->heap_cap = MAX(2 * c->heap_cap, (uint32_t)64);
        c->heap = mem_realloc(c->heap, c->heap_cap * sizeof(struct timer *));
    }
    timer->at_ms = deadline_ms;
    sift_up(c, timer, c->heap_len++);
}

static struct timed_group *group_of(struct timer *timer)
{
    switch ((enum timer_kind)timer->kind) {
    case TIMER_PHASE:
        return CONTAINER_OF(timer, struct timed_group, phase);
    case TIMER_SESSION:
        return CONTAINER_OF(timer, struct timed_member, session)->group;
    case TIMER_MOVE:
        break;
    }
    return CONTAINER_OF(timer, struct timed_member, move)->group;
}

/* --- the tables --- */

static struct slice make_key(struct coordinator *c, const struct uuid *cluster_id,
                             struct slice group_id)
{
    size_t len = sizeof(*cluster_id) + group_id.len;
    if (len > c->key_cap) {
        c->key_cap = MAX(len, (size_t)512);
        c->key = mem_realloc(c->key, c->key_cap);
    }
    memcpy(c->key, cluster_id, sizeof(*cluster_id));
    if (group_id.len > 0)
        memcpy(c->key + sizeof(*cluster_id), group_id.ptr, group_id.len);
    return slice_of(c->key, len);
}

static struct timed_group *find_group(struct coordinator *c,
                                      const struct uuid *cluster_id,
                                      struct slice group_id)
{
    struct timed_group *group;
    struct slice key = make_key(c, cluster_id, group_id);
    HASH_FIND(hh, c->groups, key.ptr, key.len, group);
    return group;
}

static struct timed_group *want_group(struct coordinator *c,
                                      const struct uuid *cluster_id,
                                      struct slice group_id)
{
    struct timed_group *group = find_group(c, cluster_id, group_id);
    if (group != NULL)
        return group;
    struct slice key = make_key(c, cluster_id, group_id);
    group = mem_zalloc(sizeof(*group) + key.len);
    memcpy(group->key, key.ptr, key.len);
    group->key_len = key.len;
    group->cluster_id = *cluster_id;
    group->id = slice_of(group->key + sizeof(*cluster_id), group_id.len);
    timer_init(&group->phase, TIMER_PHASE);
    list_node_init(&group->noted);
    HASH_ADD_KEYPTR(hh, c->groups, group->key, group->key_len, group);
    c->counts.groups++;
    return group;
}

static void drop_member(struct coordinator *c, struct timed_member *member)
{
    timer_stop(c, &member->session);
    timer_stop(c, &member->move);
    HASH_DEL(member->group->members, member);
    mem_free(member);
    c->counts.members--;
}

static void drop_group(struct coordinator *c, struct timed_group *group)
{
    struct timed_member *member, *next;
    HASH_ITER(hh, group->members, member, next)
    drop_member(c, member);
    timer_stop(c, &group->phase);
    c->counts.stable -= group->stable;
    c->counts.consumer -= group->consumer;
    list_remove(&group->noted);
    HASH_DEL(c->groups, group);
    mem_free(group);
    c->counts.groups--;
}

struct coordinator *coordinator_new(const struct coordinator_options *options)
{
    struct coordinator *c = mem_zalloc(sizeof(*c));
    c->options = *options;
    list_init(&c->noted);
    return c;
}

void coordinator_free(struct coordinator *c)
{
    if (c == NULL)
        return;
    coordinator_end(c);
    mem_free(c->heap);
    mem_free(c->key);
    mem_free(c);
}

bool coordinator_active(const struct coordinator *c)
{
    return c->active;
}

void coordinator_end(struct coordinator *c)
{
    struct timed_group *group, *next;
    HASH_ITER(hh, c->groups, group, next)
    drop_group(c, group);
    c->active = false;
}

/* --- looking at a group --- */

/* How a member's timers ought to be. */
struct member_look {
    struct slice id;
    int64_t session_ms; /* 0: it does not run */
    int64_t move_ms;    /* 0: likewise */
    uint64_t move_key;
    int32_t epoch;
};

static struct timed_member *find_member(const struct timed_group *group, struct slice id)
{
    struct timed_member *member;
    HASH_FIND(hh, group->members, id.ptr, id.len, member);
    return member;
}

static struct timed_member *add_member(struct coordinator *c, struct timed_group *group,
                                       struct slice id)
{
    struct timed_member *member = mem_zalloc(sizeof(*member) + id.len);
    memcpy(member + 1, id.ptr, id.len);
    member->id = slice_of(member + 1, id.len);
    member->group = group;
    timer_init(&member->session, TIMER_SESSION);
    timer_init(&member->move, TIMER_MOVE);
    HASH_ADD_KEYPTR(hh, group->members, member->id.ptr, member->id.len, member);
    c->counts.members++;
    return member;
}

static void set_session(struct coordinator *c, struct timed_member *member,
                        const struct member_look *look, int64_t now_ms)
{
    if (look->session_ms == 0)
        timer_stop(c, &member->session);
    else if (!timer_runs(&member->session) || member->session_ms != look->session_ms)
        timer_set(c, &member->session, now_ms + look->session_ms);
    member->session_ms = look->session_ms;
}

static void set_move(struct coordinator *c, struct timed_member *member,
                     const struct member_look *look, int64_t now_ms)
{
    if (look->move_ms == 0) {
        timer_stop(c, &member->move);
    } else if (!timer_runs(&member->move) || member->move_key != look->move_key) {
        timer_stop(c, &member->move);
        timer_set(c, &member->move, now_ms + look->move_ms);
    }
    member->move_key = look->move_key;
}

static void see_member(struct coordinator *c, struct timed_group *group,
                       const struct member_look *look, int64_t now_ms)
{
    struct timed_member *member = find_member(group, look->id);
    if (member == NULL) {
        member = add_member(c, group, look->id);
        group->member_came = true;
    }
    member->seen = group->looks;
    set_session(c, member, look, now_ms);
    set_move(c, member, look, now_ms);
    member->epoch = look->epoch;
}

/* Who waits in the join phase does not expire: it is the phase that ends; but for who
 * never was answered, whose client may be gone. */
static int64_t classic_session_ms(const struct group_member *member)
{
    if (!group_member_joined(member))
        return member->session_ms;
    return group_member_new(member) ? NEW_MEMBER_MS : 0;
}

static void look_at_consumer(const struct group_member *member, int32_t session_ms,
                             struct member_look *look)
{
    look->session_ms = consumer_member_session_ms(member, session_ms);
    look->move_ms = consumer_member_deadline_ms(member, &look->move_key);
    look->epoch = consumer_member_epoch(member);
}

static void see_members(struct coordinator *c, struct timed_group *timed,
                        const struct group *group, int64_t now_ms)
{
    const struct group_member *member = NULL;
    int32_t session_ms = 0; /* of the consumer protocol: the group's setting */

    if (group->kind == GROUP_CONSUMER)
        session_ms = (int32_t)group_setting_int(group->cluster, group->group_id,
                                                "consumer.session.timeout.ms");
    while ((member = group_member_next(group, member)) != NULL) {
        struct member_look look = {.id = member->member_id, .epoch = group->generation};
        if (member->consumer != NULL)
            look_at_consumer(member, session_ms, &look);
        else
            look.session_ms = classic_session_ms(member);
        see_member(c, timed, &look, now_ms);
    }
    while ((member = group_pending_next(group, member)) != NULL) {
        const struct member_look look = {.id = member->member_id,
                                         .session_ms = member->session_ms,
                                         .epoch = group->generation};
        see_member(c, timed, &look, now_ms);
    }
}

static void drop_unseen(struct coordinator *c, struct timed_group *group)
{
    struct timed_member *member, *next;
    HASH_ITER(hh, group->members, member, next)
    if (member->seen != group->looks)
        drop_member(c, member);
}

/* Who has not asked for its assignment in time goes, also when the leader has long given
 * it. */
static unsigned phase_of(const struct group *group)
{
    if (group->kind == GROUP_CONSUMER)
        return 0;
    if (group->state == GROUP_PREPARING)
        return GROUP_PHASE_JOIN;
    return group_classic_due(group, GROUP_PHASE_SYNC) ? GROUP_PHASE_SYNC : 0;
}

/* The initial delay is a part of the rebalance timeout. */
static int64_t begin_delay(struct coordinator *c, struct timed_group *timed,
                           int64_t rebalance_ms)
{
    timed->delay_ms = MIN(c->options.initial_delay_ms, rebalance_ms);
    timed->left_ms = rebalance_ms - timed->delay_ms;
    timed->member_came = false;
    return timed->delay_ms;
}

static void see_phase(struct coordinator *c, struct timed_group *timed,
                      const struct group *group, int64_t now_ms)
{
    unsigned in = phase_of(group);
    int64_t for_ms = group_rebalance_ms(group);

    if (in == timed->in && (in == 0 || group->generation == timed->generation))
        return;
    timed->in = in;
    timed->generation = group->generation;
    timed->delay_ms = 0;
    if (in == 0) {
        timer_stop(c, &timed->phase);
        return;
    }
    if (in == GROUP_PHASE_JOIN && group->initial)
        for_ms = begin_delay(c, timed, for_ms);
    timer_stop(c, &timed->phase);
    timer_set(c, &timed->phase, now_ms + for_ms);
}

static const struct group *state_of(const struct state *state,
                                    const struct timed_group *timed)
{
    const struct cluster *cluster = state_cluster(state, &timed->cluster_id);
    return cluster == NULL ? NULL : state_group(cluster, timed->id);
}

static void count_group(struct coordinator *c, struct timed_group *timed,
                        const struct group *group)
{
    bool stable = group->state == GROUP_STABLE;
    bool consumer = group->kind == GROUP_CONSUMER;
    c->counts.stable += (uint64_t)stable - timed->stable;
    c->counts.consumer += (uint64_t)consumer - timed->consumer;
    timed->stable = stable;
    timed->consumer = consumer;
}

static void look_at(struct coordinator *c, const struct state *state,
                    struct timed_group *timed, int64_t now_ms)
{
    const struct group *group = state_of(state, timed);
    if (group == NULL || (group->member_count == 0 && group->pending_count == 0)) {
        drop_group(c, timed);
        return;
    }
    if (timed->looks > 0 && timed->group_generation != group->generation)
        c->counts.rebalances_total++;
    timed->group_generation = group->generation;
    count_group(c, timed, group);
    timed->looks++;
    see_members(c, timed, group, now_ms);
    drop_unseen(c, timed);
    see_phase(c, timed, group, now_ms);
}

/* --- what the owner calls --- */

void coordinator_begin(struct coordinator *c, const struct state *state, int64_t now_ms)
{
    const struct cluster *cluster = NULL;

    coordinator_end(c);
    c->active = true;
    while ((cluster = state_cluster_next(state, cluster)) != NULL) {
        const struct group *group = NULL;
        while ((group = state_group_next(cluster, group)) != NULL)
            if (group->member_count > 0 || group->pending_count > 0)
                look_at(c, state, want_group(c, &cluster->cluster_id, group->group_id),
                        now_ms);
    }
}

void coordinator_note(struct coordinator *c, const struct uuid *cluster_id,
                      struct slice group_id)
{
    if (!c->active)
        return;
    struct timed_group *group = want_group(c, cluster_id, group_id);
    if (c->options.on_noted != NULL && list_empty(&c->noted))
        c->options.on_noted(c->options.arg);
    if (!list_linked(&group->noted))
        list_push_back(&c->noted, &group->noted);
}

void coordinator_settle(struct coordinator *c, const struct state *state, int64_t now_ms)
{
    struct list_node *node;
    while ((node = list_pop_front(&c->noted)) != NULL)
        look_at(c, state, CONTAINER_OF(node, struct timed_group, noted), now_ms);
}

void coordinator_touch(struct coordinator *c, const struct uuid *cluster_id,
                       struct slice group_id, struct slice member_id, int64_t now_ms)
{
    struct timed_group *group = find_group(c, cluster_id, group_id);
    struct timed_member *member = group == NULL ? NULL : find_member(group, member_id);
    /* Who is not known yet will be at the end of the tick, with a whole session. */
    if (member != NULL && timer_runs(&member->session))
        timer_set(c, &member->session, now_ms + member->session_ms);
}

int64_t coordinator_next_at_ms(const struct coordinator *c)
{
    return c->heap_len == 0 ? INT64_MAX : c->heap[0]->at_ms;
}

/* --- what is due --- */

/* Members came during the initial delay: it goes on, while there is time left (KIP-134).
 */
static bool extend_delay(struct coordinator *c, struct timed_group *group, int64_t now_ms)
{
    if (group->delay_ms == 0 || !group->member_came || group->left_ms == 0)
        return false;
    group->delay_ms = MIN(c->options.initial_delay_ms, group->left_ms);
    group->left_ms -= group->delay_ms;
    group->member_came = false;
    timer_set(c, &group->phase, now_ms + group->delay_ms);
    return group->delay_ms > 0;
}

static bool take_phase(struct coordinator *c, struct timed_group *group, int64_t now_ms,
                       struct command *cmd)
{
    if (extend_delay(c, group, now_ms))
        return false;
    timer_set(c, &group->phase, now_ms + RETRY_MS);
    *cmd = (struct command){.kind = COMMAND_GROUP_DUE,
                            .cluster_id = group->cluster_id,
                            .group_due = {.group_id = group->id,
                                          .generation = group->generation,
                                          .phase = (enum group_phase)group->in}};
    return true;
}

static bool is_over(const struct timer *timer, int64_t now_ms)
{
    return timer_runs(timer) && timer->deadline_ms <= now_ms;
}

static bool is_expired(const struct timed_member *member, int64_t now_ms)
{
    return is_over(&member->session, now_ms) || is_over(&member->move, now_ms);
}

/* All members of GROUP that are silent for too long, in one command. */
static bool take_expired(struct coordinator *c, struct timed_group *group, int64_t now_ms,
                         struct arena *arena, struct command *cmd)
{
    struct timed_member *member, *next;
    struct group_expiry *members;
    uint32_t count = 0;

    HASH_ITER(hh, group->members, member, next)
    count += is_expired(member, now_ms);
    members = arena_array(arena, count, sizeof(*members));
    count = 0;
    HASH_ITER(hh, group->members, member, next)
    {
        if (!is_expired(member, now_ms))
            continue;
        members[count++] =
            (struct group_expiry){.member_id = member->id, .epoch = member->epoch};
        if (is_over(&member->session, now_ms))
            timer_set(c, &member->session, now_ms + RETRY_MS);
        if (is_over(&member->move, now_ms))
            timer_set(c, &member->move, now_ms + RETRY_MS);
    }
    *cmd = (struct command){.kind = COMMAND_GROUP_EXPIRE,
                            .cluster_id = group->cluster_id,
                            .group_expire = {.group_id = group->id,
                                             .members = members,
                                             .member_count = count}};
    return true;
}

bool coordinator_next(struct coordinator *c, const struct state *state, int64_t now_ms,
                      struct arena *arena, struct command *cmd)
{
    coordinator_settle(c, state, now_ms);
    while (c->heap_len > 0 && c->heap[0]->at_ms <= now_ms) {
        struct timer *timer = c->heap[0];
        int64_t deadline_ms = timer->deadline_ms;
        if (deadline_ms > now_ms) {
            timer_stop(c, timer);
            timer_set(c, timer, deadline_ms);
            continue;
        }
        if (state_of(state, group_of(timer)) == NULL) { /* with its cluster */
            drop_group(c, group_of(timer));
            continue;
        }
        bool taken = timer->kind == TIMER_PHASE
                         ? take_phase(c, group_of(timer), now_ms, cmd)
                         : take_expired(c, group_of(timer), now_ms, arena, cmd);
        if (taken)
            return true;
    }
    return false;
}

void coordinator_count(const struct coordinator *c, struct coordinator_counts *counts)
{
    *counts = c->counts;
}
