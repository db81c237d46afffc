/* Where the coordinator of the control commands is, and how they show that they may ask. */
#pragma once
#include "cli/api_client.h"
#include "common/option.h"

#define CONTROL_API_FALLBACK "http://127.0.0.1:7441"

struct control_options {
    const char *api;
    const char *token;
    const char *token_path;
};

/* The rows of a table that fills `structure`, which has a struct control_options as `member`. */
#define CONTROL_OPTION_COUNT 3
#define CONTROL_OPTIONS(structure, member)                                                                   \
    {.name = "api",                                                                                          \
     .type = OPTION_CUSTOM,                                                                                  \
     .offset = offsetof(structure, member.api),                                                              \
     .is_set_offset = SIZE_MAX,                                                                              \
     .parse = control_parse_api,                                                                             \
     .argument = "URL",                                                                                      \
     .help = "where the coordinator serves its API",                                                         \
     .fallback = CONTROL_API_FALLBACK},                                                                      \
        {.name = "token",                                                                                    \
         .type = OPTION_TEXT,                                                                                \
         .offset = offsetof(structure, member.token),                                                        \
         .is_set_offset = SIZE_MAX,                                                                          \
         .argument = "TEXT",                                                                                 \
         .help = "what the coordinator lets in (others on this host may see it: better a file)"},            \
    {                                                                                                        \
        .name = "token-file", .type = OPTION_TEXT, .offset = offsetof(structure, member.token_path),         \
        .is_set_offset = SIZE_MAX, .argument = "FILE", .help = "the token is the first line of this file"    \
    }

/* A flag: the variable of --json is the file for the report of `tutti run`. */
#define CONTROL_JSON_OPTION(structure, member, words)                                                        \
    {                                                                                                        \
        .name = "json", .type = OPTION_FLAG, .offset = offsetof(structure, member),                          \
        .is_set_offset = SIZE_MAX, .has_no_variable = true, .help = words                                    \
    }

bool control_parse_api(const char *text, void *value, struct error *error);

/* The client for it; NULL after `who` has said what is wrong with the options. */
MUST_CHECK struct api_client *control_connect(const char *who, const struct control_options *options);
