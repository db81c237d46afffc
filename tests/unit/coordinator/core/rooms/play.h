/* Rooms under test: the test plays the workers, the clock is virtual, and all results are recorded. */
#pragma once
#include "common/buffer.h"
#include "coordinator/core/report/report.h"
#include "coordinator/core/rooms/rooms.h"

#define PLAY_START_NS 1000000000000u
#define PLAY_MS 1000000u
#define PLAY_DEADLOCK_MS 50u
#define PLAY_START_MS 100u

struct play {
    struct rooms *rooms;
    uint64_t now_ns;
    struct rooms_news news;
    struct buffer story;  /* one line for each result since play_expect */
    bool is_quiet;        /* nothing is recorded */
    bool is_original;     /* the same rooms throughout */
    struct rooms *before; /* whose copy continues; the news still points into them */
    uint64_t settlings;
    size_t copied_bytes;
};

/* One room of `workers` unless the options say otherwise. */
struct campaign_options play_options(uint32_t workers);
void play_init(struct play *play, const struct campaign_options *options);
/* `workers` in rooms of `room_size`, or all in one if that is 0; no worker has done anything yet. */
void play_init_rooms(struct play *play, uint32_t workers, uint32_t room_size);
/* One room that synchronises, since worker 0 has read pad@1; the progress of all its workers is known. */
void play_init_synchronised(struct play *play, uint32_t workers);
void play_finish(struct play *play);

/* Settles, and expects exactly these results: one line per reply, like
 * "workers 0–2: wait_for_writer pad@1 ok "text"". */
void play_expect(struct play *play, const char *story);
void play_settle(struct play *play);
/* Time passes, including everything that becomes due meanwhile. */
void play_pass_ms(struct play *play, uint64_t milliseconds);

/* Any operation of first…last, taking the non-zero fields of `operation`; asserts that it is valid. */
void play_operation(struct play *play, uint32_t first, uint32_t last, struct operation operation);
/* It is refused as nonsense, with this error. */
void play_nonsense(struct play *play, uint32_t first, uint32_t last, struct operation operation,
                   const char *error);

/* Notifiers are called "pad", barriers "rush", in the room of the worker. */
void play_known(struct play *play); /* the progress of all workers: nothing yet */
void play_all_past(struct play *play, uint64_t step);
void play_past(struct play *play, uint32_t worker, uint64_t step, const char *failure);
/* It is about to begin this step. */
void play_begun(struct play *play, uint32_t worker, uint64_t step);
void play_ended(struct play *play, uint32_t worker, const char *text);
void play_written(struct play *play, uint32_t worker, uint64_t step, const char *payload);
void play_read(struct play *play, uint32_t worker, uint64_t step);
void play_wait_writer(struct play *play, uint32_t worker, uint64_t step);
void play_wait_readers(struct play *play, uint32_t worker, uint64_t step);
void play_wait_strictly(struct play *play, uint32_t worker, uint64_t step); /* for every reader */
void play_declare(struct play *play, uint32_t worker, uint64_t step, uint32_t readers);
void play_barrier(struct play *play, uint32_t worker, uint64_t step);
/* Workers 0–3, the readers in most scenes: they wait for the writer, or are past the step. */
void play_readers_wait(struct play *play, uint64_t step);
void play_readers_past(struct play *play, uint64_t step);
void play_lose(struct play *play, uint32_t worker, const char *text);

/* Variables of the campaign's scope. Values are written as in Lua: nil, false, 5, text. */
void play_variable(struct play *play, enum operation_kind kind, uint32_t worker, const char *name,
                   const char *value);
void play_get_or_make(struct play *play, uint32_t worker, const char *name);
/* The canonical encoding, valid for the next three calls. */
struct bytes play_value(const char *text);

struct campaign_report play_count(struct play *play);
