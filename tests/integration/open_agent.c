/* An agent whose sandbox is open: its scripts have io, os and C modules, but the walls are still up. No
 * option of tutti creates such an agent: `open_agent COORDINATOR NAME`. */
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
