/* How much memory, and how many cores, this process may use: those of the machine, of which a container, or
 * a unit of systemd, may have only a part (cgroups of version 1 and 2). */
#pragma once
#include <stdint.h>

struct host_means {
    uint64_t memory_bytes; /* 0: not known */
    uint32_t cores;        /* at least 1; a part of a core counts as one */
    uint64_t limit_bytes;  /* of the cgroup; 0: it has none, or a higher one than the machine's memory */
    double limit_cores;    /* likewise */
};

/* `root`: where /proc and /sys are, "" for the system's own; tests have others. `cores` and `memory_bytes`
 * are those of the machine, as far as this process may run on them. */
struct host_means host_means_of(const char *root, uint32_t cores, uint64_t memory_bytes);
/* Those of this process. Call it before files are out of reach. */
struct host_means host_means_now(void);
