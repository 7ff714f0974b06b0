/* base64.c - three bytes to four characters and back, by table. */
#include "common/base64.h"

#include "common/err.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

#define BAD 0xff

static const uint8_t *values(void)
{
    /* Indexed by character. Range initialisers would read worse than the ranges. */
    static const uint8_t table[256] = {
#define ROW8(v) v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7
#define BAD8    BAD, BAD, BAD, BAD, BAD, BAD, BAD, BAD
#define BAD32   BAD8, BAD8, BAD8, BAD8
        BAD32,
        /* 0x20: '+' and '/', then the digits */
        BAD8,
        BAD,
        BAD,
        BAD,
        62,
        BAD,
        BAD,
        BAD,
        63,
        ROW8(52),
        60,
        61,
        BAD,
        BAD,
        BAD,
        BAD,
        BAD,
        BAD,
        /* 0x40: A to Z, 0x60: a to z */
        BAD,
        0,
        1,
        2,
        3,
        4,
        5,
        6,
        ROW8(7),
        ROW8(15),
        23,
        24,
        25,
        BAD,
        BAD,
        BAD,
        BAD,
        BAD,
        BAD,
        26,
        27,
        28,
        29,
        30,
        31,
        32,
        ROW8(33),
        ROW8(41),
        49,
        50,
        51,
        BAD,
        BAD,
        BAD,
        BAD,
        BAD,
        BAD32,
        BAD32,
        BAD32,
        BAD32,
#undef ROW8
#undef BAD8
#undef BAD32
    };
    return table;
}

void base64_encode(struct slice bytes, struct str *out)
{
    char *to = str_extend(out, base64_encoded_len(bytes.len));
    const uint8_t *p = bytes.ptr;
    size_t left = bytes.len;

    if (to == NULL)
        return;
    for (; left >= 3; left -= 3, p += 3) {
        uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[v >> 12 & 63];
        *to++ = alphabet[v >> 6 & 63];
        *to++ = alphabet[v & 63];
    }
    if (left > 0) {
        uint32_t v = (uint32_t)p[0] << 16 | (left == 2 ? (uint32_t)p[1] << 8 : 0);
        *to++ = alphabet[v >> 18];
        *to++ = alphabet[v >> 12 & 63];
        *to++ = left == 2 ? alphabet[v >> 6 & 63] : '=';
        *to++ = '=';
    }
}

int base64_decode(struct slice text, uint8_t *out, size_t *len)
{
    const uint8_t *table = values();
    const uint8_t *p = text.ptr;
    uint8_t *to = out;

    if (text.len % 4 != 0)
        return ERR_MALFORMED;
    if (text.len == 0) {
        *len = 0;
        return 0;
    }
    const uint8_t *last = p + text.len - 4; /* the group that may be padded */
    unsigned pad = last[3] == '=' ? (last[2] == '=' ? 2 : 1) : 0;
    for (; p < last || (p == last && pad == 0); p += 4) {
        uint32_t a = table[p[0]], b = table[p[1]], c = table[p[2]], d = table[p[3]];
        if ((a | b | c | d) & 0x80)
            return ERR_MALFORMED;
        uint32_t v = a << 18 | b << 12 | c << 6 | d;
        *to++ = (uint8_t)(v >> 16);
        *to++ = (uint8_t)(v >> 8);
        *to++ = (uint8_t)v;
    }
    if (pad > 0) {
        uint32_t a = table[p[0]], b = table[p[1]], c = pad == 1 ? table[p[2]] : 0;
        uint32_t v = a << 18 | b << 12 | c << 6;
        /* The bits behind the last byte must be zero: one text for each value. */
        if (((a | b | c) & 0x80) || (v & (pad == 1 ? 0xffu : 0xffffu)) != 0)
            return ERR_MALFORMED;
        *to++ = (uint8_t)(v >> 16);
        if (pad == 1)
            *to++ = (uint8_t)(v >> 8);
    }
    *len = (size_t)(to - out);
    return 0;
}
