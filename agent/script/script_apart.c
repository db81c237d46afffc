/* Inspects a script in a separate process behind walls, since the calling process must remain without. */
#include "agent/script/script_facts.h"
#include "agent/walls/walls.h"
#include "common/memory.h"
#include "common/write_all.h"
#include "proto/message/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHUNK_BYTES 65536
/* The first byte of the result: facts, or an error message. */
#define FOUND 'F'
#define REFUSED 'R'

static bool script_apart_put_up_walls(const struct script_inspection *inspection, struct error *error)
{
    const struct walls walls = {.script = inspection->path};
    struct walls_standing standing;

    return inspection->is_system_allowed || walls_raise_for_scripts(&walls, &standing, error);
}

/* Runs in the child. */
static _Noreturn void inspect_and_tell(const struct script_inspection *inspection, int into)
{
    SCOPED(buffer_finish) struct buffer told;
    struct script_facts *facts = NULL;
    struct error error;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    buffer_init(&told, SCRIPT_FACTS_MAX_BYTES + ERROR_MAX_BYTES);
    if (script_apart_put_up_walls(inspection, &error)) {
        facts = script_inspect_here(inspection, &error);
    }
    if (facts != NULL) {
        (void)buffer_append(&told, &(char){FOUND}, 1);
        script_facts_pack(facts, &told);
    } else {
        (void)buffer_append(&told, &(char){REFUSED}, 1);
        (void)buffer_append_string(&told, error.text);
    }
    /* The script's output; none of ours, which would be printed twice. */
    (void)fflush(stdout);
    _exit(write_all(into, buffer_bytes(&told)) ? 0 : 1);
}

/* Until the other end is closed, or more has arrived than allowed. */
static void hear_all(int from, struct buffer *heard)
{
    SCOPED(memory_free_at) char *chunk = memory_new(CHUNK_BYTES, 1);
    ssize_t size = 1;

    while (size > 0 && !heard->has_overflowed) {
        size = read(from, chunk, CHUNK_BYTES);
        if (size > 0) {
            (void)buffer_append(heard, chunk, (size_t)size);
        }
        size = size < 0 && errno == EINTR ? 1 : size;
    }
}

static bool script_apart_describe_end(const char *path, int status, struct error *error)
{
    if (WIFSIGNALED(status)) {
        return error_set(error, "%s: the process that inspected it was ended by signal %d (%s)", path,
                         WTERMSIG(status), strsignal(WTERMSIG(status)));
    }
    return error_set(error, "%s: the process that inspected it did not report a result", path);
}

static struct script_facts *judge(const char *path, struct buffer *heard, int status, struct error *error)
{
    struct bytes text = buffer_bytes(heard);
    struct script_facts *facts = NULL;

    if (text.size > 0 && text.data[0] == REFUSED && memchr(text.data, 0, text.size) == NULL) {
        error_set(error, "%.*s", BYTES_FORMAT(bytes_of(text.data + 1, text.size - 1)));
        return NULL;
    }
    if (status != 0 || text.size == 0 || text.data[0] != FOUND || heard->has_overflowed) {
        script_apart_describe_end(path, status, error);
        return NULL;
    }
    facts = script_facts_unpack(bytes_of(text.data + 1, text.size - 1), error);
    if (facts == NULL) {
        error_wrap(error, "%s: ", path);
    }
    return facts;
}

struct script_facts *script_inspect(const struct script_inspection *inspection, struct error *error)
{
    SCOPED(buffer_finish) struct buffer heard;
    int ends[2];
    int status = 0;

    buffer_init(&heard, SCRIPT_FACTS_MAX_BYTES + ERROR_MAX_BYTES);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        error_set_system(error, errno, "cannot create a pipe");
        return NULL;
    }
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        inspect_and_tell(inspection, ends[1]);
    }
    int reason = errno;
    (void)close(ends[1]);
    if (child > 0) {
        hear_all(ends[0], &heard);
    }
    (void)close(ends[0]);
    if (child < 0) {
        error_set_system(error, reason, "cannot start a process");
        return NULL;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return judge(inspection->path, &heard, status, error);
}
