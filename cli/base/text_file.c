/* Small text files that are read whole. */
#include "cli/base/text_file.h"
#include "common/memory.h"
#include "common/trusted_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEXT_FILE_MAX_BYTES ((size_t)64 * 1024)

/* For memory_free; NULL with an error. `text` may have been truncated if it is too long. */
static char *text_file_accept(const char *path, const struct buffer *text, size_t limit, struct error *error)
{
    struct bytes bytes = buffer_bytes(text);
    if (text->has_overflowed || (bytes.size > 0 && memchr(bytes.data, '\0', bytes.size) != NULL)) {
        (void)error_set(error, "%s is not text of at most %zu bytes", path, limit);
        return NULL;
    }
    return memory_copy(bytes.size > 0 ? bytes.data : (const uint8_t *)"", bytes.size);
}

/* Like trusted_file_read, for a file that anybody may have written. */
static bool text_file_load(const char *path, struct buffer *text, struct error *error)
{
    struct stat status;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        (void)error_set_system(error, errno, "cannot read %s", path);
    } else if (!S_ISREG(status.st_mode)) {
        (void)error_set(error, "cannot read %s: it is not a file", path);
    } else if (trusted_file_read_all(descriptor, text, error) || text->has_overflowed) {
        (void)close(descriptor);
        return true;
    } else {
        (void)error_wrap(error, "cannot read %s: ", path);
    }
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    return false;
}

char *text_file_read(const char *path, struct error *error)
{
    return text_file_read_up_to(path, TEXT_FILE_MAX_BYTES, error);
}

char *text_file_read_up_to(const char *path, size_t limit, struct error *error)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, limit);
    return text_file_load(path, &text, error) ? text_file_accept(path, &text, limit, error) : NULL;
}

char *text_file_read_secret(const char *path, struct error *warning, struct error *error)
{
    SCOPED(trusted_file_wipe) struct buffer text;
    struct stat status;
    buffer_init(&text, TEXT_FILE_MAX_BYTES);
    if (!trusted_file_read(path, TRUSTED_FILE_SECRET, &text, &status, warning, error) &&
        !text.has_overflowed) {
        return NULL;
    }
    return text_file_accept(path, &text, TEXT_FILE_MAX_BYTES, error);
}

void text_file_wipe(char **text)
{
    if (*text != NULL) {
        explicit_bzero(*text, strlen(*text));
    }
    memory_free(*text);
    *text = NULL;
}
