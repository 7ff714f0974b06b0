/* topic_regex_parse.c - RE2's syntax into a tree (topic_regex.h says what is understood).
 *
 * Recursive descent with a bounded depth; the number of nodes is bounded by the length of
 * the pattern. What is wrong is said as RE2 says it, with the place. */
#include <string.h>

#include "common/mem.h"
#include "controlplane/topic_regex.h"
#include "controlplane/topic_regex_tree.h"

#define NAMES_MAX 100 /* of groups */
#define NO_RUNE   UINT32_MAX

struct parser {
    struct regex_tree *tree;
    const uint8_t *p, *start, *end;
    bool fold; /* flag i */
    unsigned depth;
    struct slice names[NAMES_MAX];
    unsigned name_count;
    struct err *err;
    bool failed;
};

/* ---- errors and nodes ---- */

static void fail(struct parser *s, const char *what)
{
    if (!s->failed)
        err_set(s->err, ERR_INVALID, "%s at byte %zu", what, (size_t)(s->p - s->start));
    s->failed = true;
    s->p = s->end;
}

static uint32_t new_node(struct parser *s, enum regex_kind kind)
{
    struct regex_tree *tree = s->tree;

    if (tree->count == tree->cap) {
        tree->cap = tree->cap == 0 ? 64 : tree->cap * 2;
        tree->nodes = mem_realloc(tree->nodes, tree->cap * sizeof(*tree->nodes));
    }
    tree->nodes[tree->count] = (struct regex_node){.kind = kind};
    return tree->count++;
}

static uint32_t new_assertion(struct parser *s, enum regex_assertion assertion)
{
    uint32_t node = new_node(s, REGEX_ASSERT);
    s->tree->nodes[node].assertion = assertion;
    return node;
}

static uint32_t new_set(struct parser *s, struct regex_set set)
{
    uint32_t node = new_node(s, REGEX_SET);
    s->tree->nodes[node].set = set;
    return node;
}

/* ---- sets ---- */

static void set_range(struct regex_set *set, uint32_t from, uint32_t to)
{
    for (uint32_t c = from; c <= to && c < 128; c++)
        set->bits[c / 64] |= UINT64_C(1) << (c % 64);
}

static void set_merge(struct regex_set *set, struct regex_set other, bool negated)
{
    set->bits[0] |= negated ? ~other.bits[0] : other.bits[0];
    set->bits[1] |= negated ? ~other.bits[1] : other.bits[1];
}

/* Of each letter the other case too. 's' and 'k' are all that anything beyond ASCII folds
 * to: long s and the Kelvin sign. */
static void set_fold(struct regex_set *set)
{
    for (uint32_t c = 'a'; c <= 'z'; c++) {
        if (regex_set_has(set, c) || regex_set_has(set, c - 32)) {
            set_range(set, c, c);
            set_range(set, c - 32, c - 32);
        }
    }
}

/* Runes FROM to TO, and what they fold with. */
static void set_rune(const struct parser *s, struct regex_set *set, uint32_t from,
                     uint32_t to)
{
    struct regex_set one = {{0, 0}};

    set_range(&one, from, to);
    if (s->fold && from <= 0x17f && to >= 0x17f)
        set_range(&one, 's', 's');
    if (s->fold && from <= 0x212a && to >= 0x212a)
        set_range(&one, 'k', 'k');
    if (s->fold)
        set_fold(&one);
    set_merge(set, one, false);
}

/* What ranges of ASCII a name stands for: pairs of first and last character. */
struct named_set {
    const char *name, *ranges;
};

static const struct named_set posix_sets[] = {
    {"alnum", "09AZaz"},
    {"alpha", "AZaz"},
    {"ascii", "\x01\x7f"},
    {"blank", "\t\t  "},
    {"cntrl", "\x01\x1f\x7f\x7f"},
    {"digit", "09"},
    {"graph", "!~"},
    {"lower", "az"},
    {"print", " ~"},
    {"punct", "!/:@[`{~"},
    {"space", "\t\r  "},
    {"upper", "AZ"},
    {"word", "09AZaz__"},
    {"xdigit", "09AFaf"},
};

/* General categories, and scripts; those without a character in ASCII match nothing. */
static const struct named_set unicode_sets[] = {
    {"Any", "\x01\x7f"},
    {"C", "\x01\x1f\x7f\x7f"},
    {"Cc", "\x01\x1f\x7f\x7f"},
    {"Cf", ""},
    {"Co", ""},
    {"Cs", ""},
    {"L", "AZaz"},
    {"Ll", "az"},
    {"Lm", ""},
    {"Lo", ""},
    {"Lt", ""},
    {"Lu", "AZ"},
    {"M", ""},
    {"Mc", ""},
    {"Me", ""},
    {"Mn", ""},
    {"N", "09"},
    {"Nd", "09"},
    {"Nl", ""},
    {"No", ""},
    {"P", "!#%*,/:;?@[]__{{}}"},
    {"Pc", "__"},
    {"Pd", "--"},
    {"Pe", "))]]}}"},
    {"Pf", ""},
    {"Pi", ""},
    {"Po", "!#%'**,,./:;?@\\\\"},
    {"Ps", "(([[{{"},
    {"S", "$$++<>^^``||~~"},
    {"Sc", "$$"},
    {"Sk", "^^``"},
    {"Sm", "++<>||~~"},
    {"So", ""},
    {"Z", "  "},
    {"Zl", ""},
    {"Zp", ""},
    {"Zs", "  "},
    {"Common", "\x01@[`{\x7f"},
    {"Latin", "AZaz"},
    {"Arabic", ""},
    {"Armenian", ""},
    {"Bengali", ""},
    {"Cyrillic", ""},
    {"Devanagari", ""},
    {"Georgian", ""},
    {"Greek", ""},
    {"Han", ""},
    {"Hangul", ""},
    {"Hebrew", ""},
    {"Hiragana", ""},
    {"Inherited", ""},
    {"Katakana", ""},
    {"Khmer", ""},
    {"Lao", ""},
    {"Mongolian", ""},
    {"Tamil", ""},
    {"Telugu", ""},
    {"Thai", ""},
    {"Tibetan", ""},
};

static bool set_named(const struct parser *s, const struct named_set *sets, size_t count,
                      struct slice name, bool negated, struct regex_set *set)
{
    for (size_t i = 0; i < count; i++) {
        if (!slice_eq_str(name, sets[i].name))
            continue;
        struct regex_set found = {{0, 0}};
        for (const char *r = sets[i].ranges; *r != '\0'; r += 2)
            set_range(&found, (uint8_t)r[0], (uint8_t)r[1]);
        if (s->fold)
            set_fold(&found);
        set_merge(set, found, negated);
        return true;
    }
    return false;
}

/* ---- characters ---- */

static bool at_end(const struct parser *s)
{
    return s->p == s->end;
}

static bool next_is(const struct parser *s, char c)
{
    return s->p < s->end && *s->p == (uint8_t)c;
}

static bool take(struct parser *s, char c)
{
    if (!next_is(s, c))
        return false;
    s->p++;
    return true;
}

static bool take_text(struct parser *s, const char *text)
{
    size_t len = strlen(text);
    if ((size_t)(s->end - s->p) < len || memcmp(s->p, text, len) != 0)
        return false;
    s->p += len;
    return true;
}

/* The next rune of UTF-8, or NO_RUNE after failing. */
static uint32_t take_rune(struct parser *s)
{
    uint32_t c = *s->p;
    unsigned more = c < 0x80 ? 0 : c < 0xc2 ? 9 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

    if (c >= 0xf5 || more > (size_t)(s->end - s->p - 1)) {
        fail(s, "invalid UTF-8");
        return NO_RUNE;
    }
    if (more > 0)
        c &= 0x3fu >> more;
    for (unsigned i = 1; i <= more; i++) {
        if ((s->p[i] & 0xc0) != 0x80) {
            fail(s, "invalid UTF-8");
            return NO_RUNE;
        }
        c = c << 6 | (s->p[i] & 0x3fu);
    }
    s->p += more + 1;
    return c;
}

static int digit_of(uint8_t c, int base)
{
    int v = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 99;
    return v < base ? v : -1;
}

static uint32_t take_hex(struct parser *s)
{
    bool braces = take(s, '{');
    uint32_t rune = 0;
    int digits = 0;

    while (!at_end(s) && digit_of(*s->p, 16) >= 0 && (braces || digits < 2) &&
           rune <= 0x10ffff) {
        rune = rune * 16 + (uint32_t)digit_of(*s->p++, 16);
        digits++;
    }
    if (rune > 0x10ffff || (braces ? digits == 0 || !take(s, '}') : digits != 2)) {
        fail(s, "invalid escape sequence");
        return NO_RUNE;
    }
    return rune;
}

static uint32_t take_octal(struct parser *s, uint32_t rune)
{
    for (int i = 0; i < 2 && !at_end(s) && digit_of(*s->p, 8) >= 0; i++)
        rune = rune * 8 + (uint32_t)digit_of(*s->p++, 8);
    return rune;
}

/* What stands behind a backslash, where that is one character. */
static uint32_t take_escape(struct parser *s)
{
    static const char names[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    uint8_t c = *s->p;
    const char *name = c == 0 ? NULL : strchr(names, c);

    if (c >= 0x80) {
        fail(s, "invalid escape sequence");
        return NO_RUNE;
    }
    s->p++;
    if (name != NULL)
        return (uint8_t)values[name - names];
    if (c == 'x')
        return take_hex(s);
    if (c == '0' || (c >= '1' && c <= '7' && !at_end(s) && digit_of(*s->p, 8) >= 0))
        return take_octal(s, c - '0');
    bool alnum =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (alnum) {
        s->p--;
        fail(s, "invalid escape sequence");
        return NO_RUNE;
    }
    return c;
}

/* ---- classes ---- */

/* \d, \pL ... behind a backslash: added to SET. False: it is no such. */
static bool take_class_escape(struct parser *s, struct regex_set *set)
{
    static const char letters[] = "dsw";
    static const char *const ranges[] = {"09", "\t\n\f\r  ", "09AZaz__"};
    uint8_t c = *s->p;
    const char *letter = c == 0 ? NULL : strchr(letters, c | 0x20);

    if (letter != NULL) {
        const struct named_set named = {"", ranges[letter - letters]};
        (void)set_named(s, &named, 1, SLICE_LITERAL(""), c < 'a', set);
        s->p++;
        return true;
    }
    if (c != 'p' && c != 'P')
        return false;
    bool negated = c == 'P';
    s->p++;
    struct slice name = slice_of(s->p, at_end(s) ? 0 : 1);
    if (take(s, '{')) {
        if (take(s, '^'))
            negated = !negated;
        name = slice_of(s->p, 0);
        while (!at_end(s) && *s->p != '}')
            s->p++;
        name.len = (size_t)(s->p - name.ptr);
        if (!take(s, '}'))
            fail(s, "invalid character class range");
    } else if (!at_end(s)) {
        s->p++;
    }
    if (!s->failed &&
        !set_named(s, unicode_sets, ARRAY_LEN(unicode_sets), name, negated, set))
        fail(s, "invalid character class range");
    return true;
}

/* [:name:] within a class. */
static void take_posix(struct parser *s, struct regex_set *set)
{
    bool negated = take(s, '^');
    struct slice name = slice_of(s->p, 0);

    while (!at_end(s) && *s->p != ':' && *s->p != ']')
        s->p++;
    name.len = (size_t)(s->p - name.ptr);
    if (!take_text(s, ":]") ||
        !set_named(s, posix_sets, ARRAY_LEN(posix_sets), name, negated, set))
        fail(s, "invalid character class range");
}

static uint32_t take_class_rune(struct parser *s)
{
    if (!take(s, '\\'))
        return take_rune(s);
    if (at_end(s)) {
        fail(s, "trailing backslash");
        return NO_RUNE;
    }
    return take_escape(s);
}

static void take_range(struct parser *s, struct regex_set *set)
{
    uint32_t from = take_class_rune(s), to = from;

    if (s->end - s->p >= 2 && s->p[0] == '-' && s->p[1] != ']') {
        s->p++;
        to = take_class_rune(s);
    }
    if (s->failed)
        return;
    if (to < from)
        fail(s, "invalid character class range");
    else
        set_rune(s, set, from, to);
}

/* Behind its '['. */
static uint32_t take_class(struct parser *s)
{
    struct regex_set set = {{0, 0}}, result = {{0, 0}};
    bool negated = take(s, '^');
    const uint8_t *first = s->p;

    while (!s->failed && (!next_is(s, ']') || s->p == first)) {
        if (at_end(s)) {
            fail(s, "missing closing ]");
        } else if (take_text(s, "[:")) {
            take_posix(s, &set);
        } else if (*s->p == '\\' && s->end - s->p >= 2) {
            s->p++;
            if (!take_class_escape(s, &set)) {
                s->p--;
                take_range(s, &set);
            }
        } else {
            take_range(s, &set);
        }
    }
    (void)take(s, ']');
    set_merge(&result, set, negated);
    return new_set(s, result);
}

/* ---- expressions ---- */

static uint32_t take_alternatives(struct parser *s);

/* (?P<name> and (?<name>, behind the '<'. */
static void take_name(struct parser *s)
{
    struct slice name = slice_of(s->p, 0);

    while (!at_end(s) && *s->p != '>') {
        uint8_t c = *s->p++;
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
              (c >= 'A' && c <= 'Z') || c == '_')) {
            fail(s, "invalid named capture");
            return;
        }
    }
    name.len = (size_t)(s->p - name.ptr);
    bool known = s->name_count == NAMES_MAX;
    for (unsigned i = 0; i < s->name_count; i++)
        known |= slice_eq(s->names[i], name);
    if (name.len == 0 || known || !take(s, '>')) {
        fail(s, "invalid named capture");
        return;
    }
    s->names[s->name_count++] = name;
}

/* Flags behind "(?". True: they are of a group, which begins here; false: of what
 * follows, up to the end of the group around. */
static bool take_flags(struct parser *s)
{
    bool value = true, any = false, signed_any = true;

    while (!at_end(s)) {
        uint8_t c = *s->p++;
        if (c == 'i')
            s->fold = value;
        else if (c == '-' && value)
            value = false;
        else if ((c == ':' || c == ')') && signed_any)
            return c == ':';
        else if (c != 'm' && c != 's' && c != 'U')
            break;
        /* m, s: names have no lines. U: all of a name is matched, greedy or not. */
        any = c != '-';
        signed_any = value || any;
    }
    fail(s, "invalid or unsupported Perl syntax");
    return false;
}

/* Behind its '('. *MADE is false for flags alone, which make nothing. */
static uint32_t take_group(struct parser *s, bool *made)
{
    bool fold = s->fold;

    *made = true;
    if (take(s, '?')) {
        if (take_text(s, "P<") || take(s, '<')) {
            take_name(s);
        } else if (!take_flags(s)) {
            *made = false;
            return 0;
        }
    }
    if (++s->depth > TOPIC_REGEX_DEPTH_MAX)
        fail(s, "expression nests too deeply");
    uint32_t node = take_alternatives(s);
    s->depth--;
    s->fold = fold;
    if (!take(s, ')'))
        fail(s, "missing closing )");
    return node;
}

static uint32_t take_rune_node(struct parser *s)
{
    struct regex_set set = {{0, 0}};
    uint32_t rune = take_rune(s);
    if (rune != NO_RUNE)
        set_rune(s, &set, rune, rune);
    return new_set(s, set);
}

static uint32_t take_backslash(struct parser *s)
{
    struct regex_set set = {{0, 0}};

    if (at_end(s)) {
        fail(s, "trailing backslash");
        return 0;
    }
    if (take(s, 'A'))
        return new_assertion(s, REGEX_BEGIN);
    if (take(s, 'z'))
        return new_assertion(s, REGEX_END);
    if (take(s, 'b'))
        return new_assertion(s, REGEX_BOUNDARY);
    if (take(s, 'B'))
        return new_assertion(s, REGEX_NO_BOUNDARY);
    if (!take_class_escape(s, &set)) {
        uint32_t rune = take_escape(s);
        if (rune != NO_RUNE)
            set_rune(s, &set, rune, rune);
    }
    return new_set(s, set);
}

/* Whether a valid {n}, {n,} or {n,m} begins here; anything else is literal. */
static bool take_counts(struct parser *s, int32_t *min, int32_t *max)
{
    const uint8_t *p = s->p;
    int32_t counts[2] = {0, -1};
    unsigned parts = 0;

    if (p == s->end || *p++ != '{')
        return false;
    for (;;) {
        const uint8_t *digits = p;
        int32_t count = 0;
        while (p < s->end && *p >= '0' && *p <= '9') {
            count = count > TOPIC_REGEX_REPEAT_MAX ? count : count * 10 + (*p - '0');
            p++;
        }
        if (p == s->end || (p == digits && parts == 0))
            return false;
        if (p > digits)
            counts[parts] = count;
        parts++;
        uint8_t c = *p++;
        if (c == '}')
            break;
        if (c != ',' || parts == 2)
            return false;
    }
    s->p = p;
    *min = counts[0];
    *max = parts == 1 ? counts[0] : counts[1];
    if (*min > TOPIC_REGEX_REPEAT_MAX || *max > TOPIC_REGEX_REPEAT_MAX ||
        (*max >= 0 && *max < *min))
        fail(s, "invalid repeat count");
    return true;
}

static bool take_operator(struct parser *s, int32_t *min, int32_t *max)
{
    if (take(s, '*')) {
        *min = 0, *max = -1;
    } else if (take(s, '+')) {
        *min = 1, *max = -1;
    } else if (take(s, '?')) {
        *min = 0, *max = 1;
    } else {
        return take_counts(s, min, max);
    }
    return true;
}

/* Repetitions of NODE, if any follow. */
static uint32_t take_repeat(struct parser *s, uint32_t node)
{
    int32_t min, max;

    if (!take_operator(s, &min, &max))
        return node;
    (void)take(s, '?'); /* lazy: the same names match */
    const uint8_t *second = s->p;
    int32_t other_min, other_max;
    if (take_operator(s, &other_min, &other_max)) {
        s->p = s->failed ? s->p : second;
        fail(s, "bad repetition operator");
    }
    uint32_t repeat = new_node(s, REGEX_REPEAT);
    s->tree->nodes[repeat].child = node;
    s->tree->nodes[repeat].min = min;
    s->tree->nodes[repeat].max = max;
    return repeat;
}

/* One part of a sequence, without repetitions. *MADE as in take_group. */
static uint32_t take_part(struct parser *s, bool *made)
{
    int32_t min, max;

    *made = true;
    if (take(s, '('))
        return take_group(s, made);
    if (take(s, '['))
        return take_class(s);
    if (take(s, '.')) {
        struct regex_set all = {{~UINT64_C(0) & ~(UINT64_C(1) << '\n'), ~UINT64_C(0)}};
        return new_set(s, all);
    }
    if (take(s, '^'))
        return new_assertion(s, REGEX_BEGIN);
    if (take(s, '$'))
        return new_assertion(s, REGEX_END);
    if (take(s, '\\'))
        return take_backslash(s);
    if (take_operator(s, &min, &max)) {
        fail(s, "missing argument to repetition operator");
        return 0;
    }
    return take_rune_node(s);
}

struct sequence {
    uint32_t node, tail;
};

static void sequence_add(struct parser *s, struct sequence *sequence, uint32_t part)
{
    struct regex_node *nodes = s->tree->nodes;
    if (s->failed || part == 0)
        return;
    if (sequence->tail == 0)
        nodes[sequence->node].child = part;
    else
        nodes[sequence->tail].next = part;
    sequence->tail = part;
}

/* A part may be in one list only, so what is a whole list gets a node of its own. */
static uint32_t take_sequence(struct parser *s)
{
    struct sequence sequence = {.node = new_node(s, REGEX_SEQUENCE)};
    bool made;

    while (!at_end(s) && *s->p != '|' && *s->p != ')') {
        if (take_text(s, "\\Q")) {
            while (!at_end(s) && !take_text(s, "\\E")) {
                uint32_t literal = take_rune_node(s);
                bool last = at_end(s) ||
                            (s->end - s->p >= 2 && s->p[0] == '\\' && s->p[1] == 'E');
                if (last) {
                    (void)take_text(s, "\\E");
                    sequence_add(s, &sequence, take_repeat(s, literal));
                    break;
                }
                sequence_add(s, &sequence, literal);
            }
            continue;
        }
        uint32_t part = take_part(s, &made);
        if (made)
            sequence_add(s, &sequence, take_repeat(s, part));
    }
    return sequence.node;
}

static uint32_t take_alternatives(struct parser *s)
{
    uint32_t first = take_sequence(s), last = first;

    if (!next_is(s, '|'))
        return first;
    uint32_t node = new_node(s, REGEX_ALTERNATIVES);
    s->tree->nodes[node].child = first;
    while (take(s, '|')) {
        uint32_t next = take_sequence(s);
        s->tree->nodes[last].next = next;
        last = next;
    }
    return node;
}

int regex_tree_parse(struct slice pattern, struct regex_tree *tree, struct err *err)
{
    if (pattern.len == 0)
        pattern = SLICE_LITERAL("");
    struct parser s = {.tree = tree,
                       .p = pattern.ptr,
                       .start = pattern.ptr,
                       .end = pattern.ptr + pattern.len,
                       .err = err};

    if (pattern.len > TOPIC_REGEX_BYTES_MAX)
        return err_set(err, ERR_TOO_LARGE, "expression too long");
    memset(tree, 0, sizeof(*tree));
    (void)new_node(&s, REGEX_EMPTY); /* so that 0 is none */
    tree->root = take_alternatives(&s);
    if (!s.failed && !at_end(&s))
        fail(&s, "unexpected )");
    if (s.failed) {
        regex_tree_fini(tree);
        return ERR_INVALID;
    }
    return 0;
}

void regex_tree_fini(struct regex_tree *tree)
{
    mem_free(tree->nodes);
    memset(tree, 0, sizeof(*tree));
}
