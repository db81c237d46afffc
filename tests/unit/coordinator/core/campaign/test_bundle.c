/* How the coordinator distributes the files of a campaign. */
#include "tests/unit/coordinator/core/stand.h"

#include "proto/message/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define OTHER_HASH "03b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static uint8_t data[LIMIT_CHUNK_BYTES];

/* Ten bytes of script, a chunk of data. */
static struct played *deploy(struct stand *stand)
{
    struct bundle_file files[] = {
        {.path = bytes_of_string("pad.lua"), .content = bytes_of_string("-- script\n")},
        {.path = bytes_of_string("empty.csv")},
        {.path = bytes_of_string("users.csv"), .content = bytes_of(data, sizeof data)}};
    struct coordinator_event event = {
        .kind = EVENT_CREATE,
        .now_ns = stand->now_ns,
        .create = {.options = stand_options(2),
                   .bundle = {.files = files, .file_count = 3, .hash = bytes_of_string(HASH)},
                   .agents = 1,
                   .deadline_ms = 1000}};
    struct played *agent = stand_agent(stand, "a1");
    agent->is_obliging = false;
    stand_step(stand, &event);
    stand_exchange(stand);
    stand_forget_story(stand);
    return agent;
}

static void want(struct stand *stand, struct played *agent, const char *hash, uint64_t offset)
{
    stand_send(stand, agent,
               &(struct message){.kind = MESSAGE_BUNDLE_WANTED,
                                 .campaign = 1,
                                 .bundle_chunk = {.hash = bytes_of_string(hash), .offset = offset}});
}

static void chunks_come_in_order(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = deploy(stand);
    want(stand, agent, HASH, 0);
    want(stand, agent, HASH, LIMIT_CHUNK_BYTES);
    stand_expect(stand, "a1: bundle_chunk at 0: 262144 bytes\n"
                        "a1: bundle_chunk at 262144: 10 bytes\n");
}

static void nobody_gets_more_than_there_is(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = deploy(stand);
    stand->is_log_told = true;
    want(stand, agent, HASH, LIMIT_CHUNK_BYTES); /* not its turn */
    assert_non_null(strstr(buffer_string(&stand->story), "it may not request this chunk of the bundle"));
    stand->is_log_told = false;
    stand_forget_story(stand);
    want(stand, agent, OTHER_HASH, 0);
    stand_expect(stand, "");
    want(stand, agent, HASH, 0);
    stand_forget_story(stand);
    want(stand, agent, HASH, 0); /* again */
    stand_expect(stand, "");
    want(stand, agent, HASH, LIMIT_CHUNK_BYTES);
    stand_forget_story(stand);
    want(stand, agent, HASH, LIMIT_CHUNK_BYTES + 10); /* beyond the end */
    stand_expect(stand, "");
}

static void files_stay_until_the_end(void **state)
{
    struct stand *stand = (struct stand *)*state;
    struct played *agent = deploy(stand);
    stand_done(stand, agent, MESSAGE_DEPLOYED, GLOBAL_SETUP, NULL);
    stand_forget_story(stand);
    want(stand, agent, HASH, 0);
    stand_expect(stand, "a1: bundle_chunk at 0: 262144 bytes\n");
    stand_stop(stand, true);
    stand_pass_ms(stand, 5000);
    assert_int_equal(stand_report(stand)->state, CAMPAIGN_ENDED);
    stand_forget_story(stand);
    want(stand, agent, HASH, LIMIT_CHUNK_BYTES);
    stand_expect(stand, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(chunks_come_in_order),
        STORY(nobody_gets_more_than_there_is),
        STORY(files_stay_until_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
