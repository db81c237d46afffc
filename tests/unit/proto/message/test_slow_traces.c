/* The slowest of many are kept, whatever the order in which they come. */
#include "proto/message/slow_traces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void the_slowest_are_kept_in_order(void **state)
{
    (void)state;
    struct slow_traces traces = {0};
    struct slow_traces halves[2] = {{0}, {0}};
    for (unsigned i = 0; i < 97; i++) {
        struct slow_trace trace = {.latency_us = i * 31 % 97, .worker = i};
        slow_traces_add(&traces, &trace);
        slow_traces_add(&halves[i % 2], &trace);
        assert_int_equal(traces.size, i < SLOW_TRACES ? i + 1 : SLOW_TRACES);
    }
    for (unsigned i = 0; i < SLOW_TRACES; i++) {
        assert_int_equal(traces.items[i].latency_us, 96 - i);
        assert_int_equal(traces.items[i].worker * 31 % 97, 96 - i);
    }
    slow_traces_merge(&halves[0], &halves[1]);
    assert_int_equal(halves[0].size, SLOW_TRACES);
    assert_memory_equal(halves[0].items, traces.items, SLOW_TRACES * sizeof *traces.items);
    slow_traces_finish(&traces);
    slow_traces_finish(&halves[0]);
    slow_traces_finish(&halves[1]);
}

/* There may be thousands of names, and most have no trace. */
static void none_take_no_memory(void **state)
{
    (void)state;
    struct slow_traces traces = {0};
    struct slow_traces none = {0};
    slow_traces_merge(&traces, &none);
    assert_null(traces.items);
    assert_true(sizeof traces <= 16);
    slow_traces_finish(&traces);
}

static void an_id_is_32_digits(void **state)
{
    (void)state;
    static const char text[] = "4bf92f3577b34da6a3ce929d0e0e4736";
    uint8_t id[TRACE_ID_BYTES];
    char back[TRACE_TEXT_BYTES];
    assert_true(trace_id_of_text(text, strlen(text), id));
    assert_int_equal(id[0], 0x4b);
    assert_int_equal(id[15], 0x36);
    trace_id_to_text(id, back);
    assert_string_equal(back, text);
    assert_false(trace_id_of_text(text, 31, id));
    assert_false(trace_id_of_text("4BF92f3577b34da6a3ce929d0e0e4736", 32, id));
    assert_false(trace_id_of_text("00000000000000000000000000000000", 32, id));
    assert_false(trace_id_of_text("4bf92f3577b34da6-3ce929d0e0e4736", 32, id));
    assert_false(trace_id_of_text("", 0, id));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_slowest_are_kept_in_order),
        cmocka_unit_test(none_take_no_memory),
        cmocka_unit_test(an_id_is_32_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
