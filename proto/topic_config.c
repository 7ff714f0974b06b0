/* topic_config.c - see topic_config.h. Sets are small sorted arrays: a topic has a
 * handful of explicit settings. */
#include "proto/topic_config.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/check.h"
#include "common/lz.h"
#include "common/mem.h"

const struct topic_config_spec topic_config_specs[] = {
#define CONFIG(name, type, dflt, allowed, min, max, broker, help)                        \
    {name, TOPIC_CONFIG_##type, dflt, allowed, min, max, broker, help},
#include "proto/topic_config.def"
#undef CONFIG
};
const size_t topic_config_spec_count = ARRAY_LEN(topic_config_specs);

/* Longest text of one value: lists of throttled replicas may be long. */
#define VALUE_MAX 8192

const struct topic_config_spec *topic_config_find(struct slice name)
{
    size_t low = 0;
    size_t high = topic_config_spec_count;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = slice_cmp(name, slice_str(topic_config_specs[mid].name));
        if (c == 0)
            return &topic_config_specs[mid];
        if (c < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

static struct slice trim(struct slice s)
{
    while (s.len > 0 && (*s.ptr == ' ' || *s.ptr == '\t')) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
        s.len--;
    return s;
}

/* The text up to the next comma of *REST, trimmed; false when nothing is left. */
static bool next_item(struct slice *rest, struct slice *item)
{
    if (rest->ptr == NULL)
        return false;
    const uint8_t *comma = rest->len == 0 ? NULL : memchr(rest->ptr, ',', rest->len);
    size_t len = comma == NULL ? rest->len : (size_t)(comma - rest->ptr);
    *item = trim(slice_of(rest->ptr, len));
    if (comma == NULL)
        *rest = SLICE_NULL;
    else
        *rest = slice_of(comma + 1, rest->len - len - 1);
    return true;
}

static bool list_has(const char *list, struct slice word)
{
    struct slice rest = slice_str(list);
    struct slice item;

    while (next_item(&rest, &item))
        if (slice_eq(item, word))
            return true;
    return false;
}

static int invalid(const struct topic_config_spec *spec, struct slice value,
                   const char *why, struct err *err)
{
    return err_set(err, ERR_INVALID, "Invalid value %.*s for configuration %s: %s",
                   (int)MIN(value.len, 80), (const char *)value.ptr, spec->name, why);
}

static int parse_integer(struct slice value, int64_t *number)
{
    char text[32];
    char *end;

    if (value.len == 0 || value.len >= sizeof(text))
        return ERR_INVALID;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || end == text)
        return ERR_INVALID;
    *number = v;
    return 0;
}

static int check_number(const struct topic_config_spec *spec, struct slice value,
                        struct err *err)
{
    bool is_int = spec->type == TOPIC_CONFIG_INT;
    int64_t number;

    if (parse_integer(value, &number) != 0 ||
        (is_int && (number < INT32_MIN || number > INT32_MAX)))
        return invalid(spec, value,
                       is_int ? "Not a number of type INT" : "Not a number of type LONG",
                       err);
    if (number < spec->min)
        return err_set(
            err, ERR_INVALID,
            "Invalid value %lld for configuration %s: Value must be at least %lld",
            (long long)number, spec->name, (long long)spec->min);
    if (number > spec->max)
        return err_set(
            err, ERR_INVALID,
            "Invalid value %lld for configuration %s: Value must be no more than %lld",
            (long long)number, spec->name, (long long)spec->max);
    return 0;
}

static int check_double(const struct topic_config_spec *spec, struct slice value,
                        struct err *err)
{
    char text[64];
    char *end;

    if (value.len == 0 || value.len >= sizeof(text))
        return invalid(spec, value, "Not a number of type DOUBLE", err);
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    double v = strtod(text, &end);
    if (*end != '\0' || end == text || !isfinite(v))
        return invalid(spec, value, "Not a number of type DOUBLE", err);
    if (v < (double)spec->min || v > (double)spec->max)
        return invalid(spec, value, "Value must be between 0 and 1", err);
    return 0;
}

static int check_list(const struct topic_config_spec *spec, struct slice value,
                      struct err *err)
{
    struct slice rest = value;
    struct slice item;

    if (spec->allowed == NULL || trim(value).len == 0)
        return 0;
    while (next_item(&rest, &item))
        if (!list_has(spec->allowed, item))
            return err_set(err, ERR_INVALID,
                           "Invalid value %.*s for configuration %s: String must be one "
                           "of: %s",
                           (int)MIN(item.len, 80), (const char *)item.ptr, spec->name,
                           spec->allowed);
    return 0;
}

int topic_config_check(const struct topic_config_spec *spec, struct slice value,
                       struct err *err)
{
    if (value.ptr == NULL)
        return err_set(err, ERR_INVALID, "Null value not supported for configuration %s",
                       spec->name);
    if (value.len > VALUE_MAX || memchr(value.ptr, 0, value.len) != NULL)
        return err_set(err, ERR_INVALID, "Invalid value for configuration %s",
                       spec->name);

    struct slice trimmed = trim(value);
    switch (spec->type) {
    case TOPIC_CONFIG_BOOLEAN:
        if (trimmed.len == 4 && strncasecmp((const char *)trimmed.ptr, "true", 4) == 0)
            return 0;
        if (trimmed.len == 5 && strncasecmp((const char *)trimmed.ptr, "false", 5) == 0)
            return 0;
        return invalid(spec, value, "Expected value to be either true or false", err);
    case TOPIC_CONFIG_STRING:
        if (spec->allowed == NULL || list_has(spec->allowed, value))
            return 0;
        return err_set(
            err, ERR_INVALID,
            "Invalid value %.*s for configuration %s: String must be one of: %s",
            (int)MIN(value.len, 80), (const char *)value.ptr, spec->name, spec->allowed);
    case TOPIC_CONFIG_INT:
    case TOPIC_CONFIG_LONG:
        return check_number(spec, trimmed, err);
    case TOPIC_CONFIG_DOUBLE:
        return check_double(spec, trimmed, err);
    case TOPIC_CONFIG_LIST:
        return check_list(spec, value, err);
    }
    return err_set(err, ERR_INTERNAL, "configuration %s has no type", spec->name);
}

void topic_config_set_fini(struct topic_config_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        mem_free(set->entries[i].name);
        mem_free(set->entries[i].value);
    }
    mem_free(set->entries);
    set->entries = NULL;
    set->count = 0;
}

/* The place of NAME, or where it would go. */
static size_t set_position(const struct topic_config_set *set, struct slice name,
                           bool *found)
{
    size_t i = 0;
    int c = -1;

    while (i < set->count && (c = slice_cmp(slice_str(set->entries[i].name), name)) < 0)
        i++;
    *found = i < set->count && c == 0;
    return i;
}

static char *dup_text(struct slice s)
{
    char *text = mem_alloc(s.len + 1);

    if (s.len > 0)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    return text;
}

void topic_config_set_put(struct topic_config_set *set, struct slice name,
                          struct slice value)
{
    bool found;
    size_t i = set_position(set, name, &found);

    if (found) {
        mem_free(set->entries[i].value);
    } else {
        set->entries =
            mem_realloc(set->entries, (set->count + 1) * sizeof(*set->entries));
        memmove(&set->entries[i + 1], &set->entries[i],
                (set->count - i) * sizeof(*set->entries));
        set->entries[i].name = dup_text(name);
        set->count++;
    }
    set->entries[i].value = dup_text(value);
}

void topic_config_set_remove(struct topic_config_set *set, struct slice name)
{
    bool found;
    size_t i = set_position(set, name, &found);

    if (!found)
        return;
    mem_free(set->entries[i].name);
    mem_free(set->entries[i].value);
    set->count--;
    memmove(&set->entries[i], &set->entries[i + 1],
            (set->count - i) * sizeof(*set->entries));
}

void topic_config_set_copy(struct topic_config_set *to,
                           const struct topic_config_set *from)
{
    to->count = from->count;
    to->entries = from->count == 0 ? NULL : mem_alloc(from->count * sizeof(*to->entries));
    for (size_t i = 0; i < from->count; i++) {
        to->entries[i].name = mem_strdup(from->entries[i].name);
        to->entries[i].value = mem_strdup(from->entries[i].value);
    }
}

const char *topic_config_set_get(const struct topic_config_set *set, const char *name)
{
    bool found;
    size_t i = set_position(set, slice_str(name), &found);

    return found ? set->entries[i].value : NULL;
}

/* The value that holds: what was set, else the default. */
static struct slice effective(const struct topic_config_set *set, const char *name)
{
    const char *value = topic_config_set_get(set, name);
    const struct topic_config_spec *spec = topic_config_find(slice_str(name));

    ASSERT(spec != NULL);
    return trim(slice_str(value != NULL ? value : spec->default_text));
}

static int64_t effective_int(const struct topic_config_set *set, const char *name)
{
    int64_t number = 0;

    /* Values were checked when they were set. */
    ASSERT(parse_integer(effective(set, name), &number) == 0);
    return number;
}

static int effective_codec(const struct topic_config_set *set)
{
    struct slice type = effective(set, "compression.type");

    if (slice_eq_str(type, "producer"))
        return -1;
    for (int codec = LZ_GZIP; codec <= LZ_ZSTD; codec++)
        if (slice_eq_str(type, lz_name((enum lz_codec)codec)))
            return codec;
    return LZ_NONE;
}

static int effective_level(const struct topic_config_set *set, int codec)
{
    switch (codec) {
    case LZ_GZIP:
        return (int)effective_int(set, "compression.gzip.level");
    case LZ_LZ4:
        return (int)effective_int(set, "compression.lz4.level");
    case LZ_ZSTD:
        return (int)effective_int(set, "compression.zstd.level");
    default:
        return 0;
    }
}

void topic_config_effective(const struct topic_config_set *set,
                            struct topic_config *config)
{
    config->max_message_bytes = effective_int(set, "max.message.bytes");
    config->timestamp_before_max_ms =
        effective_int(set, "message.timestamp.before.max.ms");
    config->timestamp_after_max_ms = effective_int(set, "message.timestamp.after.max.ms");
    config->log_append_time =
        slice_eq_str(effective(set, "message.timestamp.type"), "LogAppendTime");
    config->segment_bytes = effective_int(set, "segment.bytes");
    config->compression = effective_codec(set);
    config->compression_level = effective_level(set, config->compression);

    const char *policy = topic_config_set_get(set, "cleanup.policy");
    config->compacted = policy != NULL && list_has(policy, SLICE_LITERAL("compact"));
}

bool topic_name_valid(struct slice name)
{
    if (name.len < 1 || name.len > 249 || slice_eq_str(name, ".") ||
        slice_eq_str(name, ".."))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

bool topic_name_collides(struct slice a, struct slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        uint8_t x = a.ptr[i] == '.' ? '_' : a.ptr[i];
        uint8_t y = b.ptr[i] == '.' ? '_' : b.ptr[i];
        if (x != y)
            return false;
    }
    return true;
}
