/* What others may have written, or may read, is not accepted as a secret of ours. */
#include "common/memory.h"
#include "common/trusted_file.h"
#include "tests/unit/common/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define TEXT_MAX_BYTES 100u

static void make_file(const char *path, mode_t mode, uid_t owner)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "word", 4), 4);
    if (owner != geteuid()) {
        assert_int_equal(fchown(descriptor, owner, owner), 0);
    }
    assert_int_equal(fchmod(descriptor, mode), 0);
    assert_int_equal(close(descriptor), 0);
}

/* NULL: accepted, without a warning. */
static void expect(const char *path, enum trusted_file_kind kind, const char *says)
{
    SCOPED(trusted_file_wipe) struct buffer text;
    struct stat status;
    struct error warning;
    struct error error = {.text = ""};
    buffer_init(&text, TEXT_MAX_BYTES);
    bool is_read = trusted_file_read(path, kind, &text, &status, &warning, &error);
    if (says != NULL) {
        assert_false(is_read);
        assert_non_null(strstr(error.text, says));
        assert_int_equal(text.size, 0);
        return;
    }
    if (!is_read) {
        fail_msg("%s", error.text);
    }
    assert_string_equal(buffer_string(&text), "word");
    assert_string_equal(warning.text, "");
}

static void test_modes_and_owners(void **state)
{
    const char *path = *state;
    uid_t us = geteuid();
    static const mode_t OPEN[] = {0604, 0602, 0601, 0666, 0777};
    for (size_t i = 0; i < sizeof OPEN / sizeof *OPEN; i++) {
        make_file(path, OPEN[i], us);
        expect(path, TRUSTED_FILE_SECRET, "others may open it");
    }
    make_file(path, 0400, us);
    expect(path, TRUSTED_FILE_SECRET, NULL);
    make_file(path, 0644, us);
    expect(path, TRUSTED_FILE_PUBLIC, NULL);
    make_file(path, 0664, us);
    expect(path, TRUSTED_FILE_PUBLIC, "can be changed by others (mode 0664): chmod go-w");
    make_file(path, 0640, us);
    expect(path, TRUSTED_FILE_SECRET, us == 0 ? NULL : "others may open it"); /* root's, for a service */
    if (us == 0) {
        make_file(path, 0600, 65534);
        expect(path, TRUSTED_FILE_SECRET, "belongs to another user (65534), who can change it: chown 0 ");
        expect(path, TRUSTED_FILE_PUBLIC, "belongs to another user");
    }
}

static void test_only_files(void **state)
{
    const char *path = *state;
    (void)unlink(path);
    expect(path, TRUSTED_FILE_SECRET, "No such file");
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(path, TRUSTED_FILE_SECRET, "is not a file"); /* and it does not wait for a writer */
    expect("/dev/zero", TRUSTED_FILE_PUBLIC, "is not a file");
    expect("/tmp", TRUSTED_FILE_PUBLIC, "is not a file");
}

static void test_too_long(void **state)
{
    const char *path = *state;
    (void)unlink(path);
    make_file(path, 0600, geteuid());
    assert_int_equal(truncate(path, TEXT_MAX_BYTES + 1), 0);
    SCOPED(trusted_file_wipe) struct buffer text;
    struct stat status;
    struct error warning;
    struct error error;
    buffer_init(&text, TEXT_MAX_BYTES);
    assert_false(trusted_file_read(path, TRUSTED_FILE_SECRET, &text, &status, &warning, &error));
    assert_true(text.has_overflowed);
}

static int set_up(void **state)
{
    char folder[] = "/tmp/tutti-trusted.XXXXXX";
    assert_non_null(mkdtemp(folder));
    *state = memory_format("%s/file", folder);
    return 0;
}

static int tear_down(void **state)
{
    char *path = *state;
    (void)unlink(path);
    *strrchr(path, '/') = '\0';
    assert_int_equal(rmdir(path), 0);
    memory_free(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_modes_and_owners, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_long, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
