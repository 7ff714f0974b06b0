/* tar.c - see tar.h. */
#include "cli/tar.h"

#include <stdio.h>
#include <string.h>

#define BLOCK ((size_t)512)

/* The fields of a header that are not zero, with where they lie. */
#define AT_NAME     0
#define AT_MODE     100
#define AT_UID      108
#define AT_GID      116
#define AT_SIZE     124
#define AT_MTIME    136
#define AT_CHECKSUM 148
#define AT_TYPE     156
#define AT_MAGIC    257

/* WIDTH - 1 octal digits and a NUL. */
static void put_octal(char *at, size_t width, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%0*llo", (int)width - 1, (unsigned long long)value);
    memcpy(at, text, width);
}

/* BYTES zeros, a block at the most. */
static void pad(struct str *tar, size_t bytes)
{
    static const char zeros[BLOCK];
    str_append(tar, zeros, bytes);
}

void tar_add(struct str *tar, const char *name, struct slice bytes, int64_t mtime_s)
{
    char header[BLOCK] = {0};
    unsigned sum = 0;

    snprintf(header + AT_NAME, TAR_NAME_MAX + 1, "%s", name);
    put_octal(header + AT_MODE, 8, 0600);
    put_octal(header + AT_UID, 8, 0);
    put_octal(header + AT_GID, 8, 0);
    put_octal(header + AT_SIZE, 12, bytes.len);
    put_octal(header + AT_MTIME, 12, (uint64_t)mtime_s);
    header[AT_TYPE] = '0';
    memcpy(header + AT_MAGIC, "ustar\00000", 8);
    /* The checksum counts its own field as spaces. */
    memset(header + AT_CHECKSUM, ' ', 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    put_octal(header + AT_CHECKSUM, 7, sum);
    str_append(tar, header, sizeof(header));
    str_append_slice(tar, bytes);
    pad(tar, (BLOCK - bytes.len % BLOCK) % BLOCK);
}

void tar_end(struct str *tar)
{
    pad(tar, BLOCK);
    pad(tar, BLOCK);
}
