/* The metrics of a campaign for Prometheus' remote write 1.0: a WriteRequest, compressed with snappy. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report_view/report_view.h"

#define REMOTE_WRITE_BYTES ((size_t)16 * 1024 * 1024)

/* False if it is larger than REMOTE_WRITE_BYTES. `wall_ms` is the time of all samples, since 1970. */
MUST_CHECK bool remote_write(const struct report_view *report, uint64_t wall_ms, struct buffer *into);
