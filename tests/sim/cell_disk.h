/* cell_disk.h - the simulated disks, one of each node: files in memory that forget.
 *
 * The simulator is linked so that open(), pwrite(), fdatasync() and so on of wal.c and
 * vote.c come here when their path begins with DISK_ROOT (--wrap in the Makefile): the
 * product's code runs as it is. What a power cut leaves of a file is what the last
 * fdatasync covered and, of what was written since, any sectors of 512 bytes; of a
 * directory, what the last fsync of it covered and a beginning of the changes since. A
 * failed fdatasync has written any of its sectors, and the others count as clean
 * afterwards, as on Linux. A kill leaves what was written.
 *
 * One thread; seeded chance comes from the cell's virtual time. */
#ifndef TESTS_SIM_CELL_DISK_H
#define TESTS_SIM_CELL_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/vtime.h"

#define DISK_ROOT  "/simulated/" /* and the number of the disk */
#define DISKS      16
#define DISK_FILES 96

struct disk_file;

struct disk_dir {
    struct disk_name {
        char name[40];
        struct disk_file *file;
    } names[DISK_FILES];
    size_t count;
};

struct disk {
    /* faults, to be set from outside */
    bool full;       /* no room for new files and segments */
    bool sync_fails; /* the next fdatasync of a log file fails */
    int ops_left;    /* the crash comes after so many more changes; -1: not so */
    bool power;      /* ... and it is a power cut */
    bool flipped;    /* a bit was */
    /* private */
    struct disk_dir dir;
    struct disk_dir *history; /* since the last sync of the directory, oldest first */
    size_t history_count, history_cap;
    bool crashed;      /* ops_left has run out; `left` is what is left */
    struct disk *left; /* of private files; only its dir and history */
};

/* All disks empty and without faults. TIME gives the chance. */
void disks_init(struct vtime *time);
struct disk *disk_of(unsigned number);
void disk_path(unsigned number, char path[64]);

/* The node of DISK has died: open files are closed, and the disk is what is left. */
void disk_crash(struct disk *disk, bool power);
void disk_wipe(struct disk *disk);
/* Flip one bit of what is safely stored in a log file, but the newest one's when
 * OLDER. False when there is none to flip. */
bool disk_flip(struct disk *disk, bool older);

#endif
