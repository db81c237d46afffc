/* Handlers of our own, since libuv's wait for the loop, which may be busy with what is to be ended. */
#include "agent/main/leave_signals.h"

#include "common/memory.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define EXIT_BY_SIGNAL 128

struct leave_signals {
    uv_async_t wakeup;
    void (*on_leave)(void *context);
    void *context;
};

/* A handler reaches nothing else. */
static _Atomic(struct leave_signals *) leave_signals_current;
static atomic_flag leave_signals_has_come = ATOMIC_FLAG_INIT;

static void leave_signals_on_signal(int number)
{
    struct leave_signals *signals = atomic_load(&leave_signals_current);

    if (atomic_flag_test_and_set(&leave_signals_has_come) || signals == NULL) {
        _exit(EXIT_BY_SIGNAL + number);
    }
    (void)uv_async_send(&signals->wakeup);
}

static void leave_signals_on_wakeup(uv_async_t *wakeup)
{
    struct leave_signals *signals = wakeup->data;

    signals->on_leave(signals->context);
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
    atomic_flag_clear(&leave_signals_has_come);
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
