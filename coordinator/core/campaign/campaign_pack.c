/* A campaign that has not ended, as bytes: its creation, and its state since. */
#include "coordinator/core/campaign/campaign_inside.h"

#include "common/histogram_pack.h"
#include "common/memory.h"
#include "coordinator/core/base/event_codec.h"
#include "coordinator/core/base/timer_pack.h"
#include "proto/message/limits.h"
#include "proto/message/load.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct campaign) - sizeof(struct campaign_report) - sizeof(struct campaign_options) ==
                      1936 &&
                  sizeof(struct campaign_agent) == 328 && sizeof(struct performance) == 144 &&
                  sizeof(struct artifacts) == 984 && sizeof(struct artifact_delivery) == 64 &&
                  sizeof(struct judgement) == 16 && sizeof(struct moved) == 16,
              "every field is packed, shown only, or borrowed; the codec packs the options");

bool campaign_is_at_rest(const struct campaign *campaign)
{
    return campaign->rooms == NULL || (!campaign->is_unsettled && rooms_is_at_rest(campaign->rooms));
}

/* As the event that created it, with its present options and without the contents of its bundle. */
static void campaign_creation_pack(const struct campaign *campaign, struct buffer *into)
{
    const struct bundle_listing *listing = &campaign->bundle.owned.listing;
    struct bundle_file *files = memory_new(listing->file_count + 1, sizeof *files);
    size_t at = 0;
    for (size_t i = 0; i < listing->file_count; i++) {
        files[i].path = listing->files[i].path;
        files[i].content = bytes_of(campaign->bundle.content.bytes.data + at, listing->files[i].size_bytes);
        at += listing->files[i].size_bytes;
    }
    struct coordinator_event event = {
        .kind = EVENT_CREATE,
        .create = {.options = campaign->options,
                   .bundle = {.files = files, .file_count = listing->file_count, .hash = listing->hash},
                   .script = campaign->script.bytes,
                   .key = campaign->key.bytes,
                   .agents = campaign->agents_wanted,
                   .deadline_ms = campaign->deadline_ms}};
    event_encode(into, 0, &event);
    memory_free(files);
}

static struct campaign *campaign_creation_unpack(const struct campaign_home *home, uint64_t id,
                                                 const struct bundle_source *bundles, struct unpack *from)
{
    struct decoded_event record = {0};
    struct campaign *campaign = NULL;
    if (event_decode(from, 0, &record) && record.event.kind == EVENT_CREATE &&
        record.event.create.options.workers > 0) {
        decoded_event_load_bundle(&record, bundles);
        campaign = campaign_make(home, id, &record.event);
    } else {
        unpack_break(from);
    }
    decoded_event_finish(&record);
    return campaign;
}

static void overload_sum_pack(const struct overload_sum *sum, struct buffer *into)
{
    pack_number(into, sum->us);
    pack_number(into, sum->busy_us);
    pack_number(into, sum->host_cpu_us);
    pack_number(into, sum->lag_p99_us);
    pack_number(into, sum->lag_max_us);
}

static struct overload_sum overload_sum_unpack(struct unpack *from)
{
    struct overload_sum sum;
    sum.us = unpack_number(from);
    sum.busy_us = unpack_number(from);
    sum.host_cpu_us = unpack_number(from);
    sum.lag_p99_us = unpack_number(from);
    sum.lag_max_us = unpack_number(from);
    return sum;
}

static void performance_pack(const struct performance *performance, struct buffer *into)
{
    pack_number(into, performance->measured_us);
    pack_number(into, performance->cpu_us);
    pack_number(into, performance->memory_bytes);
    pack_flag(into, performance->has_clock);
    pack_number(into, (uint64_t)performance->clock_offset_ns);
    pack_number(into, performance->clock_uncertainty_ns);
    histogram_pack(performance->lag_us, into);
    pack_flag(into, performance->overload.is_on);
    overload_sum_pack(&performance->overload.total, into);
    overload_sum_pack(&performance->overload.since, into);
}

static void performance_unpack(struct performance *performance, struct unpack *from)
{
    performance->measured_us = unpack_number(from);
    performance->cpu_us = unpack_number(from);
    performance->memory_bytes = unpack_number(from);
    performance->has_clock = unpack_flag(from);
    performance->clock_offset_ns = (int64_t)unpack_number(from);
    performance->clock_uncertainty_ns = unpack_number(from);
    performance->lag_us = histogram_unpack(from);
    performance->overload.is_on = unpack_flag(from);
    performance->overload.total = overload_sum_unpack(from);
    performance->overload.since = overload_sum_unpack(from);
    if (performance->measured_us > 0 && performance->lag_us == NULL) {
        unpack_break(from);
    }
}

static void delivery_pack(const struct artifact_delivery *delivery, struct buffer *into)
{
    pack_number(into, delivery->received);
    if (delivery->received == 0) {
        return;
    }
    pack_number(into, delivery->head.kind);
    pack_number(into, delivery->head.worker);
    pack_number(into, delivery->head.step);
    pack_number(into, delivery->head.size_bytes);
    pack_flag(into, delivery->content != NULL);
    if (delivery->content != NULL) {
        pack_bytes(into, bytes_of(delivery->content, delivery->received));
    }
}

/* As if everything that has arrived of it had arrived in one piece. */
static void delivery_unpack(struct artifacts *artifacts, struct artifact_delivery *delivery,
                            struct unpack *from)
{
    uint64_t received = unpack_bounded(from, LIMIT_ARTIFACT_BYTES);
    if (received == 0) {
        return;
    }
    struct artifact_piece *head = &delivery->head;
    head->kind = (enum artifact_kind)unpack_bounded(from, ARTIFACT_KINDS - 1);
    head->worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
    head->step = unpack_number(from);
    head->size_bytes = unpack_bounded(from, LIMIT_ARTIFACT_BYTES);
    bool is_kept = unpack_flag(from);
    struct bytes content = is_kept ? unpack_bytes(from) : bytes_of(NULL, 0);
    if (from->is_broken || received >= head->size_bytes || (is_kept && content.size != received)) {
        unpack_break(from);
        return;
    }
    delivery->received = received;
    if (is_kept) {
        delivery->content = memory_new((size_t)head->size_bytes, 1);
        memcpy(delivery->content, content.data, content.size);
        artifacts->begun++;
        artifacts->bytes += head->size_bytes;
    }
}

static void artifacts_pack(const struct artifacts *artifacts, struct buffer *into)
{
    pack_number(into, artifacts->count);
    for (size_t i = 0; i < artifacts->count; i++) {
        const struct artifact *artifact = &artifacts->items[i];
        pack_number(into, artifact->kind);
        pack_number(into, artifact->worker);
        pack_number(into, artifact->step);
        pack_bytes(into, artifact->content);
    }
}

static void artifacts_unpack(struct artifacts *artifacts, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, LIMIT_ARTIFACTS);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct artifact artifact = {.kind = (enum artifact_kind)unpack_bounded(from, ARTIFACT_KINDS - 1)};
        artifact.worker = (uint32_t)unpack_bounded(from, UINT32_MAX);
        artifact.step = unpack_number(from);
        struct text content = text_copy(unpack_bytes(from));
        artifacts->bytes += content.bytes.size;
        artifacts_add(artifacts, artifact, content);
    }
}

enum {
    AGENT_IS_LOST = 1,
    AGENT_IS_DEPLOYED = 2,
    AGENT_IS_DRAINED = 4,
    AGENT_IS_FINISHED = 8,
    AGENT_IS_GIVEN_UP = 16,
    AGENT_IS_JOINING = 32,
    AGENT_IS_LATE = 64,
    AGENT_FLAGS = 127,
};

static void campaign_agent_pack(const struct campaign_agent *agent, struct buffer *into)
{
    pack_fixed(into, agent->member != NULL ? agent->member->incarnation : 0);
    pack_bytes(into, agent->name.bytes);
    pack_bytes(into, agent->host.bytes);
    pack_bytes(into, agent->labels.bytes);
    pack_number(into, agent->pid);
    pack_number(into, agent->cores);
    pack_number(into, agent->workers);
    pack_number(into, agent->ids);
    pack_number(into, agent->held);
    pack_number(into, agent->wanted);
    pack_number(into, agent->wanted_load);
    pack_number(into, agent->workers_running);
    pack_number(into, agent->steps_ended);
    pack_number(into, agent->steps_counted);
    pack_number(into, agent->bundle_bytes);
    pack_number(into, (agent->is_lost ? AGENT_IS_LOST : 0u) | (agent->is_deployed ? AGENT_IS_DEPLOYED : 0u) |
                          (agent->is_drained ? AGENT_IS_DRAINED : 0u) |
                          (agent->is_finished ? AGENT_IS_FINISHED : 0u) |
                          (agent->is_given_up ? AGENT_IS_GIVEN_UP : 0u) |
                          (agent->is_joining ? AGENT_IS_JOINING : 0u) |
                          (agent->is_late ? AGENT_IS_LATE : 0u));
    delivery_pack(&agent->artifact, into);
    performance_pack(&agent->performance, into);
}

static void campaign_agent_unpack(struct campaign *campaign, struct campaign_agent *agent,
                                  struct unpack *from)
{
    uint64_t incarnation = unpack_fixed(from);
    agent->member = incarnation != 0 ? members_find(campaign->home.members, incarnation) : NULL;
    agent->name = text_copy(unpack_bytes(from));
    agent->host = text_copy(unpack_bytes(from));
    agent->labels = text_copy(unpack_bytes(from));
    agent->pid = (uint32_t)unpack_bounded(from, UINT32_MAX);
    agent->cores = (uint32_t)unpack_bounded(from, UINT32_MAX);
    agent->workers = (uint32_t)unpack_bounded(from, UINT32_MAX);
    agent->ids = (uint32_t)unpack_bounded(from, UINT32_MAX);
    agent->held = (uint32_t)unpack_bounded(from, UINT32_MAX);
    agent->wanted = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    agent->wanted_load = (uint32_t)unpack_bounded(from, LOADS_MAX - 1);
    agent->workers_running = (uint32_t)unpack_bounded(from, UINT32_MAX);
    agent->steps_ended = unpack_number(from);
    agent->steps_counted = unpack_number(from);
    agent->bundle_bytes = unpack_number(from);
    uint64_t flags = unpack_bounded(from, AGENT_FLAGS);
    agent->is_lost = (flags & AGENT_IS_LOST) != 0;
    agent->is_deployed = (flags & AGENT_IS_DEPLOYED) != 0;
    agent->is_drained = (flags & AGENT_IS_DRAINED) != 0;
    agent->is_finished = (flags & AGENT_IS_FINISHED) != 0;
    agent->is_given_up = (flags & AGENT_IS_GIVEN_UP) != 0;
    agent->is_joining = (flags & AGENT_IS_JOINING) != 0;
    agent->is_late = (flags & AGENT_IS_LATE) != 0;
    delivery_unpack(&campaign->artifacts, &agent->artifact, from);
    performance_unpack(&agent->performance, from);
    if (incarnation != 0 && agent->member == NULL) {
        unpack_break(from);
    }
}

/* The agents, their workers and rooms, from the deployment on. */
static void campaign_agents_pack(const struct campaign *campaign, struct buffer *into)
{
    pack_number(into, campaign->agent_count);
    if (campaign->agent_count == 0) {
        return;
    }
    for (uint32_t i = 0; i < campaign->agent_count; i++) {
        campaign_agent_pack(&campaign->agents[i], into);
    }
    placement_pack(campaign->placement, into);
    rooms_pack(campaign->rooms, into);
    pack_number(into, campaign->global_agent);
    pack_number(into, campaign->moved_count);
    for (size_t i = 0; i < campaign->moved_count; i++) {
        pack_number(into, campaign->moved[i].worker);
        pack_number(into, campaign->moved[i].agent);
        pack_number(into, campaign->moved[i].first_step);
    }
    pack_flag(into, campaign->last_steps != NULL);
    for (uint32_t room = 0; campaign->last_steps != NULL && room < campaign_room_total(campaign); room++) {
        pack_number(into, campaign->last_steps[room]);
    }
}

static void moved_unpack(struct campaign *campaign, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, from->left.size);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        struct moved moved = {.worker = (uint32_t)unpack_bounded(from, UINT32_MAX)};
        moved.agent = (uint32_t)unpack_bounded(from, campaign->agent_count - 1);
        moved.first_step = unpack_number(from);
        campaign->moved = memory_reserve(campaign->moved, &campaign->moved_capacity,
                                         campaign->moved_count + 1, sizeof *campaign->moved);
        campaign->moved[campaign->moved_count++] = moved;
    }
}

static void last_steps_unpack(struct campaign *campaign, struct unpack *from)
{
    if (!unpack_flag(from)) {
        return;
    }
    uint32_t rooms = campaign_room_total(campaign);
    if (rooms > from->left.size) {
        unpack_break(from);
        return;
    }
    campaign->last_steps = memory_new(rooms, sizeof *campaign->last_steps);
    for (uint32_t room = 0; room < rooms; room++) {
        campaign->last_steps[room] = unpack_number(from);
    }
}

static void campaign_agents_unpack(struct campaign *campaign, struct unpack *from)
{
    uint32_t count = (uint32_t)unpack_bounded(from, LIMIT_AGENTS);
    if (count == 0) {
        return;
    }
    campaign->agents = memory_new(count, sizeof *campaign->agents);
    while (campaign->agent_count < count && !from->is_broken) {
        struct campaign_agent *agent = &campaign->agents[campaign->agent_count++];
        campaign_agent_unpack(campaign, agent, from);
        campaign->workers_running += agent->workers_running;
    }
    campaign->placement = from->is_broken ? NULL : placement_unpack(from, count);
    campaign->rooms = from->is_broken ? NULL : rooms_unpack(from);
    campaign->global_agent = (uint32_t)unpack_bounded(from, count - 1);
    moved_unpack(campaign, from);
    if (from->is_broken || placement_count(campaign->placement) < campaign->options.workers ||
        rooms_worker_count(campaign->rooms) != placement_count(campaign->placement)) {
        unpack_break(from);
        return;
    }
    last_steps_unpack(campaign, from);
}

static void campaign_pace_pack(const struct pace *pace, struct buffer *into)
{
    pack_flag(into, pace->is_paused);
    pack_number(into, pace->paused_at_ns);
    pack_number(into, pace->shift_ns);
    pack_flag(into, pace->has_rate);
    pack_number(into, pace->rate_at_ns);
    pack_real(into, pace->rate_per_s);
    pack_real(into, pace->before);
    pack_number(into, pace->slots_at_ns);
    pack_number(into, pace->slots);
    pack_number(into, pace->load);
}

static void campaign_pace_unpack(struct pace *pace, struct unpack *from)
{
    pace->is_paused = unpack_flag(from);
    pace->paused_at_ns = unpack_number(from);
    pace->shift_ns = unpack_number(from);
    pace->has_rate = unpack_flag(from);
    pace->rate_at_ns = unpack_number(from);
    pace->rate_per_s = unpack_real(from);
    pace->before = unpack_real(from);
    pace->slots_at_ns = unpack_number(from);
    pace->slots = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    pace->load = (uint32_t)unpack_bounded(from, LOADS_MAX - 1);
}

static void campaign_growths_pack(const struct campaign *campaign, struct buffer *into)
{
    pack_number(into, campaign->growth_count);
    for (size_t i = 0; i < campaign->growth_count; i++) {
        pack_number(into, campaign->growths[i].load);
        pack_number(into, campaign->growths[i].end);
    }
}

static void campaign_growths_unpack(struct campaign *campaign, struct unpack *from)
{
    uint64_t count = unpack_bounded(from, LIMIT_WORKERS);
    for (uint64_t i = 0; i < count && !from->is_broken; i++) {
        uint32_t load = (uint32_t)unpack_bounded(from, LOADS_MAX - 1);
        campaign_note_growth(campaign, load, (uint32_t)unpack_bounded(from, LIMIT_WORKERS));
    }
}

static void campaign_state_pack(const struct campaign *campaign, struct buffer *into)
{
    pack_number(into, campaign->state);
    pack_number(into, campaign->workers_wanted);
    pack_number(into, campaign->grown);
    timer_pack(&campaign->lifecycle_due.timer, into);
    timer_pack(&campaign->rooms_due.timer, into);
    timer_pack(&campaign->stage_due.timer, into);
    pack_number(into, campaign->first_workers);
    campaign_growths_pack(campaign, into);
    timer_pack(&campaign->judge_due.timer, into);
    pack_number(into, campaign->judgement.verdict);
    pack_flag(into, campaign->judgement.reason != NULL);
    pack_bytes(into, bytes_of_string(campaign->judgement.reason));
    pack_number(into, campaign->refused_events);
    pack_flag(into, campaign->is_unsettled);
    pack_number(into, campaign->lead_looked_ns);
    pack_number(into, campaign->begun_ns);
    pack_number(into, campaign->ended_ns);
    campaign_pace_pack(&campaign->pace, into);
    pack_flag(into, campaign->has_joined);
    pack_flag(into, campaign->is_draining);
    pack_flag(into, campaign->is_last_step_known);
    pack_number(into, campaign->awaited);
    pack_flag(into, campaign->is_at_once);
    pack_flag(into, campaign->was_stopped);
}

static void campaign_state_unpack(struct campaign *campaign, struct unpack *from)
{
    campaign->state = (enum campaign_state)unpack_bounded(from, CAMPAIGN_STOPPING);
    campaign->workers_wanted = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    campaign->grown = unpack_number(from);
    timer_unpack(campaign->home.timers, &campaign->lifecycle_due.timer, from);
    timer_unpack(campaign->home.timers, &campaign->rooms_due.timer, from);
    timer_unpack(campaign->home.timers, &campaign->stage_due.timer, from);
    campaign->first_workers = (uint32_t)unpack_bounded(from, LIMIT_WORKERS);
    campaign_growths_unpack(campaign, from);
    timer_unpack(campaign->home.timers, &campaign->judge_due.timer, from);
    campaign->judgement.verdict = (enum verdict)unpack_bounded(from, VERDICT_DEADLOCKED);
    bool has_reason = unpack_flag(from);
    struct bytes reason = unpack_bytes(from);
    campaign->judgement.reason = has_reason ? memory_format("%.*s", BYTES_FORMAT(reason)) : NULL;
    campaign->refused_events = unpack_number(from);
    campaign->is_unsettled = unpack_flag(from);
    campaign->lead_looked_ns = unpack_number(from);
    campaign->begun_ns = unpack_number(from);
    campaign->ended_ns = unpack_number(from);
    campaign_pace_unpack(&campaign->pace, from);
    campaign->has_joined = unpack_flag(from);
    campaign->is_draining = unpack_flag(from);
    campaign->is_last_step_known = unpack_flag(from);
    campaign->awaited = (enum awaited)unpack_bounded(from, AWAITS_TEARDOWN);
    campaign->is_at_once = unpack_flag(from);
    campaign->was_stopped = unpack_flag(from);
}

void campaign_pack(const struct campaign *campaign, struct buffer *into)
{
    assert(campaign->state != CAMPAIGN_ENDED && campaign_is_at_rest(campaign));
    pack_number(into, campaign->id);
    campaign_creation_pack(campaign, into);
    campaign_state_pack(campaign, into);
    artifacts_pack(&campaign->artifacts, into);
    campaign_agents_pack(campaign, into);
    campaign_statistics_pack(campaign->statistics, into);
    if (campaign->thresholds != NULL) {
        thresholds_pack(campaign->thresholds, into);
    }
    if (campaign->goal != NULL) {
        campaign_goal_pack(campaign->goal, into);
    }
    if (campaign->sizing != NULL) {
        campaign_sizing_pack(campaign->sizing, into);
    }
    series_pack(campaign->series, into);
}

/* A campaign has agents and rooms from its deployment on. */
static bool campaign_is_possible(const struct campaign *campaign)
{
    bool is_deployed = campaign->state != CAMPAIGN_CREATED;
    return is_deployed == (campaign->rooms != NULL) &&
           (!campaign->is_draining || campaign->last_steps != NULL);
}

struct campaign *campaign_unpack(const struct campaign_home *home, const struct bundle_source *bundles,
                                 struct unpack *from)
{
    uint64_t id = unpack_number(from);
    struct campaign *campaign = campaign_creation_unpack(home, id, bundles, from);
    if (campaign == NULL) {
        return NULL;
    }
    campaign_state_unpack(campaign, from);
    artifacts_unpack(&campaign->artifacts, from);
    campaign_agents_unpack(campaign, from);
    campaign->statistics = campaign_statistics_unpack(from, campaign->options.thresholds);
    if (campaign->thresholds != NULL) {
        thresholds_unpack(campaign->thresholds, from);
    }
    if (campaign->goal != NULL) {
        campaign_goal_unpack(campaign->goal, from);
    }
    if (campaign->sizing != NULL) {
        campaign_sizing_unpack(campaign->sizing, from);
    }
    campaign->series = from->is_broken ? NULL : series_unpack(from);
    if (from->is_broken || !campaign_is_possible(campaign)) {
        unpack_break(from);
        campaign_free(&campaign);
    }
    return campaign;
}
