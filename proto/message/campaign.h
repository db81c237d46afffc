/* The options of a campaign and the files of its script, as they are sent to every agent. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "common/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With REPLACE a step that may have begun is not begun again, with REPLACE_AGAIN it is. */
enum on_loss { ON_LOSS_SHRINK, ON_LOSS_REPLACE, ON_LOSS_FAIL, ON_LOSS_REPLACE_AGAIN, ON_LOSS_COUNT };
enum on_deadlock { ON_DEADLOCK_STOP, ON_DEADLOCK_FAIL };
/* The browsers that agents have drivers for; with the last value, scripts name their own WebDriver
 * addresses. */
enum http_engine_kind { HTTP_ENGINE_NATIVE, HTTP_ENGINE_CURL };
#define HTTP_ENGINE_KINDS 2
enum browser_kind { BROWSER_CHROMIUM, BROWSER_FIREFOX, BROWSER_WEBKIT, BROWSER_REMOTE };
#define BROWSER_KINDS BROWSER_REMOTE
enum arrival_law { ARRIVALS_UNIFORM, ARRIVALS_POISSON };
enum global_phase { GLOBAL_SETUP, GLOBAL_TEARDOWN };

/* The rows have the meaning, range and default of each option. */
struct campaign_options {
#define CAMPAIGN_OPTION(type, field, key, ...) type field;
#define CAMPAIGN_OPTION_OF_START(type, field, key, ...) type field;
#define CAMPAIGN_KEY(type, field, key, ...) type field;
#define CAMPAIGN_FIELD(type, field, ...) type field;
#include "proto/message/campaign_options.inc"
};

struct campaign_options campaign_options_defaults(void);
/* Sets what depends on several options: if neither runs nor a duration is given, each worker does one step.
 * Where thresholds judge, failed steps alone do not, unless that is said too. */
void campaign_options_settle(struct campaign_options *options, bool are_runs_given, bool is_fail_given);
/* False with why options that are good each for itself contradict each other. */
MUST_CHECK bool campaign_options_check(const struct campaign_options *options, struct error *error);
/* The default if it is 0: no wait is unbounded. */
uint64_t campaign_sync_timeout_ms(const struct campaign_options *options);
/* A copy whose texts are views of `texts`, the one piece of memory that they are copied to. */
MUST_CHECK struct campaign_options campaign_options_copy(const struct campaign_options *options,
                                                         struct text *texts);

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
