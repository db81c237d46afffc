/* Limits how many connections a listening socket has. */
#include "proto/socket/socket_admission.h"

#include <dirent.h>
#include <linux/filter.h>
#include <sys/resource.h>
#include <sys/socket.h>

#define BACKLOG_MAX 1024u
/* Fractions of the descriptor limit: for connections that wait to be accepted, and for the rest of this
 * process: the API, files, and connections that arrive while the listener is being closed off. */
#define BACKLOG_SHARE 8u
#define RESERVE_SHARE 3u
#define RESERVE_MAX 2048u
/* The listener opens again when this fraction of the connections has closed, so that it does not toggle with
 * each connection. */
#define SLACK_SHARE 16u

static size_t descriptor_limit(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? (size_t)limit.rlim_cur : BACKLOG_MAX;
}

static size_t descriptors_in_use(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    while (folder != NULL && readdir(folder) != NULL) {
        count++;
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return count;
}

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

int socket_admission_backlog(void)
{
    size_t share = descriptor_limit() / BACKLOG_SHARE;
    return (int)smaller(share > 0 ? share : 1, BACKLOG_MAX);
}

void socket_admission_init(struct socket_admission *admission)
{
    *admission = (struct socket_admission){.listener = -1};
}

void socket_admission_listening(struct socket_admission *admission, int descriptor)
{
    size_t limit = descriptor_limit();
    size_t taken = descriptors_in_use() + smaller(limit / RESERVE_SHARE, RESERVE_MAX);
    admission->listener = descriptor;
    admission->capacity = limit > taken ? limit - taken : 1;
}

/* A filter that drops every packet for the listening socket itself; accepted connections have sockets of
 * their own. If the kernel refuses it, there is no limit, and ZeroMQ behaves as usual. */
static void shut(struct socket_admission *admission)
{
    struct sock_filter keep_nothing = BPF_STMT(BPF_RET | BPF_K, 0);
    const struct sock_fprog program = {.len = 1, .filter = &keep_nothing};
    admission->is_shut = setsockopt(admission->listener, SOL_SOCKET, SO_ATTACH_FILTER, &program,
                                    (socklen_t)sizeof program) == 0;
}

bool socket_admission_accepted(struct socket_admission *admission)
{
    admission->open++;
    if (admission->is_shut || admission->listener < 0 || admission->open < admission->capacity) {
        return false;
    }
    shut(admission);
    return admission->is_shut;
}

void socket_admission_disconnected(struct socket_admission *admission)
{
    int none = 0;
    size_t slack = admission->capacity / SLACK_SHARE + 1;
    admission->open -= admission->open > 0;
    if (admission->is_shut && admission->open + slack <= admission->capacity) {
        (void)setsockopt(admission->listener, SOL_SOCKET, SO_DETACH_FILTER, &none, (socklen_t)sizeof none);
        admission->is_shut = false;
    }
}
