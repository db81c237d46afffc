/* Landlock through its system calls: the headers of the distribution may be older than the kernel. */
#include "agent/walls/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BIT(number) (UINT64_C(1) << (number))

/* As in linux/landlock.h. */
#define RULESET_VERSION 1u
#define RULE_PATH 1
#define RULE_PORT 2
#define FS_EXECUTE BIT(0)
#define FS_WRITE_FILE BIT(1)
#define FS_READ_FILE BIT(2)
#define FS_READ_DIR BIT(3)
#define FS_REMOVE_DIR BIT(4)
#define FS_REMOVE_FILE BIT(5)
#define FS_MAKE_CHAR BIT(6)
#define FS_MAKE_DIR BIT(7)
#define FS_MAKE_REG BIT(8)
#define FS_MAKE_SOCK BIT(9)
#define FS_MAKE_FIFO BIT(10)
#define FS_MAKE_SYM BIT(12)
#define FS_REFER BIT(13)
#define FS_TRUNCATE BIT(14)
#define FS_IOCTL_DEV BIT(15)
#define NET_BIND_TCP BIT(0)
#define SCOPE_ABSTRACT_SOCKET BIT(0)
#define SCOPE_SIGNAL BIT(1)

/* Rights that apply to a file that is not a folder. */
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset {
    uint64_t handled_fs;
    uint64_t handled_net; /* from version 4 on */
    uint64_t scoped;      /* from version 6 on */
};

struct __attribute__((packed)) path_rule {
    uint64_t allowed;
    int32_t folder;
};

struct port_rule {
    uint64_t allowed;
    uint64_t port;
};

/* Rights that a version of the interface has added. */
static const struct {
    int since;
    uint64_t rights;
} generations[] = {{1, BIT(13) - 1}, {2, FS_REFER}, {LANDLOCK_ABI_TRUNCATE, FS_TRUNCATE}, {5, FS_IOCTL_DEV}};

static const uint64_t rights_of[] = {
    [LANDLOCK_READ] = FS_READ_FILE | FS_READ_DIR,
    [LANDLOCK_RUN] = FS_READ_FILE | FS_READ_DIR | FS_EXECUTE,
    [LANDLOCK_WRITE] = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR |
                       FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SOCK | FS_MAKE_FIFO |
                       FS_MAKE_SYM | FS_REFER,
    [LANDLOCK_USE] = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_IOCTL_DEV,
    [LANDLOCK_AMEND] = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE,
};

int landlock_abi(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, RULESET_VERSION);

    return version > 0 ? (int)version : 0;
}

bool landlock_init(struct landlock *landlock, const struct landlock_settings *settings, struct error *error)
{
    struct ruleset ruleset = {0};
    size_t size = offsetof(struct ruleset, handled_net);

    *landlock = (struct landlock){.rules = -1, .abi = landlock_abi()};
    if (landlock->abi == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof generations / sizeof *generations; i++) {
        ruleset.handled_fs |= generations[i].since <= landlock->abi ? generations[i].rights : 0;
    }
    if (landlock->abi >= 4) {
        ruleset.handled_net = settings->keeps_ports ? NET_BIND_TCP : 0;
        size = offsetof(struct ruleset, scoped);
    }
    if (landlock->abi >= 6) {
        ruleset.scoped = SCOPE_ABSTRACT_SOCKET | SCOPE_SIGNAL;
        size = sizeof ruleset;
    }
    landlock->handled = ruleset.handled_fs;
    landlock->rules = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0u);
    return landlock->rules >= 0 || error_set_system(error, errno, "Landlock");
}

void landlock_allow(struct landlock *landlock, const char *path, enum landlock_access access)
{
    struct stat status;
    struct path_rule rule = {.allowed = rights_of[access] & landlock->handled, .folder = -1};

    if (landlock->rules < 0) {
        return;
    }
    rule.folder = open(path, O_PATH | O_CLOEXEC);
    if (rule.folder < 0) {
        return;
    }
    if (fstat(rule.folder, &status) == 0) {
        rule.allowed &= S_ISDIR(status.st_mode) ? ~UINT64_C(0) : FS_OF_FILES;
        (void)syscall(SYS_landlock_add_rule, landlock->rules, RULE_PATH, &rule, 0u);
    }
    (void)close(rule.folder);
}

void landlock_allow_port(struct landlock *landlock, uint16_t port)
{
    struct port_rule rule = {.allowed = NET_BIND_TCP, .port = port};

    if (landlock->rules >= 0 && landlock->abi >= 4) {
        (void)syscall(SYS_landlock_add_rule, landlock->rules, RULE_PORT, &rule, 0u);
    }
}

bool landlock_enforce(struct landlock *landlock, struct error *error)
{
    return landlock->rules < 0 || syscall(SYS_landlock_restrict_self, landlock->rules, 0u) == 0 ||
           error_set_system(error, errno, "Landlock");
}

void landlock_finish(struct landlock *landlock)
{
    if (landlock->rules >= 0) {
        (void)close(landlock->rules);
    }
    landlock->rules = -1;
}
