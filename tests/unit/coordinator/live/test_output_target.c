/* What --out takes, and what it says of anything else. */
#include "coordinator/live/output_target.h"
#include "tests/unit/common/check.h"

static void its_parts_are_found(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        const char *url;
        const char *host;
        const char *prefix;
        const char *token_file;
    } rows[] = {
        {"statsd:127.0.0.1:8125", "statsd at 127.0.0.1:8125", NULL, "127.0.0.1", "tutti", NULL},
        {"statsd:[::1]:8125,prefix=a.{campaign}", "statsd at [::1]:8125", NULL, "::1", "a.{campaign}", NULL},
        {"influxdb:http://h:8086/write?db=a,b&p=1", "influxdb at http://h:8086",
         "http://h:8086/write?db=a,b&p=1", NULL, NULL, NULL},
        {"influxdb:https://h/w?token=geheim,token-file=/a b/c", "influxdb at https://h",
         "https://h/w?token=geheim", NULL, NULL, "/a b/c"},
        {"otlp:http://[::1]:4318/v1/metrics", "otlp at http://[::1]:4318", "http://[::1]:4318/v1/metrics",
         NULL, NULL, NULL},
        {"prometheus:http://p:9090/api/v1/write", "prometheus at http://p:9090", "http://p:9090/api/v1/write",
         NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct output_target target;
        struct error error = {""};
        assert_true(output_target_parse(rows[i].text, &target, &error));
        assert_string_equal(target.name, rows[i].name);
        const char *const found[] = {target.url, target.host, target.prefix, target.token_file};
        const char *const wanted[] = {rows[i].url, rows[i].host, rows[i].prefix, rows[i].token_file};
        for (size_t j = 0; j < 4; j++) {
            assert_true((found[j] == NULL) == (wanted[j] == NULL));
            if (found[j] != NULL) {
                assert_string_equal(found[j], wanted[j]);
            }
        }
        output_target_finish(&target);
    }
}

static void the_rest_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "statsd",
        "statsd:",
        "statsd::8125",
        "statsd:h:",
        "statsd:h:+1",
        "statsd:h:65536",
        "statsd:::1:8125",
        "statsd:h:1,prefix=",
        "statsd:h:1,prefix=a,prefix=b",
        "statsd:h:1,prefix=a b",
        "statsd:h:1,token-file=a",
        "influxdb:h:8086",
        "influxdb:ftp://h/",
        "otlp:http://u:p@h/",
        "otlp:http://h/,prefix=a",
        "prometheus:http://h/,token-file=a,more=b",
        "Prometheus:http://h/",
    };
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct output_target target;
        struct error error = {""};
        if (output_target_parse(texts[i], &target, &error)) {
            fail_msg("\"%s\" was taken", texts[i]);
        }
        assert_true(error.text[0] != '\0');
    }
}

static void there_are_at_most_eight(void **state)
{
    struct output_list list = {0};
    struct error error;
    (void)state;
    for (size_t i = 0; i < OUTPUT_TARGETS; i++) {
        assert_true(output_list_add(&list, "statsd:h:1", &error));
    }
    assert_false(output_list_add(&list, "statsd:h:1", &error));
    assert_string_equal(error.text, "at most 8 outputs");
    assert_int_equal(list.count, OUTPUT_TARGETS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_parts_are_found),
        cmocka_unit_test(the_rest_is_refused),
        cmocka_unit_test(there_are_at_most_eight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
