/* A named shared value, and the waits for it. */
#pragma once
#include "common/attributes.h"
#include "common/shared.h"
#include "common/text.h"
#include "coordinator/core/base/quota.h"
#include "coordinator/core/sync/wait.h"

struct map;

#define VARIABLES_MAX_COUNT 100000u
#define VARIABLES_MAX_BYTES (64u * 1024u * 1024u)

struct variable {
    uint32_t room; /* a room, or ROOM_CAMPAIGN */
    struct text name;
    struct bytes value;    /* empty while unset */
    struct shared *shared; /* keeps it alive, as do answers in transit; NULL while unset */
    struct wait_list waits;
    bool is_being_made;
    uint32_t maker;               /* the worker whose factory runs */
    struct variable *next_making; /* made by the same worker: factories may nest */
};

/* All variables of a campaign together: their quota, and who makes which. */
struct variables {
    struct map *of_campaign;
    uint32_t count;
    struct quota quota;
    struct variable *
        *making; /* by worker: the first variable that it makes; NULL until the first factory runs */
    uint32_t worker_count;
};

void variables_init(struct variables *variables, uint32_t worker_count);
void variables_extend(struct variables *variables, uint32_t worker_count);
void variables_finish(struct variables *variables);
/* Frees the variables of a map, and empties it. */
void variables_clear(struct variables *variables, struct map *map);

/* Finds it in `map`, which is created if it is NULL; NULL if the limit for new ones is reached. */
MUST_CHECK struct variable *variables_need(struct variables *variables, struct map **map, uint32_t room,
                                           struct bytes name);
/* Frees it if it is unset, and nobody waits for it or makes it. */
void variables_tidy(struct variables *variables, struct map *map, struct variable *variable);
/* nil unsets it. False if the value exceeds the quota; then nothing has changed. */
MUST_CHECK bool variables_assign(struct variables *variables, struct variable *variable, struct bytes value);

bool variable_is_nil(struct bytes value);
/* The value, or nil in its encoding. */
struct bytes variable_value(const struct variable *variable);

void variables_begin_making(struct variables *variables, struct variable *variable, uint32_t maker);
/* No effect if nobody makes it. */
void variables_end_making(struct variables *variables, struct variable *variable);
/* A variable that the worker makes, or NULL. */
struct variable *variables_made_by(const struct variables *variables, uint32_t worker);
