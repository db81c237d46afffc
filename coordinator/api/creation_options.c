/* The options of a campaign read from JSON, by their table. */
#include "coordinator/api/creation.h"

#include "proto/message/campaign_option.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SEED_BITS 48u
#define NAMED_BYTES 40

static bool take_count(const struct option *option, const json_t *value, struct campaign_options *options,
                       struct error *error)
{
    uint64_t maximum = option_maximum(option) < INT64_MAX ? option_maximum(option) : INT64_MAX;
    json_int_t number = json_integer_value(value);
    if (!json_is_integer(value) || number < (json_int_t)option->minimum || number > (json_int_t)maximum) {
        return error_set(error, "it is not an integer from %llu to %llu", (unsigned long long)option->minimum,
                         (unsigned long long)maximum);
    }
    option_put_number(option, options, (uint64_t)number);
    return true;
}

static bool take_word(const struct option *option, const json_t *value, struct campaign_options *options,
                      struct error *error)
{
    uint32_t choice = 0;
    if (json_is_string(value) && option_find_choice(option, json_string_value(value), &choice)) {
        option_put_number(option, options, choice);
        return true;
    }
    (void)error_set(error, "it is not one of %s", option->choices[0]);
    for (size_t i = 1; option->choices[i] != NULL; i++) {
        size_t size = strlen(error->text);
        (void)snprintf(error->text + size, sizeof error->text - size, ", %s", option->choices[i]);
    }
    return false;
}

/* An empty one is none. */
static bool take_text(const struct option *option, const json_t *value, struct bytes *text,
                      struct error *error)
{
    if (!json_is_string(value) || json_string_length(value) > option_maximum(option)) {
        return error_set(error, "it is not a text of at most %llu bytes",
                         (unsigned long long)option_maximum(option));
    }
    *text = bytes_of(json_string_value(value), json_string_length(value));
    return option->check == NULL || option->check(*text, error);
}

static bool take_real(const struct option *option, const json_t *value, double *real, struct error *error)
{
    double number = json_number_value(value);
    double maximum = (double)option_maximum(option);
    if (!json_is_number(value) || !(number >= (double)option->minimum && number <= maximum)) {
        return error_set(error, "it is not a number from %llu to %llu", (unsigned long long)option->minimum,
                         (unsigned long long)option_maximum(option));
    }
    *real = number;
    return true;
}

static bool take(const struct option *option, const json_t *value, struct campaign_options *options,
                 struct error *error)
{
    void *field = (char *)options + option->offset;
    switch (option->type) {
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_COUNT:
        return take_count(option, value, options, error);
    case OPTION_FLAG:
        *(bool *)field = json_is_true(value);
        return json_is_boolean(value) || error_set(error, "it is neither true nor false");
    case OPTION_CHOICE:
        return take_word(option, value, options, error);
    case OPTION_BYTES:
        return take_text(option, value, field, error);
    case OPTION_REAL:
        return take_real(option, value, field, error);
    case OPTION_TEXT: /* no row with a key is one of these */
    case OPTION_TEXTS:
    case OPTION_CUSTOM:
        break;
    }
    return false;
}

static bool take_named(const char *name, const json_t *value, struct campaign_options *options,
                       struct error *error)
{
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        const struct campaign_option *row = &campaign_option_table[i];
        if (row->key != NULL && strcmp(row->key, name) == 0) {
            return take(&row->option, value, options, error) || error_wrap(error, "options.%s: ", name);
        }
    }
    return error_set(error, "options: \"%.*s\" is not known here", NAMED_BYTES, name);
}

/* Small enough for every reader of JSON; 0 means none was given. */
static uint64_t draw_seed(void)
{
    uint64_t seed = 0;
    while (seed == 0) {
        if (getrandom(&seed, sizeof seed, 0) != (ssize_t)sizeof seed) {
            seed = 1;
        }
        seed &= (1ULL << SEED_BITS) - 1;
    }
    return seed;
}

/* What was not said, and what options say only together. */
static bool settle(struct campaign_options *options, const json_t *object, struct error *error)
{
    if (json_object_get(object, "fail_percent") != NULL && json_object_get(object, "fail_steps") == NULL) {
        options->fail_steps = 0;
    }
    bool is_fail_given =
        json_object_get(object, "fail_percent") != NULL || json_object_get(object, "fail_steps") != NULL;
    campaign_options_settle(options, json_object_get(object, "runs") != NULL, is_fail_given);
    if (options->seed == 0) {
        options->seed = draw_seed();
    }
    return campaign_options_check(options, error) || error_wrap(error, "options: ");
}

bool creation_read_options(struct campaign_options *options, const struct json_t *object, struct error *error)
{
    *options = campaign_options_defaults();
    if (object != NULL && !json_is_object(object)) {
        return error_set(error, "options is no object");
    }
    const char *name = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (!take_named(name, value, options, error)) {
            return false;
        }
    }
    return settle(options, object, error);
}
