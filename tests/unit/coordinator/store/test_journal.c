/* The journal as a file: what a process leaves is what the next one finds, and a journal that cannot be
 * continued is reported and removed. */
#include "coordinator/store/journal.h"

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

#define NOW_NS 5000000000u
#define WALL_NS 1700000000000000000u
#define S 1000000000ull
#define NO_LIMIT UINT64_MAX

struct scene {
    char folder[64];
    char file[80];
    struct journal *journal;
    struct coordinator *coordinator;
    struct coordinator_effects effects;
    struct journal_time time;
    struct error warning;
    struct error error;
};

static void open_journal(struct scene *scene, uint64_t max_bytes)
{
    scene->journal = journal_open(scene->folder, max_bytes, NULL, &scene->warning, &scene->error);
    assert_non_null(scene->journal);
}

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.folder = "/tmp/tutti-journal-XXXXXX",
                           .time = {.machine_ns = NOW_NS, .wall_ns = WALL_NS}};
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
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
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
    const struct journal_time time = {.machine_ns = now_ns, .wall_ns = WALL_NS};
    return journal_restore(scene->journal, &time, restored, &scene->error);
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
        assert_int_equal(restored.cut_bytes, 0);
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
    assert_int_equal(restored.cut_bytes, after.st_size - 1 - before.st_size);
    coordinator_free(&restored.coordinator);
    assert_int_equal(restored.events, 1);
    assert_int_equal(stat(scene->file, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    /* New blocks follow the last complete one. */
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
    assert_true(journal_rest(scene->journal, &settings, &scene->time, &scene->error));
    assert_false(journal_is_on(scene->journal));
    assert_int_equal(journal_bytes(scene->journal), 0);
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 5);
}

static void a_second_process_is_kept_out(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_journal(scene, NO_LIMIT);
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
    open_journal(scene, NO_LIMIT);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    assert_true(write_tick(scene));
    off_t first = size_of_file(scene);
    assert_int_equal(journal_bytes(scene->journal), first);
    assert_int_equal(journal_written_bytes(scene->journal), first);
    assert_int_equal(journal_write_count(scene->journal), 2);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    off_t second = size_of_file(scene);
    assert_int_equal(journal_bytes(scene->journal), second);
    assert_int_equal(journal_written_bytes(scene->journal), first + second);
    assert_int_equal(journal_write_count(scene->journal), 3);
}

/* The journal's folder has nothing else in it afterwards, which tear_down checks. */
static void as_much_as_it_may_have_and_no_more(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_journal(scene, NO_LIMIT);
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    uint64_t size = journal_bytes(scene->journal);
    for (int less = 0; less < 2; less++) {
        journal_free(&scene->journal);
        open_journal(scene, size - (uint64_t)less);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error),
                             less == 0);
            assert_int_equal(journal_bytes(scene->journal), less == 0 ? size : 0);
        }
    }
    assert_non_null(strstr(scene->error.text, "--journal-max"));
    assert_false(is_there(scene));
}

/* The file in its place cannot be removed. */
static void fail_with_a_stale_one(struct scene *scene)
{
    assert_int_equal(mkdir(scene->file, 0700), 0);
    open_journal(scene, NO_LIMIT);
    assert_false(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
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
    assert_true(journal_rest(scene->journal, &settings, &scene->time, &scene->error));
    assert_true(write_tick(scene));
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 5);
}

static void check_failed(struct scene *scene, const char *words)
{
    assert_non_null(strstr(scene->error.text, words));
    assert_false(journal_is_on(scene->journal));
    assert_false(is_there(scene));
    assert_true(write_tick(scene)); /* logged once */
}

static enum journal_renewal renew(struct scene *scene)
{
    return journal_renew(scene->journal, scene->coordinator, &scene->time, &scene->error);
}

static enum journal_renewal await_renewal_for(struct scene *scene, int times)
{
    enum journal_renewal renewal = JOURNAL_AS_IT_WAS;
    for (int i = 0; i < times && renewal == JOURNAL_AS_IT_WAS; i++) {
        (void)usleep(1000);
        renewal = renew(scene);
    }
    return renewal;
}

/* Until it is written in the background. */
static enum journal_renewal await_renewal(struct scene *scene)
{
    return await_renewal_for(scene, 10000);
}

static void more_than_it_may_have_even_with_a_new_base(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_journal(scene, 300);
    create_campaign(scene);
    enum journal_renewal renewal = JOURNAL_AS_IT_WAS;
    while (renewal == JOURNAL_AS_IT_WAS) {
        assert_true(write_tick(scene));
        renewal = renew(scene);
    }
    assert_int_equal(renewal, JOURNAL_FAILED);
    check_failed(scene, "--journal-max");
    assert_int_equal(renew(scene), JOURNAL_AS_IT_WAS);
}

/* A guard, not an end. */
static void one_that_is_full_is_renewed_at_once(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, 4000);
    create_campaign(scene);
    for (int i = 0; i < 3000; i++) {
        assert_true(write_tick(scene));
        enum journal_renewal renewal = renew(scene);
        assert_true(renewal == JOURNAL_AS_IT_WAS || renewal == JOURNAL_RENEWED);
        assert_true(journal_bytes(scene->journal) <= 4000);
    }
    assert_true(journal_base_count(scene->journal) > 10);
    assert_true(journal_written_bytes(scene->journal) > 60000);
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
    assert_true(restored.events < 300);
    coordinator_free(&restored.coordinator);
}

/* What is written while the new base is being written is in the old file and in the new one. */
static void a_new_base_is_written_beside(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    assert_true(write_tick(scene));
    scene->time.machine_ns += 59 * S;
    assert_int_equal(renew(scene), JOURNAL_AS_IT_WAS);
    assert_int_equal(await_renewal_for(scene, 20), JOURNAL_AS_IT_WAS);
    scene->time.machine_ns += 1 * S;
    off_t before = size_of_file(scene);
    assert_int_equal(renew(scene), JOURNAL_AS_IT_WAS);
    assert_true(write_tick(scene));
    assert_true(write_tick(scene));
    assert_true(size_of_file(scene) > before);
    assert_int_equal(await_renewal(scene), JOURNAL_RENEWED);
    assert_int_equal(journal_bytes(scene->journal), size_of_file(scene));
    assert_int_equal(journal_base_count(scene->journal), 1);
    assert_true(write_tick(scene));
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
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
        open_journal(scene, NO_LIMIT);
        create_campaign(scene);
        assert_true(write_tick(scene));
        (void)snprintf(left, sizeof left, "%s/%s", scene->folder, of == 0 ? "journal.base" : "journal.new");
        FILE *file = fopen(left, "wb");
        assert_non_null(file);
        (void)fputs("tutti journal 2\n half of it", file);
        assert_int_equal(fclose(file), 0);
        assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_ALIVE);
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
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    scene->time.machine_ns += 60 * S;
    assert_int_equal(renew(scene), JOURNAL_AS_IT_WAS);
    assert_true(write_tick(scene));
    settings.last_campaign = 5;
    assert_true(journal_rest(scene->journal, &settings, &scene->time, &scene->error));
    assert_int_equal(await_renewal_for(scene, 50), JOURNAL_AS_IT_WAS);
    assert_int_equal(journal_base_count(scene->journal), 0);
    assert_int_equal(restore_at(scene, NOW_NS + 10, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 5);
}

/* The journal continues, and another attempt is made ten seconds later. */
static void where_no_base_can_be_made_the_journal_grows(void **state)
{
    struct scene *scene = (struct scene *)*state;
    char base[100];
    (void)snprintf(base, sizeof base, "%s/journal.base", scene->folder);
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    assert_int_equal(mkdir(base, 0700), 0);
    assert_true(write_tick(scene));
    scene->time.machine_ns += 60 * S;
    assert_int_equal(renew(scene), JOURNAL_NOT_RENEWED);
    assert_non_null(strstr(scene->error.text, "cannot write a new base of the journal: journal.base"));
    assert_int_equal(renew(scene), JOURNAL_AS_IT_WAS);
    assert_true(write_tick(scene));
    assert_true(journal_is_on(scene->journal));
    assert_int_equal(rmdir(base), 0);
    scene->time.machine_ns += 70 * S;
    assert_int_equal(renew(scene), JOURNAL_AS_IT_WAS);
    assert_int_equal(await_renewal(scene), JOURNAL_RENEWED);
}

/* The kernel refuses a write in the middle of a block. */
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
    open_journal(scene, NO_LIMIT);
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
    open_journal(scene, NO_LIMIT);
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
    open_journal(scene, NO_LIMIT);
    create_campaign(scene);
    assert_int_equal(restore_at(scene, NOW_NS + 7, &restored), JOURNAL_ALIVE);
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
    open_journal(scene, NO_LIMIT);
    leave_file(scene, TUTTI_VERSION, "another", 1);
    assert_true(time_of_next(scene, 40 * S, 30, true) == NOW_NS + 30 * S);
    scene->time = (struct journal_time){.machine_ns = 50 * S, .wall_ns = WALL_NS + 40 * S};
    assert_true(journal_begin(scene->journal, scene->coordinator, &scene->time, &scene->error));
    assert_true(write_tick(scene));
    assert_int_equal(restore_at(scene, 51 * S, &restored), JOURNAL_ALIVE);
    assert_false(restored.is_of_other_machine);
    assert_true(51 * S + journal_offset_ns(scene->journal) == NOW_NS + 41 * S);
    coordinator_free(&restored.coordinator);
}

static void another_build_of_the_same_format_goes_on(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, NO_LIMIT);
    leave_file(scene, "another build", "another", 1);
    assert_int_equal(restore_at(scene, NOW_NS + 1, &restored), JOURNAL_ALIVE);
    coordinator_free(&restored.coordinator);
    /* A journal at rest leaves nothing to continue. */
    leave_file(scene, "another build", "another", 0);
    assert_int_equal(restore_at(scene, NOW_NS + 1, &restored), JOURNAL_NOTHING);
    assert_int_equal(restored.last_campaign, 4);
}

static void another_format_cannot_be_gone_on_from(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct journal_restored restored;
    open_journal(scene, NO_LIMIT);
    leave_text(scene, "tutti journal 4\n of days to come");
    assert_int_equal(restore_at(scene, NOW_NS + 1, &restored), JOURNAL_LOST);
    assert_non_null(strstr(scene->error.text, "it has format 4, and this build of tutti reads format 3"));
}

static void expect_no_regular_file(struct scene *scene)
{
    struct journal_restored restored;
    (void)alarm(20);
    assert_int_equal(restore_at(scene, NOW_NS, &restored), JOURNAL_LOST);
    (void)alarm(0);
    assert_non_null(strstr(scene->error.text, "/journal is not a regular file"));
}

/* It neither waits for the other end of a pipe nor follows a link. */
static void what_is_no_file_is_not_read(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_journal(scene, NO_LIMIT);
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
    open_journal(scene, NO_LIMIT);
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(link, sizeof link, "%s/%s", scene->folder, NAMES[i]);
        assert_int_equal(symlink(victim, link), 0);
    }
    create_campaign(scene);
    assert_true(write_tick(scene));
    scene->time.machine_ns += 60 * S;
    assert_int_equal(renew(scene), JOURNAL_AS_IT_WAS);
    assert_int_equal(await_renewal(scene), JOURNAL_RENEWED);
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
    open_journal(scene, NO_LIMIT);
    assert_non_null(strstr(scene->warning.text, "is open to others (mode 0755)"));
    journal_free(&scene->journal);
    assert_int_equal(chmod(scene->folder, 0700), 0);
    open_journal(scene, NO_LIMIT);
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
    open_journal(scene, NO_LIMIT);
    leave_text(scene, "this is no journal at all");
    assert_int_equal(restore_at(scene, NOW_NS, &restored), JOURNAL_LOST);
    assert_non_null(strstr(scene->error.text, "it is not a journal"));
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
        cmocka_unit_test_setup_teardown(more_than_it_may_have_even_with_a_new_base, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_is_full_is_renewed_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_base_is_written_beside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_dies_on_the_way_leaves_the_old_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_base_that_comes_too_late_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(where_no_base_can_be_made_the_journal_grows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_goes_on_on_another_machine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_goes_on_by_the_clock_of_the_machine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_goes_on_over_many_lives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_build_of_the_same_format_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_format_cannot_be_gone_on_from, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_not_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_link_is_written_through, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_others_may_write_to_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_of_another_user_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_journal, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
