/* New bases of a journal: written beside it while it goes on, at whatever instant the process ends. */
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

static void more_than_it_may_have_even_with_a_new_base(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene_open_journal(scene, 600);
    scene_create_campaign(scene);
    enum journal_renewal renewal = JOURNAL_AS_IT_WAS;
    while (renewal == JOURNAL_AS_IT_WAS) {
        assert_true(scene_write_tick(scene));
        renewal = scene_renew(scene);
    }
    assert_int_equal(renewal, JOURNAL_FAILED);
    scene_check_failed(scene, "--journal-max");
    assert_int_equal(scene_renew(scene), JOURNAL_AS_IT_WAS);
}

/* A guard, not an end. */
static void one_that_is_full_is_renewed_at_once(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, 6000);
    scene_create_campaign(scene);
    for (int i = 0; i < 3000; i++) {
        assert_true(scene_write_tick(scene));
        enum journal_renewal renewal = scene_renew(scene);
        assert_true(renewal == JOURNAL_AS_IT_WAS || renewal == JOURNAL_RENEWED);
        assert_true(journal_bytes(scene->journal) <= 6000);
    }
    assert_true(journal_base_count(scene->journal) > 10);
    assert_true(journal_written_bytes(scene->journal) > 60000);
    assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
    assert_true(restored.events < 300);
    coordinator_free(&restored.coordinator);
}

/* What is written while the new base is being written is in the old file and in the new one. */
static void a_new_base_is_written_beside(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, NO_LIMIT);
    scene_create_campaign(scene);
    assert_true(scene_write_tick(scene));
    scene->time.machine_ns += 59 * S;
    assert_int_equal(scene_renew(scene), JOURNAL_AS_IT_WAS);
    assert_int_equal(scene_await_renewal_for(scene, 20), JOURNAL_AS_IT_WAS);
    scene->time.machine_ns += 1 * S;
    off_t before = scene_size_of_file(scene);
    assert_int_equal(scene_renew(scene), JOURNAL_AS_IT_WAS);
    assert_true(scene_write_tick(scene));
    assert_true(scene_write_tick(scene));
    assert_true(scene_size_of_file(scene) > before);
    assert_int_equal(scene_await_renewal(scene), JOURNAL_RENEWED);
    assert_int_equal(journal_bytes(scene->journal), scene_size_of_file(scene));
    assert_int_equal(journal_base_count(scene->journal), 1);
    assert_true(scene_write_tick(scene));
    assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
    assert_int_equal(restored.events, 3);
    assert_true(coordinator_has_live_campaign(restored.coordinator));
    assert_int_equal(coordinator_find_key(restored.coordinator, bytes_of_string("drawn")), 5);
    coordinator_free(&restored.coordinator);
}

/* The process dies before the base is in place, with any part of it written. */
static void one_that_dies_on_the_way_leaves_the_old_one(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    char left[100];
    for (int of = 0; of < 2; of++) {
        scene_open_journal(scene, NO_LIMIT);
        scene_create_campaign(scene);
        assert_true(scene_write_tick(scene));
        (void)snprintf(left, sizeof left, "%s/%s", scene->folder, of == 0 ? "journal.base" : "journal.new");
        FILE *file = fopen(left, "wb");
        assert_non_null(file);
        (void)fputs("tutti journal 2\n half of it", file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
        assert_int_equal(restored.events, 2);
        coordinator_free(&restored.coordinator);
        assert_int_equal(access(left, F_OK), -1);
        journal_free(&scene->journal);
        assert_int_equal(unlink(scene->file), 0);
        coordinator_free(&scene->coordinator);
        struct coordinator_settings settings = coordinator_default_settings(77);
        settings.last_campaign = 4;
        scene->coordinator = coordinator_new(&settings);
    }
}

/* Campaigns end while a base is being written: it is not used. */
static void a_base_that_comes_too_late_is_dropped(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    struct coordinator_settings settings = coordinator_default_settings(78);
    scene_open_journal(scene, NO_LIMIT);
    scene_create_campaign(scene);
    scene->time.machine_ns += 60 * S;
    assert_int_equal(scene_renew(scene), JOURNAL_AS_IT_WAS);
    assert_true(scene_write_tick(scene));
    settings.last_campaign = 5;
    assert_true(journal_rest(scene->journal, &settings, &scene->time, &scene->error));
    assert_int_equal(scene_await_renewal_for(scene, 50), JOURNAL_AS_IT_WAS);
    assert_int_equal(journal_base_count(scene->journal), 0);
    assert_int_equal(scene_restore_at(scene, NOW_NS + 10, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 5);
}

/* The journal continues, and another attempt is made ten seconds later. */
static void where_no_base_can_be_made_the_journal_grows(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char base[100];
    (void)snprintf(base, sizeof base, "%s/journal.base", scene->folder);
    scene_open_journal(scene, NO_LIMIT);
    scene_create_campaign(scene);
    assert_int_equal(mkdir(base, 0700), 0);
    assert_true(scene_write_tick(scene));
    scene->time.machine_ns += 60 * S;
    assert_int_equal(scene_renew(scene), JOURNAL_NOT_RENEWED);
    assert_non_null(strstr(scene->error.text, "cannot write a new base of the journal: journal.base"));
    assert_int_equal(scene_renew(scene), JOURNAL_AS_IT_WAS);
    assert_true(scene_write_tick(scene));
    assert_true(journal_is_on(scene->journal));
    assert_int_equal(rmdir(base), 0);
    scene->time.machine_ns += 70 * S;
    assert_int_equal(scene_renew(scene), JOURNAL_AS_IT_WAS);
    assert_int_equal(scene_await_renewal(scene), JOURNAL_RENEWED);
}

/* The kernel refuses a write in the middle of a block. */
static void a_full_disk(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct rlimit before;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    scene_open_journal(scene, NO_LIMIT);
    scene_create_campaign(scene);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {.rlim_cur = journal_bytes(scene->journal) + 7, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bool is_written = scene_write_tick(scene);
    struct error error = scene->error;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_false(is_written);
    scene->error = error;
    scene_check_failed(scene, "cannot be written to");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(more_than_it_may_have_even_with_a_new_base, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_full_is_renewed_at_once, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_new_base_is_written_beside, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(one_that_dies_on_the_way_leaves_the_old_one, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_base_that_comes_too_late_is_dropped, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(where_no_base_can_be_made_the_journal_grows, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk, scene_set_up, scene_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
