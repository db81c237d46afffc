/* The rooms of a campaign for an observer: who waits for what, for whom, and how long. Pure. */
#pragma once
#include "common/bytes.h"
#include "proto/message/limits.h"
#include "proto/message/operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rooms;

struct room_view {
    uint32_t workers; /* that it has seats for */
    uint32_t live;    /* that have not ended */
    uint32_t waiting;
    uint64_t step;      /* the latest one that any of its workers is in; 0: not known */
    uint64_t oldest_ns; /* how long who waits longest has waited; 0: nobody waits */
};

/* What a worker waits for. */
struct wait_view_now {
    enum operation_kind kind;
    struct bytes name;
    uint64_t step; /* 0: it is a variable */
    uint32_t nth;  /* of a barrier: how many of this name the worker had in the step before it */
    uint64_t waited_ns;
    uint64_t timeout_ms;
    bool has_progress;
    uint64_t arrived; /* at a barrier; of readers, those that have read */
    uint64_t parties; /* that it takes */
    /* The first of those that can end the wait and do not wait for the same, in ascending order. */
    uint32_t missing[LIMIT_MISSING];
    uint32_t missing_count;
    bool has_more_missing;
};

struct seat_view {
    uint32_t worker;
    bool has_ended;
    uint64_t step; /* that it is in, or was in last; 0: not known */
    bool is_waiting;
    struct wait_view_now wait;
};

uint32_t rooms_view_count(const struct rooms *rooms);
/* Of one that exists. */
struct room_view rooms_view_room(const struct rooms *rooms, uint64_t now_ns, uint32_t room);
/* From `first` on, at most `most`; how many there were. Names are borrowed until the rooms change. */
size_t rooms_view_seats(const struct rooms *rooms, uint64_t now_ns, uint32_t room, uint32_t first,
                        struct seat_view *seats, size_t most);
