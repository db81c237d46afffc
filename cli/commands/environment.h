/* What the environment tells `tutti`. */
#pragma once
#include "cli/commands/subcommand.h"

/* Warns of each variable that begins with TUTTI_ and that no command knows: most likely it is misspelt, and
 * somebody believes that it works. */
void environment_warn_of_unknown(const struct subcommand *subcommand);
