/* The steps of a room that are not over: who leaves them, who comes back, and when they are forgotten. */
#pragma once
#include "coordinator/core/rooms/room.h"

/* The worker of this seat had ended `before`, and now `until` (UINT64_MAX: every step). The steps learn of it
 * in room_steps_settle, of all at once: thousands of workers may pass thousands of steps in one message. Who
 * looks at the steps by any function of this file or room.h finds it done. */
void room_steps_leave(struct room *room, uint32_t seat, uint64_t before, uint64_t until);
void room_steps_settle(struct room *room);
/* Somebody has come who is past all steps before this one, and never was in them. */
void room_steps_join(struct room *room, uint64_t first_step);
/* What it did in the steps that it is not past is forgotten: it does them again. Who has written has written.
 */
void room_steps_repeat(struct room *room, uint32_t seat);
/* It was past every step, and now it is past this one only. */
void room_steps_return(struct room *room, uint32_t seat, uint64_t past);
