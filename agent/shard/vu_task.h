/* The tasks of a worker: coroutines that run beside the worker's own one and share what belongs to the
 * worker. Each is a vu in VU_TASK, with waits of its own. A task ends with its function, when it is
 * cancelled, and when the step (or fixture) in which it runs ends, unless it is kept until the end of the
 * worker's session. A task that has failed stays until somebody takes its error, or the step ends with it. */
#pragma once
#include "agent/shard/vu.h"

/* At once, for one worker; as many as fit in vu.awaited. */
#define VU_TASKS_MAX 100u

enum vu_task_state { TASK_RUNNING, TASK_DONE, TASK_FAILED, TASK_CANCELLED };

/* The user values of the script's object: what is left of the task, and its coroutine while it runs. */
enum { VU_TASK_VALUE = 1, VU_TASK_THREAD, VU_TASK_VALUES = VU_TASK_THREAD };

/* The script's object, which may outlive the task. Its value is the task's error, or what it returned: as
 * itself if that is one value, as a list if it is several. */
struct vu_task {
    uint64_t serial;
    uint64_t ended; /* in which order tasks ended; 0 while it runs */
    uint32_t result_count;
    uint8_t slot;
    uint8_t state; /* enum vu_task_state */
};

/* False if the worker has VU_TASKS_MAX. */
bool vu_tasks_have_room(const struct vu *vu);
/* Starts one, where there is room. `thread` has the function on its stack, and is the user value of an object
 * that the registry has by the address of the thread: as script_owns has it. */
void vu_task_start(struct vu *vu, lua_State *thread, bool is_kept);
/* The vu of a task of the same worker, while it runs or its error has not been taken; else NULL. */
struct vu *vu_task_find(const struct vu *vu, const struct vu_task *task);
/* Whether what it waits for may move others of its worker, as it does unless this is called. */
void vu_task_set_listener(struct vu *vu, const struct vu_task *task, bool is_listener);
/* Its error is somebody's: the step does not fail with it. */
void vu_task_claim(struct vu *vu, const struct vu_task *task);
/* From the script, in the turn of another task of the worker: runs what it has still to close. Raises where
 * that had to be ended. */
void vu_task_cancel(lua_State *lua, struct vu *task);
/* Whether the task, or one that it waits for, waits for `vu`. */
bool vu_task_depends_on(const struct vu *task, const struct vu *vu);

/* At the end of the task's own turn: its function has returned what is on its stack, or failed with the value
 * on top, which stays there. */
void vu_task_keep_results(struct vu *task);
void vu_task_keep_error(struct vu *task);
/* Its coroutine goes, while the object may stay. */
void vu_task_release_thread(struct vu *task);
/* After that: wakes those who wait for it, and frees it unless its error is to be taken. */
void vu_task_end(struct vu *task);

/* The wait for tasks that follows ends at this instant at the latest; 0: it does not. */
void vu_time_tasks(struct vu *vu, uint64_t due_ns);

/* The worker's own vu first, then each of its tasks; NULL after the last. */
struct vu *vu_tasks_after(const struct vu *vu);

/* Whether a task of the same worker, or the worker itself, can go on without an answer to `vu`. */
bool vu_tasks_others_move(const struct vu *vu);
/* Its wait is at the coordinator as one that its worker can go on without. */
void vu_tasks_note_aside(struct vu *vu);
/* The vu has begun to wait: if nothing of its worker moves any more, the coordinator is told. */
void vu_tasks_note_wait(struct vu *vu);
/* Who of the worker waits for the answer with this ticket; NULL: nobody. Wakes those whose calls waited for
 * it. */
struct vu *vu_tasks_take_answer(struct vu *worker, uint64_t ticket, enum operation_kind kind);
/* The worker's function has ended: its tasks that are not kept are cancelled. Turns a success into the first
 * failure of a task whose error nobody took. */
void vu_tasks_end_phase(struct vu *worker, enum step_result *result, char **text);
/* The worker begins its step. */
void vu_tasks_begin_step(struct vu *worker);
/* The campaign stops. */
void vu_tasks_stop(struct vu *worker);
/* The worker's session ends: so do all of its tasks. */
void vu_tasks_end(struct vu *worker);
/* All of them go, and run nothing more. */
void vu_tasks_drop(struct vu *worker);
