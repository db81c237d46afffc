/* The inside of the agent, shared by its own files only. */
#pragma once
#include "agent/core/agent.h"
#include "agent/core/agent_campaign.h"
#include "agent/core/bundle/bundle_cache.h"
#include "agent/core/clock_filter.h"
#include "common/map.h"
#include "common/random.h"

/* With this many messages on the link, what follows stays gathered, where it takes less room. */
#define AGENT_BACKLOG_MESSAGES 256u
/* Until the coordinator says what its own is. */
#define AGENT_DEFAULT_HEARTBEAT_NS UINT64_C(1000000000)

struct agent {
    struct agent_settings settings; /* we own its texts */
    struct random random;
    uint64_t incarnation;
    struct link *link; /* NULL until the coordinator has welcomed us */
    uint64_t heartbeat_ns;
    uint64_t lease_ns;
    bool is_refused; /* for good */
    bool has_asked;  /* to leave */
    bool is_leaving;
    uint64_t leave_due_ns; /* when we stop waiting for an answer */

    uint64_t first_hello_ns; /* of this incarnation; 0: none yet */
    uint64_t last_hello_ns;
    uint64_t hello_due_ns;
    uint64_t hello_wait_ns;
    struct text setting_texts[4]; /* name, host, labels and address, of which the settings have views */
    struct shared *hello;         /* encoded; NULL: not yet */
    uint32_t holder_pid;          /* of the process that has our name; 0: none is known */
    uint64_t refusal_told_ns;     /* when a refusal was last logged; 0: never since we were welcome */
    uint64_t refusal_reason;      /* the hash of its text */
    uint64_t reconnect_due_ns;
    uint64_t reconnect_wait_ns;

    uint64_t lease_until_ns; /* as the shell knows it */
    bool is_paused;          /* more has gathered than the link takes */
    size_t gathered;         /* in all campaigns */
    struct clock_filter clock;
    struct gauges gauges;  /* since they were last sent; one loop for each shard */
    struct map *campaigns; /* by campaign */
    struct bundle_cache cache;
    uint64_t complaint_due_ns;
    uint64_t malformed; /* messages that were dropped */

    /* Of the step that is being taken; the texts live until the next. */
    uint64_t now_ns;
    struct agent_effects *effects;
    char **texts;
    size_t text_count;
    size_t text_capacity;
};

/* Effects. */
struct agent_effect *agent_add_effect(struct agent *agent, enum agent_effect_kind kind);
/* Keeps `text` (which it takes) until the next step. */
const char *agent_keep_text(struct agent *agent, char *text);
void agent_free_texts(struct agent *agent);
/* Takes `text` (memory_format). */
void agent_log(struct agent *agent, enum log_level level, char *text);
/* The same about a campaign. */
void agent_log_campaign(struct agent *agent, uint64_t campaign, char *text);
/* Something came that makes no sense: logged at most once a second. */
void agent_complain(struct agent *agent, const char *what);
/* A command for the runner of `shard`, to be filled in by the caller. */
struct command *agent_command(struct agent *agent, struct agent_campaign *campaign, uint32_t shard,
                              enum command_kind kind);
/* Likewise, with an existing command, which it takes. */
void agent_give_command(struct agent *agent, struct agent_campaign *campaign, uint32_t shard,
                        struct command *command);

/* Joining, the lease, and silence. */
void agent_join_init(struct agent *agent);
void agent_say_hello(struct agent *agent);
/* A frame that may be our welcome. True if it was: then it is the link's first. */
bool agent_take_welcome(struct agent *agent, const struct envelope *envelope, struct bytes message);
/* The process that has our name is no more: the next hello says so. */
void agent_take_gone(struct agent *agent);
void agent_take_refusal(struct agent *agent, const struct envelope *envelope, struct bytes message);
/* The operator wants it to leave: campaigns that stop end in order first. */
void agent_ask_to_leave(struct agent *agent);
/* It may, if it has asked. */
void agent_may_leave(struct agent *agent);
/* The end of this agent: told to the coordinator if it knows us. */
void agent_leave(struct agent *agent);
void agent_check_leave(struct agent *agent);
void agent_heard(struct agent *agent);
/* What was on its way on the old connection is lost, and the other end has to learn by which one it reaches
 * us. */
void agent_connected(struct agent *agent);
void agent_check_silence(struct agent *agent);
void agent_update_lease(struct agent *agent);

/* Finds the campaign's bundle among those that are here, or asks for it. */
void agent_get_bundle(struct agent *agent, struct agent_campaign *campaign);
void agent_take_chunk(struct agent *agent, struct agent_campaign *campaign, const struct bundle_chunk *chunk);

/* Campaigns. */
struct agent_campaign *agent_campaign_of(const struct agent *agent, uint64_t campaign);
void agent_drop_shares(struct agent *agent); /* their runners are told to forget */
void agent_take_message(struct agent *agent, const struct message *message);
void agent_take_notice(struct agent *agent, uint32_t shard, struct notice *notice);
/* Tells the coordinator that all our workers of the campaign are torn down, if they are. */
void agent_check_finished(struct agent *agent, struct agent_campaign *campaign);
/* Asks the coordinator for the workers that shards want, unless it has still to answer. */
void agent_ask_for_workers(struct agent *agent, struct agent_campaign *campaign);

/* The agent's gauges: kept until the link takes them. */
void agent_gauges_init(struct agent *agent);
void agent_gauges_finish(struct agent *agent);
void agent_take_loop(struct agent *agent, uint32_t shard, const struct notice *notice);
void agent_take_gauges(struct agent *agent, const struct gauges *gauges);

/* Sending. */
/* In as many messages as are needed. */
void agent_send_statistics(struct agent *agent, uint64_t campaign, const struct statistics *statistics);
void agent_send(struct agent *agent, const struct message *message);
/* Sends what has gathered: as much as the link takes, or all of it. */
void agent_send_gathered(struct agent *agent, struct agent_campaign *campaign, bool is_all);
void agent_count_gathered(struct agent *agent);
