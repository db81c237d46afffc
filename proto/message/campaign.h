/* The options of a campaign and the files of its script, as they are sent to every agent. */
#pragma once
#include "common/bytes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With REPLACE a step that may have begun is not begun again, with REPLACE_AGAIN it is. */
enum on_loss { ON_LOSS_SHRINK, ON_LOSS_REPLACE, ON_LOSS_FAIL, ON_LOSS_REPLACE_AGAIN, ON_LOSS_COUNT };
enum on_deadlock { ON_DEADLOCK_STOP, ON_DEADLOCK_FAIL };
/* The browsers that agents have drivers for; with the last value, scripts name their own WebDriver
 * addresses. */
enum browser_kind { BROWSER_CHROMIUM, BROWSER_FIREFOX, BROWSER_WEBKIT, BROWSER_REMOTE };
#define BROWSER_KINDS BROWSER_REMOTE
enum global_phase { GLOBAL_SETUP, GLOBAL_TEARDOWN };

struct campaign_options {
    uint32_t workers;
    uint64_t runs;        /* steps of each worker; 0: no limit */
    uint64_t duration_ms; /* 0: no limit */
    uint64_t ramp_up_ms;
    uint64_t delay_ms;  /* after each step */
    uint32_t room_size; /* 0: one room */
    enum on_loss on_loss;
    enum on_deadlock on_deadlock;
    uint64_t sync_timeout_ms;
    /* Of the deployment, of global_setup, and of each worker's setup before its first step. 0: no limit */
    uint64_t setup_timeout_ms;
    uint64_t seed;
    bool is_single_run;         /* every scenario once, in order of their names */
    struct bytes single_mode;   /* only this scenario; empty: all */
    bool is_stopped_by_failure; /* -x */
    uint64_t fail_steps;        /* --fail N: the campaign fails with this many failed steps; 0: never. */
    double fail_percent;        /* --fail P%; 0: fail_steps counts */
    struct bytes target;
    struct bytes labels;  /* only agents that have these labels: proto/message/labels.h */
    uint16_t target_port; /* not 0: the target is on the coordinator's host, at the address by which each
                             agent reaches it */
    uint32_t verbosity;
    enum browser_kind browser; /* that scripts open by default */
};

/* The policy for a word of the option, by its index in ON_LOSS_WORDS; some words select two options at
 * once. */
#define ON_LOSS_WORDS "shrink", "replace", "fail", "replace=again", "replace=next"
enum on_loss on_loss_of(uint32_t place);
/* Whether the workers of a lost agent continue elsewhere. */
bool on_loss_replaces(enum on_loss on_loss);

/* How many workers a room has (the last one may have fewer) and how many rooms there are. */
uint32_t campaign_room_size(const struct campaign_options *options);
/* How many ids belong to a room, including those without a worker. */
uint32_t campaign_room_ids(const struct campaign_options *options);
uint32_t campaign_room_count(const struct campaign_options *options);
/* The number of workers in this particular room. */
uint32_t campaign_workers_of_room(const struct campaign_options *options, uint32_t room);

struct bundle_file {
    struct bytes path; /* relative, with '/', no "..": checked by the codec */
    struct bytes content;
};

/* The first file is the script itself. */
struct bundle {
    struct bundle_file *files;
    size_t file_count;
    struct bytes hash; /* SHA-256 in hexadecimal over paths and contents: bundle_hash */
};

/* A bundle without the contents of its files. */
struct bundle_entry {
    struct bytes path;
    uint64_t size_bytes;
};
struct bundle_listing {
    struct bundle_entry *files;
    size_t file_count;
    struct bytes hash;
};
