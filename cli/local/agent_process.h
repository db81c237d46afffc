/* An agent of `tutti run`: a process of its own whose output comes to us line by line. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <uv.h>

struct agent_process;

struct agent_process_callbacks {
    /* Without its end of line; a line longer than 64 KiB comes in pieces. */
    void (*on_line)(void *context, bool is_error, struct bytes line);
    /* The process is dead; its last lines may still come. `what` says how it ended, for a person. */
    void (*on_exit)(void *context, struct agent_process *process, const char *what);
    /* And its last line has come. */
    void (*on_done)(void *context, struct agent_process *process);
    void *context;
};

#define AGENT_PROCESS_INPUT_BYTES 4096u

/* `arguments` ends with NULL; the program is this very one. `input` is what it reads from standard input, at
 * most 4 KiB. The process dies with us. NULL if it could not be started. */
MUST_CHECK struct agent_process *agent_process_start(uv_loop_t *loop, const char *name,
                                                     const char *const *arguments, struct bytes input,
                                                     const struct agent_process_callbacks *callbacks,
                                                     struct error *error);
const char *agent_process_name(const struct agent_process *process);
bool agent_process_is_alive(const struct agent_process *process);
void agent_process_kill(struct agent_process *process, int signal_number);
/* Closes what is left of it; the memory goes in the loop's close callbacks. A process that is still alive is
 * killed. NULLs the pointer. */
void agent_process_close(struct agent_process **process);
