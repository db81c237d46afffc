/* A file of the source tree that is part of the program: tutti_embed_sources of cmake/embed_sources.cmake
 * writes a table of them. */
#pragma once
#include <stddef.h>

struct embedded_source {
    const char *name; /* "session.lua" */
    const unsigned char *text;
    size_t size;
};
