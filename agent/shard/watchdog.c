/* Counts how often it finds a shard unchanged: by a clock, a frozen process would look like a shard that
 * spins. */
#include "agent/shard/watchdog.h"

#include "common/log.h"
#include "common/memory.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <uv.h>

#define LOOK_MS 250u
#define WHAT_BYTES 250
#define EXIT_STUCK 1
/* A thread that has not come back and has used less processor time than the first is blocked, one that
 * has used more than the second spins. In between, the machine may have no time for it, and it is given
 * longer. */
#define BLOCKED_MS 50u
#define SPINNING_MS 5000u
#define STARVED_TIMES 6u

struct sight {
    uint64_t beats;
    uint32_t stuck_ms; /* found at these beats, awake */
    uint64_t used_ms;  /* the thread's processor time when it was first found so */
};

struct watchdog {
    struct watchdog_settings settings;
    struct sight *sights;
    uv_thread_t thread;
    int wakeup; /* an eventfd, readable when it has to stop */
};

void pulse_init(struct pulse *pulse)
{
    memset(pulse, 0, sizeof *pulse);
    (void)pthread_mutex_init(&pulse->lock, NULL);
}

void pulse_finish(struct pulse *pulse)
{
    (void)pthread_mutex_destroy(&pulse->lock);
}

void pulse_own(struct pulse *pulse)
{
    if (pulse != NULL && pthread_getcpuclockid(pthread_self(), &pulse->clock) == 0) {
        atomic_store(&pulse->has_clock, true);
    }
}

void pulse_sleep(struct pulse *pulse)
{
    if (pulse != NULL) {
        uint64_t beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);
        atomic_store_explicit(&pulse->beats, (beats + 1) | 1, memory_order_release);
    }
}

void pulse_wake(struct pulse *pulse)
{
    if (pulse != NULL) {
        uint64_t beats = atomic_load_explicit(&pulse->beats, memory_order_relaxed);
        atomic_store_explicit(&pulse->beats, (beats | 1) + 1, memory_order_release);
    }
}

void pulse_set_place(struct pulse *pulse, const char *place)
{
    if (pulse == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&pulse->lock);
    (void)snprintf(pulse->place, sizeof pulse->place, "%s", place);
    atomic_store_explicit(&pulse->has_place, place[0] != '\0', memory_order_relaxed);
    (void)pthread_mutex_unlock(&pulse->lock);
}

void pulse_begin_turn(struct pulse *pulse, uint64_t campaign, uint32_t worker, uint64_t step)
{
    if (pulse != NULL) {
        if (atomic_load_explicit(&pulse->has_place, memory_order_relaxed)) {
            pulse_set_place(pulse, "");
        }
        atomic_store_explicit(&pulse->campaign, campaign, memory_order_relaxed);
        atomic_store_explicit(&pulse->worker, worker, memory_order_relaxed);
        atomic_store_explicit(&pulse->step, step, memory_order_relaxed);
        atomic_store_explicit(&pulse->is_turn, true, memory_order_release);
    }
}

void pulse_end_turn(struct pulse *pulse)
{
    if (pulse != NULL) {
        atomic_store_explicit(&pulse->is_turn, false, memory_order_release);
    }
}

/* "worker 3 of campaign 7, step 2, at pad.lua:12" */
static void watchdog_describe(struct pulse *pulse, char what[WHAT_BYTES])
{
    char place[PULSE_PLACE_BYTES];

    if (!atomic_load_explicit(&pulse->is_turn, memory_order_acquire)) {
        (void)snprintf(what, WHAT_BYTES, "it loads or ends a campaign");
        return;
    }
    (void)pthread_mutex_lock(&pulse->lock);
    memcpy(place, pulse->place, sizeof place);
    (void)pthread_mutex_unlock(&pulse->lock);
    (void)snprintf(what, WHAT_BYTES, "it is the turn of worker %u of campaign %llu, step %llu%s%s",
                   (unsigned)atomic_load_explicit(&pulse->worker, memory_order_relaxed),
                   (unsigned long long)atomic_load_explicit(&pulse->campaign, memory_order_relaxed),
                   (unsigned long long)atomic_load_explicit(&pulse->step, memory_order_relaxed),
                   place[0] != '\0' ? ", last seen at " : "", place);
}

static void watchdog_complain(const struct watchdog *watchdog, uint32_t index, uint32_t stuck_ms, bool is_end)
{
    const struct watchdog_settings *settings = &watchdog->settings;
    char what[WHAT_BYTES];

    watchdog_describe(&settings->pulses[index], what);
    log_line(is_end ? LOG_ERROR : LOG_WARNING, settings->agent, "shard %u has not come back for %g s: %s%s",
             (unsigned)index, stuck_ms / 1000.0, what,
             is_end ? "; its workers cannot be stopped otherwise, so the agent ends" : "");
}

static uint64_t watchdog_used_ms(struct pulse *pulse)
{
    struct timespec used = {0};

    if (atomic_load(&pulse->has_clock)) {
        (void)clock_gettime(pulse->clock, &used);
    }
    return (uint64_t)used.tv_sec * 1000 + (uint64_t)used.tv_nsec / 1000000;
}

static bool watchdog_is_lost(struct watchdog *watchdog, uint32_t index)
{
    const struct sight *sight = &watchdog->sights[index];
    uint64_t used_ms = watchdog_used_ms(&watchdog->settings.pulses[index]) - sight->used_ms;

    return sight->stuck_ms >= watchdog->settings.end_ms &&
           (used_ms < BLOCKED_MS || used_ms >= SPINNING_MS ||
            sight->stuck_ms >= STARVED_TIMES * watchdog->settings.end_ms);
}

static void watchdog_look(struct watchdog *watchdog, uint32_t index)
{
    struct sight *sight = &watchdog->sights[index];
    uint32_t warn_ms = watchdog->settings.warn_ms;
    uint64_t beats = atomic_load_explicit(&watchdog->settings.pulses[index].beats, memory_order_acquire);

    if (beats != sight->beats || (beats & 1) != 0) {
        *sight =
            (struct sight){.beats = beats, .used_ms = watchdog_used_ms(&watchdog->settings.pulses[index])};
        return;
    }
    sight->stuck_ms += LOOK_MS;
    if (watchdog_is_lost(watchdog, index)) {
        /* Standard error may be what blocks. */
        (void)alarm(1);
        watchdog_complain(watchdog, index, sight->stuck_ms, true);
        _exit(EXIT_STUCK);
    }
    if (sight->stuck_ms == warn_ms || sight->stuck_ms == 5 * warn_ms) {
        watchdog_complain(watchdog, index, sight->stuck_ms, false);
    }
}

static void watchdog_run(void *context)
{
    struct watchdog *watchdog = context;

    struct pollfd stop = {.fd = watchdog->wakeup, .events = POLLIN};

    /* A relative wait: an instant of a clock may not be of the clock that the kernel waits by. */
    for (;;) {
        int count = poll(&stop, 1, LOOK_MS);
        if (count > 0) {
            break;
        }
        for (uint32_t i = 0; count == 0 && i < watchdog->settings.count; i++) {
            watchdog_look(watchdog, i);
        }
    }
}

static void watchdog_free(struct watchdog **pointer)
{
    struct watchdog *watchdog = *pointer;

    *pointer = NULL;
    if (watchdog->wakeup >= 0) {
        (void)close(watchdog->wakeup);
    }
    memory_free(watchdog->sights);
    memory_free(watchdog);
}

struct watchdog *watchdog_start(const struct watchdog_settings *settings, struct error *error)
{
    struct watchdog *watchdog = MEMORY_NEW(struct watchdog);

    watchdog->settings = *settings;
    watchdog->sights = memory_new(settings->count, sizeof *watchdog->sights);
    watchdog->wakeup = eventfd(0, EFD_CLOEXEC);
    int result =
        watchdog->wakeup < 0 ? UV_EMFILE : uv_thread_create(&watchdog->thread, watchdog_run, watchdog);
    if (result != 0) {
        (void)error_set(error, "the watchdog cannot be started: %s (see ulimit -u, ulimit -n)",
                        uv_strerror(result));
        watchdog_free(&watchdog);
    }
    return watchdog;
}

void watchdog_stop(struct watchdog **pointer)
{
    struct watchdog *watchdog = *pointer;

    if (watchdog == NULL) {
        return;
    }
    *pointer = NULL;
    if (eventfd_write(watchdog->wakeup, 1) != 0) {
        abort();
    }
    uv_thread_join(&watchdog->thread);
    watchdog_free(&watchdog);
}
