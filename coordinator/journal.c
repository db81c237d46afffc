/* The coordinator's journal as a file. */
#include "coordinator/journal.h"

#include "common/memory.h"
#include "coordinator/journal_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define BOOT_ID_BYTES 64
#define FILE_NAME "journal"
#define NEW_FILE_NAME "journal.new"
#define FOLDER_MODE 0700
#define FILE_MODE 0600
#define BASE_MAX_BYTES UINT32_MAX

struct journal {
    char *folder_name;
    int folder; /* descriptor, and the lock on it */
    int file;   /* -1: no events are noted */
    char boot[BOOT_ID_BYTES];
    struct ledger_writer writer;
    uint64_t max_bytes;
    uint64_t bytes;
    uint64_t written_bytes;
    uint64_t writes;
    bool is_stale; /* what stands in the folder is not true, and could not be taken away */
};

static bool read_boot_id(char boot[BOOT_ID_BYTES], struct error *error)
{
    int file = open(BOOT_ID_FILE, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, boot, BOOT_ID_BYTES - 1) : 0;
    boot[size > 0 ? size : 0] = '\0';
    boot[strcspn(boot, "\n")] = '\0';
    if (file >= 0) {
        (void)close(file);
    }
    return boot[0] != '\0' ||
           error_set(error, BOOT_ID_FILE " cannot be read: without it nobody knows whether the "
                                         "machine was started again meanwhile");
}

static bool lock(struct journal *journal, struct error *error)
{
    journal->folder = open(journal->folder_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->folder < 0) {
        return error_set_system(error, errno, "%s cannot be opened", journal->folder_name);
    }
    if (flock(journal->folder, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    return errno == EWOULDBLOCK
               ? error_set(error, "%s is in use by another coordinator", journal->folder_name)
               : error_set_system(error, errno, "%s cannot be locked", journal->folder_name);
}

struct journal *journal_open(const char *folder, uint64_t max_bytes, struct error *error)
{
    if (mkdir(folder, FOLDER_MODE) != 0 && errno != EEXIST) {
        (void)error_set_system(error, errno, "the folder %s cannot be made", folder);
        return NULL;
    }
    struct journal *journal = MEMORY_NEW(struct journal);
    journal->folder_name = memory_copy_string(folder);
    journal->folder = -1;
    journal->file = -1;
    journal->max_bytes = max_bytes;
    ledger_writer_init(&journal->writer);
    if (!read_boot_id(journal->boot, error) || !lock(journal, error)) {
        journal_free(&journal);
    }
    return journal;
}

static void close_file(struct journal *journal)
{
    if (journal->file >= 0) {
        (void)close(journal->file);
    }
    journal->file = -1;
    journal->bytes = 0;
}

void journal_free(struct journal **at)
{
    struct journal *journal = *at;
    *at = NULL;
    if (journal == NULL) {
        return;
    }
    close_file(journal);
    if (journal->folder >= 0) {
        (void)close(journal->folder);
    }
    ledger_writer_finish(&journal->writer);
    memory_free(journal->folder_name);
    memory_free(journal);
}

/* What it holds leads to a state that is no longer ours: whoever went on from there would be in error. */
static void take_away(struct journal *journal)
{
    bool is_empty = journal->file >= 0 && ftruncate(journal->file, 0) == 0;
    close_file(journal);
    bool is_gone = unlinkat(journal->folder, FILE_NAME, 0) == 0 || errno == ENOENT;
    journal->is_stale = !is_empty && !is_gone;
}

static bool write_all(struct journal *journal, int file, struct bytes bytes, struct error *error)
{
    if (bytes.size > journal->max_bytes || journal->bytes > journal->max_bytes - bytes.size) {
        return error_set(error, "it would grow beyond the %llu bytes of --journal-max",
                         (unsigned long long)journal->max_bytes);
    }
    journal->writes++;
    for (size_t done = 0; done < bytes.size;) {
        ssize_t size = write(file, bytes.data + done, bytes.size - done);
        if (size < 0 && errno == EINTR) {
            continue;
        }
        if (size <= 0) {
            return error_set_system(error, size < 0 ? errno : ENOSPC, "%s cannot be written to",
                                    journal->folder_name);
        }
        done += (size_t)size;
    }
    journal->bytes += bytes.size;
    journal->written_bytes += bytes.size;
    return true;
}

static bool fill(struct journal *journal, int file, struct bytes content, struct error *error)
{
    if (!write_all(journal, file, content, error)) {
        return false;
    }
    return renameat(journal->folder, NEW_FILE_NAME, journal->folder, FILE_NAME) == 0 ||
           error_set_system(error, errno, "%s/" FILE_NAME " cannot be replaced", journal->folder_name);
}

/* The new file stands beside the old one until it is whole. */
static bool replace(struct journal *journal, struct bytes content, struct error *error)
{
    int file = openat(journal->folder, NEW_FILE_NAME, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    close_file(journal);
    if (file < 0) {
        return error_set_system(error, errno, "%s/" NEW_FILE_NAME " cannot be made", journal->folder_name);
    }
    if (!fill(journal, file, content, error)) {
        (void)close(file);
        (void)unlinkat(journal->folder, NEW_FILE_NAME, 0);
        return false;
    }
    journal->file = file;
    journal->is_stale = false;
    return true;
}

static bool begin_with(struct journal *journal, struct coordinator *coordinator, struct error *error)
{
    SCOPED(buffer_finish) struct buffer base;
    buffer_init(&base, BASE_MAX_BYTES);
    coordinator_pack(coordinator, &base);
    struct ledger_head head = {.build = bytes_of_string(journal_identity),
                               .boot = bytes_of_string(journal->boot),
                               .base = buffer_bytes(&base)};
    if (replace(journal, ledger_begin(&journal->writer, &head), error)) {
        return true;
    }
    take_away(journal);
    return false;
}

bool journal_begin(struct journal *journal, struct coordinator *coordinator, struct error *error)
{
    return begin_with(journal, coordinator, error);
}

bool journal_rest(struct journal *journal, const struct coordinator_settings *settings, struct error *error)
{
    struct coordinator *nobody = coordinator_new(settings);
    (void)ledger_seal(&journal->writer);
    bool is_done = begin_with(journal, nobody, error);
    coordinator_free(&nobody);
    close_file(journal);
    return is_done;
}

bool journal_is_on(const struct journal *journal)
{
    return journal->file >= 0;
}

void journal_note(struct journal *journal, const struct coordinator_event *event)
{
    if (journal->file >= 0) {
        ledger_note(&journal->writer, event);
    } else if (journal->is_stale) {
        take_away(journal); /* perhaps it can be done by now */
    }
}

bool journal_write(struct journal *journal, struct error *error)
{
    if (journal->file < 0 || !ledger_is_waiting(&journal->writer)) {
        return true;
    }
    if (write_all(journal, journal->file, ledger_seal(&journal->writer), error)) {
        return true;
    }
    take_away(journal);
    return false;
}

uint64_t journal_bytes(const struct journal *journal)
{
    return journal->bytes;
}

uint64_t journal_written_bytes(const struct journal *journal)
{
    return journal->written_bytes;
}

uint64_t journal_write_count(const struct journal *journal)
{
    return journal->writes;
}

/* An ended campaign is no reason to go on, but its report may not have been written. */
static enum journal_found replay(struct journal *journal, struct ledger_reader *reader, uint64_t now_ns,
                                 struct journal_restored *restored, struct error *error)
{
    struct ledger_head head;
    struct ledger_end end;
    if (!ledger_open(reader, reader->bytes, &head)) {
        (void)error_set(error, "it is no journal of this version, or its beginning is corrupt");
        return JOURNAL_LOST;
    }
    if (!bytes_equal_string(head.build, journal_identity)) {
        (void)error_set(error, "it is of another build of tutti (%.*s)", BYTES_FORMAT(head.build));
        return JOURNAL_LOST;
    }
    struct coordinator *coordinator = ledger_replay(reader, &head, &end, error);
    restored->last_campaign = coordinator != NULL ? coordinator_last_campaign(coordinator) : 0;
    restored->events = end.events;
    restored->was_torn = end.torn_bytes > 0;
    bool is_other_boot = !bytes_equal_string(head.boot, journal->boot);
    if (coordinator != NULL && end.events > 0 && (is_other_boot || end.last_ns > now_ns)) {
        (void)error_set(error, "the machine was started again meanwhile");
        coordinator_free(&coordinator);
    }
    if (coordinator == NULL) {
        return JOURNAL_LOST;
    }
    if (end.events == 0) {
        coordinator_free(&coordinator);
        return JOURNAL_NOTHING;
    }
    journal->writer.blocks = end.blocks;
    journal->bytes = end.good_bytes;
    restored->coordinator = coordinator;
    return JOURNAL_ALIVE;
}

/* To be appended to, without what was torn off. */
static bool go_on(struct journal *journal, struct error *error)
{
    journal->file = openat(journal->folder, FILE_NAME, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (journal->file >= 0 && ftruncate(journal->file, (off_t)journal->bytes) == 0) {
        return true;
    }
    return error_set_system(error, errno, "%s/" FILE_NAME " cannot be appended to", journal->folder_name);
}

static enum journal_found restore(struct journal *journal, int file, uint64_t now_ns,
                                  struct journal_restored *restored, struct error *error)
{
    struct stat status;
    if (fstat(file, &status) != 0) {
        (void)error_set_system(error, errno, "%s/" FILE_NAME " cannot be read", journal->folder_name);
        return JOURNAL_LOST;
    }
    size_t size = (size_t)status.st_size;
    if (size == 0) {
        return JOURNAL_NOTHING;
    }
    void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) {
        (void)error_set_system(error, errno, "%s/" FILE_NAME " cannot be read", journal->folder_name);
        return JOURNAL_LOST;
    }
    struct ledger_reader reader = {.bytes = bytes_of(data, size)};
    restored->bytes = size;
    enum journal_found found = replay(journal, &reader, now_ns, restored, error);
    ledger_reader_finish(&reader);
    (void)munmap(data, size);
    return found;
}

enum journal_found journal_restore(struct journal *journal, uint64_t now_ns,
                                   struct journal_restored *restored, struct error *error)
{
    *restored = (struct journal_restored){0};
    int file = openat(journal->folder, FILE_NAME, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT) {
        return JOURNAL_NOTHING;
    }
    if (file < 0) {
        (void)error_set_system(error, errno, "%s/" FILE_NAME " cannot be read", journal->folder_name);
        return JOURNAL_LOST;
    }
    enum journal_found found = restore(journal, file, now_ns, restored, error);
    (void)close(file);
    if (found == JOURNAL_ALIVE && !go_on(journal, error)) {
        coordinator_free(&restored->coordinator);
        take_away(journal);
        return JOURNAL_LOST;
    }
    return found;
}
