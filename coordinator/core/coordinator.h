/* The coordinator as a pure state machine: agents, campaigns, and the coordination of their workers. */
#pragma once
#include "common/error.h"
#include "coordinator/core/base/coordinator_overview.h"
#include "coordinator/core/base/effect.h"
#include "coordinator/core/base/event.h"
#include "coordinator/core/base/settings.h"
#include "coordinator/core/report/report.h"

struct coordinator;

MUST_CHECK struct coordinator *coordinator_new(const struct coordinator_settings *settings);
void coordinator_free(struct coordinator **coordinator);

/* The only entry: takes in what happened, and fills `effects` (cleared first) with what has to be done, in
 * order. */
void coordinator_step(struct coordinator *coordinator, const struct coordinator_event *event,
                      struct coordinator_effects *effects);
/* When EVENT_TICK is wanted; UINT64_MAX: not at all. */
uint64_t coordinator_due_ns(const struct coordinator *coordinator);

/* Whether such a campaign could begin with the agents that have joined, or has to wait for more. False with
 * how many of its workers fit. */
MUST_CHECK bool coordinator_has_room(const struct coordinator *coordinator,
                                     const struct campaign_options *options, uint32_t agents,
                                     struct error *error);
/* Whether EVENT_PACE would be accepted. False with why not. */
MUST_CHECK bool coordinator_may_pace(const struct coordinator *coordinator, uint64_t campaign,
                                     enum pace_change change, struct error *error);
/* Likewise EVENT_SCALE. */
MUST_CHECK bool coordinator_may_scale(const struct coordinator *coordinator, uint64_t campaign,
                                      uint32_t workers, struct error *error);
/* Likewise EVENT_DELETE: only what has ended is forgotten. */
MUST_CHECK bool coordinator_may_delete(const struct coordinator *coordinator, uint64_t campaign,
                                       struct error *error);
/* The id that the last EVENT_CREATE was given (1, 2, …). */
uint64_t coordinator_last_campaign(const struct coordinator *coordinator);

/* The campaign that was created with this key, among those that still have a report; 0: there is none. */
uint64_t coordinator_find_key(const struct coordinator *coordinator, struct bytes key);
/* The name of the bundle of this campaign; empty if it has ended. */
struct bytes coordinator_bundle(const struct coordinator *coordinator, uint64_t campaign);
/* Whether a campaign that has not ended has the bundle of this name. */
bool coordinator_names_bundle(const struct coordinator *coordinator, struct bytes hash);
/* False if there is no report of this campaign, or none any more. */
MUST_CHECK bool coordinator_find(const struct coordinator *coordinator, uint64_t campaign,
                                 enum campaign_state *state);
bool coordinator_has_live_campaign(const struct coordinator *coordinator);

/* What is known of a campaign now, or how it ended; NULL: there is none with this id. Borrowed until the next
 * step. */
const struct campaign_report *coordinator_report(struct coordinator *coordinator, uint64_t campaign,
                                                 uint64_t now_ns);
/* The rooms of a campaign that has not ended; NULL: there are none. Borrowed until the next step. */
const struct rooms *coordinator_rooms(const struct coordinator *coordinator, uint64_t campaign);
/* The name of the agent that a worker of it is on; empty: it is on none. Borrowed likewise. */
struct bytes coordinator_agent_of(const struct coordinator *coordinator, uint64_t campaign, uint32_t worker);
/* What was counted of it second by second; NULL if there is none of this id. Borrowed until the next step. */
const struct series *coordinator_series(const struct coordinator *coordinator, uint64_t campaign);
/* What its failed steps have left; NULL if there is none of this id. Borrowed until the next step. */
const struct artifacts *coordinator_artifacts(const struct coordinator *coordinator, uint64_t campaign);
/* Agents and campaigns as they are now. Borrowed until the next step or the next overview. */
const struct coordinator_overview *coordinator_overview(struct coordinator *coordinator);
