/* fuzz_json.c - JSON that peers send: parse, walk with every getter, print, parse again.
 */
#include <stdint.h>
#include <stdlib.h>

#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODES_MAX 4096

struct walk {
    struct arena arena;
    unsigned nodes;
};

/* Ask VALUE for everything: each getter either answers or fails its own reader. */
static void visit(struct walk *walk, const struct json *value, unsigned depth)
{
    struct err err;

    if (depth > JSON_DEPTH_MAX)
        abort(); /* json_parse promised */
    if (walk->nodes++ > NODES_MAX)
        return;
#define READER ((struct json_reader){.err = &err})
    struct json_reader r = READER;
    (void)json_as_int(&r, value, "int", INT64_MIN, INT64_MAX);
    r = READER;
    (void)json_as_bool(&r, value, "bool");
    r = READER;
    (void)json_as_uuid(&r, value, "uuid");
    r = READER;
    struct slice s = json_as_string(&r, value, "string", 64);
    if (!r.failed && s.len > 64)
        abort();
    r = READER;
    (void)json_as_base64(&r, value, "base64", &walk->arena);
    r = READER;
    (void)json_get_array(&r, value, "a");

    void *iter = NULL;
    const char *key;
    const struct json *member;
    while (json_next(value, &iter, &key, &member))
        visit(walk, member, depth + 1);
    for (size_t i = 0; json_is_array(value) && i < json_count(value); i++) {
        r = READER;
        visit(walk, json_at(&r, value, i), depth + 1);
        if (r.failed)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json *value, *again;
    struct walk walk = {.nodes = 0};
    struct str first, second;
    struct err err;

    if (json_parse(slice_of(data, size), &value, &err) != 0)
        return 0;
    arena_init(&walk.arena, MIB);
    visit(&walk, value, 0);
    arena_fini(&walk.arena);

    /* What we print, we can read, and it prints the same. */
    str_init(&first, 16 * MIB);
    str_init(&second, 16 * MIB);
    json_print(value, &first);
    if (json_parse(str_slice(&first), &again, &err) != 0)
        abort();
    json_print(again, &second);
    if (!slice_eq(str_slice(&first), str_slice(&second)))
        abort();
    str_fini(&first);
    str_fini(&second);
    json_free(again);
    json_free(value);
    return 0;
}
