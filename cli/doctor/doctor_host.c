/* What the kernel grants to processes of this host. */
#include "cli/doctor/doctor.h"

#include "agent/browser/kind.h"
#include "common/buffer.h"
#include "common/memory.h"

#include <stdio.h>
#include <sys/timex.h>

#define AGENT_FILES UINT64_C(16384)
#define COORDINATOR_FILES UINT64_C(4096)
#define LEAST_FILES UINT64_C(128)
#define ENOUGH_PORTS 20000ul
#define ENOUGH_BACKLOG 4096ul
#define MIB (UINT64_C(1024) * 1024)
#define LEAST_BYTES (64 * MIB)
#define ENOUGH_BYTES (512 * MIB)

void doctor_descriptors(const struct doctor *doctor, uint64_t limit)
{
    uint64_t enough = doctor->is_agent ? AGENT_FILES : COORDINATOR_FILES;
    unsigned long long shown = limit;
    if (limit == UINT64_MAX) {
        findings_add(doctor->findings, FINDING_OK, "descriptors", "files may be open without a limit");
        return;
    }
    findings_add(doctor->findings,
                 limit < LEAST_FILES ? FINDING_FAIL
                 : limit < enough    ? FINDING_WARN
                                     : FINDING_OK,
                 "descriptors", "%llu files may be open at once, one for each connection of a worker%s",
                 shown, doctor->is_coordinator ? ", two for each agent" : "");
    if (limit < enough) {
        findings_advise(
            doctor->findings,
            "raise the hard limit: ulimit -Hn, nofile in /etc/security/limits.conf, LimitNOFILE= of "
            "a unit, --ulimit nofile= of a container");
    }
}

/* How many numbers a file below /proc/sys begins with; 0: it cannot be read. */
static int doctor_read_numbers(const char *root, const char *name, unsigned long numbers[2])
{
    SCOPED(memory_free_at) char *path = memory_format("%s/proc/sys/%s", root, name);
    FILE *file = fopen(path, "re");
    int count = file != NULL ? fscanf(file, "%9lu %9lu", &numbers[0], &numbers[1]) : 0;
    if (file != NULL) {
        (void)fclose(file);
    }
    return count > 0 ? count : 0;
}

void doctor_ports(const struct doctor *doctor, const char *root)
{
    unsigned long range[2] = {0, 0};
    if (doctor_read_numbers(root, "net/ipv4/ip_local_port_range", range) != 2 || range[1] < range[0]) {
        findings_add(doctor->findings, FINDING_WARN, "ports", "the range of local ports cannot be read");
        findings_advise(doctor->findings, "look at net.ipv4.ip_local_port_range");
        return;
    }
    unsigned long count = range[1] - range[0] + 1;
    findings_add(doctor->findings, count < ENOUGH_PORTS ? FINDING_WARN : FINDING_OK, "ports",
                 "%lu local ports (%lu to %lu): as many connections to one address of a target", count,
                 range[0], range[1]);
    if (count < ENOUGH_PORTS) {
        findings_advise(doctor->findings, "sysctl -w net.ipv4.ip_local_port_range='15000 65000'");
    }
}

void doctor_backlog(const struct doctor *doctor, const char *root)
{
    unsigned long most[2] = {0, 0};
    if (doctor_read_numbers(root, "net/core/somaxconn", most) < 1) {
        findings_add(doctor->findings, FINDING_WARN, "backlog", "the listen backlog cannot be read");
        findings_advise(doctor->findings, "look at net.core.somaxconn");
        return;
    }
    findings_add(doctor->findings, most[0] < ENOUGH_BACKLOG ? FINDING_WARN : FINDING_OK, "backlog",
                 "%lu connections may wait to be accepted", most[0]);
    if (most[0] < ENOUGH_BACKLOG) {
        findings_advise(doctor->findings,
                        "where more agents than that connect at once: sysctl -w net.core.somaxconn=%lu",
                        ENOUGH_BACKLOG);
    }
}

void doctor_means(const struct doctor *doctor, const struct host_means *means)
{
    unsigned long long mib = means->memory_bytes / MIB;
    findings_add(doctor->findings, FINDING_OK, "cores", "%u core%s%s", means->cores,
                 means->cores == 1 ? "" : "s", means->limit_cores > 0 ? ", by the limit of its cgroup" : "");
    if (means->limit_cores > 0) {
        findings_advise(
            doctor->findings,
            "the kernel stops a cgroup that has used its %.2f cores until the next tenth of a second: "
            "times measured there are as coarse",
            means->limit_cores);
    }
    findings_add(doctor->findings,
                 means->memory_bytes == 0             ? FINDING_WARN
                 : means->memory_bytes < LEAST_BYTES  ? FINDING_FAIL
                 : means->memory_bytes < ENOUGH_BYTES ? FINDING_WARN
                                                      : FINDING_OK,
                 "memory", "%llu MiB%s", mib, means->limit_bytes > 0 ? ", by the limit of its cgroup" : "");
    if (means->memory_bytes < ENOUGH_BYTES) {
        findings_advise(doctor->findings,
                        "1,000 workers need some 50 MiB, a browser 200 to 400 MiB; what needs "
                        "more than there is, is killed by the kernel");
    }
}

void doctor_clock(const struct doctor *doctor)
{
    struct timex times = {.modes = 0};
    bool is_kept = adjtimex(&times) != TIME_ERROR && (times.status & STA_UNSYNC) == 0;
    findings_add(doctor->findings, is_kept ? FINDING_OK : FINDING_WARN, "clock", "%s",
                 is_kept ? "it is kept by a time service" : "nothing keeps it right");
    if (!is_kept) {
        findings_advise(
            doctor->findings,
            "agents measure their offset to the coordinator by themselves; for the same times in logs "
            "and traces run chrony or systemd-timesyncd, on the host where this is a container");
    }
}

void doctor_browsers(const struct doctor *doctor)
{
    struct error error = {.text = ""};
    SCOPED(buffer_finish) struct buffer found;
    buffer_init(&found, FINDING_TEXT_BYTES);
    for (int kind = 0; kind < BROWSER_KINDS; kind++) {
        char path[DRIVER_PATH_BYTES];
        if (browser_find_driver((enum browser_kind)kind, path, &error)) {
            (void)buffer_append_format(&found, "%s%s", found.size > 0 ? ", " : "", path);
        }
    }
    if (found.size > 0) {
        findings_add(doctor->findings, FINDING_OK, "browsers", "%s", buffer_string(&found));
    } else {
        findings_add(doctor->findings, FINDING_WARN, "browsers",
                     "none: scripts with browsers do not run here");
        findings_advise(doctor->findings, "apt-get install chromium-driver, or %s", error.text);
    }
}
