/* Makes any bytes safe to show: on a terminal, in a log, in JSON. */
#pragma once
#include "common/buffer.h"

/* Anything that is not printable or not UTF-8 becomes \n, \t, \r, \xNN or \u{NNNN}; everything else stays,
 * also `\`. The result is cut at a character boundary if it does not fit the buffer. */
void escape_text(struct buffer *buffer, struct bytes bytes);
/* The inside of a JSON string; bytes that are not UTF-8 become U+FFFD. Cut like escape_text. */
void escape_json(struct buffer *buffer, struct bytes bytes);
