/* Whole numbers as people and peers write them. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"

/* Decimal digits and nothing else, at most `maximum`: strtoull accepts signs, spaces and other bases. */
MUST_CHECK bool number_parse(struct bytes text, uint64_t maximum, uint64_t *number);
