/* The loads of a campaign: groups of workers that run side by side. */
#include "proto/message/load.h"

#include "proto/message/limits.h"

#include <string.h>

/* clang-format off */
#define LOAD_FIELD(field) .offset = offsetof(struct load, field), .is_set_offset = SIZE_MAX
const struct option load_option_table[LOAD_OPTION_COUNT] = {
    {.name = "workers", .type = OPTION_NUMBER, LOAD_FIELD(workers), .size = sizeof(uint32_t), .minimum = 1, .maximum = LIMIT_WORKERS},
    {.name = "max_workers", .type = OPTION_NUMBER, LOAD_FIELD(max_workers), .size = sizeof(uint32_t), .maximum = LIMIT_WORKERS},
    {.name = "runs", .type = OPTION_NUMBER, LOAD_FIELD(runs)},
    {.name = "start", .type = OPTION_DURATION, LOAD_FIELD(start_ms), .maximum = LIMIT_DURATION_MS},
    {.name = "duration", .type = OPTION_DURATION, LOAD_FIELD(duration_ms), .maximum = LIMIT_DURATION_MS},
    {.name = "pacing", .type = OPTION_DURATION, LOAD_FIELD(pacing_ms), .maximum = LIMIT_DURATION_MS},
    {.name = "rate", .type = OPTION_BYTES, LOAD_FIELD(rate), .maximum = LOAD_TEXT_BYTES, .check = load_check_rate},
    {.name = "stages", .type = OPTION_BYTES, LOAD_FIELD(stages), .is_list = true, .has_pairs = true, .maximum = LOAD_TEXT_BYTES, .check = load_check_stages},
    {.name = "think", .type = OPTION_BYTES, LOAD_FIELD(think), .maximum = LOAD_TEXT_BYTES, .check = load_check_think},
    {.name = "arrivals", .type = OPTION_CHOICE, LOAD_FIELD(arrivals), .size = sizeof(enum arrival_law),
        .choices = OPTION_CHOICES("uniform", "poisson")},
};
/* clang-format on */

static struct bytes loads_take_part(struct bytes *rest, char separator)
{
    const uint8_t *found = rest->size > 0 ? memchr(rest->data, separator, rest->size) : NULL;
    size_t size = found != NULL ? (size_t)(found - (const uint8_t *)rest->data) : rest->size;
    struct bytes part = bytes_of(rest->data, size);
    size_t taken = found != NULL ? size + 1 : size;
    *rest = rest->size > 0 ? bytes_of((const uint8_t *)rest->data + taken, rest->size - taken) : *rest;
    return part;
}

/* Texts stay views of `word`, which option_set would take from a copy. */
static bool loads_set_text(struct load *load, struct bytes name, struct bytes value, struct error *error)
{
    for (size_t i = 0; i < LOAD_OPTION_COUNT; i++) {
        const struct option *option = &load_option_table[i];
        if (option->type == OPTION_BYTES && bytes_equal_string(name, option->name)) {
            *(struct bytes *)(void *)((char *)load + option->offset) = value;
            return value.size <= option->maximum && option->check(value, error);
        }
    }
    char text[LOAD_TEXT_BYTES];
    bytes_to_text(value, text, sizeof text);
    return option_set(load_option_table, LOAD_OPTION_COUNT, name, text, load, error);
}

static bool loads_parse_one(struct bytes line, struct load *load, struct error *error)
{
    struct bytes rest = line;
    *load = (struct load){.scenario = loads_take_part(&rest, ';'), .workers = 1};
    if (load->scenario.size == 0 || load->scenario.size > LIMIT_NAME_BYTES) {
        return error_set(error, "load: expected SCENARIO;workers=N;rate=N/s;start=TIME and the like");
    }
    while (rest.size > 0) {
        struct bytes value = loads_take_part(&rest, ';');
        struct bytes name = loads_take_part(&value, '=');
        if (!loads_set_text(load, name, value, error)) {
            return error_wrap(error, "load %.*s: ", (int)load->scenario.size,
                              (const char *)load->scenario.data);
        }
    }
    return true;
}

bool loads_parse(struct bytes text, struct loads *loads, struct error *error)
{
    struct bytes rest = text;
    uint64_t workers = 0;
    uint64_t most = 0;
    *loads = (struct loads){0};
    while (rest.size > 0) {
        struct bytes line = loads_take_part(&rest, '\n');
        if (line.size == 0) {
            continue;
        }
        if (loads->count == LOADS_MAX) {
            return error_set(error, "more than %u loads", LOADS_MAX);
        }
        struct load *load = &loads->items[loads->count++];
        if (!bytes_is_printable(line)) {
            return error_set(error, "load: it is not printable text");
        }
        if (!loads_parse_one(line, load, error)) {
            return false;
        }
        load->first_worker = (uint32_t)workers;
        workers += load->workers;
        most += load_most_workers(load);
        if (most > LIMIT_WORKERS) {
            return error_set(error, "the loads have more than %u workers", LIMIT_WORKERS);
        }
    }
    return loads->count > 0 || error_set(error, "load: there is none");
}

bool loads_check(struct bytes text, struct error *error)
{
    struct loads loads;
    return text.size == 0 || loads_parse(text, &loads, error);
}

void loads_of(const struct campaign_options *options, struct loads *loads)
{
    if (options->load.size > 0 && loads_parse(options->load, loads, NULL)) {
        return;
    }
    struct load_stages stages;
    bool has_rates =
        options->stages.size > 0 && load_parse_stages(options->stages, &stages, NULL) && stages.are_rates;
    *loads = (struct loads){.count = 1};
    loads->items[0] = (struct load){.workers = options->workers,
                                    .max_workers = options->max_workers,
                                    .pacing_ms = options->pacing_ms,
                                    .rate = options->rate,
                                    .think = options->think,
                                    .arrivals = options->arrivals};
    if (has_rates) {
        loads->items[0].stages = options->stages;
    }
}

bool loads_may_grow(const struct campaign_options *options)
{
    struct loads loads;
    loads_of(options, &loads);
    for (size_t i = 0; i < loads.count; i++) {
        if (loads.items[i].max_workers > 0) {
            return true;
        }
    }
    return false;
}

uint32_t load_most_workers(const struct load *load)
{
    return load->workers > load->max_workers ? load->workers : load->max_workers;
}

bool load_is_open(const struct load *load)
{
    return load->rate.size > 0 || load->stages.size > 0;
}

uint64_t load_length_ms(const struct load *load)
{
    struct load_stages stages;
    if (load->duration_ms > 0) {
        return load->duration_ms;
    }
    return load->stages.size > 0 && load_parse_stages(load->stages, &stages, NULL) ? stages.length_ms : 0;
}

bool load_growth_fits(const struct load *load, uint32_t room_size, struct error *error)
{
    uint32_t size = room_size > 0 ? room_size : 1;
    if (load->max_workers == 0) {
        return true;
    }
    if (!load_is_open(load)) {
        return error_set(error, "max_workers needs a rate: without one no arrival finds all workers busy");
    }
    if (load->max_workers < load->workers) {
        return error_set(error, "max_workers is %u, less than the %u workers that it begins with",
                         load->max_workers, load->workers);
    }
    return (load->workers % size == 0 && load->max_workers % size == 0) ||
           error_set(error, "max_workers: workers are whole rooms of %u", size);
}

static bool load_fits(const struct load *load, const struct campaign_options *options, struct error *error)
{
    struct load_stages stages;
    bool has_end = load_length_ms(load) > 0 || options->duration_ms > 0;
    if (load->stages.size > 0 && (!load_parse_stages(load->stages, &stages, NULL) || !stages.are_rates)) {
        return error_set(error, "stages of a load are of a rate, like 30s:50/s");
    }
    if (load_is_open(load) && load->pacing_ms > 0) {
        return error_set(error, "rate and pacing contradict each other");
    }
    if (load_is_open(load) && !has_end) {
        return error_set(error, "a rate needs a duration, or stages");
    }
    if (!has_end && load->runs == 0 && options->runs == 0) {
        return error_set(error, "it needs runs, or a duration");
    }
    if (options->room_size > 0 && load->workers % options->room_size != 0) {
        return error_set(error, "%u workers are not whole rooms of %u", load->workers, options->room_size);
    }
    if (options->room_size > 0 && !load_is_open(load) && load->duration_ms > 0) {
        return error_set(error, "without a rate, and with rooms, it ends by runs, not by a duration");
    }
    return load_growth_fits(load, options->room_size, error);
}

bool loads_fit(const struct campaign_options *options, struct error *error)
{
    struct loads loads;
    if (options->load.size == 0) {
        return true;
    }
    if (options->rate.size > 0 || options->stages.size > 0 || options->pacing_ms > 0 ||
        options->think.size > 0 || options->shared_runs > 0 || options->is_single_run ||
        options->single_mode.size > 0) {
        return error_set(error, "loads have shapes and scenarios of their own: rate, stages, pacing, think, "
                                "shared_runs, single_run and single_mode do not go with them");
    }
    if (!loads_parse(options->load, &loads, error)) {
        return false;
    }
    for (size_t i = 0; i < loads.count; i++) {
        const struct load *load = &loads.items[i];
        if (!load_fits(load, options, error)) {
            return error_wrap(error, "load %.*s: ", (int)load->scenario.size,
                              (const char *)load->scenario.data);
        }
    }
    return true;
}
