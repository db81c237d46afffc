/* Renews the base of the journal while campaigns run: the state is packed at once, written and synced on a
 * thread, and replaces the journal together with the events since. Until then the journal continues
 * unchanged, so that the file is complete at every instant. */
#include "coordinator/store/journal_inside.h"

#include "common/clock.h"
#include "common/memory.h"
#include "common/write_all.h"
#include "coordinator/core/coordinator_pack.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

/* As much as can be replayed within a quarter of a second of processor time; more if the base itself is
 * larger, so that at most as much is written for bases as for events. */
#define TAIL_LEAST_BYTES ((uint64_t)4 * 1024 * 1024)
#define TAIL_MOST_BYTES ((uint64_t)32 * 1024 * 1024)
#define BASE_EVERY_NS (60ull * NS_PER_S)
#define RETRY_AFTER_NS (10ull * NS_PER_S)
/* Packing takes at most this fraction of the time: nobody is served meanwhile. */
#define PACKING_PARTS 100u
/* Fraction of --journal-max above which a new base is due in any case. */
#define GUARD_PARTS 4u

static bool is_due(const struct journal *journal, const struct journal_time *time)
{
    uint64_t tail = journal->bytes - journal->base_bytes;
    uint64_t most = journal->base_bytes < TAIL_LEAST_BYTES ? TAIL_LEAST_BYTES : journal->base_bytes;
    most = most < TAIL_MOST_BYTES ? most : TAIL_MOST_BYTES;
    most = most < journal->max_bytes / GUARD_PARTS ? most : journal->max_bytes / GUARD_PARTS;
    uint64_t age_ns = time->machine_ns - journal->base_ns;
    return tail > 0 &&
           (age_ns >= BASE_EVERY_NS || (tail >= most && age_ns >= journal->packing_ns * PACKING_PARTS));
}

static enum journal_renewal journal_renew_give_up(struct journal *journal, const struct journal_time *time,
                                                  struct error *error)
{
    journal->retry_ns = time->machine_ns + RETRY_AFTER_NS;
    buffer_finish(&journal->tail);
    (void)error_wrap(error, "cannot write a new base of the journal: ");
    return JOURNAL_NOT_RENEWED;
}

/* The recorded events belong to the base. False with an error if it cannot be written: there is no journal
 * any more. */
static enum journal_renewal journal_renew_begin(struct journal *journal,
                                                const struct coordinator *coordinator,
                                                const struct journal_time *time, struct error *error)
{
    if (!journal_write(journal, error)) {
        return JOURNAL_FAILED;
    }
    struct buffer base;
    uint64_t began_ns = clock_now_ns();
    journal_make_base(journal, coordinator, time, &base);
    journal->packing_ns = clock_now_ns() - began_ns;
    journal->base_ns = time->machine_ns;
    buffer_clear(&journal->tail);
    journal->base = base_writer_begin(journal->folder, JOURNAL_FILE, JOURNAL_BASE_FILE, &base, error);
    buffer_finish(&base);
    return journal->base != NULL ? JOURNAL_AS_IT_WAS : journal_renew_give_up(journal, time, error);
}

static bool put_in_place(struct journal *journal, struct replacement *file, struct error *error)
{
    if (!write_all(replacement_descriptor(file), buffer_bytes(&journal->tail))) {
        return error_set_system(error, errno, JOURNAL_BASE_FILE " cannot be written to");
    }
    return replacement_put(file, true) || error_set_system(error, errno, JOURNAL_FILE " cannot be replaced");
}

static enum journal_renewal finish(struct journal *journal, const struct journal_time *time,
                                   struct error *error)
{
    uint64_t bytes = 0;
    bool is_unwanted = journal->is_base_unwanted;
    journal->is_base_unwanted = false;
    if (is_unwanted) {
        base_writer_free(&journal->base);
        return JOURNAL_AS_IT_WAS;
    }
    SCOPED(replacement_free) struct replacement *file = base_writer_finish(&journal->base, &bytes, error);
    if (file == NULL) {
        return journal_renew_give_up(journal, time, error);
    }
    if (journal->tail.has_overflowed || !put_in_place(journal, file, error)) {
        return journal_renew_give_up(journal, time, error);
    }
    journal->base_bytes = bytes;
    journal->written_bytes += bytes + journal->tail.size;
    journal_use(journal, replacement_take(file), bytes + journal->tail.size);
    buffer_finish(&journal->tail);
    journal->bases++;
    return JOURNAL_RENEWED;
}

/* The journal has exceeded its maximum size: nothing continues before there is a new base. */
static enum journal_renewal renew_now(struct journal *journal, const struct coordinator *coordinator,
                                      const struct journal_time *time, struct error *error)
{
    enum journal_renewal renewal = JOURNAL_AS_IT_WAS;
    if (journal->base == NULL) {
        renewal = journal_renew_begin(journal, coordinator, time, error);
    }
    if (journal->base != NULL) {
        renewal = finish(journal, time, error);
    }
    if (renewal == JOURNAL_RENEWED && !journal_has_room(journal, journal->bytes, error)) {
        renewal = JOURNAL_NOT_RENEWED;
    }
    if (renewal == JOURNAL_NOT_RENEWED) {
        journal_take_away(journal);
        return JOURNAL_FAILED;
    }
    return renewal;
}

enum journal_renewal journal_renew(struct journal *journal, const struct coordinator *coordinator,
                                   const struct journal_time *time, struct error *error)
{
    if (journal->base != NULL && base_writer_is_done(journal->base)) {
        return finish(journal, time, error);
    }
    if (journal->file < 0) {
        return JOURNAL_AS_IT_WAS;
    }
    bool is_too_large = journal->bytes > journal->max_bytes;
    bool is_wanted = is_too_large || (journal->base == NULL && time->machine_ns >= journal->retry_ns &&
                                      is_due(journal, time));
    if (!is_wanted || !coordinator_is_at_rest(coordinator)) {
        return JOURNAL_AS_IT_WAS;
    }
    return is_too_large ? renew_now(journal, coordinator, time, error)
                        : journal_renew_begin(journal, coordinator, time, error);
}
