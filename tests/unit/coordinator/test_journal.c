/* The journal as a file: what a process leaves is what the next one finds, and what cannot be gone on with is
 * said and taken away. */
#include "coordinator/journal.h"

#include "common/memory.h"
#include "coordinator/journal_identity.h"

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

#define NOW_NS 5000000000u
#define NO_LIMIT UINT64_MAX

struct scene {
    char folder[64];
    char file[80];
    struct journal *journal;
    struct coordinator *coordinator;
    struct coordinator_effects effects;
    struct error error;
};

static void open_journal(struct scene *scene, uint64_t max_bytes)
{
    scene->journal = journal_open(scene->folder, max_bytes, &scene->error);
    assert_non_null(scene->journal);
}

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.folder = "/tmp/tutti-journal-XXXXXX"};
    assert_non_null(mkdtemp(scene.folder));
    (void)snprintf(scene.file, sizeof scene.file, "%s/journal", scene.folder);
    struct coordinator_settings settings = coordinator_default_settings(77);
    settings.last_campaign = 4;
    scene.coordinator = coordinator_new(&settings);
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = (struct scene *)*state;
    journal_free(&scene->journal);
    coordinator_free(&scene->coordinator);
    coordinator_effects_finish(&scene->effects);
    (void)unlink(scene->file);
    assert_int_equal(rmdir(scene->folder), 0); /* nothing else stays */
    return 0;
}

static void happen(struct scene *scene, const struct coordinator_event *event)
{
    journal_note(scene->journal, event);
    coordinator_step(scene->coordinator, event, &scene->effects);
}

static void create_campaign(struct scene *scene)
{
    struct bundle_file file = {.path = bytes_of_string("pad.lua"), .content = bytes_of_string("-- script")};
    struct coordinator_event event = {
        .kind = EVENT_CREATE,
        .now_ns = NOW_NS,
        .create = {.options = {.workers = 2, .sync_timeout_ms = 60000},
                   .bundle = {.files = &file,
                              .file_count = 1,
                              .hash = bytes_of_string("e3b0c44298fc1c149afbf4c8996fb924"
                                                      "27ae41e4649b934ca495991b7852b855")},
                   .script = bytes_of_string("pad.lua"),
                   .key = bytes_of_string("drawn"),
                   .agents = 1,
                   .deadline_ms = 60000}};
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->error));
    happen(scene, &event);
    assert_true(journal_write(scene->journal, &scene->error));
}

static bool write_tick(struct scene *scene)
{
    happen(scene, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = NOW_NS + 1});
    return journal_write(scene->journal, &scene->error);
}

static enum journal_found restore_at(struct scene *scene, uint64_t now_ns, struct journal_restored *restored)
{
    journal_free(&scene->journal);
    open_journal(scene, NO_LIMIT);
    return journal_restore(scene->journal, now_ns, restored, &scene->error);
}

static bool is_there(const struct scene *scene)
{
    struct stat status;
    return stat(scene->file, &status) == 0;
}

static off_t size_of_file(const struct scene *scene)
{
    struct stat status;
    assert_int_equal(stat(scene->file, &status), 0);
    return status.st_size;
}

static void leave_text(const struct scene *scene, const char *text)
{
    FILE *file = fopen(scene->file, "wb");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void there_is_nothing_at_first(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, NO_LIMIT);
    assert_int_equal(restore_at(scene, NOW_NS, &restored), JOURNAL_NOTHING);
    assert_false(journal_is_on(scene->journal));
    assert_int_equal(restored.last_campaign, 0);
}

static void a_campaign_is_found_again_and_goes_on(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    for (uint64_t life = 1; life <= 3; life++) {
        assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
        assert_int_equal(restored.events, life);
        assert_int_equal(restored.bytes, size_of_file(scene));
        assert_false(restored.was_torn);
        assert_true(journal_is_on(scene->journal));
        coordinator_free(&scene->coordinator);
        scene->coordinator = restored.coordinator;
        assert_int_equal(coordinator_find_key(scene->coordinator, bytes_of_string("drawn")), 5);
        assert_true(coordinator_has_live_campaign(scene->coordinator));
        assert_true(write_tick(scene));
    }
}

static void a_torn_end_is_cut_off(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    struct stat before;
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    assert_int_equal(stat(scene->file, &before), 0);
    assert_true(write_tick(scene));
    struct stat after;
    assert_int_equal(stat(scene->file, &after), 0);
    assert_int_equal(truncate(scene->file, after.st_size - 1), 0);
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
    coordinator_free(&restored.coordinator);
    assert_true(restored.was_torn);
    assert_int_equal(restored.events, 1);
    assert_int_equal(stat(scene->file, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    /* What follows stands behind what is whole. */
    assert_true(write_tick(scene));
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
    assert_int_equal(restored.events, 2);
    coordinator_free(&restored.coordinator);
}

static void who_rests_leaves_only_the_last_id(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    struct coordinator_settings settings = coordinator_default_settings(78);
    settings.last_campaign = 5;
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    assert_true(journal_rest(scene->journal, &settings, &scene->error));
    assert_false(journal_is_on(scene->journal));
    assert_int_equal(journal_bytes(scene->journal), 0);
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 5);
}

static void a_second_process_is_kept_out(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_journal(scene, NO_LIMIT);
    assert_null(journal_open(scene->folder, NO_LIMIT, &scene->error));
    assert_non_null(strstr(scene->error.text, "in use by another coordinator"));
}

static void a_folder_that_cannot_be(void **state)
{
    struct scene *scene = (struct scene *)*state;
    assert_null(journal_open("/proc/tutti", NO_LIMIT, &scene->error));
    assert_non_null(strstr(scene->error.text, "/proc/tutti"));
    assert_null(journal_open("/dev/null", NO_LIMIT, &scene->error));
}

static void each_beginning_counts_anew(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_journal(scene, NO_LIMIT);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->error));
    assert_true(write_tick(scene));
    off_t first = size_of_file(scene);
    assert_int_equal(journal_bytes(scene->journal), first);
    assert_int_equal(journal_written_bytes(scene->journal), first);
    assert_int_equal(journal_write_count(scene->journal), 2);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->error));
    off_t second = size_of_file(scene);
    assert_int_equal(journal_bytes(scene->journal), second);
    assert_int_equal(journal_written_bytes(scene->journal), first + second);
    assert_int_equal(journal_write_count(scene->journal), 3);
}

/* The journal's folder has nothing else afterwards, as tear_down sees. */
static void as_much_as_it_may_have_and_no_more(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_journal(scene, NO_LIMIT);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->error));
    uint64_t size = journal_bytes(scene->journal);
    for (int less = 0; less < 2; less++) {
        journal_free(&scene->journal);
        open_journal(scene, size - (uint64_t)less);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(journal_begin(scene->journal, scene->coordinator, &scene->error), less == 0);
            assert_int_equal(journal_bytes(scene->journal), less == 0 ? size : 0);
        }
    }
    assert_non_null(strstr(scene->error.text, "--journal-max"));
    assert_false(is_there(scene));
}

/* What stands in its place cannot be taken away. */
static void fail_with_a_stale_one(struct scene *scene)
{
    assert_int_equal(mkdir(scene->file, 0700), 0);
    open_journal(scene, NO_LIMIT);
    assert_false(journal_begin(scene->journal, scene->coordinator, &scene->error));
    assert_int_equal(rmdir(scene->file), 0);
}

static void what_is_stale_is_taken_away_when_it_can_be(void **state)
{
    struct scene *scene = (struct scene *)*state;
    fail_with_a_stale_one(scene);
    leave_text(scene, "of another life");
    assert_true(write_tick(scene));
    assert_false(is_there(scene));
    leave_text(scene, "of somebody else");
    assert_true(write_tick(scene));
    assert_true(is_there(scene));
}

static void what_was_begun_since_is_not_stale(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    struct coordinator_settings settings = coordinator_default_settings(78);
    settings.last_campaign = 5;
    fail_with_a_stale_one(scene);
    create_campaign(scene);
    assert_true(journal_rest(scene->journal, &settings, &scene->error));
    assert_true(write_tick(scene));
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 5);
}

static void check_failed(struct scene *scene, const char *words)
{
    assert_non_null(strstr(scene->error.text, words));
    assert_false(journal_is_on(scene->journal));
    assert_false(is_there(scene));
    assert_true(write_tick(scene)); /* said once */
}

static void more_than_it_may_have(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_journal(scene, 1000);
    create_campaign(scene);
    while (write_tick(scene)) {
    }
    check_failed(scene, "--journal-max");
}

/* What the kernel refuses in the middle of a block. */
static void a_full_disk(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct rlimit before;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {.rlim_cur = journal_bytes(scene->journal) + 7, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    bool is_written = write_tick(scene);
    struct error error = scene->error;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
    assert_false(is_written);
    scene->error = error;
    check_failed(scene, "cannot be written to");
}

/* A file as another program, or another life of the machine, would have left it. */
static void leave_file(const struct scene *scene, const char *build, const char *boot, unsigned events)
{
    struct ledger_writer writer;
    SCOPED(buffer_finish) struct buffer base;
    buffer_init(&base, 100000);
    coordinator_pack(scene->coordinator, &base);
    ledger_writer_init(&writer);
    struct ledger_head head = {
        .build = bytes_of_string(build), .boot = bytes_of_string(boot), .base = buffer_bytes(&base)};
    FILE *file = fopen(scene->file, "wb");
    assert_non_null(file);
    struct bytes block = ledger_begin(&writer, &head);
    assert_int_equal(fwrite(block.data, 1, block.size, file), block.size);
    for (unsigned i = 0; i < events; i++) {
        ledger_note(&writer, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = NOW_NS});
    }
    block = ledger_seal(&writer);
    assert_int_equal(block.size > 0, events > 0);
    if (events > 0) {
        assert_int_equal(fwrite(block.data, 1, block.size, file), block.size);
    }
    assert_int_equal(fclose(file), 0);
    ledger_writer_finish(&writer);
}

static void another_build_or_boot_cannot_be_gone_on_with(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, NO_LIMIT);
    leave_file(scene, "another", "boot", 1);
    assert_int_equal(restore_at(scene, NOW_NS + 1, &restored), JOURNAL_LOST);
    assert_non_null(strstr(scene->error.text, "another build"));
    leave_file(scene, journal_identity, "boot", 1);
    assert_int_equal(restore_at(scene, NOW_NS + 1, &restored), JOURNAL_LOST);
    assert_non_null(strstr(scene->error.text, "started again"));
    assert_int_equal(restored.last_campaign, 4);
    /* Of one that has rested, nothing is lost. */
    leave_file(scene, journal_identity, "boot", 0);
    assert_int_equal(restore_at(scene, NOW_NS + 1, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 4);
}

static void a_clock_that_goes_back_is_another_boot(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    assert_int_equal(restore_at(scene, NOW_NS, &restored), JOURNAL_ALIVE);
    coordinator_free(&restored.coordinator);
    assert_int_equal(restore_at(scene, NOW_NS - 1, &restored), JOURNAL_LOST);
    assert_non_null(strstr(scene->error.text, "started again"));
}

static void what_is_no_journal(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, NO_LIMIT);
    leave_text(scene, "this is no journal at all");
    assert_int_equal(restore_at(scene, NOW_NS, &restored), JOURNAL_LOST);
    assert_non_null(strstr(scene->error.text, "no journal"));
    leave_text(scene, ""); /* as one that has failed leaves it where it cannot be taken away */
    assert_int_equal(restore_at(scene, NOW_NS, &restored), JOURNAL_NOTHING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(there_is_nothing_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_campaign_is_found_again_and_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_torn_end_is_cut_off, set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_rests_leaves_only_the_last_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_second_process_is_kept_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_beginning_counts_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_much_as_it_may_have_and_no_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_stale_is_taken_away_when_it_can_be, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_begun_since_is_not_stale, set_up, tear_down),
        cmocka_unit_test_setup_teardown(more_than_it_may_have, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_build_or_boot_cannot_be_gone_on_with, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clock_that_goes_back_is_another_boot, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_journal, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
