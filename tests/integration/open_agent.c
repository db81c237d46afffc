/* An agent whose sandbox is down: its scripts have io, os and C modules, and still there are the walls. No
 * option of tutti makes such a one: `open_agent COORDINATOR NAME`. */
#include "agent/browser/reaper.h"
#include "agent/main/agent_daemon.h"

#include <stdio.h>
#include <string.h>

#define EXIT_USAGE 2

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "reaper") == 0) {
        return reaper_main(argc - 1, argv + 1);
    }
    if (argc != 3) {
        (void)fprintf(stderr, "open_agent COORDINATOR NAME\n");
        return EXIT_USAGE;
    }
    log_configure(LOG_INFO, LOG_TEXT, 1);
    const struct agent_run_options options = {.coordinator = argv[1],
                                              .name = argv[2],
                                              .shards = 1,
                                              .is_system_allowed = true,
                                              .dies_with_parent = true};
    return agent_run(&options);
}
