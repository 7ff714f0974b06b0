/* fuzz_wal.c - recovery of a log whose file holds anything.
 *
 * The first byte chooses: the rest is what stands behind the segment's header; or it is a
 * list of changes (offset, byte) to a sound log. Whatever it is, recovery refuses, or
 * gives a log that can be read, appended to and opened again with the same entries. */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/check.h"
#include "common/crc32c.h"
#include "controlplane/wal.h"
#include "tests/lib/node_driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64];

static void remove_dir(void)
{
    temp_dir_remove(dir);
}

static struct wal *try_open(void)
{
    struct wal_options options = {.dir = dir, .segment_bytes = 4096, .cell_id = {{1}}};
    struct wal *wal = NULL;
    struct err err;
    return wal_open(&options, &wal, &err) == 0 ? wal : NULL;
}

static int hash_entry(void *arg, const struct wal_entry *entry)
{
    uint32_t *hash = arg;
    *hash = crc32c_extend(*hash, &entry->index, sizeof(entry->index));
    *hash = crc32c_extend(*hash, &entry->term, sizeof(entry->term));
    *hash = crc32c_extend(*hash, entry->data.ptr, entry->data.len);
    return 0;
}

static uint32_t hash_all(struct wal *wal)
{
    uint32_t hash = 0;
    struct err err;
    if (wal_read(wal, wal_first_index(wal), hash_entry, &hash, &err) != 0)
        __builtin_trap();
    return hash;
}

static void append(struct wal *wal, uint64_t index, const char *text)
{
    struct wal_entry entry = {
        .index = index, .term = 1, .type = 1, .data = slice_str(text)};
    struct err err;
    size_t done;
    if (wal_append(wal, &entry, 1, &done, &err) != 0 || wal_sync(wal, &err) != 0)
        __builtin_trap();
}

/* Write the input into the only segment of a log of three entries. */
static void put_input(const uint8_t *data, size_t size)
{
    char path[128];
    struct wal *wal = try_open();

    ASSERT(wal != NULL);
    append(wal, 1, "the first entry");
    append(wal, 2, "");
    append(wal, 3, "the third, a little longer than the two that came before it");
    wal_close(wal);
    snprintf(path, sizeof(path), "%s/wal-%020d.log", dir, 1);
    int fd = open(path, O_RDWR);
    ASSERT(fd >= 0);
    if (data[0] & 1) {
        ASSERT(pwrite(fd, data + 1, size - 1, 64) == (ssize_t)(size - 1));
    } else {
        for (size_t i = 1; i + 2 < size; i += 3)
            ASSERT(pwrite(fd, data + i + 2, 1, (data[i] << 8 | data[i + 1]) & 4095) == 1);
    }
    close(fd);
    snprintf(path, sizeof(path), "%s/durable", dir);
    if (data[0] & 2)
        ASSERT(truncate(path, 0) == 0);
}

static void empty(void)
{
    char path[128];
    for (int first = 1; first < 8; first++) {
        snprintf(path, sizeof(path), "%s/wal-%020d.log", dir, first);
        (void)unlink(path);
    }
    snprintf(path, sizeof(path), "%s/durable", dir);
    (void)unlink(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > 3000)
        return 0;
    if (dir[0] == '\0') {
        temp_dir(dir);
        atexit(remove_dir);
    }
    put_input(data, size);
    struct wal *wal = try_open();
    if (wal != NULL) {
        uint64_t last = wal_last_index(wal);
        uint32_t hash = hash_all(wal);
        wal_close(wal);
        wal = try_open();
        if (wal == NULL || wal_last_index(wal) != last || hash_all(wal) != hash)
            __builtin_trap();
        append(wal, last + 1, "and on it goes");
        wal_close(wal);
        wal = try_open();
        if (wal == NULL || wal_last_index(wal) != last + 1)
            __builtin_trap();
        wal_close(wal);
    }
    empty();
    return 0;
}
