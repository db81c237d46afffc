/* A runner whose effects are recorded as a transcript. */
#include "tests/unit/agent/core/runner/test_runner_support.h"

#include "common/memory.h"

#include <inttypes.h>

int set_up(void **state)
{
    struct fixture *fixture = MEMORY_NEW(struct fixture);
    fixture->options = (struct campaign_options){.workers = 4, .runs = 3, .sync_timeout_ms = 60000};
    fixture->now_ns = START_NS;
    buffer_init(&fixture->transcript, 1000000);
    *state = fixture;
    return 0;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;
    runner_effects_finish(&fixture->effects);
    runner_free(&fixture->runner);
    buffer_finish(&fixture->transcript);
    memory_free(fixture);
    return 0;
}

static void write_words(struct buffer *into, struct bytes text)
{
    if (text.size > 0) {
        buffer_append_format(into, " %.*s", BYTES_FORMAT(text));
    }
}

static void write_operation(struct buffer *into, const struct operation *operation)
{
    assert_int_equal(worker_set_count(&operation->workers), 1);
    uint32_t worker = operation->workers.runs[0].first;
    if (operation->kind == OPERATION_PAST) {
        buffer_append_format(into, "past(%" PRIu32 "@%" PRIu64, worker, operation->step);
    } else if (operation->kind == OPERATION_RELEASED && operation->room == ROOM_CAMPAIGN) {
        assert_int_equal(operation->first_ns, operation->last_ns);
        buffer_append_format(into, "started(%" PRIu32 " +%" PRIu64 " ms", worker,
                             ((uint64_t)operation->first_ns - START_NS) / MS);
    } else if (operation->kind == OPERATION_BEGUN) {
        buffer_append_format(into, "begun(%" PRIu32 "@%" PRIu64, worker, operation->step);
    } else if (operation->kind == OPERATION_ENDED) {
        buffer_append_format(into, "ended(%" PRIu32, worker);
    } else if (operation->kind == OPERATION_SETTLED || operation->kind == OPERATION_GIVEN_UP) {
        buffer_append_format(into, "%s(%" PRIu32, operation_name(operation->kind), worker);
    } else {
        buffer_append_format(into,
                             "%s(%" PRIu32 " %.*s@%" PRIu64 " room %" PRIu32 " nth %" PRIu32 " call %" PRIu32,
                             operation_name(operation->kind), worker, BYTES_FORMAT(operation->name),
                             operation->step, operation->room, operation->nth, operation->call);
    }
    write_words(into, operation->text);
    buffer_append_string(into, ")");
}

static void write_notice(struct buffer *into, const struct notice *notice)
{
    assert_int_equal(notice->campaign, CAMPAIGN);
    switch (notice->kind) {
    case NOTICE_OPERATION:
        write_operation(into, notice->operation);
        break;
    case NOTICE_DRAINED:
        buffer_append_string(into, "drained(");
        for (size_t i = 0; i < notice->room_step_count; i++) {
            buffer_append_format(into, "%s%" PRIu32 "@%" PRIu64, i == 0 ? "" : " ",
                                 notice->room_steps[i].room, notice->room_steps[i].step);
        }
        buffer_append_string(into, ")");
        break;
    case NOTICE_FAILURE:
        buffer_append_format(into, "failure(%" PRIu32 "@%" PRIu64, notice->failure.worker,
                             notice->failure.step);
        write_words(into, notice->failure.text);
        buffer_append_string(into, ")");
        break;
    case NOTICE_WANTED:
        buffer_append_format(into, "wanted(%" PRIu32 ")", notice->wanted);
        break;
    case NOTICE_FINISHED:
        buffer_append_format(into, "finished(%" PRIu64 ")", notice->finished_workers);
        break;
    default:
        fail_msg("a runner gives no notice of kind %d", (int)notice->kind);
    }
}

static void write_effects(struct fixture *fixture)
{
    struct buffer *into = &fixture->transcript;
    for (size_t i = 0; i < fixture->effects.count; i++) {
        const struct runner_effect *effect = &fixture->effects.items[i];
        buffer_append_string(into, into->size == 0 ? "" : " ");
        switch (effect->kind) {
        case RUNNER_SETUP:
            buffer_append_format(into, "setup(%" PRIu32 ")", effect->worker);
            break;
        case RUNNER_SETUP_LATE:
            buffer_append_format(into, "late(%" PRIu32 ")", effect->worker);
            break;
        case RUNNER_STEP:
            buffer_append_format(into, "step(%" PRIu32 "@%" PRIu64 ")", effect->worker, effect->step);
            break;
        case RUNNER_ANSWER:
            buffer_append_format(into, "answer(%" PRIu32 " %s #%" PRIu64 ")", effect->worker,
                                 outcome_name(shared_reply_get(effect->reply)->outcome), effect->rank);
            break;
        case RUNNER_TEARDOWN:
            buffer_append_format(into, "teardown(%" PRIu32 ")", effect->worker);
            break;
        case RUNNER_NOTICE:
            write_notice(into, effect->notice);
            break;
        }
    }
}

static void take(struct fixture *fixture, struct runner_event event)
{
    event.now_ns = fixture->now_ns;
    runner_step(fixture->runner, &event, &fixture->effects);
    write_effects(fixture);
}

void give(struct fixture *fixture, struct command *command)
{
    take(fixture, (struct runner_event){.kind = RUNNER_COMMAND, .command = command});
    command_free(&command);
}

void deploy(struct fixture *fixture, uint32_t first, uint32_t stride, uint32_t count)
{
    struct bundle bundle = {0};
    struct deployment *deployment = deployment_new(CAMPAIGN, &fixture->options, &bundle);
    fixture->runner = runner_new(deployment, fixture->options.runs);
    deployment_release(&deployment);
    struct command *command = command_new(COMMAND_DEPLOY, CAMPAIGN);
    for (uint32_t i = 0; i < count; i++) {
        worker_set_add(&command->workers, first + i * stride);
    }
    give(fixture, command);
}

void advance(struct fixture *fixture, uint64_t milliseconds)
{
    fixture->now_ns += milliseconds * MS;
    tick(fixture);
}

void tick(struct fixture *fixture)
{
    take(fixture, (struct runner_event){.kind = RUNNER_TICK});
}

void tick_without_lease(struct fixture *fixture)
{
    take(fixture, (struct runner_event){.kind = RUNNER_TICK, .is_paused = true});
}

void begin(struct fixture *fixture)
{
    begin_at(fixture, 0);
    tick(fixture);
}

void begin_at(struct fixture *fixture, uint64_t at_ns)
{
    struct command *command = command_new(COMMAND_BEGIN, CAMPAIGN);
    command->at_ns = at_ns;
    give(fixture, command);
}

void assign(struct fixture *fixture, uint32_t worker, uint64_t first_step)
{
    struct command *command = command_new(COMMAND_ASSIGN, CAMPAIGN);
    worker_set_add(&command->workers, worker);
    command->first_step = first_step;
    give(fixture, command);
}

static void give_rooms(struct fixture *fixture, enum command_kind kind, uint32_t room)
{
    struct command *command = command_new(kind, CAMPAIGN);
    worker_set_add(&command->rooms, room);
    give(fixture, command);
}

void synchronise(struct fixture *fixture, uint32_t room)
{
    give_rooms(fixture, COMMAND_SYNCHRONISE, room);
}

void rooms_done(struct fixture *fixture, uint32_t room)
{
    give_rooms(fixture, COMMAND_ROOMS_DONE, room);
}

void drain(struct fixture *fixture)
{
    give(fixture, command_new(COMMAND_DRAIN, CAMPAIGN));
}

void run_until(struct fixture *fixture, uint32_t room, uint64_t step)
{
    struct command *command = command_new(COMMAND_RUN_UNTIL, CAMPAIGN);
    command->room_steps = memory_new(1, sizeof *command->room_steps);
    command->room_steps[0] = (struct room_step){.room = room, .step = step};
    command->room_step_count = 1;
    give(fixture, command);
}

void stop(struct fixture *fixture, const char *text)
{
    struct command *command = command_new(COMMAND_STOP, CAMPAIGN);
    command->text = memory_copy_string(text);
    give(fixture, command);
}

void forget(struct fixture *fixture)
{
    give(fixture, command_new(COMMAND_FORGET, CAMPAIGN));
}

void setup_done(struct fixture *fixture, uint32_t worker)
{
    take(fixture, (struct runner_event){.kind = RUNNER_SETUP_DONE, .worker = worker, .is_ok = true});
}

void deploy_stepping(struct fixture *fixture, uint32_t count)
{
    deploy(fixture, 0, 1, count);
    begin(fixture);
    for (uint32_t worker = 0; worker < count; worker++) {
        setup_done(fixture, worker);
    }
    ignore(fixture);
}

void deploy_ramping(struct fixture *fixture, uint32_t count, uint64_t milliseconds)
{
    fixture->options.workers = count;
    fixture->options.ramp_up_ms = count * 1000;
    deploy(fixture, 0, 1, count);
    begin(fixture);
    advance(fixture, milliseconds);
}

void setup_failed(struct fixture *fixture, uint32_t worker, const char *text)
{
    take(fixture, (struct runner_event){.kind = RUNNER_SETUP_DONE, .worker = worker, .text = text});
}

void step_ok(struct fixture *fixture, uint32_t worker)
{
    take(fixture, (struct runner_event){.kind = RUNNER_STEP_DONE, .worker = worker, .result = STEP_OK});
}

void step_failed(struct fixture *fixture, uint32_t worker, const char *text)
{
    take(fixture, (struct runner_event){
                      .kind = RUNNER_STEP_DONE, .worker = worker, .result = STEP_FAILED, .text = text});
}

void step_stopped(struct fixture *fixture, uint32_t worker)
{
    take(fixture, (struct runner_event){.kind = RUNNER_STEP_DONE, .worker = worker, .result = STEP_STOPPED});
}

void torn_down(struct fixture *fixture, uint32_t worker)
{
    take(fixture, (struct runner_event){.kind = RUNNER_TORN_DOWN, .worker = worker});
}

void reply(struct fixture *fixture, struct reply *reply)
{
    struct command *command = command_new(COMMAND_REPLY, CAMPAIGN);
    command->reply = shared_reply_new(reply);
    command->workers = reply->workers;
    worker_set_init(&reply->workers);
    give(fixture, command);
}

enum runner_call call_of_task(struct fixture *fixture, uint32_t worker, uint64_t ticket,
                              struct operation operation)
{
    enum runner_call result =
        runner_call(fixture->runner, worker, &operation, ticket, &fixture->effects, &fixture->error);
    write_effects(fixture);
    return result;
}

enum runner_call call(struct fixture *fixture, uint32_t worker, struct operation operation)
{
    return call_of_task(fixture, worker, 0, operation);
}

void give_up(struct fixture *fixture, uint32_t worker, uint64_t ticket)
{
    runner_give_up(fixture->runner, worker, ticket, &fixture->effects);
    write_effects(fixture);
}

void settle(struct fixture *fixture, uint32_t worker)
{
    runner_settle(fixture->runner, worker, &fixture->effects);
    write_effects(fixture);
}

struct operation operation_of(enum operation_kind kind, const char *name, uint64_t step)
{
    return (struct operation){.kind = kind, .name = bytes_of_string(name), .step = step};
}

void expect(struct fixture *fixture, const char *transcript)
{
    assert_string_equal(buffer_string(&fixture->transcript), transcript);
    buffer_clear(&fixture->transcript);
}

void ignore(struct fixture *fixture)
{
    buffer_clear(&fixture->transcript);
}
