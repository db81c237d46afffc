/* Requests as lines of JSON. */
#include "agent/shard/vu_log.h"

#include "agent/base/line_log.h"
#include "agent/shard/shard.h"
#include "agent/shard/shard_campaign.h"
#include "agent/shard/vu.h"
#include "common/buffer.h"
#include "common/clock.h"
#include "common/escape.h"
#include "proto/message/slow_traces.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

/* Of one line; a longer body is cut. */
#define LOG_LINE_BYTES (1024u * 1024u)
#define TEXT_BYTES 4000u
/* Of a line for a person; -vv shows them. */
#define SHOWN_BYTES 4000u
#define SHOWN_VERBOSITY 2u

static void log_append_text(struct buffer *line, const char *key, struct bytes text)
{
    SCOPED(buffer_finish) struct buffer escaped;

    buffer_init(&escaped, line->maximum / 2);
    escape_json(&escaped, text);
    buffer_append_format(line, ",\"%s\":\"%s\"", key, buffer_string(&escaped));
}

static void log_append_string(struct buffer *line, const char *key, const char *text)
{
    struct bytes all = bytes_of_string(text);

    all.size = all.size < TEXT_BYTES ? all.size : TEXT_BYTES;
    log_append_text(line, key, all);
}

/* When the request began, by this machine's clock. */
static void log_append_time(struct buffer *line, uint64_t took_us)
{
    uint64_t wall_ns = clock_wall_ns() - took_us * NS_PER_US;
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm parts;
    char day[32];

    (void)gmtime_r(&seconds, &parts);
    (void)strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &parts);
    buffer_append_format(line, "{\"time\":\"%s.%06uZ\"", day, (unsigned)(wall_ns % NS_PER_S / NS_PER_US));
}

/* Whose it is. A global fixture is no worker's. */
static void log_append_subject(struct buffer *line, const struct vu *vu)
{
    const struct vu *worker = vu->shared->main;
    const struct shard_campaign *campaign = vu->campaign;

    log_append_string(line, "agent", shard_settings(campaign->shard)->agent);
    buffer_append_format(line, ",\"campaign\":%" PRIu64, campaign->id);
    if (vu_is_global(worker)) {
        buffer_append_string(line, ",\"worker\":null,\"scenario\":null,\"step\":null");
        return;
    }
    buffer_append_format(line, ",\"worker\":%" PRIu32, worker->id);
    if (worker->phase == VU_STEP) {
        log_append_string(line, "scenario", campaign->script->scenarios[worker->scenario].name);
        buffer_append_format(line, ",\"step\":%" PRIu64, worker->step);
    } else {
        buffer_append_string(line, ",\"scenario\":null,\"step\":null");
    }
}

static void log_append_phases(struct buffer *line, const struct http_timings *timings)
{
    buffer_append_format(line, ",\"ms\":%.3f,\"phases_ms\":{", (double)timings->total_us / 1000);
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        buffer_append_format(line, "%s\"%s\":%.3f", phase > 0 ? "," : "",
                             request_phase_name((enum request_phase)phase),
                             (double)timings->phase_us[phase] / 1000);
    }
    buffer_append_string(line, "}");
}

/* "timeout", "status", …; null if it succeeded. */
static void log_append_outcome(struct buffer *line, const struct logged_request *request)
{
    const struct http_response *response = request->response;

    if (response->status != 0) {
        buffer_append_format(line, ",\"status\":%" PRIu32, response->status);
    } else {
        buffer_append_string(line, ",\"status\":null");
    }
    buffer_append_format(line, ",\"ok\":%s", request->is_ok ? "true" : "false");
    if (request->is_ok) {
        buffer_append_string(line, ",\"kind\":null");
    } else if (response->failure == HTTP_OK) {
        log_append_string(line, "kind", "status");
    } else {
        log_append_string(line, "kind", http_failure_name(response->failure));
        log_append_string(line, "error", response->text);
    }
}

static void log_append_request(struct buffer *line, const struct vu *vu, const struct logged_request *request,
                               size_t body_bytes)
{
    const struct http_response *response = request->response;
    struct bytes body = response->body;

    log_append_time(line, response->timings.total_us);
    log_append_subject(line, vu);
    log_append_string(line, "method", request->method);
    log_append_text(line, "name", request->name);
    log_append_string(line, "url", response->url != NULL ? response->url : request->url);
    log_append_outcome(line, request);
    log_append_phases(line, &response->timings);
    buffer_append_format(line, ",\"bytes_in\":%" PRIu64 ",\"bytes_out\":%" PRIu64, response->received_bytes,
                         response->sent_bytes);
    if (response->trace != NULL) {
        char trace[TRACE_TEXT_BYTES];
        trace_id_to_text(response->trace->id, trace);
        log_append_string(line, "trace", trace);
    }
    body.size = body.size < body_bytes ? body.size : body_bytes;
    if (!request->is_ok && body.size > 0) {
        log_append_text(line, "body", body);
    }
    buffer_append_string(line, "}\n");
}

/* By lot, but the same lot for the same requests. */
static bool log_is_drawn(const struct vu *vu, double share)
{
    const uint64_t lot[] = {vu->campaign->options->seed, vu->id, vu->shared->logged};

    return (double)(bytes_hash(bytes_of(lot, sizeof lot)) >> 11) * 0x1p-53 < share;
}

/* "[5] step 3: GET http://host/page 200, 12.3 ms", for a person. */
static void log_show(const struct vu *vu, const struct logged_request *request)
{
    const struct vu *worker = vu->shared->main;
    const struct http_response *response = request->response;
    SCOPED(buffer_finish) struct buffer line;
    struct bytes url = bytes_of_string(response->url != NULL ? response->url : request->url);

    buffer_init(&line, SHOWN_BYTES);
    url.size = url.size < SHOWN_BYTES / 8 ? url.size : SHOWN_BYTES / 8;
    if (!vu_is_global(worker)) {
        buffer_append_format(&line, "[%" PRIu32 "] ", worker->id);
    }
    if (worker->phase == VU_STEP) {
        buffer_append_format(&line, "step %" PRIu64 ": ", worker->step);
    }
    buffer_append_format(&line, "%s ", request->method);
    escape_text(&line, url);
    if (response->status != 0) {
        buffer_append_format(&line, " %" PRIu32, response->status);
    } else {
        buffer_append_format(&line, " %s", http_failure_name(response->failure));
    }
    buffer_append_format(&line, ", %.1f ms\n", (double)response->timings.total_us / 1000);
    (void)fwrite(line.data, 1, line.size, stdout);
    (void)fflush(stdout);
}

bool vu_log_is_shown(const struct vu *vu)
{
    return vu->campaign->options->verbosity >= SHOWN_VERBOSITY &&
           !shard_settings(vu->campaign->shard)->is_quiet;
}

void vu_log_request(struct vu *vu, const struct logged_request *request)
{
    const struct request_log *log = shard_settings(vu->campaign->shard)->request_log;

    if (vu_log_is_shown(vu)) {
        log_show(vu, request);
    }
    if (log == NULL) {
        return;
    }
    vu->shared->logged++;
    if (request->is_ok && !log_is_drawn(vu, log->share)) {
        return;
    }
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LOG_LINE_BYTES);
    log_append_request(&line, vu, request, log->body_bytes);
    (void)line_log_put(log->lines, buffer_bytes(&line));
}
