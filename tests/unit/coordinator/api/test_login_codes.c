/* Codes are good once, and for a minute. */
#include "coordinator/api/login_codes.h"
#include "tests/unit/common/check.h"

#include <stdio.h>

#include <cmocka.h>

#define NOW_MS 1000000u

static void a_code_is_good_once(void **state)
{
    struct login_codes codes = {0};
    (void)state;
    login_codes_add(&codes, NOW_MS, "first");
    login_codes_add(&codes, NOW_MS, "second");
    assert_int_equal(login_codes_take(&codes, NOW_MS, "first"), LOGIN_DONE);
    assert_int_equal(login_codes_take(&codes, NOW_MS, "first"), LOGIN_WRONG);
    assert_int_equal(login_codes_take(&codes, NOW_MS, "second"), LOGIN_DONE);
    assert_int_equal(login_codes_take(&codes, NOW_MS, "second"), LOGIN_WRONG);
}

static void a_code_is_good_for_a_minute(void **state)
{
    struct login_codes codes = {0};
    (void)state;
    login_codes_add(&codes, NOW_MS, "in time");
    login_codes_add(&codes, NOW_MS, "too late");
    assert_int_equal(login_codes_take(&codes, NOW_MS + LOGIN_CODE_MS - 1, "in time"), LOGIN_DONE);
    assert_int_equal(login_codes_take(&codes, NOW_MS + LOGIN_CODE_MS, "too late"), LOGIN_WRONG);
}

static void nothing_is_no_code(void **state)
{
    struct login_codes codes = {0};
    (void)state;
    assert_int_equal(login_codes_take(&codes, NOW_MS, ""), LOGIN_WRONG);
    login_codes_add(&codes, NOW_MS, "a");
    assert_int_equal(login_codes_take(&codes, NOW_MS, ""), LOGIN_WRONG);
    assert_int_equal(login_codes_take(&codes, NOW_MS, "b"), LOGIN_WRONG);
    assert_int_equal(login_codes_take(&codes, NOW_MS, "a"), LOGIN_DONE);
}

static void one_more_takes_the_place_of_the_oldest(void **state)
{
    struct login_codes codes = {0};
    char text[16];
    (void)state;
    for (unsigned i = 0; i <= LOGIN_CODES; i++) {
        (void)snprintf(text, sizeof text, "code %u", i);
        login_codes_add(&codes, NOW_MS + i, text);
    }
    assert_int_equal(login_codes_take(&codes, NOW_MS + LOGIN_CODES, "code 0"), LOGIN_WRONG);
    for (unsigned i = 1; i <= LOGIN_CODES; i++) {
        (void)snprintf(text, sizeof text, "code %u", i);
        assert_int_equal(login_codes_take(&codes, NOW_MS + LOGIN_CODES, text), LOGIN_DONE);
    }
}

static void who_guesses_waits(void **state)
{
    struct login_codes codes = {0};
    uint64_t now_ms = NOW_MS;
    (void)state;
    login_codes_add(&codes, now_ms, "right");
    for (unsigned i = 0; i < LOGIN_WRONG_MOST; i++) {
        assert_int_equal(login_codes_take(&codes, now_ms, "wrong"), LOGIN_WRONG);
    }
    assert_int_equal(login_codes_take(&codes, now_ms, "wrong"), LOGIN_TOO_OFTEN);
    assert_int_equal(login_codes_take(&codes, now_ms, "right"), LOGIN_TOO_OFTEN);
    assert_int_equal(login_codes_take(&codes, now_ms + LOGIN_WRONG_MS - 1, "right"), LOGIN_TOO_OFTEN);
    now_ms += LOGIN_WRONG_MS;
    assert_int_equal(login_codes_take(&codes, now_ms, "wrong"), LOGIN_WRONG);
    assert_int_equal(login_codes_take(&codes, now_ms, "right"), LOGIN_TOO_OFTEN);
    assert_int_equal(login_codes_take(&codes, now_ms + LOGIN_WRONG_MS, "right"), LOGIN_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_code_is_good_once), cmocka_unit_test(a_code_is_good_for_a_minute),
        cmocka_unit_test(nothing_is_no_code),  cmocka_unit_test(one_more_takes_the_place_of_the_oldest),
        cmocka_unit_test(who_guesses_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
