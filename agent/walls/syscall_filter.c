/* The filters as tables, passed to libseccomp, which compiles them into a binary tree. */
#include "agent/walls/syscall_filter.h"

#include "agent/walls/landlock.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPTIMIZE_AS_TREE 2
#define SOCKET_TYPE_MASK 0xfu

/* LeakSanitizer stops the threads of its own process with ptrace from a process that it forks; Landlock
 * confines that to our walls. */
#if defined(__SANITIZE_ADDRESS__)
#define LOOKS_FOR_LEAKS true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LOOKS_FOR_LEAKS true
#endif
#endif
#ifndef LOOKS_FOR_LEAKS
#define LOOKS_FOR_LEAKS false
#endif

/* By name, since kernels and architectures differ in what they have; unknown names are skipped. */
static const char *const for_nobody[] = {
    /* other processes */
    "process_vm_readv", "process_vm_writev", "process_madvise", "process_mrelease", "kcmp", "pidfd_getfd",
    "migrate_pages", "move_pages",
    /* mounts */
    "mount", "umount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsmount", "fsconfig",
    "fspick", "mount_setattr",
    /* the kernel */
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "bpf", "perf_event_open",
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "lookup_dcookie", "nfsservctl",
    "vhangup", "iopl", "ioperm", "modify_ldt",
    /* the host */
    "acct", "swapon", "swapoff", "reboot", "sethostname", "setdomainname", "settimeofday", "stime",
    "clock_settime", "clock_settime64", "clock_adjtime", "clock_adjtime64", "adjtimex", "syslog", "quotactl",
    "quotactl_fd",
    /* keys */
    "add_key", "request_key", "keyctl",
    /* files beyond their names, and operations that Landlock does not check */
    "name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark", "mknod", "mknodat", "chown",
    "fchown", "lchown", "fchownat", "chown32", "fchown32", "lchown32", "setxattr", "lsetxattr", "fsetxattr",
    "removexattr", "lremovexattr", "fremovexattr", "chmod", "fchmod", "fchmodat", "fchmodat2"};

static const char *const for_no_script[] = {"execve",      "execveat",    "fork",
                                            "vfork",       "unshare",     "setns",
                                            "chroot",      "personality", "capset",
                                            "setuid",      "setgid",      "setreuid",
                                            "setregid",    "setresuid",   "setresgid",
                                            "setgroups",   "setfsuid",    "setfsgid",
                                            "tkill",       "pidfd_open",  "pidfd_send_signal",
                                            "listen",      "accept",      "accept4",
                                            "chmod",       "fchmod",      "fchmodat",
                                            "fchmodat2",   "utime",       "utimes",
                                            "futimesat",   "utimensat",   "utimensat_time64",
                                            "truncate",    "truncate64",  "link",
                                            "linkat",      "symlink",     "symlinkat",
                                            "memfd_secret"};

struct filter {
    scmp_filter_ctx context;
    int result; /* of the first call that failed */
};

static void refuse_with(struct filter *filter, int error_number, const char *name, unsigned count,
                        const struct scmp_arg_cmp *conditions)
{
    int number = seccomp_syscall_resolve_name(name);

    if (number == __NR_SCMP_ERROR || number < 0 || filter->result != 0) {
        return;
    }
    filter->result = seccomp_rule_add_array(filter->context, SCMP_ACT_ERRNO((uint32_t)error_number), number,
                                            count, conditions);
}

static void syscall_filter_refuse(struct filter *filter, const char *name, unsigned count,
                                  const struct scmp_arg_cmp *conditions)
{
    refuse_with(filter, EPERM, name, count, conditions);
}

static void syscall_filter_refuse_all(struct filter *filter, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        syscall_filter_refuse(filter, names[i], 0, NULL);
    }
}

static void refuse_families(struct filter *filter)
{
    for (unsigned family = 0; family < AF_NETLINK; family++) {
        const struct scmp_arg_cmp equal = SCMP_A0_32(SCMP_CMP_EQ, family);
        if (family != AF_UNIX && family != AF_INET && family != AF_INET6) {
            refuse_with(filter, EAFNOSUPPORT, "socket", 1, &equal);
        }
    }
    const struct scmp_arg_cmp above = SCMP_A0_32(SCMP_CMP_GT, AF_NETLINK);
    refuse_with(filter, EAFNOSUPPORT, "socket", 1, &above);
}

/* A socket with a path would reach services of the host that trust anyone who can open it. Of Netlink only
 * the addresses and routes of this host remain, which the resolver needs. */
static void refuse_local_sockets(struct filter *filter)
{
    const struct scmp_arg_cmp local = SCMP_A0_32(SCMP_CMP_EQ, AF_UNIX);
    const struct scmp_arg_cmp netlink[] = {SCMP_A0_32(SCMP_CMP_EQ, AF_NETLINK),
                                           SCMP_A2_32(SCMP_CMP_NE, NETLINK_ROUTE)};

    refuse_with(filter, EAFNOSUPPORT, "socket", 1, &local);
    refuse_with(filter, EAFNOSUPPORT, "socket", 2, netlink);
}

static void refuse_raw_sockets(struct filter *filter)
{
    static const unsigned families[] = {AF_INET, AF_INET6};

    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const struct scmp_arg_cmp raw[] = {SCMP_A0_32(SCMP_CMP_EQ, families[i]),
                                           SCMP_A1_32(SCMP_CMP_MASKED_EQ, SOCKET_TYPE_MASK, SOCK_RAW)};
        syscall_filter_refuse(filter, "socket", 2, raw);
    }
}

/* Signals to ourselves remain allowed: abort and raise need them. */
static void refuse_foreign_signals(struct filter *filter)
{
    static const char *const names[] = {"kill", "tgkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo"};
    const struct scmp_arg_cmp foreign = SCMP_A0_32(SCMP_CMP_NE, (unsigned)getpid());

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        syscall_filter_refuse(filter, names[i], 1, &foreign);
    }
}

/* The flags of clone3 are in memory, where a filter cannot read them; without it the C library falls back to
 * clone. */
static void refuse_processes(struct filter *filter)
{
    const struct scmp_arg_cmp process = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0);
    const struct scmp_arg_cmp other = SCMP_A0_32(SCMP_CMP_NE, 0);

    refuse_with(filter, ENOSYS, "clone3", 0, NULL);
    syscall_filter_refuse(filter, "prlimit64", 1, &other);
    if (!LOOKS_FOR_LEAKS) {
        syscall_filter_refuse(filter, "clone", 1, &process);
    }
}

/* A browser builds its sandbox from namespaces of its own; browsers of root do without, since to enter one
 * they would have to write below /proc, where root could change the kernel. */
static void refuse_namespaces(struct filter *filter)
{
    const struct scmp_arg_cmp cloned = SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER);

    refuse_with(filter, ENOSYS, "clone3", 0, NULL);
    syscall_filter_refuse(filter, "clone", 1, &cloned);
    syscall_filter_refuse(filter, "unshare", 0, NULL);
    syscall_filter_refuse(filter, "setns", 0, NULL);
}

/* Characters injected into the terminal that an agent was started from would be read by its shell. */
static void refuse_typing(struct filter *filter)
{
    static const unsigned requests[] = {TIOCSTI, TIOCLINUX, TIOCSETD, TIOCCONS};

    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        const struct scmp_arg_cmp request = SCMP_A1_32(SCMP_CMP_EQ, requests[i]);
        syscall_filter_refuse(filter, "ioctl", 1, &request);
    }
}

/* Libraries that are loaded late are mapped from files as readable and executable, never as writable too. */
static void refuse_made_code(struct filter *filter)
{
    const uint64_t both = PROT_WRITE | PROT_EXEC;
    const struct scmp_arg_cmp mapped = SCMP_A2_32(SCMP_CMP_MASKED_EQ, (uint32_t)both, (uint32_t)both);
    const struct scmp_arg_cmp executable = SCMP_A2_32(SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC);
    const struct scmp_arg_cmp shared = SCMP_A2_32(SCMP_CMP_MASKED_EQ, SHM_EXEC, SHM_EXEC);

    syscall_filter_refuse(filter, "mmap", 1, &mapped);
    syscall_filter_refuse(filter, "mprotect", 1, &executable);
    syscall_filter_refuse(filter, "pkey_mprotect", 1, &executable);
    syscall_filter_refuse(filter, "shmat", 1, &shared);
}

static void refuse_for_scripts(struct filter *filter)
{
    syscall_filter_refuse_all(filter, for_no_script, sizeof for_no_script / sizeof *for_no_script);
    if (!LOOKS_FOR_LEAKS) {
        syscall_filter_refuse(filter, "ptrace", 0, NULL);
    }
    refuse_local_sockets(filter);
    refuse_foreign_signals(filter);
    refuse_processes(filter);
    refuse_made_code(filter);
}

static int filter_load(struct filter *filter, enum syscall_filter kind)
{
    filter->result = seccomp_attr_set(filter->context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(EPERM));
    /* An older libseccomp has no tree, and is just as correct without. */
    (void)seccomp_attr_set(filter->context, SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_AS_TREE);
    syscall_filter_refuse_all(filter, for_nobody, sizeof for_nobody / sizeof *for_nobody);
    if (landlock_abi() < LANDLOCK_ABI_TRUNCATE) {
        syscall_filter_refuse(filter, "truncate", 0, NULL);
        syscall_filter_refuse(filter, "truncate64", 0, NULL);
    }
    refuse_families(filter);
    refuse_raw_sockets(filter);
    refuse_typing(filter);
    if (kind == SYSCALL_FILTER_SCRIPTS) {
        refuse_for_scripts(filter);
    } else if (geteuid() == 0) {
        refuse_namespaces(filter);
    }
    return filter->result != 0 ? filter->result : seccomp_load(filter->context);
}

bool syscall_filter_load(enum syscall_filter kind, struct error *error)
{
    struct filter filter = {.context = seccomp_init(SCMP_ACT_ALLOW)};

    if (filter.context == NULL) {
        return error_set(error, "seccomp: no memory");
    }
    int result = filter_load(&filter, kind);
    seccomp_release(filter.context);
    return result == 0 || error_set_system(error, -result, "seccomp");
}
