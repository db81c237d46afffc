/* What root can do beside what its files let it: given up. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

/* No program that is executed from now on gets more rights than it is executed with (no_new_privs), and of
 * the capabilities of this thread none is left but those over files, which Landlock judges. */
MUST_CHECK bool privileges_drop(struct error *error);
