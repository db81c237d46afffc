/* Drivers start, are watched, and leave nothing behind, whichever process ends first. */
#include "agent/browser/drivers.h"
#include "agent/browser/starter_link.h"
#include "common/clock.h"
#include "common/memory.h"
#include "tests/unit/agent/browser/fake_driver.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_DRIVERS 4
/* Driver, three generations, orphan, stranger, and the reaper. */
#define FAMILY 7

struct stand {
    uv_loop_t loop;
    struct starter_link *starter;
    struct drivers_settings settings;
    struct drivers *drivers;
    struct webdriver *driver[MAX_DRIVERS];
    unsigned changes;
};

static void on_change(void *context)
{
    ((struct stand *)context)->changes++;
}

static int set_up(void **state)
{
    static struct stand stand;

    stand = (struct stand){.settings = {.starts_at_once = 1}};
    (void)signal(SIGPIPE, SIG_IGN); /* as in an agent */
    fake_driver_set_up();
    uv_loop_init(&stand.loop);
    *state = &stand;
    alarm(50);
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;

    for (size_t i = 0; i < MAX_DRIVERS; i++) {
        webdriver_release(&stand->driver[i]);
    }
    drivers_close(&stand->drivers);
    uv_run(&stand->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stand->loop), 0);
    starter_link_close(&stand->starter);
    fake_driver_expect_nothing_left();
    fake_driver_tear_down();
    alarm(0);
    return 0;
}

/* It sees the current environment. */
static void open_drivers(struct stand *stand)
{
    const struct starter_settings settings = {.has_walls = true};
    struct error error;

    if (stand->drivers != NULL) {
        return;
    }
    stand->starter = starter_link_open(&settings, &error);
    assert_non_null(stand->starter);
    stand->settings.starter = stand->starter;
    stand->drivers = drivers_new(&stand->loop, &stand->settings);
}

static struct webdriver *start_kind(struct stand *stand, size_t number, enum browser_kind kind)
{
    const struct webdriver_request request = {
        .kind = kind, .timeout_ms = 20000, .on_change = on_change, .context = stand};

    open_drivers(stand);
    stand->driver[number] = webdriver_start(stand->drivers, &request);
    return stand->driver[number];
}

static struct webdriver *start(struct stand *stand, size_t number)
{
    return start_kind(stand, number, BROWSER_CHROMIUM);
}

static void await(struct stand *stand, const struct webdriver *driver, enum webdriver_state state)
{
    while (webdriver_state(driver) < state) {
        (void)uv_run(&stand->loop, UV_RUN_ONCE);
    }
    if (webdriver_state(driver) != state) {
        fail_msg("state %d: %s", (int)webdriver_state(driver), webdriver_failure(driver));
    }
}

/* A process that keeps forking in the background. */
static void await_count(size_t count)
{
    while (fake_driver_count_processes() < count) {
        (void)usleep(1000);
    }
}

static void a_driver_answers_and_leaves_nothing(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "family", 1);
    struct webdriver *driver = start(stand, 0);
    assert_int_equal(webdriver_state(driver), WEBDRIVER_STARTING);
    assert_int_equal(stand->changes, 0);
    await(stand, driver, WEBDRIVER_READY);
    assert_int_equal(strncmp(webdriver_url(driver), "http://127.0.0.1:", 17), 0);
    assert_int_equal(access(webdriver_folder(driver), R_OK | W_OK), 0);
    await_count(FAMILY);
    webdriver_stop(driver);
    await(stand, driver, WEBDRIVER_GONE);
    assert_int_equal(fake_driver_count_processes(), 0);
    assert_int_equal(fake_driver_count_folders(), 0);
    assert_string_equal(webdriver_failure(driver), "");
    webdriver_stop(driver);
}

static char *read_log(const struct webdriver *driver)
{
    char path[300];
    char *text = calloc(1, 65536);

    snprintf(path, sizeof path, "%s/log", webdriver_folder(driver));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, 65535, file) > 0);
    (void)fclose(file);
    return text;
}

static unsigned long long mask_of(pid_t pid, const char *name)
{
    char text[4096];
    fake_driver_read(pid, "status", text, sizeof text);
    const char *line = strstr(text, name);
    assert_non_null(line);
    return strtoull(line + strlen(name), NULL, 16);
}

static void measure(struct stand *stand, struct webdriver *driver)
{
    uint64_t before = webdriver_usage(driver)->answers;
    webdriver_measure(driver);
    while (webdriver_usage(driver)->answers == before) {
        (void)uv_run(&stand->loop, UV_RUN_ONCE);
    }
}

/* Nothing specific to an agent's process or to a reaper is inherited. */
static void a_driver_is_a_process_like_others(void **state)
{
    struct stand *stand = *state;
    char expected[40];
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0); /* open across exec, as a careless library may leave one */
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_READY);
    pid_t pid = fake_driver_await("fake-driver");
    assert_int_equal(getsid(pid), pid); /* signals of a terminal do not reach it */
    assert_int_equal(mask_of(pid, "SigBlk:"), 0);
    assert_int_equal(mask_of(pid, "SigIgn:") >> (SIGPIPE - 1) & 1, 0);
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0); /* no other process has it */
    (void)close(ends[0]);
    char *log = read_log(driver);
    snprintf(expected, sizeof expected, "on port %s.\n", webdriver_url(driver) + strlen("http://127.0.0.1:"));
    assert_non_null(strstr(log, expected));
    free(log);
}

static uint64_t burnt_ticks(pid_t pid)
{
    char text[1024];
    unsigned long long user = 0;
    unsigned long long system = 0;
    fake_driver_read(pid, "stat", text, sizeof text);
    assert_int_equal(sscanf(strrchr(text, ')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
                            &user, &system),
                     2);
    return user + system;
}

static void a_driver_that_closes_its_output_keeps_nobody_busy(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "mute", 1);
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_READY);
    measure(stand, driver);
    uint64_t before = burnt_ticks(fake_driver_await("tutti-reaper"));
    (void)usleep(300000); /* a time in which it has nothing to do */
    assert_true(burnt_ticks(fake_driver_await("tutti-reaper")) <= before + 3);
    measure(stand, driver);
    assert_int_equal(webdriver_state(driver), WEBDRIVER_READY);
}

static void a_browser_that_never_settles_holds_up_nobody(void **state)
{
    struct stand *stand = *state;
    stand->settings.settle_ms = 1;
    (void)start(stand, 0);
    await(stand, start(stand, 1), WEBDRIVER_READY);
    assert_int_equal(webdriver_state(stand->driver[0]), WEBDRIVER_READY);
}

static void a_reaper_that_is_stuck_is_killed_and_swept_up_after(void **state)
{
    struct stand *stand = *state;
    stand->settings.end_ms = 1;
    (void)setenv("FAKE_DRIVER", "family", 1);
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_READY);
    await_count(FAMILY);
    assert_int_equal(kill(fake_driver_await("tutti-reaper"), SIGSTOP), 0);
    webdriver_stop(driver);
    await(stand, driver, WEBDRIVER_GONE);
    assert_int_equal(fake_driver_count_processes(), 0);
    assert_int_equal(fake_driver_count_folders(), 0);
}

static void a_driver_that_is_killed_says_so(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "family", 1);
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_READY);
    await_count(FAMILY);
    assert_int_equal(kill(fake_driver_await("fake-driver"), SIGKILL), 0);
    await(stand, driver, WEBDRIVER_GONE);
    assert_int_equal(
        strncmp(webdriver_failure(driver), "chromedriver was ended by signal 9 (Killed): Chrome", 50), 0);
    assert_int_equal(fake_driver_count_processes(), 0);
    /* And the next one is a different one. */
    await(stand, start(stand, 1), WEBDRIVER_READY);
}

static void a_killed_reaper_is_swept_up_after(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "family", 1);
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_READY);
    await_count(FAMILY);
    assert_int_equal(kill(fake_driver_await("tutti-reaper"), SIGKILL), 0);
    await(stand, driver, WEBDRIVER_GONE);
    assert_string_equal(webdriver_failure(driver),
                        "the reaper of chromedriver was ended by signal 9 (Killed)");
    assert_int_equal(fake_driver_count_processes(), 0);
    assert_int_equal(fake_driver_count_folders(), 0);
}

static void a_reaper_that_is_told_to_end_does(void **state)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    struct stand *stand = *state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct webdriver *driver = start(stand, i);
        await(stand, driver, WEBDRIVER_READY);
        assert_int_equal(kill(fake_driver_await("tutti-reaper"), numbers[i]), 0);
        await(stand, driver, WEBDRIVER_GONE);
        assert_non_null(strstr(webdriver_failure(driver), "its reaper was told to end"));
    }
}

/* A process that has two drivers, like an agent; returned once they are ready. */
static pid_t start_agent(struct stand *stand)
{
    int ends[2];
    char byte;

    assert_int_equal(pipe(ends), 0);
    pid_t agent = fork();
    if (agent == 0) {
        uv_loop_fork(&stand->loop);
        await(stand, start(stand, 0), WEBDRIVER_READY);
        webdriver_settle(stand->driver[0]);
        await(stand, start(stand, 1), WEBDRIVER_READY);
        (void)!write(ends[1], "r", 1);
        uv_run(&stand->loop, UV_RUN_DEFAULT);
        _exit(0);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    (void)close(ends[0]);
    (void)close(ends[1]);
    await_count(2 * FAMILY + 1);
    return agent;
}

static void nothing_outlives_an_agent_that_is_killed(void **state)
{
    (void)setenv("FAKE_DRIVER", "family", 1);
    pid_t agent = start_agent(*state);
    assert_int_equal(kill(agent, SIGKILL), 0);
    assert_int_equal(waitpid(agent, NULL, 0), agent);
    fake_driver_expect_nothing_left();
}

static void leftovers_of_killed_agent_and_reapers_are_removed_at_the_next_start(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "family", 1);
    pid_t agent = start_agent(stand);
    assert_int_equal(kill(agent, SIGSTOP), 0);
    for (int i = 0; i < 2; i++) {
        pid_t reaper = fake_driver_await("tutti-reaper");
        assert_int_equal(kill(reaper, SIGKILL), 0);
        while (fake_driver_find("tutti-reaper") == reaper) {
            (void)usleep(1000);
        }
    }
    while (fake_driver_find("fake-driver") != 0) { /* they die with their reapers, their children do not */
        (void)usleep(1000);
    }
    assert_int_equal(kill(agent, SIGKILL), 0);
    assert_int_equal(waitpid(agent, NULL, 0), agent);
    assert_int_equal(fake_driver_count_folders(), 2);
    (void)unsetenv("FAKE_DRIVER");
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_READY);
    assert_int_equal(fake_driver_count_processes(), 2);
    assert_int_equal(fake_driver_count_folders(), 1);
}

static void a_driver_that_ends_before_it_answers(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "failing", 1);
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_GONE);
    assert_string_equal(webdriver_failure(driver),
                        "chromedriver ended with exit code 3 before it answered: cannot open display");
    assert_string_equal(webdriver_last_words(driver), "one line\ncannot open display\n\n");
}

static void a_driver_that_never_answers(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "silent", 1);
    const struct webdriver_request request = {.timeout_ms = 150, .on_change = on_change, .context = stand};
    open_drivers(stand);
    stand->driver[0] = webdriver_start(stand->drivers, &request);
    await(stand, stand->driver[0], WEBDRIVER_GONE);
    assert_string_equal(webdriver_failure(stand->driver[0]), "chromedriver did not answer within 0.15 s");
}

static void a_driver_that_is_not_there(void **state)
{
    struct stand *stand = *state;
    char *path = memory_copy_string(getenv("PATH"));
    (void)setenv("PATH", "/nowhere::relative", 1);
    (void)unsetenv("TUTTI_CHROMEDRIVER");
    struct webdriver *driver = start(stand, 0);
    (void)setenv("PATH", path, 1);
    memory_free(path);
    await(stand, driver, WEBDRIVER_GONE);
    assert_string_equal(webdriver_failure(driver),
                        "chromium needs chromedriver: apt-get install chromium-driver");
}

static void a_driver_that_is_no_program(void **state)
{
    struct stand *stand = *state;
    (void)setenv("TUTTI_CHROMEDRIVER", "/etc/passwd", 1);
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_GONE);
    assert_string_equal(webdriver_failure(driver),
                        "TUTTI_CHROMEDRIVER is /etc/passwd, which is not the absolute path of a program");
}

static void few_start_at_once(void **state)
{
    struct stand *stand = *state;
    for (size_t i = 0; i < 4; i++) {
        (void)start(stand, i);
    }
    await(stand, stand->driver[0], WEBDRIVER_READY);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(webdriver_state(stand->driver[i]), WEBDRIVER_QUEUED);
    }
    webdriver_settle(stand->driver[0]);
    webdriver_settle(stand->driver[0]);
    assert_int_equal(webdriver_state(stand->driver[1]), WEBDRIVER_STARTING);
    assert_int_equal(webdriver_state(stand->driver[2]), WEBDRIVER_QUEUED);
    /* One that is released before its turn is skipped; one that ends frees its slot. */
    webdriver_stop(stand->driver[2]);
    assert_int_equal(webdriver_state(stand->driver[2]), WEBDRIVER_GONE);
    webdriver_release(&stand->driver[1]);
    assert_int_equal(webdriver_state(stand->driver[3]), WEBDRIVER_STARTING);
    await(stand, stand->driver[3], WEBDRIVER_READY);
}

static void a_port_that_was_taken_is_changed_for_another(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "busy", 1);
    struct webdriver *driver = start_kind(stand, 0, BROWSER_WEBKIT);
    await(stand, driver, WEBDRIVER_READY);
    /* Ending later does not count, nor does a driver that has answered. */
    pid_t orphan = fake_driver_await("fake-orphan");
    assert_int_equal(kill(orphan, SIGKILL), 0);
    while (fake_driver_find("fake-orphan") == orphan) {
        (void)usleep(1000);
    }
    measure(stand, driver);
    measure(stand, driver);
    assert_int_equal(webdriver_state(driver), WEBDRIVER_READY);
    assert_int_equal(kill(fake_driver_await("fake-driver"), SIGKILL), 0);
    await(stand, driver, WEBDRIVER_GONE);
    assert_non_null(strstr(webdriver_failure(driver), "signal 9 (Killed)"));
    /* A driver that chooses its own port is not retried, unless it says that the port is taken. */
    await(stand, start(stand, 1), WEBDRIVER_GONE);
}

static void a_port_that_is_said_to_be_taken_is_too(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "crowded", 1);
    await(stand, start(stand, 0), WEBDRIVER_READY);
    /* One that says nothing has had three attempts. */
    webdriver_settle(stand->driver[0]);
    await(stand, start_kind(stand, 1, BROWSER_WEBKIT), WEBDRIVER_GONE);
}

static void a_driver_is_measured(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "family", 1);
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_READY);
    await_count(FAMILY);
    measure(stand, driver);
    measure(stand, driver);
    assert_int_equal(webdriver_usage(driver)->processes, FAMILY - 1);
    assert_true(webdriver_usage(driver)->bytes > 100000);
}

static void the_environment_is_its_own(void **state)
{
    struct stand *stand = *state;
    char expected[300];
    (void)setenv("FAKE_DRIVER", "loud", 1);
    (void)setenv("TUTTI_TOKEN", "secret", 1);
    struct webdriver *driver = start(stand, 0);
    await(stand, driver, WEBDRIVER_READY);
    char *log = read_log(driver);
    snprintf(expected, sizeof expected, "\nHOME=%s/home\n", webdriver_folder(driver));
    assert_non_null(strstr(log, expected));
    snprintf(expected, sizeof expected, "\nTMPDIR=%s/tmp\n", webdriver_folder(driver));
    assert_non_null(strstr(log, expected));
    assert_null(strstr(log, "secret"));
    assert_non_null(strstr(log, "PATH="));
    free(log);
    (void)unsetenv("TUTTI_TOKEN");
}

/* The loop has nothing left to do when the last one is gone. */
static void nothing_is_kept_of_what_was_released(void **state)
{
    struct stand *stand = *state;
    await(stand, start(stand, 0), WEBDRIVER_READY);
    unsigned changes = stand->changes;
    webdriver_release(&stand->driver[0]);
    assert_null(stand->driver[0]);
    (void)uv_run(&stand->loop, UV_RUN_DEFAULT);
    assert_int_equal(stand->changes, changes); /* no callback after it was released */
}

static void nothing_is_kept_of_what_has_failed(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "failing", 1);
    await(stand, start(stand, 0), WEBDRIVER_GONE);
    webdriver_release(&stand->driver[0]);
    (void)uv_run(&stand->loop, UV_RUN_DEFAULT);
}

static void closing_waits_for_nobody_for_ever(void **state)
{
    struct stand *stand = *state;
    await(stand, start(stand, 0), WEBDRIVER_READY);
    pid_t reaper = fake_driver_await("tutti-reaper");
    assert_int_equal(kill(reaper, SIGSTOP), 0);
    stand->driver[0] = NULL; /* removed together with all of them */
    drivers_close(&stand->drivers);
    (void)uv_run(&stand->loop, UV_RUN_DEFAULT);
    assert_int_equal(kill(reaper, SIGCONT), 0); /* it cleans up when it can */
}

static void closing_ends_all_of_them(void **state)
{
    struct stand *stand = *state;
    (void)setenv("FAKE_DRIVER", "family", 1);
    await(stand, start(stand, 0), WEBDRIVER_READY);
    webdriver_settle(stand->driver[0]);
    (void)start(stand, 1);
    (void)start(stand, 2);
    for (size_t i = 0; i < 3; i++) {
        webdriver_release(&stand->driver[i]);
    }
    drivers_close(&stand->drivers);
    uv_run(&stand->loop, UV_RUN_DEFAULT);
    assert_int_equal(fake_driver_count_processes(), 0);
    assert_int_equal(fake_driver_count_folders(), 0);
}

int main(int argc, char **argv)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(a_driver_answers_and_leaves_nothing),
        STORY(a_driver_is_a_process_like_others),
        STORY(a_driver_that_closes_its_output_keeps_nobody_busy),
        STORY(a_browser_that_never_settles_holds_up_nobody),
        STORY(a_reaper_that_is_stuck_is_killed_and_swept_up_after),
        STORY(a_driver_that_is_killed_says_so),
        STORY(a_killed_reaper_is_swept_up_after),
        STORY(a_reaper_that_is_told_to_end_does),
        STORY(nothing_outlives_an_agent_that_is_killed),
        STORY(leftovers_of_killed_agent_and_reapers_are_removed_at_the_next_start),
        STORY(a_driver_that_ends_before_it_answers),
        STORY(a_driver_that_never_answers),
        STORY(a_driver_that_is_not_there),
        STORY(a_driver_that_is_no_program),
        STORY(few_start_at_once),
        STORY(a_port_that_was_taken_is_changed_for_another),
        STORY(a_port_that_is_said_to_be_taken_is_too),
        STORY(a_driver_is_measured),
        STORY(the_environment_is_its_own),
        STORY(nothing_is_kept_of_what_was_released),
        STORY(nothing_is_kept_of_what_has_failed),
        STORY(closing_waits_for_nobody_for_ever),
        STORY(closing_ends_all_of_them),
    };
    int code = 0;

    if (fake_driver_plays(argc, argv, &code)) {
        return code;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
