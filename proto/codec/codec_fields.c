/* Checks and conversions of single fields. */
#include "proto/codec/codec_internal.h"

#include "common/value.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct worker_run) == 3 * sizeof(uint32_t), "a run is the three numbers of the wire");
static_assert((int)OPERATION_PAST + 1 == TUTTI__V1__OPERATION_KIND__PAST, "kinds are one more on the wire");
static_assert((int)OPERATION_WAIT_CHANGED + 1 == TUTTI__V1__OPERATION_KIND__WAIT_CHANGED,
              "in the same order");
static_assert((int)OPERATION_WRITING + 1 == TUTTI__V1__OPERATION_KIND__WRITING, "also the later ones");
static_assert((int)OPERATION_GIVEN_UP + 1 == TUTTI__V1__OPERATION_KIND__GIVEN_UP, "and the last");
static_assert(OPERATION_GIVEN_UP + 1 == OPERATION_KIND_COUNT, "and all of them");

void put_name(struct buffer *into, uint32_t field, struct bytes name)
{
    assert(name.size <= LIMIT_NAME_BYTES);
    protobuf_write_bytes(into, field, name);
}

void put_text(struct buffer *into, uint32_t field, struct bytes text)
{
    if (text.size > LIMIT_TEXT_BYTES) {
        text.size = LIMIT_TEXT_BYTES;
        /* Not in the middle of a character. */
        while (text.size > 0 && (text.data[text.size] & 0xc0) == 0x80) {
            text.size--;
        }
    }
    protobuf_write_bytes(into, field, text);
}

void put_workers(struct buffer *into, uint32_t field, const struct worker_set *workers)
{
    assert(workers->run_count <= LIMIT_SET_RUNS);
    if (workers->run_count == 0) {
        return;
    }
    size_t opened = protobuf_write_open(into, field);
    if (workers->run_count == 1 && workers->runs[0].count == 1) {
        protobuf_write_element(into, workers->runs[0].first);
    } else {
        for (size_t i = 0; i < workers->run_count; i++) {
            protobuf_write_element(into, workers->runs[i].first);
            protobuf_write_element(into, workers->runs[i].stride);
            protobuf_write_element(into, workers->runs[i].count);
        }
    }
    protobuf_write_close(into, opened);
}

bool take_optional_name(const ProtobufCBinaryData *wire, const char *what, struct bytes *name,
                        struct error *error)
{
    if (wire->len > LIMIT_NAME_BYTES) {
        return error_set(error, "%s has %zu bytes, at most %u are allowed", what, wire->len,
                         LIMIT_NAME_BYTES);
    }
    *name = bytes_of(wire->data, wire->len);
    return true;
}

bool take_name(const ProtobufCBinaryData *wire, const char *what, struct bytes *name, struct error *error)
{
    if (wire->len == 0) {
        return error_set(error, "%s is empty", what);
    }
    return take_optional_name(wire, what, name, error);
}

bool take_printable_name(const ProtobufCBinaryData *wire, const char *what, struct bytes *name,
                         struct error *error)
{
    if (!take_name(wire, what, name, error)) {
        return false;
    }
    return bytes_is_printable(*name) || error_set(error, "%s is not printable text", what);
}

static void replace_unprintable(uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        uint32_t character;
        size_t length = bytes_character(bytes_of(data + at, size - at), &character);
        if (length == 0) {
            data[at] = '?';
            length = 1;
        } else if (!bytes_is_printable(bytes_of(data + at, length))) {
            memset(data + at, data[at] < 0x20 ? ' ' : '?', length);
        }
        at += length;
    }
}

bool take_text(const ProtobufCBinaryData *wire, const char *what, struct bytes *text, struct error *error)
{
    if (wire->len > LIMIT_TEXT_BYTES) {
        return error_set(error, "%s has %zu bytes, at most %u are allowed", what, wire->len,
                         LIMIT_TEXT_BYTES);
    }
    *text = bytes_of(wire->data, wire->len);
    if (!bytes_is_printable(*text)) {
        replace_unprintable(wire->data, wire->len);
    }
    return true;
}

bool take_value(const ProtobufCBinaryData *wire, const char *what, struct bytes *value, struct error *error)
{
    *value = bytes_of(wire->data, wire->len);
    if (!value_check(*value, error)) {
        error_wrap(error, "%s: ", what);
        return false;
    }
    return true;
}

bool take_duration(uint64_t protobuf_write_ms, const char *what, uint64_t *duration_ms, struct error *error)
{
    if (protobuf_write_ms > LIMIT_DURATION_MS) {
        return error_set(error, "%s is longer than 366 days", what);
    }
    *duration_ms = protobuf_write_ms;
    return true;
}

bool take_worker(uint32_t wire, uint32_t *worker, struct error *error)
{
    if (wire >= LIMIT_WORKERS) {
        return error_set(error, "worker %u is beyond %u", wire, LIMIT_WORKERS - 1);
    }
    *worker = wire;
    return true;
}

static bool check_runs(struct worker_set *workers, uint64_t limit, struct error *error)
{
    uint64_t members = 0;
    for (size_t i = 0; i < workers->run_count; i++) {
        struct worker_run *run = &workers->runs[i];
        if (run->count == 0 || run->stride == 0) {
            return error_set(error, "a run of workers is empty or has no stride");
        }
        if (run->first + (uint64_t)run->stride * (run->count - 1) >= LIMIT_WORKERS) {
            return error_set(error, "a run of workers extends beyond %u", LIMIT_WORKERS - 1);
        }
        run->stride = run->count == 1 ? 1 : run->stride; /* a stride has no meaning for one worker */
        members += run->count;
    }
    if (members > limit) {
        return error_set(error, "a set has %llu workers, at most %llu are allowed",
                         (unsigned long long)members, (unsigned long long)limit);
    }
    return true;
}

bool take_workers(const uint32_t *numbers, size_t count, uint64_t limit, struct worker_set *workers,
                  struct decoding *decoding)
{
    *workers = (struct worker_set){0};
    if (count == 0) {
        return true;
    }
    if (count != 1 && (count % 3 != 0 || count / 3 > LIMIT_SET_RUNS)) {
        return error_set(decoding->error, "%zu numbers are not a set of workers", count);
    }
    workers->run_count = count == 1 ? 1 : count / 3;
    workers->runs =
        (struct worker_run *)arena_take(decoding->arena, workers->run_count * sizeof *workers->runs);
    if (count == 1) {
        workers->runs[0] = (struct worker_run){.first = numbers[0], .stride = 1, .count = 1};
    } else {
        memcpy(workers->runs, numbers, count * sizeof *numbers);
    }
    if (!check_runs(workers, limit, decoding->error)) {
        *workers = (struct worker_set){0};
        return false;
    }
    return true;
}

bool take_some_workers(const uint32_t *numbers, size_t count, struct worker_set *workers,
                       struct decoding *decoding)
{
    if (count == 0) {
        return error_set(decoding->error, "the set of workers is empty");
    }
    return take_workers(numbers, count, LIMIT_WORKERS, workers, decoding);
}

bool take_operation_kind(Tutti__V1__OperationKind wire, enum operation_kind *kind, struct error *error)
{
    int number = (int)wire;
    if (number < 1 || number > OPERATION_KIND_COUNT) {
        return error_set(error, "unknown kind of operation %d", number);
    }
    *kind = (enum operation_kind)(number - 1);
    return true;
}

bool check_enum(int wire, int count, const char *what, struct error *error)
{
    if (wire < 0 || wire >= count) {
        return error_set(error, "%s: unknown value %d", what, wire);
    }
    return true;
}

uint64_t buckets_of(const struct decoding *decoding)
{
    return decoding->is_from_agent ? LIMIT_FROM_AGENT_BUCKETS : LIMIT_HISTOGRAM_BUCKETS;
}

bool check_batch(size_t count, struct error *error)
{
    if (count > LIMIT_BATCH_ITEMS) {
        return error_set(error, "%zu items in one message, at most %u are allowed", count, LIMIT_BATCH_ITEMS);
    }
    return true;
}
