/* The listener closes while there are too many connections, and opens again. */
#include "proto/socket/socket_admission.h"

#include "tests/unit/common/check.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOON_MS 300

static int listen_somewhere(struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(bind(listener, (struct sockaddr *)address, size), 0);
    assert_int_equal(listen(listener, 10), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)address, &size), 0);
    return listener;
}

static bool gets_in(const struct sockaddr_in *address)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)connect(descriptor, (const struct sockaddr *)address, sizeof *address);
    struct pollfd wait = {.fd = descriptor, .events = POLLOUT};
    bool is_in = poll(&wait, 1, SOON_MS) == 1 && (wait.revents & POLLERR) == 0;
    (void)close(descriptor);
    return is_in;
}

static void test_shuts_and_opens(void **state)
{
    (void)state;
    struct sockaddr_in address;
    struct socket_admission admission;
    int listener = listen_somewhere(&address);
    socket_admission_init(&admission);
    assert_false(socket_admission_accepted(&admission)); /* before it listens */
    socket_admission_disconnected(&admission);
    socket_admission_listening(&admission, listener);
    admission.capacity = 32;
    for (unsigned i = 1; i < 32; i++) {
        assert_false(socket_admission_accepted(&admission));
    }
    assert_true(gets_in(&address));
    assert_true(socket_admission_accepted(&admission));
    assert_false(socket_admission_accepted(&admission)); /* said once */
    assert_false(gets_in(&address));
    socket_admission_disconnected(&admission);
    socket_admission_disconnected(&admission);
    assert_false(gets_in(&address)); /* not for each one */
    socket_admission_disconnected(&admission);
    socket_admission_disconnected(&admission);
    assert_true(gets_in(&address));
    (void)close(listener);
}

static void test_leaves_descriptors_for_the_rest(void **state)
{
    (void)state;
    static const rlim_t LIMITS[] = {40, 64, 256, 1024, 4096};
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    for (size_t i = 0; i < sizeof LIMITS / sizeof *LIMITS; i++) {
        struct rlimit limit = {.rlim_cur = LIMITS[i], .rlim_max = before.rlim_max};
        struct socket_admission admission;
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        socket_admission_init(&admission);
        socket_admission_listening(&admission, -1);
        assert_in_range(admission.capacity, 1, LIMITS[i] * 2 / 3);
        /* Connections that wait to be accepted get in as well. */
        assert_in_range(socket_admission_backlog(), 1, (LIMITS[i] - admission.capacity) / 2);
    }
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shuts_and_opens),
        cmocka_unit_test(test_leaves_descriptors_for_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
