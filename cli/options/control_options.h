/* Where the coordinator of the control commands is, and how they show that they may ask. */
#pragma once
#include "common/option.h"

#define CONTROL_API_FALLBACK "http://127.0.0.1:7441"

struct control_options {
    const char *api;
    const char *token;
    const char *token_path;
    uint64_t retry_ms; /* how long to ask again while the coordinator is away; of commands that only look */
};

/* The rows of a table that fills a structure with a struct control_options `at` this offset. */
#define CONTROL_OPTION_COUNT 3
/* clang-format off */
#define CONTROL_OPTIONS(at)                                                                                  \
    {.name = "api", .type = OPTION_CUSTOM, .offset = (at) + offsetof(struct control_options, api),           \
     .is_set_offset = SIZE_MAX, .parse = control_parse_api, .argument = "URL",                               \
     .help = "where the coordinator serves its API", .fallback = CONTROL_API_FALLBACK},                      \
    {.name = "token", .type = OPTION_TEXT, .offset = (at) + offsetof(struct control_options, token),         \
     .is_set_offset = SIZE_MAX, .argument = "TEXT",                                                          \
     .help = "what the coordinator lets in (others on this host may see it: better a file)"},                \
    {.name = "token-file", .type = OPTION_TEXT, .is_set_offset = SIZE_MAX,                                   \
     .offset = (at) + offsetof(struct control_options, token_path), .argument = "FILE",                      \
     .help = "the token is the first line of this file; else that of a coordinator of yours on this host"}

/* Of a command that only looks; `at` as above. */
#define CONTROL_RETRY_MS 60000u
#define CONTROL_RETRY_OPTION(at)                                                                             \
    {.name = "retry", .type = OPTION_DURATION, .is_set_offset = SIZE_MAX, .argument = "TIME",                \
     .offset = (at) + offsetof(struct control_options, retry_ms), .fallback = "1m",                          \
     .help = "how long to ask again while the coordinator is away; 0: not at all"}

/* A flag `at` this offset. The variable of --json is the file for the report of `tutti run`. */
#define CONTROL_JSON_OPTION(at, words)                                                                       \
    {.name = "json", .type = OPTION_FLAG, .offset = (at), .is_set_offset = SIZE_MAX,                         \
     .has_no_variable = true, .help = (words)}
/* Likewise. */
#define CONTROL_WIDE_OPTION(at)                                                                              \
    {.name = "wide", .type = OPTION_FLAG, .offset = (at), .is_set_offset = SIZE_MAX,                         \
     .has_no_variable = true, .help = "all columns, each as wide as its texts"}
/* clang-format on */

bool control_parse_api(const char *text, void *value, struct error *error);
