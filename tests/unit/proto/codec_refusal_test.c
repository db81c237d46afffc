/* For each bound of the wire a valid message that is spoiled in one field, and the words with which it is
 * refused. */
#include "common/buffer.h"
#include "common/memory.h"
#include "message_samples.h"
#include "proto/codec.h"
#include "proto/labels.h"
#include "proto/limits.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <tutti.pb-c.h>

#include <cmocka.h>

static uint8_t LONG_BYTES[LIMIT_CHUNK_BYTES + 1];
static uint32_t NUMBERS[3 * (LIMIT_SET_RUNS + 1)];

typedef void spoil(Tutti__V1__Message *wire);

struct refusal {
    enum message_kind kind;
    spoil *spoil;
    const char *words;
};

static ProtobufCBinaryData long_bytes(size_t size)
{
    return (ProtobufCBinaryData){.len = size, .data = LONG_BYTES};
}

static ProtobufCBinaryData text_bytes(const char *text)
{
    return (ProtobufCBinaryData){.len = strlen(text), .data = (uint8_t *)(uintptr_t)text};
}

/* Spoilers of one field, by expression. */
#define SPOIL(name, expression)                                                                              \
    static void name(Tutti__V1__Message *wire)                                                               \
    {                                                                                                        \
        expression;                                                                                          \
    }

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
SPOIL(options_loss, wire->deploy->options->on_loss = (Tutti__V1__OnLoss)3)
SPOIL(options_deadlock, wire->deploy->options->on_deadlock = (Tutti__V1__OnDeadlock)2)
SPOIL(options_nan, wire->deploy->options->fail_percent = (double)NAN)
SPOIL(options_percent, wire->deploy->options->fail_percent = 100.5)
SPOIL(options_negative, wire->deploy->options->fail_percent = -1)
SPOIL(options_target, wire->deploy->options->target = long_bytes(LIMIT_TEXT_BYTES + 1))
SPOIL(options_labels, wire->deploy->options->labels = long_bytes(LABELS_MAX_BYTES + 1))
SPOIL(hello_labels, wire->hello->labels = long_bytes(LABEL_MAX_BYTES))
SPOIL(options_browser, wire->deploy->options->browser = (Tutti__V1__Browser)(BROWSER_REMOTE + 1))
SPOIL(options_target_port, wire->deploy->options->target_port = UINT16_MAX + 1)
SPOIL(options_mode, wire->deploy->options->single_mode = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(options_duration, wire->deploy->options->duration_ms = LIMIT_DURATION_MS + 1)
SPOIL(options_ramp, wire->deploy->options->ramp_up_ms = LIMIT_DURATION_MS + 1)
SPOIL(options_delay, wire->deploy->options->delay_ms = LIMIT_DURATION_MS + 1)
SPOIL(options_sync, wire->deploy->options->sync_timeout_ms = LIMIT_DURATION_MS + 1)

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

/* Two runs of which each is allowed, but not both. */
static void set_twice_all(Tutti__V1__Message *wire)
{
    static uint32_t numbers[] = {0, 1, LIMIT_WORKERS, 0, 1, 1};
    wire->deploy->workers = numbers;
    wire->deploy->n_workers = 6;
}

static void set_many_runs(Tutti__V1__Message *wire)
{
    for (size_t i = 0; i < sizeof NUMBERS / sizeof *NUMBERS; i++) {
        NUMBERS[i] = 1;
    }
    wire->deploy->workers = NUMBERS;
    wire->deploy->n_workers = sizeof NUMBERS / sizeof *NUMBERS;
}

SPOIL(rooms_beyond, wire->synchronise->rooms[0] = LIMIT_WORKERS)
SPOIL(rooms_done_beyond, wire->rooms_done->rooms[0] = LIMIT_WORKERS)
SPOIL(assign_nobody, wire->assign->items[1]->n_workers = 0)
SPOIL(assign_beyond, wire->assign->items[0]->workers[0] = LIMIT_WORKERS)
SPOIL(steps_odd, wire->drained->n_pairs--)
SPOIL(steps_room, wire->run_until->pairs[2] = 1ull << 32)

#define ITEM(kind) wire->operations->items[kind]
SPOIL(operation_no_kind, ITEM(0)->kind = TUTTI__V1__OPERATION_KIND__OPERATION_KIND_UNSPECIFIED)
SPOIL(operation_kind_beyond, ITEM(0)->kind = (Tutti__V1__OperationKind)(OPERATION_KIND_COUNT + 1))
SPOIL(operation_kind_negative, ITEM(0)->kind = (Tutti__V1__OperationKind)-5)
SPOIL(operation_nobody, ITEM(OPERATION_PAST)->n_workers = 0)
SPOIL(operation_room, ITEM(OPERATION_READ)->room = LIMIT_WORKERS + 1)
SPOIL(operation_name_empty, ITEM(OPERATION_READ)->name.len = 0)
SPOIL(operation_name_long, ITEM(OPERATION_PAST)->name = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(operation_timeout, ITEM(OPERATION_WAIT_SET)->timeout_ms = LIMIT_DURATION_MS + 1)
SPOIL(operation_value, ITEM(OPERATION_SET)->value = text_bytes("x"))
SPOIL(operation_value_more, ITEM(OPERATION_SET)->value = text_bytes("tt"))
SPOIL(operation_expected, ITEM(OPERATION_CAS)->expected = text_bytes("i"))
SPOIL(operation_text, ITEM(OPERATION_PAST)->text = long_bytes(LIMIT_TEXT_BYTES + 1))

static void operation_crowd(Tutti__V1__Message *wire)
{
    static uint32_t two[] = {1, 1, 2};
    ITEM(OPERATION_WRITTEN)->workers = two;
    ITEM(OPERATION_WRITTEN)->n_workers = 3;
}

static void operation_instants(Tutti__V1__Message *wire)
{
    static uint32_t two[] = {1, 1};
    ITEM(OPERATION_READ)->after_us = two;
    ITEM(OPERATION_READ)->n_after_us = 2;
}

SPOIL(operation_digest, ITEM(OPERATION_READ)->digest = text_bytes("fifteen bytes.."))

/* 1.0 as a floating-point number: it has to be an integer. */
static void operation_value_not_canonical(Tutti__V1__Message *wire)
{
    static uint8_t one[] = {'d', 0x3f, 0xf0, 0, 0, 0, 0, 0, 0};
    ITEM(OPERATION_SET)->value = (ProtobufCBinaryData){.len = sizeof one, .data = one};
}

/* A value where the kind has none has to be one all the same. */
SPOIL(operation_value_idle, ITEM(OPERATION_READ)->value = text_bytes("?"))

#define REPLY(kind) wire->replies->items[kind]
SPOIL(reply_no_kind, REPLY(0)->kind = TUTTI__V1__OPERATION_KIND__OPERATION_KIND_UNSPECIFIED)
SPOIL(reply_outcome, REPLY(0)->outcome = (Tutti__V1__Outcome)OUTCOME_COUNT)
SPOIL(reply_outcome_negative, REPLY(0)->outcome = (Tutti__V1__Outcome)-1)
SPOIL(reply_nobody, REPLY(OPERATION_GET)->n_workers = 0)
SPOIL(reply_room, REPLY(OPERATION_GET)->room = UINT32_MAX)
SPOIL(reply_name, REPLY(OPERATION_GET)->name.len = 0)
SPOIL(reply_name_long, REPLY(OPERATION_GET)->name = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(reply_value, REPLY(OPERATION_GET)->value = text_bytes("s"))
SPOIL(reply_missing, REPLY(OPERATION_GET)->missing[2] = LIMIT_MISSING + 1)
SPOIL(reply_text, REPLY(OPERATION_GET)->text = long_bytes(LIMIT_TEXT_BYTES + 1))

SPOIL(gauges_interval, wire->gauges->interval_us = LIMIT_INTERVAL_US + 1)
SPOIL(gauges_histogram, wire->gauges->lag_us->n_pairs--)

#define STATISTICS wire->statistics
SPOIL(statistics_running, STATISTICS->workers_running = LIMIT_WORKERS + 1)
SPOIL(histogram_odd, STATISTICS->step_us->n_pairs--)
SPOIL(histogram_none, STATISTICS->step_us->n_pairs = 0)
SPOIL(histogram_same_bucket, STATISTICS->step_us->pairs[2] = 0)
SPOIL(histogram_first_bucket, STATISTICS->step_us->pairs[0] = 0)
SPOIL(histogram_nothing, STATISTICS->step_us->pairs[3] = 0)
SPOIL(histogram_far, STATISTICS->step_us->pairs[4] = 1u << 20)
SPOIL(histogram_wraps, STATISTICS->step_us->pairs[4] = 1ull << 32)
SPOIL(histogram_wraps_wide, STATISTICS->step_us->pairs[4] = UINT64_MAX)
SPOIL(request_histogram, STATISTICS->requests[1]->latency_us->pairs[0] = 0)
SPOIL(request_name, STATISTICS->requests[1]->name.len = 0)
SPOIL(request_name_long, STATISTICS->requests[0]->name = long_bytes(LIMIT_NAME_BYTES + 1))
SPOIL(wait_name, STATISTICS->waits[0]->name.len = 0)
SPOIL(wait_kind, STATISTICS->waits[1]->kind = (Tutti__V1__OperationKind)99)
SPOIL(wait_outcomes, STATISTICS->waits[1]->n_outcomes--)
SPOIL(wait_histogram, STATISTICS->waits[0]->waited_us->pairs[1] = 0)
SPOIL(error_worker, STATISTICS->errors[0]->worker = LIMIT_WORKERS)
SPOIL(error_text, STATISTICS->errors[1]->text = long_bytes(LIMIT_TEXT_BYTES + 1))

static const struct refusal REFUSALS[] = {
    {MESSAGE_DRAIN, no_body, "unknown kind"},
    {MESSAGE_FORGET, no_campaign, "without a campaign"},
    {MESSAGE_OPERATIONS, no_campaign, "without a campaign"},
    {MESSAGE_HELLO, a_campaign, "with a campaign"},
    {MESSAGE_HELLO, version_zero, "no range"},
    {MESSAGE_HELLO, versions_crossed, "no range"},
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
    {MESSAGE_GLOBAL_DONE, done_phase, "phase: there is no 2"},
    {MESSAGE_GLOBAL, global_phase, "phase: there is no -1"},
    {MESSAGE_FAILURE, failure_text, "2001 bytes"},
    {MESSAGE_FAILURE, failure_worker, "worker 1000000"},
    {MESSAGE_DEPLOY, options_missing, "options are missing"},
    {MESSAGE_DEPLOY, options_workers_zero, "0 workers"},
    {MESSAGE_DEPLOY, options_workers_many, "1000001 workers"},
    {MESSAGE_DEPLOY, options_room, "rooms of 1000001"},
    {MESSAGE_DEPLOY, options_loss, "on loss: there is no 3"},
    {MESSAGE_DEPLOY, options_deadlock, "on deadlock: there is no 2"},
    {MESSAGE_DEPLOY, options_nan, "percent"},
    {MESSAGE_DEPLOY, options_percent, "percent"},
    {MESSAGE_DEPLOY, options_negative, "percent"},
    {MESSAGE_DEPLOY, options_target, "target has"},
    {MESSAGE_DEPLOY, options_labels, "labels of 501 bytes"},
    {MESSAGE_HELLO, hello_labels, "labels are no pairs"},
    {MESSAGE_DEPLOY, options_browser, "browser"},
    {MESSAGE_DEPLOY, options_target_port, "65536 is no port of a target"},
    {MESSAGE_DEPLOY, options_mode, "single mode has"},
    {MESSAGE_DEPLOY, options_duration, "duration is longer"},
    {MESSAGE_DEPLOY, options_ramp, "ramp-up is longer"},
    {MESSAGE_DEPLOY, options_delay, "delay is longer"},
    {MESSAGE_DEPLOY, options_sync, "sync timeout is longer"},
    {MESSAGE_DEPLOY, bundle_missing, "a bundle has 1 to"},
    {MESSAGE_DEPLOY, bundle_empty, "a bundle has 1 to"},
    {MESSAGE_DEPLOY, bundle_hash_short, "SHA-256"},
    {MESSAGE_DEPLOY, bundle_hash_upper, "SHA-256"},
    {MESSAGE_DEPLOY, bundle_hash_zero, "SHA-256"},
    {MESSAGE_DEPLOY, bundle_large, "the files have"},
    {MESSAGE_DEPLOY, bundle_wraps, "the files have"},
    {MESSAGE_BUNDLE_WANTED, wanted_beyond, "no bundle has"},
    {MESSAGE_BUNDLE_WANTED, wanted_no_hash, "SHA-256"},
    {MESSAGE_BUNDLE_CHUNK, chunk_empty, "a chunk of 0 bytes"},
    {MESSAGE_BUNDLE_CHUNK, chunk_large, "a chunk of"},
    {MESSAGE_BUNDLE_CHUNK, chunk_beyond, "no bundle has"},
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
    {MESSAGE_DEPLOY, set_two_numbers, "2 numbers are no set"},
    {MESSAGE_DEPLOY, set_four_numbers, "4 numbers are no set"},
    {MESSAGE_DEPLOY, set_no_stride, "no stride"},
    {MESSAGE_DEPLOY, set_no_count, "empty"},
    {MESSAGE_DEPLOY, set_first_beyond, "beyond"},
    {MESSAGE_DEPLOY, set_stride_beyond, "beyond"},
    {MESSAGE_DEPLOY, set_count_beyond, "beyond"},
    {MESSAGE_DEPLOY, set_wraps, "beyond"},
    {MESSAGE_DEPLOY, set_one_beyond, "beyond"},
    {MESSAGE_DEPLOY, set_twice_all, "1000001 workers"},
    {MESSAGE_DEPLOY, set_many_runs, "no set of workers"},
    {MESSAGE_SYNCHRONISE, rooms_beyond, "beyond"},
    {MESSAGE_ROOMS_DONE, rooms_done_beyond, "beyond"},
    {MESSAGE_ASSIGN, assign_nobody, "set of workers is empty"},
    {MESSAGE_ASSIGN, assign_beyond, "beyond"},
    {MESSAGE_DRAINED, steps_odd, "5 numbers are no pairs"},
    {MESSAGE_RUN_UNTIL, steps_room, "room is beyond"},
    {MESSAGE_OPERATIONS, operation_no_kind, "operation 0: there is no kind of operation 0"},
    {MESSAGE_OPERATIONS, operation_kind_beyond, "no kind of operation 21"},
    {MESSAGE_OPERATIONS, operation_kind_negative, "no kind of operation -5"},
    {MESSAGE_OPERATIONS, operation_nobody, "set of workers is empty"},
    {MESSAGE_OPERATIONS, operation_crowd, "written is of one worker"},
    {MESSAGE_OPERATIONS, operation_room, "room 1000000 is beyond"},
    {MESSAGE_OPERATIONS, operation_name_empty, "operation 2: name is empty"},
    {MESSAGE_OPERATIONS, operation_name_long, "name has 256 bytes"},
    {MESSAGE_OPERATIONS, operation_timeout, "timeout is longer"},
    {MESSAGE_OPERATIONS, operation_value, "value: "},
    {MESSAGE_OPERATIONS, operation_value_more, "value: "},
    {MESSAGE_OPERATIONS, operation_value_not_canonical, "value: "},
    {MESSAGE_OPERATIONS, operation_value_idle, "value: "},
    {MESSAGE_OPERATIONS, operation_expected, "expected value: "},
    {MESSAGE_OPERATIONS, operation_text, "text has 2001 bytes"},
    {MESSAGE_OPERATIONS, operation_instants, "operation 2: 2 instants of 29 workers"},
    {MESSAGE_OPERATIONS, operation_digest, "operation 2: a digest of 15 bytes"},
    {MESSAGE_REPLIES, reply_no_kind, "reply 0: there is no kind"},
    {MESSAGE_REPLIES, reply_outcome, "outcome: there is no 6"},
    {MESSAGE_REPLIES, reply_outcome_negative, "outcome: there is no -1"},
    {MESSAGE_REPLIES, reply_nobody, "set of workers is empty"},
    {MESSAGE_REPLIES, reply_room, "is beyond"},
    {MESSAGE_REPLIES, reply_name, "name is empty"},
    {MESSAGE_REPLIES, reply_name_long, "name has 256 bytes"},
    {MESSAGE_REPLIES, reply_value, "value: "},
    {MESSAGE_REPLIES, reply_missing, "33 workers, at most 32"},
    {MESSAGE_REPLIES, reply_text, "text has 2001 bytes"},
    {MESSAGE_GAUGES, gauges_interval, "more than a year"},
    {MESSAGE_GAUGES, gauges_histogram, "no histogram"},
    {MESSAGE_STATISTICS, statistics_running, "1000001 workers running"},
    {MESSAGE_STATISTICS, histogram_odd, "no histogram"},
    {MESSAGE_STATISTICS, histogram_none, "no histogram"},
    {MESSAGE_STATISTICS, histogram_same_bucket, "does not rise"},
    {MESSAGE_STATISTICS, histogram_first_bucket, "does not rise"},
    {MESSAGE_STATISTICS, histogram_nothing, "does not rise"},
    {MESSAGE_STATISTICS, histogram_far, "no such bucket"},
    {MESSAGE_STATISTICS, histogram_wraps, "goes too far"},
    {MESSAGE_STATISTICS, histogram_wraps_wide, "goes too far"},
    {MESSAGE_STATISTICS, request_histogram, "does not rise"},
    {MESSAGE_STATISTICS, request_name, "name of a request is empty"},
    {MESSAGE_STATISTICS, request_name_long, "name of a request has 256"},
    {MESSAGE_STATISTICS, wait_name, "name of a wait is empty"},
    {MESSAGE_STATISTICS, wait_kind, "no kind of operation 99"},
    {MESSAGE_STATISTICS, wait_outcomes, "5 outcomes"},
    {MESSAGE_STATISTICS, wait_histogram, "does not rise"},
    {MESSAGE_STATISTICS, error_worker, "worker 1000000"},
    {MESSAGE_STATISTICS, error_text, "text of an error has 2001"},
};

/* Keeps what protobuf-c allocates until the end, since spoiling replaces pointers. */
static void *keep_alive(void *context, size_t size)
{
    void ***kept = context;
    void **block = memory_new(1, sizeof(void *) * 2 + size);
    *block = *kept;
    *kept = block;
    return block + 2;
}

static void free_later(void *context, void *memory)
{
    (void)context;
    (void)memory;
}

static void free_kept(void **kept)
{
    while (kept != NULL) {
        void **next = *kept;
        memory_free(kept);
        kept = next;
    }
}

static void encode_spoiled(const struct refusal *refusal, struct buffer *spoiled)
{
    struct sample sample;
    struct buffer encoded;
    void **kept = NULL;
    ProtobufCAllocator allocator = {.alloc = keep_alive, .free = free_later, .allocator_data = &kept};
    sample_make(&sample, refusal->kind, SAMPLE_TYPICAL);
    buffer_init(&encoded, LIMIT_FRAME_BYTES);
    message_encode(&sample.message, &encoded);
    Tutti__V1__Message *wire = tutti__v1__message__unpack(&allocator, encoded.size, encoded.data);
    assert_non_null(wire);
    refusal->spoil(wire);
    size_t size = tutti__v1__message__get_packed_size(wire);
    uint8_t *packed = memory_new(1, size);
    assert_int_equal(tutti__v1__message__pack(wire, packed), size);
    buffer_init(spoiled, LIMIT_FRAME_BYTES);
    assert_true(buffer_append(spoiled, packed, size));
    memory_free(packed);
    buffer_finish(&encoded);
    sample_finish(&sample);
    free_kept(kept);
}

static void spoiled_messages_are_refused(void **state)
{
    (void)state;
    memset(LONG_BYTES, 'x', sizeof LONG_BYTES);
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        struct buffer spoiled;
        struct message decoded = {.campaign = 4711};
        struct error error;
        encode_spoiled(&REFUSALS[i], &spoiled);
        if (message_decode(buffer_bytes(&spoiled), &decoded, &error)) {
            fail_msg("row %zu (%s) was decoded", i, REFUSALS[i].words);
        }
        if (strstr(error.text, REFUSALS[i].words) == NULL) {
            fail_msg("row %zu: \"%s\" does not say \"%s\"", i, error.text, REFUSALS[i].words);
        }
        assert_int_equal(decoded.campaign, 4711); /* untouched */
        assert_false(message_decode(buffer_bytes(&spoiled), &decoded, NULL));
        buffer_finish(&spoiled);
    }
}

static void unspoiled(Tutti__V1__Message *wire)
{
    (void)wire;
}

/* What another implementation writes decodes too: protobuf-c's own packing. */
static void repacked_messages_decode(void **state)
{
    (void)state;
    for (int kind = 0; kind < SAMPLE_KIND_COUNT; kind++) {
        struct refusal none = {.kind = (enum message_kind)kind, .spoil = unspoiled};
        struct buffer packed;
        struct message decoded;
        struct error error;
        encode_spoiled(&none, &packed);
        if (!message_decode(buffer_bytes(&packed), &decoded, &error)) {
            fail_msg("kind %d: %s", kind, error.text);
        }
        message_finish(&decoded);
        buffer_finish(&packed);
    }
}

static void truncated_messages_do_no_harm(void **state)
{
    (void)state;
    for (int kind = 0; kind < SAMPLE_KIND_COUNT; kind++) {
        struct sample sample;
        struct buffer encoded;
        sample_make(&sample, (enum message_kind)kind, SAMPLE_TYPICAL);
        buffer_init(&encoded, LIMIT_FRAME_BYTES);
        message_encode(&sample.message, &encoded);
        for (size_t size = 0; size < encoded.size; size++) {
            struct message decoded;
            uint8_t *copy = memory_copy(encoded.data, size);
            assert_false(message_decode(bytes_of(copy, size), &decoded, NULL));
            memory_free(copy);
        }
        buffer_finish(&encoded);
        sample_finish(&sample);
    }
}

/* Many items of two bytes, each of which would become a structure of hundreds. */
static void memory_is_bounded(void **state)
{
    (void)state;
    size_t pairs = LIMIT_FRAME_BYTES / 2 - 8;
    struct buffer bomb;
    struct message decoded;
    struct error error;
    buffer_init(&bomb, LIMIT_FRAME_BYTES);
    uint8_t *items = memory_new(pairs, 2);
    for (size_t i = 0; i < pairs; i++) {
        items[2 * i] = 0x0a;
    }
    const uint8_t head[] = {0x08, 0x01, 0x2a};
    size_t size = 2 * pairs;
    const uint8_t length[] = {(uint8_t)(size | 0x80), (uint8_t)(size >> 7 | 0x80),
                              (uint8_t)(size >> 14 | 0x80), (uint8_t)(size >> 21)};
    assert_true(buffer_append(&bomb, head, sizeof head));
    assert_true(buffer_append(&bomb, length, sizeof length));
    assert_true(buffer_append(&bomb, items, size));
    assert_false(message_decode(buffer_bytes(&bomb), &decoded, &error));
    assert_non_null(strstr(error.text, "too much memory"));
    buffer_finish(&bomb);
    memory_free(items);
}

static void oversized_frames_are_refused(void **state)
{
    (void)state;
    struct message decoded;
    struct error error;
    uint8_t *frame = memory_new(1, LIMIT_FRAME_BYTES + 1);
    assert_false(message_decode(bytes_of(frame, LIMIT_FRAME_BYTES + 1), &decoded, &error));
    assert_non_null(strstr(error.text, "at most"));
    memory_free(frame);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
        cmocka_unit_test(spoiled_messages_are_refused),  cmocka_unit_test(repacked_messages_decode),
        cmocka_unit_test(truncated_messages_do_no_harm), cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(oversized_frames_are_refused),
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
