/* What the agent's process and its host use: from getrusage and /proc. */
#include "agent/main/process_usage.h"

#include "common/clock.h"
#include "common/time_units.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define US_PER_S UINT64_C(1000000)
#define COLUMNS 8 /* user, nice, system, idle, iowait, irq, softirq, steal */

static uint64_t cpu_us(void)
{
    uv_rusage_t usage = {0};

    (void)uv_getrusage(&usage);
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * US_PER_S +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* How long the host's cores have worked since it was started: the first line of /proc/stat, without idle and
 * iowait. */
static uint64_t host_cpu_us(void)
{
    unsigned long long ticks[COLUMNS] = {0};
    char line[256] = "";
    long ticks_per_s = sysconf(_SC_CLK_TCK);
    FILE *file = fopen("/proc/stat", "re");

    if (file == NULL) {
        return 0;
    }
    bool is_read = fgets(line, sizeof line, file) != NULL && strncmp(line, "cpu ", 4) == 0;
    fclose(file);
    char *at = line + 4;
    for (int i = 0; is_read && i < COLUMNS; i++) {
        ticks[i] = strtoull(at, &at, 10);
    }
    unsigned long long busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
    return ticks_per_s > 0 ? busy * (US_PER_S / (uint64_t)ticks_per_s) : 0;
}

void process_usage_init(struct process_usage *usage)
{
    *usage =
        (struct process_usage){.taken_ns = clock_now_ns(), .cpu_us = cpu_us(), .host_cpu_us = host_cpu_us()};
}

void process_usage_take(struct process_usage *usage, struct gauges *gauges)
{
    struct process_usage before = *usage;
    double load[3] = {0};
    size_t memory_bytes = 0;

    process_usage_init(usage);
    uv_loadavg(load);
    (void)uv_resident_set_memory(&memory_bytes);
    gauges->interval_us = (usage->taken_ns - before.taken_ns) / NS_PER_US;
    gauges->cpu_us = usage->cpu_us - before.cpu_us;
    /* In a container it may start again from 0. */
    gauges->host_cpu_us =
        usage->host_cpu_us > before.host_cpu_us ? usage->host_cpu_us - before.host_cpu_us : 0;
    gauges->load_milli = (uint64_t)(load[0] * 1000);
    gauges->memory_bytes = memory_bytes;
}
