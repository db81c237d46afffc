/* Workers that wait for the same thing, for who watches a campaign. Pure. */
#pragma once
#include "common/buffer.h"
#include "proto/message/operation.h"

/* Workers that wait now for the same kind of thing of one name, whatever the step. */
struct wait_crowd {
    enum operation_kind kind;
    struct bytes name;
    uint64_t first_step; /* a variable has none: 0 */
    uint64_t last_step;
    uint64_t workers;
    uint64_t oldest_ns; /* how long the one has waited that has waited longest */
};

/* How many of them a report has: those of the most workers. */
#define REPORT_WAIT_CROWDS 8u

/* Appends what they wait for: "the writer of pad@12", "barrier start@3–4", "variable url"; escaped. */
void wait_crowd_describe(const struct wait_crowd *crowd, struct buffer *text);
