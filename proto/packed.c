/* packed.c - see packed.h. */
#include "proto/packed.h"

int64_t packed_count(struct slice column)
{
    int64_t count = 0;

    for (size_t i = 0; i < column.len; i++)
        count += (column.ptr[i] & 0x80) == 0;
    if (column.len > 0 && (column.ptr[column.len - 1] & 0x80) != 0)
        return -1;
    return count;
}
