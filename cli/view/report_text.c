/* The report of a campaign for a person. */
#include "cli/view/report_text.h"
#include "cli/base/format.h"
#include "cli/base/table.h"
#include "cli/view/judge_text.h"
#include "cli/view/last_text.h"
#include "cli/view/load_text.h"
#include "cli/view/scenario_text.h"
#include "cli/view/seen_text.h"
#include "cli/view/slices_text.h"
#include "cli/view/trace_text.h"
#include "cli/view/websocket_text.h"
#include "common/escape.h"
#include "common/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define ERRORS_SHOWN 10u
#define ROWS_SHOWN 20u
#define NAME_COLUMNS 40u
#define MIB (1024.0 * 1024)
#define LINE_MAX_BYTES 4096u
#define TEXT_INDENT 10
/* Share of the host's cores from which more shards would not help. */
#define FULL_HOST 0.9

#define RED "\033[31m"
#define GREEN "\033[32m"
#define YELLOW "\033[33m"

static const char *const verdict_colours[] = {
    [VERDICT_NONE] = "",        [VERDICT_PASSED] = GREEN, [VERDICT_DEGRADED] = YELLOW,
    [VERDICT_ABORTED] = YELLOW, [VERDICT_FAILED] = RED,   [VERDICT_DEADLOCKED] = RED,
};

/* A row that may be shown. */
struct rank {
    uint64_t count;
    size_t position;
};

/* Appends nothing if there are no rows. */
static void append_table(struct buffer *text, const struct table *table, bool has_colour)
{
    if (table_rows(table) > 0) {
        buffer_append_string(text, "\n");
        table_print(table, NAME_COLUMNS, has_colour, text);
    }
}

static void append_name(struct buffer *text, const struct report_view *report)
{
    if (report->name.size > 0) {
        buffer_append_string(text, "  name    ");
        escape_text(text, report->name);
        buffer_append_string(text, "\n");
    }
    if (report->labels.size > 0) {
        buffer_append_string(text, "  labels  ");
        escape_text(text, report->labels);
        buffer_append_string(text, "\n");
    }
}

static void append_verdict(struct buffer *text, const struct report_view *report, bool has_colour)
{
    char elapsed[FORMAT_BYTES] = "did not begin";
    if (report->begun_wall_ns > 0 || report->running_ns > 0) {
        format_us(report->running_ns / 1000, elapsed);
    }
    buffer_append_format(text, "\n%s%s%s", has_colour ? verdict_colours[report->verdict] : "",
                         report_view_outcome(report), has_colour ? TABLE_PLAIN : "");
    if (report->reason.size > 0) {
        buffer_append_string(text, ": ");
        escape_text(text, report->reason);
    }
    buffer_append_string(text, "\n\n");
    append_name(text, report);
    buffer_append_format(text, "  time    %s\n", elapsed);
}

static void append_steps(struct buffer *text, const struct report_view *report)
{
    char ok[FORMAT_BYTES];
    char failed[FORMAT_BYTES];
    char stopped[FORMAT_BYTES];
    char lost[FORMAT_BYTES];
    char rate[FORMAT_BYTES];
    format_count(report->steps_ok, ok);
    format_count(report->steps_failed, failed);
    format_count(report->steps_stopped, stopped);
    format_count(report->steps_lost, lost);
    buffer_append_format(text, "  steps   %s ok, %s failed", ok, failed);
    if (report->steps_failed_by_loss > 0) {
        char by_loss[FORMAT_BYTES];
        format_count(report->steps_failed_by_loss, by_loss);
        buffer_append_format(text, " (%s by a loss)", by_loss);
    }
    if (report->steps_stopped > 0) {
        buffer_append_format(text, ", %s stopped", stopped);
    }
    if (report->steps_lost > 0) {
        buffer_append_format(text, ", %s lost", lost);
    }
    if (report->running_ns > 0) {
        uint64_t steps = report->steps_ok + report->steps_failed;
        format_rate((double)steps * 1e9 / (double)report->running_ns, "steps", rate);
        buffer_append_format(text, "  (%s)", rate);
    }
    buffer_append_string(text, "\n");
}

/* The clocks of two machines may be days apart. */
static void append_clock(struct buffer *text, const struct agent_report *agent)
{
    char offset[FORMAT_BYTES];
    char uncertainty[FORMAT_BYTES];
    bool is_behind = agent->clock_offset_ns >= 1000; /* +0 µs, and not −0 */
    uint64_t offset_ns = agent->clock_offset_ns > 0 ? (uint64_t)agent->clock_offset_ns
                                                    : (uint64_t)0 - (uint64_t)agent->clock_offset_ns;
    format_us(offset_ns / 1000, offset);
    format_us(agent->clock_uncertainty_ns / 1000, uncertainty);
    buffer_append_format(text, ", clock %s%s ± %s", is_behind ? "−" : "+", offset, uncertainty);
}

static void append_performance(struct buffer *text, const struct agent_report *agent)
{
    char p99[FORMAT_BYTES];
    char most[FORMAT_BYTES];
    if (!agent->is_measured) {
        return;
    }
    SCOPED(buffer_finish) struct buffer line;
    buffer_init(&line, LINE_MAX_BYTES);
    format_us(agent->lag_p99_us, p99);
    format_us(agent->lag_maximum_us, most);
    buffer_append_format(&line, "            cpu %.*f %%, %.0f MiB, loop lag p99 %s, max %s",
                         agent->cpu < 0.0995 ? 1 : 0, agent->cpu * 100, (double)agent->memory_bytes / MIB,
                         p99, most);
    if (agent->has_clock) {
        append_clock(&line, agent);
    }
    buffer_append_string(text, "\n");
    format_wrap(buffer_bytes(&line), TABLE_COLUMNS, 12, text);
}

/* One line for each: latencies measured there cannot be trusted. */
static void append_bottlenecks(struct buffer *text, const struct report_view *report, bool has_colour)
{
    for (size_t i = 0; i < report->bottleneck_count; i++) {
        const struct bottleneck_report *bottleneck = &report->bottlenecks[i];
        char strained[FORMAT_BYTES];
        char late[FORMAT_BYTES];
        format_us(bottleneck->strained_us, strained);
        format_us(bottleneck->lag_maximum_us, late);
        bool is_host_full = bottleneck->host_cpu >= FULL_HOST;
        SCOPED(buffer_finish) struct buffer line;
        buffer_init(&line, LINE_MAX_BYTES);
        buffer_append_string(&line, "  warning agent ");
        escape_text(&line, bottleneck->agent);
        buffer_append_format(&line,
                             " was the bottleneck for %s: its loop was busy %.0f %% of the time and came "
                             "round up to %s late; use %s",
                             strained, bottleneck->busy * 100, late,
                             is_host_full ? "agents on more hosts" : "more agents or shards");
        buffer_append_string(text, has_colour ? YELLOW : "");
        format_wrap(buffer_bytes(&line), TABLE_COLUMNS, TEXT_INDENT, text);
        buffer_append_string(text, has_colour ? TABLE_PLAIN "\n" : "\n");
    }
}

/* Where their number was changed while they ran: else the agents have them all. */
static void append_workers(struct buffer *text, const struct report_view *report)
{
    char ran[FORMAT_BYTES];
    char last[FORMAT_BYTES];
    if (report->workers_ran > 0 && report->workers_ran != report->workers) {
        format_count(report->workers_ran, ran);
        format_count(report->workers, last);
        buffer_append_format(text, "  workers %s ran, %s of them %s\n", ran, last,
                             report->has_ended ? "to the end" : "are left");
    }
}

static void append_agents(struct buffer *text, const struct report_view *report)
{
    for (size_t i = 0; i < report->agent_count; i++) {
        const struct agent_report *agent = &report->agents[i];
        char workers[FORMAT_BYTES];
        format_count(agent->workers, workers);
        buffer_append_string(text, i == 0 ? "  agents  " : "          ");
        escape_text(text, agent->name);
        buffer_append_format(text, "  %s %s, %s", workers, agent->workers == 1 ? "worker" : "workers",
                             agent_state_name(agent->state));
        if (agent->pid > 1) { /* that of a container says nothing */
            buffer_append_format(text, "  (process %" PRIu32 ")", agent->pid);
        }
        append_performance(text, agent);
        buffer_append_string(text, "\n");
    }
}

static void add_request(struct table *table, const struct request_view *request)
{
    table_add(table, request->name);
    table_add_count(table, request->count);
    table_add_count(table, request->failed);
    table_add_us(table, request->latency.p50_us);
    table_add_us(table, request->latency.p95_us);
    table_add_us(table, request->latency.p99_us);
    table_add_us(table, request->latency.maximum_us);
}

static int by_count(const void *left, const void *right)
{
    uint64_t a = ((const struct rank *)left)->count;
    uint64_t b = ((const struct rank *)right)->count;
    return (a < b) - (a > b);
}

static int by_position(const void *left, const void *right)
{
    size_t a = ((const struct rank *)left)->position;
    size_t b = ((const struct rank *)right)->position;
    return (a > b) - (a < b);
}

/* Keeps the most frequent ones, as many as are shown, in their original order. */
static size_t choose(struct rank *ranks, size_t count)
{
    size_t shown = count < ROWS_SHOWN ? count : ROWS_SHOWN;
    if (count > shown) {
        qsort(ranks, count, sizeof *ranks, by_count);
        qsort(ranks, shown, sizeof *ranks, by_position);
    }
    return shown;
}

static void append_rest(struct buffer *text, size_t rest)
{
    if (rest > 0) {
        buffer_append_format(text, "  and %zu more, less frequent (--json has all)\n", rest);
    }
}

static void report_text_append_requests(struct buffer *text, const struct report_view *report, bool is_timing,
                                        bool has_colour)
{
    const char *const columns[] = {
        is_timing ? "timings" : "requests", "count", "failed", "p50", "p95", "p99", "max", NULL};
    SCOPED(table_finish) struct table table;
    SCOPED(memory_free_at) struct rank *ranks = memory_new(report->request_count + 1, sizeof *ranks);
    size_t count = 0;
    table_init(&table, columns);
    for (size_t i = 0; i < report->request_count; i++) {
        if (report->requests[i].is_timing == is_timing) {
            ranks[count++] = (struct rank){.count = report->requests[i].count, .position = i};
        }
    }
    size_t shown = choose(ranks, count);
    for (size_t i = 0; i < shown; i++) {
        add_request(&table, &report->requests[ranks[i].position]);
    }
    append_table(text, &table, has_colour);
    append_rest(text, count - shown);
}

/* Where they were measured: of the most frequent requests. */
static void append_phases(struct buffer *text, const struct report_view *report, bool has_colour)
{
    const char *columns[REQUEST_PHASE_COUNT + 2] = {"phases p95"};
    SCOPED(table_finish) struct table table;
    SCOPED(memory_free_at) struct rank *ranks = memory_new(report->request_count + 1, sizeof *ranks);
    size_t count = 0;
    for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
        columns[phase + 1] = request_phase_name((enum request_phase)phase);
    }
    table_init(&table, columns);
    for (size_t i = 0; i < report->request_count; i++) {
        if (report->requests[i].has_phases) {
            ranks[count++] = (struct rank){.count = report->requests[i].count, .position = i};
        }
    }
    size_t shown = choose(ranks, count);
    for (size_t i = 0; i < shown; i++) {
        const struct request_view *request = &report->requests[ranks[i].position];
        table_add(&table, request->name);
        for (int phase = 0; phase < REQUEST_PHASE_COUNT; phase++) {
            table_add_us(&table, request->phases[phase].p95_us);
        }
    }
    append_table(text, &table, has_colour);
    append_rest(text, count - shown);
}

/* "96 ok, 4 short" */
static void describe_outcomes(const struct wait_view *wait, struct buffer *text)
{
    for (int i = 0; i < OUTCOME_COUNT; i++) {
        if (wait->outcomes[i] > 0) {
            char count[FORMAT_BYTES];
            format_count(wait->outcomes[i], count);
            buffer_append_format(text, "%s%s %s", text->size > 0 ? ", " : "", count,
                                 outcome_name((enum outcome)i));
        }
    }
}

static void add_wait(struct table *table, const struct wait_view *wait)
{
    SCOPED(buffer_finish) struct buffer cell;
    buffer_init(&cell, 1024);
    buffer_append_format(&cell, "%.*s.%s", BYTES_FORMAT(wait->name), operation_name(wait->kind));
    table_add(table, buffer_bytes(&cell));
    table_add_count(table, wait->count);
    table_add_us(table, wait->waited.p50_us);
    table_add_us(table, wait->waited.p99_us);
    buffer_clear(&cell);
    describe_outcomes(wait, &cell);
    table_add(table, buffer_bytes(&cell));
}

static void append_waits(struct buffer *text, const struct report_view *report, bool has_colour)
{
    static const char *const columns[] = {"waits", "count", "p50", "p99", "<outcomes", NULL};
    SCOPED(table_finish) struct table table;
    SCOPED(memory_free_at) struct rank *ranks = memory_new(report->wait_count + 1, sizeof *ranks);
    table_init(&table, columns);
    for (size_t i = 0; i < report->wait_count; i++) {
        ranks[i] = (struct rank){.count = report->waits[i].count, .position = i};
    }
    size_t shown = choose(ranks, report->wait_count);
    for (size_t i = 0; i < shown; i++) {
        add_wait(&table, &report->waits[ranks[i].position]);
    }
    append_table(text, &table, has_colour);
    append_rest(text, report->wait_count - shown);
}

static void append_errors(struct buffer *text, const struct report_view *report, bool has_colour)
{
    if (report->error_count == 0) {
        return;
    }
    buffer_append_format(text, "\n%s  errors%s\n", has_colour ? TABLE_BOLD : "",
                         has_colour ? TABLE_PLAIN : "");
    for (size_t i = 0; i < report->error_count && i < ERRORS_SHOWN; i++) {
        const struct error_report *error = &report->errors[i];
        char count[FORMAT_BYTES];
        format_count(error->count, count);
        buffer_append_format(text, "  %s × ", count);
        escape_text(text, error->text);
        buffer_append_format(text, "\n      first: worker %" PRIu32 ", step %" PRIu64, error->worker,
                             error->step);
        if (error->scenario.size > 0) {
            buffer_append_string(text, ", scenario ");
            escape_text(text, error->scenario);
        }
        buffer_append_string(text, "\n");
    }
    if (report->error_count > ERRORS_SHOWN) {
        size_t others = report->error_count - ERRORS_SHOWN;
        buffer_append_format(text, "  and %zu more %s of errors\n", others, others == 1 ? "kind" : "kinds");
    }
}

static void append_start(struct buffer *text, const struct report_view *report)
{
    if (report->has_start_spread && report->agent_count > 1) {
        char spread[FORMAT_BYTES];
        format_us(report->start_spread_us, spread);
        buffer_append_format(text, "  start   all workers within %s\n", spread);
    }
}

static void append_spread(struct buffer *text, const struct report_view *report)
{
    if (report->release_spread.maximum_us == 0) {
        return;
    }
    char middle[FORMAT_BYTES];
    char most[FORMAT_BYTES];
    format_us(report->release_spread.p50_us, middle);
    format_us(report->release_spread.maximum_us, most);
    buffer_append_format(text, "  spread  of simultaneous releases: p50 %s, max %s\n", middle, most);
}

/* Only those that did not take all. */
static void append_outputs(struct buffer *text, const struct report_view *report)
{
    for (size_t i = 0; i < report->output_count; i++) {
        const struct output_view *output = &report->outputs[i];
        if (output->lost > 0) {
            buffer_append_format(text, "\n  output  %.*s: %llu of %llu points were not taken: %.*s\n",
                                 BYTES_FORMAT(output->name), (unsigned long long)output->lost,
                                 (unsigned long long)output->points, BYTES_FORMAT(output->error));
        }
    }
}

void report_text(const struct report_view *report, bool has_colour, struct buffer *text)
{
    append_verdict(text, report, has_colour);
    append_steps(text, report);
    load_text(report, text);
    append_workers(text, report);
    append_agents(text, report);
    append_start(text, report);
    append_spread(text, report);
    append_bottlenecks(text, report, has_colour);
    judge_text_thresholds(report, has_colour, text);
    judge_text_checks(report, has_colour, text);
    report_text_append_requests(text, report, false, has_colour);
    append_phases(text, report, has_colour);
    report_text_append_requests(text, report, true, has_colour);
    slices_text(report, has_colour, text);
    trace_text(report, has_colour, text);
    scenario_text(report, has_colour, text);
    append_waits(text, report, has_colour);
    last_text(report, has_colour, text);
    websocket_text(report, has_colour, text);
    seen_text(report, has_colour, text);
    append_errors(text, report, has_colour);
    append_outputs(text, report);
    buffer_append_string(text, "\n");
}
