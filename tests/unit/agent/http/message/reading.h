/* Reads a response as a whole, in two pieces cut anywhere, and byte by byte, and tells its story. */
#pragma once
#include "agent/http/message/http1_parser.h"
#include "tests/unit/common/check.h"

#include <stdio.h>

struct reading {
    struct buffer head;
    struct buffer body;
    struct buffer story; /* "interim 100, 200, body 5, end, rest 0" */
};

void reading_init(struct reading *reading);
void reading_finish(struct reading *reading);
/* Feeds what stands before `cut`, then the rest; `cut` SIZE_MAX: byte by byte. */
void reading_read(struct reading *reading, struct bytes wire, enum http1_request_kind kind, size_t cut,
                  bool has_ended);
/* It always reads the same; `body` NULL: whatever it is. */
void reading_expect(enum http1_request_kind kind, bool has_ended, struct bytes wire, const char *story,
                    const char *body);
