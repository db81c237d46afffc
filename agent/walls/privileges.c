/* no_new_privs, and capset through its system call, for which the C library has no function. */
#include "agent/walls/privileges.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Root may inspect a script in the folder of another user, and clean up after one. */
#define KEPT ((1u << CAP_DAC_OVERRIDE) | (1u << CAP_DAC_READ_SEARCH))

/* The capabilities that a program executed by root would regain. Only root can drop them, and has to. */
static void forget_for_programs(void)
{
    for (unsigned long capability = 0; capability <= CAP_LAST_CAP; capability++) {
        if (capability >= 32 || (KEPT & (1u << capability)) == 0) {
            (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
        }
    }
}

bool privileges_drop(struct error *error)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return error_set_system(error, errno, "no_new_privs");
    }
    forget_for_programs();
    if (syscall(SYS_capget, &header, sets) != 0) {
        return error_set_system(error, errno, "capabilities");
    }
    /* A service manager that has left us none may also refuse the call. */
    if (((sets[0].permitted | sets[0].inheritable) & ~KEPT) == 0 &&
        (sets[1].permitted | sets[1].inheritable) == 0) {
        return true;
    }
    sets[0].permitted &= KEPT;
    sets[0].effective &= KEPT;
    sets[0].inheritable = 0;
    sets[1] = (struct __user_cap_data_struct){0};
    return syscall(SYS_capset, &header, sets) == 0 || error_set_system(error, errno, "capabilities");
}
