/* Records of campaigns as files in a folder: ID.json, each replaced atomically. */
#include "coordinator/store/archive.h"

#include "common/buffer.h"
#include "common/digits.h"
#include "common/memory.h"
#include "common/replace_file.h"
#include "common/state_file.h"
#include "coordinator/core/base/campaign_state.h"
#include "coordinator/json/json_put.h"
#include "proto/message/limits.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX_BYTES ((long)64 * 1024 * 1024)
#define NAME_BYTES 40
#define READ_BYTES 65536u
#define SUFFIX ".json"
#define SERIES_SUFFIX ".series"
#define SERIES_FILE_BYTES ((size_t)512 * 1024 * 1024)

struct archive_row {
    uint64_t campaign;
    json_t *live;
    char *key; /* NULL for none */
    bool has_ended;
};

struct archive {
    uv_loop_t *loop;
    char *folder_name;
    int folder;
    struct archive_row *rows; /* in ascending order of id */
    size_t count;
    size_t capacity;
};

/* One file being synced to the disk. */
struct syncing {
    uv_work_t work;
    int file;
    int folder;
};

static void archive_name_of(uint64_t campaign, const char *suffix, char name[NAME_BYTES])
{
    (void)snprintf(name, NAME_BYTES, "%" PRIu64 "%s", campaign, suffix);
}

static bool has_ended(const json_t *live)
{
    const char *state = json_string_value(json_object_get(live, "state"));
    return state != NULL && strcmp(state, campaign_state_name(CAMPAIGN_ENDED)) == 0;
}

static void row_finish(struct archive_row *row)
{
    json_decref(row->live);
    memory_free(row->key);
}

/* Its position, or where it would have to be inserted. */
static size_t archive_place_of(const struct archive *archive, uint64_t campaign)
{
    size_t place = archive->count;
    while (place > 0 && archive->rows[place - 1].campaign >= campaign) {
        place--;
    }
    return place;
}

static bool is_at(const struct archive *archive, size_t place, uint64_t campaign)
{
    return place < archive->count && archive->rows[place].campaign == campaign;
}

/* Takes ownership of the row. */
static void archive_keep(struct archive *archive, struct archive_row row)
{
    size_t place = archive_place_of(archive, row.campaign);
    if (is_at(archive, place, row.campaign)) {
        row_finish(&archive->rows[place]);
        archive->rows[place] = row;
        return;
    }
    archive->rows =
        memory_reserve(archive->rows, &archive->capacity, archive->count + 1, sizeof *archive->rows);
    memmove(&archive->rows[place + 1], &archive->rows[place],
            (archive->count - place) * sizeof(struct archive_row));
    archive->rows[place] = row;
    archive->count++;
}

/* The record last: as long as it is there, the campaign is known and can be deleted again. */
static bool archive_unlink(const struct archive *archive, uint64_t campaign)
{
    static const char *const suffixes[] = {SERIES_SUFFIX, SUFFIX};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        char name[NAME_BYTES];
        archive_name_of(campaign, suffixes[i], name);
        if (unlinkat(archive->folder, name, 0) != 0 && errno != ENOENT) {
            return false;
        }
    }
    return true;
}

static void archive_remove_row(struct archive *archive, size_t place)
{
    row_finish(&archive->rows[place]);
    archive->count--;
    memmove(&archive->rows[place], &archive->rows[place + 1],
            (archive->count - place) * sizeof(struct archive_row));
}

static void drop_oldest(struct archive *archive)
{
    for (size_t i = 0; archive->count > ARCHIVE_KEPT && i < archive->count;) {
        if (!archive->rows[i].has_ended) {
            i++;
            continue;
        }
        (void)archive_unlink(archive, archive->rows[i].campaign);
        archive_remove_row(archive, i);
    }
}

static bool archive_read_text(int file, struct buffer *text)
{
    char block[READ_BYTES];
    ssize_t count;
    do {
        count = read(file, block, sizeof block);
        if (count > 0 && !buffer_append(text, block, (size_t)count)) {
            return false;
        }
    } while (count > 0 || (count < 0 && errno == EINTR));
    return count == 0;
}

static json_t *read_file(const struct archive *archive, const char *name)
{
    int descriptor = state_file_open(archive->folder, name, O_RDONLY);
    struct stat status;
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "rb") : NULL;
    if (file == NULL) {
        return NULL;
    }
    bool is_sound = fstat(descriptor, &status) == 0 && status.st_size <= FILE_MAX_BYTES;
    json_t *object = is_sound ? json_loadf(file, 0, NULL) : NULL;
    (void)fclose(file);
    return object;
}

/* The id in a file name, or 0. */
static uint64_t archive_id_of(const char *name)
{
    uint64_t id = 0;
    bool is_ours = digits_read(&name, &id) && id <= LIMIT_CAMPAIGN_ID && strcmp(name, SUFFIX) == 0;
    return is_ours ? id : 0;
}

static bool read_row(const struct archive *archive, const char *name, struct archive_row *row)
{
    uint64_t campaign = archive_id_of(name);
    json_t *object = campaign != 0 ? read_file(archive, name) : NULL;
    json_t *live = json_object_get(object, "live");
    bool is_sound = json_is_object(live) && json_is_object(json_object_get(object, "report")) &&
                    (uint64_t)json_integer_value(json_object_get(live, "campaign")) == campaign;
    if (is_sound) {
        *row =
            (struct archive_row){.campaign = campaign,
                                 .live = json_incref(live),
                                 .key = memory_copy_string(json_string_value(json_object_get(object, "key"))),
                                 .has_ended = has_ended(live)};
    }
    json_decref(object);
    return is_sound;
}

static bool archive_read_all(struct archive *archive, struct error *error)
{
    int descriptor = openat(archive->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = descriptor >= 0 ? fdopendir(descriptor) : NULL;
    if (folder == NULL) {
        return error_set_system(error, errno, "the folder %s cannot be read", archive->folder_name);
    }
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        struct archive_row row;
        if (read_row(archive, entry->d_name, &row)) {
            archive_keep(archive, row);
        }
    }
    (void)closedir(folder);
    drop_oldest(archive);
    return true;
}

struct archive *archive_open(uv_loop_t *loop, const char *folder, struct error *warning, struct error *error)
{
    struct archive *archive = MEMORY_NEW(struct archive);
    archive->loop = loop;
    archive->folder_name = memory_copy_string(folder);
    archive->folder = state_folder_open(folder, false, warning, error);
    if (archive->folder < 0 || !archive_read_all(archive, error)) {
        archive_free(&archive);
    }
    return archive;
}

void archive_free(struct archive **at)
{
    struct archive *archive = *at;
    *at = NULL;
    if (archive == NULL) {
        return;
    }
    for (size_t i = 0; i < archive->count; i++) {
        row_finish(&archive->rows[i]);
    }
    if (archive->folder >= 0) {
        (void)close(archive->folder);
    }
    memory_free(archive->rows);
    memory_free(archive->folder_name);
    memory_free(archive);
}

static void sync_now(uv_work_t *work)
{
    struct syncing *syncing = (struct syncing *)work->data;
    (void)fdatasync(syncing->file);
    (void)fsync(syncing->folder);
}

static void on_synced(uv_work_t *work, int status)
{
    struct syncing *syncing = (struct syncing *)work->data;
    (void)status;
    (void)close(syncing->file);
    (void)close(syncing->folder);
    memory_free(syncing);
}

/* A file of a campaign, to be written. */
struct archive_file {
    uint64_t campaign;
    const char *suffix;
    const char *text;
};

/* Not waited for: the sync only matters if the machine goes down. Takes ownership of the descriptor. */
static void sync_beside(struct archive *archive, int file)
{
    struct syncing *syncing = MEMORY_NEW(struct syncing);
    syncing->work.data = syncing;
    syncing->file = file;
    syncing->folder = dup(archive->folder);
    int result = uv_queue_work(archive->loop, &syncing->work, sync_now, on_synced);
    assert(result == 0);
    (void)result;
}

static bool archive_write_file(struct archive *archive, const struct archive_file *written, bool is_last,
                               struct error *error)
{
    char name[NAME_BYTES];
    char new_name[NAME_BYTES + sizeof ".new"];
    archive_name_of(written->campaign, written->suffix, name);
    (void)snprintf(new_name, sizeof new_name, "%s.new", name);
    int file = replace_file_at(archive->folder, name, new_name, bytes_of_string(written->text));
    if (file < 0) {
        return error_set_system(error, errno, "the report of campaign %" PRIu64 " cannot be written to %s",
                                written->campaign, archive->folder_name);
    }
    if (is_last) {
        sync_beside(archive, file);
    } else {
        (void)close(file);
    }
    return true;
}

bool archive_put(struct archive *archive, const struct archived *archived, struct error *error)
{
    json_t *object = json_object();
    json_put(object, "live", json_deep_copy(archived->live));
    json_put(object, "report", json_deep_copy(archived->report));
    if (archived->key != NULL) {
        json_put_text(object, "key", bytes_of_string(archived->key));
    }
    SCOPED(memory_free_at) char *text = json_to_text(object, false);
    json_t *live = json_incref(json_object_get(object, "live"));
    json_decref(object);
    archive_keep(archive, (struct archive_row){.campaign = archived->campaign,
                                               .live = live,
                                               .key = memory_copy_string(archived->key),
                                               .has_ended = archived->has_ended});
    drop_oldest(archive);
    const struct archive_file file = {.campaign = archived->campaign, .suffix = SUFFIX, .text = text};
    return archive_write_file(archive, &file, archived->has_ended, error);
}

bool archive_put_series(struct archive *archive, uint64_t campaign, const char *text, struct error *error)
{
    const struct archive_file file = {.campaign = campaign, .suffix = SERIES_SUFFIX, .text = text};
    return archive_write_file(archive, &file, true, error);
}

char *archive_series(const struct archive *archive, uint64_t campaign)
{
    char name[NAME_BYTES];
    struct archived archived;
    struct stat status;
    struct buffer text;
    size_t size;
    if (!archive_find(archive, campaign, &archived)) {
        return NULL;
    }
    archive_name_of(campaign, SERIES_SUFFIX, name);
    int file = state_file_open(archive->folder, name, O_RDONLY);
    bool is_sound = file >= 0 && fstat(file, &status) == 0 && (size_t)status.st_size <= SERIES_FILE_BYTES;
    buffer_init(&text, SERIES_FILE_BYTES);
    is_sound = is_sound && archive_read_text(file, &text);
    if (file >= 0) {
        (void)close(file);
    }
    if (is_sound) {
        return (char *)buffer_take(&text, &size);
    }
    buffer_finish(&text);
    return NULL;
}

bool archive_abandon(struct archive *archive, uint64_t campaign, const char *reason, struct error *error)
{
    struct archived archived;
    json_t *report = archive_report(archive, campaign);
    if (!archive_find(archive, campaign, &archived) || report == NULL) {
        json_decref(report);
        return error_set(error, "there is no report of campaign %" PRIu64, campaign);
    }
    json_t *live = json_deep_copy(archived.live);
    json_put(live, "state", json_string(campaign_state_name(CAMPAIGN_ENDED)));
    json_put_count(live, "workers_running", 0);
    json_t *both[] = {live, report};
    for (size_t i = 0; i < 2; i++) {
        json_put(both[i], "verdict", json_string(verdict_name(VERDICT_ABORTED)));
        json_put_text(both[i], "reason", bytes_of_string(reason));
    }
    SCOPED(memory_free_at) char *key = memory_copy_string(archived.key);
    archived = (struct archived){
        .campaign = campaign, .live = live, .report = report, .key = key, .has_ended = true};
    bool is_written = archive_put(archive, &archived, error);
    json_decref(live);
    json_decref(report);
    return is_written;
}

bool archive_delete(struct archive *archive, uint64_t campaign, struct error *error)
{
    size_t place = archive_place_of(archive, campaign);
    if (!is_at(archive, place, campaign)) {
        return true;
    }
    if (!archive_unlink(archive, campaign)) {
        return error_set_system(error, errno, "the report of campaign %" PRIu64 " cannot be deleted from %s",
                                campaign, archive->folder_name);
    }
    archive_remove_row(archive, place);
    sync_beside(archive, dup(archive->folder));
    return true;
}

size_t archive_count(const struct archive *archive)
{
    return archive->count;
}

struct archived archive_at(const struct archive *archive, size_t place)
{
    assert(place < archive->count);
    const struct archive_row *row = &archive->rows[place];
    return (struct archived){
        .campaign = row->campaign, .live = row->live, .key = row->key, .has_ended = row->has_ended};
}

bool archive_find(const struct archive *archive, uint64_t campaign, struct archived *archived)
{
    size_t place = archive_place_of(archive, campaign);
    if (!is_at(archive, place, campaign)) {
        return false;
    }
    *archived = archive_at(archive, place);
    return true;
}

uint64_t archive_find_key(const struct archive *archive, struct bytes key)
{
    for (size_t i = archive->count; key.size > 0 && i-- > 0;) {
        if (archive->rows[i].key != NULL && bytes_equal_string(key, archive->rows[i].key)) {
            return archive->rows[i].campaign;
        }
    }
    return 0;
}

uint64_t archive_last(const struct archive *archive)
{
    return archive->count > 0 ? archive->rows[archive->count - 1].campaign : 0;
}

json_t *archive_report(const struct archive *archive, uint64_t campaign)
{
    char name[NAME_BYTES];
    archive_name_of(campaign, SUFFIX, name);
    json_t *object = read_file(archive, name);
    json_t *report = json_incref(json_object_get(object, "report"));
    json_decref(object);
    if (!json_is_object(report)) {
        json_decref(report);
        report = NULL;
    }
    return report;
}
