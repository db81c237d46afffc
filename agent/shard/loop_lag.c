/* How late a loop gets to what waits for it. */
#include "agent/shard/loop_lag.h"

#include "common/time_units.h"

#include <assert.h>

#define LOOP_LAG_QUANTILE 0.99

static uint64_t between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? to_ns - from_ns : 0;
}

static uint64_t loop_lag_larger(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

void loop_lag_init(struct loop_lag *lag, uv_loop_t *loop, uint64_t now_ns)
{
    int result = uv_loop_configure(loop, UV_METRICS_IDLE_TIME);

    assert(result == 0);
    (void)result;
    *lag =
        (struct loop_lag){.loop = loop, .began_ns = now_ns, .parted_ns = now_ns, .lag_us = histogram_new()};
}

void loop_lag_finish(struct loop_lag *lag)
{
    histogram_free(&lag->lag_us);
}

void loop_lag_end_turn(struct loop_lag *lag, uint64_t now_ns)
{
    uint64_t idle_ns = uv_metrics_idle_time(lag->loop);
    uint64_t busy_ns = between(idle_ns - lag->parted_idle_ns, between(lag->parted_ns, now_ns));
    uint64_t lag_us =
        loop_lag_larger(busy_ns, loop_lag_larger(lag->queued_ns, lag->overslept_ns)) / NS_PER_US;
    uint64_t weight_us = loop_lag_larger(busy_ns, lag->overslept_ns) / NS_PER_US;

    if (weight_us > 0) {
        histogram_add(lag->lag_us, lag_us, weight_us);
    }
    lag->counted_us += weight_us;
    lag->parted_ns = now_ns;
    lag->parted_idle_ns = idle_ns;
    lag->queued_ns = lag->overslept_ns = 0;
}

void loop_lag_queued(struct loop_lag *lag, uint64_t since_ns, uint64_t now_ns)
{
    lag->queued_ns = loop_lag_larger(lag->queued_ns, between(since_ns, now_ns));
}

/* What was due before the loop went to wait is late by the turn before, which has been counted. */
void loop_lag_woken(struct loop_lag *lag, uint64_t due_ns, uint64_t now_ns)
{
    /* libuv's timers count whole milliseconds. */
    uint64_t rounded_ns = loop_lag_larger(due_ns, lag->parted_ns) + 1000 * NS_PER_US;

    lag->overslept_ns = loop_lag_larger(lag->overslept_ns, between(rounded_ns, now_ns));
}

struct histogram *loop_lag_take(struct loop_lag *lag, uint64_t now_ns, struct loop_gauges *gauges)
{
    struct histogram *taken = lag->lag_us;
    uint64_t idle_ns = uv_metrics_idle_time(lag->loop);
    uint64_t interval_us = between(lag->began_ns, now_ns) / NS_PER_US;

    histogram_add(taken, 0, between(lag->counted_us, interval_us));
    *gauges = (struct loop_gauges){
        .lag_p99_us = histogram_quantile(taken, LOOP_LAG_QUANTILE),
        .lag_max_us = histogram_maximum(taken),
        .busy_us = between((idle_ns - lag->began_idle_ns) / NS_PER_US, interval_us),
    };
    lag->lag_us = histogram_new();
    lag->counted_us = 0;
    lag->began_ns = now_ns;
    lag->began_idle_ns = idle_ns;
    return taken;
}
