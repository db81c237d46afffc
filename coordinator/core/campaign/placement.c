/* Which agent of a campaign each of its workers belongs to. */
#include "coordinator/core/campaign/placement.h"

#include "common/memory.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

/* Spread over the ids, an agent may have one run for each worker: with more runs than a message takes,
 * workers stay where they were placed in turn. */
#define SPREAD_WORKERS_MOST LIMIT_SET_RUNS

struct placement {
    uint32_t *agents; /* by worker */
    size_t capacity;
    uint32_t workers;
    uint32_t next; /* agent whose turn it is */
};

/* What an agent gets of all workers. They are spread evenly if each is placed at its fraction of the ids. */
struct share_of_agent {
    uint32_t agent;
    uint64_t count;
    uint64_t given;
};

/* The id at which its next worker would be placed exactly, in half intervals, as a fixed-point number with 16
 * fractional bits. */
static uint64_t next_position(const struct share_of_agent *share, uint64_t workers)
{
    return (((2 * share->given + 1) * workers) << 16u) / (2 * share->count);
}

static bool placement_is_before(const struct share_of_agent *left, const struct share_of_agent *right,
                                uint64_t workers)
{
    uint64_t one = next_position(left, workers);
    uint64_t other = next_position(right, workers);
    return one != other ? one < other : left->agent < right->agent;
}

/* Restores the heap below `at`; at its root is the share whose turn is next. */
static void sink(struct share_of_agent *heap, size_t count, size_t at, uint64_t workers)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) {
            return;
        }
        child += child + 1 < count && placement_is_before(&heap[child + 1], &heap[child], workers) ? 1 : 0;
        if (!placement_is_before(&heap[child], &heap[at], workers)) {
            return;
        }
        struct share_of_agent moved = heap[at];
        heap[at] = heap[child];
        heap[child] = moved;
        at = child;
    }
}

/* Keeps the number of workers of each agent; where no agent was full, also which they are. */
static void spread(struct placement *placement, uint32_t agents)
{
    struct share_of_agent *heap = memory_new(agents, sizeof *heap);
    uint32_t *counts = memory_new(agents, sizeof *counts);
    size_t size = 0;
    for (uint32_t i = 0; i < placement->workers; i++) {
        counts[placement->agents[i]]++;
    }
    for (uint32_t i = 0; i < agents; i++) {
        if (counts[i] > 0) {
            heap[size++] = (struct share_of_agent){.agent = i, .count = counts[i]};
        }
    }
    for (size_t i = size; i-- > 0;) {
        sink(heap, size, i, placement->workers);
    }
    for (uint32_t i = 0; i < placement->workers; i++) {
        placement->agents[i] = heap[0].agent;
        heap[0].given++;
        if (heap[0].given == heap[0].count) {
            heap[0] = heap[--size];
        }
        sink(heap, size, 0, placement->workers);
    }
    memory_free(counts);
    memory_free(heap);
}

/* The agents that take workers, from the one whose turn it is. */
static uint32_t list_open(const struct placement *placement, const uint32_t *room_for, uint32_t agents,
                          uint32_t *open)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < agents; i++) {
        uint32_t agent = (placement->next + i) % agents;
        if (room_for[agent] > 0) {
            open[count++] = agent;
        }
    }
    return count;
}

static void deal_in_turn(struct placement *placement, uint32_t first, uint32_t *room_for, uint32_t agents)
{
    uint32_t *open = memory_new(agents, sizeof *open);
    uint32_t count = list_open(placement, room_for, agents, open);
    uint32_t at = 0;
    for (uint32_t worker = first; worker < placement->workers; worker++) {
        assert(count > 0);
        uint32_t agent = open[at];
        placement->agents[worker] = agent;
        placement->next = (agent + 1) % agents;
        room_for[agent] -= room_for[agent] == UINT32_MAX ? 0 : 1;
        if (room_for[agent] > 0) {
            at = (at + 1) % count;
            continue;
        }
        count--;
        memmove(open + at, open + at + 1, (count - at) * sizeof *open);
        at = at == count ? 0 : at;
    }
    memory_free(open);
}

struct placement *placement_new(uint32_t workers, uint32_t *room_for, uint32_t agents)
{
    struct placement *placement = MEMORY_NEW(struct placement);
    (void)placement_extend(placement, workers, room_for, agents);
    return placement;
}

uint32_t placement_extend(struct placement *placement, uint32_t workers, uint32_t *room_for, uint32_t agents)
{
    assert(agents > 0);
    uint32_t first = placement->workers;
    placement->workers += workers;
    placement->agents = memory_reserve(placement->agents, &placement->capacity, placement->workers,
                                       sizeof *placement->agents);
    deal_in_turn(placement, first, room_for, agents);
    if (first == 0 && workers <= SPREAD_WORKERS_MOST) {
        spread(placement, agents);
    }
    return first;
}

void placement_free(struct placement **placement)
{
    if (*placement != NULL) {
        memory_free((*placement)->agents);
        memory_free(*placement);
        *placement = NULL;
    }
}

uint32_t placement_count(const struct placement *placement)
{
    return placement->workers;
}

uint32_t placement_agent(const struct placement *placement, uint32_t worker)
{
    return worker < placement->workers ? placement->agents[worker] : PLACEMENT_NOBODY;
}

/* Without a branch for each worker of the run. */
static bool owns_run(const struct placement *placement, uint32_t agent, const struct worker_run *run)
{
    uint64_t last = run->first + (uint64_t)run->stride * (run->count - 1);
    if (run->count == 0 || last >= placement->workers) {
        return false;
    }
    uint32_t differs = 0;
    const uint32_t *at = placement->agents + run->first;
    if (run->stride == 1) {
        for (uint32_t i = 0; i < run->count; i++) {
            differs |= at[i] ^ agent;
        }
        return differs == 0;
    }
    for (uint64_t i = 0; i < run->count; i++) {
        differs |= at[i * run->stride] ^ agent;
    }
    return differs == 0;
}

bool placement_owns_all(const struct placement *placement, uint32_t agent, const struct worker_set *workers)
{
    for (size_t i = 0; i < workers->run_count; i++) {
        if (!owns_run(placement, agent, &workers->runs[i])) {
            return false;
        }
    }
    return true;
}

void placement_workers(const struct placement *placement, uint32_t agent, struct worker_set *workers)
{
    for (uint32_t i = 0; i < placement->workers; i++) {
        if (placement->agents[i] == agent) {
            worker_set_add(workers, i);
        }
    }
}

void placement_give(struct placement *placement, uint32_t worker, uint32_t agent)
{
    assert(worker < placement->workers);
    placement->agents[worker] = agent;
}

void placement_pack(const struct placement *placement, struct buffer *into)
{
    pack_number(into, placement->workers);
    pack_number(into, placement->next);
    for (uint32_t i = 0; i < placement->workers; i++) {
        pack_number(into, placement->agents[i] + 1u); /* 0: PLACEMENT_NOBODY */
    }
}

struct placement *placement_unpack(struct unpack *from, uint32_t agents)
{
    uint32_t workers = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    uint32_t next = (uint32_t)unpack_bounded(from, agents);
    if (workers > from->left.size) {
        unpack_break(from);
        return NULL;
    }
    struct placement *placement = MEMORY_NEW(struct placement);
    placement->workers = workers;
    placement->next = next;
    placement->agents = memory_reserve(NULL, &placement->capacity, workers, sizeof *placement->agents);
    for (uint32_t i = 0; i < workers; i++) {
        placement->agents[i] = (uint32_t)unpack_bounded(from, agents) - 1;
    }
    if (from->is_broken) {
        placement_free(&placement);
    }
    return placement;
}
