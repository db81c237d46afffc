/* Files for uploads: new ones, below their folder, whatever has been planted in the way. */
#include "agent/browser/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FOLDER_BYTES 64
#define PATH_BYTES 600

struct stand {
    char folder[FOLDER_BYTES];
    char outside[FOLDER_BYTES];
};

static int set_up(void **state)
{
    struct stand *stand = calloc(1, sizeof *stand);

    (void)snprintf(stand->folder, sizeof stand->folder, "/tmp/tutti-upload-XXXXXX");
    (void)snprintf(stand->outside, sizeof stand->outside, "/tmp/tutti-outside-XXXXXX");
    assert_non_null(mkdtemp(stand->folder));
    assert_non_null(mkdtemp(stand->outside));
    *state = stand;
    return 0;
}

static int tear_down(void **state)
{
    struct stand *stand = *state;
    char command[3 * FOLDER_BYTES];

    (void)snprintf(command, sizeof command, "rm -rf %s %s", stand->folder, stand->outside);
    assert_int_equal(system(command), 0);
    free(stand);
    return 0;
}

static bool place(const struct stand *stand, unsigned number, const char *name, char path[UPLOAD_PATH_BYTES])
{
    struct error error;

    return upload_write(stand->folder, number, bytes_of_string(name), bytes_of_string("content"), path,
                        &error);
}

static void below(const struct stand *stand, const char *name, char path[PATH_BYTES])
{
    (void)snprintf(path, PATH_BYTES, "%s/%s", stand->folder, name);
}

static bool is_empty(const char *folder)
{
    return rmdir(folder) == 0 && mkdir(folder, 0700) == 0;
}

static void writes_a_new_file(void **state)
{
    const struct stand *stand = *state;
    char path[UPLOAD_PATH_BYTES];
    char expected[PATH_BYTES];
    char content[16] = "";
    struct stat status;

    assert_true(place(stand, 1, "a b.txt", path));
    below(stand, "uploads/1/a b.txt", expected);
    assert_string_equal(path, expected);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(read(file, content, sizeof content), 7);
    assert_string_equal(content, "content");
    assert_int_equal(fstat(file, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    (void)close(file);
    assert_true(place(stand, 2, "a b.txt", path));
    assert_false(place(stand, 2, "a b.txt", path));
}

static void takes_names_alone(void **state)
{
    const struct stand *stand = *state;
    static const char *const refused[] = {"", ".", "..", "a/b", "/etc/passwd", "../x", "/"};
    char path[UPLOAD_PATH_BYTES];
    char longest[UPLOAD_NAME_BYTES + 2];
    struct error error;

    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_false(place(stand, 1, refused[i], path));
    }
    assert_false(upload_write(stand->folder, 1, bytes_of("a\0/b", 4), bytes_of_string("x"), path, &error));
    memset(longest, 'n', sizeof longest);
    assert_false(upload_is_name(bytes_of(longest, UPLOAD_NAME_BYTES + 1)));
    assert_true(upload_is_name(bytes_of(longest, UPLOAD_NAME_BYTES)));
    assert_false(place(&(struct stand){.folder = ""}, 1, "a", path));
    assert_false(place(&(struct stand){.folder = "/nowhere/at/all"}, 1, "a", path));
}

static void follows_no_links(void **state)
{
    const struct stand *stand = *state;
    char path[UPLOAD_PATH_BYTES];
    char link[PATH_BYTES];
    char target[PATH_BYTES];

    below(stand, "uploads", link);
    assert_int_equal(symlink(stand->outside, link), 0);
    assert_false(place(stand, 1, "a", path));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkdir(link, 0700), 0);
    below(stand, "uploads/1", link);
    assert_int_equal(symlink(stand->outside, link), 0);
    assert_false(place(stand, 1, "a", path));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkdir(link, 0700), 0);
    below(stand, "uploads/1/a", link);
    (void)snprintf(target, sizeof target, "%s/a", stand->outside);
    assert_int_equal(symlink(target, link), 0);
    assert_false(place(stand, 1, "a", path));
    assert_true(is_empty(stand->outside));
}

static void wants_folders_of_its_own(void **state)
{
    const struct stand *stand = *state;
    char path[UPLOAD_PATH_BYTES];
    char uploads[PATH_BYTES];

    below(stand, "uploads", uploads);
    assert_int_equal(mkdir(uploads, 0700), 0);
    assert_int_equal(chmod(uploads, 0777), 0);
    assert_false(place(stand, 1, "a", path));
    assert_int_equal(chmod(uploads, 0700), 0);
    assert_true(place(stand, 1, "a", path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes_a_new_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_names_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(follows_no_links, set_up, tear_down),
        cmocka_unit_test_setup_teardown(wants_folders_of_its_own, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
