/* Several requests of a worker at once, and their responses. */
#pragma once
#include "agent/http/engine.h"

#include <stddef.h>

struct vu;
struct vu_batch;

/* Begins one of `count` requests, in place of what the worker had before. It is the worker's, and goes with
 * vu_forget_exchange. */
void vu_batch_begin(struct vu *vu, size_t count);
/* Starts the next of them. When all have been started and are done, the worker is woken. */
void vu_batch_start(struct vu *vu, const struct http_request *request);
/* Once it was woken: how many there are, and what has become of each. */
size_t vu_batch_count(const struct vu *vu);
const struct http_response *vu_batch_response(const struct vu *vu, size_t index);
void vu_batch_drop(struct vu *vu);
