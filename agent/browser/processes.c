/* Reads /proc: parents, children and their environments. */
#include "agent/browser/processes.h"

#include "common/memory.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAX_PROCESSES 200000u
#define STAT_BYTES 1024
#define CHUNK_BYTES 16384
#define MAX_FILE_BYTES (4u << 20)

struct process {
    pid_t pid;
    pid_t parent;
    char state;
    bool is_member;
    unsigned long long started;
    unsigned long long ticks; /* of CPU time */
};

struct census {
    struct process *items;
    size_t count;
    size_t capacity;
};

static int processes_open_file(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* The name in the middle may contain anything, so the fields are counted from its end. */
static bool read_process(pid_t pid, struct process *process)
{
    char text[STAT_BYTES];
    unsigned long long ticks[4];
    int file = processes_open_file(pid, "stat");

    if (file < 0) {
        return false;
    }
    ssize_t size = read(file, text, sizeof text - 1);
    (void)close(file);
    if (size <= 0) {
        return false;
    }
    text[size] = 0;
    const char *rest = strrchr(text, ')');
    *process = (struct process){.pid = pid};
    if (rest == NULL ||
        sscanf(rest + 1,
               " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu %*d %*d %*d %*d %llu",
               &process->state, &process->parent, &ticks[0], &ticks[1], &ticks[2], &ticks[3],
               &process->started) != 7) {
        return false;
    }
    process->ticks = ticks[0] + ticks[1] + ticks[2] + ticks[3];
    return true;
}

static bool has_ended(const struct process *process)
{
    return process->state == 'Z' || process->state == 'X';
}

/* Whether this file of the process contains the bytes. */
static bool file_holds(pid_t pid, const char *name, const char *text)
{
    char chunk[CHUNK_BYTES];
    size_t length = strlen(text);
    size_t kept = 0;
    size_t total = 0;
    bool is_found = false;
    ssize_t size = 1;
    int file = processes_open_file(pid, name);

    if (file < 0) {
        return false;
    }
    while (!is_found && size > 0 && total < MAX_FILE_BYTES) {
        size = read(file, chunk + kept, sizeof chunk - kept);
        if (size <= 0) {
            break;
        }
        size_t filled = kept + (size_t)size;
        total += (size_t)size;
        is_found = memmem(chunk, filled, text, length) != NULL;
        /* What may be the beginning of a match is kept for the next round. */
        kept = filled < length - 1 ? filled : length - 1;
        memmove(chunk, chunk + filled - kept, kept);
    }
    (void)close(file);
    return is_found;
}

/* Chromium's zygotes overwrite the environment with their title, but the title contains the folder as the
 * value of an option. */
static bool names_folder(pid_t pid, const char *folder)
{
    char *variable = memory_format("%s=%s", PROCESSES_VARIABLE, folder);
    bool is_named = file_holds(pid, "environ", variable) || file_holds(pid, "cmdline", strchr(variable, '='));

    memory_free(variable);
    return is_named;
}

static int compare_pids(const void *left, const void *right)
{
    pid_t a = ((const struct process *)left)->pid;
    pid_t b = ((const struct process *)right)->pid;

    return (a > b) - (a < b);
}

static void count_all(struct census *census)
{
    DIR *folder = opendir("/proc");
    const struct dirent *entry;

    *census = (struct census){0};
    while (folder != NULL && (entry = readdir(folder)) != NULL && census->count < MAX_PROCESSES) {
        struct process process;
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);
        if (pid <= 0 || !read_process(pid, &process)) {
            continue;
        }
        census->items =
            memory_reserve(census->items, &census->capacity, census->count + 1, sizeof *census->items);
        census->items[census->count++] = process;
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    if (census->count > 1) {
        qsort(census->items, census->count, sizeof *census->items, compare_pids);
    }
}

static bool fits(const struct process *process, const struct processes_mark *mark)
{
    return (mark->ancestor > 0 && process->parent == mark->ancestor) ||
           (mark->folder != NULL && names_folder(process->pid, mark->folder));
}

static bool inherit(struct census *census)
{
    bool has_changed = false;

    for (size_t i = 0; i < census->count; i++) {
        struct process *process = &census->items[i];
        struct process key = {.pid = process->parent};
        if (process->is_member || process->pid == getpid()) {
            continue;
        }
        const struct process *parent =
            bsearch(&key, census->items, census->count, sizeof *census->items, compare_pids);
        if (parent != NULL && parent->is_member) {
            process->is_member = has_changed = true;
        }
    }
    return has_changed;
}

static void processes_choose(struct census *census, const struct processes_mark *mark)
{
    count_all(census);
    for (size_t i = 0; i < census->count; i++) {
        census->items[i].is_member =
            census->items[i].pid != getpid() && census->items[i].pid > 1 && fits(&census->items[i], mark);
    }
    while (inherit(census)) {
        ;
    }
}

/* Its number may have been reused meanwhile: open a pidfd, then check again. */
static void end(const struct process *process)
{
    struct process now;
    int handle = (int)syscall(SYS_pidfd_open, process->pid, 0);

    if (read_process(process->pid, &now) && now.started == process->started) {
        if (handle >= 0) {
            (void)syscall(SYS_pidfd_send_signal, handle, SIGKILL, NULL, 0);
        } else {
            (void)kill(process->pid, SIGKILL);
        }
    }
    if (handle >= 0) {
        (void)close(handle);
    }
}

size_t processes_kill(const struct processes_mark *mark)
{
    struct census census;
    size_t count = 0;

    processes_choose(&census, mark);
    for (size_t i = 0; i < census.count; i++) {
        if (!census.items[i].is_member || has_ended(&census.items[i])) {
            continue;
        }
        end(&census.items[i]);
        count++;
    }
    memory_free(census.items);
    return count;
}

static uint64_t memory_of(pid_t pid)
{
    char text[2048];
    unsigned long long kilobytes = 0;
    int file = processes_open_file(pid, "smaps_rollup");

    if (file < 0) {
        return 0;
    }
    ssize_t size = read(file, text, sizeof text - 1);
    (void)close(file);
    text[size > 0 ? size : 0] = 0;
    const char *line = strstr(text, "\nPss:");
    if (line != NULL && sscanf(line, "\nPss: %llu kB", &kilobytes) != 1) {
        kilobytes = 0;
    }
    return (uint64_t)kilobytes * 1024;
}

void processes_measure(const struct processes_mark *mark, struct processes_usage *usage)
{
    struct census census;
    long per_second = sysconf(_SC_CLK_TCK);
    unsigned long long ticks = 0;

    *usage = (struct processes_usage){0};
    processes_choose(&census, mark);
    for (size_t i = 0; i < census.count; i++) {
        const struct process *process = &census.items[i];
        if (!process->is_member) {
            continue;
        }
        ticks += process->ticks;
        if (has_ended(process)) {
            continue;
        }
        usage->count++;
        usage->bytes += memory_of(process->pid);
    }
    memory_free(census.items);
    usage->cpu_us = (uint64_t)ticks * 1000000u / (uint64_t)(per_second > 0 ? per_second : 100);
}
