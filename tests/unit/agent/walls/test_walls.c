/* A process that runs scripts behind walls, assuming that the sandbox is broken: what it tries to reach. */
#include "agent/walls/landlock.h"
#include "agent/walls/name_files.h"
#include "agent/walls/walls.h"
#include "tests/unit/agent/walls/attack.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_BYTES 128

static char link_to_secret[PATH_BYTES];
static char link_out[PATH_BYTES];
static pid_t stranger;

static int set_up(void **state)
{
    (void)state;
    attack_set_up();
    (void)snprintf(link_to_secret, sizeof link_to_secret, "%s/link", attack_own);
    (void)snprintf(link_out, sizeof link_out, "%s/out", attack_own);
    assert_int_equal(symlink(attack_secret, link_to_secret), 0);
    assert_int_equal(symlink(attack_foreign, link_out), 0);
    stranger = fork();
    if (stranger == 0) {
        (void)alarm(60);
        for (;;) {
            (void)pause();
        }
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(waitpid(stranger, NULL, WNOHANG), 0); /* nobody has killed it */
    assert_int_equal(kill(stranger, SIGKILL), 0);
    assert_int_equal(waitpid(stranger, NULL, 0), stranger);
    attack_tear_down();
    return 0;
}

static int try_open(const char *path, int flags)
{
    return attack_expect(path, open(path, flags, 0600), EACCES);
}

static int try_format(int flags, const char *format, ...)
{
    char path[PATH_BYTES * 2];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(path, sizeof path, format, list);
    va_end(list);
    return try_open(path, flags);
}

static int read_what_is_not_ours(void)
{
    int failed = 0;

    failed |= try_open("/etc/passwd", O_RDONLY);
    failed |= try_open("/etc", O_RDONLY | O_DIRECTORY);
    failed |= try_open("/", O_RDONLY | O_DIRECTORY);
    failed |= try_open(attack_secret, O_RDONLY);
    failed |= try_open(attack_foreign, O_RDONLY | O_DIRECTORY);
    failed |= try_open(link_to_secret, O_RDONLY);
    failed |= try_format(O_RDONLY, "%s/secret", link_out);
    failed |= try_format(O_RDONLY, "%s/../foreign/secret", attack_own);
    failed |= try_format(O_RDONLY, "/proc/self/root%s", attack_secret);
    failed |=
        try_format(O_RDONLY, "/proc/self/cwd/../../../../../../../../../../../../../../..%s", attack_secret);
    failed |= try_format(O_RDONLY, "/proc/thread-self/root/etc/passwd");
    return failed;
}

static void scripts_read_nothing_outside(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(read_what_is_not_ours), 0);
}

/* A descriptor of a folder that was opened before does not help. */
static int read_from_a_descriptor(void)
{
    int own = open(attack_own, O_RDONLY | O_DIRECTORY);
    int pathless = open(attack_foreign, O_PATH | O_DIRECTORY);

    if (own < 0) {
        return 3;
    }
    return attack_expect("openat ..", openat(own, "../foreign/secret", O_RDONLY), EACCES) |
           attack_expect("openat link", openat(own, "link", O_RDONLY), EACCES) |
           attack_expect("openat O_PATH", openat(pathless, "secret", O_RDONLY), EACCES);
}

static void scripts_read_nothing_from_descriptors(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(read_from_a_descriptor), 0);
}

static int write_what_is_not_ours(void)
{
    int failed = 0;

    failed |= try_format(O_WRONLY | O_CREAT, "%s/new", attack_foreign);
    failed |= try_format(O_WRONLY | O_CREAT | O_TRUNC, "%s", attack_secret);
    failed |= try_format(O_WRONLY | O_APPEND, "%s", link_to_secret);
    failed |= try_format(O_WRONLY | O_CREAT, "%s/new", link_out);
    failed |= try_format(O_WRONLY | O_CREAT, "/tmp/tutti-escaped");
    failed |= try_format(O_RDWR | O_TMPFILE, "/tmp");
    failed |= try_format(O_RDWR | O_TMPFILE, "/dev/shm");
    failed |= try_format(O_WRONLY, "/proc/self/comm");
    failed |= try_format(O_WRONLY, "/proc/self/oom_score_adj");
    failed |= try_format(O_WRONLY, "/etc/hosts");
    return failed;
}

static void scripts_write_nothing_outside(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(write_what_is_not_ours), 0);
}

static int change_names(void)
{
    char own[PATH_BYTES];
    char foreign[PATH_BYTES];
    int failed = 0;

    (void)snprintf(own, sizeof own, "%s/mine", attack_own);
    (void)snprintf(foreign, sizeof foreign, "%s/yours", attack_foreign);
    if (close(open(own, O_WRONLY | O_CREAT, 0600)) != 0) {
        return 3;
    }
    failed |= attack_expect("unlink", unlink(attack_secret), EACCES);
    failed |= attack_expect("mkdir", mkdir(foreign, 0700), EACCES);
    failed |= attack_expect("rmdir", rmdir(attack_foreign), EACCES);
    failed |= attack_expect("rename out", rename(own, foreign), EACCES);
    failed |= attack_expect("rename over", rename(own, attack_secret), EACCES);
    failed |= attack_expect("rename in", rename(attack_secret, own), EACCES);
    failed |= attack_expect("link in", link(attack_secret, foreign), EPERM);
    failed |= attack_expect("symlink", symlink("/etc", foreign), EPERM);
    failed |= attack_expect("mkfifo", mkfifo(own, 0600), EPERM);
    failed |= attack_expect("truncate", truncate(attack_secret, 0), EPERM);
    return failed;
}

static void scripts_change_no_names_outside(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(change_names), 0);
}

/* Landlock does not check these. */
static int change_what_files_are(void)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    int pathless = open(attack_secret, O_PATH);
    char by_number[40];
    int failed = 0;

    (void)snprintf(by_number, sizeof by_number, "/proc/self/fd/%d", pathless);
    failed |= attack_expect("chmod", chmod(attack_secret, 0666), EPERM);
    failed |= attack_expect("chmod of a descriptor", chmod(by_number, 0666), EPERM);
    failed |= attack_expect("fchmodat", fchmodat(AT_FDCWD, attack_secret, 0666, 0), EPERM);
    failed |= attack_expect("chown", chown(attack_secret, 1, 1), EPERM);
    failed |= attack_expect("lchown", lchown(attack_secret, 1, 1), EPERM);
    failed |= attack_expect("utimensat", utimensat(AT_FDCWD, attack_secret, times, 0), EPERM);
    failed |= attack_expect("setxattr", setxattr(attack_secret, "user.a", "b", 1, 0), EPERM);
    failed |= attack_expect("mknod", mknod(by_number, S_IFCHR | 0600, 1), EPERM);
    return failed;
}

static void scripts_change_no_modes_and_owners(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(change_what_files_are), 0);
}

static int run_programs(void)
{
    char name[] = "sh";
    char *const arguments[] = {name, NULL};
    char *const nothing[] = {NULL};
    int memory = (int)syscall(SYS_memfd_create, "program", 0u);
    int file = open("/usr/bin/env", O_RDONLY);
    pid_t child = 0;
    int failed = 0;

    failed |= attack_expect("execve", execve("/bin/sh", arguments, nothing), EPERM);
    failed |= attack_expect("execveat", fexecve(file, arguments, nothing), EPERM);
    failed |= attack_expect("a program in memory", fexecve(memory, arguments, nothing), EPERM);
    failed |= posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, nothing) == 0;
    failed |=
        attack_expect("system", system("true") == -1 || WEXITSTATUS(system("true")) == 127 ? -1 : 0, errno);
    return failed;
}

static void scripts_run_no_program(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(run_programs), 0);
}

static int make_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *both = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return attack_expect("mmap", both == MAP_FAILED ? -1 : 0, EPERM) |
           attack_expect("mprotect", mprotect(page, 4096, PROT_READ | PROT_EXEC), EPERM);
}

static void scripts_make_no_code(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(make_code), 0);
}

static int reach_processes(void)
{
    static char byte;
    struct iovec ours = {&byte, 1};
    struct iovec theirs = {&byte, 1};
    const union sigval value = {0};
    const struct rlimit limit = {0};
    int failed = 0;

    failed |= attack_expect("kill", kill(stranger, SIGKILL), EPERM);
    failed |= attack_expect("kill the parent", kill(getppid(), SIGTERM), EPERM);
    failed |= attack_expect("kill everybody", kill(-1, 0), EPERM);
    failed |= attack_expect("kill the group", kill(0, 0), EPERM);
    failed |= attack_expect("tgkill", syscall(SYS_tgkill, stranger, stranger, SIGKILL), EPERM);
    failed |= attack_expect("tkill", syscall(SYS_tkill, stranger, SIGKILL), EPERM);
    failed |= attack_expect("sigqueue", sigqueue(stranger, SIGTERM, value), EPERM);
    failed |= attack_expect("pidfd_open", syscall(SYS_pidfd_open, stranger, 0), EPERM);
    failed |= attack_expect("ptrace", ptrace(PTRACE_SEIZE, stranger, NULL, NULL), EPERM);
    failed |= attack_expect("process_vm_readv", process_vm_readv(stranger, &ours, 1, &theirs, 1, 0), EPERM);
    failed |= attack_expect("process_vm_writev", process_vm_writev(stranger, &ours, 1, &theirs, 1, 0), EPERM);
    failed |= attack_expect("prlimit", prlimit(stranger, RLIMIT_NOFILE, &limit, NULL), EPERM);
    failed |= try_format(O_RDONLY, "/proc/%d/environ", (int)stranger);
    failed |= try_format(O_RDWR, "/proc/%d/mem", (int)stranger);
    failed |= try_format(O_RDONLY, "/proc/%d/root%s", (int)stranger, attack_secret);
    failed |= try_format(O_RDONLY, "/proc/%d/maps", (int)getppid());
    return failed;
}

static void scripts_reach_no_other_process(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(reach_processes), 0);
}

static int open_sockets(void)
{
    static const struct {
        const char *what;
        int family;
        int type;
        int protocol;
        int expected;
    } rows[] = {{"with a path", AF_UNIX, SOCK_STREAM, 0, EAFNOSUPPORT},
                {"with a path, of packets", AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, EAFNOSUPPORT},
                {"raw", AF_INET, SOCK_RAW, IPPROTO_ICMP, EPERM},
                {"raw, of IPv6", AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6, EPERM},
                {"of frames", AF_PACKET, SOCK_RAW, 0, EAFNOSUPPORT},
                {"of the kernel's ciphers", AF_ALG, SOCK_SEQPACKET, 0, EAFNOSUPPORT},
                {"of machines", AF_VSOCK, SOCK_STREAM, 0, EAFNOSUPPORT},
                {"of events", AF_NETLINK, SOCK_RAW, 15, EAFNOSUPPORT},
                {"of audit", AF_NETLINK, SOCK_RAW, 9, EAFNOSUPPORT}};
    int failed = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        failed |= attack_expect(rows[i].what, socket(rows[i].family, rows[i].type, rows[i].protocol),
                                rows[i].expected);
    }
    return failed;
}

static void scripts_open_no_odd_socket(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(open_sockets), 0);
}

static int serve_others(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(39217), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int failed = 0;

    failed |= attack_expect("bind", bind(listener, (struct sockaddr *)&address, sizeof address), EACCES);
    failed |= attack_expect("listen", listen(listener, 1), EPERM);
    failed |= attack_expect("accept", accept(listener, NULL, NULL), EPERM);
    return failed;
}

static void scripts_serve_nobody(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(serve_others), 0);
}

/* By number, since libraries have no functions for most of them. */
static int reach_the_kernel(void)
{
    static const struct {
        const char *what;
        long number;
        int expected;
    } rows[] = {{"unshare", SYS_unshare, EPERM},
                {"setns", SYS_setns, EPERM},
                {"mount", SYS_mount, EPERM},
                {"umount2", SYS_umount2, EPERM},
                {"open_tree", SYS_open_tree, EPERM},
                {"move_mount", SYS_move_mount, EPERM},
                {"fsopen", SYS_fsopen, EPERM},
                {"mount_setattr", SYS_mount_setattr, EPERM},
                {"pivot_root", SYS_pivot_root, EPERM},
                {"chroot", SYS_chroot, EPERM},
                {"bpf", SYS_bpf, EPERM},
                {"perf_event_open", SYS_perf_event_open, EPERM},
                {"io_uring_setup", SYS_io_uring_setup, EPERM},
                {"userfaultfd", SYS_userfaultfd, EPERM},
                {"keyctl", SYS_keyctl, EPERM},
                {"add_key", SYS_add_key, EPERM},
                {"request_key", SYS_request_key, EPERM},
                {"init_module", SYS_init_module, EPERM},
                {"finit_module", SYS_finit_module, EPERM},
                {"kexec_load", SYS_kexec_load, EPERM},
                {"reboot", SYS_reboot, EPERM},
                {"sethostname", SYS_sethostname, EPERM},
                {"clock_settime", SYS_clock_settime, EPERM},
                {"open_by_handle_at", SYS_open_by_handle_at, EPERM},
                {"name_to_handle_at", SYS_name_to_handle_at, EPERM},
                {"personality", SYS_personality, EPERM},
                {"setuid", SYS_setuid, EPERM},
                {"setresuid", SYS_setresuid, EPERM},
                {"capset", SYS_capset, EPERM},
                {"pidfd_getfd", SYS_pidfd_getfd, EPERM},
                {"vhangup", SYS_vhangup, EPERM},
                {"swapoff", SYS_swapoff, EPERM},
                {"acct", SYS_acct, EPERM},
                {"syslog", SYS_syslog, EPERM},
                {"clone3", SYS_clone3, ENOSYS}};
    int failed = 0;

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        failed |= attack_expect(rows[i].what, syscall(rows[i].number, 0L, 0L, 0L, 0L, 0L), rows[i].expected);
    }
    return failed;
}

static void scripts_do_not_reach_the_kernel(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(reach_the_kernel), 0);
}

static int type_into_the_terminal(void)
{
    int terminal = open("/dev/null", O_RDWR);

    return attack_expect("TIOCSTI", ioctl(terminal, TIOCSTI, "x"), EPERM) |
           attack_expect("TIOCLINUX", ioctl(terminal, TIOCLINUX, "\x02"), EPERM);
}

static void scripts_type_into_no_terminal(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(type_into_the_terminal), 0);
}

static void *use_a_thread(void *argument)
{
    struct addrinfo *found = NULL;
    int result = getaddrinfo("localhost", "80", &(struct addrinfo){.ai_socktype = SOCK_STREAM}, &found);

    if (found != NULL) {
        freeaddrinfo(found);
    }
    *(int *)argument = result;
    /* And what is forbidden stays forbidden. */
    return open(attack_secret, O_RDONLY) < 0 ? NULL : argument;
}

static int live_on(void)
{
    char path[PATH_BYTES];
    pthread_t thread;
    void *escaped = NULL;
    int result = -1;
    int ends[2];

    (void)snprintf(path, sizeof path, "%s/upload", attack_own);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    bool is_well = file >= 0 && write(file, "x", 1) == 1 && ftruncate(file, 0) == 0 && unlink(path) == 0;
    is_well = is_well && mkdir(path, 0700) == 0 && rmdir(path) == 0;
    is_well = is_well && open("/etc/hosts", O_RDONLY) >= 0 && open("/proc/self/stat", O_RDONLY) >= 0;
    is_well = is_well && open("/dev/urandom", O_RDONLY) >= 0 && open("/dev/null", O_RDWR) >= 0;
    is_well = is_well && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && kill(getpid(), 0) == 0;
    is_well = is_well && pthread_create(&thread, NULL, use_a_thread, &result) == 0 &&
              pthread_join(thread, &escaped) == 0;
    return is_well && result == 0 && escaped == NULL ? 0 : 1;
}

static void what_a_load_test_needs_works(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(live_on), 0);
}

static int connect_somewhere(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int stream = socket(AF_INET, SOCK_STREAM, 0);
    int datagram = socket(AF_INET, SOCK_DGRAM, 0);
    bool is_chosen =
        bind(stream, (struct sockaddr *)&any, sizeof any) == 0; /* as with an address to connect from */
    int result = connect(stream, (struct sockaddr *)&address, sizeof address);

    return is_chosen && datagram >= 0 && (result == 0 || errno == ECONNREFUSED) ? 0 : 1;
}

static void any_host_can_be_tested(void **state)
{
    (void)state;
    assert_int_equal(attack_from_scripts(connect_somewhere), 0);
}

/* The kernel of a host without Landlock, simulated by a filter. */
static int live_without_landlock(void)
{
    struct walls walls = {.writable = attack_own};
    struct walls_standing standing;
    struct error error;
    char text[WALLS_TEXT_BYTES];
    char name[] = "true";
    char *const arguments[] = {name, NULL};
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(landlock_create_ruleset), 0) != 0 ||
        seccomp_load(filter) != 0 || !walls_raise_for_scripts(&walls, &standing, &error)) {
        return 3;
    }
    seccomp_release(filter);
    walls_describe(&standing, text);
    if (strcmp(text, "seccomp, no_new_privs (no Landlock on this kernel)") != 0) {
        (void)fprintf(stderr, "%s\n", text);
        return 4;
    }
    return attack_expect("execve", execv("/bin/true", arguments), EPERM) |
           attack_expect("kill", kill(stranger, SIGKILL), EPERM);
}

static void a_kernel_without_landlock_is_told_of(void **state)
{
    int status = 0;

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        _exit(live_without_landlock());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* As if other files had replaced them. */
static int lose_name_files(void)
{
    const struct landlock_settings settings = {0};
    struct name_files files;
    struct landlock landlock;
    struct error error;

    name_files_init(&files);
    if (name_files_lost(&files) != NULL || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        !landlock_init(&landlock, &settings, &error)) {
        return 3;
    }
    landlock_allow(&landlock, "/etc/hosts", LANDLOCK_READ);
    if (!landlock_enforce(&landlock, &error)) {
        return 4;
    }
    const char *lost = name_files_lost(&files);
    return lost != NULL && strcmp(lost, "/etc/resolv.conf") == 0 && name_files_lost(&files) == NULL ? 0 : 5;
}

static void name_files_that_are_replaced_are_told_of_once(void **state)
{
    int status = 0;

    (void)state;
    if (landlock_abi() == 0 || access("/etc/resolv.conf", R_OK) != 0) {
        skip();
    }
    pid_t child = fork();
    if (child == 0) {
        _exit(lose_name_files());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void walls_are_described(void **state)
{
    const struct walls_standing all = {true, true, 7};
    const struct walls_standing few = {true, false, 0};
    char text[WALLS_TEXT_BYTES];

    (void)state;
    walls_describe(&all, text);
    assert_string_equal(text, "Landlock 7, seccomp, no_new_privs");
    walls_describe(&few, text);
    assert_string_equal(text, "no_new_privs (no Landlock on this kernel) (no seccomp on this kernel)");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(scripts_read_nothing_outside),
        STORY(scripts_read_nothing_from_descriptors),
        STORY(scripts_write_nothing_outside),
        STORY(scripts_change_no_names_outside),
        STORY(scripts_change_no_modes_and_owners),
        STORY(scripts_run_no_program),
        STORY(scripts_make_no_code),
        STORY(scripts_reach_no_other_process),
        STORY(scripts_open_no_odd_socket),
        STORY(scripts_serve_nobody),
        STORY(scripts_do_not_reach_the_kernel),
        STORY(scripts_type_into_no_terminal),
        STORY(what_a_load_test_needs_works),
        STORY(any_host_can_be_tested),
        STORY(a_kernel_without_landlock_is_told_of),
        cmocka_unit_test(name_files_that_are_replaced_are_told_of_once),
        cmocka_unit_test(walls_are_described),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
