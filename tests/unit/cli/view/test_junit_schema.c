/* A report as JUnit's XML is valid by the schema, whatever names contain. */
#include "cli/view/report_junit.h"
#include "tests/unit/cli/view/sample_report.h"

#include "common/memory.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#ifndef JUNIT_SCHEMA
#error "the path of tests/junit.xsd"
#endif

static xmlSchema *schema;

static int set_up_schema(void **state)
{
    (void)state;
    xmlSchemaParserCtxt *parser = xmlSchemaNewParserCtxt(JUNIT_SCHEMA);
    schema = xmlSchemaParse(parser);
    xmlSchemaFreeParserCtxt(parser);
    return schema != NULL ? 0 : -1;
}

static int tear_down_schema(void **state)
{
    (void)state;
    xmlSchemaFree(schema);
    xmlCleanupParser();
    return 0;
}

/* How many errors it has; -1: it is no XML. */
static int errors_of(const char *text)
{
    xmlDoc *document = xmlReadMemory(text, (int)strlen(text), "junit.xml", NULL, XML_PARSE_NONET);
    if (document == NULL) {
        return -1;
    }
    xmlSchemaValidCtxt *validity = xmlSchemaNewValidCtxt(schema);
    int errors = xmlSchemaValidateDoc(validity, document);
    xmlSchemaFreeValidCtxt(validity);
    xmlFreeDoc(document);
    return errors;
}

static void expect_valid(const struct report_view *view)
{
    SCOPED(buffer_finish) struct buffer text;
    buffer_init(&text, 1000000);
    report_junit(view, &text);
    if (errors_of(buffer_string(&text)) != 0) {
        fail_msg("it is not valid:\n%s", buffer_string(&text));
    }
}

static void the_schema_refuses_what_readers_refuse(void **state)
{
    (void)state;
    SCOPED(report_view_free) struct report_view *view = report_view_new();
    SCOPED(buffer_finish) struct buffer text;
    static const char *const needed[] = {" timestamp=\"", " hostname=\"", " package=\"",  " id=\"",
                                         " time=\"",      " tests=\"",    "<system-out/>"};
    buffer_init(&text, 1000000);
    report_junit(view, &text);
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        SCOPED(memory_free_at) char *copy = memory_copy_string(buffer_string(&text));
        char *at = strstr(copy, needed[i]);
        assert_non_null(at);
        /* Under another name it is missing, and one too many. */
        at[1] = 'x';
        assert_int_not_equal(errors_of(copy), 0);
    }
}

static void a_report_with_all_there_is_is_valid(void **state)
{
    (void)state;
    struct sample_report *sample = MEMORY_NEW(struct sample_report);
    sample_report_init(sample);
    struct check_report checks[2] = {
        {.name = bytes_of_string("a \"<&>]]>\x01\xff\n"), .passed = 5},
        {.name = bytes_of_string("b"), .failed = 2, .text = bytes_of_string("<\x02>")}};
    struct scenario_report scenario = {.name = bytes_of_string("\t\xc3\xa4 'x'"),
                                       .weight_milli = 1,
                                       .steps_failed = 1,
                                       .step_us = sample->latency_us};
    sample->report.state = CAMPAIGN_ENDED;
    sample->report.checks = checks;
    sample->report.check_count = 2;
    sample->report.scenarios = &scenario;
    sample->report.scenario_count = 1;
    struct report_view *view = sample_report_view(sample);
    expect_valid(view);
    report_view_free(&view);
    sample_report_finish(sample);
    memory_free(sample);
}

static void a_report_of_what_never_began_is_valid(void **state)
{
    (void)state;
    SCOPED(report_view_free) struct report_view *view = report_view_new();
    expect_valid(view);
    view->verdict = VERDICT_ABORTED;
    view->reason = bytes_of_string("no agents");
    view->script = bytes_of_string("a&b.lua");
    expect_valid(view);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_schema_refuses_what_readers_refuse),
        cmocka_unit_test(a_report_with_all_there_is_is_valid),
        cmocka_unit_test(a_report_of_what_never_began_is_valid),
    };
    return cmocka_run_group_tests(tests, set_up_schema, tear_down_schema);
}
