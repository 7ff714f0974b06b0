/* api_authority.c - the cell's certificate authorities: list them, change to a new one,
 * retire an old one.
 *
 * A new one signs from the moment that it is in the state; its certificate is also
 * cross-signed by the one before, so who trusts only that one goes on. Nodes take a new
 * certificate within a second, agents within about a minute; then the old one can be
 * retired, after which what it signed is refused, also on connections that are open. It
 * is not retired while a node or a registered agent was not heard of with a certificate
 * of another one (force=true: all the same). An agent that is away is not registered and
 * not known of: if it comes back with an old certificate only, it must enrol again. Two
 * are trusted at most: an agent that knows only the one before the last would have no way
 * to the last. */
#include "controlplane/api.h"

#include <string.h>

#include "common/x509.h"
#include "controlplane/change.h"
#include "controlplane/list.h"

#define TRUSTED_MAX 2

struct ca_row {
    char fingerprint[X509_FINGERPRINT_LEN + 1];
    bool signs;
    int64_t created_at_ms, not_after_ms;
    const char *certificate; /* in the arena */
    uint64_t revision;
};

static void copy_ca(struct node *node, struct call *call, const void *from, void *to)
{
    const struct cell_ca *ca = from;
    struct ca_row *row = to;
    *row = (struct ca_row){
        .signs = ca == state_ca_active(node_state(node)),
        .created_at_ms = ca->added_at_ms,
        .certificate = arena_strdup(&call->arena, slice_str(ca->certificate)),
        .revision = ca->serial,
    };
}

static struct json *print_ca(const void *from)
{
    struct ca_row row = *(const struct ca_row *)from;
    struct json *value = json_object();
    struct slice pem = slice_str(row.certificate);
    /* It was made by us: what cannot be read shows as what it is, nothing. */
    if (x509_fingerprint(pem, row.fingerprint, NULL) != 0)
        row.fingerprint[0] = '\0';
    if (x509_not_after_ms(pem, &row.not_after_ms, NULL) != 0)
        row.not_after_ms = 0;
    json_set(value, "fingerprint", json_string(row.fingerprint));
    json_set(value, "state", json_string(row.signs ? "signing" : "trusted"));
    json_set(value, "created_at_ms", json_int(row.created_at_ms));
    json_set(value, "not_after_ms", json_int(row.not_after_ms));
    json_set(value, "certificate_pem", json_string(row.certificate));
    json_set(value, "revision", json_int((int64_t)row.revision));
    return value;
}

/* --- GET /api/v1/cell/ca --- */

static const void *next_ca(struct node *node, const struct call *call, const void *row)
{
    (void)call;
    return state_ca_next(node_state(node), row);
}

static const struct cell_ca *find_by_id(const struct state *state, const struct uuid *id)
{
    const struct cell_ca *ca = NULL;
    while ((ca = state_ca_next(state, ca)) != NULL && !uuid_eq(&ca->ca_id, id))
        ;
    return ca;
}

static const void *find_ca(struct node *node, const struct call *call,
                           const struct page_key *key)
{
    (void)call;
    return find_by_id(node_state(node), &key->id);
}

static void key_of_ca(const void *from, unsigned sort, struct page_key *key)
{
    const struct cell_ca *ca = from;
    (void)sort;
    key->id = ca->ca_id;
    key->serial = ca->serial;
    key->number = (int64_t)ca->serial;
}

static const char *const ca_sorts[] = {"created_at_ms", NULL};
static const struct list_source cas_source = {
    .sorts = ca_sorts,
    .row_bytes = sizeof(struct ca_row),
    .next = next_ca,
    .find = find_ca,
    .key = key_of_ca,
    .copy = copy_ca,
    .print = print_ca,
};

void api_cell_cas_list(struct call *call)
{
    list_start(call, &cas_source);
}

/* --- POST: a new one --- */

struct ca_change {
    struct change change;
    struct str cert, cross, sealed;
    char fingerprint[X509_FINGERPRINT_LEN + 1]; /* DELETE: of the path */
    bool force;
    struct ca_row row;
};

static void create_cleanup(struct call *call)
{
    struct ca_change *create =
        CONTAINER_OF((struct change *)call->data, struct ca_change, change);
    str_fini(&create->cert);
    str_fini(&create->cross);
    str_fini(&create->sealed);
}

static void create_prepare(struct node *node, struct call *call, struct change *change)
{
    (void)change;
    if (state_cell(node_state(node))->ca_count >= TRUSTED_MAX)
        call_fail(call, ERR_CONFLICT,
                  "%d authorities are trusted already: retire the old one first (DELETE "
                  "/api/v1/cell/ca/FINGERPRINT), once all agents have renewed",
                  TRUSTED_MAX);
    call_target(call, "cell/ca");
}

static void create_copy(struct node *node, struct call *call, struct change *change)
{
    struct ca_change *create = CONTAINER_OF(change, struct ca_change, change);
    const struct uuid *id =
        uuid_is_zero(&change->result.id) ? &change->made_id : &change->result.id;
    const struct cell_ca *ca = find_by_id(node_state(node), id);
    if (ca != NULL)
        copy_ca(node, call, ca, &create->row);
    else
        call_fail(call, ERR_CONFLICT, "the authority that this request made was retired");
}

static void create_answer(struct call *call)
{
    const struct ca_change *create =
        CONTAINER_OF((struct change *)call->data, struct ca_change, change);
    call_reply_json(call, 201, print_ca(&create->row));
}

void api_cell_cas_create(struct call *call)
{
    struct ca_change *create = arena_alloc(&call->arena, sizeof(*create));
    struct change *change = &create->change;
    struct err err = {0};

    *create = (struct ca_change){0};
    str_init(&create->cert, X509_PEM_MAX);
    str_init(&create->cross, X509_PEM_MAX);
    str_init(&create->sealed, 2 * X509_PEM_MAX);
    call->data = change;
    call->cleanup = create_cleanup;
    int code = trust_make_ca(call->service->trust, &create->cert, &create->cross,
                             &create->sealed, &err);
    if (code == 0 && !trust_loaded(call->service->trust))
        code = ERR_UNAVAILABLE;
    if (code != 0) {
        call_fail(call, code, "no authority was made: %.200s", err.text);
        return;
    }
    change->what = "authority";
    change->made_id = uuid_random();
    change->cmd.kind = COMMAND_CA_ADD;
    change->cmd.ca_add = (struct ca_fields){.ca_id = change->made_id,
                                            .certificate = str_slice(&create->cert),
                                            .cross = str_slice(&create->cross),
                                            .sealed_key = str_slice(&create->sealed)};
    change->prepare = create_prepare;
    change->copy = create_copy;
    change->answer = create_answer;
    change_start(call, change);
}

/* --- DELETE: retire an old one --- */

/* Who would be locked out, as far as is known. */
struct holders {
    char key_id[X509_KEY_ID_LEN + 1]; /* of the authority that is to be retired */
    size_t agents, nodes;
    struct uuid agent; /* one of them */
    uint64_t node;
};

/* Heard of since this node leads, with a certificate of another authority. */
static bool is_renewed(const struct holders *holders, const char *authority)
{
    return authority[0] != '\0' && strcmp(authority, holders->key_id) != 0;
}

static void count_holders(struct node *node, struct call *call, struct holders *holders)
{
    const struct state *state = node_state(node);
    const struct cluster *cluster = NULL;
    const struct cell_node *row = NULL;

    while ((row = state_node_next(state, row)) != NULL) {
        const struct node_certificate *certificate =
            node_certificates_find(&call->service->certificates, row->node_id);
        if (certificate != NULL && is_renewed(holders, certificate->authority))
            continue;
        holders->nodes++;
        holders->node = row->node_id;
    }
    while ((cluster = state_cluster_next(state, cluster)) != NULL) {
        const struct agent_info *agent = NULL;
        while ((agent = state_agent_next(cluster, agent)) != NULL) {
            if (is_renewed(holders,
                           sessions_authority(call->service->sessions,
                                              &cluster->cluster_id, &agent->agent_id)))
                continue;
            holders->agents++;
            holders->agent = agent->agent_id;
        }
    }
}

/* Nobody is locked out by surprise. */
static void check_holders(struct node *node, struct call *call, const struct cell_ca *ca)
{
    struct holders holders = {.agents = 0};
    char agent[UUID_TEXT_LEN + 1];

    if (x509_key_id(slice_str(ca->certificate), holders.key_id, NULL) != 0)
        return; /* no authority that anything could be verified by */
    count_holders(node, call, &holders);
    if (holders.nodes > 0)
        call_fail(call, ERR_CONFLICT,
                  "%zu nodes, node %llu among them, were not heard of with a certificate "
                  "of another authority: wait until they have renewed, remove them, or "
                  "lock them out with force=true",
                  holders.nodes, (unsigned long long)holders.node);
    if (holders.agents > 0)
        call_fail(call, ERR_CONFLICT,
                  "%zu agents, %s among them, were not heard of with a certificate of "
                  "another authority: wait until they have renewed, which takes a minute "
                  "or two, forget them, or lock them out with force=true",
                  holders.agents, uuid_print(&holders.agent, agent));
}

static void retire_prepare(struct node *node, struct call *call, struct change *change)
{
    const struct ca_change *retire = CONTAINER_OF(change, struct ca_change, change);
    const struct state *state = node_state(node);
    const struct cell_ca *ca = NULL;
    char hex[X509_FINGERPRINT_LEN + 1];

    while ((ca = state_ca_next(state, ca)) != NULL) {
        if (x509_fingerprint(slice_str(ca->certificate), hex, NULL) == 0 &&
            strcmp(hex, retire->fingerprint) == 0)
            break;
    }
    if (ca == NULL)
        call_fail(call, ERR_NOT_FOUND, "there is no authority of this fingerprint");
    else if (ca == state_ca_active(state))
        call_fail(call, ERR_CONFLICT,
                  "this is the authority that signs now: change to a new one first, by "
                  "POST /api/v1/cell/ca");
    else
        change->cmd.ca_remove.ca_id = ca->ca_id;
    if (call->err.code == 0 && !retire->force)
        check_holders(node, call, ca);
    call_target(call, "cell/ca/%s", retire->fingerprint);
}

void api_cell_cas_delete(struct call *call)
{
    struct ca_change *retire = arena_alloc(&call->arena, sizeof(*retire));
    *retire = (struct ca_change){0};
    if (call->id.len != X509_FINGERPRINT_LEN) {
        call_fail(call, ERR_NOT_FOUND, "there is no authority of this fingerprint");
        return;
    }
    struct slice force = call_query_text(call, "force", 5);
    retire->force = slice_eq_str(force, "true");
    if (force.ptr != NULL && !retire->force && !slice_eq_str(force, "false"))
        call_fail(call, ERR_INVALID, "force: want true or false");
    if (call->err.code != 0)
        return;
    memcpy(retire->fingerprint, call->id.ptr, call->id.len);
    retire->change.what = "authority";
    retire->change.cmd.kind = COMMAND_CA_REMOVE;
    retire->change.prepare = retire_prepare;
    change_start(call, &retire->change);
}
