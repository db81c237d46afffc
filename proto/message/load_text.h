/* The shape of a campaign's load, as its options spell it: rates, stages and think times. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOAD_STAGES_MAX 32u
#define LOAD_TEXT_BYTES 1024u
#define LOAD_RATE_MAX 1e6 /* a second */

/* Within its length the value goes evenly from that of the stage before to `target`. */
struct load_stage {
    uint64_t length_ms;
    double target; /* workers, or steps a second */
};

struct load_stages {
    struct load_stage items[LOAD_STAGES_MAX];
    size_t count;
    uint64_t length_ms; /* of all of them */
    bool are_rates;     /* 30s:100/s, not 30s:100 */
};

enum think_law { THINK_NONE, THINK_CONSTANT, THINK_UNIFORM, THINK_NORMAL, THINK_EXPONENTIAL };

struct think_time {
    enum think_law law;
    uint64_t first_ms;  /* constant: the time; uniform: the shortest; normal, exponential: the mean */
    uint64_t second_ms; /* uniform: the longest; normal: the standard deviation */
};

/* "50/s", "12.5/m", "3/h". */
MUST_CHECK bool load_parse_rate(struct bytes text, double *per_s, struct error *error);
/* "30s:100,2m:100,30s:0", each a duration and the number of workers at its end; with rates ("30s:100/s") all
 * of them have one. Spaces may take the place of commas. */
MUST_CHECK bool load_parse_stages(struct bytes text, struct load_stages *stages, struct error *error);
/* "2s", "uniform:1s:3s", "normal:2s:500ms", "exponential:2s". */
MUST_CHECK bool load_parse_think(struct bytes text, struct think_time *think, struct error *error);

/* For rows of `struct option`: the same, or nothing. */
bool load_check_rate(struct bytes text, struct error *error);
bool load_check_stages(struct bytes text, struct error *error);
bool load_check_think(struct bytes text, struct error *error);

/* What is drawn of `think` after this step of the worker: the same for the same seed, wherever it runs. */
uint64_t think_draw_ns(const struct think_time *think, uint64_t seed, uint32_t worker, uint64_t step);
