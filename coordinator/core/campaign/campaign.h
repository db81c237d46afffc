/* One campaign, from its creation until its report is all that is left: brings agents, rooms and counts
 * together. */
#pragma once
#include "coordinator/core/base/bundle_source.h"
#include "coordinator/core/base/deadline.h"
#include "coordinator/core/base/event.h"
#include "coordinator/core/base/outbox.h"
#include "coordinator/core/base/settings.h"
#include "coordinator/core/roster/members.h"
#include "proto/message/message.h"

struct campaign;

/* What a campaign borrows from the coordinator for as long as it lives. */
struct campaign_home {
    const struct coordinator_settings *settings;
    struct members *members;
    struct outbox *outbox;
    struct timers *timers;
};

/* `event` is EVENT_CREATE; what it points to is copied. */
MUST_CHECK struct campaign *campaign_new(const struct campaign_home *home, uint64_t id,
                                         const struct coordinator_event *event);
void campaign_free(struct campaign **campaign);
uint64_t campaign_id(const struct campaign *campaign);
/* That it was created with; empty if with none. */
struct bytes campaign_key(const struct campaign *campaign);
bool campaign_is_ended(const struct campaign *campaign);
/* The name of its bundle; empty once it has ended. */
struct bytes campaign_bundle(const struct campaign *campaign);

/* Deploys if it waits for agents and there are enough now. */
void campaign_consider_agents(struct campaign *campaign, uint64_t now_ns);
/* The member has been declared lost, or has left (`what`: "was lost"); it is still in its place, but nothing
 * is sent to it any more. */
void campaign_agent_lost(struct campaign *campaign, uint64_t now_ns, const struct member *member,
                         const char *what);
/* A message that names this campaign. */
void campaign_message(struct campaign *campaign, uint64_t now_ns, struct member *member,
                      const struct message *message);
/* How a member is doing, whatever it runs. */
void campaign_gauges(struct campaign *campaign, uint64_t now_ns, const struct member *member,
                     const struct gauges *gauges);
void campaign_stop(struct campaign *campaign, uint64_t now_ns, bool is_at_once, struct bytes text);
/* False with why the campaign cannot have so many workers. */
MUST_CHECK bool campaign_may_scale(const struct campaign *campaign, uint32_t workers, struct error *error);
/* So many workers from now on, if it can have them. */
void campaign_scale(struct campaign *campaign, uint64_t now_ns, uint32_t workers);
/* One of its deadlines was reached. */
void campaign_due(struct campaign *campaign, uint64_t now_ns, enum deadline_kind kind);
/* Something happened in its rooms that campaign_settle has to look at. */
bool campaign_is_unsettled(const struct campaign *campaign);
/* Ends the waits whose end has come and queues the replies. */
void campaign_settle(struct campaign *campaign, uint64_t now_ns);

enum campaign_state campaign_state(const struct campaign *campaign);
/* Of the practice target that it uses; 0: none. */
uint16_t campaign_target_port(const struct campaign *campaign);
/* The agents it was dealt to, 0 before that. */
uint32_t campaign_agent_count(const struct campaign *campaign);
/* NULL once it is lost, or if no worker was dealt to it. `*workers_running` as far as it has told. */
struct member *campaign_agent(const struct campaign *campaign, uint32_t agent, uint32_t *workers_running);
/* What failed steps have left: how much memory that takes, and its end. */
size_t campaign_artifact_bytes(const struct campaign *campaign);
void campaign_drop_artifacts(struct campaign *campaign);
const struct campaign_report *campaign_report(struct campaign *campaign, uint64_t now_ns);

/* Whether all that has happened in it has been settled, as it is at the end of a turn. */
bool campaign_is_at_rest(const struct campaign *campaign);
/* One that has not ended and is at rest, as bytes; and back, where its members are there already. NULL, and
 * `from` is broken, if they make no sense. */
void campaign_pack(const struct campaign *campaign, struct buffer *into);
MUST_CHECK struct campaign *campaign_unpack(const struct campaign_home *home,
                                            const struct bundle_source *bundles, struct unpack *from);
