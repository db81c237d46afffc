/* The loads of a campaign: groups of workers that run side by side, each with a scenario and a shape of its
 * own. Pure. */
#pragma once
#include "common/option.h"
#include "proto/message/campaign.h"
#include "proto/message/load_text.h"

#define LOADS_MAX 16u

struct load {
    struct bytes scenario; /* empty: any */
    uint32_t first_worker; /* its workers have ids from here on */
    uint32_t workers;
    uint32_t max_workers; /* that it may have where arrivals find none that is free; 0: no more */
    uint64_t start_ms;    /* after the campaign has begun */
    uint64_t duration_ms; /* since then; 0: as long as the campaign goes on */
    uint64_t runs;        /* of each worker; 0: no limit of its own */
    uint64_t pacing_ms;
    struct bytes rate;
    struct bytes stages; /* of a rate */
    struct bytes think;
    enum arrival_law arrivals;
};

/* Texts are views of what they were parsed from. */
struct loads {
    struct load items[LOADS_MAX];
    size_t count;
};

/* What may be said of one, but for its scenario. */
#define LOAD_OPTION_COUNT 10u
extern const struct option load_option_table[LOAD_OPTION_COUNT];
/* One a line: "SCENARIO;workers=N;rate=50/s;start=10s…". */
MUST_CHECK bool loads_parse(struct bytes text, struct loads *loads, struct error *error);
/* For a row of `struct option`: the same, or nothing. */
bool loads_check(struct bytes text, struct error *error);
/* Those of a campaign; one of all its workers where its options name none. */
void loads_of(const struct campaign_options *options, struct loads *loads);
/* Whether any of them may have more workers than it begins with. */
bool loads_may_grow(const struct campaign_options *options);
/* The most workers that it is to have at the same time. */
uint32_t load_most_workers(const struct load *load);
/* False with why its max_workers do not go with the rest of it. */
MUST_CHECK bool load_growth_fits(const struct load *load, uint32_t room_size, struct error *error);
/* Whether its steps begin by a rate. */
bool load_is_open(const struct load *load);
/* How long it goes on after its start, as far as it says so itself: its duration or its stages. */
uint64_t load_length_ms(const struct load *load);
/* False with why the loads do not go with the other options. */
MUST_CHECK bool loads_fit(const struct campaign_options *options, struct error *error);
