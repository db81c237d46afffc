/* A number that identifies the structure of a journal's records. */
#pragma once
#include <stdint.h>

/* Changes whenever a packed structure changes its size, or a kind of event, message or operation is added: so
 * a build does not mistake the records of another for its own, even if EVENT_LOG_FORMAT was not
 * incremented. */
uint64_t event_log_schema(void);
