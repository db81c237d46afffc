/* How agents leave the coordinator. */
#include "coordinator/core/coordinator_parting.h"

#include "common/memory.h"
#include "coordinator/core/coordinator_inside.h"

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

void coordinator_lose(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                      const char *why)
{
    coordinator_tell_loss(coordinator, member, why);
    coordinator_part_with(coordinator, now_ns, member, "was lost");
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
