/* front_fixture.h - a front on the test's own loop, a fake core behind it, and clients.
 *
 * Everything runs in the test's thread: fixture_run lets the loop do what there is to do.
 * A client is the other end of a socket pair. */
#ifndef TESTS_LIB_FRONT_FIXTURE_H
#define TESTS_LIB_FRONT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/client_thread.h"
#include "common/arena.h"
#include "common/mem.h"
#include "common/str.h"
#include "proto/kafka_gen.h"
#include "tests/lib/fake_core.h"

struct fixture {
    struct loop *loop;
    struct budget budget;
    struct fake_core *fake;
    struct front *front;
    struct client_thread *thread;
    struct arena arena; /* what fixture_call decodes into */
};

/* OPTIONS NULL: front_defaults. One agent, node 1 of zone "a". */
void fixture_init(struct fixture *f, const struct front_options *options);
/* Closes all connections; asserts that nothing leaked from the budget. */
void fixture_fini(struct fixture *f);
int fixture_connect(struct fixture *f);
/* Until nothing happens any more, or for MS milliseconds if that is positive. */
void fixture_run(struct fixture *f, int64_t ms);
bool fixture_closed(struct fixture *f, int fd); /* the front has closed the connection */

void fixture_send_bytes(struct fixture *f, int fd, const void *bytes, size_t len);
/* A whole request of API; BODY as in kafka_gen.h. */
void fixture_send(struct fixture *f, int fd, int16_t key, int16_t version,
                  int32_t correlation_id, const char *client_id, const void *body);
/* The next whole reply, without its length; false when there is none (yet). */
bool fixture_receive(struct fixture *f, int fd, struct str *frame);
/* Send and receive; the decoded reply, or NULL when the connection was closed. */
void *fixture_call(struct fixture *f, int fd, int16_t key, int16_t version,
                   const void *body);
void *fixture_call_as(struct fixture *f, int fd, int16_t key, int16_t version,
                      const char *client_id, const void *body);
/* Decode a reply; asserts that it is well-formed. */
void *fixture_decode(struct fixture *f, struct slice frame, int16_t key, int16_t version,
                     int32_t *correlation_id);

/* A batch of N records of one value, and a Produce body with it (acks, topic by name or
 * id as VERSION wants). Lives as long as the fixture's arena. */
struct slice fixture_batch(struct fixture *f, size_t records, const char *value);
struct produce_request *fixture_produce(struct fixture *f, int16_t version,
                                        const char *topic, int32_t partition,
                                        struct slice records);

#endif
