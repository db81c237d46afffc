/* A file of named runs, in JSON or YAML:
 *
 *   {"tutti": {"env": {"HOST": "a"}, "runs": {"smoke": {"script": "pad.lua", "workers": 5}}}}
 *
 * The words of Molotov's own files are understood too: molotov, tests, scenario, max_runs, processes. */
#pragma once
#include "common/buffer.h"
#include "common/error.h"

#include <stddef.h>

/* An option of a run, by its long name, as the command line would have it. */
struct config_option {
    char *name;
    char *text;
};

/* One of the runs. */
struct config_run {
    char *script; /* relative to the folder that the command runs in */
    struct config_option *options;
    size_t option_count;
    size_t option_capacity;
    struct buffer environment; /* as proto/message/environment.h has it */
};

void config_run_init(struct config_run *run);
void config_run_finish(struct config_run *run);
/* Whether it says how long it goes on. */
bool config_run_has(const struct config_run *run, const char *option);

/* Reads the run of this name into one that is initialised. With NULL as the name, prints the names of all of
 * them instead. Every run of the file is checked. Errors name file and line, and no value of a variable. */
MUST_CHECK bool config_file_read(const char *path, const char *name, struct config_run *run,
                                 struct error *error);
