/* fuzz_commit.c - commits and results in raw form and as JSON, walked to their end. */
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "proto/commit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A commit that passes its check walks without failure and survives rewriting. */
static void use_commit(const struct commit *commit)
{
    struct commit_walk walk;
    struct err err;

    if (commit_check(commit, &err) != 0)
        return;
    commit_walk_init(&walk, commit);
    while (commit_walk_next_run(&walk))
        while (commit_walk_next_batch(&walk))
            ;
    if (walk.failed)
        __builtin_trap();
    struct json *value = commit_to_json(commit);
    struct commit back;
    struct arena arena;
    arena_init(&arena, 64 * MIB);
    if (commit_from_json(value, &arena, &back, &err) != 0 ||
        !slice_eq(back.length, commit->length))
        __builtin_trap();
    arena_fini(&arena);
    json_free(value);
}

static void from_json(struct slice text, struct arena *arena)
{
    struct json *value;
    struct commit commit;
    struct commit_result result;
    struct err err;

    if (json_parse(text, &value, &err) != 0)
        return;
    if (commit_from_json(value, arena, &commit, &err) == 0)
        use_commit(&commit);
    (void)!commit_result_from_json(value, arena, &result, &err);
    json_free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct commit commit;
    struct commit_result result;
    struct reader r;
    struct arena arena;

    arena_init(&arena, 64 * MIB);
    reader_init(&r, slice_of(data, size));
    if (commit_read(&r, &arena, &commit) == 0)
        use_commit(&commit);
    reader_init(&r, slice_of(data, size));
    (void)!commit_result_read(&r, &arena, &result);
    from_json(slice_of(data, size), &arena);
    arena_fini(&arena);
    return 0;
}
