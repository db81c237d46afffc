/* Inspects a script without running it: its files, options, scenarios and fixtures; for `tutti run` and
 * `tutti check`. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "proto/message/campaign.h"
#include "proto/message/owned_bundle.h"

#include <stdbool.h>
#include <stddef.h>

/* The options set by `tutti.options`, spelt as on the command line: {"ramp-up", "2500ms"}, {"workers", "5"},
 * {"single-run", "true"}, {"fail", "5%"}. Type and range have been checked, so that they can be passed to
 * option_parse as `--NAME=TEXT`. */
struct script_option {
    char *name;
    char *text;
};

struct script_scenario {
    char *name;
    double weight; /* not negative; with 0 it is never picked by weight */
    double delay_s;
};

/* Everything is owned by the facts. */
struct script_facts {
    struct bundle bundle; /* the script, and every file that it required or opened while loading, or named in
                             options.files: as `files` has them */
    struct owned_bundle files;
    struct script_option *options;
    size_t option_count;
    struct script_scenario *scenarios; /* in order of their names; at least one */
    size_t scenario_count;
    const char *
        *fixtures; /* names of those that are defined, in the order in which they run; static strings */
    size_t fixture_count;
    bool uses_browser; /* it loads tutti.browser */
};

struct script_library;

struct script_inspection {
    const char *path;
    const struct script_library *library; /* the modules it can require */
    bool is_system_allowed;
    const char *target; /* the value of `tutti.target` while the script loads; NULL: a placeholder, unless the
                           script sets one */
    struct bytes environment; /* tutti.env, as proto/message/environment.h has it */
};

/* Loads the script in a process of its own, in the sandbox and, unless --allow-system is given, behind the
 * walls that an agent would put up; there it can read its own folder and nothing else of the user's. The
 * calling process must have no other threads. Output of the script goes to standard output. NULL with one
 * line for a person: "pad.lua: no such file", "pad.lua:12: '=' expected near 'x'", "pad.lua: it has no
 * scenario", "pad.lua:3: option workers: expected …". */
MUST_CHECK struct script_facts *script_inspect(const struct script_inspection *inspection,
                                               struct error *error);
/* Adds a file to the bundle. Takes the content. False with an error: a bundle cannot have it. */
MUST_CHECK bool script_facts_add_file(struct script_facts *facts, const char *path, struct text content,
                                      struct error *error);
void script_facts_free(struct script_facts **facts);
