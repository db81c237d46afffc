/* One run of a script on this machine: the coordinator in this process, its agents as children, the screen.
 */
#pragma once
#include "cli/base/exit_code.h"
#include "cli/options/run_options.h"
#include "cli/view/json_file.h"
#include "cli/view/outputs.h"
#include "cli/view/screen.h"

struct session_settings {
    const char *script; /* its path */
    const struct bundle *bundle;
    const struct campaign_options *campaign;
    const struct run_options *options;
    struct screen *screen;
    struct json_file *json; /* NULL: no report in JSON */
    struct outputs *outputs;
};

/* Runs from the start of the agents to the end of the last of them, reports, and returns the exit code. */
enum exit_code session_run(const struct session_settings *settings);
