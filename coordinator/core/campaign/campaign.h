/* One campaign, from its creation until only its report is left: brings agents, rooms and statistics
 * together. */
#pragma once
#include "common/error.h"
#include "coordinator/core/base/bundle_source.h"
#include "coordinator/core/base/deadline.h"
#include "coordinator/core/base/event.h"
#include "coordinator/core/base/outbox.h"
#include "coordinator/core/base/settings.h"
#include "coordinator/core/roster/members.h"
#include "proto/message/message.h"

struct artifacts;
struct campaign;
struct series;

/* What a campaign borrows from the coordinator for its lifetime. */
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
/* The key that it was created with; empty: none. */
struct bytes campaign_key(const struct campaign *campaign);
bool campaign_is_ended(const struct campaign *campaign);
/* The name of its bundle; empty once it has ended. */
struct bytes campaign_bundle(const struct campaign *campaign);

/* Deploys if it waits for agents and there are enough now. */
void campaign_consider_agents(struct campaign *campaign, uint64_t now_ns);
/* The member is lost or has left (`what`: "was lost"). It is freed after this call; nothing is sent to it. */
void campaign_agent_lost(struct campaign *campaign, uint64_t now_ns, const struct member *member,
                         const char *what);
/* Whether the member takes part in it, and it has not ended. */
MUST_CHECK bool campaign_has_agent(const struct campaign *campaign, const struct member *member);
/* Whether it has agents, and all of them are leaving. */
MUST_CHECK bool campaign_is_deserted(const struct campaign *campaign);
/* A message that names this campaign. */
void campaign_message(struct campaign *campaign, uint64_t now_ns, struct member *member,
                      const struct message *message);
/* How a member is doing, whatever campaigns it runs. */
void campaign_gauges(struct campaign *campaign, uint64_t now_ns, const struct member *member,
                     const struct gauges *gauges);
void campaign_stop(struct campaign *campaign, uint64_t now_ns, bool is_at_once, struct bytes text);
/* False with why the campaign cannot have this many workers. */
MUST_CHECK bool campaign_may_scale(const struct campaign *campaign, uint32_t workers, struct error *error);
/* Changes the number of its workers, if it can have this many. */
void campaign_scale(struct campaign *campaign, uint64_t now_ns, uint32_t workers);
/* False with why its pace cannot be changed like this now. */
MUST_CHECK bool campaign_may_pace(const struct campaign *campaign, enum pace_change change,
                                  struct error *error);
/* Changes it, if it can be. The rate is that of PACE_RATE. */
void campaign_pace(struct campaign *campaign, uint64_t now_ns, enum pace_change change, double rate_per_s);
/* One of its deadlines was reached. */
void campaign_due(struct campaign *campaign, uint64_t now_ns, enum deadline_kind kind);
/* Whether something happened in its rooms that campaign_settle has to look at. */
bool campaign_is_unsettled(const struct campaign *campaign);
/* Ends the waits that are over and queues the replies. */
void campaign_settle(struct campaign *campaign, uint64_t now_ns);

enum campaign_state campaign_state(const struct campaign *campaign);
/* Of the practice target that it uses; 0: none. */
uint16_t campaign_target_port(const struct campaign *campaign);
/* Agents that take part, 0 before the deployment. */
uint32_t campaign_agent_count(const struct campaign *campaign);
/* NULL once it is lost, or if no worker was placed on it. `*workers_running` is what it reported last. */
struct member *campaign_agent(const struct campaign *campaign, uint32_t agent, uint32_t *workers_running);
/* The artifacts of failed steps, and how much memory they take. */
size_t campaign_artifact_bytes(const struct campaign *campaign);
const struct artifacts *campaign_artifacts(const struct campaign *campaign);
void campaign_drop_artifacts(struct campaign *campaign);
/* NULL before they are there and once the campaign has ended. */
const struct rooms *campaign_rooms(const struct campaign *campaign);
/* The name of the agent that the worker is on; empty: it is on none. */
struct bytes campaign_agent_name(const struct campaign *campaign, uint32_t worker);
/* What was counted second by second. */
const struct series *campaign_series(const struct campaign *campaign);
/* Borrowed until the campaign is touched again. */
const struct campaign_report *campaign_report(struct campaign *campaign, uint64_t now_ns);

/* Whether everything that happened in it has been settled, as at the end of a turn. */
bool campaign_is_at_rest(const struct campaign *campaign);
/* A campaign that has not ended and is at rest, as bytes. */
void campaign_pack(const struct campaign *campaign, struct buffer *into);
/* Its members are there already. NULL, and `from` is broken, if the bytes make no sense. */
MUST_CHECK struct campaign *campaign_unpack(const struct campaign_home *home,
                                            const struct bundle_source *bundles, struct unpack *from);
