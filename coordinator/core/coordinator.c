/* The entry of the coordinator: events in, effects out. */
#include "coordinator/core/coordinator_inside.h"

#include "common/memory.h"
#include "common/time_units.h"
#include "coordinator/core/campaign/capacity.h"
#include "coordinator/core/coordinator_parting.h"
#include "proto/codec/codec.h"
#include "proto/message/limits.h"

#include <assert.h>

/* Heartbeats wake us at least this often: if we have missed this many, we were not running. */
#define HEARTBEATS_ASLEEP 4u

struct coordinator *coordinator_new(const struct coordinator_settings *settings)
{
    assert(settings->epoch != 0 && settings->heartbeat_ms > 0 && settings->loss_ms > settings->lease_ms);
    struct coordinator *coordinator = MEMORY_NEW(struct coordinator);
    coordinator->settings = *settings;
    coordinator->last_campaign = settings->last_campaign;
    coordinator->timers = timers_new();
    coordinator->members = members_new(settings, coordinator->timers);
    coordinator->overview = overview_new();
    deadline_init(&coordinator->leaving_due, DEADLINE_LEAVING, coordinator);
    coordinator->admission = (struct admission){
        .members = coordinator->members, .outbox = &coordinator->outbox, .epoch = settings->epoch};
    return coordinator;
}

void coordinator_free(struct coordinator **at)
{
    struct coordinator *coordinator = *at;
    if (coordinator == NULL) {
        return;
    }
    campaigns_finish(&coordinator->campaigns);
    deadline_set(coordinator->timers, &coordinator->leaving_due, TIMERS_NEVER);
    members_free(&coordinator->members);
    overview_free(&coordinator->overview);
    outbox_finish(&coordinator->outbox);
    timers_free(&coordinator->timers);
    memory_free(coordinator);
    *at = NULL;
}

struct campaign_home coordinator_home(struct coordinator *coordinator)
{
    return (struct campaign_home){.settings = &coordinator->settings,
                                  .members = coordinator->members,
                                  .outbox = &coordinator->outbox,
                                  .timers = coordinator->timers};
}

static void coordinator_create(struct coordinator *coordinator, const struct coordinator_event *event)
{
    campaigns_drop_old(&coordinator->campaigns);
    struct campaign_home home = coordinator_home(coordinator);
    struct campaign *campaign = campaign_new(&home, ++coordinator->last_campaign, event);
    campaigns_add(&coordinator->campaigns, campaign);
    overview_created(coordinator->overview);
    campaign_consider_agents(campaign, event->now_ns);
}

static void coordinator_on_due(struct coordinator *coordinator, uint64_t now_ns, const struct deadline *due)
{
    if (due->kind == DEADLINE_LEAVING) {
        coordinator_let_go(coordinator, now_ns);
        return;
    }
    if (due->kind != DEADLINE_MEMBER) {
        campaign_due(due->owner, now_ns, due->kind);
        return;
    }
    struct member *member = due->owner;
    const char *why = member_loss(member, now_ns);
    if (why != NULL) {
        coordinator_lose(coordinator, now_ns, member, why);
    } else {
        members_wake(coordinator->members, member);
    }
}

/* After the machine was suspended, or the process stopped, all deadlines are past and all frames unread. */
static void coordinator_notice_sleep(struct coordinator *coordinator, uint64_t now_ns)
{
    uint64_t asleep_ns = HEARTBEATS_ASLEEP * coordinator->settings.heartbeat_ms * NS_PER_MS;
    if (members_count(coordinator->members) > 0 && now_ns > coordinator->last_step_ns &&
        now_ns - coordinator->last_step_ns > asleep_ns) {
        members_excuse(coordinator->members, now_ns);
    }
    coordinator->last_step_ns = now_ns;
}

static void coordinator_take_gauges(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                                    const struct gauges *gauges)
{
    member_take_gauges(member, gauges);
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        campaign_gauges(coordinator->campaigns.list[i], now_ns, member, gauges);
    }
}

static void coordinator_take_message(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                                     struct bytes bytes)
{
    struct message message;
    struct error error;
    if (!message_decode_from_agent(bytes, &message, &error)) {
        member_complain(member, now_ns, &coordinator->outbox, error.text);
        return;
    }
    struct campaign *campaign = campaigns_find(&coordinator->campaigns, message.campaign);
    overview_operations(coordinator->overview, &message);
    member->next_operation = 0;
    if (message.kind == MESSAGE_GAUGES) {
        coordinator_take_gauges(coordinator, now_ns, member, &message.gauges);
    } else if (campaign != NULL) {
        campaign_message(campaign, now_ns, member, &message);
    } else if (message.kind == MESSAGE_LEAVING) {
        coordinator_take_leaving(coordinator, now_ns, member);
    } else if (message.kind == MESSAGE_GOODBYE) {
        coordinator_take_leave(coordinator, now_ns, member);
    } else if (message.campaign == 0) {
        member_complain(member, now_ns, &coordinator->outbox, message_kind_name(message.kind));
    }
    if (campaign != NULL && member->is_half_done) {
        members_put_off(coordinator->members, member, &message);
    }
    message_finish(&message);
}

/* Continues the messages that were put off, where that is possible now. */
static void coordinator_continue_messages(struct coordinator *coordinator, uint64_t now_ns)
{
    struct message message;
    struct member *member;
    while ((member = members_take_up(coordinator->members, &message)) != NULL) {
        struct campaign *campaign = campaigns_find(&coordinator->campaigns, message.campaign);
        if (campaign != NULL) {
            campaign_message(campaign, now_ns, member, &message);
        }
        if (member->is_half_done) {
            members_put_off(coordinator->members, member, &message);
        }
        message_finish(&message);
    }
}

/* An unnumbered message from a member: only a hello makes sense. */
static void coordinator_take_unnumbered(struct coordinator *coordinator, uint64_t now_ns,
                                        struct member *member, struct bytes bytes)
{
    struct message message;
    struct error error;
    if (!message_decode_from_agent(bytes, &message, &error)) {
        member_complain(member, now_ns, &coordinator->outbox, error.text);
        return;
    }
    if (message.kind == MESSAGE_HELLO) {
        members_greet_again(coordinator->members, now_ns, member);
    } else {
        member_complain(member, now_ns, &coordinator->outbox, "an unnumbered message that is not a hello");
    }
    message_finish(&message);
}

static void coordinator_take_frame(struct coordinator *coordinator, const struct coordinator_event *event)
{
    const struct envelope *envelope = &event->frame.envelope;
    struct bytes bytes = event->frame.message;
    struct member *member = members_find(coordinator->members, envelope->incarnation);
    overview_received(coordinator->overview);
    if (member == NULL) {
        struct member *gone = admission_find_gone(&coordinator->admission, event);
        if (gone != NULL) {
            coordinator_lose(coordinator, event->now_ns, gone,
                             "its process has ended, and another one has come in its place");
        }
        member = admission_take(&coordinator->admission, event);
        if (member != NULL) {
            overview_joined(coordinator->overview, member);
            for (size_t i = 0; i < coordinator->campaigns.count; i++) {
                campaign_consider_agents(coordinator->campaigns.list[i], event->now_ns);
            }
        }
        return;
    }
    if (envelope->sequence == 0 && bytes.size > 0) {
        coordinator_take_unnumbered(coordinator, event->now_ns, member, bytes);
        return;
    }
    if (member_knows_better(member, envelope)) {
        coordinator_disown_the_past(coordinator, event->now_ns, member);
        return;
    }
    if (bytes.size > 0 && !members_may_speak(coordinator->members, member)) {
        member_note_unread(member, event->now_ns, &coordinator->outbox);
    }
    enum link_verdict verdict =
        members_receive(coordinator->members, event->now_ns, member, envelope, bytes.size > 0);
    if (verdict == LINK_DELIVER) {
        coordinator_take_message(coordinator, event->now_ns, member, bytes);
    } else if (verdict == LINK_FOREIGN) {
        member_complain(member, event->now_ns, &coordinator->outbox,
                        "an envelope that does not belong to its link");
    }
}

static void coordinator_revoke(struct coordinator *coordinator, const struct coordinator_event *event)
{
    struct member *member = members_find(coordinator->members, event->revoked.incarnation);
    if (member != NULL) {
        coordinator_expel(coordinator, event->now_ns, member);
    }
}

static void coordinator_take_event(struct coordinator *coordinator, const struct coordinator_event *event)
{
    switch (event->kind) {
    case EVENT_FRAME:
        coordinator_take_frame(coordinator, event);
        break;
    case EVENT_AGENT_GONE: {
        struct member *member = members_find_name(coordinator->members, event->gone.name);
        if (member != NULL) {
            coordinator_lose(coordinator, event->now_ns, member, "its process has ended");
        }
        break;
    }
    case EVENT_REVOKED:
        coordinator_revoke(coordinator, event);
        break;
    case EVENT_CREATE:
        coordinator_create(coordinator, event);
        break;
    case EVENT_STOP: {
        struct campaign *campaign = campaigns_find(&coordinator->campaigns, event->stop.campaign);
        if (campaign != NULL) {
            campaign_stop(campaign, event->now_ns, event->stop.is_at_once, event->stop.text);
        }
        break;
    }
    case EVENT_RESTORED:
        members_restored(coordinator->members, event->now_ns);
        coordinator->last_restored = coordinator->last_campaign;
        break;
    case EVENT_SCALE: {
        struct campaign *campaign = campaigns_find(&coordinator->campaigns, event->scale.campaign);
        if (campaign != NULL) {
            campaign_scale(campaign, event->now_ns, event->scale.workers);
        }
        break;
    }
    case EVENT_PACE: {
        struct campaign *campaign = campaigns_find(&coordinator->campaigns, event->pace.campaign);
        if (campaign != NULL) {
            campaign_pace(campaign, event->now_ns, event->pace.change, event->pace.rate_per_s);
        }
        break;
    }
    case EVENT_DELETE:
        campaigns_delete(&coordinator->campaigns, event->deleted.campaign);
        break;
    case EVENT_TICK:
    case EVENT_TURN_END:
        break;
    }
}

/* Nothing is handed out between the frames of a turn, so that one message can answer many of them. */
static void coordinator_end_turn(struct coordinator *coordinator, uint64_t now_ns)
{
    struct deadline *due = NULL;
    while ((due = due_take(coordinator->timers, now_ns)) != NULL) {
        coordinator_on_due(coordinator, now_ns, due);
    }
    coordinator_continue_messages(coordinator, now_ns);
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        if (campaign_is_unsettled(coordinator->campaigns.list[i])) {
            campaign_settle(coordinator->campaigns.list[i], now_ns);
        }
    }
    members_hand_out(coordinator->members, now_ns, &coordinator->outbox);
}

void coordinator_step(struct coordinator *coordinator, const struct coordinator_event *event,
                      struct coordinator_effects *effects)
{
    outbox_begin(&coordinator->outbox, effects);
    coordinator_notice_sleep(coordinator, event->now_ns);
    coordinator_take_event(coordinator, event);
    if (event->kind != EVENT_FRAME) {
        coordinator_end_turn(coordinator, event->now_ns);
    }
    overview_sent(coordinator->overview, effects);
}

uint64_t coordinator_due_ns(const struct coordinator *coordinator)
{
    bool has_work =
        members_need_attention(coordinator->members) || campaigns_have_unsettled(&coordinator->campaigns);
    return has_work ? 0 : timers_next_ns(coordinator->timers);
}

bool coordinator_has_room(const struct coordinator *coordinator, const struct campaign_options *options,
                          uint32_t agents, struct error *error)
{
    struct capacity capacity = capacity_of(coordinator->members, options);
    return capacity.agents < agents || capacity_check(&capacity, options, error);
}

bool coordinator_may_scale(const struct coordinator *coordinator, uint64_t campaign, uint32_t workers,
                           struct error *error)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    return found != NULL ? campaign_may_scale(found, workers, error)
                         : error_set(error, "there is no campaign %llu", (unsigned long long)campaign);
}

bool coordinator_may_pace(const struct coordinator *coordinator, uint64_t campaign, enum pace_change change,
                          struct error *error)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    return found != NULL ? campaign_may_pace(found, change, error)
                         : error_set(error, "there is no campaign %llu", (unsigned long long)campaign);
}

bool coordinator_may_delete(const struct coordinator *coordinator, uint64_t campaign, struct error *error)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    if (found == NULL) {
        return error_set(error, "there is no campaign %llu", (unsigned long long)campaign);
    }
    return campaign_is_ended(found) ||
           error_set(error, "campaign %llu has not ended, it is %s: stop it first (tutti stop %llu)",
                     (unsigned long long)campaign, campaign_state_name(campaign_state(found)),
                     (unsigned long long)campaign);
}

uint64_t coordinator_last_campaign(const struct coordinator *coordinator)
{
    return coordinator->last_campaign;
}

uint64_t coordinator_find_key(const struct coordinator *coordinator, struct bytes key)
{
    const struct campaign *found = campaigns_find_key(&coordinator->campaigns, key);
    return found != NULL ? campaign_id(found) : 0;
}

struct bytes coordinator_bundle(const struct coordinator *coordinator, uint64_t campaign)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    return found != NULL ? campaign_bundle(found) : bytes_of(NULL, 0);
}

bool coordinator_names_bundle(const struct coordinator *coordinator, struct bytes hash)
{
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        if (bytes_equal(campaign_bundle(coordinator->campaigns.list[i]), hash)) {
            return true;
        }
    }
    return false;
}

bool coordinator_find(const struct coordinator *coordinator, uint64_t campaign, enum campaign_state *state)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    if (found != NULL) {
        *state = campaign_state(found);
    }
    return found != NULL;
}

bool coordinator_has_live_campaign(const struct coordinator *coordinator)
{
    return campaigns_have_live(&coordinator->campaigns);
}

const struct campaign_report *coordinator_report(struct coordinator *coordinator, uint64_t campaign,
                                                 uint64_t now_ns)
{
    struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    return found == NULL ? NULL : campaign_report(found, now_ns);
}

const struct rooms *coordinator_rooms(const struct coordinator *coordinator, uint64_t campaign)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    return found != NULL ? campaign_rooms(found) : NULL;
}

struct bytes coordinator_agent_of(const struct coordinator *coordinator, uint64_t campaign, uint32_t worker)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    return found != NULL ? campaign_agent_name(found, worker) : bytes_of(NULL, 0);
}

const struct series *coordinator_series(const struct coordinator *coordinator, uint64_t campaign)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    return found != NULL ? campaign_series(found) : NULL;
}

const struct artifacts *coordinator_artifacts(const struct coordinator *coordinator, uint64_t campaign)
{
    const struct campaign *found = campaigns_find(&coordinator->campaigns, campaign);
    return found != NULL ? campaign_artifacts(found) : NULL;
}

const struct coordinator_overview *coordinator_overview(struct coordinator *coordinator)
{
    return overview_look(coordinator->overview, coordinator->members, &coordinator->campaigns);
}
