/* Whole numbers as people and peers write them. */
#include "common/number.h"

bool number_parse(struct bytes text, uint64_t maximum, uint64_t *number)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < text.size; i++) {
        uint8_t digit = text.data[i];
        if (digit < '0' || digit > '9' || __builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(digit - '0'), &sum)) {
            return false;
        }
    }
    if (text.size == 0 || sum > maximum) {
        return false;
    }
    *number = sum;
    return true;
}
