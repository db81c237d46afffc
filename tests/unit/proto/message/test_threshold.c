/* What a threshold may look like, what it means, and where the mistake is in one that cannot be read. */
#include "proto/message/tag_combinations.h"
#include "tests/unit/common/check.h"

#include <stdio.h>
#include <string.h>

static struct threshold read_one(const char *text)
{
    struct threshold threshold;
    struct error error;
    if (!threshold_parse(bytes_of_string(text), &threshold, &error)) {
        fail_msg("%s: %s", text, error.text);
    }
    return threshold;
}

static void each_part_is_read(void **state)
{
    (void)state;
    struct threshold all = read_one(" request[GET /a].p99.9 <= 1.5s over 30s after 2m abort ");
    assert_int_equal(all.metric, THRESHOLD_REQUEST);
    assert_true(bytes_equal_string(all.name, "GET /a"));
    assert_int_equal(all.statistic, THRESHOLD_QUANTILE);
    assert_true(all.quantile > 0.99899 && all.quantile < 0.99901 && all.limit == 1.5e6);
    assert_int_equal(all.comparison, THRESHOLD_AT_MOST);
    assert_true(all.over_ms == 30000 && all.after_ms == 120000 && all.is_abort);
    assert_true(bytes_equal_string(all.text, "request[GET /a].p99.9 <= 1.5s over 30s after 2m abort"));
}

static void expect_tag(const char *text, const char *tag, bool is_meant)
{
    struct threshold threshold = read_one(text);
    char tags[THRESHOLD_TAGS_BYTES];
    if (bytes_equal_string(threshold_tags_text(&threshold, tags), tag) != is_meant) {
        fail_msg("%s of %s: %s", text, tag, tags);
    }
}

static void a_tag_is_read(void **state)
{
    (void)state;
    struct threshold all = read_one("request[GET /a]{tier=gold}.p95 < 1s over 30s abort");
    assert_int_equal(all.metric, THRESHOLD_REQUEST);
    assert_true(bytes_equal_string(all.name, "GET /a") && all.tag_count == 1 &&
                bytes_equal_string(all.tags[0].name, "tier") &&
                bytes_equal_string(all.tags[0].value, "gold"));
    assert_true(all.over_ms == 30000 && all.is_abort && all.limit == 1e6);
    expect_tag("http{tier=gold}.failed < 1%", "tier=gold", true);
    expect_tag("http{tier=gold}.failed < 1%", "tier=golden", false);
    expect_tag("http{tier=gold}.failed < 1%", "tie=gold", false);
    expect_tag("http{tier=gold}.failed < 1%", "tier.=gold", false);
    expect_tag("http{tier=gold}.failed < 1%", "", false);
    expect_tag("http{a=b=c; d}.failed < 1%", "a=b=c; d", true);
    expect_tag("http{a=\"b}, c\"}.failed < 1%", "a=b}, c", true);
    expect_tag("checks{a.b-c_1=200} > 99%", "a.b-c_1=200", true);
    expect_tag("record[x]{a=b}.max < 1s", "a=b", true);
    struct threshold group = read_one("group[checkout / pay].p95 < 1s");
    assert_true(group.metric == THRESHOLD_GROUP && group.tag_count == 0);
    expect_tag("group[checkout / pay].p95 < 1s", "", true);
}

/* In whichever order they are named, they are the same. */
static void several_tags_are_read(void **state)
{
    (void)state;
    expect_tag("http{tier=gold,region=eu}.failed < 1%", "{region=eu,tier=gold}", true);
    expect_tag("request[a]{region=eu, tier=gold}.p95 < 1s", "{region=eu,tier=gold}", true);
    expect_tag("checks{c=3,a=1,b=2} > 99%", "{a=1,b=2,c=3}", true);
    expect_tag("http{b=\"x, y\",a=\"z}\",c=\"plain\"}.count > 1", "{a=\"z}\",b=\"x, y\",c=plain}", true);
    expect_tag("http{a=b\"c,b=2}.count > 1", "{a=b\"c,b=2}", true);
    expect_tag("http{a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8}.count > 1", "{a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8}", true);
}

/* Appends to a text of 4,000 bytes. */
#define ADD(text, ...) snprintf((text) + strlen(text), 4000 - strlen(text), __VA_ARGS__)

/* What counts them has a place for so many. */
static void combinations_of_tags_are_bounded(void **state)
{
    (void)state;
    char text[4000] = "";
    struct error error;
    for (unsigned i = 0; i < TAG_COMBINATIONS_MAX; i++) {
        ADD(text, "http{a=%u,b=x}.count > 1; http{b=x,a=%u}.failed < 1;", i, i);
    }
    assert_true(thresholds_check(bytes_of_string(text), &error));
    ADD(text, "http{a=new,b=x}.count > 1");
    assert_false(thresholds_check(bytes_of_string(text), &error));
    assert_string_equal(error.text,
                        "\"http{a=new,b=x}.count > 1\", {a=new,b=x}: more than 32 combinations of tags");
    text[0] = '\0';
    for (unsigned i = 0; i < TAG_NAMES / 2; i++) {
        ADD(text, "http{a%u=1,b%u=1}.count > 1;", i, i);
    }
    ADD(text, "http{single=1}.count > 1;");
    assert_true(thresholds_check(bytes_of_string(text), &error));
    ADD(text, "http{a0=1,more=1}.count > 1;");
    assert_false(thresholds_check(bytes_of_string(text), &error));
    assert_string_equal(error.text,
                        "\"http{a0=1,more=1}.count > 1\", tag \"more\": thresholds of several tags "
                        "have more than 8 names of tags together");
}

/* However many tags there were before, those that thresholds name have places. */
static void tags_of_thresholds_have_their_places(void **state)
{
    (void)state;
    struct tag_combinations *combinations =
        tag_combinations_new(bytes_of_string("http{c=3}.count > 1; http{b=2,a=1}.count > 1; steps.ok > 1"));
    struct tag_table *table = tag_table_new();
    tag_combinations_note(combinations, table);
    assert_int_equal(tag_combinations_count(combinations), 1);
    assert_true(bytes_equal_string(tag_combinations_text(combinations, 0), "{a=1,b=2}"));
    assert_int_equal(tag_combinations_find(combinations, bytes_of_string("{a=1,b=3}")).size, 0);
    for (unsigned i = 0; i < 20; i++) {
        char name[8];
        snprintf(name, sizeof name, "n%u", i);
        (void)tag_table_note(table, bytes_of_string(name), bytes_of_string("x"));
    }
    struct tag_id c = tag_table_note(table, bytes_of_string("c"), bytes_of_string("3"));
    assert_true(bytes_equal_string(tag_table_text(table, c), "c=3"));
    struct tag_set set = tag_combinations_set(combinations, 0, table);
    struct tag_set wanted = set;
    assert_true(tag_set_has_all(&set, &wanted));
    tag_set_put(&set, c);
    assert_true(tag_set_has_all(&set, &wanted));
    tag_set_put(&set, tag_table_note(table, bytes_of_string("a"), bytes_of_string("2")));
    assert_false(tag_set_has_all(&set, &wanted));
    tag_table_free(&table);
    tag_combinations_free(&combinations);
}

static void the_unit_says_what_a_count_is(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum threshold_metric metric;
        enum threshold_statistic statistic;
        enum threshold_count count;
        enum threshold_operator comparison;
        double limit;
    } rows[] = {
        {"http.failed < 1%", THRESHOLD_HTTP, THRESHOLD_SHARE, THRESHOLD_FAILED, THRESHOLD_LESS, 1},
        {"http.failed<1 %", THRESHOLD_HTTP, THRESHOLD_SHARE, THRESHOLD_FAILED, THRESHOLD_LESS, 1},
        {"http.failed <= 3", THRESHOLD_HTTP, THRESHOLD_NUMBER, THRESHOLD_FAILED, THRESHOLD_AT_MOST, 3},
        {"http.failed < 0.5/s", THRESHOLD_HTTP, THRESHOLD_RATE, THRESHOLD_FAILED, THRESHOLD_LESS, 0.5},
        {"http.rate > 100", THRESHOLD_HTTP, THRESHOLD_RATE, THRESHOLD_ALL, THRESHOLD_MORE, 100},
        {"http.rate >= 100 /s", THRESHOLD_HTTP, THRESHOLD_RATE, THRESHOLD_ALL, THRESHOLD_AT_LEAST, 100},
        {"http.count = 10", THRESHOLD_HTTP, THRESHOLD_NUMBER, THRESHOLD_ALL, THRESHOLD_EQUAL, 10},
        {"http.max < 200 ms", THRESHOLD_HTTP, THRESHOLD_MAXIMUM, THRESHOLD_ALL, THRESHOLD_LESS, 2e5},
        {"http.min < 3us", THRESHOLD_HTTP, THRESHOLD_MINIMUM, THRESHOLD_ALL, THRESHOLD_LESS, 3},
        {"http.mean < 3µs", THRESHOLD_HTTP, THRESHOLD_MEAN, THRESHOLD_ALL, THRESHOLD_LESS, 3},
        {"steps.lost == 0", THRESHOLD_STEPS, THRESHOLD_NUMBER, THRESHOLD_LOST, THRESHOLD_EQUAL, 0},
        {"steps.stopped != 7", THRESHOLD_STEPS, THRESHOLD_NUMBER, THRESHOLD_STOPPED, THRESHOLD_UNEQUAL, 7},
        {"checks > 99%", THRESHOLD_CHECKS, THRESHOLD_SHARE, THRESHOLD_OK, THRESHOLD_MORE, 99},
        {"checks[a].failed = 0", THRESHOLD_CHECKS, THRESHOLD_NUMBER, THRESHOLD_FAILED, THRESHOLD_EQUAL, 0},
        {"waits.timeout < 2", THRESHOLD_WAITS, THRESHOLD_NUMBER, THRESHOLD_TIMEOUT, THRESHOLD_LESS, 2},
        {"waits[pad].short < 2%", THRESHOLD_WAITS, THRESHOLD_SHARE, THRESHOLD_SHORT, THRESHOLD_LESS, 2},
        {"seen.diverged = 0", THRESHOLD_SEEN, THRESHOLD_NUMBER, THRESHOLD_DIVERGED, THRESHOLD_EQUAL, 0},
        {"dropped = 0", THRESHOLD_DROPPED, THRESHOLD_NUMBER, THRESHOLD_FAILED, THRESHOLD_EQUAL, 0},
        {"dropped < 1%", THRESHOLD_DROPPED, THRESHOLD_SHARE, THRESHOLD_FAILED, THRESHOLD_LESS, 1},
        {"dropped.rate < 1", THRESHOLD_DROPPED, THRESHOLD_RATE, THRESHOLD_FAILED, THRESHOLD_LESS, 1},
        {"response.p99 < 1s", THRESHOLD_RESPONSE, THRESHOLD_QUANTILE, THRESHOLD_ALL, THRESHOLD_LESS, 1e6},
        {"record[think].p50 < 1m", THRESHOLD_RECORD, THRESHOLD_QUANTILE, THRESHOLD_ALL, THRESHOLD_LESS, 6e7},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct threshold threshold = read_one(rows[i].text);
        if (threshold.metric != rows[i].metric || threshold.statistic != rows[i].statistic ||
            threshold.count != rows[i].count || threshold.comparison != rows[i].comparison ||
            threshold.limit != rows[i].limit) {
            fail_msg("%s is read as something else", rows[i].text);
        }
    }
}

static void a_mistake_is_shown_where_it_is(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *why;
    } rows[] = {
        {"", "column 1: \"\" is none of http, request, record, steps, checks, waits, response, dropped, "
             "seen, group"},
        {"htp.p95 < 2ms", "column 1: \"htp.p95\" is none of"},
        {"http < 1ms", "column 5: which number of http? It has count, ok, failed, rate, min"},
        {"http.p95", "column 9: expected one of < <= > >= = !="},
        {"http.p95 <", "column 11: expected a number"},
        {"http.p95 < ms", "column 12: \"ms\" is not a number"},
        {"http.p95 < 1.2.3s", "column 12: \"1.2.3s\" is not a number"},
        {"http.p95 < .5s", "column 12: \".5s\" is not a number"},
        {"http.p95 < 200", "column 12: a time needs a unit"},
        {"http.p95 < 1%", "column 12: a time needs a unit"},
        {"http.p0 < 1s", "column 6: http has no \"p0\""},
        {"http.p100.1 < 1s", "column 6: http has no \"p100.1\""},
        {"http.p < 1s", "column 6: http has no \"p\""},
        {"checks.p95 < 1s", "column 8: checks has no \"p95\"; it has count, ok, failed, rate"},
        {"http.timeout < 1", "column 6: http has no \"timeout\""},
        {"http.count < 5%", "column 14: % is not a unit of this number"},
        {"seen.diverged < 5%", "column 17: % is not a unit of this number"},
        {"http.failed < 5ms", "column 15: ms is not a unit of this number"},
        {"http.failed < 101%", "column 15: more than 100 %"},
        {"http[a].p95 < 1s", "column 5: http takes no name"},
        {"request.p95 < 1s", "column 8: request needs a name: request[NAME]"},
        {"request[].p95 < 1s", "column 8: a name has 1 to 255 bytes"},
        {"request[a.p95 < 1s", "column 8: the bracket is not closed"},
        {"request[\"a].p95 < 1s", "column 8: the bracket is not closed"},
        {"request[\"a\"x].p95 < 1s", "column 8: the bracket is not closed"},
        {"http{}.p95 < 1s", "column 5: a tag is {NAME=VALUE}"},
        {"http{name:login}.p95 < 1s", "column 5: a tag is {NAME=VALUE}"},
        {"http{a b=c}.p95 < 1s", "column 5: a tag is {NAME=VALUE}"},
        {"http{a=}.p95 < 1s", "column 8: the value of a tag has 1 to 200 bytes"},
        {"http{a=\"\"}.p95 < 1s", "column 8: the value of a tag has 1 to 200 bytes"},
        {"http{a=\"b}.p95 < 1s", "column 8: the quotes are not closed"},
        {"http{a=b.p95 < 1s", "column 5: the brace is not closed"},
        {"http{a=\"b\"c}.p95 < 1s", "column 5: the brace is not closed"},
        {"http{a=b,c}.p95 < 1s", "column 10: a tag is {NAME=VALUE}"},
        {"http{a=b,}.p95 < 1s", "column 10: a tag is {NAME=VALUE}"},
        {"http{a=b,c=}.p95 < 1s", "column 12: the value of a tag has 1 to 200 bytes"},
        {"http{a=b,a=c}.p95 < 1s", "column 10: the tag a has a value already"},
        {"http{a=1,b=1,c=1,d=1,e=1,f=1,g=1,h=1,i=1}.p95 < 1s", "column 38: more than 8 tags"},
        {"http{a=b,c=d.p95 < 1s", "column 5: the brace is not closed"},
        {"http{a="
         "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "0123456789012345678901234567890123456789,b="
         "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "9"
         "0123456789}.p95 < 1s",
         "column 5: several tags have at most 255 bytes together"},
        {"http{a=b}{c=d}.p95 < 1s", "column 10: which number of http?"},
        {"{a=b}http.p95 < 1s", "column 1: \"{a=b}http.p95\" is none of"},
        {"steps{a=b}.failed < 1%", "column 6: steps is not counted by tag"},
        {"response{a=b}.p95 < 1s", "column 9: response is not counted by tag"},
        {"waits[pad]{a=b}.p95 < 1s", "column 11: waits is not counted by tag"},
        {"group.p95 < 1s", "column 6: group needs a name: group[NAME]"},
        {"http.p95 < 1s over", "column 19: expected a number"},
        {"http.p95 < 1s over 500ms", "column 20: over is a time of at least a second"},
        {"http.p95 < 1s over 30", "column 20: over is a time of at least a second"},
        {"http.p95 < 1s over 2h", "column 15: a window is at most an hour"},
        {"http.p95 < 1s after 9999999h", "column 21: after is a time"},
        {"http.p95 < 1s abort abort",
         "column 21: \"abort\": expected over TIME, after TIME or abort, each once"},
        {"http.p95 < 1s over 3s over 3s", "column 23: \"over\": expected"},
        {"http.p95 < 1s now", "column 15: \"now\": expected"},
        {"request[\xc3\xa4].p95 < x", "column 18: \"x\" is not a number"},
        {"http.count > 5 abort", "column 1: abort would end it at once"},
        {"http.rate >= 5/s abort", "column 1: abort would end it at once"},
        {"http.p95 < 1s \x01", "column 1: it is not printable text"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct threshold threshold;
        struct error error;
        if (threshold_parse(bytes_of_string(rows[i].text), &threshold, &error)) {
            fail_msg("\"%s\" is read", rows[i].text);
        }
        if (strncmp(error.text, rows[i].why, strlen(rows[i].why)) != 0) {
            fail_msg("\"%s\": %s", rows[i].text, error.text);
        }
    }
}

static void expect_list(const char *text, const char *expected)
{
    char joined[400] = "";
    struct bytes rest = bytes_of_string(text);
    struct bytes one;
    while (thresholds_next(&rest, &one)) {
        size_t length = strlen(joined);
        (void)snprintf(joined + length, sizeof joined - length, "%.*s|", BYTES_FORMAT(one));
    }
    assert_string_equal(joined, expected);
}

static void several_stand_in_one_text(void **state)
{
    (void)state;
    struct error error;
    expect_list("", "");
    expect_list(" ;; \n ; ", "");
    expect_list("a;b", "a|b|");
    expect_list("a\nb;", "a|b|");
    expect_list("request[x;y].p95 < 1s;b", "request[x;y].p95 < 1s|b|");
    expect_list("request[\"x];y\"].p95 < 1s;b", "request[\"x];y\"].p95 < 1s|b|");
    expect_list("request[x;y", "request[x;y|");
    expect_list("http{a=x;y}.p95 < 1s;b", "http{a=x;y}.p95 < 1s|b|");
    expect_list("http{a=\"};\"}.p95 < 1s;b", "http{a=\"};\"}.p95 < 1s|b|");
    expect_list("http{a=\"x;", "http{a=\"x;|");
    assert_true(thresholds_check(bytes_of_string("http.p95 < 1s; steps.failed = 0\n"), &error));
    assert_false(thresholds_check(bytes_of_string("http.p95 < 1s; steps = 0"), &error));
    assert_non_null(strstr(error.text, "\"steps = 0\", column 6: which number of steps?"));
    assert_false(thresholds_check(bytes_of_string("\x02"), &error));
    assert_string_equal(error.text, "\"\", column 1: it is not printable text");
    char many[4 * (THRESHOLDS_MAX + 1) * 4] = "";
    for (size_t i = 0; i <= THRESHOLDS_MAX; i++) {
        (void)snprintf(many + i * 15, sizeof many - i * 15, "checks.ok > 0;\n");
        assert_true(thresholds_check(bytes_of(many, (i + 1) * 15), &error) == (i < THRESHOLDS_MAX));
    }
}

static bool matches(const char *name, const char *given)
{
    char text[100];
    (void)snprintf(text, sizeof text, "request[%s].count > 0", name);
    struct threshold threshold = read_one(text);
    return threshold_matches(&threshold, bytes_of_string(given));
}

static void a_star_stands_for_anything(void **state)
{
    (void)state;
    assert_true(matches("GET /a", "GET /a"));
    assert_false(matches("GET /a", "GET /ab"));
    assert_true(matches("GET /*", "GET /") && matches("GET /*", "GET /a/b"));
    assert_true(matches("*", "") && matches("*a*b*", "xxaxxabxx") && matches("*ab", "aabab"));
    assert_false(matches("*ab", "aaba") || matches("a*", "ba") || matches("*a*b*", "ba"));
    assert_true(matches("\"GET /*\"", "GET /*"));
    assert_false(matches("\"GET /*\"", "GET /a"));
    struct threshold all = read_one("checks > 1%");
    assert_true(threshold_matches(&all, bytes_of_string("anything")));
}

static void values_are_compared_and_shown(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
        bool does_hold;
        const char *shown;
    } rows[] = {
        {"http.p95 < 1ms", 999, true, "999 µs"},
        {"http.p95 < 1ms", 1000, false, "1 ms"},
        {"http.p95 <= 1ms", 1000, true, "1 ms"},
        {"http.p95 > 1s", 1234567, true, "1.23 s"},
        {"http.p95 > 1s", 1e6, false, "1 s"},
        {"http.p95 >= 1s", 1e6, true, "1 s"},
        {"http.max < 2m", 125e6, false, "125 s"},
        {"checks > 99%", 99.99999, true, "99.99999 %"},
        {"checks = 100%", 100, true, "100 %"},
        {"checks = 100%", 99.9996, false, "99.9996 %"},
        {"checks > 99%", 97.25, false, "97.25 %"},
        {"steps.failed = 0", 1, false, "1"},
        {"steps.failed != 0", 1, true, "1"},
        {"http.rate > 9/s", 12.3456, true, "12.35/s"},
        {"http.count > 9", 12345678, true, "12345678"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char shown[THRESHOLD_VALUE_BYTES];
        struct threshold threshold = read_one(rows[i].text);
        threshold_describe(&threshold, rows[i].value, shown);
        if (threshold_holds(&threshold, rows[i].value) != rows[i].does_hold ||
            strcmp(shown, rows[i].shown) != 0) {
            fail_msg("%s of %g: %s", rows[i].text, rows[i].value, shown);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_is_read),
        cmocka_unit_test(a_tag_is_read),
        cmocka_unit_test(several_tags_are_read),
        cmocka_unit_test(combinations_of_tags_are_bounded),
        cmocka_unit_test(tags_of_thresholds_have_their_places),
        cmocka_unit_test(the_unit_says_what_a_count_is),
        cmocka_unit_test(a_mistake_is_shown_where_it_is),
        cmocka_unit_test(several_stand_in_one_text),
        cmocka_unit_test(a_star_stands_for_anything),
        cmocka_unit_test(values_are_compared_and_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
