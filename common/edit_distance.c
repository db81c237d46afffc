/* How much two words differ. */
#include "common/edit_distance.h"

#include <assert.h>

static size_t edit_distance_smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

size_t edit_distance(struct bytes left, struct bytes right)
{
    size_t row[EDIT_DISTANCE_MAX_BYTES + 1];
    assert(right.size <= EDIT_DISTANCE_MAX_BYTES);
    for (size_t j = 0; j <= right.size; j++) {
        row[j] = j;
    }
    for (size_t i = 0; i < left.size; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < right.size; j++) {
            size_t changed = diagonal + (left.data[i] != right.data[j]);
            diagonal = row[j + 1];
            row[j + 1] = edit_distance_smaller(changed, edit_distance_smaller(diagonal, row[j]) + 1);
        }
    }
    return row[right.size];
}
