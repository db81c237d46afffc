/* The semantics of a room, slow and obvious. */
#include "tests/unit/coordinator/core/rooms/oracle.h"

#include <string.h>

bool oracle_is_past(const struct oracle *oracle, uint32_t worker, uint64_t step)
{
    return oracle->workers[worker].has_ended || oracle->workers[worker].past >= step;
}

bool oracle_is_forgotten(const struct oracle *oracle, uint64_t step)
{
    for (uint32_t worker = 0; worker < oracle->count; worker++) {
        if (!oracle_is_past(oracle, worker, step + 1)) {
            return step == 0;
        }
    }
    return true;
}

static bool waits_for_writer(const struct oracle *oracle, uint32_t worker, uint64_t step)
{
    const struct oracle_wait *wait = &oracle->workers[worker].wait;
    return wait->is_on && wait->kind == OPERATION_WAIT_WRITER && wait->step == step;
}

/* "short" if another worker is past the step, and all others that are not wait for this very writer. */
static bool writer_outcome(const struct oracle *oracle, uint32_t worker, uint64_t step, enum outcome *outcome)
{
    if (oracle->wrote[step]) {
        *outcome = OUTCOME_OK;
        return true;
    }
    bool is_somebody_gone = false;
    for (uint32_t other = 0; other < oracle->count; other++) {
        if (other == worker) {
            continue;
        }
        if (oracle_is_past(oracle, other, step)) {
            is_somebody_gone = true;
        } else if (!waits_for_writer(oracle, other, step)) {
            return false;
        }
    }
    *outcome = OUTCOME_SHORT;
    return is_somebody_gone;
}

static bool has_begun(const struct oracle *oracle, uint32_t worker, uint64_t step)
{
    const struct oracle_worker *it = &oracle->workers[worker];
    return it->past >= step || (it->was_lost && it->past + 1 == step);
}

static bool has_left(const struct oracle *oracle, uint32_t worker, uint64_t step)
{
    bool is_writer = oracle->wrote[step] && oracle->writer[step] == worker; /* it need not read */
    return oracle_is_past(oracle, worker, step) && has_begun(oracle, worker, step) && !is_writer &&
           !oracle->read[step][worker];
}

static bool readers_outcome(const struct oracle *oracle, uint32_t worker, const struct oracle_wait *wait,
                            enum outcome *outcome)
{
    *outcome = OUTCOME_OK;
    if (oracle->is_declared[wait->step] && oracle_read(oracle, wait->step) >= oracle->declared[wait->step]) {
        return true;
    }
    for (uint32_t other = 0; other < oracle->count; other++) {
        if (other == worker) {
            continue;
        }
        if (!oracle->read[wait->step][other] && !oracle_is_past(oracle, other, wait->step)) {
            return false;
        }
        if (wait->is_strict && has_left(oracle, other, wait->step)) {
            *outcome = OUTCOME_SHORT;
        }
    }
    return true;
}

static bool barrier_outcome(const struct oracle *oracle, const struct oracle_wait *wait,
                            enum outcome *outcome)
{
    uint32_t parties = oracle->parties[wait->step];
    *outcome = OUTCOME_OK;
    if (parties > 0 && oracle_arrived(oracle, wait->step, wait->nth) >= parties) {
        return true;
    }
    for (uint32_t other = 0; other < oracle->count; other++) {
        if (oracle->ranks[wait->step][wait->nth][other] == 0 && !oracle_is_past(oracle, other, wait->step)) {
            return false;
        }
    }
    return true;
}

bool oracle_outcome(const struct oracle *oracle, uint32_t worker, enum outcome *outcome)
{
    const struct oracle_wait *wait = &oracle->workers[worker].wait;
    switch (wait->kind) {
    case OPERATION_WAIT_WRITER:
        return writer_outcome(oracle, worker, wait->step, outcome);
    case OPERATION_WAIT_READERS:
        return readers_outcome(oracle, worker, wait, outcome);
    default:
        return barrier_outcome(oracle, wait, outcome);
    }
}

uint32_t oracle_read(const struct oracle *oracle, uint64_t step)
{
    uint32_t count = 0;
    for (uint32_t worker = 0; worker < oracle->count; worker++) {
        count += oracle->read[step][worker] ? 1 : 0;
    }
    return count;
}

uint32_t oracle_readers(const struct oracle *oracle, uint32_t worker, uint64_t step)
{
    if (oracle->is_declared[step]) {
        return oracle->declared[step];
    }
    uint32_t count = oracle_read(oracle, step);
    for (uint32_t other = 0; other < oracle->count; other++) {
        count += other != worker && has_left(oracle, other, step) ? 1 : 0;
    }
    return count;
}

uint32_t oracle_arrived(const struct oracle *oracle, uint64_t step, uint32_t nth)
{
    uint32_t count = 0;
    for (uint32_t worker = 0; worker < oracle->count; worker++) {
        count += oracle->ranks[step][nth][worker] > 0 ? 1 : 0;
    }
    return count;
}

/* Whether a live worker that is not stuck is not past the step that `worker` waits on. */
static bool is_releasable(const struct oracle *oracle, const bool is_stuck[ORACLE_WORKERS], uint32_t worker)
{
    for (uint32_t other = 0; other < oracle->count; other++) {
        if (!is_stuck[other] && !oracle_is_past(oracle, other, oracle->workers[worker].wait.step)) {
            return true;
        }
    }
    return false;
}

void oracle_deadlock(const struct oracle *oracle, bool is_stuck[ORACLE_WORKERS])
{
    memset(is_stuck, 0, sizeof(bool) * ORACLE_WORKERS);
    for (uint32_t worker = 0; worker < oracle->count; worker++) {
        const struct oracle_worker *it = &oracle->workers[worker];
        is_stuck[worker] = it->wait.is_on && it->is_known && !it->has_ended && !it->wait.has_own_timeout;
    }
    bool has_changed = true;
    while (has_changed) {
        has_changed = false;
        for (uint32_t worker = 0; worker < oracle->count; worker++) {
            if (is_stuck[worker] && is_releasable(oracle, is_stuck, worker)) {
                is_stuck[worker] = false;
                has_changed = true;
            }
        }
    }
}
