/* Command-line options as rows of a table, which parsing, environment variables, help and shell completion
 * use. */
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
    OPTION_COUNT,    /* uint32_t up to maximum, incremented by each occurrence (-vv) */
    OPTION_NUMBER,   /* unsigned, of `size` bytes, within minimum…maximum */
    OPTION_DURATION, /* uint64_t, milliseconds, within minimum…maximum */
    OPTION_REAL,     /* double within minimum…maximum */
    OPTION_TEXT,     /* const char * of minimum…maximum bytes, borrowed from argv or the environment */
    OPTION_TEXTS,    /* struct option_texts: the same several times */
    OPTION_BYTES,    /* struct bytes, otherwise the same as OPTION_TEXT */
    OPTION_CHOICE,   /* uint32_t or an enum: the value of one of `choices` */
    OPTION_CUSTOM    /* `parse` does everything */
};

/* In the order in which they were given; that of the environment is the first. */
#define OPTION_TEXTS_MAX 256u
struct option_texts {
    const char *items[OPTION_TEXTS_MAX];
    size_t count;
};

#define OPTION_CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define OPTION_VALUES(...) ((const uint32_t[]){__VA_ARGS__})

struct option {
    const char *name; /* "ramp-up"; its variable is TUTTI_RAMP_UP */
    char letter;      /* 'w' or 0 */
    enum option_type type;
    size_t offset;        /* of the value in the structure to be filled */
    size_t is_set_offset; /* of a bool that is set if the user gave the option; SIZE_MAX for none */
    size_t size;          /* of a number: 2, 4 or 8; 0 is 8 */
    uint64_t minimum;
    uint64_t maximum;           /* 0: no limit */
    const char *const *choices; /* terminated by NULL */
    const uint32_t *values;     /* of the choices, several may have the same; NULL: their indexes */
    bool (*check)(struct bytes text, struct error *error); /* of a text, after its size; or NULL */
    bool (*parse)(const char *text, void *value, struct error *error);
    const char *expected; /* what `parse` accepts, as in "expected a number of steps" */
    const char *argument; /* "SECONDS", "N", "[=N]" beside `bare`, NULL for flags */
    const char *bare; /* what --name alone means: a value has to be written --name=VALUE then, and there is no
                         letter. NULL: --name needs a value */
    const char *help; /* one line */
    const char *elsewhere; /* what other tools call it, words and letters, separated by spaces: not accepted,
                              but pointed out; or NULL */
    const char
        *fallback;   /* the default, spelled as on the command line; of a text, words for help; or NULL */
    bool is_list;    /* of a text: several words, which a script may give as a list */
    char separator;  /* between those; 0: a space. With another one, the option may be given several times:
                        option_parse checks each and keeps the last, option_join has all */
    bool has_pairs;  /* of a list: a script may also give {first, second} in place of "first:second" */
    bool has_fields; /* of a text: a script may also give a table, {a = 1, b = 2} in place of "a=1;b=2" */
    bool has_no_variable; /* its variable is meant for another command: ignored here */
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

/* Fills `values` first from the environment (TUTTI_…; an empty variable counts as absent), then from
 * argv[1…]: --name VALUE, --name=VALUE, -x VALUE, -xVALUE; -- ends the options. A flag also accepts
 * --name=false. Arguments that are not options are stored in `words` (at most `word_capacity`; more is an
 * error), and `word_count` is set. Errors name the option, the given value and what would be accepted; an
 * unknown option suggests the one that other tools call so, or the nearest name. */
MUST_CHECK bool option_parse(const struct option *options, size_t count, int argc, char **argv, void *values,
                             const char **words, size_t word_capacity, size_t *word_count,
                             struct error *error);
/* Takes every occurrence of an option that may be given several times, and has no letter, out of argv[1…];
 * its values with the separator between them, NULL if there is none. Free with memory_free. */
MUST_CHECK char *option_join(const struct option *options, size_t count, int *argc, char **argv,
                             const struct option *option);
/* Whether argv[1…] has the option. */
MUST_CHECK bool option_is_given(const struct option *options, size_t count, int argc, char **argv,
                                const struct option *option);
/* Whether other tools call it so. */
MUST_CHECK bool option_is_elsewhere(const struct option *option, struct bytes name);
/* Sets each option that has a fallback to its default, except texts. */
void option_set_defaults(const struct option *options, size_t count, void *values);
/* Sets one option by its long name, as --name=TEXT would. */
MUST_CHECK bool option_set(const struct option *options, size_t count, struct bytes name, const char *text,
                           void *values, struct error *error);
/* Lines of `name = value`, in which _ may stand for -; empty lines and lines that begin with # are ignored.
 * Values point into `text`, which is modified and has to outlive them. Errors name the line. */
MUST_CHECK bool option_parse_lines(const struct option *options, size_t count, char *text, void *values,
                                   struct error *error);
/* The aligned list for --help, at most 100 columns wide. */
void option_print_help(const struct option *options, size_t count, FILE *out);
