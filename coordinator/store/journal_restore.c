/* Continues from the journal that the previous process has left. */
#include "coordinator/store/journal_inside.h"

#include "common/state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* How much of the coordinator's time has passed since the journal was begun, by the wall clock: never less
 * than until the last event, even if the wall clock was set back. */
static uint64_t now_by_calendar(const struct event_log_clock *then, const struct event_log_end *end,
                                const struct journal_time *time)
{
    uint64_t gone_ns = time->wall_ns > then->wall_ns ? time->wall_ns - then->wall_ns : 0;
    uint64_t now_ns = then->now_ns + gone_ns;
    return now_ns > end->last_ns ? now_ns : end->last_ns;
}

/* The coordinator's time continues where it was. */
static void set_time(struct journal *journal, const struct event_log_clock *then,
                     const struct event_log_end *end, const struct journal_time *time,
                     struct journal_restored *restored)
{
    bool is_known = then->machine.size > 0 && bytes_equal_string(then->machine, journal->machine);
    journal->offset_ns = then->now_ns - then->machine_ns;
    restored->is_of_other_machine = !is_known || time->machine_ns + journal->offset_ns < end->last_ns;
    if (restored->is_of_other_machine) {
        journal->offset_ns = now_by_calendar(then, end, time) - time->machine_ns;
    }
}

/* An ended campaign is no reason to continue, but its report may not have been written. */
static enum journal_found replay(struct journal *journal, struct event_log_reader *reader,
                                 const struct journal_time *time, struct journal_restored *restored,
                                 struct error *error)
{
    struct event_log_head head;
    struct event_log_end end;
    if (!event_log_open(reader, reader->bytes, &head, error)) {
        return JOURNAL_LOST;
    }
    reader->bundles = journal->bundles.load != NULL ? &journal->bundles : NULL;
    struct coordinator *coordinator = event_log_replay(reader, &head, &end, error);
    if (coordinator == NULL) {
        return JOURNAL_LOST;
    }
    restored->last_campaign = coordinator_last_campaign(coordinator);
    restored->events = end.events;
    restored->cut_bytes = end.torn_bytes;
    if (end.events == 0 && !coordinator_has_live_campaign(coordinator)) {
        coordinator_free(&coordinator);
        return JOURNAL_NOTHING;
    }
    set_time(journal, &head.clock, &end, time, restored);
    journal->writer.lineage = head.lineage;
    journal->writer.blocks = end.blocks;
    journal->bytes = end.good_bytes;
    journal->base_bytes = reader->head_bytes;
    journal->base_ns = time->machine_ns;
    restored->coordinator = coordinator;
    return JOURNAL_ALIVE;
}

/* Opens it for appending, and cuts off what does not belong to it. */
static bool journal_restore_go_on(struct journal *journal, struct error *error)
{
    journal->file = state_file_open(journal->folder, JOURNAL_FILE, O_WRONLY | O_APPEND);
    if (journal->file >= 0 && ftruncate(journal->file, (off_t)journal->bytes) == 0) {
        return true;
    }
    return error_set_system(error, errno, "%s/" JOURNAL_FILE " cannot be appended to", journal->folder_name);
}

static bool cannot_read(const struct journal *journal, struct error *error)
{
    return errno == EINVAL
               ? error_set(error, "%s/" JOURNAL_FILE " is not a regular file", journal->folder_name)
               : error_set_system(error, errno, "%s/" JOURNAL_FILE " cannot be read", journal->folder_name);
}

static enum journal_found restore(struct journal *journal, int file, const struct journal_time *time,
                                  struct journal_restored *restored, struct error *error)
{
    struct stat status;
    if (fstat(file, &status) != 0) {
        (void)cannot_read(journal, error);
        return JOURNAL_LOST;
    }
    size_t size = (size_t)status.st_size;
    if (size == 0) {
        return JOURNAL_NOTHING;
    }
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) {
        (void)error_set_system(error, errno, "%s/" JOURNAL_FILE " cannot be read", journal->folder_name);
        return JOURNAL_LOST;
    }
    struct event_log_reader reader = {.bytes = bytes_of(data, size)};
    restored->bytes = size;
    enum journal_found found = replay(journal, &reader, time, restored, error);
    event_log_reader_finish(&reader);
    (void)munmap(data, size);
    return found;
}

enum journal_found journal_restore(struct journal *journal, const struct journal_time *time,
                                   struct journal_restored *restored, struct error *error)
{
    *restored = (struct journal_restored){0};
    /* Temporary files of a process that died before it could rename them. */
    (void)unlinkat(journal->folder, JOURNAL_NEW_FILE, 0);
    (void)unlinkat(journal->folder, JOURNAL_BASE_FILE, 0);
    int file = state_file_open(journal->folder, JOURNAL_FILE, O_RDONLY);
    if (file < 0 && errno == ENOENT) {
        return JOURNAL_NOTHING;
    }
    if (file < 0) {
        (void)cannot_read(journal, error);
        return JOURNAL_LOST;
    }
    enum journal_found found = restore(journal, file, time, restored, error);
    (void)close(file);
    if (found == JOURNAL_ALIVE && !journal_restore_go_on(journal, error)) {
        coordinator_free(&restored->coordinator);
        journal_take_away(journal);
        return JOURNAL_LOST;
    }
    return found;
}
