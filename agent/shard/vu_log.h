/* The log of requests: a JSON object in a line for each, of all or of a share of those that succeeded. */
#pragma once
#include "agent/http/engine.h"
#include "common/bytes.h"

#include <stdbool.h>
#include <stdint.h>

struct line_log;
struct vu;

/* What an agent is told of it. */
struct request_log {
    struct line_log *lines;
    double share;      /* of the requests that succeed: 0…1; those that fail are all logged */
    size_t body_bytes; /* of the bodies of answers of 400 and more, so much at most; 0: none */
};

struct logged_request {
    const char *method;
    const char *url; /* as the script gave it */
    struct bytes name;
    bool is_ok;
    const struct http_response *response; /* its exchange is done, or has its head */
};

/* Whether requests are shown on standard output: -vv. */
bool vu_log_is_shown(const struct vu *vu);
/* Of the worker, which has a log, or shows its requests. Which requests are of the share depends on the
 * campaign's seed, the worker, and how many the worker has made before. */
void vu_log_request(struct vu *vu, const struct logged_request *request);
