/* The inside of a campaign, for the files that it is made of. */
#pragma once
#include "coordinator/core/campaign/campaign.h"
#include "coordinator/core/campaign/campaign_lifecycle.h"
#include "coordinator/core/campaign/goal_search.h"
#include "coordinator/core/campaign/placement.h"
#include "coordinator/core/report/artifacts.h"
#include "coordinator/core/report/overload.h"
#include "coordinator/core/report/statistics.h"
#include "coordinator/core/report/verdict.h"
#include "coordinator/core/rooms/latecomers.h"
#include "coordinator/core/rooms/rooms.h"
#include "coordinator/core/rooms/sightings.h"
#include "coordinator/core/series/series.h"
#include "coordinator/core/thresholds/threshold_look.h"
#include "coordinator/core/thresholds/thresholds.h"
#include "proto/message/bundle_copy.h"

/* Runs of one worker set in a message; a set with more is sent in several messages. */
#define CAMPAIGN_SET_RUNS 4096u

/* What the number of workers follows. */
struct campaign_goal {
    struct thresholds *thresholds; /* the one that is to hold */
    struct goal_search search;     /* in rooms, or workers where there are no rooms */
    uint64_t not_before_ms; /* since the beginning: until then it shows what was before the last change */
    bool has_value;
    double value; /* the latest */
};

/* The search for how many workers the target takes. */
struct campaign_sizing {
    struct thresholds *thresholds; /* what has to hold, and how many steps that was seen of */
    struct goal_search search;     /* as of a goal */
    uint64_t not_before_ms;        /* likewise */
    uint32_t too_many;             /* workers with which it did not hold; 0: not seen yet */
    double failed_percent;         /* with those, or else the latest */
    double latency_us;
};

/* How an agent was doing while the workers ran. */
struct performance {
    uint64_t measured_us;
    uint64_t cpu_us;
    uint64_t memory_bytes; /* the maximum */
    bool has_clock;
    int64_t clock_offset_ns; /* the latest */
    uint64_t clock_uncertainty_ns;
    struct histogram *lag_us; /* NULL: nothing was measured */
    struct overload overload;
};

/* An agent of the campaign. */
struct campaign_agent {
    struct member *member; /* NULL once it is lost */
    struct text name;
    struct text host;
    struct text labels;
    uint32_t pid;
    uint32_t cores;
    uint32_t workers;     /* that were ever placed on it; 0 where there are more agents than workers */
    uint32_t ids;         /* the same, each worker counted once however often it was placed */
    uint32_t held;        /* of its member's capacity */
    uint32_t wanted;      /* more workers, for arrivals that found none that is free; to be answered */
    uint32_t wanted_load; /* that those are for */
    uint32_t workers_running;
    uint64_t steps_ended; /* reported by its workers; kept only where those of a lost agent go on elsewhere */
    uint64_t steps_counted; /* of those, in its statistics */
    uint64_t bundle_bytes;  /* requested by it and sent to it */
    struct artifact_delivery artifact;
    struct performance performance;
    bool is_lost;
    bool is_joining; /* while the campaign runs; it has not loaded the script yet */
    bool is_late;    /* it joined when arrivals had been split over other rooms, which it does not know */
    bool is_deployed;
    bool is_drained;
    bool is_finished;
    bool is_given_up; /* did not finish in time and was sent MESSAGE_FORGET */
};

/* Workers of one of several loads that it has got since the beginning, up to the first ones of the next. */
struct load_growth {
    uint32_t first_worker;
    uint32_t end;
    uint32_t load;
};

/* What a stopping campaign waits for. */
enum awaited { AWAITS_NOTHING, AWAITS_SETUP, AWAITS_WORKERS, AWAITS_TEARDOWN };

struct campaign {
    struct campaign_home home;
    uint64_t id;
    struct campaign_options options;
    struct text option_texts;  /* those of the options are in it */
    struct bundle_copy bundle; /* until the end: agents may request it */
    struct text script;
    struct text key; /* idempotency key of its creation; empty: none */
    uint32_t agents_wanted;
    uint32_t first_workers;  /* that it began with */
    uint32_t workers_wanted; /* to grow to as soon as they can begin; 0: it is not growing */
    uint64_t deadline_ms;
    uint64_t grown;              /* workers that began since arrivals wanted them */
    struct load_growth *growths; /* of several loads, by their workers */
    size_t growth_count;
    size_t growth_capacity;

    enum campaign_state state;
    bool is_in_transition; /* campaign_happen is running */
    struct deadline lifecycle_due;
    struct deadline rooms_due;
    struct deadline stage_due; /* not while it has no stages of workers */
    struct deadline judge_due; /* the thresholds are judged */
    struct judgement judgement;
    uint64_t refused_events;

    struct campaign_agent *agents;
    uint32_t agent_count;
    struct placement *placement;
    struct rooms *rooms;
    struct sightings *sightings; /* once the rooms are freed, as the next one */
    struct latecomers *latecomers;
    bool is_unsettled;
    struct campaign_statistics *statistics;
    struct series *series;
    uint32_t workers_running;       /* of all agents together */
    struct thresholds *thresholds;  /* NULL: there are none */
    struct campaign_goal *goal;     /* NULL: it has none */
    struct campaign_sizing *sizing; /* likewise */
    struct artifacts artifacts;
    uint32_t global_agent; /* index of the one that runs global fixtures */
    /* Moved but not announced yet: before the workers begin, only after BEGIN. */
    struct moved *moved;
    size_t moved_count;
    size_t moved_capacity;

    uint64_t lead_looked_ns; /* when campaign_lead_ns was last computed for the rooms */
    uint64_t begun_ns;
    uint64_t ended_ns; /* when its workers had ended; 0: not yet */
    struct pace pace;  /* what has changed of its plan, without rooms */
    bool has_joined;   /* an agent, after the beginning */
    bool is_draining;
    bool is_last_step_known;
    uint64_t *last_steps; /* by room, while draining */
    enum awaited awaited;
    bool is_at_once;
    bool was_stopped; /* did not reach its own end */

    struct campaign_report report;
    struct agent_report *agent_reports;
    struct bottleneck_report *bottleneck_reports;
    struct histogram *release_spread_us; /* once the rooms are freed */
    char waiting[256];
};

/* A worker that continues, or begins, on another agent. */
struct moved {
    uint32_t worker;
    uint32_t agent;
    uint64_t first_step;
};

/* campaign.c */
/* A campaign with what its creation gives, and nothing of what follows from it. */
MUST_CHECK struct campaign *campaign_make(const struct campaign_home *home, uint64_t id,
                                          const struct coordinator_event *event);
/* The one function that changes the state: takes the event, then each event that an action returns, until
 * none follows. Must not be called from an action. False if an event is refused. */
bool campaign_happen(struct campaign *campaign, uint64_t now_ns, enum campaign_lifecycle_event event);
/* Records the verdict, its reason, and that the campaign is stopped because of it. Returns the STOP event. */
/* Notes on which agent each of them is. */
void campaign_place_latecomers(const struct campaign *campaign, struct latecomers *latecomers);
enum campaign_lifecycle_event campaign_judge_stop(struct campaign *campaign, enum verdict verdict,
                                                  const char *reason);

/* campaign_progress.c */
/* Restarts the timeout for what it waits for before the workers begin: --setup-timeout. */
void campaign_await_agents(struct campaign *campaign, uint64_t now_ns);
/* DEPLOYED, DRAINED or FINISHED if that is what it waits for and every agent that is left has reported it;
 * else NO_EVENT. */
enum campaign_lifecycle_event campaign_progress(const struct campaign *campaign);
/* How long after a stop its agents may take to finish. */
uint64_t campaign_finish_within_ms(const struct campaign *campaign);
/* Its time to stop is up: the event that follows without what it waits for. */
enum campaign_lifecycle_event campaign_give_up(struct campaign *campaign, uint64_t now_ns);
/* The failure counts as an error and spoils the verdict. */
void campaign_teardown_failed(struct campaign *campaign, const char *why);

/* campaign_agents.c */
/* NULL if the member takes no part. */
struct campaign_agent *campaign_agent_of(struct campaign *campaign, const struct member *member);
/* Takes part, and messages can be sent to it. */
bool campaign_agent_is_live(const struct campaign_agent *agent);
/* And has loaded the script, or is to before the campaign begins. */
bool campaign_agent_takes_workers(const struct campaign_agent *agent);
uint32_t campaign_live_agents(const struct campaign *campaign);
/* Sends to one live agent; to those of `agents` (bitset.h) that are live; to all that are. Encoded once. */
void campaign_tell(struct campaign *campaign, const struct campaign_agent *agent, struct message *message);
void campaign_tell_some(struct campaign *campaign, const uint64_t *agents, struct message *message);
void campaign_tell_all(struct campaign *campaign, struct message *message);
/* How far ahead an instant has to be announced so that every agent knows of it in time. */
uint64_t campaign_lead_ns(const struct campaign *campaign);
/* Takes all suitable agents and places the workers on them. */
void campaign_take_agents(struct campaign *campaign);
/* Takes one more worker out of the capacity of this agent, which is live. */
void campaign_hold(struct campaign *campaign, uint32_t agent);
/* Gives the capacity that it holds back to its agents. */
void campaign_unburden(struct campaign *campaign);
void campaign_deploy(struct campaign *campaign);
/* On the first live agent; there is one. */
void campaign_run_global(struct campaign *campaign, enum global_phase phase);
/* The next live agent after `index`, in a circle, that takes one more worker; PLACEMENT_NOBODY: there is
 * none. */
uint32_t campaign_next_agent(const struct campaign *campaign, uint32_t index);
/* Places the worker on this agent, from this step on; announced by campaign_send_moved. */
void campaign_move(struct campaign *campaign, uint32_t worker, uint32_t agent, uint64_t first_step);
void campaign_send_moved(struct campaign *campaign);

/* The agent has so many workers that run. */
void campaign_note_running(struct campaign *campaign, struct campaign_agent *agent, uint32_t workers);

/* One more, which has no workers. Pointers to its agents change. */
struct campaign_agent *campaign_add_agent(struct campaign *campaign, struct member *member);

/* Rooms of an open load that begin, each with this step. */
struct room_starts {
    struct room_step *items;
    size_t count;
};

/* campaign_join.c */
/* Those that may take part and do not yet. */
void campaign_take_joined(struct campaign *campaign);
/* It has loaded the script, or why not. */
void campaign_joined(struct campaign *campaign, uint64_t now_ns, struct campaign_agent *agent,
                     const struct done *done);
/* The number of workers of a load has changed: where agents have joined, or there are fewer than at the
 * beginning, its arrivals are split over all of them again; with rooms over all rooms, of which those of
 * `starts` are new or back again. */
void campaign_share_arrivals(struct campaign *campaign, uint64_t now_ns, uint32_t load,
                             const struct room_starts *starts);

/* campaign_series.c: what is counted second by second. */
/* The one that the instant is in, of those since the workers began. */
uint64_t campaign_second(const struct campaign *campaign, uint64_t now_ns, int64_t at_ns);
void campaign_series_statistics(struct campaign *campaign, uint64_t now_ns,
                                const struct statistics *statistics);
void campaign_series_gauges(struct campaign *campaign, uint64_t now_ns, const struct gauges *gauges);
void campaign_series_lost(struct campaign *campaign, uint64_t now_ns, uint64_t steps);
/* What was seen since the last call. */
void campaign_series_seen(struct campaign *campaign, uint64_t now_ns);

/* campaign_rooms.c */
/* Applies the message from the member's `next_operation` on; sets its `is_half_done` where that was too much
 * at once. */
enum campaign_lifecycle_event campaign_take_operations(struct campaign *campaign, uint64_t now_ns,
                                                       struct campaign_agent *agent,
                                                       const struct message *message);
/* To one agent, or (NULL) to all. */
void campaign_tell_rooms(struct campaign *campaign, const struct campaign_agent *agent,
                         enum message_kind kind, const struct worker_set *rooms);
/* RUN_UNTIL, from last_steps. */
void campaign_send_last_steps(struct campaign *campaign);

/* campaign_pace.c */
/* How far the plan is, which stands still while the campaign is paused. */
uint64_t campaign_plan_ns(const struct campaign *campaign, uint64_t now_ns);
/* Its workers begin. */
void campaign_begin_stages(struct campaign *campaign);
/* Changes the number of workers to what its stages say now. */
void campaign_follow_stages(struct campaign *campaign, uint64_t now_ns);
/* Arrivals of its plan, which is over, that no agent has begun, or told of, since one was lost or one joined.
 */
uint64_t campaign_unbegun(const struct campaign *campaign);

/* campaign_scale.c */
/* False with why the campaign cannot have this many workers, whatever changes their number. */
MUST_CHECK bool campaign_can_scale(const struct campaign *campaign, uint32_t workers, struct error *error);
/* To a number that it may have. */
void campaign_set_workers(struct campaign *campaign, uint64_t now_ns, uint32_t workers);
/* Rooms, counting all worker ids that there ever were. */
uint32_t campaign_room_total(const struct campaign *campaign);
/* Begins the workers that are wanted, if they can begin now. */
void campaign_grow(struct campaign *campaign, uint64_t now_ns);
/* Begins those up to this number, which fit on its agents and may join their rooms; they are of this load. */
void campaign_begin_more(struct campaign *campaign, uint64_t now_ns, uint32_t workers, uint32_t load);
/* At most `workers`, which is more than it has: as many as fit on its agents. */
uint32_t campaign_fit_workers(const struct campaign *campaign, uint32_t workers);

/* campaign_growth.c */
/* Begins workers that agents want, if there may be more, and answers those agents. */
void campaign_answer_wants(struct campaign *campaign, uint64_t now_ns);
/* Workers up to `end` are of this load. */
void campaign_note_growth(struct campaign *campaign, uint32_t load, uint32_t end);
/* How many workers a load has. */
uint32_t campaign_load_workers(const struct campaign *campaign, uint32_t load);

/* campaign_goal.c */
MUST_CHECK struct campaign_goal *campaign_goal_new(const struct campaign *campaign);
void campaign_goal_free(struct campaign_goal **goal);
/* Its workers begin; nothing where it has no goal, as below. */
void campaign_begin_goal(struct campaign *campaign);
/* Looks at what is measured, and changes the number of workers. */
void campaign_follow_goal(struct campaign *campaign, uint64_t now_ns);
void campaign_report_goal(const struct campaign *campaign, struct goal_report *report);
void campaign_goal_pack(const struct campaign_goal *goal, struct buffer *into);
void campaign_goal_unpack(struct campaign_goal *goal, struct unpack *from);

/* campaign_sizing.c: likewise, and the campaign ends when it has found the number. */
MUST_CHECK struct campaign_sizing *campaign_sizing_new(const struct campaign *campaign);
void campaign_sizing_free(struct campaign_sizing **sizing);
void campaign_begin_sizing(struct campaign *campaign);
void campaign_follow_sizing(struct campaign *campaign, uint64_t now_ns);
void campaign_report_sizing(const struct campaign *campaign, struct sizing_report *report);
void campaign_sizing_pack(const struct campaign_sizing *sizing, struct buffer *into);
void campaign_sizing_unpack(struct campaign_sizing *sizing, struct unpack *from);

/* campaign_thresholds.c */
/* How long its workers have been running. */
uint64_t campaign_elapsed_ms(const struct campaign *campaign, uint64_t now_ns);
/* Until the campaign is touched again. */
struct threshold_inputs campaign_threshold_inputs(struct campaign *campaign);
/* The workers begin, or time has passed: sets when they are judged next. */
void campaign_thresholds_begin(struct campaign *campaign, uint64_t now_ns);
void campaign_thresholds_due(struct campaign *campaign, uint64_t now_ns);
/* At the end. */
void campaign_judge_thresholds(struct campaign *campaign);

/* campaign_report.c */
/* Before the placement is freed: how many workers it had. */
void campaign_note_workers(struct campaign *campaign);
/* Settles the verdict at the end. */
void campaign_judge(struct campaign *campaign);
