/* What the workers of an agent did, applied to their rooms: in bounded portions, and nothing of it dropped
 * without an answer. */
#include "coordinator/core/campaign/campaign_inside.h"

/* With so much to be told the agents are told at once, not at the end of the turn. */
#define TOLD_AT_ONCE_BYTES (1024u * 1024u)

/* A message of operations on its way through. */
struct portion {
    struct campaign *campaign;
    uint64_t now_ns;
    struct campaign_agent *agent;
    bool is_refused; /* in part: that counts once */
    bool is_awaited; /* workers begin a step when they know that we know */
};

/* Whoever sent it waits for an answer, and it is not said that the workers are its own. */
static void campaign_operations_refuse(struct portion *portion, const struct operation *operation,
                                       const char *why)
{
    if (!portion->is_refused) {
        portion->is_refused = true;
        members_complain(portion->agent->member, portion->now_ns, portion->campaign->home.outbox, why);
    }
    if (!operation_is_answered(operation->kind) || operation->workers.run_count == 0) {
        return;
    }
    struct reply reply = {.kind = operation->kind,
                          .outcome = OUTCOME_REFUSED,
                          .workers = operation->workers,
                          .room = operation->room,
                          .name = operation->name.size > 0 ? operation->name : bytes_of_string("?"),
                          .step = operation->step,
                          .nth = operation->nth,
                          .call = operation->call,
                          .text = bytes_of_string(why)};
    struct message message = {.kind = MESSAGE_REPLIES, .replies = {.items = &reply, .count = 1}};
    campaign_tell(portion->campaign, portion->agent, &message);
}

static void apply(struct portion *portion, const struct operation *operation)
{
    struct campaign *campaign = portion->campaign;
    uint32_t index = (uint32_t)(portion->agent - campaign->agents);
    struct error error;
    uint64_t ended = rooms_steps_ended(campaign->rooms);
    if (operation->fault != NULL) {
        campaign_operations_refuse(portion, operation, operation->fault);
    } else if (!placement_owns_all(campaign->placement, index, &operation->workers)) {
        campaign_operations_refuse(portion, operation, "it speaks for workers that are not its own");
    } else if (!rooms_may_ask(campaign->rooms, operation, &error) ||
               !rooms_apply(campaign->rooms, portion->now_ns, operation, &error)) {
        campaign_operations_refuse(portion, operation, error.text);
    }
    portion->agent->steps_ended += rooms_steps_ended(campaign->rooms) - ended;
    portion->is_awaited = portion->is_awaited || operation->kind == OPERATION_BEGUN;
    campaign->is_unsettled = true;
}

/* All of the message is acknowledged, also what waits: the steps that begin by that are known from now on,
 * should the agent be lost before its turn comes. */
static void note_begun(struct portion *portion, const struct message *message, size_t from)
{
    uint32_t index = (uint32_t)(portion->agent - portion->campaign->agents);
    for (size_t i = from; i < message->operations.count; i++) {
        const struct operation *operation = &message->operations.items[i];
        if (operation->kind == OPERATION_BEGUN && operation->fault == NULL &&
            placement_owns_all(portion->campaign->placement, index, &operation->workers)) {
            rooms_note_begun(portion->campaign->rooms, operation);
            portion->is_awaited = true;
        }
    }
}

/* Whether there may be more in this turn. */
static bool has_space(const struct portion *portion)
{
    struct campaign *campaign = portion->campaign;
    if (rooms_untold_bytes(campaign->rooms) < TOLD_AT_ONCE_BYTES) {
        return true;
    }
    campaign_settle(campaign, portion->now_ns);
    return campaign_agent_is_live(portion->agent) &&
           members_may_speak(campaign->home.members, portion->agent->member);
}

enum campaign_lifecycle_event campaign_take_operations(struct campaign *campaign, uint64_t now_ns,
                                                       struct campaign_agent *agent,
                                                       const struct message *message)
{
    struct portion portion = {.campaign = campaign, .now_ns = now_ns, .agent = agent};
    struct member *member = agent->member;
    for (size_t i = member->next_operation; i < message->operations.count && campaign->rooms != NULL; i++) {
        apply(&portion, &message->operations.items[i]);
        if (!has_space(&portion)) {
            member->next_operation = i + 1;
            member->is_half_done = i + 1 < message->operations.count;
            break;
        }
    }
    if (member->is_half_done && campaign->rooms != NULL) {
        note_begun(&portion, message, member->next_operation);
    }
    if (portion.is_awaited && agent->member != NULL) {
        members_acknowledge(campaign->home.members, agent->member);
    }
    return CAMPAIGN_LIFECYCLE_NO_EVENT;
}
