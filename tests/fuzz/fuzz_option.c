/* Any bytes as a command line of words that end with zero bytes, and as a duration. */
#include "fuzz.h"

#include "common/duration.h"
#include "common/memory.h"
#include "common/option.h"

#include <string.h>

#define MAX_WORDS 32

struct values {
    bool flag;
    uint32_t count;
    uint64_t number;
    bool is_number_set;
    uint64_t duration_ms;
    const char *text;
    uint32_t choice;
    uint64_t custom;
};

static bool parse_custom(const char *text, void *value, struct error *error)
{
    if (strcmp(text, "right") != 0) {
        return error_set(error, "only right is right");
    }
    *(uint64_t *)value = 1;
    return true;
}

static const char *const CHOICES[] = {"shrink", "replace", "fail", NULL};

#define AT(member) .offset = offsetof(struct values, member), .is_set_offset = SIZE_MAX
static const struct option OPTIONS[] = {
    {.name = "quiet", .letter = 'q', .type = OPTION_FLAG, AT(flag), .help = "a flag"},
    {.name = "verbose", .letter = 'v', .type = OPTION_COUNT, AT(count), .help = "a count"},
    {.name = "workers",
     .letter = 'w',
     .type = OPTION_NUMBER,
     .offset = offsetof(struct values, number),
     .is_set_offset = offsetof(struct values, is_number_set),
     .minimum = 1,
     .maximum = 1000000,
     .argument = "N",
     .help = "a number"},
    {.name = "duration",
     .letter = 'd',
     .type = OPTION_DURATION,
     AT(duration_ms),
     .argument = "TIME",
     .help = "a time",
     .maximum = UINT64_MAX},
    {.name = "target", .type = OPTION_TEXT, AT(text), .argument = "URL", .help = "a text"},
    {.name = "on-loss",
     .type = OPTION_CHOICE,
     AT(choice),
     .choices = CHOICES,
     .argument = "WHAT",
     .help = "a choice"},
    {.name = "custom",
     .type = OPTION_CUSTOM,
     AT(custom),
     .parse = parse_custom,
     .argument = "X",
     .help = "its own"},
};

static void check_duration(const char *text)
{
    uint64_t milliseconds = 0;
    struct error error;
    char described[40];
    if (duration_parse(text, &milliseconds, &error)) {
        FUZZ_CHECK(milliseconds <= 365ull * 24 * 3600 * 1000);
        duration_describe(milliseconds, described, sizeof described);
        FUZZ_CHECK(strlen(described) > 0 && strlen(described) < sizeof described);
    }
}

static void check_options(int argc, char **argv)
{
    struct values values = {0};
    const char *words[MAX_WORDS];
    size_t word_count = 0;
    struct error error;
    if (option_parse(OPTIONS, sizeof OPTIONS / sizeof *OPTIONS, argc, argv, &values, words, MAX_WORDS / 2,
                     &word_count, &error)) {
        FUZZ_CHECK(word_count <= MAX_WORDS / 2 && values.choice < 3 && values.custom <= 1);
        FUZZ_CHECK(!values.is_number_set || (values.number >= 1 && values.number <= 1000000));
    } else {
        FUZZ_CHECK(strlen(error.text) > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = memory_copy(bytes_of(data, size).size > 0 ? data : (const uint8_t *)"", size);
    char *argv[MAX_WORDS + 1] = {copy};
    char program[] = "tutti";
    int argc = 1;
    argv[0] = program;
    for (size_t at = 0; at <= size && argc < MAX_WORDS; at += strlen(copy + at) + 1) {
        argv[argc++] = copy + at;
    }
    argv[argc] = NULL;
    check_duration(copy);
    check_options(argc, argv);
    memory_free(copy);
    return 0;
}
