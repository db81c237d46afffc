/* The journal as a file: what a process leaves is what the next one finds, and a journal that cannot be
 * continued is reported and removed. */
#include "tests/unit/coordinator/store/journal_scene.h"

#include "common/memory.h"
#include "coordinator/core/coordinator_pack.h"

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

static void there_is_nothing_at_first(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, NO_LIMIT);
    assert_int_equal(scene_restore_at(scene, NOW_NS, &restored), JOURNAL_NOTHING);
    assert_false(journal_is_on(scene->journal));
    assert_int_equal(restored.last_campaign, 0);
}

static void a_campaign_is_found_again_and_goes_on(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, NO_LIMIT);
    scene_create_campaign(scene);
    for (uint64_t life = 1; life <= 3; life++) {
        assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
        assert_int_equal(restored.events, life);
        assert_int_equal(restored.bytes, scene_size_of_file(scene));
        assert_int_equal(restored.cut_bytes, 0);
        assert_true(journal_is_on(scene->journal));
        coordinator_free(&scene->coordinator);
        scene->coordinator = restored.coordinator;
        assert_int_equal(coordinator_find_key(scene->coordinator, bytes_of_string("drawn")), 5);
        assert_true(coordinator_has_live_campaign(scene->coordinator));
        assert_true(scene_write_tick(scene));
    }
}

static void a_torn_end_is_cut_off(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    struct stat before;
    scene_open_journal(scene, NO_LIMIT);
    scene_create_campaign(scene);
    assert_int_equal(stat(scene->file, &before), 0);
    assert_true(scene_write_tick(scene));
    struct stat after;
    assert_int_equal(stat(scene->file, &after), 0);
    assert_int_equal(truncate(scene->file, after.st_size - 1), 0);
    assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
    assert_int_equal(restored.cut_bytes, after.st_size - 1 - before.st_size);
    coordinator_free(&restored.coordinator);
    assert_int_equal(restored.events, 1);
    assert_int_equal(stat(scene->file, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    /* New blocks follow the last complete one. */
    assert_true(scene_write_tick(scene));
    assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
    assert_int_equal(restored.events, 2);
    coordinator_free(&restored.coordinator);
}

static void who_rests_leaves_only_the_last_id(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    struct coordinator_settings settings = coordinator_default_settings(78);
    settings.last_campaign = 5;
    scene_open_journal(scene, NO_LIMIT);
    scene_create_campaign(scene);
    assert_true(journal_rest(scene->journal, &settings, &scene->time, &scene->error));
    assert_false(journal_is_on(scene->journal));
    assert_int_equal(journal_bytes(scene->journal), 0);
    assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 5);
}

static void a_second_process_is_kept_out(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene_open_journal(scene, NO_LIMIT);
    assert_null(journal_open(scene->folder, NO_LIMIT, NULL, &scene->warning, &scene->error));
    assert_non_null(strstr(scene->error.text, "in use by another coordinator"));
}

static void a_folder_that_cannot_be(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_null(journal_open("/proc/tutti", NO_LIMIT, NULL, &scene->warning, &scene->error));
    assert_non_null(strstr(scene->error.text, "/proc/tutti"));
    assert_null(journal_open("/dev/null", NO_LIMIT, NULL, &scene->warning, &scene->error));
}

static void each_beginning_counts_anew(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene_open_journal(scene, NO_LIMIT);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    assert_true(scene_write_tick(scene));
    off_t first = scene_size_of_file(scene);
    assert_int_equal(journal_bytes(scene->journal), first);
    assert_int_equal(journal_written_bytes(scene->journal), first);
    assert_int_equal(journal_write_count(scene->journal), 2);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    off_t second = scene_size_of_file(scene);
    assert_int_equal(journal_bytes(scene->journal), second);
    assert_int_equal(journal_written_bytes(scene->journal), first + second);
    assert_int_equal(journal_write_count(scene->journal), 3);
}

/* The journal's folder has nothing else in it afterwards, which tear_down checks. */
static void as_much_as_it_may_have_and_no_more(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene_open_journal(scene, NO_LIMIT);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    uint64_t size = journal_bytes(scene->journal);
    for (int less = 0; less < 2; less++) {
        journal_free(&scene->journal);
        scene_open_journal(scene, size - (uint64_t)less);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error),
                             less == 0);
            assert_int_equal(journal_bytes(scene->journal), less == 0 ? size : 0);
        }
    }
    assert_non_null(strstr(scene->error.text, "--journal-max"));
    assert_false(scene_is_there(scene));
}

/* The file in its place cannot be removed. */
static void fail_with_a_stale_one(struct scene *scene)
{
    assert_int_equal(mkdir(scene->file, 0700), 0);
    scene_open_journal(scene, NO_LIMIT);
    assert_false(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    assert_int_equal(rmdir(scene->file), 0);
}

static void what_is_stale_is_taken_away_when_it_can_be(void **state)
{
    struct scene *scene = (struct scene *)*state;
    fail_with_a_stale_one(scene);
    scene_leave_text(scene, "of another life");
    assert_true(scene_write_tick(scene));
    assert_false(scene_is_there(scene));
    scene_leave_text(scene, "of somebody else");
    assert_true(scene_write_tick(scene));
    assert_true(scene_is_there(scene));
}

static void what_was_begun_since_is_not_stale(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    struct coordinator_settings settings = coordinator_default_settings(78);
    settings.last_campaign = 5;
    fail_with_a_stale_one(scene);
    scene_create_campaign(scene);
    assert_true(journal_rest(scene->journal, &settings, &scene->time, &scene->error));
    assert_true(scene_write_tick(scene));
    assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_is_nothing_at_first, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_campaign_is_found_again_and_goes_on, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_torn_end_is_cut_off, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(who_rests_leaves_only_the_last_id, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_second_process_is_kept_out, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(each_beginning_counts_anew, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(as_much_as_it_may_have_and_no_more, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_stale_is_taken_away_when_it_can_be, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(what_was_begun_since_is_not_stale, scene_set_up, scene_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
