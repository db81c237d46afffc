/* Key files, in a folder of the test's own: modes, nothing overwritten, and each way to be broken. */
#include "proto/keys/key_folder.h"

#include "common/memory.h"
#include "proto/keys/curve.h"

#include "tests/unit/common/check.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char root[64];
    char folder[80];
    char pair[100];
    char list[100];
    char agent[80];
};

static int set_up(void **state)
{
    struct place *place = MEMORY_NEW(struct place);
    (void)snprintf(place->root, sizeof place->root, "/tmp/tutti-keys.XXXXXX");
    assert_non_null(mkdtemp(place->root));
    (void)snprintf(place->folder, sizeof place->folder, "%s/keys", place->root);
    (void)snprintf(place->pair, sizeof place->pair, "%s/coordinator.key", place->folder);
    (void)snprintf(place->list, sizeof place->list, "%s/agents.allow", place->folder);
    (void)snprintf(place->agent, sizeof place->agent, "%s/a1.key", place->root);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    (void)unlink(place->pair);
    (void)unlink(place->list);
    (void)unlink(place->agent);
    (void)rmdir(place->folder);
    assert_int_equal(rmdir(place->root), 0); /* and no temporary file is left */
    memory_free(place);
    return 0;
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make(const struct place *place)
{
    struct error error;
    if (!key_folder_make(place->folder, &error)) {
        fail_msg("%s", error.text);
    }
}

static void a_folder_is_made_for_its_owner_alone(void **state)
{
    const struct place *place = *state;
    struct error error;
    struct error warning;
    struct key_pair pair;
    struct key_stamp stamp;
    (void)umask(0);
    make(place);
    (void)umask(022);
    assert_int_equal(mode_of(place->folder), 0700);
    assert_int_equal(mode_of(place->pair), 0600);
    assert_int_equal(mode_of(place->list), 0600);
    assert_true(key_folder_read_pair(place->folder, &pair, &warning, &error));
    assert_string_equal(warning.text, "");
    assert_true(curve_belongs(&pair));
    struct allow_list *list = key_folder_read_list(place->folder, &stamp, &error);
    assert_non_null(list);
    assert_int_equal(allow_list_size(list), 0);
    allow_list_free(&list);
}

static void nothing_is_overwritten(void **state)
{
    const struct place *place = *state;
    struct error error;
    struct error warning;
    struct key_pair before;
    struct key_pair after;
    make(place);
    assert_true(key_folder_read_pair(place->folder, &before, &warning, &error));
    assert_false(key_folder_make(place->folder, &error));
    assert_non_null(strstr(error.text, "nothing was overwritten"));
    assert_true(key_folder_read_pair(place->folder, &after, &warning, &error));
    assert_memory_equal(&before, &after, sizeof before);

    struct agent_key key = {.name = "a1"};
    curve_draw(&key.pair);
    memcpy(key.coordinator, before.public_key, sizeof key.coordinator);
    assert_true(agent_key_write(place->agent, &key, &error));
    assert_int_equal(mode_of(place->agent), 0600);
    assert_false(agent_key_write(place->agent, &key, &error));
    assert_non_null(strstr(error.text, "nothing was overwritten"));
    struct agent_key read;
    assert_true(agent_key_read(place->agent, &read, &warning, &error));
    assert_string_equal(read.name, "a1");
    assert_string_equal(read.pair.secret_key, key.pair.secret_key);
}

static void secrets_that_others_can_read_are_refused(void **state)
{
    const struct place *place = *state;
    struct error error;
    struct error warning;
    struct key_pair pair;
    make(place);
    assert_int_equal(chmod(place->pair, 0604), 0);
    assert_false(key_folder_read_pair(place->folder, &pair, &warning, &error));
    assert_non_null(strstr(error.text, "(mode 0604): chmod 600"));
}

static void what_others_can_change_does_not_count(void **state)
{
    const struct place *place = *state;
    struct error error;
    struct error warning;
    struct key_pair pair;
    struct key_stamp stamp;
    make(place);
    assert_int_equal(chmod(place->folder, 0770), 0);
    assert_false(key_folder_read_pair(place->folder, &pair, &warning, &error));
    assert_non_null(strstr(error.text, "(mode 0770): chmod go-w"));
    assert_int_equal(chmod(place->folder, 01777),
                     0); /* as Kubernetes mounts it: nobody can replace our files */
    assert_true(key_folder_read_pair(place->folder, &pair, &warning, &error));
    assert_int_equal(chmod(place->list, 0646), 0);
    assert_null(key_folder_read_list(place->folder, &stamp, &error));
    assert_non_null(strstr(error.text, "can be changed by others (mode 0646)"));
    assert_int_equal(chmod(place->list, 0644), 0);
    assert_true(
        key_folder_has_changed(place->folder, &stamp)); /* the mode alone is reason to read it again */
    struct allow_list *list = key_folder_read_list(place->folder, &stamp, &error);
    assert_non_null(list);
    allow_list_free(&list);
}

static void links_that_others_planted_lead_nowhere(void **state)
{
    const struct place *place = *state;
    struct error error;
    struct error warning;
    struct key_pair pair;
    SCOPED(memory_free_at) char *elsewhere = memory_format("%s/elsewhere", place->root);
    make(place);
    assert_int_equal(rename(place->pair, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, place->pair), 0);
    assert_true(key_folder_read_pair(place->folder, &pair, &warning, &error)); /* our own link */
    if (geteuid() == 0) {
        assert_int_equal(lchown(place->pair, 65534, 65534), 0);
        assert_false(key_folder_read_pair(place->folder, &pair, &warning, &error));
        assert_non_null(strstr(error.text, "is a symbolic link that another user (65534) created"));
        assert_int_equal(lchown(place->pair, 0, 0), 0);
        assert_int_equal(chown(elsewhere, 65534, 65534), 0);
        assert_false(key_folder_read_pair(place->folder, &pair, &warning, &error));
        assert_non_null(strstr(error.text, "belongs to another user (65534)"));
    }
    assert_int_equal(unlink(place->pair), 0);
    assert_false(key_folder_read_pair(place->folder, &pair, &warning, &error));
    assert_int_equal(unlink(elsewhere), 0);
}

static void nothing_is_written_through_a_link(void **state)
{
    const struct place *place = *state;
    struct error error;
    struct agent_key key = {.name = "a1"};
    SCOPED(memory_free_at) char *victim = memory_format("%s/victim", place->root);
    assert_int_equal(mkdir(place->folder, 0700), 0);
    assert_int_equal(symlink(victim, place->pair), 0);
    assert_int_equal(symlink(victim, place->list), 0);
    assert_int_equal(symlink(victim, place->agent), 0);
    assert_false(key_folder_make(place->folder, &error));
    assert_false(agent_key_write(place->agent, &key, &error));
    struct allow_list *list = allow_list_new();
    assert_true(key_folder_write_list(place->folder, list, &error)); /* replaces the link */
    allow_list_free(&list);
    assert_int_equal(access(victim, F_OK), -1);
}

static void a_changed_list_is_noticed(void **state)
{
    const struct place *place = *state;
    struct error error;
    struct key_stamp stamp;
    struct key_pair drawn;
    make(place);
    struct allow_list *list = key_folder_read_list(place->folder, &stamp, &error);
    assert_false(key_folder_has_changed(place->folder, &stamp));
    curve_draw(&drawn);
    assert_true(allow_list_add(list, TEXT("a1"), TEXT(drawn.public_key), &error));
    assert_true(key_folder_write_list(place->folder, list, &error));
    assert_int_equal(mode_of(place->list), 0600);
    assert_true(key_folder_has_changed(place->folder, &stamp));
    allow_list_free(&list);
    list = key_folder_read_list(place->folder, &stamp, &error);
    assert_string_equal(allow_list_name(list, drawn.public_key), "a1");
    assert_false(key_folder_has_changed(place->folder, &stamp));
    allow_list_free(&list);
    assert_int_equal(unlink(place->list), 0);
    assert_true(key_folder_has_changed(place->folder, &stamp));
    assert_null(key_folder_read_list(place->folder, &stamp, &error));
    assert_false(key_folder_has_changed(place->folder, &stamp)); /* said once */
}

static void expect_refused(const struct place *place, const char *says)
{
    struct error error;
    struct error warning;
    struct agent_key key;
    assert_false(agent_key_read(place->agent, &key, &warning, &error));
    if (strstr(error.text, says) == NULL || strstr(error.text, place->agent) == NULL) {
        fail_msg("\"%s\" says nothing of \"%s\"", error.text, says);
    }
}

static void broken_files_are_refused_by_name(void **state)
{
    const struct place *place = *state;
    char *large = memory_new(KEY_FILE_MAX_BYTES + 2, 1);
    struct agent_key key = {.name = "a1"};
    struct key_pair other;
    struct buffer text;
    expect_refused(place, "cannot be read");
    write_text(place->agent, "");
    expect_refused(place, "missing");
    write_text(place->agent, "secret\n");
    expect_refused(place, "line 1");
    memset(large, '#', KEY_FILE_MAX_BYTES + 1);
    write_text(place->agent, large);
    expect_refused(place, "too large");
    memory_free(large);
    curve_draw(&key.pair);
    curve_draw(&other);
    memcpy(key.pair.public_key, other.public_key, sizeof other.public_key);
    memcpy(key.coordinator, other.public_key, sizeof other.public_key);
    buffer_init(&text, KEY_FILE_MAX_BYTES);
    agent_key_format(&key, &text);
    write_text(place->agent, buffer_string(&text));
    expect_refused(place, "does not belong");
    buffer_finish(&text);
    assert_int_equal(unlink(place->agent), 0);
    assert_int_equal(mkfifo(place->agent, 0600), 0);
    expect_refused(place, "is not a file"); /* and it does not wait for a writer */
    assert_int_equal(unlink(place->agent), 0);
    assert_int_equal(mkdir(place->agent, 0700), 0);
    expect_refused(place, "is not a file");
    assert_int_equal(rmdir(place->agent), 0);
}

static void who_changes_the_list_holds_others_off(void **state)
{
    const struct place *place = *state;
    struct error error;
    assert_int_equal(key_folder_lock(place->folder, &error), -1);
    assert_non_null(strstr(error.text, "cannot be opened"));
    make(place);
    int lock = key_folder_lock(place->folder, &error);
    assert_true(lock >= 0);
    (void)close(lock);
    lock = key_folder_lock(place->folder, &error);
    assert_true(lock >= 0);
    (void)close(lock);
}

int main(void)
{
    static const struct CMUnitTest TESTS[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(a_folder_is_made_for_its_owner_alone),
        TEST(nothing_is_overwritten),
        TEST(secrets_that_others_can_read_are_refused),
        TEST(what_others_can_change_does_not_count),
        TEST(links_that_others_planted_lead_nowhere),
        TEST(nothing_is_written_through_a_link),
        TEST(a_changed_list_is_noticed),
        TEST(broken_files_are_refused_by_name),
        TEST(who_changes_the_list_holds_others_off),
#undef TEST
    };
    return cmocka_run_group_tests(TESTS, NULL, NULL);
}
