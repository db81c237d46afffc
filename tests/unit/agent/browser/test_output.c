/* What is kept of a driver's output. */
#include "agent/browser/output.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_MAX_BYTES ((off_t)4 << 20)

static void say(struct output *output, const char *text)
{
    output_take(output, bytes_of_string(text));
}

static void only_the_last_words_are_remembered(void **state)
{
    struct output output;
    char expected[OUTPUT_TAIL_BYTES + 1] = "";
    char line[50];
    (void)state;
    output_open(&output, NULL);
    for (unsigned i = 0; i < 1000; i++) {
        int size = snprintf(line, sizeof line, "line %u\n", i);
        size_t all = strlen(expected) + (size_t)size;
        size_t dropped = all > OUTPUT_TAIL_BYTES ? all - OUTPUT_TAIL_BYTES : 0;
        memmove(expected, expected + dropped, strlen(expected) + 1 - dropped);
        memcpy(expected + strlen(expected), line, (size_t)size + 1);
        say(&output, line);
        assert_string_equal(output.tail, expected);
        assert_int_equal(output.tail_size, strlen(expected));
    }
    output_close(&output);
}

static void of_many_at_once_the_last_are_remembered(void **state)
{
    struct output output;
    char many[3 * OUTPUT_TAIL_BYTES];
    (void)state;
    memset(many, 'a', sizeof many);
    memset(many + sizeof many - OUTPUT_TAIL_BYTES, 'b', OUTPUT_TAIL_BYTES);
    output_open(&output, NULL);
    say(&output, "before");
    output_take(&output, bytes_of(many, sizeof many));
    assert_int_equal(strspn(output.tail, "b"), OUTPUT_TAIL_BYTES);
    assert_int_equal(strlen(output.tail), OUTPUT_TAIL_BYTES);
    output_close(&output);
}

static void it_is_text_whatever_comes(void **state)
{
    static const char noise[] = "a\0b\x1b[2J\x7f\xc3\xa4\tc\r\n";
    struct output output;
    (void)state;
    output_open(&output, NULL);
    output_take(&output, bytes_of(noise, sizeof noise - 1));
    assert_string_equal(output.tail, "a?b?[2J???\tc?\n");
    output_close(&output);
}

static unsigned number_of(const char *text)
{
    struct output output;
    output_open(&output, NULL);
    say(&output, text);
    unsigned number = output_number_after(&output, "on port ");
    output_close(&output);
    return number;
}

static void a_number_is_believed_in_a_whole_line_only(void **state)
{
    (void)state;
    assert_int_equal(number_of("Listening on port 4711.\n"), 4711);
    assert_int_equal(number_of("Listening on port 65535\n"), 65535);
    assert_int_equal(number_of("Listening on port 47"), 0); /* more digits may follow */
    assert_int_equal(number_of("Hello\nListening on port 47"), 0);
    assert_int_equal(number_of("Listening on port 65536\n"), 0);
    assert_int_equal(number_of("Listening on port -1\n"), 0);
    assert_int_equal(number_of("Listening on port 0\n"), 0);
    assert_int_equal(number_of("Listening\n"), 0);
}

static void expect_last_line(const char *text, size_t size, const char *expected)
{
    struct output output;
    char line[50];
    output_open(&output, NULL);
    say(&output, text);
    output_last_line(&output, line, size);
    assert_string_equal(line, expected);
    output_close(&output);
}

static void the_last_line_says_something(void **state)
{
    (void)state;
    expect_last_line("", 50, "");
    expect_last_line(" \n\t\n", 50, "");
    expect_last_line("one", 50, "one");
    expect_last_line("one\ntwo words \n\n \t\n", 50, "two words");
    expect_last_line("one\nfour", 4, "fou");
}

static off_t size_of(const char *path)
{
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_size;
}

static void a_file_has_all_of_it_up_to_a_limit(void **state)
{
    char folder[] = "/tmp/tutti-output-XXXXXX";
    char path[60];
    char link[60];
    static char block[100000];
    struct output output;
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    snprintf(link, sizeof link, "%s/link", folder);
    memset(block, 'x', sizeof block);
    output_open(&output, path);
    say(&output, "hello\x1b\n");
    assert_int_equal(size_of(path), 7);
    for (int i = 0; i < 50; i++) {
        output_take(&output, bytes_of(block, sizeof block));
    }
    assert_in_range(size_of(path), FILE_MAX_BYTES - (off_t)sizeof block, FILE_MAX_BYTES);
    output_close(&output);
    output_close(&output);
    assert_int_equal(symlink("log", link), 0); /* as another user may have planted there */
    off_t before = size_of(path);
    output_open(&output, link);
    say(&output, "not there");
    assert_int_equal(size_of(path), before);
    output_close(&output);
    assert_int_equal(unlink(link) + unlink(path) + rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_the_last_words_are_remembered),
        cmocka_unit_test(of_many_at_once_the_last_are_remembered),
        cmocka_unit_test(it_is_text_whatever_comes),
        cmocka_unit_test(a_number_is_believed_in_a_whole_line_only),
        cmocka_unit_test(the_last_line_says_something),
        cmocka_unit_test(a_file_has_all_of_it_up_to_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
