/* The agent as a process of its host: its name, its limits, the walls around its scripts, and the process
 * that starts browsers for it. */
#pragma once
#include "agent/core/agent.h"
#include "agent/walls/name_files.h"
#include "common/attributes.h"
#include "common/host_means.h"
#include "common/log.h"
#include "proto/message/limits.h"

#include <stdbool.h>

struct agent_run_options;
struct line_log;
struct starter_link;

struct process_setup {
    const struct agent_run_options *options;
    char name[LIMIT_NAME_BYTES + 1];
    struct log_subject subject;   /* the name */
    struct starter_link *starter; /* of browsers; NULL: none can be started */
    struct line_log *lines;       /* of requests; NULL: they are not logged */
    int browsers;                 /* the folder in which they have theirs; -1: there is none */
    struct name_files name_files;
    struct host_means means;                /* read before the walls are raised */
    char machine[LIMIT_NAME_BYTES + 1];     /* the host's name */
    char coordinator[LIMIT_NAME_BYTES + 1]; /* its host, as we dial it */
};

/* Before there are threads, which would stay outside the walls. False, with the reason in the log, if they
 * cannot be put up; it has to be closed either way. */
MUST_CHECK bool process_setup_open(struct process_setup *setup, const struct agent_run_options *options);
void process_setup_close(struct process_setup *setup);
/* Everything that the agent says about itself, borrowed from `setup`, but for the number of its shards. */
struct agent_settings process_setup_describe(struct process_setup *setup);
/* Whether no process of this host, as far as we see it, has this id: our own id was that of one that has
 * gone. */
bool process_setup_is_gone(uint32_t pid);
/* Warns when a file by which names are looked up has been replaced, and so lies outside. */
void process_setup_watch_names(struct process_setup *setup);
