/* Watches one driver and kills it, whatever else ends. Single-threaded, so that it can fork. */
#include "agent/browser/reaper.h"

#include "agent/browser/folder.h"
#include "agent/browser/launch.h"
#include "agent/browser/output.h"
#include "agent/browser/probe.h"
#include "agent/browser/processes.h"
#include "agent/browser/starter.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STARTING_POLL_MS 10
#define AGAIN_NS (5 * NS_PER_MS)
/* Whatever is left of a driver after this time cannot be killed by anybody. */
#define END_NS (4 * NS_PER_S)
#define ATTEMPTS 3
#define LINE_BYTES 512
#define CHUNK_BYTES 16384
#define EXIT_USAGE 2

struct reaper {
    struct launch launch;
    const struct browser_facts *facts;
    uint64_t timeout_ms;
    uint64_t deadline_ns;
    struct browser_folder folder;
    struct output output;
    struct probe probe;
    int signals;
    int output_end; /* -1: closed */
    pid_t driver;
    int driver_status;
    unsigned port; /* 0: not yet known */
    unsigned attempts;
    bool is_ready;
    bool has_driver_ended;
};

static PRINTF_LIKE(1, 2) void reaper_tell(const char *format, ...)
{
    char packet[REAPER_PACKET_BYTES];
    va_list list;

    va_start(list, format);
    int size = vsnprintf(packet, sizeof packet, format, list);
    va_end(list);
    if (size > 0) {
        (void)send(REAPER_SOCKET, packet, (size_t)size < sizeof packet ? (size_t)size : sizeof packet - 1,
                   MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

static void pause_ns(uint64_t ns)
{
    struct timespec time = {.tv_nsec = (long)ns};

    (void)nanosleep(&time, NULL);
}

/* Orphans become our children: we have to reap them. */
static void reap(struct reaper *reaper)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == reaper->driver) {
            reaper->has_driver_ended = true;
            reaper->driver_status = status;
        }
    }
}

/* Repeats until nothing is left, including processes created meanwhile. Reading every environment is the most
 * expensive step, so it comes last. The driver's pid may be reused once it is reaped; ours cannot. */
static void end_all(pid_t ancestor, const char *folder)
{
    const struct processes_mark near = {.ancestor = ancestor};
    const struct processes_mark all = {.ancestor = ancestor, .folder = folder};
    uint64_t until_ns = clock_now_ns() + END_NS;

    while (clock_now_ns() < until_ns) {
        bool is_empty = processes_kill(&near) == 0 && processes_kill(&all) == 0;
        if (is_empty) {
            return;
        }
        pause_ns(AGAIN_NS);
    }
}

static void remove_folder(struct browser_folder *folder)
{
    uint64_t until_ns = clock_now_ns() + END_NS;

    while (!browser_folder_remove(folder) && clock_now_ns() < until_ns) {
        pause_ns(AGAIN_NS);
    }
}

/* The leftovers of reapers that were killed. */
static void reaper_sweep(void)
{
    struct browser_folder folder;

    while (browser_folder_take_stale(&folder)) {
        end_all(0, folder.path);
        remove_folder(&folder);
        if (folder.lock >= 0) {
            (void)close(folder.lock);
            return;
        }
    }
}

static void reaper_drain(struct reaper *reaper)
{
    char chunk[CHUNK_BYTES];
    ssize_t size;

    while (reaper->output_end >= 0 && (size = read(reaper->output_end, chunk, sizeof chunk)) > 0) {
        output_take(&reaper->output, bytes_of(chunk, (size_t)size));
    }
}

static void close_output(struct reaper *reaper)
{
    if (reaper->output_end >= 0) {
        (void)close(reaper->output_end);
    }
    reaper->output_end = -1;
}

static void on_output(struct reaper *reaper)
{
    char chunk[CHUNK_BYTES];
    ssize_t size = read(reaper->output_end, chunk, sizeof chunk);

    if (size > 0) {
        output_take(&reaper->output, bytes_of(chunk, (size_t)size));
    } else if (size == 0 || errno != EAGAIN) {
        close_output(reaper);
    }
}

static void reaper_describe_end(int status, char *what, size_t size)
{
    if (WIFSIGNALED(status)) {
        snprintf(what, size, "was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(what, size, "ended with exit code %d", WEXITSTATUS(status));
    }
}

static void reaper_tell_failure(struct reaper *reaper, const char *what)
{
    char line[LINE_BYTES];

    reaper_drain(reaper);
    output_last_line(&reaper->output, line, sizeof line);
    reaper_tell("%c %s %s%s%s\n%s", REAPER_ENDED, reaper->facts->program, what, *line ? ": " : "", line,
                reaper->output.tail);
}

static bool reaper_chooses_port(const struct browser_facts *facts)
{
    return facts->port_mark == NULL || (facts->chooses_by_ipv6 && !probe_has_ipv6());
}

static bool launch(struct reaper *reaper)
{
    struct error error;

    close_output(reaper);
    output_forget_tail(&reaper->output);
    probe_close(&reaper->probe);
    reaper->launch.port = reaper->port = reaper_chooses_port(reaper->facts) ? probe_free_port() : 0;
    reaper->attempts++;
    reaper->has_driver_ended = false;
    reaper->driver = launch_driver(&reaper->launch, &reaper->output_end, &error);
    if (reaper->driver > 0) {
        return true;
    }
    reaper_tell("%c %s: %s\n", REAPER_ENDED, reaper->facts->program, error.text);
    return false;
}

/* Whether the port was taken before the driver could bind it: the driver says so, or it is one that was given
 * a port. */
static bool is_port_to_blame(const struct reaper *reaper)
{
    const struct browser_facts *facts = reaper->facts;

    if (facts->taken_mark != NULL) {
        return strstr(reaper->output.tail, facts->taken_mark) != NULL;
    }
    return facts->port_mark == NULL && reaper->attempts < ATTEMPTS;
}

/* True if the end is near. */
static bool on_driver_end(struct reaper *reaper)
{
    char what[LINE_BYTES];

    reaper_drain(reaper);
    if (!reaper->is_ready && clock_now_ns() < reaper->deadline_ns && is_port_to_blame(reaper)) {
        return !launch(reaper);
    }
    reaper_describe_end(reaper->driver_status, what, sizeof what);
    if (!reaper->is_ready) {
        strncat(what, " before it answered", sizeof what - strlen(what) - 1);
    }
    reaper_tell_failure(reaper, what);
    return true;
}

/* True if the reaper has to end. */
static bool on_signal(struct reaper *reaper)
{
    struct signalfd_siginfo signal_info;

    while (read(reaper->signals, &signal_info, sizeof signal_info) == (ssize_t)sizeof signal_info) {
        if (signal_info.ssi_signo != SIGCHLD) {
            reaper_tell_failure(reaper, "was ended, since its reaper was told to end");
            return true;
        }
    }
    reap(reaper);
    return reaper->has_driver_ended && on_driver_end(reaper);
}

static void reaper_measure(void)
{
    const struct processes_mark mark = {.ancestor = getpid()};
    struct processes_usage usage;
    struct rusage ended;

    processes_measure(&mark, &usage);
    (void)getrusage(RUSAGE_CHILDREN, &ended);
    uint64_t cpu_us = usage.cpu_us +
                      ((uint64_t)ended.ru_utime.tv_sec + (uint64_t)ended.ru_stime.tv_sec) * 1000000u +
                      (uint64_t)ended.ru_utime.tv_usec + (uint64_t)ended.ru_stime.tv_usec;
    reaper_tell("%c %llu %llu %llu", REAPER_USAGE, (unsigned long long)usage.count,
                (unsigned long long)usage.bytes, (unsigned long long)cpu_us);
}

/* True if the process that started us is gone, or has told us to end. */
static bool reaper_on_packet(void)
{
    char packet[16];
    ssize_t size = recv(REAPER_SOCKET, packet, sizeof packet, MSG_DONTWAIT);

    if (size > 0 && packet[0] == REAPER_USAGE) {
        reaper_measure();
    }
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

/* True if the end is near. */
static bool step_start(struct reaper *reaper)
{
    char what[64];

    if (reaper->port == 0) {
        reaper->port = output_number_after(&reaper->output, reaper->facts->port_mark);
    }
    if (reaper->port != 0 && probe_step(&reaper->probe, reaper->port)) {
        reaper->is_ready = true;
        reaper_tell("%c %u %s", REAPER_READY, reaper->port, reaper->folder.path);
        return false;
    }
    if (clock_now_ns() < reaper->deadline_ns) {
        return false;
    }
    snprintf(what, sizeof what, "did not answer within %.3g s", (double)reaper->timeout_ms / 1000);
    reaper_tell_failure(reaper, what);
    return true;
}

static void watch(struct reaper *reaper)
{
    for (;;) {
        struct pollfd ready[] = {{.fd = REAPER_SOCKET, .events = POLLIN},
                                 {.fd = reaper->signals, .events = POLLIN},
                                 {.fd = reaper->output_end, .events = POLLIN}};
        (void)poll(ready, 3, reaper->is_ready ? -1 : STARTING_POLL_MS);
        if (ready[2].revents) {
            on_output(reaper);
        }
        if (ready[1].revents && on_signal(reaper)) {
            return;
        }
        if (ready[0].revents && reaper_on_packet()) {
            return;
        }
        if (!reaper->is_ready && step_start(reaper)) {
            return;
        }
    }
}

static void guard(struct reaper *reaper)
{
    char path[FOLDER_PATH_BYTES + 8];
    struct error error;

    if (!browser_folder_make(&reaper->folder, &error)) {
        reaper_tell("%c %s: %s\n", REAPER_ENDED, reaper->facts->program, error.text);
        return;
    }
    snprintf(path, sizeof path, "%s/log", reaper->folder.path);
    output_open(&reaper->output, path);
    reaper->launch.folder = reaper->folder.path;
    reaper->deadline_ns = clock_now_ns() + reaper->timeout_ms * NS_PER_MS;
    if (launch(reaper)) {
        watch(reaper);
    }
    end_all(getpid(), reaper->folder.path);
    output_close(&reaper->output);
    remove_folder(&reaper->folder);
}

/* Become a subreaper for orphans, block signals, and close all descriptors inherited from the agent. */
static int reaper_prepare(void)
{
    sigset_t handled;

    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)prctl(PR_SET_NAME, "tutti-reaper");
    (void)close_range(REAPER_SOCKET + 1, ~0u, 0);
    (void)fcntl(REAPER_SOCKET, F_SETFD, FD_CLOEXEC);
    (void)!chdir("/"); /* which always exists; the current folder could not be unmounted meanwhile */
    (void)sigemptyset(&handled);
    const int numbers[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        (void)sigaddset(&handled, numbers[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &handled, NULL);
    return signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool kind_of(const char *name, enum browser_kind *kind)
{
    for (int i = 0; i < BROWSER_KINDS; i++) {
        if (strcmp(browser_facts((enum browser_kind)i)->name, name) == 0) {
            *kind = (enum browser_kind)i;
            return true;
        }
    }
    return false;
}

int reaper_main(int argc, char **argv)
{
    struct reaper reaper = {.folder = {.lock = -1}, .output = {.file = -1}, .output_end = -1};

    if (argc == 2 && strcmp(argv[1], REAPER_SWEEP) == 0) {
        (void)reaper_prepare();
        reaper_sweep();
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], STARTER_COMMAND) == 0) {
        return starter_main(argc - 1, argv + 1);
    }
    if (argc != 7 || !kind_of(argv[1], &reaper.launch.kind)) {
        fprintf(stderr, "tutti: reaper: this command is internal; agents start it by themselves\n");
        return EXIT_USAGE;
    }
    reaper.facts = browser_facts(reaper.launch.kind);
    reaper.timeout_ms = strtoull(argv[2], NULL, 10);
    reaper.launch.program = argv[3];
    reaper.launch.has_walls = strcmp(argv[4], REAPER_OPEN) != 0;
    reaper.launch.readable = argv[5];
    reaper.launch.runnable = argv[6];
    probe_init(&reaper.probe);
    reaper.signals = reaper_prepare();
    reaper_sweep();
    guard(&reaper);
    return 0;
}
