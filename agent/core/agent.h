/* An agent as a pure state machine: its link to the coordinator, its lease and clock, and the gathering of
 * what its workers do into few messages. Lives on the agent's main thread; the runners live on the shards. */
#pragma once
#include "agent/core/batch/command.h"
#include "common/log.h"
#include "proto/link/link.h"

struct agent;

struct agent_settings {
    uint64_t incarnation; /* drawn at random by the shell, not 0; a later life draws from `seed` */
    uint64_t seed;
    const char *name;
    const char *host;
    const char *coordinator_host; /* as we reach it, IPv6 in brackets: part of the address of its target */
    uint32_t pid;
    uint32_t cores;
    uint64_t memory_bytes;
    uint32_t shards;
    const char *labels; /* NULL: none */
    uint32_t capacity;  /* 0: any number of workers */
};

enum agent_event_kind {
    AGENT_TICK,      /* agent_due_ns was reached */
    AGENT_FRAME,     /* from the coordinator */
    AGENT_CONNECTED, /* a new connection to the coordinator, which may be a new process */
    AGENT_NOTICE,    /* from a runner; taken */
    AGENT_GAUGES,    /* what the process and its host used since the last such event: about once a second */
    AGENT_TURN_END,  /* nothing more for now: send what has gathered */
    AGENT_GONE,      /* the process that AGENT_LOOK named does not exist */
    AGENT_ASK,       /* the operator stops the agent: ask the coordinator when it may leave */
    AGENT_LEAVE,     /* the operator stops the agent, and no worker acts any more: say goodbye */
};

struct agent_event {
    enum agent_event_kind kind;
    uint64_t now_ns;
    struct envelope envelope;
    struct bytes message;
    uint32_t shard;
    struct notice **notice;      /* taken */
    const struct gauges *gauges; /* without the loops, which come by notice, and without the clock */
};

enum agent_effect_kind {
    AGENT_SEND,      /* a frame to the coordinator; may get lost */
    AGENT_COMMAND,   /* hand `command` to the runner of `shard`; the shell takes it */
    AGENT_LEASE,     /* workers may act until lease_until_ns of the local clock; 0: they pause until there is
                        another */
    AGENT_LOOK,      /* whether the process `pid` of this host exists: it has our name at the coordinator */
    AGENT_RECONNECT, /* the coordinator has been silent for long: make a new connection */
    AGENT_REFUSED,   /* for good: print `text` and end with exit code 2 */
    AGENT_MAY_LEAVE, /* nobody needs its workers any more, or this took too long: end them, then AGENT_LEAVE
                      */
    AGENT_LEFT,      /* the coordinator knows that the agent leaves, or has not answered in time */
    AGENT_LOG,
};

struct agent_effect {
    enum agent_effect_kind kind;
    struct envelope envelope;
    struct shared *message; /* NULL: there is none; borrowed until the next agent_step */
    uint32_t shard;
    struct command
        *command; /* NULLed by the shell that takes it; freed by agent_effects_clear if nobody did */
    uint64_t lease_until_ns;
    uint32_t pid;
    enum log_level level;
    uint64_t campaign; /* that a line of the log is about; 0: none */
    const char *text;  /* borrowed until the next agent_step */
};

struct agent_effects {
    struct agent_effect *items;
    size_t count;
    size_t capacity;
};
void agent_effects_clear(struct agent_effects *effects);
void agent_effects_finish(struct agent_effects *effects);

MUST_CHECK struct agent *agent_new(const struct agent_settings *settings, uint64_t now_ns);
void agent_free(struct agent **agent);
/* Clears `effects`, then fills it in order. */
void agent_step(struct agent *agent, const struct agent_event *event, struct agent_effects *effects);
uint64_t agent_due_ns(const struct agent *agent);
/* Whether the coordinator has welcomed this life. */
bool agent_is_joined(const struct agent *agent);
/* The coordinator's clock minus ours, and how far that may be off; for reports. */
int64_t agent_clock_offset_ns(const struct agent *agent, uint64_t *uncertainty_ns);
