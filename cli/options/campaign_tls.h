/* The files of --ca, --cert and --key. */
#pragma once
#include "cli/options/run_options.h"

struct script_facts;

/* Adds them to the bundle, so that all agents have them, and sets the options of the campaign that name them
 * there. False with an error: one cannot be read, or is not what it should be. */
MUST_CHECK bool campaign_tls_add(struct run_options *options, struct script_facts *facts,
                                 struct error *error);
