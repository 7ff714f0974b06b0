/* test_transcripts.c - what goes over the wire, byte for byte, between a client and the
 * front before a core in memory.
 *
 * A transcript is lines of hex: "> " from the client, "< " from the front, "= closed".
 * Spaces are for the reader, text in quotes stands for its bytes, the int32 length of a
 * frame is counted by the test: "[" begins a frame and "]" ends it. Answers that hold
 * offsets, ids and versions are written out, so that a change of the protocol's surface
 * shows here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "agent/dispatch.h"
#include "common/cursor.h"
#include "proto/header.h"
#include "tests/lib/fake_core_send.h"
#include "tests/lib/front_fixture.h"

#define GOLDEN "tests/golden"

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : tolower(c) - 'a' + 10);
}

/* The bytes of one line. */
static void parse(const char *line, struct str *out)
{
    size_t frame = 0;
    for (const char *p = line; *p != '\0' && *p != '\n'; p++) {
        if (*p == '[') {
            frame = out->len;
            write_u32(out, 0);
        } else if (*p == ']') {
            be32_put((uint8_t *)out->data + frame, (uint32_t)(out->len - frame - 4));
        } else if (*p == '"') {
            for (p++; *p != '"'; p++)
                str_putc(out, *p);
        } else if (isxdigit((unsigned char)*p)) {
            str_putc(out, (char)(nibble(p[0]) << 4 | nibble(p[1])));
            p++;
        }
    }
}

static void print_hex(const char *what, const struct str *s)
{
    fprintf(stderr, "%s:", what);
    for (size_t i = 0; i < s->len; i++)
        fprintf(stderr, " %02x", (uint8_t)s->data[i]);
    fprintf(stderr, "\n");
}

static void expect(struct fixture *f, int fd, const struct str *want, size_t line)
{
    struct str got, whole;
    str_init(&got, MIB);
    str_init(&whole, MIB);
    bool there = fixture_receive(f, fd, &got);
    write_u32(&whole, (uint32_t)got.len);
    str_append_slice(&whole, str_slice(&got));
    if (!there || !slice_eq(str_slice(&whole), str_slice(want))) {
        print_hex("want", want);
        print_hex("got ", &whole);
        fail_msg("line %zu of the transcript", line);
    }
    str_fini(&got);
    str_fini(&whole);
}

static void play(struct fixture *f, const char *transcript)
{
    int fd = fixture_connect(f);
    size_t number = 0;
    for (const char *line = transcript; *line != '\0'; line = strchr(line, '\n') + 1) {
        struct str bytes;
        str_init(&bytes, MIB);
        number++;
        parse(line + 1, &bytes);
        if (line[0] == '>')
            fixture_send_bytes(f, fd, bytes.data, bytes.len);
        else if (line[0] == '<')
            expect(f, fd, &bytes, number);
        else if (line[0] == '=')
            assert_true(fixture_closed(f, fd));
        str_fini(&bytes);
    }
    close(fd);
}

static void run(const char *transcript)
{
    struct fixture f;
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "t", 2, "{}");
    play(&f, transcript);
    fixture_fini(&f);
}

/* A client's first words: ApiVersions of every kind of version. */
static void hello(void **state)
{
    (void)state;
    /* v0: key, version, correlation id, client id */
    run("> [0012 0000 00000001 0003 \"cli\"]\n"
        "< [00000001 0000 00000026 0000 0000 000d 0001 0004 0012 0002 0001 000b"
        "   0003 0000 000d 0008 0002 000a 0009 0001 000a 000a 0000 0006"
        "   000b 0000 0009 000c 0000 0004 000d 0000 0005 000e 0000 0005"
        "   000f 0000 0006 0010 0000 0005 0012 0000 0004 0013 0002 0007"
        "   0014 0001 0006 0015 0000 0002 0016 0000 0005 0017 0002 0004"
        "   0020 0001 0004 0021 0000 0002 0022 0001 0002 0023 0001 0004"
        "   0025 0000 0003 002a 0000 0002 002b 0000 0002 002c 0000 0001"
        "   002d 0000 0001 002e 0000 0000 002f 0000 0000 0037 0000 0002"
        "   0039 0000 0002 003c 0000 0002 003d 0000 0000 0044 0000 0001"
        "   0045 0000 0001 004a 0000 0001 004b 0000 0000]\n"
        /* a version to come: version 0 and one row; the body is not looked at */
        "> [0012 0063 00000002 0003 \"cli\" ffffffffffff]\n"
        "< [00000002 0023 00000001 0012 0000 0004]\n"
        /* v3: flexible body, plain header; features epoch 1 in tag 1, group.version 1 in
         * tag 2 */
        "> [0012 0003 00000003 0003 \"cli\" 00 06 \"kcat1\" 02 \"1\" 00]\n"
        "< [00000003 0000 27 0000 0000 000d 00 0001 0004 0012 00 0002 0001 000b 00"
        "   0003 0000 000d 00 0008 0002 000a 00 0009 0001 000a 00"
        "   000a 0000 0006 00 000b 0000 0009 00 000c 0000 0004 00"
        "   000d 0000 0005 00 000e 0000 0005 00 000f 0000 0006 00"
        "   0010 0000 0005 00 0012 0000 0004 00 0013 0002 0007 00"
        "   0014 0001 0006 00 0015 0000 0002 00 0016 0000 0005 00"
        "   0017 0002 0004 00 0020 0001 0004 00 0021 0000 0002 00"
        "   0022 0001 0002 00 0023 0001 0004 00 0025 0000 0003 00"
        "   002a 0000 0002 00 002b 0000 0002 00 002c 0000 0001 00"
        "   002d 0000 0001 00 002e 0000 0000 00 002f 0000 0000 00"
        "   0037 0000 0002 00 0039 0000 0002 00 003c 0000 0002 00"
        "   003d 0000 0000 00 0044 0000 0001 00 0045 0000 0001 00"
        "   004a 0000 0001 00 004b 0000 0000 00"
        "   00000000 02 01 08 0000000000000001"
        "   02 14 02 0e \"group.version\" 0001 0001 00]\n"
        /* a software name that is none */
        "> [0012 0003 00000004 0003 \"cli\" 00 02 \"-\" 02 \"1\" 00]\n"
        "< [00000004 002a 01 00000000 00]\n");
}

/* Metadata of one topic, old and flexible. */
static void metadata(void **state)
{
    (void)state;
    run("> [0003 0001 00000007 ffff 00000001 0001 \"t\"]\n"
        "< [00000007 00000001 00000001 000f \"agent-1.example\" 00002384 0001 \"a\""
        "   00000001 00000001 0000 0001 \"t\" 00 00000002"
        "   0000 00000000 00000001 00000003 00000001 00000001 00000001"
        "                          00000003 00000001 00000001 00000001"
        "   0000 00000001 00000001 00000003 00000001 00000001 00000001"
        "                          00000003 00000001 00000001 00000001]\n"
        "> [0003 0009 00000008 ffff 00 02 02 \"x\" 00 00 00 00 00]\n"
        "< [00000008 00 00000000 02 00000001 10 \"agent-1.example\" 00002384 02 \"a\" 00"
        "   25 \"c1000000-0000-0000-0000-000000000000\" 00000001"
        "   02 0003 02 \"x\" 00 01 80000000 00 80000000 00]\n");
}

/* Requests in one segment are answered in order. */
static void pipelining(void **state)
{
    (void)state;
    run("> [0016 0000 00000001 ffff ffff 00000000] [0016 0000 00000002 ffff ffff "
        "00000000]"
        "  [0003 0001 00000003 ffff 00000000]\n"
        "< [00000001 00000000 0000 00000000000003e8 0000]\n"
        "< [00000002 00000000 0000 00000000000003e9 0000]\n"
        "< [00000003 00000001 00000001 000f \"agent-1.example\" 00002384 0001 \"a\""
        "   00000001 00000000]\n");
}

/* An empty fetch of the end: session id 0, high watermark and log start 0. */
static void fetch_of_nothing(void **state)
{
    (void)state;
    run("> [0001 000b 00000009 ffff ffffffff 00000000 00000000 00100000 00 00000000 "
        "ffffffff"
        "   00000001 0001 \"t\" 00000001 00000000 ffffffff 0000000000000000"
        "   ffffffffffffffff 00100000 00000000 0000]\n"
        "< [00000009 00000000 0000 00000000 00000001 0001 \"t\" 00000001 00000000 0000"
        "   0000000000000000 0000000000000000 0000000000000000 ffffffff ffffffff "
        "00000000]\n");
}

/* What is not served closes the connection without a word; what came before it is
 * answered. */
static void unknown_requests(void **state)
{
    (void)state;
    run("> [0004 0000 00000001 ffff 0001 \"g\"]\n= closed\n");
    run("> [0000 0002 00000001 ffff 0001 00000000 00000000]\n= closed\n");
    run("> [0003 000e 00000001 ffff 00 00 00 00 00]\n= closed\n");
    run("> [0016 0000 00000001 ffff ffff 00000000]\n"
        "< [00000001 00000000 0000 00000000000003e8 0000]\n"
        "> [0003 0001 00000001 ffff 7fffffff]\n= closed\n");
}

/* ---- what real clients and Kafka's own classes sent ---- */

static size_t replayed;

static void replay_file(const char *path, const char *name)
{
    static uint8_t frame[65536];
    uint8_t length[4];
    struct fixture f;
    struct str reply;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t len = fread(frame, 1, sizeof(frame), file);
    fclose(file);
    assert_true(len < sizeof(frame));

    int16_t key = (int16_t)be16_get(frame), version = (int16_t)be16_get(frame + 2);
    fixture_init(&f, NULL);
    fake_core_add_topic(f.fake, "alpha", 3, "{}");
    fake_core_add_topic(f.fake, "beta", 3, "{}");
    int fd = fixture_connect(&f);
    be32_put(length, (uint32_t)len);
    fixture_send_bytes(&f, fd, length, sizeof(length));
    fixture_send_bytes(&f, fd, frame, len);
    fake_core_drain(f.fake); /* no fetch waits */
    str_init(&reply, GIB);
    if (fixture_receive(&f, fd, &reply)) {
        int32_t id;
        assert_non_null(dispatch_find(key));
        if (version > kafka_api_find(key)->max_version)
            version = 0;
        (void)fixture_decode(&f, str_slice(&reply), key, version, &id);
        assert_int_equal(id, be32_get(frame + 4));
        replayed++;
    } else if (key != KAFKA_PRODUCE && dispatch_find(key) != NULL) { /* acks=0 */
        fail_msg("%s got no answer", name);
    }
    str_fini(&reply);
    close(fd);
    fixture_fini(&f);
}

/* Every captured request is answered in the form of its version, or was acks=0; what is
 * not served closes the connection. */
static void golden_requests_are_answered(void **state)
{
    DIR *root = opendir(GOLDEN);
    struct dirent *api, *file;

    (void)state;
    assert_non_null(root);
    while ((api = readdir(root)) != NULL) {
        char dir[512], path[1024];
        snprintf(dir, sizeof(dir), GOLDEN "/%s", api->d_name);
        DIR *files = api->d_name[0] == '.' ? NULL : opendir(dir);
        while (files != NULL && (file = readdir(files)) != NULL) {
            if (strstr(file->d_name, "-request-") == NULL)
                continue;
            snprintf(path, sizeof(path), "%s/%s", dir, file->d_name);
            replay_file(path, path);
        }
        if (files != NULL)
            closedir(files);
    }
    closedir(root);
    assert_true(replayed > 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello),
        cmocka_unit_test(metadata),
        cmocka_unit_test(pipelining),
        cmocka_unit_test(fetch_of_nothing),
        cmocka_unit_test(unknown_requests),
        cmocka_unit_test(golden_requests_are_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
