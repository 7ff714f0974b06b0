/* topic_regex.c - the program of a pattern and its simulation; topic_regex_parse.c makes
 * the tree that is compiled here.
 *
 * A copy of a repeated part is a compiled copy, so `x{1000}` has a thousand: the bounds
 * on the program and on the nodes that are visited stop patterns that would explode. */
#include "controlplane/topic_regex.h"

#include <string.h>

#include "common/check.h"
#include "common/mem.h"
#include "controlplane/topic_regex_tree.h"

/* Nodes that compiling may visit: parts that match nothing but "" make no instruction,
 * however often they are repeated. */
#define VISITS_MAX (8 * TOPIC_REGEX_PROGRAM_MAX)

enum opcode { OP_SET, OP_SPLIT, OP_JUMP, OP_ASSERT, OP_MATCH };

struct instruction {
    uint8_t opcode;
    uint8_t assertion; /* ASSERT: enum regex_assertion */
    uint16_t x, y;     /* where to go on; SPLIT has two ways */
    struct regex_set set;
};

/* Instructions that are waited at, without doubles, in constant time. */
struct places {
    uint16_t *dense, *sparse;
    uint32_t count;
};

struct topic_regex {
    struct instruction *program;
    uint32_t length;
    struct places now, next;
    uint16_t *stack;
};

struct compiler {
    struct topic_regex *regex;
    const struct regex_tree *tree;
    uint32_t visits;
    bool too_large;
};

/* ---- compiling ---- */

static uint32_t emit(struct compiler *c, enum opcode opcode)
{
    if (c->regex->length == TOPIC_REGEX_PROGRAM_MAX) {
        c->too_large = true;
        return 0; /* some instruction: the program is thrown away */
    }
    uint32_t at = c->regex->length++;
    c->regex->program[at] =
        (struct instruction){.opcode = (uint8_t)opcode, .x = (uint16_t)(at + 1)};
    return at;
}

static void compile(struct compiler *c, uint32_t index);

/* Parts one after the other. */
static void compile_children(struct compiler *c, const struct regex_node *node)
{
    for (uint32_t i = node->child; i != 0 && !c->too_large; i = c->tree->nodes[i].next)
        compile(c, i);
}

static void compile_alternatives(struct compiler *c, const struct regex_node *node)
{
    uint32_t last_jump = 0; /* jumps to the end are chained by x until it is known */
    for (uint32_t i = node->child; i != 0 && !c->too_large; i = c->tree->nodes[i].next) {
        if (c->tree->nodes[i].next == 0) {
            compile(c, i);
            break;
        }
        uint32_t split = emit(c, OP_SPLIT);
        compile(c, i);
        uint32_t jump = emit(c, OP_JUMP);
        c->regex->program[jump].x = (uint16_t)last_jump;
        last_jump = jump;
        c->regex->program[split].y = (uint16_t)c->regex->length;
    }
    while (last_jump != 0 && !c->too_large) {
        uint32_t before = c->regex->program[last_jump].x;
        c->regex->program[last_jump].x = (uint16_t)c->regex->length;
        last_jump = before;
    }
}

static void compile_star(struct compiler *c, uint32_t child)
{
    uint32_t split = emit(c, OP_SPLIT);
    compile(c, child);
    uint32_t jump = emit(c, OP_JUMP);
    c->regex->program[jump].x = (uint16_t)split;
    c->regex->program[split].y = (uint16_t)c->regex->length;
}

static void compile_repeat(struct compiler *c, const struct regex_node *node)
{
    int32_t optional = node->max - node->min;

    for (int32_t i = 0; i < node->min && !c->too_large; i++)
        compile(c, node->child);
    if (node->max < 0) {
        if (!c->too_large)
            compile_star(c, node->child);
        return;
    }
    /* x{0,3} is (x(x(x)?)?)?: each split leads to the end. They are chained by y. */
    uint32_t last_split = UINT32_MAX;
    for (int32_t i = 0; i < optional && !c->too_large; i++) {
        uint32_t split = emit(c, OP_SPLIT);
        c->regex->program[split].y = (uint16_t)last_split;
        last_split = split;
        compile(c, node->child);
    }
    while (last_split != UINT32_MAX && !c->too_large) {
        uint16_t before = c->regex->program[last_split].y;
        c->regex->program[last_split].y = (uint16_t)c->regex->length;
        last_split = before == UINT16_MAX ? UINT32_MAX : before;
    }
}

static void compile(struct compiler *c, uint32_t index)
{
    const struct regex_node *node = &c->tree->nodes[index];
    uint32_t at;

    if (++c->visits > VISITS_MAX)
        c->too_large = true;
    if (c->too_large)
        return;
    switch (node->kind) {
    case REGEX_EMPTY:
        break;
    case REGEX_SET:
        at = emit(c, OP_SET);
        c->regex->program[at].set = node->set;
        break;
    case REGEX_ASSERT:
        at = emit(c, OP_ASSERT);
        c->regex->program[at].assertion = (uint8_t)node->assertion;
        break;
    case REGEX_SEQUENCE:
        compile_children(c, node);
        break;
    case REGEX_ALTERNATIVES:
        compile_alternatives(c, node);
        break;
    case REGEX_REPEAT:
        compile_repeat(c, node);
        break;
    }
}

static void places_init(struct places *places, uint32_t length)
{
    places->dense = mem_zalloc(length * sizeof(*places->dense));
    places->sparse = mem_zalloc(length * sizeof(*places->sparse));
    places->count = 0;
}

int topic_regex_new(struct slice pattern, struct topic_regex **regex, struct err *err)
{
    struct regex_tree tree;

    int rc = regex_tree_parse(pattern, &tree, err);
    if (rc != 0)
        return rc;
    struct topic_regex *made = mem_zalloc(sizeof(*made));
    made->program = mem_zalloc(TOPIC_REGEX_PROGRAM_MAX * sizeof(*made->program));
    struct compiler c = {.regex = made, .tree = &tree};
    /* So that 0 is no jump's place. */
    (void)emit(&c, OP_JUMP);
    compile(&c, tree.root);
    (void)emit(&c, OP_MATCH);
    regex_tree_fini(&tree);
    if (c.too_large) {
        topic_regex_free(made);
        return err_set(err, ERR_TOO_LARGE, "expression too large");
    }
    made->program = mem_realloc(made->program, made->length * sizeof(*made->program));
    places_init(&made->now, made->length);
    places_init(&made->next, made->length);
    /* Each instruction is pushed by at most two others. */
    made->stack = mem_alloc((2 * (size_t)made->length + 1) * sizeof(*made->stack));
    *regex = made;
    return 0;
}

void topic_regex_free(struct topic_regex *regex)
{
    if (regex == NULL)
        return;
    mem_free(regex->program);
    mem_free(regex->now.dense);
    mem_free(regex->now.sparse);
    mem_free(regex->next.dense);
    mem_free(regex->next.sparse);
    mem_free(regex->stack);
    mem_free(regex);
}

/* ---- matching ---- */

static bool is_word(struct slice name, size_t at)
{
    if (at >= name.len)
        return false;
    uint8_t c = name.ptr[at];
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           c == '_';
}

/* Whether ASSERTION holds before byte AT of NAME. */
static bool holds(enum regex_assertion assertion, struct slice name, size_t at)
{
    bool boundary = (at > 0 && is_word(name, at - 1)) != is_word(name, at);

    switch (assertion) {
    case REGEX_BEGIN:
        return at == 0;
    case REGEX_END:
        return at == name.len;
    case REGEX_BOUNDARY:
        return boundary;
    case REGEX_NO_BOUNDARY:
        return !boundary;
    }
    return false;
}

static bool place_add(struct places *places, uint16_t pc)
{
    uint16_t slot = places->sparse[pc];
    if (slot < places->count && places->dense[slot] == pc)
        return false;
    places->sparse[pc] = (uint16_t)places->count;
    places->dense[places->count++] = pc;
    return true;
}

/* Add instruction PC and all that is reached from it without a character, before byte AT
 * of NAME. Returns the steps it took. */
static uint64_t follow(struct topic_regex *regex, struct places *places, uint16_t pc,
                       struct slice name, size_t at)
{
    uint32_t depth = 0;
    uint64_t steps = 0;

    regex->stack[depth++] = pc;
    while (depth > 0) {
        uint16_t top = regex->stack[--depth];
        steps++;
        if (!place_add(places, top))
            continue;
        const struct instruction *in = &regex->program[top];
        if (in->opcode == OP_JUMP || in->opcode == OP_SPLIT ||
            (in->opcode == OP_ASSERT &&
             holds((enum regex_assertion)in->assertion, name, at)))
            regex->stack[depth++] = in->x;
        if (in->opcode == OP_SPLIT)
            regex->stack[depth++] = in->y;
    }
    return steps;
}

int topic_regex_match(struct topic_regex *regex, struct slice name, uint64_t *steps,
                      bool *matches)
{
    struct places *now = &regex->now, *next = &regex->next;

    now->count = 0;
    uint64_t cost = follow(regex, now, 0, name, 0);
    for (size_t at = 0; at < name.len && now->count > 0 && cost <= *steps; at++) {
        uint8_t c = name.ptr[at];
        next->count = 0;
        for (uint32_t i = 0; i < now->count; i++) {
            const struct instruction *in = &regex->program[now->dense[i]];
            if (in->opcode == OP_SET && regex_set_has(&in->set, c))
                cost += follow(regex, next, in->x, name, at + 1);
        }
        cost += now->count;
        struct places *other = now;
        now = next;
        next = other;
    }
    if (cost > *steps) {
        *steps = 0;
        return ERR_TOO_LARGE;
    }
    *steps -= cost;
    *matches = false;
    for (uint32_t i = 0; i < now->count; i++)
        *matches |= regex->program[now->dense[i]].opcode == OP_MATCH;
    return 0;
}
