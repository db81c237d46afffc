/* The token of the API that a coordinator with --state has drawn. */
#include "cli/options/kept_token.h"

#include "common/bytes.h"
#include "common/memory.h"
#include "common/replace_file.h"
#include "common/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "token"
#define NEW_FILE_NAME "token.new"
#define MOST_BYTES 256

/* As token_draw makes them: so long, and of these digits. NULL for anything else. */
static char *read_kept(int folder, size_t size)
{
    char text[MOST_BYTES];
    int file = state_file_open(folder, FILE_NAME, O_RDONLY);
    ssize_t got = file >= 0 ? read(file, text, sizeof text - 1) : 0;
    if (file >= 0) {
        (void)close(file);
    }
    text[got > 0 ? got : 0] = '\0';
    bool is_one = strspn(text, "0123456789abcdef") == size && strcmp(text + size, "\n") == 0;
    text[is_one ? size : 0] = '\0';
    char *kept = is_one ? memory_copy_string(text) : NULL;
    explicit_bzero(text, sizeof text);
    return kept;
}

static void keep(int folder, const char *state, const char *drawn, struct error *warning)
{
    char *line = memory_format("%s\n", drawn);
    int file = replace_file_at(folder, FILE_NAME, NEW_FILE_NAME, bytes_of_string(line));
    if (file < 0) {
        (void)error_set_system(
            warning, errno, "the token of the API cannot be kept in %s, so another process will have another",
            state);
    } else {
        (void)close(file);
    }
    explicit_bzero(line, strlen(line));
    memory_free(line);
}

char *kept_token(const char *state, const char *drawn, struct error *warning)
{
    struct error open_to_others;
    int folder = state_folder_open(state, true, &open_to_others, warning);
    if (folder < 0) {
        return memory_copy_string(drawn);
    }
    *warning = (struct error){.text = ""};
    char *token = read_kept(folder, strlen(drawn));
    if (token == NULL) {
        token = memory_copy_string(drawn);
        keep(folder, state, drawn, warning);
    }
    (void)close(folder);
    return token;
}
