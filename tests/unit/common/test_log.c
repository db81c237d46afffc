/* The format of log lines, read back from standard error itself. */
#include "common/bytes.h"
#include "common/log.h"
#include "tests/unit/common/check.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define CAPTURED_BYTES 8192

/* Standard error while a line is written; what was written is in `text` afterwards. */
struct capture {
    FILE *file;
    int saved;
    char text[CAPTURED_BYTES];
};

static void start(struct capture *capture)
{
    capture->file = tmpfile();
    assert_non_null(capture->file);
    capture->saved = dup(STDERR_FILENO);
    assert_true(capture->saved >= 0);
    assert_true(dup2(fileno(capture->file), STDERR_FILENO) >= 0);
}

static void stop(struct capture *capture)
{
    assert_true(dup2(capture->saved, STDERR_FILENO) >= 0);
    assert_int_equal(close(capture->saved), 0);
    rewind(capture->file);
    size_t size = fread(capture->text, 1, CAPTURED_BYTES - 1, capture->file);
    capture->text[size] = '\0';
    assert_int_equal(fclose(capture->file), 0);
}

static void test_plain_text(void **state)
{
    (void)state;
    struct capture capture;
    log_configure(LOG_INFO, LOG_TEXT, 1);
    start(&capture);
    log_line(LOG_INFO, "agent a1", "worker %d\nleft", 3);
    log_line(LOG_ERROR, NULL, "alone");
    log_line(LOG_DEBUG, "agent a1", "not shown");
    stop(&capture);
    assert_string_equal(capture.text, "tutti: agent a1: worker 3\\nleft\ntutti: alone\n");
}

/* Replaces the digits of the time by 0, so that the rest can be compared. */
static void blank_digits(char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text[i] = text[i] >= '0' && text[i] <= '9' ? '0' : text[i];
    }
}

static void test_text_with_time(void **state)
{
    (void)state;
    struct capture capture;
    log_configure(LOG_DEBUG, LOG_TEXT, 0);
    start(&capture);
    log_line(LOG_WARNING, "shard 0", "slow");
    stop(&capture);
    blank_digits(capture.text, 24);
    assert_string_equal(capture.text, "0000-00-00T00:00:00.000Z warning shard 0: slow\n");
}

static void test_json(void **state)
{
    (void)state;
    struct capture capture;
    log_configure(LOG_INFO, LOG_JSON, 0);
    start(&capture);
    log_line(LOG_ERROR, "coordinator", "said \"%s\"", "a\x1b\xff");
    stop(&capture);
    blank_digits(capture.text, 33);
    assert_string_equal(capture.text,
                        "{\"time\":\"0000-00-00T00:00:00.000Z\",\"level\":\"error\","
                        "\"who\":\"coordinator\",\"text\":\"said \\\"a\\u001b\xef\xbf\xbd\\\"\"}\n");
}

static void test_json_has_fields_of_what_it_is_about(void **state)
{
    (void)state;
    struct capture capture;
    struct log_subject subject = {
        .campaign = 7, .agent = bytes_of_string("a\"1"), .has_worker = true, .worker = 0, .step = 12};
    log_configure(LOG_INFO, LOG_JSON, 0);
    start(&capture);
    log_about(LOG_INFO, "x", &subject, "all %d", 4);
    log_about(LOG_INFO, "x", &(struct log_subject){.campaign = 8}, "one");
    log_about(LOG_DEBUG, "x", &subject, "not shown");
    stop(&capture);
    assert_non_null(strstr(capture.text,
                           "\"level\":\"info\",\"who\":\"x\",\"campaign\":7,\"agent\":\"a\\\"1\","
                           "\"worker\":0,\"step\":12,\"text\":\"all 4\"}\n"));
    assert_non_null(strstr(capture.text, "\"who\":\"x\",\"campaign\":8,\"text\":\"one\"}\n"));
    assert_null(strstr(capture.text, "not shown"));
}

static void test_text_leaves_the_fields_to_the_words(void **state)
{
    (void)state;
    struct capture capture;
    log_configure(LOG_INFO, LOG_TEXT, 1);
    start(&capture);
    log_about(LOG_INFO, "x", &(struct log_subject){.campaign = 8}, "campaign 8 is ready");
    stop(&capture);
    assert_string_equal(capture.text, "tutti: x: campaign 8 is ready\n");
}

static void test_a_long_line_is_cut_and_still_ends(void **state)
{
    (void)state;
    static const enum log_form forms[] = {LOG_TEXT, LOG_JSON};
    static const char *const ends[] = {"…\n", "…\"}\n"};
    char filler[CAPTURED_BYTES];
    memset(filler, '"', sizeof filler);
    filler[CAPTURED_BYTES - 1] = '\0';
    for (size_t i = 0; i < 2; i++) {
        struct capture capture;
        log_configure(LOG_INFO, forms[i], 0);
        start(&capture);
        log_line(LOG_INFO, filler, "%s", filler);
        stop(&capture);
        size_t length = strlen(capture.text);
        assert_in_range(length, 4000, 4096);
        assert_string_equal(capture.text + length - strlen(ends[i]), ends[i]);
    }
}

static void test_leaves_errno_alone(void **state)
{
    (void)state;
    struct capture capture;
    log_configure(LOG_INFO, LOG_TEXT, 1);
    start(&capture);
    assert_int_equal(close(STDERR_FILENO), 0);
    errno = ENOENT;
    log_line(LOG_INFO, "agent", "to nowhere");
    assert_int_equal(errno, ENOENT);
    stop(&capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_text),
        cmocka_unit_test(test_text_with_time),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_has_fields_of_what_it_is_about),
        cmocka_unit_test(test_text_leaves_the_fields_to_the_words),
        cmocka_unit_test(test_a_long_line_is_cut_and_still_ends),
        cmocka_unit_test(test_leaves_errno_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
