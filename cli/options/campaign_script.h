/* The dry look at a script that every campaign begins with. */
#pragma once
#include "agent/script/script.h"
#include "cli/options/run_options.h"

/* Fills `facts`, and `options` again with the script's own words underneath. What is wrong here is the
 * user's. Afterwards script_facts_free and run_options_finish, also where it failed. */
MUST_CHECK bool campaign_script_read(const struct command_words *words, const char *script,
                                     struct run_options *options, struct script_facts **facts,
                                     struct error *error);

/* Whether the browsers that the script opens can be driven on this machine; true where it opens none. */
MUST_CHECK bool campaign_script_has_driver(const char *script, const struct run_options *options,
                                           const struct script_facts *facts, struct error *error);

/* Whether the practice target is asked for. */
bool campaign_target_is_builtin(const struct run_options *options);
