/* Keys, and the folder of the state. */
#include "cli/doctor/doctor.h"

#include "common/memory.h"
#include "proto/keys/key_folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MIB (UINT64_C(1024) * 1024)
#define LEAST_BYTES (64 * MIB)
#define ENOUGH_BYTES (1024 * MIB)

static void doctor_tell_file(const struct doctor *doctor, const char *check, const char *path,
                             const struct error *warning)
{
    bool is_good = warning->text[0] == '\0';
    findings_add(doctor->findings, is_good ? FINDING_OK : FINDING_WARN, check, "%s",
                 is_good ? path : warning->text);
    if (!is_good) {
        findings_advise(doctor->findings, "chmod 600 %s", path);
    }
}

void doctor_key(const struct doctor *doctor)
{
    struct agent_key key;
    struct error warning = {.text = ""};
    struct error error;
    if (doctor->key == NULL) {
        findings_add(doctor->findings, FINDING_OK, "key", "none given (--key)");
    } else if (!agent_key_read(doctor->key, &key, &warning, &error)) {
        findings_add(doctor->findings, FINDING_FAIL, "key", "%s", error.text);
        findings_advise(doctor->findings,
                        "it has to be the file that tutti keygen DIR --agent NAME wrote, with mode "
                        "600, and belong to the user that runs the agent");
    } else {
        agent_key_wipe(&key);
        doctor_tell_file(doctor, "key", doctor->key, &warning);
    }
}

void doctor_keys(const struct doctor *doctor)
{
    struct key_pair pair;
    struct key_stamp stamp;
    struct error warning = {.text = ""};
    struct error error;
    if (doctor->keys == NULL) {
        findings_add(doctor->findings, FINDING_OK, "keys",
                     "none given (--keys): for agents on this host alone");
        return;
    }
    bool is_read = key_folder_read_pair(doctor->keys, &pair, &warning, &error);
    SCOPED(allow_list_free)
    struct allow_list *list = is_read ? key_folder_read_list(doctor->keys, &stamp, &error) : NULL;
    if (list == NULL) {
        findings_add(doctor->findings, FINDING_FAIL, "keys", "%s", error.text);
        findings_advise(doctor->findings,
                        "it has to be a folder that tutti keygen made, with mode 700, and belong to "
                        "the user that runs the coordinator");
    } else {
        doctor_tell_file(doctor, "keys", doctor->keys, &warning);
    }
    key_pair_wipe(&pair);
}

static void doctor_space(const struct doctor *doctor)
{
    struct statvfs system;
    if (statvfs(doctor->state, &system) != 0) {
        findings_add(doctor->findings, FINDING_WARN, "space", "%s: %s", doctor->state, strerror(errno));
        return;
    }
    uint64_t free_bytes = (uint64_t)system.f_bavail * (uint64_t)system.f_frsize;
    findings_add(doctor->findings,
                 free_bytes < LEAST_BYTES    ? FINDING_FAIL
                 : free_bytes < ENOUGH_BYTES ? FINDING_WARN
                                             : FINDING_OK,
                 "space", "%llu MiB are free at %s", (unsigned long long)(free_bytes / MIB), doctor->state);
    if (free_bytes < ENOUGH_BYTES) {
        findings_advise(doctor->findings,
                        "make room: a journal takes some 14 bytes an operation, until --journal-max; "
                        "tutti delete removes reports");
    }
}

void doctor_state(const struct doctor *doctor)
{
    struct stat status;
    if (doctor->state == NULL) {
        findings_add(doctor->findings, FINDING_WARN, "state",
                     "none given (--state): a coordinator that ends forgets its campaigns and reports");
        findings_advise(doctor->findings, "tutti coordinator --state /var/lib/tutti");
        return;
    }
    if (stat(doctor->state, &status) != 0) {
        findings_add(doctor->findings, FINDING_WARN, "state", "%s: %s", doctor->state, strerror(errno));
        findings_advise(doctor->findings, "the coordinator makes the folder if it may; else mkdir -m 700 %s",
                        doctor->state);
        return;
    }
    bool is_folder = S_ISDIR(status.st_mode);
    bool is_ours = status.st_uid == geteuid() || status.st_uid == 0;
    if (!is_folder || access(doctor->state, W_OK | X_OK) != 0 || !is_ours ||
        (status.st_mode & S_IWOTH) != 0) {
        findings_add(doctor->findings, FINDING_FAIL, "state", "%s %s", doctor->state,
                     !is_folder                        ? "is not a folder"
                     : !is_ours                        ? "belongs to another user"
                     : (status.st_mode & S_IWOTH) != 0 ? "may be written by everybody"
                                                       : "cannot be written");
        findings_advise(doctor->findings,
                        "it has to belong to the user that runs the coordinator, with mode 700");
        return;
    }
    bool is_open = (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
    findings_add(doctor->findings, is_open ? FINDING_WARN : FINDING_OK, "state", "%s can be written%s",
                 doctor->state, is_open ? ", and read by others: it has the data of campaigns" : "");
    if (is_open) {
        findings_advise(doctor->findings, "chmod 700 %s", doctor->state);
    }
    doctor_space(doctor);
}
