/* The steps between fork and exec of a driver. */
#include "agent/browser/launch.h"

#include "agent/browser/processes.h"
#include "agent/walls/walls.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAX_ARGUMENTS 8
#define EXIT_NOT_RUN 127

/* Variables for tutti do not concern the browsers, and anything that browsers keep between two starts has to
 * be removed with the folder. */
static const char *const dropped[] = {
    "TUTTI_",          "HOME=",          "TMPDIR=",         "XDG_CONFIG_HOME=",
    "XDG_CACHE_HOME=", "XDG_DATA_HOME=", "XDG_STATE_HOME=", NULL};
static const struct addition {
    const char *name;
    const char *part; /* below the folder; NULL: the folder itself */
} additions[] = {{PROCESSES_VARIABLE, ""}, {"HOME", "/home"}, {"TMPDIR", "/tmp"}};
#define ADDITIONS (sizeof additions / sizeof *additions)

static bool is_dropped(const char *variable)
{
    for (const char *const *name = dropped; *name != NULL; name++) {
        if (strncmp(variable, *name, strlen(*name)) == 0) {
            return true;
        }
    }
    return false;
}

static char **make_environment(const char *folder)
{
    size_t count = 0;

    while (environ != NULL && environ[count] != NULL) {
        count++;
    }
    char **made = memory_new(count + ADDITIONS + 2, sizeof *made);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_dropped(environ[i])) {
            made[at++] = memory_copy_string(environ[i]);
        }
    }
    for (size_t i = 0; i < ADDITIONS; i++) {
        made[at++] = memory_format("%s=%s%s", additions[i].name, folder, additions[i].part);
    }
    made[at] = memory_copy_string("MOZ_CRASHREPORTER_DISABLE=1");
    return made;
}

/* The format is from our own table. */
static char *fill_in(const char *format, const char *value)
{
    const char *place = strstr(format, "%s");

    return memory_format("%.*s%s", (int)(place - format), format, value);
}

static char **make_arguments(const struct launch *launch)
{
    const struct browser_facts *facts = browser_facts(launch->kind);
    char **made = memory_new(MAX_ARGUMENTS, sizeof *made);
    char port[16];
    size_t at = 0;

    snprintf(port, sizeof port, "%u", launch->port);
    made[at++] = memory_copy_string(facts->program);
    made[at++] = fill_in(facts->port_argument, port);
    if (facts->folder_argument != NULL) {
        char *profiles = memory_format("%s/profiles", launch->folder);
        made[at++] = fill_in(facts->folder_argument, profiles);
        memory_free(profiles);
    }
    for (size_t i = 0; i < sizeof facts->arguments / sizeof *facts->arguments && facts->arguments[i] != NULL;
         i++) {
        made[at++] = memory_copy_string(facts->arguments[i]);
    }
    return made;
}

static void free_list(char **list)
{
    for (size_t i = 0; list[i] != NULL; i++) {
        memory_free(list[i]);
    }
    memory_free(list);
}

static void launch_complain(const char *program, const char *why)
{
    const char *const words[] = {"cannot run ", program, ": ", why, "\n"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        (void)!write(STDERR_FILENO, words[i], strlen(words[i]));
    }
}

/* What the parent has prepared for the child. */
struct scene {
    const struct launch *launch;
    pid_t parent;
    int output;
    char **arguments;
    char **environment;
};

static bool launch_put_up_walls(const struct launch *launch, struct error *error)
{
    const struct walls walls = {.readable = launch->readable,
                                .runnable = launch->runnable,
                                .writable = launch->folder,
                                .program = launch->program};

    return walls_raise_for_browser(&walls, error);
}

static _Noreturn void become(const struct scene *scene)
{
    sigset_t none;
    const struct launch *launch = scene->launch;
    struct error error;
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)setsid();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* There is no signal for a parent that died before. */
    if (getppid() != scene->parent) {
        _exit(EXIT_NOT_RUN);
    }
    (void)dup2(nothing, STDIN_FILENO);
    (void)close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
    (void)dup2(scene->output, STDOUT_FILENO);
    (void)dup2(scene->output, STDERR_FILENO);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (launch->has_walls && !launch_put_up_walls(launch, &error)) {
        launch_complain(launch->program, error.text);
        _exit(EXIT_NOT_RUN);
    }
    if (chdir(launch->folder) == 0) {
        (void)execve(launch->program, scene->arguments, scene->environment);
    }
    launch_complain(launch->program, strerror(errno));
    _exit(EXIT_NOT_RUN);
}

pid_t launch_driver(const struct launch *launch, int *output, struct error *error)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_system(error, errno, "cannot create a pipe");
        return -1;
    }
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    const struct scene scene = {.launch = launch,
                                .parent = getpid(),
                                .output = ends[1],
                                .arguments = make_arguments(launch),
                                .environment = make_environment(launch->folder)};
    pid_t driver = fork();
    if (driver == 0) {
        become(&scene);
    }
    int reason = errno;
    (void)close(ends[1]);
    free_list(scene.arguments);
    free_list(scene.environment);
    if (driver < 0) {
        (void)close(ends[0]);
        error_set_system(error, reason, "cannot start a process");
        return -1;
    }
    *output = ends[0];
    return driver;
}
