/* When a journal is written, and what happens to campaigns when it cannot be. */
#include "coordinator/store/recovery.h"

#include "tests/unit/coordinator/store/creation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_NS 5000000000u
#define ENOUGH 1000000u

struct scene {
    char folder[64];
    char file[80];
    char bundles[80];
    struct coordinator_settings coordinator_settings;
    struct recovery *recovery;
    struct coordinator *coordinator;
    struct coordinator_effects effects;
    char log[2000]; /* a line a word */
};

static void on_log(void *context, enum log_level level, const char *text)
{
    struct scene *scene = (struct scene *)context;
    size_t size = strlen(scene->log);
    (void)snprintf(scene->log + size, sizeof scene->log - size, "%s%s\n", level == LOG_ERROR ? "error: " : "",
                   text);
}

static void expect_log(struct scene *scene, const char *words)
{
    if (strstr(scene->log, words) == NULL || (words[0] == '\0' && scene->log[0] != '\0')) {
        fail_msg("expected %s, but: %s", words, scene->log);
    }
    scene->log[0] = '\0';
}

static void open_recovery(struct scene *scene, enum recovery_policy policy, uint64_t max_bytes)
{
    struct error error;
    const struct recovery_settings settings = {.folder = scene->folder,
                                               .max_bytes = max_bytes,
                                               .policy = policy,
                                               .on_log = on_log,
                                               .context = scene};
    recovery_free(&scene->recovery);
    scene->recovery = recovery_open(&settings, &error);
    assert_non_null(scene->recovery);
}

static int set_up(void **state)
{
    static struct scene scene;
    scene = (struct scene){.folder = "/tmp/tutti-survival-XXXXXX"};
    assert_non_null(mkdtemp(scene.folder));
    (void)snprintf(scene.file, sizeof scene.file, "%s/journal", scene.folder);
    (void)snprintf(scene.bundles, sizeof scene.bundles, "%s/bundles", scene.folder);
    scene.coordinator_settings = coordinator_default_settings(77);
    scene.coordinator_settings.last_campaign = 4;
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = (struct scene *)*state;
    recovery_free(&scene->recovery);
    coordinator_free(&scene->coordinator);
    coordinator_effects_finish(&scene->effects);
    (void)unlink(scene->file);
    assert_int_equal(rmdir(scene->bundles), 0); /* none is left */
    assert_int_equal(rmdir(scene->folder), 0);
    return 0;
}

static bool restore(struct scene *scene)
{
    bool is_restored = false;
    coordinator_free(&scene->coordinator);
    scene->coordinator = recovery_restore(scene->recovery, &scene->coordinator_settings, &is_restored);
    assert_non_null(scene->coordinator);
    return is_restored;
}

static void happen(struct scene *scene, const struct coordinator_event *event)
{
    recovery_note(scene->recovery, event);
    coordinator_step(scene->coordinator, event, &scene->effects);
}

static void create(struct scene *scene)
{
    struct coordinator_event event = creation_event(NOW_NS);
    happen(scene, &event);
    assert_true(coordinator_has_live_campaign(scene->coordinator));
}

static void stop(struct scene *scene)
{
    happen(scene,
           &(struct coordinator_event){.kind = EVENT_STOP,
                                       .now_ns = NOW_NS + 1,
                                       .stop = {.campaign = coordinator_last_campaign(scene->coordinator),
                                                .text = bytes_of_string("enough")}});
    happen(scene, &(struct coordinator_event){.kind = EVENT_TURN_END, .now_ns = NOW_NS + 1});
    assert_false(coordinator_has_live_campaign(scene->coordinator));
}

static bool rest(struct scene *scene)
{
    return recovery_rest(scene->recovery, scene->coordinator, &scene->coordinator_settings);
}

static void a_journal_is_kept_while_there_is_a_campaign(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_recovery(scene, RECOVERY_STOP, ENOUGH);
    assert_false(restore(scene));
    assert_null(recovery_lost_reason(scene->recovery));
    assert_int_equal(recovery_state(scene->recovery).bytes, 0);
    assert_true(recovery_allows_campaign(scene->recovery, scene->coordinator, NULL));
    create(scene);
    assert_true(recovery_write(scene->recovery));
    assert_true(rest(scene));
    assert_true(recovery_allows_campaign(scene->recovery, scene->coordinator, NULL)); /* one beside it */
    open_recovery(scene, RECOVERY_STOP, ENOUGH);
    assert_true(restore(scene));
    expect_log(scene, "continued from the journal: 1 events");
    assert_int_equal(coordinator_last_campaign(scene->coordinator), 5);
    stop(scene);
    assert_true(recovery_write(scene->recovery));
    assert_true(recovery_state(scene->recovery).bytes > 0);
    assert_true(rest(scene));
    assert_int_equal(recovery_state(scene->recovery).bytes, 0);
    uint64_t writes = recovery_state(scene->recovery).writes;
    assert_true(rest(scene)); /* there is nothing left to do */
    assert_int_equal(recovery_state(scene->recovery).writes, writes);
    open_recovery(scene, RECOVERY_STOP, ENOUGH);
    assert_false(restore(scene));
    assert_int_equal(coordinator_last_campaign(scene->coordinator), 5);
    expect_log(scene, "");
}

static void ids_go_on_from_the_highest(void **state)
{
    struct scene *scene = (struct scene *)*state;
    open_recovery(scene, RECOVERY_STOP, ENOUGH);
    assert_false(restore(scene)); /* leaves 4 */
    scene->coordinator_settings.last_campaign = 2;
    open_recovery(scene, RECOVERY_STOP, ENOUGH);
    assert_false(restore(scene));
    assert_int_equal(coordinator_last_campaign(scene->coordinator), 4);
    scene->coordinator_settings.last_campaign = 9;
    open_recovery(scene, RECOVERY_STOP, ENOUGH);
    assert_false(restore(scene));
    assert_int_equal(coordinator_last_campaign(scene->coordinator), 9);
    scene->coordinator_settings.last_campaign = 0;
    open_recovery(scene, RECOVERY_STOP, ENOUGH);
    assert_false(restore(scene)); /* the one before has rested at 9 */
    assert_int_equal(coordinator_last_campaign(scene->coordinator), 9);
}

static void what_cannot_be_gone_on_from_is_said(void **state)
{
    struct scene *scene = (struct scene *)*state;
    FILE *file = fopen(scene->file, "wb");
    assert_non_null(file);
    (void)fputs("this is a diary", file);
    assert_int_equal(fclose(file), 0);
    open_recovery(scene, RECOVERY_STOP, ENOUGH);
    assert_false(restore(scene));
    expect_log(scene, "cannot continue from the journal: it is not a journal");
    assert_non_null(strstr(recovery_lost_reason(scene->recovery), "it is not a journal"));
    assert_false(recovery_state(scene->recovery).is_failed);
}

/* It fails to begin twice; it says so once, and when it succeeds again. */
static void fail_and_heal(struct scene *scene, enum recovery_policy policy, const char *words)
{
    bool goes_on = policy == RECOVERY_GO_ON;
    open_recovery(scene, policy, ENOUGH);
    assert_false(restore(scene));
    assert_int_equal(unlink(scene->file), 0);
    assert_int_equal(mkdir(scene->file, 0700), 0); /* in the journal's place */
    assert_int_equal(recovery_allows_campaign(scene->recovery, scene->coordinator, NULL), goes_on);
    expect_log(scene, words);
    assert_int_equal(recovery_allows_campaign(scene->recovery, scene->coordinator, NULL), goes_on);
    expect_log(scene, "");
    struct recovery_state failed = recovery_state(scene->recovery);
    assert_true(failed.is_failed);
    assert_int_equal(failed.policy, policy);
    assert_int_equal(failed.failures, 2);
    assert_non_null(strstr(failed.reason, "cannot be replaced"));
    assert_int_equal(rmdir(scene->file), 0);
    create(scene); /* it goes on without: a journal that begins now would not know of it */
    assert_int_equal(recovery_allows_campaign(scene->recovery, scene->coordinator, NULL), goes_on);
    assert_true(recovery_write(scene->recovery));
    assert_true(recovery_state(scene->recovery).is_failed);
    stop(scene);
    expect_log(scene, "");
    assert_true(recovery_allows_campaign(scene->recovery, scene->coordinator, NULL));
    expect_log(scene, "the journal works again");
    assert_false(recovery_state(scene->recovery).is_failed);
    assert_string_equal(recovery_state(scene->recovery).reason, "");
}

static void where_none_can_begin_campaigns_go_on(void **state)
{
    fail_and_heal((struct scene *)*state, RECOVERY_GO_ON, "campaigns go on, but would not survive");
}

static void or_none_is_taken(void **state)
{
    fail_and_heal((struct scene *)*state, RECOVERY_STOP, "campaigns are stopped, and new ones refused");
}

/* Exceeds its maximum size while a campaign runs. */
static void overgrow(struct scene *scene, enum recovery_policy policy, const char *words)
{
    bool goes_on = policy == RECOVERY_GO_ON;
    bool goes_on_now = true;
    open_recovery(scene, policy, 600); /* less than a base with a campaign in it has */
    assert_false(restore(scene));
    assert_true(recovery_allows_campaign(scene->recovery, scene->coordinator, NULL));
    create(scene);
    assert_true(recovery_write(scene->recovery));
    for (unsigned i = 0; !recovery_state(scene->recovery).is_failed; i++) {
        happen(scene, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = NOW_NS + i});
        assert_true(recovery_write(scene->recovery));
        goes_on_now = rest(scene);
    }
    assert_int_equal(goes_on_now, goes_on);
    expect_log(scene, words);
    happen(scene, &(struct coordinator_event){.kind = EVENT_TICK, .now_ns = NOW_NS + 1000});
    assert_true(recovery_write(scene->recovery)); /* logged once */
    expect_log(scene, "");
    assert_true(rest(scene));
    stop(scene);
    assert_true(rest(scene)); /* there is none at rest */
    assert_int_equal(recovery_state(scene->recovery).failures, 1);
    assert_int_equal(recovery_state(scene->recovery).bytes, 0);
    assert_int_not_equal(access(scene->file, F_OK), 0);
}

static void one_that_grows_too_large_is_given_up(void **state)
{
    overgrow((struct scene *)*state, RECOVERY_GO_ON, "error: the journal has failed: it would grow");
}

static void or_stops_the_campaigns(void **state)
{
    overgrow((struct scene *)*state, RECOVERY_STOP, "error: the journal has failed: it would grow");
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(a_journal_is_kept_while_there_is_a_campaign),
        STORY(ids_go_on_from_the_highest),
        STORY(what_cannot_be_gone_on_from_is_said),
        STORY(where_none_can_begin_campaigns_go_on),
        STORY(or_none_is_taken),
        STORY(one_that_grows_too_large_is_given_up),
        STORY(or_stops_the_campaigns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
