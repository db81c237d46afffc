/* Handlers of our own: libuv's wait for the loop, which may be busy with the very thing that is to be
 * ended. */
#include "agent/main/leave_signals.h"

#include "common/memory.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/time.h>
#include <unistd.h>

#define EXIT_BY_SIGNAL 128
/* How long an orderly end may take once it has been asked for twice. */
#define PATIENCE_US 500000

struct leave_signals {
    uv_async_t wakeup;
    void (*on_leave)(void *context);
    void *context;
    unsigned seen; /* how many signals have been handed on */
};

/* A handler can reach nothing else. */
static _Atomic(struct leave_signals *) leave_signals_current;
static atomic_uint leave_signals_count;
static atomic_int leave_signals_second; /* the number of the second one */

/* The loop has not got to it: some thread does not end. */
static void leave_signals_on_alarm(int number)
{
    (void)number;
    _exit(EXIT_BY_SIGNAL + atomic_load(&leave_signals_second));
}

static void leave_signals_on_signal(int number)
{
    static const struct itimerval patience = {.it_value = {.tv_usec = PATIENCE_US}};
    struct leave_signals *signals = atomic_load(&leave_signals_current);
    unsigned count = atomic_fetch_add(&leave_signals_count, 1) + 1;

    if (count > 2 || signals == NULL) {
        _exit(EXIT_BY_SIGNAL + number);
    }
    if (count == 2) {
        atomic_store(&leave_signals_second, number);
        (void)setitimer(ITIMER_REAL, &patience, NULL);
    }
    (void)uv_async_send(&signals->wakeup);
}

/* Two that come at the same time wake the loop once. */
static void leave_signals_on_wakeup(uv_async_t *wakeup)
{
    struct leave_signals *signals = wakeup->data;

    while (signals->seen < atomic_load(&leave_signals_count)) {
        signals->seen++;
        signals->on_leave(signals->context);
    }
}

static void leave_signals_set(int number, void (*handler)(int number))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};

    (void)sigaction(number, &action, NULL);
}

struct leave_signals *leave_signals_open(uv_loop_t *loop, bool is_interrupt_ignored,
                                         void (*on_leave)(void *context), void *context)
{
    struct leave_signals *signals = MEMORY_NEW(struct leave_signals);

    assert(atomic_load(&leave_signals_current) == NULL);
    signals->on_leave = on_leave;
    signals->context = context;
    if (uv_async_init(loop, &signals->wakeup, leave_signals_on_wakeup) != 0) {
        abort();
    }
    signals->wakeup.data = signals;
    atomic_store(&leave_signals_current, signals);
    atomic_store(&leave_signals_count, 0);
    leave_signals_set(SIGALRM, leave_signals_on_alarm);
    leave_signals_set(SIGTERM, leave_signals_on_signal);
    leave_signals_set(SIGINT, is_interrupt_ignored ? SIG_IGN : leave_signals_on_signal);
    return signals;
}

static void leave_signals_on_closed(uv_handle_t *handle)
{
    memory_free(handle->data);
}

void leave_signals_close(struct leave_signals **pointer)
{
    struct leave_signals *signals = *pointer;

    if (signals == NULL) {
        return;
    }
    *pointer = NULL;
    atomic_store(&leave_signals_current, NULL);
    uv_close((uv_handle_t *)&signals->wakeup, leave_signals_on_closed);
}
