/* docs/openapi.yaml, put into the program when it is built. */
#pragma once
#include <stddef.h>

extern const unsigned char openapi_text[];
extern const size_t openapi_size;
