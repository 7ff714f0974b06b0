/* option.c - options from one table: file, environment, command line, --help.
 *
 * The sources are applied from the weakest to the strongest, each value over the one
 * before. Items of a LIST add up within one source only, so that a command line replaces
 * a file's list and does not prolong it. */
#include "common/option.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/check.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/slice.h"
#include "common/stop_signal.h"
#include "common/version.h"

#define FILE_MAX_BYTES (MIB)
#define NAME_MAX_BYTES 64
/* So near, and so long at least, a variable's name is a misspelt one of ours. */
#define ENV_DISTANCE_MAX 2
#define ENV_NAME_MIN     6
#define SOURCE_MAX       (FILENAME_MAX / 8)
#define WAIT_OPTION      "wait-for-files"
#define LOOK_EVERY_MS    50

/* What parsing knows of one option. */
struct progress {
    bool seen;    /* set by the present source */
    char *source; /* its value is the name of a file: who said so; else NULL */
};

/* The state of one option_parse. */
struct parse {
    const struct option_program *program;
    void *values;
    struct progress *progress; /* by spec */
    struct err *err;
};

static void *field(const struct option_spec *spec, const void *values)
{
    return (char *)(uintptr_t)values + spec->offset;
}

static bool is_text(const struct option_spec *spec)
{
    return spec->type == OPTION_STRING || spec->type == OPTION_SECRET ||
           spec->type == OPTION_LIST;
}

/* --- values --- */

/* A number without sign at the beginning of TEXT; *REST is what follows. */
static int parse_count(const char *text, const char **rest, int64_t *n)
{
    char *end;
    if (!isdigit((unsigned char)text[0]))
        return ERR_INVALID;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno != 0)
        return ERR_INVALID;
    *rest = end;
    *n = v;
    return 0;
}

struct unit {
    const char *name;
    int64_t factor;
};

static int parse_with_unit(const char *text, const struct unit *units, size_t count,
                           int64_t *out)
{
    const char *rest;
    int64_t n;
    if (parse_count(text, &rest, &n) != 0)
        return ERR_INVALID;
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(rest, units[i].name) == 0)
            return __builtin_mul_overflow(n, units[i].factor, out) ? ERR_INVALID : 0;
    }
    return ERR_INVALID;
}

int option_parse_size(const char *text, int64_t *bytes)
{
    static const struct unit units[] = {
        {"", 1},
        {"B", 1},
        {"k", INT64_C(1) << 10},
        {"Ki", INT64_C(1) << 10},
        {"KiB", INT64_C(1) << 10},
        {"M", INT64_C(1) << 20},
        {"Mi", INT64_C(1) << 20},
        {"MiB", INT64_C(1) << 20},
        {"G", INT64_C(1) << 30},
        {"Gi", INT64_C(1) << 30},
        {"GiB", INT64_C(1) << 30},
        {"T", INT64_C(1) << 40},
        {"Ti", INT64_C(1) << 40},
        {"TiB", INT64_C(1) << 40},
    };
    int64_t v;
    int code = parse_with_unit(text, units, ARRAY_LEN(units), &v);
    if (code == 0)
        *bytes = v;
    return code;
}

int option_parse_duration(const char *text, int64_t *ms)
{
    static const struct unit units[] = {
        {"ms", 1},
        {"s", 1000},
        {"m", INT64_C(60) * 1000},
        {"h", INT64_C(3600) * 1000},
        {"d", INT64_C(86400) * 1000},
    };
    int64_t v = 0;
    int code = 0;
    if (strcmp(text, "0") != 0) /* nothing needs no unit */
        code = parse_with_unit(text, units, ARRAY_LEN(units), &v);
    if (code == 0)
        *ms = v;
    return code;
}

static int parse_int(const char *text, int64_t *out)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || isspace((unsigned char)text[0]))
        return ERR_INVALID;
    *out = v;
    return 0;
}

static int parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1"};
    static const char *const no[] = {"false", "no", "off", "0"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return 0;
        }
    }
    return ERR_INVALID;
}

/* The whole of the file PATH, at most FILE_MAX_BYTES. */
static int read_file(const char *path, struct str *out, struct err *err)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set_errno(err, errno, "cannot read %s", path);
    char buf[4096];
    size_t n;
    while ((n = fread(buf, 1, sizeof(buf), file)) > 0)
        str_append(out, buf, n);
    int code = 0;
    if (ferror(file))
        code = err_set_errno(err, errno, "cannot read %s", path);
    else if (out->overflowed)
        code = err_set(err, ERR_TOO_LARGE, "%s is larger than %zu bytes", path,
                       (size_t)FILE_MAX_BYTES);
    fclose(file);
    return code;
}

/* "@/path" as a value: the file's contents without the line end at the end. */
static int text_from_file(const char *path, char **value, struct err *err)
{
    struct str text;
    str_init(&text, FILE_MAX_BYTES);
    int code = read_file(path, &text, err);
    if (code == 0) {
        while (text.len > 0 && strchr("\r\n", text.data[text.len - 1]) != NULL)
            str_truncate(&text, text.len - 1);
        *value = str_take(&text);
    }
    str_fini(&text);
    return code;
}

static void set_text(struct parse *p, const struct option_spec *spec, const char *text,
                     const char *source)
{
    struct progress *progress = &p->progress[spec - p->program->specs];
    char **at = field(spec, p->values);
    char *value = NULL;

    mem_free(progress->source);
    progress->source = NULL;
    if (spec->type == OPTION_LIST && progress->seen) {
        struct str joined;
        str_init(&joined, FILE_MAX_BYTES);
        str_printf(&joined, "%s,%s", *at, text);
        value = str_take(&joined);
    } else {
        value = mem_strdup(text);
        if (spec->type != OPTION_LIST && text[0] == '@' && text[1] == '/')
            progress->source = mem_strdup(source);
    }
    mem_free(*at);
    *at = value;
}

/* Set the option to TEXT, which came from SOURCE ("--memory", "WEFT_MEMORY"). */
static int set_value(struct parse *p, const struct option_spec *spec, const char *text,
                     const char *source)
{
    static const char *const allowed[] = {
        [OPTION_INT] = "a whole number",
        [OPTION_SIZE] = "a size, such as 512, 64k or 8MiB",
        [OPTION_DURATION] = "a time with its unit, such as 250ms, 10s or 1h",
        [OPTION_BOOL] = "true or false",
    };
    void *at = field(spec, p->values);
    int code = 0;

    switch (spec->type) {
    case OPTION_STRING:
    case OPTION_SECRET:
    case OPTION_LIST:
        set_text(p, spec, text, source);
        break;
    case OPTION_INT:
        code = parse_int(text, at);
        break;
    case OPTION_SIZE:
        code = option_parse_size(text, at);
        break;
    case OPTION_DURATION:
        code = option_parse_duration(text, at);
        break;
    case OPTION_BOOL:
        code = parse_bool(text, at);
        break;
    }
    if (code != 0)
        return err_set(p->err, ERR_INVALID, "%s: \"%.64s\" is not %s", source, text,
                       allowed[spec->type]);
    p->progress[spec - p->program->specs].seen = true;
    return 0;
}

/* --- names --- */

static const struct option_spec *find_spec(const struct option_program *program,
                                           struct slice name)
{
    for (size_t i = 0; i < program->spec_count; i++) {
        if (slice_eq_str(name, program->specs[i].name))
            return &program->specs[i];
    }
    return NULL;
}

/* Levenshtein's distance, for names shorter than NAME_MAX_BYTES. */
static size_t distance(struct slice a, struct slice b)
{
    size_t row[NAME_MAX_BYTES + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t swap = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            diagonal = row[j];
            row[j] = MIN(swap, MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.len];
}

/* ERR_INVALID with the nearest name, if one is near. PREFIX is "--" or "". */
static int unknown_option(struct parse *p, struct slice name, const char *prefix,
                          const char *where)
{
    const char *nearest = NULL;
    size_t best = 4; /* further than three letters is another word */

    for (size_t i = 0; i < p->program->spec_count; i++) {
        struct slice other = slice_str(p->program->specs[i].name);
        if (name.len >= NAME_MAX_BYTES || other.len >= NAME_MAX_BYTES)
            continue;
        size_t d = distance(name, other);
        if (d < best && d < name.len) {
            best = d;
            nearest = p->program->specs[i].name;
        }
    }
    int shown = (int)MIN(name.len, NAME_MAX_BYTES);
    if (nearest == NULL)
        return err_set(p->err, ERR_INVALID, "%sno option %s%.*s; see %s --help", where,
                       prefix, shown, (const char *)name.ptr, p->program->name);
    return err_set(p->err, ERR_INVALID, "%sno option %s%.*s; did you mean %s%s?", where,
                   prefix, shown, (const char *)name.ptr, prefix, nearest);
}

static void env_name(const char *name, char env[NAME_MAX_BYTES + 8])
{
    size_t n = (size_t)snprintf(env, NAME_MAX_BYTES + 8, "WEFT_%s", name);
    ASSERT(n < NAME_MAX_BYTES + 8);
    for (char *c = env; *c != '\0'; c++)
        *c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
}

/* --- sources --- */

static void next_source(struct parse *p)
{
    for (size_t i = 0; i < p->program->spec_count; i++)
        p->progress[i].seen = false;
}

static int apply_defaults(struct parse *p)
{
    int code = 0;
    for (size_t i = 0; i < p->program->spec_count && code == 0; i++) {
        const struct option_spec *spec = &p->program->specs[i];
        if (spec->default_text != NULL)
            code = set_value(p, spec, spec->default_text, spec->name);
    }
    return code;
}

/* A variable WEFT_* that is none of ours may be another program's; one that is nearly
 * ours is ours, misspelt. */
static int check_environment(struct parse *p)
{
    for (char **entry = environ; entry != NULL && *entry != NULL; entry++) {
        char name[NAME_MAX_BYTES];
        size_t len = strcspn(*entry, "=");
        if (strncmp(*entry, "WEFT_", 5) != 0 || len < 5 + ENV_NAME_MIN ||
            len - 5 >= sizeof(name))
            continue;
        for (size_t i = 5; i <= len; i++) {
            char c = i == len ? '\0' : (*entry)[i];
            name[i - 5] = c == '_' ? '-' : (char)tolower((unsigned char)c);
        }
        for (size_t i = 0; i < p->program->spec_count; i++) {
            const char *other = p->program->specs[i].name;
            size_t d = strlen(other) >= NAME_MAX_BYTES
                           ? 0
                           : distance(slice_str(name), slice_str(other));
            if (d == 0)
                break;
            if (d > ENV_DISTANCE_MAX || find_spec(p->program, slice_str(name)) != NULL)
                continue;
            char env[NAME_MAX_BYTES + 8];
            env_name(other, env);
            return err_set(p->err, ERR_INVALID,
                           "no option %.*s in the environment; did you mean %s?",
                           (int)len, *entry, env);
        }
    }
    return 0;
}

static int apply_environment(struct parse *p)
{
    int code = check_environment(p);
    next_source(p);
    for (size_t i = 0; i < p->program->spec_count && code == 0; i++) {
        char env[NAME_MAX_BYTES + 8];
        env_name(p->program->specs[i].name, env);
        const char *text = getenv(env);
        if (text != NULL)
            code = set_value(p, &p->program->specs[i], text, env);
    }
    return code;
}

static char *trim(char *text)
{
    char *end = text + strlen(text);
    while (end > text && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* One line of the file: nothing, "# comment" or "name = value". */
static int apply_line(struct parse *p, char *line, const char *where)
{
    line = trim(line);
    if (line[0] == '\0' || line[0] == '#')
        return 0;
    char *equals = strchr(line, '=');
    if (equals == NULL)
        return err_set(p->err, ERR_INVALID, "%sno \"name = value\"%s", where,
                       line[0] == '{' ? "; is this the file of the command weft? "
                                        "WEFT_CONFIG names that one there"
                                      : "");
    *equals = '\0';
    char *name = trim(line);
    char *text = trim(equals + 1);
    size_t len = strlen(text);
    if (len >= 2 && text[0] == '"' && text[len - 1] == '"') {
        text[len - 1] = '\0';
        text++;
    }
    const struct option_spec *spec = find_spec(p->program, slice_str(name));
    if (spec == NULL)
        return unknown_option(p, slice_str(name), "", where);
    char source[SOURCE_MAX];
    snprintf(source, sizeof(source), "%s%s", where, spec->name);
    return set_value(p, spec, text, source);
}

static int apply_file(struct parse *p, const char *path)
{
    struct str text;
    char *save = NULL;
    int line_number = 1;

    str_init(&text, FILE_MAX_BYTES);
    int code = read_file(path, &text, p->err);
    next_source(p);
    /* strsep keeps empty lines, so that line numbers are right. */
    save = text.data;
    for (char *line; code == 0 && (line = strsep(&save, "\n")) != NULL; line_number++) {
        char where[160];
        snprintf(where, sizeof(where), "%.120s line %d: ", path, line_number);
        code = apply_line(p, line, where);
    }
    str_fini(&text);
    return code;
}

/* One argument that begins with "--"; *USED says whether NEXT was its value. */
static int apply_argument(struct parse *p, const char *arg, const char *next, bool *used)
{
    const char *name = arg + 2;
    const char *equals = strchr(name, '=');
    struct slice key =
        slice_of(name, equals == NULL ? strlen(name) : (size_t)(equals - name));
    const struct option_spec *spec = find_spec(p->program, key);
    const char *text = equals == NULL ? NULL : equals + 1;
    char source[NAME_MAX_BYTES + 4];

    *used = false;
    if (spec == NULL)
        return unknown_option(p, key, "--", "");
    if (text == NULL && spec->type == OPTION_BOOL) {
        text = "true";
    } else if (text == NULL) {
        if (next == NULL)
            return err_set(p->err, ERR_INVALID, "--%s needs a value (%s)", spec->name,
                           spec->placeholder);
        text = next;
        *used = true;
    }
    snprintf(source, sizeof(source), "--%s", spec->name);
    return set_value(p, spec, text, source);
}

static bool is_config(const char *arg)
{
    return strcmp(arg, "--config") == 0 || strncmp(arg, "--config=", 9) == 0;
}

static int apply_arguments(struct parse *p, int argc, char **argv)
{
    int code = 0;
    next_source(p);
    for (int i = 1; i < argc && code == 0; i++) {
        bool used = false;
        if (is_config(argv[i])) {
            i += argv[i][8] == '\0';
            continue;
        }
        if (strncmp(argv[i], "--", 2) != 0)
            return err_set(p->err, ERR_INVALID,
                           "unexpected argument \"%.64s\"; see %s --help", argv[i],
                           p->program->name);
        code = apply_argument(p, argv[i], i + 1 < argc ? argv[i + 1] : NULL, &used);
        i += used;
    }
    return code;
}

/* --- values that are names of files --- */

/* How long such a file is waited for: the option of that name, if the program has it. */
static int64_t wait_limit_ms(const struct parse *p)
{
    const struct option_spec *spec = find_spec(p->program, slice_str(WAIT_OPTION));
    return spec == NULL ? 0 : *(const int64_t *)field(spec, p->values);
}

/* Return when there is a file PATH, or LIMIT_MS later, as if there were one: the error is
 * that of reading it. A process that waits must be able to be stopped, also as the first
 * one of a container, which no signal ends that it has no handler for. */
static int wait_for_file(const char *path, int64_t limit_ms, struct err *err)
{
    const int64_t until = clock_monotonic_ms() + limit_ms;
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * INT64_C(1000000)};
    sigset_t signals, before;
    int code = 0;

    if (limit_ms == 0 || access(path, F_OK) == 0)
        return 0;
    log_info("options", "waiting for a file", "path=%s limit_ms=%" PRId64, path,
             limit_ms);
    stop_signal_set(&signals);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    while (access(path, F_OK) != 0 && clock_monotonic_ms() < until && code == 0) {
        int number = sigtimedwait(&signals, NULL, &pause);
        if (number > 0)
            code = err_set(err, ERR_CANCELLED, "signal %d while waiting for %s", number,
                           path);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

/* After all sources, so that a file that a stronger one replaces is not asked for. */
static int read_files(struct parse *p)
{
    int64_t limit_ms = wait_limit_ms(p);

    for (size_t i = 0; i < p->program->spec_count; i++) {
        const char *source = p->progress[i].source;
        char **at = field(&p->program->specs[i], p->values);
        char *value = NULL;
        if (source == NULL)
            continue;
        int code = wait_for_file(*at + 1, limit_ms, p->err);
        if (code == 0)
            code = text_from_file(*at + 1, &value, p->err);
        if (code != 0)
            return err_wrap(p->err, code, "%s", source);
        mem_free(*at);
        *at = value;
    }
    return 0;
}

/* --- help --- */

static void print_help(const struct option_program *program)
{
    printf("Usage: %s [--option value ...]\n\n%s\n\nOptions:\n", program->name,
           program->summary);
    for (size_t i = 0; i < program->spec_count; i++) {
        const struct option_spec *spec = &program->specs[i];
        char left[2 * NAME_MAX_BYTES];
        snprintf(left, sizeof(left), "--%s%s%s", spec->name,
                 spec->type == OPTION_BOOL ? "" : " ",
                 spec->type == OPTION_BOOL ? "" : spec->placeholder);
        printf("  %-32s %s", left, spec->help);
        if (spec->default_text != NULL && spec->default_text[0] != '\0')
            printf(" (default %s)", spec->default_text);
        putchar('\n');
    }
    printf("  %-32s %s\n", "--config FILE",
           "lines of \"name = value\", # begins a comment");
    printf("  %-32s %s\n", "--help", "print this");
    printf("  %-32s %s\n", "--version", "print the version");
    puts("\nAn option may also be set by the environment (--flush-bytes is "
         "WEFT_FLUSH_BYTES)"
         "\nor in the file. The command line wins over the environment, which wins over"
         "\nthe file. A value @/path is read from that file.");
    if (program->epilogue != NULL)
        printf("\n%s\n", program->epilogue);
}

/* --help, --version and the path of --config, wherever they stand. A word behind an
 * option that takes a value is that value. */
static int scan_arguments(struct parse *p, int argc, char **argv,
                          enum option_outcome *outcome, const char **config)
{
    for (int i = 1; i < argc; i++) {
        const char *arg = argv[i];
        if (strcmp(arg, "--help") == 0 || strcmp(arg, "-h") == 0) {
            *outcome = OPTION_HELP;
        } else if (strcmp(arg, "--version") == 0) {
            *outcome = OPTION_VERSION;
        } else if (is_config(arg)) {
            *config = arg[8] == '=' ? arg + 9 : i + 1 < argc ? argv[++i] : NULL;
            if (*config == NULL)
                return err_set(p->err, ERR_INVALID, "--config needs a value (FILE)");
        } else if (strncmp(arg, "--", 2) == 0 && strchr(arg, '=') == NULL) {
            const struct option_spec *spec = find_spec(p->program, slice_str(arg + 2));
            i += spec != NULL && spec->type != OPTION_BOOL;
        }
    }
    return 0;
}

int option_parse(const struct option_program *program, int argc, char **argv,
                 void *values, enum option_outcome *outcome, struct err *err)
{
    struct parse p = {.program = program, .values = values, .err = err};
    enum option_outcome asked = OPTION_RUN;
    const char *config = getenv("WEFT_CONFIG");

    p.progress = mem_zalloc((program->spec_count + 1) * sizeof(*p.progress));
    int code = scan_arguments(&p, argc, argv, &asked, &config);
    if (code == 0 && asked == OPTION_RUN) {
        code = apply_defaults(&p);
        if (code == 0 && config != NULL)
            code = apply_file(&p, config);
        if (code == 0)
            code = apply_environment(&p);
        if (code == 0)
            code = apply_arguments(&p, argc, argv);
        if (code == 0)
            code = read_files(&p);
    }
    for (size_t i = 0; i < program->spec_count; i++)
        mem_free(p.progress[i].source);
    mem_free(p.progress);
    if (code != 0) {
        option_free(program, values);
        return code;
    }
    if (asked == OPTION_HELP)
        print_help(program);
    else if (asked == OPTION_VERSION)
        printf("%s %s\n", program->name, WEFT_VERSION);
    *outcome = asked;
    return 0;
}

void option_free(const struct option_program *program, void *values)
{
    for (size_t i = 0; i < program->spec_count; i++) {
        if (!is_text(&program->specs[i]))
            continue;
        char **at = field(&program->specs[i], values);
        if (program->specs[i].type == OPTION_SECRET && *at != NULL)
            explicit_bzero(*at, strlen(*at));
        mem_free(*at);
        *at = NULL;
    }
}

/* A text as it may stand in a logfmt line. */
static void dump_text(const char *text, struct str *out)
{
    char quoted[512];
    if (text[0] == '\0' || strpbrk(text, " \"=\\\t\r\n") != NULL)
        str_puts(out, log_quote(text, quoted, sizeof(quoted)));
    else
        str_puts(out, text);
}

void option_dump(const struct option_program *program, const void *values,
                 struct str *out)
{
    for (size_t i = 0; i < program->spec_count; i++) {
        const struct option_spec *spec = &program->specs[i];
        const void *at = field(spec, values);
        if (is_text(spec) && *(char *const *)at == NULL)
            continue;
        str_printf(out, "%s%s=", out->len == 0 ? "" : " ", spec->name);
        switch (spec->type) {
        case OPTION_SECRET:
            str_puts(out, "***");
            break;
        case OPTION_STRING:
        case OPTION_LIST:
            dump_text(*(char *const *)at, out);
            break;
        case OPTION_BOOL:
            str_puts(out, *(const bool *)at ? "true" : "false");
            break;
        case OPTION_INT:
        case OPTION_SIZE:
        case OPTION_DURATION:
            str_printf(out, "%" PRId64 "%s", *(const int64_t *)at,
                       spec->type == OPTION_DURATION ? "ms" : "");
            break;
        }
    }
}
