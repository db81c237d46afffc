/* How agents leave the coordinator. */
#include "coordinator/core/coordinator_parting.h"

#include "common/compose.h"
#include "common/memory.h"
#include "coordinator/core/coordinator_inside.h"

/* How long an agent that is stopped is not let go: the others, or we, may be stopped by the same hand. */
#define LEAVING_MS 1000u
#define LEAVING_LOOK_MS 250u

#define MEMORY_TEXT_BYTES 100u
#define SCARCE_PERCENT 80u
#define MIB (UINT64_C(1024) * 1024)

/* `what` happened to it: "was lost". */
static void coordinator_part_with(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                                  const char *what)
{
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        campaign_agent_lost(coordinator->campaigns.list[i], now_ns, member, what);
    }
    overview_lost(coordinator->overview, member);
    members_lose(coordinator->members, now_ns, &member, &coordinator->outbox);
}

static void coordinator_tell_loss(struct coordinator *coordinator, const struct member *member,
                                  const char *why)
{
    outbox_log(&coordinator->outbox, LOG_WARNING, &(struct log_subject){.agent = member->name.bytes},
               "agent %.*s is lost: %s", BYTES_FORMAT(member->name.bytes), why);
}

/* Where it had hardly any left, the kernel has probably killed it. Empty where it had. */
static void coordinator_describe_memory(const struct member *member, char text[MEMORY_TEXT_BYTES])
{
    text[0] = '\0';
    if (member->memory_bytes > 0 && member->used_bytes >= member->memory_bytes / 100 * SCARCE_PERCENT) {
        compose(text, MEMORY_TEXT_BYTES, " (probably out of memory: it used %llu of %llu MiB)",
                (unsigned long long)(member->used_bytes / MIB),
                (unsigned long long)(member->memory_bytes / MIB));
    }
}

void coordinator_lose(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                      const char *why)
{
    char memory[MEMORY_TEXT_BYTES];
    coordinator_describe_memory(member, memory);
    SCOPED(memory_free_at) char *more = memory_format("%s%s", why, memory);
    SCOPED(memory_free_at) char *what = memory_format("was lost%s", memory);
    coordinator_tell_loss(coordinator, member, more);
    coordinator_part_with(coordinator, now_ns, member, what);
}

/* The journal that we were restored from is not where we stopped: it could be neither written nor removed.
 * What happened after it is lost, so nothing that we were restored to holds any more. No campaign may
 * continue from it, and the agent joins again as a new one. */
void coordinator_disown_the_past(struct coordinator *coordinator, uint64_t now_ns, struct member *member)
{
    SCOPED(memory_free_at)
    char *why = memory_format("the coordinator was killed, and its journal is older than what agent %.*s "
                              "knows: what happened since is lost",
                              BYTES_FORMAT(member->name.bytes));
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        if (campaign_id(coordinator->campaigns.list[i]) <= coordinator->last_restored) {
            campaign_stop(coordinator->campaigns.list[i], now_ns, true, bytes_of_string(why));
        }
    }
    admission_show_out(&coordinator->admission, now_ns, member->incarnation, false,
                       "the journal of the coordinator is older than what you know");
    coordinator_tell_loss(coordinator, member, "it knows more than the journal that we were restored from");
    coordinator_part_with(coordinator, now_ns, member,
                          "(which knows more than the coordinator's journal) was lost");
}

/* Whether it is to finish what it does: campaigns that stop. */
static bool coordinator_needs(const struct coordinator *coordinator, const struct member *member)
{
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        const struct campaign *campaign = coordinator->campaigns.list[i];
        if (campaign_has_agent(campaign, member) && campaign_state(campaign) == CAMPAIGN_STOPPING) {
            return true;
        }
    }
    return false;
}

/* When its campaigns are over it goes by itself, so it may not be here any more. */
void coordinator_let_go(struct coordinator *coordinator, uint64_t now_ns)
{
    const struct message leave = {.kind = MESSAGE_LEAVE};
    bool is_one_waiting = false;
    for (size_t i = 0; i < members_count(coordinator->members); i++) {
        struct member *member = members_at(coordinator->members, i);
        if (member->leaving_ns == 0 || member->is_let_go) {
            continue;
        }
        member->is_let_go =
            now_ns >= due_after_ms(member->leaving_ns, LEAVING_MS) && !coordinator_needs(coordinator, member);
        if (member->is_let_go) {
            members_send(coordinator->members, member, &leave);
        }
        is_one_waiting = is_one_waiting || !member->is_let_go;
    }
    if (is_one_waiting) {
        deadline_set(coordinator->timers, &coordinator->leaving_due, due_after_ms(now_ns, LEAVING_LOOK_MS));
    }
}

void coordinator_take_leaving(struct coordinator *coordinator, uint64_t now_ns, struct member *member)
{
    if (member->leaving_ns != 0) {
        return;
    }
    outbox_log(&coordinator->outbox, LOG_INFO, &(struct log_subject){.agent = member->name.bytes},
               "agent %.*s is asked to leave", BYTES_FORMAT(member->name.bytes));
    member->leaving_ns = now_ns;
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        struct campaign *campaign = coordinator->campaigns.list[i];
        if (campaign_is_deserted(campaign)) {
            campaign_stop(campaign, now_ns, false, bytes_of_string("all of its agents were stopped"));
        }
    }
    deadline_set(coordinator->timers, &coordinator->leaving_due, due_after_ms(now_ns, LEAVING_LOOK_MS));
}

/* An agent that says goodbye has ended its workers: nothing has to be waited for. The answer has no link any
 * more: if it gets lost, the goodbye comes again and is answered as from an unknown agent. */
void coordinator_take_leave(struct coordinator *coordinator, uint64_t now_ns, struct member *member)
{
    outbox_log(&coordinator->outbox, LOG_INFO, &(struct log_subject){.agent = member->name.bytes},
               "agent %.*s has left", BYTES_FORMAT(member->name.bytes));
    admission_show_out(&coordinator->admission, now_ns, member->incarnation, false, "goodbye");
    member->has_left = true;
    coordinator_part_with(coordinator, now_ns, member, "has left");
}

/* Its workers go on until its lease is over, so it is declared lost only when it has been silent for long
 * enough. */
void coordinator_expel(struct coordinator *coordinator, uint64_t now_ns, struct member *member)
{
    outbox_log(&coordinator->outbox, LOG_WARNING, &(struct log_subject){.agent = member->name.bytes},
               "agent %.*s is expelled: its key was revoked", BYTES_FORMAT(member->name.bytes));
    admission_show_out(&coordinator->admission, now_ns, member->incarnation, true,
                       "the key of this agent was revoked");
    outbox_forget_route(&coordinator->outbox, member->incarnation);
}
