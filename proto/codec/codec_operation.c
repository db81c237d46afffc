/* What workers did and the answers to it: the batches that make up most of the traffic. */
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <string.h>

static_assert((int)OUTCOME_REFUSED == TUTTI__V1__OUTCOME__REFUSED, "outcomes are the same on the wire");

/* Which fields each kind carries. */
struct rule {
    bool has_name;
    bool has_value;
    bool has_expected;
    bool has_reply_value;
};

static const struct rule RULES[OPERATION_KIND_COUNT] = {
    [OPERATION_PAST] = {.has_name = false},
    [OPERATION_ENDED] = {.has_name = false},
    [OPERATION_READ] = {.has_name = true},
    [OPERATION_RELEASED] = {.has_name = false},
    [OPERATION_WAIT_WRITER] = {.has_name = true, .has_reply_value = true},
    [OPERATION_WAIT_READERS] = {.has_name = true},
    [OPERATION_BARRIER] = {.has_name = true},
    [OPERATION_DECLARE] = {.has_name = true},
    [OPERATION_WRITTEN] = {.has_name = true, .has_value = true},
    [OPERATION_GET] = {.has_name = true, .has_reply_value = true},
    [OPERATION_GET_OR_MAKE] = {.has_name = true, .has_reply_value = true},
    [OPERATION_MADE] = {.has_name = true, .has_value = true, .has_reply_value = true},
    [OPERATION_MAKING_FAILED] = {.has_name = true},
    [OPERATION_SET] = {.has_name = true, .has_value = true},
    [OPERATION_CAS] = {.has_name = true, .has_value = true, .has_expected = true, .has_reply_value = true},
    [OPERATION_INCR] = {.has_name = true, .has_value = true, .has_reply_value = true},
    [OPERATION_DELETE] = {.has_name = true},
    [OPERATION_WAIT_SET] = {.has_name = true, .has_reply_value = true},
    [OPERATION_WAIT_CHANGED] = {.has_name = true, .has_expected = true, .has_reply_value = true},
    [OPERATION_WRITING] = {.has_name = true},
    [OPERATION_BEGUN] = {.has_name = false},
    [OPERATION_SETTLED] = {.has_name = false},
    [OPERATION_GIVEN_UP] = {.has_name = false},
};

/* An absent value means nil. */
static void put_value(struct buffer *into, uint32_t field, struct bytes value)
{
    if (!bytes_equal_string(value, "n")) {
        protobuf_write_bytes(into, field, value);
    }
}

static bool take_kinds_value(const ProtobufCBinaryData *wire, bool is_expected, const char *what,
                             struct bytes *value, struct error *error)
{
    if (wire->len > 0) {
        return take_value(wire, what, value, error);
    }
    *value = is_expected ? bytes_of_string("n") : bytes_of(NULL, 0);
    return true;
}

static uint32_t room_to_wire(uint32_t room)
{
    return room == ROOM_CAMPAIGN ? 0 : room + 1;
}

static bool take_room(uint32_t wire, uint32_t *room, struct error *error)
{
    if (wire > LIMIT_WORKERS) {
        return error_set(error, "room %u is beyond %u", wire - 1, LIMIT_WORKERS - 1);
    }
    *room = wire == 0 ? ROOM_CAMPAIGN : wire - 1;
    return true;
}

static void put_instants(struct buffer *into, const struct operation *operation)
{
    protobuf_write_signed(into, 15, operation->first_ns);
    protobuf_write_signed(into, 16, operation->last_ns);
    if (operation->after_count > 0) {
        size_t opened = protobuf_write_open(into, 17);
        for (size_t i = 0; i < operation->after_count; i++) {
            protobuf_write_element(into, operation->after_us[i]);
        }
        protobuf_write_close(into, opened);
    }
    protobuf_write_number(into, 18, operation->uncertainty_us);
}

static void put_operation(struct buffer *into, const struct operation *operation)
{
    assert((unsigned)operation->kind < OPERATION_KIND_COUNT);
    uint64_t timeout_ms = operation->timeout_ms;
    protobuf_write_number(into, 1, (uint64_t)operation->kind + 1);
    put_workers(into, 2, &operation->workers);
    protobuf_write_number(into, 3, room_to_wire(operation->room));
    put_name(into, 4, operation->name);
    protobuf_write_number(into, 5, operation->step);
    protobuf_write_number(into, 6, operation->nth);
    protobuf_write_number(into, 7, operation->call);
    protobuf_write_number(into, 8, operation->count);
    protobuf_write_number(into, 9, timeout_ms < LIMIT_DURATION_MS ? timeout_ms : LIMIT_DURATION_MS);
    protobuf_write_flag(into, 10, operation->is_strict);
    protobuf_write_flag(into, 11, operation->is_at_once);
    put_value(into, 12, operation->value);
    put_value(into, 13, operation->expected);
    put_text(into, 14, operation->text);
    put_instants(into, operation);
    assert(operation->digest.size == 0 || operation->digest.size == OPERATION_DIGEST_BYTES);
    protobuf_write_bytes(into, 19, operation->digest);
    protobuf_write_flag(into, 20, operation->is_aside);
    protobuf_write_number(into, 110, (uint64_t)operation->on_timeout);
}

void encode_operations(const struct message *message, struct buffer *into)
{
    assert(message->operations.count <= LIMIT_BATCH_ITEMS);
    for (size_t i = 0; i < message->operations.count; i++) {
        size_t opened = protobuf_write_open(into, 1);
        put_operation(into, &message->operations.items[i]);
        protobuf_write_close(into, opened);
    }
}

static void copy_operation(const Tutti__V1__Operation *wire, struct operation *operation)
{
    operation->step = wire->step;
    operation->nth = wire->nth;
    operation->call = wire->call;
    operation->count = wire->count;
    operation->is_strict = wire->is_strict;
    operation->is_at_once = wire->is_at_once;
    operation->is_aside = wire->is_aside;
    operation->first_ns = wire->first_ns;
    operation->last_ns = wire->last_ns;
    operation->uncertainty_us = wire->uncertainty_us;
}

/* One per worker, or none. */
static bool take_instants(const Tutti__V1__Operation *wire, struct operation *operation, struct error *error)
{
    if (wire->n_after_us == 0) {
        return true;
    }
    uint64_t workers = worker_set_count(&operation->workers);
    if (wire->n_after_us != workers) {
        return error_set(error, "%zu instants for %llu workers", wire->n_after_us,
                         (unsigned long long)workers);
    }
    operation->after_us = wire->after_us;
    operation->after_count = wire->n_after_us;
    return true;
}

static bool take_on_timeout(uint32_t wire, enum barrier_timeout *on_timeout, struct error *error)
{
    *on_timeout = (enum barrier_timeout)(wire < BARRIER_TIMEOUTS ? wire : BARRIER_TIMEOUT_FAIL);
    return wire < BARRIER_TIMEOUTS || error_set(error, "a timeout that does %u", wire);
}

static bool take_digest(const ProtobufCBinaryData *wire, struct bytes *digest, struct error *error)
{
    *digest = bytes_of(wire->data, wire->len);
    return wire->len == 0 || wire->len == OPERATION_DIGEST_BYTES ||
           error_set(error, "a digest of %zu bytes", wire->len);
}

static bool take_operation_workers(const Tutti__V1__Operation *wire, struct operation *operation,
                                   struct decoding *decoding)
{
    if (!take_some_workers(wire->workers, wire->n_workers, &operation->workers, decoding)) {
        return false;
    }
    if (!operation_is_aggregated(operation->kind) && worker_set_count(&operation->workers) != 1) {
        return error_set(decoding->error, "%s takes exactly one worker", operation_name(operation->kind));
    }
    return true;
}

static bool take_some_name(const ProtobufCBinaryData *wire, enum operation_kind kind, struct bytes *name,
                           struct error *error)
{
    return RULES[kind].has_name ? take_name(wire, "name", name, error)
                                : take_optional_name(wire, "name", name, error);
}

static bool take_operation(const Tutti__V1__Operation *wire, struct operation *operation,
                           struct decoding *decoding)
{
    struct error *error = decoding->error;
    if (!take_operation_kind(wire->kind, &operation->kind, error)) {
        return false;
    }
    const struct rule *rule = &RULES[operation->kind];
    copy_operation(wire, operation);
    return take_operation_workers(wire, operation, decoding) &&
           take_room(wire->room, &operation->room, error) &&
           take_some_name(&wire->name, operation->kind, &operation->name, error) &&
           take_duration(wire->timeout_ms, "timeout", &operation->timeout_ms, error) &&
           take_kinds_value(&wire->value, rule->has_value, "value", &operation->value, error) &&
           take_kinds_value(&wire->expected, rule->has_expected, "expected value", &operation->expected,
                            error) &&
           take_text(&wire->text, "text", &operation->text, error) && take_instants(wire, operation, error) &&
           take_digest(&wire->digest, &operation->digest, error) &&
           take_on_timeout(wire->on_timeout, &operation->on_timeout, error);
}

/* Keeps the part that can be answered, so that the waiting worker is told. */
static void keep_fault(struct operation *operation, struct decoding *decoding)
{
    size_t size = strlen(decoding->error->text) + 1;
    char *fault = (char *)arena_take(decoding->arena, size);
    memcpy(fault, decoding->error->text, size);
    *operation = (struct operation){.kind = operation->kind,
                                    .workers = operation->workers,
                                    .room = operation->room,
                                    .name = operation->name,
                                    .step = operation->step,
                                    .nth = operation->nth,
                                    .call = operation->call,
                                    .fault = fault};
}

/* Bounds the work that a message can cause, however many operations it has and however many workers each of
 * them names. */
static bool check_named(const struct message *message, struct error *error)
{
    uint64_t named = 0;
    for (size_t i = 0; i < message->operations.count; i++) {
        named += worker_set_count(&message->operations.items[i].workers);
    }
    return message->operations.count <= 1 || named <= LIMIT_NAMED_WORKERS ||
           error_set(error, "operations that name %llu workers in one message, at most %u are allowed",
                     (unsigned long long)named, LIMIT_NAMED_WORKERS);
}

bool decode_operations(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Operations *wire = protobuf_write_message->operations;
    if (!check_batch(wire->n_items, decoding->error)) {
        return false;
    }
    struct operation *items = (struct operation *)arena_array(decoding->arena, wire->n_items, sizeof *items);
    decoding->message->operations.items = items;
    decoding->message->operations.count = wire->n_items;
    for (size_t i = 0; i < wire->n_items; i++) {
        if (take_operation(wire->items[i], &items[i], decoding)) {
            continue;
        }
        error_wrap(decoding->error, "operation %zu: ", i);
        if (!decoding->is_from_agent) {
            return false;
        }
        keep_fault(&items[i], decoding);
    }
    return !decoding->is_from_agent || check_named(decoding->message, decoding->error);
}

/* A value that many replies point to is written to their message once. */
struct shared_values {
    struct bytes items[LIMIT_SHARED_VALUES];
    uint32_t count;
};

/* Its index, from 1; 0 for a value that is in the reply itself. The most recently added one is the most
 * likely match. */
static uint32_t share_value(struct shared_values *values, struct bytes value)
{
    if (value.size < REPLY_SHARED_BYTES) {
        return 0;
    }
    for (uint32_t i = values->count; i > 0; i--) {
        if (values->items[i - 1].data == value.data && values->items[i - 1].size == value.size) {
            return i;
        }
    }
    if (values->count == LIMIT_SHARED_VALUES) {
        return 0;
    }
    values->items[values->count++] = value;
    return values->count;
}

static void put_reply(struct buffer *into, const struct reply *reply, struct shared_values *values)
{
    uint32_t shared = share_value(values, reply->value);
    assert((unsigned)reply->kind < OPERATION_KIND_COUNT && (unsigned)reply->outcome < OUTCOME_COUNT);
    assert(worker_set_count(&reply->missing) <= LIMIT_MISSING);
    protobuf_write_number(into, 1, (uint64_t)reply->kind + 1);
    protobuf_write_number(into, 2, (uint64_t)reply->outcome);
    put_workers(into, 3, &reply->workers);
    protobuf_write_number(into, 4, room_to_wire(reply->room));
    put_name(into, 5, reply->name);
    protobuf_write_number(into, 6, reply->step);
    protobuf_write_number(into, 7, reply->nth);
    protobuf_write_number(into, 8, reply->call);
    protobuf_write_number(into, 9, reply->count);
    protobuf_write_number(into, 10, reply->total);
    protobuf_write_number(into, 11, reply->rank);
    protobuf_write_flag(into, 12, reply->is_won);
    protobuf_write_flag(into, 13, reply->is_maker);
    put_value(into, 14, shared == 0 ? reply->value : bytes_of_string("n"));
    protobuf_write_signed(into, 15, reply->at_ns);
    put_workers(into, 16, &reply->missing);
    put_text(into, 17, reply->text);
    protobuf_write_number(into, 18, shared);
    protobuf_write_flag(into, 110, reply->is_by_loss);
    protobuf_write_number(into, 111, reply->present);
}

void encode_replies(const struct message *message, struct buffer *into)
{
    assert(message->replies.count <= LIMIT_BATCH_ITEMS);
    struct shared_values values = {.count = 0};
    for (size_t i = 0; i < message->replies.count; i++) {
        size_t opened = protobuf_write_open(into, 1);
        put_reply(into, &message->replies.items[i], &values);
        protobuf_write_close(into, opened);
    }
    for (uint32_t i = 0; i < values.count; i++) {
        protobuf_write_bytes(into, 2, values.items[i]);
    }
}

static void copy_reply(const Tutti__V1__Reply *wire, struct reply *reply)
{
    reply->outcome = (enum outcome)wire->outcome;
    reply->step = wire->step;
    reply->nth = wire->nth;
    reply->call = wire->call;
    reply->count = wire->count;
    reply->total = wire->total;
    reply->rank = wire->rank;
    reply->is_won = wire->is_won;
    reply->is_maker = wire->is_maker;
    reply->is_by_loss = wire->is_by_loss;
    reply->present = wire->present;
    reply->at_ns = wire->at_ns;
}

/* Its own value, or one of the shared ones, which have already been checked. */
static bool take_reply_value(const Tutti__V1__Reply *wire, const Tutti__V1__Replies *all, struct reply *reply,
                             struct error *error)
{
    if (wire->shared_value == 0) {
        return take_kinds_value(&wire->value, RULES[reply->kind].has_reply_value, "value", &reply->value,
                                error);
    }
    if (wire->shared_value > all->n_values || wire->value.len > 0) {
        return error_set(error, "there is no shared value %u, or the reply also has its own",
                         wire->shared_value);
    }
    const ProtobufCBinaryData *value = &all->values[wire->shared_value - 1];
    reply->value = bytes_of(value->data, value->len);
    return true;
}

static bool take_reply(const Tutti__V1__Reply *wire, const Tutti__V1__Replies *all, struct reply *reply,
                       struct decoding *decoding)
{
    struct error *error = decoding->error;
    if (!take_operation_kind(wire->kind, &reply->kind, error) ||
        !check_enum((int)wire->outcome, OUTCOME_COUNT, "outcome", error)) {
        return false;
    }
    copy_reply(wire, reply);
    return take_some_workers(wire->workers, wire->n_workers, &reply->workers, decoding) &&
           take_room(wire->room, &reply->room, error) &&
           take_some_name(&wire->name, reply->kind, &reply->name, error) &&
           take_reply_value(wire, all, reply, error) &&
           take_workers(wire->missing, wire->n_missing, LIMIT_MISSING, &reply->missing, decoding) &&
           take_text(&wire->text, "text", &reply->text, error);
}

static bool check_shared_values(const Tutti__V1__Replies *wire, struct error *error)
{
    struct bytes value;
    if (wire->n_values > LIMIT_SHARED_VALUES) {
        return error_set(error, "%zu shared values, at most %u are allowed", wire->n_values,
                         LIMIT_SHARED_VALUES);
    }
    for (size_t i = 0; i < wire->n_values; i++) {
        if (!take_value(&wire->values[i], "shared value", &value, error)) {
            return false;
        }
    }
    return true;
}

bool decode_replies(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Replies *wire = protobuf_write_message->replies;
    if (!check_batch(wire->n_items, decoding->error) || !check_shared_values(wire, decoding->error)) {
        return false;
    }
    struct reply *items = (struct reply *)arena_array(decoding->arena, wire->n_items, sizeof *items);
    decoding->message->replies.items = items;
    decoding->message->replies.count = wire->n_items;
    for (size_t i = 0; i < wire->n_items; i++) {
        if (!take_reply(wire->items[i], wire, &items[i], decoding)) {
            return error_wrap(decoding->error, "reply %zu: ", i);
        }
    }
    return true;
}
