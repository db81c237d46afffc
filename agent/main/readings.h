/* What the agent's process and its host use: read from the system once in a while. */
#pragma once
#include "proto/message/message.h"

#include <stdint.h>

/* Counters as they were the last time. */
struct readings {
    uint64_t taken_ns;
    uint64_t cpu_us;
    uint64_t host_cpu_us;
};

void readings_init(struct readings *readings);
/* Sets interval, processor time, load and memory; what the system does not tell stays 0. */
void readings_take(struct readings *readings, struct gauges *gauges);
