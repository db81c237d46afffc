/* A driver and its browser behind walls, assuming that the browser was taken over: what it tries to reach. */
#include "agent/walls/walls.h"
#include "tests/unit/agent/walls/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_BYTES 128

static int set_up(void **state)
{
    (void)state;
    attack_set_up();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    attack_tear_down();
    return 0;
}

/* The errno of an exec that fails; -1 for a program that runs. */
static int execute(const char *program, const char *word, const char *command)
{
    int ends[2];
    int reason = -1;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        return -2;
    }
    pid_t child = fork();
    if (child == 0) {
        (void)execl(program, program, word, command, (char *)NULL);
        reason = errno;
        (void)!write(ends[1], &reason, sizeof reason);
        _exit(1);
    }
    (void)close(ends[1]);
    (void)!read(ends[0], &reason, sizeof reason);
    (void)close(ends[0]);
    (void)waitpid(child, NULL, 0);
    return reason;
}

static int run_programs(void)
{
    static const char *const programs[] = {"/usr/bin/id",      "/usr/bin/env",  "/usr/bin/perl",
                                           "/usr/bin/python3", "/usr/bin/curl", "/bin/su"};
    char own[PATH_BYTES];
    int failed = 0;

    for (size_t i = 0; i < sizeof programs / sizeof *programs; i++) {
        int reason = execute(programs[i], NULL, NULL);
        failed |= reason != EACCES && reason != ENOENT;
    }
    (void)snprintf(own, sizeof own, "%s/program", attack_own);
    int file = open(own, O_WRONLY | O_CREAT, 0700);
    failed |= file < 0 || write(file, "#!/bin/sh\n", 10) != 10;
    (void)close(file);
    failed |= execute(own, NULL, NULL) != EACCES;
    return failed;
}

static void browsers_run_nothing_but_browsers(void **state)
{
    (void)state;
    assert_int_equal(attack_from_browser(run_programs), 0);
}

/* The shell may run, since browsers are started by scripts; it is behind the same walls. */
static int run_a_shell(void)
{
    char command[PATH_BYTES * 3];
    char kept[PATH_BYTES];
    int failed = 0;

    (void)snprintf(command, sizeof command, "echo x > %s; echo x > %s/new; echo x > /tmp/tutti-escaped",
                   attack_secret, attack_foreign);
    failed |= execute("/bin/sh", "-c", command) != -1;
    (void)snprintf(command, sizeof command, "read x < %s && echo $x > %s/stolen", attack_secret, attack_own);
    failed |= execute("/bin/sh", "-c", command) != -1;
    (void)snprintf(kept, sizeof kept, "%s/stolen", attack_own);
    failed |= access(kept, F_OK) == 0;
    (void)snprintf(command, sizeof command, "echo x > %s/made", attack_own);
    failed |= execute("/bin/sh", "-c", command) != -1;
    (void)snprintf(kept, sizeof kept, "%s/made", attack_own);
    failed |= access(kept, F_OK) != 0;
    (void)snprintf(command, sizeof command, "kill -9 %d", (int)getppid());
    failed |= execute("/bin/sh", "-c", command) != -1;
    return failed;
}

static void a_shell_is_behind_the_same_walls(void **state)
{
    (void)state;
    assert_int_equal(attack_from_browser(run_a_shell), 0);
    assert_int_not_equal(access("/tmp/tutti-escaped", F_OK), 0);
}

static int change_what_is_outside(void)
{
    int failed = 0;

    failed |= attack_expect("read", open("/etc/passwd", O_RDONLY), EACCES);
    failed |= attack_expect("read", open(attack_secret, O_RDONLY), EACCES);
    failed |= attack_expect("write", open(attack_secret, O_WRONLY), EACCES);
    failed |= attack_expect("sysctl", open("/proc/sys/kernel/core_pattern", O_WRONLY), EACCES);
    failed |= attack_expect("unlink", unlink(attack_secret), EACCES);
    failed |= attack_expect("chmod", chmod(attack_secret, 0666), EPERM);
    failed |= attack_expect("chown", chown(attack_secret, 1, 1), EPERM);
    failed |= attack_expect("mount", syscall(SYS_mount, 0L, 0L, 0L, 0L, 0L), EPERM);
    failed |= attack_expect("bpf", syscall(SYS_bpf, 0L, 0L, 0L), EPERM);
    failed |= attack_expect("io_uring_setup", syscall(SYS_io_uring_setup, 0L, 0L), EPERM);
    failed |= attack_expect("raw socket", socket(AF_INET, SOCK_RAW, 1), EPERM);
    failed |= attack_expect("kill", kill(getppid(), SIGKILL), EPERM);
    return failed;
}

static void browsers_change_nothing_outside(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip(); /* other users may write there for a namespace of their own, which gives them nothing */
    }
    assert_int_equal(attack_from_browser(change_what_is_outside), 0);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(browsers_run_nothing_but_browsers),
        STORY(a_shell_is_behind_the_same_walls),
        STORY(browsers_change_nothing_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
