/* What the records of a journal are made of, as one number. */
#pragma once
#include <stdint.h>

/* Another one whenever a structure that is packed has another size, or one more kind of event, message or
 * operation is known: so a build does not take the records of another for its own, even if nobody has thought
 * of LEDGER_FORMAT. */
uint64_t event_log_schema(void);
