/* fuzz_api.c - the body of every call of both listeners, on the product's own state.
 *
 * An input is a sequence of calls: two bytes for the route, one for flags (1: lz4 coming,
 * 2: lz4 wanted, 4: another cluster's agent, 8: an idempotency key, 16: what a node sends
 * that joins by the cell key), two for the length of the body (big-endian), the body. The
 * route's bytes are the end of the CRC-32C of "METHOD PATH", so that inputs go on to mean
 * what they meant when routes are added; what is no route's is its place in the tables.
 * Each call must be answered, with a status that it may have, and leave nothing behind;
 * what an agent of another cluster does must not change ours (I10).
 */
#include <stddef.h>
#include <stdint.h>

#include "common/crc32c.h"
#include "common/cursor.h"
#include "common/log.h"
#include "tests/lib/fake/control.c"

#define CALLS_MAX 16

static const struct uuid ours = {{0x11}}, theirs = {{0x22}}, agent = {{0x33}},
                         topic = {{0x44}};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_cluster(struct fake_control *fake, const struct uuid *id,
                        const char *name)
{
    struct command create = {.kind = COMMAND_CLUSTER_CREATE,
                             .cluster_id = *id,
                             .cluster_create = {.name = slice_str(name)}};
    struct command reg = {.kind = COMMAND_AGENT_REGISTER,
                          .cluster_id = *id,
                          .agent_register = {.agent_id = agent,
                                             .zone = SLICE_LITERAL("a"),
                                             .rack = SLICE_LITERAL(""),
                                             .host = SLICE_LITERAL("h"),
                                             .http_url = SLICE_LITERAL(""),
                                             .version = SLICE_LITERAL("1"),
                                             .port = 9092,
                                             .state = AGENT_ACTIVE,
                                             .agents_max = 10}};
    fake_control_apply(fake, &create);
    fake_control_apply(fake, &reg);
}

static void prepare(struct fake_control *fake)
{
    struct command create = {.kind = COMMAND_TOPIC_CREATE,
                             .cluster_id = ours,
                             .topic_create = {.topic_id = topic,
                                              .name = SLICE_LITERAL("t"),
                                              .partitions = 4,
                                              .replication_factor = 1,
                                              .topics_max = 100,
                                              .partitions_max = 1000}};
    fake_control_reset(fake);
    add_cluster(fake, &ours, "ours");
    add_cluster(fake, &theirs, "theirs");
    fake_control_apply(fake, &create);
}

/* PATTERN with our cluster, a topic's name or the agent's id in it. */
static void print_path(const char *pattern, char *path, size_t size)
{
    size_t len = 0;
    while (*pattern != '\0' && len + 40 < size) {
        const char *end = strchr(pattern, '}');
        const char *value = "33000000-0000-0000-0000-000000000000";
        if (*pattern != '{') {
            path[len++] = *pattern++;
            continue;
        }
        if (strncmp(pattern, "{cluster}", 9) == 0)
            value = "11000000-0000-0000-0000-000000000000";
        else if (strncmp(pattern, "{topic}", 7) == 0)
            value = "t";
        else if (strncmp(pattern, "{group}", 7) == 0)
            value = "g";
        len += (size_t)snprintf(path + len, size - len, "%s", value);
        pattern = end + 1;
    }
    path[len] = '\0';
}

static const struct route *route_at(size_t index, bool *agents)
{
    *agents = index < agents_table.count;
    return *agents ? &agents_table.routes[index]
                   : &people_table.routes[index - agents_table.count];
}

static uint16_t name_of(const struct route *route)
{
    char text[200];
    int len = snprintf(text, sizeof(text), "%s %s", route->method, route->path);
    return (uint16_t)crc32c(text, (size_t)len);
}

static const struct route *find_route(uint16_t which, bool *agents)
{
    size_t all = agents_table.count + people_table.count;
    for (size_t i = 0; i < all; i++)
        if (name_of(route_at(i, agents)) == which)
            return route_at(i, agents);
    return route_at(which % all, agents);
}

static void call(struct fake_control *fake, const struct route *route, bool agents,
                 uint8_t flags, struct slice body)
{
    struct fake_request request = {.agents = agents,
                                   .method = route->method,
                                   .path = route->path,
                                   .cluster_id = flags & 4 ? theirs : ours,
                                   .agent_id = agent,
                                   .token = fake->admin_token,
                                   .encoding = flags & 1 ? "lz4" : NULL,
                                   .accept = flags & 2 ? "lz4" : NULL,
                                   .body = body};
    struct fake_reply reply;

    char key_token[TOKEN_TEXT_MAX];
    uint8_t hash[SHA256_LEN];
    trust_key_token(fake->service.trust, key_token, hash);
    if (route->access == ACCESS_JOIN)
        request.token = flags & 16 ? key_token : "weft_join_0";
    if (flags & 16)
        request.nonce = "0123456789abcdef0123456789abcdef";
    if (route->access == ACCESS_ENROL)
        request.token = "weft_enrol_0";
    char path[256];
    print_path(route->path, path, sizeof(path));
    request.path = path;
    if (flags & 8)
        request.idempotency_key = "a-key";
    fake_control_call(fake, &request, &reply);
    fake_control_wait(fake, &reply);
    switch (reply.status) {
    case 200:
    case 201:
    case 204:
    case 400:
    case 401:
    case 404:
    case 409:
    case 412:
    case 413:
    case 422:
    case 429:
        break;
    case 403: /* an agent is no node; no body here proves the cell key */
        ASSERT(route->access == ACCESS_NODE || route->access == ACCESS_JOIN);
        break;
    case 503: /* there is no other node to hand over to */
        ASSERT(strcmp(route->path, "/api/v1/cell/transfer") == 0);
        break;
    default:
        fprintf(stderr, "%s: status %d: %s\n", route->path, reply.status,
                str_cstr(&reply.body));
        abort();
    }
    fake_reply_free(&reply);
    ASSERT(budget_used(&fake->service.budget) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fake_control *fake;
    struct reader r;

    if (fake == NULL) {
        fake = fake_control_new();
        log_set_level(LOG_ERROR);
        fake->options.watch_wait_ms = 1; /* nobody waits for a watch */
        fake->options.join_by_key = true;
    }
    prepare(fake);
    reader_init(&r, slice_of(data, size));
    for (int i = 0; i < CALLS_MAX && reader_left(&r) >= 5; i++) {
        bool agents;
        const struct route *route = find_route(reader_u16(&r), &agents);
        uint8_t flags = reader_u8(&r);
        size_t len = reader_u16(&r);
        struct slice body = reader_bytes(&r, MIN(len, reader_left(&r)));
        const struct cluster *before = state_cluster(fake->service.node->state, &ours);
        if (before == NULL)
            return 0; /* it was deleted */
        uint64_t version = before->config_version;
        call(fake, route, agents, flags, body);
        if (flags & 4 && agents)
            ASSERT(before->config_version == version);
    }
    return 0;
}
