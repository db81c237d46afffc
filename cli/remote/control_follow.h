/* Follows a campaign on a coordinator to its end, as `tutti start --wait` and `tutti watch` do. */
#pragma once
#include "cli/base/exit_code.h"
#include "cli/remote/api_client.h"
#include "cli/view/json_file.h"
#include "cli/view/outputs.h"
#include "cli/view/screen.h"

#include <stdint.h>

struct control_follow {
    const char *who; /* the command */
    struct api_client *client;
    uint64_t campaign;
    struct screen *screen;
    struct json_file *json;  /* NULL: no report in JSON */
    struct outputs *outputs; /* NULL: none */
    int signals;             /* of control_signals_take */
    bool stops_campaign;     /* by the first Ctrl-C, which else only leaves */
    bool has_json_lines;     /* each event as one line of JSON instead of live line and report */
};

/* From now on SIGINT, SIGTERM and SIGHUP are read from this descriptor, which is the caller's to close. To be
 * called before any thread is started. */
MUST_CHECK int control_signals_take(void);

/* The exit code is that of the verdict; EXIT_CODE_LOST if the coordinator was lost and did not come back. */
enum exit_code control_follow(const struct control_follow *follow);
