/* An agent of `tutti run`: a child process whose output is received line by line. */
#pragma once
#include "common/attributes.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <uv.h>

struct agent_process;

struct agent_process_callbacks {
    /* Without its line end; a line longer than 64 KiB arrives in pieces. */
    void (*on_line)(void *context, bool is_error, struct bytes line);
    /* The process is dead; its last lines may still arrive. `what` says how it ended, for a person. */
    void (*on_exit)(void *context, struct agent_process *process, const char *what);
    /* The last line of a dead process has arrived. */
    void (*on_done)(void *context, struct agent_process *process);
    void *context;
};

#define AGENT_PROCESS_INPUT_BYTES 4096u

/* `arguments` is terminated by NULL; the program is this executable. `input` is its standard input, at most 4
 * KiB. The process is killed when we die. NULL if it could not be started. */
MUST_CHECK struct agent_process *agent_process_start(uv_loop_t *loop, const char *name,
                                                     const char *const *arguments, struct bytes input,
                                                     const struct agent_process_callbacks *callbacks,
                                                     struct error *error);
const char *agent_process_name(const struct agent_process *process);
bool agent_process_is_alive(const struct agent_process *process);
void agent_process_kill(struct agent_process *process, int signal_number);
/* Closes the process object; the memory is freed in the loop's close callbacks. A process that is still alive
 * is killed. NULLs the pointer. */
void agent_process_close(struct agent_process **process);
