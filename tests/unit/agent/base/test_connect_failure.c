/* What the numbers of the system mean for a connection that could not be made. */
#include "agent/base/connect_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static void each_number_has_its_kind(void **state)
{
    static const struct {
        int number;
        enum connect_failure kind;
        const char *advice; /* a word of it; NULL: there is none */
    } rows[] = {
        {ECONNREFUSED, CONNECT_REFUSED, NULL},
        {ENETUNREACH, CONNECT_UNREACHABLE, NULL},
        {EHOSTUNREACH, CONNECT_UNREACHABLE, NULL},
        {ENETDOWN, CONNECT_UNREACHABLE, NULL},
        {EHOSTDOWN, CONNECT_UNREACHABLE, NULL},
        {EADDRNOTAVAIL, CONNECT_LOCAL_LIMIT, "no free port left"},
        {EADDRINUSE, CONNECT_LOCAL_LIMIT, "no free port left"},
        {EMFILE, CONNECT_LOCAL_LIMIT, "limit of open files"},
        {ENFILE, CONNECT_LOCAL_LIMIT, "limit of open files"},
        {ENOBUFS, CONNECT_LOCAL_LIMIT, NULL},
        {ENOMEM, CONNECT_LOCAL_LIMIT, NULL},
        {ETIMEDOUT, CONNECT_OTHER, NULL},
        {ECONNRESET, CONNECT_OTHER, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(connect_failure_of(rows[i].number), rows[i].kind);
        const char *advice = connect_failure_advice(rows[i].number);
        if (rows[i].advice == NULL) {
            assert_string_equal(advice, "");
        } else {
            assert_non_null(strstr(advice, rows[i].advice));
        }
    }
}

static int lowest_free_fd(void)
{
    int fd = open("/", O_PATH | O_CLOEXEC);

    assert_true(fd >= 0);
    close(fd);
    return fd;
}

static void the_probe_finds_that_no_file_can_be_opened(void **state)
{
    struct rlimit limit;
    int free_fd = lowest_free_fd();

    (void)state;
    assert_int_equal(connect_failure_probe(), 0);
    assert_int_equal(lowest_free_fd(), free_fd); /* it keeps nothing open */
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    struct rlimit lowered = {.rlim_cur = (rlim_t)free_fd, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &lowered), 0);
    int found = connect_failure_probe();
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(found, EMFILE);
    assert_int_equal(connect_failure_probe(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_number_has_its_kind),
        cmocka_unit_test(the_probe_finds_that_no_file_can_be_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
