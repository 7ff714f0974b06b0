/* topic_regex_tree.h - a parsed pattern; between topic_regex_parse.c and topic_regex.c
 * only. */
#ifndef CONTROLPLANE_TOPIC_REGEX_TREE_H
#define CONTROLPLANE_TOPIC_REGEX_TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/defs.h"
#include "common/err.h"
#include "common/slice.h"

/* ASCII characters: bit c % 64 of word c / 64. */
struct regex_set {
    uint64_t bits[2];
};

static inline bool regex_set_has(const struct regex_set *set, uint32_t c)
{
    return c < 128 && (set->bits[c / 64] >> (c % 64) & 1) != 0;
}

enum regex_kind {
    REGEX_EMPTY,
    REGEX_SET,
    REGEX_ASSERT,
    REGEX_SEQUENCE,
    REGEX_ALTERNATIVES,
    REGEX_REPEAT,
};

enum regex_assertion { REGEX_BEGIN, REGEX_END, REGEX_BOUNDARY, REGEX_NO_BOUNDARY };

struct regex_node {
    enum regex_kind kind;
    enum regex_assertion assertion;
    uint32_t child, next; /* first child, next sibling; 0: none */
    int32_t min, max;     /* REPEAT; max -1: without end */
    struct regex_set set;
};

struct regex_tree {
    struct regex_node *nodes; /* the first is no node */
    uint32_t count, cap;
    uint32_t root;
};

/* As topic_regex_new. */
int regex_tree_parse(struct slice pattern, struct regex_tree *tree,
                     struct err *err) MUST_CHECK;
void regex_tree_fini(struct regex_tree *tree);

#endif
