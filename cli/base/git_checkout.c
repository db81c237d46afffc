/* The files of a git repository at a revision. */
#include "cli/base/git_checkout.h"

#include "common/buffer.h"
#include "common/bytes.h"
#include "common/clock.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUTPUT_MAX_BYTES 65536u
#define ARGUMENTS_MAX 16
#define TREE_DESCRIPTORS 16
/* Of one file: a pack has all of them. */
#define FILE_MAX_BYTES ((rlim_t)4 * 1024 * 1024 * 1024)

/* One call after the other, until the same instant. */
struct git_calls {
    const char *folder;
    const char *url;
    uint64_t until_ns;
    sigset_t before; /* the signals that were blocked */
    struct buffer output;
    struct error *error;
    bool is_interrupted;
};

/* The folder that is to go if the process is ended; empty: there is none. */
static char git_folder[PATH_MAX];

static const int GIT_ENDING_SIGNALS[] = {SIGINT, SIGTERM, SIGHUP};
#define GIT_ENDING_COUNT (sizeof GIT_ENDING_SIGNALS / sizeof *GIT_ENDING_SIGNALS)

/* In a signal handler, where walking through a folder is not allowed, but a process that does it is. */
static void git_on_end(int number)
{
    pid_t child = git_folder[0] != '\0' ? fork() : -1;
    if (child == 0) {
        (void)execl("/bin/rm", "rm", "-rf", "--", git_folder, (char *)NULL);
        _exit(127);
    }
    while (child > 0 && waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

/* As long as the folder is there, what ends the process removes it. */
static void git_guard_folder(const char *folder)
{
    struct sigaction action = {.sa_handler = folder != NULL ? git_on_end : SIG_DFL};
    (void)snprintf(git_folder, sizeof git_folder, "%s", folder != NULL ? folder : "");
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < GIT_ENDING_COUNT; i++) {
        (void)sigaddset(&action.sa_mask, GIT_ENDING_SIGNALS[i]);
    }
    for (size_t i = 0; i < GIT_ENDING_COUNT; i++) {
        struct sigaction before;
        bool is_ours = sigaction(GIT_ENDING_SIGNALS[i], NULL, &before) == 0 &&
                       (before.sa_handler == SIG_DFL || before.sa_handler == git_on_end);
        if (is_ours) {
            (void)sigaction(GIT_ENDING_SIGNALS[i], &action, NULL);
        }
    }
}

static void git_add_ending(sigset_t *signals)
{
    for (size_t i = 0; i < GIT_ENDING_COUNT; i++) {
        (void)sigaddset(signals, GIT_ENDING_SIGNALS[i]);
    }
}

/* Runs in the child. */
static _Noreturn void git_become(const struct git_calls *calls, char *const *arguments, int output)
{
    const struct rlimit size = {FILE_MAX_BYTES, FILE_MAX_BYTES};
    int nothing = open("/dev/null", O_RDWR);
    (void)setpgid(0, 0);
    (void)sigprocmask(SIG_SETMASK, &calls->before, NULL);
    (void)setrlimit(RLIMIT_FSIZE, &size);
    (void)dup2(nothing, STDIN_FILENO);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(output, STDERR_FILENO);
    (void)setenv("GIT_TERMINAL_PROMPT", "0", 1);
    (void)setenv("GIT_ASKPASS", "true", 1);
    (void)setenv("SSH_ASKPASS", "true", 1);
    (void)setenv("GIT_SSH_COMMAND", "ssh -oBatchMode=yes", 0);
    (void)unsetenv("GIT_DIR");
    (void)unsetenv("GIT_WORK_TREE");
    (void)unsetenv("GIT_INDEX_FILE");
    (void)execvp("git", arguments);
    dprintf(STDERR_FILENO, "cannot run git: %s\n", strerror(errno));
    _exit(127);
}

/* What came is kept as far as it fits. False once there is no more. */
static bool git_hear(struct git_calls *calls, int from)
{
    char piece[4096];
    ssize_t size = read(from, piece, sizeof piece);
    if (size > 0) {
        (void)buffer_append(&calls->output, piece, (size_t)size);
    }
    return size > 0 || (size < 0 && (errno == EAGAIN || errno == EINTR));
}

/* Until it has ended, or has to: then its whole process group does. False with an error. */
static bool git_await(struct git_calls *calls, pid_t child, int from, int *status)
{
    sigset_t awaited;
    const char *why = NULL;
    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGCHLD);
    git_add_ending(&awaited);
    while (waitpid(child, status, WNOHANG) == 0) {
        const struct timespec brief = {.tv_nsec = 20 * 1000000};
        int signal_number = sigtimedwait(&awaited, NULL, &brief);
        (void)git_hear(calls, from);
        if (signal_number > 0 && signal_number != SIGCHLD) {
            calls->is_interrupted = true;
            why = "interrupted";
        } else if (clock_now_ns() > calls->until_ns) {
            why = "git took longer than 5 m";
        }
        if (why != NULL) {
            (void)kill(-child, SIGKILL);
            (void)waitpid(child, status, 0);
            return error_set(calls->error, "%s", why);
        }
    }
    while (git_hear(calls, from) && errno != EAGAIN) {
    }
    return true;
}

/* The last line that it wrote, without an address that may have a password in it. */
static bool git_refuse(struct git_calls *calls)
{
    char *text = (char *)(uintptr_t)buffer_string(&calls->output);
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == '\n') {
        text[--size] = '\0';
    }
    char *line = strrchr(text, '\n');
    line = line != NULL ? line + 1 : text;
    for (char *at = line; *at != '\0'; at++) {
        *at = bytes_is_printable(bytes_of(at, 1)) || (unsigned char)*at >= 0x80 ? *at : ' ';
    }
    if (strstr(line, calls->url) != NULL && strchr(calls->url, '@') != NULL) {
        return error_set(calls->error, "git cannot read it");
    }
    return error_set(calls->error, "%.200s", *line != '\0' ? line : "git has failed without a word");
}

/* The arguments end with NULL. The output is kept. */
static bool git_call(struct git_calls *calls, const char *const *words)
{
    char *arguments[ARGUMENTS_MAX] = {(char *)(uintptr_t) "git", (char *)(uintptr_t) "-C",
                                      (char *)(uintptr_t)calls->folder};
    int ends[2];
    int status = 0;
    for (size_t i = 0; words[i] != NULL; i++) {
        arguments[i + 3] = (char *)(uintptr_t)words[i];
    }
    buffer_clear(&calls->output);
    if (pipe2(ends, O_CLOEXEC) != 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        return error_set_system(calls->error, errno, "cannot create a pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        git_become(calls, arguments, ends[1]);
    }
    int reason = errno;
    if (child > 0) {
        (void)setpgid(child, child); /* it does so itself too: whichever is first */
    }
    (void)close(ends[1]);
    errno = 0;
    bool has_ended = child > 0 && git_await(calls, child, ends[0], &status);
    (void)close(ends[0]);
    if (child < 0) {
        return error_set_system(calls->error, reason, "cannot start git");
    }
    return has_ended && ((WIFEXITED(status) && WEXITSTATUS(status) == 0) || git_refuse(calls));
}

/* One commit alone where the other side gives that, else all that has a name: a commit may be abbreviated. */
static bool git_fetch(struct git_calls *calls, const char *revision, char commit[GIT_COMMIT_BYTES])
{
    const char *const one[] = {"fetch", "-q",       "--depth=1", "--no-tags", "--no-recurse-submodules",
                               "--",    calls->url, revision,    NULL};
    const char *const all[] = {"fetch",
                               "-q",
                               "--no-recurse-submodules",
                               "--",
                               calls->url,
                               "+refs/heads/*:refs/remotes/origin/*",
                               "+refs/tags/*:refs/tags/*",
                               NULL};
    SCOPED(memory_free_at) char *wanted = memory_format("%s^{commit}", revision);
    const char *const find[] = {"rev-parse", "-q", "--verify", "--end-of-options", wanted, NULL};
    const char *const head[] = {"rev-parse", "-q", "--verify", "FETCH_HEAD^{commit}", NULL};
    bool is_found = git_call(calls, one) && git_call(calls, head);
    if (!is_found && clock_now_ns() < calls->until_ns && !calls->is_interrupted) {
        if (!git_call(calls, all)) {
            return false;
        }
        is_found = git_call(calls, find) || error_set(calls->error, "it has no revision \"%.80s\"", revision);
    }
    if (is_found) {
        bytes_to_text(bytes_of(buffer_string(&calls->output), strcspn(buffer_string(&calls->output), "\n")),
                      commit, GIT_COMMIT_BYTES);
    }
    return is_found;
}

static bool git_take(struct git_calls *calls, const char *revision, char commit[GIT_COMMIT_BYTES])
{
    const char *const begin[] = {"init", "-q", "--template=", NULL};
    const char *const show[] = {"-c",       "advice.detachedHead=false",
                                "-c",       "core.hooksPath=/dev/null",
                                "checkout", "-q",
                                "--detach", commit,
                                NULL};
    return git_call(calls, begin) && git_fetch(calls, revision, commit) && git_call(calls, show);
}

static bool git_is_word(const char *word, const char *what, struct error *error)
{
    return (*word != '-' && *word != '\0' && bytes_is_printable(bytes_of_string(word))) ||
           error_set(error, "it is no %s", what);
}

bool git_checkout_make(struct git_checkout *checkout, const char *url, const char *revision,
                       struct error *error)
{
    const char *temporary = getenv("TMPDIR");
    bool is_path = access(url, F_OK) == 0;
    *checkout = (struct git_checkout){0};
    if (!git_is_word(url, "address of a repository", error) ||
        (revision != NULL && !git_is_word(revision, "revision", error))) {
        return false;
    }
    char absolute[PATH_MAX];
    const char *place = is_path ? realpath(url, absolute) : url;
    checkout->folder =
        memory_format("%s/tutti-git-XXXXXX", temporary != NULL && *temporary == '/' ? temporary : "/tmp");
    if (place == NULL || mkdtemp(checkout->folder) == NULL) {
        memory_free(checkout->folder);
        checkout->folder = NULL;
        return error_set_system(error, errno, "cannot create a folder");
    }
    struct git_calls calls = {.folder = checkout->folder,
                              .url = place,
                              .until_ns = clock_now_ns() + GIT_CHECKOUT_S * NS_PER_S,
                              .error = error};
    sigset_t blocked;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGCHLD);
    git_add_ending(&blocked);
    (void)sigprocmask(SIG_BLOCK, &blocked, &calls.before);
    git_guard_folder(checkout->folder);
    buffer_init(&calls.output, OUTPUT_MAX_BYTES);
    bool is_made = git_take(&calls, revision != NULL ? revision : "HEAD", checkout->commit);
    buffer_finish(&calls.output);
    checkout->is_interrupted = calls.is_interrupted;
    if (!is_made) {
        git_checkout_finish(checkout);
    }
    (void)sigprocmask(SIG_SETMASK, &calls.before, NULL);
    return is_made;
}

static int git_remove(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

void git_checkout_finish(struct git_checkout *checkout)
{
    if (checkout->folder != NULL) {
        (void)nftw(checkout->folder, git_remove, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
        git_guard_folder(NULL);
        memory_free(checkout->folder);
        checkout->folder = NULL;
    }
}
