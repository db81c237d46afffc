/* Appends to the summary of a step of GitHub Actions. */
#include "cli/view/step_summary.h"

#include "common/write_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SUMMARY_MODE 0666

static const char *step_summary_path(void)
{
    const char *path = getenv("GITHUB_STEP_SUMMARY");
    return path != NULL && path[0] != '\0' ? path : NULL;
}

bool step_summary_is_wanted(void)
{
    return step_summary_path() != NULL;
}

bool step_summary_append(struct bytes text, struct error *error)
{
    const char *path = step_summary_path();
    if (path == NULL) {
        return true;
    }
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, SUMMARY_MODE);
    bool is_written = file >= 0 && write_all(file, text);
    int reason = errno;
    if (file >= 0) {
        (void)close(file);
    }
    return is_written || error_set_system(error, reason, "%s cannot be written", path);
}
