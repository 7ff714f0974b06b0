/* base64.h - base64 (RFC 4648 section 4): with padding, without line breaks. */
#ifndef COMMON_BASE64_H
#define COMMON_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/slice.h"
#include "common/str.h"

/* Characters that base64_encode makes of LEN bytes, without a NUL. */
static inline size_t base64_encoded_len(size_t len)
{
    return (len / 3 + (len % 3 != 0)) * 4;
}

/* Room that base64_decode needs at most for LEN characters. */
static inline size_t base64_decoded_max(size_t len)
{
    return len / 4 * 3;
}

/* Append the text of BYTES to OUT. */
void base64_encode(struct slice bytes, struct str *out);
/* Decode TEXT to OUT, which has room for base64_decoded_max(text.len). Returns 0 and the
 * length, or ERR_MALFORMED; a text that no encoder makes (stray bits, missing padding,
 * other characters) is malformed. */
int base64_decode(struct slice text, uint8_t *out, size_t *len) MUST_CHECK;

#endif
