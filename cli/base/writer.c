/* Writes text to its streams on a thread of its own. */
#include "cli/base/writer.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct piece {
    struct piece *next;
    int descriptor;
    size_t size;
    uint8_t data[];
};

struct writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t has_changed;
    /* All protected by the lock. */
    struct piece *first;
    struct piece **last;
    size_t waiting_bytes; /* including the piece that is being written */
    int failure; /* errno of the first piece for standard output that could not be written; 0 if none */
    bool is_ending;
};

/* 0 or errno. A reader that has gone (EPIPE) or a full disk must not end the run: it is reported at the
 * end. */
static int write_piece(const struct piece *piece)
{
    size_t done = 0;
    while (done < piece->size) {
        ssize_t written = write(piece->descriptor, piece->data + done, piece->size - done);
        if (written > 0) {
            done += (size_t)written;
        } else if (written < 0 && errno == EAGAIN) {
            struct pollfd wait = {.fd = piece->descriptor, .events = POLLOUT};
            (void)poll(&wait, 1, -1);
        } else if (written == 0 || errno != EINTR) {
            return written == 0 ? ENOSPC : errno;
        }
    }
    return 0;
}

/* The next piece, or NULL at the end. */
static struct piece *take(struct writer *writer)
{
    while (writer->first == NULL && !writer->is_ending) {
        (void)pthread_cond_wait(&writer->has_changed, &writer->lock);
    }
    struct piece *piece = writer->first;
    if (piece != NULL) {
        writer->first = piece->next;
        writer->last = writer->first == NULL ? &writer->first : writer->last;
    }
    return piece;
}

static void *run(void *context)
{
    struct writer *writer = context;
    struct piece *piece;
    (void)pthread_mutex_lock(&writer->lock);
    while ((piece = take(writer)) != NULL) {
        (void)pthread_mutex_unlock(&writer->lock);
        int failure = write_piece(piece);
        (void)pthread_mutex_lock(&writer->lock);
        if (writer->failure == 0 && piece->descriptor == STDOUT_FILENO) {
            writer->failure = failure;
        }
        writer->waiting_bytes -= piece->size;
        memory_free(piece);
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return NULL;
}

struct writer *writer_new(void)
{
    struct writer *writer = MEMORY_NEW(struct writer);
    sigset_t all;
    sigset_t before;
    writer->last = &writer->first;
    (void)pthread_mutex_init(&writer->lock, NULL);
    (void)pthread_cond_init(&writer->has_changed, NULL);
    /* Signals are handled by the thread of the loop. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = pthread_create(&writer->thread, NULL, run, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    assert(result == 0);
    (void)result;
    return writer;
}

bool writer_put(struct writer *writer, int descriptor, struct bytes bytes, bool is_needed)
{
    if (bytes.size == 0) {
        return true;
    }
    (void)pthread_mutex_lock(&writer->lock);
    bool has_room = is_needed || writer->waiting_bytes + bytes.size <= WRITER_MAX_BYTES;
    if (has_room) {
        struct piece *piece = memory_new(1, sizeof *piece + bytes.size);
        piece->descriptor = descriptor;
        piece->size = bytes.size;
        memcpy(piece->data, bytes.data, bytes.size);
        *writer->last = piece;
        writer->last = &piece->next;
        writer->waiting_bytes += bytes.size;
        (void)pthread_cond_signal(&writer->has_changed);
    }
    (void)pthread_mutex_unlock(&writer->lock);
    return has_room;
}

size_t writer_waiting_bytes(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    size_t waiting_bytes = writer->waiting_bytes;
    (void)pthread_mutex_unlock(&writer->lock);
    return waiting_bytes;
}

bool writer_is_idle(struct writer *writer)
{
    return writer_waiting_bytes(writer) == 0;
}

int writer_failure(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->lock);
    int failure = writer->failure;
    (void)pthread_mutex_unlock(&writer->lock);
    return failure;
}

int writer_free(struct writer **writer)
{
    if (*writer == NULL) {
        return 0;
    }
    (void)pthread_mutex_lock(&(*writer)->lock);
    (*writer)->is_ending = true;
    (void)pthread_cond_signal(&(*writer)->has_changed);
    (void)pthread_mutex_unlock(&(*writer)->lock);
    (void)pthread_join((*writer)->thread, NULL);
    (void)pthread_mutex_destroy(&(*writer)->lock);
    (void)pthread_cond_destroy(&(*writer)->has_changed);
    int failure = (*writer)->failure;
    memory_free(*writer);
    *writer = NULL;
    return failure;
}
