/* The table of a campaign's options, and what can be done with each of them alike. */
#include "proto/message/campaign_option.h"

#include "common/address.h"
#include "common/digits.h"
#include "common/duration.h"
#include "common/host_override.h"
#include "common/memory.h"
#include "proto/message/browser_mix.h"
#include "proto/message/environment.h"
#include "proto/message/goal.h"
#include "proto/message/labels.h"
#include "proto/message/limits.h"
#include "proto/message/load.h"
#include "proto/message/threshold.h"

#include <stdlib.h>
#include <string.h>

#define STEPS_MAX_DIGITS 18u

#define ROW(type_name, member, ...)                                                                          \
    .option = {.offset = offsetof(struct campaign_options, member),                                          \
               .is_set_offset = SIZE_MAX,                                                                    \
               .size = sizeof(type_name),                                                                    \
               __VA_ARGS__},                                                                                 \
    .field = #member

#define CAMPAIGN_OPTION(type, member, json, ...) {ROW(type, member, __VA_ARGS__), .key = json},
#define CAMPAIGN_OPTION_OF_START(type, member, json, ...) {ROW(type, member, __VA_ARGS__), .key = json},
#define CAMPAIGN_KEY(type, member, json, ...) {ROW(type, member, __VA_ARGS__), .key = json},
#define CAMPAIGN_FIELD(type, member, ...) {ROW(type, member, __VA_ARGS__)},
#define CAMPAIGN_WORD(word, ...) {.option = {.is_set_offset = SIZE_MAX, __VA_ARGS__}},
const struct campaign_option campaign_option_table[CAMPAIGN_OPTION_COUNT] = {
#include "proto/message/campaign_options.inc"
};

bool campaign_check_source(struct bytes text, struct error *error)
{
    struct network network;
    /* It may come from the wire, and hold anything: what cannot be shown is not quoted. */
    if (text.size >= ADDRESS_TEXT_BYTES || !bytes_is_printable(text)) {
        return error_set(error, "source is not an address or a network like 10.0.0.0/8");
    }
    return text.size == 0 || network_parse(text, &network, error);
}

bool campaign_check_name(struct bytes text, struct error *error)
{
    return bytes_is_printable(text) || error_set(error, "it has characters that cannot be printed");
}

bool campaign_parse_grace(const char *text, void *options, struct error *error)
{
    struct campaign_options *campaign = options;
    uint64_t grace_ms = 0;
    bool has_grace = strcmp(text, "none") != 0;
    if (has_grace && !duration_parse(text, &grace_ms, error)) {
        return false;
    }
    if (grace_ms > LIMIT_DURATION_MS) {
        return error_set(error, "\"%.40s\" is too long", text);
    }
    campaign->has_grace = has_grace;
    campaign->grace_ms = grace_ms;
    return true;
}

bool campaign_parse_fail(const char *text, void *options, struct error *error)
{
    struct campaign_options *campaign = options;
    size_t length = strlen(text);
    double percent = 0;
    if (digits_are_percent(text, &percent)) {
        campaign->fail_steps = 0;
        campaign->fail_percent = percent;
        return true;
    }
    if (length > 0 && length <= STEPS_MAX_DIGITS && strspn(text, "0123456789") == length) {
        campaign->fail_steps = strtoull(text, NULL, 10);
        campaign->fail_percent = 0;
        return true;
    }
    return error_set(error, "\"%.40s\" is neither a number of steps nor a percentage like 5%%", text);
}

bool campaign_parse_trace(const char *text, void *options, struct error *error)
{
    struct campaign_options *campaign = options;
    double percent = 0;
    if (strcmp(text, "off") == 0 || strcmp(text, "all") == 0) {
        campaign->trace_percent = text[0] == 'a' ? 100 : 0;
        return true;
    }
    if (digits_are_percent(text, &percent)) {
        campaign->trace_percent = percent;
        return true;
    }
    return error_set(error, "\"%.40s\" is none of off, all, or a percentage like 1%%", text);
}

struct campaign_options campaign_options_defaults(void)
{
    struct campaign_options options = {0};
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        option_set_defaults(&campaign_option_table[i].option, 1, &options);
    }
    return options;
}

static struct bytes *campaign_option_bytes(const struct campaign_option *row,
                                           struct campaign_options *options)
{
    return row->option.type == OPTION_BYTES ? (void *)((char *)options + row->option.offset) : NULL;
}

struct campaign_options campaign_options_copy(const struct campaign_options *options, struct text *texts)
{
    struct campaign_options copy = *options;
    size_t size = 0;
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        const struct bytes *bytes = campaign_option_bytes(&campaign_option_table[i], &copy);
        size += bytes != NULL ? bytes->size + 1 : 0;
    }
    uint8_t *at = memory_new(size + 1, 1); /* a zero byte follows each of them */
    *texts = text_take(at, size);
    for (size_t i = 0; i < CAMPAIGN_OPTION_COUNT; i++) {
        struct bytes *bytes = campaign_option_bytes(&campaign_option_table[i], &copy);
        if (bytes == NULL) {
            continue;
        }
        if (bytes->size > 0) {
            memcpy(at, bytes->data, bytes->size);
        }
        bytes->data = at;
        at += bytes->size + 1;
    }
    return copy;
}
