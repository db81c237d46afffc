/* What a cgroup leaves of a machine, read from folders that look like /proc and /sys. */
#include "common/host_means.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define GIB (UINT64_C(1024) * 1024 * 1024)
#define MIB (UINT64_C(1024) * 1024)
#define PATH_BYTES 300u

static char root[64];

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof root, "/tmp/tutti-means-XXXXXX");
    return mkdtemp(root) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    char command[PATH_BYTES];
    (void)state;
    (void)snprintf(command, sizeof command, "rm -r %s", root);
    return system(command);
}

/* Makes the folders on the way. */
static void put(const char *name, const char *text)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void expect(uint32_t cores, uint64_t memory_bytes)
{
    struct host_means means = host_means_of(root, 8, 16 * GIB);
    assert_int_equal(means.cores, cores);
    assert_int_equal(means.memory_bytes, memory_bytes);
    assert_int_equal(means.limit_bytes, memory_bytes < 16 * GIB ? memory_bytes : 0);
}

static void without_cgroups_it_is_the_machine(void **state)
{
    (void)state;
    expect(8, 16 * GIB);
    put("/proc/self/cgroup", "0::/\n");
    expect(8, 16 * GIB);
}

static void a_container_of_version_2_sees_its_own_root(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/memory.max", "50331648\n");
    put("/sys/fs/cgroup/cpu.max", "150000 100000\n");
    expect(2, 48 * MIB);
    put("/sys/fs/cgroup/cpu.max", "50000 100000\n");
    expect(1, 48 * MIB);
    put("/sys/fs/cgroup/memory.max", "max\n");
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    expect(8, 16 * GIB);
}

static void the_lowest_limit_on_the_way_up_counts(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "0::/system.slice/tutti.service\n");
    put("/sys/fs/cgroup/system.slice/tutti.service/memory.max", "4294967296\n");
    put("/sys/fs/cgroup/system.slice/memory.max", "1073741824\n");
    put("/sys/fs/cgroup/system.slice/tutti.service/cpu.max", "300000 100000\n");
    put("/sys/fs/cgroup/system.slice/cpu.max", "600000 100000\n");
    expect(3, GIB);
}

static void version_1_has_a_folder_for_each_kind(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "5:memory:/docker/1f\n4:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n"); /* that of the container, in it */
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    expect(4, 256 * MIB);
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    expect(8, 16 * GIB);
}

static void what_makes_no_sense_is_no_limit(void **state)
{
    (void)state;
    put("/proc/self/cgroup", "\n:\n0::\n0:/\n");
    put("/sys/fs/cgroup/memory.max", "a lot\n");
    put("/sys/fs/cgroup/cpu.max", "0 0\n");
    expect(8, 16 * GIB);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(without_cgroups_it_is_the_machine),     STORY(a_container_of_version_2_sees_its_own_root),
        STORY(the_lowest_limit_on_the_way_up_counts), STORY(version_1_has_a_folder_for_each_kind),
        STORY(what_makes_no_sense_is_no_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
