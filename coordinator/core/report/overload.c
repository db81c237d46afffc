/* Whether an agent was too busy for its measurements to be trusted. */
#include "coordinator/core/report/overload.h"

static uint64_t larger(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

static void add_sum(struct overload_sum *sum, const struct overload_sum *more)
{
    sum->us += more->us;
    sum->busy_us += more->busy_us;
    sum->host_cpu_us += more->host_cpu_us;
    sum->lag_p99_us = larger(sum->lag_p99_us, more->lag_p99_us);
    sum->lag_max_us = larger(sum->lag_max_us, more->lag_max_us);
}

/* The worst loop counts: idle ones do not help its workers. */
static struct overload_sum sum_of(const struct gauges *gauges)
{
    struct overload_sum sum = {.us = gauges->interval_us, .host_cpu_us = gauges->host_cpu_us};
    for (size_t i = 0; i < gauges->loop_count; i++) {
        const struct loop_gauges *loop = &gauges->loops[i];
        sum.busy_us = larger(sum.busy_us, loop->busy_us);
        sum.lag_p99_us = larger(sum.lag_p99_us, loop->lag_p99_us);
        sum.lag_max_us = larger(sum.lag_max_us, loop->lag_max_us);
    }
    /* The intervals of the loops and of the process are not exactly the same. */
    sum.busy_us = sum.busy_us < sum.us ? sum.busy_us : sum.us;
    return sum;
}

static bool is_above(const struct overload_sum *sum, uint64_t lag_us, double busy)
{
    return sum->lag_p99_us >= lag_us || (double)sum->busy_us >= busy * (double)sum->us;
}

void overload_add(struct overload *overload, const struct gauges *gauges)
{
    struct overload_sum sum = sum_of(gauges);
    if (sum.us == 0) {
        return;
    }
    bool is_high = overload->is_on ? is_above(&sum, OVERLOAD_CALM_LAG_US, OVERLOAD_CALM_BUSY)
                                   : is_above(&sum, OVERLOAD_LAG_US, OVERLOAD_BUSY);
    if (is_high != overload->is_on) {
        add_sum(&overload->since, &sum);
        if (overload->since.us < OVERLOAD_AFTER_US) {
            return;
        }
        overload->is_on = is_high;
        if (is_high) {
            add_sum(&overload->total, &overload->since);
        }
    } else if (overload->is_on) {
        add_sum(&overload->total, &overload->since); /* short pauses count */
        add_sum(&overload->total, &sum);
    }
    overload->since = (struct overload_sum){0};
}
