/* `tutti init`: a small script to start from. */
#include "cli/base/exit_code.h"
#include "cli/commands/subcommand.h"
#include "cli/skeleton/skeleton.h"
#include "common/log.h"

#include <stddef.h>
#include <stdio.h>

struct init_options {
    uint32_t script; /* index into skeleton_templates */
    bool is_editor_only;
};

#define FIELD(name) .offset = offsetof(struct init_options, name), .is_set_offset = SIZE_MAX

static const struct option init_options[] = {
    {.name = "template",
     .letter = 't',
     .type = OPTION_CHOICE,
     FIELD(script),
     .choices = skeleton_templates,
     .fallback = "start",
     .has_no_variable = true,
     .help =
         "the script: a request and workers that wait for each other, a pad that they share, a chat, a site "
         "with a login, a REST interface, or browsers"},
    {.name = "editor",
     .type = OPTION_FLAG,
     FIELD(is_editor_only),
     .has_no_variable = true,
     .help = "write only what an editor needs, for a script that exists: .tutti and .luarc.json"},
};

static int run_init(int argc, char **argv)
{
    struct init_options options = {0};
    const char *directory = ".";
    size_t word_count = 0;
    if (!subcommand_parse(&init_subcommand, argc, argv, &options, &directory, 1, &word_count)) {
        return EXIT_CODE_USAGE;
    }
    struct error error;
    if ((!options.is_editor_only &&
         !skeleton_write_project(directory, skeleton_templates[options.script], &error)) ||
        !skeleton_write_annotations(directory, &error)) {
        log_line(LOG_ERROR, "init", "%s", error.text);
        return EXIT_CODE_USAGE;
    }
    if (!options.is_editor_only) {
        printf("try it: tutti run %s/loadtest.lua --target builtin\n", directory);
    }
    return EXIT_CODE_PASSED;
}

const struct subcommand init_subcommand = {
    .name = "init",
    .usage = "[DIR]",
    .summary = "Writes a small commented script to start from",
    .details =
        "Writes loadtest.lua and README.md into DIR (by default the current folder), which is created\n"
        "if it does not exist. They are never overwritten. Beside them .tutti and .luarc.json tell an\n"
        "editor with lua-language-server the functions of tutti.\n",
    .examples = "  tutti init shop && tutti run shop/loadtest.lua --target builtin\n"
                "  tutti init shop --template chat\n",
    .options = init_options,
    .option_count = sizeof init_options / sizeof init_options[0],
    .needs = {.descriptors = 8, .threads = 0},
    .run = run_init,
};
