/* The course of a campaign: deployment, fixtures, start, assignments, and the progress of rooms. */
#include "proto/codec/codec_internal.h"
#include "proto/codec/protobuf_writer.h"
#include "proto/message/limits.h"
#include "proto/message/load.h"
#include "proto/message/load_text.h"

#include <assert.h>

void encode_deploy(const struct message *message, struct buffer *into)
{
    const struct deploy *deploy = &message->deploy;
    encode_options(into, 1, &deploy->options);
    encode_bundle(into, 2, &deploy->bundle);
    put_workers(into, 3, &deploy->workers);
    protobuf_write_flag(into, 4, deploy->is_seed_fixed);
}

bool decode_deploy(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Deploy *wire = protobuf_write_message->deploy;
    struct deploy *deploy = &decoding->message->deploy;
    deploy->is_seed_fixed = wire->is_seed_fixed;
    return decode_options(wire->options, &deploy->options, decoding->error) &&
           decode_bundle(wire->bundle, &deploy->bundle, decoding) &&
           take_workers(wire->workers, wire->n_workers, LIMIT_WORKERS, &deploy->workers, decoding);
}

void encode_global(const struct message *message, struct buffer *into)
{
    protobuf_write_number(into, 1, (uint64_t)message->global.phase);
}

bool decode_global(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    decoding->message->global.phase = (enum global_phase)wire->global->phase;
    return check_enum((int)wire->global->phase, GLOBAL_TEARDOWN + 1, "phase", decoding->error);
}

void encode_done(const struct message *message, struct buffer *into)
{
    const struct done *done = &message->done;
    protobuf_write_number(into, 1, (uint64_t)done->phase);
    protobuf_write_flag(into, 2, done->is_ok);
    put_text(into, 3, done->text);
}

static bool take_done(const Tutti__V1__Done *wire, struct decoding *decoding)
{
    struct done *done = &decoding->message->done;
    done->phase = (enum global_phase)wire->phase;
    done->is_ok = wire->is_ok;
    return check_enum((int)wire->phase, GLOBAL_TEARDOWN + 1, "phase", decoding->error) &&
           take_text(&wire->text, "text", &done->text, decoding->error);
}

bool decode_deployed(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    return take_done(wire->deployed, decoding);
}

bool decode_global_done(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    return take_done(wire->global_done, decoding);
}

void encode_begin(const struct message *message, struct buffer *into)
{
    protobuf_write_signed(into, 1, message->begin.at_ns);
    protobuf_write_number(into, 100, message->begin.from_plan_ns);
}

bool decode_begin(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    decoding->message->begin.at_ns = wire->begin->at_ns;
    decoding->message->begin.from_plan_ns = wire->begin->from_plan_ns;
    return wire->begin->from_plan_ns <= LIMIT_PLAN_NS ||
           error_set(decoding->error, "an instant of a plan is too far away");
}

void encode_finished(const struct message *message, struct buffer *into)
{
    protobuf_write_number(into, 1, message->finished.workers);
}

bool decode_finished(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    decoding->message->finished.workers = wire->finished->workers;
    return true;
}

void encode_assign(const struct message *message, struct buffer *into)
{
    assert(message->assign.count <= LIMIT_BATCH_ITEMS);
    for (size_t i = 0; i < message->assign.count; i++) {
        size_t opened = protobuf_write_open(into, 1);
        put_workers(into, 1, &message->assign.items[i].workers);
        protobuf_write_number(into, 2, message->assign.items[i].first_step);
        protobuf_write_close(into, opened);
    }
    protobuf_write_flag(into, 100, message->assign.is_answer);
}

bool decode_assign(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Assign *wire = protobuf_write_message->assign;
    if (!check_batch(wire->n_items, decoding->error)) {
        return false;
    }
    struct assignment *items =
        (struct assignment *)arena_array(decoding->arena, wire->n_items, sizeof(struct assignment));
    decoding->message->assign.items = items;
    decoding->message->assign.count = wire->n_items;
    decoding->message->assign.is_answer = wire->is_answer;
    for (size_t i = 0; i < wire->n_items; i++) {
        items[i].first_step = wire->items[i]->first_step;
        if (!take_some_workers(wire->items[i]->workers, wire->items[i]->n_workers, &items[i].workers,
                               decoding)) {
            return false;
        }
    }
    return true;
}

static bool take_load(uint32_t load, struct decoding *decoding)
{
    return load < LOADS_MAX || error_set(decoding->error, "load %u, there are at most %u", load, LOADS_MAX);
}

void encode_workers_wanted(const struct message *message, struct buffer *into)
{
    protobuf_write_number(into, 1, message->wanted.workers);
    protobuf_write_number(into, 200, message->wanted.load);
}

bool decode_workers_wanted(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    uint32_t workers = protobuf_write_message->workers_wanted->workers;
    uint32_t load = protobuf_write_message->workers_wanted->load;
    decoding->message->wanted.workers = workers;
    decoding->message->wanted.load = load;
    return take_load(load, decoding) &&
           ((workers > 0 && workers <= LIMIT_WORKERS) ||
            error_set(decoding->error, "%u workers, 1 to %u are allowed", workers, LIMIT_WORKERS));
}

void encode_rooms(const struct message *message, struct buffer *into)
{
    put_workers(into, 1, &message->rooms);
}

static bool take_rooms(const Tutti__V1__Rooms *wire, struct decoding *decoding)
{
    return take_workers(wire->rooms, wire->n_rooms, LIMIT_WORKERS, &decoding->message->rooms, decoding);
}

bool decode_synchronise(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    return take_rooms(wire->synchronise, decoding);
}

bool decode_rooms_done(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    return take_rooms(wire->rooms_done, decoding);
}

static void put_room_steps(const struct room_step *items, size_t count, struct buffer *into)
{
    assert(count <= LIMIT_WORKERS);
    size_t opened = protobuf_write_open(into, 1);
    for (size_t i = 0; i < count; i++) {
        protobuf_write_element(into, items[i].room);
        protobuf_write_element(into, items[i].step);
    }
    protobuf_write_close(into, opened);
}

void encode_room_steps(const struct message *message, struct buffer *into)
{
    put_room_steps(message->room_steps.items, message->room_steps.count, into);
}

static bool take_room_steps(const Tutti__V1__RoomSteps *wire, struct room_step **found, size_t *found_count,
                            struct decoding *decoding)
{
    if (wire->n_pairs % 2 != 0 || wire->n_pairs / 2 > LIMIT_WORKERS) {
        return error_set(decoding->error, "%zu numbers are not pairs of rooms and steps", wire->n_pairs);
    }
    size_t count = wire->n_pairs / 2;
    struct room_step *items = (struct room_step *)arena_array(decoding->arena, count, sizeof *items);
    *found = items;
    *found_count = count;
    for (size_t i = 0; i < count; i++) {
        if (wire->pairs[2 * i] >= LIMIT_WORKERS) {
            return error_set(decoding->error, "a room is beyond %u", LIMIT_WORKERS - 1);
        }
        items[i] = (struct room_step){.room = (uint32_t)wire->pairs[2 * i], .step = wire->pairs[2 * i + 1]};
    }
    return true;
}

bool decode_drained(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    struct message *message = decoding->message;
    return take_room_steps(wire->drained, &message->room_steps.items, &message->room_steps.count, decoding);
}

bool decode_run_until(const Tutti__V1__Message *wire, struct decoding *decoding)
{
    struct message *message = decoding->message;
    return take_room_steps(wire->run_until, &message->room_steps.items, &message->room_steps.count, decoding);
}

void encode_scale(const struct message *message, struct buffer *into)
{
    protobuf_write_number(into, 1, message->scale.workers);
    size_t opened = protobuf_write_open(into, 2);
    put_room_steps(message->scale.rooms, message->scale.room_count, into);
    protobuf_write_close(into, opened);
    protobuf_write_number(into, 200, message->scale.load);
}

bool decode_scale(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Scale *wire = protobuf_write_message->scale;
    struct scale *scale = &decoding->message->scale;
    scale->workers = wire->workers;
    scale->load = wire->load;
    if (wire->workers == 0 || wire->workers > LIMIT_WORKERS) {
        return error_set(decoding->error, "%u workers, 1 to %u are allowed", wire->workers, LIMIT_WORKERS);
    }
    return take_load(wire->load, decoding) &&
           (wire->rooms == NULL || take_room_steps(wire->rooms, &scale->rooms, &scale->room_count, decoding));
}

void encode_pace(const struct message *message, struct buffer *into)
{
    const struct pace *pace = &message->pace;
    protobuf_write_flag(into, 1, pace->is_paused);
    protobuf_write_number(into, 2, pace->paused_at_ns);
    protobuf_write_number(into, 3, pace->shift_ns);
    protobuf_write_flag(into, 4, pace->has_rate);
    protobuf_write_number(into, 5, pace->rate_at_ns);
    protobuf_write_double(into, 6, pace->rate_per_s);
    protobuf_write_double(into, 7, pace->before);
    size_t opened = protobuf_write_open(into, 8);
    put_room_steps(pace->rooms, pace->room_count, into);
    protobuf_write_close(into, opened);
    protobuf_write_number(into, 100, pace->slots_at_ns);
    protobuf_write_number(into, 101, pace->slots);
    opened = protobuf_write_open(into, 200);
    put_room_steps(pace->starts, pace->start_count, into);
    protobuf_write_close(into, opened);
    protobuf_write_number(into, 201, pace->load);
}

bool decode_pace(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Pace *wire = protobuf_write_message->pace;
    struct pace *pace = &decoding->message->pace;
    *pace = (struct pace){.is_paused = wire->is_paused,
                          .paused_at_ns = wire->paused_at_ns,
                          .shift_ns = wire->shift_ns,
                          .has_rate = wire->has_rate,
                          .rate_at_ns = wire->rate_at_ns,
                          .rate_per_s = wire->rate_per_s,
                          .before = wire->before,
                          .slots_at_ns = wire->slots_at_ns,
                          .slots = wire->slots,
                          .load = wire->load};
    if (wire->paused_at_ns > LIMIT_PLAN_NS || wire->shift_ns > LIMIT_PLAN_NS ||
        wire->rate_at_ns > LIMIT_PLAN_NS || wire->slots_at_ns > LIMIT_PLAN_NS) {
        return error_set(decoding->error, "an instant of a plan is too far away");
    }
    if (wire->slots > LIMIT_WORKERS) {
        return error_set(decoding->error, "arrivals of %u workers, at most %u are allowed", wire->slots,
                         LIMIT_WORKERS);
    }
    /* Written so that it refuses NaN. */
    if (!(wire->rate_per_s >= 0 && wire->rate_per_s <= LOAD_RATE_MAX) ||
        !(wire->before >= 0 && wire->before <= LIMIT_ARRIVALS)) {
        return error_set(decoding->error, "a rate of a plan, or what came before it, is out of range");
    }
    return take_load(wire->load, decoding) &&
           (wire->rooms == NULL || take_room_steps(wire->rooms, &pace->rooms, &pace->room_count, decoding)) &&
           (wire->starts == NULL ||
            take_room_steps(wire->starts, &pace->starts, &pace->start_count, decoding));
}

void encode_failure(const struct message *message, struct buffer *into)
{
    const struct failure *failure = &message->failure;
    protobuf_write_number(into, 1, failure->worker);
    protobuf_write_number(into, 2, failure->step);
    put_text(into, 3, failure->text);
}

bool decode_failure(const Tutti__V1__Message *protobuf_write_message, struct decoding *decoding)
{
    const Tutti__V1__Failure *wire = protobuf_write_message->failure;
    struct failure *failure = &decoding->message->failure;
    failure->step = wire->step;
    return take_worker(wire->worker, &failure->worker, decoding->error) &&
           take_text(&wire->text, "text", &failure->text, decoding->error);
}
