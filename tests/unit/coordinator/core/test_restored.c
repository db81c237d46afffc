/* What a coordinator does that was restored from a journal: the right one, and one that is older than what
 * its agents have heard, as a disk leaves it that could neither be written to nor emptied. */
#include "coordinator/core/coordinator_pack.h"
#include "coordinator/core/journal/event_log.h"
#include "tests/unit/coordinator/core/stand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FILE_BYTES 1000000u
#define KNOWS_BETTER                                                                                         \
    "the coordinator was killed, and its journal is older than what agent a1 knows: what happened since is " \
    "lost"
#define EXPELLED " refused: the journal of the coordinator is older than what you know\n"

struct scene {
    struct stand stand;
    struct event_log_writer writer;
    struct buffer file;
};

static void note(void *context, const struct coordinator_event *event)
{
    struct scene *scene = (struct scene *)context;
    event_log_note(&scene->writer, event);
    struct bytes block = event_log_seal(&scene->writer);
    (void)buffer_append(&scene->file, block.data, block.size);
}

/* Two agents, and a journal as it is begun for the first campaign. */
static int set_up(void **state)
{
    static struct scene scene;
    stand_init(&scene.stand);
    event_log_writer_init(&scene.writer);
    buffer_init(&scene.file, FILE_BYTES);
    (void)stand_agent(&scene.stand, "a1");
    (void)stand_agent(&scene.stand, "a2");
    event_log_begin_base(&scene.writer, &(struct event_log_head){0}, &scene.file);
    coordinator_pack(scene.stand.coordinator, &scene.file);
    assert_true(event_log_seal_base(&scene.file));
    scene.stand.on_event = note;
    scene.stand.context = &scene;
    *state = &scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = (struct scene *)*state;
    stand_finish(&scene->stand);
    event_log_writer_finish(&scene->writer);
    buffer_finish(&scene->file);
    return 0;
}

static void run(struct scene *scene)
{
    struct campaign_options options = stand_options(4);
    stand_create(&scene->stand, &options, 2);
    stand_pass_ms(&scene->stand, 2000);
    assert_int_equal(stand_report(&scene->stand)->state, CAMPAIGN_RUNNING);
    stand_forget_story(&scene->stand);
}

/* The process dies, and the next one finds this much of the journal. */
static void go_on_from(struct scene *scene, size_t size)
{
    struct stand *stand = &scene->stand;
    struct event_log_reader reader;
    struct event_log_head head;
    struct event_log_end end;
    coordinator_free(&stand->coordinator);
    scene->file.size = size;
    struct error error;
    assert_true(event_log_open(&reader, buffer_bytes(&scene->file), &head, &error));
    stand->coordinator = event_log_replay(&reader, &head, &end, NULL);
    event_log_reader_finish(&reader);
    assert_non_null(stand->coordinator);
    scene->writer.blocks = end.blocks;
    stand->now_ns += 1000000;
    stand_step(stand, &(struct coordinator_event){.kind = EVENT_RESTORED, .now_ns = stand->now_ns});
}

static void a_whole_journal_is_gone_on_from(void **state)
{
    struct scene *scene = (struct scene *)*state;
    run(scene);
    for (int i = 0; i < 3; i++) {
        go_on_from(scene, scene->file.size);
        stand_pass_ms(&scene->stand, 20000);
        stand_expect(&scene->stand, "");
    }
    assert_int_equal(stand_report(&scene->stand)->state, CAMPAIGN_RUNNING);
    stand_finished(&scene->stand, &scene->stand.agents[0]);
    stand_finished(&scene->stand, &scene->stand.agents[1]);
    assert_int_equal(stand_report(&scene->stand)->state, CAMPAIGN_ENDED);
}

static void expect_the_end(struct stand *stand)
{
    stand_expect(stand, "campaign 1 stopping\n"
                        "a1:" EXPELLED "forget the route of a1\n"
                        "a2:" EXPELLED "campaign 1 ended\nforget the route of a2\n");
    stand_expect_verdict(stand, VERDICT_ABORTED, KNOWS_BETTER);
}

static void what_an_agent_has_said_since_ends_the_campaign(void **state)
{
    struct scene *scene = (struct scene *)*state;
    run(scene);
    size_t size = scene->file.size;
    for (int i = 0; i < 2; i++) {
        stand_steps(&scene->stand, &scene->stand.agents[i], 10, 0);
    }
    stand_pass_ms(&scene->stand, 10); /* until it is acknowledged */
    go_on_from(scene, size);
    stand_pass_ms(&scene->stand, 1500);
    expect_the_end(&scene->stand);
}

static void where_a_loss_is_a_failure_it_says_why_too(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct campaign_options options = stand_options(4);
    options.on_loss = ON_LOSS_FAIL;
    stand_create(&scene->stand, &options, 2);
    stand_pass_ms(&scene->stand, 2000);
    size_t size = scene->file.size;
    stand_pass_ms(&scene->stand, 1100);
    go_on_from(scene, size);
    stand_pass_ms(&scene->stand, 1500);
    stand_expect_verdict(
        &scene->stand, VERDICT_FAILED,
        "agent a1 (which knows more than the coordinator's journal) was lost with 2 workers");
}

/* None of their numbers differs. */
static void a_heartbeat_that_an_agent_has_heard_since_ends_the_campaign(void **state)
{
    struct scene *scene = (struct scene *)*state;
    run(scene);
    size_t size = scene->file.size;
    stand_pass_ms(&scene->stand, 1100);
    go_on_from(scene, size);
    stand_pass_ms(&scene->stand, 1500);
    expect_the_end(&scene->stand);
}

static void what_an_agent_was_sent_since_never_meets_what_it_is_sent_again(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct campaign_options options = stand_options(4);
    size_t size = scene->file.size;
    stand_pass_ms(&scene->stand, 1);
    stand_create(&scene->stand, &options, 2);
    go_on_from(scene, size);
    stand_forget_story(&scene->stand);
    options.workers = 2;
    stand_create(&scene->stand, &options, 2); /* with the same id, and the numbers on the links */
    stand_pass_ms(&scene->stand, 3000);
    /* For a campaign other than the restored one; it never reaches an agent that knows better. */
    assert_null(strstr(buffer_string(&scene->stand.story), ": deploy"));
    assert_non_null(strstr(buffer_string(&scene->stand.story), "a1:" EXPELLED));
    assert_non_null(strstr(buffer_string(&scene->stand.story), "a2:" EXPELLED));
}

static void a_campaign_of_afterwards_is_none_of_the_journals(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct stand *stand = &scene->stand;
    run(scene);
    size_t size = scene->file.size;
    stand_pass_ms(stand, 1100);
    stand->agents[0].is_silent = true;
    stand->agents[1].is_silent = true;
    go_on_from(scene, size);
    struct played *third = stand_agent(stand, "a3");
    struct campaign_options options = stand_options(2);
    stand->agents[0].is_silent = false;
    stand_create(stand, &options, 5);
    stand_pass_ms(stand, 2500);
    stand_forget_story(stand);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
    assert_int_equal(coordinator_report(stand->coordinator, 2, stand->now_ns)->state, CAMPAIGN_CREATED);
    assert_non_null(third->link);
}

/* A disconnected agent starts a new incarnation, and the next campaign runs on it. */
static void who_knows_better_is_welcome_to_what_comes(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct stand *stand = &scene->stand;
    run(scene);
    size_t size = scene->file.size;
    stand_pass_ms(stand, 1100);
    go_on_from(scene, size);
    stand_pass_ms(stand, 1500);
    stand->agents[0].is_silent = stand->agents[1].is_silent = true; /* of these incarnations */
    stand_forget_story(stand);
    (void)stand_agent(stand, "a1");
    (void)stand_agent(stand, "a2");
    struct campaign_options options = stand_options(2);
    stand_create(stand, &options, 2);
    assert_int_equal(coordinator_report(stand->coordinator, 2, stand->now_ns)->state, CAMPAIGN_RUNNING);
}

/* A liar can claim that on any link; if nothing was restored the claim has no effect. */
static void an_echo_of_nothing_is_only_nonsense_where_nothing_was_restored(void **state)
{
    struct scene *scene = (struct scene *)*state;
    struct stand *stand = &scene->stand;
    run(scene);
    struct envelope envelope = {.incarnation = stand->agents[0].incarnation,
                                .epoch = STAND_EPOCH,
                                .sent_ns = stand->now_ns,
                                .echoed_sent_ns = stand->now_ns + 1};
    stand_frame(stand, &envelope, bytes_of(NULL, 0));
    envelope.acknowledged = 1000;
    stand_frame(stand, &envelope, bytes_of(NULL, 0));
    stand_pass_ms(stand, 2000);
    stand_expect(stand, "");
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_RUNNING);
}

int main(void)
{
#define SCENE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        SCENE(a_whole_journal_is_gone_on_from),
        SCENE(what_an_agent_has_said_since_ends_the_campaign),
        SCENE(where_a_loss_is_a_failure_it_says_why_too),
        SCENE(a_heartbeat_that_an_agent_has_heard_since_ends_the_campaign),
        SCENE(what_an_agent_was_sent_since_never_meets_what_it_is_sent_again),
        SCENE(a_campaign_of_afterwards_is_none_of_the_journals),
        SCENE(who_knows_better_is_welcome_to_what_comes),
        SCENE(an_echo_of_nothing_is_only_nonsense_where_nothing_was_restored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
