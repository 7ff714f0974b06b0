/* fuzz_frame.c - what a client sends, through the whole front: frames, headers, bodies,
 * handlers, replies, over a socket pair and before a core in memory.
 *
 * The first byte says how: bit 0 puts the right length in front of the rest, as one frame
 * (else the bytes are the stream as it is); bit 1 sends it in small pieces; bit 2 sends
 * it twice; bit 3 sends a good request behind it. The front must answer or close, give
 * all memory back, and stay able to serve the next client. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/cursor.h"
#include "common/log.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 65536
#define PIECE     7

static void drain(struct fixture *f, int fd)
{
    uint8_t sink[4096];
    ssize_t n;
    do {
        fixture_run(f, 0);
        n = recv(fd, sink, sizeof(sink), MSG_DONTWAIT);
    } while (n > 0);
}

static void send_all(struct fixture *f, int fd, const uint8_t *bytes, size_t len,
                     bool in_pieces)
{
    size_t step = in_pieces ? PIECE : MAX(len, (size_t)1);
    for (size_t at = 0; at < len; at += step) {
        ssize_t n =
            send(fd, bytes + at, MIN(step, len - at), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0)
            return; /* closed, or full: both are fine */
        loop_run_once(f->loop, 0);
    }
    drain(f, fd);
}

/* Another client is served as if nothing had been. */
static void check_alive(struct fixture *f)
{
    int fd = fixture_connect(f);
    const struct api_versions_response *reply =
        fixture_call(f, fd, KAFKA_API_VERSIONS, 0, &api_versions_request_defaults);
    if (reply == NULL || reply->error_code != 0)
        abort();
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fixture f;
    uint8_t frame[INPUT_MAX + 4];

    if (size < 1 || size > INPUT_MAX)
        return 0;
    log_set_level(LOG_ERROR);
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "alpha", 3, "{}");
    fake_core_add_topic(f.fake, "compacted", 2, "{\"cleanup.policy\":\"compact\"}");
    fake_core_add_topic(f.fake, "stamped", 2,
                        "{\"message.timestamp.type\":\"LogAppendTime\"}");
    uint8_t how = data[0];
    size_t len = size - 1;
    memcpy(frame + 4, data + 1, len);
    be32_put(frame, (uint32_t)len);
    const uint8_t *bytes = how & 1 ? frame : frame + 4;
    len += how & 1 ? 4 : 0;

    int fd = fixture_connect(&f);
    send_all(&f, fd, bytes, len, how & 2);
    if (how & 4)
        send_all(&f, fd, bytes, len, how & 2);
    if (how & 8)
        fixture_send(&f, fd, KAFKA_METADATA, 9, 1, "fuzz", &metadata_request_defaults);
    drain(&f, fd);
    check_alive(&f);
    close(fd);
    fixture_run(&f, 0);
    fixture_fini(&f); /* asserts that nothing is left */
    return 0;
}
