/* Batches by HTTP, one after the other over one connection. Blocks: for a thread of its own. */
#pragma once
#include "common/bytes.h"
#include "coordinator/live/output_result.h"
#include "coordinator/live/output_target.h"

struct output_post;

/* `target` has to outlive it. curl_global_init has been called. */
MUST_CHECK struct output_post *output_post_new(const struct output_target *target);
/* How long a batch usually may take. */
#define OUTPUT_POST_MS 5000L
/* The error is short: "connection refused", "HTTP 503". */
enum output_result output_post_send(struct output_post *post, struct bytes body, long limit_ms,
                                    struct error *error);
/* From any thread: the batch that is being sent, and every later one, ends at once as OUTPUT_LATER. */
void output_post_stop(struct output_post *post);
/* NULLs the pointer; NULL is tolerated. */
void output_post_free(struct output_post **post);
