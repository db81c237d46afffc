/* Bundles as files: what was kept is loaded again, what is not what its name says is not, and nothing stays
 * that nobody names. */
#include "coordinator/store/bundle_store.h"

#include "common/digest.h"
#include "common/memory.h"
#include "proto/message/bundle.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct scene {
    char folder[64];
    struct bundle_store *store;
    struct bundle_file files[2];
    struct bundle_entry entries[2];
    struct bundle bundle;
    struct bundle_listing listing;
    char hash[DIGEST_TEXT_BYTES];
    char path[160]; /* where it is kept */
    struct error error;
};

static void open_store(struct scene *scene)
{
    struct error warning;
    bundle_store_free(&scene->store);
    scene->store = bundle_store_open(NULL, scene->folder, &warning, &scene->error);
    assert_non_null(scene->store);
    assert_string_equal(warning.text, "");
}

/* The bundle of a script of this text. */
static void set_script(struct scene *scene, const char *script)
{
    scene->files[0] =
        (struct bundle_file){.path = bytes_of_string("pad.lua"), .content = bytes_of_string(script)};
    scene->files[1] =
        (struct bundle_file){.path = bytes_of_string("users.csv"), .content = bytes_of_string("anna,ben")};
    scene->bundle = (struct bundle){.files = scene->files, .file_count = 2};
    bundle_hash(&scene->bundle, scene->hash);
    for (size_t i = 0; i < 2; i++) {
        scene->entries[i] =
            (struct bundle_entry){.path = scene->files[i].path, .size_bytes = scene->files[i].content.size};
    }
    scene->listing = (struct bundle_listing){
        .files = scene->entries, .file_count = 2, .hash = bytes_of_string(scene->hash)};
    (void)snprintf(scene->path, sizeof scene->path, "%s/%s", scene->folder, scene->hash);
}

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.folder = "/tmp/tutti-bundles-XXXXXX"};
    assert_non_null(mkdtemp(scene.folder));
    open_store(&scene);
    set_script(&scene, "-- script");
    *state = &scene;
    return 0;
}

static size_t file_count(const struct scene *scene)
{
    size_t count = 0;
    DIR *folder = opendir(scene->folder);
    assert_non_null(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    (void)closedir(folder);
    return count - 2;
}

static bool is_named(const void *context, struct bytes hash)
{
    return context != NULL && bytes_equal_string(hash, context);
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    bundle_store_drop(scene->store, is_named, NULL);
    bundle_store_free(&scene->store);
    assert_int_equal(rmdir(scene->folder), 0); /* nothing else stays */
    return 0;
}

static bool keep(struct scene *scene)
{
    struct bundle_upload upload;
    bundle_upload_begin(&upload, scene->store);
    bundle_upload_write(&upload, &scene->bundle);
    return bundle_store_keep(scene->store, &upload, bytes_of_string(scene->hash), &scene->error);
}

static void check_loaded(struct scene *scene, const char *content)
{
    SCOPED(memory_free_at) uint8_t *loaded = bundle_store_load(scene->store, &scene->listing);
    assert_non_null(loaded);
    assert_memory_equal(loaded, content, strlen(content));
    assert_null(bundle_store_lost_reason(scene->store, scene->listing.hash));
    assert_false(bundle_store_has_lost(scene->store));
}

static void check_lost(struct scene *scene, const char *why)
{
    open_store(scene); /* the process after */
    assert_null(bundle_store_load(scene->store, &scene->listing));
    assert_null(bundle_store_load(scene->store, &scene->listing)); /* two campaigns have it */
    assert_true(bundle_store_has_lost(scene->store));
    const char *reason = bundle_store_lost_reason(scene->store, scene->listing.hash);
    assert_non_null(reason);
    if (strstr(reason, why) == NULL || strstr(reason, scene->path) == NULL) {
        fail_msg("expected %s, but: %s", why, reason);
    }
}

static void what_was_kept_is_loaded_by_the_next_process(void **state)
{
    struct scene *scene = *state;
    struct stat status;
    assert_true(keep(scene));
    assert_int_equal(stat(scene->path, &status), 0);
    assert_int_equal(status.st_mode, S_IFREG | 0600);
    check_loaded(scene, "-- scriptanna,ben");
    assert_true(keep(scene)); /* another campaign of the same bundle */
    open_store(scene);
    check_loaded(scene, "-- scriptanna,ben");
    assert_int_equal(file_count(scene), 1);
}

static void what_nobody_names_goes(void **state)
{
    struct scene *scene = *state;
    char first[DIGEST_TEXT_BYTES];
    assert_true(keep(scene));
    (void)snprintf(first, sizeof first, "%s", scene->hash);
    set_script(scene, "-- another one");
    assert_true(keep(scene));
    open_store(scene);
    assert_int_equal(file_count(scene), 2);
    bundle_store_drop(scene->store, is_named, scene->hash);
    assert_int_equal(file_count(scene), 1);
    check_loaded(scene, "-- another oneanna,ben");
    bundle_store_drop(scene->store, is_named, first);
    assert_int_equal(file_count(scene), 0);
    assert_true(keep(scene));
    assert_int_equal(file_count(scene), 1);
}

static void what_is_not_kept_goes(void **state)
{
    struct scene *scene = *state;
    struct bundle_upload upload;
    bundle_upload_begin(&upload, scene->store);
    bundle_upload_write(&upload, &scene->bundle);
    assert_int_equal(file_count(scene), 1);
    bundle_upload_finish(&upload);
    assert_int_equal(file_count(scene), 0);
    bundle_upload_finish(&upload); /* nothing any more */
    bundle_upload_begin(&upload, scene->store);
    bundle_upload_finish(&upload);
    bundle_upload_begin(&upload, NULL);
    bundle_upload_write(&upload, &scene->bundle);
    bundle_upload_finish(&upload);
    assert_int_equal(file_count(scene), 0);
}

/* Of a process that has died in the middle of it. */
static void what_was_left_half_done_goes(void **state)
{
    struct scene *scene = *state;
    struct bundle_upload upload;
    bundle_upload_begin(&upload, scene->store);
    bundle_upload_write(&upload, &scene->bundle);
    open_store(scene);
    assert_int_equal(file_count(scene), 0);
    bundle_upload_finish(&upload);
}

static void one_that_is_missing_is_lost(void **state)
{
    check_lost(*state, "is lost: it cannot be read: No such file or directory");
}

static void change_file(const struct scene *scene, long at, const char *text)
{
    FILE *file = fopen(scene->path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void one_byte_that_is_another_one_is_seen(void **state)
{
    struct scene *scene = *state;
    assert_true(keep(scene));
    change_file(scene, 3, "S");
    check_lost(scene, "is lost: it has been changed");
}

static void one_that_is_longer_or_shorter_is_seen(void **state)
{
    struct scene *scene = *state;
    assert_true(keep(scene));
    change_file(scene, 17, "!");
    check_lost(scene, "is lost: it has been changed");
    assert_int_equal(truncate(scene->path, 16), 0);
    check_lost(scene, "is lost: it has been changed");
}

static void neither_a_link_nor_a_pipe_is_read(void **state)
{
    struct scene *scene = *state;
    assert_int_equal(symlink("/etc/passwd", scene->path), 0);
    check_lost(scene, "is lost: it cannot be read: Invalid argument");
    assert_int_equal(unlink(scene->path), 0);
    assert_int_equal(mkfifo(scene->path, 0600), 0);
    (void)alarm(20);
    check_lost(scene, "is lost: it cannot be read: Invalid argument");
    (void)alarm(0);
}

/* What stands in the way is replaced, and what it leads to is not touched. */
static void no_link_is_written_through(void **state)
{
    struct scene *scene = *state;
    struct stat status;
    char temporary[160];
    char victim[160];
    (void)snprintf(temporary, sizeof temporary, "%s/temporary-0", scene->folder);
    (void)snprintf(victim, sizeof victim, "%s/victim", scene->folder);
    FILE *file = fopen(victim, "wb");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(symlink(victim, temporary), 0);
    assert_int_equal(symlink(victim, scene->path), 0);
    assert_true(keep(scene));
    assert_int_equal(lstat(scene->path, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(stat(victim, &status), 0);
    assert_int_equal(status.st_size, 0);
    assert_int_equal(unlink(victim), 0); /* is none of ours, and would stay */
}

static void a_full_disk_is_told(void **state)
{
    struct scene *scene = *state;
    struct rlimit before;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {.rlim_cur = 7, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bool is_kept = keep(scene);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_false(is_kept);
    assert_string_equal(scene->error.text, "its bundle cannot be stored: File too large");
    assert_int_equal(file_count(scene), 0);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(what_was_kept_is_loaded_by_the_next_process),
        STORY(what_nobody_names_goes),
        STORY(what_is_not_kept_goes),
        STORY(what_was_left_half_done_goes),
        STORY(one_that_is_missing_is_lost),
        STORY(one_byte_that_is_another_one_is_seen),
        STORY(one_that_is_longer_or_shorter_is_seen),
        STORY(neither_a_link_nor_a_pipe_is_read),
        STORY(no_link_is_written_through),
        STORY(a_full_disk_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
