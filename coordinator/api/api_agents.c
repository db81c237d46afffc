/* Lists the agents. */
#include "coordinator/api/api_inside.h"

#include "common/clock.h"
#include "coordinator/json/report_json.h"

static const char *api_agents_state_of(const struct agent_overview *agent)
{
    if (agent->is_lost) {
        return agent->has_left ? "left" : "lost";
    }
    return agent->campaign_count > 0 ? "running" : "idle";
}

static double share(uint64_t part_us, uint64_t whole_us)
{
    return whole_us > 0 ? (double)part_us / (double)whole_us : 0;
}

static json_t *loops_of(const struct gauges *gauges)
{
    json_t *loops = json_array();
    for (size_t i = 0; i < gauges->loop_count; i++) {
        const struct loop_gauges *loop = &gauges->loops[i];
        json_t *item = json_object();
        json_put_lag(item, loop->lag_p99_us, loop->lag_max_us);
        json_put(item, "busy", json_real(share(loop->busy_us, gauges->interval_us)));
        json_array_append_new(loops, item);
    }
    return loops;
}

/* As it last reported. */
static json_t *gauges_of(const struct agent_overview *agent)
{
    const struct gauges *gauges = agent->gauges;
    if (gauges == NULL) {
        return json_null();
    }
    json_t *object = json_object();
    uint32_t cores = agent->cores > 0 ? agent->cores : 1;
    json_put(object, "cpu", json_real(share(gauges->cpu_us, gauges->interval_us)));
    json_put(object, "host_cpu", json_real(share(gauges->host_cpu_us, gauges->interval_us) / cores));
    json_put(object, "host_load", json_real((double)gauges->load_milli / 1e3 / cores));
    json_put_count(object, "memory_bytes", gauges->memory_bytes);
    json_put_clock(object, gauges->has_clock, gauges->clock_offset_ns, gauges->clock_uncertainty_ns);
    json_put(object, "loops", loops_of(gauges));
    return object;
}

static json_int_t free_of(const struct agent_overview *agent)
{
    bool is_there = !agent->is_lost && agent->held < agent->capacity;
    return is_there ? (json_int_t)(agent->capacity - agent->held) : 0;
}

static json_t *object_of(const struct agent_overview *agent, uint64_t now_ns)
{
    json_t *object = json_object();
    json_t *campaigns = json_array();
    json_put_text(object, "name", agent->name);
    json_put_text(object, "host", agent->host);
    json_put_text(object, "version", agent->program);
    json_put_count(object, "pid", agent->pid);
    json_put_count(object, "cores", agent->cores);
    json_put_count(object, "memory_bytes", agent->memory_bytes);
    json_put_count(object, "shards", agent->shards);
    json_put(object, "labels", report_json_labels(agent->labels));
    json_put(object, "capacity", agent->capacity > 0 ? json_integer(agent->capacity) : json_null());
    json_put(object, "free", agent->capacity > 0 ? json_integer(free_of(agent)) : json_null());
    json_put_count(object, "workers", agent->workers_running);
    json_put(object, "state", json_string(api_agents_state_of(agent)));
    for (size_t i = 0; i < agent->campaign_count; i++) {
        json_array_append_new(campaigns, json_integer((json_int_t)agent->campaigns[i]));
    }
    json_put(object, "campaigns", campaigns);
    json_put_count(object, "link_backlog", agent->link_backlog);
    json_put(object, "gauges", gauges_of(agent));
    json_put_count(object, "heard_ms_ago",
                   now_ns > agent->heard_ns ? (now_ns - agent->heard_ns) / NS_PER_MS : 0);
    return object;
}

void api_list_agents(struct api *api, struct http_exchange *request, uint64_t campaign)
{
    (void)campaign;
    const struct coordinator_overview *overview = server_overview(api->server);
    uint64_t now_ns = server_now_ns(api->server);
    json_t *list = json_array();
    for (size_t i = 0; i < overview->agent_count; i++) {
        json_array_append_new(list, object_of(&overview->agents[i], now_ns));
    }
    json_t *answer = json_object();
    json_put(answer, "agents", list);
    api_answer_json(request, 200, answer);
}
