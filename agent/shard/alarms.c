/* Many alarms on one timer of the loop. */
#include "agent/shard/alarms.h"

#include "agent/shard/loop_lag.h"
#include "common/clock.h"
#include "common/container.h"

static void alarms_arm_in(struct alarms *alarms, uint64_t least_ms);

static void alarms_on_wakeup(uv_timer_t *wakeup)
{
    struct alarms *alarms = wakeup->data;
    uint64_t now_ns = clock_now_ns();
    struct timer *timer;

    if (timers_next_ns(alarms->timers) <= now_ns) {
        loop_lag_woken(alarms->lag, timers_next_ns(alarms->timers), now_ns);
    }
    while ((timer = timers_take_due(alarms->timers, now_ns)) != NULL) {
        struct alarm *alarm = CONTAINER_OF(timer, struct alarm, timer);
        alarm->on_due(alarm, now_ns);
    }
    alarms_arm_in(alarms, 1); /* not 0, which libuv would call again before it looks at any socket */
}

/* libuv counts whole milliseconds from a clock that it reads once a turn, so its timer may come early: then
 * it is set again. */
static void alarms_arm_in(struct alarms *alarms, uint64_t least_ms)
{
    uint64_t next_ns = timers_next_ns(alarms->timers);

    if (next_ns == TIMERS_NEVER) {
        return;
    }
    uint64_t now_ns = clock_now_ns();
    uint64_t in_ms = next_ns > now_ns ? (next_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS : 0;
    in_ms = in_ms > least_ms ? in_ms : least_ms;
    if (uv_is_active((uv_handle_t *)&alarms->wakeup) && uv_timer_get_due_in(&alarms->wakeup) <= in_ms) {
        return;
    }
    uv_timer_start(&alarms->wakeup, alarms_on_wakeup, in_ms, 0);
}

void alarm_init(struct alarm *alarm, void (*on_due)(struct alarm *alarm, uint64_t now_ns))
{
    timer_init(&alarm->timer);
    alarm->on_due = on_due;
}

void alarms_open(struct alarms *alarms, uv_loop_t *loop, struct loop_lag *lag)
{
    alarms->timers = timers_new();
    alarms->lag = lag;
    uv_timer_init(loop, &alarms->wakeup);
    alarms->wakeup.data = alarms;
}

void alarms_close(struct alarms *alarms, uv_close_cb on_closed, void *data)
{
    alarms->wakeup.data = data;
    uv_close((uv_handle_t *)&alarms->wakeup, on_closed);
}

void alarms_finish(struct alarms *alarms)
{
    timers_free(&alarms->timers);
}

void alarms_set(struct alarms *alarms, struct alarm *alarm, uint64_t due_ns)
{
    timers_set(alarms->timers, &alarm->timer, due_ns);
    if (timers_next_ns(alarms->timers) == due_ns) {
        alarms_arm_in(alarms, 0);
    }
}

void alarms_unset(struct alarms *alarms, struct alarm *alarm)
{
    timers_unset(alarms->timers, &alarm->timer);
}
