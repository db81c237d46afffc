/* What the doctor says of limits that are too low, and of those that are not. */
#include "cli/doctor/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define MIB (UINT64_C(1024) * 1024)
#define PATH_BYTES 300u

struct scene {
    char root[64];
    struct findings findings;
    struct doctor doctor;
};

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.root = "/tmp/tutti-doctor-XXXXXX"};
    scene.doctor = (struct doctor){.is_agent = true, .is_coordinator = true, .findings = &scene.findings};
    *state = &scene;
    return mkdtemp(scene.root) != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    const struct scene *scene = *state;
    char command[PATH_BYTES];
    (void)snprintf(command, sizeof command, "rm -r %s", scene->root);
    return system(command);
}

static void put(const struct scene *scene, const char *name, const char *text)
{
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s%s", scene->root, name);
    for (char *at = path + strlen(scene->root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

/* Of the latest finding; advice is there exactly where something is wrong. */
static void expect(const struct scene *scene, enum finding_level level, const char *check, const char *words)
{
    assert_true(scene->findings.count > 0);
    const struct finding *finding = &scene->findings.items[scene->findings.count - 1];
    assert_string_equal(finding_level_name(finding->level), finding_level_name(level));
    assert_string_equal(finding->check, check);
    if (strstr(finding->text, words) == NULL) {
        fail_msg("\"%s\" does not have \"%s\"", finding->text, words);
    }
    assert_int_equal(finding->advice[0] != '\0', level != FINDING_OK);
}

static void descriptors(void **state)
{
    struct scene *scene = *state;
    doctor_descriptors(&scene->doctor, 524288);
    expect(scene, FINDING_OK, "descriptors", "524288 files");
    doctor_descriptors(&scene->doctor, 1024);
    expect(scene, FINDING_WARN, "descriptors", "1024 files");
    doctor_descriptors(&scene->doctor, 64);
    expect(scene, FINDING_FAIL, "descriptors", "64 files");
    doctor_descriptors(&scene->doctor, UINT64_MAX);
    expect(scene, FINDING_OK, "descriptors", "without a limit");
    scene->doctor.is_agent = false;
    doctor_descriptors(&scene->doctor, 4096);
    expect(scene, FINDING_OK, "descriptors", "4096 files");
}

static void ports(void **state)
{
    struct scene *scene = *state;
    doctor_ports(&scene->doctor, scene->root);
    expect(scene, FINDING_WARN, "ports", "cannot be read");
    put(scene, "/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    doctor_ports(&scene->doctor, scene->root);
    expect(scene, FINDING_OK, "ports", "28232 local ports (32768 to 60999)");
    put(scene, "/proc/sys/net/ipv4/ip_local_port_range", "50000\t50999\n");
    doctor_ports(&scene->doctor, scene->root);
    expect(scene, FINDING_WARN, "ports", "1000 local ports");
}

static void backlog(void **state)
{
    struct scene *scene = *state;
    put(scene, "/proc/sys/net/core/somaxconn", "4096\n");
    doctor_backlog(&scene->doctor, scene->root);
    expect(scene, FINDING_OK, "backlog", "4096 connections");
    put(scene, "/proc/sys/net/core/somaxconn", "128\n");
    doctor_backlog(&scene->doctor, scene->root);
    expect(scene, FINDING_WARN, "backlog", "128 connections");
}

static void memory(void **state)
{
    struct scene *scene = *state;
    struct host_means means = {.cores = 8, .memory_bytes = 16384 * MIB};
    doctor_means(&scene->doctor, &means);
    expect(scene, FINDING_OK, "memory", "16384 MiB");
    means.memory_bytes = means.limit_bytes = 256 * MIB;
    doctor_means(&scene->doctor, &means);
    expect(scene, FINDING_WARN, "memory", "256 MiB, by the limit of its cgroup");
    means.memory_bytes = means.limit_bytes = 48 * MIB;
    doctor_means(&scene->doctor, &means);
    expect(scene, FINDING_FAIL, "memory", "48 MiB");
    assert_int_equal(findings_count(&scene->findings, FINDING_FAIL), 1);
}

static void folder_of_the_state(void **state)
{
    struct scene *scene = *state;
    doctor_state(&scene->doctor);
    expect(scene, FINDING_WARN, "state", "none given");
    char path[PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/state", scene->root);
    scene->doctor.state = path;
    doctor_state(&scene->doctor);
    expect(scene, FINDING_WARN, "state", "No such file");
    assert_int_equal(mkdir(path, 0700), 0);
    doctor_state(&scene->doctor);
    assert_string_equal(scene->findings.items[scene->findings.count - 2].check, "state");
    assert_int_equal(scene->findings.items[scene->findings.count - 2].level, FINDING_OK);
    assert_string_equal(scene->findings.items[scene->findings.count - 1].check, "space");
    assert_int_equal(chmod(path, 0707), 0);
    doctor_state(&scene->doctor);
    expect(scene, FINDING_FAIL, "state", "may be written by everybody");
    put(scene, "/file", "");
    (void)snprintf(path, sizeof path, "%s/file", scene->root);
    doctor_state(&scene->doctor);
    expect(scene, FINDING_FAIL, "state", "is not a folder");
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(descriptors), STORY(ports), STORY(backlog), STORY(memory), STORY(folder_of_the_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
