/* What an agent tells the runner of a shard, and what a runner tells its agent. */
#include "agent/core/batch/command.h"
#include "common/memory.h"

struct command *command_new(enum command_kind kind, uint64_t campaign)
{
    struct command *command = MEMORY_NEW(struct command);
    command->kind = kind;
    command->campaign = campaign;
    return command;
}

void command_free(struct command **command)
{
    if (*command == NULL) {
        return;
    }
    deployment_release(&(*command)->deployment);
    worker_set_finish(&(*command)->workers);
    worker_set_finish(&(*command)->rooms);
    shared_reply_release(&(*command)->reply);
    memory_free((*command)->ranks);
    memory_free((*command)->room_steps);
    memory_free((*command)->starts);
    memory_free((*command)->text);
    memory_free(*command);
    *command = NULL;
}

struct notice *notice_new(enum notice_kind kind, uint64_t campaign)
{
    struct notice *notice = MEMORY_NEW(struct notice);
    notice->kind = kind;
    notice->campaign = campaign;
    return notice;
}

void notice_free(struct notice **notice)
{
    if (*notice == NULL) {
        return;
    }
    operation_free(&(*notice)->operation);
    memory_free((*notice)->room_steps);
    statistics_free(&(*notice)->statistics);
    text_finish(&(*notice)->content);
    histogram_free(&(*notice)->lag_us);
    memory_free((*notice)->text);
    memory_free(*notice);
    *notice = NULL;
}
