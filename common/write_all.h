/* Bytes into a file, all of them. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

#include <stdbool.h>

/* False with errno, and nobody knows how much was written then. */
MUST_CHECK bool write_all(int descriptor, struct bytes bytes);
