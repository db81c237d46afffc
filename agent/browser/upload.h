/* The one way in which a script's doing puts files on the agent's disk: those of its bundle, where a browser
 * of the agent's own is to take them from. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>

#define UPLOAD_PATH_BYTES 512
#define UPLOAD_NAME_BYTES 255u

/* Whether it can name a file in a folder, and nothing else. */
MUST_CHECK bool upload_is_name(struct bytes name);
/* Writes a new file FOLDER/uploads/NUMBER/NAME and gives its path. `folder` has to exist, as a folder of this
 * user's own that others cannot write to; what is below it is made here, and no link is followed. */
MUST_CHECK bool upload_write(const char *folder, unsigned number, struct bytes name, struct bytes content,
                             char path[UPLOAD_PATH_BYTES], struct error *error);
