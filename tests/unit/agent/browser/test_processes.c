/* Which processes belong to a driver, according to /proc. */
#include "agent/browser/processes.h"
#include "common/clock.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* How much of an environment is read at a time. */
#define CHUNK_BYTES 16384
#define LINGER "linger"
#define BURNT_MS 60u

static char own_program[512];
static char folder[40]; /* unique to this test */
static char variable[sizeof folder + sizeof PROCESSES_VARIABLE];

/* A process of this program with this in its environment. It has started when its end of the pipe is
 * closed. */
static pid_t start(char *const *environment)
{
    int ends[2];
    char byte;
    char linger[] = LINGER;
    char *arguments[] = {own_program, linger, NULL};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)execve(own_program, arguments, environment);
        _exit(1);
    }
    (void)close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)close(ends[0]);
    return pid;
}

static void end(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static uint64_t count(void)
{
    const struct processes_mark mark = {.folder = folder};
    struct processes_usage usage;
    processes_measure(&mark, &usage);
    return usage.count;
}

static void a_folder_is_found_wherever_the_environment_names_it(void **state)
{
    static char padding[CHUNK_BYTES + 100];
    (void)state;
    for (size_t before = CHUNK_BYTES - strlen(variable) - 3; before <= CHUNK_BYTES + 2; before += 3) {
        memset(padding, 'x', before);
        memcpy(padding, "PADDING=", 8);
        padding[before] = 0;
        pid_t pid = start((char *const[]){padding, variable, NULL});
        assert_int_equal(count(), 1);
        end(pid);
    }
    assert_int_equal(count(), 0);
}

static void another_variable_or_folder_is_not_meant(void **state)
{
    char other[sizeof variable];
    char another[] = PROCESSES_VARIABLE "=/tmp/another";
    (void)state;
    snprintf(other, sizeof other, "OTHER_FOLDER=%s", folder);
    pid_t pid = start((char *const[]){other, another, NULL});
    assert_int_equal(count(), 0);
    end(pid);
}

/* Neither as a match itself nor as a child of a match. */
static void the_asking_process_is_never_among_them(void **state)
{
    const struct processes_mark mark = {.ancestor = getpid()};
    (void)state;
    pid_t fitting = fork();
    if (fitting == 0) {
        int status = 1;
        pid_t child = fork();
        if (child == 0) {
            struct processes_usage usage;
            processes_measure(&mark, &usage);
            _exit(usage.count == 1 ? 0 : 1); /* of its parent */
        }
        (void)waitpid(child, &status, 0);
        _exit(status == 0 && processes_kill(&mark) == 0 ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(fitting, &status, 0), fitting);
    assert_int_equal(status, 0);
}

static void a_name_may_hold_anything(void **state)
{
    int ends[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)prctl(PR_SET_NAME, "a) R 1 (b");
        (void)!write(ends[1], "r", 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    const struct processes_mark mark = {.ancestor = getpid()};
    struct processes_usage usage;
    processes_measure(&mark, &usage);
    assert_int_equal(usage.count, 1);
    assert_int_equal(processes_kill(&mark), 1);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(processes_kill(&mark), 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void burn(void)
{
    struct timespec now;
    do {
        (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    } while (now.tv_sec == 0 && now.tv_nsec < (long)(BURNT_MS * NS_PER_MS));
}

/* A process that burns CPU time, and then forks one that burns and ends: both count as its time. */
static void what_they_and_their_dead_have_burnt_counts(void **state)
{
    int ends[2];
    char byte;
    (void)state;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        burn();
        pid_t child = fork();
        if (child == 0) {
            burn();
            _exit(0);
        }
        (void)waitpid(child, NULL, 0);
        (void)!write(ends[1], "r", 1);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    const struct processes_mark mark = {.ancestor = getpid()};
    struct processes_usage usage;
    processes_measure(&mark, &usage);
    assert_int_equal(usage.count, 1);
    assert_in_range(usage.cpu_us, 2 * BURNT_MS * 1000 - 30000, 2000000); /* it is counted in units of 10 ms */
    assert_true(usage.bytes > 50000);
    /* A zombie is no longer a process, but its CPU time counts. */
    assert_int_equal(kill(pid, SIGKILL), 0);
    siginfo_t end_info;
    assert_int_equal(waitid(P_PID, (id_t)pid, &end_info, WEXITED | WNOWAIT), 0);
    processes_measure(&mark, &usage);
    assert_int_equal(usage.count, 0);
    assert_int_equal(usage.bytes, 0);
    assert_true(usage.cpu_us > 0);
    assert_int_equal(processes_kill(&mark), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_is_found_wherever_the_environment_names_it),
        cmocka_unit_test(another_variable_or_folder_is_not_meant),
        cmocka_unit_test(the_asking_process_is_never_among_them),
        cmocka_unit_test(a_name_may_hold_anything),
        cmocka_unit_test(what_they_and_their_dead_have_burnt_counts),
    };
    if (argc == 2 && strcmp(argv[1], LINGER) == 0) {
        (void)alarm(60);
        (void)pause();
        return 0;
    }
    if (readlink("/proc/self/exe", own_program, sizeof own_program - 1) <= 0) {
        return 1;
    }
    snprintf(folder, sizeof folder, "/tmp/tutti-no-folder-%010d", (int)getpid());
    snprintf(variable, sizeof variable, "%s=%s", PROCESSES_VARIABLE, folder);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
