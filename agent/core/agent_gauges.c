/* How the agent itself is doing, told to the coordinator in one small message for all campaigns. */
#include "agent/core/agent_internal.h"
#include "common/memory.h"

void agent_gauges_init(struct agent *agent)
{
    agent->gauges.loop_count = agent->settings.shards;
    agent->gauges.loops =
        (struct loop_gauges *)memory_new(agent->settings.shards, sizeof *agent->gauges.loops);
    agent->gauges.lag_us = histogram_new();
}

void agent_gauges_finish(struct agent *agent)
{
    memory_free(agent->gauges.loops);
    histogram_free(&agent->gauges.lag_us);
}

static uint64_t agent_gauges_larger(uint64_t left, uint64_t right)
{
    return left > right ? left : right;
}

void agent_take_loop(struct agent *agent, uint32_t shard, const struct notice *notice)
{
    struct loop_gauges *loop = &agent->gauges.loops[shard];
    loop->lag_p99_us = agent_gauges_larger(loop->lag_p99_us, notice->loop.lag_p99_us);
    loop->lag_max_us = agent_gauges_larger(loop->lag_max_us, notice->loop.lag_max_us);
    loop->busy_us += notice->loop.busy_us;
    if (notice->lag_us != NULL) {
        histogram_merge(agent->gauges.lag_us, notice->lag_us);
    }
}

static void agent_gauges_reset(struct agent *agent)
{
    struct gauges *gauges = &agent->gauges;
    histogram_clear(gauges->lag_us);
    for (size_t i = 0; i < gauges->loop_count; i++) {
        gauges->loops[i] = (struct loop_gauges){0};
    }
    gauges->interval_us = 0;
    gauges->cpu_us = 0;
    gauges->host_cpu_us = 0;
}

void agent_take_gauges(struct agent *agent, const struct gauges *readings)
{
    struct gauges *gauges = &agent->gauges;
    gauges->interval_us += readings->interval_us;
    gauges->cpu_us += readings->cpu_us;
    gauges->host_cpu_us += readings->host_cpu_us;
    gauges->load_milli = readings->load_milli;
    gauges->memory_bytes = readings->memory_bytes;
    if (agent->link == NULL) {
        agent_gauges_reset(agent); /* of a period that nobody asks for */
        return;
    }
    if (link_backlog(agent->link) >= AGENT_BACKLOG_MESSAGES) {
        return;
    }
    gauges->has_clock = clock_filter_is_set(&agent->clock);
    gauges->clock_offset_ns = gauges->has_clock ? agent->clock.offset_ns : 0;
    gauges->clock_uncertainty_ns = gauges->has_clock ? agent->clock.uncertainty_ns : 0;
    struct message message = {.kind = MESSAGE_GAUGES, .gauges = *gauges};
    agent_send(agent, &message);
    agent_gauges_reset(agent);
}
