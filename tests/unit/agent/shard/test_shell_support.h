/* A real shard with a script from memory; the test plays the agent and the coordinator. */
#pragma once
#include "agent/shard/mailbox.h"
#include "agent/shard/shard.h"
#include "common/buffer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#define CAMPAIGN 7u
/* Of large.csv, large.jsonl and large.json in the bundle: mostly spaces. */
#define SHELL_LARGE_BYTES 300000u

struct shell {
    struct shard_settings settings; /* may be changed before shell_deploy */
    struct campaign_options options;
    uv_loop_t loop;
    struct mailbox *notices;
    struct shard *shard;
    _Atomic(uint64_t) lease_until_ns;
    struct deployment *deployment;
    /* What the script wrote with tutti.set_var("log", text), one line each. */
    struct buffer log;
    struct buffer errors; /* texts of failed steps, one line each */
    struct statistics totals;
    uint64_t requests; /* and timings */
    uint64_t failed_requests;
    uint64_t received_bytes;
    uint64_t sent_bytes;
    uint64_t outcomes[OUTCOME_COUNT]; /* of waits */
    /* All that was measured so far, each in microseconds. */
    struct histogram *step_us;
    struct histogram *request_us;
    struct histogram *timing_us;
    struct histogram *waited_us;
    uint64_t artifacts;
    struct operation *held; /* the last call that the test has to answer itself */
    char *text;             /* of the last notice that had one */
    bool is_deployed;
    bool is_deploy_ok;
    bool is_global_done;
    bool is_global_ok;
    bool is_finished;
};

/* cmocka's set-up and tear-down: two workers, one run, a lease of an hour. */
int shell_set_up(void **state);
int shell_tear_down(void **state);

/* Loads the script for all workers of the options; true if it could be loaded. */
bool shell_deploy(struct shell *shell, const char *script);
/* The same, and begins; fails the test if it could not be loaded. */
void shell_start(struct shell *shell, const char *script);
/* The same, and runs it until all workers are torn down. */
void shell_play(struct shell *shell, const char *script);
void shell_begin(struct shell *shell);
void shell_finish(struct shell *shell);
void shell_stop(struct shell *shell, const char *why);
void shell_global(struct shell *shell, enum global_phase phase);
/* Runs the test's loop until *flag. */
void shell_await(struct shell *shell, const bool *flag);
/* Until a call is held. */
void shell_await_call(struct shell *shell);
/* Answers the held call. */
void shell_reply(struct shell *shell, struct reply reply);
const char *shell_log(struct shell *shell);
const char *shell_errors(struct shell *shell);
