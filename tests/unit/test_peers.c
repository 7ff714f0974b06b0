/* test_peers.c - the transport between nodes, over loopback: who is let in, order, what
 * ends a connection, certificates that change, and snapshots fetched in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/cursor.h"
#include "common/mem.h"
#include "controlplane/peer_frame.h"
#include "controlplane/peer_net.h"
#include "controlplane/peer_tls.h"
#include "controlplane/peers.h"
#include "tests/lib/fake_names.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/peer_certificates.h"
#include "tests/lib/state_driver.h"

#define FILE_BYTES (3 * MIB + 77)

static const struct name_wait patience = {.limit_ms = 10000};

/* One node's end of the transport, whose events a test reads by itself. */
struct end {
    uint64_t id;
    struct loop *loop;
    struct mailbox back;
    struct peers *peers;
    struct test_certificate certificate;
    struct str got; /* "from:text " of each message, or counts below */
    uint64_t messages, next, removed;
    bool hold; /* do not take what comes */
    struct peers_event *held[64];
    size_t held_count;
    /* snapshots it has */
    char dir[64];
    uint64_t index;
    int opened;
};

struct fixture {
    struct test_ca ca;
    struct uuid cell_id;
};

static void on_event(struct message *message, void *arg)
{
    struct end *end = arg;
    struct peers_event *event = CONTAINER_OF(message, struct peers_event, message);

    if (event->kind == PEERS_REMOVED) {
        end->removed++;
    } else {
        end->messages++;
        if (event->body.len == 8) {
            uint64_t number = be64_get((const uint8_t *)event->body.data);
            assert_true(number >= end->next); /* order, though some may be lost */
            end->next = number + 1;
        } else if (event->body.len < 100) {
            str_printf(&end->got, "%llu:%s ", (unsigned long long)event->from,
                       str_cstr(&event->body));
        }
    }
    if (end->hold && end->held_count < 64) {
        end->held[end->held_count++] = event;
        return;
    }
    if (end->peers == NULL)
        peers_event_free(event);
    else
        peers_event_done(end->peers, event);
}

static int open_snapshot(void *arg, uint64_t index, uint64_t file_index,
                         int64_t created_at_ms, struct peers_file *file, struct err *err)
{
    struct end *end = arg;
    char path[128];

    (void)file_index, (void)created_at_ms;
    if (index > end->index)
        return err_set(err, ERR_NOT_FOUND, "no snapshot of %llu yet",
                       (unsigned long long)index);
    snprintf(path, sizeof(path), "%s/file", end->dir);
    file->fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file->fd >= 0);
    file->size = FILE_BYTES;
    file->index = end->index;
    file->created_at_ms = 5;
    end->opened++;
    return 0;
}

static void close_snapshot(void *arg, struct peers_file *file)
{
    (void)arg;
    close(file->fd);
}

static uint64_t rate_bytes; /* of ends started from now on */

static void end_start_as(struct fixture *f, struct end *end, uint64_t id,
                         const struct test_ca *ca, const char *uri, const char *listen)
{
    struct err err = {.code = 0};

    memset(end, 0, sizeof(*end));
    end->id = id;
    end->loop = loop_new();
    str_init(&end->got, MIB);
    mailbox_init(&end->back, end->loop, on_event, end);
    test_certificate_init(&end->certificate, ca, &f->cell_id, id, uri);
    temp_dir(end->dir);
    struct peers_options options = {.cell_id = f->cell_id,
                                    .node_id = id,
                                    .listen = listen,
                                    .address = "",
                                    .certificate = end->certificate.pem,
                                    .back = &end->back,
                                    .snapshot_rate_bytes = rate_bytes,
                                    .arg = end,
                                    .open_snapshot = open_snapshot,
                                    .close_snapshot = close_snapshot};
    if (peers_start(&options, &end->peers, &err) != 0)
        fail_msg("%s", err.text);
}

static void end_start(struct fixture *f, struct end *end, uint64_t id)
{
    end_start_as(f, end, id, &f->ca, NULL, "127.0.0.1:0");
}

static void end_stop(struct end *end)
{
    if (end->peers != NULL)
        peers_stop(end->peers);
    end->peers = NULL;
    end->hold = false;
    for (size_t i = 0; i < end->held_count; i++)
        peers_event_free(end->held[i]);
    mailbox_drain(&end->back);
    mailbox_fini(&end->back);
    loop_free(end->loop);
    str_fini(&end->got);
    test_certificate_fini(&end->certificate);
    temp_dir_remove(end->dir);
}

static void know(struct end *end, const struct end *other)
{
    struct peers_address address = {other->id, peers_listen(other->peers)};
    peers_set_nodes(end->peers, &address, 1, NULL, 0);
}

static struct peers_status status_of(struct end *end, uint64_t id)
{
    struct peers_status all[PEERS_MAX], none = {.node_id = 0};
    size_t count = peers_status(end->peers, all);
    for (size_t i = 0; i < count; i++) {
        if (all[i].node_id == id)
            return all[i];
    }
    return none;
}

/* Run END's loop until CONDITION, at most a minute. */
#define WAIT(end, condition)                                                             \
    do {                                                                                 \
        int64_t until_ms_ = clock_monotonic_ms() + 60000;                                \
        while (!(condition) && clock_monotonic_ms() < until_ms_)                         \
            loop_run_once((end)->loop, 10);                                              \
        assert_true(condition);                                                          \
    } while (0)

static void send_text(struct end *end, uint64_t to, const char *text)
{
    peers_send(end->peers, to, slice_str(text));
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    test_ca_init(&f->ca);
    f->cell_id = test_uuid(7, 1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    test_ca_fini(&f->ca);
    mem_free(f);
    return 0;
}

/* Messages arrive in order and name their sender; the one who is dialled by a node that
 * it does not know of dials back where that node says it is. */
static void test_order(void **state)
{
    struct end a, b;
    uint8_t number[8];

    end_start(*state, &a, 1);
    end_start(*state, &b, 2);
    know(&a, &b);
    WAIT(&a, status_of(&a, 2).connected);
    for (uint64_t i = 0; i < 20000; i++) {
        be64_put(number, i);
        peers_send(a.peers, 2, slice_of(number, 8));
    }
    WAIT(&b, b.messages == 20000);
    assert_int_equal(b.next, 20000);
    send_text(&a, 2, "hello");
    WAIT(&b, b.got.len > 0);
    assert_string_equal(str_cstr(&b.got), "1:hello ");
    assert_true(status_of(&b, 1).heard);
    end_stop(&a);
    end_stop(&b);
}

/* A message as large as any arrives whole; a larger one is never sent. */
static void test_large(void **state)
{
    struct end a, b;
    uint8_t *bytes = mem_zalloc(PEERS_MESSAGE_MAX + 1);

    end_start(*state, &a, 1);
    end_start(*state, &b, 2);
    know(&a, &b);
    WAIT(&a, status_of(&a, 2).connected);
    peers_send(a.peers, 2, slice_of(bytes, PEERS_MESSAGE_MAX + 1));
    peers_send(a.peers, 2, slice_of(bytes, PEERS_MESSAGE_MAX));
    send_text(&a, 2, "after");
    WAIT(&b, b.messages == 2);
    assert_string_equal(str_cstr(&b.got), "1:after ");
    mem_free(bytes);
    end_stop(&a);
    end_stop(&b);
}

/* Nobody is let in who has a certificate of another CA, of another cell, of an agent, or
 * of another node than the one that is dialled; the reason is told. */
static void test_strangers(void **state)
{
    struct fixture *f = *state;
    const char *uris[] = {"weft://cell/00000000-0000-0000-0000-000000000001/node/1",
                          "weft://cluster/00000000-0000-0000-0000-000000000001/agent/"
                          "00000000-0000-0000-0000-000000000001",
                          "weft://nothing"};
    struct test_ca other;
    struct end a, b;

    end_start(f, &b, 2);
    for (size_t i = 0; i < 3; i++) {
        end_start_as(f, &a, 1, &f->ca, uris[i], "127.0.0.1:0");
        know(&a, &b);
        WAIT(&a, status_of(&a, 2).error[0] != '\0');
        assert_false(status_of(&a, 2).connected);
        assert_false(status_of(&b, 1).heard);
        end_stop(&a);
    }
    test_ca_init(&other);
    end_start_as(f, &a, 1, &other, NULL, "127.0.0.1:0");
    know(&a, &b);
    WAIT(&a, status_of(&a, 2).error[0] != '\0');
    assert_non_null(strstr(status_of(&a, 2).error, "not of this cell"));
    end_stop(&a);
    test_ca_fini(&other);
    end_start(f, &a, 1);
    struct peers_address wrong = {3, peers_listen(b.peers)};
    peers_set_nodes(a.peers, &wrong, 1, NULL, 0);
    WAIT(&a, status_of(&a, 3).error[0] != '\0');
    assert_non_null(strstr(status_of(&a, 3).error, "answers node 2"));
    end_stop(&a);
    end_stop(&b);
}

/* A node that was removed is told so, and nothing of it is heard any more. */
static void test_removed(void **state)
{
    struct end a, b;
    uint64_t removed = 1;

    end_start(*state, &a, 1);
    end_start(*state, &b, 2);
    know(&a, &b);
    WAIT(&a, status_of(&a, 2).connected);
    peers_set_nodes(b.peers, NULL, 0, &removed, 1);
    WAIT(&a, a.removed > 0);
    assert_false(status_of(&b, 1).heard);
    end_stop(&a);
    end_stop(&b);
}

/* A node that starts again replaces its older connection; what it sends goes on. */
static void test_restart(void **state)
{
    struct end a, b;
    char listen[PEER_ADDRESS_BYTES];

    end_start(*state, &a, 1);
    end_start(*state, &b, 2);
    snprintf(listen, sizeof(listen), "%s", peers_listen(b.peers));
    know(&a, &b);
    for (int round = 0; round < 3; round++) {
        WAIT(&a, status_of(&a, 2).connected);
        send_text(&a, 2, "x");
        WAIT(&b, b.messages == 1);
        end_stop(&b);
        end_start_as(*state, &b, 2, &((struct fixture *)*state)->ca, NULL, listen);
        WAIT(&a, status_of(&a, 2).connects == (uint64_t)round + 2);
    }
    end_stop(&a);
    end_stop(&b);
}

static bool is_true(void *arg)
{
    (void)arg;
    return true;
}

/* A name that no server answers for holds up nobody: not the connections to other nodes,
 * not the one to a node whose address was known before, not a stop. */
static void test_slow_names(void **state)
{
    struct end a, b;
    struct err err;
    char listen[PEER_ADDRESS_BYTES], named[PEER_ADDRESS_BYTES];
    struct peers_address nodes[] = {{3, "hangs.test:1"}, {2, named}};

    fake_name_set("hangs.test", FAKE_NAME_HANGS);
    fake_name_set("there.test", FAKE_NAME_LOOPBACK);
    end_start(*state, &a, 1);
    end_start(*state, &b, 2);
    snprintf(listen, sizeof(listen), "%s", peers_listen(b.peers));
    snprintf(named, sizeof(named), "there.test%s", strrchr(listen, ':'));
    int64_t began_ms = clock_monotonic_ms();
    peers_set_nodes(a.peers, nodes, 2, NULL, 0);
    WAIT(&a, status_of(&a, 2).connected);
    assert_int_equal(fake_names_hanging(), 1);

    fake_name_set("there.test", FAKE_NAME_HANGS);
    end_stop(&b);
    end_start_as(*state, &b, 2, &((struct fixture *)*state)->ca, NULL, listen);
    WAIT(&a, status_of(&a, 2).connects == 2);

    struct peers_fetch fetch = {
        .node_id = 3, .address = "hangs.test:1", .cancelled = is_true};
    assert_int_equal(peers_fetch(a.peers, &fetch, &err), ERR_CANCELLED);
    end_stop(&a);
    end_stop(&b);
    assert_true(clock_monotonic_ms() - began_ms < FAKE_NAME_GIVE_UP_S * 1000 / 2);
    fake_name_set("hangs.test", FAKE_NAME_UNKNOWN);
    fake_name_set("there.test", FAKE_NAME_UNKNOWN);
}

/* What a node does not take holds its sender back within bounds, and goes on after. */
static void test_slow(void **state)
{
    struct end a, b;
    size_t len = 4 * MIB;
    uint8_t *bytes = mem_zalloc(len);

    end_start(*state, &a, 1);
    end_start(*state, &b, 2);
    know(&a, &b);
    WAIT(&a, status_of(&a, 2).connected);
    b.hold = true;
    peers_send(a.peers, 2, slice_of(bytes, len));
    WAIT(&b,
         b.held_count > 0); /* else all may be queued, and dropped, before any is sent */
    for (int i = 0; i < 60; i++) /* 240 MiB: more than both queues hold */
        peers_send(a.peers, 2, slice_of(bytes, len));
    WAIT(&a, !status_of(&a, 2).connected || status_of(&a, 2).connects > 1);
    for (size_t before = 0; before != b.held_count;) { /* until no more comes */
        before = b.held_count;
        for (int i = 0; i < 20; i++)
            loop_run_once(b.loop, 10);
    }
    assert_in_range(b.held_count, 1, 17);
    b.hold = false;
    for (size_t i = 0; i < b.held_count; i++)
        peers_event_done(b.peers, b.held[i]);
    b.held_count = 0;
    WAIT(&a, status_of(&a, 2).connected);
    uint64_t before = b.messages;
    send_text(&a, 2, "after");
    WAIT(&b, b.messages > before && b.got.len > 0);
    mem_free(bytes);
    end_stop(&a);
    end_stop(&b);
}

/* A new certificate is used by the next connection; one that does not fit its key is
 * refused and changes nothing. */
static void test_certificate(void **state)
{
    struct fixture *f = *state;
    struct test_certificate other;
    struct end a, b;
    struct err err;

    end_start(f, &b, 2);
    end_start_as(f, &a, 1, &f->ca, "weft://nothing", "127.0.0.1:0");
    know(&a, &b);
    WAIT(&a, status_of(&a, 2).error[0] != '\0');
    test_certificate_init(&other, &f->ca, &f->cell_id, 1, NULL);
    struct peers_certificate torn = other.pem;
    torn.key_pem = a.certificate.pem.key_pem;
    assert_int_equal(peers_set_certificate(a.peers, &torn, &err), ERR_MALFORMED);
    torn.ca_pem = SLICE_LITERAL("nonsense");
    torn.key_pem = other.pem.key_pem;
    assert_int_equal(peers_set_certificate(a.peers, &torn, &err), ERR_MALFORMED);
    assert_false(status_of(&a, 2).connected);
    assert_int_equal(peers_set_certificate(a.peers, &other.pem, &err), 0);
    WAIT(&a, status_of(&a, 2).connected);
    test_certificate_fini(&other);
    end_stop(&a);
    end_stop(&b);
}

/* When an authority is trusted no more, connections that are open by its certificates
 * end, and no others do. */
static void test_retired_authority(void **state)
{
    struct fixture *f = *state;
    struct test_certificate renewed;
    struct test_ca next;
    struct end a, b;
    struct str both;
    struct err err;

    test_ca_init(&next);
    test_certificate_init(&renewed, &next, &f->cell_id, 1, NULL);
    str_init(&both, MIB);
    str_append_slice(&both, renewed.pem.ca_pem);
    end_start(f, &a, 1);
    end_start(f, &b, 2);
    str_append_slice(&both, a.certificate.pem.ca_pem);
    know(&a, &b);
    know(&b, &a);
    WAIT(&a, status_of(&a, 2).connected && status_of(&b, 1).connected);
    uint64_t connects = status_of(&a, 2).connects;
    struct peers_certificate two = a.certificate.pem;
    two.ca_pem = str_slice(&both);
    assert_int_equal(peers_set_certificate(a.peers, &two, &err), 0);
    for (int i = 0; i < 20; i++)
        loop_run_once(a.loop, 10);
    assert_true(status_of(&a, 2).connected && status_of(&a, 2).heard);
    assert_int_equal(status_of(&a, 2).connects, connects);
    assert_int_equal(peers_set_certificate(a.peers, &renewed.pem, &err), 0);
    WAIT(&a, !status_of(&a, 2).connected && !status_of(&a, 2).heard);
    end_stop(&a);
    end_stop(&b);
    str_fini(&both);
    test_certificate_fini(&renewed);
    test_ca_fini(&next);
}

/* ---- a hand-made peer ---- */

static struct peer_tls *shake(struct fixture *f, struct end *to,
                              const struct test_certificate *certificate, int *fd)
{
    struct peer_tls_wait wait = {.timeout_ms = 5000};
    struct peer_tls_context *context = NULL;
    struct peer_sockaddr address;
    struct err err;

    (void)f;
    assert_int_equal(peer_tls_context_new(&certificate->pem, &context, &err), 0);
    assert_int_equal(peer_resolve(peers_listen(to->peers), &patience, &address, &err), 0);
    assert_int_equal(peer_connect(&address, fd, &err), 0);
    assert_int_equal(peer_tls_wait_fd(*fd, PEER_TLS_WRITE, &wait, &err), 0);
    struct peer_tls *tls = peer_tls_new(context, *fd, false);
    assert_int_equal(peer_tls_handshake_all(tls, &wait, &err), 0);
    peer_tls_context_unref(context);
    return tls;
}

/* Write BYTES, then read until the other side ends or answers: the type of its frame, or
 * 0 when it only ended. */
static uint8_t talk(struct peer_tls *tls, struct slice bytes)
{
    struct peer_tls_wait wait = {.timeout_ms = 5000};
    uint8_t header[PEER_FRAME_HEADER] = {0};
    struct err err;

    if (peer_tls_write_all(tls, bytes, &wait, &err) != 0 ||
        peer_tls_read_all(tls, header, sizeof(header), &wait, &err) != 0)
        return 0;
    return header[4];
}

/* Every wrong greeting is answered by the end, before anything of it is kept. */
static void test_greetings(void **state)
{
    struct fixture *f = *state;
    struct test_certificate certificate;
    struct end b;
    struct str out;

    struct peers_address nowhere = {1, "127.0.0.1:1"};

    end_start(f, &b, 2);
    peers_set_nodes(b.peers, &nowhere, 1, NULL, 0); /* remembered while it is away */
    test_certificate_init(&certificate, &f->ca, &f->cell_id, 1, NULL);
    str_init(&out, MIB);
    for (int i = 0; i < 10; i++) {
        struct peer_hello hello = {.cell_id = f->cell_id,
                                   .from = i == 1 ? 3 : 1,
                                   .to = i == 2 ? 3 : 2,
                                   .purpose = i == 3 ? 9 : PEER_RAFT,
                                   .boot = 1,
                                   .number = i == 9 ? 1 : 2 + (uint64_t)i};
        int fd = -1;
        struct peer_tls *tls = shake(f, &b, &certificate, &fd);
        if (i == 4)
            hello.cell_id = test_uuid(8, 8);
        str_reset(&out);
        peer_hello_write(&hello, &out);
        if (i == 5)
            out.data[PEER_FRAME_HEADER] = 77; /* version */
        if (i == 6)
            out.data[4] = PEER_MESSAGE; /* without a greeting */
        if (i == 7)
            be32_put((uint8_t *)out.data, 0x7fffffff); /* longer than a greeting is */
        if (i == 8)
            be32_put((uint8_t *)out.data, 0);
        uint8_t answer = talk(tls, str_slice(&out));
        if (i == 0)
            assert_int_equal(answer, PEER_WELCOME);
        else
            assert_int_equal(answer, i >= 6 && i <= 8 ? 0 : PEER_REFUSED);
        peer_tls_free(tls);
        close(fd);
    }
    assert_int_equal(b.messages, 0);
    str_fini(&out);
    test_certificate_fini(&certificate);
    end_stop(&b);
}

/* Whoever connects and says nothing is sent away, and does not keep others out. */
static void test_silent(void **state)
{
    struct end a, b;
    struct peer_sockaddr address;
    int fds[80];
    struct err err;

    end_start(*state, &a, 1);
    end_start(*state, &b, 2);
    assert_int_equal(peer_resolve(peers_listen(b.peers), &patience, &address, &err), 0);
    for (int i = 0; i < 80; i++)
        assert_int_equal(peer_connect(&address, &fds[i], &err), 0);
    know(&a, &b);
    WAIT(&a, status_of(&a, 2).connected);
    struct pollfd poll_fd = {.fd = fds[79], .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 8000), 1); /* its end came */
    for (int i = 0; i < 80; i++)
        close(fds[i]);
    end_stop(&a);
    end_stop(&b);
}

/* ---- snapshots ---- */

struct fetched {
    struct str bytes;
    size_t stop_at;
    int begins;
};

static int on_begin(void *arg, struct peers_fetch *fetch, struct err *err)
{
    struct fetched *fetched = arg;
    (void)err;
    fetched->begins++;
    assert_int_equal(fetch->offset, fetched->bytes.len);
    return 0;
}

static int on_bytes(void *arg, struct slice bytes, struct err *err)
{
    struct fetched *fetched = arg;
    if (fetched->bytes.len >= fetched->stop_at)
        return err_set(err, ERR_IO, "enough");
    str_append_slice(&fetched->bytes, bytes);
    return 0;
}

/* A snapshot is fetched whole; one that broke off goes on where it was; a node that has
 * none refuses and says why. */
static void test_fetch(void **state)
{
    struct end a, b;
    struct fetched fetched = {.stop_at = MIB};
    char path[128];
    struct err err;

    end_start(*state, &a, 1);
    end_start(*state, &b, 2);
    snprintf(path, sizeof(path), "%s/file", b.dir);
    uint8_t *bytes = mem_zalloc(FILE_BYTES);
    for (size_t i = 0; i < FILE_BYTES; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 1000);
    FILE *file = fopen(path, "w");
    assert_int_equal(fwrite(bytes, 1, FILE_BYTES, file), FILE_BYTES);
    fclose(file);
    b.index = 40;
    str_init(&fetched.bytes, 2 * FILE_BYTES);
    struct peers_fetch fetch = {.node_id = 2,
                                .address = peers_listen(b.peers),
                                .index = 41,
                                .arg = &fetched,
                                .on_begin = on_begin,
                                .on_bytes = on_bytes};
    assert_int_equal(peers_fetch(a.peers, &fetch, &err), ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "no snapshot of 41 yet"));
    fetch.index = 30;
    assert_int_equal(peers_fetch(a.peers, &fetch, &err), ERR_IO);
    assert_int_equal(fetched.bytes.len, fetch.offset);
    assert_int_equal(fetch.file_index, 40);
    fetched.stop_at = SIZE_MAX;
    assert_int_equal(peers_fetch(a.peers, &fetch, &err), 0);
    assert_int_equal(fetched.begins, 2);
    assert_int_equal(fetched.bytes.len, FILE_BYTES);
    assert_memory_equal(fetched.bytes.data, bytes, FILE_BYTES);
    fetch.node_id = 3;
    assert_int_equal(peers_fetch(a.peers, &fetch, &err), ERR_UNAUTHENTICATED);
    str_fini(&fetched.bytes);
    mem_free(bytes);
    end_stop(&a);
    end_stop(&b);
}

/* A snapshot is sent no faster than its rate. */
static void test_rate(void **state)
{
    struct end a, b;
    struct fetched fetched = {.stop_at = SIZE_MAX};
    char path[128];
    struct err err;

    end_start(*state, &a, 1);
    rate_bytes = 8 * MIB;
    end_start(*state, &b, 2);
    rate_bytes = 0;
    snprintf(path, sizeof(path), "%s/file", b.dir);
    uint8_t *bytes = mem_zalloc(FILE_BYTES);
    FILE *file = fopen(path, "w");
    assert_int_equal(fwrite(bytes, 1, FILE_BYTES, file), FILE_BYTES);
    fclose(file);
    mem_free(bytes);
    str_init(&fetched.bytes, 2 * FILE_BYTES);
    struct peers_fetch fetch = {.node_id = 2,
                                .address = peers_listen(b.peers),
                                .arg = &fetched,
                                .on_begin = on_begin,
                                .on_bytes = on_bytes};
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(peers_fetch(a.peers, &fetch, &err), 0);
    assert_in_range(clock_monotonic_ms() - start_ms, 320, 60000);
    uint64_t files = 0, sent = 0;
    for (int i = 0; i < 500 && files == 0; i++) {
        peers_sent_snapshots(b.peers, &files, &sent);
        usleep(10000);
    }
    assert_int_equal(files, 1);
    assert_int_equal(sent, FILE_BYTES);
    str_fini(&fetched.bytes);
    end_stop(&a);
    end_stop(&b);
}

int main(void)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strangers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow, setup, teardown),
        cmocka_unit_test_setup_teardown(test_certificate, setup, teardown),
        cmocka_unit_test_setup_teardown(test_retired_authority, setup, teardown),
        cmocka_unit_test_setup_teardown(test_greetings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_silent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fetch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
    };
    sigaction(SIGPIPE, &ignore, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
