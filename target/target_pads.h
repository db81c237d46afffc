/* The pads of the practice target: versioned texts that many threads read and write. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/bytes.h"

#include <microhttpd.h>

#define PADS_MAX_COUNT 100000u
#define PADS_MAX_TOTAL_BYTES (256u * 1024u * 1024u)
#define PAD_MAX_NAME_BYTES 255u
#define PAD_MAX_BYTES (1024u * 1024u)

struct pads;

/* One version of one pad. It is immutable, so it is sent without a copy and without a lock. */
struct pad_text;

/* The headers If-Match and If-None-Match of a request; NULL if absent. */
struct pad_condition {
    const char *if_match;
    const char *if_none_match;
};

enum pad_outcome {
    PAD_CREATED,
    PAD_REPLACED,
    PAD_REMOVED,
    PAD_UNKNOWN,  /* there is nothing to remove */
    PAD_MISMATCH, /* the condition is not met */
    PAD_TOO_MANY, /* PADS_MAX_COUNT would be exceeded */
    PAD_NO_ROOM   /* PADS_MAX_TOTAL_BYTES would be exceeded */
};

MUST_CHECK struct pads *pads_new(void);
/* No other thread may use them any more. */
void pads_free(struct pads **pads);

/* A reference to the newest text (release with pad_text_release), or NULL. */
MUST_CHECK struct pad_text *pads_get(struct pads *pads, struct bytes name);
void pad_text_release(struct pad_text **text);
uint64_t pad_text_version(const struct pad_text *text);
/* The response that carries it, with its ETag and X-Version. Borrowed from the text. */
struct MHD_Response *pad_text_response(const struct pad_text *text);

/* Takes the content of `body` (at most PAD_MAX_BYTES) in every case. Versions count from 1. `version` is set
 * to that of the pad afterwards, 0 if there is none. */
MUST_CHECK enum pad_outcome pads_put(struct pads *pads, struct bytes name, struct pad_condition condition,
                                     struct buffer *body, uint64_t *version);
MUST_CHECK enum pad_outcome pads_remove(struct pads *pads, struct bytes name, struct pad_condition condition,
                                        uint64_t *version);

/* Whether the tag of `version` is in `list`, the value of If-Match (strong) or If-None-Match (not strong):
 * "*" or tags separated by commas. */
bool pad_tag_is_listed(const char *list, uint64_t version, bool is_strong);
