/* An agent and the coordinator's end of its link, with a network in between that the test drives by hand. */
#pragma once
#include "agent/core/agent.h"
#include "common/buffer.h"
#include "proto/codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)
#define START_NS (100000 * MS)
#define INCARNATION 77u
#define EPOCH 5u
#define CAMPAIGN 9u
#define HEARTBEAT_MS 1000u
#define LEASE_MS 10000u
/* The coordinator's clock minus the agent's. */
#define OFFSET_NS (40000 * MS)

struct fixture {
    struct agent_settings settings;
    struct agent *agent;
    struct agent_effects effects;
    struct link *coordinator;
    uint64_t now_ns;
    uint16_t target_port; /* of what is deployed */
    bool is_cut;          /* frames of the agent are lost */
    uint64_t incarnation; /* of the last frame of the agent */
    uint64_t lease_until_ns;
    size_t leases; /* number of times that it was told */
    size_t frames;
    size_t messages; /* delivered to the coordinator */
    struct buffer transcript;
};

int set_up(void **state); /* two shards */
int tear_down(void **state);

/* Creates the agent from fixture->settings. */
void start(struct fixture *fixture);
/* As start, after the welcome and the exchange of clocks; the transcript is empty. */
void start_joined(struct fixture *fixture);
/* The same with workers 0…count-1 of a campaign of `workers` deployed; the shards have not answered. */
void start_deployed(struct fixture *fixture, uint32_t workers, uint32_t count);

/* Each appends what the agent does to the transcript, separated by spaces:
 *   hello  reconnect  refused(TEXT)  pause  (each other lease only counts)
 *   SHARD:COMMAND(…) for commands, NAME(…) for messages that reach the coordinator. Log lines only under
 *   "log(TEXT)" when they are warnings or worse. */
void tick(struct fixture *fixture);
void turn_end(struct fixture *fixture);
/* The process that the agent was told to look for does not exist. */
void holder_is_gone(struct fixture *fixture);
/* The operator ends the agent: "left" when it may go. */
void ask_to_leave(struct fixture *fixture);
void leave(struct fixture *fixture);
/* A new connection to the coordinator stands. */
void reconnected(struct fixture *fixture);
/* Time passes, the agent ticking whenever it is due; the coordinator is silent. */
void pass(struct fixture *fixture, uint64_t milliseconds);
/* A heartbeat of the coordinator, if one is due, and everything else that its link has to send. */
void pump(struct fixture *fixture);
/* The coordinator sends a message through the link. */
void say(struct fixture *fixture, const struct message *message);
void say_kind(struct fixture *fixture, enum message_kind kind);
/* A frame as it is. */
void frame(struct fixture *fixture, const struct envelope *envelope, const struct message *message);
void raw_frame(struct fixture *fixture, const struct envelope *envelope, struct bytes message);
/* Creates a new coordinator's end and welcomes the last hello. */
void welcome(struct fixture *fixture);
void refuse(struct fixture *fixture, const char *text, bool is_final);

/* From a runner; ownership is taken. */
void notify(struct fixture *fixture, uint32_t shard, struct notice *notice);
void operate(struct fixture *fixture, uint32_t shard, uint32_t worker, struct operation operation);
void finish_shard(struct fixture *fixture, uint32_t shard, uint64_t workers);
void deployed(struct fixture *fixture, uint32_t shard, const char *failure);
/* MESSAGE_DEPLOY of workers first, first + stride, … of a campaign of `workers`. */
void deploy(struct fixture *fixture, uint32_t workers, uint32_t first, uint32_t stride, uint32_t count);
void give_workers(struct worker_set *set, uint32_t first, uint32_t stride, uint32_t count);

void expect(struct fixture *fixture, const char *transcript);
void ignore(struct fixture *fixture);
