/* Preloaded into an agent, shifts its clocks: TUTTI_SHIFT_WALL_S for the wall clock, TUTTI_SHIFT_STEADY_S for
 * the monotonic ones. Seconds, which may have a fraction or a minus sign. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000L

static void shift(struct timespec *time, const char *variable)
{
    const char *text = getenv(variable);
    long long shift_ns = text != NULL ? (long long)(strtod(text, NULL) * (double)NS_PER_S) : 0;
    long long sum_ns = (long long)time->tv_sec * NS_PER_S + time->tv_nsec + shift_ns;
    time->tv_sec = (time_t)(sum_ns / NS_PER_S);
    time->tv_nsec = (long)(sum_ns % NS_PER_S);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        shift(time, "TUTTI_SHIFT_WALL_S");
    } else if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE ||
                               clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_BOOTTIME)) {
        shift(time, "TUTTI_SHIFT_STEADY_S");
    }
    return result;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec now;
    (void)zone;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    if (result == 0) {
        *time = (struct timeval){.tv_sec = now.tv_sec, .tv_usec = now.tv_nsec / 1000};
    }
    return result;
}
