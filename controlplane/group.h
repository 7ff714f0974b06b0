/* group.h - a consumer group: its members, and the place of its offsets.
 *
 * Part of the state: owned by the core thread, changed by apply_*.c through
 * group_classic.c, group_consumer.c and group_offsets.c only; everybody else reads, until
 * control returns to the loop. A group is a row of the database and so is each member (a
 * join must not rewrite a thousand members) and each topic it has offsets of.
 *
 * Ids and texts are any bytes, also NUL: slices here own what they point to. Members are
 * in order of joining, which is the same on every node; no order comes out of a hash.
 *
 * Nothing here knows the time: sessions and timeouts are coordinator.c's, on the leader.
 *
 * What a group holds counts against its cluster's limit of metadata bytes (catalog.h). */
#ifndef CONTROLPLANE_GROUP_H
#define CONTROLPLANE_GROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/cursor.h"
#include "common/list.h"
#include "common/slice.h"
#include "controlplane/catalog.h"
#include "controlplane/row.h"

struct group_offsets;   /* group_offsets.h: what was committed */
struct consumer_group;  /* group_consumer.h: what only a group of KIP-848 has */
struct consumer_member; /* ... and its members */

/* The numbers of both are stored. */
enum group_kind {
    GROUP_EMPTY_KIND = 0, /* commits only, so far; shown as classic */
    GROUP_CLASSIC = 1,
    GROUP_CONSUMER = 2, /* KIP-848 */
};

enum group_state {
    GROUP_EMPTY = 1,      /* without members; pending ids and offsets it may have */
    GROUP_PREPARING = 2,  /* classic: members join */
    GROUP_COMPLETING = 3, /* classic: the leader assigns */
    GROUP_STABLE = 4,
    GROUP_DEAD = 5,      /* on_group: it is about to go */
    GROUP_ASSIGNING = 6, /* consumer */
    GROUP_RECONCILING = 7,
};

/* The most that may stand, whatever the options say (I12). */
#define GROUP_MEMBERS_MAX COMMAND_MEMBERS_MAX
#define GROUP_PENDING_MAX COMMAND_MEMBERS_MAX /* ids given out and not used yet */

struct group_member {
    struct slice member_id;
    struct slice instance_id; /* null: dynamic */
    struct slice client_id, client_host;
    int32_t session_ms, rebalance_ms;
    /* The id was given out with MEMBER_ID_REQUIRED, nobody has joined with it yet. Such
     * are not among the members but in a list of their own. */
    bool pending;

    /* ---- classic; generations rather than flags, so that the end of a phase does not
     * have to touch every member ---- */
    struct slice protocols; /* packed, group_member_protocol() reads; null: none */
    uint32_t protocol_count;
    int32_t since_generation;    /* the first one it belongs, or will belong, to */
    int32_t joined_generation;   /* the last one it has joined for: the group's present
                                  * one, or (group_member_joined) the next */
    int32_t synced_generation;   /* the last one it has asked its assignment of */
    int32_t assigned_generation; /* the one that `assignment` is of */
    struct slice assignment;     /* null: none, or an empty one */

    struct consumer_member *consumer; /* NULL: a member of a classic group */

    /* private */
    struct group *group;
    uint64_t serial; /* order of joining, in the cell */
    uint64_t bytes;  /* counted in the cluster */
    struct list_node node;
    struct row row;
    UT_hash_handle hh;          /* by member id, pending ones too */
    UT_hash_handle hh_instance; /* static ones */
};

/* How many members speak a protocol. */
struct group_vote {
    struct slice name;
    uint32_t members;
    /* private */
    UT_hash_handle hh;
};

struct group {
    struct slice group_id;
    struct cluster *cluster;
    enum group_kind kind;
    enum group_state state;
    int32_t generation;          /* classic: 0 before the first; consumer: its epoch */
    struct slice protocol_type;  /* classic, of the members; null: there were none yet */
    struct slice protocol;       /* classic, voted for; null: none */
    struct group_member *leader; /* classic; NULL: there are no members */
    /* PREPARING: the group was empty before, so it waits for the initial delay and not
     * just until all known members have joined. */
    bool initial;
    uint32_t member_count, pending_count;
    int64_t created_at_ms;
    int64_t
        empty_since_ms; /* of the command that took the last member; of the creation */
    uint64_t etag;      /* log index of the last change of group or members */
    uint64_t serial;

    struct consumer_group *consumer; /* NULL unless GROUP_CONSUMER */
    struct group_offsets *offsets;   /* NULL: none */

    /* private */
    struct list members;        /* struct group_member.node, in order of joining */
    struct list pending;        /* ... by the time their ids were given out */
    struct group_member *by_id; /* both */
    struct group_member *by_instance;
    struct group_vote *votes;
    uint32_t joined_count;  /* members for which group_member_joined() */
    uint32_t synced_count;  /* members that synced in this generation */
    uint64_t bytes;         /* of the group itself, counted in the cluster */
    uint64_t leader_serial; /* while loading */
    struct list_node node;
    struct row row;
    UT_hash_handle hh; /* of the cluster, by group id */
};

/* ---- reading (state.h: state_group, state_group_next) ---- */

/* A member, or a pending one; NULL: none. GROUP may be NULL in all of these. */
struct group_member *group_find_member(const struct group *group, struct slice member_id);
/* By its instance id; NULL when that is null or not known. */
struct group_member *group_static_member(const struct group *group,
                                         struct slice instance_id);
/* NULL first; in order of joining, without pending ones; NULL at the end. */
struct group_member *group_member_next(const struct group *group,
                                       const struct group_member *member);
struct group_member *group_pending_next(const struct group *group,
                                        const struct group_member *member);
/* The I-th protocol of a classic member (0 .. protocol_count - 1) by walking: pass a
 * READER set up with reader_init(member->protocols). False at the end. */
bool group_member_protocol(struct reader *walk, struct join_protocol *protocol);
/* The metadata of MEMBER for the protocol NAME; null: it does not speak it. */
struct slice group_member_metadata(const struct group_member *member, struct slice name);
/* The generation that follows the group's present one. */
int32_t group_next_generation(const struct group *group);
/* Classic: it has joined for the next generation and waits. A pending one has not. */
bool group_member_joined(const struct group_member *member);
/* Classic: it joined the group after the present generation began, and its join was never
 * answered: it cannot heartbeat yet, and waits five minutes at most. */
bool group_member_new(const struct group_member *member);
bool group_member_synced(const struct group_member *member);
/* The greatest rebalance timeout of the members; 0 without any. */
int32_t group_rebalance_ms(const struct group *group);
/* "Empty", "PreparingRebalance" ... as Kafka's tools show them. */
const char *group_state_name(enum group_state state);
/* "classic" or "consumer". */
const char *group_kind_name(enum group_kind kind);

/* ---- for apply_*.c, group_*.c and the checkpoint; apply_touch is theirs ---- */

struct group *group_find(const struct cluster *cluster, struct slice group_id);
/* Add a group without anything; the id is copied and must be free. */
struct group *group_add(struct catalog *catalog, struct cluster *cluster,
                        struct slice group_id, int64_t now_ms);
/* Unlink and free, with members; what it has of offsets must be gone. */
void group_remove(struct group *group);
/* Add a member or (PENDING) an id; its id and instance must be free. */
struct group_member *group_add_member(struct catalog *catalog, struct group *group,
                                      struct slice member_id, struct slice instance_id,
                                      bool pending);
/* Unlink and free. Whoever led does not lead any more (leader NULL). */
void group_remove_member(struct group_member *member);
/* The same member under another id (static members). */
void group_rename_member(struct group_member *member, struct slice member_id);
void group_set_client(struct group_member *member, struct slice client_id,
                      struct slice client_host);
void group_set_protocols(struct group_member *member,
                         const struct join_protocol *protocols, uint32_t count);
/* Of the group's present generation. */
void group_set_assignment(struct group_member *member, struct slice assignment);
void group_set_joined(struct group_member *member, int32_t generation);
void group_set_synced(struct group_member *member, int32_t generation);
void group_set_generation(struct group *group, int32_t generation);
/* The rows of a group and of a member, and back: what is added gets the catalog's next
 * serial. CLUSTER and GROUP are NULL when there is no such thing. 0 or ERR_DAMAGED. */
void group_put_row(const struct group *group, struct str *out);
void group_member_put_row(const struct group_member *member, struct str *out);
int group_load_row(struct catalog *catalog, struct cluster *cluster, struct reader *row,
                   struct group **group) MUST_CHECK;
int group_member_load_row(struct catalog *catalog, struct group *group,
                          struct reader *row) MUST_CHECK;
/* All members are there: whether they fit together. */
int group_loaded(struct group *group) MUST_CHECK;
/* Keep a copy of VALUE (may be null) in *FIELD instead of what it held. */
void group_set_text(struct slice *field, struct slice value);
/* Count what belongs to the group but lies elsewhere (offsets, consumer): the change. */
void group_count_bytes(struct group *group, int64_t change);

#endif
