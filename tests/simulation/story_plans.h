/* The plans of the stories. */
#pragma once
#include "tests/simulation/plan.h"

#include <stddef.h>

struct story {
    const char *name;
    const char *about; /* one line, the first of its transcript */
    void (*tell)(struct plan *plan);
};

const struct story *story_plans(size_t *count);
