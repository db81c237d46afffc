/* What is looked at, and in which order. */
#include "cli/doctor/doctor.h"

#include <sys/resource.h>

static uint64_t doctor_file_limit(void)
{
    struct rlimit limit;
    bool is_known = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY;
    return is_known ? (uint64_t)limit.rlim_max : UINT64_MAX;
}

void doctor_look(const struct doctor *doctor)
{
    struct host_means means = host_means_now();
    doctor_descriptors(doctor, doctor_file_limit());
    doctor_means(doctor, &means);
    doctor_clock(doctor);
    if (doctor->is_agent) {
        doctor_ports(doctor, "");
        doctor_browsers(doctor);
        doctor_key(doctor);
        doctor_reach(doctor);
    }
    if (doctor->is_coordinator) {
        doctor_backlog(doctor, "");
        doctor_keys(doctor);
        doctor_state(doctor);
        doctor_listen(doctor);
    }
}
