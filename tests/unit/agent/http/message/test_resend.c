/* What of a request is sent once more: by RFC 9110, and as browsers do it. */
#include "agent/http/message/resend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void idempotent_methods_may_be_repeated(void **state)
{
    (void)state;
    static const char *const harmless[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"};
    static const char *const harmful[] = {"POST", "PATCH", "CONNECT", "GETS", ""};
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++) {
        assert_true(resend_is_harmless(harmless[i]));
    }
    for (size_t i = 0; i < sizeof harmful / sizeof harmful[0]; i++) {
        assert_false(resend_is_harmless(harmful[i]));
    }
}

static void five_statuses_lead_elsewhere(void **state)
{
    (void)state;
    static const uint32_t redirects[] = {301, 302, 303, 307, 308};
    size_t next = 0;
    for (uint32_t status = 100; status < 600; status++) {
        bool is_redirect = next < 5 && status == redirects[next];
        assert_int_equal(resend_is_redirect(status), is_redirect);
        next += is_redirect;
    }
    assert_int_equal(next, 5);
}

/* 303 always, 301 and 302 after a POST; 307 and 308 keep the method and the body. */
static void some_become_a_get(void **state)
{
    (void)state;
    static const struct {
        uint32_t status;
        const char *method;
        bool becomes_get;
    } rows[] = {
        {303, "POST", true},  {303, "PUT", true},  {303, "DELETE", true}, {303, "GET", false},
        {303, "HEAD", false}, {301, "POST", true}, {302, "POST", true},   {301, "PUT", false},
        {302, "PUT", false},  {302, "GET", false}, {301, "HEAD", false},  {307, "POST", false},
        {308, "POST", false}, {307, "GET", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(resend_becomes_get(rows[i].status, rows[i].method), rows[i].becomes_get);
    }
}

static void fields_go_with_the_body_or_with_the_origin(void **state)
{
    (void)state;
    static const char *const of_body[] = {"Content-Type",     "content-length",   "CONTENT-ENCODING",
                                          "content-language", "content-location", "expect"};
    static const char *const of_origin[] = {"Authorization", "cookie", "Host", "proxy-authorization"};
    for (size_t i = 0; i < sizeof of_body / sizeof of_body[0]; i++) {
        assert_true(resend_leaves_with_body(bytes_of_string(of_body[i])));
        assert_false(resend_leaves_with_origin(bytes_of_string(of_body[i])));
    }
    for (size_t i = 0; i < sizeof of_origin / sizeof of_origin[0]; i++) {
        assert_true(resend_leaves_with_origin(bytes_of_string(of_origin[i])));
        assert_false(resend_leaves_with_body(bytes_of_string(of_origin[i])));
    }
    assert_false(resend_leaves_with_body(bytes_of_string("accept")));
    assert_false(resend_leaves_with_origin(bytes_of_string("user-agent")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idempotent_methods_may_be_repeated),
        cmocka_unit_test(five_statuses_lead_elsewhere),
        cmocka_unit_test(some_become_a_get),
        cmocka_unit_test(fields_go_with_the_body_or_with_the_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
