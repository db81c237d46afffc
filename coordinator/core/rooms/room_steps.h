/* The steps of a room that are not over: workers leaving them, coming back, and when they are forgotten. */
#pragma once
#include "coordinator/core/rooms/room.h"

/* The worker of this seat had ended `before`, and now `until` (UINT64_MAX: every step). The steps are updated
 * in room_steps_settle, for all workers together: thousands of workers may pass thousands of steps in one
 * message. Every function of this file or room.h that looks at steps sees them updated. */
void room_steps_leave(struct room *room, uint32_t seat, uint64_t before, uint64_t until);
void room_steps_settle(struct room *room);
/* A worker has joined that is past all steps before this one, and never was in them. */
void room_steps_join(struct room *room, uint64_t first_step);
/* What it did in the steps that it is not past is forgotten: it runs them again. A step that it has written
 * stays written. */
void room_steps_repeat(struct room *room, uint32_t seat);
/* It was past every step, and now it is past only those up to this one. */
void room_steps_return(struct room *room, uint32_t seat, uint64_t past);
