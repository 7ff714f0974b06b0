/* test_file_io.c - large files by direct I/O: every byte, whatever the sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/block.h"
#include "common/file_io.h"
#include "common/mem.h"

#define PIECES_MAX 3000

static char path[64];
static int fd;

static int set_up(void **state)
{
    (void)state;
    strcpy(path, "/var/tmp/weft-file-io-XXXXXX"); /* on a disk */
    fd = mkstemp(path);
    assert_true(fd >= 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    close(fd);
    return unlink(path);
}

/* Content that differs from one block to the next. */
static uint8_t *make_bytes(size_t size)
{
    uint8_t *bytes = mem_alloc(size);
    uint32_t x = 7;
    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(x >> 24);
    }
    return bytes;
}

/* SIZE bytes in pieces of PIECE, an empty one between each two. */
static void write_bytes(const uint8_t *bytes, size_t size, size_t piece)
{
    static struct slice pieces[PIECES_MAX];
    size_t n = 0;
    for (size_t at = 0; at < size; at += piece) {
        pieces[n++] = slice_of(bytes + at, MIN(piece, size - at));
        pieces[n++] = SLICE_NULL;
        assert_true(n < PIECES_MAX);
    }
    assert_int_equal(file_io_write(fd, pieces, n), 0);
}

/* What stands in the file, through the page cache. */
static void assert_content(const uint8_t *bytes, size_t size)
{
    struct stat st;
    uint8_t *got = mem_alloc(size + 1);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, size);
    assert_int_equal(pread(fd, got, size + 1, 0), size);
    assert_memory_equal(got, bytes, size);
    mem_free(got);
}

/* A file holds the pieces' bytes, of any size, and is that long. */
static void writes_all_bytes(void **state)
{
    static const size_t sizes[] = {0,      1,       262143,  262144,  262145,
                                   266240, 2097152, 2097153, 4198399, 9000001};
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        uint8_t *bytes = make_bytes(sizes[i]);
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        write_bytes(bytes, sizes[i], 262205);
        assert_content(bytes, sizes[i]);
        mem_free(bytes);
    }
}

/* More pieces than one writev takes, small ones, are no different. */
static void writes_small_pieces(void **state)
{
    uint8_t *bytes = make_bytes(300000);
    (void)state;
    write_bytes(bytes, 300000, 217);
    assert_content(bytes, 300000);
    mem_free(bytes);
}

/* Where a direct transfer is refused, here for its offset, the rest goes without. */
static void refused_goes_on(void **state)
{
    uint8_t *bytes = make_bytes(500001);
    (void)state;
    assert_int_equal(write(fd, bytes, 1), 1);
    struct slice piece = slice_of(bytes + 1, 500000);
    assert_int_equal(file_io_write(fd, &piece, 1), 0);
    assert_content(bytes, 500001);
    assert_int_equal(fcntl(fd, F_GETFL) & O_DIRECT, 0);
    mem_free(bytes);
}

/* What the system refuses is told. */
static void errors_are_told(void **state)
{
    uint8_t *bytes = make_bytes(300000);
    struct slice small = slice_of(bytes, 10), large = slice_of(bytes, 300000);
    size_t done;
    (void)state;
    int reader = open(path, O_RDONLY);
    assert_true(reader >= 0);
    assert_int_equal(file_io_write(reader, &small, 1), EBADF);
    assert_int_equal(file_io_write(reader, &large, 1), EBADF);
    close(reader);
    assert_int_equal(file_io_read(reader, bytes, 10, 10, 0, &done), EBADF);
    assert_int_equal(file_io_read(reader, bytes, 300000, 300000, 0, &done), EBADF);
    mem_free(bytes);
}

static void assert_range(const uint8_t *bytes, size_t size, size_t offset, size_t len)
{
    struct block block;
    size_t done;
    assert_true(block_try_new(&block, len));
    assert_int_equal(file_io_read(fd, block.data, len, block.size, offset, &done), 0);
    assert_int_equal(done, offset >= size ? 0 : MIN(len, size - offset));
    assert_memory_equal(block.data, bytes + MIN(offset, size), done);
    block_free(&block);
}

/* Any range is read, to the byte; one that passes the end as far as there is something.
 */
static void reads_any_range(void **state)
{
    size_t size = 3000001;
    uint8_t *bytes = make_bytes(size);
    (void)state;
    write_bytes(bytes, size, size);
    for (size_t offset = 0; offset < size; offset += 700001) {
        assert_range(bytes, size, offset, 10);
        assert_range(bytes, size, offset, 500000);
        assert_range(bytes, size, offset, size - offset);
    }
    assert_range(bytes, size, 1048576, 1048576);
    assert_range(bytes, size, 1048576, 1000001);
    assert_range(bytes, size, 1048576, size - 1048576);
    assert_range(bytes, size, 1048576, 4 * MIB);
    assert_range(bytes, size, 2998272, MIB);
    assert_range(bytes, size, 4 * MIB, MIB);
    mem_free(bytes);
}

/* Memory that is not aligned, or ends with the last byte, is filled and not passed. */
static void room_is_kept(void **state)
{
    size_t size = 400001, done;
    uint8_t *bytes = make_bytes(size);
    struct block block;
    (void)state;
    write_bytes(bytes, size, size);
    assert_true(block_try_new(&block, 500000));
    block.data[300001] = 0x77;
    assert_int_equal(file_io_read(fd, block.data, 300001, 300001, 0, &done), 0);
    assert_int_equal(done, 300001);
    assert_memory_equal(block.data, bytes, 300001);
    assert_int_equal(block.data[300001], 0x77);
    assert_int_equal(file_io_read(fd, block.data + 1, 300001, 400000, 0, &done), 0);
    assert_memory_equal(block.data + 1, bytes, 300001);
    block_free(&block);
    mem_free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_all_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(writes_small_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refused_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(errors_are_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_any_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(room_is_kept, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
