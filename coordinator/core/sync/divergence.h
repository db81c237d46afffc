/* A step whose readers did not all see the same. */
#pragma once
#include "proto/message/limits.h"

#include <stdbool.h>
#include <stdint.h>

/* Workers that saw something different from the others, or from what was written. */
struct divergence {
    uint32_t room;
    uint64_t step;
    uint32_t compared; /* readers that reported what they saw */
    uint32_t differed;
    bool is_from_written; /* compared with the payload, else with what most of them saw */
    uint32_t workers[LIMIT_MISSING];
    uint32_t worker_count;
};
