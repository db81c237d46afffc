/* The journal as bytes: every event is read as it was written, a torn end is cut off, and nothing else is
 * mistaken for what was written. */
#include "coordinator/core/journal/event_log.h"

#include "common/memory.h"
#include "common/random.h"
#include "coordinator/core/coordinator_pack.h"
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define FILE_BYTES (1024u * 1024u)

static struct bundle_file files[] = {
    {.path = {(const uint8_t *)"pad.lua", 7}, .content = {(const uint8_t *)"-- \0script", 10}},
    {.path = {(const uint8_t *)"empty.csv", 9}}};

/* One of each kind, with no field left at 0. */
static const struct coordinator_event EVENTS[] = {
    {.kind = EVENT_TICK, .now_ns = 1000},
    {.kind = EVENT_FRAME,
     .now_ns = 1001,
     .frame = {.envelope = {UINT64_MAX, 2, 3, 4, 5, 6, UINT64_MAX - 7},
               .message = {(const uint8_t *)"\0message", 8},
               .key_name = {(const uint8_t *)"a1", 2}}},
    {.kind = EVENT_TURN_END, .now_ns = 1001},
    {.kind = EVENT_AGENT_GONE, .now_ns = 2000, .gone.name = {(const uint8_t *)"a2", 2}},
    {.kind = EVENT_REVOKED, .now_ns = 2001, .revoked.incarnation = UINT64_MAX - 1},
    {.kind = EVENT_CREATE,
     .now_ns = 3000,
     .create = {.options = {.workers = 7,
                            .runs = 8,
                            .duration_ms = 9,
                            .ramp_up_ms = 10,
                            .delay_ms = 11,
                            .room_size = 3,
                            .on_loss = ON_LOSS_FAIL,
                            .on_deadlock = ON_DEADLOCK_FAIL,
                            .sync_timeout_ms = 12,
                            .seed = UINT64_MAX - 2,
                            .is_single_run = true,
                            .single_mode = {(const uint8_t *)"one", 3},
                            .is_stopped_by_failure = true,
                            .fail_steps = 13,
                            .fail_percent = 2.5,
                            .target = {(const uint8_t *)"http://t", 8},
                            .labels = {(const uint8_t *)"zone=a", 6},
                            .target_port = 14,
                            .setup_timeout_ms = 18,
                            .browser = BROWSER_WEBKIT,
                            .verbosity = 2},
                .bundle = {.files = files, .file_count = 2, .hash = {(const uint8_t *)HASH, 64}},
                .script = {(const uint8_t *)"some/pad.lua", 12},
                .key = {(const uint8_t *)"drawn", 5},
                .agents = 15,
                .deadline_ms = 16}},
    {.kind = EVENT_STOP,
     .now_ns = 2999, /* not after the one before */
     .stop = {.campaign = 17, .is_at_once = true, .text = {(const uint8_t *)"enough", 6}}},
    {.kind = EVENT_SCALE, .now_ns = 3001, .scale = {.campaign = 18, .workers = 300}},
    {.kind = EVENT_SCALE, .now_ns = 3002, .scale = {.campaign = 18, .workers = UINT32_MAX}},
    {.kind = EVENT_PACE, .now_ns = 3003, .pace = {.campaign = 19, .change = PACE_RATE, .rate_per_s = 0.1}},
    {.kind = EVENT_PACE, .now_ns = 3004, .pace = {.campaign = 19, .change = PACE_RESUME}},
    {.kind = EVENT_DELETE, .now_ns = 3005, .deleted = {.campaign = 20}},
    {.kind = EVENT_RESTORED, .now_ns = UINT64_MAX},
};
#define EVENT_COUNT (sizeof EVENTS / sizeof EVENTS[0])

static bool is_same_options(const struct campaign_options *left, const struct campaign_options *right)
{
    return left->workers == right->workers && left->runs == right->runs &&
           left->duration_ms == right->duration_ms && left->ramp_up_ms == right->ramp_up_ms &&
           left->delay_ms == right->delay_ms && left->room_size == right->room_size &&
           left->on_loss == right->on_loss && left->on_deadlock == right->on_deadlock &&
           left->sync_timeout_ms == right->sync_timeout_ms && left->seed == right->seed &&
           left->is_single_run == right->is_single_run &&
           bytes_equal(left->single_mode, right->single_mode) &&
           left->is_stopped_by_failure == right->is_stopped_by_failure &&
           left->fail_steps == right->fail_steps && left->fail_percent == right->fail_percent &&
           bytes_equal(left->target, right->target) && bytes_equal(left->labels, right->labels) &&
           left->target_port == right->target_port && left->setup_timeout_ms == right->setup_timeout_ms &&
           left->browser == right->browser && left->verbosity == right->verbosity;
}

static uint8_t *load_files(void *context, const struct bundle_listing *listing)
{
    (void)context;
    assert_true(bytes_equal_string(listing->hash, HASH));
    return memory_copy(files[0].content.data, files[0].content.size);
}

static void check_create(struct decoded_event *record, const struct coordinator_event *wanted)
{
    const struct coordinator_event *found = &record->event;
    for (size_t i = 0; i < wanted->create.bundle.file_count; i++) {
        assert_int_equal(record->message.deploy.bundle.files[i].size_bytes,
                         wanted->create.bundle.files[i].content.size);
        assert_int_equal(found->create.bundle.files[i].content.size, 0);
    }
    decoded_event_load_bundle(record, &(struct bundle_source){.load = load_files});
    assert_ptr_equal(*found->create.content, found->create.bundle.files[0].content.data);
    assert_true(is_same_options(&found->create.options, &wanted->create.options));
    assert_true(bytes_equal(found->create.bundle.hash, wanted->create.bundle.hash));
    assert_int_equal(found->create.bundle.file_count, wanted->create.bundle.file_count);
    for (size_t i = 0; i < wanted->create.bundle.file_count; i++) {
        assert_true(bytes_equal(found->create.bundle.files[i].path, wanted->create.bundle.files[i].path));
        assert_true(
            bytes_equal(found->create.bundle.files[i].content, wanted->create.bundle.files[i].content));
    }
    assert_true(bytes_equal(found->create.script, wanted->create.script));
    assert_true(bytes_equal(found->create.key, wanted->create.key));
    assert_int_equal(found->create.agents, wanted->create.agents);
    assert_int_equal(found->create.deadline_ms, wanted->create.deadline_ms);
}

static void check_event(struct decoded_event *record, const struct coordinator_event *wanted)
{
    const struct coordinator_event *found = &record->event;
    assert_int_equal(found->kind, wanted->kind);
    assert_true(found->now_ns == wanted->now_ns);
    switch (wanted->kind) {
    case EVENT_FRAME:
        assert_memory_equal(&found->frame.envelope, &wanted->frame.envelope, sizeof(struct envelope));
        assert_true(bytes_equal(found->frame.message, wanted->frame.message));
        assert_true(bytes_equal(found->frame.key_name, wanted->frame.key_name));
        break;
    case EVENT_AGENT_GONE:
        assert_true(bytes_equal(found->gone.name, wanted->gone.name));
        break;
    case EVENT_REVOKED:
        assert_true(found->revoked.incarnation == wanted->revoked.incarnation);
        break;
    case EVENT_CREATE:
        check_create(record, wanted);
        break;
    case EVENT_STOP:
        assert_int_equal(found->stop.campaign, wanted->stop.campaign);
        assert_int_equal(found->stop.is_at_once, wanted->stop.is_at_once);
        assert_true(bytes_equal(found->stop.text, wanted->stop.text));
        break;
    case EVENT_SCALE:
        assert_int_equal(found->scale.campaign, wanted->scale.campaign);
        assert_int_equal(found->scale.workers, wanted->scale.workers);
        break;
    case EVENT_PACE:
        assert_int_equal(found->pace.campaign, wanted->pace.campaign);
        assert_int_equal(found->pace.change, wanted->pace.change);
        assert_memory_equal(&found->pace.rate_per_s, &wanted->pace.rate_per_s, sizeof(double));
        break;
    case EVENT_DELETE:
        assert_int_equal(found->deleted.campaign, wanted->deleted.campaign);
        break;
    case EVENT_TICK:
    case EVENT_TURN_END:
    case EVENT_RESTORED:
        break;
    }
}

#define LINEAGE 0x123456789u

/* A journal without events. */
static void begin_file(struct event_log_writer *writer, const struct coordinator *base, struct buffer *file)
{
    struct event_log_head head = {
        .build = bytes_of_string("build"),
        .clock = {
            .now_ns = 1, .machine_ns = 2, .wall_ns = UINT64_MAX, .machine = bytes_of_string("this one")}};
    buffer_clear(file);
    event_log_begin_base(writer, &head, file);
    if (base != NULL) {
        coordinator_pack(base, file);
    }
    assert_true(event_log_seal_base(file));
}

/* A head and the events, each in a block of its own or in pairs; returns the size after each block. */
static size_t write_file(struct buffer *file, size_t each, size_t sizes[EVENT_COUNT + 1])
{
    struct event_log_writer writer;
    size_t blocks = 0;
    struct bytes block;
    event_log_writer_init(&writer);
    writer.lineage = LINEAGE;
    begin_file(&writer, NULL, file);
    sizes[blocks++] = file->size;
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        event_log_note(&writer, &EVENTS[i]);
        if ((i + 1) % each == 0 || i + 1 == EVENT_COUNT) {
            block = event_log_seal(&writer);
            (void)buffer_append(file, block.data, block.size);
            sizes[blocks++] = file->size;
        }
    }
    assert_int_equal(event_log_seal(&writer).size, 0);
    event_log_writer_finish(&writer);
    return blocks;
}

static void every_event_comes_out_as_it_went_in(void **state)
{
    (void)state;
    size_t sizes[EVENT_COUNT + 1];
    for (size_t each = 1; each <= 4; each *= 2) {
        SCOPED(buffer_finish) struct buffer file;
        buffer_init(&file, FILE_BYTES);
        (void)write_file(&file, each, sizes);
        struct event_log_reader reader;
        struct event_log_head head;
        struct error error;
        assert_true(event_log_open(&reader, buffer_bytes(&file), &head, &error));
        assert_true(bytes_equal_string(head.build, "build"));
        assert_true(bytes_equal_string(head.clock.machine, "this one"));
        assert_true(head.clock.now_ns == 1 && head.clock.machine_ns == 2 && head.clock.wall_ns == UINT64_MAX);
        assert_true(head.lineage == LINEAGE && head.blocks == 0 && head.base.size == 0);
        for (size_t i = 0; i < EVENT_COUNT; i++) {
            assert_int_equal(event_log_next(&reader), EVENT_LOG_EVENT);
            check_event(&reader.record, &EVENTS[i]);
        }
        assert_int_equal(event_log_next(&reader), EVENT_LOG_WHOLE);
        event_log_reader_finish(&reader);
    }
}

/* How reading it ends, and how many events came before. */
static enum event_log_state read_through(struct bytes bytes, size_t *events)
{
    struct event_log_reader reader;
    struct event_log_head head;
    enum event_log_state end = EVENT_LOG_CORRUPT;
    struct error error;
    *events = 0;
    if (event_log_open(&reader, bytes, &head, &error)) {
        while ((end = event_log_next(&reader)) == EVENT_LOG_EVENT) {
            check_event(&reader.record, &EVENTS[*events]);
            (*events)++;
        }
    }
    event_log_reader_finish(&reader);
    return end;
}

static void an_end_torn_off_anywhere_costs_one_block(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer file;
    size_t sizes[EVENT_COUNT + 1];
    buffer_init(&file, FILE_BYTES);
    size_t blocks = write_file(&file, 2, sizes);
    for (size_t block = 1; block < blocks; block++) {
        for (size_t size = sizes[block - 1]; size < sizes[block]; size++) {
            size_t events = 0;
            enum event_log_state end = read_through(bytes_of(file.data, size), &events);
            assert_int_equal(end, size == sizes[block - 1] ? EVENT_LOG_WHOLE : EVENT_LOG_TORN);
            assert_int_equal(events, 2 * (block - 1));
        }
    }
    for (size_t size = 0; size < sizes[0]; size++) {
        size_t events = 0;
        assert_int_equal(read_through(bytes_of(file.data, size), &events), EVENT_LOG_CORRUPT);
    }
}

/* Corruption in the last block looks like a write cut short by a crash: that block is cut off. */
static void no_changed_byte_goes_unseen(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer file;
    size_t sizes[EVENT_COUNT + 1];
    buffer_init(&file, FILE_BYTES);
    size_t blocks = write_file(&file, 2, sizes);
    for (size_t i = 0; i < file.size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            size_t events = 0;
            file.data[i] ^= (uint8_t)(1u << bit);
            enum event_log_state end = read_through(buffer_bytes(&file), &events);
            bool is_last = i >= sizes[blocks - 2];
            assert_int_equal(end, is_last ? EVENT_LOG_TORN : EVENT_LOG_CORRUPT);
            assert_true(!is_last || events == 2 * (blocks - 2));
            file.data[i] ^= (uint8_t)(1u << bit);
        }
    }
}

/* Whatever follows the last block, all written blocks are read. */
static void what_is_foreign_is_cut_off(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer file;
    SCOPED(buffer_finish) struct buffer foreign;
    size_t sizes[EVENT_COUNT + 1];
    struct random random;
    random_seed(&random, 1);
    buffer_init(&file, FILE_BYTES);
    buffer_init(&foreign, FILE_BYTES);
    (void)write_file(&file, 2, sizes);
    size_t whole = file.size;
    for (size_t size = 1; size < 300; size++) {
        size_t events = 0;
        for (size_t i = 0; i < size; i++) {
            uint8_t byte = size % 3 == 0 ? 0 : (uint8_t)random_next(&random);
            (void)buffer_append(&file, &byte, 1);
        }
        assert_int_equal(read_through(buffer_bytes(&file), &events), EVENT_LOG_TORN);
        assert_int_equal(events, EVENT_COUNT);
        file.size = whole;
    }
    /* Blocks of another journal are foreign, and so is the beginning of this one. */
    struct event_log_writer writer;
    event_log_writer_init(&writer);
    writer.lineage = LINEAGE + 2;
    for (size_t i = 0; i < 20; i++) {
        size_t events = 0;
        event_log_note(&writer, &EVENTS[0]);
        struct bytes block = event_log_seal(&writer);
        (void)buffer_append(&file, block.data, block.size);
        assert_int_equal(read_through(buffer_bytes(&file), &events), EVENT_LOG_TORN);
        assert_int_equal(events, EVENT_COUNT);
    }
    event_log_writer_finish(&writer);
    file.size = whole;
    size_t events = 0;
    (void)buffer_append(&foreign, file.data, sizes[1]);
    (void)buffer_append(&file, foreign.data, foreign.size);
    assert_int_equal(read_through(buffer_bytes(&file), &events), EVENT_LOG_TORN);
    assert_int_equal(events, EVENT_COUNT);
}

/* A new base that replaces the journal while blocks are still being written. */
static void blocks_follow_the_base_that_was_made_before_them(void **state)
{
    (void)state;
    struct event_log_writer writer;
    SCOPED(buffer_finish) struct buffer old;
    SCOPED(buffer_finish) struct buffer renewed;
    size_t events = 0;
    buffer_init(&old, FILE_BYTES);
    buffer_init(&renewed, FILE_BYTES);
    event_log_writer_init(&writer);
    writer.lineage = LINEAGE;
    begin_file(&writer, NULL, &old);
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        if (i == 3) {
            begin_file(&writer, NULL, &renewed);
        }
        event_log_note(&writer, &EVENTS[i]);
        struct bytes block = event_log_seal(&writer);
        (void)buffer_append(&old, block.data, block.size);
        if (i >= 3) {
            (void)buffer_append(&renewed, block.data, block.size);
        }
    }
    assert_int_equal(read_through(buffer_bytes(&old), &events), EVENT_LOG_WHOLE);
    assert_int_equal(events, EVENT_COUNT);
    struct event_log_reader reader;
    struct event_log_head head;
    struct error error;
    assert_true(event_log_open(&reader, buffer_bytes(&renewed), &head, &error));
    assert_int_equal(head.blocks, 3);
    for (size_t i = 3; i < EVENT_COUNT; i++) {
        assert_int_equal(event_log_next(&reader), EVENT_LOG_EVENT);
        check_event(&reader.record, &EVENTS[i]);
    }
    assert_int_equal(event_log_next(&reader), EVENT_LOG_WHOLE);
    assert_int_equal(reader.blocks, writer.blocks);
    event_log_reader_finish(&reader);
    event_log_writer_finish(&writer);
}

static void expect_refused(struct bytes bytes, const char *words)
{
    struct event_log_reader reader;
    struct event_log_head head;
    struct error error;
    assert_false(event_log_open(&reader, bytes, &head, &error));
    event_log_reader_finish(&reader);
    if (strstr(error.text, words) == NULL) {
        fail_msg("expected %s, but: %s", words, error.text);
    }
}

static void another_format_is_refused_by_its_name(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer file;
    size_t sizes[EVENT_COUNT + 1];
    static const uint8_t FIRST[] = "0123456789abcdef\x0dtutti journal\x01 and more";
    buffer_init(&file, FILE_BYTES);
    (void)write_file(&file, 2, sizes);
    expect_refused(bytes_of_string("tutti journal 4\n and whatever that means"),
                   "it has format 4, and this build of tutti reads format 3");
    expect_refused(bytes_of(FIRST, sizeof FIRST), "it has format 1, and this build of tutti reads format 3");
    expect_refused(bytes_of_string("tutti journal 2\n with bundles"),
                   "it has format 2, and this build of tutti reads format 3");
    expect_refused(bytes_of_string("this is a diary"), "it is not a journal");
    expect_refused(bytes_of_string(""), "it is not a journal");
    expect_refused(bytes_of(file.data, 10), "it is not a journal");
    expect_refused(bytes_of(file.data, 20), "it is corrupt at its beginning");
    expect_refused(bytes_of(file.data, sizes[0] - 1), "it is corrupt at its beginning");
}

/* As a build with different records would have written it, even if the format number was not incremented. */
static void another_schema_is_refused(void **state)
{
    (void)state;
    struct event_log_writer writer;
    SCOPED(buffer_finish) struct buffer file;
    struct event_log_head head = {.build = bytes_of_string("9.9.9")};
    buffer_init(&file, FILE_BYTES);
    event_log_writer_init(&writer);
    event_log_begin_base(&writer, &head, &file);
    file.data[sizeof "tutti journal 3" + 16] ^= 1;
    assert_true(event_log_seal_base(&file));
    expect_refused(buffer_bytes(&file), "it was written by another build, tutti 9.9.9");
    event_log_writer_finish(&writer);
}

/* Blocks know their position. */
static void a_block_left_out_or_doubled_is_seen(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer file;
    SCOPED(buffer_finish) struct buffer other;
    size_t sizes[EVENT_COUNT + 1];
    size_t events = 0;
    buffer_init(&file, FILE_BYTES);
    buffer_init(&other, FILE_BYTES);
    (void)write_file(&file, 2, sizes);
    (void)buffer_append(&other, file.data, sizes[1]);
    (void)buffer_append(&other, file.data + sizes[2], file.size - sizes[2]);
    assert_int_equal(read_through(buffer_bytes(&other), &events), EVENT_LOG_CORRUPT);
    buffer_clear(&other);
    (void)buffer_append(&other, file.data, sizes[2]);
    (void)buffer_append(&other, file.data + sizes[1], file.size - sizes[1]);
    assert_int_equal(read_through(buffer_bytes(&other), &events), EVENT_LOG_CORRUPT);
}

static void a_coordinator_comes_out_of_its_events(void **state)
{
    (void)state;
    struct stand stand;
    struct event_log_writer writer;
    SCOPED(buffer_finish) struct buffer file;
    buffer_init(&file, FILE_BYTES);
    stand_init(&stand);
    (void)stand_agent(&stand, "a1");
    (void)stand_agent(&stand, "a2");
    event_log_writer_init(&writer);
    begin_file(&writer, stand.coordinator, &file);
    struct coordinator_event tick = {.kind = EVENT_TICK, .now_ns = stand.now_ns + 5000000};
    event_log_note(&writer, &tick);
    stand_step(&stand, &tick);
    struct bytes block = event_log_seal(&writer);
    (void)buffer_append(&file, block.data, block.size);

    struct event_log_reader reader;
    struct event_log_head head;
    struct event_log_end end;
    struct error error;
    assert_true(event_log_open(&reader, buffer_bytes(&file), &head, &error));
    struct coordinator *found = event_log_replay(&reader, &head, &end, NULL);
    event_log_reader_finish(&reader);
    assert_non_null(found);
    assert_int_equal(end.events, 1);
    assert_int_equal(end.torn_bytes, 0);
    assert_int_equal(end.last_ns, tick.now_ns);
    assert_int_equal(coordinator_overview(found)->agent_count, 2);
    assert_true(coordinator_due_ns(found) == coordinator_due_ns(stand.coordinator));
    coordinator_free(&found);
    event_log_writer_finish(&writer);
    stand_finish(&stand);
}

/* Valid as a block, but it contains no event. */
static void a_block_of_no_events_is_corrupt(void **state)
{
    (void)state;
    struct event_log_writer writer;
    struct event_log_reader reader;
    struct event_log_head head;
    struct error error;
    SCOPED(buffer_finish) struct buffer file;
    buffer_init(&file, 100000);
    event_log_writer_init(&writer);
    begin_file(&writer, NULL, &file);
    event_log_note(&writer, &EVENTS[0]);
    (void)buffer_append(&writer.block, "\xfe\x01\x01", 3);
    struct bytes block = event_log_seal(&writer);
    (void)buffer_append(&file, block.data, block.size);
    assert_true(event_log_open(&reader, buffer_bytes(&file), &head, &error));
    assert_int_equal(event_log_next(&reader), EVENT_LOG_EVENT);
    assert_int_equal(event_log_next(&reader), EVENT_LOG_CORRUPT);
    event_log_reader_finish(&reader);
    event_log_writer_finish(&writer);
}

/* Memory needed for a large event is not kept. */
static void large_events_leave_small_blocks_behind(void **state)
{
    (void)state;
    static uint8_t large[3000000];
    struct event_log_writer writer;
    struct coordinator_event event = {.kind = EVENT_FRAME,
                                      .frame = {.message = bytes_of(large, sizeof large)}};
    event_log_writer_init(&writer);
    event_log_note(&writer, &event);
    assert_true(event_log_seal(&writer).size > sizeof large);
    event.frame.message = bytes_of(large, 1);
    event_log_note(&writer, &event);
    assert_true(event_log_seal(&writer).size < 100);
    assert_true(writer.block.capacity < sizeof large);
    event_log_writer_finish(&writer);
}

static void a_base_that_makes_no_sense_is_none(void **state)
{
    (void)state;
    struct stand stand;
    SCOPED(buffer_finish) struct buffer base;
    buffer_init(&base, FILE_BYTES);
    stand_init(&stand);
    (void)stand_agent(&stand, "a1");
    struct campaign_options options = stand_options(4);
    stand_create(&stand, &options, 1);
    stand_pass_ms(&stand, 2000);
    assert_int_equal(stand_report(&stand)->state, CAMPAIGN_RUNNING);
    coordinator_pack(stand.coordinator, &base);
    for (size_t size = 0; size < base.size; size++) {
        assert_null(coordinator_unpack(bytes_of(base.data, size), NULL));
    }
    struct coordinator *whole = coordinator_unpack(buffer_bytes(&base), NULL);
    assert_non_null(whole);
    coordinator_free(&whole);
    (void)buffer_append(&base, "", 1);
    assert_null(coordinator_unpack(buffer_bytes(&base), NULL));
    stand_finish(&stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_comes_out_as_it_went_in),
        cmocka_unit_test(an_end_torn_off_anywhere_costs_one_block),
        cmocka_unit_test(no_changed_byte_goes_unseen),
        cmocka_unit_test(what_is_foreign_is_cut_off),
        cmocka_unit_test(blocks_follow_the_base_that_was_made_before_them),
        cmocka_unit_test(another_format_is_refused_by_its_name),
        cmocka_unit_test(another_schema_is_refused),
        cmocka_unit_test(a_block_left_out_or_doubled_is_seen),
        cmocka_unit_test(a_coordinator_comes_out_of_its_events),
        cmocka_unit_test(a_block_of_no_events_is_corrupt),
        cmocka_unit_test(large_events_leave_small_blocks_behind),
        cmocka_unit_test(a_base_that_makes_no_sense_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
