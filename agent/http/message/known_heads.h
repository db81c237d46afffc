/* Heads of answers that have been read: a server gives most of its answers the same head, but for the date.
 * One that is known is not read again. Pure. */
#pragma once
#include "agent/http/message/http1_parser.h"

#define KNOWN_HEADS_COUNT 4u
/* Longer ones are not kept. */
#define KNOWN_HEADS_MAX_BYTES 1024u

struct known_head {
    uint16_t size; /* 0: none */
    uint16_t fields;
    uint16_t fields_size;
    uint16_t date; /* where its value is; the size: it has none */
    struct http1_parser parser;
    uint8_t bytes[KNOWN_HEADS_MAX_BYTES];
};

/* Zeroed: none is known. */
struct known_heads {
    struct known_head items[KNOWN_HEADS_COUNT];
    uint32_t unknown; /* so many were read once there was no place left */
    uint32_t kept;
};

/* Takes a head that is known, in all but its date, from the start of the input: parser and `head` are then as
 * http1_next leaves them with HTTP1_HEAD. False, and nothing has changed, if it is another, if it has not
 * come whole, or if something of the answer has come before. */
MUST_CHECK bool known_heads_take(const struct known_heads *heads, struct http1_parser *parser,
                                 struct bytes *input, struct buffer *head);
/* After HTTP1_HEAD: `whole` is what was taken from the input, which has begun with the first byte of the
 * answer. Keeps it now and then, in place of the one that was kept first. */
void known_heads_keep(struct known_heads *heads, const struct http1_parser *parser, struct bytes whole,
                      struct bytes head);
