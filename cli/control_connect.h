/* From the options of a control command to a client of the API. */
#pragma once
#include "cli/api_client.h"
#include "cli/control_options.h"

/* The client for it; NULL after `who` has said what is wrong with the options. */
MUST_CHECK struct api_client *control_connect(const char *who, const struct control_options *options);
