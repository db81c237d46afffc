/* What is passed between the threads of an agent owns everything that it points to. */
#include "agent/core/batch/command.h"
#include "common/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Text in memory of its own, so that a copy which still points to it is detected. */
static struct bytes loose(const char *text)
{
    return bytes_of(memory_copy_string(text), strlen(text));
}

static void drop(struct bytes bytes)
{
    memset((void *)bytes.data, '#', bytes.size);
    struct text text = {.bytes = bytes};
    text_finish(&text);
}

static void operation_outlives_what_it_was_copied_from(void **state)
{
    (void)state;
    struct operation operation = {.kind = OPERATION_CAS, .room = 3, .step = 9, .call = 4, .timeout_ms = 70};
    worker_set_add(&operation.workers, 5);
    worker_set_add(&operation.workers, 2);
    operation.name = loose("price");
    operation.value = loose("s....new");
    operation.expected = loose("n");
    operation.text = loose("why");
    struct operation *copy = operation_copy(&operation);
    drop(operation.name);
    drop(operation.value);
    drop(operation.expected);
    drop(operation.text);
    worker_set_finish(&operation.workers);

    assert_int_equal(copy->kind, OPERATION_CAS);
    assert_int_equal(copy->room, 3);
    assert_int_equal(copy->step, 9);
    assert_int_equal(copy->call, 4);
    assert_int_equal(copy->timeout_ms, 70);
    assert_int_equal(worker_set_count(&copy->workers), 2);
    assert_true(worker_set_has(&copy->workers, 5) && worker_set_has(&copy->workers, 2));
    assert_true(bytes_equal_string(copy->name, "price"));
    assert_true(bytes_equal_string(copy->value, "s....new"));
    assert_true(bytes_equal_string(copy->expected, "n"));
    assert_true(bytes_equal_string(copy->text, "why"));
    operation_free(&copy);
    assert_null(copy);
    operation_free(&copy);
}

static void reply_outlives_what_it_was_copied_from_and_its_first_holder(void **state)
{
    (void)state;
    struct reply reply = {.kind = OPERATION_BARRIER, .outcome = OUTCOME_SHORT, .rank = 7, .at_ns = -5};
    worker_set_add(&reply.workers, 1);
    worker_set_add(&reply.missing, 8);
    reply.name = loose("line");
    reply.value = loose("t");
    reply.text = loose("worker 8 has ended");
    struct shared_reply *first = shared_reply_new(&reply);
    struct shared_reply *second = shared_reply_hold(first);
    const struct reply *copy = shared_reply_get(second);
    assert_ptr_equal(copy, shared_reply_get(first));
    drop(reply.name);
    drop(reply.value);
    drop(reply.text);
    worker_set_finish(&reply.workers);
    worker_set_finish(&reply.missing);
    shared_reply_release(&first);
    assert_null(first);

    assert_int_equal(copy->outcome, OUTCOME_SHORT);
    assert_int_equal(copy->rank, 7);
    assert_int_equal(copy->at_ns, -5);
    assert_int_equal(worker_set_count(&copy->workers), 0);
    assert_true(worker_set_has(&copy->missing, 8));
    assert_true(bytes_equal_string(copy->name, "line"));
    assert_true(bytes_equal_string(copy->value, "t"));
    assert_true(bytes_equal_string(copy->text, "worker 8 has ended"));
    shared_reply_release(&second);
    assert_null(second);
    shared_reply_release(&second);
}

static void copies_of_nothing_hold_nothing(void **state)
{
    (void)state;
    struct operation *operation = operation_copy(&(struct operation){.kind = OPERATION_READ});
    assert_null(operation->name.data);
    assert_null(operation->workers.runs);
    operation_free(&operation);
    struct shared_reply *reply = shared_reply_new(&(struct reply){.kind = OPERATION_GET});
    assert_null(shared_reply_get(reply)->missing.runs);
    shared_reply_release(&reply);
}

static void deployment_lives_until_its_last_holder_lets_go(void **state)
{
    (void)state;
    struct bundle_file files[2] = {{loose("pad.lua"), loose("return 1")}, {loose("lib/a.lua"), loose("")}};
    struct bundle bundle = {.files = files, .file_count = 2, .hash = loose("abc")};
    struct campaign_options options = {.workers = 12, .single_mode = loose("pad"), .target = loose("http")};
    struct deployment *first = deployment_new(6, &options, &bundle);
    struct deployment *second = deployment_hold(first);
    for (size_t i = 0; i < 2; i++) {
        drop(files[i].path);
        drop(files[i].content);
    }
    drop(bundle.hash);
    drop(options.single_mode);
    drop(options.target);
    deployment_release(&first);
    assert_null(first);

    assert_int_equal(deployment_campaign(second), 6);
    assert_int_equal(deployment_options(second)->workers, 12);
    assert_true(bytes_equal_string(deployment_options(second)->single_mode, "pad"));
    assert_true(bytes_equal_string(deployment_options(second)->target, "http"));
    const struct bundle *held = deployment_bundle(second);
    assert_int_equal(held->file_count, 2);
    assert_true(bytes_equal_string(held->files[0].path, "pad.lua"));
    assert_true(bytes_equal_string(held->files[0].content, "return 1"));
    assert_true(bytes_equal_string(held->files[1].path, "lib/a.lua"));
    assert_int_equal(held->files[1].content.size, 0);
    assert_true(bytes_equal_string(held->hash, "abc"));
    deployment_release(&second);
    assert_null(second);
}

/* Checked by the leak checker. */
static void command_frees_all_that_it_owns(void **state)
{
    (void)state;
    struct campaign_options options = {.workers = 1};
    struct bundle bundle = {0};
    struct command *command = command_new(COMMAND_REPLY, 4);
    assert_int_equal(command->kind, COMMAND_REPLY);
    assert_int_equal(command->campaign, 4);
    command->deployment = deployment_new(4, &options, &bundle);
    worker_set_add(&command->workers, 3);
    worker_set_add(&command->rooms, 1);
    command->reply = shared_reply_new(&(struct reply){.kind = OPERATION_GET});
    command->ranks = memory_new(2, sizeof *command->ranks);
    command->room_steps = memory_new(2, sizeof *command->room_steps);
    command->text = memory_copy_string("interrupted");
    command_free(&command);
    assert_null(command);
    command_free(&command);
}

static void notice_frees_all_that_it_owns(void **state)
{
    (void)state;
    struct notice *notice = notice_new(NOTICE_STATISTICS, 4);
    notice->operation = operation_copy(&(struct operation){.kind = OPERATION_READ});
    notice->room_steps = memory_new(2, sizeof *notice->room_steps);
    notice->text = memory_copy_string("broken");
    notice->content = text_copy_string("a picture");
    struct request_statistics request = {.name = loose("GET /"), .latency_us = histogram_new()};
    struct wait_statistics wait = {.name = loose("pad"), .waited_us = histogram_new()};
    struct error_statistics error = {.text = loose("refused"), .count = 3};
    struct statistics statistics = {.step_us = histogram_new(),
                                    .requests = &request,
                                    .request_count = 1,
                                    .waits = &wait,
                                    .wait_count = 1,
                                    .errors = &error,
                                    .error_count = 1};
    notice->statistics = statistics_copy(&statistics);
    drop(request.name);
    drop(wait.name);
    drop(error.text);
    assert_true(bytes_equal_string(notice->statistics->requests[0].name, "GET /"));
    assert_true(bytes_equal_string(notice->statistics->waits[0].name, "pad"));
    assert_true(bytes_equal_string(notice->statistics->errors[0].text, "refused"));
    assert_int_equal(notice->statistics->errors[0].count, 3);
    notice_free(&notice);
    assert_null(notice);
    notice_free(&notice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operation_outlives_what_it_was_copied_from),
        cmocka_unit_test(reply_outlives_what_it_was_copied_from_and_its_first_holder),
        cmocka_unit_test(copies_of_nothing_hold_nothing),
        cmocka_unit_test(deployment_lives_until_its_last_holder_lets_go),
        cmocka_unit_test(command_frees_all_that_it_owns),
        cmocka_unit_test(notice_frees_all_that_it_owns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
