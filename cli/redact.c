/* redact.c - see redact.h. One pass: at each byte, does a secret begin here? */
#include "cli/redact.h"

#include <ctype.h>
#include <string.h>

#include "common/defs.h"

#define KNOWN_MIN_BYTES 8
#define NAME_MAX_BYTES  64
#define MASK            "***"

/* ---- small things ---- */

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static size_t span(struct slice text, size_t at, bool (*in)(char c))
{
    size_t end = at;
    while (end < text.len && in((char)text.ptr[end]))
        end++;
    return end - at;
}

static bool begins(struct slice text, size_t at, const char *with)
{
    size_t len = strlen(with);
    return at + len <= text.len && memcmp(text.ptr + at, with, len) == 0;
}

static bool begins_any_case(struct slice text, size_t at, const char *with)
{
    size_t len = strlen(with);
    return at + len <= text.len &&
           strncasecmp((const char *)text.ptr + at, with, len) == 0;
}

/* ---- names ---- */

bool redact_is_secret_name(struct slice name)
{
    static const char *const words[] = {
        "secret",        "token",   "passw",     "credential", "signature",
        "access_key",    "private", "accesskey", "api_key",    "apikey",
        "authorization", "cookie",  "cell_key",  "jaas",
    };
    /* What is about secrets and is none. */
    static const char *const harmless[] = {"token_id",   "tokens", "token_requests",
                                           "_file",      "_at_ms", "token_name",
                                           "secret_name"};
    char low[NAME_MAX_BYTES + 1];
    size_t len = MIN(name.len, (size_t)NAME_MAX_BYTES);

    /* The end of a long name says what it is. */
    for (size_t i = 0; i < len; i++) {
        char c = (char)name.ptr[name.len - len + i];
        low[i] = c == '-' || c == '.' ? '_' : (char)tolower((unsigned char)c);
    }
    low[len] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++) {
        size_t tail = strlen(harmless[i]);
        if (len >= tail && strcmp(low + len - tail, harmless[i]) == 0)
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strstr(low, words[i]) != NULL)
            return true;
    }
    return false;
}

/* The name that ends before AT, which may be followed by the quote that closes it. */
static struct slice name_before(struct slice text, size_t at)
{
    while (at > 0 && (text.ptr[at - 1] == '"' || text.ptr[at - 1] == '\'' ||
                      text.ptr[at - 1] == '\\'))
        at--;
    size_t begin = at;
    while (begin > 0 && is_name_char((char)text.ptr[begin - 1]))
        begin--;
    return slice_of(text.ptr + begin, at - begin);
}

/* ---- what a secret is by itself; each returns the bytes it takes, 0 for none ---- */

static bool is_token_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || c == '-';
}

static bool is_word_char(char c)
{
    return !isspace((unsigned char)c) && strchr("\"'\\,;&<>(){}[]", c) == NULL;
}

static size_t weft_token(struct slice text, size_t at)
{
    static const char *const prefixes[] = {"weft_api_", "weft_enrol_", "weft_join_"};
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
        size_t prefix = strlen(prefixes[i]);
        size_t rest =
            begins(text, at, prefixes[i]) ? span(text, at + prefix, is_token_char) : 0;
        if (rest > 0)
            return prefix + rest;
    }
    return 0;
}

static size_t aws_key(struct slice text, size_t at)
{
    if (!begins(text, at, "AKIA") && !begins(text, at, "ASIA"))
        return 0;
    size_t len = 4;
    while (at + len < text.len &&
           (isupper(text.ptr[at + len]) || isdigit(text.ptr[at + len])))
        len++;
    return len >= 16 ? len : 0;
}

static size_t private_key(struct slice text, size_t at)
{
    static const char begin[] = "-----BEGIN ", end[] = "-----END ", dashes[] = "-----";
    if (!begins(text, at, begin))
        return 0;
    struct slice rest = slice_of(text.ptr + at, text.len - at);
    const uint8_t *head = memmem(rest.ptr + strlen(begin), rest.len - strlen(begin),
                                 dashes, strlen(dashes));
    if (head == NULL ||
        memmem(rest.ptr, (size_t)(head - rest.ptr), "PRIVATE", strlen("PRIVATE")) == NULL)
        return 0;
    const uint8_t *tail = memmem(rest.ptr, rest.len, end, strlen(end));
    if (tail == NULL)
        return rest.len; /* cut: all that is left may be the key */
    size_t from = (size_t)(tail - rest.ptr) + strlen(end);
    const uint8_t *last =
        memmem(rest.ptr + from, rest.len - from, dashes, strlen(dashes));
    return last == NULL ? rest.len : (size_t)(last - rest.ptr) + strlen(dashes);
}

/* The secret that begins at AT; *KEEP: so many of its bytes are shown. */
static size_t secret_at(const struct redact *redact, struct slice text, size_t at,
                        size_t *keep)
{
    static const char *const schemes[] = {"Bearer ", "Basic ", "AWS4-HMAC-SHA256 "};
    size_t len;

    *keep = 0;
    for (size_t i = 0; i < redact->known_count; i++) {
        struct slice known = redact->known[i];
        if (text.len - at >= known.len &&
            memcmp(text.ptr + at, known.ptr, known.len) == 0)
            return known.len;
    }
    if ((len = private_key(text, at)) > 0 || (len = weft_token(text, at)) > 0 ||
        (len = aws_key(text, at)) > 0)
        return len;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!begins_any_case(text, at, schemes[i]))
            continue;
        *keep = strlen(schemes[i]);
        len = span(text, at + *keep, is_word_char);
        return len == 0 ? 0 : *keep + len;
    }
    if (begins(text, at, "://")) { /* user and password, if an @ comes before the path */
        *keep = 3;
        for (len = 3; at + len < text.len && is_word_char((char)text.ptr[at + len]) &&
                      strchr("/?#", text.ptr[at + len]) == NULL;
             len++) {
            if (text.ptr[at + len] == '@')
                return len;
        }
    }
    return 0;
}

/* ---- values by their names ---- */

/* The end of the string that begins at AT with a quote, escaped or not. */
static size_t quoted_len(struct slice text, size_t at)
{
    bool escaped = text.ptr[at] == '\\';
    size_t i = at + (escaped ? 2 : 1);

    for (; i < text.len && text.ptr[i] != '\n'; i++) {
        if (text.ptr[i] == '\\' && i + 1 < text.len) {
            if (escaped && text.ptr[i + 1] == '"')
                return i - at;
            i++;
        } else if (text.ptr[i] == text.ptr[at + (escaped ? 1 : 0)]) {
            return i - at;
        }
    }
    return i - at;
}

/* Is a value to be hidden between *BEGIN and the returned end? AT is "=" or ":", or the
 * space behind an option of a command line. */
static bool value_at(struct slice text, size_t at, size_t *begin, size_t *end)
{
    char c = (char)text.ptr[at];
    if (c != '=' && c != ':' && c != ' ')
        return false;
    struct slice name = name_before(text, at);
    if (name.len == 0 || !redact_is_secret_name(name) ||
        (c == ' ' && !(name.len > 2 && name.ptr[0] == '-' && name.ptr[1] == '-')))
        return false;
    size_t i = at + 1;
    while (c != '=' && i < text.len && text.ptr[i] == ' ')
        i++;
    if (i == text.len)
        return false;
    bool escaped = text.ptr[i] == '\\' && i + 1 < text.len && text.ptr[i + 1] == '"';
    if (text.ptr[i] == '"' || text.ptr[i] == '\'' || escaped) {
        *begin = i + (escaped ? 2 : 1);
        *end = i + quoted_len(text, i);
        return *end > *begin;
    }
    *begin = i;
    *end = i + span(text, i, is_word_char);
    struct slice value = slice_of(text.ptr + i, *end - i);
    /* JSON's own words say nothing. */
    return value.len > 0 && !slice_eq_str(value, "null") &&
           !slice_eq_str(value, "true") && !slice_eq_str(value, "false") &&
           !slice_eq_str(value, MASK);
}

/* ---- the pass ---- */

void redact_text(struct redact *redact, struct slice text, struct str *out)
{
    for (size_t at = 0; at < text.len;) {
        size_t keep, begin, end, len = secret_at(redact, text, at, &keep);
        if (len > 0) {
            str_append(out, text.ptr + at, keep);
            str_puts(out, MASK);
            redact->taken++;
            at += len;
        } else if (value_at(text, at, &begin, &end)) {
            str_append(out, text.ptr + at, begin - at);
            str_puts(out, MASK);
            redact->taken++;
            at = end;
        } else {
            str_putc(out, (char)text.ptr[at++]);
        }
    }
}

void redact_know(struct redact *redact, const char *secret)
{
    if (secret != NULL && strlen(secret) >= KNOWN_MIN_BYTES &&
        redact->known_count < REDACT_KNOWN_MAX)
        redact->known[redact->known_count++] = slice_str(secret);
}

void redact_know_environment(struct redact *redact, char **environment)
{
    for (char **entry = environment; entry != NULL && *entry != NULL; entry++) {
        const char *equals = strchr(*entry, '=');
        if (equals != NULL &&
            redact_is_secret_name(slice_of(*entry, (size_t)(equals - *entry))))
            redact_know(redact, equals + 1);
    }
}

bool redact_is_log_line(struct slice line)
{
    static const char *const starts[] = {" level=", "\",\"level\":\""};
    static const char stamp[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    size_t at = begins(line, 0, "{\"time\":\"") ? strlen("{\"time\":\"") : 0;

    if (line.len < at + strlen(stamp))
        return false;
    for (size_t i = 0; i < strlen(stamp); i++) {
        uint8_t c = line.ptr[at + i];
        if (stamp[i] == 'd' ? !isdigit(c) : c != (uint8_t)stamp[i])
            return false;
    }
    return begins(line, at + strlen(stamp), starts[at > 0]);
}
