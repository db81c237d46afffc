/* Small text files that are read whole. */
#include "cli/text_file.h"
#include "common/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TEXT_FILE_MAX_BYTES ((size_t)64 * 1024)

char *text_file_read(const char *path, struct error *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        (void)error_set_system(error, errno, "cannot read %s", path);
        return NULL;
    }
    char *text = memory_new(TEXT_FILE_MAX_BYTES + 2, 1);
    size_t size = fread(text, 1, TEXT_FILE_MAX_BYTES + 1, file);
    bool has_failed = ferror(file) != 0;
    int number = errno;
    (void)fclose(file);
    if (has_failed) {
        (void)error_set_system(error, number, "cannot read %s", path);
    } else if (size > TEXT_FILE_MAX_BYTES || memchr(text, '\0', size) != NULL) {
        (void)error_set(error, "%s is no text of at most %zu bytes", path, TEXT_FILE_MAX_BYTES);
    } else {
        return text;
    }
    memory_free(text);
    return NULL;
}
