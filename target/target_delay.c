/* Connections that wait for a while without blocking a thread. */
#include "target/target_delay.h"

#include "common/clock.h"
#include "common/container.h"
#include "common/memory.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

struct delays {
    pthread_mutex_t lock;
    pthread_cond_t has_changed; /* an earlier deadline, or the end */
    pthread_t thread;
    struct timers *timers;
    bool is_stopping;
};

static void resume_due(struct delays *delays, uint64_t now_ns)
{
    struct timer *timer;
    while ((timer = timers_take_due(delays->timers, now_ns)) != NULL) {
        MHD_resume_connection(CONTAINER_OF(timer, struct delay, timer)->connection);
    }
}

/* A condition variable cannot wait on the clock of common/clock.h, so it waits for the difference. */
static void sleep_until(struct delays *delays, uint64_t due_ns, uint64_t now_ns)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    uint64_t until_ns = (uint64_t)until.tv_sec * NS_PER_S + (uint64_t)until.tv_nsec + (due_ns - now_ns);
    until.tv_sec = (time_t)(until_ns / NS_PER_S);
    until.tv_nsec = (long)(until_ns % NS_PER_S);
    pthread_cond_timedwait(&delays->has_changed, &delays->lock, &until);
}

static void *wake_in_time(void *argument)
{
    struct delays *delays = argument;
    pthread_mutex_lock(&delays->lock);
    while (!delays->is_stopping) {
        uint64_t now_ns = clock_now_ns();
        resume_due(delays, now_ns);
        uint64_t due_ns = timers_next_ns(delays->timers);
        if (due_ns == TIMERS_NEVER) {
            pthread_cond_wait(&delays->has_changed, &delays->lock);
        } else {
            sleep_until(delays, due_ns, now_ns);
        }
    }
    resume_due(delays, TIMERS_NEVER);
    pthread_mutex_unlock(&delays->lock);
    return NULL;
}

static void target_delay_finish(struct delays *delays)
{
    timers_free(&delays->timers);
    pthread_cond_destroy(&delays->has_changed);
    pthread_mutex_destroy(&delays->lock);
    memory_free(delays);
}

struct delays *delays_new(struct error *error)
{
    struct delays *delays = MEMORY_NEW(struct delays);
    pthread_condattr_t attributes;
    int failure = pthread_mutex_init(&delays->lock, NULL);
    failure += pthread_condattr_init(&attributes);
    failure += pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failure += pthread_cond_init(&delays->has_changed, &attributes);
    failure += pthread_condattr_destroy(&attributes);
    assert(failure == 0);
    delays->timers = timers_new();
    failure = pthread_create(&delays->thread, NULL, wake_in_time, delays);
    if (failure != 0) {
        error_set_system(error, failure, "cannot start a thread of the target");
        target_delay_finish(delays);
        return NULL;
    }
    return delays;
}

bool delays_suspend(struct delays *delays, struct delay *delay, struct MHD_Connection *connection,
                    uint64_t milliseconds)
{
    pthread_mutex_lock(&delays->lock);
    bool is_suspended = !delays->is_stopping;
    if (is_suspended) {
        uint64_t due_ns = clock_now_ns() + milliseconds * NS_PER_MS;
        bool is_first = due_ns < timers_next_ns(delays->timers);
        delay->connection = connection;
        timer_init(&delay->timer);
        timers_set(delays->timers, &delay->timer, due_ns);
        /* Within the lock: else it could be resumed before it is suspended. */
        MHD_suspend_connection(connection);
        if (is_first) {
            pthread_cond_signal(&delays->has_changed);
        }
    }
    pthread_mutex_unlock(&delays->lock);
    return is_suspended;
}

void delays_stop(struct delays *delays)
{
    pthread_mutex_lock(&delays->lock);
    delays->is_stopping = true;
    pthread_cond_signal(&delays->has_changed);
    pthread_mutex_unlock(&delays->lock);
    pthread_join(delays->thread, NULL);
}

void delays_free(struct delays **delays)
{
    if (*delays != NULL) {
        target_delay_finish(*delays);
        *delays = NULL;
    }
}
