/* Plays the agent and the coordinator for a shard. */
#include "tests/unit/agent/shard/test_shell_support.h"
#include "agent/lua/lua_api.h"

#include "common/clock.h"
#include "common/histogram.h"
#include "common/memory.h"
#include "common/value.h"

#include <string.h>
#include <unistd.h>

static struct shell *new_shell(void)
{
    struct shell *shell = MEMORY_NEW(struct shell);

    shell->options = (struct campaign_options){.workers = 2, .runs = 1, .sync_timeout_ms = 60000, .seed = 1};
    shell->settings = (struct shard_settings){.library = &lua_api_library,
                                              .hooks = &lua_api_hooks,
                                              .agent = "a1",
                                              .instruction_limit = 2000000,
                                              .is_quiet = true};
    shell->step_us = histogram_new();
    shell->request_us = histogram_new();
    shell->timing_us = histogram_new();
    shell->waited_us = histogram_new();
    buffer_init(&shell->log, 100000);
    buffer_init(&shell->errors, 100000);
    atomic_store(&shell->lease_until_ns, clock_now_ns() + 3600 * NS_PER_S);
    return shell;
}

static void append_line(struct buffer *buffer, struct bytes text)
{
    buffer_append(buffer, text.data, text.size);
    buffer_append_string(buffer, "\n");
}

static void send_reply(struct shell *shell, const struct operation *operation, struct reply reply)
{
    struct command *command = command_new(COMMAND_REPLY, CAMPAIGN);

    reply.kind = operation->kind;
    reply.room = operation->room;
    reply.name = operation->name;
    reply.step = operation->step;
    reply.nth = operation->nth;
    reply.call = operation->call;
    worker_set_copy(&command->workers, &operation->workers);
    command->reply = shared_reply_new(&reply);
    shard_command(shell->shard, command);
}

static void hold(struct shell *shell, struct operation *operation)
{
    operation_free(&shell->held);
    shell->held = operation;
}

/* No room waits here for its workers to end together. */
static void release_rooms(struct shell *shell)
{
    struct command *command = command_new(COMMAND_ROOMS_DONE, CAMPAIGN);

    for (uint32_t room = 0; room < campaign_room_count(&shell->options); room++) {
        worker_set_add(&command->rooms, room);
    }
    shard_command(shell->shard, command);
}

/* True if the operation was kept. */
static bool answer(struct shell *shell, struct operation *operation)
{
    struct bytes rest = operation->value;
    struct value_item item;
    uint8_t nil[] = "n";

    switch (operation->kind) {
    case OPERATION_SET:
        if (bytes_equal_string(operation->name, "log") && value_read(&rest, &item) && item.kind == 's') {
            append_line(&shell->log, item.string);
        }
        send_reply(shell, operation, (struct reply){.outcome = OUTCOME_OK});
        return false;
    case OPERATION_GET:
        send_reply(shell, operation, (struct reply){.value = bytes_of(nil, 1)});
        return false;
    case OPERATION_GET_OR_MAKE:
        send_reply(shell, operation, (struct reply){.is_maker = true, .value = bytes_of(nil, 1)});
        return false;
    case OPERATION_MADE:
        send_reply(shell, operation, (struct reply){.value = operation->value});
        return false;
    case OPERATION_ENDED:
        release_rooms(shell);
        return false;
    case OPERATION_MAKING_FAILED:
        append_line(&shell->log, bytes_of_string("making failed"));
        return false;
    case OPERATION_SETTLED:
    case OPERATION_GIVEN_UP:
        append_line(&shell->log, bytes_of_string(operation_name(operation->kind)));
        return false;
    default:
        if (!operation_is_answered(operation->kind)) {
            return false;
        }
        hold(shell, operation);
        return true;
    }
}

static void add_statistics(struct shell *shell, const struct statistics *statistics)
{
    shell->totals.steps_ok += statistics->steps_ok;
    shell->totals.steps_failed += statistics->steps_failed;
    shell->totals.steps_stopped += statistics->steps_stopped;
    histogram_merge(shell->step_us, statistics->step_us);
    for (size_t i = 0; i < statistics->request_count; i++) {
        const struct request_statistics *request = &statistics->requests[i];
        shell->requests += request->count;
        shell->failed_requests += request->failed;
        shell->received_bytes += request->received_bytes;
        shell->sent_bytes += request->sent_bytes;
        histogram_merge(request->is_timing ? shell->timing_us : shell->request_us, request->latency_us);
    }
    for (size_t i = 0; i < statistics->wait_count; i++) {
        for (size_t outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
            shell->outcomes[outcome] += statistics->waits[i].outcomes[outcome];
        }
        histogram_merge(shell->waited_us, statistics->waits[i].waited_us);
    }
    for (size_t i = 0; i < statistics->error_count; i++) {
        append_line(&shell->errors, statistics->errors[i].text);
    }
}

static void on_notice(void *context, struct mail mail)
{
    struct shell *shell = context;
    struct notice *notice = mail.item;

    if (notice->text != NULL) {
        memory_free(shell->text);
        shell->text = memory_copy_string(notice->text);
    }
    if (notice->kind == NOTICE_DEPLOYED) {
        shell->is_deployed = true;
        shell->is_deploy_ok = notice->is_ok;
    } else if (notice->kind == NOTICE_GLOBAL_DONE) {
        shell->is_global_done = true;
        shell->is_global_ok = notice->is_ok;
    } else if (notice->kind == NOTICE_FINISHED) {
        shell->is_finished = true;
    } else if (notice->kind == NOTICE_STATISTICS) {
        add_statistics(shell, notice->statistics);
    } else if (notice->kind == NOTICE_ARTIFACT) {
        shell->artifacts++;
    } else if (notice->kind == NOTICE_OPERATION && answer(shell, notice->operation)) {
        notice->operation = NULL;
    }
    notice_free(&notice);
}

int shell_set_up(void **state)
{
    struct shell *shell = new_shell();
    struct mailbox_callbacks callbacks = {.on_mail = on_notice, .context = shell};

    uv_loop_init(&shell->loop);
    shell->notices = mailbox_new(&shell->loop, &callbacks);
    *state = shell;
    alarm(50);
    return 0;
}

int shell_tear_down(void **state)
{
    struct shell *shell = *state;

    shard_stop(&shell->shard);
    mailbox_close(&shell->notices);
    uv_run(&shell->loop, UV_RUN_DEFAULT);
    uv_loop_close(&shell->loop);
    deployment_release(&shell->deployment);
    operation_free(&shell->held);
    histogram_free(&shell->step_us);
    histogram_free(&shell->request_us);
    histogram_free(&shell->timing_us);
    histogram_free(&shell->waited_us);
    buffer_finish(&shell->log);
    buffer_finish(&shell->errors);
    memory_free(shell->text);
    memory_free(shell);
    alarm(0);
    return 0;
}

void shell_await(struct shell *shell, const bool *flag)
{
    while (!*flag) {
        uv_run(&shell->loop, UV_RUN_ONCE);
    }
}

void shell_await_call(struct shell *shell)
{
    while (shell->held == NULL) {
        uv_run(&shell->loop, UV_RUN_ONCE);
    }
}

void shell_reply(struct shell *shell, struct reply reply)
{
    send_reply(shell, shell->held, reply);
    operation_free(&shell->held);
}

/* One row of any kind of file: a header that is also JSON, and much whitespace in between. */
static struct bytes large_file(void)
{
    static const char END[] = "\n[{\"n\":1}]";
    static char text[SHELL_LARGE_BYTES];
    memset(text, ' ', sizeof text);
    memcpy(text + sizeof text - (sizeof END - 1), END, sizeof END - 1);
    return bytes_of(text, sizeof text);
}

/* A row whose values have to stay what they are. */
#define NUMBERS                                                                                              \
    "{\"id\":9007199254740993,\"low\":-9223372036854775808,\"third\":0.30000000000000004,\"whole\":1e4,"     \
    "\"none\":null,\"list\":[],\"object\":{},\"twice\":1,\"twice\":2}"

bool shell_deploy(struct shell *shell, const char *script)
{
    struct bytes large = large_file();
    struct bundle_file files[] = {
        {.path = bytes_of_string("pad.lua"), .content = bytes_of_string(script)},
        {.path = bytes_of_string("words.txt"), .content = bytes_of_string("first\n42 rest\n\nlast")},
        {.path = bytes_of_string("lib/tools.lua"),
         .content = bytes_of_string("return { answer = 42, path = ... }")},
        {.path = bytes_of_string("users.csv"),
         .content =
             bytes_of_string("\xef\xbb\xbfname,note\r\nann,\"says \"\"hi\"\"\"\r\nbob,\"two\nlines\"\r\n\r\n"
                             "cid,")},
        {.path = bytes_of_string("users.jsonl"),
         .content = bytes_of_string("{\"n\":1}\n\n{\"n\":2,\"deep\":[1,\"x\"]}")},
        {.path = bytes_of_string("users.json"), .content = bytes_of_string("[{\"n\":1},\n{\"n\":2}]\n")},
        {.path = bytes_of_string("numbers.jsonl"), .content = bytes_of_string(NUMBERS "\n")},
        {.path = bytes_of_string("numbers.json"), .content = bytes_of_string("[" NUMBERS "]")},
        {.path = bytes_of_string("broken.csv"), .content = bytes_of_string("a,b\n1,2\n3\n")},
        {.path = bytes_of_string("twice.csv"), .content = bytes_of_string("a,b,a\n1,2,3\n")},
        {.path = bytes_of_string("header.csv"), .content = bytes_of_string("a,b\n")},
        {.path = bytes_of_string("more.csv"), .content = bytes_of_string("a,b\n1,2,3\n")},
        {.path = bytes_of_string("nameless.csv"), .content = bytes_of_string("a,,b\n1,2,3\n")},
        {.path = bytes_of_string("marked.jsonl"),
         .content = bytes_of_string("\xef\xbb\xbf{\"n\":1}\r\n\r\n{\"n\":2}\r\n")},
        {.path = bytes_of_string("marked.json"), .content = bytes_of_string("\xef\xbb\xbf[{\"n\":1}]")},
        {.path = bytes_of_string("tiny.json"), .content = bytes_of_string("5")},
        {.path = bytes_of_string("cut.json"), .content = bytes_of_string("[{},")},
        {.path = bytes_of_string("large.csv"), .content = large},
        {.path = bytes_of_string("large.jsonl"), .content = large},
        {.path = bytes_of_string("large.json"), .content = large},
        {.path = bytes_of_string("broken.jsonl"), .content = bytes_of_string("{}\n\n{}\n{]\n")},
        {.path = bytes_of_string("number.jsonl"), .content = bytes_of_string("{}\n5\n")},
        {.path = bytes_of_string("broken.json"), .content = bytes_of_string("[\n{},\n{\"a\":}\n]")},
    };
    struct bundle bundle = {.files = files, .file_count = sizeof files / sizeof *files};
    struct command *command = command_new(COMMAND_DEPLOY, CAMPAIGN);

    shell->settings.notices = shell->notices;
    shell->settings.lease_until_ns = &shell->lease_until_ns;
    shell->shard = shard_start(&shell->settings, NULL);
    shell->deployment = deployment_new(CAMPAIGN, &shell->options, &bundle);
    command->deployment = deployment_hold(shell->deployment);
    (void)!worker_set_add_run(&command->workers,
                              (struct worker_run){.first = 0, .stride = 1, .count = shell->options.workers});
    shard_command(shell->shard, command);
    shell_await(shell, &shell->is_deployed);
    return shell->is_deploy_ok;
}

void shell_begin(struct shell *shell)
{
    shard_command(shell->shard, command_new(COMMAND_BEGIN, CAMPAIGN));
}

void shell_finish(struct shell *shell)
{
    shell_await(shell, &shell->is_finished);
}

void shell_start(struct shell *shell, const char *script)
{
    if (!shell_deploy(shell, script)) {
        fail_msg("%s", shell->text);
    }
    shell_begin(shell);
}

void shell_play(struct shell *shell, const char *script)
{
    shell_start(shell, script);
    shell_finish(shell);
}

void shell_stop(struct shell *shell, const char *why)
{
    struct command *command = command_new(COMMAND_STOP, CAMPAIGN);

    command->text = memory_copy_string(why);
    shard_command(shell->shard, command);
}

void shell_global(struct shell *shell, enum global_phase phase)
{
    struct command *command = command_new(COMMAND_GLOBAL, CAMPAIGN);

    command->phase = phase;
    shell->is_global_done = false;
    shard_command(shell->shard, command);
    shell_await(shell, &shell->is_global_done);
}

const char *shell_log(struct shell *shell)
{
    return buffer_string(&shell->log);
}

const char *shell_errors(struct shell *shell)
{
    return buffer_string(&shell->errors);
}
