/* What a fuzz target is: one function that takes any bytes and either returns or finds a bug. */
#pragma once
#include "common/bytes.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                                \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                   \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

/* Takes numbers off the front of the input; 0 when it is used up. */
static inline uint64_t fuzz_number(struct bytes *input, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size && input->size > 0; i++) {
        number = number << 8 | *input->data;
        *input = bytes_of(input->data + 1, input->size - 1);
    }
    return number;
}
