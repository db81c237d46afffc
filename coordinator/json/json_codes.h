/* Counts by code, of answers or of the end of connections, as JSON and back: {"200": 5, "other": 1}. */
#pragma once
#include "common/attributes.h"
#include "proto/message/websocket_count.h"

#include <jansson.h>

/* The caller's to json_decref. */
MUST_CHECK json_t *json_codes(const struct close_counts *codes);
/* Adds what the object says; NULL is tolerated. */
void json_read_codes(const json_t *object, struct close_counts *codes);
