/* What the agent's process and its host use, read from the system now and then. */
#pragma once
#include "proto/message/message.h"

#include <stdint.h>

/* The counters as they were last time. */
struct process_usage {
    uint64_t taken_ns;
    uint64_t cpu_us;
    uint64_t host_cpu_us;
};

void process_usage_init(struct process_usage *usage);
/* Sets interval, processor time, load and memory; what the system does not tell stays 0. */
void process_usage_take(struct process_usage *usage, struct gauges *gauges);
