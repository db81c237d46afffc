/* Texts for terminals that do not show UTF-8. Pure. */
#pragma once
#include "common/buffer.h"

/* Appends the text in ASCII, column for column: bars become marks of seven weights, what has no like is a
 * question mark. */
void ascii_append(struct bytes text, struct buffer *into);
