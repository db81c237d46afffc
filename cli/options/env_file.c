/* The files of --env-file. */
#include "cli/options/env_file.h"

#include "cli/base/text_file.h"
#include "proto/message/environment.h"

/* Comments and quotes come on top of what the variables may have. */
#define ENV_FILE_MAX_BYTES ((size_t)4 * ENVIRONMENT_MAX_BYTES)

bool env_file_add(const char *path, struct buffer *environment, struct error *error)
{
    char *text = text_file_read_up_to(path, ENV_FILE_MAX_BYTES, error);
    bool is_good =
        text != NULL && (environment_set_lines(environment, text, error) || error_wrap(error, "%s: ", path));
    text_file_wipe(&text);
    return is_good || error_wrap(error, "--env-file: ");
}
