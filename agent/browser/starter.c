/* Forks reapers for the agent, and reaps them. Single-threaded. */
#include "agent/browser/starter.h"

#include "agent/browser/reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXIT_USAGE 2
#define EXIT_NOT_RUN 127
#define ANSWER_BYTES 1280
/* One more than a request may have, so that an excess is noticed. */
#define MAX_DESCRIPTORS 2

struct program {
    bool is_there;
    char path[DRIVER_PATH_BYTES];
    struct error why_not;
};

struct running_reaper {
    pid_t pid;
    uint32_t number;
    int socket; /* a copy of the reaper's end */
};

struct starter {
    struct program programs[BROWSER_KINDS];
    char **walls; /* WALLS READABLE RUNNABLE, passed to each reaper */
    int signals;
    struct running_reaper reapers[STARTER_MAX_REAPERS];
    size_t count;
};

bool starter_request_read(struct bytes packet, unsigned descriptors, struct starter_request *request)
{
    if (packet.size != sizeof *request) {
        return false;
    }
    memcpy(request, packet.data, sizeof *request);
    switch (request->action) {
    case STARTER_START:
        return descriptors == 1 && request->kind < BROWSER_KINDS &&
               request->timeout_ms <= STARTER_MAX_TIMEOUT_MS;
    case STARTER_SWEEP:
        return descriptors == 1;
    case STARTER_KILL:
        return descriptors == 0;
    default:
        return false;
    }
}

static void starter_answer(int socket, char kind, const char *text)
{
    char packet[ANSWER_BYTES];
    int size = snprintf(packet, sizeof packet, "%c %s", kind, text);

    (void)send(socket, packet, (size_t)size < sizeof packet ? (size_t)size : sizeof packet - 1,
               MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void look_for_programs(struct starter *starter)
{
    for (int i = 0; i < BROWSER_KINDS; i++) {
        struct program *program = &starter->programs[i];
        program->is_there = browser_find_driver((enum browser_kind)i, program->path, &program->why_not);
    }
}

/* Between fork and exec: only the descriptors for the reaper stay open, and no signal is ignored. */
static _Noreturn void starter_become(const char *const *arguments, int socket)
{
    sigset_t none;

    if (dup2(socket, REAPER_SOCKET) < 0) {
        _exit(EXIT_NOT_RUN);
    }
    (void)close_range(REAPER_SOCKET + 1, ~0u, 0);
    for (int number = 1; number < NSIG; number++) {
        (void)signal(number, SIG_DFL);
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setsid();
    (void)execv("/proc/self/exe", (char *const *)arguments);
    _exit(EXIT_NOT_RUN);
}

/* Takes ownership of the socket. */
static void starter_fork(struct starter *starter, uint32_t number, int socket, const char *const *arguments)
{
    pid_t pid = fork();

    if (pid == 0) {
        starter_become(arguments, socket);
    }
    if (pid < 0) {
        char text[ANSWER_BYTES];
        (void)snprintf(text, sizeof text, "a process could not be started: %s\n", strerror(errno));
        starter_answer(socket, REAPER_ENDED, text);
        (void)close(socket);
        return;
    }
    starter->reapers[starter->count++] =
        (struct running_reaper){.pid = pid, .number = number, .socket = socket};
}

static void starter_start(struct starter *starter, const struct starter_request *request, int socket)
{
    const struct program *program = &starter->programs[request->kind];
    char timeout[16];
    char text[ANSWER_BYTES];
    const char *const arguments[] = {
        "tutti",           "reaper",          browser_facts((enum browser_kind)request->kind)->name,
        timeout,           program->path,     starter->walls[0],
        starter->walls[1], starter->walls[2], NULL};

    (void)snprintf(timeout, sizeof timeout, "%u", request->timeout_ms);
    if (program->is_there) {
        starter_fork(starter, request->number, socket, arguments);
        return;
    }
    (void)snprintf(text, sizeof text, "%s\n", program->why_not.text);
    starter_answer(socket, REAPER_ENDED, text);
    (void)close(socket);
}

static void starter_sweep(struct starter *starter, const struct starter_request *request, int socket)
{
    const char *const arguments[] = {"tutti", "reaper", REAPER_SWEEP, NULL};

    starter_fork(starter, request->number, socket, arguments);
}

static void starter_kill(const struct starter *starter, uint32_t number)
{
    for (size_t i = 0; i < starter->count; i++) {
        if (starter->reapers[i].number == number) {
            (void)kill(starter->reapers[i].pid, SIGKILL);
        }
    }
}

/* Takes ownership of the descriptors. */
static void starter_perform(struct starter *starter, struct bytes packet, const int *descriptors,
                            unsigned count)
{
    struct starter_request request;

    bool makes_sense = starter_request_read(packet, count, &request);
    bool has_room = count == 0 || starter->count < STARTER_MAX_REAPERS;
    if (makes_sense && !has_room) {
        starter_answer(descriptors[0], REAPER_ENDED, "too many browsers are running\n");
    }
    if (!makes_sense || !has_room) {
        for (unsigned i = 0; i < count; i++) {
            (void)close(descriptors[i]);
        }
    } else if (request.action == STARTER_START) {
        starter_start(starter, &request, descriptors[0]);
    } else if (request.action == STARTER_SWEEP) {
        starter_sweep(starter, &request, descriptors[0]);
    } else {
        starter_kill(starter, request.number);
    }
}

static unsigned take_descriptors(struct msghdr *message, int descriptors[MAX_DESCRIPTORS])
{
    unsigned count = 0;

    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL;
         header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof *descriptors;
        for (size_t i = 0; i < here && count < MAX_DESCRIPTORS; i++) {
            memcpy(&descriptors[count++], CMSG_DATA(header) + i * sizeof *descriptors, sizeof *descriptors);
        }
    }
    return count;
}

/* False if the other side is gone. */
static bool starter_receive(struct starter *starter)
{
    uint8_t packet[sizeof(struct starter_request) + 1];
    union {
        char bytes[CMSG_SPACE(MAX_DESCRIPTORS * sizeof(int))];
        struct cmsghdr aligned;
    } control;
    int descriptors[MAX_DESCRIPTORS];
    struct iovec part = {.iov_base = packet, .iov_len = sizeof packet};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof control.bytes};
    ssize_t size = recvmsg(REAPER_SOCKET, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (size < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    unsigned count = take_descriptors(&message, descriptors);
    /* An empty packet cannot be told from the end, so it is treated as the end. */
    starter_perform(starter, bytes_of(packet, (size_t)size), descriptors, count);
    return size > 0;
}

static void starter_bury(struct starter *starter, struct running_reaper *reaper, int status)
{
    char text[96];

    if (WIFSIGNALED(status)) {
        (void)snprintf(text, sizeof text, "was ended by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
        starter_answer(reaper->socket, STARTER_DIED, text);
    } else if (WEXITSTATUS(status) != 0) {
        (void)snprintf(text, sizeof text, "ended with exit code %d", WEXITSTATUS(status));
        starter_answer(reaper->socket, STARTER_DIED, text);
    }
    (void)close(reaper->socket);
    *reaper = starter->reapers[--starter->count];
}

static void starter_reap(struct starter *starter)
{
    struct signalfd_siginfo signal_info;
    int status;
    pid_t pid;

    while (read(starter->signals, &signal_info, sizeof signal_info) == (ssize_t)sizeof signal_info) {
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (size_t i = 0; i < starter->count; i++) {
            if (starter->reapers[i].pid == pid) {
                starter_bury(starter, &starter->reapers[i], status);
                break;
            }
        }
    }
}

/* No signal but SIGKILL ends it: the end of the agent does. */
static int starter_prepare(void)
{
    static const int ignored[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE};
    sigset_t handled;

    (void)prctl(PR_SET_NAME, "tutti-starter");
    (void)close_range(REAPER_SOCKET + 1, ~0u, 0);
    (void)fcntl(REAPER_SOCKET, F_SETFD, FD_CLOEXEC);
    (void)!chdir("/"); /* so that no folder is kept from being unmounted */
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
        (void)signal(ignored[i], SIG_IGN);
    }
    (void)sigemptyset(&handled);
    (void)sigaddset(&handled, SIGCHLD);
    (void)sigprocmask(SIG_BLOCK, &handled, NULL);
    return signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK);
}

int starter_main(int argc, char **argv)
{
    static struct starter starter;

    if (argc != 4) {
        (void)fprintf(stderr,
                      "tutti: reaper starter: this command is internal; agents start it by themselves\n");
        return EXIT_USAGE;
    }
    starter.walls = argv + 1;
    starter.signals = starter_prepare();
    look_for_programs(&starter);
    for (bool is_wanted = true; is_wanted;) {
        struct pollfd ready[] = {{.fd = REAPER_SOCKET, .events = POLLIN},
                                 {.fd = starter.signals, .events = POLLIN}};
        (void)poll(ready, 2, -1);
        if (ready[1].revents != 0) {
            starter_reap(&starter);
        }
        if (ready[0].revents != 0) {
            is_wanted = starter_receive(&starter);
        }
    }
    return 0;
}
