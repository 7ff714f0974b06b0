/* duplicates.c - find equal names by sorting references to them. */
#include "agent/duplicates.h"

#include <stdlib.h>

#include "common/err.h"

static int compare(const void *a, const void *b)
{
    return slice_cmp(**(const struct slice *const *)a, **(const struct slice *const *)b);
}

int duplicates_find(const struct slice *names, size_t n, struct arena *arena,
                    bool **marked)
{
    bool *found = arena_try_array(arena, n, sizeof(*found));
    const struct slice **sorted = arena_try_array(arena, n, sizeof(*sorted));
    if (found == NULL || sorted == NULL)
        return ERR_TOO_LARGE;
    size_t count = 0;
    for (size_t i = 0; i < n; i++) {
        if (names[i].ptr != NULL)
            sorted[count++] = &names[i];
    }
    if (count > 1)
        qsort(sorted, count, sizeof(*sorted), compare);
    for (size_t i = 1; i < count; i++) {
        if (slice_eq(*sorted[i], *sorted[i - 1]))
            found[sorted[i] - names] = found[sorted[i - 1] - names] = true;
    }
    *marked = found;
    return 0;
}
