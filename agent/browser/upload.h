/* The only way in which a script can put files on the agent's disk: files of its bundle, for a browser of the
 * agent to upload. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>

#define UPLOAD_PATH_BYTES 512
#define UPLOAD_NAME_BYTES 255u

/* Whether it can name a file in a folder, and nothing else. */
MUST_CHECK bool upload_is_name(struct bytes name);
/* Writes a new file FOLDER/uploads/NUMBER/NAME and sets `path`. `folder` must exist, owned by this user and
 * not writable by others; what is below it is created here, and no link is followed. */
MUST_CHECK bool upload_write(const char *folder, unsigned number, struct bytes name, struct bytes content,
                             char path[UPLOAD_PATH_BYTES], struct error *error);
