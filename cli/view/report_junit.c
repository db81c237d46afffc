/* A report as JUnit's XML. */
#include "cli/view/report_junit.h"

#include "common/escape.h"
#include "common/memory.h"
#include "common/time_units.h"

#include <inttypes.h>
#include <time.h>

/* A test case; without a failure it has passed. */
struct junit_case {
    const char *kind; /* "scenario" */
    struct bytes name;
    uint64_t took_us;     /* 0: it is not known */
    struct bytes failure; /* one line; empty: none */
};

struct junit {
    struct buffer cases;
    unsigned count;
    unsigned failures;
};

/* For text and for attributes. What XML 1.0 cannot have is escaped as in all our texts. */
static void junit_append_text(struct buffer *xml, struct bytes text)
{
    SCOPED(buffer_finish) struct buffer escaped;
    buffer_init(&escaped, xml->maximum);
    escape_text(&escaped, text);
    for (size_t i = 0; i < escaped.size; i++) {
        char character = (char)escaped.data[i];
        switch (character) {
        case '&':
            buffer_append_string(xml, "&amp;");
            break;
        case '<':
            buffer_append_string(xml, "&lt;");
            break;
        case '>':
            buffer_append_string(xml, "&gt;");
            break;
        case '"':
            buffer_append_string(xml, "&quot;");
            break;
        default:
            (void)buffer_append(xml, &character, 1);
        }
    }
}

static void junit_add(struct junit *junit, const struct junit_case *added)
{
    struct buffer *xml = &junit->cases;
    junit->count++;
    buffer_append_format(xml, "    <testcase classname=\"tutti.%s\" name=\"", added->kind);
    junit_append_text(xml, added->name);
    buffer_append_format(xml, "\" time=\"%.6f\"", (double)added->took_us / 1e6);
    if (added->failure.size == 0) {
        buffer_append_string(xml, "/>\n");
        return;
    }
    junit->failures++;
    buffer_append_string(xml, ">\n      <failure message=\"");
    junit_append_text(xml, added->failure);
    buffer_append_format(xml, "\" type=\"%s\"/>\n    </testcase>\n", added->kind);
}

static void junit_add_verdict(struct junit *junit, const struct report_view *report)
{
    SCOPED(memory_free_at)
    char *failure = report->verdict == VERDICT_PASSED
                        ? NULL
                        : memory_format("%s%s%.*s", report_view_outcome(report),
                                        report->reason.size > 0 ? ": " : "", BYTES_FORMAT(report->reason));
    junit_add(junit, &(struct junit_case){.kind = "campaign",
                                          .name = bytes_of_string("verdict"),
                                          .took_us = report->running_ns / NS_PER_US,
                                          .failure = bytes_of_string(failure)});
}

static void junit_add_scenarios(struct junit *junit, const struct report_view *report)
{
    for (size_t i = 0; i < report->scenario_count; i++) {
        const struct scenario_view *scenario = &report->scenarios[i];
        SCOPED(memory_free_at)
        char *failure = scenario->failed == 0
                            ? NULL
                            : memory_format("%" PRIu64 " of %" PRIu64 " steps failed", scenario->failed,
                                            scenario->ok + scenario->failed);
        junit_add(junit, &(struct junit_case){.kind = "scenario",
                                              .name = scenario->name,
                                              .took_us = scenario->step.mean_us,
                                              .failure = bytes_of_string(failure)});
    }
}

static void junit_add_checks(struct junit *junit, const struct report_view *report)
{
    for (size_t i = 0; i < report->check_count; i++) {
        const struct check_view *check = &report->checks[i];
        SCOPED(memory_free_at)
        char *failure = check->failed == 0
                            ? NULL
                            : memory_format("failed %" PRIu64 " of %" PRIu64 " times, first in step %" PRIu64
                                            " of worker %" PRIu32 ": %.*s",
                                            check->failed, check->passed + check->failed, check->step,
                                            check->worker, BYTES_FORMAT(check->text));
        junit_add(junit, &(struct junit_case){
                             .kind = "check", .name = check->name, .failure = bytes_of_string(failure)});
    }
}

static void junit_add_thresholds(struct junit *junit, const struct report_view *report)
{
    for (size_t i = 0; i < report->threshold_count; i++) {
        const struct threshold_view *threshold = &report->thresholds[i];
        SCOPED(memory_free_at)
        char *failure = threshold->outcome != THRESHOLD_MISSED
                            ? NULL
                            : memory_format("missed: it was %.*s", BYTES_FORMAT(threshold->reached));
        junit_add(junit, &(struct junit_case){.kind = "threshold",
                                              .name = threshold->text,
                                              .failure = bytes_of_string(failure)});
    }
}

static void junit_property(struct buffer *xml, const char *name, struct bytes value)
{
    buffer_append_format(xml, "      <property name=\"%s\" value=\"", name);
    junit_append_text(xml, value);
    buffer_append_string(xml, "\"/>\n");
}

static void junit_property_number(struct buffer *xml, const char *name, uint64_t number)
{
    buffer_append_format(xml, "      <property name=\"%s\" value=\"%" PRIu64 "\"/>\n", name, number);
}

/* By which the run is found again, and repeated. */
static void junit_append_properties(struct buffer *xml, const struct report_view *report)
{
    buffer_append_string(xml, "    <properties>\n");
    junit_property_number(xml, "campaign", report->campaign);
    junit_property_number(xml, "workers", report->workers);
    junit_property_number(xml, "seed", report->seed);
    junit_property(xml, "verdict", bytes_of_string(verdict_name(report->verdict)));
    buffer_append_string(xml, "    </properties>\n");
}

/* Attributes that the schema of Ant requires. */
static void junit_append_origin(struct buffer *xml, const struct report_view *report)
{
    time_t began = (time_t)(report->begun_wall_ns / NS_PER_S);
    struct tm parts;
    char moment[32];
    (void)gmtime_r(&began, &parts);
    (void)strftime(moment, sizeof moment, "%Y-%m-%dT%H:%M:%S", &parts);
    bool has_host = report->agent_count > 0 && report->agents[0].host.size > 0;
    buffer_append_format(xml, "\" package=\"tutti\" id=\"0\" timestamp=\"%s\" hostname=\"", moment);
    junit_append_text(xml, has_host ? report->agents[0].host : bytes_of_string("localhost"));
}

void report_junit(const struct report_view *report, struct buffer *text)
{
    struct junit junit = {0};
    double seconds = (double)report->running_ns / (double)NS_PER_S;
    buffer_init(&junit.cases, text->maximum);
    junit_add_verdict(&junit, report);
    junit_add_scenarios(&junit, report);
    junit_add_checks(&junit, report);
    junit_add_thresholds(&junit, report);
    buffer_append_string(text,
                         "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"");
    struct bytes title = report->name.size > 0 ? report->name : report->script;
    junit_append_text(text, title.size > 0 ? title : bytes_of_string("tutti"));
    junit_append_origin(text, report);
    buffer_append_format(text, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"0\" time=\"%.3f\">\n",
                         junit.count, junit.failures, seconds);
    junit_append_properties(text, report);
    (void)buffer_append(text, junit.cases.data, junit.cases.size);
    buffer_append_string(text, "    <system-out/>\n    <system-err/>\n  </testsuite>\n</testsuites>\n");
    buffer_finish(&junit.cases);
}
