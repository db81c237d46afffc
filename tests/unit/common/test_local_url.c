/* Which URLs lead to this host. */
#include "common/local_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void urls_of_this_host(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        uint16_t port; /* 0: another host, or no URL */
    } cases[] = {{"http://127.0.0.1:7441", 7441},   {"http://127.0.0.1:7441/api/v2/write?db=x", 7441},
                 {"https://localhost/", 443},       {"http://LOCALHOST", 80},
                 {"http://[::1]:8086/write", 8086}, {"http://127.evil.example/", 0},
                 {"http://localhost.example/", 0},  {"http://10.0.0.1:7441", 0},
                 {"http://127.0.0.1:0", 0},         {"http://127.0.0.1:65536", 0},
                 {"http://127.0.0.1:", 0},          {"127.0.0.1:7441", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t port = 0;
        assert_int_equal(local_url_port(cases[i].url, &port), cases[i].port != 0);
        assert_int_equal(cases[i].port != 0 ? port : 0, cases[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_of_this_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
