/* For each bound of joining and of a deployment: a valid message that is spoiled in one field, and the error
 * with which it is refused. */
#include "proto/message/browser_mix.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"
#include "tests/unit/proto/codec/spoil.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

SPOIL(no_body, wire->body_case = TUTTI__V1__MESSAGE__BODY__NOT_SET)
SPOIL(no_campaign, wire->campaign = 0)
SPOIL(a_campaign, wire->campaign = 1)

SPOIL(version_zero, wire->hello->version_lowest = 0)
SPOIL(versions_crossed, wire->hello->version_lowest = wire->hello->version_highest + 1)
SPOIL(shards_zero, wire->hello->shards = 0)
SPOIL(shards_many, wire->hello->shards = LIMIT_SHARDS + 1)
SPOIL(hello_name_empty, wire->hello->name.len = 0)
SPOIL(hello_name_long, wire->hello->name = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(hello_name_dirty, wire->hello->name = text_bytes("a\nb"))
SPOIL(hello_host_long, wire->hello->host = long_bytes(LIMIT_TEXT_BYTES + 1))

SPOIL(welcome_version, wire->welcome->version = 0)
SPOIL(welcome_epoch, wire->welcome->epoch = 0)
SPOIL(welcome_lease, wire->welcome->lease_ms = 0)
SPOIL(welcome_heartbeat, wire->welcome->heartbeat_ms = 0)
SPOIL(welcome_lease_long, wire->welcome->lease_ms = LIMIT_DURATION_MS + 1)
SPOIL(welcome_heartbeat_long, wire->welcome->heartbeat_ms = UINT64_MAX)

SPOIL(refused_text, wire->refused->text = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(stop_text, wire->stop->text = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(done_text, wire->deployed->text = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(done_phase, wire->global_done->phase = (Tutti__V1__GlobalPhase)2)
SPOIL(global_phase, wire->global->phase = (Tutti__V1__GlobalPhase)-1)
SPOIL(failure_text, wire->failure->text = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(failure_worker, wire->failure->worker = LIMIT_WORKERS)

SPOIL(options_missing, wire->deploy->options = NULL)
SPOIL(options_workers_zero, wire->deploy->options->workers = 0)
SPOIL(options_workers_many, wire->deploy->options->workers = LIMIT_WORKERS + 1)
SPOIL(options_room, wire->deploy->options->room_size = LIMIT_ROOM_SIZE + 1)
SPOIL(options_loss, wire->deploy->options->on_loss = (Tutti__V1__OnLoss)4)
SPOIL(options_deadlock, wire->deploy->options->on_deadlock = (Tutti__V1__OnDeadlock)2)
SPOIL(options_nan, wire->deploy->options->fail_percent = (double)NAN)
SPOIL(options_percent, wire->deploy->options->fail_percent = 100.5)
SPOIL(options_negative, wire->deploy->options->fail_percent = -1)
SPOIL(options_target, wire->deploy->options->target = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(options_labels, wire->deploy->options->labels = long_bytes(LABELS_MAX_BYTES + 1))
SPOIL(hello_labels, wire->hello->labels = long_bytes(LABEL_MAX_BYTES))
SPOIL(options_browser, wire->deploy->options->browser = (Tutti__V1__Browser)(BROWSER_REMOTE + 1))
SPOIL(options_browsers, wire->deploy->options->browsers = long_bytes(BROWSER_MIX_BYTES + 1))
SPOIL(options_target_port, wire->deploy->options->target_port = UINT16_MAX + 1)
SPOIL(options_mode, wire->deploy->options->single_mode = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(options_duration, wire->deploy->options->duration_ms = LIMIT_DURATION_MS + 1)
SPOIL(options_ramp, wire->deploy->options->ramp_up_ms = LIMIT_DURATION_MS + 1)
SPOIL(options_delay, wire->deploy->options->delay_ms = LIMIT_DURATION_MS + 1)
SPOIL(options_sync, wire->deploy->options->sync_timeout_ms = LIMIT_DURATION_MS + 1)
SPOIL(options_setup, wire->deploy->options->setup_timeout_ms = LIMIT_DURATION_MS + 1)

SPOIL(bundle_missing, wire->deploy->bundle = NULL)
SPOIL(bundle_empty, wire->deploy->bundle->n_files = 0)
SPOIL(bundle_hash_short, wire->deploy->bundle->hash.len--)
SPOIL(bundle_hash_upper, wire->deploy->bundle->hash.data[3] = 'A')
SPOIL(bundle_hash_zero, wire->deploy->bundle->hash.data[3] = 0)
SPOIL(bundle_large, wire->deploy->bundle->files[1]->size_bytes = LIMIT_BUNDLE_BYTES)
SPOIL(bundle_wraps, wire->deploy->bundle->files[1]->size_bytes = UINT64_MAX)
SPOIL(wanted_beyond, wire->bundle_wanted->offset = LIMIT_BUNDLE_BYTES)
SPOIL(wanted_no_hash, wire->bundle_wanted->hash.len = 0)
SPOIL(chunk_empty, wire->bundle_chunk->content.len = 0)
SPOIL(chunk_large, wire->bundle_chunk->content = long_bytes(LIMIT_CHUNK_BYTES + 1))
SPOIL(chunk_beyond, wire->bundle_chunk->offset = UINT64_MAX)
SPOIL(chunk_hash, wire->bundle_chunk->hash.data[63] = 'g')
SPOIL(artifact_kind, wire->artifact->kind = 2)
SPOIL(artifact_worker, wire->artifact->worker = LIMIT_WORKERS)
SPOIL(artifact_nothing, wire->artifact->size_bytes = 0)
SPOIL(artifact_large, wire->artifact->size_bytes = LIMIT_ARTIFACT_BYTES + 1)
SPOIL(artifact_empty, wire->artifact->content.len = 0)
SPOIL(artifact_piece_large, wire->artifact->content = long_bytes(LIMIT_CHUNK_BYTES + 1))
SPOIL(artifact_beyond, wire->artifact->offset = LIMIT_ARTIFACT_BYTES)
SPOIL(artifact_wraps, wire->artifact->offset = UINT64_MAX)
SPOIL(bundle_twice, wire->deploy->bundle->files[1]->path = wire->deploy->bundle->files[0]->path)
SPOIL(path_empty, wire->deploy->bundle->files[1]->path.len = 0)
SPOIL(path_absolute, wire->deploy->bundle->files[1]->path = text_bytes("/etc/passwd"))
SPOIL(path_up, wire->deploy->bundle->files[1]->path = text_bytes("a/../../b"))
SPOIL(path_only_up, wire->deploy->bundle->files[1]->path = text_bytes(".."))
SPOIL(path_dot, wire->deploy->bundle->files[1]->path = text_bytes("./a"))
SPOIL(path_double, wire->deploy->bundle->files[1]->path = text_bytes("a//b"))
SPOIL(path_slash, wire->deploy->bundle->files[1]->path = text_bytes("a/"))
SPOIL(path_backslash, wire->deploy->bundle->files[1]->path = text_bytes("a\\..\\b"))
SPOIL(path_newline, wire->deploy->bundle->files[1]->path = text_bytes("a\nb"))
SPOIL(path_long, wire->deploy->bundle->files[1]->path = long_bytes(LIMIT_PATH_BYTES + 1))
SPOIL(path_zero, wire->deploy->bundle->files[1]->path.data[1] = 0)

SPOIL(set_two_numbers, wire->deploy->n_workers = 2)
SPOIL(set_four_numbers, wire->deploy->n_workers = 4)
SPOIL(set_no_stride, wire->deploy->workers[1] = 0)
SPOIL(set_no_count, wire->deploy->workers[2] = 0)
SPOIL(set_first_beyond, wire->deploy->workers[0] = LIMIT_WORKERS)
SPOIL(set_stride_beyond, wire->deploy->workers[1] = UINT32_MAX)
SPOIL(set_count_beyond, wire->deploy->workers[2] = UINT32_MAX)
SPOIL(set_wraps, wire->deploy->workers[0] = wire->deploy->workers[1] = wire->deploy->workers[2] = UINT32_MAX)
SPOIL(set_one_beyond, (wire->deploy->n_workers = 1, wire->deploy->workers[0] = LIMIT_WORKERS))

/* Two runs, each of which is allowed, but not both together. */
static void set_twice_all(Tutti__V1__Message *wire)
{
    static uint32_t numbers[] = {0, 1, LIMIT_WORKERS, 0, 1, 1};
    wire->deploy->workers = numbers;
    wire->deploy->n_workers = 6;
}

static void set_many_runs(Tutti__V1__Message *wire)
{
    static uint32_t numbers[3 * (LIMIT_SET_RUNS + 1)];
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        numbers[i] = 1;
    }
    wire->deploy->workers = numbers;
    wire->deploy->n_workers = sizeof numbers / sizeof *numbers;
}

static const struct refusal REFUSALS[] = {
    {MESSAGE_DRAIN, no_body, "unknown kind"},
    {MESSAGE_FORGET, no_campaign, "without a campaign"},
    {MESSAGE_OPERATIONS, no_campaign, "without a campaign"},
    {MESSAGE_HELLO, a_campaign, "with a campaign"},
    {MESSAGE_HELLO, version_zero, "not a range"},
    {MESSAGE_HELLO, versions_crossed, "not a range"},
    {MESSAGE_HELLO, shards_zero, "0 shards"},
    {MESSAGE_HELLO, shards_many, "257 shards"},
    {MESSAGE_HELLO, hello_name_empty, "name is empty"},
    {MESSAGE_HELLO, hello_name_long, "name has 256 bytes"},
    {MESSAGE_HELLO, hello_name_dirty, "not printable"},
    {MESSAGE_HELLO, hello_host_long, "host has 2001 bytes"},
    {MESSAGE_WELCOME, welcome_version, "cannot be 0"},
    {MESSAGE_WELCOME, welcome_epoch, "cannot be 0"},
    {MESSAGE_WELCOME, welcome_lease, "cannot be 0"},
    {MESSAGE_WELCOME, welcome_heartbeat, "cannot be 0"},
    {MESSAGE_WELCOME, welcome_lease_long, "366 days"},
    {MESSAGE_WELCOME, welcome_heartbeat_long, "366 days"},
    {MESSAGE_REFUSED, refused_text, "2001 bytes"},
    {MESSAGE_STOP, stop_text, "2001 bytes"},
    {MESSAGE_DEPLOYED, done_text, "2001 bytes"},
    {MESSAGE_GLOBAL_DONE, done_phase, "phase: unknown value 2"},
    {MESSAGE_GLOBAL, global_phase, "phase: unknown value -1"},
    {MESSAGE_FAILURE, failure_text, "2001 bytes"},
    {MESSAGE_FAILURE, failure_worker, "worker 1000000"},
    {MESSAGE_DEPLOY, options_missing, "options are missing"},
    {MESSAGE_DEPLOY, options_workers_zero, "0 workers"},
    {MESSAGE_DEPLOY, options_workers_many, "workers is 1000001, at most 1000000"},
    {MESSAGE_DEPLOY, options_room, "room_size is 1000001"},
    {MESSAGE_DEPLOY, options_loss, "on_loss: unknown value 4"},
    {MESSAGE_DEPLOY, options_deadlock, "on_deadlock: unknown value 2"},
    {MESSAGE_DEPLOY, options_nan, "fail_percent is not in the range 0 to 100"},
    {MESSAGE_DEPLOY, options_percent, "percent"},
    {MESSAGE_DEPLOY, options_negative, "percent"},
    {MESSAGE_DEPLOY, options_target, "target has 2001 bytes"},
    {MESSAGE_DEPLOY, options_labels, "labels has 501 bytes"},
    {MESSAGE_HELLO, hello_labels, "labels must be pairs"},
    {MESSAGE_DEPLOY, options_browser, "browser"},
    {MESSAGE_DEPLOY, options_browsers, "browsers"},
    {MESSAGE_DEPLOY, options_target_port, "target_port is 65536"},
    {MESSAGE_DEPLOY, options_mode, "single_mode has"},
    {MESSAGE_DEPLOY, options_duration, "duration_ms is 31622400001, at most 31622400000"},
    {MESSAGE_DEPLOY, options_ramp, "ramp_up_ms is"},
    {MESSAGE_DEPLOY, options_delay, "delay_ms is"},
    {MESSAGE_DEPLOY, options_sync, "sync_timeout_ms is"},
    {MESSAGE_DEPLOY, options_setup, "setup_timeout_ms is"},
    {MESSAGE_DEPLOY, bundle_missing, "a bundle has 1 to"},
    {MESSAGE_DEPLOY, bundle_empty, "a bundle has 1 to"},
    {MESSAGE_DEPLOY, bundle_hash_short, "SHA-256"},
    {MESSAGE_DEPLOY, bundle_hash_upper, "SHA-256"},
    {MESSAGE_DEPLOY, bundle_hash_zero, "SHA-256"},
    {MESSAGE_DEPLOY, bundle_large, "the files have"},
    {MESSAGE_DEPLOY, bundle_wraps, "the files have"},
    {MESSAGE_BUNDLE_WANTED, wanted_beyond, "beyond the end of any bundle"},
    {MESSAGE_BUNDLE_WANTED, wanted_no_hash, "SHA-256"},
    {MESSAGE_BUNDLE_CHUNK, chunk_empty, "a chunk of 0 bytes"},
    {MESSAGE_BUNDLE_CHUNK, chunk_large, "a chunk of"},
    {MESSAGE_BUNDLE_CHUNK, chunk_beyond, "beyond the end of any bundle"},
    {MESSAGE_BUNDLE_CHUNK, chunk_hash, "SHA-256"},
    {MESSAGE_ARTIFACT, artifact_kind, "kind"},
    {MESSAGE_ARTIFACT, artifact_worker, "worker"},
    {MESSAGE_ARTIFACT, artifact_nothing, "0 bytes"},
    {MESSAGE_ARTIFACT, artifact_large, "1048577 bytes"},
    {MESSAGE_ARTIFACT, artifact_empty, "a piece of 0 bytes"},
    {MESSAGE_ARTIFACT, artifact_piece_large, "a piece of"},
    {MESSAGE_ARTIFACT, artifact_beyond, "beyond the end"},
    {MESSAGE_ARTIFACT, artifact_wraps, "beyond the end"},
    {MESSAGE_DEPLOY, bundle_twice, "two files"},
    {MESSAGE_DEPLOY, path_empty, "relative and clean"},
    {MESSAGE_DEPLOY, path_absolute, "relative and clean"},
    {MESSAGE_DEPLOY, path_up, "relative and clean"},
    {MESSAGE_DEPLOY, path_only_up, "relative and clean"},
    {MESSAGE_DEPLOY, path_dot, "relative and clean"},
    {MESSAGE_DEPLOY, path_double, "relative and clean"},
    {MESSAGE_DEPLOY, path_slash, "relative and clean"},
    {MESSAGE_DEPLOY, path_backslash, "relative and clean"},
    {MESSAGE_DEPLOY, path_newline, "relative and clean"},
    {MESSAGE_DEPLOY, path_long, "relative and clean"},
    {MESSAGE_DEPLOY, path_zero, "relative and clean"},
    {MESSAGE_DEPLOY, set_two_numbers, "2 numbers are not a set"},
    {MESSAGE_DEPLOY, set_four_numbers, "4 numbers are not a set"},
    {MESSAGE_DEPLOY, set_no_stride, "no stride"},
    {MESSAGE_DEPLOY, set_no_count, "empty"},
    {MESSAGE_DEPLOY, set_first_beyond, "beyond"},
    {MESSAGE_DEPLOY, set_stride_beyond, "beyond"},
    {MESSAGE_DEPLOY, set_count_beyond, "beyond"},
    {MESSAGE_DEPLOY, set_wraps, "beyond"},
    {MESSAGE_DEPLOY, set_one_beyond, "beyond"},
    {MESSAGE_DEPLOY, set_twice_all, "1000001 workers"},
    {MESSAGE_DEPLOY, set_many_runs, "not a set of workers"},
};

static void spoiled_messages_are_refused(void **state)
{
    (void)state;
    expect_refusals(REFUSALS, sizeof REFUSALS / sizeof *REFUSALS);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(spoiled_messages_are_refused),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
