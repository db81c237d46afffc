/* How agents go: lost, of their own will, shown out, or because they know better than we do. */
#include "coordinator/core/coordinator_inside.h"

#include "common/memory.h"

/* `what` became of it: "was lost". */
static void part_with(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                      const char *what)
{
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        campaign_agent_lost(coordinator->campaigns.list[i], now_ns, member, what);
    }
    overview_lost(coordinator->overview, member);
    members_lose(coordinator->members, now_ns, &member, &coordinator->outbox);
}

static void tell_loss(struct coordinator *coordinator, const struct member *member, const char *why)
{
    outbox_log(&coordinator->outbox, LOG_WARNING, &(struct log_subject){.agent = member->name},
               "agent %.*s is lost: %s", BYTES_FORMAT(member->name), why);
}

void coordinator_lose(struct coordinator *coordinator, uint64_t now_ns, struct member *member,
                      const char *why)
{
    tell_loss(coordinator, member, why);
    part_with(coordinator, now_ns, member, "was lost");
}

/* What we were restored from is not where we stopped: a journal that could neither be written to nor taken
 * away. What came after it is lost, so nothing that we were restored to is true any more. Nobody may go on by
 * it; whoever knows better begins a new life. */
void coordinator_disown_the_past(struct coordinator *coordinator, uint64_t now_ns, struct member *member)
{
    SCOPED(memory_free_at)
    char *why = memory_format("the coordinator was killed, and its journal was an older one than agent %.*s "
                              "knows of: what happened after it is lost",
                              BYTES_FORMAT(member->name));
    for (size_t i = 0; i < coordinator->campaigns.count; i++) {
        if (campaign_id(coordinator->campaigns.list[i]) <= coordinator->last_restored) {
            campaign_stop(coordinator->campaigns.list[i], now_ns, true, bytes_of_string(why));
        }
    }
    admission_show_out(&coordinator->admission, now_ns, member->incarnation, false,
                       "my journal was an old one, and I have forgotten what you know");
    tell_loss(coordinator, member, "it knows what an old journal has made us forget");
    part_with(coordinator, now_ns, member, "(which knows of more than the coordinator's journal) was lost");
}

/* Whoever says goodbye has ended its workers: nothing has to be waited for. The answer has no link any more:
 * if it gets lost, the goodbye comes again and is told that we know nobody of this life. */
void coordinator_take_leave(struct coordinator *coordinator, uint64_t now_ns, struct member *member)
{
    outbox_log(&coordinator->outbox, LOG_INFO, &(struct log_subject){.agent = member->name},
               "agent %.*s has left", BYTES_FORMAT(member->name));
    admission_show_out(&coordinator->admission, now_ns, member->incarnation, false, "goodbye");
    member->has_left = true;
    part_with(coordinator, now_ns, member, "has left");
}

/* It works on until its lease is over, so it is declared lost only when it has been silent for long enough.
 */
void coordinator_show_out(struct coordinator *coordinator, uint64_t now_ns, struct member *member)
{
    outbox_log(&coordinator->outbox, LOG_WARNING, &(struct log_subject){.agent = member->name},
               "agent %.*s is shown out: its key was revoked", BYTES_FORMAT(member->name));
    admission_show_out(&coordinator->admission, now_ns, member->incarnation, true,
                       "the key of this agent was revoked");
    outbox_forget_route(&coordinator->outbox, member->incarnation);
}
