/* The variables that a campaign gives its script as tutti.env: NAME=VALUE, each followed by a zero byte. */
#pragma once
#include "common/attributes.h"
#include "common/buffer.h"
#include "common/error.h"

#define ENVIRONMENT_MAX_BYTES 65536u
#define ENVIRONMENT_MAX_NAMES 1000u

/* Names consist of letters, digits and _, do not begin with a digit, and occur once. May be empty. No error
 * quotes a value: it may be a secret. */
MUST_CHECK bool environment_check(struct bytes environment, struct error *error);
/* Removes the next variable from `rest`; false at the end. The environment must have been checked. */
bool environment_next(struct bytes *rest, struct bytes *name, struct bytes *value);

void environment_init(struct buffer *environment);
/* In place of an earlier value of the same name. Changes nothing if it fails. */
MUST_CHECK bool environment_set(struct buffer *environment, struct bytes name, struct bytes value,
                                struct error *error);
/* Of a text "NAME=VALUE". */
MUST_CHECK bool environment_set_word(struct buffer *environment, const char *word, struct error *error);
/* Of a text with one of them on each line. Empty lines and lines that begin with # are ignored, `export `
 * before a name too. A value may stand in '…', as it is, or in "…", where \n, \r, \t, \\, \" and \$ have
 * their meaning; of another one, spaces at both ends and what follows " #" are left out. Errors name the
 * line.
 */
MUST_CHECK bool environment_set_lines(struct buffer *environment, const char *text, struct error *error);
