/* One POSIX timer per thread, on the thread's own processor time: it does not fire while the thread
 * sleeps. */
#include "agent/script/ticker.h"

#include "agent/script/limits.h"
#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TICK_NS (4 * NS_PER_MS)
/* Setting a hook walks over all active calls, which takes long in a deep recursion: then the next tick is
 * delayed, so that most of the time remains for the script. */
#define TIMES_COST 8u
#define TICK_SIGNAL (SIGRTMIN + 3)

/* A signal handler can only use data of its thread. */
static _Thread_local struct {
    struct limits *volatile target;
    timer_t timer;
    unsigned starts;
    bool is_running;
    volatile sig_atomic_t is_armed;
    uint64_t cost_ns; /* of the last interruption */
} ticker;

uint64_t ticker_thread_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* The next tick is armed when the work requested by this one is done: however long that takes, the script
 * makes progress. */
static void ticker_arm(void)
{
    uint64_t delay_ns = TICK_NS + TIMES_COST * ticker.cost_ns;
    const struct itimerspec once = {
        .it_value = {.tv_sec = (time_t)(delay_ns / NS_PER_S), .tv_nsec = (long)(delay_ns % NS_PER_S)}};

    ticker.is_armed = timer_settime(ticker.timer, 0, &once, NULL) == 0;
}

void ticker_go_on(void)
{
    if (ticker.is_running && !ticker.is_armed) {
        ticker_arm();
    }
}

static void ticker_on_signal(int number)
{
    int before = errno;
    struct limits *target = ticker.target;

    (void)number;
    ticker.is_armed = 0;
    if (target != NULL) {
        uint64_t begin_ns = ticker_thread_ns();
        limits_interrupt(target);
        ticker.cost_ns = ticker_thread_ns() - begin_ns;
    } else {
        ticker_arm();
    }
    errno = before;
}

static bool ticker_open(void)
{
    struct sigaction action = {.sa_handler = ticker_on_signal, .sa_flags = SA_RESTART};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = TICK_SIGNAL};

    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (sigaction(TICK_SIGNAL, &action, NULL) != 0 ||
        timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &ticker.timer) != 0) {
        return false;
    }
    ticker_arm();
    return true;
}

void ticker_start(void)
{
    if (ticker.starts++ == 0) {
        ticker.is_running = ticker_open();
    }
}

void ticker_stop(void)
{
    assert(ticker.starts > 0);
    if (--ticker.starts == 0 && ticker.is_running) {
        (void)timer_delete(ticker.timer);
        ticker.is_running = false;
    }
}

bool ticker_is_running(void)
{
    return ticker.is_running;
}

void ticker_aim(struct limits *limits)
{
    ticker.target = limits;
}
