/* Whether an agent was too busy for what it measured to be trusted. */
#include "coordinator/core/report/strain.h"

static uint64_t larger(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

static void add_sum(struct strain_sum *sum, const struct strain_sum *more)
{
    sum->us += more->us;
    sum->busy_us += more->busy_us;
    sum->host_cpu_us += more->host_cpu_us;
    sum->lag_p99_us = larger(sum->lag_p99_us, more->lag_p99_us);
    sum->lag_max_us = larger(sum->lag_max_us, more->lag_max_us);
}

/* The worst of its loops: the others do not help its workers. */
static struct strain_sum sum_of(const struct gauges *gauges)
{
    struct strain_sum sum = {.us = gauges->interval_us, .host_cpu_us = gauges->host_cpu_us};
    for (size_t i = 0; i < gauges->loop_count; i++) {
        const struct loop_gauges *loop = &gauges->loops[i];
        sum.busy_us = larger(sum.busy_us, loop->busy_us);
        sum.lag_p99_us = larger(sum.lag_p99_us, loop->lag_p99_us);
        sum.lag_max_us = larger(sum.lag_max_us, loop->lag_max_us);
    }
    /* Readings of loops and of the process are not of the very same time. */
    sum.busy_us = sum.busy_us < sum.us ? sum.busy_us : sum.us;
    return sum;
}

static bool is_above(const struct strain_sum *sum, uint64_t lag_us, double busy)
{
    return sum->lag_p99_us >= lag_us || (double)sum->busy_us >= busy * (double)sum->us;
}

void strain_add(struct strain *strain, const struct gauges *gauges)
{
    struct strain_sum sum = sum_of(gauges);
    if (sum.us == 0) {
        return;
    }
    bool is_high = strain->is_on ? is_above(&sum, STRAIN_CALM_LAG_US, STRAIN_CALM_BUSY)
                                 : is_above(&sum, STRAIN_LAG_US, STRAIN_BUSY);
    if (is_high != strain->is_on) {
        add_sum(&strain->since, &sum);
        if (strain->since.us < STRAIN_AFTER_US) {
            return;
        }
        strain->is_on = is_high;
        if (is_high) {
            add_sum(&strain->total, &strain->since);
        }
    } else if (strain->is_on) {
        add_sum(&strain->total, &strain->since); /* short pauses count */
        add_sum(&strain->total, &sum);
    }
    strain->since = (struct strain_sum){0};
}
