/* A coordinator on a test stand: the agents are played by the test, the clock is virtual, and everything that
 * happens is recorded. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/coordinator.h"
#include "proto/message/message.h"

#define STAND_AGENTS 8

/* One agent as the test plays it. */
struct played {
    char name[32];
    uint64_t incarnation;
    struct link *link; /* NULL: it has not said hello */
    bool is_silent;    /* its process is frozen or cut off */
    bool is_deaf;      /* its frames arrive, but it receives nothing */
    bool is_obliging;  /* answers DEPLOY, GLOBAL and STOP as a healthy agent would */
    uint64_t workers;  /* workers that it was given */
    uint32_t heartbeats;
    const char *key_name; /* NULL: without keys */
};

struct stand {
    struct coordinator *coordinator;
    struct coordinator_effects effects;
    uint64_t now_ns;
    struct played agents[STAND_AGENTS];
    size_t agent_count;
    struct buffer story; /* one line for each thing that happened since stand_expect */
    bool is_log_told;
    uint32_t logged;
    uint32_t frames;    /* that were sent to agents */
    const char *labels; /* of agents that will say hello */
    uint32_t capacity;
    /* Called before each event is stepped; NULL: there is no journal. */
    void (*on_event)(void *context, const struct coordinator_event *event);
    void *context;
    uint64_t turns;
    /* Of the campaign that was created last: copies get it, which are made of bytes without. */
    uint8_t *bundle;
    bool is_original; /* the same coordinator throughout: state that is only shown, and not packed, is kept */
};

#define STAND_EPOCH 77u
#define STAND_MEMORY_BYTES (512u << 20) /* of an agent, as it says */
#define STAND_START_NS 1000000000000u

void stand_init(struct stand *stand);
void stand_finish(struct stand *stand);
/* cmocka's set-up and tear-down: the state of a test is a stand. */
int stand_set_up(void **state);
int stand_tear_down(void **state);
#define STORY(name) cmocka_unit_test_setup_teardown(name, stand_set_up, stand_tear_down)

/* A new obliging agent; says hello and receives the answer. */
struct played *stand_agent(struct stand *stand, const char *name);
/* The same agent as a new process. */
void stand_say_hello(struct stand *stand, struct played *agent);
void stand_hello_of_version(struct stand *stand, struct played *agent, uint32_t lowest, uint32_t highest);
void stand_send(struct stand *stand, struct played *agent, const struct message *message);
/* Bytes that need not be a message, properly numbered. */
void stand_send_bytes(struct stand *stand, struct played *agent, const void *bytes, size_t size);
void stand_frame(struct stand *stand, const struct envelope *envelope, struct bytes message);
void stand_step(struct stand *stand, const struct coordinator_event *event);
/* Frames are exchanged until nobody has anything left to send. */
void stand_exchange(struct stand *stand);
/* Time passes, including everything that becomes due meanwhile. */
void stand_pass_ms(struct stand *stand, uint64_t milliseconds);

/* Exactly this has happened since the last call. */
void stand_expect(struct stand *stand, const char *story);
void stand_forget_story(struct stand *stand);

/* Short forms of what tests use often; the campaign is always number 1. */
struct campaign_options stand_options(uint32_t workers);
void stand_create(struct stand *stand, const struct campaign_options *options, uint32_t agents);
/* Creates a campaign and brings it to running on agents a1…, obliging; the record so far is dropped. */
void stand_run(struct stand *stand, const struct campaign_options *options, uint32_t agents);
/* The same for a campaign of which only the size matters, on the stand that is the state of a test. */
struct stand *stand_running(void **state, uint32_t workers, uint32_t agents);
/* Creates one for agent a1, not obliging, which is in global_setup; the record so far is dropped. */
struct played *stand_setting_up(struct stand *stand, uint32_t workers);
/* DEPLOYED or GLOBAL_DONE; successful without `why_not`. */
void stand_done(struct stand *stand, struct played *agent, enum message_kind kind, enum global_phase phase,
                const char *why_not);
void stand_finished(struct stand *stand, struct played *agent);
void stand_steps(struct stand *stand, struct played *agent, uint64_t ok, uint64_t failed);
void stand_operation(struct stand *stand, struct played *agent, struct operation operation,
                     const uint32_t *workers, size_t count);
void stand_gone(struct stand *stand, const char *name);
void stand_stop(struct stand *stand, bool is_at_once);
const struct campaign_report *stand_report(struct stand *stand);
void stand_expect_verdict(struct stand *stand, enum verdict verdict, const char *reason);
