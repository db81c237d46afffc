/* Writes all bytes to a file. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>

/* False with errno; how much was written is then unknown. */
MUST_CHECK bool write_all(int descriptor, struct bytes bytes);
