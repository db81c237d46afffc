/* The request for a new campaign, read from JSON. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/digest.h"
#include "common/error.h"
#include "proto/message/campaign.h"

struct json_t;

/* Borrows texts from the JSON object; owns the contents of the files, which are taken out of the object as
 * they are decoded, so that they are not held twice. */
struct creation {
    struct campaign_options options;
    struct bundle bundle;
    uint8_t *content; /* of all files, one after the other */
    const char *script;
    const char *key; /* NULL: none */
    uint32_t agents;
    uint64_t deadline_ms;
    struct buffer environment; /* what options.env is a view of */
    char hash[DIGEST_TEXT_BYTES];
};

/* {"script", "files": [{"path", "content"}], "options": {…}, "env": {…}, "expect_agents", "deadline_ms",
 * "creation_key"}.
 * Every bound that the wire has is checked here. To be finished even if it returns false. */
MUST_CHECK bool creation_read(struct creation *creation, struct json_t *object, struct error *error);
void creation_finish(struct creation *creation);

/* The options alone; what is missing has the default of `tutti run`. */
MUST_CHECK bool creation_read_options(struct campaign_options *options, const struct json_t *object,
                                      struct error *error);
