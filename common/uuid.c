/* uuid.c - 16-byte identifiers. */
#include "common/uuid.h"

#include <string.h>
#include <sys/random.h>

#include "common/check.h"
#include "common/err.h"

struct uuid uuid_random(void)
{
    struct uuid uuid;
    ASSERT(getrandom(uuid.bytes, sizeof(uuid.bytes), 0) == (ssize_t)sizeof(uuid.bytes));
    /* RFC 9562 section 5.4: version 4, variant 10. */
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x40);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

bool uuid_is_zero(const struct uuid *uuid)
{
    return uuid_eq(uuid, &UUID_ZERO);
}

bool uuid_eq(const struct uuid *a, const struct uuid *b)
{
    return uuid_cmp(a, b) == 0;
}

int uuid_cmp(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

/* Is there a dash in front of byte I of the text form? */
static bool dash_before(size_t i)
{
    return i == 4 || i == 6 || i == 8 || i == 10;
}

char *uuid_print(const struct uuid *uuid, char text[UUID_TEXT_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    char *p = text;
    for (size_t i = 0; i < sizeof(uuid->bytes); i++) {
        if (dash_before(i))
            *p++ = '-';
        *p++ = digits[uuid->bytes[i] >> 4];
        *p++ = digits[uuid->bytes[i] & 15];
    }
    *p = '\0';
    return text;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int uuid_parse(struct slice text, struct uuid *uuid)
{
    struct uuid parsed;
    if (text.len != UUID_TEXT_LEN)
        return ERR_MALFORMED;
    const uint8_t *p = text.ptr;
    for (size_t i = 0; i < sizeof(parsed.bytes); i++) {
        if (dash_before(i) && *p++ != '-')
            return ERR_MALFORMED;
        int high = hex_digit(p[0]);
        int low = hex_digit(p[1]);
        if (high < 0 || low < 0)
            return ERR_MALFORMED;
        parsed.bytes[i] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    *uuid = parsed;
    return 0;
}
