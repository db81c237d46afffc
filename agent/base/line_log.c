/* Two buffers: one is filled while the thread writes the other. */
#include "agent/base/line_log.h"

#include "common/buffer.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define LINE_LOG_MODE 0666
/* Lines that gather meanwhile are one write. */
#define GATHER_NS (50 * NS_PER_MS)
/* How often dropped lines are complained of. */
#define COMPLAINTS_NS (10 * NS_PER_S)

struct line_log {
    char *path;
    char *who;
    int descriptor;
    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t has_changed;
    /* Protected by the lock. */
    struct buffer filling;
    uint64_t dropped;
    bool is_ending;
    /* Of the thread. */
    struct buffer writing;
    bool is_cut; /* a part of a line is at the end of the file */
    int failure; /* errno of the last write; 0: it was good */
    uint64_t told;
    uint64_t told_ns;
};

struct line_log *line_log_open(const char *path, const char *who, struct error *error)
{
    int descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, LINE_LOG_MODE);

    if (descriptor < 0) {
        error_set_system(error, errno, "%s cannot be written", path);
        return NULL;
    }
    struct line_log *log = MEMORY_NEW(struct line_log);
    log->path = memory_copy_string(path);
    log->who = memory_copy_string(who);
    log->descriptor = descriptor;
    buffer_init(&log->filling, LINE_LOG_MAX_BYTES);
    buffer_init(&log->writing, LINE_LOG_MAX_BYTES);
    (void)pthread_mutex_init(&log->lock, NULL);
    (void)pthread_cond_init(&log->has_changed, NULL);
    return log;
}

static void line_log_complain(struct line_log *log, uint64_t dropped)
{
    const char *why = log->failure != 0 ? strerror(log->failure) : "the disk is too slow";

    log_line(LOG_WARNING, log->who, "%s: %" PRIu64 " lines were not written: %s", log->path,
             dropped - log->told, why);
    log->told = dropped;
    log->told_ns = clock_now_ns();
}

static uint64_t line_log_count_lines(struct bytes text)
{
    uint64_t lines = 0;

    for (size_t i = 0; i < text.size; i++) {
        lines += text.data[i] == '\n';
    }
    return lines;
}

/* How much of it could be written. */
static size_t line_log_write_some(struct line_log *log, struct bytes text)
{
    size_t done = 0;

    log->failure = 0;
    while (done < text.size && log->failure == 0) {
        ssize_t written = write(log->descriptor, text.data + done, text.size - done);
        if (written > 0) {
            done += (size_t)written;
        } else if (written == 0 || errno != EINTR) {
            log->failure = written == 0 ? ENOSPC : errno;
        }
    }
    return done;
}

/* Gives how many lines were lost. A line that was cut by a full disk is ended before the next one. */
static uint64_t line_log_write(struct line_log *log, struct bytes text)
{
    if (log->is_cut) {
        log->is_cut = line_log_write_some(log, bytes_of("\n", 1)) == 0;
    }
    size_t done = log->is_cut ? 0 : line_log_write_some(log, text);
    if (done > 0) {
        log->is_cut = text.data[done - 1] != '\n';
    }
    return line_log_count_lines(bytes_of(text.data + done, text.size - done));
}

/* False at the end, when all is written. */
static bool line_log_turn(struct line_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    while (log->filling.size == 0 && !log->is_ending) {
        (void)pthread_cond_wait(&log->has_changed, &log->lock);
    }
    bool is_ending = log->is_ending;
    struct buffer full = log->filling;
    log->filling = log->writing;
    log->writing = full;
    (void)pthread_mutex_unlock(&log->lock);
    uint64_t lost = line_log_write(log, buffer_bytes(&log->writing));
    buffer_clear(&log->writing);
    (void)pthread_mutex_lock(&log->lock);
    log->dropped += lost;
    uint64_t dropped = log->dropped;
    (void)pthread_mutex_unlock(&log->lock);
    bool is_due = log->told_ns == 0 || clock_now_ns() - log->told_ns > COMPLAINTS_NS;
    if (dropped > log->told && (is_due || is_ending)) {
        line_log_complain(log, dropped);
    }
    return !is_ending;
}

static void *line_log_run(void *context)
{
    struct line_log *log = context;
    const struct timespec gather = {.tv_nsec = (long)GATHER_NS};

    while (line_log_turn(log)) {
        (void)nanosleep(&gather, NULL);
    }
    return NULL;
}

bool line_log_start(struct line_log *log, struct error *error)
{
    sigset_t all;
    sigset_t before;

    /* Signals are handled by the thread of the loop. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&log->thread, NULL, line_log_run, log);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    log->has_thread = result == 0;
    return result == 0 || error_set_system(error, result, "no thread for %s", log->path);
}

bool line_log_put(struct line_log *log, struct bytes line)
{
    (void)pthread_mutex_lock(&log->lock);
    bool is_first = log->filling.size == 0;
    bool is_put = buffer_append(&log->filling, line.data, line.size);
    log->dropped += !is_put;
    if (is_first) {
        (void)pthread_cond_signal(&log->has_changed);
    }
    (void)pthread_mutex_unlock(&log->lock);
    return is_put;
}

uint64_t line_log_dropped(struct line_log *log)
{
    (void)pthread_mutex_lock(&log->lock);
    uint64_t dropped = log->dropped;
    (void)pthread_mutex_unlock(&log->lock);
    return dropped;
}

void line_log_close(struct line_log **at)
{
    struct line_log *log = *at;

    if (log == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&log->lock);
    log->is_ending = true;
    (void)pthread_cond_signal(&log->has_changed);
    (void)pthread_mutex_unlock(&log->lock);
    if (log->has_thread) {
        (void)pthread_join(log->thread, NULL);
    }
    (void)pthread_mutex_destroy(&log->lock);
    (void)pthread_cond_destroy(&log->has_changed);
    (void)close(log->descriptor);
    buffer_finish(&log->filling);
    buffer_finish(&log->writing);
    memory_free(log->path);
    memory_free(log->who);
    memory_free(log);
    *at = NULL;
}
