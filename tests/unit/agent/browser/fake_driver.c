/* A driver that creates the same descendants as real ones, and worse. */
#include "tests/unit/agent/browser/fake_driver.h"

#include "agent/browser/reaper.h"
#include "common/clock.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_NS (5 * NS_PER_S)

static char own_program[512];
static char temporary[] = "/tmp/tdXXXXXX";
static char root[64];

static void ignore_everything(const char *name)
{
    for (int number = 1; number < 32; number++) {
        (void)signal(number, SIG_IGN);
    }
    (void)prctl(PR_SET_NAME, name);
}

/* Runs at most as long as the test is willing to wait, should everything else fail. */
static _Noreturn void linger(const char *name)
{
    ignore_everything(name);
    for (int i = 0; i < 60; i++) {
        (void)sleep(1);
    }
    _exit(0);
}

/* Like a crash handler: in a session of its own, and an orphan. The intermediate process has exited before it
 * is counted. */
static void beget_orphan(void)
{
    pid_t between = fork();

    if (between == 0) {
        if (fork() == 0) {
            (void)setsid();
            linger("fake-orphan");
        }
        _exit(0);
    }
    (void)waitpid(between, NULL, 0);
}

/* Like a zygote: no environment, but an option with the folder; also an orphan. */
static void beget_stranger(void)
{
    char option[256];
    char *arguments[] = {option, option, NULL};
    char *nothing[] = {NULL};

    snprintf(option, sizeof option, "--user-data-dir=%s/profile", getenv("TUTTI_BROWSER_FOLDER"));
    pid_t between = fork();
    if (between == 0) {
        if (fork() == 0) {
            (void)setsid();
            (void)execve(own_program, arguments, nothing);
        }
        _exit(0);
    }
    (void)waitpid(between, NULL, 0);
}

/* Children that have children. */
static void beget_line(int generations)
{
    if (generations > 0 && fork() == 0) {
        beget_line(generations - 1);
        linger("fake-child");
    }
}

static int listen_at(unsigned *port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int one = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    (void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 8) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0) {
        return -1;
    }
    *port = ntohs(address.sin_port);
    return listener;
}

static void serve(int listener)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    char request[2048];

    for (;;) {
        int peer = accept(listener, NULL, NULL);
        ssize_t size = recv(peer, request, sizeof request - 1, 0);
        request[size > 0 ? size : 0] = 0;
        if (strstr(request, "\r\nHost: 127.0.0.1:") != NULL) {
            (void)send(peer, answer, sizeof answer - 1, MSG_NOSIGNAL);
        }
        (void)close(peer);
    }
}

static bool is_first_of_folder(void)
{
    return mkdir("was-here", 0700) == 0;
}

static bool is_port_taken(void)
{
    char path[16] = "was-here-0";

    for (char *digit = path + strlen(path) - 1; *digit < '5'; ++*digit) {
        if (mkdir(path, 0700) == 0) {
            return true;
        }
    }
    return false;
}

static int drive(unsigned port)
{
    const char *behaviour = getenv("FAKE_DRIVER");
    int listener = listen_at(&port);

    behaviour = behaviour != NULL ? behaviour : "";
    (void)signal(SIGTERM, SIG_IGN);
    if (strcmp(behaviour, "failing") == 0 || (strcmp(behaviour, "busy") == 0 && is_first_of_folder())) {
        printf("one line\n");
        (void)fflush(stdout);
        fprintf(stderr, "cannot open display\n\n");
        return 3;
    }
    if (strcmp(behaviour, "crowded") == 0 && is_port_taken()) {
        printf("Starting ChromeDriver on port 0\nIPv4 port not available. Exiting...\n");
        return 1;
    }
    if (strcmp(behaviour, "silent") == 0) {
        linger("fake-driver");
    }
    if (strcmp(behaviour, "busy") == 0) {
        beget_orphan();
    }
    if (strcmp(behaviour, "family") == 0) {
        beget_line(3);
        beget_orphan();
        beget_stranger();
    }
    for (char **variable = environ; strcmp(behaviour, "loud") == 0 && *variable != NULL; variable++) {
        printf("%s\n", *variable);
    }
    /* Its children would inherit that name if it were set earlier. */
    (void)prctl(PR_SET_NAME, "fake-driver");
    printf("Starting ChromeDriver on port 0\nChromeDriver was started successfully on port %u.\n", port);
    (void)fflush(stdout);
    if (strcmp(behaviour, "mute") == 0) {
        (void)close(STDOUT_FILENO);
        (void)close(STDERR_FILENO);
    }
    serve(listener);
    return 0;
}

bool fake_driver_plays(int argc, char **argv, int *code)
{
    unsigned port = 0;

    if (readlink("/proc/self/exe", own_program, sizeof own_program - 1) <= 0) {
        return false;
    }
    if (argc > 1 && strcmp(argv[1], "reaper") == 0) {
        *code = reaper_main(argc - 1, argv + 1);
    } else if (argc > 1 && strncmp(argv[1], "--user-data-dir=", 16) == 0) {
        linger("fake-stranger");
    } else if (argc > 1 && sscanf(argv[1], "--port=%u", &port) == 1) {
        *code = drive(port);
    } else {
        return false;
    }
    return true;
}

void fake_driver_set_up(void)
{
    memcpy(temporary, "/tmp/tdXXXXXX", sizeof temporary);
    assert_non_null(mkdtemp(temporary));
    snprintf(root, sizeof root, "%s/tutti-browsers-%u", temporary, (unsigned)geteuid());
    (void)setenv("TMPDIR", temporary, 1);
    (void)setenv("TUTTI_CHROMEDRIVER", own_program, 1);
    (void)setenv("TUTTI_WEBKITWEBDRIVER", own_program, 1);
    (void)unsetenv("FAKE_DRIVER");
}

void fake_driver_tear_down(void)
{
    (void)rmdir(root);
    assert_int_equal(rmdir(temporary), 0);
}

static bool is_ours(const char *pid)
{
    char path[300];
    char program[512];

    snprintf(path, sizeof path, "/proc/%s/exe", pid);
    ssize_t size = readlink(path, program, sizeof program - 1);
    program[size > 0 ? size : 0] = 0;
    return strcmp(program, own_program) == 0 && strtol(pid, NULL, 10) != getpid();
}

static bool is_called(const char *pid, const char *name)
{
    char path[300];
    char comm[32] = "";

    snprintf(path, sizeof path, "/proc/%s/comm", pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return false;
    }
    bool is_read = fscanf(file, "%31[^\n]", comm) == 1;
    (void)fclose(file);
    return is_read && strcmp(comm, name) == 0;
}

static size_t count_in_proc(const char *name, pid_t *found)
{
    DIR *folder = opendir("/proc");
    const struct dirent *entry;
    size_t count = 0;

    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || !is_ours(entry->d_name) ||
            (name != NULL ? !is_called(entry->d_name, name) : is_called(entry->d_name, "tutti-starter"))) {
            continue;
        }
        count++;
        *found = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    (void)closedir(folder);
    return count;
}

size_t fake_driver_count_processes(void)
{
    pid_t found;

    return count_in_proc(NULL, &found);
}

pid_t fake_driver_find(const char *name)
{
    pid_t found = 0;

    return count_in_proc(name, &found) > 0 ? found : 0;
}

pid_t fake_driver_await(const char *name)
{
    pid_t found;

    while ((found = fake_driver_find(name)) == 0) {
        (void)usleep(1000);
    }
    return found;
}

void fake_driver_read(pid_t pid, const char *name, char *text, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = 0;
    (void)fclose(file);
}

size_t fake_driver_count_folders(void)
{
    DIR *folder = opendir(root);
    const struct dirent *entry;
    size_t count = 0;

    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        count += entry->d_name[0] != '.';
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    return count;
}

void fake_driver_expect_nothing_left(void)
{
    uint64_t until_ns = clock_now_ns() + PATIENCE_NS;
    struct timespec pause = {.tv_nsec = (long)(5 * NS_PER_MS)};

    while (fake_driver_count_processes() + fake_driver_count_folders() > 0 ||
           fake_driver_find("tutti-starter")) {
        if (clock_now_ns() > until_ns) {
            fail_msg("%zu processes and %zu folders are left", fake_driver_count_processes(),
                     fake_driver_count_folders());
        }
        (void)nanosleep(&pause, NULL);
    }
}
