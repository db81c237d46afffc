/* The starter, with a hostile peer. */
#include "agent/browser/starter.h"

#include "agent/browser/reaper.h"
#include "agent/browser/starter_link.h"
#include "tests/unit/agent/browser/fake_driver.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 15000
#define ROUNDS 20000

struct stand {
    int socket;
    pid_t pid;
};

static int set_up(void **state)
{
    static struct stand stand;
    const char *const arguments[] = {"tutti", "reaper", STARTER_COMMAND, REAPER_WALLED, "", "", NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];

    (void)signal(SIGPIPE, SIG_IGN);
    fake_driver_set_up();
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], REAPER_SOCKET), 0);
    assert_int_equal(
        posix_spawn(&stand.pid, "/proc/self/exe", &actions, NULL, (char *const *)arguments, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    stand.socket = ends[0];
    *state = &stand;
    alarm(50);
    return 0;
}

/* It has survived everything, and ends when it is released. */
static int tear_down(void **state)
{
    struct stand *stand = *state;
    int status = -1;

    assert_int_equal(waitpid(stand->pid, NULL, WNOHANG), 0);
    (void)close(stand->socket);
    assert_int_equal(waitpid(stand->pid, &status, 0), stand->pid);
    assert_int_equal(status, 0);
    fake_driver_expect_nothing_left();
    fake_driver_tear_down();
    alarm(0);
    return 0;
}

static void tell(const struct stand *stand, const void *packet, size_t size, const int *descriptors,
                 unsigned count)
{
    union {
        char bytes[CMSG_SPACE(8 * sizeof(int))];
        struct cmsghdr aligned;
    } control = {0};
    struct iovec part = {.iov_base = (void *)packet, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (count > 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(header), descriptors, count * sizeof(int));
    }
    assert_int_equal(sendmsg(stand->socket, &message, MSG_NOSIGNAL), size);
}

/* The first answer on a socket whose other end the starter has got; its first byte, 0 for the end. */
static char ask(const struct stand *stand, const struct starter_request *request, char *text, size_t size)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    tell(stand, request, sizeof *request, &ends[1], 1);
    (void)close(ends[1]);
    struct pollfd ready = {.fd = ends[0], .events = POLLIN};
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    ssize_t got = recv(ends[0], text, size - 1, 0);
    text[got > 0 ? got : 0] = 0;
    (void)close(ends[0]);
    return text[0];
}

static void expect_it_works(const struct stand *stand)
{
    const struct starter_request request = {.action = STARTER_START, .number = 7, .timeout_ms = 10000};
    char text[REAPER_PACKET_BYTES];

    assert_int_equal(ask(stand, &request, text, sizeof text), REAPER_READY);
}

static void requests_of_every_wrong_kind(void **state)
{
    struct stand *stand = *state;
    const struct starter_request wrong[] = {
        {.action = 0},
        {.action = 4},
        {.action = UINT32_MAX},
        {.action = STARTER_START, .kind = BROWSER_KINDS},
        {.action = STARTER_START, .kind = UINT32_MAX},
        {.action = STARTER_START, .timeout_ms = UINT32_MAX},
        {.action = STARTER_KILL, .number = 1},
    };
    char text[REAPER_PACKET_BYTES];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(ask(stand, &wrong[i], text, sizeof text), 0);
    }
    expect_it_works(stand);
}

static void descriptors_that_do_not_belong(void **state)
{
    struct stand *stand = *state;
    const struct starter_request start = {.action = STARTER_START, .timeout_ms = 1000};
    const struct starter_request stop = {.action = STARTER_KILL};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int many[8] = {nothing, nothing, nothing, nothing, nothing, nothing, nothing, nothing};

    tell(stand, &start, sizeof start, NULL, 0);
    for (unsigned i = 1; i <= 8; i++) {
        tell(stand, &stop, sizeof stop, many, i);
    }
    for (unsigned i = 2; i <= 8; i++) {
        tell(stand, &start, sizeof start, many, i);
    }
    tell(stand, &start, sizeof start, many, 1); /* no socket: its reaper ends at once */
    (void)close(nothing);
    expect_it_works(stand);
}

static void packets_that_are_none(void **state)
{
    struct stand *stand = *state;
    uint8_t packet[256];

    for (unsigned i = 0; i < ROUNDS / 10; i++) {
        size_t size = 1 + (size_t)rand() % sizeof packet;
        if (size == sizeof(struct starter_request)) {
            continue;
        }
        for (size_t at = 0; at < size; at++) {
            packet[at] = (uint8_t)rand();
        }
        tell(stand, packet, size, NULL, 0);
    }
    expect_it_works(stand);
}

/* It only starts known kinds of the operator's programs, whatever else is in the packet. */
static void only_requests_that_make_sense_are_read(void **state)
{
    struct starter_request request;
    uint32_t words[4];

    (void)state;
    static_assert(sizeof words == sizeof request, "the words of a request");
    for (unsigned i = 0; i < ROUNDS * 10; i++) {
        unsigned descriptors = (unsigned)rand() % 4;
        size_t size = rand() % 8 == 0 ? (size_t)rand() % sizeof words : sizeof words;
        for (size_t at = 0; at < 4; at++) {
            words[at] = rand() % 2 == 0 ? (uint32_t)rand() % 6 : (uint32_t)rand() * 2u;
        }
        if (!starter_request_read(bytes_of(words, size), descriptors, &request)) {
            continue;
        }
        assert_int_equal(size, sizeof words);
        assert_in_range(request.action, STARTER_START, STARTER_KILL);
        assert_int_equal(descriptors, request.action != STARTER_KILL);
        if (request.action == STARTER_START) {
            assert_in_range(request.kind, 0, BROWSER_KINDS - 1);
            assert_in_range(request.timeout_ms, 0, STARTER_MAX_TIMEOUT_MS);
        }
    }
}

static void a_program_that_comes_later_is_not_found(void **state)
{
    struct stand *stand = *state;
    const struct starter_request request = {
        .action = STARTER_START, .kind = BROWSER_WEBKIT, .timeout_ms = 1000};
    char text[REAPER_PACKET_BYTES];

    expect_it_works(stand); /* it has looked by now */
    (void)setenv("TUTTI_WEBKITWEBDRIVER", "/bin/sh", 1);
    assert_int_not_equal(ask(stand, &request, text, sizeof text), 0);
    assert_null(strstr(text, "/bin/sh"));
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        STORY(requests_of_every_wrong_kind),
        STORY(descriptors_that_do_not_belong),
        STORY(packets_that_are_none),
        STORY(a_program_that_comes_later_is_not_found),
        cmocka_unit_test(only_requests_that_make_sense_are_read),
    };
    int code = 0;

    return fake_driver_plays(argc, argv, &code) ? code : cmocka_run_group_tests(tests, NULL, NULL);
}
