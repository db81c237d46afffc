/* A child of the agent, and the requests to it. */
#include "agent/browser/starter_link.h"

#include "agent/browser/reaper.h"
#include "common/memory.h"

#include <errno.h>
#include <spawn.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* After that it has nothing left to do but to exit. */
#define END_ATTEMPTS 500
#define ATTEMPT_NS 1000000

struct starter_link {
    int socket;
    pid_t pid;
    _Atomic(uint32_t) number; /* of the last request */
};

static int starter_spawn(const struct starter_settings *settings, int theirs, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    const char *const arguments[] = {"tutti",
                                     "reaper",
                                     STARTER_COMMAND,
                                     settings->has_walls ? REAPER_WALLED : REAPER_OPEN,
                                     settings->readable != NULL ? settings->readable : "",
                                     settings->runnable != NULL ? settings->runnable : "",
                                     NULL};

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    int result = posix_spawn_file_actions_adddup2(&actions, theirs, REAPER_SOCKET);
    /* Signals for our process group, and the hangup of our terminal, must not reach it. */
    result = result != 0 ? result : posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    result = result != 0 ? result
                         : posix_spawn(pid, "/proc/self/exe", &actions, &attributes, (char *const *)arguments,
                                       environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return result;
}

struct starter_link *starter_link_open(const struct starter_settings *settings, struct error *error)
{
    int ends[2];
    pid_t pid = 0;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
        error_set_system(error, errno, "cannot create a socket pair");
        return NULL;
    }
    int result = starter_spawn(settings, ends[1], &pid);
    (void)close(ends[1]);
    if (result != 0) {
        (void)close(ends[0]);
        error_set_system(error, result, "a process could not be started");
        return NULL;
    }
    struct starter_link *link = MEMORY_NEW(struct starter_link);
    link->socket = ends[0];
    link->pid = pid;
    return link;
}

void starter_link_close(struct starter_link **pointer)
{
    struct starter_link *link = *pointer;
    const struct timespec pause = {.tv_nsec = ATTEMPT_NS};

    *pointer = NULL;
    if (link == NULL) {
        return;
    }
    (void)close(link->socket);
    for (int i = 0; i < END_ATTEMPTS && waitpid(link->pid, NULL, WNOHANG) == 0; i++) {
        (void)nanosleep(&pause, NULL);
    }
    memory_free(link);
}

bool starter_link_ask(struct starter_link *link, struct starter_request *request, int socket,
                      struct error *error)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr aligned;
    } control = {0};
    struct iovec part = {.iov_base = request, .iov_len = sizeof *request};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (link == NULL) {
        return error_set(error, "no process of this agent starts browsers");
    }
    if (request->action != STARTER_KILL) {
        request->number = atomic_fetch_add(&link->number, 1) + 1;
    }
    if (socket >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof control.bytes;
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof socket);
        memcpy(CMSG_DATA(header), &socket, sizeof socket);
    }
    return sendmsg(link->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)sizeof *request ||
           error_set(error, "the process that starts browsers %s",
                     errno == EAGAIN ? "does not respond" : "has ended");
}
