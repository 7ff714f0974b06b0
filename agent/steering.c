/* steering.c - zones of clients, and leaders for them. */
#include "agent/steering.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/mem.h"

#define ADDRESS_BYTES  16
#define V4_PREFIX_BITS 96 /* of an IPv4 address mapped into IPv6 */

struct zone_range {
    uint8_t address[ADDRESS_BYTES]; /* IPv6, or IPv4 mapped */
    unsigned bits;
    char *zone;
};

struct zone_table {
    struct zone_range *ranges;
    size_t count;
};

static void map_v4(const void *v4, uint8_t address[ADDRESS_BYTES])
{
    memset(address, 0, ADDRESS_BYTES);
    address[10] = address[11] = 0xff;
    memcpy(address + 12, v4, 4);
}

/* "10.1.0.0/16" or "fd00::/8"; without a length one single address. */
static bool parse_range(const char *text, struct zone_range *range)
{
    char host[INET6_ADDRSTRLEN];
    const char *slash = strchr(text, '/');
    size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);
    if (len >= sizeof(host))
        return false;
    memcpy(host, text, len);
    host[len] = '\0';

    uint8_t v4[4];
    unsigned least = 0;
    if (inet_pton(AF_INET, host, v4) == 1) {
        map_v4(v4, range->address);
        least = V4_PREFIX_BITS;
    } else if (inet_pton(AF_INET6, host, range->address) != 1) {
        return false;
    }
    range->bits = 128;
    if (slash != NULL) {
        char *end;
        unsigned long bits = strtoul(slash + 1, &end, 10);
        if (end == slash + 1 || *end != '\0' || bits > 128 - least)
            return false;
        range->bits = least + (unsigned)bits;
    }
    return true;
}

static int add_range(struct zone_table *table, char *item, struct err *err)
{
    char *equals = strchr(item, '=');
    struct zone_range range;
    if (equals != NULL)
        *equals = '\0';
    if (equals == NULL || equals[1] == '\0' || !parse_range(item, &range))
        return err_set(err, ERR_INVALID,
                       "zone-cidr: \"%s\" is not ADDRESS/BITS=ZONE (10.1.0.0/16=eu-1a)",
                       item);
    range.zone = mem_strdup(equals + 1);
    table->ranges = mem_realloc(table->ranges, (table->count + 1) * sizeof(range));
    table->ranges[table->count++] = range;
    return 0;
}

int zone_table_new(const char *text, struct zone_table **table, struct err *err)
{
    struct zone_table *made = mem_zalloc(sizeof(*made));
    char *copy = mem_strdup(text == NULL ? "" : text);
    char *save = NULL;
    int rc = 0;
    for (char *item = strtok_r(copy, ", ", &save); item != NULL && rc == 0;
         item = strtok_r(NULL, ", ", &save))
        rc = add_range(made, item, err);
    mem_free(copy);
    if (rc != 0)
        zone_table_free(made);
    else
        *table = made;
    return rc;
}

void zone_table_free(struct zone_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++)
        mem_free(table->ranges[i].zone);
    mem_free(table->ranges);
    mem_free(table);
}

static bool holds(const struct zone_range *range, const uint8_t address[ADDRESS_BYTES])
{
    unsigned bytes = range->bits / 8, bits = range->bits % 8;
    if (memcmp(range->address, address, bytes) != 0)
        return false;
    return bits == 0 || ((range->address[bytes] ^ address[bytes]) >> (8 - bits)) == 0;
}

struct slice zone_table_find(const struct zone_table *table,
                             const struct sockaddr_storage *peer)
{
    uint8_t address[ADDRESS_BYTES];
    if (peer->ss_family == AF_INET)
        map_v4(&((const struct sockaddr_in *)(const void *)peer)->sin_addr, address);
    else if (peer->ss_family == AF_INET6)
        memcpy(address, &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr,
               ADDRESS_BYTES);
    else
        return SLICE_NULL;

    const struct zone_range *best = NULL;
    for (size_t i = 0; i < table->count; i++) {
        const struct zone_range *range = &table->ranges[i];
        if ((best == NULL || range->bits > best->bits) && holds(range, address))
            best = range;
    }
    return best == NULL ? SLICE_NULL : slice_str(best->zone);
}

struct slice zone_of_client_id(struct slice client_id)
{
    const struct slice keys[] = {SLICE_LITERAL("zone="), SLICE_LITERAL("ws_az="),
                                 SLICE_LITERAL("diskless_az=")};
    size_t at = 0;
    while (at < client_id.len) {
        const uint8_t *item = client_id.ptr + at;
        const uint8_t *comma = memchr(item, ',', client_id.len - at);
        size_t len = comma == NULL ? client_id.len - at : (size_t)(comma - item);
        at += len + 1;
        while (len > 0 && *item == ' ')
            item++, len--;
        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            if (len > keys[i].len && memcmp(item, keys[i].ptr, keys[i].len) == 0)
                return slice_of(item + keys[i].len, len - keys[i].len);
        }
    }
    return SLICE_NULL;
}

int steering_init(struct steering *steering, const struct meta_view *view,
                  struct slice zone, struct arena *arena)
{
    memset(steering, 0, sizeof(*steering));
    steering->view = view;
    steering->agents =
        arena_try_array(arena, MAX(view->agent_count, (size_t)1), sizeof(void *));
    if (steering->agents == NULL)
        return ERR_TOO_LARGE;
    steering->agent_count =
        meta_agents_for_zone(view, zone, steering->agents, view->agent_count);
    return 0;
}

int32_t steering_controller(const struct steering *steering)
{
    for (size_t i = 0; i < steering->agent_count; i++) {
        if (steering->agents[i]->node_id == steering->view->self_node_id)
            return steering->view->self_node_id;
    }
    return steering->agent_count == 0 ? -1 : steering->agents[0]->node_id;
}

int steering_set_factor(struct steering *steering, int16_t replication_factor,
                        struct arena *arena)
{
    int16_t factor = (int16_t)MAX(replication_factor, 1);
    if (steering->replicas != NULL && steering->replication_factor == factor)
        return 0;
    size_t n = steering->agent_count;
    int32_t *ids = arena_try_array(arena, n * (size_t)factor, sizeof(*ids));
    if (ids == NULL)
        return ERR_TOO_LARGE;
    steering->replicas = ids;
    steering->replication_factor = factor;
    for (size_t leader = 0; leader < n; leader++) {
        for (size_t i = 0; i < (size_t)factor; i++) {
            size_t agent = i < n ? (leader + i) % n : leader;
            *ids++ = steering->agents[agent]->node_id;
        }
    }
    return 0;
}

int32_t steering_place(const struct steering *steering, const struct uuid *topic_id,
                       int32_t partition, int32_t **replicas, size_t *replica_count)
{
    *replicas = NULL;
    *replica_count = 0;
    if (steering->agent_count == 0)
        return -1;
    const struct meta_agent *leader =
        meta_leader(steering->agents, steering->agent_count, topic_id, partition);
    size_t i = 0;
    while (steering->agents[i] != leader)
        i++;
    *replicas = steering->replicas + i * (size_t)steering->replication_factor;
    *replica_count = (size_t)steering->replication_factor;
    return leader->node_id;
}

/* The group's id as a topic id, so that groups are spread as partitions are. */
const struct meta_agent *steering_coordinator(const struct steering *steering,
                                              struct slice group)
{
    uint8_t digest[SHA256_LEN];
    struct uuid id;

    crypto_sha256(group, digest);
    memcpy(id.bytes, digest, sizeof(id.bytes));
    return meta_leader(steering->agents, steering->agent_count, &id, 0);
}

struct slice steering_rack(const struct meta_agent *agent)
{
    const char *rack =
        agent->rack != NULL && agent->rack[0] != '\0' ? agent->rack : agent->zone;
    return rack == NULL || rack[0] == '\0' ? SLICE_NULL : slice_str(rack);
}
