/* Records of events that are not what a coordinator wrote are refused; the files of a bundle get their
 * contents. */
#include "coordinator/core/base/event_codec.h"

#include "common/memory.h"
#include "proto/codec/codec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MOST_BYTES 10000u

static struct bundle_file files[] = {{.path = {(const uint8_t *)"pad.lua", 7}, .content = {NULL, 3}},
                                     {.path = {(const uint8_t *)"empty.csv", 9}},
                                     {.path = {(const uint8_t *)"rows.csv", 8}, .content = {NULL, 5}}};

static const struct coordinator_event CREATE = {
    .kind = EVENT_CREATE,
    .now_ns = 3000,
    .create = {.options = {.workers = 7, .runs = 8, .room_size = 3},
               .bundle = {.files = files, .file_count = 3, .hash = {(const uint8_t *)HASH, 64}},
               .script = {(const uint8_t *)"pad.lua", 7},
               .agents = 15,
               .deadline_ms = 16}};

/* The contents, by the name that the caller gives; 0 bytes too many would be seen by the sanitizers. */
static uint8_t *load_as(void *context, const struct bundle_listing *listing)
{
    assert_int_equal(listing->file_count, 3);
    return memory_copy(context, 8);
}

static void test_files_get_their_part_of_the_contents(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer packed;
    struct decoded_event record = {0};
    char first[] = "abcdefgh";
    char second[] = "ABCDEFGH";
    buffer_init(&packed, MOST_BYTES);
    event_encode(&packed, 0, &CREATE);
    for (size_t times = 0; times < 2; times++) { /* what the record had of the first goes */
        struct unpack from = unpack_of(buffer_bytes(&packed));
        assert_true(event_decode(&from, 0, &record));
        assert_true(unpack_is_done(&from));
        const struct bundle_file *found = record.event.create.bundle.files;
        decoded_event_load_bundle(&record, &(struct bundle_source){.load = load_as, .context = first});
        assert_true(bytes_equal_string(found[0].content, "abc"));
        assert_int_equal(found[1].content.size, 0);
        assert_true(bytes_equal_string(found[2].content, "defgh"));
        decoded_event_load_bundle(&record, &(struct bundle_source){.load = load_as, .context = second});
        assert_true(bytes_equal_string(found[2].content, "DEFGH"));
        assert_memory_equal(*record.event.create.content, second, 8);
    }
    decoded_event_finish(&record);
}

static uint8_t *load_nothing(void *context, const struct bundle_listing *listing)
{
    (void)context;
    (void)listing;
    return NULL;
}

/* A bundle that is lost leads to the same state: as many bytes, all of them 0. */
static void test_lost_bundles_are_zeros(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer packed;
    struct decoded_event record = {0};
    static const uint8_t ZEROS[5];
    buffer_init(&packed, MOST_BYTES);
    event_encode(&packed, 0, &CREATE);
    const struct bundle_source sources[] = {{.load = load_nothing}};
    for (size_t i = 0; i < 2; i++) {
        struct unpack from = unpack_of(buffer_bytes(&packed));
        assert_true(event_decode(&from, 0, &record));
        decoded_event_load_bundle(&record, i == 0 ? NULL : sources);
        assert_int_equal(record.event.create.bundle.files[2].content.size, 5);
        assert_memory_equal(record.event.create.bundle.files[2].content.data, ZEROS, 5);
    }
    struct coordinator_event tick = {.kind = EVENT_TICK, .now_ns = 7};
    buffer_clear(&packed);
    event_encode(&packed, 0, &tick);
    struct unpack from = unpack_of(buffer_bytes(&packed));
    assert_true(event_decode(&from, 0, &record));
    decoded_event_load_bundle(&record, sources); /* an event without a bundle stays as it is */
    assert_int_equal(record.event.now_ns, 7);
    assert_null(record.content);
    decoded_event_finish(&record);
}

static void test_torn_records_are_refused(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer packed;
    struct decoded_event record = {0};
    buffer_init(&packed, MOST_BYTES);
    event_encode(&packed, 0, &CREATE);
    for (size_t size = 0; size < packed.size; size++) {
        uint8_t *torn = memory_copy(packed.data, size); /* so that reading beyond it is seen */
        struct unpack from = unpack_of(bytes_of(torn, size));
        assert_false(event_decode(&from, 0, &record));
        memory_free(torn);
    }
    decoded_event_finish(&record);
}

static void begin_record(struct buffer *packed, enum coordinator_event_kind kind)
{
    buffer_clear(packed);
    pack_number(packed, kind);
    pack_number(packed, 1);
}

static void end_create(struct buffer *packed)
{
    pack_bytes(packed, bytes_of_string("pad.lua"));
    pack_bytes(packed, bytes_of_string(""));
    pack_number(packed, 1);
    pack_number(packed, 1);
}

static void expect_record_refused(const struct buffer *packed)
{
    struct decoded_event record = {0};
    struct unpack from = unpack_of(buffer_bytes(packed));
    assert_false(event_decode(&from, 0, &record));
    decoded_event_finish(&record);
}

/* Every field can be read, but it is not a record: a kind that there is not, and creations without a
 * deployment. */
static void test_records_without_sense_are_refused(void **state)
{
    (void)state;
    SCOPED(buffer_finish) struct buffer packed;
    SCOPED(buffer_finish) struct buffer encoded;
    buffer_init(&packed, MOST_BYTES);
    buffer_init(&encoded, MOST_BYTES);
    begin_record(&packed, (enum coordinator_event_kind)200);
    expect_record_refused(&packed);
    begin_record(&packed, EVENT_CREATE);
    pack_bytes(&packed, bytes_of_string("\xff no message"));
    end_create(&packed);
    expect_record_refused(&packed);
    struct message other = {.kind = MESSAGE_FORGET, .campaign = 1};
    message_encode(&other, &encoded);
    begin_record(&packed, EVENT_CREATE);
    pack_bytes(&packed, buffer_bytes(&encoded));
    end_create(&packed);
    expect_record_refused(&packed);
    begin_record(&packed, EVENT_PACE);
    pack_number(&packed, 1);
    pack_number(&packed, PACE_CHANGES);
    pack_real(&packed, 1);
    expect_record_refused(&packed);
    begin_record(&packed, EVENT_SCALE);
    pack_number(&packed, 1);
    pack_number(&packed, (uint64_t)UINT32_MAX + 1);
    expect_record_refused(&packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files_get_their_part_of_the_contents),
        cmocka_unit_test(test_lost_bundles_are_zeros),
        cmocka_unit_test(test_torn_records_are_refused),
        cmocka_unit_test(test_records_without_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
