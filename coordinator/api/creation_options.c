/* The options of a campaign as a table, read from JSON: those of `tutti run` by their long names, with _. */
#include "coordinator/api/creation.h"

#include "proto/message/labels.h"
#include "proto/message/limits.h"

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define SYNC_TIMEOUT_FALLBACK_MS 60000u
#define SETUP_TIMEOUT_FALLBACK_MS 60000u
#define VERBOSITY_MAX 10
#define SEED_BITS 48u
#define NAMED_BYTES 40

enum field {
    FIELD_COUNT,
    FIELD_LONG_COUNT,
    FIELD_FLAG,
    FIELD_ON_LOSS,
    FIELD_ON_DEADLOCK,
    FIELD_BROWSER,
    FIELD_TEXT,
    FIELD_SHARE
};

static const char *const on_loss_words[] = {ON_LOSS_WORDS, NULL};
static const char *const on_deadlock_words[] = {"stop", "fail", NULL};
static const char *const browser_words[] = {"chromium", "firefox", "webkit", "remote", NULL};

static const struct row {
    const char *name;
    enum field field;
    size_t offset;
    json_int_t minimum;
    json_int_t maximum; /* of a text: in bytes */
} ROWS[] = {
#define AT(member) offsetof(struct campaign_options, member)
    {"workers", FIELD_COUNT, AT(workers), 1, LIMIT_WORKERS},
    {"runs", FIELD_LONG_COUNT, AT(runs), 0, INT64_MAX},
    {"duration_ms", FIELD_LONG_COUNT, AT(duration_ms), 0, (json_int_t)LIMIT_DURATION_MS},
    {"ramp_up_ms", FIELD_LONG_COUNT, AT(ramp_up_ms), 0, (json_int_t)LIMIT_DURATION_MS},
    {"delay_ms", FIELD_LONG_COUNT, AT(delay_ms), 0, (json_int_t)LIMIT_DURATION_MS},
    {"room_size", FIELD_COUNT, AT(room_size), 0, LIMIT_ROOM_SIZE},
    {"on_loss", FIELD_ON_LOSS, AT(on_loss), 0, 0},
    {"on_deadlock", FIELD_ON_DEADLOCK, AT(on_deadlock), 0, 0},
    {"browser", FIELD_BROWSER, AT(browser), 0, 0},
    {"sync_timeout_ms", FIELD_LONG_COUNT, AT(sync_timeout_ms), 1, (json_int_t)LIMIT_DURATION_MS},
    {"setup_timeout_ms", FIELD_LONG_COUNT, AT(setup_timeout_ms), 1, (json_int_t)LIMIT_DURATION_MS},
    {"verbosity", FIELD_COUNT, AT(verbosity), 0, VERBOSITY_MAX},
    {"single_run", FIELD_FLAG, AT(is_single_run), 0, 0},
    {"single_mode", FIELD_TEXT, AT(single_mode), 0, LIMIT_NAME_BYTES},
    {"exception", FIELD_FLAG, AT(is_stopped_by_failure), 0, 0},
    {"fail_steps", FIELD_LONG_COUNT, AT(fail_steps), 0, INT64_MAX},
    {"fail_percent", FIELD_SHARE, AT(fail_percent), 0, 100},
    {"on", FIELD_TEXT, AT(labels), 0, LABELS_MAX_BYTES},
    {"target", FIELD_TEXT, AT(target), 0, LIMIT_TEXT_BYTES},
    {"seed", FIELD_LONG_COUNT, AT(seed), 1, INT64_MAX},
#undef AT
};
#define ROW_COUNT (sizeof ROWS / sizeof ROWS[0])

static bool take_count(const struct row *row, const json_t *value, uint64_t *count, struct error *error)
{
    if (!json_is_integer(value) || json_integer_value(value) < row->minimum ||
        json_integer_value(value) > row->maximum) {
        return error_set(error, "it is no whole number from %lld to %lld", (long long)row->minimum,
                         (long long)row->maximum);
    }
    *count = (uint64_t)json_integer_value(value);
    return true;
}

static bool take_word(const json_t *value, const char *const *words, unsigned *place, struct error *error)
{
    for (*place = 0; words[*place] != NULL; (*place)++) {
        if (json_is_string(value) && strcmp(json_string_value(value), words[*place]) == 0) {
            return true;
        }
    }
    (void)error_set(error, "it is not one of %s", words[0]);
    for (size_t i = 1; words[i] != NULL; i++) {
        size_t size = strlen(error->text);
        (void)snprintf(error->text + size, sizeof error->text - size, ", %s", words[i]);
    }
    return false;
}

static bool take_text(const struct row *row, const json_t *value, struct bytes *text, struct error *error)
{
    if (!json_is_string(value) || json_string_length(value) > (size_t)row->maximum) {
        return error_set(error, "it is no text of at most %lld bytes", (long long)row->maximum);
    }
    *text = bytes_of(json_string_value(value), json_string_length(value));
    return true;
}

static bool take_share(const struct row *row, const json_t *value, double *share, struct error *error)
{
    double number = json_number_value(value);
    if (!json_is_number(value) || !(number >= (double)row->minimum && number <= (double)row->maximum)) {
        return error_set(error, "it is no number from %lld to %lld", (long long)row->minimum,
                         (long long)row->maximum);
    }
    *share = number;
    return true;
}

static bool take(const struct row *row, const json_t *value, struct campaign_options *options,
                 struct error *error)
{
    void *field = (char *)options + row->offset;
    uint64_t count = 0;
    unsigned place = 0;
    bool is_good = false;
    switch (row->field) {
    case FIELD_COUNT:
        is_good = take_count(row, value, &count, error);
        *(uint32_t *)field = (uint32_t)count;
        return is_good;
    case FIELD_LONG_COUNT:
        return take_count(row, value, (uint64_t *)field, error);
    case FIELD_FLAG:
        *(bool *)field = json_is_true(value);
        return json_is_boolean(value) || error_set(error, "it is neither true nor false");
    case FIELD_ON_LOSS:
        is_good = take_word(value, on_loss_words, &place, error);
        options->on_loss = on_loss_of((uint32_t)place);
        return is_good;
    case FIELD_ON_DEADLOCK:
        is_good = take_word(value, on_deadlock_words, &place, error);
        options->on_deadlock = (enum on_deadlock)place;
        return is_good;
    case FIELD_BROWSER:
        is_good = take_word(value, browser_words, &place, error);
        options->browser = (enum browser_kind)place;
        return is_good;
    case FIELD_TEXT:
        return take_text(row, value, (struct bytes *)field, error);
    case FIELD_SHARE:
        return take_share(row, value, (double *)field, error);
    }
    return false;
}

static bool take_named(const char *name, const json_t *value, struct campaign_options *options,
                       struct error *error)
{
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (strcmp(ROWS[i].name, name) == 0) {
            return take(&ROWS[i], value, options, error) || error_wrap(error, "options.%s: ", name);
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
    bool has_percent = options->fail_percent > 0;
    if (json_object_get(object, "fail_steps") == NULL && json_object_get(object, "fail_percent") == NULL) {
        options->fail_steps = 1;
    }
    if (json_object_get(object, "runs") == NULL && options->duration_ms == 0) {
        options->runs = 1; /* nobody means to run for ever by saying nothing */
    }
    if (options->seed == 0) {
        options->seed = draw_seed();
    }
    if (has_percent && options->fail_steps > 0) {
        return error_set(error, "options: fail_steps and fail_percent contradict each other");
    }
    if (options->is_single_run && options->single_mode.size > 0) {
        return error_set(error, "options: single_run and single_mode contradict each other");
    }
    return labels_check(options->labels, error) || error_wrap(error, "options.on: ");
}

bool creation_read_options(struct campaign_options *options, const struct json_t *object, struct error *error)
{
    *options = (struct campaign_options){.workers = 1,
                                         .sync_timeout_ms = SYNC_TIMEOUT_FALLBACK_MS,
                                         .setup_timeout_ms = SETUP_TIMEOUT_FALLBACK_MS};
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
