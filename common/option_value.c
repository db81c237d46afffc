/* The values of options, and what their rows say of them. */
#include "common/option.h"

#include <string.h>

static size_t number_size(const struct option *option)
{
    if (option->type == OPTION_COUNT || option->type == OPTION_CHOICE) {
        return sizeof(uint32_t);
    }
    return option->size > 0 ? option->size : sizeof(uint64_t);
}

uint64_t option_maximum(const struct option *option)
{
    if (option->maximum > 0) {
        return option->maximum;
    }
    size_t size = number_size(option);
    return size == sizeof(uint64_t) ? UINT64_MAX : (1ULL << (8 * size)) - 1;
}

uint64_t option_number(const struct option *option, const void *values)
{
    const void *value = (const char *)values + option->offset;
    switch (number_size(option)) {
    case sizeof(uint16_t):
        return *(const uint16_t *)value;
    case sizeof(uint32_t):
        return *(const uint32_t *)value;
    default:
        return *(const uint64_t *)value;
    }
}

void option_put_number(const struct option *option, void *values, uint64_t number)
{
    void *value = (char *)values + option->offset;
    switch (number_size(option)) {
    case sizeof(uint16_t):
        *(uint16_t *)value = (uint16_t)number;
        break;
    case sizeof(uint32_t):
        *(uint32_t *)value = (uint32_t)number;
        break;
    default:
        *(uint64_t *)value = number;
        break;
    }
}

static uint32_t value_of_choice(const struct option *option, uint32_t position)
{
    return option->values != NULL ? option->values[position] : position;
}

bool option_find_choice(const struct option *option, const char *word, uint32_t *value)
{
    for (uint32_t i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(option->choices[i], word) == 0) {
            *value = value_of_choice(option, i);
            return true;
        }
    }
    return false;
}

const char *option_choice(const struct option *option, uint32_t value)
{
    for (uint32_t i = 0; option->choices[i] != NULL; i++) {
        if (value_of_choice(option, i) == value) {
            return option->choices[i];
        }
    }
    return NULL;
}
