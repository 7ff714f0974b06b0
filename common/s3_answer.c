/* s3_answer.c - see s3_answer.h. */
#include "common/s3_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/mem.h"
#include "common/xml.h"

/* --- numbers and dates --- */

static bool parse_uint(const char *text, uint64_t *value)
{
    uint64_t v = 0;
    if (*text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || v > (UINT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t)(*text - '0');
    }
    *value = v;
    return true;
}

/* TM as UTC, if its fields are a date of our age. */
static bool tm_to_ms(struct tm *tm, int64_t *wall_ms)
{
    if (tm->tm_year < 70 || tm->tm_year > 8000)
        return false;
    *wall_ms = (int64_t)timegm(tm) * 1000;
    return true;
}

int s3_parse_time(const char *text, int64_t *wall_ms)
{
    struct tm tm;
    int64_t ms, scale = 100;
    memset(&tm, 0, sizeof(tm));
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (rest == NULL || !tm_to_ms(&tm, &ms))
        return ERR_MALFORMED;
    if (*rest == '.') {
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, scale /= 10)
            ms += (*rest - '0') * scale;
    }
    if (strcmp(rest, "Z") != 0)
        return ERR_MALFORMED;
    *wall_ms = ms;
    return 0;
}

int s3_parse_http_date(const char *text, int64_t *wall_ms)
{
    struct tm tm;
    memset(&tm, 0, sizeof(tm));
    const char *rest = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    if (rest == NULL || *rest != '\0' || !tm_to_ms(&tm, wall_ms))
        return ERR_MALFORMED;
    return 0;
}

/* --- lists --- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

/* Undo encoding-type=url in place: %XX, and "+" for a space. */
static bool url_decode(char *text)
{
    char *out = text;
    for (; *text != '\0'; text++) {
        char c = *text == '+' ? ' ' : *text;
        if (*text == '%') {
            int high = hex_digit(text[1]);
            int low = high < 0 ? -1 : hex_digit(text[2]);
            if (low < 0 || high * 16 + low == 0)
                return false;
            c = (char)(high * 16 + low);
            text += 2;
        }
        *out++ = c;
    }
    *out = '\0';
    return true;
}

/* The entry that is being read. */
struct draft {
    char key[3 * S3_KEY_MAX + 1]; /* as it is encoded */
    uint64_t size;
    int64_t modified_ms;
    bool has_key, has_size, has_time;
};

/* TEXT stands in ListBucketResult/Contents/NAME. */
static bool take_field(struct draft *draft, struct slice name, struct slice text)
{
    char value[64];
    if (slice_eq_str(name, "Key")) {
        draft->has_key = xml_unescape(text, draft->key, sizeof(draft->key)) &&
                         url_decode(draft->key) && strlen(draft->key) <= S3_KEY_MAX;
        return draft->has_key;
    }
    if (slice_eq_str(name, "Size")) {
        draft->has_size =
            xml_unescape(text, value, sizeof(value)) && parse_uint(value, &draft->size);
        return draft->has_size;
    }
    if (slice_eq_str(name, "LastModified")) {
        draft->has_time = xml_unescape(text, value, sizeof(value)) &&
                          s3_parse_time(value, &draft->modified_ms) == 0;
        return draft->has_time;
    }
    return true; /* ETag, Owner, StorageClass, ... */
}

static int take_entry(struct s3_list *list, const struct draft *draft, struct err *err)
{
    if (!draft->has_key || !draft->has_size || !draft->has_time)
        return err_set(err, ERR_MALFORMED, "a list entry lacks key, size or time");
    if (list->count == S3_LIST_MAX)
        return err_set(err, ERR_TOO_LARGE, "more than %d keys in one list", S3_LIST_MAX);
    list->entries[list->count++] = (struct s3_entry){
        mem_strdup(draft->key),
        draft->size,
        draft->modified_ms,
    };
    return 0;
}

static int parse_list(struct xml *xml, struct s3_list *list, struct draft *draft,
                      struct err *err)
{
    for (;;) {
        enum xml_event event = xml_next(xml);
        bool ok = event != XML_BAD;
        bool entry = xml->depth >= 2 && slice_eq_str(xml_open_name(xml, 2), "Contents");
        if (event == XML_END)
            return 0;
        if (event == XML_BEGIN && xml->depth == 1)
            ok = slice_eq_str(xml->name, "ListBucketResult");
        else if (event == XML_BEGIN && xml->depth == 2)
            memset(draft, 0, sizeof(*draft));
        else if (event == XML_TEXT && xml->depth == 3 && entry)
            ok = take_field(draft, xml_open_name(xml, 3), xml->text);
        else if (event == XML_TEXT && xml->depth == 2 &&
                 slice_eq_str(xml_open_name(xml, 2), "IsTruncated"))
            list->truncated = slice_eq_str(xml->text, "true");
        if (!ok)
            return err_set(err, ERR_MALFORMED, "the list is not what S3 would send");
        if (event == XML_FINISH && xml->depth == 2 && entry) {
            int code = take_entry(list, draft, err);
            if (code != 0)
                return code;
        }
    }
}

int s3_list_parse(struct slice body, struct s3_list *list, struct err *err)
{
    struct xml xml;
    struct s3_list parsed = {0};
    struct draft *draft = mem_alloc(sizeof(*draft));
    parsed.entries = mem_alloc(S3_LIST_MAX * sizeof(*parsed.entries));
    xml_init(&xml, body);
    int code = parse_list(&xml, &parsed, draft, err);
    mem_free(draft);
    /* More keys must come behind some key, or asking for them would never end. */
    if (code == 0 && parsed.truncated && parsed.count == 0)
        code = err_set(err, ERR_MALFORMED, "the list is cut off before its first key");
    if (code != 0)
        s3_list_free(&parsed);
    else
        *list = parsed;
    return code;
}

void s3_list_free(struct s3_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->entries[i].key);
    mem_free(list->entries);
    memset(list, 0, sizeof(*list));
}

/* --- errors and single fields --- */

bool s3_find_text(struct slice body, const char *name, char *out, size_t size)
{
    struct xml xml;
    xml_init(&xml, body);
    for (;;) {
        enum xml_event event = xml_next(&xml);
        if (event == XML_END || event == XML_BAD)
            return false;
        if (event == XML_TEXT && xml.depth <= 4 &&
            slice_eq_str(xml_open_name(&xml, xml.depth), name))
            return xml_unescape(xml.text, out, size);
    }
}

static void find_printable(struct slice body, const char *name, char *out, size_t size)
{
    if (!s3_find_text(body, name, out, size))
        out[0] = '\0';
    for (char *p = out; *p != '\0'; p++)
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
}

void s3_error_parse(struct slice body, struct s3_error *error)
{
    memset(error, 0, sizeof(*error));
    find_printable(body, "Code", error->code, sizeof(error->code));
    find_printable(body, "Message", error->message, sizeof(error->message));
    find_printable(body, "Region", error->region, sizeof(error->region));
}

bool s3_header(struct slice headers, const char *name, char *out, size_t size)
{
    const char *at = (const char *)headers.ptr;
    const char *end = at + headers.len;
    size_t name_len = strlen(name);
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = newline != NULL ? newline : end;
        const char *next = newline != NULL ? newline + 1 : end;
        if ((size_t)(line_end - at) > name_len && at[name_len] == ':' &&
            strncasecmp(at, name, name_len) == 0) {
            const char *value = at + name_len + 1;
            while (value < line_end && (*value == ' ' || *value == '\t'))
                value++;
            while (line_end > value && (line_end[-1] == '\r' || line_end[-1] == ' '))
                line_end--;
            size_t len = (size_t)(line_end - value);
            if (len >= size)
                return false;
            memcpy(out, value, len);
            out[len] = '\0';
            return true;
        }
        at = next;
    }
    return false;
}
