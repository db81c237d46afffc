/* The coordinator's journal as a file: opening, writing and closing it. */
#include "coordinator/store/journal_inside.h"

#include "common/compose.h"
#include "common/memory.h"
#include "common/replace_file.h"
#include "common/state_file.h"
#include "common/write_all.h"
#include "coordinator/core/coordinator_pack.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <uv.h>

#define BOOT_ID_FILE "/proc/sys/kernel/random/boot_id"
#define TIME_OFFSETS_FILE "/proc/self/timens_offsets"
#define BASE_MAX_BYTES UINT32_MAX
#define TAIL_MAX_BYTES ((size_t)4 * 1024 * 1024 * 1024)
#define PROC_FILE_BYTES 80

/* Collapses runs of spaces; empty if it cannot be read. */
static void read_proc_file(const char *path, char text[PROC_FILE_BYTES])
{
    char content[PROC_FILE_BYTES];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = file >= 0 ? read(file, content, sizeof content - 1) : 0;
    size_t used = 0;
    for (ssize_t i = 0; i < size; i++) {
        bool is_space = content[i] == ' ' || content[i] == '\n' || content[i] == '\t';
        if (!is_space) {
            text[used++] = content[i];
        } else if (used > 0 && text[used - 1] != ' ') {
            text[used++] = ' ';
        }
    }
    text[used] = '\0';
    if (file >= 0) {
        (void)close(file);
    }
}

/* The journal's clock continues as long as this is the same. Empty if it cannot be determined: then the clock
 * never continues. */
static void identify_machine(char machine[JOURNAL_MACHINE_BYTES])
{
    char boot[PROC_FILE_BYTES];
    char offsets[PROC_FILE_BYTES]; /* clock offset of a container */
    read_proc_file(BOOT_ID_FILE, boot);
    read_proc_file(TIME_OFFSETS_FILE, offsets);
    compose(machine, JOURNAL_MACHINE_BYTES, "%s%s", boot, boot[0] != '\0' ? offsets : "");
}

static bool lock(struct journal *journal, struct error *error)
{
    if (flock(journal->folder, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    return errno == EWOULDBLOCK
               ? error_set(error, "%s is in use by another coordinator", journal->folder_name)
               : error_set_system(error, errno, "%s cannot be locked", journal->folder_name);
}

struct journal *journal_open(const char *folder, uint64_t max_bytes, const struct bundle_source *bundles,
                             struct error *warning, struct error *error)
{
    struct journal *journal = MEMORY_NEW(struct journal);
    journal->folder_name = memory_copy_string(folder);
    journal->file = -1;
    journal->max_bytes = max_bytes;
    if (bundles != NULL) {
        journal->bundles = *bundles;
    }
    event_log_writer_init(&journal->writer);
    buffer_init(&journal->tail, TAIL_MAX_BYTES);
    identify_machine(journal->machine);
    journal->folder = state_folder_open(folder, true, warning, error);
    if (journal->folder < 0 || !lock(journal, error)) {
        journal_free(&journal);
    }
    return journal;
}

void journal_close_file(struct journal *journal)
{
    if (journal->file >= 0) {
        (void)close(journal->file);
    }
    journal->file = -1;
    journal->bytes = 0;
    journal->is_base_unwanted = journal->base != NULL;
    buffer_finish(&journal->tail);
}

void journal_free(struct journal **at)
{
    struct journal *journal = *at;
    *at = NULL;
    if (journal == NULL) {
        return;
    }
    base_writer_free(&journal->base);
    journal_close_file(journal);
    if (journal->folder >= 0) {
        (void)close(journal->folder);
    }
    event_log_writer_finish(&journal->writer);
    memory_free(journal->folder_name);
    memory_free(journal);
}

void journal_take_away(struct journal *journal)
{
    bool is_empty = journal->file >= 0 && ftruncate(journal->file, 0) == 0;
    journal_close_file(journal);
    bool is_gone = unlinkat(journal->folder, JOURNAL_FILE, 0) == 0 || errno == ENOENT;
    journal->is_stale = !is_empty && !is_gone;
}

bool journal_has_room(const struct journal *journal, uint64_t bytes, struct error *error)
{
    return bytes <= journal->max_bytes ||
           error_set(error, "it would grow beyond the %llu bytes of --journal-max",
                     (unsigned long long)journal->max_bytes);
}

void journal_make_base(const struct journal *journal, const struct coordinator *coordinator,
                       const struct journal_time *time, struct buffer *into)
{
    const struct event_log_head head = {.build = bytes_of_string(TUTTI_VERSION),
                                        .clock = {.now_ns = time->machine_ns + journal->offset_ns,
                                                  .machine_ns = time->machine_ns,
                                                  .wall_ns = time->wall_ns,
                                                  .machine = bytes_of_string(journal->machine)}};
    buffer_init(into, BASE_MAX_BYTES);
    event_log_begin_base(&journal->writer, &head, into);
    coordinator_pack(coordinator, into);
}

void journal_use(struct journal *journal, int file, uint64_t bytes)
{
    if (journal->file >= 0) {
        (void)close(journal->file);
    }
    journal->file = file;
    journal->bytes = bytes;
    journal->is_stale = false;
}

static bool journal_replace(struct journal *journal, struct buffer *base, struct error *error)
{
    if (!event_log_seal_base(base)) {
        return error_set(error, "the state of the campaigns is too large for it");
    }
    if (!journal_has_room(journal, base->size, error)) {
        return false;
    }
    int file = replace_file_at(journal->folder, JOURNAL_FILE, JOURNAL_NEW_FILE, buffer_bytes(base));
    if (file < 0) {
        return error_set_system(error, errno, "%s/" JOURNAL_FILE " cannot be replaced", journal->folder_name);
    }
    journal_use(journal, file, base->size);
    journal->base_bytes = base->size;
    journal->written_bytes += base->size;
    journal->writes++;
    return true;
}

static uint64_t draw_lineage(void)
{
    uint64_t lineage = 0;
    (void)uv_random(NULL, NULL, &lineage, sizeof lineage, 0, NULL);
    return lineage | 1;
}

bool journal_begin(struct journal *journal, const struct coordinator *coordinator,
                   const struct journal_time *time, struct error *error)
{
    SCOPED(buffer_finish) struct buffer base;
    journal_close_file(journal);
    (void)event_log_seal(&journal->writer);
    journal->writer.lineage = draw_lineage();
    journal_make_base(journal, coordinator, time, &base);
    journal->base_ns = time->machine_ns;
    journal->retry_ns = 0;
    if (journal_replace(journal, &base, error)) {
        return true;
    }
    journal_take_away(journal);
    return false;
}

bool journal_rest(struct journal *journal, const struct coordinator_settings *settings,
                  const struct journal_time *time, struct error *error)
{
    struct coordinator *nobody = coordinator_new(settings);
    bool is_done = journal_begin(journal, nobody, time, error);
    coordinator_free(&nobody);
    journal_close_file(journal);
    return is_done;
}

bool journal_is_on(const struct journal *journal)
{
    return journal->file >= 0;
}

uint64_t journal_offset_ns(const struct journal *journal)
{
    return journal->offset_ns;
}

void journal_note(struct journal *journal, const struct coordinator_event *event)
{
    if (journal->file >= 0) {
        event_log_note(&journal->writer, event);
    } else if (journal->is_stale) {
        journal_take_away(journal); /* it may succeed by now */
    }
}

bool journal_write(struct journal *journal, struct error *error)
{
    if (journal->file < 0 || !event_log_is_waiting(&journal->writer)) {
        return true;
    }
    struct bytes block = event_log_seal(&journal->writer);
    journal->writes++;
    if (!write_all(journal->file, block)) {
        (void)error_set_system(error, errno, "%s cannot be written to", journal->folder_name);
        journal_take_away(journal);
        return false;
    }
    journal->bytes += block.size;
    journal->written_bytes += block.size;
    if (journal->base != NULL && !journal->is_base_unwanted) {
        (void)buffer_append(&journal->tail, block.data, block.size);
    }
    return true;
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

uint64_t journal_base_count(const struct journal *journal)
{
    return journal->bases;
}
