/* test_golden.c - what real Kafka programs said, through our tables and back.
 *
 * tests/golden/<Api>/v<version>-<request|response>-<source>-<n>.bin are frames without
 * their length, captured from Apache Kafka and from clients (README.md there). Each must
 * decode, and encode to the same bytes; no frame cut short may decode; and every version
 * of every API that we serve must have a frame of each kind. A tagged field that our
 * schemas lack would be dropped on the way, and so shows here as a difference. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arena.h"
#include "common/defs.h"
#include "common/err.h"
#include "proto/codec.h"
#include "proto/header.h"

#define ROOT           "tests/golden"
#define FRAME_MAX      MIB
#define CUT_FRAMES_MAX 1500

struct frame {
    const struct kafka_api *api;
    int version;
    bool is_request;
    char path[512];
    uint8_t bytes[FRAME_MAX];
    size_t len;
};

typedef void visit_fn(struct frame *frame);

static struct frame frame;

static void load(void)
{
    FILE *file = fopen(frame.path, "rb");
    assert_non_null(file);
    frame.len = fread(frame.bytes, 1, sizeof(frame.bytes), file);
    assert_true(frame.len > 0 && frame.len < sizeof(frame.bytes));
    fclose(file);
}

/* Visit each frame of API; returns how many there were. */
static unsigned visit_api(const struct kafka_api *api, visit_fn *visit)
{
    char dir_path[128], kind[16];
    snprintf(dir_path, sizeof(dir_path), ROOT "/%s", api->name);
    DIR *dir = opendir(dir_path);
    if (dir == NULL)
        fail_msg("%s: no captured frames of this API, see tests/golden/README.md (or the "
                 "test does not run in the root of the tree)",
                 dir_path);
    unsigned n = 0;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        if (sscanf(entry->d_name, "v%d-%15[a-z]", &frame.version, kind) != 2)
            continue;
        snprintf(frame.path, sizeof(frame.path), "%s/%s", dir_path, entry->d_name);
        frame.api = api;
        frame.is_request = strcmp(kind, "request") == 0;
        assert_true(frame.is_request || strcmp(kind, "response") == 0);
        load();
        visit(&frame);
        n++;
    }
    closedir(dir);
    return n;
}

static unsigned visit_all(visit_fn *visit)
{
    unsigned n = 0;
    for (size_t i = 0; i < KAFKA_API_COUNT; i++)
        n += visit_api(&kafka_apis[i], visit);
    return n;
}

/* Decode header and body of LEN bytes; the body lives in ARENA. */
static int decode(struct frame *f, size_t len, struct arena *arena,
                  struct request_header *header, int32_t *correlation_id, void **body)
{
    struct reader r;
    /* An exact copy, so that a sanitiser sees a read past the end. */
    uint8_t *copy = arena_alloc(arena, len + 1);
    memcpy(copy, f->bytes, len);
    reader_init(&r, slice_of(copy, len));
    const struct codec_message *msg = f->is_request ? f->api->request : f->api->response;
    int rc;
    if (f->is_request)
        rc = header_read_request(&r, header);
    else
        rc = header_read_response(&r, f->api, (int16_t)f->version, correlation_id);
    *body = arena_alloc(arena, msg->body->size);
    return rc != 0 ? rc : codec_decode(msg, (int16_t)f->version, &r, arena, *body);
}

static void check_round_trip(struct frame *f)
{
    struct arena arena;
    struct request_header header = {0};
    int32_t correlation_id = 0;
    void *body;
    arena_init(&arena, 16 * MIB);
    int rc = decode(f, f->len, &arena, &header, &correlation_id, &body);
    if (rc != 0)
        fail_msg("%s: decoding failed: %d", f->path, rc);

    struct codec_out out;
    codec_out_init(&out, 16 * MIB);
    if (f->is_request) {
        assert_ptr_equal(header.api, f->api);
        assert_int_equal(header.api_version, f->version);
        assert_false(header.downgrade);
        rc = header_write_request(f->api, (int16_t)f->version, header.correlation_id,
                                  header.client_id, body, &out);
    } else {
        rc = header_write_response(f->api, (int16_t)f->version, correlation_id, body,
                                   &out);
    }
    if (rc != 0)
        fail_msg("%s: encoding failed: %d", f->path, rc);
    struct str flat;
    str_init(&flat, 16 * MIB);
    codec_out_flatten(&out, &flat);
    assert_int_equal(flat.len, codec_out_bytes(&out));
    if (flat.len != f->len + 4 || memcmp(flat.data + 4, f->bytes, f->len) != 0)
        fail_msg("%s: encodes to other bytes (%zu, were %zu)", f->path, flat.len - 4,
                 f->len);
    assert_int_equal(be32_get((const uint8_t *)flat.data), f->len);

    struct str text;
    str_init(&text, MIB);
    codec_print(f->is_request ? f->api->request : f->api->response, (int16_t)f->version,
                body, &text);
    assert_true(text.len > 0);
    str_fini(&text);
    str_fini(&flat);
    codec_out_fini(&out);
    arena_fini(&arena);
}

static void check_cut(struct frame *f)
{
    if (f->len > CUT_FRAMES_MAX)
        return;
    for (size_t len = 0; len < f->len; len++) {
        struct arena arena;
        struct request_header header;
        int32_t correlation_id;
        void *body;
        arena_init(&arena, MIB);
        if (decode(f, len, &arena, &header, &correlation_id, &body) != ERR_MALFORMED)
            fail_msg("%s: decodes when cut to %zu bytes", f->path, len);
        arena_fini(&arena);
    }
}

static uint8_t seen[KAFKA_API_COUNT][32][2];

static void note_seen(struct frame *f)
{
    assert_in_range(f->version, 0, 31);
    seen[f->api - kafka_apis][f->version][f->is_request] = 1;
}

/* Every captured frame decodes, and encodes again to the same bytes. */
static void test_round_trip(void **state)
{
    (void)state;
    assert_true(visit_all(check_round_trip) > 500);
}

/* A frame cut anywhere is malformed: nothing is optional at the end of a message. */
static void test_cut_frames(void **state)
{
    (void)state;
    visit_all(check_cut);
}

/* Each version that our table serves has a request and a response. */
static void test_all_versions_captured(void **state)
{
    (void)state;
    visit_all(note_seen);
    unsigned missing = 0;
    for (size_t i = 0; i < KAFKA_API_COUNT; i++) {
        const struct kafka_api *api = &kafka_apis[i];
        for (int v = api->min_version; v <= api->max_version; v++) {
            for (int request = 0; request < 2; request++) {
                if (seen[i][v][request])
                    continue;
                print_error("no %s of %s v%d\n", request ? "request" : "response",
                            api->name, v);
                missing++;
            }
        }
    }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_cut_frames),
        cmocka_unit_test(test_all_versions_captured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
