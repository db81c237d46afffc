/* Sets the agent's process up before there are threads. */
#include "agent/main/process_setup.h"

#include "agent/base/line_log.h"
#include "agent/browser/folder.h"
#include "agent/browser/starter_link.h"
#include "agent/main/agent_daemon.h"
#include "agent/main/endpoint.h"
#include "agent/walls/walls.h"
#include "common/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

#define PROC_PATH_BYTES 32u

static void choose_name(struct process_setup *setup)
{
    const char *name = setup->options->name;

    if (name != NULL) {
        bytes_to_text(bytes_of_string(name), setup->name, sizeof setup->name);
    } else {
        char machine[128] = "agent";
        gethostname(machine, sizeof machine - 1);
        snprintf(setup->name, sizeof setup->name, "%s-%ld", machine, (long)getpid());
    }
    setup->subject.agent = bytes_of_string(setup->name);
}

/* It is forked while we still may start something. An agent without it does all but browsers. */
static void open_starter(struct process_setup *setup)
{
    const struct agent_run_options *options = setup->options;
    const struct starter_settings settings = {
        .has_walls = !options->has_no_walls, .readable = options->readable, .runnable = options->runnable};
    struct error error;

    setup->starter = starter_link_open(&settings, &error);
    if (setup->starter == NULL) {
        log_about(LOG_WARNING, setup->name, &setup->subject, "no browser can be started: %s", error.text);
    }
}

static bool raise_walls(struct process_setup *setup)
{
    const struct agent_run_options *options = setup->options;
    char folder[FOLDER_PATH_BYTES];
    char text[WALLS_TEXT_BYTES];
    struct walls walls = {.readable = options->readable,
                          .is_lasting = !options->dies_with_parent,
                          .port = endpoint_source_port(options->coordinator)};
    struct walls_standing standing;
    struct error error;

    if (options->has_no_walls) {
        log_about(LOG_INFO, setup->name, &setup->subject, "walls: none, with --allow-system");
        return true;
    }
    setup->browsers = browser_folder_open_root(folder);
    if (setup->browsers >= 0) {
        walls.writable = folder;
    }
    if (!walls_raise_for_scripts(&walls, &standing, &error)) {
        log_about(LOG_ERROR, setup->name, &setup->subject, "the walls around scripts cannot be put up: %s",
                  error.text);
        return false;
    }
    name_files_init(&setup->name_files);
    walls_describe(&standing, text);
    log_about(LOG_INFO, setup->name, &setup->subject, "walls: %s", text);
    return true;
}

/* Behind the walls no file can be opened. */
static bool open_lines(struct process_setup *setup)
{
    const char *path = setup->options->request_log;
    struct error error;

    if (path == NULL) {
        return true;
    }
    setup->lines = line_log_open(path, setup->name, &error);
    if (setup->lines == NULL) {
        log_about(LOG_ERROR, setup->name, &setup->subject, "--log-requests: %s", error.text);
    }
    return setup->lines != NULL;
}

bool process_setup_open(struct process_setup *setup, const struct agent_run_options *options)
{
    *setup = (struct process_setup){.options = options, .browsers = -1, .means = host_means_now()};
    if (options->dies_with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
    }
    signal(SIGPIPE, SIG_IGN);
    choose_name(setup);
    open_starter(setup);
    return open_lines(setup) && raise_walls(setup);
}

void process_setup_close(struct process_setup *setup)
{
    line_log_close(&setup->lines);
    starter_link_close(&setup->starter);
    if (setup->browsers >= 0) {
        close(setup->browsers);
    }
}

struct agent_settings process_setup_describe(struct process_setup *setup)
{
    const struct agent_run_options *options = setup->options;
    uint64_t drawn[2] = {1, 1};

    gethostname(setup->machine, sizeof setup->machine - 1);
    endpoint_host(options->coordinator, setup->coordinator, sizeof setup->coordinator);
    if (getrandom(drawn, sizeof drawn, 0) != (ssize_t)sizeof drawn) {
        drawn[0] = drawn[1] = clock_wall_ns() ^ ((uint64_t)getpid() << 32);
    }
    return (struct agent_settings){
        .incarnation = drawn[0] ? drawn[0] : 1,
        .seed = drawn[1],
        .name = setup->name,
        .host = setup->machine,
        .coordinator_host = setup->coordinator,
        .pid = (uint32_t)getpid(),
        .cores = setup->means.cores,
        .memory_bytes = setup->means.memory_bytes,
        .labels = options->labels,
        .capacity = options->capacity,
    };
}

/* By its folder: the walls let us send no signal to others. */
bool process_setup_is_gone(uint32_t pid)
{
    char path[PROC_PATH_BYTES];

    (void)snprintf(path, sizeof path, "/proc/%u", pid);
    return pid == (uint32_t)getpid() ||
           (access("/proc/self", F_OK) == 0 && access(path, F_OK) != 0 && errno == ENOENT);
}

void process_setup_watch_names(struct process_setup *setup)
{
    const char *lost = name_files_lost(&setup->name_files);

    if (lost != NULL) {
        log_about(
            LOG_WARNING, setup->name, &setup->subject,
            "another file is %s now, and lies behind the walls: names are looked up without it until this "
            "agent is started again (or see --allow-read)",
            lost);
    }
}
