/* front_fixture.c - a front to test, in one thread. */
#include "tests/lib/front_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/cursor.h"
#include "proto/header.h"
#include "tests/lib/batch_builder.h"

#define IDLE_TICKS                                                                       \
    12 /* of the longest chain of messages and deferred work, with room                  \
        */
#define BATCH_MAX (8 * MIB)

void fixture_init(struct fixture *f, const struct front_options *options)
{
    struct front_options all = options == NULL ? front_defaults : *options;
    struct err err;
    memset(f, 0, sizeof(*f));
    f->loop = loop_new();
    budget_init(&f->budget, 256 * MIB);
    arena_init(&f->arena, GIB);
    f->fake = fake_core_new(f->loop);
    fake_core_add_agent(f->fake, 1, "a");
    all.listen = "127.0.0.1:0";
    all.threads = 1;
    all.core = fake_core_as_core(f->fake);
    all.meta = fake_core_meta(f->fake);
    all.budget = all.budget == NULL ? &f->budget : all.budget;
    ASSERT(front_new(&all, &f->front, &err) == 0);
    f->thread = &f->front->threads[0];
    client_thread_init(f->thread, f->front, f->loop);
    client_thread_run(f->thread);
}

void fixture_fini(struct fixture *f)
{
    client_thread_close(f->thread);
    for (enum ask_type type = ASK_PRODUCE; type <= ASK_METADATA; type++)
        fake_core_hold(f->fake, type, false);
    while (fake_core_held(f->fake) > 0)
        fake_core_answer(f->fake, 0);
    fake_core_drain(f->fake);
    fixture_run(f, 0);
    ASSERT(f->thread->asks == 0 && front_idle(f->front));
    client_thread_fini(f->thread);
    ASSERT(budget_used(f->front->options.budget) == 0);
    front_free(f->front);
    fake_core_free(f->fake);
    loop_free(f->loop);
    arena_fini(&f->arena);
}

int fixture_connect(struct fixture *f)
{
    int fds[2];
    struct sockaddr_storage peer = {.ss_family = AF_UNIX};
    int rc = socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
    ASSERT(rc == 0);
    client_thread_adopt(f->thread, fds[1], &peer);
    fixture_run(f, 0);
    return fds[0];
}

void fixture_run(struct fixture *f, int64_t ms)
{
    int64_t end = clock_monotonic_ms() + ms;
    do {
        for (int i = 0; i < IDLE_TICKS; i++)
            loop_run_once(f->loop, 0);
        if (ms > 0)
            loop_run_once(f->loop, 1);
    } while (clock_monotonic_ms() < end);
}

bool fixture_closed(struct fixture *f, int fd)
{
    char byte;
    fixture_run(f, 0);
    ssize_t n = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

void fixture_send_bytes(struct fixture *f, int fd, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = send(fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) {
            fixture_run(f, 0);
            continue;
        }
        if (n < 0)
            return; /* closed: the test sees it */
        at += n;
        len -= (size_t)n;
    }
    fixture_run(f, 0);
}

void fixture_send(struct fixture *f, int fd, int16_t key, int16_t version,
                  int32_t correlation_id, const char *client_id, const void *body)
{
    struct codec_out out;
    struct str flat;
    codec_out_init(&out, GIB);
    str_init(&flat, GIB);
    int rc = header_write_request(kafka_api_find(key), version, correlation_id,
                                  slice_str(client_id), body, &out);
    ASSERT(rc == 0);
    codec_out_flatten(&out, &flat);
    fixture_send_bytes(f, fd, flat.data, flat.len);
    codec_out_fini(&out);
    str_fini(&flat);
}

/* LEN bytes, with the loop running in between; false when they do not come. */
static bool receive_bytes(struct fixture *f, int fd, void *bytes, size_t len)
{
    char *at = bytes;
    int idle = 0;
    while (len > 0) {
        ssize_t n = recv(fd, at, len, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN) || idle > 200)
            return false;
        if (n < 0) {
            fixture_run(f, idle++ > 0 ? 1 : 0);
            if (at == bytes && idle > 20)
                return false;
            continue;
        }
        idle = 0;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool fixture_receive(struct fixture *f, int fd, struct str *frame)
{
    uint8_t length[4];
    str_reset(frame);
    if (!receive_bytes(f, fd, length, sizeof(length)))
        return false;
    size_t len = be32_get(length);
    ASSERT(len < GIB);
    return receive_bytes(f, fd, str_extend(frame, len), len);
}

void *fixture_decode(struct fixture *f, struct slice frame, int16_t key, int16_t version,
                     int32_t *correlation_id)
{
    const struct kafka_api *api = kafka_api_find(key);
    struct slice copy = arena_dup(&f->arena, frame);
    struct reader r;
    reader_init(&r, copy);
    int rc = header_read_response(&r, api, version, correlation_id);
    ASSERT(rc == 0);
    void *body = codec_new(api->response->body, 1, &f->arena);
    rc = codec_decode(api->response, version, &r, &f->arena, body);
    ASSERT(rc == 0);
    return body;
}

void *fixture_call_as(struct fixture *f, int fd, int16_t key, int16_t version,
                      const char *client_id, const void *body)
{
    struct str frame;
    int32_t correlation_id;
    void *reply = NULL;
    str_init(&frame, GIB);
    fixture_send(f, fd, key, version, 4711, client_id, body);
    if (fixture_receive(f, fd, &frame)) {
        reply = fixture_decode(f, str_slice(&frame), key, version, &correlation_id);
        ASSERT(correlation_id == 4711);
    }
    str_fini(&frame);
    return reply;
}

void *fixture_call(struct fixture *f, int fd, int16_t key, int16_t version,
                   const void *body)
{
    return fixture_call_as(f, fd, key, version, "test", body);
}

struct slice fixture_batch(struct fixture *f, size_t records, const char *value)
{
    struct built_record *rows = mem_zalloc(records * sizeof(*rows));
    int64_t now_ms = clock_wall_ms();
    for (size_t i = 0; i < records; i++) {
        rows[i].key = "k";
        rows[i].value = value;
        rows[i].timestamp_ms = now_ms;
    }
    struct built_batch batch = {
        .producer_id = -1, .base_sequence = -1, .records = rows, .record_count = records};
    struct str out;
    str_init(&out, BATCH_MAX);
    batch_build(&batch, &out);
    struct slice copy = arena_dup(&f->arena, str_slice(&out));
    str_fini(&out);
    mem_free(rows);
    return copy;
}

struct produce_request *fixture_produce(struct fixture *f, int16_t version,
                                        const char *topic, int32_t partition,
                                        struct slice records)
{
    struct produce_request *body = arena_alloc(&f->arena, sizeof(*body));
    struct produce_request_topic *t = arena_alloc(&f->arena, sizeof(*t));
    struct produce_request_partition *p = arena_alloc(&f->arena, sizeof(*p));
    *body = produce_request_defaults;
    body->transactional_id = SLICE_NULL;
    body->acks = -1;
    body->timeout_ms = 5000;
    body->topic_data = t;
    body->topic_data_count = 1;
    if (version >= 13)
        t->topic_id = fake_core_topic_id(f->fake, topic);
    else
        t->name = slice_str(topic);
    t->partition_data = p;
    t->partition_data_count = 1;
    p->index = partition;
    p->records = records;
    return body;
}
