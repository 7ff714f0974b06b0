/* xml.c - see xml.h. */
#include "common/xml.h"

#include <string.h>

#include "common/check.h"

void xml_init(struct xml *xml, struct slice document)
{
    memset(xml, 0, sizeof(*xml));
    xml->at = (const char *)document.ptr;
    xml->end = xml->at + document.len;
}

static enum xml_event bad(struct xml *xml)
{
    xml->bad = true;
    return XML_BAD;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-' || c == '.' || c == ':';
}

static bool looking_at(const struct xml *xml, const char *text)
{
    size_t len = strlen(text);
    return (size_t)(xml->end - xml->at) >= len && memcmp(xml->at, text, len) == 0;
}

/* Move behind the next TEXT; false if there is none. */
static bool skip_past(struct xml *xml, const char *text)
{
    const char *found = memmem(xml->at, (size_t)(xml->end - xml->at), text, strlen(text));
    if (found == NULL)
        return false;
    xml->at = found + strlen(text);
    return true;
}

static struct slice local_name(struct slice name)
{
    const uint8_t *colon = memchr(name.ptr, ':', name.len);
    if (colon == NULL)
        return name;
    return slice_of(colon + 1, name.len - (size_t)(colon + 1 - name.ptr));
}

struct slice xml_open_name(const struct xml *xml, unsigned depth)
{
    if (depth < 1 || depth > xml->depth || depth > XML_DEPTH_MAX)
        return SLICE_NULL;
    return local_name(xml->open[depth - 1]);
}

static struct slice read_name(struct xml *xml)
{
    const char *start = xml->at;
    while (xml->at < xml->end && name_char(*xml->at))
        xml->at++;
    return slice_of(start, (size_t)(xml->at - start));
}

/* The rest of a begin tag: attributes are skipped, with their quotes. */
static bool skip_attributes(struct xml *xml, bool *empty)
{
    *empty = false;
    while (xml->at < xml->end) {
        char c = *xml->at++;
        if (c == '>')
            return true;
        if (c == '<')
            return false;
        *empty = c == '/';
        if (c == '"' || c == '\'') {
            const char *quote = memchr(xml->at, c, (size_t)(xml->end - xml->at));
            if (quote == NULL)
                return false;
            xml->at = quote + 1;
        }
    }
    return false;
}

static enum xml_event begin_tag(struct xml *xml)
{
    bool empty;
    struct slice name = read_name(xml);
    if (name.len == 0 || xml->depth == XML_DEPTH_MAX ||
        (xml->depth == 0 && xml->seen_root) || !skip_attributes(xml, &empty))
        return bad(xml);
    xml->seen_root = true;
    xml->open[xml->depth++] = name;
    xml->name = local_name(name);
    xml->pending_finish = empty;
    return XML_BEGIN;
}

/* The depth is lowered with the next event, so that it still names this element. */
static enum xml_event finish_tag(struct xml *xml)
{
    struct slice name = read_name(xml);
    while (xml->at < xml->end && is_space(*xml->at))
        xml->at++;
    if (xml->depth == 0 || !slice_eq(name, xml->open[xml->depth - 1]) ||
        xml->at == xml->end || *xml->at++ != '>')
        return bad(xml);
    xml->name = local_name(name);
    return XML_FINISH;
}

static enum xml_event text_run(struct xml *xml)
{
    const char *start = xml->at;
    const char *next = memchr(start, '<', (size_t)(xml->end - start));
    xml->at = next != NULL ? next : xml->end;
    xml->text = slice_of(start, (size_t)(xml->at - start));
    if (xml->depth > 0)
        return XML_TEXT;
    for (const char *p = start; p < xml->at; p++) /* only space outside of the root */
        if (!is_space(*p))
            return bad(xml);
    return XML_END; /* not an event: xml_next goes on */
}

enum xml_event xml_next(struct xml *xml)
{
    if (xml->bad)
        return XML_BAD;
    if (xml->pending_finish) {
        xml->pending_finish = false;
        xml->finished = true;
        return XML_FINISH;
    }
    if (xml->finished) {
        xml->finished = false;
        xml->depth--;
    }
    while (xml->at < xml->end) {
        if (*xml->at != '<') {
            enum xml_event event = text_run(xml);
            if (event != XML_END)
                return event;
        } else if (looking_at(xml, "<?")) {
            if (!skip_past(xml, "?>"))
                return bad(xml);
        } else if (looking_at(xml, "<!--")) {
            if (!skip_past(xml, "-->"))
                return bad(xml);
        } else if (looking_at(xml, "</")) {
            xml->at += 2;
            enum xml_event event = finish_tag(xml);
            xml->finished = event == XML_FINISH;
            return event;
        } else {
            xml->at++; /* "<!" has no name behind it: bad */
            return begin_tag(xml);
        }
    }
    return xml->depth == 0 && xml->seen_root ? XML_END : bad(xml);
}

/* Append the character CODE as UTF-8; false for what XML does not allow. */
static bool put_utf8(unsigned long code, char *out, size_t size, size_t *n)
{
    char bytes[4];
    size_t len;
    if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return false;
    if (code < 0x80) {
        bytes[0] = (char)code;
        len = 1;
    } else if (code < 0x800) {
        bytes[0] = (char)(0xc0 | (code >> 6));
        bytes[1] = (char)(0x80 | (code & 63));
        len = 2;
    } else if (code < 0x10000) {
        bytes[0] = (char)(0xe0 | (code >> 12));
        bytes[1] = (char)(0x80 | ((code >> 6) & 63));
        bytes[2] = (char)(0x80 | (code & 63));
        len = 3;
    } else {
        bytes[0] = (char)(0xf0 | (code >> 18));
        bytes[1] = (char)(0x80 | ((code >> 12) & 63));
        bytes[2] = (char)(0x80 | ((code >> 6) & 63));
        bytes[3] = (char)(0x80 | (code & 63));
        len = 4;
    }
    if (*n + len >= size)
        return false;
    memcpy(out + *n, bytes, len);
    *n += len;
    return true;
}

/* The number of "#38" or "#x26"; 0 when it is none. */
static unsigned long character_reference(struct slice entity)
{
    unsigned base = entity.len > 1 && entity.ptr[1] == 'x' ? 16 : 10;
    size_t i = base == 16 ? 2 : 1;
    unsigned long code = 0;
    if (i == entity.len)
        return 0;
    for (; i < entity.len; i++) {
        unsigned c = entity.ptr[i];
        unsigned digit = c >= '0' && c <= '9'   ? c - '0'
                         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                : 99;
        if (digit >= base || code > 0x10ffff)
            return 0;
        code = code * base + digit;
    }
    return code;
}

static unsigned long entity_code(struct slice entity)
{
    static const struct {
        const char *name;
        char c;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    if (entity.len > 0 && entity.ptr[0] == '#')
        return character_reference(entity);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (slice_eq_str(entity, known[i].name))
            return (unsigned char)known[i].c;
    return 0;
}

bool xml_unescape(struct slice raw, char *out, size_t size)
{
    size_t n = 0;
    ASSERT(size > 0);
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] != '&') {
            if (raw.ptr[i] == '\0' || n + 1 >= size)
                return false;
            out[n++] = (char)raw.ptr[i];
            continue;
        }
        const uint8_t *semicolon = memchr(raw.ptr + i, ';', raw.len - i);
        if (semicolon == NULL)
            return false;
        struct slice entity =
            slice_of(raw.ptr + i + 1, (size_t)(semicolon - raw.ptr) - i - 1);
        if (!put_utf8(entity_code(entity), out, size, &n))
            return false;
        i = (size_t)(semicolon - raw.ptr);
    }
    out[n] = '\0';
    return true;
}
