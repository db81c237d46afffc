/* The text of a file: what editors put before it, and whether it is UTF-8. Pure. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

/* Without a byte order mark. */
struct bytes file_text_without_mark(struct bytes text);
/* Of Lua: also without a first line that begins with # (its line end stays, so that lines count right). */
struct bytes file_text_of_source(struct bytes text);
/* False with "7: ..." if it is not UTF-8: the line, and the byte that is not. */
MUST_CHECK bool file_text_check(struct bytes text, struct error *error);
