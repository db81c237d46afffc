/* Journals and folders as others have left them: another machine, build or format, links, pipes, owners. */
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

/* A file as another build, or another machine, would have left it: begun at NOW_NS of the coordinator, with a
 * tick two seconds later. */
static void leave_file(const struct scene *scene, const char *build, const char *machine, unsigned events)
{
    struct event_log_writer writer;
    SCOPED(buffer_finish) struct buffer base;
    buffer_init(&base, 100000);
    event_log_writer_init(&writer);
    const struct event_log_head head = {.build = bytes_of_string(build),
                                        .clock = {.now_ns = NOW_NS,
                                                  .machine_ns = 1000 * S,
                                                  .wall_ns = WALL_NS,
                                                  .machine = bytes_of_string(machine)}};
    event_log_begin_base(&writer, &head, &base);
    coordinator_pack(scene->coordinator, &base);
    assert_true(event_log_seal_base(&base));
    FILE *file = fopen(scene->file, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(base.data, 1, base.size, file), base.size);
    for (unsigned i = 0; i < events; i++) {
        event_log_note(&writer, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = NOW_NS + 2 * S});
    }
    struct bytes block = event_log_seal(&writer);
    assert_int_equal(block.size > 0, events > 0);
    if (events > 0) {
        assert_int_equal(fwrite(block.data, 1, block.size, file), block.size);
    }
    assert_int_equal(fclose(file), 0);
    event_log_writer_finish(&writer);
}

/* The coordinator's time at this time of the machine, and of the wall clock in seconds since the journal was
 * begun. */
static uint64_t time_of_next(struct scene *scene, uint64_t machine_ns, int64_t calendar_s,
                             bool is_of_other_machine)
{
    struct journal_restored restored;
    const struct journal_time time = {.machine_ns = machine_ns,
                                      .wall_ns = WALL_NS + (uint64_t)calendar_s * S};
    journal_free(&scene->journal);
    scene_open_journal(scene, NO_LIMIT);
    assert_int_equal(journal_restore(scene->journal, &time, &restored, &scene->error), JOURNAL_ALIVE);
    assert_int_equal(restored.is_of_other_machine, is_of_other_machine);
    coordinator_free(&restored.coordinator);
    return machine_ns + journal_offset_ns(scene->journal);
}

/* Whatever the clock of the machine shows, the coordinator's time continues by the wall clock, and never goes
 * back. */
static void time_goes_on_on_another_machine(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene_open_journal(scene, NO_LIMIT);
    leave_file(scene, TUTTI_VERSION, "another", 1);
    const uint64_t clocks[] = {0, 1, 7 * S, 1002 * S, 1000000 * S, UINT64_MAX};
    for (size_t i = 0; i < sizeof clocks / sizeof clocks[0]; i++) {
        assert_true(time_of_next(scene, clocks[i], 30, true) == NOW_NS + 30 * S);
        assert_true(time_of_next(scene, clocks[i], 1, true) == NOW_NS + 2 * S);
        assert_true(time_of_next(scene, clocks[i], -400000000, true) == NOW_NS + 2 * S);
    }
}

/* On the same machine the wall clock does not matter. */
static void time_goes_on_by_the_clock_of_the_machine(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, NO_LIMIT);
    scene_create_campaign(scene);
    assert_int_equal(scene_restore_at(scene, NOW_NS + 7, &restored), JOURNAL_ALIVE);
    assert_false(restored.is_of_other_machine);
    assert_int_equal(journal_offset_ns(scene->journal), 0);
    coordinator_free(&restored.coordinator);
    assert_true(time_of_next(scene, NOW_NS + 5 * S, 400000000, false) == NOW_NS + 5 * S);
    /* A clock that has gone back is a different one. */
    assert_true(time_of_next(scene, NOW_NS - 1, 3, true) == NOW_NS + 3 * S);
}

/* Offsets add up from process to process. */
static void time_goes_on_over_many_lives(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, NO_LIMIT);
    leave_file(scene, TUTTI_VERSION, "another", 1);
    assert_true(time_of_next(scene, 40 * S, 30, true) == NOW_NS + 30 * S);
    scene->time = (struct journal_time){.machine_ns = 50 * S, .wall_ns = WALL_NS + 40 * S};
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    assert_true(scene_write_tick(scene));
    assert_int_equal(scene_restore_at(scene, 51 * S, &restored), JOURNAL_ALIVE);
    assert_false(restored.is_of_other_machine);
    assert_true(51 * S + journal_offset_ns(scene->journal) == NOW_NS + 41 * S);
    coordinator_free(&restored.coordinator);
}

static void another_build_of_the_same_format_goes_on(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, NO_LIMIT);
    leave_file(scene, "another build", "another", 1);
    assert_int_equal(scene_restore_at(scene, NOW_NS + 1, &restored), JOURNAL_ALIVE);
    coordinator_free(&restored.coordinator);
    /* A journal at rest leaves nothing to continue. */
    leave_file(scene, "another build", "another", 0);
    assert_int_equal(scene_restore_at(scene, NOW_NS + 1, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 4);
}

static void another_format_cannot_be_gone_on_from(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, NO_LIMIT);
    scene_leave_text(scene, "tutti journal 4\n of days to come");
    assert_int_equal(scene_restore_at(scene, NOW_NS + 1, &restored), JOURNAL_LOST);
    assert_non_null(strstr(scene->error.text, "it has format 4, and this build of tutti reads format 3"));
}

static void expect_no_regular_file(struct scene *scene)
{
    struct journal_restored restored;
    (void)alarm(20);
    assert_int_equal(scene_restore_at(scene, NOW_NS, &restored), JOURNAL_LOST);
    (void)alarm(0);
    assert_non_null(strstr(scene->error.text, "/journal is not a regular file"));
}

/* It neither waits for the other end of a pipe nor follows a link. */
static void what_is_no_file_is_not_read(void **state)
{
    struct scene *scene = (struct scene *)*state;
    scene_open_journal(scene, NO_LIMIT);
    assert_int_equal(mkfifo(scene->file, 0600), 0);
    expect_no_regular_file(scene);
    assert_int_equal(unlink(scene->file), 0);
    assert_int_equal(symlink("/etc/passwd", scene->file), 0);
    expect_no_regular_file(scene);
    assert_int_equal(unlink(scene->file), 0);
    assert_int_equal(mkdir(scene->file, 0700), 0);
    expect_no_regular_file(scene);
    assert_int_equal(rmdir(scene->file), 0);
}

/* Links under the names of new files are removed, and their targets are unchanged. */
static void no_link_is_written_through(void **state)
{
    struct scene *scene = (struct scene *)*state;
    static const char *const NAMES[] = {"journal.new", "journal.base"};
    char victim[100];
    char link[100];
    struct stat status;
    (void)snprintf(victim, sizeof victim, "%s/victim", scene->folder);
    FILE *file = fopen(victim, "wb");
    assert_non_null(file);
    (void)fputs("mine", file);
    assert_int_equal(fclose(file), 0);
    scene_open_journal(scene, NO_LIMIT);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(link, sizeof link, "%s/%s", scene->folder, NAMES[i]);
        assert_int_equal(symlink(victim, link), 0);
    }
    scene_create_campaign(scene);
    assert_true(scene_write_tick(scene));
    scene->time.machine_ns += 60 * S;
    assert_int_equal(scene_renew(scene), JOURNAL_AS_IT_WAS);
    assert_int_equal(scene_await_renewal(scene), JOURNAL_RENEWED);
    assert_int_equal(stat(victim, &status), 0);
    assert_int_equal(status.st_size, 4);
    assert_int_equal(lstat(scene->file, &status), 0);
    assert_true(S_ISREG(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(unlink(victim), 0);
}

static void a_folder_that_others_may_write_to_is_refused(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_int_equal(chmod(scene->folder, 0777), 0);
    assert_null(journal_open(scene->folder, NO_LIMIT, NULL, &scene->warning, &scene->error));
    assert_non_null(strstr(scene->error.text, "is writable by everybody"));
    assert_int_equal(chmod(scene->folder, 01777), 0);
    assert_null(journal_open(scene->folder, NO_LIMIT, NULL, &scene->warning, &scene->error));
    assert_int_equal(chmod(scene->folder, 0755), 0);
    scene_open_journal(scene, NO_LIMIT);
    assert_non_null(strstr(scene->warning.text, "is open to others (mode 0755)"));
    journal_free(&scene->journal);
    assert_int_equal(chmod(scene->folder, 0700), 0);
    scene_open_journal(scene, NO_LIMIT);
    assert_string_equal(scene->warning.text, "");
}

/* Only root can give a folder away. */
static void a_folder_of_another_user_is_refused(void **state)
{
    struct scene *scene = (struct scene *)*state;
    if (geteuid() != 0) {
        skip();
    }
    assert_int_equal(chown(scene->folder, 65534, 65534), 0);
    assert_null(journal_open(scene->folder, NO_LIMIT, NULL, &scene->warning, &scene->error));
    assert_non_null(strstr(scene->error.text, "belongs to another user (uid 65534)"));
    assert_int_equal(chown(scene->folder, 0, 0), 0);
}

static void what_is_no_journal(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    scene_open_journal(scene, NO_LIMIT);
    scene_leave_text(scene, "this is no journal at all");
    assert_int_equal(scene_restore_at(scene, NOW_NS, &restored), JOURNAL_LOST);
    assert_non_null(strstr(scene->error.text, "it is not a journal"));
    scene_leave_text(scene, ""); /* as one that has failed leaves it where it cannot be taken away */
    assert_int_equal(scene_restore_at(scene, NOW_NS, &restored), JOURNAL_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(time_goes_on_on_another_machine, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(time_goes_on_by_the_clock_of_the_machine, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(time_goes_on_over_many_lives, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(another_build_of_the_same_format_goes_on, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(another_format_cannot_be_gone_on_from, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_not_read, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(no_link_is_written_through, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_others_may_write_to_is_refused, scene_set_up,
                                        scene_tear_down),
        cmocka_unit_test_setup_teardown(a_folder_of_another_user_is_refused, scene_set_up, scene_tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_journal, scene_set_up, scene_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
