/* The inside of a campaign, for the files that it is made of. */
#pragma once
#include "coordinator/core/campaign/campaign.h"
#include "coordinator/core/campaign/campaign_lifecycle.h"
#include "coordinator/core/campaign/placement.h"
#include "coordinator/core/report/artifacts.h"
#include "coordinator/core/report/overload.h"
#include "coordinator/core/report/statistics.h"
#include "coordinator/core/report/verdict.h"
#include "coordinator/core/rooms/rooms.h"
#include "coordinator/core/rooms/sightings.h"
#include "proto/message/bundle_copy.h"

/* Runs of one set in a message; a set with more is sent in several. */
#define CAMPAIGN_SET_RUNS 4096u

/* How an agent was doing while the workers ran. */
struct performance {
    uint64_t measured_us;
    uint64_t cpu_us;
    uint64_t memory_bytes; /* the most */
    bool has_clock;
    int64_t clock_offset_ns; /* the latest */
    uint64_t clock_uncertainty_ns;
    struct histogram *lag_us; /* NULL: nothing was measured */
    struct overload overload;
};

/* An agent of the campaign. */
struct campaign_agent {
    struct member *member; /* NULL once it is lost */
    struct bytes name;     /* a zero byte stands behind name and host */
    struct bytes host;
    struct bytes labels;
    uint32_t pid;
    uint32_t cores;
    uint32_t workers; /* that were ever dealt to it; none where there are more agents than workers */
    uint32_t held;    /* of its member's capacity */
    uint32_t workers_running;
    uint64_t steps_ended;   /* as its workers told, where those of a lost agent go on elsewhere */
    uint64_t steps_counted; /* of those, in its statistics */
    uint64_t bundle_bytes;  /* that it asked for and was sent */
    struct artifact_delivery artifact;
    struct performance performance;
    bool is_lost;
    bool is_deployed;
    bool is_drained;
    bool is_finished;
    bool is_given_up; /* did not finish in time, and was told to forget */
};

/* What a stopping campaign waits for. */
enum awaited { AWAITS_NOTHING, AWAITS_SETUP, AWAITS_WORKERS, AWAITS_TEARDOWN };

struct campaign {
    struct campaign_home home;
    uint64_t id;
    struct campaign_options options;
    struct bundle_copy bundle; /* until the end: agents may ask for it */
    struct bytes script;
    struct bytes key; /* that it was created with */
    uint32_t agents_wanted;
    uint32_t workers_wanted; /* as soon as they can begin; 0: as many as there are */
    uint64_t deadline_ms;

    enum campaign_state state;
    struct deadline campaign_lifecycle_due;
    struct deadline rooms_due;
    struct judgement judgement;
    uint64_t refused_events;

    struct campaign_agent *agents;
    uint32_t agent_count;
    struct placement *placement;
    struct rooms *rooms;
    struct sightings *sightings; /* once the rooms are gone */
    bool is_unsettled;
    struct campaign_statistics *statistics;
    struct artifacts artifacts;
    uint32_t global_agent; /* where a global fixture runs */
    /* Dealt again before the workers began: told behind BEGIN. */
    struct moved *moved;
    size_t moved_count;
    size_t moved_capacity;

    uint64_t lead_looked_ns; /* when campaign_lead_ns was last asked for the rooms */
    uint64_t begun_ns;
    uint64_t ended_ns; /* of its workers; 0: not yet */
    bool is_draining;
    bool is_last_step_known;
    uint64_t *last_steps; /* by room, while draining */
    enum awaited awaited;
    bool is_at_once;
    bool was_stopped; /* did not come to its own end */

    struct campaign_report report;
    struct agent_report *agent_reports;
    struct bottleneck_report *bottleneck_reports;
    struct histogram *release_spread_us; /* once the rooms are gone */
    char waiting[256];
};

/* A worker that goes on at another place. */
struct moved {
    uint32_t worker;
    uint32_t agent;
    uint64_t first_step;
};

/* What it is created with, and nothing that follows. */
MUST_CHECK struct campaign *campaign_make(const struct campaign_home *home, uint64_t id,
                                          const struct coordinator_event *event);

/* The one function that changes the state. False if the event is refused in this state. */
bool campaign_happen(struct campaign *campaign, uint64_t now_ns, enum campaign_lifecycle_event event);
/* Looks whether what all agents have to do has been done, or none is left. */
void campaign_check_progress(struct campaign *campaign, uint64_t now_ns);
/* A verdict with its reason, and the end of everything because of it. */
void campaign_stop_as(struct campaign *campaign, uint64_t now_ns, enum verdict verdict, const char *reason);

/* Takes part, and can be told something. */
struct campaign_agent *campaign_agent_of(struct campaign *campaign, const struct member *member);
bool campaign_agent_is_live(const struct campaign_agent *agent);
uint32_t campaign_live_agents(const struct campaign *campaign);
void campaign_tell(struct campaign *campaign, const struct campaign_agent *agent, struct message *message);
/* Those of `agents` (bitset.h) that are live; NULL: all that are. Encoded once. */
void campaign_tell_some(struct campaign *campaign, const uint64_t *agents, struct message *message);
void campaign_tell_all(struct campaign *campaign, struct message *message);

/* campaign_operations.c. From the `next_operation` of the place's member on; it `is_half_done` where it was
 * too much. */
void campaign_take_operations(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                              const struct message *message);

/* campaign_agents.c */
void campaign_take_agents(struct campaign *campaign);
/* One more of the workers that it takes is ours. */
void campaign_hold(struct campaign_agent *agent);
/* What its agents have room for is free again for others. */
void campaign_unburden(struct campaign *campaign);
void campaign_deploy(struct campaign *campaign);
void campaign_send_moved(struct campaign *campaign);
void campaign_run_global(struct campaign *campaign, enum global_phase phase);

/* The next live place after `index` that takes one more, going round; HANDOUT_NOBODY for none. */
uint32_t campaign_next_agent(const struct campaign *campaign, uint32_t index);
/* The worker goes on, or begins, there. */
void campaign_move(struct campaign *campaign, uint32_t worker, uint32_t agent, uint64_t first_step);

/* campaign_scale.c */
/* With all ids that there ever were. */
uint32_t campaign_rooms(const struct campaign *campaign);
/* Begins those that are wanted, if they can. */
void campaign_grow(struct campaign *campaign, uint64_t now_ns);

/* What it waits for now has its time anew: --setup-timeout. */
void campaign_await_agents(struct campaign *campaign, uint64_t now_ns);

/* campaign_gauges.c */
/* How far ahead an instant has to be told so that all agents know of it in time. */
uint64_t campaign_lead_ns(const struct campaign *campaign);
void campaign_report_performance(const struct campaign_agent *agent, struct agent_report *report);
/* Those of all places that have been one. */
void campaign_report_bottlenecks(struct campaign *campaign);

/* campaign_end.c */
void campaign_stop_workers(struct campaign *campaign, uint64_t now_ns);
void campaign_run_teardown(struct campaign *campaign, uint64_t now_ns);
void campaign_give_up(struct campaign *campaign, uint64_t now_ns);
void campaign_end(struct campaign *campaign, uint64_t now_ns);
void campaign_teardown_failed(struct campaign *campaign, const char *why);

/* campaign_replies.c */
void campaign_send_replies(struct campaign *campaign, const struct reply *replies, size_t count);
void campaign_send_rooms(struct campaign *campaign, enum message_kind kind, const struct worker_set *rooms);
/* RUN_UNTIL, from last_steps. */
void campaign_send_last_steps(struct campaign *campaign);
