/* peer_snapshot.c - see peer_snapshot.h and peers_fetch() in peers.h.
 *
 * Blocking and slow work (a disk, a rate limit, a peer that takes its time) stays away
 * from the thread that carries Raft's messages. */
#include "controlplane/peer_snapshot.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/cursor.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/mem.h"
#include "controlplane/peer_net.h"

#define STALL_MS   15000
#define SLEEP_MS   50
#define WELCOME_MS 120000 /* a file may have to be made first */

struct sender {
    struct list_node node;
    struct peer_senders *senders;
    struct peer_hello hello;
    int fd;
    struct peer_tls *tls;
    pthread_t thread;
    atomic_bool stop, done;
};

/* ---- sending ---- */

static bool sender_stopped(void *arg)
{
    struct sender *sender = arg;
    return atomic_load(&sender->stop);
}

static void sleep_ms(int ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* Wait until SENT bytes since START_MS are not more than the rate allows. */
static int hold_rate(struct sender *sender, uint64_t sent, int64_t start_ms,
                     struct err *err)
{
    uint64_t rate = sender->senders->options->snapshot_rate_bytes;

    while (rate > 0 && !sender_stopped(sender)) {
        uint64_t spent_ms = (uint64_t)(clock_monotonic_ms() - start_ms);
        uint64_t due_ms = sent / rate * 1000 + sent % rate * 1000 / rate;
        if (due_ms <= spent_ms)
            break;
        sleep_ms((int)MIN(due_ms - spent_ms, SLEEP_MS));
    }
    return sender_stopped(sender) ? err_set(err, ERR_CANCELLED, "stopped") : 0;
}

static int send_data(struct sender *sender, const struct peers_file *file,
                     uint64_t offset, const struct peer_tls_wait *wait, struct str *out,
                     struct err *err)
{
    int64_t start_ms = clock_monotonic_ms();
    uint64_t sent = 0;
    int rc = 0;

    while (rc == 0 && offset < file->size) {
        size_t len = MIN(PEER_DATA_MAX, file->size - offset);
        str_reset(out);
        peer_frame_begin(out, PEER_DATA, len);
        void *room = str_extend(out, len);
        ASSERT(room != NULL);
        ssize_t n = pread(file->fd, room, len, (off_t)offset);
        if (n < 0 || (size_t)n != len)
            return err_set_errno(err, n < 0 ? errno : EIO, "read the snapshot's file");
        rc = peer_tls_write_all(sender->tls, str_slice(out), wait, err);
        offset += len;
        sent += len;
        atomic_fetch_add(&sender->senders->sent_bytes, len);
        FAULT_POINT("snapshot-data-sent");
        if (rc == 0)
            rc = hold_rate(sender, sent, start_ms, err);
    }
    return rc;
}

static int answer(struct sender *sender, struct str *out, struct err *err)
{
    const struct peers_options *options = sender->senders->options;
    const struct peer_hello *hello = &sender->hello;
    struct peer_tls_wait wait = {
        .timeout_ms = STALL_MS, .stopped = sender_stopped, .arg = sender};
    struct peers_file file = {.fd = -1};
    int rc = options->open_snapshot == NULL
                 ? err_set(err, ERR_NOT_FOUND, "this node sends no snapshots")
                 : options->open_snapshot(options->arg, hello->index, hello->file_index,
                                          hello->created_at_ms, &file, err);
    if (rc != 0) {
        struct err ignored;
        peer_refused_write(PEER_REFUSED_OTHER, err == NULL ? "" : err->text, out);
        (void)!peer_tls_write_all(sender->tls, str_slice(out), &wait, &ignored);
        return rc;
    }
    bool goes_on = file.index == hello->file_index &&
                   file.created_at_ms == hello->created_at_ms &&
                   hello->offset <= file.size;
    struct peer_welcome welcome = {.size = file.size,
                                   .index = file.index,
                                   .created_at_ms = file.created_at_ms,
                                   .offset = goes_on ? hello->offset : 0};
    log_info("peers", "sending a snapshot", "node=%llu index=%llu bytes=%llu from=%llu",
             (unsigned long long)hello->from, (unsigned long long)file.index,
             (unsigned long long)file.size, (unsigned long long)welcome.offset);
    peer_welcome_write(&welcome, out);
    rc = peer_tls_write_all(sender->tls, str_slice(out), &wait, err);
    if (rc == 0)
        rc = send_data(sender, &file, welcome.offset, &wait, out, err);
    options->close_snapshot(options->arg, &file);
    return rc;
}

static void *run_sender(void *arg)
{
    struct sender *sender = arg;
    struct err err = {.code = 0};
    struct str out;

    str_init(&out, PEER_DATA_MAX + KIB);
    int rc = answer(sender, &out, &err);
    str_fini(&out);
    if (rc == 0)
        atomic_fetch_add(&sender->senders->sent_files, 1);
    if (rc != 0 && rc != ERR_CANCELLED)
        log_warn("peers", "snapshot not sent", "node=%llu err=%s",
                 (unsigned long long)sender->hello.from, LOG_QUOTED(err.text));
    peer_tls_free(sender->tls);
    close(sender->fd);
    atomic_store(&sender->done, true);
    return NULL;
}

static void join(struct sender *sender)
{
    pthread_join(sender->thread, NULL);
    list_remove(&sender->node);
    sender->senders->count--;
    mem_free(sender);
}

void peer_senders_init(struct peer_senders *senders, const struct peers_options *options)
{
    senders->options = options;
    list_init(&senders->list);
}

void peer_senders_sweep(struct peer_senders *senders)
{
    LIST_FOREACH(node, next, &senders->list)
    {
        struct sender *sender = CONTAINER_OF(node, struct sender, node);
        if (atomic_load(&sender->done))
            join(sender);
    }
}

void peer_senders_fini(struct peer_senders *senders)
{
    LIST_FOREACH(mark, next_mark, &senders->list)
    {
        atomic_store(&CONTAINER_OF(mark, struct sender, node)->stop, true);
    }
    LIST_FOREACH(node, next, &senders->list)
    {
        join(CONTAINER_OF(node, struct sender, node));
    }
}

bool peer_senders_room(struct peer_senders *senders, uint64_t node_id)
{
    peer_senders_sweep(senders);
    LIST_FOREACH(node, next, &senders->list)
    {
        struct sender *sender = CONTAINER_OF(node, struct sender, node);
        if (sender->hello.from == node_id)
            atomic_store(&sender->stop, true); /* it asks anew: the old one is dead */
    }
    return senders->count < PEER_SENDERS_MAX;
}

void peer_senders_add(struct peer_senders *senders, const struct peer_hello *hello,
                      int fd, struct peer_tls *tls)
{
    struct sender *sender = mem_zalloc(sizeof(*sender));
    sigset_t all, before;

    sender->senders = senders;
    sender->hello = *hello;
    sender->fd = fd;
    sender->tls = tls;
    atomic_init(&sender->stop, false);
    atomic_init(&sender->done, false);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&sender->thread, NULL, run_sender, sender);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        log_warn("peers", "no thread to send a snapshot", "");
        peer_tls_free(tls);
        close(fd);
        mem_free(sender);
        return;
    }
    (void)pthread_setname_np(sender->thread, "weft-snapshot");
    senders->count++;
    list_push_back(&senders->list, &sender->node);
}

/* ---- fetching ---- */

/* One frame, its body in IN; blocks. */
static int read_frame(struct peer_tls *tls, const struct peer_tls_wait *wait,
                      size_t max_bytes, struct str *in, uint8_t *type, struct err *err)
{
    uint8_t header[PEER_FRAME_HEADER];
    int rc = peer_tls_read_all(tls, header, sizeof(header), wait, err);

    if (rc != 0)
        return rc;
    size_t len = be32_get(header);
    if (len == 0 || len - 1 > max_bytes)
        return err_set(err, ERR_MALFORMED, "a frame of %zu bytes", len);
    *type = header[4];
    str_reset(in);
    void *room = str_extend(in, len - 1);
    ASSERT(room != NULL || len == 1);
    return len == 1 ? 0 : peer_tls_read_all(tls, room, len - 1, wait, err);
}

static int read_welcome(struct peer_tls *tls, const struct peer_tls_wait *wait,
                        struct str *in, struct peer_welcome *welcome, struct err *err)
{
    char text[PEER_REFUSAL_MAX];
    enum peer_refusal reason;
    uint8_t type = 0;
    struct peer_tls_wait patient = *wait;

    patient.timeout_ms = WELCOME_MS;
    int rc = read_frame(tls, &patient, KIB, in, &type, err);
    if (rc != 0)
        return rc;
    if (type == PEER_WELCOME && peer_welcome_read(str_slice(in), welcome) == 0)
        return 0;
    if (type == PEER_REFUSED && peer_refused_read(str_slice(in), &reason, text) == 0)
        return err_set(err, ERR_UNAVAILABLE, "it refuses: %s", text);
    return err_set(err, ERR_MALFORMED, "its answer makes no sense");
}

static int read_data(struct peer_tls *tls, const struct peer_tls_wait *wait,
                     struct str *in, struct peers_fetch *fetch, struct err *err)
{
    int rc = 0;

    while (rc == 0 && fetch->offset < fetch->size) {
        uint8_t type = 0;
        rc = read_frame(tls, wait, PEER_DATA_MAX, in, &type, err);
        if (rc != 0)
            break;
        if (type != PEER_DATA || in->len == 0 || in->len > fetch->size - fetch->offset)
            return err_set(err, ERR_MALFORMED, "its bytes are not the file's");
        rc = fetch->on_bytes(fetch->arg, str_slice(in), err);
        if (rc == 0)
            fetch->offset += in->len;
    }
    return rc;
}

static int talk(struct peer_tls *tls, const struct peer_tls_wait *wait,
                struct peer_hello *hello, const struct uuid *cell_id,
                struct peers_fetch *fetch, struct str *buf, struct err *err)
{
    struct peer_welcome welcome = {.size = 0};
    uint64_t node_id = 0;
    int rc = peer_tls_handshake_all(tls, wait, err);

    if (rc == 0)
        rc = peer_tls_node(tls, cell_id, &node_id, err);
    if (rc == 0 && node_id != fetch->node_id)
        rc = err_set(err, ERR_UNAUTHENTICATED, "there is node %llu",
                     (unsigned long long)node_id);
    if (rc != 0)
        return rc;
    peer_hello_write(hello, buf);
    rc = peer_tls_write_all(tls, str_slice(buf), wait, err);
    if (rc == 0)
        rc = read_welcome(tls, wait, buf, &welcome, err);
    if (rc != 0)
        return rc;
    if (welcome.index < fetch->index)
        return err_set(err, ERR_UNAVAILABLE, "its snapshot is older than what is needed");
    if (welcome.offset != 0 && (welcome.index != fetch->file_index ||
                                welcome.created_at_ms != fetch->created_at_ms ||
                                welcome.offset != fetch->offset))
        return err_set(err, ERR_MALFORMED, "it goes on elsewhere than was asked");
    fetch->file_index = welcome.index;
    fetch->created_at_ms = welcome.created_at_ms;
    fetch->offset = welcome.offset;
    fetch->size = welcome.size;
    rc = fetch->on_begin(fetch->arg, fetch, err);
    return rc == 0 ? read_data(tls, wait, buf, fetch, err) : rc;
}

int peers_fetch(struct peers *peers, struct peers_fetch *fetch, struct err *err)
{
    struct peer_tls_context *context = NULL;
    const struct uuid *cell_id = NULL;
    struct peer_hello hello = {.to = fetch->node_id,
                               .purpose = PEER_SNAPSHOT,
                               .index = fetch->index,
                               .file_index = fetch->file_index,
                               .created_at_ms = fetch->created_at_ms,
                               .offset = fetch->offset};
    struct peer_tls_wait wait = {
        .timeout_ms = STALL_MS, .stopped = fetch->cancelled, .arg = fetch->arg};
    const struct name_wait patience = {
        .limit_ms = STALL_MS, .stopped = fetch->cancelled, .arg = fetch->arg};
    struct peer_sockaddr to;
    struct str buf;
    int fd = -1;

    peers_begin_fetch(peers, &hello, &context, &cell_id);
    str_init(&buf, PEER_DATA_MAX + KIB);
    int rc = peer_resolve(fetch->address, &patience, &to, err);
    if (rc == 0)
        rc = peer_connect(&to, &fd, err);
    if (rc == 0)
        rc = peer_tls_wait_fd(fd, PEER_TLS_WRITE, &wait, err);
    if (rc == 0)
        rc = peer_connected(fd, err);
    if (rc == 0) {
        struct peer_tls *tls = peer_tls_new(context, fd, false);
        rc = talk(tls, &wait, &hello, cell_id, fetch, &buf, err);
        peer_tls_free(tls);
    }
    if (fd >= 0)
        close(fd);
    str_fini(&buf);
    peer_tls_context_unref(context);
    return rc == 0 ? 0
                   : err_wrap(err, rc, "snapshot of node %llu at %s",
                              (unsigned long long)fetch->node_id, fetch->address);
}
