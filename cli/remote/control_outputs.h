/* Writes the files that a report of a coordinator is also written to. */
#pragma once
#include "cli/remote/api_client.h"
#include "cli/view/outputs.h"

/* `report` is the object of the API; what else the files need is asked for. False with the first error. */
MUST_CHECK bool control_outputs_write(struct outputs *outputs, struct api_client *client,
                                      const json_t *report, struct error *error);
