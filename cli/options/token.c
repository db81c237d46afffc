/* The token of the API. */
#include "cli/options/token.h"
#include "cli/base/runtime_folder.h"
#include "cli/base/text_file.h"
#include "common/local_url.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/replace_file.h"
#include "common/write_all.h"
#include "coordinator/api/api.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define TOKEN_MAX_BYTES 4096u /* of one that is not for us to accept */
#define TOKEN_DRAWN_BYTES 32
#define TOKEN_FILE_MODE 0600
#define TOKEN_NAME_BYTES 32
/* A command looks for a moment whether the lock is held. */
#define TOKEN_LOCK_TRIES 20
#define TOKEN_LOCK_PAUSE_MS 10

bool token_choose(struct token_choice *choice, struct error *error)
{
    if (choice->text == NULL || choice->path == NULL) {
        return true;
    }
    bool is_text_near = choice->text != getenv("TUTTI_TOKEN");
    bool is_path_near = choice->path != getenv("TUTTI_TOKEN_FILE");
    if (is_text_near == is_path_near) {
        return error_set(error, "--token and --token-file contradict each other");
    }
    *(is_text_near ? &choice->path : &choice->text) = NULL;
    return true;
}

/* What can stand in a header: no spaces, nothing invisible. */
static bool token_check(const char *token, bool is_ours, struct error *error)
{
    unsigned minimum = is_ours ? API_TOKEN_MIN_BYTES : 1;
    unsigned maximum = is_ours ? API_TOKEN_MAX_BYTES : TOKEN_MAX_BYTES;
    size_t size = strlen(token);
    size_t visible = 0;
    while (token[visible] > ' ' && token[visible] <= '~') {
        visible++;
    }
    if (size == 0) {
        return error_set(error, "it is empty");
    }
    if (size < minimum || size > maximum || visible != size) {
        return error_set(error,
                         "a token is one word of %u to %u visible characters of ASCII "
                         "(openssl rand -hex 32)",
                         minimum, maximum);
    }
    return true;
}

/* Of ours nothing else stands in the file; what somebody else hands out may have more lines. */
static char *token_of_file(const char *path, bool is_ours, struct error *error)
{
    struct error warning;
    char *text = text_file_read_secret(path, &warning, error);
    if (text == NULL) {
        (void)error_wrap(error, "--token-file: ");
        return NULL;
    }
    if (is_ours && warning.text[0] != '\0') {
        log_line(LOG_WARNING, "coordinator", "--token-file: %s", warning.text);
    }
    size_t length = strcspn(text, "\r\n");
    bool is_alone = text[length + strspn(text + length, " \t\r\n")] == '\0';
    if (!is_ours || is_alone) {
        text[length] = '\0';
    }
    if (!token_check(text, is_ours, error)) {
        (void)error_wrap(error, "--token-file: %s: ", path);
        token_free(&text);
    }
    return text;
}

bool token_read(const struct token_choice *choice, bool is_ours, char **token, struct error *error)
{
    *token = NULL;
    if (choice->path != NULL) {
        *token = token_of_file(choice->path, is_ours, error);
        return *token != NULL;
    }
    if (choice->text != NULL && !token_check(choice->text, is_ours, error)) {
        return error_wrap(error, "--token: ");
    }
    *token = memory_copy_string(choice->text);
    return true;
}

char *token_draw(void)
{
    uint8_t drawn[TOKEN_DRAWN_BYTES];
    char *token = memory_new(2 * sizeof drawn + 1, 1);
    ssize_t size = getrandom(drawn, sizeof drawn, 0);
    assert(size == (ssize_t)sizeof drawn);
    (void)size;
    for (size_t i = 0; i < sizeof drawn; i++) {
        (void)snprintf(token + 2 * i, 3, "%02x", drawn[i]);
    }
    explicit_bzero(drawn, sizeof drawn);
    return token;
}

void token_free(char **token)
{
    if (*token != NULL) {
        explicit_bzero(*token, strlen(*token));
        memory_free(*token);
        *token = NULL;
    }
}

struct token_file {
    char *folder_path;
    char *path;
    char name[TOKEN_NAME_BYTES];
    int folder;
    int descriptor; /* locked as long as we live: so a file that was left behind is known */
};

static void token_file_name(uint16_t port, char name[TOKEN_NAME_BYTES])
{
    (void)snprintf(name, TOKEN_NAME_BYTES, "api-%u.token", (unsigned)port);
}

/* Whether another process that lives has left the file of this name. */
static bool token_file_is_held(const struct token_file *file)
{
    int descriptor = openat(file->folder, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool is_held = descriptor >= 0;
    for (int i = 0; is_held && i < TOKEN_LOCK_TRIES; i++) {
        is_held = flock(descriptor, LOCK_EX | LOCK_NB) != 0;
        if (is_held) {
            (void)poll(NULL, 0, TOKEN_LOCK_PAUSE_MS);
        }
    }
    if (descriptor >= 0) {
        (void)close(descriptor);
    }
    return is_held;
}

/* Written and locked under another name first: who opens the name finds it whole and held. */
static bool token_file_write(struct token_file *file, const char *token, struct error *error)
{
    char draft[2 * TOKEN_NAME_BYTES];
    (void)snprintf(draft, sizeof draft, ".%s.%ld", file->name, (long)getpid());
    SCOPED(replacement_free)
    struct replacement *replacement = replacement_begin(file->folder, file->name, draft, TOKEN_FILE_MODE);
    int descriptor = replacement == NULL ? -1 : replacement_descriptor(replacement);
    if (descriptor < 0 || flock(descriptor, LOCK_EX | LOCK_NB) != 0 ||
        !write_all(descriptor, bytes_of_string(token)) || !write_all(descriptor, bytes_of_string("\n")) ||
        !replacement_put(replacement, true)) {
        return error_set_system(error, errno, "cannot write %s", file->path);
    }
    file->descriptor = replacement_take(replacement);
    return true;
}

struct token_file *token_file_new(uint16_t port, const char *token, struct error *error)
{
    struct token_file *file = MEMORY_NEW(struct token_file);
    file->descriptor = -1;
    file->folder = runtime_folder_open(&file->folder_path, error);
    token_file_name(port, file->name);
    bool is_done = false;
    if (file->folder >= 0) {
        file->path = memory_format("%s/%s", file->folder_path, file->name);
        is_done = token_file_is_held(file)
                      ? error_set(error, "another coordinator keeps its token in %s", file->path)
                      : token_file_write(file, token, error);
    }
    if (!is_done) {
        (void)error_wrap(error, "no place for the token of the API: ");
        token_file_free(&file);
    }
    return file;
}

const char *token_file_path(const struct token_file *file)
{
    return file->path;
}

void token_file_free(struct token_file **at)
{
    struct token_file *file = *at;
    struct stat ours;
    struct stat there;
    *at = NULL;
    if (file == NULL) {
        return;
    }
    if (file->descriptor >= 0) {
        if (fstat(file->descriptor, &ours) == 0 &&
            fstatat(file->folder, file->name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
            ours.st_ino == there.st_ino && ours.st_dev == there.st_dev) {
            (void)unlinkat(file->folder, file->name, 0);
        }
        (void)close(file->descriptor);
    }
    if (file->folder >= 0) {
        (void)close(file->folder);
    }
    memory_free(file->folder_path);
    memory_free(file->path);
    memory_free(file);
}

/* Only one that its coordinator still holds: a token that was left behind may by now go to somebody else who
 * took the port. */
static char *token_file_read(const char *path)
{
    char text[API_TOKEN_MAX_BYTES + 2] = "";
    struct stat facts;
    char *token = NULL;
    int descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0) {
        return NULL;
    }
    bool is_ours = fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode) &&
                   (facts.st_uid == geteuid() || geteuid() == 0);
    bool is_held = is_ours && flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    ssize_t size = is_held ? read(descriptor, text, sizeof text - 1) : 0;
    (void)close(descriptor);
    if (size > 0) {
        text[strcspn(text, "\r\n")] = '\0';
        token = token_check(text, true, NULL) ? memory_copy_string(text) : NULL;
    }
    explicit_bzero(text, sizeof text);
    return token;
}

char *token_find(const char *url)
{
    char *places[RUNTIME_FOLDERS];
    char name[TOKEN_NAME_BYTES];
    char *token = NULL;
    uint16_t port = 0;
    if (!local_url_port(url, &port)) {
        return NULL;
    }
    token_file_name(port, name);
    runtime_folder_places(places);
    for (size_t i = 0; i < RUNTIME_FOLDERS; i++) {
        if (token == NULL && places[i] != NULL) {
            SCOPED(memory_free_at) char *path = memory_format("%s/%s", places[i], name);
            token = token_file_read(path);
        }
        memory_free(places[i]);
    }
    return token;
}
