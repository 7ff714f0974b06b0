/* crc32c.c - the only door to ISA-L, which picks the fastest code for the processor. */
#include "common/crc32c.h"

#include <isa-l/crc.h>
#include <pthread.h>

#include "common/defs.h"

/* ISA-L takes an int as length: longer input goes in pieces. */
#define PIECE_MAX GIB

/* The polynomial without its x^32, lowest power in the highest bit. */
#define POLYNOMIAL 0x82f63b78u

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

/* Combining: a checksum is a polynomial modulo POLYNOMIAL, and LEN further bytes multiply
 * it by x^(8 * LEN). power_of_2[k] is x^(2^k), so that a power costs a product a bit. */
static uint32_t power_of_2[64];
static pthread_once_t power_once = PTHREAD_ONCE_INIT;

static uint32_t multiply(uint32_t a, uint32_t b)
{
    /* Without branches: the bits are as good as random, and a third of the time. */
    uint32_t product = 0;
    for (; a != 0; a <<= 1) {
        product ^= b & (0u - (a >> 31));
        b = (b >> 1) ^ (POLYNOMIAL & (0u - (b & 1)));
    }
    return product;
}

static void fill_powers(void)
{
    power_of_2[0] = 0x40000000u; /* x */
    for (size_t k = 1; k < ARRAY_LEN(power_of_2); k++)
        power_of_2[k] = multiply(power_of_2[k - 1], power_of_2[k - 1]);
}

uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b)
{
    pthread_once(&power_once, fill_powers);
    for (size_t k = 3; len_b != 0 && k < ARRAY_LEN(power_of_2); k++, len_b >>= 1) {
        if (len_b & 1)
            crc_a = multiply(power_of_2[k], crc_a);
    }
    return crc_a ^ crc_b;
}
