/* Lines of many threads reach the file whole, and what cannot be written is counted. */
#include "agent/base/line_log.h"
#include "common/memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define THREADS 4
#define LINES 5000

static char path[] = "/tmp/tutti-line-log-XXXXXX";

static int set_up_file(void **state)
{
    (void)state;
    memset(path + strlen(path) - 6, 'X', 6);
    int file = mkstemp(path);
    assert_true(file >= 0 && write(file, "before\n", 7) == 7);
    (void)close(file);
    return 0;
}

static int tear_down_file(void **state)
{
    (void)state;
    return unlink(path);
}

static struct line_log *opened(const char *name)
{
    struct error error;
    struct line_log *log = line_log_open(name, "test", &error);
    assert_non_null(log);
    return log;
}

static void *put_lines(void *context)
{
    char line[64];
    for (int i = 0; i < LINES; i++) {
        int size = snprintf(line, sizeof line, "a line of some length %d\n", i);
        assert_true(line_log_put(context, bytes_of(line, (size_t)size)));
    }
    return NULL;
}

static void lines_of_many_threads_are_whole_and_follow_what_was_there(void **state)
{
    struct line_log *log = opened(path);
    pthread_t threads[THREADS];
    struct error error;
    char line[128];
    unsigned seen[LINES] = {0};
    (void)state;
    assert_true(line_log_put(log, bytes_of_string("first\n"))); /* waits for the thread */
    assert_true(line_log_start(log, &error));
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, put_lines, log), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    assert_int_equal(line_log_dropped(log), 0);
    line_log_close(&log);
    assert_null(log);
    line_log_close(&log);
    FILE *file = fopen(path, "r");
    assert_string_equal(fgets(line, sizeof line, file), "before\n");
    assert_string_equal(fgets(line, sizeof line, file), "first\n");
    while (fgets(line, sizeof line, file) != NULL) {
        int number = -1;
        assert_int_equal(sscanf(line, "a line of some length %d\n", &number), 1);
        seen[number]++;
    }
    (void)fclose(file);
    for (int i = 0; i < LINES; i++) {
        assert_int_equal(seen[i], THREADS);
    }
}

static void what_finds_no_room_is_dropped_and_counted(void **state)
{
    struct line_log *log = opened(path);
    SCOPED(memory_free_at) char *line = memory_new(LINE_LOG_MAX_BYTES / 4, 1);
    (void)state;
    memset(line, 'a', LINE_LOG_MAX_BYTES / 4 - 1);
    line[LINE_LOG_MAX_BYTES / 4 - 1] = '\n';
    for (int i = 0; i < 4; i++) {
        assert_true(line_log_put(log, bytes_of(line, LINE_LOG_MAX_BYTES / 4)));
    }
    assert_false(line_log_put(log, bytes_of_string("more\n")));
    assert_false(line_log_put(log, bytes_of_string("more\n")));
    assert_int_equal(line_log_dropped(log), 2);
    line_log_close(&log);
}

static void await_dropped(struct line_log *log, uint64_t count)
{
    for (int i = 0; i < 500 && line_log_dropped(log) < count; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(line_log_dropped(log), count);
}

static void lines_that_a_full_disk_takes_none_of_are_counted(void **state)
{
    struct line_log *log = opened("/dev/full");
    struct error error;
    (void)state;
    assert_true(line_log_start(log, &error));
    (void)line_log_put(log, bytes_of_string("one\ntwo\n"));
    await_dropped(log, 2);
    (void)line_log_put(log, bytes_of_string("three\n"));
    await_dropped(log, 3);
    line_log_close(&log);
}

static void a_line_that_was_cut_is_ended_before_the_next(void **state)
{
    struct line_log *log = opened(path);
    struct error error;
    struct rlimit before;
    char text[64] = "";
    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {.rlim_cur = 7 + 6, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_true(line_log_start(log, &error));
    (void)line_log_put(log, bytes_of_string("one\ntwo\nthree\n"));
    await_dropped(log, 2);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)line_log_put(log, bytes_of_string("four\n"));
    line_log_close(&log);
    FILE *file = fopen(path, "r");
    (void)!fread(text, 1, sizeof text - 1, file);
    (void)fclose(file);
    assert_string_equal(text, "before\none\ntw\nfour\n");
}

static void what_cannot_be_opened_is_said(void **state)
{
    struct error error;
    (void)state;
    assert_null(line_log_open("/nowhere/log", "test", &error));
    assert_non_null(strstr(error.text, "/nowhere/log cannot be written: No such file"));
}

int main(void)
{
#define LINE_STORY(name) cmocka_unit_test_setup_teardown(name, set_up_file, tear_down_file)
    const struct CMUnitTest tests[] = {
        LINE_STORY(lines_of_many_threads_are_whole_and_follow_what_was_there),
        LINE_STORY(what_finds_no_room_is_dropped_and_counted),
        LINE_STORY(lines_that_a_full_disk_takes_none_of_are_counted),
        LINE_STORY(a_line_that_was_cut_is_ended_before_the_next),
        LINE_STORY(what_cannot_be_opened_is_said),
    };
    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
