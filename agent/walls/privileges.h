/* Gives up what root can do apart from accessing files. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"

#include <stdbool.h>

/* Programs executed from now on gain no rights (no_new_privs), and this thread keeps only the capabilities
 * over files, which Landlock controls. */
MUST_CHECK bool privileges_drop(struct error *error);
