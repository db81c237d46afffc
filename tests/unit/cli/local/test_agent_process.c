/* Child processes: their lines, their end, and that nothing is left of them. */
#include "cli/local/agent_process.h"
#include "common/buffer.h"
#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LONG_LINE 100000

struct watch {
    struct buffer lines;
    struct buffer errors;
    char what[128];
    int exits;
    int dones;
    size_t longest;
};

static void on_line(void *context, bool is_error, struct bytes line)
{
    struct watch *watch = context;
    if (line.size > watch->longest) {
        watch->longest = line.size;
    }
    buffer_append_format(is_error ? &watch->errors : &watch->lines, "%.*s|",
                         (int)(line.size < 40 ? line.size : 3), (const char *)line.data);
}

static void on_exit_of(void *context, struct agent_process *process, const char *what)
{
    struct watch *watch = context;
    assert_false(agent_process_is_alive(process));
    watch->exits++;
    (void)snprintf(watch->what, sizeof watch->what, "%s", what);
}

static void on_done(void *context, struct agent_process *process)
{
    struct watch *watch = context;
    (void)process;
    assert_int_equal(watch->exits, 1);
    watch->dones++;
}

/* Starts this very program in the part `part`. */
static struct agent_process *start(uv_loop_t *loop, const char *part, struct watch *watch)
{
    const char *const arguments[] = {"child", part, NULL};
    const struct agent_process_callbacks callbacks = {on_line, on_exit_of, on_done, watch};
    struct error error;
    *watch = (struct watch){0};
    buffer_init(&watch->lines, 4096);
    buffer_init(&watch->errors, 4096);
    struct agent_process *process =
        agent_process_start(loop, "agent-1", arguments, bytes_of(NULL, 0), &callbacks, &error);
    assert_non_null(process);
    return process;
}

static void finish(uv_loop_t *loop, struct agent_process **process, struct watch *watch)
{
    agent_process_close(process);
    assert_null(*process);
    assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(loop), 0);
    buffer_finish(&watch->lines);
    buffer_finish(&watch->errors);
}

static void lines_come_whole_and_before_the_end(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct watch watch;
    uv_loop_init(&loop);
    struct agent_process *process = start(&loop, "talk", &watch);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(watch.dones, 1);
    assert_string_equal(watch.what, "ended with exit code 7");
    assert_string_equal(buffer_string(&watch.lines), "one|two in pieces||xxx|xxx|no end of line|");
    assert_string_equal(buffer_string(&watch.errors), "an error|");
    assert_int_equal(watch.longest, 65536);
    finish(&loop, &process, &watch);
}

static void says_by_which_signal_it_ended(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct watch watch;
    uv_loop_init(&loop);
    struct agent_process *process = start(&loop, "wait", &watch);
    assert_true(agent_process_is_alive(process));
    agent_process_kill(process, SIGKILL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_string_equal(watch.what, "was ended by signal 9 (Killed)");
    agent_process_kill(process, SIGKILL);
    finish(&loop, &process, &watch);
}

static void closing_ends_what_still_runs(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct watch watch;
    uv_loop_init(&loop);
    struct agent_process *process = start(&loop, "wait", &watch);
    finish(&loop, &process, &watch);
    assert_int_equal(watch.exits + watch.dones, 0);
}

static int be_child(const char *part)
{
    if (strcmp(part, "wait") == 0) {
        return (int)pause();
    }
    printf("one\ntwo in ");
    (void)fflush(stdout);
    printf("pieces\n\n");
    for (int i = 0; i < LONG_LINE; i++) {
        putchar('x');
    }
    printf("\nno end of line");
    fprintf(stderr, "an error\n");
    return 7;
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return be_child(argv[1]);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_come_whole_and_before_the_end),
        cmocka_unit_test(says_by_which_signal_it_ended),
        cmocka_unit_test(closing_ends_what_still_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
