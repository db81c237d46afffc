/* Files that are there whole or not at all: what stood in the place stays whole until then. */
#include "common/memory.h"
#include "common/replace_file.h"
#include "common/write_all.h"
#include "tests/unit/common/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct place {
    char folder[64];
    int descriptor;
    char path[128];
};

static int set_up(void **state)
{
    struct place *place = MEMORY_NEW(struct place);
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/test_replace_file.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    place->descriptor = open(place->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(place->path, sizeof place->path, "%s/file", place->folder);
    *state = place;
    return 0;
}

/* How many names there are; with `is_last` they are taken away. */
static size_t names(const struct place *place, bool is_last)
{
    size_t count = 0;
    DIR *folder = opendir(place->folder);
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            count++;
            if (is_last) {
                (void)unlinkat(place->descriptor, entry->d_name, 0);
            }
        }
    }
    (void)closedir(folder);
    return count;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    (void)names(place, true);
    (void)close(place->descriptor);
    (void)rmdir(place->folder);
    memory_free(place);
    return 0;
}

static void expect_text(const struct place *place, const char *name, const char *expected)
{
    char text[64] = "";
    int file = openat(place->descriptor, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    assert_true(file >= 0);
    assert_true(read(file, text, sizeof text - 1) >= 0);
    (void)close(file);
    assert_string_equal(text, expected);
}

static void put(const struct place *place, const char *text)
{
    struct error error;
    assert_true(replace_file(place->path, TEXT(text), 0644, true, &error));
}

static void is_written_with_its_mode_and_nothing_else_is_left(void **state)
{
    struct place *place = *state;
    struct error error;
    struct stat status;
    put(place, "old");
    mode_t mask = umask(0777);
    bool is_written = replace_file(place->path, TEXT("new"), 0640, true, &error);
    (void)umask(mask);
    assert_true(is_written);
    expect_text(place, "file", "new");
    assert_int_equal(stat(place->path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(names(place, false), 1);
}

/* Writes half of it under the name that is given or drawn, and is killed. */
static void die_half_way(const struct place *place, const char *temporary)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct replacement *replacement = replacement_begin(place->descriptor, "file", temporary, 0600);
        if (replacement != NULL && write_all(replacement_descriptor(replacement), TEXT("half of"))) {
            (void)kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void who_is_killed_half_way_leaves_the_old_one_whole(void **state)
{
    struct place *place = *state;
    put(place, "old");
    die_half_way(place, NULL);
    expect_text(place, "file", "old");
    put(place, "new");
    expect_text(place, "file", "new");
}

static void what_the_dead_left_is_taken_over_by_its_name(void **state)
{
    struct place *place = *state;
    put(place, "old");
    die_half_way(place, "file.new");
    expect_text(place, "file", "old");
    assert_int_equal(names(place, false), 2);
    int file = replace_file_at(place->descriptor, "file", "file.new", TEXT("new"));
    assert_true(file >= 0);
    assert_true(write_all(file, TEXT(" and more")));
    (void)close(file);
    expect_text(place, "file", "new and more");
    assert_int_equal(names(place, false), 1);
}

/* No more can be written than this, as on a disk that is full. */
static void let_files_have(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_leaves_the_old_one_whole(void **state)
{
    struct place *place = *state;
    struct error error;
    put(place, "old");
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    let_files_have(4);
    bool is_written = replace_file(place->path, TEXT("longer than that"), 0644, true, &error);
    int file = replace_file_at(place->descriptor, "file", "file.new", TEXT("longer than that"));
    int number = errno;
    let_files_have(RLIM_INFINITY);
    (void)signal(SIGXFSZ, before);
    assert_false(is_written);
    assert_int_equal(strncmp(error.text, place->path, strlen(place->path)), 0);
    assert_int_equal(file, -1);
    assert_int_equal(number, EFBIG);
    expect_text(place, "file", "old");
    assert_int_equal(names(place, false), 1);
}

static void a_link_in_the_place_is_replaced_and_not_followed(void **state)
{
    struct place *place = *state;
    put(place, "of somebody else");
    assert_int_equal(renameat(place->descriptor, "file", place->descriptor, "victim"), 0);
    assert_int_equal(symlinkat("victim", place->descriptor, "file"), 0);
    put(place, "ours");
    expect_text(place, "file", "ours");
    expect_text(place, "victim", "of somebody else");
    assert_int_equal(symlinkat("victim", place->descriptor, "file.new"), 0);
    int file = replace_file_at(place->descriptor, "file", "file.new", TEXT("once more"));
    assert_true(file >= 0);
    (void)close(file);
    expect_text(place, "file", "once more");
    expect_text(place, "victim", "of somebody else");
}

static void what_may_not_be_replaced_stays(void **state)
{
    struct place *place = *state;
    struct error error;
    assert_true(replace_file(place->path, TEXT("first"), 0600, false, &error));
    assert_false(replace_file(place->path, TEXT("second"), 0600, false, &error));
    assert_non_null(strstr(error.text, "already exists; nothing was overwritten"));
    expect_text(place, "file", "first");
    assert_int_equal(unlinkat(place->descriptor, "file", 0), 0);
    assert_int_equal(symlinkat("nowhere", place->descriptor, "file"), 0);
    assert_false(replace_file(place->path, TEXT("second"), 0600, false, &error));
    assert_int_equal(names(place, false), 1);
}

static void what_is_given_up_changes_nothing(void **state)
{
    struct place *place = *state;
    put(place, "old");
    struct replacement *replacement = replacement_begin_path(place->path, 0600);
    assert_non_null(replacement);
    assert_true(write_all(replacement_descriptor(replacement), TEXT("new")));
    replacement_free(&replacement);
    assert_null(replacement);
    expect_text(place, "file", "old");
    assert_int_equal(names(place, false), 1);
}

static void errors_begin_with_the_path(void **state)
{
    (void)state;
    struct error error;
    assert_false(replace_file("/nowhere/file", TEXT("x"), 0600, true, &error));
    assert_string_equal(error.text, "/nowhere/file cannot be written: No such file or directory");
    assert_false(replace_file("/tmp", TEXT("x"), 0600, true, &error));
    assert_string_equal(error.text, "/tmp cannot be written: Is a directory");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_written_with_its_mode_and_nothing_else_is_left),
        TEST(who_is_killed_half_way_leaves_the_old_one_whole),
        TEST(what_the_dead_left_is_taken_over_by_its_name),
        TEST(a_full_disk_leaves_the_old_one_whole),
        TEST(a_link_in_the_place_is_replaced_and_not_followed),
        TEST(what_may_not_be_replaced_stays),
        TEST(what_is_given_up_changes_nothing),
        TEST(errors_begin_with_the_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
