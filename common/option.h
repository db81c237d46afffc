/* Command-line options as rows of a table, from which parsing, environment, help and shell completion come.
 */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum option_type {
    OPTION_FLAG,     /* bool */
    OPTION_COUNT,    /* uint32_t, grows with each occurrence (-vv) */
    OPTION_NUMBER,   /* uint64_t within minimum…maximum */
    OPTION_DURATION, /* uint64_t, milliseconds, within minimum…maximum */
    OPTION_TEXT,     /* const char *, borrowed from argv or the environment */
    OPTION_CHOICE,   /* uint32_t index into `choices` */
    OPTION_CUSTOM    /* `parse` does it all */
};

struct option {
    const char *name; /* "ramp-up"; its variable is TUTTI_RAMP_UP */
    char letter;      /* 'w' or 0 */
    enum option_type type;
    size_t offset;        /* of the value in the structure that is filled */
    size_t is_set_offset; /* of a bool that says whether the user gave it; SIZE_MAX for none */
    uint64_t minimum;
    uint64_t maximum;           /* 0: no limit */
    const char *const *choices; /* ends with NULL */
    bool (*parse)(const char *text, void *value, struct error *error);
    const char *argument; /* "SECONDS", "N", NULL for flags */
    const char *help;     /* one line */
    const char *fallback; /* the default in words, for help; NULL says nothing */
    bool has_no_variable; /* what its variable says is meant for another command */
};

/* The name of its environment variable. */
#define OPTION_VARIABLE_BYTES 80
void option_variable(const struct option *option, char variable[OPTION_VARIABLE_BYTES]);

/* Fills `values` first from the environment (TUTTI_…, an empty one counts as absent), then from argv[1…]:
 * --name VALUE, --name=VALUE, -x VALUE, -xVALUE,
 * -- ends options. A flag takes --name=false too. Words that are no options are put into `words` (as many as
 * `word_capacity`; more is an error), and `word_count` set. Errors name the option, what was given and what
 * would be right; an unknown option suggests the nearest. */
MUST_CHECK bool option_parse(const struct option *options, size_t count, int argc, char **argv, void *values,
                             const char **words, size_t word_capacity, size_t *word_count,
                             struct error *error);
/* One option by its long name, as --name=TEXT would. */
MUST_CHECK bool option_set(const struct option *options, size_t count, struct bytes name, const char *text,
                           void *values, struct error *error);
/* Lines of `name = value`, in which _ may stand for -; an empty line and one that begins with # say nothing.
 * Values are cut out of `text`, which has to outlive them. Errors name the line. */
MUST_CHECK bool option_parse_lines(const struct option *options, size_t count, char *text, void *values,
                                   struct error *error);
/* The aligned list for --help, no wider than 100 columns. */
void option_print_help(const struct option *options, size_t count, FILE *out);
