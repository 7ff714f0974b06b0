/* test_snapshot_file.c - the file of a snapshot: what was packed comes back, whatever
 * pieces it is read in; whatever is changed in it is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "proto/snapshot_file.h"
#include "tests/lib/node_driver.h"
#include "tests/lib/state_driver.h"

struct fixture {
    char dir[64], plain[80], file[80], back[80];
    struct snapshot_info info;
    struct err err;
};

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    temp_dir(f->dir);
    snprintf(f->plain, sizeof(f->plain), "%s/plain", f->dir);
    snprintf(f->file, sizeof(f->file), "%s/file", f->dir);
    snprintf(f->back, sizeof(f->back), "%s/back", f->dir);
    f->info = (struct snapshot_info){.feature_level = 3,
                                     .cell_id = test_uuid(5, 5),
                                     .index = 1234567,
                                     .term = 9,
                                     .created_at_ms = 1700000000000};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_dir_remove(f->dir);
    mem_free(f);
    return 0;
}

/* LEN bytes: half of them pack well, half not at all. */
static void write_plain(struct fixture *f, size_t len)
{
    FILE *file = fopen(f->plain, "w");
    uint64_t x = 88172645463325252u;
    for (size_t i = 0; i < len; i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        assert_true(fputc(i / 4096 % 2 ? (int)(x & 0xff) : 'w', file) != EOF);
    }
    fclose(file);
}

static size_t read_file(const char *path, uint8_t *bytes, size_t max)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(bytes, 1, max, file);
    fclose(file);
    return len;
}

static void write_file(const char *path, const uint8_t *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
}

/* Sizes around a chunk, and none at all, come back as they were, with the header's words
 * and the hash. */
static void test_round(void **state)
{
    struct fixture *f = *state;
    size_t sizes[] = {0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB + 17};
    uint8_t *one = mem_zalloc(4 * MIB), *two = mem_zalloc(4 * MIB);

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct snapshot_info read;
        write_plain(f, sizes[i]);
        assert_int_equal(snapshot_pack(f->plain, f->file, &f->info, NULL, &f->err), 0);
        assert_int_equal(snapshot_unpack(f->file, f->back, &read, NULL, &f->err), 0);
        assert_int_equal(read_file(f->plain, one, 4 * MIB), sizes[i]);
        assert_int_equal(read_file(f->back, two, 4 * MIB), sizes[i]);
        assert_memory_equal(one, two, sizes[i]);
        assert_memory_equal(&read, &f->info, sizeof(read));
        assert_int_equal(read.plain_bytes, sizes[i]);
        assert_int_equal(read.index, 1234567);
        uint8_t digest[SHA256_LEN];
        crypto_sha256(slice_of(one, sizes[i]), digest);
        assert_memory_equal(read.sha256, digest, SHA256_LEN);
    }
    mem_free(one);
    mem_free(two);
}

/* The pieces in which a file arrives make no difference. */
static void test_pieces(void **state)
{
    struct fixture *f = *state;
    uint8_t *bytes = mem_zalloc(3 * MIB);

    write_plain(f, MIB + 5000);
    assert_int_equal(snapshot_pack(f->plain, f->file, &f->info, NULL, &f->err), 0);
    size_t len = read_file(f->file, bytes, 3 * MIB);
    assert_int_equal(len, f->info.file_bytes);
    for (size_t piece = 1; piece < 3 * MIB; piece = piece * 7 + 1) {
        struct snapshot_reader reader;
        snapshot_reader_init(&reader);
        for (size_t at = 0; at < len; at += piece) {
            size_t n = MIN(piece, len - at);
            assert_int_equal(snapshot_reader_feed(&reader, slice_of(bytes + at, n), NULL,
                                                  NULL, &f->err),
                             0);
        }
        assert_true(reader.ended);
        assert_int_equal(reader.chunks, 2);
        assert_int_equal(
            snapshot_reader_feed(&reader, SLICE_LITERAL("x"), NULL, NULL, &f->err),
            ERR_DAMAGED);
        snapshot_reader_fini(&reader);
    }
    mem_free(bytes);
}

/* Any byte that is changed, and any end that is cut off, is found; nothing is left behind
 * of what failed. */
static void test_damage(void **state)
{
    struct fixture *f = *state;
    uint8_t *bytes = mem_zalloc(2 * MIB);
    struct snapshot_info read;

    write_plain(f, 9000);
    assert_int_equal(snapshot_pack(f->plain, f->file, &f->info, NULL, &f->err), 0);
    size_t len = read_file(f->file, bytes, 2 * MIB);
    for (size_t at = 0; at < len; at += at < 100 || at + 50 > len ? 1 : 37) {
        bytes[at] ^= 0x10;
        write_file(f->file, bytes, len);
        int rc = snapshot_unpack(f->file, f->back, &read, NULL, &f->err);
        assert_true(rc == ERR_DAMAGED || rc == ERR_UNSUPPORTED);
        assert_int_not_equal(access(f->back, F_OK), 0);
        bytes[at] ^= 0x10;
    }
    for (size_t cut = 0; cut < len; cut += 53) {
        write_file(f->file, bytes, cut);
        assert_int_equal(snapshot_unpack(f->file, f->back, &read, NULL, &f->err),
                         ERR_DAMAGED);
    }
    mem_free(bytes);
}

/* A header that promises more than any state has is refused before anything is kept. */
static void test_hostile_header(void **state)
{
    struct fixture *f = *state;
    struct snapshot_reader reader;
    struct str out;

    str_init(&out, KIB);
    f->info.plain_bytes = UINT64_MAX;
    snapshot_write_header(&f->info, &out);
    snapshot_reader_init(&reader);
    assert_int_equal(snapshot_reader_feed(&reader, str_slice(&out), NULL, NULL, &f->err),
                     ERR_DAMAGED);
    snapshot_reader_fini(&reader);
    str_fini(&out);
}

static bool at_once(void *arg)
{
    (void)arg;
    return true;
}

/* The rate is kept, and who waits is stopped; a file that was not finished is not there.
 */
static void test_pace(void **state)
{
    struct fixture *f = *state;
    struct snapshot_pace pace = {.rate_bytes = 10 * MIB};

    write_plain(f, 3 * MIB);
    int64_t start_ms = clock_monotonic_ms();
    assert_int_equal(snapshot_pack(f->plain, f->file, &f->info, &pace, &f->err), 0);
    assert_in_range(clock_monotonic_ms() - start_ms, 290, 5000);
    assert_int_equal(unlink(f->file), 0);
    pace.stopped = at_once;
    assert_int_equal(snapshot_pack(f->plain, f->file, &f->info, &pace, &f->err),
                     ERR_CANCELLED);
    assert_int_not_equal(access(f->file, F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_round, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hostile_header, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pace, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
