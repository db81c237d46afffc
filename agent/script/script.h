/* A script looked at without running it: its files, options, scenarios and fixtures; for `tutti run` and
 * `tutti check`. */
#pragma once
#include "common/attributes.h"
#include "common/error.h"
#include "proto/message/campaign.h"
#include "proto/message/owned_bundle.h"

#include <stdbool.h>
#include <stddef.h>

/* What `tutti.options` set, spelt as the command line would: {"ramp-up", "2500ms"}, {"workers", "5"},
 * {"single-run", "true"}, {"fail", "5%"}. Type and range have been checked, so that it can be handed to
 * option_parse as
 * `--NAME=TEXT`. */
struct script_option {
    char *name;
    char *text;
};

struct script_scenario {
    char *name;
    double weight; /* not negative; 0 is never picked by weight */
    double delay_s;
};

/* Everything is owned by the facts. */
struct script_facts {
    struct bundle bundle; /* the script, and every file that it required or opened while it loaded, or named
                             in options.files: as `files` has them */
    struct owned_bundle files;
    struct script_option *options;
    size_t option_count;
    struct script_scenario *scenarios; /* in the order of names; at least one */
    size_t scenario_count;
    const char **fixtures; /* names of those that exist, in the order in which they run; static strings */
    size_t fixture_count;
    bool uses_browser; /* it loads tutti.browser */
};

struct script_library;

struct script_inspection {
    const char *path;
    const struct script_library *library; /* what it can require */
    bool is_system_allowed;
    const char *target; /* what `tutti.target` is while the script loads; NULL: a placeholder, unless the
                           script sets one */
};

/* Loads the script in a process of its own, in the sandbox and, unless the system is allowed, behind the
 * walls that an agent would give it; there it reads its own folder and nothing else of the user's. The
 * calling process has no other threads. Prints of the script go to standard output. NULL with one line for a
 * person: "pad.lua: no such file", "pad.lua:12: '=' expected near 'x'", "pad.lua: it has no scenario",
 * "pad.lua:3: option workers: expected …". */
MUST_CHECK struct script_facts *script_inspect(const struct script_inspection *inspection,
                                               struct error *error);
void script_facts_free(struct script_facts **facts);
