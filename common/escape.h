/* Makes any bytes safe to show: on a terminal, in a log, in JSON. */
#pragma once
#include "common/buffer.h"

/* What is not printable and what is not UTF-8 becomes \n, \t, \r, \xNN or \u{NNNN}; all else stays, also `\`.
 * What does not fit the buffer is cut between two characters. */
void escape_text(struct buffer *buffer, struct bytes bytes);
/* The inside of a JSON string; what is not UTF-8 becomes U+FFFD. Cut like escape_text. */
void escape_json(struct buffer *buffer, struct bytes bytes);
