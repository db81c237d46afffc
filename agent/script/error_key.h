/* What errors of one kind have in common: their text without what differs from one time to the next. The
 * report groups by it. */
#pragma once
#include "common/bytes.h"

#include <stddef.h>

#define ERROR_KEY_MAX_BYTES 1024u

/* Writes at most `capacity` bytes, with the terminating zero: the text with "URL" for an address, and "N" for
 * a number, an address of the network and an id in hexadecimal. A position in a script ("pad.lua:12:") stays,
 * and so do an HTTP status ("status 503") and a text that is nothing but one. */
void error_key_fold(struct bytes text, char *into, size_t capacity);
