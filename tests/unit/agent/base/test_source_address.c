/* Where a connection comes from: an address that this machine has, and one that it does not. */
#include "agent/base/source_address.h"
#include "tests/unit/common/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct address parse(const char *text)
{
    struct address address;

    assert_true(address_parse(bytes_of_string(text), &address));
    return address;
}

static void a_socket_is_bound_without_a_port(void **state)
{
    struct address source = parse("127.0.0.77");
    struct sockaddr_in bound = {0};
    socklen_t size = sizeof bound;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    assert_int_equal(source_address_bind(fd, &source), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&bound, &size), 0);
    assert_int_equal(ntohl(bound.sin_addr.s_addr), 0x7f00004d);
    assert_int_equal(bound.sin_port, 0);
    source = parse("203.0.113.9");
    assert_int_equal(source_address_bind(fd, &source), EADDRNOTAVAIL);
    close(fd);
}

static void an_address_that_is_not_here_is_named(void **state)
{
    struct address here = parse("127.0.0.77");
    struct address loopback = parse("::1");
    struct address elsewhere = parse("203.0.113.9");
    struct error error = {""};
    char text[100];
    int free_fd = dup(0);

    (void)state;
    close(free_fd);
    assert_true(source_address_check(&here, &error));
    assert_true(source_address_check(&loopback, &error));
    assert_false(source_address_check(&elsewhere, &error));
    assert_string_equal(error.text, "this machine does not have the address 203.0.113.9 (--source)");
    source_address_describe(&here, EACCES, text, sizeof text);
    assert_string_equal(text, "bind to 127.0.0.77 (--source): Permission denied");
    assert_int_equal(dup(0), free_fd); /* no check leaves a socket open */
    close(free_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_socket_is_bound_without_a_port),
        cmocka_unit_test(an_address_that_is_not_here_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
