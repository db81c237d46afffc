/* Opens a link in the browser of the user. */
#include "cli/base/open_link.h"

#include "cli/base/runtime_folder.h"
#include "common/memory.h"
#include "common/replace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "dashboard.html"

/* Nothing that means more than itself within a page. */
static bool link_is_plain(const char *link)
{
    for (const char *at = link; *at != '\0'; at++) {
        if (*at <= ' ' || *at > '~' || strchr("\"'<>&;\\`", *at) != NULL) {
            return false;
        }
    }
    return true;
}

static bool link_write(int folder, const char *link)
{
    SCOPED(memory_free_at)
    char *page = memory_format(
        "<!DOCTYPE html><meta charset=\"utf-8\"><meta name=\"referrer\" content=\"no-referrer\">"
        "<meta http-equiv=\"refresh\" content=\"0;url=%s\"><a href=\"%s\">tutti</a>\n",
        link, link);
    SCOPED(memory_free_at) char *draft = memory_format("." FILE_NAME ".%ld", (long)getpid());
    int file = replace_file_at(folder, FILE_NAME, draft, bytes_of_string(page));
    return file >= 0 && close(file) == 0;
}

/* In a session of its own, so that Ctrl-C does not end it with us; its words are not ours. */
static int link_spawn(const char *program, const char *address)
{
    char *const arguments[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)address, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t child = 0;
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        (void)posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0);
    }
    int result = posix_spawnp(&child, program, &actions, &attributes, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return result;
}

bool open_link(const char *link, struct error *error)
{
    char *path = NULL;
    const char *program = getenv("BROWSER");
    program = program != NULL && *program != '\0' ? program : "xdg-open";
    if (!link_is_plain(link)) {
        return error_set(error, "cannot open a link with such characters");
    }
    int folder = runtime_folder_open(&path, error);
    if (folder < 0) {
        return error_wrap(error, "no place for a link: ");
    }
    SCOPED(memory_free_at) char *address = memory_format("file://%s/" FILE_NAME, path);
    bool is_written = link_write(folder, link) || error_set_system(error, errno, "cannot write %s", address);
    (void)close(folder);
    memory_free(path);
    int result = is_written ? link_spawn(program, address) : 0;
    return is_written && (result == 0 || error_set_system(error, result, "cannot start %s", program));
}
