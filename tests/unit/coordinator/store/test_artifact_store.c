/* Artifacts of failed steps as files: the next process finds them, they stay within their bounds, and files
 * that are not ours do no harm. */
#include "coordinator/store/artifact_store.h"

#include "common/memory.h"

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

#define PATH_BYTES 400
#define CAMPAIGNS 20u

struct scene {
    char folder[64];
    char reports[100];
    char artifacts[100];
    uv_loop_t loop;
    struct archive *archive;
    struct artifact_store *store;
    struct buffer content;
    struct error warning;
    struct error error;
};

static void remove_all(const char *name)
{
    DIR *folder = opendir(name);
    const struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        char path[PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", name, entry->d_name);
        if (entry->d_name[0] != '.') {
            (void)remove(path);
        }
    }
    if (folder != NULL) {
        (void)closedir(folder);
    }
    (void)remove(name);
}

static void open_store(struct scene *scene)
{
    artifact_store_free(&scene->store);
    scene->store = artifact_store_open(scene->artifacts, scene->archive, &scene->warning, &scene->error);
    assert_non_null(scene->store);
}

/* The archive knows campaigns 1 to 20. */
static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.folder = "/tmp/tutti-artifacts-XXXXXX"};
    assert_non_null(mkdtemp(scene.folder));
    (void)snprintf(scene.reports, sizeof scene.reports, "%s/reports", scene.folder);
    (void)snprintf(scene.artifacts, sizeof scene.artifacts, "%s/artifacts", scene.folder);
    assert_int_equal(uv_loop_init(&scene.loop), 0);
    scene.archive = archive_open(&scene.loop, scene.reports, &scene.error, &scene.error);
    assert_non_null(scene.archive);
    for (uint64_t campaign = 1; campaign <= CAMPAIGNS; campaign++) {
        json_t *object = json_pack("{s:I, s:s}", "campaign", (json_int_t)campaign, "state", "running");
        assert_true(archive_put(scene.archive,
                                &(struct archived){.campaign = campaign, .live = object, .report = object},
                                &scene.error));
        json_decref(object);
    }
    buffer_init(&scene.content, LIMIT_ARTIFACT_BYTES);
    open_store(&scene);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = (struct scene *)*state;
    artifact_store_free(&scene->store);
    archive_free(&scene->archive);
    buffer_finish(&scene->content);
    (void)uv_run(&scene->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&scene->loop), 0);
    remove_all(scene->artifacts);
    remove_all(scene->reports);
    assert_int_equal(rmdir(scene->folder), 0);
    return 0;
}

static bool put_bytes(struct scene *scene, uint64_t campaign, uint32_t number, struct bytes content)
{
    const struct artifact artifact = {.kind = number % 2 == 1 ? ARTIFACT_SCREENSHOT : ARTIFACT_SOURCE,
                                      .content = content};
    return artifact_store_put(scene->store, campaign, number, &artifact, &scene->error);
}

static bool put(struct scene *scene, uint64_t campaign, uint32_t number, const char *content)
{
    return put_bytes(scene, campaign, number, bytes_of_string(content));
}

static void expect(struct scene *scene, uint64_t campaign, uint64_t number, const char *content)
{
    struct artifact artifact;
    bool is_there = artifact_store_read(scene->store, campaign, number, &scene->content, &artifact);
    assert_int_equal(is_there, content != NULL);
    if (is_there) {
        assert_int_equal(artifact.kind, number % 2 == 1 ? ARTIFACT_SCREENSHOT : ARTIFACT_SOURCE);
        assert_true(bytes_equal_string(artifact.content, content));
    }
}

static void path_of(const struct scene *scene, const char *name, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", scene->artifacts, name);
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

static bool is_there(const struct scene *scene, const char *name)
{
    struct stat status;
    char path[PATH_BYTES];
    path_of(scene, name, path);
    return lstat(path, &status) == 0;
}

static void what_was_put_is_found_by_the_next_process(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_true(put(scene, 7, 1, "a picture"));
    assert_true(put(scene, 12, 1, "another"));
    assert_true(put(scene, 7, 2, "a page"));
    assert_true(put(scene, 7, 2, "what comes again is what is there"));
    for (int life = 0; life < 2; life++) {
        expect(scene, 7, 1, "a picture");
        expect(scene, 7, 2, "a page");
        expect(scene, 12, 1, "another");
        expect(scene, 7, 3, NULL);
        expect(scene, 7, 0, NULL);
        expect(scene, 7, UINT64_MAX, NULL);
        expect(scene, 8, 1, NULL);
        assert_int_equal(artifact_store_last(scene->store, 7), 2);
        assert_int_equal(artifact_store_last(scene->store, 12), 1);
        assert_int_equal(artifact_store_last(scene->store, 8), 0);
        assert_string_equal(scene->warning.text, "");
        open_store(scene);
    }
    assert_true(is_there(scene, "7-01.png") && is_there(scene, "7-02.html"));
}

static void those_of_a_deleted_campaign_go(void **state)
{
    struct scene *scene = *state;
    assert_true(put(scene, 1, 1, "one"));
    assert_true(put(scene, 2, 1, "two"));
    assert_true(put(scene, 2, 2, "three"));
    assert_true(put(scene, 3, 1, "four"));
    artifact_store_delete(scene->store, 2);
    assert_int_equal(artifact_store_last(scene->store, 2), 0);
    open_store(scene);
    expect(scene, 1, 1, "one");
    expect(scene, 2, 1, NULL);
    expect(scene, 2, 2, NULL);
    expect(scene, 3, 1, "four");
}

static void those_of_forgotten_campaigns_go(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_true(put(scene, CAMPAIGNS, 1, "known"));
    assert_true(put(scene, CAMPAIGNS + 1, 1, "unknown"));
    leave_file(scene, "20-02.html.new", "half of");
    open_store(scene);
    expect(scene, CAMPAIGNS, 1, "known");
    expect(scene, CAMPAIGNS + 1, 1, NULL);
    assert_false(is_there(scene, "21-01.png"));
    assert_false(is_there(scene, "20-02.html.new"));
    assert_string_equal(scene->warning.text, "");
}

static void the_oldest_go_when_there_is_no_room(void **state)
{
    struct scene *scene = (struct scene *)*state;
    uint8_t *data = memory_new(LIMIT_ARTIFACT_BYTES, 1);
    struct bytes large = bytes_of(data, LIMIT_ARTIFACT_BYTES);
    for (uint64_t campaign = 2; campaign <= 5; campaign++) {
        for (uint32_t number = 1; number <= 16; number++) {
            assert_true(put_bytes(scene, campaign, number, large));
        }
    }
    assert_int_equal(artifact_store_last(scene->store, 2), 16); /* 64 MiB */
    assert_true(put(scene, 6, 1, "one more"));
    assert_int_equal(artifact_store_last(scene->store, 2), 0);
    assert_false(is_there(scene, "2-01.png"));
    for (uint32_t number = 2; number <= 16; number++) {
        assert_true(put_bytes(scene, 6, number, large));
    }
    /* An older one takes no space from the others. */
    assert_true(put_bytes(scene, 3, 17, large));
    assert_int_equal(artifact_store_last(scene->store, 3), 16);
    expect(scene, 6, 1, "one more");
    open_store(scene);
    assert_int_equal(artifact_store_last(scene->store, 3), 16);
    memory_free(data);
}

static void what_is_none_of_ours_is_left_alone(void **state)
{
    static const char *const NAMES[] = {"notes.txt",  "1-1.png",      "01-01.png",
                                        "1-21.png",   "1-00.png",     "0-01.png",
                                        "1-01.jpg",   "1-01.png.old", "1234567890123456789-01.png",
                                        "1-01.png\n", "-01.png",      "1-"};
    struct scene *scene = (struct scene *)*state;
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        leave_file(scene, NAMES[i], "text");
    }
    char path[PATH_BYTES];
    path_of(scene, "2-01.png", path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    path_of(scene, "3-01.png", path);
    assert_int_equal(mkdir(path, 0700), 0);
    path_of(scene, "4-01.png", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    leave_file(scene, "5-01.png", "");
    leave_file(scene, "6-01.png", "");
    path_of(scene, "6-01.png", path);
    assert_int_equal(truncate(path, LIMIT_ARTIFACT_BYTES + 1), 0);
    open_store(scene);
    for (uint64_t campaign = 1; campaign <= 6; campaign++) {
        assert_int_equal(artifact_store_last(scene->store, campaign), 0);
        expect(scene, campaign, 1, NULL);
    }
    assert_non_null(strstr(scene->warning.text, "17 files in /tmp/tutti-artifacts-"));
    assert_non_null(strstr(scene->warning.text, " are not an artifact of a failed step: left alone"));
    assert_true(is_there(scene, "notes.txt") && is_there(scene, "2-01.png"));
    /* And ours are still stored, replacing what can be replaced. */
    assert_true(put(scene, 2, 1, "a picture"));
    expect(scene, 2, 1, "a picture");
    assert_false(put(scene, 3, 1, "a picture"));
    assert_non_null(strstr(scene->error.text, "3-01.png cannot be written to"));
}

/* The file was damaged while the store was open. */
static void what_has_changed_meanwhile_is_not_given_out(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_true(put(scene, 1, 1, "a picture"));
    assert_true(put(scene, 1, 2, "a page"));
    leave_file(scene, "1-01.png", "short");
    leave_file(scene, "1-02.html", "a page with something behind it");
    expect(scene, 1, 1, NULL);
    expect(scene, 1, 2, NULL);
    char path[PATH_BYTES];
    path_of(scene, "1-01.png", path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    expect(scene, 1, 1, NULL);
}

static void a_file_in_place_of_the_folder_is_an_error(void **state)
{
    struct scene *scene = (struct scene *)*state;
    artifact_store_free(&scene->store);
    remove_all(scene->artifacts);
    FILE *file = fopen(scene->artifacts, "w");
    assert_non_null(file);
    assert_int_equal(fclose(file), 0);
    assert_null(artifact_store_open(scene->artifacts, scene->archive, &scene->warning, &scene->error));
    assert_non_null(strstr(scene->error.text, "cannot be opened"));
}

static void without_room_on_the_disk_nothing_is_left_half(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 4, .rlim_max = before.rlim_max};
    void (*was)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    bool is_written = put(scene, 1, 1, "a picture");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, was);
    assert_false(is_written);
    assert_false(is_there(scene, "1-01.png") || is_there(scene, "1-01.png.new"));
    assert_true(put(scene, 1, 1, "a picture"));
    expect(scene, 1, 1, "a picture");
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(what_was_put_is_found_by_the_next_process),
        STORY(those_of_a_deleted_campaign_go),
        STORY(those_of_forgotten_campaigns_go),
        STORY(the_oldest_go_when_there_is_no_room),
        STORY(what_is_none_of_ours_is_left_alone),
        STORY(what_has_changed_meanwhile_is_not_given_out),
        STORY(a_file_in_place_of_the_folder_is_an_error),
        STORY(without_room_on_the_disk_nothing_is_left_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
