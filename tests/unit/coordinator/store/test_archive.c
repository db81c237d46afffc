/* Campaigns as files: what one process writes another reads, and files that are not ours are left alone. */
#include "coordinator/store/archive.h"

#include "common/memory.h"

#include <dirent.h>
#include <fcntl.h>
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

#define PATH_BYTES 300

struct scene {
    char folder[64];
    uv_loop_t loop;
    struct archive *archive;
    struct error warning;
    struct error error;
};

static void open_archive(struct scene *scene)
{
    archive_free(&scene->archive);
    scene->archive = archive_open(&scene->loop, scene->folder, &scene->warning, &scene->error);
    assert_non_null(scene->archive);
}

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.folder = "/tmp/tutti-archive-XXXXXX"};
    assert_non_null(mkdtemp(scene.folder));
    assert_int_equal(uv_loop_init(&scene.loop), 0);
    open_archive(&scene);
    *state = &scene;
    return 0;
}

static void path_of(const struct scene *scene, const char *name, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", scene->folder, name);
}

static size_t count_files(const struct scene *scene, bool is_removing)
{
    size_t count = 0;
    DIR *folder = opendir(scene->folder);
    const struct dirent *entry;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char path[PATH_BYTES];
        path_of(scene, entry->d_name, path);
        count++;
        if (is_removing) {
            assert_int_equal(remove(path), 0);
        }
    }
    (void)closedir(folder);
    return count;
}

static int tear_down(void **state)
{
    struct scene *scene = (struct scene *)*state;
    archive_free(&scene->archive);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    (void)count_files(scene, true);
    assert_int_equal(rmdir(scene->folder), 0);
    return 0;
}

static bool is_there(const struct scene *scene, const char *name)
{
    struct stat status;
    char path[PATH_BYTES];
    path_of(scene, name, path);
    return lstat(path, &status) == 0;
}

static void leave_file(const struct scene *scene, const char *name, const char *text)
{
    char path[PATH_BYTES];
    path_of(scene, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool put(struct scene *scene, uint64_t campaign, const char *key, const char *state, const char *words)
{
    json_t *live =
        json_pack("{s:I, s:s, s:i}", "campaign", (json_int_t)campaign, "state", state, "workers_running", 5);
    json_t *report = json_pack("{s:s}", "reason", words);
    const struct archived archived = {.campaign = campaign,
                                      .live = live,
                                      .report = report,
                                      .key = key,
                                      .has_ended = strcmp(state, "ended") == 0};
    bool is_written = archive_put(scene->archive, &archived, &scene->error);
    json_decref(live);
    json_decref(report);
    return is_written;
}

static void expect_report(const struct scene *scene, uint64_t campaign, const char *words)
{
    json_t *report = archive_report(scene->archive, campaign);
    assert_non_null(report);
    assert_string_equal(json_string_value(json_object_get(report, "reason")), words);
    json_decref(report);
}

static void expect_live(const struct scene *scene, uint64_t campaign, const char *key, const char *state)
{
    struct archived archived;
    assert_true(archive_find(scene->archive, campaign, &archived));
    assert_int_equal(archived.campaign, campaign);
    assert_string_equal(json_string_value(json_object_get(archived.live, "state")), state);
    assert_int_equal(archived.has_ended, strcmp(state, "ended") == 0);
    if (key == NULL) {
        assert_null(archived.key);
    } else {
        assert_string_equal(archived.key, key);
    }
}

static void what_was_put_is_found_by_the_next_process(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_int_equal(archive_last(scene->archive), 0);
    assert_true(put(scene, 12, "drawn", "running", "so far"));
    assert_true(put(scene, 3, NULL, "ended", "over"));
    assert_true(put(scene, 7, "other", "ended", "over, too"));
    for (int life = 0; life < 2; life++) {
        assert_int_equal(archive_count(scene->archive), 3);
        assert_int_equal(archive_at(scene->archive, 0).campaign, 3);
        assert_int_equal(archive_at(scene->archive, 1).campaign, 7);
        assert_int_equal(archive_at(scene->archive, 2).campaign, 12);
        assert_int_equal(archive_last(scene->archive), 12);
        expect_live(scene, 3, NULL, "ended");
        expect_live(scene, 12, "drawn", "running");
        expect_report(scene, 7, "over, too");
        struct archived archived;
        assert_false(archive_find(scene->archive, 5, &archived));
        assert_false(archive_find(scene->archive, 13, &archived));
        assert_null(archive_report(scene->archive, 5));
        open_archive(scene);
    }
}

static void what_is_put_again_replaces_what_was_there(void **state)
{
    struct scene *scene = (struct scene *)*state;
    /* From a process that was killed while writing. */
    leave_file(scene, "4.json.new",
               "{\"live\":{\"campaign\":4},\"report\":{\"reason\":\"a longer report than those "
               "that follow, so that an end of it would stand behind theirs\",\"mo");
    assert_true(put(scene, 4, "drawn", "running", "a longer report than the one that follows"));
    expect_report(scene, 4, "a longer report than the one that follows");
    assert_true(put(scene, 4, "drawn", "ended", "over"));
    for (int life = 0; life < 2; life++) {
        assert_int_equal(archive_count(scene->archive), 1);
        expect_live(scene, 4, "drawn", "ended");
        expect_report(scene, 4, "over");
        open_archive(scene);
    }
    assert_int_equal(count_files(scene, false), 1);
}

static void a_series_goes_with_its_record(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_true(put(scene, 3, NULL, "ended", "over"));
    assert_null(archive_series(scene->archive, 3));
    assert_true(archive_put_series(scene->archive, 3, "{\"points\":2}", &scene->error));
    assert_true(archive_put_series(scene->archive, 4, "{}", &scene->error));
    for (int life = 0; life < 2; life++) {
        SCOPED(memory_free_at) char *text = archive_series(scene->archive, 3);
        assert_string_equal(text, "{\"points\":2}");
        assert_null(archive_series(scene->archive, 4)); /* it has no record */
        assert_int_equal(archive_count(scene->archive), 1);
        open_archive(scene);
    }
}

static void a_key_finds_the_newest_and_none_finds_nobody(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_true(put(scene, 1, "drawn", "ended", "over"));
    assert_true(put(scene, 2, "drawn", "ended", "over"));
    assert_true(put(scene, 3, "", "ended", "over"));
    assert_int_equal(archive_find_key(scene->archive, bytes_of_string("drawn")), 2);
    assert_int_equal(archive_find_key(scene->archive, bytes_of_string("draw")), 0);
    assert_int_equal(archive_find_key(scene->archive, bytes_of_string("")), 0);
}

static void what_cannot_go_on_has_ended(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_true(put(scene, 6, "drawn", "running", "so far"));
    assert_true(archive_abandon(scene->archive, 6, "killed", &scene->error));
    for (int life = 0; life < 2; life++) {
        struct archived archived;
        expect_live(scene, 6, "drawn", "ended");
        expect_report(scene, 6, "killed");
        assert_true(archive_find(scene->archive, 6, &archived));
        assert_string_equal(json_string_value(json_object_get(archived.live, "reason")), "killed");
        assert_string_equal(json_string_value(json_object_get(archived.live, "verdict")), "aborted");
        assert_int_equal(json_integer_value(json_object_get(archived.live, "workers_running")), 0);
        json_t *report = archive_report(scene->archive, 6);
        assert_string_equal(json_string_value(json_object_get(report, "verdict")), "aborted");
        json_decref(report);
        open_archive(scene);
    }
    assert_false(archive_abandon(scene->archive, 7, "killed", &scene->error));
    assert_non_null(strstr(scene->error.text, "no report of campaign 7"));
}

static void what_is_none_of_ours_is_left_alone(void **state)
{
    static const char *const SOUND = "{\"live\":{\"campaign\":%llu,\"state\":\"ended\"},\"report\":{}}";
    static const struct {
        const char *name;
        unsigned long long campaign;
    } FILES[] = {{"notes.json", 5}, {"5.txt", 5},  {"6.json", 7},
                 {"8.json.new", 8}, {"0.json", 0}, {"1234567890123456789.json", 1234567890123456789u}};
    struct scene *scene = (struct scene *)*state;
    char text[200];
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        (void)snprintf(text, sizeof text, SOUND, FILES[i].campaign);
        leave_file(scene, FILES[i].name, text);
    }
    (void)snprintf(text, sizeof text, SOUND, 10ull);
    leave_file(scene, "linked", text);
    char path[PATH_BYTES];
    path_of(scene, "10.json", path);
    assert_int_equal(symlink("linked", path), 0);
    path_of(scene, "11.json", path);
    assert_int_equal(mkdir(path, 0700), 0);
    leave_file(scene, "12.json", "{\"live\":{\"campaign\":12},\"repo");
    leave_file(scene, "13.json", "{\"live\":{\"campaign\":13},\"report\":[]}");
    leave_file(scene, "14.json", "{\"live\":[],\"report\":{}}");
    leave_file(scene, "15.json", "");
    size_t files = count_files(scene, false);
    open_archive(scene);
    assert_int_equal(archive_count(scene->archive), 0);
    assert_int_equal(count_files(scene, false), files);
}

/* The file was damaged while the archive was open. */
static void a_report_that_cannot_be_read(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_true(put(scene, 2, NULL, "running", "so far"));
    leave_file(scene, "2.json", "{\"live\":{\"campaign\":2},\"report\":[]}");
    assert_null(archive_report(scene->archive, 2));
    assert_false(archive_abandon(scene->archive, 2, "killed", &scene->error));
}

static void the_oldest_go_when_there_are_too_many(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char name[40];
    char text[200];
    for (unsigned i = 1; i <= ARCHIVE_KEPT + 3; i++) {
        (void)snprintf(name, sizeof name, "%u.json", i);
        (void)snprintf(text, sizeof text, "{\"live\":{\"campaign\":%u,\"state\":\"%s\"},\"report\":{}}", i,
                       i == 2 ? "running" : "ended");
        leave_file(scene, name, text);
    }
    open_archive(scene);
    assert_int_equal(archive_count(scene->archive), ARCHIVE_KEPT);
    assert_int_equal(count_files(scene, false), ARCHIVE_KEPT);
    leave_file(scene, "5.series", "{}");
    assert_int_equal(archive_at(scene->archive, 0).campaign, 2); /* it has not ended */
    assert_int_equal(archive_at(scene->archive, 1).campaign, 5);
    assert_true(put(scene, ARCHIVE_KEPT + 4, NULL, "ended", "over"));
    assert_int_equal(archive_count(scene->archive), ARCHIVE_KEPT);
    assert_int_equal(archive_at(scene->archive, 0).campaign, 2);
    assert_int_equal(archive_at(scene->archive, 1).campaign, 6);
    assert_int_equal(archive_last(scene->archive), ARCHIVE_KEPT + 4);
    assert_false(is_there(scene, "5.json"));
    assert_false(is_there(scene, "5.series"));
    assert_true(is_there(scene, "6.json"));
}

/* The kernel refuses a write in the middle of a file. */
static void a_full_disk_leaves_what_was_there(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct rlimit before;
    assert_true(put(scene, 9, NULL, "running", "so far"));
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {.rlim_cur = 20, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bool is_written = put(scene, 9, NULL, "ended", "over");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_false(is_written);
    assert_non_null(strstr(scene->error.text, "the report of campaign 9 cannot be written to /tmp/"));
    expect_live(scene, 9, NULL, "ended"); /* while this process is running */
    assert_int_equal(count_files(scene, false), 1);
    open_archive(scene);
    expect_live(scene, 9, NULL, "running");
    expect_report(scene, 9, "so far");
}

static void a_folder_that_cannot_be(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_null(archive_open(&scene->loop, "/proc/tutti", &scene->warning, &scene->error));
    assert_non_null(strstr(scene->error.text, "/proc/tutti cannot be created"));
    assert_null(archive_open(&scene->loop, "/dev/null", &scene->warning, &scene->error));
    assert_non_null(strstr(scene->error.text, "/dev/null cannot be opened"));
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(what_was_put_is_found_by_the_next_process),
        STORY(what_is_put_again_replaces_what_was_there),
        STORY(a_series_goes_with_its_record),
        STORY(a_key_finds_the_newest_and_none_finds_nobody),
        STORY(what_cannot_go_on_has_ended),
        STORY(what_is_none_of_ours_is_left_alone),
        STORY(a_report_that_cannot_be_read),
        STORY(the_oldest_go_when_there_are_too_many),
        STORY(a_full_disk_leaves_what_was_there),
        STORY(a_folder_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
