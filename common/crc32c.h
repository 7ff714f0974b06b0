/* crc32c.h - CRC-32C (Castagnoli), the checksum of record batches, objects and logs. */
#ifndef COMMON_CRC32C_H
#define COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Checksum of LEN bytes; crc32c("123456789") is 0xe3069283. */
uint32_t crc32c(const void *bytes, size_t len);
/* Continue: crc32c_extend(crc32c(a), b) is the checksum of a followed by b. */
uint32_t crc32c_extend(uint32_t crc, const void *bytes, size_t len);
/* The checksum of A followed by B from both checksums and B's length, without the bytes:
 * a matter of a microsecond, cheaper than reading B again from about 4 KiB on. */
uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t len_b);

#endif
