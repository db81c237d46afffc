/* Makes any bytes safe to show: on a terminal, in a log, in JSON. */
#pragma once
#include "common/buffer.h"

/* Control characters and what is not UTF-8 become \n, \t, \r or \xNN; everything else stays, also `\`.
 * What does not fit the buffer is cut between two characters. */
void escape_text(struct buffer *buffer, struct bytes bytes);
/* The inside of a JSON string; what is not UTF-8 becomes U+FFFD. Cut like escape_text. */
void escape_json(struct buffer *buffer, struct bytes bytes);
