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
    OPTION_COUNT,    /* uint32_t up to maximum, grows with each occurrence (-vv) */
    OPTION_NUMBER,   /* unsigned, of `size` bytes, within minimum…maximum */
    OPTION_DURATION, /* uint64_t, milliseconds, within minimum…maximum */
    OPTION_REAL,     /* double within minimum…maximum */
    OPTION_TEXT,     /* const char * of minimum…maximum bytes, borrowed from argv or the environment */
    OPTION_BYTES,    /* struct bytes, otherwise the same */
    OPTION_CHOICE,   /* uint32_t or an enum: the value of one of `choices` */
    OPTION_CUSTOM    /* `parse` does it all */
};

#define OPTION_CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define OPTION_VALUES(...) ((const uint32_t[]){__VA_ARGS__})

struct option {
    const char *name; /* "ramp-up"; its variable is TUTTI_RAMP_UP */
    char letter;      /* 'w' or 0 */
    enum option_type type;
    size_t offset;        /* of the value in the structure that is filled */
    size_t is_set_offset; /* of a bool that says whether the user gave it; SIZE_MAX for none */
    size_t size;          /* of a number: 2, 4 or 8; 0 is 8 */
    uint64_t minimum;
    uint64_t maximum;           /* 0: no limit */
    const char *const *choices; /* ends with NULL */
    const uint32_t *values;     /* of the choices; NULL: each has its position. Several may have one value */
    bool (*check)(struct bytes text, struct error *error); /* more that bytes have to hold; or NULL */
    bool (*parse)(const char *text, void *value, struct error *error);
    const char *expected; /* by `parse`, as in "expected a number of steps" */
    const char *argument; /* "SECONDS", "N", NULL for flags */
    const char *help;     /* one line */
    const char *fallback; /* the default, spelled as the user would; of a text, words for help; or NULL */
    bool has_no_variable; /* what its variable says is meant for another command */
};

/* The largest value that a number, duration or count may have. */
uint64_t option_maximum(const struct option *option);
/* The value of a number, duration, count or choice, at its offset in `values`. */
uint64_t option_number(const struct option *option, const void *values);
void option_put_number(const struct option *option, void *values, uint64_t number);
/* The value of the choice spelled like this; false if there is none. */
MUST_CHECK bool option_find_choice(const struct option *option, const char *word, uint32_t *value);
/* The first choice that has the value. */
const char *option_choice(const struct option *option, uint32_t value);

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
/* Gives each option that has a fallback its default, texts excepted. */
void option_set_defaults(const struct option *options, size_t count, void *values);
/* One option by its long name, as --name=TEXT would. */
MUST_CHECK bool option_set(const struct option *options, size_t count, struct bytes name, const char *text,
                           void *values, struct error *error);
/* Lines of `name = value`, in which _ may stand for -; an empty line and one that begins with # say nothing.
 * Values are cut out of `text`, which has to outlive them. Errors name the line. */
MUST_CHECK bool option_parse_lines(const struct option *options, size_t count, char *text, void *values,
                                   struct error *error);
/* The aligned list for --help, no wider than 100 columns. */
void option_print_help(const struct option *options, size_t count, FILE *out);
