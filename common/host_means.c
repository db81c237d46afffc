/* Reads the limits of the process's cgroup and of all above it. */
#include "common/host_means.h"

#include "common/memory.h"

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_BYTES 512u
#define PATH_BYTES 1024u

struct cgroup_limits {
    uint64_t memory_bytes; /* UINT64_MAX: none */
    double cores;          /* 0: none */
};

/* The first line of a file. False if there is none. */
static bool host_means_read_line(const char *root, const char *folder, const char *name,
                                 char line[LINE_BYTES])
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s%s/%s", root, folder, name);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    bool is_read = fgets(line, (int)LINE_BYTES, file) != NULL;
    (void)fclose(file);
    return is_read;
}

static void limit_memory(struct cgroup_limits *limits, const char *line)
{
    char *end = NULL;
    unsigned long long bytes = strtoull(line, &end, 10);
    if (end != line && bytes > 0 && bytes < limits->memory_bytes) {
        limits->memory_bytes = bytes;
    }
}

static void limit_cores(struct cgroup_limits *limits, double quota_us, double period_us)
{
    double cores = period_us > 0 ? quota_us / period_us : 0;
    if (cores > 0 && (limits->cores <= 0 || cores < limits->cores)) {
        limits->cores = cores;
    }
}

/* Of one cgroup; "max" is no number, and -1 no limit. */
static void limits_read_v2(struct cgroup_limits *limits, const char *root, const char *folder)
{
    char line[LINE_BYTES];
    if (host_means_read_line(root, folder, "memory.max", line)) {
        limit_memory(limits, line);
    }
    if (host_means_read_line(root, folder, "cpu.max", line)) {
        char *rest = NULL;
        double quota_us = strtod(line, &rest);
        if (rest != line) {
            limit_cores(limits, quota_us, strtod(rest, NULL));
        }
    }
}

static void limits_read_v1_memory(struct cgroup_limits *limits, const char *root, const char *folder)
{
    char line[LINE_BYTES];
    if (host_means_read_line(root, folder, "memory.limit_in_bytes", line)) {
        limit_memory(limits, line);
    }
}

static void limits_read_v1_cpu(struct cgroup_limits *limits, const char *root, const char *folder)
{
    char quota[LINE_BYTES];
    char period[LINE_BYTES];
    if (host_means_read_line(root, folder, "cpu.cfs_quota_us", quota) &&
        host_means_read_line(root, folder, "cpu.cfs_period_us", period)) {
        limit_cores(limits, strtod(quota, NULL), strtod(period, NULL));
    }
}

/* Of the cgroup at `path` below `mount`, and of all above it. In a container the path may be that on the
 * host, of which only the mount itself is seen. */
static void limits_climb(struct cgroup_limits *limits, const char *root, const char *mount, const char *path,
                         void (*read)(struct cgroup_limits *limits, const char *root, const char *folder))
{
    char folder[PATH_BYTES];
    int size = snprintf(folder, sizeof folder, "%s%s", mount, strcmp(path, "/") == 0 ? "" : path);
    if (size < 0 || (size_t)size >= sizeof folder) {
        return;
    }
    for (char *end = folder + size;; end = strrchr(folder, '/')) {
        *end = '\0';
        read(limits, root, folder);
        if ((size_t)(end - folder) <= strlen(mount)) {
            return;
        }
    }
}

/* Whether a list like "cpu,cpuacct" has this word. */
static bool cgroup_controls(const char *list, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = list; at != NULL; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, size) == 0 && (at[size] == ',' || at[size] == '\0')) {
            return true;
        }
    }
    return false;
}

/* "0::/system.slice/x" of version 2, "4:cpu,cpuacct:/docker/1f" of version 1. */
static void limits_take_line(struct cgroup_limits *limits, const char *root, char *line)
{
    char *list = strchr(line, ':');
    char *path = list != NULL ? strchr(list + 1, ':') : NULL;
    if (path == NULL) {
        return;
    }
    line[strcspn(line, "\n")] = '\0';
    *path++ = '\0';
    list++;
    if (*list == '\0') {
        limits_climb(limits, root, "/sys/fs/cgroup", path, limits_read_v2);
    }
    if (cgroup_controls(list, "memory")) {
        limits_climb(limits, root, "/sys/fs/cgroup/memory", path, limits_read_v1_memory);
    }
    if (cgroup_controls(list, "cpu")) {
        limits_climb(limits, root, "/sys/fs/cgroup/cpu", path, limits_read_v1_cpu);
    }
}

struct host_means host_means_of(const char *root, uint32_t cores, uint64_t memory_bytes)
{
    struct cgroup_limits limits = {.memory_bytes = UINT64_MAX};
    struct host_means means = {.memory_bytes = memory_bytes, .cores = cores > 0 ? cores : 1};
    char line[LINE_BYTES];
    SCOPED(memory_free_at) char *path = memory_format("%s/proc/self/cgroup", root);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, (int)sizeof line, file) != NULL) {
        limits_take_line(&limits, root, line);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (limits.memory_bytes != UINT64_MAX && (memory_bytes == 0 || limits.memory_bytes < memory_bytes)) {
        means.memory_bytes = means.limit_bytes = limits.memory_bytes;
    }
    if (limits.cores > 0 && limits.cores < means.cores) {
        uint32_t whole = (uint32_t)limits.cores;
        means.limit_cores = limits.cores;
        means.cores = limits.cores > whole ? whole + 1 : whole;
    }
    return means;
}

struct host_means host_means_now(void)
{
    cpu_set_t set;
    long pages = sysconf(_SC_PHYS_PAGES);
    long page_bytes = sysconf(_SC_PAGESIZE);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int allowed = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
    return host_means_of("",
                         allowed > 0  ? (uint32_t)allowed
                         : online > 0 ? (uint32_t)online
                                      : 1,
                         pages > 0 && page_bytes > 0 ? (uint64_t)pages * (uint64_t)page_bytes : 0);
}
