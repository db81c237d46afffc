/* Writes a new base of the journal to the disk. */
#include "coordinator/store/base_writer.h"

#include "common/memory.h"
#include "common/write_all.h"
#include "coordinator/core/journal/event_log.h"

#include <errno.h>
#include <stdatomic.h>
#include <unistd.h>
#include <uv.h>

#define BASE_MODE 0600

struct base_writer {
    int folder; /* borrowed */
    char *temporary;
    struct replacement *file;
    struct buffer base;
    uv_thread_t thread;
    /* Written by the thread, read when it has finished. */
    int failure; /* errno; 0: none */
    bool is_too_large;
    atomic_bool is_done;
};

static void base_writer_run(void *argument)
{
    struct base_writer *writer = argument;
    writer->is_too_large = !event_log_seal_base(&writer->base);
    if (!writer->is_too_large &&
        (fsync(writer->folder) != 0 ||
         !write_all(replacement_descriptor(writer->file), buffer_bytes(&writer->base)) ||
         fdatasync(replacement_descriptor(writer->file)) != 0)) {
        writer->failure = errno;
    }
    atomic_store(&writer->is_done, true);
}

static void base_writer_release(struct base_writer **writer)
{
    buffer_finish(&(*writer)->base);
    replacement_free(&(*writer)->file);
    memory_free((*writer)->temporary);
    memory_free(*writer);
    *writer = NULL;
}

struct base_writer *base_writer_begin(int folder, const char *name, const char *temporary,
                                      struct buffer *base, struct error *error)
{
    struct replacement *file = replacement_begin(folder, name, temporary, BASE_MODE);
    if (file == NULL) {
        (void)error_set_system(error, errno, "%s cannot be created", temporary);
        return NULL;
    }
    struct base_writer *writer = MEMORY_NEW(struct base_writer);
    writer->folder = folder;
    writer->file = file;
    writer->temporary = memory_copy_string(temporary);
    writer->base = *base;
    buffer_init(base, base->maximum);
    int result = uv_thread_create(&writer->thread, base_writer_run, writer);
    if (result != 0) {
        (void)error_set(error, "cannot start a thread to write it: %s", uv_strerror(result));
        base_writer_release(&writer);
    }
    return writer;
}

bool base_writer_is_done(const struct base_writer *writer)
{
    return atomic_load(&writer->is_done);
}

struct replacement *base_writer_finish(struct base_writer **at, uint64_t *bytes, struct error *error)
{
    struct base_writer *writer = *at;
    struct replacement *file = NULL;
    (void)uv_thread_join(&writer->thread);
    *bytes = writer->base.size;
    if (writer->is_too_large) {
        (void)error_set(error, "the state of the campaigns is too large for it");
    } else if (writer->failure != 0) {
        (void)error_set_system(error, writer->failure, "%s cannot be written to", writer->temporary);
    } else {
        file = writer->file;
        writer->file = NULL;
    }
    base_writer_release(at);
    return file;
}

void base_writer_free(struct base_writer **at)
{
    struct error error;
    uint64_t bytes = 0;
    if (*at != NULL) {
        struct replacement *file = base_writer_finish(at, &bytes, &error);
        replacement_free(&file);
    }
}
