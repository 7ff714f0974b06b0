/* args.c - see args.h. */
#include "cli/args.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/option.h"

/* ---- the nearest word, for misspelt ones ---- */

/* Edits (insert, delete, replace) that make A of B; words longer than 31 are far. */
static unsigned distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    unsigned row[32];

    if (n > 31 || m > 31)
        return 99;
    for (size_t j = 0; j <= m; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; i <= n; i++) {
        unsigned diagonal = row[0];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= m; j++) {
            unsigned replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = MIN(MIN(row[j] + 1, row[j - 1] + 1), replaced);
        }
    }
    return row[m];
}

/* Keep CANDIDATE in BEST when it is nearer to WORD than what is there. */
static void consider(const char *word, const char *candidate, char best[64],
                     unsigned *nearest)
{
    unsigned d = distance(word, candidate);
    if (d < *nearest && strlen(candidate) < 64) {
        *nearest = d;
        (void)strcpy(best, candidate);
    }
}

static int unknown_flag(const struct args *args, const char *name, struct err *err)
{
    char best[64] = "";
    unsigned nearest = 3;
    const struct flag *flag;

    for (size_t i = 0; (flag = command_flag_at(args->command, i)) != NULL; i++)
        consider(name, flag->name, best, &nearest);
    if (best[0] != '\0')
        return err_set(err, ERR_INVALID, "there is no flag --%.40s; do you mean --%s?",
                       name, best);
    return err_set(err, ERR_INVALID, "there is no flag --%.40s%s", name,
                   args->command == NULL ? " that goes before a command" : "");
}

/* The word of a command that follows PREFIX and is nearest to WORD. */
static int unknown_word(const struct args *args, const char *word, struct err *err)
{
    char best[64] = "";
    unsigned nearest = 3;
    size_t skip = strlen(args->words);
    const struct command *command;

    for (size_t i = 0; (command = command_at(i)) != NULL; i++) {
        char next[64];
        if (skip > 0 && (strncmp(command->words, args->words, skip) != 0 ||
                         command->words[skip] != ' '))
            continue;
        const char *from = command->words + skip + (skip > 0);
        size_t len = strcspn(from, " ");
        if (len >= sizeof(next))
            continue;
        memcpy(next, from, len);
        next[len] = '\0';
        consider(word, next, best, &nearest);
    }
    return err_set(err, ERR_INVALID, "there is no command weft %s%s%.40s%s%s%s",
                   args->words, skip > 0 ? " " : "", word,
                   best[0] == '\0' ? "" : "; do you mean ", best,
                   best[0] == '\0' ? "" : "?");
}

/* ---- values ---- */

int args_bool(const char *text, bool *value)
{
    static const char *const yes[] = {"true", "yes", "1", "on"};
    static const char *const no[] = {"false", "no", "0", "off"};

    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *value = strcmp(text, yes[i]) == 0;
            return 0;
        }
    }
    return ERR_INVALID;
}

static int parse_int(const char *text, int64_t *number)
{
    int64_t v = 0;

    if (*text == '\0')
        return ERR_INVALID;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || v > (INT64_MAX - (*text - '0')) / 10)
            return ERR_INVALID;
        v = v * 10 + (*text - '0');
    }
    *number = v;
    return 0;
}

/* Days beside what options know: nobody says 720h. */
static int parse_duration(const char *text, int64_t *ms)
{
    size_t len = strlen(text);
    char digits[24];
    int64_t days;

    if (len < 2 || len >= sizeof(digits) || text[len - 1] != 'd')
        return option_parse_duration(text, ms);
    memcpy(digits, text, len - 1);
    digits[len - 1] = '\0';
    if (parse_int(digits, &days) != 0 || days > INT64_MAX / 86400000)
        return ERR_INVALID;
    *ms = days * 86400000;
    return 0;
}

/* A date, a date and time (UTC), milliseconds since 1970, or how long ago. */
static int parse_time(const char *text, int64_t now_ms, int64_t *ms)
{
    struct tm tm = {0};
    int64_t ago;
    const char *end = strptime(text, "%Y-%m-%d", &tm);

    if (end != NULL && (*end == 'T' || *end == ' '))
        end = strptime(end + 1, "%H:%M:%S", &tm);
    if (end != NULL && (*end == '\0' || strcmp(end, "Z") == 0)) {
        *ms = (int64_t)timegm(&tm) * 1000;
        return *ms >= 0 ? 0 : ERR_INVALID;
    }
    if (strlen(text) >= 12 && parse_int(text, ms) == 0)
        return 0;
    if (parse_duration(text, &ago) != 0 || ago < 0 || ago > now_ms)
        return ERR_INVALID;
    *ms = now_ms - ago;
    return 0;
}

int args_number(enum flag_type type, const char *text, int64_t now_ms, int64_t *number)
{
    switch (type) {
    case FLAG_INT:
        return parse_int(text, number);
    case FLAG_SIZE:
        return option_parse_size(text, number);
    case FLAG_DURATION:
        return parse_duration(text, number);
    case FLAG_TIME:
        return parse_time(text, now_ms, number);
    case FLAG_BOOL:
    case FLAG_TEXT:
    case FLAG_SECRET:
    case FLAG_FILE:
    case FLAG_LIST:
    case FLAG_PAIR:
    case FLAG_UNSET:
        break;
    }
    return ERR_INVALID;
}

static const char *type_wants(enum flag_type type)
{
    switch (type) {
    case FLAG_BOOL:
        return "true or false";
    case FLAG_INT:
        return "a number, 0 or more";
    case FLAG_SIZE:
        return "bytes, as 4096, 64KiB or 8MiB";
    case FLAG_DURATION:
        return "a duration, as 30s, 24h or 30d";
    case FLAG_TIME:
        return "a time, as 2026-01-31, 2026-01-31T10:00:00Z, or 24h for a day ago";
    case FLAG_PAIR:
        return "KEY=VALUE";
    case FLAG_TEXT:
    case FLAG_SECRET:
    case FLAG_FILE:
    case FLAG_LIST:
    case FLAG_UNSET:
        break;
    }
    return "something";
}

/* Is TEXT one of the CHOICES, "a|b|c"? */
static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (const char *at = choices; at != NULL; at = strchr(at, '|')) {
        at += *at == '|';
        if (len > 0 && strncmp(at, text, len) == 0 && (at[len] == '|' || at[len] == '\0'))
            return true;
    }
    return false;
}

static int check_value(const struct flag *flag, const char *text, struct err *err)
{
    int64_t number;
    bool on;
    int rc = 0;

    if (flag->choices != NULL && !is_choice(flag->choices, text))
        return err_set(err, ERR_INVALID, "--%s is one of %s", flag->name, flag->choices);
    switch (flag->type) {
    case FLAG_BOOL:
        rc = args_bool(text, &on);
        break;
    case FLAG_INT:
    case FLAG_SIZE:
    case FLAG_DURATION:
    case FLAG_TIME:
        rc = args_number(flag->type, text, clock_wall_ms(), &number);
        break;
    case FLAG_PAIR:
        rc = strchr(text, '=') == NULL || text[0] == '=' ? ERR_INVALID : 0;
        break;
    case FLAG_TEXT:
    case FLAG_SECRET:
    case FLAG_FILE:
    case FLAG_LIST:
    case FLAG_UNSET:
        rc = *text == '\0' && flag->required ? ERR_INVALID : 0;
        break;
    }
    if (rc != 0)
        return err_set(err, ERR_INVALID, "--%s wants %s%s%.60s", flag->name,
                       type_wants(flag->type), flag->type == FLAG_SECRET ? "" : ", not ",
                       flag->type == FLAG_SECRET ? "" : text);
    return 0;
}

static int add_value(struct args *args, const struct flag *flag, const char *text,
                     struct err *err)
{
    size_t i = 0;
    bool repeats =
        flag->type == FLAG_LIST || flag->type == FLAG_PAIR || flag->type == FLAG_UNSET;

    if (check_value(flag, text, err) != 0)
        return ERR_INVALID;
    while (i < args->flag_count && args->flags[i].flag != flag)
        i++;
    ASSERT(i < ARGS_FLAGS_MAX);
    struct flag_values *values = &args->flags[i];
    if (i == args->flag_count) {
        *values = (struct flag_values){.flag = flag};
        values->texts = mem_alloc(ARGS_REPEAT_MAX * sizeof(*values->texts));
        args->flag_count++;
    }
    if (values->count == ARGS_REPEAT_MAX || (values->count > 0 && !repeats))
        return err_set(err, ERR_INVALID, "--%s is given %s", flag->name,
                       repeats ? "too often" : "twice");
    values->texts[values->count++] = text;
    return 0;
}

/* ---- flags ---- */

static const struct flag *find_flag(const struct args *args, const char *name, size_t len,
                                    char letter)
{
    const struct flag *flag;

    for (size_t i = 0; (flag = command_flag_at(args->command, i)) != NULL; i++) {
        if (name == NULL ? flag->letter == letter
                         : strncmp(flag->name, name, len) == 0 && flag->name[len] == '\0')
            return flag;
    }
    return NULL;
}

/* "--name", "--name=value", "--name value". *USED: whether NEXT was the value. */
static int long_flag(struct args *args, const char *word, const char *next, bool *used,
                     struct err *err)
{
    size_t len = strcspn(word, "=");
    const char *value = word[len] == '=' ? word + len + 1 : NULL;
    const struct flag *flag = find_flag(args, word, len, 0);

    if (flag == NULL) {
        char name[64];
        len = MIN(len, sizeof(name) - 1);
        memcpy(name, word, len);
        name[len] = '\0';
        return unknown_flag(args, name, err);
    }
    if (value == NULL && flag->type == FLAG_BOOL)
        value = "true";
    if (value == NULL && next != NULL) {
        value = next;
        *used = true;
    }
    if (value == NULL)
        return err_set(err, ERR_INVALID, "--%s wants %s", flag->name, flag->placeholder);
    return add_value(args, flag, value, err);
}

/* "-p 3", "-p3", "-yq". */
static int short_flags(struct args *args, const char *word, const char *next, bool *used,
                       struct err *err)
{
    for (; *word != '\0'; word++) {
        const struct flag *flag = find_flag(args, NULL, 0, *word);
        int rc;
        if (flag == NULL)
            return err_set(err, ERR_INVALID, "there is no flag -%c", *word);
        if (flag->type == FLAG_BOOL) {
            if ((rc = add_value(args, flag, "true", err)) != 0)
                return rc;
            continue;
        }
        if (word[1] != '\0')
            return add_value(args, flag, word + 1, err);
        if (next == NULL)
            return err_set(err, ERR_INVALID, "-%c wants %s", *word, flag->placeholder);
        *used = true;
        return add_value(args, flag, next, err);
    }
    return 0;
}

/* ---- words ---- */

static int add_word(struct args *args, const char *word, struct err *err)
{
    char longer[ARGS_WORDS_MAX];

    if (args->command == NULL) {
        size_t have = strlen(args->words), more = strlen(word);
        if (have == 0 && !args->help && strcmp(word, "help") == 0) {
            args->help = true;
            return 0;
        }
        if (more == 0 || strchr(word, ' ') != NULL || have + more + 2 > sizeof(longer))
            return unknown_word(args, word, err);
        memcpy(longer, args->words, have);
        if (have > 0)
            longer[have++] = ' ';
        memcpy(longer + have, word, more + 1);
        if (!command_is_prefix(longer))
            return unknown_word(args, word, err);
        (void)strcpy(args->words, longer);
        args->command = command_find(longer);
        return 0;
    }
    if (args->value_count == COMMAND_ARGS_MAX ||
        args->command->args[args->value_count].name == NULL)
        return err_set(err, ERR_INVALID, "%.60s is one word too many", word);
    const struct argument *argument = &args->command->args[args->value_count];
    int64_t number;
    if (argument->number && parse_int(word, &number) != 0)
        return err_set(err, ERR_INVALID, "%s is a number, not %.60s", argument->name,
                       word);
    if (*word == '\0')
        return err_set(err, ERR_INVALID, "%s is empty", argument->name);
    if (argument->choices != NULL && !is_choice(argument->choices, word))
        return err_set(err, ERR_INVALID, "%s is one of %s", argument->name,
                       argument->choices);
    args->values[args->value_count++] = word;
    return 0;
}

/* What must be there and is not. */
static int check_complete(const struct args *args, struct err *err)
{
    const struct command *command = args->command;
    const struct flag *flag;

    if (args->help || command == NULL)
        return 0;
    const struct argument *next = &command->args[args->value_count];
    if (next->name != NULL && !next->optional)
        return err_set(err, ERR_INVALID, "%s is missing: %s", next->name, next->help);
    for (size_t i = 0; (flag = command_flag_at(command, i)) != NULL; i++) {
        if (flag->required && args_flag(args, flag->name) == NULL)
            return err_set(err, ERR_INVALID, "--%s %s is missing: %s", flag->name,
                           flag->placeholder, flag->help);
    }
    return 0;
}

/* One word or flag of the line, WORD, and perhaps NEXT as its value. */
static int take_word(struct args *args, const char *word, const char *next,
                     bool *flags_ended, bool *used, struct err *err)
{
    if (*flags_ended || word[0] != '-' || word[1] == '\0')
        return add_word(args, word, err);
    if (strcmp(word, "--") == 0) {
        *flags_ended = true;
        return 0;
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        args->help = true;
        return 0;
    }
    if (word[1] == '-')
        return long_flag(args, word + 2, next, used, err);
    return short_flags(args, word + 1, next, used, err);
}

int args_parse(struct args *args, int argc, char **argv, struct err *err)
{
    bool flags_ended = false;

    memset(args, 0, sizeof(*args));
    for (int i = 0; i < argc; i++) {
        bool used = false;
        int rc = take_word(args, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &flags_ended,
                           &used, err);
        if (rc != 0)
            return rc;
        i += used;
    }
    return check_complete(args, err);
}

void args_fini(struct args *args)
{
    for (size_t i = 0; i < args->flag_count; i++)
        mem_free(args->flags[i].texts);
    args->flag_count = 0;
}

/* ---- asking ---- */

const struct flag_values *args_flags(const struct args *args, const char *name)
{
    for (size_t i = 0; i < args->flag_count; i++) {
        if (strcmp(args->flags[i].flag->name, name) == 0)
            return &args->flags[i];
    }
    return NULL;
}

const char *args_flag(const struct args *args, const char *name)
{
    const struct flag_values *values = args_flags(args, name);
    return values == NULL ? NULL : values->texts[values->count - 1];
}

bool args_on(const struct args *args, const char *name)
{
    const char *text = args_flag(args, name);
    bool on = false;
    return text != NULL && args_bool(text, &on) == 0 && on;
}

const char *args_value(const struct args *args, const char *name)
{
    if (args->command == NULL)
        return NULL;
    for (size_t i = 0; i < args->value_count; i++) {
        if (strcmp(args->command->args[i].name, name) == 0)
            return args->values[i];
    }
    return NULL;
}
