/* crc32c.c - the only door to ISA-L, which picks the fastest code for the processor. */
#include "common/crc32c.h"

#include <isa-l/crc.h>

#include "common/defs.h"

/* ISA-L takes an int as length: longer input goes in pieces. */
#define PIECE_MAX GIB

uint32_t crc32c(const void *bytes, size_t len)
{
    return crc32c_extend(0, bytes, len);
}

uint32_t crc32c_extend(uint32_t crc, const void *bytes, size_t len)
{
    /* ISA-L only reads, but says so with no const. */
    unsigned char *p = (unsigned char *)(uintptr_t)bytes;

    while (len > 0) {
        size_t piece = MIN(len, PIECE_MAX);
        crc = ~crc32_iscsi(p, (int)piece, ~crc);
        p += piece;
        len -= piece;
    }
    return crc;
}
