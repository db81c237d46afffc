/* Parses the command line and the environment according to a table of options. */
#include "common/option.h"
#include "common/bytes.h"
#include "common/digits.h"
#include "common/duration.h"
#include "common/edit_distance.h"
#include "common/memory.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES EDIT_DISTANCE_MAX_BYTES
/* Maximum edit distance for a suggestion: anything farther away would only confuse. */
#define SUGGESTION_DISTANCE 3u

/* The state of one call of option_parse. */
struct parse {
    const struct option *options;
    size_t count;
    int argc;
    char **argv;
    int position; /* index of the next argument */
    void *values;
    struct error *error;
};

/* Which follows it as an argument of its own. */
static bool takes_value(const struct option *option)
{
    return option->type != OPTION_FLAG && option->type != OPTION_COUNT && option->bare == NULL;
}

static bool set_flag(const char *text, bool *flag, struct error *error)
{
    bool is_true = strcmp(text, "1") == 0 || strcmp(text, "true") == 0;
    if (!is_true && strcmp(text, "0") != 0 && strcmp(text, "false") != 0) {
        return error_set(error, "\"%.40s\" is neither true nor false", text);
    }
    *flag = is_true;
    return true;
}

static bool set_number(const struct option *option, const char *text, void *values, struct error *error)
{
    uint64_t parsed = 0;
    if (digits_are(text, &parsed) && parsed >= option->minimum && parsed <= option_maximum(option)) {
        option_put_number(option, values, parsed);
        return true;
    }
    if (option->maximum > 0) {
        return error_set(error, "\"%.40s\" is not a whole number from %llu to %llu", text,
                         (unsigned long long)option->minimum, (unsigned long long)option->maximum);
    }
    return error_set(error, "\"%.40s\" is not a whole number of at least %llu", text,
                     (unsigned long long)option->minimum);
}

/* `text` is NULL for a counter without a value. */
static bool set_count(const struct option *option, const char *text, uint32_t *value, struct error *error)
{
    uint64_t number = (uint64_t)*value + 1;
    if (text != NULL && (!digits_are(text, &number) || number > UINT32_MAX)) {
        return error_set(error, "\"%.40s\" is not a whole number", text);
    }
    if (number > option_maximum(option)) {
        return error_set(error, "is more than %llu", (unsigned long long)option_maximum(option));
    }
    *value = (uint32_t)number;
    return true;
}

static bool set_real(const struct option *option, const char *text, double *value, struct error *error)
{
    const char *rest = text;
    double number = 0;
    if (!digits_read_decimal(&rest, &number) || *rest != '\0' ||
        !(number >= (double)option->minimum && number <= (double)option_maximum(option))) {
        return error_set(error, "\"%.40s\" is not a number from %llu to %llu", text,
                         (unsigned long long)option->minimum, (unsigned long long)option_maximum(option));
    }
    *value = number;
    return true;
}

static bool check_text(const struct option *option, const char *text, struct error *error)
{
    size_t size = strlen(text);
    if (size < option->minimum || size > option_maximum(option)) {
        return error_set(error, "must have %llu to %llu characters", (unsigned long long)option->minimum,
                         (unsigned long long)option_maximum(option));
    }
    return option->check == NULL || option->check(bytes_of(text, size), error);
}

static bool set_duration(const struct option *option, const char *text, uint64_t *milliseconds,
                         struct error *error)
{
    uint64_t parsed = 0;
    char limit[64];
    if (!duration_parse(text, &parsed, error)) {
        return false;
    }
    if (parsed < option->minimum) {
        duration_describe(option->minimum, limit, sizeof limit);
        return error_set(error, "\"%.40s\" is too short; it must be at least %s", text, limit);
    }
    if (option->maximum > 0 && parsed > option->maximum) {
        duration_describe(option->maximum, limit, sizeof limit);
        return error_set(error, "\"%.40s\" is too long; it must be at most %s", text, limit);
    }
    *milliseconds = parsed;
    return true;
}

static bool set_choice(const struct option *option, const char *text, uint32_t *choice, struct error *error)
{
    SCOPED(memory_free_at) char *list = memory_copy_string("");
    if (option_find_choice(option, text, choice)) {
        return true;
    }
    for (uint32_t i = 0; option->choices[i] != NULL; i++) {
        const char *comma = i == 0 ? "" : option->choices[i + 1] == NULL ? " or " : ", ";
        char *longer = memory_format("%s%s%s", list, comma, option->choices[i]);
        memory_free(list);
        list = longer;
    }
    return error_set(error, "\"%.40s\" is not one of %s", text, list);
}

static bool add_text(const struct option *option, const char *text, struct option_texts *texts,
                     struct error *error)
{
    if (texts->count == OPTION_TEXTS_MAX) {
        return error_set(error, "given more than %u times", OPTION_TEXTS_MAX);
    }
    texts->items[texts->count++] = text;
    return check_text(option, text, error);
}

/* `text` is NULL for a flag or a counter without a value. */
static bool set_value(const struct option *option, const char *text, void *values, struct error *error)
{
    void *value = (char *)values + option->offset;
    switch (option->type) {
    case OPTION_FLAG:
        return set_flag(text == NULL ? "1" : text, value, error);
    case OPTION_COUNT:
        return set_count(option, text, value, error);
    case OPTION_NUMBER:
        return set_number(option, text, values, error);
    case OPTION_DURATION:
        return set_duration(option, text, value, error);
    case OPTION_REAL:
        return set_real(option, text, value, error);
    case OPTION_TEXT:
        *(const char **)value = text;
        return check_text(option, text, error);
    case OPTION_TEXTS:
        return add_text(option, text, value, error);
    case OPTION_BYTES:
        *(struct bytes *)value = bytes_of_string(text);
        return check_text(option, text, error);
    case OPTION_CHOICE:
        return set_choice(option, text, value, error);
    case OPTION_CUSTOM:
        return option->parse(text, value, error);
    }
    return false;
}

void option_set_defaults(const struct option *options, size_t count, void *values)
{
    for (size_t i = 0; i < count; i++) {
        const struct option *option = &options[i];
        if (option->fallback != NULL && option->type != OPTION_TEXT && option->type != OPTION_BYTES) {
            bool is_good = set_value(option, option->fallback, values, NULL);
            assert(is_good);
            (void)is_good;
        }
    }
}

static bool apply(const struct parse *parse, const struct option *option, const char *text)
{
    if (!set_value(option, text, parse->values, parse->error)) {
        return false;
    }
    if (option->is_set_offset != SIZE_MAX) {
        *(bool *)((char *)parse->values + option->is_set_offset) = true;
    }
    return true;
}

static bool read_environment(const struct parse *parse)
{
    for (size_t i = 0; i < parse->count; i++) {
        char variable[OPTION_VARIABLE_BYTES];
        option_variable(&parse->options[i], variable);
        const char *text = getenv(variable);
        if (text != NULL && *text != '\0' && !parse->options[i].has_no_variable &&
            !apply(parse, &parse->options[i], text)) {
            return error_wrap(parse->error, "%s: ", variable);
        }
    }
    return true;
}

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* Being a prefix of a name counts as a perfect match. */
static size_t distance_to(const struct option *option, struct bytes given)
{
    bool is_start = given.size > 1 && strncmp(option->name, (const char *)given.data, given.size) == 0;
    return is_start ? 0 : edit_distance(bytes_of_string(option->name), given);
}

bool option_is_elsewhere(const struct option *option, struct bytes name)
{
    const char *words = option->elsewhere;
    while (words != NULL && *words != '\0') {
        size_t size = strcspn(words, " ");
        if (bytes_equal(bytes_of(words, size), name)) {
            return true;
        }
        words += size + (words[size] == ' ');
    }
    return false;
}

/* The option that other tools call so; NULL: none. */
static const struct option *find_elsewhere(const struct parse *parse, struct bytes name)
{
    for (size_t i = 0; i < parse->count; i++) {
        if (option_is_elsewhere(&parse->options[i], name)) {
            return &parse->options[i];
        }
    }
    return NULL;
}

static bool refuse_letter(const struct parse *parse, char letter)
{
    const struct option *option = find_elsewhere(parse, bytes_of(&letter, 1));
    char shown = letter;
    if (!isprint((unsigned char)letter)) {
        shown = '?';
    }
    if (option == NULL) {
        return error_set(parse->error, "unknown option -%c", shown);
    }
    return error_set(parse->error, "unknown option -%c; it is --%s here", shown, option->name);
}

static bool refuse_unknown(const struct parse *parse, struct bytes name)
{
    const struct option *meant = find_elsewhere(parse, name);
    if (meant != NULL) {
        return error_set(parse->error, "unknown option --%.*s; it is --%s here", (int)name.size,
                         (const char *)name.data, meant->name);
    }
    const char *nearest = NULL;
    size_t nearest_distance = SUGGESTION_DISTANCE + 1;
    for (size_t i = 0; i < parse->count && name.size <= NAME_MAX_BYTES; i++) {
        size_t distance = distance_to(&parse->options[i], name);
        if (distance < nearest_distance && distance * 2 <= name.size) {
            nearest_distance = distance;
            nearest = parse->options[i].name;
        }
    }
    int length = (int)smaller(name.size, NAME_MAX_BYTES);
    if (nearest == NULL) {
        return error_set(parse->error, "unknown option --%.*s", length, (const char *)name.data);
    }
    return error_set(parse->error, "unknown option --%.*s; did you mean --%s?", length,
                     (const char *)name.data, nearest);
}

/* The argument after the option, which is consumed; NULL if there is none. */
static const char *next_argument(struct parse *parse)
{
    return parse->position < parse->argc ? parse->argv[parse->position++] : NULL;
}

/* A second one would replace the first, without a word. */
static bool was_given_before(const struct parse *parse, const struct option *option, int position)
{
    size_t size = strlen(option->name);
    for (int i = 1; i < position; i++) {
        const char *argument = parse->argv[i];
        if (strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, option->name, size) == 0 &&
            (argument[size + 2] == '\0' || argument[size + 2] == '=')) {
            return true;
        }
    }
    return false;
}

/* `argument` is the text after the two dashes. */
static bool read_long(struct parse *parse, const char *argument)
{
    struct bytes name = bytes_of(argument, strcspn(argument, "="));
    const char *text = argument[name.size] == '=' ? argument + name.size + 1 : NULL;
    for (size_t i = 0; i < parse->count; i++) {
        const struct option *option = &parse->options[i];
        if (!bytes_equal_string(name, option->name)) {
            continue;
        }
        if (option->is_list && option->separator == 0 &&
            was_given_before(parse, option, parse->position - 1)) {
            return error_set(parse->error, "--%s is given twice: write all of it as one, separated by spaces",
                             option->name);
        }
        if (text == NULL && takes_value(option) && (text = next_argument(parse)) == NULL) {
            return error_set(parse->error, "--%s needs a value", option->name);
        }
        return apply(parse, option, text != NULL ? text : option->bare) ||
               error_wrap(parse->error, "--%s: ", option->name);
    }
    return refuse_unknown(parse, name);
}

bool option_set(const struct option *options, size_t count, struct bytes name, const char *text, void *values,
                struct error *error)
{
    const struct parse parse = {.options = options, .count = count, .values = values, .error = error};
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal_string(name, options[i].name)) {
            return apply(&parse, &options[i], text) || error_wrap(error, "%s: ", options[i].name);
        }
    }
    return refuse_unknown(&parse, name);
}

static const struct option *find_letter(const struct parse *parse, char letter)
{
    for (size_t i = 0; i < parse->count; i++) {
        if (parse->options[i].letter == letter) {
            return &parse->options[i];
        }
    }
    return NULL;
}

/* `letters` is the text after the dash: flags, and perhaps a last option whose value is the rest or the next
 * argument. */
static bool read_letters(struct parse *parse, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        const struct option *option = find_letter(parse, *letters);
        if (option == NULL) {
            return refuse_letter(parse, *letters);
        }
        const char *text = option->bare;
        bool is_last = takes_value(option);
        if (is_last) {
            text = letters[1] != '\0' ? letters + 1 : next_argument(parse);
            if (text == NULL) {
                return error_set(parse->error, "-%c (--%s) needs a value", *letters, option->name);
            }
        }
        if (!apply(parse, option, text)) {
            return error_wrap(parse->error, "-%c (--%s): ", *letters, option->name);
        }
        if (is_last) {
            break;
        }
    }
    return true;
}

bool option_parse(const struct option *options, size_t count, int argc, char **argv, void *values,
                  const char **words, size_t word_capacity, size_t *word_count, struct error *error)
{
    struct parse parse = {options, count, argc, argv, 1, values, error};
    bool are_words_left = false;
    *word_count = 0;
    if (!read_environment(&parse)) {
        return false;
    }
    while (parse.position < argc) {
        const char *argument = argv[parse.position++];
        if (!are_words_left && strcmp(argument, "--") == 0) {
            are_words_left = true;
        } else if (are_words_left || argument[0] != '-' || argument[1] == '\0') {
            if (*word_count == word_capacity) {
                return error_set(error, "unexpected argument \"%.80s\"", argument);
            }
            words[(*word_count)++] = argument;
        } else {
            bool is_long = argument[1] == '-';
            if (!(is_long ? read_long(&parse, argument + 2) : read_letters(&parse, argument + 1))) {
                return false;
            }
        }
    }
    return true;
}

/* The option that `argument` begins with and the value within it, if there is one; NULL: it is no option. */
static const struct option *option_of_argument(const struct parse *parse, const char *argument,
                                               const char **text)
{
    *text = NULL;
    if (argument[0] != '-' || argument[1] == '\0') {
        return NULL;
    }
    if (argument[1] == '-') {
        size_t size = strcspn(argument + 2, "=");
        *text = argument[size + 2] == '=' ? argument + size + 3 : NULL;
        for (size_t i = 0; i < parse->count; i++) {
            if (bytes_equal_string(bytes_of(argument + 2, size), parse->options[i].name)) {
                return &parse->options[i];
            }
        }
        return NULL;
    }
    const struct option *option = NULL;
    for (argument++; *argument != '\0' && (option == NULL || !takes_value(option)); argument++) {
        option = find_letter(parse, *argument);
    }
    *text = *argument != '\0' ? argument : NULL;
    return option;
}

bool option_is_given(const struct option *options, size_t count, int argc, char **argv,
                     const struct option *option)
{
    struct parse parse = {.options = options, .count = count, .argc = argc, .argv = argv, .position = 1};
    while (parse.position < argc && strcmp(argv[parse.position], "--") != 0) {
        const char *text = NULL;
        const struct option *given = option_of_argument(&parse, argv[parse.position++], &text);
        if (given == option) {
            return true;
        }
        if (given != NULL && takes_value(given) && text == NULL) {
            (void)next_argument(&parse);
        }
    }
    return false;
}

char *option_join(const struct option *options, size_t count, int *argc, char **argv,
                  const struct option *option)
{
    struct parse parse = {.options = options, .count = count, .argc = *argc, .argv = argv, .position = 1};
    char *joined = NULL;
    int kept = 1;
    assert(option->letter == 0); /* it may share its argument with others: -qm */
    while (parse.position < *argc && strcmp(argv[parse.position], "--") != 0) {
        const char *text = NULL;
        int start = parse.position;
        const struct option *given = option_of_argument(&parse, argv[parse.position++], &text);
        if (given != NULL && takes_value(given) && text == NULL) {
            text = next_argument(&parse);
        }
        for (int i = start; given != option && i < parse.position; i++) {
            argv[kept++] = argv[i];
        }
        if (given == option && text != NULL) {
            char *longer = joined == NULL ? memory_copy_string(text)
                                          : memory_format("%s%c%s", joined, option->separator, text);
            memory_free(joined);
            joined = longer;
        }
    }
    while (parse.position < *argc) {
        argv[kept++] = argv[parse.position++];
    }
    *argc = kept;
    return joined;
}
