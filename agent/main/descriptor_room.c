/* Whether this process may open a connection for each worker that it is given. */
#include "agent/main/descriptor_room.h"

#include <sys/resource.h>

/* What the agent has open itself: its link, its shards' loops, name servers, logs. */
#define OWN_DESCRIPTORS 64u

void descriptor_room_count(struct descriptor_room *room, const struct command *command)
{
    if (command->kind == COMMAND_DEPLOY) {
        room->workers += worker_set_count(&command->workers);
    }
}

void descriptor_room_tell(struct descriptor_room *room, const char *agent, const struct log_subject *subject)
{
    uint64_t workers = room->workers;
    struct rlimit limit;

    room->workers = 0;
    if (workers == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        workers + OWN_DESCRIPTORS <= limit.rlim_cur) {
        return;
    }
    log_about(LOG_WARNING, agent, subject,
              "it has %llu workers and may open %llu files, one for each connection: requests beyond that "
              "fail with "
              "local_limit (raise ulimit -n, or use more agents)",
              (unsigned long long)workers, (unsigned long long)limit.rlim_cur);
}
