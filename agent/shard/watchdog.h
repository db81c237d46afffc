/* A thread that watches the shards: which of them does not come back, and whose turn that is. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define PULSE_PLACE_BYTES 100

/* Of a shard, written by its thread. */
struct pulse {
    _Atomic(uint64_t) beats; /* odd while the loop may sleep */
    _Atomic(uint64_t) campaign;
    _Atomic(uint64_t) step;
    _Atomic(uint32_t) worker;
    _Atomic(bool) is_turn; /* a turn of that worker; else something else runs */
    _Atomic(bool) has_clock;
    clockid_t clock; /* of its thread's processor time */
    _Atomic(bool) has_place;
    pthread_mutex_t lock;
    char place[PULSE_PLACE_BYTES]; /* under the lock: where a long turn was last seen, "" if nowhere */
};

void pulse_init(struct pulse *pulse);
void pulse_finish(struct pulse *pulse);
/* From the shard's thread, before anything else. All of these tolerate NULL. */
void pulse_own(struct pulse *pulse);
void pulse_sleep(struct pulse *pulse);
void pulse_wake(struct pulse *pulse);
void pulse_begin_turn(struct pulse *pulse, uint64_t campaign, uint32_t worker, uint64_t step);
void pulse_end_turn(struct pulse *pulse);
void pulse_set_place(struct pulse *pulse, const char *place);

struct watchdog_settings {
    const char *agent;    /* its name, for the log */
    struct pulse *pulses; /* of all shards; they outlive the watchdog */
    uint32_t count;
    uint32_t warn_ms;
    /* A shard that does not come back for this long ends the process, with exit code 1: else the agent would
     * keep a lease for workers that nobody can stop. */
    uint32_t end_ms;
};

struct watchdog;
/* NULL with an error if there is no thread to be had. */
MUST_CHECK struct watchdog *watchdog_start(const struct watchdog_settings *settings, struct error *error);
void watchdog_stop(struct watchdog **watchdog);
