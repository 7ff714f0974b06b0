/* base64.c - three bytes to four characters and back, by table. */
#include "common/base64.h"

#include "common/err.h"

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* By character: its six bits and GOOD, or 0 for what is in no base64 text. */
#define GOOD 0x40
static const uint8_t values[256] = {
    ['A'] = GOOD + 0,  ['B'] = GOOD + 1,  ['C'] = GOOD + 2,  ['D'] = GOOD + 3,
    ['E'] = GOOD + 4,  ['F'] = GOOD + 5,  ['G'] = GOOD + 6,  ['H'] = GOOD + 7,
    ['I'] = GOOD + 8,  ['J'] = GOOD + 9,  ['K'] = GOOD + 10, ['L'] = GOOD + 11,
    ['M'] = GOOD + 12, ['N'] = GOOD + 13, ['O'] = GOOD + 14, ['P'] = GOOD + 15,
    ['Q'] = GOOD + 16, ['R'] = GOOD + 17, ['S'] = GOOD + 18, ['T'] = GOOD + 19,
    ['U'] = GOOD + 20, ['V'] = GOOD + 21, ['W'] = GOOD + 22, ['X'] = GOOD + 23,
    ['Y'] = GOOD + 24, ['Z'] = GOOD + 25, ['a'] = GOOD + 26, ['b'] = GOOD + 27,
    ['c'] = GOOD + 28, ['d'] = GOOD + 29, ['e'] = GOOD + 30, ['f'] = GOOD + 31,
    ['g'] = GOOD + 32, ['h'] = GOOD + 33, ['i'] = GOOD + 34, ['j'] = GOOD + 35,
    ['k'] = GOOD + 36, ['l'] = GOOD + 37, ['m'] = GOOD + 38, ['n'] = GOOD + 39,
    ['o'] = GOOD + 40, ['p'] = GOOD + 41, ['q'] = GOOD + 42, ['r'] = GOOD + 43,
    ['s'] = GOOD + 44, ['t'] = GOOD + 45, ['u'] = GOOD + 46, ['v'] = GOOD + 47,
    ['w'] = GOOD + 48, ['x'] = GOOD + 49, ['y'] = GOOD + 50, ['z'] = GOOD + 51,
    ['0'] = GOOD + 52, ['1'] = GOOD + 53, ['2'] = GOOD + 54, ['3'] = GOOD + 55,
    ['4'] = GOOD + 56, ['5'] = GOOD + 57, ['6'] = GOOD + 58, ['7'] = GOOD + 59,
    ['8'] = GOOD + 60, ['9'] = GOOD + 61, ['+'] = GOOD + 62, ['/'] = GOOD + 63,
};

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
        uint32_t a = values[p[0]], b = values[p[1]], c = values[p[2]], d = values[p[3]];
        if ((a & b & c & d & GOOD) == 0)
            return ERR_MALFORMED;
        uint32_t v = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
        *to++ = (uint8_t)(v >> 16);
        *to++ = (uint8_t)(v >> 8);
        *to++ = (uint8_t)v;
    }
    if (pad > 0) {
        uint32_t a = values[p[0]], b = values[p[1]], c = pad == 1 ? values[p[2]] : GOOD;
        uint32_t v = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6;
        /* The bits behind the last byte must be zero: one text for each value. */
        if ((a & b & c & GOOD) == 0 || (v & (pad == 1 ? 0xffu : 0xffffu)) != 0)
            return ERR_MALFORMED;
        *to++ = (uint8_t)(v >> 16);
        if (pad == 1)
            *to++ = (uint8_t)(v >> 8);
    }
    *len = (size_t)(to - out);
    return 0;
}
