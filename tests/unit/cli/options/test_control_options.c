/* Which address and which token take effect, and which are refused. */
#include "cli/options/control_options.h"
#include "cli/remote/control_connect.h"
#include "tests/unit/common/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void addresses(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_good;
    } cases[] = {
        {"http://127.0.0.1:7441", true}, {"https://tutti.example/api/", true},
        {"http://[::1]:7441", true},     {"127.0.0.1:7441", false},
        {"ftp://host", false},           {"http://", false},
        {"http:///path", false},         {"http://ho st", false},
        {"http://host/?x", false},       {"http://host/#x", false},
        {"http://host\r\nX: y", false},  {"", false},
        {"http://h\xc3\xb6st", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *value = NULL;
        struct error error;
        assert_int_equal(control_parse_api(cases[i].text, &value, &error), cases[i].is_good);
    }
}

static bool connects(const char *token, const char *path)
{
    const struct control_options options = {.token = token, .token_path = path};
    struct api_client *client = control_connect("test", &options);
    bool is_good = client != NULL;
    api_client_free(&client);
    return is_good;
}

static void tokens(void **state)
{
    (void)state;
    char path[] = "/tmp/tutti-token.XXXXXX";
    int descriptor = mkstemp(path);
    assert_true(descriptor >= 0);
    assert_false(connects(NULL, path)); /* empty */
    assert_int_equal(write(descriptor, "secret\r\nmore\n", 13), 13);
    assert_true(connects(NULL, path));
    assert_true(connects(NULL, NULL));
    assert_true(connects("secret", NULL));
    assert_false(connects("", NULL));
    assert_false(connects("two words", NULL));
    assert_false(connects("a\r\nX-Evil: 1", NULL));
    assert_false(connects(NULL, "/nowhere/token"));
    assert_false(connects(NULL, "/tmp"));
    (void)close(descriptor);
    (void)unlink(path);
}

static void the_command_line_wins(void **state)
{
    (void)state;
    setenv("TUTTI_TOKEN", "ours", 1);
    setenv("TUTTI_TOKEN_FILE", "/nowhere/token", 1);
    assert_true(connects("theirs", getenv("TUTTI_TOKEN_FILE")));
    assert_false(connects(getenv("TUTTI_TOKEN"), "/nowhere/other"));
    assert_false(connects("theirs", "/nowhere/other"));
    assert_false(connects(getenv("TUTTI_TOKEN"), getenv("TUTTI_TOKEN_FILE")));
    unsetenv("TUTTI_TOKEN");
    unsetenv("TUTTI_TOKEN_FILE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(tokens),
        cmocka_unit_test(the_command_line_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
