/* A file that exists completely or not at all. */
#include "cli/view/json_file.h"
#include "common/memory.h"
#include "tests/unit/common/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int make_folder(void **state)
{
    char *folder = memory_copy_string("/tmp/tutti-json-XXXXXX");
    *state = mkdtemp(folder);
    return *state == NULL;
}

static int entries(const char *folder)
{
    int count = 0;
    DIR *directory = opendir(folder);
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count - 2;
}

static int remove_folder(void **state)
{
    char *path = memory_format("%s/report.json", (char *)*state);
    (void)unlink(path);
    memory_free(path);
    int result = rmdir(*state);
    memory_free(*state);
    return result;
}

static void read_file(const char *path, char text[64])
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, 63, file)] = '\0';
    (void)fclose(file);
}

static void replaces_the_old_one_only_when_written(void **state)
{
    SCOPED(memory_free_at) char *path = memory_format("%s/report.json", (char *)*state);
    struct error error;
    char text[64];
    struct json_file *file = json_file_open(path, &error);
    assert_non_null(file);
    assert_true(json_file_write(file, "old", &error));
    json_file_close(&file);
    file = json_file_open(path, &error);
    json_file_close(&file);
    read_file(path, text);
    assert_string_equal(text, "old");
    file = json_file_open(path, &error);
    assert_true(json_file_write(file, "new", &error));
    json_file_close(&file);
    read_file(path, text);
    assert_string_equal(text, "new");
    assert_int_equal(entries(*state), 1);
}

static void is_as_public_as_other_files(void **state)
{
    SCOPED(memory_free_at) char *path = memory_format("%s/report.json", (char *)*state);
    struct error error;
    struct stat status;
    mode_t mask = umask(027);
    struct json_file *file = json_file_open(path, &error);
    assert_true(json_file_write(file, "{}", &error));
    json_file_close(&file);
    (void)umask(mask);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0640);
}

static void says_what_cannot_be_written(void **state)
{
    struct error error;
    (void)state;
    assert_null(json_file_open("/nowhere/report.json", &error));
    assert_non_null(strstr(error.text, "/nowhere/report.json"));
    assert_null(json_file_open("/tmp", &error));
    struct json_file *file = json_file_open("/dev/full", &error);
    assert_non_null(file);
    assert_false(json_file_write(file, "{}", &error));
    assert_non_null(strstr(error.text, "No space left"));
    json_file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replaces_the_old_one_only_when_written, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(is_as_public_as_other_files, make_folder, remove_folder),
        cmocka_unit_test(says_what_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
