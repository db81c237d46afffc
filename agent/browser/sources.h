/* The Lua and JavaScript of this folder, embedded into the program by cmake/embed_sources.cmake. */
#pragma once
#include <stddef.h>

struct browser_source {
    const char *name; /* "session.lua" */
    const unsigned char *text;
    size_t size;
};

extern const struct browser_source browser_sources[];
extern const size_t browser_source_count;
