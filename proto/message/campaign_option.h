/* The rows of campaign_options.inc as a table. */
#pragma once
#include "common/option.h"
#include "proto/message/campaign.h"

struct campaign_option {
    struct option option; /* the offset is in struct campaign_options; name NULL: of no command, no script */
    const char *field;    /* there and of Options in tutti.proto; NULL: several, filled by option.parse */
    const char *key;      /* of the options in the HTTP API; NULL: it is not there */
};

enum campaign_option_row {
#define CAMPAIGN_OPTION(type, field, key, ...) CAMPAIGN_OPTION_ROW_##field,
#define CAMPAIGN_OPTION_OF_START(type, field, key, ...) CAMPAIGN_OPTION_ROW_##field,
#define CAMPAIGN_KEY(type, field, key, ...) CAMPAIGN_OPTION_ROW_##field,
#define CAMPAIGN_FIELD(type, field, ...) CAMPAIGN_OPTION_ROW_##field,
#define CAMPAIGN_WORD(word, ...) CAMPAIGN_OPTION_ROW_##word,
#include "proto/message/campaign_options.inc"
    CAMPAIGN_OPTION_COUNT
};

extern const struct campaign_option campaign_option_table[CAMPAIGN_OPTION_COUNT];

/* For a row of `struct option`: an address, a network, or nothing. */
bool campaign_check_source(struct bytes text, struct error *error);
/* Can be printed. */
bool campaign_check_name(struct bytes text, struct error *error);
/* A duration, or "none", into has_grace and grace_ms; for a row of `struct option` whose value is the whole
 * struct campaign_options. */
MUST_CHECK bool campaign_parse_grace(const char *text, void *options, struct error *error);
/* "10" failed steps or "2.5%" of them, into fail_steps and fail_percent; for a row of `struct option` whose
 * value is the whole struct campaign_options. */
MUST_CHECK bool campaign_parse_fail(const char *text, void *options, struct error *error);
/* "off", "all" or "1%", into trace_percent; likewise. */
bool campaign_parse_trace(const char *text, void *options, struct error *error);
