/* test_wal.c - the log: what was synced comes back, torn tails are cut, damage of what
 * was acknowledged is refused, failing disks are reported. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"
#include "controlplane/wal.h"
#include "tests/lib/node_driver.h"

#define SEGMENT 4096

struct fixture {
    char dir[64];
    struct wal *wal;
    struct err err;
};

static struct wal_options options(struct fixture *f)
{
    return (struct wal_options){
        .dir = f->dir, .segment_bytes = SEGMENT, .cell_id = {{1, 2, 3}}};
}

static int open_log(struct fixture *f)
{
    struct wal_options o = options(f);
    f->err.text[0] = '\0';
    return wal_open(&o, &f->wal, &f->err);
}

static int setup(void **state)
{
    struct fixture *f = mem_zalloc(sizeof(*f));
    temp_dir(f->dir);
    *state = f;
    return open_log(f);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    wal_close(f->wal);
    temp_dir_remove(f->dir);
    mem_free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    wal_close(f->wal);
    f->wal = NULL;
    if (open_log(f) != 0)
        fail_msg("%s", f->err.text);
}

/* Entry I of the tests: its bytes and their number follow from I. */
static size_t fill(uint64_t i, uint8_t bytes[600])
{
    size_t len = (size_t)(i * 37 % 500);
    for (size_t k = 0; k < len; k++)
        bytes[k] = (uint8_t)(i + k);
    return len;
}

/* Append entries FROM to TO, COUNT in each call. */
static int append(struct fixture *f, uint64_t from, uint64_t to, size_t count)
{
    static uint8_t bytes[64][600];
    struct wal_entry entries[64];
    size_t done;

    while (from <= to) {
        size_t n = 0;
        for (; n < count && from + n <= to; n++)
            entries[n] =
                (struct wal_entry){.index = from + n,
                                   .term = (from + n) / 10 + 1,
                                   .type = (uint8_t)((from + n) % 3 + 1),
                                   .data = slice_of(bytes[n], fill(from + n, bytes[n]))};
        int rc = wal_append(f->wal, entries, n, &done, &f->err);
        if (rc != 0)
            return rc;
        assert_int_equal(done, n);
        from += n;
    }
    return 0;
}

static int check_entry(void *arg, const struct wal_entry *entry)
{
    uint64_t *expect = arg;
    uint8_t bytes[600];
    size_t len = fill(entry->index, bytes);

    assert_int_equal(entry->index, *expect);
    assert_int_equal(entry->term, entry->index / 10 + 1);
    assert_int_equal(entry->type, entry->index % 3 + 1);
    assert_true(slice_eq(entry->data, slice_of(bytes, len)));
    (*expect)++;
    return 0;
}

/* The log holds entries FROM to LAST, all right. */
static void check_entries(struct fixture *f, uint64_t from, uint64_t last)
{
    uint64_t expect = from;
    assert_int_equal(wal_last_index(f->wal), last);
    assert_int_equal(wal_read(f->wal, from, check_entry, &expect, &f->err), 0);
    assert_int_equal(expect, last + 1);
}

static void path_of(struct fixture *f, uint64_t first, char path[128])
{
    snprintf(path, 128, "%s/wal-%020llu.log", f->dir, (unsigned long long)first);
}

/* Write LEN bytes at AT of the file of the segment FIRST. */
static void damage(struct fixture *f, uint64_t first, long at, const void *bytes,
                   size_t len)
{
    char path[128];
    path_of(f, first, path);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, len, at), len);
    close(fd);
}

static void flip(struct fixture *f, uint64_t first, long at)
{
    char path[128], byte;
    path_of(f, first, path);
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void forget_mark(struct fixture *f)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/durable", f->dir);
    assert_int_equal(truncate(path, 0), 0);
}

/* What was appended and synced is read back, over many segments, in groups of any size.
 */
static void test_round_trip(void **state)
{
    struct fixture *f = *state;
    static const size_t groups[] = {1, 2, 7, 64};
    uint64_t last = 0;

    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        assert_int_equal(append(f, last + 1, last + 100, groups[i]), 0);
        last += 100;
        assert_int_equal(wal_sync(f->wal, &f->err), 0);
        check_entries(f, 1, last);
        reopen(f);
        check_entries(f, 1, last);
        check_entries(f, last - 5, last);
        assert_int_equal(wal_cut_bytes(f->wal), 0);
    }
    assert_true(wal_bytes(f->wal) > 20 * SEGMENT);
}

/* An entry larger than a segment gets a segment of its own size. */
static void test_large_entry(void **state)
{
    struct fixture *f = *state;
    uint8_t *big = mem_zalloc(100000);
    struct wal_entry entry = {
        .index = 1, .term = 1, .type = 1, .data = slice_of(big, 100000)};
    size_t done;

    assert_int_equal(wal_append(f->wal, &entry, 1, &done, &f->err), 0);
    assert_int_equal(append(f, 2, 3, 1), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    reopen(f);
    assert_int_equal(wal_last_index(f->wal), 3);
    check_entries(f, 2, 3);
    mem_free(big);
}

/* A record that a crash left half written, at whatever byte, is cut with all behind it;
 * the log goes on from there, and nothing of the old tail comes back. */
static void test_torn_tail(void **state)
{
    struct fixture *f = *state;
    uint8_t zeros[SEGMENT] = {0};
    struct stat st;
    char path[128];

    assert_int_equal(append(f, 1, 5, 5), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    long end = 64; /* of entry 5 */
    for (uint64_t i = 1; i <= 5; i++)
        end += (long)((40 + i * 37 % 500 + 7) & ~7ull);
    for (long cut = 0; cut < 800; cut += 13) {
        assert_int_equal(append(f, 6, 8, 3), 0); /* not synced: then the crash */
        long tail = end;
        for (uint64_t i = 6; i <= 8; i++)
            tail += (long)((40 + i * 37 % 500 + 7) & ~7ull);
        if (end + cut >= tail)
            break;
        damage(f, 1, end + cut, zeros, (size_t)(tail - end - cut));
        reopen(f);
        assert_true(wal_last_index(f->wal) >= 5);
        assert_true(wal_last_index(f->wal) < 8);
        check_entries(f, 1, wal_last_index(f->wal));
        path_of(f, 1, path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, SEGMENT);
        assert_int_equal(wal_truncate(f->wal, 6, &f->err), 0);
    }
}

/* Of a group that was never synced, later sectors may have reached the disk and earlier
 * ones not: also that is a torn tail. */
static void test_torn_middle(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(append(f, 1, 5, 5), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    assert_int_equal(append(f, 6, 9, 4), 0);
    long at = 64;
    for (uint64_t i = 1; i <= 5; i++)
        at += (long)((40 + i * 37 % 500 + 7) & ~7ull);
    flip(f, 1, at + 50); /* in entry 6; 7 to 9 are whole */
    reopen(f);
    check_entries(f, 1, 5);
    assert_true(wal_cut_bytes(f->wal) > 0);
    /* New entries of the same length: the old 7 to 9 must not follow the new 6. */
    assert_int_equal(append(f, 6, 6, 1), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    reopen(f);
    check_entries(f, 1, 6);
}

/* Damage of an acknowledged record is refused, with file and offset, wherever it lies;
 * also of the very last one, known by the durable mark alone. */
static void test_damage(void **state)
{
    struct fixture *f = *state;
    char copy[80];

    assert_int_equal(append(f, 1, 40, 4), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    wal_close(f->wal);
    f->wal = NULL;
    snprintf(copy, sizeof(copy), "%s-copy", f->dir);
    copy_dir(f->dir, copy);
    int refused = 0;
    for (long at = 64; at < 1000; at += 31) {
        flip(f, 1, at);
        if (open_log(f) == 0) { /* the padding behind a record holds nothing */
            check_entries(f, 1, 40);
            wal_close(f->wal);
            f->wal = NULL;
            continue;
        }
        refused++;
        assert_non_null(strstr(f->err.text, "wal-00000000000000000001.log"));
        assert_non_null(strstr(f->err.text, "offset"));
        assert_non_null(strstr(f->err.text, "restore"));
        copy_dir(copy, f->dir);
    }
    assert_true(refused > 25);
    flip(f, 1, 8); /* in the segment's header */
    int rc = open_log(f);
    assert_true(rc == ERR_DAMAGED || rc == ERR_UNSUPPORTED);
    copy_dir(copy, f->dir);
    flip(f, 1, 40);
    assert_int_equal(open_log(f), ERR_DAMAGED);
    copy_dir(copy, f->dir);
    temp_dir_remove(copy);
    assert_int_equal(open_log(f), 0);
}

static void test_damage_of_last(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(append(f, 1, 2, 1), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    flip(f, 1, 64 + ((40 + 37 + 7) & ~7) + 45); /* the payload of entry 2 */
    wal_close(f->wal);
    f->wal = NULL;
    assert_int_equal(open_log(f), ERR_DAMAGED);
    /* Without the mark (a power cut took it) it looks like a torn tail. */
    forget_mark(f);
    assert_int_equal(open_log(f), 0);
    assert_int_equal(wal_last_index(f->wal), 1);
}

/* Without the mark, later records still prove that earlier ones were durable. */
static void test_damage_proven_by_followers(void **state)
{
    struct fixture *f = *state;

    for (uint64_t i = 1; i <= 8; i++) {
        assert_int_equal(append(f, i, i, 1), 0);
        assert_int_equal(wal_sync(f->wal, &f->err), 0);
    }
    forget_mark(f);
    flip(f, 1, 64 + 45);
    wal_close(f->wal);
    f->wal = NULL;
    assert_int_equal(open_log(f), ERR_DAMAGED);
    assert_non_null(strstr(f->err.text, "offset 64 (entry 1)"));
}

/* A missing segment is damage, and so are all of them. */
static void test_missing_segment(void **state)
{
    struct fixture *f = *state;
    char path[128];

    assert_int_equal(append(f, 1, 60, 1), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    wal_close(f->wal);
    f->wal = NULL;
    uint64_t second = 2;
    for (;; second++) {
        path_of(f, second, path);
        if (access(path, F_OK) == 0)
            break;
    }
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_log(f), ERR_DAMAGED);
    for (uint64_t i = 1; i <= 60; i++) {
        path_of(f, i, path);
        (void)unlink(path);
    }
    assert_int_equal(open_log(f), ERR_DAMAGED);
    assert_non_null(strstr(f->err.text, "are gone"));
}

/* The log of another cell is refused. */
static void test_other_cell(void **state)
{
    struct fixture *f = *state;
    struct wal_options o = options(f);

    wal_close(f->wal);
    f->wal = NULL;
    o.cell_id.bytes[0] = 9;
    assert_int_equal(wal_open(&o, &f->wal, &f->err), ERR_CONFLICT);
    o.cell_id = UUID_ZERO;
    assert_int_equal(wal_open(&o, &f->wal, &f->err), 0);
    struct uuid cell = wal_cell_id(f->wal);
    assert_int_equal(cell.bytes[2], 3);
}

/* A conflicting suffix goes for good, across segments; other entries take its place. */
static void test_truncate(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(append(f, 1, 100, 8), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    for (uint64_t from = 95; from > 10; from -= 13) {
        assert_int_equal(wal_truncate(f->wal, from, &f->err), 0);
        check_entries(f, 1, from - 1);
        reopen(f);
        check_entries(f, 1, from - 1);
        assert_int_equal(append(f, from, from + 3, 2), 0);
        assert_int_equal(wal_sync(f->wal, &f->err), 0);
        reopen(f);
        check_entries(f, 1, from + 3);
    }
    assert_int_equal(wal_truncate(f->wal, 1000, &f->err), 0);
}

/* Trimming deletes whole segments only, never one that is needed. */
static void test_trim(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(append(f, 1, 200, 8), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    for (uint64_t index = 10; index < 200; index += 17) {
        assert_int_equal(wal_trim(f->wal, index, &f->err), 0);
        assert_true(wal_first_index(f->wal) <= index + 1);
        check_entries(f, index + 1, 200);
    }
    assert_true(wal_first_index(f->wal) > 150);
    assert_int_equal(wal_trim(f->wal, 10000, &f->err), 0);
    reopen(f);
    check_entries(f, wal_first_index(f->wal), 200);
    assert_int_equal(append(f, 201, 220, 3), 0);
    check_entries(f, wal_first_index(f->wal), 220);
}

/* ---- failing disks ---- */

static int fail_fallocate, fail_sync, fail_write;

static ssize_t test_pwritev(int fd, const struct iovec *iov, int count, off_t at)
{
    if (fail_write != 0) {
        errno = fail_write;
        return -1;
    }
    return pwritev(fd, iov, count, at);
}

static int test_fdatasync(int fd)
{
    if (fail_sync != 0) {
        errno = fail_sync;
        return -1;
    }
    return fdatasync(fd);
}

static int test_fallocate(int fd, off_t at, off_t len)
{
    return fail_fallocate != 0 ? fail_fallocate : posix_fallocate(fd, at, len);
}

static void open_failing(struct fixture *f)
{
    static const struct wal_ops ops = {test_pwritev, test_fdatasync, test_fallocate};
    struct wal_options o = options(f);

    o.ops = &ops;
    fail_fallocate = fail_sync = fail_write = 0;
    wal_close(f->wal);
    f->wal = NULL;
    assert_int_equal(wal_open(&o, &f->wal, &f->err), 0);
}

/* Without room, appending stops where it is and goes on when there is room again. */
static void test_no_space(void **state)
{
    struct fixture *f = *state;
    uint64_t next = 1;

    open_failing(f);
    fail_fallocate = ENOSPC;
    int rc = 0;
    while ((rc = append(f, next, next, 1)) == 0)
        next++;
    assert_int_equal(rc, ERR_NO_SPACE);
    assert_int_equal(wal_last_index(f->wal), next - 1);
    assert_int_equal(append(f, next, next, 1), ERR_NO_SPACE);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    fail_fallocate = 0;
    fail_write = ENOSPC;
    assert_int_equal(append(f, next, next, 1), ERR_NO_SPACE);
    fail_write = 0;
    assert_int_equal(append(f, next, next + 50, 3), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    reopen(f);
    check_entries(f, 1, next + 50);
}

static int mark_syncs;

static int count_mark_syncs(int fd)
{
    char link[32], path[512];

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, path, sizeof(path));
    assert_true(len > 0);
    mark_syncs += len > 8 && memcmp(path + len - 8, "/durable", 8) == 0;
    return fdatasync(fd);
}

/* The mark that a start goes by is made durable first: an older one, back after a power
 * cut, could say that a cut is to be finished, of entries that were acknowledged since.
 */
static void test_mark_is_synced(void **state)
{
    static const struct wal_ops ops = {test_pwritev, count_mark_syncs, test_fallocate};
    struct fixture *f = *state;

    assert_int_equal(append(f, 1, 10, 5), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    assert_int_equal(wal_truncate(f->wal, 5, &f->err), 0);
    wal_close(f->wal);
    f->wal = NULL;
    struct wal_options options = {.dir = f->dir, .segment_bytes = 4096, .ops = &ops};
    assert_int_equal(wal_open(&options, &f->wal, &f->err), 0);
    assert_int_equal(mark_syncs, 1);
    assert_int_equal(wal_last_index(f->wal), 4);
}

/* A failed fdatasync is never tried again: the log is broken until it is opened anew, and
 * then what was not known durable is written and synced again. */
static void test_failed_sync(void **state)
{
    struct fixture *f = *state;

    open_failing(f);
    assert_int_equal(append(f, 1, 3, 3), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    assert_int_equal(append(f, 4, 5, 2), 0);
    fail_sync = EIO;
    assert_int_equal(wal_sync(f->wal, &f->err), ERR_IO);
    fail_sync = 0;
    assert_int_equal(wal_sync(f->wal, &f->err), ERR_IO);
    assert_int_equal(append(f, 6, 6, 1), ERR_IO);
    assert_non_null(strstr(f->err.text, "restart"));
    reopen(f);
    assert_true(wal_last_index(f->wal) >= 3);
    check_entries(f, 1, wal_last_index(f->wal));
}

/* A write that fails for another reason than room breaks the log too. */
static void test_failed_write(void **state)
{
    struct fixture *f = *state;

    open_failing(f);
    fail_write = EIO;
    assert_int_equal(append(f, 1, 1, 1), ERR_IO);
    fail_write = 0;
    assert_int_equal(append(f, 1, 1, 1), ERR_IO);
}

/* A log that was reset goes on behind the snapshot, also after a restart; what was there
 * is gone. */
static void test_reset(void **state)
{
    struct fixture *f = *state;
    char path[128];
    assert_int_equal(append(f, 1, 60, 7), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    assert_int_equal(wal_reset(f->wal, 501, &f->err), 0);
    assert_int_equal(wal_first_index(f->wal), 501);
    assert_int_equal(wal_last_index(f->wal), 500);
    path_of(f, 1, path);
    assert_int_not_equal(access(path, F_OK), 0);
    reopen(f);
    assert_int_equal(wal_first_index(f->wal), 501);
    assert_int_equal(wal_last_index(f->wal), 500);
    assert_int_equal(append(f, 501, 540, 7), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    reopen(f);
    check_entries(f, 501, 540);
    /* Back as well: the same index may be the first of another log. */
    assert_int_equal(wal_reset(f->wal, 501, &f->err), 0);
    assert_int_equal(append(f, 501, 510, 7), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    reopen(f);
    check_entries(f, 501, 510);
}

/* A crash in a reset leaves less of the old log, or none; and the repeated reset gives
 * what was wanted. */
static void test_reset_interrupted(void **state)
{
    struct fixture *f = *state;
    char path[128];
    for (int left = 0; left < 3; left++) {
        assert_int_equal(append(f, 1, 60, 7), 0);
        assert_int_equal(wal_sync(f->wal, &f->err), 0);
        wal_close(f->wal);
        f->wal = NULL;
        snprintf(path, sizeof(path), "%s/durable", f->dir);
        assert_int_equal(truncate(path, 0), 0);
        /* Newest first, as the reset does, until LEFT segments are there. */
        uint64_t firsts[16];
        int count = 0;
        for (uint64_t first = 1; first <= 60; first++) {
            path_of(f, first, path);
            if (access(path, F_OK) == 0)
                firsts[count++] = first;
        }
        assert_true(count > 3);
        while (count > left) {
            path_of(f, firsts[--count], path);
            assert_int_equal(unlink(path), 0);
        }
        assert_int_equal(open_log(f), 0);
        assert_int_equal(wal_reset(f->wal, 1001, &f->err), 0);
        assert_int_equal(append(f, 1001, 1005, 7), 0);
        assert_int_equal(wal_sync(f->wal, &f->err), 0);
        reopen(f);
        check_entries(f, 1001, 1005);
        assert_int_equal(wal_reset(f->wal, 1, &f->err), 0);
    }
}

/* A conflict may go back to the very first entry of a log, as of one behind a snapshot.
 */
static void test_truncate_all(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(wal_reset(f->wal, 101, &f->err), 0);
    assert_int_equal(append(f, 101, 150, 7), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    assert_int_equal(wal_truncate(f->wal, 101, &f->err), 0);
    assert_int_equal(wal_last_index(f->wal), 100);
    reopen(f);
    assert_int_equal(wal_first_index(f->wal), 101);
    assert_int_equal(wal_last_index(f->wal), 100);
    assert_int_equal(append(f, 101, 120, 7), 0);
    assert_int_equal(wal_sync(f->wal, &f->err), 0);
    reopen(f);
    check_entries(f, 101, 120);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),
        TEST(test_large_entry),
        TEST(test_torn_tail),
        TEST(test_torn_middle),
        TEST(test_damage),
        TEST(test_damage_of_last),
        TEST(test_damage_proven_by_followers),
        TEST(test_missing_segment),
        TEST(test_other_cell),
        TEST(test_truncate),
        TEST(test_trim),
        TEST(test_no_space),
        TEST(test_mark_is_synced),
        TEST(test_failed_sync),
        TEST(test_failed_write),
        TEST(test_reset),
        TEST(test_reset_interrupted),
        TEST(test_truncate_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
