/* What cannot be started for want of threads says so, and leaves nothing. */
#include "agent/shard/shard.h"
#include "agent/shard/watchdog.h"

#include "common/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#define NOBODY 65534u

static void shard_start_on_mail(void *context, struct mail mail)
{
    (void)context;
    (void)mail;
}

static bool shard_is_refused(struct error *error)
{
    uv_loop_t loop;
    struct pulse pulse;
    _Atomic uint64_t lease_until_ns = 0;
    const struct mailbox_callbacks callbacks = {.on_mail = shard_start_on_mail};

    if (uv_loop_init(&loop) != 0) {
        return false;
    }
    pulse_init(&pulse);
    struct mailbox *notices = mailbox_new(&loop, &callbacks);
    struct shard_settings settings = {
        .index = 3, .agent = "a1", .pulse = &pulse, .notices = notices, .lease_until_ns = &lease_until_ns};
    struct shard *shard = shard_start(&settings, error);
    mailbox_close(&notices);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    pulse_finish(&pulse);
    return shard == NULL && uv_loop_close(&loop) == 0;
}

static bool watchdog_is_refused(struct error *error)
{
    struct pulse pulse;

    pulse_init(&pulse);
    struct watchdog_settings settings = {.agent = "a1", .pulses = &pulse, .count = 1};
    struct watchdog *watchdog = watchdog_start(&settings, error);
    pulse_finish(&pulse);
    return watchdog == NULL;
}

/* As another user, who may have no more threads: 0 if it is refused in these words. */
static int without_threads(bool (*is_refused)(struct error *error), const char *words)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    struct error error = {.text = ""};

    if (setrlimit(RLIMIT_NPROC, &none) != 0 || setgid(NOBODY) != 0 || setuid(NOBODY) != 0) {
        return 2;
    }
    bool is_good = is_refused(&error) && strcmp(error.text, words) == 0;
    if (!is_good) {
        (void)fprintf(stderr, "%s\n", error.text);
    }
    return is_good ? 0 : 1;
}

static void expect_refused(bool (*is_refused)(struct error *error), const char *words)
{
    int status = 0;

    if (geteuid() != 0) {
        skip(); /* only root can become another user */
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(without_threads(is_refused, words));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_shard_without_a_thread_is_none(void **state)
{
    (void)state;
    expect_refused(shard_is_refused,
                   "shard 3 has no thread: resource temporarily unavailable (see ulimit -u)");
}

static void nor_is_a_watchdog(void **state)
{
    (void)state;
    expect_refused(watchdog_is_refused,
                   "the watchdog cannot be started: resource temporarily unavailable (see "
                   "ulimit -u, ulimit -n)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shard_without_a_thread_is_none),
        cmocka_unit_test(nor_is_a_watchdog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
