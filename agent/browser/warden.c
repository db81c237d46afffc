/* Watches one driver; ends it, whatever else ends. Single-threaded, so that it can fork. */
#include "agent/browser/warden.h"

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
/* What is left of a driver after that cannot be ended by anybody. */
#define END_NS (4 * NS_PER_S)
#define ATTEMPTS 3
#define LINE_BYTES 512
#define CHUNK_BYTES 16384
#define EXIT_USAGE 2

struct warden {
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
    unsigned port; /* 0: not known yet */
    unsigned attempts;
    bool is_ready;
    bool has_driver_ended;
};

static PRINTF_LIKE(1, 2) void warden_tell(const char *format, ...)
{
    char packet[WARDEN_PACKET_BYTES];
    va_list list;

    va_start(list, format);
    int size = vsnprintf(packet, sizeof packet, format, list);
    va_end(list);
    if (size > 0) {
        (void)send(WARDEN_SOCKET, packet, (size_t)size < sizeof packet ? (size_t)size : sizeof packet - 1,
                   MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}

static void pause_ns(uint64_t ns)
{
    struct timespec time = {.tv_nsec = (long)ns};

    (void)nanosleep(&time, NULL);
}

/* Orphans become our children: they are ours to bury. */
static void reap(struct warden *warden)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == warden->driver) {
            warden->has_driver_ended = true;
            warden->driver_status = status;
        }
    }
}

/* Until nobody is left, also of those that are born meanwhile. To look into every environment costs most, so
 * that comes last. The driver's own number is nobody's any more once it is reaped; ours stays ours. */
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

/* What wardens that were killed have left. */
static void warden_sweep(void)
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

static void warden_drain(struct warden *warden)
{
    char chunk[CHUNK_BYTES];
    ssize_t size;

    while (warden->output_end >= 0 && (size = read(warden->output_end, chunk, sizeof chunk)) > 0) {
        output_take(&warden->output, bytes_of(chunk, (size_t)size));
    }
}

static void close_output(struct warden *warden)
{
    if (warden->output_end >= 0) {
        (void)close(warden->output_end);
    }
    warden->output_end = -1;
}

static void on_output(struct warden *warden)
{
    char chunk[CHUNK_BYTES];
    ssize_t size = read(warden->output_end, chunk, sizeof chunk);

    if (size > 0) {
        output_take(&warden->output, bytes_of(chunk, (size_t)size));
    } else if (size == 0 || errno != EAGAIN) {
        close_output(warden);
    }
}

static void warden_describe_end(int status, char *what, size_t size)
{
    if (WIFSIGNALED(status)) {
        snprintf(what, size, "was ended by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    } else {
        snprintf(what, size, "ended with exit code %d", WEXITSTATUS(status));
    }
}

static void warden_tell_failure(struct warden *warden, const char *what)
{
    char line[LINE_BYTES];

    warden_drain(warden);
    output_last_line(&warden->output, line, sizeof line);
    warden_tell("%c %s %s%s%s\n%s", WARDEN_ENDED, warden->facts->program, what, *line ? ": " : "", line,
                warden->output.tail);
}

static bool launch(struct warden *warden)
{
    struct error error;

    close_output(warden);
    output_forget_tail(&warden->output);
    probe_close(&warden->probe);
    warden->launch.port = warden->port = warden->facts->port_mark != NULL ? 0 : probe_free_port();
    warden->attempts++;
    warden->has_driver_ended = false;
    warden->driver = launch_driver(&warden->launch, &warden->output_end, &error);
    if (warden->driver > 0) {
        return true;
    }
    warden_tell("%c %s: %s\n", WARDEN_ENDED, warden->facts->program, error.text);
    return false;
}

/* Whether somebody has taken the port before the driver could: it says so, or it is one that was told which.
 */
static bool is_port_to_blame(const struct warden *warden)
{
    const struct browser_facts *facts = warden->facts;

    if (facts->taken_mark != NULL) {
        return strstr(warden->output.tail, facts->taken_mark) != NULL;
    }
    return facts->port_mark == NULL && warden->attempts < ATTEMPTS;
}

/* True if the end is near. */
static bool on_driver_end(struct warden *warden)
{
    char what[LINE_BYTES];

    warden_drain(warden);
    if (!warden->is_ready && clock_now_ns() < warden->deadline_ns && is_port_to_blame(warden)) {
        return !launch(warden);
    }
    warden_describe_end(warden->driver_status, what, sizeof what);
    if (!warden->is_ready) {
        strncat(what, " before it answered", sizeof what - strlen(what) - 1);
    }
    warden_tell_failure(warden, what);
    return true;
}

/* True if it has to end. */
static bool on_signal(struct warden *warden)
{
    struct signalfd_siginfo signal_info;

    while (read(warden->signals, &signal_info, sizeof signal_info) == (ssize_t)sizeof signal_info) {
        if (signal_info.ssi_signo != SIGCHLD) {
            warden_tell_failure(warden, "was ended, since its warden was told to end");
            return true;
        }
    }
    reap(warden);
    return warden->has_driver_ended && on_driver_end(warden);
}

static void warden_measure(void)
{
    const struct processes_mark mark = {.ancestor = getpid()};
    struct processes_usage usage;
    struct rusage ended;

    processes_measure(&mark, &usage);
    (void)getrusage(RUSAGE_CHILDREN, &ended);
    uint64_t cpu_us = usage.cpu_us +
                      ((uint64_t)ended.ru_utime.tv_sec + (uint64_t)ended.ru_stime.tv_sec) * 1000000u +
                      (uint64_t)ended.ru_utime.tv_usec + (uint64_t)ended.ru_stime.tv_usec;
    warden_tell("%c %llu %llu %llu", WARDEN_USAGE, (unsigned long long)usage.count,
                (unsigned long long)usage.bytes, (unsigned long long)cpu_us);
}

/* True if whoever started us is gone, or has told us to end. */
static bool warden_on_packet(void)
{
    char packet[16];
    ssize_t size = recv(WARDEN_SOCKET, packet, sizeof packet, MSG_DONTWAIT);

    if (size > 0 && packet[0] == WARDEN_USAGE) {
        warden_measure();
    }
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

/* True if the end is near. */
static bool step_start(struct warden *warden)
{
    char what[64];

    if (warden->port == 0) {
        warden->port = output_number_after(&warden->output, warden->facts->port_mark);
    }
    if (warden->port != 0 && probe_step(&warden->probe, warden->port)) {
        warden->is_ready = true;
        warden_tell("%c %u %s", WARDEN_READY, warden->port, warden->folder.path);
        return false;
    }
    if (clock_now_ns() < warden->deadline_ns) {
        return false;
    }
    snprintf(what, sizeof what, "did not answer within %.3g s", (double)warden->timeout_ms / 1000);
    warden_tell_failure(warden, what);
    return true;
}

static void watch(struct warden *warden)
{
    for (;;) {
        struct pollfd ready[] = {{.fd = WARDEN_SOCKET, .events = POLLIN},
                                 {.fd = warden->signals, .events = POLLIN},
                                 {.fd = warden->output_end, .events = POLLIN}};
        (void)poll(ready, 3, warden->is_ready ? -1 : STARTING_POLL_MS);
        if (ready[2].revents) {
            on_output(warden);
        }
        if (ready[1].revents && on_signal(warden)) {
            return;
        }
        if (ready[0].revents && warden_on_packet()) {
            return;
        }
        if (!warden->is_ready && step_start(warden)) {
            return;
        }
    }
}

static void guard(struct warden *warden)
{
    char path[FOLDER_PATH_BYTES + 8];
    struct error error;

    if (!browser_folder_make(&warden->folder, &error)) {
        warden_tell("%c %s: %s\n", WARDEN_ENDED, warden->facts->program, error.text);
        return;
    }
    snprintf(path, sizeof path, "%s/log", warden->folder.path);
    output_open(&warden->output, path);
    warden->launch.folder = warden->folder.path;
    warden->deadline_ns = clock_now_ns() + warden->timeout_ms * NS_PER_MS;
    if (launch(warden)) {
        watch(warden);
    }
    end_all(getpid(), warden->folder.path);
    output_close(&warden->output);
    remove_folder(&warden->folder);
}

/* Orphans of ours come to us, and no signal takes us by surprise. Nothing of the agent's is held open. */
static int warden_prepare(void)
{
    sigset_t handled;

    (void)prctl(PR_SET_CHILD_SUBREAPER, 1);
    (void)prctl(PR_SET_NAME, "tutti-warden");
    (void)close_range(WARDEN_SOCKET + 1, ~0u, 0);
    (void)fcntl(WARDEN_SOCKET, F_SETFD, FD_CLOEXEC);
    (void)!chdir(
        "/"); /* which is there; else it stays where it is, and keeps that folder from being unmounted */
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

int warden_main(int argc, char **argv)
{
    struct warden warden = {.folder = {.lock = -1}, .output = {.file = -1}, .output_end = -1};

    if (argc == 2 && strcmp(argv[1], WARDEN_SWEEP) == 0) {
        (void)warden_prepare();
        warden_sweep();
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], STARTER_COMMAND) == 0) {
        return starter_main(argc - 1, argv + 1);
    }
    if (argc != 7 || !kind_of(argv[1], &warden.launch.kind)) {
        fprintf(stderr, "tutti: warden: this command is for agents, who start it themselves\n");
        return EXIT_USAGE;
    }
    warden.facts = browser_facts(warden.launch.kind);
    warden.timeout_ms = strtoull(argv[2], NULL, 10);
    warden.launch.program = argv[3];
    warden.launch.has_walls = strcmp(argv[4], WARDEN_OPEN) != 0;
    warden.launch.readable = argv[5];
    warden.launch.runnable = argv[6];
    probe_init(&warden.probe);
    warden.signals = warden_prepare();
    warden_sweep();
    guard(&warden);
    return 0;
}
