/* An agent of `tutti run`: a child process whose output is received line by line. */
#include "cli/local/agent_process.h"
#include "common/buffer.h"
#include "common/container.h"
#include "common/memory.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 65536u
#define READ_BYTES 16384u
#define WHAT_BYTES 128

struct stream {
    struct agent_process *process;
    uv_pipe_t pipe;
    bool is_error;
    struct buffer line;
    char chunk[READ_BYTES];
};

struct agent_process {
    uv_process_t process;
    struct stream streams[2];
    struct agent_process_callbacks callbacks;
    char *name;
    bool is_alive;
    bool is_closing;   /* its owner wants no more callbacks */
    int running_parts; /* the process and its two streams that have not ended yet */
    int holders;       /* open handles, and the owner until it closes */
};

static void release(struct agent_process *process)
{
    process->holders--;
    if (process->holders > 0) {
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        buffer_finish(&process->streams[i].line);
    }
    memory_free(process->name);
    memory_free(process);
}

static void on_closed(uv_handle_t *handle)
{
    release(handle->data);
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

static void hand_line_over(struct stream *stream)
{
    const struct agent_process_callbacks *callbacks = &stream->process->callbacks;
    if (!stream->process->is_closing) {
        callbacks->on_line(callbacks->context, stream->is_error, buffer_bytes(&stream->line));
    }
    buffer_clear(&stream->line);
}

static void take_in(struct stream *stream, struct bytes bytes)
{
    while (bytes.size > 0) {
        const uint8_t *end = memchr(bytes.data, '\n', bytes.size);
        size_t length = end != NULL ? (size_t)(end - bytes.data) : bytes.size;
        size_t room = LINE_MAX_BYTES - stream->line.size;
        size_t taken = length < room ? length : room;
        (void)buffer_append(&stream->line, bytes.data, taken);
        if (taken < length) {
            hand_line_over(stream);
        } else if (end != NULL) {
            hand_line_over(stream);
            taken++;
        }
        bytes = bytes_of(bytes.data + taken, bytes.size - taken);
    }
}

static struct stream *stream_of(void *pipe)
{
    return CONTAINER_OF(pipe, struct stream, pipe);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    (void)suggested;
    *buffer = uv_buf_init(stream_of(handle)->chunk, READ_BYTES);
}

/* May end the lifetime of `process`. */
static void end_part(struct agent_process *process)
{
    process->running_parts--;
    if (process->running_parts == 0 && !process->is_closing) {
        process->callbacks.on_done(process->callbacks.context, process);
    }
}

static void on_read(uv_stream_t *pipe, ssize_t size, const uv_buf_t *buffer)
{
    struct stream *stream = stream_of(pipe);
    if (size > 0) {
        take_in(stream, bytes_of(buffer->base, (size_t)size));
    } else if (size < 0) {
        if (stream->line.size > 0) {
            hand_line_over(stream);
        }
        close_handle((uv_handle_t *)pipe);
        end_part(stream->process);
    }
}

static void describe_end(int64_t status, int signal_number, char what[WHAT_BYTES])
{
    if (signal_number != 0) {
        (void)snprintf(what, WHAT_BYTES, "was ended by signal %d (%s)", signal_number,
                       strsignal(signal_number));
    } else {
        (void)snprintf(what, WHAT_BYTES, "ended with exit code %d", (int)status);
    }
}

static void on_process_exit(uv_process_t *handle, int64_t status, int signal_number)
{
    struct agent_process *process = CONTAINER_OF(handle, struct agent_process, process);
    char what[WHAT_BYTES];
    process->is_alive = false;
    close_handle((uv_handle_t *)handle);
    describe_end(status, signal_number, what);
    if (!process->is_closing) {
        process->callbacks.on_exit(process->callbacks.context, process, what);
    }
    end_part(process);
}

/* The reading end of a pipe that holds all of the input; -1 with an error. So little input fits without a
 * reader. */
static int pipe_of(struct bytes input, struct error *error)
{
    int ends[2];
    assert(input.size <= AGENT_PROCESS_INPUT_BYTES);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_system(error, errno, "cannot create a pipe");
        return -1;
    }
    ssize_t written = write(ends[1], input.data, input.size);
    (void)close(ends[1]);
    if (written != (ssize_t)input.size) {
        error_set(error, "cannot write to a pipe");
        (void)close(ends[0]);
        return -1;
    }
    return ends[0];
}

static void open_streams(struct agent_process *process, uv_loop_t *loop, uv_stdio_container_t containers[3])
{
    for (int i = 0; i < 2; i++) {
        struct stream *stream = &process->streams[i];
        stream->process = process;
        stream->is_error = i == 1;
        buffer_init(&stream->line, LINE_MAX_BYTES);
        (void)uv_pipe_init(loop, &stream->pipe, 0);
        stream->pipe.data = process;
        process->holders++;
        containers[i + 1].flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
        containers[i + 1].data.stream = (uv_stream_t *)&stream->pipe;
    }
}

struct agent_process *agent_process_start(uv_loop_t *loop, const char *name, const char *const *arguments,
                                          struct bytes input, const struct agent_process_callbacks *callbacks,
                                          struct error *error)
{
    int input_end = pipe_of(input, error);
    if (input_end < 0) {
        return NULL;
    }
    struct agent_process *process = MEMORY_NEW(struct agent_process);
    uv_stdio_container_t containers[3];
    process->holders = 1;
    process->callbacks = *callbacks;
    process->name = memory_copy_string(name);
    containers[0].flags = UV_INHERIT_FD;
    containers[0].data.fd = input_end;
    open_streams(process, loop, containers);
    uv_process_options_t options = {
        .exit_cb = on_process_exit,
        .file = "/proc/self/exe",
        .args = (char **)arguments,
        .stdio = containers,
        .stdio_count = 3,
    };
    int result = uv_spawn(loop, &process->process, &options);
    (void)close(input_end);
    process->process.data = process;
    process->holders++;
    if (result != 0) {
        error_set(error, "%s could not be started: %s", name, uv_strerror(result));
        agent_process_close(&process);
        return NULL;
    }
    process->is_alive = true;
    process->running_parts = 3;
    for (size_t i = 0; i < 2; i++) {
        (void)uv_read_start((uv_stream_t *)&process->streams[i].pipe, on_allocate, on_read);
    }
    return process;
}

const char *agent_process_name(const struct agent_process *process)
{
    return process->name;
}

bool agent_process_is_alive(const struct agent_process *process)
{
    return process->is_alive;
}

void agent_process_kill(struct agent_process *process, int signal_number)
{
    if (process->is_alive) {
        (void)uv_process_kill(&process->process, signal_number);
    }
}

void agent_process_close(struct agent_process **process)
{
    struct agent_process *closing = *process;
    *process = NULL;
    if (closing == NULL) {
        return;
    }
    closing->is_closing = true;
    agent_process_kill(closing, SIGKILL);
    close_handle((uv_handle_t *)&closing->process);
    for (size_t i = 0; i < 2; i++) {
        close_handle((uv_handle_t *)&closing->streams[i].pipe);
    }
    release(closing);
}
