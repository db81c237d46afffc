/* From the options of a control command to a client of the API. */
#pragma once
#include "cli/options/control_options.h"
#include "cli/remote/api_client.h"

/* The client for these options; NULL after logging what is wrong with them as `who`. */
MUST_CHECK struct api_client *control_connect(const char *who, const struct control_options *options);
