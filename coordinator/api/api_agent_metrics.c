/* The metrics of each agent for Prometheus: one row each. */
#include "coordinator/api/api_inside.h"

#include "common/clock.h"
#include "coordinator/metrics/metrics_text.h"

static double ratio(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : 0;
}

static double cpu(const struct agent_overview *agent)
{
    return ratio(agent->gauges->cpu_us, agent->gauges->interval_us);
}

static double host_cpu(const struct agent_overview *agent)
{
    return ratio(agent->gauges->host_cpu_us,
                 agent->gauges->interval_us * (agent->cores > 0 ? agent->cores : 1));
}

static double host_load(const struct agent_overview *agent)
{
    return (double)agent->gauges->load_milli / 1e3 / (agent->cores > 0 ? agent->cores : 1);
}

static double api_agent_metrics_memory_bytes(const struct agent_overview *agent)
{
    return (double)agent->gauges->memory_bytes;
}

static struct loop_gauges worst_of(const struct agent_overview *agent)
{
    struct loop_gauges worst = {0};
    for (size_t i = 0; i < agent->gauges->loop_count; i++) {
        const struct loop_gauges *loop = &agent->gauges->loops[i];
        worst.lag_p99_us = loop->lag_p99_us > worst.lag_p99_us ? loop->lag_p99_us : worst.lag_p99_us;
        worst.lag_max_us = loop->lag_max_us > worst.lag_max_us ? loop->lag_max_us : worst.lag_max_us;
        worst.busy_us = loop->busy_us > worst.busy_us ? loop->busy_us : worst.busy_us;
    }
    return worst;
}

static double lag_p99(const struct agent_overview *agent)
{
    return (double)worst_of(agent).lag_p99_us / 1e6;
}

static double lag_max(const struct agent_overview *agent)
{
    return (double)worst_of(agent).lag_max_us / 1e6;
}

static double loop_busy(const struct agent_overview *agent)
{
    return ratio(worst_of(agent).busy_us, agent->gauges->interval_us);
}

static double clock_offset(const struct agent_overview *agent)
{
    return -(double)agent->gauges->clock_offset_ns / (double)NS_PER_S;
}

static double clock_uncertainty(const struct agent_overview *agent)
{
    return (double)agent->gauges->clock_uncertainty_ns / (double)NS_PER_S;
}

static double workers(const struct agent_overview *agent)
{
    return (double)agent->workers_running;
}

static double backlog(const struct agent_overview *agent)
{
    return (double)agent->link_backlog;
}

static double held(const struct agent_overview *agent)
{
    return (double)agent->held_bytes;
}

static double unread(const struct agent_overview *agent)
{
    return (double)agent->unread;
}

static double refused(const struct agent_overview *agent)
{
    return (double)agent->malformed;
}

enum needs { NEEDS_NOTHING, NEEDS_GAUGES, NEEDS_CLOCK };

static const struct agent_metric {
    const char *name;
    const char *help;
    enum needs needs;
    double (*value)(const struct agent_overview *agent);
} METRICS[] = {
    {"tutti_agent_workers_running", "Workers that run on the agent.", NEEDS_NOTHING, workers},
    {"tutti_agent_link_backlog", "Messages to the agent that it has not acknowledged.", NEEDS_NOTHING,
     backlog},
    {"tutti_agent_link_held_bytes", "Bytes to the agent that it has not acknowledged.", NEEDS_NOTHING, held},
    {"tutti_agent_unread_messages", "Messages of the agent that were left unread until it acknowledged more.",
     NEEDS_NOTHING, unread},
    {"tutti_agent_refused_messages", "What was refused of the agent, for it made no sense.", NEEDS_NOTHING,
     refused},
    {"tutti_agent_cpu_cores", "Cores that its process uses.", NEEDS_GAUGES, cpu},
    {"tutti_agent_host_cpu_ratio", "Share of its host's cores that is used.", NEEDS_GAUGES, host_cpu},
    {"tutti_agent_host_load_ratio", "Load average of its host by core.", NEEDS_GAUGES, host_load},
    {"tutti_agent_resident_memory_bytes", "Resident memory of its process.", NEEDS_GAUGES,
     api_agent_metrics_memory_bytes},
    {"tutti_agent_loop_lag_p99_seconds", "How late its worst loop comes round, 99 times in 100 less.",
     NEEDS_GAUGES, lag_p99},
    {"tutti_agent_loop_lag_max_seconds", "How late its worst loop came round at most.", NEEDS_GAUGES,
     lag_max},
    {"tutti_agent_loop_busy_ratio", "Share of the time that its busiest loop does not wait.", NEEDS_GAUGES,
     loop_busy},
    {"tutti_agent_clock_offset_seconds", "How far its clock is ahead of the coordinator's.", NEEDS_CLOCK,
     clock_offset},
    {"tutti_agent_clock_uncertainty_seconds", "How far that may be off.", NEEDS_CLOCK, clock_uncertainty},
};

static bool has(const struct agent_overview *agent, enum needs needs)
{
    bool has_gauges = agent->gauges != NULL;
    return needs == NEEDS_NOTHING || (has_gauges && (needs == NEEDS_GAUGES || agent->gauges->has_clock));
}

void api_append_agent_metrics(struct buffer *text, const struct coordinator_overview *overview)
{
    for (size_t i = 0; i < sizeof METRICS / sizeof METRICS[0]; i++) {
        const struct agent_metric *metric = &METRICS[i];
        metrics_text_head(text, metric->name, "gauge", metric->help);
        for (size_t j = 0; j < overview->agent_count; j++) {
            const struct agent_overview *agent = &overview->agents[j];
            if (agent->is_lost || !has(agent, metric->needs)) {
                continue;
            }
            buffer_append_format(text, "%s{", metric->name);
            metrics_text_label(text, "agent", agent->name);
            buffer_append_format(text, "} %.15g\n", metric->value(agent));
        }
    }
}
